//! What must hold for any bytes at all: bodies of the fuzz targets, also run by `cargo test`.
//!
//! Whatever `verify` accepts, `iter` walks without an error and to the same count, and what is walked can be written
//! again and reads the same. Each function panics when that is not so; that is its purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::{Element, Error};

/// Walk to the first error.
fn walk<'a>(iter: impl Iterator<Item = Result<Element<'a>, Error>>) -> (Vec<Element<'a>>, Option<Error>) {
    let mut error = None;
    let elements = iter.map_while(|step| step.map_err(|stop| error = Some(stop)).ok()).collect();
    (elements, error)
}

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

/// Any bytes as a listpack.
pub fn listpack(data: &[u8]) {
    use super::listpack::{Builder, Listpack, verify};
    let verdict = verify(data);
    let Ok(listpack) = Listpack::new(data) else {
        return must(verdict.is_err(), "a listpack is verified that cannot be opened");
    };
    let (elements, error) = walk(listpack.iter());
    if let Ok(count) = verdict {
        must(error.is_none() && elements.len() == count, "a verified listpack walks to another count");
    }
    let mut builder = Builder::default();
    elements.iter().for_each(|&element| builder.push_element(element));
    let again = builder.finish();
    must(verify(&again) == Ok(elements.len()), "a written listpack is not verified");
    let same = Listpack::new(&again)
        .is_ok_and(|again| again.iter().zip(&elements).all(|(new, &old)| new.is_ok_and(|new| new.same_text(old))));
    must(same, "a written listpack holds something else");
}

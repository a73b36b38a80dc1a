//! Smaller files that still do the same.
//!
//! Whole records and commands are left out first, with all lengths right behind them (a tree of the file), then runs of
//! bytes, of half the file down to one byte: Zeller's delta debugging.

use super::report::Report;
use super::tree::{Kind, Tree};
use std::collections::HashSet;
use std::path::Path;

/// Characters of a signature in a file's name.
const LONGEST_NAME: usize = 120;

/// Does a candidate still do it? An error ends the search with the best so far.
pub type Still<'s, E> = dyn FnMut(&[u8]) -> Result<bool, E> + 's;

/// The smallest file found within `tries` candidates, of any bytes for which `still` holds.
///
/// # Errors
/// What `still` returns.
pub fn shrink<E>(bytes: &[u8], tries: usize, still: &mut Still<'_, E>) -> Result<Vec<u8>, E> {
    let mut left = tries;
    let mut limited = |candidate: &[u8]| {
        if left == 0 {
            return Ok(false);
        }
        left = left.saturating_sub(1);
        still(candidate)
    };
    let mut best = bytes.to_vec();
    let written = Tree::read(Kind::of(&best), &best).write();
    if limited(&written)? {
        best = records(&written, &mut limited)?;
    }
    reduce(best, &mut |rest| rest.to_vec(), &mut limited)
}

/// The smallest file of each signature, and a name that says what it does.
#[must_use]
pub fn one_of_each(report: &Report) -> Vec<(String, &Path)> {
    let mut taken = HashSet::new();
    let mut named = Vec::new();
    for (signature, group) in &report.groups {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '+') { c } else { '_' };
        let mut name: String = signature.chars().map(plain).take(LONGEST_NAME).collect();
        if let Some(ending) = group.example.extension().and_then(|ending| ending.to_str()) {
            name = format!("{name}.{ending}");
        }
        let mut number = 1u32;
        while !taken.insert(name.clone()) {
            number = number.saturating_add(1);
            name = format!("{number}-{name}");
        }
        named.push((name, group.example.as_path()));
    }
    named
}

fn records<E>(bytes: &[u8], still: &mut Still<'_, E>) -> Result<Vec<u8>, E> {
    match Tree::read(Kind::of(bytes), bytes) {
        Tree::Image(mut image) => {
            let mut write = |records: &[_]| {
                image.records = records.to_vec();
                image.write()
            };
            let records = reduce(Tree::image_records(bytes), &mut write, still)?;
            Ok(write(&records))
        }
        Tree::Log(mut log) => {
            let entries = log.entries.clone();
            let mut write = |entries: &[_]| {
                log.entries = entries.to_vec();
                log.write()
            };
            let entries = reduce(entries, &mut write, still)?;
            Ok(write(&entries))
        }
        Tree::Payload(_) => Ok(bytes.to_vec()),
    }
}

/// Leave out runs of a list, long ones first, as long as what is written of the rest still does it.
fn reduce<T: Clone, E>(
    mut list: Vec<T>,
    write: &mut dyn FnMut(&[T]) -> Vec<u8>,
    still: &mut Still<'_, E>,
) -> Result<Vec<T>, E> {
    let mut run = list.len().div_ceil(2);
    while run > 0 {
        let mut at = 0usize;
        let mut smaller = false;
        while at < list.len() {
            let end = at.saturating_add(run).min(list.len());
            let mut rest = list.get(..at).unwrap_or_default().to_vec();
            rest.extend_from_slice(list.get(end..).unwrap_or_default());
            if still(&write(&rest))? {
                list = rest;
                smaller = true;
            } else {
                at = end;
            }
        }
        // At the finest grain it goes on while it helps.
        run = if run == 1 && smaller { 1 } else { run / 2 };
    }
    Ok(list)
}

impl Tree {
    fn image_records(bytes: &[u8]) -> Vec<super::tree::Record> {
        match Self::read(Kind::Image, bytes) {
            Self::Image(image) => image.records,
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn what_does_not_matter_goes() {
        let mut still = |bytes: &[u8]| Ok::<_, Infallible>(bytes.windows(3).any(|window| window == b"xyz"));
        let small = shrink(b"\x00aaaaaaaaaaaaaaaaxyzbbbbbbbbbbbbbbbbbb", 1000, &mut still).unwrap();
        assert_eq!(small, b"xyz");
    }

    #[test]
    fn records_go_with_their_lengths_and_the_checksum_right() {
        let image = include_bytes!("../../testdata/rdb/everything-redis_v13.rdb");
        let mut still = |bytes: &[u8]| {
            let sound = crate::input::sniff::image_end(bytes).is_ok();
            Ok::<_, Infallible>(sound && bytes.windows(6).any(|window| window == b"the em"))
        };
        let small = shrink(image, 5000, &mut still).unwrap();
        assert!(small.len() < 50 && crate::input::sniff::image_end(&small).is_ok(), "{} bytes", small.len());
    }

    #[test]
    fn tries_are_bounded() {
        let mut tried = 0;
        let small = shrink(&[7; 1000], 10, &mut |_: &[u8]| {
            tried += 1;
            Ok::<_, Infallible>(false)
        });
        assert_eq!((small.unwrap().len(), tried), (1000, 10));
    }
}

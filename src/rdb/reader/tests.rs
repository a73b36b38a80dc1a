//! What reading takes is paid for.

use super::*;
use crate::rdb::object;

/// `xxxx…`, a mebibyte of it, as a string that is some kilobytes long.
fn compressed() -> Vec<u8> {
    let mut out = Vec::new();
    string::Encoder::new(true).encode(&[b'x'; 1 << 20], &mut out);
    assert!(out.len() < 16 << 10);
    out
}

fn outcome(image: &[u8], budget: &Budget) -> Result<()> {
    let mut reader = Reader::new(image)?.with_budget(budget);
    while reader.next_record()?.is_some() {}
    Ok(())
}

#[test]
fn names_and_aux_fields_are_paid_for_also_by_the_readers_of_marks() {
    let long = compressed();
    for record in [[&b"\x00"[..], &long, b"\x01v"].concat(), [&b"\xfa\x01a"[..], &long].concat()] {
        let image = [&b"REDIS0009"[..], &record, b"\xff\0\0\0\0\0\0\0\0"].concat();
        assert!(outcome(&image, &Budget::default()).is_ok());
        let small = Budget::new(64 << 10);
        assert!(outcome(&image, &small).unwrap_err().is_exhausted());
        assert_eq!(small.spent(), 0);
        let mark = Reader::new(&image).unwrap().with_budget(&small).mark();
        let error = mark.reader_until(image.len() as u64).next_record().unwrap_err();
        assert!(error.is_exhausted(), "{error}");
    }
}

#[test]
fn the_names_of_a_template_are_paid_for() {
    // Ten thousand names of one byte, told by a listpack that is compressed to nearly nothing.
    let mut names = crate::packed::listpack::Builder::default();
    (0..10_000).for_each(|_| names.push(b"x"));
    let mut body = vec![0];
    string::Encoder::new(true).encode(&names.finish(), &mut body);
    string::Encoder::new(true).encode(&names.finish(), &mut body);
    let value = ValueRef::new(ValueType::HashTemplateListpack, &body, 0);
    let count = |budget: &Budget| {
        let mut count = 0u64;
        value
            .elements(&mut object::Buffers::new(budget), &mut |_| {
                count += 1;
                Ok(())
            })
            .map(|()| count)
    };
    let small = Budget::new(300 << 10);
    assert!(count(&small).unwrap_err().is_exhausted());
    assert_eq!(small.spent(), 0);
    // The second listpack has an id before the values.
    assert!(count(&Budget::default()).is_err_and(|error| !error.is_exhausted()));
}

#![expect(clippy::arithmetic_side_effects, reason = "numbers of the test's own")]

use super::*;
use crate::packed::attack;
use proptest::prelude::*;

/// A list of a server: a, 5, -100, 1000, 70000, 2147483647, 1099511627776.
const LIST: &[u8] = b"\x2c\0\0\0\x21\0\0\0\x07\0\0\x01a\x03\xf6\x02\xfe\x9c\x03\xc0\xe8\x03\x04\xf0\x70\x11\x01\
    \x05\xd0\xff\xff\xff\x7f\x06\xe0\0\0\0\0\0\x01\0\0\xff";

/// Entries given byte by byte, the last of which begins at `tail`.
fn framed(tail: u32, count: u16, body: &[u8]) -> Vec<u8> {
    let mut blob = u32::try_from(body.len() + 11).unwrap().to_le_bytes().to_vec();
    blob.extend_from_slice(&tail.to_le_bytes());
    blob.extend_from_slice(&count.to_le_bytes());
    blob.extend_from_slice(body);
    blob.push(0xff);
    blob
}

fn elements(blob: &[u8]) -> Result<Vec<Element<'_>>, Error> {
    Ziplist::new(blob)?.iter().collect()
}

#[test]
fn ziplists_of_a_server_are_read_and_written_alike() {
    let edges = b"\x1c\0\0\0\x19\0\0\0\x05\0\0\xf0\xff\xff\x7f\x05\xf0\0\0\x80\x05\xfd\x02\xfe\x0d\x03\xf1\xff";
    for (blob, values) in [
        (LIST, [5, -100, 1000, 70_000, 2_147_483_647, 1_099_511_627_776].as_slice()),
        (edges, &[8_388_607, -8_388_608, 12, 13, 0]),
    ] {
        let mut builder = Builder::new();
        for element in &Ziplist::new(blob).unwrap() {
            builder.push_element(element.unwrap());
        }
        assert_eq!(builder.finish(), blob);
        assert_eq!(builder.len(), blob.len());
        let read: Vec<_> = elements(blob).unwrap().into_iter().filter_map(Element::as_int).collect();
        assert_eq!(read, values);
        assert_eq!(verify(blob), Ok(builder.count()));
    }
    assert_eq!(claimed_len_of_prefix(&LIST[..10]), Some(7));
    assert_eq!(claimed_len_of_prefix(&LIST[..9]), None);
}

#[test]
fn an_empty_ziplist_has_the_bytes_that_servers_write() {
    assert_eq!(Builder::new().finish(), b"\x0b\0\0\0\x0a\0\0\0\0\0\xff");
    assert_eq!(verify(&Builder::new().finish()), Ok(0));
    assert!(Ziplist::new(&Builder::new().finish()).unwrap().is_empty());
}

#[test]
fn long_strings_take_the_long_forms() {
    let mut builder = Builder::new();
    for len in [63, 64, 250, 251, 252, 16_383, 16_384] {
        builder.push(&vec![b'x'; len]);
    }
    builder.push(b"last");
    let blob = builder.finish();
    assert_eq!(verify(&blob), Ok(8));
    assert_eq!(blob[11], 63);
    assert_eq!(blob[10 + 65..10 + 65 + 3], [65, 0x40, 64]);
    assert!(blob.ends_with(b"\xfe\x0a\x40\0\0\x04last\xff"), "a prevlen of 254 and more takes five bytes");
    builder.clear();
    assert_eq!(builder.finish(), Builder::new().finish());
}

#[test]
fn a_wide_prevlen_with_a_small_value_is_accepted() {
    assert_eq!(verify(&framed(12, 2, b"\x00\xf2\xfe\x02\0\0\0\xf3")), Ok(2));
    assert_eq!(verify(&framed(10, 1, b"\xfe\0\0\0\0\xf3")), Ok(1));
}

#[test]
fn a_string_of_32_bit_length_is_read_whatever_its_low_bits() {
    assert_eq!(elements(&framed(10, 1, b"\x00\x80\0\0\0\x01a")).unwrap(), [Element::Bytes(b"a")]);
    assert_eq!(verify(&framed(10, 1, b"\x00\xbf\0\0\0\x01a")), Ok(1));
}

#[test]
fn an_unknown_count_is_found_by_walking() {
    let blob = framed(12, 0xffff, b"\x00\xf2\x02\xf3");
    assert_eq!(verify(&blob), Ok(2));
    assert_eq!(Ziplist::new(&blob).unwrap().len(), Ok(2));
    assert_eq!(claimed_len_of_prefix(&blob), None);
}

#[test]
fn damage_is_named_with_its_place() {
    let deep = |blob: &[u8]| verify(blob).unwrap_err();
    assert_eq!(deep(&LIST[..10]), Error::new(0, ErrorKind::ZiplistTooShort));
    let kind = ErrorKind::ZiplistSizeMismatch { claimed: 44, actual: 43 };
    assert_eq!(deep(&LIST[..43]), Error::new(0, kind));
    let mut open = LIST.to_vec();
    open[43] = 0;
    assert_eq!(deep(&open), Error::new(43, ErrorKind::ZiplistMissingTerminator));

    let tail = |claimed| Error::new(4, ErrorKind::ZiplistBadTail { claimed });
    let two = b"\x00\xf2\x02\xf3";
    assert_eq!(verify(&framed(12, 2, two)), Ok(2));
    assert_eq!(deep(&framed(10, 2, two)), tail(10));
    assert_eq!(deep(&framed(u32::MAX, 2, two)), tail(u32::MAX));
    assert_eq!(verify(&framed(10, 0, b"")), Ok(0));
    assert_eq!(verify(&framed(0, 0, b"")), Ok(0), "without entries any tail inside will do");
    assert_eq!(deep(&framed(11, 0, b"")), tail(11));

    let kind = ErrorKind::ZiplistBadPrevlen { claimed: 3, actual: 2 };
    assert_eq!(deep(&framed(12, 2, b"\x00\xf2\x03\xf3")), Error::new(12, kind));
    let kind = ErrorKind::ZiplistBadPrevlen { claimed: 1, actual: 0 };
    assert_eq!(deep(&framed(10, 1, b"\x01\xf2")), Error::new(10, kind));
    let kind = ErrorKind::ZiplistCountMismatch { claimed: 3, counted: 2 };
    assert_eq!(deep(&framed(12, 3, two)), Error::new(8, kind));

    for body in [
        b"\x00\xf2\x02".as_slice(),
        b"\x00\xf2\x02\x02a",
        b"\x00\xf2\x02\xe0\0",
        b"\x00\xf2\xfe\x02\0",
        b"\x00\xf2\x02\x40",
    ] {
        let error = Error::new(12, ErrorKind::ZiplistTruncatedEntry);
        assert_eq!(elements(&framed(12, 2, body)).unwrap_err(), error, "{body:?}");
        assert_eq!(deep(&framed(12, 2, body)), error);
    }
    for encoding in [0xc1, 0xcf, 0xd1, 0xe1, 0xef, 0xff] {
        let error = Error::new(10, ErrorKind::ZiplistUnknownEncoding(encoding));
        assert_eq!(deep(&framed(10, 1, &[0, encoding, 0, 0, 0, 0, 0, 0, 0, 0])), error);
    }
    assert_eq!(deep(&framed(10, 2, b"\x00\xf2\xff\xf3")), Error::new(12, ErrorKind::ZiplistEarlyTerminator));
    assert_eq!(tail(1).code(), "ziplist-bad-tail");
}

#[test]
fn a_walk_ends_after_its_first_error() {
    let blob = framed(10, 2, b"\x00\xf2\x02\xc1\x02\xf3");
    let mut iter = Ziplist::new(&blob).unwrap().iter();
    assert_eq!(iter.next(), Some(Ok(Element::Int(1))));
    assert!(iter.next().is_some_and(|step| step.is_err()));
    assert_eq!(iter.next(), None);
}

#[test]
fn every_byte_changed_and_every_cut_is_survived() {
    attack::each_damage(LIST, attack::ziplist);
}

fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = prop_oneof![
        (any::<i64>(), 0_u32..64).prop_map(|(value, shift)| (value >> shift).to_string().into_bytes()),
        "[-0-9]{0,3}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..300),
        (0_usize..20_000, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ];
    prop::collection::vec(text, 0..20)
}

proptest! {
    #[test]
    fn what_is_built_is_read_again(texts in texts()) {
        let mut builder = Builder::new();
        texts.iter().for_each(|text| builder.push(text));
        let blob = builder.finish();
        prop_assert_eq!(verify(&blob), Ok(texts.len()));
        for (element, text) in elements(&blob).unwrap().into_iter().zip(&texts) {
            let mut buffer = itoa::Buffer::new();
            prop_assert_eq!(element.text(&mut buffer), text);
        }
    }
}

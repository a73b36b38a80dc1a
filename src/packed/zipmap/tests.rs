use super::*;
use crate::packed::attack;
use proptest::prelude::*;

/// {f: v, k: 12}
const MAP: &[u8] = b"\x02\x01f\x01\0v\x01k\x02\x0012\xff";

type Pair<'a> = (&'a [u8], &'a [u8]);

fn pairs(blob: &[u8]) -> Result<Vec<Pair<'_>>, Error> {
    Zipmap::new(blob)?.iter().collect()
}

#[test]
fn a_zipmap_of_a_server_is_read_and_written_alike() {
    let expected: [Pair<'_>; 2] = [(b"f", b"v"), (b"k", b"12")];
    assert_eq!(pairs(MAP).unwrap(), expected);
    assert_eq!(verify(MAP), Ok(2));
    let mut builder = Builder::new();
    for (key, value) in expected {
        builder.push(key, value);
    }
    assert_eq!(builder.finish(), MAP);
    assert_eq!((builder.len(), builder.count()), (MAP.len(), 2));
}

#[test]
fn what_servers_tolerate_is_accepted() {
    assert_eq!(verify(b"\xfe\x01f\x01\0v\xff"), Ok(1), "unknown count");
    assert_eq!(pairs(b"\x01\x01f\x01\x02v..\xff").unwrap(), [(b"f".as_slice(), b"v".as_slice())], "unused bytes");
    assert_eq!(verify(b"\x01\x01f\x01\x02v..\xff"), Ok(1));
    assert_eq!(verify(b"\x01\x01f\x01\0v\xffrest\xff"), Ok(1), "bytes after the end");
}

#[test]
fn long_lengths_take_the_long_form() {
    let long = [b'x'; 254];
    let mut builder = Builder::new();
    builder.push(&long[..253], &long);
    let blob = builder.finish();
    assert_eq!(blob[1], 253);
    assert_eq!(blob[2 + 253..2 + 253 + 6], [254, 254, 0, 0, 0, 0]);
    assert_eq!(verify(&blob), Ok(1));
    assert_eq!(pairs(&blob).unwrap(), [(&long[..253], &long[..])]);
    builder.clear();
    assert!(builder.is_empty());
}

#[test]
fn more_pairs_than_the_count_holds_are_unknown() {
    for (pairs, claimed) in [(253, Some(253)), (254, None), (300, None)] {
        let mut builder = Builder::new();
        for key in 0..pairs {
            builder.push(key.to_string().as_bytes(), b"");
        }
        let blob = builder.finish();
        assert_eq!(Zipmap::new(&blob).unwrap().claimed_len(), claimed);
        assert_eq!(verify(&blob), Ok(pairs));
    }
}

#[test]
fn damage_is_named_with_its_place() {
    let deep = |blob: &[u8]| verify(blob).unwrap_err();
    assert_eq!(deep(b""), Error::new(0, ErrorKind::ZipmapTooShort));
    assert_eq!(deep(b"\xff"), Error::new(0, ErrorKind::ZipmapTooShort));
    assert_eq!(deep(b"\x01\x01"), Error::new(1, ErrorKind::ZipmapMissingTerminator));
    assert_eq!(deep(b"\x00\xff"), Error::new(1, ErrorKind::ZipmapEmpty));
    for blob in [
        b"\x01\x01f\xff".as_slice(),
        b"\x01\x01f\x02\0v\xff",
        b"\x01\x05f\x01\0v\xff",
        b"\x01\x01f\x01\x01v\xff",
        b"\x01\xfe\x01\xff",
    ] {
        assert_eq!(deep(blob), Error::new(1, ErrorKind::ZipmapTruncatedPair), "{blob:?}");
        assert_eq!(pairs(blob), Err(deep(blob)));
    }
    let wasteful = b"\x02\x01a\x01\0v\xfe\x01\0\0\0f\x01\0v\xff";
    assert_eq!(deep(wasteful), Error::new(6, ErrorKind::ZipmapLongLength { len: 1 }));
    assert_eq!(pairs(wasteful).unwrap().len(), 2);
    assert_eq!(deep(b"\x02\x01a\x01\0v\x01a\x01\0w\xff"), Error::new(6, ErrorKind::ZipmapDuplicateKey));
    for claimed in [0, 2, 253, 255] {
        let kind = ErrorKind::ZipmapCountMismatch { claimed, counted: 1 };
        assert_eq!(deep(&[claimed, 1, b'f', 1, 0, b'v', 0xff]), Error::new(0, kind));
    }
    assert_eq!(deep(b"\x00\xff").code(), "zipmap-empty");
}

#[test]
fn every_byte_changed_and_every_cut_is_survived() {
    attack::each_damage(MAP, attack::zipmap);
}

proptest! {
    #[test]
    fn what_is_built_is_read_again(map in prop::collection::btree_map(
        prop::collection::vec(any::<u8>(), 0..300), prop::collection::vec(any::<u8>(), 0..300), 1..8)) {
        let mut builder = Builder::new();
        map.iter().for_each(|(key, value)| builder.push(key, value));
        let blob = builder.finish();
        prop_assert_eq!(verify(&blob), Ok(map.len()));
        let expected: Vec<_> = map.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
        prop_assert_eq!(pairs(&blob).unwrap(), expected);
    }

    #[test]
    fn any_bytes_are_survived(data in prop::collection::vec(prop_oneof![0_u8..4, Just(0xfe), Just(0xff)], 0..40)) {
        crate::packed::attack::zipmap(&data);
    }
}

#![expect(clippy::arithmetic_side_effects, reason = "numbers of the test's own")]

use super::*;
use crate::packed::attack;
use proptest::prelude::*;

/// A listpack around elements given byte by byte.
fn framed(count: u16, body: &[u8]) -> Vec<u8> {
    let mut blob = u32::try_from(body.len() + 7).unwrap().to_le_bytes().to_vec();
    blob.extend_from_slice(&count.to_le_bytes());
    blob.extend_from_slice(body);
    blob.push(0xff);
    blob
}

fn elements(blob: &[u8]) -> Result<Vec<Element<'_>>, Error> {
    Listpack::new(blob)?.iter().collect()
}

fn built(backlen: Backlen, texts: &[&[u8]]) -> Vec<u8> {
    let mut builder = Builder::new(backlen);
    for text in texts {
        builder.push(text);
    }
    builder.finish()
}

#[test]
fn integers_have_the_bytes_that_servers_write() {
    for (value, bytes) in [
        (0, "\x00\x01".as_bytes()),
        (127, b"\x7f\x01"),
        (128, b"\xc0\x80\x02"),
        (-1, b"\xdf\xff\x02"),
        (4095, b"\xcf\xff\x02"),
        (-4096, b"\xd0\x00\x02"),
        (4096, b"\xf1\x00\x10\x03"),
        (-4097, b"\xf1\xff\xef\x03"),
        (32767, b"\xf1\xff\x7f\x03"),
        (-32768, b"\xf1\x00\x80\x03"),
        (-32769, b"\xf2\xff\x7f\xff\x04"),
        (8_388_607, b"\xf2\xff\xff\x7f\x04"),
        (-8_388_608, b"\xf2\x00\x00\x80\x04"),
        (8_388_608, b"\xf3\x00\x00\x80\x00\x05"),
        (-2_147_483_648, b"\xf3\x00\x00\x00\x80\x05"),
        (2_147_483_648, b"\xf4\x00\x00\x00\x80\x00\x00\x00\x00\x09"),
        (i64::MIN, b"\xf4\x00\x00\x00\x00\x00\x00\x00\x80\x09"),
    ] {
        let mut builder = Builder::default();
        builder.push_int(value);
        let blob = builder.finish();
        assert_eq!(blob, framed(1, bytes), "{value}");
        assert_eq!(builder.len(), blob.len());
        assert_eq!(elements(&blob).unwrap(), [Element::Int(value)]);
        assert_eq!(verify(&blob), Ok(1));
    }
}

#[test]
fn strings_have_the_bytes_that_servers_write() {
    assert_eq!(built(Backlen::Redis, &[b""]), framed(1, b"\x80\x01"));
    assert_eq!(built(Backlen::Redis, &[b"a"]), framed(1, b"\x81a\x02"));
    assert_eq!(built(Backlen::Redis, &[b"00"]), framed(1, b"\x8200\x03"));
    let long = [b'x'; 4096];
    let expected = [b"\xe0\x40".as_slice(), &long[..64], b"\x42"].concat();
    assert_eq!(built(Backlen::Redis, &[&long[..64]]), framed(1, &expected));
    let expected = [b"\xef\xff".as_slice(), &long[..4095], b"\x20\x81"].concat();
    assert_eq!(built(Backlen::Redis, &[&long[..4095]]), framed(1, &expected));
    let expected = [b"\xf0\x00\x10\x00\x00".as_slice(), &long, b"\x20\x85"].concat();
    assert_eq!(built(Backlen::Redis, &[&long]), framed(1, &expected));
}

#[test]
fn a_quicklist_node_of_a_server_is_read_and_written_alike() {
    let node = b"\x46\x00\x00\x00\x0e\x00\x81\x61\x02\x01\x01\xdf\xff\x02\x7f\x01\xc0\x80\x02\xcf\xff\x02\xd0\x00\x02\
        \xf1\x00\x10\x03\xf1\xff\x7f\x03\xf2\xff\x7f\xff\x04\xf2\xff\xff\x7f\x04\xf3\x00\x00\x80\x00\x05\
        \xf4\x00\x00\x00\x80\x00\x00\x00\x00\x09\xf4\x00\x00\x00\x00\x00\x00\x00\x40\x09\xff";
    assert_eq!(verify(node), Ok(14));
    let listpack = Listpack::new(node).unwrap();
    assert_eq!(listpack.claimed_len(), Some(14));
    assert_eq!(claimed_len_of_prefix(&node[..6]), Some(14));
    let mut builder = Builder::default();
    for element in &listpack {
        builder.push_element(element.unwrap());
    }
    assert_eq!(builder.finish(), node);
    let mut text = itoa::Buffer::new();
    assert_eq!(listpack.iter().last().unwrap().unwrap().text(&mut text), b"4611686018427387904");
}

#[test]
fn a_builder_that_was_cleared_begins_again() {
    let mut builder = Builder::default();
    builder.push(b"something");
    builder.clear();
    assert!(builder.is_empty());
    assert_eq!(builder.finish(), framed(0, b""));
    assert_eq!(verify(&builder.finish()), Ok(0));
    assert!(Listpack::new(&builder.finish()).unwrap().is_empty());
}

#[test]
fn each_contested_size_is_read_in_both_widths() {
    for size in [16_383, 2_097_151, 268_435_455_usize] {
        if size > 100_000 && cfg!(miri) {
            continue;
        }
        if size > 3_000_000 && cfg!(debug_assertions) {
            assert_eq!((Backlen::Redis.width(size), Backlen::Valkey9.width(size)), (5, 4));
            continue;
        }
        let text = vec![b'x'; size - 5];
        for backlen in [Backlen::Redis, Backlen::Valkey9] {
            let blob = built(backlen, &[b"before", &text, b"after", b"7"]);
            assert_eq!(verify(&blob), Ok(4), "{size} {backlen:?}");
            let listpack = Listpack::new(&blob).unwrap();
            assert_eq!(listpack.iter().nth(2), Some(Ok(Element::Bytes(b"after"))));
            assert_eq!(listpack.backlen(), Ok(Some(backlen)));
        }
        let one_less = built(Backlen::Redis, &[&text[1..]]);
        assert_eq!(one_less, built(Backlen::Valkey9, &[&text[1..]]));
        assert_eq!(Listpack::new(&one_less).unwrap().backlen(), Ok(None));
    }
}

#[test]
fn the_width_of_a_backlen_follows_the_server() {
    for (size, redis, valkey) in [
        (127, 1, 1),
        (128, 2, 2),
        (16_382, 2, 2),
        (16_383, 3, 2),
        (16_384, 3, 3),
        (2_097_150, 3, 3),
        (2_097_151, 4, 3),
        (2_097_152, 4, 4),
        (268_435_454, 4, 4),
        (268_435_455, 5, 4),
        (268_435_456, 5, 5),
    ] {
        assert_eq!((Backlen::Redis.width(size), Backlen::Valkey9.width(size)), (redis, valkey), "{size}");
    }
}

#[test]
fn an_unknown_count_is_found_by_walking() {
    let blob = framed(0xffff, b"\x01\x01\x02\x01");
    let listpack = Listpack::new(&blob).unwrap();
    assert_eq!(listpack.claimed_len(), None);
    assert_eq!(claimed_len_of_prefix(&blob), None);
    assert_eq!(claimed_len_of_prefix(&blob[..5]), None);
    assert_eq!(listpack.len(), Ok(2));
    assert_eq!(verify(&blob), Ok(2));
}

#[test]
#[cfg_attr(miri, ignore = "takes an interpreter too long")]
fn more_elements_than_the_count_holds_are_counted_as_unknown() {
    let mut builder = Builder::default();
    for _ in 0..65_535 {
        builder.push_int(1);
    }
    let blob = builder.finish();
    assert_eq!(Listpack::new(&blob).unwrap().claimed_len(), None);
    assert_eq!(verify(&blob), Ok(65_535));
}

#[test]
fn damage_is_named_with_its_place() {
    let good = framed(2, b"\x81a\x02\x05\x01");
    let size_mismatch = |actual| ErrorKind::ListpackSizeMismatch { claimed: 12, actual };
    let mut longer = good.clone();
    longer.push(0xff);
    assert_eq!(Listpack::new(&longer).unwrap_err(), Error::new(0, size_mismatch(13)));
    assert_eq!(Listpack::new(&good[..11]).unwrap_err(), Error::new(0, size_mismatch(11)));
    assert_eq!(Listpack::new(&good[..6]).unwrap_err(), Error::new(0, ErrorKind::ListpackTooShort));
    let mut open = good.clone();
    *open.last_mut().unwrap() = 0;
    assert_eq!(verify(&open), Err(Error::new(11, ErrorKind::ListpackMissingTerminator)));

    let deep = |count, body: &[u8]| verify(&framed(count, body)).unwrap_err();
    let walk = |body: &[u8]| elements(&framed(1, body)).unwrap_err();
    for body in
        [b"\x05\x01\x82a\x02".as_slice(), b"\x05\x01\x85", b"\x05\x01\x81a", b"\x05\x01\xf4\x01\x02", b"\x05\x01\xe0"]
    {
        assert_eq!(walk(body), Error::new(8, ErrorKind::ListpackTruncatedElement), "{body:?}");
        assert_eq!(deep(2, body), walk(body));
    }
    assert_eq!(walk(b"\xf5\x01"), Error::new(6, ErrorKind::ListpackUnknownEncoding(0xf5)));
    assert_eq!(walk(b"\x05\x01\xff\x01"), Error::new(8, ErrorKind::ListpackEarlyTerminator));
    assert_eq!(deep(1, b"\x81a\x03"), Error::new(8, ErrorKind::ListpackBadBacklen { size: 2 }));
    assert!(elements(&framed(1, b"\x81a\x03")).is_ok(), "a walk forward does not need the backlen");
    let kind = ErrorKind::ListpackCountMismatch { claimed: 3, counted: 2 };
    assert_eq!(deep(3, b"\x01\x01\x02\x01"), Error::new(4, kind));
    assert_eq!(deep(3, b"\x01\x01\x02\x01").code(), "listpack-count-mismatch");
}

#[test]
fn a_walk_ends_after_its_first_error() {
    let blob = framed(2, b"\x05\x01\xf5\x01\x06\x01");
    let mut iter = Listpack::new(&blob).unwrap().iter();
    assert_eq!(iter.next(), Some(Ok(Element::Int(5))));
    assert!(iter.next().is_some_and(|step| step.is_err()));
    assert_eq!(iter.next(), None);
}

#[test]
fn a_wrong_continuation_bit_passes_where_it_adds_nothing() {
    // Redis 8.6.3 and Valkey 9.1.2 accept this: the i64 ends with zeros.
    assert_eq!(verify(&framed(1, b"\xf4\x00\x00\x00\x80\x00\x00\x00\x00\x89")), Ok(1));
    assert!(verify(&framed(1, b"\xf4\x00\x00\x00\x80\x00\x00\x00\x01\x89")).is_err());
    // And this, where the bytes that add nothing are those of the header.
    let blob = framed(1, b"\x80\x81");
    assert_eq!(verify(&blob), Ok(1));
}

#[test]
fn every_byte_changed_and_every_cut_is_survived() {
    let long = [b'x'; 70];
    let blob = built(Backlen::Redis, &[b"", b"abc", &long, b"5", b"-4000", b"30000", b"8000000", b"-9", b"2147483648"]);
    attack::each_damage(&blob, attack::listpack);
}

fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = prop_oneof![
        any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        (any::<i64>(), 0_u32..64).prop_map(|(value, shift)| (value >> shift).to_string().into_bytes()),
        "[-0-9]{0,3}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..80),
        (0_usize..5000, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ];
    prop::collection::vec(text, 0..20)
}

proptest! {
    #[test]
    fn what_is_built_is_read_again(texts in texts(), valkey: bool) {
        let mut builder = Builder::new(if valkey { Backlen::Valkey9 } else { Backlen::Redis });
        for text in &texts {
            builder.push(text);
        }
        let blob = builder.finish();
        prop_assert_eq!(builder.len(), blob.len());
        prop_assert_eq!(verify(&blob), Ok(texts.len()));
        for (element, text) in elements(&blob).unwrap().into_iter().zip(&texts) {
            let mut buffer = itoa::Buffer::new();
            prop_assert_eq!(element.text(&mut buffer), text);
            prop_assert_eq!(element.len(), text.len());
        }
    }

    #[test]
    fn damage_is_an_error_or_a_value(texts in texts(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut builder = Builder::default();
        texts.iter().for_each(|text| builder.push(text));
        let mut blob = builder.finish();
        let at = at.index(blob.len());
        blob[at] = byte;
        crate::packed::attack::listpack(&blob);
        blob.truncate(cut.index(blob.len()));
        crate::packed::attack::listpack(&blob);
    }
}

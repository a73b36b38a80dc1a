#![expect(clippy::arithmetic_side_effects, reason = "numbers of the test's own")]

use super::*;
use proptest::prelude::*;

fn unpacked(input: &[u8], len: u64) -> Result<Vec<u8>, ErrorKind> {
    let mut out = b"kept".to_vec();
    let result = decompress(input, len, &mut out);
    assert!(out.starts_with(b"kept"));
    match result {
        Ok(()) => Ok(out.split_off(4)),
        Err(error) => {
            assert_eq!(out, b"kept");
            Err(error.kind)
        }
    }
}

/// The definition of the format, byte by byte.
fn reference_decoder(input: &[u8]) -> Option<Vec<u8>> {
    let mut input = input.iter().copied();
    let mut out = Vec::new();
    while let Some(control) = input.next() {
        if control < 32 {
            for _ in 0..=control {
                out.push(input.next()?);
            }
            continue;
        }
        let mut len = usize::from(control >> 5) + 2;
        if len == 9 {
            len += usize::from(input.next()?);
        }
        let back = usize::from(control & 31) * 256 + usize::from(input.next()?) + 1;
        for _ in 0..len {
            let from = out.len().checked_sub(back)?;
            out.push(out[from]);
        }
    }
    Some(out)
}

#[test]
fn a_string_that_a_server_compressed_is_unpacked() {
    let input = b"\x01\x61\x61\xe0\x57\x00\x01\x61\x61";
    assert_eq!(unpacked(input, 100).unwrap(), [b'a'; 100]);
    assert_eq!(reference_decoder(input).unwrap(), [b'a'; 100]);
}

#[test]
fn the_announced_length_must_be_met() {
    let input = b"\x01\x61\x61\xe0\x57\x00\x01\x61\x61";
    assert_eq!(unpacked(input, 101), Err(ErrorKind::TooShort));
    assert_eq!(unpacked(input, 99), Err(ErrorKind::TooLong));
    assert_eq!(unpacked(input, 97), Err(ErrorKind::TooLong));
    assert_eq!(unpacked(input, 88 * 9 + 1), Err(ErrorKind::ImpossibleLength));
    assert_eq!(unpacked(input, u64::MAX), Err(ErrorKind::ImpossibleLength));
    assert_eq!(unpacked(b"", 1), Err(ErrorKind::ImpossibleLength));
}

#[test]
fn length_zero_is_empty_whatever_the_input() {
    assert_eq!(unpacked(b"", 0), Ok(vec![]));
    assert_eq!(unpacked(b"\xff\xff", 0), Ok(vec![]));
}

#[test]
fn damage_is_named_with_its_place() {
    assert_eq!(unpacked(b"\x05abc", 6), Err(ErrorKind::Truncated));
    assert_eq!(unpacked(b"\x00a\x20", 4), Err(ErrorKind::Truncated));
    assert_eq!(unpacked(b"\x00a\xe0\x01", 11), Err(ErrorKind::Truncated));
    assert_eq!(unpacked(b"\x00a\x20\x01", 4), Err(ErrorKind::BadReference));
    assert_eq!(unpacked(b"\x20\x00", 3), Err(ErrorKind::BadReference));
    let error = decompress(b"\x00a\x20\x01", 4, &mut Vec::new()).unwrap_err();
    assert_eq!((error.offset, error.produced, error.code()), (2, 1, "lzf-bad-reference"));
}

#[test]
fn every_distance_and_length_of_a_reference_is_copied_byte_by_byte() {
    let text: Vec<u8> = (0..=255).collect();
    let step = if cfg!(miri) { 40 } else { 1 };
    for back in (1_usize..=70).step_by(step) {
        for len in (3_usize..=24).step_by(step).chain([63, 64, 65, 263, 264]) {
            for trailing in [0, 1, 15, 40] {
                let mut input = Vec::new();
                for run in text[..back].chunks(32) {
                    input.push(u8::try_from(run.len() - 1).unwrap());
                    input.extend_from_slice(run);
                }
                let low = u8::try_from(back - 1).unwrap();
                match len {
                    3..=8 => input.extend([u8::try_from(len - 2).unwrap() << 5, low]),
                    _ => input.extend([0xe0, u8::try_from(len - 9).unwrap(), low]),
                }
                for byte in 0..trailing {
                    input.extend([0, byte]);
                }
                let expected = reference_decoder(&input).unwrap();
                assert_eq!(unpacked(&input, expected.len() as u64).unwrap(), expected, "{back} {len} {trailing}");
            }
        }
    }
}

#[test]
fn a_prefix_stops_where_asked_and_where_the_data_ends() {
    let input = b"\x05abcdef\x80\x05\x00!";
    let whole = b"abcdefabcdef!";
    assert_eq!(unpacked(input, 13).unwrap(), whole);
    for want in 0..20 {
        let mut out = b"kept".to_vec();
        let there = decompress_prefix(input, want, &mut out).unwrap();
        assert_eq!(there, want.min(13));
        assert_eq!(out[4..], whole[..there]);
    }
    let mut out = Vec::new();
    assert_eq!(decompress_prefix(b"\x01ab\x20\xff", 2, &mut out), Ok(2));
    assert_eq!(decompress_prefix(b"\x01ab\x20\xff", 3, &mut out).unwrap_err().kind, ErrorKind::BadReference);
    assert_eq!(out, b"abab", "what came before the damage is there");
}

#[test]
fn a_string_that_saves_less_than_four_bytes_is_not_compressed() {
    let mut out = b"kept".to_vec();
    assert_eq!(compress(b"abcdefghijklmnopqrstuvwxyz", &mut out), None);
    assert_eq!(compress(b"", &mut out), None);
    assert_eq!(compress(b"aaaa", &mut out), None);
    assert_eq!(out, b"kept");
    assert!(compress(&[b'a'; 21], &mut out).unwrap() <= 17);
}

#[test]
fn a_table_is_used_again_without_seeing_earlier_inputs() {
    let mut compressor = Compressor::new();
    let text = b"one two three one two three one two three";
    for base in [1, 1000, u32::MAX - 100, u32::MAX - 41, u32::MAX - 40, u32::MAX] {
        compressor.base = base;
        for _ in 0..3 {
            let mut out = Vec::new();
            compressor.compress(text, &mut out).unwrap();
            assert_eq!(unpacked(&out, text.len() as u64).unwrap(), text);
        }
    }
}

#[test]
fn every_byte_changed_and_every_cut_is_survived() {
    let input = b"\x05abcdef\x80\x05\x01!!\xe0\x20\x00\x20\x01\x02xyz\xe0\xff\x09";
    let whole = reference_decoder(input).unwrap();
    assert_eq!(unpacked(input, whole.len() as u64).unwrap(), whole);
    for at in (0..input.len()).step_by(if cfg!(miri) { 11 } else { 1 }) {
        assert!(unpacked(&input[..at], whole.len() as u64).is_err());
        for byte in (0..=255).step_by(if cfg!(miri) { 255 } else { 1 }) {
            let mut changed = input.to_vec();
            changed[at] = byte;
            let expected = reference_decoder(&changed).filter(|text| text.len() == whole.len());
            assert_eq!(unpacked(&changed, whole.len() as u64).ok(), expected);
        }
    }
}

fn compressible() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        "[a-d]{1,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 1..60),
        (any::<u8>(), 1_usize..700).prop_map(|(byte, len)| vec![byte; len]),
    ];
    (prop::collection::vec(word, 1..12), prop::collection::vec(any::<prop::sample::Index>(), 0..200))
        .prop_map(|(words, picks)| picks.iter().flat_map(|pick| words[pick.index(words.len())].clone()).collect())
}

proptest! {
    #[test]
    #[cfg_attr(miri, ignore = "takes an interpreter too long")]
    fn what_is_compressed_is_unpacked(text in compressible()) {
        let mut out = Vec::new();
        if let Some(len) = compress(&text, &mut out) {
            prop_assert_eq!(len, out.len());
            prop_assert!(len + 4 <= text.len());
            prop_assert_eq!(&unpacked(&out, text.len() as u64).unwrap(), &text);
            prop_assert_eq!(&reference_decoder(&out).unwrap(), &text);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes an interpreter too long")]
    fn any_input_gives_what_the_definition_gives(input in prop::collection::vec(
        prop_oneof![3 => 0_u8..4, 2 => any::<u8>(), 2 => Just(0x20_u8), 1 => Just(0xe0_u8), 1 => Just(0_u8)], 0..60)) {
        let expected = reference_decoder(&input);
        if let Some(text) = &expected {
            prop_assert_eq!(&unpacked(&input, text.len() as u64).unwrap(), text);
            prop_assert!(text.is_empty() || unpacked(&input, text.len() as u64 + 1).is_err());
            prop_assert!(text.len() < 2 || unpacked(&input, text.len() as u64 - 1).is_err());
        } else {
            for len in 0..200 {
                prop_assert!(len == 0 || unpacked(&input, len).is_err());
            }
        }
    }

    #[test]
    fn any_bytes_hold_what_must_hold(input in prop::collection::vec(any::<u8>(), 0..300), len in 0_u8..40) {
        let input = [&[len, 0], input.as_slice()].concat();
        crate::packed::attack::lzf(&input);
    }
}

//! Bytes and numbers as JSON: never lossy, always valid.
//!
//! Bytes are a string when they are valid UTF-8, else `{"base64":"…"}`. Numbers that JSON cannot hold are the strings
//! `"inf"`, `"-inf"` and `"nan"`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::number::shortest_text;

/// Write bytes.
#[inline]
pub fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    out.push(b'"');
    if escape(bytes, out) || simdutf8::basic::from_utf8(bytes).is_ok() {
        out.push(b'"');
    } else {
        out.truncate(begin);
        base64_object(bytes, out);
    }
}

/// Write text as a string.
pub fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text.as_bytes(), out);
    out.push(b'"');
}

/// Write a number in the shortest form that reads back.
pub fn number(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        shortest_text(value, out);
    } else {
        out.extend_from_slice(match value {
            f64::INFINITY => b"\"inf\"",
            f64::NEG_INFINITY => b"\"-inf\"",
            _ => b"\"nan\"",
        });
    }
}

/// Write an integer, or `null`.
#[inline]
pub fn optional(value: Option<impl itoa::Integer>, out: &mut Vec<u8>) {
    match value {
        Some(value) => integer(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// Write a count or a length: mostly a small one, for which no table is worth its look-up.
#[inline]
pub fn natural(value: u64, out: &mut Vec<u8>) {
    let digit = |value: u64| b'0' | u8::try_from(value % 10).unwrap_or_default();
    match value {
        0..10 => out.push(digit(value)),
        10..100 => out.extend_from_slice(&[digit(value / 10), digit(value)]),
        100..1000 => out.extend_from_slice(&[digit(value / 100), digit(value / 10), digit(value)]),
        _ => integer(value, out),
    }
}

/// Write a stream id as a string.
pub fn stream_id(id: super::StreamId, out: &mut Vec<u8>) {
    out.push(b'"');
    integer(id.ms, out);
    out.push(b'-');
    integer(id.seq, out);
    out.push(b'"');
}

/// Write an integer.
#[inline]
pub fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[cold]
fn base64_object(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"base64\":\"");
    base64(bytes, out);
    out.extend_from_slice(b"\"}");
}

/// Write the base64 of bytes, without quotes.
pub fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let len = base64::encoded_len(bytes.len(), true).unwrap_or(0);
    out.resize(start.saturating_add(len), 0);
    let written = out.get_mut(start..).and_then(|room| STANDARD.encode_slice(bytes, room).ok());
    out.truncate(start.saturating_add(written.unwrap_or(0)));
}

/// Text is looked at in blocks of this size.
const BLOCK: usize = 32;
/// The low bit, the top bit, all other bits of each byte of a word.
const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = ONES << 7;
const LOWS: u64 = !TOPS;

/// Write the inside of a string. True when all of it is ASCII; else whoever calls has to know that it is UTF-8.
pub fn escape(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.reserve(text.len().saturating_add(2 * BLOCK));
    let (blocks, mut rest) = text.as_chunks::<BLOCK>();
    let mut seen = 0u64;
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        let (mut marks, mut any) = ([0u64; BLOCK / 8], 0u64);
        for (mark, word) in marks.iter_mut().zip(words) {
            let word = u64::from_le_bytes(*word);
            *mark = specials(word);
            any |= *mark;
            seen |= word;
        }
        if any == 0 { out.extend_from_slice(block) } else { escape_block(block, marks, out) }
    }
    while let Some((word, behind)) = rest.split_first_chunk::<8>() {
        let special = specials(u64::from_le_bytes(*word));
        seen |= u64::from_le_bytes(*word);
        let plain = usize::try_from(special.trailing_zeros() / 8).unwrap_or(8);
        let end = out.len().saturating_add(plain);
        out.extend_from_slice(word);
        match word.get(plain) {
            Some(&byte) => {
                out.truncate(end);
                escape_byte(byte, out);
                rest = rest.get(plain.saturating_add(1)..).unwrap_or_default();
            }
            None => rest = behind,
        }
    }
    for &byte in rest {
        seen |= u64::from(byte);
        escape_byte(byte, out);
    }
    seen & TOPS == 0
}

/// The top bit of each byte below 0x20, and of each quote and backslash.
#[inline]
fn specials(word: u64) -> u64 {
    let zero = |word: u64| !((word & LOWS).wrapping_add(LOWS) | word);
    let equal = |byte: u8| zero(word ^ ONES.wrapping_mul(u64::from(byte)));
    let control = !((word & LOWS).wrapping_add(ONES.wrapping_mul(0x60)) | word);
    (control | equal(b'"') | equal(b'\\')) & TOPS
}

/// A block with specials in it: from one to the next, eight bytes are copied at a time, and those too many overwritten.
fn escape_block(block: &[u8; BLOCK], marks: [u64; BLOCK / 8], out: &mut Vec<u8>) {
    let mut room = [0u8; 2 * BLOCK + 8];
    let mut len = 0usize;
    let (words, _) = block.as_chunks::<8>();
    for (mut mark, word) in marks.into_iter().zip(words) {
        let mut left = u64::from_le_bytes(*word);
        let mut done = 0u32;
        while mark != 0 {
            let plain = (mark.trailing_zeros() / 8).saturating_sub(done);
            put(&mut room, &mut len, left.to_le_bytes(), plain);
            let special = left.checked_shr(plain.wrapping_mul(8)).unwrap_or(0).to_le_bytes()[0];
            let short = SHORT.get(usize::from(special)).copied().unwrap_or_default();
            if short == 0 {
                // Rare: a control byte that has no short form.
                return block.iter().for_each(|&byte| escape_byte(byte, out));
            }
            put(&mut room, &mut len, [b'\\', short], 2);
            done = done.wrapping_add(plain).wrapping_add(1);
            left = u64::from_le_bytes(*word).checked_shr(done.wrapping_mul(8)).unwrap_or(0);
            mark &= mark.wrapping_sub(1);
        }
        put(&mut room, &mut len, left.to_le_bytes(), 8u32.saturating_sub(done));
    }
    let end = out.len().saturating_add(len);
    out.extend_from_slice(&room);
    out.truncate(end);
}

/// Copy `N` bytes, of which `len` count.
#[inline]
fn put<const N: usize>(room: &mut [u8; 2 * BLOCK + 8], at: &mut usize, bytes: [u8; N], len: u32) {
    if let Some(place) = room.get_mut(*at..).and_then(|rest| rest.first_chunk_mut::<N>()) {
        *place = bytes;
    }
    *at = at.wrapping_add(usize::try_from(len).unwrap_or(0));
}

/// What stands behind the backslash; 0 for a byte that has no short form.
const SHORT: [u8; 256] = {
    let mut table = [0; 256];
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[0x22] = b'"';
    table[0x5c] = b'\\';
    table
};

#[inline]
fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    match SHORT.get(usize::from(byte)) {
        Some(0) | None if byte >= 0x20 => out.push(byte),
        Some(0) | None => {
            out.extend_from_slice(b"\\u00");
            out.extend([byte >> 4, byte & 15].map(|digit| if digit < 10 { b'0' | digit } else { b'a' - 10 + digit }));
        }
        Some(&short) => out.extend_from_slice(&[b'\\', short]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: &[u8]) -> String {
        let mut out = Vec::new();
        bytes(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn bytes_that_are_no_text_are_base64() {
        assert_eq!(written(b"a\"b\\\n\x01"), r#""a\"b\\\n\u0001""#);
        assert_eq!(written(b"\xff\x00"), r#"{"base64":"/wA="}"#);
    }

    #[test]
    fn numbers_that_json_lacks_are_strings() {
        let text = |value| {
            let mut out = Vec::new();
            number(value, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(0.1), "0.1");
        assert_eq!([f64::NAN, f64::INFINITY, -f64::INFINITY].map(text), ["\"nan\"", "\"inf\"", "\"-inf\""]);
    }

    #[test]
    fn naturals_of_every_width_are_decimal() {
        for value in [0, 7, 10, 99, 100, 109, 999, 1000, u64::MAX] {
            let mut out = Vec::new();
            natural(value, &mut out);
            assert_eq!(out, value.to_string().as_bytes());
        }
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in "[\\x00-\\x7f\"\\\\é🦀]{0,120}") {
            prop_assert_eq!(serde_json::from_str::<String>(&written(text.as_bytes())).unwrap(), text);
        }

        #[test]
        fn every_finite_number_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let mut out = Vec::new();
            number(value, &mut out);
            serde_json::from_slice::<serde_json::Number>(&out).unwrap();
            let read: f64 = std::str::from_utf8(&out).unwrap().parse().unwrap();
            prop_assert_eq!(read.to_bits(), value.to_bits());
        }
    }
}

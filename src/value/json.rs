//! Bytes and numbers as JSON: never lossy, always valid.
//!
//! Bytes are a string when they are valid UTF-8, else `{"base64":"…"}`. Numbers that JSON cannot hold are the strings
//! `"inf"`, `"-inf"` and `"nan"`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::number::shortest_text;

/// Write bytes.
pub fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => string(text, out),
        Err(_) => base64_object(bytes, out),
    }
}

/// Write text as a string.
pub fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let plain = plain_prefix(rest);
        let (head, tail) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        out.extend_from_slice(head);
        let Some((&special, tail)) = tail.split_first() else { break };
        escape(special, out);
        rest = tail;
    }
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

/// Write an integer.
pub fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn base64_object(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"base64\":\"");
    let start = out.len();
    let len = base64::encoded_len(bytes.len(), true).unwrap_or(0);
    out.resize(start.saturating_add(len), 0);
    let written = out.get_mut(start..).and_then(|room| STANDARD.encode_slice(bytes, room).ok());
    out.truncate(start.saturating_add(written.unwrap_or(0)));
    out.extend_from_slice(b"\"}");
}

/// How many bytes stand before the first that must be escaped. Eight at a time: most text has none.
fn plain_prefix(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut plain = 0usize;
    for word in words {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return plain.saturating_add(usize::try_from(special.trailing_zeros() / 8).unwrap_or(0));
        }
        plain = plain.saturating_add(8);
    }
    plain.saturating_add(rest.iter().position(|&b| must_escape(b)).unwrap_or(rest.len()))
}

/// The top bit of each byte below 0x20, and of each quote and backslash. Bytes above the lowest one found may be
/// wrong: a borrow runs upwards.
fn specials(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES.wrapping_mul(limit)) & !word;
    let equal = |byte: u8| below(word ^ ONES.wrapping_mul(u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & TOPS
}

fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cold]
fn escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend([byte >> 4, byte & 15].map(|digit| if digit < 10 { b'0' | digit } else { b'a' - 10 + digit }));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
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

    proptest! {
        #[test]
        fn every_text_reads_back(text in "[\\x00-\\x7fé🦀]{0,40}") {
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

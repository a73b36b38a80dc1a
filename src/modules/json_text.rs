//! JSON text from a file: looked at before it is passed on, so that what we write is valid whatever was stored.
//!
//! Source: RFC 8259.

use crate::bytes::Cursor;
use crate::value::Blob;

/// Valid JSON text.
#[derive(Debug, Clone)]
pub struct JsonText<'a>(Blob<'a>);

impl<'a> JsonText<'a> {
    /// The text, if it is one JSON value that nests no deeper than `depth`.
    #[must_use]
    pub fn new(text: Blob<'a>, depth: u32) -> Option<Self> {
        simdutf8::basic::from_utf8(&text).ok()?;
        let mut c = Cursor::new(&text);
        value(&mut c, depth)?;
        skip_space(&mut c);
        let whole = c.is_empty();
        whole.then_some(Self(text))
    }

    /// The text as it is stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Write it on one line. Inside strings JSON has no line breaks, so those that there are can go.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for line in self.0.split(|b| matches!(b, b'\n' | b'\r')) {
            out.extend_from_slice(line);
        }
    }
}

fn skip_space(c: &mut Cursor<'_>) {
    while matches!(c.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        let _ = c.u8();
    }
}

fn token(c: &mut Cursor<'_>, byte: u8) -> Option<()> {
    skip_space(c);
    (c.u8().ok()? == byte).then_some(())
}

fn value(c: &mut Cursor<'_>, depth: u32) -> Option<()> {
    skip_space(c);
    match c.peek()? {
        b'{' => members(c, b'}', depth.checked_sub(1)?, |c, depth| {
            string(c)?;
            token(c, b':')?;
            value(c, depth)
        }),
        b'[' => members(c, b']', depth.checked_sub(1)?, value),
        b'"' => string(c),
        b'n' => word(c, b"null"),
        b't' => word(c, b"true"),
        b'f' => word(c, b"false"),
        _ => number(c),
    }
}

fn members(
    c: &mut Cursor<'_>,
    close: u8,
    depth: u32,
    mut each: impl FnMut(&mut Cursor<'_>, u32) -> Option<()>,
) -> Option<()> {
    c.u8().ok()?;
    skip_space(c);
    if c.peek()? == close {
        return c.u8().ok().map(drop);
    }
    loop {
        skip_space(c);
        each(c, depth)?;
        skip_space(c);
        match c.u8().ok()? {
            b',' => {}
            byte => return (byte == close).then_some(()),
        }
    }
}

fn word(c: &mut Cursor<'_>, word: &[u8]) -> Option<()> {
    (c.take(word.len() as u64).ok()? == word).then_some(())
}

fn string(c: &mut Cursor<'_>) -> Option<()> {
    token(c, b'"')?;
    loop {
        match c.u8().ok()? {
            b'"' => return Some(()),
            b'\\' => match c.u8().ok()? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                b'u' => c.array::<4>().ok()?.iter().all(u8::is_ascii_hexdigit).then_some(())?,
                _ => return None,
            },
            0x00..0x20 => return None,
            _ => {}
        }
    }
}

fn number(c: &mut Cursor<'_>) -> Option<()> {
    if c.peek()? == b'-' {
        c.u8().ok()?;
    }
    if c.peek()? == b'0' {
        c.u8().ok()?;
    } else {
        digits(c)?;
    }
    if c.peek() == Some(b'.') {
        c.u8().ok()?;
        digits(c)?;
    }
    if matches!(c.peek(), Some(b'e' | b'E')) {
        c.u8().ok()?;
        if matches!(c.peek(), Some(b'+' | b'-')) {
            c.u8().ok()?;
        }
        digits(c)?;
    }
    Some(())
}

fn digits(c: &mut Cursor<'_>) -> Option<()> {
    c.u8().ok()?.is_ascii_digit().then_some(())?;
    while c.peek().is_some_and(|b| b.is_ascii_digit()) {
        c.u8().ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn valid(text: &[u8]) -> bool {
        JsonText::new(Blob::borrowed(text), 100).is_some()
    }

    #[test]
    fn text_that_is_not_json_is_refused() {
        let good: [&[u8]; 8] =
            [b"null", b" {} ", b"[[],{\"a\":[1,-0.5e+3]}]", b"\"\\u00e9\\n\"", b"0", b"-1", b"true", b"1E5"];
        assert!(good.iter().all(|text| valid(text)));
        let bad: [&[u8]; 16] = [
            b"", b"{", b"[1,]", b"{\"a\"}", b"{a:1}", b"01", b"1.", b"-", b"+1", b"1e", b"nul", b"\"\n\"", b"\"\\x\"",
            b"\xff", b"1 2", b"NaN",
        ];
        for text in bad {
            assert!(!valid(text), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n| [vec![b'['; n], vec![b']'; n]].concat();
        assert!(valid(&nested(100)));
        assert!(!valid(&nested(101)));
        assert!(!valid(&vec![b'['; 1 << 20]));
    }

    #[test]
    fn line_breaks_between_tokens_go() {
        let mut out = Vec::new();
        JsonText::new(Blob::borrowed(b"{\r\n \"a\":\n1}"), 9).unwrap().write(&mut out);
        assert_eq!(out, b"{ \"a\":1}");
    }

    const TOKENS: [&str; 19] = [
        "[", "]", "{", "}", "\"", "\"a\":", ",", ":", "0", "1", "-", "1e-", "2.", ".5", "null", "\\u00e9", "\\", " ",
        "\n",
    ];

    proptest! {
        #[test]
        fn validity_is_that_of_another_parser(tokens in prop::collection::vec(prop::sample::select(&TOKENS), 0..9)) {
            let text = tokens.concat();
            prop_assert_eq!(valid(text.as_bytes()), serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }
}

//! Bytes for a person: nothing that is shown can drive a terminal or be mistaken for something else.
//!
//! | bytes | shown as |
//! | --- | --- |
//! | backslash | `\\` |
//! | tab, line feed, carriage return | `\t` `\n` `\r` |
//! | other control bytes, bytes that are not UTF-8 | `\x1b` |
//! | control characters above ASCII, marks that change the direction of writing or take no room | `\u{202e}` |
//! | everything else | as it is |

use std::path::Path;

/// Append bytes.
pub(crate) fn push(bytes: &[u8], out: &mut Vec<u8>) {
    // Without an early exit, so that it is done many bytes at a time.
    let special = bytes.iter().fold(false, |any, &byte| any | !matches!(byte, b' '..=b'~') | (byte == b'\\'));
    if !special {
        return out.extend_from_slice(bytes);
    }
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push_char(c, out));
        chunk.invalid().iter().for_each(|&byte| push_byte(byte, out));
    }
}

/// Bytes as text.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    push(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// A sentence in which bytes of a file are escaped already: its backslashes stay as they are.
pub(crate) fn sentence(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    for (i, piece) in text.split('\\').enumerate() {
        if i > 0 {
            out.push(b'\\');
        }
        push(piece.as_bytes(), &mut out);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// A path.
pub(crate) fn path(path: &Path) -> String {
    text(path.as_os_str().as_encoded_bytes())
}

fn push_char(c: char, out: &mut Vec<u8>) {
    match c {
        '\\' => out.extend_from_slice(b"\\\\"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\0'..='\x7f' if c.is_ascii_control() => push_byte(u8::try_from(c).unwrap_or_default(), out),
        c if is_unseen(c) => out.extend_from_slice(c.escape_unicode().to_string().as_bytes()),
        c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn push_byte(byte: u8, out: &mut Vec<u8>) {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).map_or(b'?', |c| u8::try_from(c).unwrap_or(b'?'));
    out.extend_from_slice(&[b'\\', b'x', digit(byte >> 4), digit(byte & 0xf)]);
}

/// Control characters of the second block, and characters that change how others are shown.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_can_drive_a_terminal() {
        for (bytes, shown) in [
            (&b"user:1"[..], "user:1"),
            (b"a\tb\nc\\", "a\\tb\\nc\\\\"),
            (b"\x1b[2J\x00\x7f", "\\x1b[2J\\x00\\x7f"),
            (b"\xff\xc3", "\\xff\\xc3"),
            ("käse ☃ \u{9b}31m\u{202e}".as_bytes(), "käse ☃ \\u{9b}31m\\u{202e}"),
        ] {
            assert_eq!(text(bytes), shown);
        }
    }

    #[test]
    fn a_sentence_keeps_the_escapes_it_has() {
        assert_eq!(sentence("ends in \\r\\n, not \x1b"), "ends in \\r\\n, not \\x1b");
    }

    #[test]
    fn every_byte_is_shown_in_printable_characters() {
        let all: Vec<u8> = (0..=255).collect();
        assert!(text(&all).chars().all(|c| !c.is_control()));
    }
}

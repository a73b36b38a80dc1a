//! The words of a command: `*N`, then `$length` and bytes for each.

use crate::scan::Pen;
use crate::value::json;

/// Whole commands.
pub(super) trait Words {
    /// A command of these words.
    fn words(&mut self, words: &[&[u8]]);
}

impl Words for Vec<u8> {
    fn words(&mut self, words: &[&[u8]]) {
        count(words.len(), self);
        words.iter().for_each(|text| word(text, self));
    }
}

/// How many words follow.
#[inline]
pub(super) fn count(words: usize, out: &mut Vec<u8>) {
    out.push(b'*');
    json::natural(words as u64, out);
    out.extend_from_slice(b"\r\n");
}

fn length(len: usize, out: &mut Vec<u8>) {
    out.push(b'$');
    json::natural(len as u64, out);
    out.extend_from_slice(b"\r\n");
}

/// One word.
#[inline]
pub(super) fn word(text: &[u8], out: &mut Vec<u8>) {
    length(text.len(), out);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

/// One word that may be long.
pub(super) fn long_word(text: &[u8], pen: &mut Pen<'_>) {
    length(text.len(), pen.bytes());
    pen.raw(text);
    pen.bytes().extend_from_slice(b"\r\n");
}

/// An integer as a word.
pub(super) fn integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    word(itoa::Buffer::new().format(value).as_bytes(), out);
}

/// A score as a word: text that every server reads back as the same double.
pub(super) fn score(value: f64, out: &mut Vec<u8>) {
    let mut text = Vec::with_capacity(24);
    match value {
        f64::INFINITY => text.extend_from_slice(b"inf"),
        f64::NEG_INFINITY => text.extend_from_slice(b"-inf"),
        value => crate::value::number::shortest_text(value, &mut text),
    }
    word(&text, out);
}

//! Words of commands that are written in a way of their own.

use crate::aof::rewrite::Log;
use crate::aof::writer::{encode, length, word};
use crate::scan::Pen;

impl Log for Pen<'_> {
    fn command(&mut self, words: &[&[u8]]) {
        encode(words, self.bytes());
        self.breathe();
    }
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

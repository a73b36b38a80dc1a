//! Collections: the elements of a command are gathered, because their number stands before them.

use super::BATCH;
use super::words::{count, word};
use crate::scan::Pen;

/// The elements of one command.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    /// Verb and key, as words.
    head: Vec<u8>,
    args: Vec<u8>,
    elements: usize,
    /// Words per element.
    width: usize,
}

impl Batch {
    /// The next commands have this verb and key.
    pub(super) fn begin(&mut self, verb: &[u8], key: &[u8]) {
        self.head.clear();
        word(verb, &mut self.head);
        word(key, &mut self.head);
        self.width = if matches!(verb, b"ZADD" | b"HMSET") { 2 } else { 1 };
        self.args.clear();
        self.elements = 0;
    }

    /// One element more.
    #[inline]
    pub(super) fn add(&mut self, pen: &mut Pen<'_>, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.args);
        self.elements = self.elements.saturating_add(1);
        if self.elements == BATCH {
            self.flush(pen.bytes());
        }
    }

    /// Write the command, if it has elements.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        if self.elements > 0 {
            count(self.elements.saturating_mul(self.width).saturating_add(2), out);
            out.extend_from_slice(&self.head);
            out.extend_from_slice(&self.args);
        }
        self.clear();
    }

    /// Forget the elements of the command.
    pub(super) fn clear(&mut self) {
        self.args.clear();
        self.elements = 0;
    }
}

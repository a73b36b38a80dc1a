//! What a replay has to say beside the keyspace.

use super::load::Error;
use super::refusal::Refusal;
use crate::keyspace::Map;
use crate::value::Blob;

/// How many of a kind are kept; the rest are counted.
const KEPT: usize = 1000;

/// Where a command lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The part of the log, counted from 0 in the order they are replayed.
    pub part: u32,
    /// Where the command begins in that part.
    pub offset: u64,
    /// Where it ends.
    pub end: u64,
}

/// A command with something to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted<T> {
    /// Where it lies.
    pub place: Place,
    /// Its first word.
    pub argv0: Box<[u8]>,
    /// What there is to say.
    pub why: T,
}

/// Notes, of which the first are kept and all are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notes<T> {
    /// The first of them.
    pub first: Vec<Noted<T>>,
    /// All of them.
    pub total: u64,
}

impl<T> Default for Notes<T> {
    fn default() -> Self {
        Self { first: Vec::new(), total: 0 }
    }
}

/// What a replay met.
#[derive(Clone, Debug, Default)]
pub struct Report<'a> {
    /// Commands read, transactions' brackets and `SELECT`s included.
    pub commands: u64,
    /// Commands that were not executed.
    pub skipped: Notes<Refusal>,
    /// How many of those a server would have executed: what follows them may be wrong.
    pub lost: u64,
    /// Those of them that no server writes: brackets of transactions where they do not belong, a wrong number of words.
    pub unsound: Notes<Refusal>,
    /// Commands that were executed, though a server may have done it another way.
    pub remarks: Notes<&'static str>,
    /// Commands that change no data and are not expected in a log.
    pub without_effect: u64,
    /// Messages by channel.
    pub channels: Map<'a, u64>,
    /// What is wrong with a file that could be read to its end all the same: the part, and the first thing.
    pub flaw: Option<(u32, Error)>,
}

impl<T> Notes<T> {
    fn add(&mut self, place: Place, argv0: &[u8], why: T) {
        self.total = self.total.saturating_add(1);
        if self.first.len() < KEPT {
            let argv0 = argv0.get(..argv0.len().min(64)).unwrap_or_default().into();
            self.first.push(Noted { place, argv0, why });
        }
    }
}

impl<'a> Report<'a> {
    #[cold]
    pub(super) fn skip(&mut self, place: Place, argv0: &[u8], why: Refusal) {
        self.lost = self.lost.saturating_add(u64::from(why.loses_state()));
        if matches!(why, Refusal::Misplaced(_) | Refusal::Arity) {
            self.unsound.add(place, argv0, why);
        }
        self.skipped.add(place, argv0, why);
    }

    #[cold]
    pub(super) fn remark(&mut self, place: Place, argv0: &[u8], what: &'static str) {
        self.remarks.add(place, argv0, what);
    }

    pub(super) fn publish(&mut self, channel: &'a [u8]) {
        match self.channels.get_mut(channel) {
            Some(count) => *count = count.saturating_add(1),
            None => drop(self.channels.insert(Blob::near(channel), 1)),
        }
    }
}

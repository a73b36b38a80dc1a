//! What differs within two values of the same type.

use std::iter::Peekable;

use super::list::hunks;
use super::meaning::{FieldValue, Meaning, Score};
use super::stream;
use crate::value::{Blob, StreamId, UnixMillis};

/// How much of a string is shown from the first byte that differs on.
const EXCERPT: usize = 80;

/// What happened to a key, or to a part of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Only the second input has it.
    Added,
    /// Only the first input has it.
    Removed,
    /// Both have it, with a difference.
    Changed,
}

impl Change {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A part of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'m> {
    /// Bytes of a string from an offset on.
    Offset(usize),
    /// A position of a list: in the first input for what was removed, in the second for what was added.
    Index(usize),
    /// A member of a set or sorted set, an element of a vector set.
    Member(&'m [u8]),
    /// A field of a hash.
    Field(&'m [u8]),
    /// An entry of a stream.
    Entry(StreamId),
    /// A consumer group.
    Group(&'m [u8]),
    /// Something about a consumer group.
    GroupProperty(&'m [u8], &'static str),
    /// An entry that a consumer group has not acknowledged.
    Pending(&'m [u8], StreamId),
    /// A consumer of a group.
    Consumer(&'m [u8], &'m [u8]),
    /// A slot of an array.
    Slot(u64),
    /// Something about the whole.
    Property(&'static str),
}

/// What a part is on one side.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown<'m> {
    /// Bytes.
    Bytes(&'m [u8]),
    /// A field's value, and when it expires.
    Field(&'m [u8], Option<UnixMillis>),
    /// When a member expires.
    Expiry(Option<UnixMillis>),
    /// A score.
    Score(f64),
    /// Fields and values of an entry.
    Entry(&'m [Blob<'m>]),
    /// Anything else, as JSON.
    Json(Vec<u8>),
}

/// A difference within a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Inside<'m> {
    /// What differs.
    pub part: Part<'m>,
    /// How.
    pub change: Change,
    /// What the first input has.
    pub a: Option<Shown<'m>>,
    /// What the second input has.
    pub b: Option<Shown<'m>>,
}

/// What was found within a value.
#[derive(Debug, Default)]
pub struct Found<'m> {
    /// The first differences.
    pub listed: Vec<Inside<'m>>,
    /// How many more there are.
    pub more: u64,
    max: usize,
}

impl<'m> Found<'m> {
    /// Note a difference, if it is one; it is made only when it is listed.
    pub(super) fn note(
        &mut self,
        part: Part<'m>,
        a: Option<impl FnOnce() -> Shown<'m>>,
        b: Option<impl FnOnce() -> Shown<'m>>,
    ) {
        if self.listed.len() >= self.max {
            self.more = self.more.saturating_add(1);
            return;
        }
        let change = match (&a, &b) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            _ => Change::Changed,
        };
        self.listed.push(Inside { part, change, a: a.map(|make| make()), b: b.map(|make| make()) });
    }

    pub(super) fn join<K: Ord + 'm, V: PartialEq + 'm>(
        &mut self,
        a: impl Iterator<Item = (&'m K, &'m V)>,
        b: impl Iterator<Item = (&'m K, &'m V)>,
        part: impl Fn(&'m K) -> Part<'m>,
        show: impl Fn(&'m V) -> Shown<'m>,
    ) {
        for (key, a, b) in (Join { a: a.peekable(), b: b.peekable() }) {
            if a != b {
                self.note(part(key), a.map(|value| || show(value)), b.map(|value| || show(value)));
            }
        }
    }
}

/// Two ascending sequences side by side.
pub(super) struct Join<A: Iterator, B: Iterator> {
    pub(super) a: Peekable<A>,
    pub(super) b: Peekable<B>,
}

impl<'m, K: Ord + 'm, V: 'm, A, B> Iterator for Join<A, B>
where
    A: Iterator<Item = (&'m K, &'m V)>,
    B: Iterator<Item = (&'m K, &'m V)>,
{
    type Item = (&'m K, Option<&'m V>, Option<&'m V>);

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.a.peek(), self.b.peek()) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, _) => std::cmp::Ordering::Greater,
        };
        let a = if order.is_le() { self.a.next() } else { None };
        let b = if order.is_ge() { self.b.next() } else { None };
        let (key, _) = a.or(b)?;
        Some((key, a.map(|(_, value)| value), b.map(|(_, value)| value)))
    }
}

fn pairs<K, V>(items: &[(K, V)]) -> impl Iterator<Item = (&K, &V)> {
    items.iter().map(|(key, value)| (key, value))
}

/// What differs within two values; of different types, nothing.
#[must_use]
pub fn differences<'m>(a: &'m Meaning<'m>, b: &'m Meaning<'m>, max: usize) -> Found<'m> {
    let mut found = Found { max, ..Found::default() };
    match (a, b) {
        (Meaning::String(a), Meaning::String(b)) => string(a, b, &mut found),
        (Meaning::List(a), Meaning::List(b)) => list(a, b, &mut found),
        (Meaning::Set(a), Meaning::Set(b)) => {
            found.join(pairs(a), pairs(b), |key| Part::Member(key), |expiry| Shown::Expiry(*expiry));
        }
        (Meaning::Hash(a), Meaning::Hash(b)) => {
            let show = |field: &'m FieldValue<'m>| Shown::Field(&field.value, field.expiry);
            found.join(pairs(a), pairs(b), |key| Part::Field(key), show);
        }
        (Meaning::Zset(a), Meaning::Zset(b)) => {
            found.join(pairs(a), pairs(b), |key| Part::Member(key), |score: &Score| Shown::Score(score.0));
        }
        (Meaning::Array(a), Meaning::Array(b)) => {
            found.join(pairs(a), pairs(b), |at| Part::Slot(*at), |value| Shown::Bytes(value));
        }
        (Meaning::Stream(a), Meaning::Stream(b)) => stream::differences(a, b, &mut found),
        (Meaning::VectorSet(a_head, a), Meaning::VectorSet(b_head, b)) => {
            if a_head != b_head {
                let show = |head: &'m Vec<u8>| move || Shown::Json(head.clone());
                found.note(Part::Property("settings"), Some(show(a_head)), Some(show(b_head)));
            }
            found.join(pairs(a), pairs(b), |key| Part::Member(key), |json: &Vec<u8>| Shown::Json(json.clone()));
        }
        _ => {}
    }
    found
}

fn string<'m>(a: &'m [u8], b: &'m [u8], found: &mut Found<'m>) {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    // Begin where a character of UTF-8 does.
    let back = a.get(..same).unwrap_or_default().iter().rev().take(3).take_while(|&&byte| is_inner(byte)).count();
    let inner = [a, b].iter().any(|text| text.get(same).is_some_and(|&byte| is_inner(byte)));
    let start = if inner { same.saturating_sub(back.saturating_add(1)) } else { same };
    found.note(Part::Offset(start), Some(|| Shown::Bytes(excerpt(a, start))), Some(|| Shown::Bytes(excerpt(b, start))));
}

/// A byte of a character of UTF-8 but its first.
fn is_inner(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn excerpt(text: &[u8], start: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    let Some(cut) = rest.get(..EXCERPT) else { return rest };
    match std::str::from_utf8(cut) {
        Err(error) if error.error_len().is_none() => cut.get(..error.valid_up_to()).unwrap_or(cut),
        _ => cut,
    }
}

fn list<'m>(a: &'m [Blob<'m>], b: &'m [Blob<'m>], found: &mut Found<'m>) {
    for hunk in hunks(a, b) {
        let absent = || None::<fn() -> Shown<'m>>;
        for at in hunk.removed {
            found.note(Part::Index(at), a.get(at).map(|item| || Shown::Bytes(item)), absent());
        }
        for at in hunk.added {
            found.note(Part::Index(at), absent(), b.get(at).map(|item| || Shown::Bytes(item)));
        }
    }
}

//! Memory fetched ahead of its use.
//!
//! Applying a log is bound by cache misses: the index, the entry, the collection's head and its last element lie
//! in four different places. A processor waits for several of them at once when nothing it does next depends on
//! the first; so, for a batch of commands, each step is done for all of them before the next step for any. What is
//! read is thrown away, and wrong guesses do no harm.

use super::db::{Db, Slot};
use super::value::Value;
use std::hint::black_box;

/// How many commands are looked ahead for.
pub(crate) const BATCH: usize = 32;

impl Db<'_> {
    /// Fetch what commands on these keys and members will need.
    pub(crate) fn warm(&self, batch: &[(&[u8], &[u8])]) {
        let mut slots: [Option<Slot>; BATCH] = [None; BATCH];
        for (slot, (key, _)) in slots.iter_mut().zip(batch) {
            *slot = self.glance(key);
        }
        let value = |slot: &Option<Slot>| slot.and_then(|slot| self.at(slot)).map(|entry| &entry.value);
        let kinds = slots.iter().filter(|slot| value(slot).is_some_and(|value| matches!(value, Value::String(_))));
        black_box(kinds.count());
        black_box(slots.iter().filter_map(value).map(head).fold(0, usize::wrapping_add));
        let members = slots.iter().zip(batch).filter_map(|(slot, (_, member))| Some((value(slot)?, *member)));
        black_box(members.map(|(value, member)| within(value, member)).fold(0, usize::wrapping_add));
    }
}

/// Touch the head of a collection.
#[inline]
fn head(value: &Value<'_>) -> usize {
    match value {
        Value::List(list) => list.0.len(),
        Value::Set(set) => set.0.len(),
        Value::Hash(hash) => hash.len(),
        Value::Zset(zset) => zset.len(),
        Value::Buffer(buffer) => buffer.0.len(),
        Value::String(_) | Value::Stream(_) | Value::Vectors(_) | Value::Stored(_) => 0,
    }
}

/// Touch the element of a collection that a command is likely to be about.
#[inline]
fn within(value: &Value<'_>, member: &[u8]) -> usize {
    match value {
        Value::List(list) => list.0.back().map_or(0, |last| usize::from(last.is_inline())),
        Value::Set(set) => set.0.find(member).unwrap_or(0),
        Value::Zset(zset) => usize::from(zset.score(member).is_some()),
        Value::Hash(hash) => usize::from(hash.contains(member)),
        _ => 0,
    }
}

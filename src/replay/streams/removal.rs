//! Taking entries out: trimming, deleting, and what becomes of groups that still refer to them.

use super::ids::strict;
use crate::keyspace::Stream;
use crate::replay::args::{Words, count, is};
use crate::replay::{Refusal, State};
use crate::value::StreamId;
use std::ops::Bound;

/// What becomes of pending entries that refer to a removed one (Redis 8.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum References {
    /// They stay: the only way before 8.2.
    #[default]
    Keep,
    /// They go too.
    Delete,
    /// An entry is removed only when every group has read and acknowledged it.
    Acknowledged,
}

impl References {
    pub(super) fn named(word: &[u8]) -> Option<Self> {
        let known = [("KEEPREF", Self::Keep), ("DELREF", Self::Delete), ("ACKED", Self::Acknowledged)];
        known.into_iter().find(|(name, _)| is(word, name)).map(|(_, how)| how)
    }
}

/// Remove an entry; true when it was there and may go.
fn delete(stream: &mut Stream<'_>, id: StreamId, references: References) -> bool {
    match references {
        References::Acknowledged if is_referenced(stream, id) => return false,
        References::Delete => forget(stream, id),
        _ => {}
    }
    stream.entries.remove(&id).is_some()
}

/// Remove an entry that a command names.
pub(super) fn delete_by_name(stream: &mut Stream<'_>, id: StreamId, references: References) {
    if delete(stream, id, references) {
        stream.max_deleted_id = stream.max_deleted_id.max(id);
    }
}

/// Has some group not read it yet, or not acknowledged it?
fn is_referenced(stream: &Stream<'_>, id: StreamId) -> bool {
    stream.groups.iter().any(|(_, group)| group.last_delivered < id || group.pending.contains_key(&id))
}

/// Take an id from the pending entries of every group.
fn forget(stream: &mut Stream<'_>, id: StreamId) {
    for position in 0..stream.groups.len() {
        if let Some(group) = stream.groups.at_mut(position) {
            group.pending.remove(&id);
        }
    }
}

/// What a stream is trimmed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Threshold {
    /// This many entries.
    Length(usize),
    /// Ids from this one on.
    Id(StreamId),
}

/// `MAXLEN|MINID [=|~] threshold`, `LIMIT n`, `KEEPREF|DELREF|ACKED`, in any order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trim {
    threshold: Option<Threshold>,
    approximate: bool,
    limited: bool,
    references: References,
}

impl Trim {
    /// Take an option with its operands; false for other words.
    pub(super) fn option(&mut self, option: &[u8], words: &mut Words<'_, '_>) -> Result<bool, Refusal> {
        match option {
            _ if is(option, "MAXLEN") => {
                let threshold = Threshold::Length(count(self.operand(words)?)?);
                self.set(threshold)?;
            }
            _ if is(option, "MINID") => {
                let threshold = Threshold::Id(strict(self.operand(words)?)?);
                self.set(threshold)?;
            }
            // Logs of `~` trims keep their limit beside the `=` they are rewritten to, where it means nothing.
            _ if is(option, "LIMIT") => {
                count(words.need()?)?;
                self.limited = true;
            }
            _ => match References::named(option) {
                Some(references) => self.references = references,
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn operand<'a>(&mut self, words: &mut Words<'_, 'a>) -> Result<&'a [u8], Refusal> {
        self.approximate = words.next_is("~");
        if !self.approximate {
            words.next_is("=");
        }
        words.need()
    }

    fn set(&mut self, threshold: Threshold) -> Result<(), Refusal> {
        match self.threshold.replace(threshold) {
            Some(other) if std::mem::discriminant(&other) != std::mem::discriminant(&threshold) => {
                Err(Refusal::Invalid("MAXLEN and MINID exclude each other"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check(&self, required: bool) -> Result<(), Refusal> {
        if self.threshold.is_none() && (required || self.limited) {
            return Err(Refusal::Invalid("neither MAXLEN nor MINID is given"));
        }
        Ok(())
    }

    /// Trim. Up to where an approximate trim goes depends on how a server packs entries, so it is left out.
    pub(super) fn apply(&self, stream: &mut Stream<'_>) {
        let (mut excess, end) = match self.threshold {
            Some(Threshold::Length(wanted)) => (stream.len().saturating_sub(wanted), Bound::Unbounded),
            Some(Threshold::Id(id)) => (usize::MAX, Bound::Excluded(id)),
            None => return,
        };
        let mut start = Bound::Unbounded;
        while excess > 0 && !self.approximate {
            let Some((&id, _)) = stream.entries.range((start, end)).next() else { break };
            if delete(stream, id, self.references) {
                excess = excess.saturating_sub(1);
            }
            start = Bound::Excluded(id);
        }
    }

    pub(super) fn remark(&self, state: &mut State<'_>) {
        if self.approximate {
            state.remark("an approximate trim was left out: a server may have fewer entries");
        }
    }
}

//! Do both sides of a conversation hold the same messages?
//!
//! For each pair of users, the fingerprints of messages in the sender's history are added and those in the
//! recipient's are taken away. What does not end at zero is looked at once more, message by message.

use super::{Findings, Horizons, described};
use crate::chat::view::{View, fingerprint};
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_64;

/// A number for two users, whoever is named first.
pub(super) fn number(one: &[u8], other: &[u8]) -> u64 {
    let (one, other) = (xxh3_64(one), xxh3_64(other));
    one.min(other).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(one.max(other))
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Balance {
    sum: u64,
    messages: i64,
}

/// The balances of all pairs.
#[derive(Debug, Default)]
pub(super) struct Pairs(HashMap<u64, Balance, foldhash::fast::FixedState>);

/// One copy of a message of a pair that does not balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Copy {
    pair: u64,
    fingerprint: u64,
    sent: bool,
    history: usize,
    position: usize,
}

impl Pairs {
    pub(super) fn add(&mut self, side: &super::Side, fingerprint: u64) {
        let balance = self.0.entry(side.pair).or_default();
        if side.sent {
            balance.sum = balance.sum.wrapping_add(fingerprint);
            balance.messages = balance.messages.saturating_add(1);
        } else {
            balance.sum = balance.sum.wrapping_sub(fingerprint);
            balance.messages = balance.messages.saturating_sub(1);
        }
    }

    pub(super) fn settle(mut self, view: &View<'_, '_>, horizons: &Horizons<'_>, findings: &mut Findings<'_>) {
        self.0.retain(|_, balance| *balance != Balance::default());
        if self.0.is_empty() {
            return;
        }
        let mut copies = self.copies(view, horizons);
        copies.sort_unstable();
        copies.dedup_by_key(|copy| (copy.pair, copy.fingerprint, copy.sent));
        let mut alone: Vec<(usize, usize)> = copies
            .chunk_by(|a, b| (a.pair, a.fingerprint) == (b.pair, b.fingerprint))
            .filter_map(|group| match group {
                [one] => Some((one.history, one.position)),
                _ => None,
            })
            .collect();
        alone.sort_unstable();
        for group in alone.chunk_by(|a, b| a.0 == b.0) {
            report(view, group, findings);
        }
    }

    /// Every copy of a message of these pairs.
    fn copies(&self, view: &View<'_, '_>, horizons: &Horizons<'_>) -> Vec<Copy> {
        let mut copies = Vec::new();
        for (index, history) in view.histories.iter().enumerate() {
            // Damage was reported by the first walk.
            let _ = history.messages(view.schema, &mut view.recorder.buffers(), &mut |position, element, parsed| {
                let side = parsed.fields().and_then(|fields| horizons.side(view, history.user, fields));
                if let Some(side) = side.filter(|side| self.0.contains_key(&side.pair)) {
                    let (pair, sent, fingerprint) = (side.pair, side.sent, fingerprint(element));
                    copies.push(Copy { pair, fingerprint, sent, history: index, position });
                }
            });
        }
        copies
    }
}

/// The messages at these positions of one history are missing from another.
fn report(view: &View<'_, '_>, positions: &[(usize, usize)], findings: &mut Findings<'_>) {
    let Some(history) = positions.first().and_then(|&(index, _)| view.histories.get(index)) else { return };
    let mut wanted = positions.iter().map(|&(_, position)| position).peekable();
    let _ = history.messages(view.schema, &mut view.recorder.buffers(), &mut |position, _, parsed| {
        let Some(fields) = parsed.fields().filter(|_| wanted.next_if_eq(&position).is_some()) else { return };
        let other = view.schema.history(fields.peer(history.user).unwrap_or_default().as_bytes());
        findings.key_hint(
            "chat-message-one-sided",
            &history.entry.key,
            || {
                let (what, other) = (described(fields), other.escape_ascii());
                format!("element {position} ({what}) is not in {other}")
            },
            "where histories are trimmed to less than 1000 messages, set history_limit in a --schema file",
        );
    });
}

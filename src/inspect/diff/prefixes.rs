//! How much differs under each prefix of the keys: what stands before the first colon.

use std::collections::BTreeMap;

use super::inside::Change;
use crate::value::json;

/// More prefixes than this are counted together.
const MOST: usize = 1 << 16;

/// Counts of one prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Only in the second input.
    pub added: u64,
    /// Only in the first.
    pub removed: u64,
    /// In both, with a difference.
    pub changed: u64,
}

impl Counts {
    fn add(&mut self, change: Change) {
        let count = match change {
            Change::Added => &mut self.added,
            Change::Removed => &mut self.removed,
            Change::Changed => &mut self.changed,
        };
        *count = count.saturating_add(1);
    }
}

/// Differences by prefix.
#[derive(Debug, Clone, Default)]
pub struct Prefixes {
    counts: BTreeMap<Box<[u8]>, Counts>,
    others: Counts,
}

impl Prefixes {
    /// Count a key that differs. Keys without a colon are counted together.
    pub fn count(&mut self, key: &[u8], change: Change) {
        let prefix = match memchr::memchr(b':', key) {
            Some(colon) => key.get(..=colon).unwrap_or_default(),
            None => &[],
        };
        if let Some(counts) = self.counts.get_mut(prefix) {
            counts.add(change);
        } else if self.counts.len() < MOST {
            self.counts.entry(prefix.into()).or_default().add(change);
        } else {
            self.others.add(change);
        }
    }

    /// Each prefix, its colon included, in order; those without a place of their own last, under `None`.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&[u8]>, Counts)> {
        let others = Some((None, self.others)).filter(|(_, counts)| *counts != Counts::default());
        self.counts.iter().map(|(prefix, counts)| (Some(&**prefix), *counts)).chain(others)
    }

    /// Write a line of JSON for each prefix: `{"prefix":"user:","added":1,"removed":0,"changed":2}`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        for (prefix, counts) in self.iter() {
            out.extend_from_slice(b"{\"prefix\":");
            match prefix {
                Some(prefix) => json::bytes(prefix, out),
                None => out.extend_from_slice(b"null"),
            }
            let Counts { added, removed, changed } = counts;
            out.extend_from_slice(
                format!(",\"added\":{added},\"removed\":{removed},\"changed\":{changed}}}\n").as_bytes(),
            );
        }
    }
}

//! Finding duplicates with 8 bytes an element.
//!
//! A set of 64-bit hashes says "perhaps seen before"; whoever asks looks at the bytes before saying so.

use std::hash::{BuildHasher, Hasher};

use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Exhausted};
use crate::value::DbIndex;

/// Hashes with a seed that no file can know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hashing(foldhash::fast::RandomState);

impl Hashing {
    /// The hash of a byte string.
    #[must_use]
    #[inline]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(bytes);
        hasher.finish().max(1) // 0 marks an empty slot
    }

    /// The hash of a key; the same name in another database is another key.
    #[must_use]
    #[inline]
    pub(crate) fn hash_key(&self, db: DbIndex, name: &[u8]) -> u64 {
        self.hash(name) ^ u64::from(db.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The hashes of the elements of one value, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    hashing: Hashing,
    hashes: Vec<u64>,
    table: Vec<u64>,
    /// In order, each once.
    repeated: Vec<u64>,
}

/// Up to this many hashes are looked through in one table; more of them in parts that fit the cache.
const ONE_TABLE: usize = 1 << 15;

impl Seen {
    /// Begin with another value.
    pub(crate) fn clear(&mut self) {
        if self.hashes.capacity() > ONE_TABLE {
            self.hashes = Vec::new();
        }
        self.hashes.clear();
    }

    /// Note an element.
    #[inline]
    pub(crate) fn note(&mut self, element: &[u8]) {
        self.hashes.push(self.hashing.hash(element));
    }

    /// True when some hash came twice.
    #[must_use]
    pub(crate) fn perhaps(&mut self) -> bool {
        self.repeated = if self.hashes.len() <= ONE_TABLE {
            sorted(repeated_in(&self.hashes, &mut self.table))
        } else {
            let mut parts = KeyHashes::default();
            parts.note(&self.hashes);
            parts.repeated(1)
        };
        !self.repeated.is_empty()
    }

    /// True when this element's hash came twice.
    #[must_use]
    pub(crate) fn is_suspect(&self, element: &[u8]) -> bool {
        self.repeated.binary_search(&self.hashing.hash(element)).is_ok()
    }
}

/// The hashes of all keys of a file, in parts by their upper bits, so that each part fits the cache when it is looked through.
#[derive(Debug)]
pub(crate) struct KeyHashes {
    parts: Vec<Vec<u64>>,
    charge: Charge,
}

/// What a hash takes: a part that grew by half more than it needs.
const HASH_BYTES: u64 = 16;

const PARTS: usize = 256;

impl Default for KeyHashes {
    fn default() -> Self {
        Self::charged_to(&Budget::default())
    }
}

impl KeyHashes {
    /// None yet; they will be paid for by an account.
    pub(crate) fn charged_to(budget: &Budget) -> Self {
        Self { parts: vec![Vec::new(); PARTS], charge: Charge::new(budget) }
    }

    /// Note keys by hash.
    pub(crate) fn extend(&mut self, hashes: &[u64]) -> Result<(), Exhausted> {
        self.charge.add((hashes.len() as u64).saturating_mul(HASH_BYTES))?;
        self.note(hashes);
        Ok(())
    }

    fn note(&mut self, hashes: &[u64]) {
        for &hash in hashes {
            if let Some(part) = usize::try_from(hash >> 56).ok().and_then(|i| self.parts.get_mut(i)) {
                part.push(hash);
            }
        }
    }

    /// The hashes that came more than once, in order, each once. The calling thread works, too; few keys are not worth
    /// another.
    #[must_use]
    pub(crate) fn repeated(mut self, threads: usize) -> Vec<u64> {
        /// Keys that take about as long as starting a thread.
        const FEW: usize = 20_000;
        let keys = self.parts.iter().map(Vec::len).fold(0, usize::saturating_add);
        let threads = if keys < FEW { 1 } else { threads.max(1) };
        let share = self.parts.len().div_ceil(threads).max(1);
        sorted(std::thread::scope(|scope| {
            let mut shares = self.parts.chunks_mut(share);
            let own = shares.next().unwrap_or_default();
            let workers: Vec<_> = shares.map(|parts| scope.spawn(|| repeated_in_all(parts))).collect();
            let mut repeated = repeated_in_all(own);
            repeated.extend(workers.into_iter().filter_map(|worker| worker.join().ok()).flatten());
            repeated
        }))
    }
}

fn sorted(mut hashes: Vec<u64>) -> Vec<u64> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn repeated_in_all(parts: &mut [Vec<u64>]) -> Vec<u64> {
    let mut table = Vec::new();
    parts.iter_mut().flat_map(|part| repeated_in(&std::mem::take(part), &mut table)).collect()
}

/// The hashes that occur more than once in one part.
fn repeated_in(part: &[u64], table: &mut Vec<u64>) -> Vec<u64> {
    let slots = part.len().saturating_mul(2).next_power_of_two();
    let mask = slots.saturating_sub(1);
    table.clear();
    table.resize(slots, EMPTY);
    let mut repeated = Vec::new();
    for &hash in part {
        let mut at = usize::try_from(hash & 0xffff_ffff).unwrap_or_default() & mask;
        while let Some(slot) = table.get_mut(at) {
            if *slot == EMPTY {
                *slot = hash;
                break;
            }
            if *slot == hash {
                repeated.push(hash);
                break;
            }
            at = at.wrapping_add(1) & mask;
        }
    }
    repeated
}

/// A slot that holds no hash.
const EMPTY: u64 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_twice_is_suspect() {
        let mut seen = Seen::default();
        for element in [b"a", b"b", b"c"] {
            seen.note(element);
        }
        assert!(!seen.perhaps());
        seen.note(b"b");
        assert!(seen.perhaps() && seen.is_suspect(b"b") && !seen.is_suspect(b"a"));
        seen.clear();
        assert!(!seen.perhaps());
    }

    #[test]
    fn repeated_keys_are_found_over_all_parts() {
        let hashing = Hashing::default();
        let mut keys = KeyHashes::default();
        let hashes: Vec<u64> = (0..10_000u32).map(|i| hashing.hash(&(i % 9_990).to_le_bytes())).collect();
        keys.extend(&hashes).unwrap();
        assert_eq!(keys.repeated(2).len(), 10);
        for threads in [1, 2, 3, 1000] {
            let mut keys = KeyHashes::default();
            (0..5).for_each(|_| keys.extend(&hashes).unwrap());
            assert_eq!(keys.repeated(threads).len(), 9_990, "{threads} threads");
        }
    }

    #[test]
    fn a_hash_that_came_often_is_listed_once() {
        let mut seen = Seen::default();
        (0..1000).for_each(|_| seen.note(b"a"));
        assert!(seen.perhaps());
        assert_eq!(seen.repeated.len(), 1);
    }

    #[test]
    fn hashes_are_paid_for() {
        let mut keys = KeyHashes::charged_to(&Budget::new(160));
        assert!(keys.extend(&[7; 10]).is_ok());
        assert!(keys.extend(&[7]).is_err());
    }
}

//! Finding duplicates with 8 bytes an element.
//!
//! A set of 64-bit hashes says "perhaps seen before"; whoever asks looks at the bytes before saying so.

use std::hash::{BuildHasher, Hasher};
use std::sync::Mutex;

use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Exhausted};
use crate::scan::threads;
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
    /// Pays for more than a table full of hashes.
    charge: Charge,
}

/// Up to this many hashes are looked through in one table; more of them in parts that fit the cache.
const ONE_TABLE: usize = 1 << 15;

impl Seen {
    /// None yet; many of them will be paid for by an account.
    pub(crate) fn charged_to(budget: &Budget) -> Self {
        Self { charge: Charge::new(budget), ..Self::default() }
    }

    /// Begin with another value.
    pub(crate) fn clear(&mut self) {
        if self.hashes.capacity() > ONE_TABLE {
            self.hashes = Vec::new();
            self.charge = Charge::new(self.charge.budget());
        }
        self.hashes.clear();
    }

    /// Note an element.
    ///
    /// # Errors
    /// When the account does not hold another.
    #[inline]
    pub(crate) fn note(&mut self, element: &[u8]) -> Result<(), Exhausted> {
        if self.hashes.len() == self.hashes.capacity() && self.hashes.len() >= ONE_TABLE {
            self.grow()?;
        }
        self.hashes.push(self.hashing.hash(element));
        Ok(())
    }

    /// Room for as many hashes again.
    #[cold]
    fn grow(&mut self) -> Result<(), Exhausted> {
        let more = self.hashes.len();
        self.charge.add((more as u64).saturating_mul(HASH_BYTES))?;
        self.hashes.reserve_exact(more);
        Ok(())
    }

    /// True when some hash came twice.
    ///
    /// # Errors
    /// When the account does not hold a second copy of very many.
    pub(crate) fn perhaps(&mut self) -> Result<bool, Exhausted> {
        self.repeated = if self.hashes.len() <= ONE_TABLE {
            sorted(repeated_in(&self.hashes, &mut self.table))
        } else {
            let mut parts = KeyHashes::charged_to(self.charge.budget());
            parts.extend(&self.hashes)?;
            parts.repeated(1)
        };
        Ok(!self.repeated.is_empty())
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
        let shares = Mutex::new(self.parts.chunks_mut(share));
        let take = || shares.lock().ok()?.next();
        let repeated =
            threads::share(threads, || std::iter::from_fn(take).flat_map(repeated_in_all).collect::<Vec<_>>());
        sorted(repeated.into_iter().flatten().collect())
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
            seen.note(element).unwrap();
        }
        assert!(!seen.perhaps().unwrap());
        seen.note(b"b").unwrap();
        assert!(seen.perhaps().unwrap() && seen.is_suspect(b"b") && !seen.is_suspect(b"a"));
        seen.clear();
        assert!(!seen.perhaps().unwrap());
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
        (0..1000).for_each(|_| seen.note(b"a").unwrap());
        assert!(seen.perhaps().unwrap());
        assert_eq!(seen.repeated.len(), 1);
    }

    #[test]
    fn hashes_are_paid_for() {
        let mut keys = KeyHashes::charged_to(&Budget::new(160));
        assert!(keys.extend(&[7; 10]).is_ok());
        assert!(keys.extend(&[7]).is_err());
    }

    #[test]
    fn the_hashes_of_many_elements_are_paid_for() {
        let budget = Budget::new(ONE_TABLE as u64 * HASH_BYTES);
        let mut seen = Seen::charged_to(&budget);
        let refused = (0..4 * ONE_TABLE).find(|n| seen.note(&n.to_le_bytes()).is_err());
        assert_eq!(refused, Some(2 * ONE_TABLE));
        seen.clear();
        assert_eq!(budget.spent(), 0);
        (0..ONE_TABLE + 1).for_each(|n| seen.note(&n.to_le_bytes()).unwrap());
        assert!(seen.perhaps().is_err(), "there is no room for a copy");
    }
}

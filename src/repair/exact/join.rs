//! A run of bytes too many, of any length, anywhere: two places p < q with F(p) = U(q), so that the file is whole
//! without [p, q).
//!
//! That is a join of all F with all U. It is done in parts by the low bits of the register, so that the table of a part
//! stays small, and a part costs one pass over the bytes: two table steps and one look into a bit map for each.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::patch::Patch;
use super::register::step;
use super::sweep::Codeword;
use crate::scan::threads;

/// Entries of a part's table, on average.
const PART: u64 = 1 << 18;
/// Slots for each entry: a power of two.
const SPARE: usize = 4;
/// Longer lists of solutions mean nothing.
const MOST_HITS: usize = 64;

/// The range of p, and how long a run may be.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    pub(super) starts: Range<u64>,
    pub(super) longest: u64,
}

impl Pairs {
    /// How many pairs there are.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn count(&self, len: u64) -> f64 {
        let starts = self.starts.end.saturating_sub(self.starts.start);
        let all = starts as f64 * self.longest.min(len) as f64;
        if self.longest >= len { all / 2.0 } else { all }
    }
}

impl Codeword<'_> {
    /// All runs whose removal makes the sum right.
    pub(super) fn surplus_runs(&self, pairs: &Pairs, threads: usize) -> Vec<Patch> {
        let starts = pairs.starts.end.saturating_sub(pairs.starts.start);
        let parts = starts.div_ceil(PART).next_power_of_two();
        let threads = threads.clamp(1, 64).min(usize::try_from(parts).unwrap_or(usize::MAX));
        let (f, d) = self.registers(pairs.starts.start);
        let next = AtomicU64::new(0);
        let found = threads::share(threads, || {
            let mut table = Table::new(starts.min(PART));
            let mut found = Vec::new();
            loop {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts {
                    return found;
                }
                table.clear();
                self.join_part(pairs, (f, d), (part, parts - 1), &mut table, &mut found);
            }
        });
        let mut found: Vec<Patch> = found.into_iter().flatten().collect();
        found.sort();
        found.truncate(MOST_HITS);
        found
    }

    fn join_part(
        &self,
        pairs: &Pairs,
        (mut f, mut d): (u64, u64),
        (part, mask): (u64, u64),
        table: &mut Table,
        found: &mut Vec<Patch>,
    ) {
        let first = usize::try_from(pairs.starts.start).unwrap_or(usize::MAX);
        let last = pairs.starts.end.saturating_add(pairs.longest).min(self.len());
        let last = usize::try_from(last).unwrap_or(usize::MAX).min(self.bytes.len());
        let bytes = self.bytes.get(first..last).unwrap_or_default();
        for (p, byte) in (pairs.starts.start..).zip(bytes.iter().copied().map(Some).chain([None])) {
            let u = f ^ d;
            if u & mask == part
                && table.perhaps(u)
                && let Some(start) = table.get(u)
            {
                let removed = p.saturating_sub(start);
                // Nothing at all has a sum of 0, too.
                if removed <= pairs.longest && removed < self.len() && found.len() < MOST_HITS {
                    found.push(Patch { at: start, removed, inserted: Vec::new() });
                }
            }
            if f & mask == part && p < pairs.starts.end {
                table.put(f, p);
            }
            f = step(f, byte.unwrap_or_default());
            d = step(d, 0);
        }
    }
}

/// Register to position, the first position of each register; open addressing.
struct Table {
    bits: Vec<u64>,
    slots: Vec<(u64, u64)>,
    used: usize,
}

impl Table {
    fn new(entries: u64) -> Self {
        let slots = usize::try_from(entries).unwrap_or(0).max(1024).next_power_of_two() * SPARE;
        Self { bits: vec![0; slots / 16], slots: vec![(0, u64::MAX); slots], used: 0 }
    }

    fn clear(&mut self) {
        self.bits.fill(0);
        self.slots.fill((0, u64::MAX));
        self.used = 0;
    }

    /// Four bits a slot: false for nearly everything that is not there.
    #[inline]
    fn perhaps(&self, register: u64) -> bool {
        let (word, bit) = self.bit(register);
        self.bits.get(word).is_some_and(|bits| bits >> bit & 1 == 1)
    }

    fn bit(&self, register: u64) -> (usize, u32) {
        let hash = usize::try_from(register >> 24).unwrap_or_default();
        (hash / 64 % self.bits.len().max(1), u32::try_from(hash % 64).unwrap_or_default())
    }

    fn slot(&self, register: u64) -> usize {
        usize::try_from(register >> 24).unwrap_or_default() % self.slots.len().max(1)
    }

    fn get(&self, register: u64) -> Option<u64> {
        let mut slot = self.slot(register);
        loop {
            match self.slots.get(slot) {
                Some(&(key, position)) if position != u64::MAX => {
                    if key == register {
                        return Some(position);
                    }
                }
                _ => return None,
            }
            slot = (slot + 1) % self.slots.len().max(1);
        }
    }

    fn put(&mut self, register: u64, position: u64) {
        // A file whose registers crowd into one part is no real one; what does not fit is not found.
        if self.used > self.slots.len() / 2 || self.get(register).is_some() {
            return;
        }
        let mut slot = self.slot(register);
        while self.slots.get(slot).is_some_and(|&(_, taken)| taken != u64::MAX) {
            slot = (slot + 1) % self.slots.len().max(1);
        }
        if let Some(free) = self.slots.get_mut(slot) {
            *free = (register, position);
            self.used += 1;
        }
        let (word, bit) = self.bit(register);
        if let Some(bits) = self.bits.get_mut(word) {
            *bits |= 1 << bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::crc64;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn inserted_and_duplicated_runs_are_found(
            body in proptest::collection::vec(any::<u8>(), 16..3000),
            run in proptest::collection::vec(any::<u8>(), 1..700),
            at: prop::sample::Index,
            duplicate: bool,
        ) {
            let good = [body.as_slice(), &crc64::jones(&body).to_le_bytes()].concat();
            let at = at.index(good.len());
            let run = if duplicate { &good[at..(at + run.len()).min(good.len())] } else { &run };
            let bad = [&good[..at], run, &good[at..]].concat();
            let codeword = Codeword::new(&bad);
            prop_assume!(codeword.syndrome != 0);
            let pairs = Pairs { starts: 0..codeword.len(), longest: codeword.len() };
            let runs = codeword.surplus_runs(&pairs, 1);
            prop_assert!(!runs.is_empty());
            for patch in runs {
                // Zeros before a codeword, or nothing but zeros, have a right sum as well; no image begins with them.
                let got = without_zeros(&patch.pieces(&bad).concat()).to_vec();
                prop_assert!(got == without_zeros(&good) || got.is_empty(), "{patch:?}");
            }
        }
    }

    fn without_zeros(bytes: &[u8]) -> &[u8] {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        &bytes[zeros..]
    }

    #[test]
    fn a_file_of_several_parts_is_joined_as_well() {
        let body: Vec<u8> = (0..600_000u32).map(|i| (i ^ i >> 7).to_le_bytes()[0]).collect();
        let good = [body.as_slice(), &crc64::jones(&body).to_le_bytes()].concat();
        let bad = [&good[..500_000], &good[100_000..250_000], &good[500_000..]].concat();
        let codeword = Codeword::new(&bad);
        let all = Pairs { starts: 0..codeword.len(), longest: codeword.len() };
        let window = Pairs { starts: 490_000..505_000, longest: 200_000 };
        for pairs in [all, window] {
            let runs = codeword.surplus_runs(&pairs, 2);
            assert!(runs.iter().any(|patch| patch.pieces(&bad).concat() == good), "{runs:?}");
        }
    }
}

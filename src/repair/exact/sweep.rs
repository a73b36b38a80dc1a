//! Every place where up to seven bytes, overwritten or lost, explain the checksum.
//!
//! `F(p)` is the register that the bytes before p leave, `U(p)` the one that the rest of the file needs to end in its
//! sum. Both take the same steps, so their difference `D = F ^ U` goes on by zero bytes alone, and it is the error
//! pattern that would begin at p. So:
//!
//! | damage | solution at p | holds when |
//! | --- | --- | --- |
//! | k bytes overwritten | xor D(p) onto them | D(p) < 256ᵏ, low byte not 0 |
//! | k bytes lost | X = L⁻ᵏ(U(p)) ^ F(p) | X < 256ᵏ |

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::patch::Patch;
use super::register::{ahead, behind, run, step, undo};
use crate::bytes::crc64;
use crate::scan::threads;

/// What to look for in one pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The most bytes overwritten; 0 for none.
    pub(super) overwritten: u32,
    /// The most bytes lost; 0 for none.
    pub(super) lost: u32,
}

/// Longer lists of solutions mean nothing.
const MOST_HITS: usize = 64;

/// An image, its sum included, and what its bytes leave in the register: 0 when the sum holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codeword<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) syndrome: u64,
}

impl<'a> Codeword<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, syndrome: crc64::jones(bytes) }
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// F and D before the byte at `p`.
    pub(super) fn registers(&self, p: u64) -> (u64, u64) {
        let before = usize::try_from(p).ok().and_then(|p| self.bytes.get(..p)).unwrap_or(self.bytes);
        (crc64::jones(before), behind(self.syndrome, self.len().saturating_sub(p)))
    }

    /// All solutions in a range of positions, the work shared by threads.
    pub(super) fn sweep(&self, range: Range<u64>, wanted: Wanted, threads: usize) -> Vec<Patch> {
        let range = range.start..range.end.min(self.len().saturating_add(1));
        let threads = threads.clamp(1, 64);
        let share = range.end.saturating_sub(range.start).div_ceil(threads as u64).max(1 << 16);
        let next = AtomicU64::new(range.start);
        let found = threads::share(threads, || {
            let mut found = Vec::new();
            loop {
                let start = next.fetch_add(share, Ordering::Relaxed);
                if start >= range.end {
                    return found;
                }
                found.push((start, self.part(start..start.saturating_add(share).min(range.end), wanted)));
            }
        });
        let mut found: Vec<(u64, Vec<Patch>)> = found.into_iter().flatten().collect();
        found.sort_by_key(|&(start, _)| start);
        let mut patches: Vec<Patch> = found.into_iter().flat_map(|(_, patches)| patches).collect();
        patches.truncate(MOST_HITS);
        patches
    }

    fn part(&self, range: Range<u64>, wanted: Wanted) -> Vec<Patch> {
        let mut patches = Vec::new();
        // Without an F the forward register need not be known: D is found from the end by itself.
        if wanted.lost == 0 {
            self.overwritten(range, wanted.overwritten, &mut patches);
        } else {
            self.both(range, wanted, &mut patches);
        }
        patches
    }

    fn slice(&self, range: &Range<u64>) -> &'a [u8] {
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(self.bytes.len());
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Only the low bytes of D may be set: one look-up a byte.
    fn overwritten(&self, range: Range<u64>, most: u32, patches: &mut Vec<Patch>) {
        let mut d = behind(self.syndrome, self.len().saturating_sub(range.start));
        for p in range {
            if d.checked_shr(most.saturating_mul(8)) == Some(0) {
                self.note_overwritten(p, d, patches);
            }
            d = step(d, 0);
        }
    }

    fn note_overwritten(&self, at: u64, d: u64, patches: &mut Vec<Patch>) {
        let [first, ..] = d.to_le_bytes();
        let k = significant_bytes(d);
        let was = self.slice(&(at..at.saturating_add(k)));
        if first == 0 || was.len() as u64 != k || patches.len() >= MOST_HITS {
            return;
        }
        let inserted = was.iter().zip(d.to_le_bytes()).map(|(byte, error)| byte ^ error).collect();
        patches.push(Patch { at, removed: k, inserted });
    }

    fn both(&self, range: Range<u64>, wanted: Wanted, patches: &mut Vec<Patch>) {
        let (mut f, mut d) = self.registers(range.start);
        let bytes = self.slice(&range);
        for (p, byte) in range.zip(bytes.iter().copied().map(Some).chain([None])) {
            if wanted.overwritten > 0 && d.checked_shr(wanted.overwritten.saturating_mul(8)) == Some(0) {
                self.note_overwritten(p, d, patches);
            }
            let mut x = f ^ d;
            for k in 1..=wanted.lost {
                x = undo(x);
                if (x ^ f).checked_shr(k.saturating_mul(8)) == Some(0) {
                    self.note_lost(p, x ^ f, k, patches);
                }
            }
            f = step(f, byte.unwrap_or_default());
            d = step(d, 0);
        }
    }

    fn note_lost(&self, at: u64, x: u64, k: u32, patches: &mut Vec<Patch>) {
        if patches.len() < MOST_HITS {
            let inserted = x.to_le_bytes().into_iter().take(usize::try_from(k).unwrap_or_default()).collect();
            patches.push(Patch { at, removed: 0, inserted });
        }
    }

    /// True when the sum of the patched image holds.
    pub(super) fn holds(&self, patch: &Patch) -> bool {
        let [before, new, behind] = patch.pieces(self.bytes);
        ahead(run(crc64::jones(before), new), behind.len() as u64) ^ crc64::jones(behind) == 0
    }
}

fn significant_bytes(d: u64) -> u64 {
    8u64.saturating_sub(u64::from(d.leading_zeros()) / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Zeros before everything else leave no trace in a sum, so an image begins with its magic.
    fn sound(body: &[u8]) -> Vec<u8> {
        let image = [b"REDIS0011", body].concat();
        [&image[..], &crc64::jones(&image).to_le_bytes()].concat()
    }

    proptest! {
        #[test]
        fn overwritten_bytes_are_found_wherever_they_are(
            body in proptest::collection::vec(any::<u8>(), 16..400), at: prop::sample::Index, error in 1u32..0x00ff_ffff
        ) {
            let good = sound(&body);
            let mut bad = good.clone();
            let at = at.index(good.len() - 3);
            for (i, byte) in error.to_le_bytes().into_iter().take(3).enumerate() {
                bad[at + i] ^= byte;
            }
            let codeword = Codeword::new(&bad);
            let patches = codeword.sweep(0..codeword.len(), Wanted { overwritten: 3, lost: 0 }, 2);
            prop_assert_eq!(patches.len(), 1);
            prop_assert!(codeword.holds(&patches[0]));
            prop_assert_eq!(patches[0].pieces(&bad).concat(), good);
        }

        #[test]
        fn lost_bytes_are_found_wherever_they_were(
            body in proptest::collection::vec(any::<u8>(), 16..400), at: prop::sample::Index, k in 1usize..=3
        ) {
            let good = sound(&body);
            let at = at.index(good.len() - k + 1);
            let bad = [&good[..at], &good[at + k..]].concat();
            let codeword = Codeword::new(&bad);
            let patches = codeword.sweep(0..codeword.len() + 1, Wanted { overwritten: 0, lost: 3 }, 1);
            prop_assert!(patches.iter().all(|patch| codeword.holds(patch)));
            // Zeros before the magic or behind the sum leave no trace, so the right solution need not be alone; reading
            // the patched image refuses the others.
            prop_assert!(patches.iter().any(|patch| patch.pieces(&bad).concat() == good));
        }
    }
}

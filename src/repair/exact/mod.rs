//! Repair by the checksum alone: which small change makes the sum of an RDB image right?
//!
//! CRC-64 is linear. With `F(p)`, the register that the bytes before p leave, and `U(p)`, the register that the bytes
//! from p on need to end in their sum, one equation covers every damage: bytes [p, q) replaced by k unknown bytes X
//!
//! ```text
//! X = L⁻ᵏ( U(q) ) ^ F(p)          a solution iff X < 256ᵏ
//! ```
//!
//! The image and its sum together are one codeword whose own sum is 0, so damage in the sum is no special case.
//!
//! A right sum proves nothing, for *every* position has an 8-byte patch that makes it right: what proves is that
//! solutions are rare. So the steps go from the rarest chance hit to the most likely one, the chance hits to be expected
//! so far are added up, and a solution is
//!
//! * **proven** when the patched image is sound in every other respect, no other solution of the same step is, and at
//!   most 10⁻⁶ chance hits were to be expected;
//! * **likely** up to 10⁻² of them;
//! * not used above.
//!
//! | step | chance hits to be expected |
//! | --- | --- |
//! | k bytes overwritten, or lost, at n places | n · 2^(8k-64) each |
//! | a run of any length too many | pairs of places · 2^-64 |
//!
//! The order is: 1 to 3 bytes overwritten, a run too many, 1 to 3 bytes lost, and close to the place where the structure
//! breaks, 4 to 7 bytes. For 2 and 3 bytes the neighbourhood of that place comes before the rest of the file.

mod join;
mod patch;
mod register;
mod sweep;

pub use patch::Patch;

use std::ops::Range;

use join::Pairs;
use sweep::{Codeword, Wanted};

/// The most chance hits to be expected when a repair is called proven …
const PROVEN: f64 = 1e-6;
/// … or used at all.
const LIKELY: f64 = 1e-2;
/// The neighbourhood of the failure, to either side, where 2 and 3 bytes are looked for first.
const NEAR: u64 = 128 << 10;
/// All pairs of places are compared up to this size …
const ALL_PAIRS: u64 = 16 << 20;
/// … and in larger files the runs that start this near the failure …
const RUN_STARTS: u64 = 32 << 10;
/// … and are no longer than this.
const LONGEST_RUN: u64 = 64 << 20;

/// What is known, and what may be spent.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Where the structure breaks, if it does.
    pub failure: Option<u64>,
    /// Threads for the passes over the file.
    pub threads: usize,
}

/// A change that makes the image whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The change.
    pub patch: Patch,
    /// True when nothing else can have been there, to all that is measurable.
    pub proven: bool,
}

/// One step of the search: where, and how many bytes.
#[derive(Debug, Clone)]
enum Step {
    Overwritten(u32, Range<u64>),
    Lost(u32, Range<u64>),
    Surplus(Pairs),
}

impl Step {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn chance_hits(&self, len: u64) -> f64 {
        match self {
            Self::Overwritten(k, range) | Self::Lost(k, range) => {
                let places = range.end.saturating_sub(range.start) as f64;
                places * 2f64.powi((8 * k).cast_signed() - 64)
            }
            Self::Surplus(pairs) => pairs.count(len) * 2f64.powi(-64),
        }
    }
}

/// Look for the change that makes `image`, which ends with its checksum, whole.
///
/// `sound` parses a patched image as deep as it can; it is asked about very few. `progress` gets the share done, 0 to 1.
pub fn repair(
    image: &[u8],
    options: &Options,
    sound: &mut dyn FnMut(&Patch) -> bool,
    progress: &mut dyn FnMut(f64),
) -> Option<Repair> {
    let codeword = Codeword::new(image);
    if codeword.syndrome == 0 || image.len() < 16 {
        return None;
    }
    let steps = steps(codeword.len(), options.failure);
    let mut found = Found::default();
    let mut expected = 0.0;
    for (done, step) in (0u32..).zip(&steps) {
        progress(f64::from(done) / f64::from(u32::try_from(steps.len()).unwrap_or(1)));
        expected += step.chance_hits(codeword.len());
        if expected > LIKELY {
            break;
        }
        match &found.solutions(&codeword, step, options.threads, sound)[..] {
            [] => {}
            [patch] => return Some(Repair { patch: patch.clone(), proven: expected <= PROVEN && step.can_prove() }),
            _ => return None,
        }
    }
    None
}

impl Step {
    /// Six bytes and more beside the failure can mend the structure by themselves.
    fn can_prove(&self) -> bool {
        !matches!(self, Self::Overwritten(6.., _) | Self::Lost(6.., _))
    }
}

/// The solutions of passes that served several steps.
#[derive(Debug, Default)]
struct Found {
    overwritten: Option<Vec<Patch>>,
    lost: Option<Vec<Patch>>,
}

impl Found {
    /// The solutions of one step that give sound images, different from each other.
    fn solutions(
        &mut self,
        codeword: &Codeword<'_>,
        step: &Step,
        threads: usize,
        sound: &mut dyn FnMut(&Patch) -> bool,
    ) -> Vec<Patch> {
        let whole = 0..codeword.len().saturating_add(1);
        let mut patches = match step {
            Step::Surplus(pairs) => codeword.surplus_runs(pairs, threads),
            Step::Overwritten(k @ 1..=3, range) => {
                let sweep = || codeword.sweep(whole, Wanted { overwritten: 3, lost: 0 }, threads);
                inside(self.overwritten.get_or_insert_with(sweep), *k, range)
            }
            Step::Lost(k @ 1..=3, range) => {
                let sweep = || codeword.sweep(whole, Wanted { overwritten: 0, lost: 3 }, threads);
                inside(self.lost.get_or_insert_with(sweep), *k, range)
            }
            Step::Overwritten(k, range) => {
                inside(&codeword.sweep(range.clone(), Wanted { overwritten: *k, lost: 0 }, threads), *k, range)
            }
            Step::Lost(k, range) => {
                inside(&codeword.sweep(range.clone(), Wanted { overwritten: 0, lost: *k }, threads), *k, range)
            }
        };
        for patch in &mut patches {
            *patch =
                std::mem::replace(patch, Patch { at: 0, removed: 0, inserted: Vec::new() }).leftmost(codeword.bytes);
        }
        patches.sort();
        patches.dedup();
        patches.retain(|patch| codeword.holds(patch) && sound(patch));
        patches
    }
}

/// Those of `patches` that put in k bytes at a place of `range`.
fn inside(patches: &[Patch], k: u32, range: &Range<u64>) -> Vec<Patch> {
    let fits = |patch: &&Patch| patch.inserted.len() as u64 == u64::from(k) && range.contains(&patch.at);
    patches.iter().filter(fits).cloned().collect()
}

/// All steps, the rarest chance hit first.
fn steps(len: u64, failure: Option<u64>) -> Vec<Step> {
    let whole = 0..len.saturating_add(1);
    let around = |reach: u64| match failure {
        Some(at) if len > reach.saturating_mul(2) => at.saturating_sub(reach)..at.saturating_add(reach).min(whole.end),
        _ => whole.clone(),
    };
    let near = around(NEAR);
    let mut steps = vec![
        Step::Overwritten(1, whole.clone()),
        Step::Overwritten(2, near.clone()),
        Step::Overwritten(3, near.clone()),
        Step::Surplus(surplus(len, failure)),
        Step::Lost(1, near.clone()),
        Step::Lost(2, near.clone()),
        Step::Lost(3, near.clone()),
    ];
    let far = near != whole;
    for k in 1..=3 {
        steps.extend([Step::Overwritten(k, whole.clone()), Step::Lost(k, whole.clone())].into_iter().filter(|_| far));
    }
    if failure.is_some() {
        for (k, reach) in [(4, 2048), (5, 1024), (6, 128), (7, 1)] {
            steps.extend([Step::Overwritten(k, around(reach)), Step::Lost(k, around(reach))]);
        }
    }
    for (k, most) in [(4, 32 << 20), (5, 64 << 10)] {
        if len <= most {
            steps.extend([Step::Overwritten(k, whole.clone()), Step::Lost(k, whole.clone())]);
        }
    }
    steps
}

fn surplus(len: u64, failure: Option<u64>) -> Pairs {
    match failure {
        Some(at) if len > ALL_PAIRS => Pairs {
            starts: at.saturating_sub(RUN_STARTS)..at.saturating_add(RUN_STARTS).min(len),
            longest: LONGEST_RUN,
        },
        None if len > ALL_PAIRS => Pairs { starts: 0..0, longest: 0 },
        _ => Pairs { starts: 0..len, longest: len },
    }
}

#[cfg(test)]
mod tests;

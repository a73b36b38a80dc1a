//! Two sectors of a log that stand in each other's place.
//!
//! A disk, or a copy in pieces, put two aligned blocks of one size where the other belongs. Each of their ends breaks a
//! command, so the pairs are tried whose ends lie in gaps: with the right pair exchanged, no gap is left.

use super::{proof, sync};
use std::ops::Range;

/// Block sizes that are tried.
const SIZES: [usize; 4] = [512, 1024, 2048, 4096];
/// Gaps that two blocks make: one at each end, if none is where a command ends.
const GAPS: usize = 4;
/// The last of them is at most so far behind the first.
const REACH: usize = 256 << 10;
/// The command that the last block ends in is at most so long.
const TAIL: usize = 64 << 10;
/// A gap with more ends of blocks in it is no end of a block.
const ENDS: usize = 12;

/// A stretch of the log with two blocks back in their places.
#[derive(Debug)]
pub(super) struct Restored {
    /// The stretch: whole records.
    pub(super) bytes: Vec<u8>,
    /// The blocks in the input.
    pub(super) blocks: [Range<usize>; 2],
}

/// Does one pair of blocks, exchanged, mend the record that is broken at `start`, and all up to the end of the pair?
/// `next` is where the log goes on.
pub(super) fn restore(input: &[u8], start: usize, next: usize) -> Option<Restored> {
    let gaps = gaps(input, start, next);
    let end = gaps.last().map_or(next, |gap| gap.end);
    if end.saturating_sub(start) > REACH {
        return None;
    }
    let mut found: Option<Restored> = None;
    for size in SIZES {
        let blocks = blocks(&gaps, size, start..input.len());
        let end = end.saturating_add(size).saturating_add(TAIL).min(input.len());
        let mut stretch = input.get(start..end)?.to_vec();
        for (number, &first) in blocks.iter().enumerate() {
            for &second in blocks.get(number + 1..).unwrap_or_default() {
                let pair = [first..first + size, second..second + size];
                let Some(bytes) = exchanged(input, start, &mut stretch, &pair) else { continue };
                if found.as_ref().is_some_and(|found| found.bytes != bytes) {
                    return None;
                }
                found = Some(Restored { bytes, blocks: pair });
            }
        }
    }
    found
}

/// This gap and those that follow soon.
fn gaps(input: &[u8], start: usize, next: usize) -> Vec<Range<usize>> {
    let window = input.get(..start.saturating_add(REACH)).unwrap_or(input);
    let mut gaps = Vec::from([Range { start, end: next }]);
    let (mut at, mut argv) = (next, Vec::new());
    while at < window.len() && gaps.len() < GAPS {
        match proof::command(input, at, &mut argv).or_else(|| proof::annotation(input, at)) {
            Some(end) => at = end,
            None => {
                let Some(next) = sync::after(window, at).filter(|&next| next < window.len()) else { break };
                gaps.push(at..next);
                at = next;
            }
        }
    }
    gaps
}

/// Where the blocks begin that begin or end in one of the gaps.
fn blocks(gaps: &[Range<usize>], size: usize, within: Range<usize>) -> Vec<usize> {
    let ends = |gap: &Range<usize>| {
        let ends: Vec<usize> = (gap.start.div_ceil(size)..=gap.end / size).map(|number| number * size).collect();
        if ends.len() > ENDS { Vec::new() } else { ends }
    };
    let mut blocks: Vec<usize> = gaps.iter().flat_map(ends).flat_map(|end| [end.saturating_sub(size), end]).collect();
    blocks.retain(|&block| block >= within.start && block.saturating_add(size) <= within.end);
    blocks.sort_unstable();
    blocks.dedup();
    blocks
}

/// The stretch with two blocks exchanged, up to the first end of a record behind them, if there are nothing but records
/// in it.
fn exchanged(input: &[u8], start: usize, stretch: &mut [u8], pair: &[Range<usize>; 2]) -> Option<Vec<u8>> {
    let [first, second] = pair;
    let from = |bytes: &Range<usize>| input.get(bytes.clone());
    let (a, b) = (from(first)?, from(second)?);
    let place = |block: &Range<usize>| block.start - start..block.end - start;
    if a == b || second.end - start > stretch.len() {
        return None;
    }
    stretch.get_mut(place(first))?.copy_from_slice(b);
    stretch.get_mut(place(second))?.copy_from_slice(a);
    let end = records(stretch, second.end - start);
    let restored = end.filter(|&end| proof::may_begin(input, start + end));
    let bytes = restored.and_then(|end| stretch.get(..end)).map(<[u8]>::to_vec);
    stretch.get_mut(place(first))?.copy_from_slice(a);
    stretch.get_mut(place(second))?.copy_from_slice(b);
    bytes
}

/// The end of the first record that ends at or behind `least`, when all before it are good.
fn records(bytes: &[u8], least: usize) -> Option<usize> {
    let (mut at, mut argv) = (0, Vec::new());
    while at < least {
        at = proof::command(bytes, at, &mut argv).or_else(|| proof::annotation(bytes, at))?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aof::writer;

    fn log() -> Vec<u8> {
        let mut out = Vec::new();
        for i in 0..400 {
            writer::encode(&["RPUSH", &format!("list:{}", i % 7), &format!("value {}", i * i * 31)], &mut out);
        }
        out
    }

    fn swapped(log: &[u8], size: usize, first: usize, second: usize) -> Vec<u8> {
        let mut bad = log.to_vec();
        bad[first..first + size].copy_from_slice(&log[second..second + size]);
        bad[second..second + size].copy_from_slice(&log[first..first + size]);
        bad
    }

    fn break_of(log: &[u8]) -> usize {
        let (mut at, mut argv) = (0, Vec::new());
        while let Some(end) = proof::command(log, at, &mut argv) {
            at = end;
        }
        at
    }

    #[test]
    fn two_blocks_go_back_to_their_places() {
        let log = log();
        for (size, first, second) in [(512, 512, 1024), (512, 1024, 4096), (1024, 2048, 3072), (4096, 4096, 8192)] {
            let bad = swapped(&log, size, first, second);
            let start = break_of(&bad);
            let restored = restore(&bad, start, sync::after(&bad, start).unwrap()).unwrap();
            let end = start + restored.bytes.len();
            assert_eq!([&bad[..start], &restored.bytes, &bad[end..]].concat(), log, "{size} {first} {second}");
            assert_eq!(restored.blocks, [first..first + size, second..second + size]);
        }
    }

    #[test]
    fn other_damage_is_no_exchange() {
        let log = log();
        for at in (600..9000).step_by(611) {
            let mut bad = log.clone();
            bad[at..at + 40].fill(b'x');
            let start = break_of(&bad);
            assert!(restore(&bad, start, sync::after(&bad, start).unwrap()).is_none(), "at {at}");
        }
    }
}

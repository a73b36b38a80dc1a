//! The sparse form: runs of equal registers.

use super::{HEADER, NotHyperLogLog, REGISTERS, SPARSE_MAX};

/// What became of an attempt to raise a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was as high before.
    Unchanged,
    /// It is raised.
    Changed,
    /// The sparse form cannot hold it, or would become too long.
    TooSmall,
}

/// The highest value a VAL holds.
const VAL_MAX: u8 = 32;
/// The longest run of a VAL.
const VAL_RUN: usize = 4;
/// The longest run of a ZERO.
const ZERO_RUN: usize = 64;

/// One opcode.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// How many registers.
    len: usize,
    /// Their value, 0 for ZERO and XZERO.
    value: u8,
    /// Bytes of the opcode.
    size: usize,
}

/// The opcode at the start of `bytes`.
fn run_at(bytes: &[u8]) -> Option<Run> {
    let next = |low: u8| usize::from(low).saturating_add(1);
    Some(match bytes {
        [zero @ 0x00..=0x3f, ..] => Run { len: next(*zero), value: 0, size: 1 },
        [high @ 0x40..=0x7f, low, ..] => {
            let len = usize::from(u16::from_be_bytes([high & 0x3f, *low])).saturating_add(1);
            Run { len, value: 0, size: 2 }
        }
        [val @ 0x80..=0xff, ..] => Run { len: next(val & 3), value: (val >> 2 & 0x1f).saturating_add(1), size: 1 },
        _ => return None,
    })
}

/// The opcode of a run of zeros: none for an empty one.
pub(super) fn zeros(len: usize) -> impl Iterator<Item = u8> {
    let field = u16::try_from(len.saturating_sub(1)).unwrap_or(0x3fff) & 0x3fff;
    let [high, low] = field.to_be_bytes();
    let bytes = match len {
        0 => [None, None],
        1..=ZERO_RUN => [Some(low), None],
        _ => [Some(high | 0x40), Some(low)],
    };
    bytes.into_iter().flatten()
}

/// The opcode of a run of up to four equal values above 0: none for an empty one.
fn values(value: u8, len: usize) -> Option<u8> {
    let run = u8::try_from(len.checked_sub(1)?).unwrap_or(3) & 3;
    Some(0x80 | value.saturating_sub(1) << 2 | run)
}

/// Raise registers to those of a sparse value.
pub(super) fn raise(registers: &mut [u8], bytes: &[u8]) -> Result<(), NotHyperLogLog> {
    let mut rest = bytes.get(HEADER..).ok_or(NotHyperLogLog)?;
    let mut first = 0usize;
    while let Some(run) = run_at(rest) {
        let end = first.saturating_add(run.len);
        for register in registers.get_mut(first..end).ok_or(NotHyperLogLog)? {
            *register = run.value.max(*register);
        }
        first = end;
        rest = rest.get(run.size..).unwrap_or_default();
    }
    if first == REGISTERS && rest.is_empty() { Ok(()) } else { Err(NotHyperLogLog) }
}

/// Where the opcode of a register lies.
struct Found {
    at: usize,
    /// The opcode before it, or itself when it is the first.
    before: usize,
    /// The first register of its run.
    first: usize,
    run: Run,
}

fn find(bytes: &[u8], register: usize) -> Result<Found, NotHyperLogLog> {
    let (mut at, mut before, mut first) = (HEADER, HEADER, 0usize);
    loop {
        let run = bytes.get(at..).and_then(run_at).ok_or(NotHyperLogLog)?;
        let end = first.saturating_add(run.len);
        if register < end {
            return Ok(Found { at, before, first, run });
        }
        before = at;
        at = at.saturating_add(run.size);
        first = end;
    }
}

/// Raise one register.
pub(super) fn set(bytes: &mut Vec<u8>, register: usize, rank: u8) -> Result<Outcome, NotHyperLogLog> {
    if rank > VAL_MAX {
        return Ok(Outcome::TooSmall);
    }
    let Found { at, before, first, run } = find(bytes, register)?;
    if run.value >= rank {
        return Ok(Outcome::Unchanged);
    }
    let left = register.saturating_sub(first);
    let right = run.len.saturating_sub(left).saturating_sub(1);
    let mut pieces = Vec::with_capacity(5);
    let piece = |len: usize, pieces: &mut Vec<u8>| match run.value {
        0 => pieces.extend(zeros(len)),
        value => pieces.extend(values(value, len)),
    };
    piece(left, &mut pieces);
    pieces.extend(values(rank, 1));
    piece(right, &mut pieces);
    let grown = bytes.len().saturating_add(pieces.len()).saturating_sub(run.size);
    if grown > bytes.len() && grown > SPARSE_MAX {
        return Ok(Outcome::TooSmall);
    }
    bytes.splice(at..at.saturating_add(run.size), pieces);
    join_values(bytes, before);
    Ok(Outcome::Changed)
}

/// Join neighbouring VALs of the same value, looking at five opcodes as the servers do.
fn join_values(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..5 {
        let Some(run) = bytes.get(at..).and_then(run_at) else { return };
        let next = at.saturating_add(run.size);
        let follower = bytes.get(next..).and_then(run_at);
        let joined = match follower {
            Some(follower) if run.value > 0 && follower.value == run.value => run.len.saturating_add(follower.len),
            _ => usize::MAX,
        };
        match (values(run.value, joined), bytes.get_mut(next)) {
            (Some(opcode), Some(place)) if joined <= VAL_RUN => {
                *place = opcode;
                bytes.remove(at);
            }
            _ => at = next,
        }
    }
}

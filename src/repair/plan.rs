//! What a repair is going to do. Nothing is written before it exists.

use std::ops::Range;

/// How far a repair goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Keep everything intact, before and behind each damage.
    #[default]
    Salvage,
    /// Keep what stands before the first damage.
    Truncate,
    /// Accept only what the checksum proves.
    Exact,
}

/// A piece of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes of the input.
    Input(Range<u64>),
    /// Bytes that are new.
    Bytes(Vec<u8>),
    /// The CRC-64/Jones of all pieces before, little-endian.
    Checksum,
}

/// A range of the input that the output lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Where it begins.
    pub offset: u64,
    /// Where it ends.
    pub end: u64,
    /// Why, as a finding's code.
    pub code: &'static str,
    /// The keys that it is known to hold.
    pub keys: Vec<Vec<u8>>,
}

/// The code of what was asked to be left out.
pub const LEFT_OUT: &str = "aof-left-out";

impl Lost {
    /// Left out because that was asked for: no loss.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.code == LEFT_OUT
    }
}

/// A change of bytes that makes the input right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Where.
    pub offset: u64,
    /// What stood there.
    pub was: Vec<u8>,
    /// What belongs there.
    pub now: Vec<u8>,
}

/// Something worth knowing about what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where it begins.
    pub offset: u64,
    /// Where it ends.
    pub end: u64,
    /// A finding's code.
    pub code: &'static str,
    /// The keys it is about, where they are known.
    pub keys: Vec<Vec<u8>>,
}

/// A key of which only a part is in the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where the damaged record stands.
    pub offset: u64,
    /// Its database.
    pub db: u32,
    /// Its key.
    pub key: Vec<u8>,
    /// How many elements are in the output.
    pub kept: u64,
    /// How many there were, where that can be told.
    pub claimed: Option<u64>,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// Keys of RDB images.
    pub keys: u64,
    /// Commands of logs.
    pub commands: u64,
    /// Bytes of the input that go into the output.
    pub bytes: u64,
}

/// What a repair of one file is going to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The output, in order.
    pub pieces: Vec<Piece>,
    /// How much is kept.
    pub kept: Amount,
    /// What is not, in order.
    pub lost: Vec<Lost>,
    /// What is probably right, but not surely; left out unless it was asked for.
    pub doubtful: Vec<Lost>,
    /// True when the doubtful is in the output.
    pub doubtful_is_kept: bool,
    /// Keys that are there in part.
    pub partial: Vec<Part>,
    /// What was changed.
    pub corrected: Vec<Correction>,
    /// Worth knowing.
    pub notes: Vec<Note>,
    /// True when the output is the original, bit for bit, to all that is measurable.
    pub proven: bool,
}

impl Plan {
    /// True when nothing is missing from the output but what was to be left out, and nothing about it is a guess.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let settled = self.corrected.is_empty() || self.proven;
        self.lost.iter().all(Lost::is_asked) && self.doubtful.is_empty() && settled && self.notes.is_empty()
    }

    /// True when the output is the input, byte for byte.
    #[must_use]
    pub fn is_copy(&self) -> bool {
        self.is_whole() && self.corrected.is_empty() && self.lost.is_empty()
    }

    /// The ranges of the input that are in no output: lost, doubtful and left out, or corrected away. In order.
    #[must_use]
    pub fn quarantine(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = self.lost.iter().map(|lost| lost.offset..lost.end).collect();
        if !self.doubtful_is_kept {
            ranges.extend(self.doubtful.iter().map(|doubtful| doubtful.offset..doubtful.end));
        }
        ranges.extend(self.corrected.iter().map(|c| c.offset..c.offset.saturating_add(c.was.len() as u64)));
        ranges.retain(|range| !range.is_empty());
        ranges.sort_by_key(|range| (range.start, range.end));
        ranges
    }

    /// Bytes that are missing from the output.
    #[must_use]
    pub fn lost_bytes(&self) -> u64 {
        let left_out = if self.doubtful_is_kept { &[][..] } else { &self.doubtful };
        let lost = self.lost.iter().filter(|lost| !lost.is_asked());
        lost.chain(left_out).fold(0, |sum, lost| sum.saturating_add(lost.end.saturating_sub(lost.offset)))
    }

    /// Add bytes of the input to the output.
    pub fn keep(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        self.kept.bytes = self.kept.bytes.saturating_add(range.end.saturating_sub(range.start));
        match self.pieces.last_mut() {
            Some(Piece::Input(last)) if last.end == range.start => last.end = range.end,
            _ => self.pieces.push(Piece::Input(range)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_piece() {
        let mut plan = Plan::default();
        plan.keep(0..10);
        plan.keep(10..15);
        plan.keep(15..15);
        plan.keep(20..25);
        assert_eq!(plan.pieces, [Piece::Input(0..15), Piece::Input(20..25)]);
        assert_eq!(plan.kept.bytes, 20);
    }

    #[test]
    fn what_has_a_byte_put_back_is_no_copy() {
        let mut plan = Plan { proven: true, ..Plan::default() };
        assert!(plan.is_copy());
        plan.corrected.push(Correction { offset: 3, was: Vec::new(), now: vec![1] });
        assert!(plan.is_whole() && plan.quarantine().is_empty() && !plan.is_copy());
    }

    #[test]
    fn what_is_doubtful_is_in_quarantine_unless_it_is_kept() {
        let lost = |offset, end| Lost { offset, end, code: "x", keys: Vec::new() };
        let mut plan = Plan { lost: vec![lost(30, 40)], doubtful: vec![lost(5, 8)], ..Plan::default() };
        assert_eq!(plan.quarantine(), [5..8, 30..40]);
        assert_eq!(plan.lost_bytes(), 13);
        plan.doubtful_is_kept = true;
        assert_eq!(plan.quarantine(), vec![30..40]);
        assert!(!plan.is_whole());
    }
}

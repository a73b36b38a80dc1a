//! The units that were chosen, what is decided about each, and the segments that they form.

use std::ops::Range;

use super::unit::{Unit, What};

/// What becomes of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Keep,
    /// Probably right, not surely: left out unless it is asked for.
    Doubtful(&'static str),
    /// Left out.
    Dropped(&'static str),
}

/// A chosen unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick {
    pub(super) unit: Unit,
    pub(super) bits: f64,
    pub(super) fate: Fate,
    /// The database, once it is known.
    pub(super) db: u32,
}

impl Pick {
    pub(super) fn new(unit: Unit, bits: f64) -> Self {
        Self { unit, bits, fate: Fate::Keep, db: 0 }
    }

    pub(super) fn kept(&self) -> bool {
        self.fate == Fate::Keep
    }

    pub(super) fn is_key(&self) -> bool {
        self.unit.key().is_some()
    }

    /// Decide, unless something was decided already.
    pub(super) fn doubt(&mut self, why: &'static str) {
        if self.kept() {
            self.fate = Fate::Doubtful(why);
        }
    }

    pub(super) fn drop(&mut self, why: &'static str) {
        self.fate = Fate::Dropped(why);
    }
}

/// A chain between two gaps.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// Its picks.
    pub(super) picks: Range<usize>,
    /// It begins where the image begins.
    pub(super) from_start: bool,
    /// It ends with the true end.
    pub(super) to_end: bool,
    /// What speaks for it.
    pub(super) bits: f64,
}

impl Segment {
    /// A gap on both sides.
    pub(super) fn is_island(&self) -> bool {
        !self.from_start && !self.to_end
    }

    /// To compare segments by: anchored ones before islands, the beginning before all.
    pub(super) fn weight(&self) -> (u8, f64) {
        (u8::from(self.from_start) * 2 + u8::from(self.to_end), self.bits)
    }
}

/// Cut picks into segments; the first begins at `origin`. What leaves a window at `limit` reaches the end.
pub(super) fn segments(picks: &[Pick], origin: usize, limit: usize) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut end = origin;
    for (index, pick) in picks.iter().enumerate() {
        match segments.last_mut() {
            Some(segment) if pick.unit.start == end => segment.picks.end = index + 1,
            _ => segments.push(Segment {
                picks: index..index + 1,
                from_start: pick.unit.start == origin,
                to_end: false,
                bits: 0.0,
            }),
        }
        if let Some(segment) = segments.last_mut() {
            segment.bits += pick.bits;
            segment.to_end = matches!(pick.unit.what, What::End) || pick.unit.end >= limit;
        }
        end = pick.unit.end;
    }
    segments
}

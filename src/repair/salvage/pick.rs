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

    /// The database that a SELECTDB selects, if it is believed.
    pub(super) fn selected(&self) -> Option<u32> {
        match self.unit.what {
            What::Select(db) if self.kept() => Some(db),
            _ => None,
        }
    }

    /// Its bytes in an image.
    pub(super) fn raw<'b>(&self, image: &'b [u8]) -> &'b [u8] {
        image.get(self.unit.start..self.unit.end).unwrap_or_default()
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

/// The segment of a pick.
pub(super) fn segment_of(segments: &[Segment], index: usize) -> Option<&Segment> {
    let at = segments.partition_point(|segment| segment.picks.end <= index);
    segments.get(at).filter(|segment| segment.picks.contains(&index))
}

/// What may be counted again and again: hostile bytes have more marks and gaps than a look at everything behind each of
/// them can be had for.
#[derive(Debug)]
pub(super) struct Looks {
    left: usize,
}

impl Looks {
    /// So many looks at everything, and some more for short files.
    const WHOLE: usize = 64;
    const MORE: usize = 1 << 20;

    pub(super) fn at(picks: &[Pick]) -> Self {
        Self { left: picks.len().saturating_mul(Self::WHOLE).saturating_add(Self::MORE) }
    }

    /// Take a look at so many picks; false when there are no more to be had.
    pub(super) fn take(&mut self, picks: usize) -> bool {
        let left = self.left.checked_sub(picks);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

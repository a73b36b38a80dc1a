//! The bytes that are searched, with a memory of what was found at each offset.

use std::collections::HashMap;
use std::ops::Range;

use super::profile::Profile;
use super::unit::{Reading, Unit};

/// Strings that one guess may read.
const STEPS_OF_A_GUESS: u32 = 1 << 16;

/// Units by offset, each read once.
pub(super) struct Field<'a> {
    pub(super) reading: Reading<'a>,
    units: HashMap<usize, Unit, foldhash::fast::FixedState>,
    /// Where the search is to end: the end of the image, or of a window.
    pub(super) limit: usize,
    /// The first offset that can be searched.
    base: usize,
    /// One bit for each offset from `base` where no unit begins.
    barren: Vec<u64>,
    /// What all guesses together may still read: hostile bytes cannot make the search quadratic.
    steps: u64,
}

impl<'a> Field<'a> {
    pub(super) fn new(reading: Reading<'a>, searched: Range<usize>) -> Self {
        let len = searched.end.saturating_sub(searched.start);
        let steps = (len as u64).saturating_mul(64).saturating_add(1 << 24);
        let barren = vec![0; len / 64 + 1];
        Self { reading, units: HashMap::default(), limit: searched.end, base: searched.start, barren, steps }
    }

    /// True for a window: the image goes on behind it.
    pub(super) fn is_window(&self) -> bool {
        self.limit < self.len()
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.reading.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.reading.bytes.len()
    }

    /// The unit at an offset.
    pub(super) fn unit(&mut self, at: usize) -> Option<Unit> {
        let (word, bit) = self.barren_bit(at);
        if self.barren.get(word).is_some_and(|word| word >> bit & 1 == 1) {
            return None;
        }
        if let Some(unit) = self.units.get(&at) {
            return Some(*unit);
        }
        let most = if self.steps == 0 { 64 } else { STEPS_OF_A_GUESS };
        let unit = self.reading.unit(at, most);
        // What a failed guess has read is not known any more; its strings took at least one byte each.
        let read = unit.map_or(8, |unit| unit.len() as u64);
        self.steps = self.steps.saturating_sub(read);
        match unit {
            Some(unit) => {
                self.units.insert(at, unit);
            }
            None => self.set_barren(at),
        }
        unit
    }

    fn barren_bit(&self, at: usize) -> (usize, usize) {
        let at = at.checked_sub(self.base).unwrap_or(usize::MAX);
        (at / 64, at % 64)
    }

    fn set_barren(&mut self, at: usize) {
        let (word, bit) = self.barren_bit(at);
        if let Some(word) = self.barren.get_mut(word) {
            *word |= 1 << bit;
        }
    }

    /// Forget all starts in a range, for good.
    pub(super) fn strike(&mut self, range: Range<usize>) {
        for at in range {
            self.units.remove(&at);
            self.set_barren(at);
        }
    }

    /// The unit at an offset, with what speaks for it in this file.
    pub(super) fn weighed(&mut self, at: usize, profile: &Profile) -> Option<(Unit, f64)> {
        let unit = self.unit(at)?;
        Some((unit, profile.bits(&unit)?))
    }
}

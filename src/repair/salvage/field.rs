//! The bytes that are searched, with a memory of what was found at each offset.

use std::collections::HashMap;

use super::profile::Profile;
use super::unit::{Reading, Unit};

/// Strings that one guess may read.
const STEPS_OF_A_GUESS: u32 = 1 << 16;

/// Units by offset, each read once.
pub(super) struct Field<'a> {
    pub(super) reading: Reading<'a>,
    units: HashMap<usize, Unit, foldhash::fast::FixedState>,
    /// One bit for each offset where no unit begins.
    barren: Vec<u64>,
    /// What all guesses together may still read: hostile bytes cannot make the search quadratic.
    steps: u64,
}

impl<'a> Field<'a> {
    pub(super) fn new(reading: Reading<'a>) -> Self {
        let len = reading.bytes.len();
        let steps = (len as u64).saturating_mul(64).saturating_add(1 << 24);
        Self { reading, units: HashMap::default(), barren: vec![0; len / 64 + 1], steps }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.reading.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.reading.bytes.len()
    }

    /// The unit at an offset.
    pub(super) fn unit(&mut self, at: usize) -> Option<Unit> {
        if self.barren.get(at / 64).is_none_or(|word| word >> (at % 64) & 1 == 1) {
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

    fn set_barren(&mut self, at: usize) {
        if let Some(word) = self.barren.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    /// Forget all starts in a range, for good.
    pub(super) fn strike(&mut self, range: std::ops::Range<usize>) {
        for at in range {
            self.units.remove(&at);
            self.set_barren(at);
        }
    }

    /// Put in a unit whose place is known otherwise.
    pub(super) fn plant(&mut self, unit: Unit) {
        if let Some(word) = self.barren.get_mut(unit.start / 64) {
            *word &= !(1 << (unit.start % 64));
        }
        self.units.insert(unit.start, unit);
    }

    /// The unit at an offset, with what speaks for it in this file.
    pub(super) fn weighed(&mut self, at: usize, profile: &Profile) -> Option<(Unit, f64)> {
        let unit = self.unit(at)?;
        Some((unit, profile.bits(&unit)?))
    }
}

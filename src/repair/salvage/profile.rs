//! What keys look like in this file, learned from records that are sure.

use std::collections::{HashMap, HashSet};

use super::shape::Shape;
use super::unit::{Key, Unit, What};

/// Counts of what was seen.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    types: [u32; 256],
    shapes: HashMap<Shape, u32>,
    keys: u32,
    binary: u32,
    usage: u32,
    expires: u32,
    /// Shapes of the elements of the collections that were open where reading failed.
    elements: HashSet<Shape>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            types: [0; 256],
            shapes: HashMap::new(),
            keys: 0,
            binary: 0,
            usage: 0,
            expires: 0,
            elements: HashSet::new(),
        }
    }
}

impl Profile {
    pub(super) fn learn(&mut self, unit: &Unit) {
        let Some(key) = unit.key() else { return };
        if let Some(count) = self.types.get_mut(usize::from(key.value_type)) {
            *count = count.saturating_add(1);
        }
        *self.shapes.entry(key.shape).or_default() += 1;
        self.keys = self.keys.saturating_add(1);
        self.binary = self.binary.saturating_add(u32::from(key.binary));
        self.usage = self.usage.saturating_add(u32::from(key.usage));
        self.expires = self.expires.saturating_add(u32::from(key.expires));
    }

    pub(super) fn learn_element(&mut self, shape: Shape) {
        self.elements.insert(shape);
    }

    pub(super) fn keys(&self) -> u32 {
        self.keys
    }

    pub(super) fn knows(&self, shape: Shape) -> bool {
        self.shapes.contains_key(&shape)
    }

    /// A few keys are enough to tell that this is none of their kind: a name that is no text among names that are, or
    /// a number with a fraction.
    pub(super) fn is_odd(&self, key: &Key) -> bool {
        let no_text = key.binary && self.binary == 0 && self.keys >= 3;
        !self.knows(key.shape) && (no_text || key.shape.is_fraction())
    }

    pub(super) fn is_element(&self, shape: Shape) -> bool {
        self.elements.contains(&shape)
    }

    /// True when more than half of the keys expire.
    pub(super) fn mostly_expires(&self) -> bool {
        self.expires > self.keys / 2
    }

    /// What speaks for a guessed unit; `None` for a key that is an element by its shape.
    pub(super) fn bits(&self, unit: &Unit) -> Option<f64> {
        let What::Key(key) = &unit.what else { return Some(unit.bits) };
        if self.is_element(key.shape) && !self.knows(key.shape) {
            return None;
        }
        Some(unit.bits + self.type_bits(key) + self.shape_bits(key) + self.usage_bits(key))
    }

    fn type_bits(&self, key: &Key) -> f64 {
        match self.types.get(usize::from(key.value_type)) {
            _ if self.keys < 4 => 0.0,
            Some(&seen @ 1..) => (8.0 - (f64::from(self.keys) / f64::from(seen)).log2()).max(1.0),
            _ => -6.0,
        }
    }

    fn shape_bits(&self, key: &Key) -> f64 {
        match self.shapes.get(&key.shape) {
            Some(_) if self.is_element(key.shape) => 0.0,
            Some(&seen) => (6.0 + f64::from(seen).log2()).min(12.0),
            // Scores are stored as text, too, and read like keys.
            None if key.shape.is_fraction() => -12.0,
            None if self.keys >= 10 => -4.0,
            None => 0.0,
        }
    }

    /// A server writes the idle time or frequency of all keys or of none.
    pub(super) fn lacks_usage(&self, key: &Key) -> bool {
        !key.usage && self.usage >= 4 && self.usage.saturating_mul(10) > self.keys.saturating_mul(9)
    }

    fn usage_bits(&self, key: &Key) -> f64 {
        match (key.usage, self.usage > 0) {
            (true, true) => 5.0,
            (true, false) => -3.0,
            (false, _) if self.lacks_usage(key) => -8.0,
            _ => 0.0,
        }
    }
}

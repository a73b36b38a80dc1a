//! Records that swallowed others, and read well all the same.
//!
//! A length that is hit may reach just to the end of a later record. Then nothing is broken; but RESIZEDB counts more
//! keys than there are, and within the record that reaches so far others stand, one behind the other, up to its end.

use std::collections::HashMap;
use std::ops::Range;

use super::field::Field;
use super::unit::{Unit, What};

/// Shorter records hold no others.
const SHORTEST: usize = 64;
/// So many records within another are no accident.
const CHAIN: u32 = 4;

/// The record that holds most others, if keys are missing where it stands.
pub(super) fn holder(field: &mut Field<'_>, units: &[Unit]) -> Option<usize> {
    let mut best = None;
    for section in lacking(units) {
        for index in section {
            let Some(unit) = units.get(index).filter(|unit| unit.key().is_some() && unit.len() >= SHORTEST) else {
                continue;
            };
            let keys = keys_within(field, unit.start + 1..unit.end);
            if keys >= CHAIN && best.is_none_or(|(most, _)| most < keys) {
                best = Some((keys, index));
            }
        }
    }
    best.map(|(_, index)| index)
}

/// The databases that have fewer keys than RESIZEDB says.
fn lacking(units: &[Unit]) -> Vec<Range<usize>> {
    let mut sections = Vec::new();
    let (mut start, mut said, mut keys) = (0, 0u64, 0u64);
    for (index, unit) in units.iter().enumerate() {
        match unit.what {
            What::Resize { keys } => said = keys,
            What::Key(_) => keys = keys.saturating_add(1),
            What::Select(_) | What::End => {
                if keys < said {
                    sections.push(start..index);
                }
                (start, said, keys) = (index, 0, 0);
            }
            What::Other(_) => {}
        }
    }
    sections
}

/// The most keys in a chain of records that ends where the stretch ends.
fn keys_within(field: &mut Field<'_>, stretch: Range<usize>) -> u32 {
    let mut chains: HashMap<usize, u32, foldhash::fast::FixedState> = HashMap::default();
    chains.insert(stretch.end, 0);
    let mut most = 0;
    for at in stretch.clone().rev() {
        let Some(unit) = field.unit(at).filter(|unit| unit.end <= stretch.end) else { continue };
        let Some(&behind) = chains.get(&unit.end) else { continue };
        let keys = behind.saturating_add(u32::from(unit.key().is_some()));
        chains.insert(at, keys);
        most = most.max(keys);
    }
    most
}

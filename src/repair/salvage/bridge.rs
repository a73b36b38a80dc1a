//! Gaps that are none: true records that a guess would not believe.

use super::Origin;
use super::field::Field;
use super::front::{reader, unit_of};
use super::pick::Pick;
use super::unit::Unit;
use crate::rdb::{Record, opcode};
use crate::value::DbIndex;

/// The most records between two chosen units.
const MOST: usize = 3;

/// Fill the gaps that read exactly as one to three key records.
pub(super) fn bridge(field: &mut Field<'_>, picks: Vec<Pick>, origin: Origin) -> Vec<Pick> {
    let mut bridged: Vec<Pick> = Vec::with_capacity(picks.len());
    let mut end = Some(origin.at).filter(|_| origin.is_known);
    for pick in picks {
        if let Some(end) = end.filter(|&end| end < pick.unit.start) {
            let units = between(field, end, pick.unit.start).unwrap_or_default();
            bridged.extend(units.into_iter().map(|unit| Pick::new(unit, 0.0)));
        }
        end = Some(pick.unit.end);
        bridged.push(pick);
    }
    bridged
}

/// The longest prefixes of a record.
const PREFIXES: usize = 16;

/// An expiry that a record took along which is left out now. One in seconds is too short to be told by its bytes.
pub(super) fn prefixes(field: &mut Field<'_>, picks: &mut [Pick]) {
    let mut end = 0;
    for pick in picks.iter_mut().filter(|pick| pick.kept()) {
        let bare = pick.unit.start;
        if bare > end && pick.is_key() {
            let bytes = field.bytes();
            let mut starts = (end.max(bare.saturating_sub(PREFIXES))..bare)
                .filter(|&at| bytes.get(at) == Some(&opcode::EXPIRETIME_MS));
            let longest = starts.find_map(|at| field.unit(at).filter(|unit| unit.end == pick.unit.end));
            pick.unit = longest.unwrap_or(pick.unit);
        }
        end = pick.unit.end;
    }
}

fn between(field: &mut Field<'_>, start: usize, end: usize) -> Option<Vec<Unit>> {
    let mut reader = reader(field, start, DbIndex(0));
    let (mut at, mut units) = (start, Vec::new());
    while at < end {
        let record = reader.next_record().ok()??;
        let next = usize::try_from(reader.offset()).ok().filter(|&next| next <= end)?;
        if !matches!(record, Record::Key(_)) || units.len() == MOST {
            return None;
        }
        units.push(unit_of(field, &record, at, next).ok()?);
        at = next;
    }
    Some(units)
}

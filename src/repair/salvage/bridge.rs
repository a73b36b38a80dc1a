//! Gaps that are none: true records that a guess would not believe.

use super::Origin;
use super::field::Field;
use super::front::{reader, unit_of};
use super::pick::Pick;
use super::unit::Unit;
use crate::rdb::Record;
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

//! Which of the chosen records are not sure enough.

use super::pick::{Pick, Segment};
use super::profile::Profile;
use super::shape::Shape;
use super::unit::{Key, Unit, What};
use crate::rdb::ValueType;

/// The fewest bits of a segment, of its first record, of its only record, of its last record before a gap.
const SEGMENT: f64 = 18.0;
const FIRST: f64 = 8.0;
const ALONE: f64 = 14.0;
const LAST: f64 = 4.0;
/// A value made of this many bits of nested blobs is no accident.
const BLOB: f64 = 30.0;

/// Segments that do not hang on the sound beginning have to carry themselves.
pub(super) fn weak_segments(picks: &mut [Pick], segments: &[Segment], profile: &Profile) {
    for segment in segments.iter().filter(|segment| !segment.from_start) {
        let Some(picks) = picks.get_mut(segment.picks.clone()) else { continue };
        let alone = picks.len() == 1;
        let elements: f64 = picks.iter().filter_map(|pick| pick.unit.key()).map(|key| key.elements).sum();
        let weak = segment.bits < SEGMENT || segment.bits - elements < ALONE;
        if weak && !segment.to_end || alone && segment.bits < ALONE {
            picks.iter_mut().for_each(|pick| pick.doubt("weak-segment"));
            continue;
        }
        if let Some(first) = picks.first_mut().filter(|first| first.is_key() && first.bits < FIRST) {
            first.doubt("weak-record");
        }
        if let Some(last) = picks.last_mut().filter(|last| last.is_key() && last.bits < LAST) {
            last.doubt("weak-record");
        }
        leads(picks, profile);
        if let Some(last) = picks.last_mut().filter(|last| !segment.to_end && ends_anywhere(last, profile)) {
            last.doubt("unknown-key-before-gap");
        }
    }
}

/// Behind a gap nothing is sure before the first unit that cannot be an accident.
fn leads(picks: &mut [Pick], profile: &Profile) {
    for pick in picks {
        match pick.unit.key() {
            Some(key) if key.blob <= BLOB && is_strange(key, profile) => pick.doubt("unknown-key-after-gap"),
            _ => return,
        }
    }
}

/// Before a gap the end of a record is as open as its beginning behind one, unless its value shows it.
fn ends_anywhere(last: &Pick, profile: &Profile) -> bool {
    let few = |key: &Key| key.binary && last.bits < ALONE || is_strange(key, profile) && last.bits < FIRST;
    let is_open = |key: &Key| key.blob == 0.0 && !key.expires && few(key);
    last.unit.key().is_some_and(is_open)
}

/// A key of no known kind; one without a name, which is what zeros look like; or without an idle time or frequency,
/// where all others have one.
fn is_strange(key: &Key, profile: &Profile) -> bool {
    let is_unknown = profile.keys() >= 12 && !profile.knows(key.shape);
    is_unknown || key.empty || profile.is_odd(key) || profile.lacks_usage(key)
}

/// SELECTDB is followed by RESIZEDB, where most are. One that was guessed and is not is none.
pub(super) fn bare_selects(picks: &mut [Pick], segments: &[Segment]) {
    let is_select = |pick: &Pick| matches!(pick.unit.what, What::Select(_));
    let is_sized = |picks: &[Pick]| match picks {
        [select, next, ..] => next.unit.start == select.unit.end && matches!(next.unit.what, What::Resize { .. }),
        _ => false,
    };
    let sized = picks.windows(2).filter(|pair| pair.first().is_some_and(is_select) && is_sized(pair)).count();
    if sized * 2 < picks.iter().filter(|pick| is_select(pick)).count().max(1) {
        return;
    }
    for segment in segments.iter().filter(|segment| !segment.from_start) {
        for index in segment.picks.clone() {
            let bare = picks.get(index..).is_some_and(|rest| rest.first().is_some_and(is_select) && !is_sized(rest));
            if let Some(pick) = picks.get_mut(index).filter(|_| bare) {
                pick.doubt("weak-record");
            }
        }
    }
}

/// Long runs of records that look like elements of a collection whose head was lost.
pub(super) fn runs(picks: &mut [Pick], from: usize, profile: &Profile) {
    let mut run = 0..0usize;
    for index in 0..=picks.len() {
        let odd = picks.get(index).is_some_and(|pick| pick.unit.start >= from && is_stranger(&pick.unit, profile));
        if odd {
            run = if run.end == index { run.start..index + 1 } else { index..index + 1 };
            continue;
        }
        let members = picks.get(run.clone()).unwrap_or_default();
        let is_long = members.len() >= 12 || members.len() >= 6 && most_alike(members) >= 4;
        // No collection goes on behind a SELECTDB.
        if is_long && !begins_a_database(picks, run.start, profile) {
            picks.get_mut(run).unwrap_or_default().iter_mut().for_each(|pick| pick.doubt("run-of-unknown-keys"));
        }
        run = index + 1..index + 1;
    }
}

/// True when SELECTDB stands right before a unit, and right before that a key of a known kind.
fn begins_a_database(picks: &[Pick], start: usize, profile: &Profile) -> bool {
    let before = picks.get(..start).unwrap_or_default();
    let is_mark = |pick: &Pick| pick.kept() && matches!(pick.unit.what, What::Select(_) | What::Resize { .. });
    let marks = before.iter().rev().take_while(|pick| is_mark(pick)).count();
    let joined = start.checked_sub(marks + 1).and_then(|from| picks.get(from..=start)).unwrap_or_default();
    let is_chain = joined.windows(2).all(|pair| matches!(pair, [one, next] if one.unit.end == next.unit.start));
    let is_known = |pick: &Pick| pick.is_key() && pick.kept() && !is_stranger(&pick.unit, profile);
    marks > 0 && is_chain && joined.first().is_some_and(is_known)
}

fn is_stranger(unit: &Unit, profile: &Profile) -> bool {
    unit.key().is_some_and(|key| {
        !key.expires && key.blob == 0.0 && !profile.knows(key.shape) && stores_elements(key.value_type)
    })
}

/// Strings and collections that store their elements one by one: what elements look like when they are read as records.
fn stores_elements(value_type: u8) -> bool {
    [ValueType::String, ValueType::List, ValueType::Set, ValueType::Zset, ValueType::Hash, ValueType::Zset2]
        .iter()
        .any(|known| known.byte() == value_type)
}

fn most_alike(picks: &[Pick]) -> usize {
    let mut shapes: Vec<Shape> = picks.iter().filter_map(|pick| pick.unit.key().map(|key| key.shape)).collect();
    shapes.sort_unstable();
    shapes.chunk_by(|a, b| a == b).map(<[Shape]>::len).max().unwrap_or(0)
}

/// RESIZEDB says how many keys a database has: when there are more, some are made up. A database ends where the next is
/// selected, or where that was lost and the keys are taken for the next one's.
pub(super) fn budgets(picks: &mut [Pick], from: usize, profile: &Profile) {
    let mut section = 0;
    let mut db = None;
    for index in 0..=picks.len() {
        let ends = picks.get(index).is_none_or(|pick| {
            let is_other = pick.is_key() && db.replace(pick.db).is_some_and(|before| before != pick.db);
            is_other || pick.selected().is_some()
        });
        if ends {
            if let Some(picks) = picks.get_mut(section..index) {
                fit_budget(picks, from, profile);
            }
            section = index;
        }
    }
}

fn fit_budget(picks: &mut [Pick], from: usize, profile: &Profile) {
    let budget = picks.iter().find_map(|pick| match pick.unit.what {
        What::Resize { keys } if pick.kept() => usize::try_from(keys).ok(),
        _ => None,
    });
    let Some(budget) = budget else { return };
    let kept = picks.iter().filter(|pick| pick.kept() && pick.is_key()).count();
    let mut excess = kept.saturating_sub(budget);
    if excess == 0 {
        return;
    }
    for lead in unknown_leads(picks, from, profile) {
        if excess == 0 {
            return;
        }
        if let Some(pick) = picks.get_mut(lead) {
            pick.doubt("more-keys-than-resizedb");
            excess -= 1;
        }
    }
    let mut runs = unknown_runs(picks, from, profile);
    runs.sort_by_key(|run| std::cmp::Reverse(run.len()));
    for run in runs {
        if excess == 0 {
            return;
        }
        for pick in picks.get_mut(run).unwrap_or_default() {
            pick.doubt("more-keys-than-resizedb");
            excess = excess.saturating_sub(1);
        }
    }
}

/// Records of unknown shape at the beginning of segments behind gaps.
fn unknown_leads(picks: &[Pick], from: usize, profile: &Profile) -> Vec<usize> {
    let mut leads = Vec::new();
    let mut leading = false;
    let mut end = None;
    for (index, pick) in picks.iter().enumerate() {
        leading |= end.is_some_and(|end| end != pick.unit.start);
        end = Some(pick.unit.end);
        let unknown = pick.unit.key().is_some_and(|key| !profile.knows(key.shape));
        leading &= unknown;
        if leading && pick.kept() && pick.unit.start >= from {
            leads.push(index);
        }
    }
    leads
}

/// Runs of one type and one unknown shape.
fn unknown_runs(picks: &[Pick], from: usize, profile: &Profile) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    let mut last = None;
    for (index, pick) in picks.iter().enumerate() {
        let kind = pick
            .unit
            .key()
            .filter(|key| pick.kept() && pick.unit.start >= from && !profile.knows(key.shape))
            .map(|key| (key.value_type, key.shape));
        match runs.last_mut() {
            Some(run) if kind.is_some() && kind == last => run.end = index + 1,
            _ if kind.is_some() => runs.push(index..index + 1),
            _ => {}
        }
        last = kind;
    }
    runs
}

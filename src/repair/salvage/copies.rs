//! Blocks that stand in the file twice: a copy that was written over something, or pushed between.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::pick::{Looks, Pick, Segment, segment_of};
use super::unit::{Unit, What};

/// A duplicated block is at least this long.
const BLOCK: usize = 40;
/// Fewer marks than this stand between two keys.
const MARKS: usize = 8;

/// Databases are written once, in ascending order: a SELECTDB that does not ascend is a copy. But merged images, and
/// those of servers with shards, come back to a database: then all marks are believed but for those of islands.
/// Tells whether the image comes back.
pub(super) fn false_marks(picks: &mut [Pick], segments: &[Segment], twins: &[Option<usize>]) -> bool {
    let sure = sure_marks(picks, segments, twins);
    let comes_back = comes_back(picks, &sure);
    let descending = if comes_back { Vec::new() } else { descending(picks, segments, &sure) };
    let mut islands: Vec<usize> = (0..picks.len()).filter(|&index| is_mark(picks, index)).collect();
    islands.retain(|&index| segment_of(segments, index).is_some_and(Segment::is_island));
    let dropped: HashSet<usize> = descending.iter().copied().collect();
    islands.retain(|index| !dropped.contains(index));
    islands.retain(|&index| only_fills_the_budget_before(picks, index));
    for copy in descending.into_iter().chain(islands) {
        drop_select(picks, copy);
    }
    comes_back
}

/// Marks that do not ascend: of two that contradict each other the one that is not sure, or in the weaker segment.
fn descending(picks: &[Pick], segments: &[Segment], sure: &HashSet<usize>) -> Vec<usize> {
    let mut looks = Looks::at(picks);
    let weight = |index: usize| segment_of(segments, index).map_or((0, 0.0), Segment::weight);
    let mut selects: Vec<(usize, u32)> = Vec::new();
    let mut copies = Vec::new();
    for (index, pick) in picks.iter().enumerate() {
        let Some(db) = pick.selected() else { continue };
        while let Some(&(before, _)) = selects.last().filter(|&&(_, before)| before >= db) {
            let is_same = selects.last().is_some_and(|&(_, last)| last == db);
            let around = if is_same { around(picks, before, index) } else { 0..0 };
            let excess = |kept, copy| excess(picks, &around, kept, copy);
            let can_be_told = is_same && looks.take(around.len());
            let fits_better = can_be_told && excess(before, index) > excess(index, before);
            let is_weaker = fits_better || weight(before) < weight(index);
            if is_weaker && !sure.contains(&before) && selects.len() > 1 {
                copies.push(before);
                selects.pop();
            } else {
                break;
            }
        }
        match selects.last() {
            Some(&(_, before)) if before >= db => copies.push(index),
            _ => selects.push((index, db)),
        }
    }
    copies
}

/// The marks where no block was copied to: keys stand before and behind them in a chain that hangs on the beginning or
/// the end, and those behind them stand nowhere else. One key behind is enough where RESIZEDB tells of no more.
fn sure_marks(picks: &[Pick], segments: &[Segment], twins: &[Option<usize>]) -> HashSet<usize> {
    let is_key = |index: usize| picks.get(index).is_some_and(Pick::is_key);
    let followers = |&index: &usize| {
        let segment = segment_of(segments, index).filter(|one| !one.is_island())?;
        // The first unit behind a gap is the least sure of all, and a chain without a beginning needs more to hold.
        let (first, wanted) = if segment.from_start { (0, 1) } else { (segment.picks.start + 1, 2) };
        index.checked_sub(1).filter(|&before| before >= first && segment.picks.contains(&before) && is_key(before))?;
        let behind = (index + 1..segment.picks.end).take_while(|&behind| !is_mark(picks, behind));
        let keys: Vec<usize> = behind.filter(|&behind| is_key(behind)).take(wanted).collect();
        let is_only = |&key: &usize| resized(units(picks.get(index..key).unwrap_or_default())) == Some(1);
        (keys.len() == wanted || keys.first().is_some_and(is_only)).then_some((index, keys))
    };
    let marks = (0..picks.len()).filter(|&index| is_mark(picks, index));
    let inside: Vec<(usize, Vec<usize>)> = marks.filter_map(|index| followers(&index)).collect();
    if inside.is_empty() {
        return HashSet::new();
    }
    let originals: HashSet<usize> = twins.iter().flatten().copied().collect();
    let stands_once = |key: &usize| !originals.contains(key) && twins.get(*key).copied().flatten().is_none();
    inside.into_iter().filter(|(_, keys)| keys.iter().all(stands_once)).map(|(index, _)| index).collect()
}

/// Is an earlier database selected by a mark that is sure?
fn comes_back(picks: &[Pick], sure: &HashSet<usize>) -> bool {
    let mut last = None;
    let mut goes_back = |db: u32| last.replace(db).is_some_and(|before| db < before);
    picks.iter().enumerate().any(|(index, pick)| pick.selected().is_some_and(&mut goes_back) && sure.contains(&index))
}

fn is_mark(picks: &[Pick], index: usize) -> bool {
    picks.get(index).is_some_and(|pick| pick.selected().is_some())
}

/// From the mark before two marks to the one behind them.
fn around(picks: &[Pick], one: usize, other: usize) -> Range<usize> {
    let before = (0..one).rev().find(|&index| is_mark(picks, index)).unwrap_or(0);
    let behind = (other + 1..picks.len()).find(|&index| is_mark(picks, index)).unwrap_or(picks.len());
    before..behind
}

/// How many keys too many the databases have, by RESIZEDB, if of two marks of one database `kept` is the true one and
/// `copy` is none.
fn excess(picks: &[Pick], around: &Range<usize>, kept: usize, copy: usize) -> u64 {
    let too_many = |section: Range<usize>| {
        let own = |index: &usize| *index != copy && index.checked_sub(1) != Some(copy);
        let units = || section.clone().filter(own).filter_map(|index| picks.get(index)).map(|pick| pick.unit);
        let said = resized(units());
        let keys = units().filter(|unit| unit.key().is_some()).count() as u64;
        said.map_or(0, |said| keys.saturating_sub(said))
    };
    too_many(around.start..kept).saturating_add(too_many(kept..around.end))
}

/// True when the keys up to the next SELECTDB are just those that the database before still lacks, and not just those
/// that the mark's own RESIZEDB tells.
fn only_fills_the_budget_before(picks: &[Pick], select: usize) -> bool {
    let is_select = |pick: &Pick| pick.selected().is_some();
    let keys = |picks: &[Pick]| picks.iter().filter(|pick| pick.is_key()).count() as u64;
    let (before, behind) = picks.split_at(select);
    let begin = before.iter().rposition(is_select).unwrap_or(0);
    let before = before.get(begin..).unwrap_or_default();
    let end = behind.iter().skip(1).position(is_select).map_or(behind.len(), |at| at + 1);
    let behind = behind.get(..end).unwrap_or_default();
    let resized = |picks| resized(units(picks));
    resized(before) == Some(keys(before) + keys(behind)) && resized(behind) != Some(keys(behind))
}

fn units(picks: &[Pick]) -> impl Iterator<Item = Unit> {
    picks.iter().map(|pick| pick.unit)
}

/// How many keys the first RESIZEDB tells.
fn resized(mut units: impl Iterator<Item = Unit>) -> Option<u64> {
    units.find_map(|unit| match unit.what {
        What::Resize { keys } => Some(keys),
        _ => None,
    })
}

fn drop_select(picks: &mut [Pick], select: usize) {
    if let Some(pick) = picks.get_mut(select) {
        pick.drop("copied-block");
    }
    if let Some(pick) = picks.get_mut(select + 1).filter(|pick| matches!(pick.unit.what, What::Resize { .. })) {
        pick.drop("copied-block");
    }
}

/// Records that exist byte for byte elsewhere.
pub(super) fn copies(picks: &mut [Pick], segments: &[Segment], originals: &[Option<usize>]) {
    if segments.len() < 2 {
        return;
    }
    let mut twins = originals.to_vec();
    mirrored(picks, &mut twins);
    let mut dropped: HashSet<usize> = foreign_blocks(segments, &twins).into_iter().collect();
    // A copy of a copy is the original.
    for twin in &mut twins {
        *twin = twin.filter(|twin| !dropped.contains(twin));
    }
    for segment in segments.iter().skip(1) {
        dropped.extend(leading_copy(segment, picks, &twins));
    }
    // A copy may stand before the original as well.
    let mut later: Vec<Option<usize>> = vec![None; picks.len()];
    for (index, twin) in twins.iter().enumerate().filter(|(index, _)| !dropped.contains(index)) {
        if let Some(slot) = twin.and_then(|twin| later.get_mut(twin)) {
            *slot = Some(index);
        }
    }
    for segment in segments.iter().skip(1) {
        dropped.extend(leading_copy(segment, picks, &later));
    }
    let broken = broken_copies(segments, picks, originals, &dropped);
    dropped.extend(broken);
    for index in dropped {
        if let Some(pick) = picks.get_mut(index) {
            pick.drop("copied-block");
        }
    }
}

/// For each key the first record that is the same, byte for byte, if that is another.
pub(super) fn twins(picks: &[Pick], image: &[u8]) -> Vec<Option<usize>> {
    let mut first: HashMap<u64, usize> = HashMap::new();
    let mut twins: Vec<Option<usize>> = vec![None; picks.len()];
    for (index, pick) in picks.iter().enumerate().filter(|(_, pick)| pick.is_key()) {
        let twin = *first.entry(xxhash_rust::xxh3::xxh3_64(pick.raw(image))).or_insert(index);
        let is_copy = twin != index && picks.get(twin).is_some_and(|twin| twin.raw(image) == pick.raw(image));
        if let Some(slot) = twins.get_mut(index).filter(|_| is_copy) {
            *slot = Some(twin);
        }
    }
    twins
}

/// Databases may hold the same records without any damage: of those none is a copy. At least half of the one's records
/// stand in the other, and some of them as far behind its marks.
fn mirrored(picks: &[Pick], twins: &mut [Option<usize>]) {
    let places = places(picks);
    let pair = |index: usize, twin: &Option<usize>| {
        let (here, there) = (places.get(index)?, places.get((*twin)?)?);
        (here.mark != there.mark).then_some(((there.mark, here.mark), here.distance == there.distance))
    };
    let mut keys: HashMap<usize, usize> = HashMap::new();
    for (place, _) in places.iter().zip(picks).filter(|(_, pick)| pick.is_key()) {
        *keys.entry(place.mark).or_default() += 1;
    }
    let mut alike: HashMap<(usize, usize), (usize, usize)> = HashMap::new();
    for (databases, is_same_place) in twins.iter().enumerate().filter_map(|(index, twin)| pair(index, twin)) {
        let (all, placed) = alike.entry(databases).or_default();
        *all += 1;
        *placed += usize::from(is_same_place);
    }
    let keys = |mark: usize| keys.get(&mark).copied().unwrap_or_default();
    alike.retain(|&(one, other), &mut (all, placed)| placed > 0 && all * 2 >= keys(one).min(keys(other)));
    for (index, twin) in twins.iter_mut().enumerate() {
        *twin = twin.filter(|_| !pair(index, twin).is_some_and(|(databases, _)| alike.contains_key(&databases)));
    }
}

/// Where a record stands in its database.
struct Place {
    /// The index of the database's SELECTDB.
    mark: usize,
    /// Bytes from the end of its marks.
    distance: usize,
}

fn places(picks: &[Pick]) -> Vec<Place> {
    let (mut mark, mut first) = (0, 0);
    let place = |(index, pick): (usize, &Pick)| {
        if pick.selected().is_some() {
            (mark, first) = (index, pick.unit.end);
        } else if matches!(pick.unit.what, What::Resize { .. }) && pick.unit.start == first {
            first = pick.unit.end;
        }
        Place { mark, distance: pick.unit.start.saturating_sub(first) }
    };
    picks.iter().enumerate().map(place).collect()
}

/// A record of an island that stands in a stronger segment as well.
fn foreign_blocks(segments: &[Segment], twins: &[Option<usize>]) -> Vec<usize> {
    let mut dropped = Vec::new();
    for (index, twin) in twins.iter().enumerate() {
        let Some(twin) = *twin else { continue };
        let (Some(here), Some(there)) = (segment_of(segments, index), segment_of(segments, twin)) else { continue };
        if here.picks == there.picks {
            continue;
        }
        if here.is_island() && here.weight() <= there.weight() {
            dropped.push(index);
        } else if there.is_island() && there.weight() < here.weight() {
            dropped.push(twin);
        }
    }
    dropped
}

/// The last record of a copied block that ends inside of it: it has the head of the one that follows in the original.
fn broken_copies(
    segments: &[Segment],
    picks: &[Pick],
    twins: &[Option<usize>],
    dropped: &HashSet<usize>,
) -> Vec<usize> {
    let name = |index: usize| Some(picks.get(index)?.unit.key()?.name);
    let is_broken = |&index: &usize| {
        let before = index.checked_sub(1).filter(|before| dropped.contains(before));
        let original = before.and_then(|before| twins.get(before).copied().flatten());
        original.is_some_and(|original| name(index).is_some() && name(original + 1) == name(index))
    };
    let islands = segments.iter().filter(|segment| segment.is_island());
    islands.filter_map(|island| island.picks.clone().next_back().filter(is_broken)).collect()
}

/// The records right behind a gap that stand elsewhere, byte for byte.
fn leading_copy(segment: &Segment, picks: &[Pick], twins: &[Option<usize>]) -> Vec<usize> {
    let is_key = |index: &usize| picks.get(*index).is_some_and(Pick::is_key);
    let name = |index: usize| Some(picks.get(index)?.unit.key()?.name);
    let twin = |index: usize| twins.get(index).copied().flatten();
    // A block may begin behind the expiry of its first record, which then is another.
    let is_bare = |&index: &usize| {
        let original = twin(index + 1).and_then(|next| next.checked_sub(1)).filter(|_| index == segment.picks.start);
        original.is_some_and(|original| name(index).is_some() && name(original) == name(index))
    };
    // One after the other, as in the block that was copied.
    let mut before: Option<usize> = None;
    let mut follows = |index: usize| {
        let here = twin(index);
        let next = before.and_then(|before| (before + 1..picks.len()).take(MARKS).find(is_key));
        let is_next = before.is_none() || here == next;
        before = here;
        here.is_some() && is_next
    };
    // The mark of a database was copied with the keys around it.
    let mut run: Vec<usize> =
        segment.picks.clone().take_while(|index| !is_key(index) || is_bare(index) || follows(*index)).collect();
    run.truncate(run.iter().rposition(is_key).map_or(0, |last| last + 1));
    run.retain(is_key);
    let len: usize = run.iter().filter_map(|&index| picks.get(index)).map(|pick| pick.unit.len()).sum();
    if run.len() >= 2 && len >= BLOCK { run } else { Vec::new() }
}

/// One key of one name in a database: the record in the stronger segment wins, and never the one that touches a gap.
pub(super) fn duplicate_keys(picks: &mut [Pick], segments: &[Segment]) {
    let strength = |index: usize| {
        let inner = |segment: &Segment| {
            let after_gap = index == segment.picks.start && !segment.from_start;
            let before_gap = index + 1 == segment.picks.end && !segment.to_end;
            !after_gap && !before_gap
        };
        segment_of(segments, index).map_or((false, (0, 0.0)), |segment| (inner(segment), segment.weight()))
    };
    let mut seen: HashMap<(u32, u64), usize> = HashMap::new();
    let mut losers = Vec::new();
    for (index, pick) in picks.iter().enumerate() {
        let Some(key) = pick.unit.key().filter(|_| !matches!(pick.fate, super::pick::Fate::Dropped(_))) else {
            continue;
        };
        let winner = seen.entry((pick.db, key.name)).or_insert(index);
        if *winner == index {
            continue;
        }
        let kept = |index: usize| picks.get(index).is_some_and(Pick::kept);
        if (kept(index), strength(index)) > (kept(*winner), strength(*winner)) {
            losers.push(*winner);
            *winner = index;
        } else {
            losers.push(index);
        }
    }
    for loser in losers {
        if let Some(pick) = picks.get_mut(loser) {
            pick.drop("rdb-duplicate-key");
        }
    }
}

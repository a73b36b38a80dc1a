//! Which database each key belongs to when a SELECTDB may have been lost in a gap.

use std::collections::HashMap;
use std::ops::Range;

use super::pick::{Looks, Pick};
use super::unit::What;

/// Say for each pick which database it is in; the first ones are in `first`. Gives the picks whose database is a guess.
/// Databases come once, unless the file `comes_back` to them.
pub(super) fn assign(picks: &mut [Pick], bytes: &[u8], first: u32, comes_back: bool) -> Vec<Range<usize>> {
    let mut uncertain = Vec::new();
    let mut state = State { db: first, comes_back, ..State::default() };
    let last = highest(picks);
    let mut looks = Looks::at(picks);
    let mut stretch = 0..0;
    let mut end = picks.first().map_or(0, |pick| pick.unit.start);
    let mut index = 0;
    while let Some(mut pick) = picks.get(index).copied() {
        let gap = pick.unit.start != end;
        end = pick.unit.end;
        if gap && !matches!(pick.unit.what, What::Select(_)) {
            let select = if index < stretch.end { stretch.end } else { next_select(picks, index) };
            stretch = index..select;
            let can_be_told = state.db < last && looks.take(stretch.len());
            if can_be_told && state.lost_select(picks, &stretch, bytes) {
                state.enter(state.db.saturating_add(1));
            } else if let Some(copy) = picks.get_mut(index).filter(|pick| is_resize(pick)) {
                copy.drop("copied-block");
            }
            uncertain.push(stretch.clone());
            pick = picks.get(index).copied().unwrap_or(pick);
        }
        // What stands behind a mark that is not believed may be of its database after all.
        if matches!(pick.unit.what, What::Select(_)) && !pick.kept() && index >= stretch.end {
            stretch = index..next_select(picks, index);
            uncertain.push(stretch.clone());
        }
        if pick.kept() {
            match pick.unit.what {
                What::Select(db) => state.enter(db),
                What::Resize { keys } => state.budget = Some(keys),
                _ => {}
            }
        }
        state.take(&pick, bytes);
        if let Some(pick) = picks.get_mut(index) {
            pick.db = state.db;
        }
        index += 1;
    }
    uncertain
}

/// The last database of all: servers have sixteen unless they are told otherwise, and do not start with more.
fn highest(picks: &[Pick]) -> u32 {
    picks.iter().filter_map(Pick::selected).max().unwrap_or_default().max(15)
}

fn is_resize(pick: &Pick) -> bool {
    matches!(pick.unit.what, What::Resize { .. })
}

fn next_select(picks: &[Pick], from: usize) -> usize {
    let behind = picks.get(from..).unwrap_or_default();
    behind.iter().position(|pick| pick.selected().is_some()).map_or(picks.len(), |at| from + at)
}

/// The database being read.
#[derive(Default)]
struct State {
    db: u32,
    comes_back: bool,
    budget: Option<u64>,
    /// Names and a hash of the record.
    keys: HashMap<u64, u64>,
}

impl State {
    fn enter(&mut self, db: u32) {
        if db != self.db {
            *self = Self { db, comes_back: self.comes_back, ..Self::default() };
        }
    }

    fn take(&mut self, pick: &Pick, bytes: &[u8]) {
        if let Some(key) = pick.unit.key().filter(|_| pick.kept()) {
            self.keys.entry(key.name).or_insert_with(|| record_hash(pick, bytes));
        }
    }

    /// True when the picks of a stretch behind a gap are those of the next database.
    fn lost_select(&self, picks: &[Pick], stretch: &Range<usize>, bytes: &[u8]) -> bool {
        let members = picks.get(stretch.clone()).unwrap_or_default();
        let next = picks.get(stretch.end).map(|pick| pick.unit.what);
        // Where a database that comes once is selected further on, this is a copy of its beginning.
        let has_room =
            self.comes_back || !matches!(next, Some(What::Select(next)) if next <= self.db.saturating_add(1));
        if members.first().is_some_and(is_resize) {
            return has_room;
        }
        let (mut differing, mut identical, mut keys) = (0u32, 0u32, 0u64);
        for pick in members.iter().filter(|pick| pick.kept()) {
            let Some(key) = pick.unit.key() else { continue };
            keys += 1;
            match self.keys.get(&key.name) {
                Some(&hash) if hash == record_hash(pick, bytes) => identical += 1,
                Some(_) => differing += 1,
                None => {}
            }
        }
        let over = self.budget.is_some_and(|budget| keys + self.keys.len() as u64 > budget);
        let collide = differing >= 2 && differing > identical;
        match next {
            Some(What::Select(_)) => has_room && (collide || over && differing > 0),
            // Files from before RESIZEDB have no budget: then many collisions have to do.
            _ if self.budget.is_none() => differing >= 4 && differing > identical * 2,
            _ => over && differing > 0,
        }
    }
}

fn record_hash(pick: &Pick, bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(pick.raw(bytes))
}

//! RDB salvage: every record that is intact, before and behind each damage, and none that never was.
//!
//! Records stand one behind the other without a mark between them, so behind a damage nothing says where the next one
//! begins. What is done:
//!
//! 1. The image is read as a server reads it up to the first failure ([`front`]). All but the last records before it are
//!    trusted: two records that follow one another prove each other.
//! 2. From there on every offset is tried as the start of a unit, read as writers write it ([`unit`]): what no server
//!    writes is refused. Chains of strong units are trusted and not searched inside ([`search`]).
//! 3. What speaks for each unit is counted in bits: blobs that walk, lengths that fit, keys that look like the keys
//!    seen so far ([`profile`]). The likeliest chain is found by dynamic programming ([`path`]).
//! 4. That is done twice; the second time the profile knows the end of the file as well.
//! 5. Elements of a collection that was open look like records: they are recognised and left out ([`open`]).
//! 6. What remains is judged: weak beginnings behind gaps, runs of keys like no other, more keys than RESIZEDB counts
//!    ([`doubt`]), blocks that stand there twice ([`copies`]).
//! 7. Keys get their databases, also where a SELECTDB was lost ([`databases`]).
//!
//! Nothing in a guess costs more than the bytes it reads, and all guesses share one account: hostile bytes cannot make
//! the search quadratic.

mod body;
mod bridge;
mod copies;
mod databases;
mod doubt;
mod field;
mod front;
mod open;
mod path;
mod pick;
mod profile;
mod search;
mod shape;
mod strict;
mod unit;

pub use body::first_version;

use std::ops::Range;

use crate::bytes::Budget;
use crate::check::value::Inspector;
use crate::rdb::{self, Dialect};
use field::Field;
use path::Chosen;
use pick::{Fate, Pick};
use profile::Profile;
use unit::{Reading, What};

/// What a salvage decided about one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Its bytes.
    pub range: Range<usize>,
    /// What it is.
    pub kind: KeptKind,
    /// The database it belongs to.
    pub db: u32,
    /// Why it is not sure, when it is not.
    pub doubt: Option<&'static str>,
    /// It begins behind a gap without an expiry, and most keys of the file have one: its own may be lost.
    pub expiry_unknown: bool,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptKind {
    /// A key, with or without an expiry.
    Key {
        /// It has one.
        expires: bool,
    },
    /// SELECTDB.
    Select,
    /// RESIZEDB; its numbers are not to be believed.
    Resize,
    /// Any other record, by its opcode.
    Other(u8),
    /// The end mark and the sum.
    End,
}

/// What a salvage found.
#[derive(Debug, Clone, Default)]
pub struct Salvaged {
    /// The records, in order.
    pub records: Vec<Kept>,
    /// Where reading failed first, and why; `None` when the structure is sound.
    pub failure: Option<(usize, rdb::Error)>,
    /// Bytes of records whose database is a guess.
    pub db_uncertain: Vec<Range<usize>>,
    /// Records that read well and are left out all the same, and why.
    pub dropped: Vec<(Range<usize>, &'static str)>,
}

/// Salvage an image whose records begin at `from`.
#[must_use]
pub fn salvage(bytes: &[u8], from: usize, version: u32, dialect: Dialect, budget: &Budget) -> Salvaged {
    let reading = Reading { bytes, version, dialect, inspector: Inspector::new(budget), scratch: Vec::new() };
    let mut field = Field::new(reading);
    let front = front::read(&mut field, from);
    let sound = front.failure.is_none() && front.units.last().is_some_and(|unit| unit.end == bytes.len());
    if sound {
        let picks = front.units.iter().map(|unit| Pick::new(*unit, 0.0)).collect();
        return finish(&mut field, picks, from, bytes.len(), &Profile::default(), None);
    }
    Salvage::new(field, front, from).run()
}

struct Salvage<'a> {
    field: Field<'a>,
    front: front::Front,
    from: usize,
    /// Where the search begins.
    r0: usize,
    /// How many of the front's units are trusted.
    trusted: usize,
}

impl<'a> Salvage<'a> {
    fn new(field: Field<'a>, mut front: front::Front, from: usize) -> Self {
        if front.failure.is_none() {
            // An end mark that is none: what follows it says so.
            let false_end = front.units.pop().map_or(from, |unit| unit.start);
            let error = rdb::Error::invalid(false_end as u64, "rdb-data-after-end", "the image goes on behind its end");
            front.failure = Some((false_end, error));
        }
        let mut learned = Profile::default();
        front.units.iter().for_each(|unit| learned.learn(unit));
        let trusted = front.trusted(&learned);
        let r0 = front.units.get(trusted).map_or(from, |unit| unit.start);
        Self { field, front, from, r0, trusted }
    }

    fn run(mut self) -> Salvaged {
        let failure = self.front.failure.as_ref().map_or(self.from, |(at, _)| *at);
        let open = open::head(&self.field, failure);
        let mut profile = self.learned();
        if open.is_some_and(|head| open::reaches_the_end(&self.field, &head)) {
            let picks = self.front.units.iter().map(|unit| Pick::new(*unit, 0.0)).collect();
            let failure = self.front.failure.take();
            return finish(&mut self.field, picks, self.from, failure_end(&failure), &profile, failure);
        }
        let path = self.choose(&profile, failure);
        profile = self.learned();
        learn_from_path(&mut profile, &path, self.field.len());
        let path = self.choose(&profile, failure);
        self.judge(path, &profile)
    }

    /// The profile of the trusted front and of the collections that were open where it failed.
    fn learned(&self) -> Profile {
        let mut profile = Profile::default();
        self.front.units.iter().take(self.trusted).for_each(|unit| profile.learn(unit));
        let failure = self.front.failure.as_ref().map(|(at, _)| *at);
        let last = self.front.units.last().map(|unit| unit.start);
        for start in [failure, last].into_iter().flatten() {
            if let Some(head) = open::head(&self.field, start) {
                open::learn(&self.field, &head, &mut profile);
            }
        }
        profile
    }

    /// The likeliest path, without the tails of open collections.
    fn choose(&mut self, profile: &Profile, failure: usize) -> Vec<Chosen> {
        let len = self.field.len();
        let starts = search::search(&mut self.field, profile, self.r0);
        let path = path::choose(&starts, self.r0, len);
        if !open::is_supported(self.field.reading.dialect) {
            return path;
        }
        let failures = failures(&path, failure, self.front.units.last().map(|unit| unit.start));
        let tails = open::tails(&mut self.field, profile, &path, &failures);
        if tails.is_empty() {
            return path;
        }
        for range in tails {
            self.field.strike(range);
        }
        let starts = search::search(&mut self.field, profile, self.r0);
        path::choose(&starts, self.r0, len)
    }

    fn judge(mut self, path: Vec<Chosen>, profile: &Profile) -> Salvaged {
        let front = self.front.units.iter().take(self.trusted).map(|unit| Pick::new(*unit, 0.0));
        let picks: Vec<Pick> = front.chain(path.into_iter().map(|(unit, bits)| Pick::new(unit, bits))).collect();
        let picks = bridge::bridge(&mut self.field, picks, self.from);
        let failure = self.front.failure.take();
        finish(&mut self.field, picks, self.from, self.r0, profile, failure)
    }
}

fn failure_end(failure: &Option<(usize, rdb::Error)>) -> usize {
    failure.as_ref().map_or(0, |(at, _)| *at)
}

/// Where reading fails along a path, and the record before each place.
fn failures(path: &[Chosen], first: usize, before: Option<usize>) -> Vec<(usize, Option<usize>)> {
    let mut failures = vec![(first, before)];
    for pair in path.windows(2) {
        if let [(unit, _), (next, _)] = pair {
            if unit.end != next.start && unit.end > first {
                failures.push((unit.end, Some(unit.start)));
            }
        }
    }
    failures
}

/// Learn from the end of the file: the last quarter of the chain that reaches it. A chain's beginning may be false.
fn learn_from_path(profile: &mut Profile, path: &[Chosen], len: usize) {
    let begins = |index: usize| {
        let (before, here) = (index.checked_sub(1).and_then(|i| path.get(i)), path.get(index));
        before.zip(here).is_some_and(|(before, here)| before.0.end != here.0.start)
    };
    let cuts: Vec<usize> = (0..=path.len()).filter(|&i| i == 0 || i == path.len() || begins(i)).collect();
    let chains = cuts.windows(2).filter_map(|cut| match cut {
        [start, end] => path.get(*start..*end),
        _ => None,
    });
    let chains: Vec<&[Chosen]> = chains.collect();
    let to_end = chains
        .last()
        .filter(|chain| chain.last().is_some_and(|(unit, _)| unit.end == len && matches!(unit.what, What::End)));
    if let Some(chain) = to_end {
        let from = chain.len() - chain.len() / 4;
        chain.iter().skip(from).for_each(|(unit, _)| profile.learn(unit));
    } else if profile.keys() < 12 {
        for chain in chains {
            let bits: f64 = chain.iter().map(|(_, bits)| bits).sum();
            if chain.len() >= 4 && bits > 80.0 {
                chain.iter().skip(2).for_each(|(unit, _)| profile.learn(unit));
            }
        }
    }
}

/// Judge the picks and hand them out.
fn finish(
    field: &mut Field<'_>,
    mut picks: Vec<Pick>,
    from: usize,
    r0: usize,
    profile: &Profile,
    failure: Option<(usize, rdb::Error)>,
) -> Salvaged {
    let bytes = field.bytes();
    let segments = pick::segments(&picks, from);
    if failure.is_some() {
        copies::databases_ascend(&mut picks, &segments);
        doubt::weak_segments(&mut picks, &segments, profile);
        doubt::runs(&mut picks, r0, profile);
        copies::copies(&mut picks, &segments, bytes);
    }
    let uncertain = databases::assign(&mut picks, bytes);
    copies::duplicate_keys(&mut picks, &segments);
    if failure.is_some() {
        doubt::budgets(&mut picks, r0, profile);
    }
    let range = |picks: &[Pick]| Some(picks.first()?.unit.start..picks.last()?.unit.end);
    let db_uncertain = uncertain.into_iter().filter_map(|stretch| picks.get(stretch).and_then(range)).collect();
    let dropped = picks.iter().filter_map(|pick| match pick.fate {
        Fate::Dropped(why) => Some((pick.unit.start..pick.unit.end, why)),
        _ => None,
    });
    let dropped = dropped.collect();
    let mut records: Vec<Kept> = picks.iter().filter_map(kept).collect();
    if profile.mostly_expires() {
        let mut end = from;
        for record in &mut records {
            let bare = record.kind == KeptKind::Key { expires: false };
            record.expiry_unknown = bare && record.range.start != end;
            end = record.range.end;
        }
    }
    Salvaged { records, failure, db_uncertain, dropped }
}

fn kept(pick: &Pick) -> Option<Kept> {
    let doubt = match pick.fate {
        Fate::Keep => None,
        Fate::Doubtful(why) => Some(why),
        Fate::Dropped(_) => return None,
    };
    let kind = match pick.unit.what {
        What::Key(key) => KeptKind::Key { expires: key.expires },
        What::Select(_) => KeptKind::Select,
        What::Resize { .. } => KeptKind::Resize,
        What::Other(opcode) => KeptKind::Other(opcode),
        What::End => KeptKind::End,
    };
    let range = pick.unit.start..pick.unit.end;
    Some(Kept { range, kind, db: pick.db, doubt, expiry_unknown: false })
}

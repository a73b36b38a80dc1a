//! RDB salvage: every record that is intact, before and behind each damage, and none that never was.
//!
//! Records stand one behind the other without a mark between them, so behind a damage nothing says where the next one
//! begins. What is done:
//!
//! 1. The image is read as a server reads it up to the first failure ([`front`]). All but the last records before it are
//!    trusted: two records that follow one another prove each other. Where nothing fails, a record may have swallowed
//!    others ([`swallowed`]).
//! 2. From there on every offset is tried as the start of a unit, read as writers write it ([`mod@unit`]): what no server
//!    writes is refused. Chains of strong units are trusted and not searched inside ([`search`]).
//! 3. What speaks for each unit is counted in bits: blobs that walk, lengths that fit, keys that look like the keys
//!    seen so far ([`profile`]). The likeliest chain is found by dynamic programming ([`path`]).
//! 4. That is done twice; the second time the profile knows the end of the file as well.
//! 5. Elements of a collection that was open look like records: they are recognised and left out ([`open`]).
//! 6. What remains is judged: weak beginnings behind gaps, runs of keys like no other, more keys than RESIZEDB counts
//!    ([`doubt`]), blocks that stand there twice ([`copies`]).
//! 7. Keys get their databases, also where a SELECTDB was lost ([`databases`]).
//!
//! Large images are searched in windows around each failure ([`windows`]).
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
mod partial;
mod path;
mod pick;
mod profile;
mod search;
mod shape;
mod strict;
mod swallowed;
mod unit;
mod windows;

pub use partial::{Partial, partial};

use std::ops::Range;

use crate::bytes::{Budget, Cursor};
use crate::check::value::Inspector;
use crate::rdb::{self, Dialect};
use field::Field;
use path::Chosen;
use pick::{Fate, Pick};
use profile::Profile;
use unit::{Reading, Unit, What};

/// What a salvage decided about a record, or about keys that stand one behind the other.
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
    /// Keys, one behind the other.
    Keys {
        /// How many.
        count: u64,
        /// How many of them have an expiry.
        expires: u64,
    },
    /// A record made of what is left of a damaged one, which stood there.
    Rebuilt {
        /// Its number among those.
        index: usize,
        /// It has an expiry.
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
    /// Where the units of the last chain begin.
    last_chain: Vec<usize>,
}

/// An image, and what its header says.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// The whole of it.
    pub bytes: &'a [u8],
    /// Where its first record begins.
    pub from: usize,
    /// The RDB version.
    pub version: u32,
    /// Whose numbers it uses.
    pub dialect: Dialect,
}

/// Larger images are searched in windows, so that only what is near a damage is held in memory.
const WHOLE: usize = 48 << 20;

/// Salvage an image.
#[must_use]
pub fn salvage(image: &Image<'_>, budget: &Budget) -> Salvaged {
    if image.bytes.len() > WHOLE { windows::salvage(image, budget) } else { whole(image, budget) }
}

impl<'a> Image<'a> {
    fn field(&self, searched: Range<usize>, budget: &Budget) -> Field<'a> {
        let (bytes, version, dialect) = (self.bytes, self.version, self.dialect);
        let (newest, inspector) = (self.newest(), Inspector::new(budget));
        let reading = Reading { bytes, version, dialect, newest, inspector, scratch: Vec::new() };
        Field::new(reading, searched)
    }

    /// The version whose types can be here: the header's, where it was Redis that wrote it. Forks put newer types
    /// behind an old version.
    fn newest(&self) -> u32 {
        let header = rdb::Header::decode(&mut Cursor::new(self.bytes)).ok();
        let is_known = header.is_some_and(|header| header.version == self.version && header.dialect == Dialect::Redis);
        let front = self.bytes.get(..FIELDS).unwrap_or(self.bytes);
        let has = |name: &[u8]| memchr::memmem::find(front, name).is_some();
        let is_redis = has(b"redis-ver") && !FORKS.iter().any(|name| has(name));
        if is_known && is_redis { self.version } else { u32::MAX }
    }
}

/// The AUX fields that tell who wrote an image stand in its first bytes.
const FIELDS: usize = 1024;
/// AUX fields that only forks write.
const FORKS: [&[u8]; 5] = [b"df-ver", b"snapshot-id", b"mvcc-tstamp", b"bigdb-", b"redict-ver"];

fn whole(image: &Image<'_>, budget: &Budget) -> Salvaged {
    let mut field = image.field(image.from..image.bytes.len(), budget);
    let front = front::read(&mut field, image.from);
    Salvage::new(field, front, Origin { at: image.from, db: 0, is_known: true }).run()
}

/// Where the records of an image or window begin.
#[derive(Debug, Clone, Copy)]
struct Origin {
    at: usize,
    db: u32,
    /// It is a record's start for sure.
    is_known: bool,
}

struct Salvage<'a> {
    field: Field<'a>,
    front: front::Front,
    origin: Origin,
    /// Where the search begins.
    r0: usize,
    /// How many of the front's units are trusted.
    trusted: usize,
}

impl<'a> Salvage<'a> {
    fn new(mut field: Field<'a>, mut front: front::Front, origin: Origin) -> Self {
        let from = origin.at;
        let sound = front.units.last().is_some_and(|unit| unit.end == field.len());
        if front.failure.is_none() && !sound {
            // An end mark that is none: what follows it says so.
            let false_end = front.units.pop().map_or(from, |unit| unit.start);
            let error = rdb::Error::invalid(false_end as u64, "rdb-data-after-end", "the image goes on behind its end");
            front.failure = Some((false_end, error));
        }
        if front.failure.is_none()
            && let Some(holder) = swallowed::holder(&mut field, &front.units)
        {
            let at = front.units.get(holder).map_or(from, |unit| unit.start);
            let why = "RESIZEDB counts more keys than there are, and records stand inside of this one";
            front.failure = Some((at, rdb::Error::invalid(at as u64, "rdb-swallowed-records", why)));
            front.units.truncate(holder);
        }
        let mut learned = Profile::default();
        front.units.iter().for_each(|unit| learned.learn(unit));
        let trusted = front.trusted(&learned);
        // What is not in the output tells its readers nothing.
        if let Some((_, before)) = front.teller.filter(|&(teller, _)| teller >= trusted) {
            field.reading.dialect = before;
        }
        let r0 = front.units.get(trusted).map_or(from, |unit| unit.start);
        Self { field, front, origin, r0, trusted }
    }

    fn run(mut self) -> Salvaged {
        let Some(failure) = self.front.failure.as_ref().map(|(at, _)| *at) else {
            return self.keep_the_front(&Profile::default());
        };
        let mut profile = self.learned();
        let open = open::head(&self.field, failure);
        if open.is_some_and(|head| open::reaches_the_end(&self.field, &head)) {
            return self.keep_the_front(&profile);
        }
        let path = self.choose(&profile, failure);
        profile = self.learned();
        let front = self.front.units.get(..self.trusted).unwrap_or_default();
        learn_from_path(&mut profile, front, &path, &self.field);
        let path = self.choose(&profile, failure);
        self.judge(path, &profile)
    }

    /// Behind the front there is nothing to search.
    fn keep_the_front(mut self, profile: &Profile) -> Salvaged {
        let picks = self.front.units.iter().map(|unit| Pick::new(*unit, 0.0)).collect();
        self.r0 = self.field.len();
        self.finish(picks, profile)
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
        let (known, limit) = (Some(self.r0).filter(|_| self.origin.is_known), self.field.limit);
        let starts = search::search(&mut self.field, profile, self.r0);
        let path = path::choose(&starts, known, limit);
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
        path::choose(&starts, known, limit)
    }

    fn judge(mut self, path: Vec<Chosen>, profile: &Profile) -> Salvaged {
        let front = self.front.units.iter().take(self.trusted).map(|unit| Pick::new(*unit, 0.0));
        let picks: Vec<Pick> = front.chain(path.into_iter().map(|(unit, bits)| Pick::new(unit, bits))).collect();
        let picks = bridge::bridge(&mut self.field, picks, self.origin);
        self.finish(picks, profile)
    }

    /// Judge the picks and hand them out.
    fn finish(mut self, mut picks: Vec<Pick>, profile: &Profile) -> Salvaged {
        let bytes = self.field.bytes();
        let failure = self.front.failure;
        let origin = if self.origin.is_known { self.origin.at } else { usize::MAX };
        let segments = pick::segments(&picks, origin, self.field.limit);
        let mut comes_back = false;
        if failure.is_some() {
            doubt::bare_selects(&mut picks, &segments);
            let twins = copies::twins(&picks, bytes);
            comes_back = copies::false_marks(&mut picks, &segments, &twins);
            doubt::weak_segments(&mut picks, &segments, profile);
            doubt::runs(&mut picks, self.r0, profile);
            copies::copies(&mut picks, &segments, &twins);
        }
        let uncertain = databases::assign(&mut picks, bytes, self.origin.db, comes_back);
        copies::duplicate_keys(&mut picks, &segments);
        if failure.is_some() {
            bridge::prefixes(&mut self.field, &mut picks);
            doubt::budgets(&mut picks, self.r0, profile);
        }
        let last_chain = segments.last().map_or(0..0, |segment| segment.picks.clone());
        Salvaged { failure, ..hand_out(&picks, uncertain, last_chain, self.origin.at, profile) }
    }
}

/// Where reading fails along a path, and the record before each place.
fn failures(path: &[Chosen], first: usize, before: Option<usize>) -> Vec<(usize, Option<usize>)> {
    let mut failures = vec![(first, before)];
    for pair in path.windows(2) {
        if let [(unit, _), (next, _)] = pair
            && unit.end != next.start
            && unit.end > first
        {
            failures.push((unit.end, Some(unit.start)));
        }
    }
    failures
}

/// So many keys are learned from the end of a file, if it can be trusted so far.
const FEW: usize = 12;

/// Learn from the end of the file: the last quarter of the chain that reaches it. A chain's beginning may be false, and
/// is where it has more keys than the databases are said to have.
fn learn_from_path(profile: &mut Profile, front: &[Unit], path: &[Chosen], field: &Field<'_>) {
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
    let to_end = chains.last().filter(|chain| {
        chain
            .last()
            .is_some_and(|(unit, _)| matches!(unit.what, What::End) || field.is_window() && unit.end >= field.limit)
    });
    if let Some(chain) = to_end {
        let before = path.get(..path.len() - chain.len()).unwrap_or_default();
        let true_ones = keys_left(front, before, chain).map_or(chain.len(), |keys| keys.min(chain.len()));
        let taught = (true_ones / 4).max(FEW.min(true_ones / 2));
        let from = chain.len() - taught;
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

/// How many keys can be in a chain, by what RESIZEDB says and the keys that are before it.
fn keys_left(front: &[Unit], before: &[Chosen], chain: &[Chosen]) -> Option<usize> {
    let units = || front.iter().chain(before.iter().chain(chain).map(|(unit, _)| unit));
    // The mark of the first database may be lost, too.
    let is_marked = units().find(|unit| matches!(unit.what, What::Key(_) | What::Select(_)));
    let (mut said, mut silent) = (0u64, u32::from(is_marked.is_some_and(|unit| unit.key().is_some())));
    for unit in units() {
        match unit.what {
            What::Select(_) => silent = silent.saturating_add(1),
            What::Resize { keys } => (said, silent) = (said.saturating_add(keys), silent.saturating_sub(1)),
            _ => {}
        }
    }
    // A database of which it is not known how many keys it has makes the sum worthless.
    let said = usize::try_from(said).ok().filter(|&keys| keys > 0 && silent == 0)?;
    let is_key = |unit: &&Unit| unit.key().is_some();
    let there = front.iter().filter(is_key).count() + before.iter().map(|(unit, _)| unit).filter(is_key).count();
    Some(said.saturating_sub(there))
}

/// The picks as what they mean for an output.
fn hand_out(
    picks: &[Pick],
    uncertain: Vec<Range<usize>>,
    last_chain: Range<usize>,
    from: usize,
    profile: &Profile,
) -> Salvaged {
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
            let bare = record.kind == (KeptKind::Keys { count: 1, expires: 0 });
            record.expiry_unknown = bare && record.range.start != end;
            end = record.range.end;
        }
    }
    let last_chain = picks.get(last_chain).unwrap_or_default().iter().map(|pick| pick.unit.start).collect();
    Salvaged { records, failure: None, db_uncertain, dropped, last_chain }
}

fn kept(pick: &Pick) -> Option<Kept> {
    let doubt = match pick.fate {
        Fate::Keep => None,
        Fate::Doubtful(why) => Some(why),
        Fate::Dropped(_) => return None,
    };
    let kind = pick.unit.what.kept();
    let range = pick.unit.start..pick.unit.end;
    Some(Kept { range, kind, db: pick.db, doubt, expiry_unknown: false })
}

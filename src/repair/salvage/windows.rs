//! Images that are too large to hold every record in memory.
//!
//! They are read as a server reads them, and runs of keys are remembered as a whole. Where reading fails, the last
//! records before the failure and a window behind it are salvaged like a small image. The window is doubled until a
//! strong chain leaves it; reading goes on with that chain.

use std::collections::{HashMap, HashSet, VecDeque};

use super::front::{self, Front};
use super::{Image, Kept, KeptKind, Origin, Salvage, Salvaged};
use crate::bytes::{Budget, Cursor};
use crate::check::value::Inspector;
use crate::rdb::{self, Reader, Record};
use crate::value::DbIndex;

/// How far behind a failure the search goes at first …
const FIRST_WINDOW: usize = 256 << 10;
/// … and at most. What is longer than that is one lost record.
const LAST_WINDOW: usize = 32 << 20;
/// How many records before a failure are looked at again.
const RECENT: usize = 2000;
/// A chain that leaves a window is read again from its last but this many units.
const READ_AGAIN: usize = 3;
/// A chain of this many units leaves a window for sure.
const STRONG: usize = 6;

pub(super) fn salvage(image: &Image<'_>, budget: &Budget) -> Salvaged {
    let mut windows = Windows {
        image: *image,
        budget,
        inspector: Inspector::new(budget),
        recent: VecDeque::new(),
        found: Salvaged::default(),
        names: Vec::new(),
    };
    let mut origin = Origin { at: image.from, db: 0, is_known: true };
    while let Some((failure, error)) = windows.read(origin) {
        match windows.window(failure, error) {
            Some(next) => origin = next,
            None => break,
        }
    }
    windows.settle();
    windows.drop_repeated_keys();
    windows.found
}

struct Windows<'a, 'b> {
    image: Image<'a>,
    budget: &'b Budget,
    inspector: Inspector,
    /// The last records that were read, not handed out yet.
    recent: VecDeque<(Kept, Option<u64>)>,
    found: Salvaged,
    /// A hash of the database and name of each key that was handed out.
    names: Vec<u64>,
}

impl Windows<'_, '_> {
    /// Read up to the next failure. Gives where it is; nothing at the end of the image.
    fn read(&mut self, origin: Origin) -> Option<(Origin, rdb::Error)> {
        let rest = self.image.bytes.get(origin.at..).unwrap_or_default();
        let c = Cursor::at(rest, origin.at as u64);
        let mut reader =
            Reader::resume(c, self.image.version, self.image.dialect, DbIndex(origin.db)).with_budget(self.budget);
        let (mut at, mut db) = (origin.at, origin.db);
        loop {
            let record = reader.next_record();
            let end = usize::try_from(reader.offset()).unwrap_or(usize::MAX);
            // An AUX field may have told whose records follow.
            self.image.dialect = reader.dialect();
            let here = Origin { at, db, is_known: origin.is_known || at != origin.at };
            let (kind, name) = match record {
                Ok(Some(record)) => match self.kind(&record, end) {
                    Ok(kind) => (kind, name_of(&record)),
                    Err(error) => return Some((here, error)),
                },
                Ok(None) => return None,
                Err(error) => return Some((here, error)),
            };
            db = reader.db().0;
            self.push(Kept { range: at..end, kind, db, doubt: None, expiry_unknown: false }, name);
            at = end;
        }
    }

    /// What a record is, when it is sound inside as well.
    fn kind(&mut self, record: &Record<'_>, end: usize) -> rdb::Result<KeptKind> {
        Ok(match record {
            Record::Key(key) => {
                if let Some(error) = self.inspector.first_error(&key.value) {
                    return Err(error.in_key(&key.key));
                }
                KeptKind::Keys { count: 1, expires: u64::from(key.expiry.is_some()) }
            }
            Record::SelectDb { .. } => KeptKind::Select,
            Record::ResizeDb { .. } => KeptKind::Resize,
            Record::End { .. } if end == self.image.bytes.len() => KeptKind::End,
            Record::End { offset, .. } => {
                return Err(rdb::Error::invalid(*offset, "rdb-data-after-end", "the image goes on behind its end"));
            }
            _ => KeptKind::Other(self.image.bytes.get(at(record)).copied().unwrap_or_default()),
        })
    }

    fn push(&mut self, record: Kept, name: Option<u64>) {
        self.recent.push_back((record, name));
        if self.recent.len() > RECENT
            && let Some((oldest, name)) = self.recent.pop_front()
        {
            self.hand_out(oldest, name);
        }
    }

    /// Add a record to the output, together with the keys before it.
    fn hand_out(&mut self, record: Kept, name: Option<u64>) {
        self.names.extend(name);
        if let (Some(last), KeptKind::Keys { count, expires }) = (self.found.records.last_mut(), record.kind)
            && let KeptKind::Keys { count: before, expires: with } = &mut last.kind
        {
            let alike = last.db == record.db && last.range.end == record.range.start;
            if alike && last.doubt.is_none() && record.doubt.is_none() && !record.expiry_unknown {
                *before = before.saturating_add(count);
                *with = with.saturating_add(expires);
                last.range.end = record.range.end;
                return;
            }
        }
        self.found.records.push(record);
    }

    fn settle(&mut self) {
        while let Some((record, name)) = self.recent.pop_front() {
            self.hand_out(record, name);
        }
    }

    /// Salvage what is around a failure. Gives where reading can go on.
    fn window(&mut self, failure: Origin, error: rdb::Error) -> Option<Origin> {
        self.found.failure.get_or_insert_with(|| (failure.at, error.clone()));
        let first = self.recent.front();
        let origin = first.map_or(failure, |(first, _)| Origin { at: first.range.start, db: first.db, is_known: true });
        let recent: Vec<(Kept, Option<u64>)> = self.recent.drain(..).collect();
        let len = self.image.bytes.len();
        let mut size = FIRST_WINDOW;
        loop {
            let limit = failure.at.saturating_add(size).min(len);
            let salvaged = self.salvage(&recent, origin, failure.at, &error, limit);
            let strong = salvaged.last_chain.len() >= STRONG && limit < len && leaves(&salvaged, limit);
            if limit == len {
                self.take(salvaged, len);
                return None;
            }
            if strong {
                let again = salvaged.last_chain.len().saturating_sub(READ_AGAIN);
                let next = salvaged.last_chain.get(again).copied().unwrap_or(limit);
                let db = salvaged.records.iter().rfind(|record| record.range.start < next).map_or(origin.db, |r| r.db);
                self.take(salvaged, next);
                return Some(Origin { at: next, db, is_known: true });
            }
            if size >= LAST_WINDOW {
                recent.into_iter().for_each(|(record, name)| self.hand_out(record, name));
                return Some(Origin { at: limit, db: failure.db, is_known: false });
            }
            size = size.saturating_mul(2);
        }
    }

    fn salvage(
        &self,
        recent: &[(Kept, Option<u64>)],
        origin: Origin,
        failure: usize,
        error: &rdb::Error,
        limit: usize,
    ) -> Salvaged {
        let mut field = self.image.field(origin.at..limit, self.budget);
        let mut front = Front { failure: Some((failure, error.clone())), ..Front::default() };
        for (record, _) in recent {
            let mut reader = front::reader(&field, record.range.start, DbIndex(record.db)).with_budget(self.budget);
            if let Ok(Some(known)) = reader.next_record() {
                front.units.extend(front::unit_of(&mut field, &known, record.range.start, record.range.end).ok());
            }
        }
        Salvage::new(field, front, origin).run()
    }

    /// Take over what a window gave, up to where reading goes on.
    fn take(&mut self, salvaged: Salvaged, until: usize) {
        for record in salvaged.records.into_iter().filter(|record| record.range.end <= until) {
            let name = self.name(&record);
            self.hand_out(record, name);
        }
        self.found.db_uncertain.extend(salvaged.db_uncertain.into_iter().filter(|range| range.start < until));
        self.found.dropped.extend(salvaged.dropped.into_iter().filter(|(range, _)| range.end <= until));
    }

    /// A hash of the name of a key that was salvaged.
    fn name(&self, record: &Kept) -> Option<u64> {
        if !matches!(record.kind, KeptKind::Keys { .. }) {
            return None;
        }
        let bytes = self.image.bytes.get(record.range.clone()).unwrap_or_default();
        let c = Cursor::at(bytes, record.range.start as u64);
        let mut reader =
            Reader::resume(c, self.image.version, self.image.dialect, DbIndex(record.db)).with_budget(self.budget);
        name_of(&reader.next_record().ok()??)
    }

    /// Of keys that come twice in a database the first is kept.
    fn drop_repeated_keys(&mut self) {
        let mut names = std::mem::take(&mut self.names);
        names.sort_unstable();
        let repeated: HashSet<u64> = names
            .windows(2)
            .filter_map(|pair| matches!(pair, [a, b] if a == b).then(|| pair.first().copied())?)
            .collect();
        if repeated.is_empty() {
            return;
        }
        let mut seen: HashMap<(u32, Vec<u8>), ()> = HashMap::new();
        let records = std::mem::take(&mut self.found.records);
        for record in records {
            if matches!(record.kind, KeptKind::Keys { .. }) {
                self.without_repeated(record, &repeated, &mut seen);
            } else {
                self.found.records.push(record);
            }
        }
    }

    /// A run of keys, cut where one of them came before.
    fn without_repeated(&mut self, run: Kept, repeated: &HashSet<u64>, seen: &mut HashMap<(u32, Vec<u8>), ()>) {
        let bytes = self.image.bytes.get(run.range.clone()).unwrap_or_default();
        let c = Cursor::at(bytes, run.range.start as u64);
        let mut reader =
            Reader::resume(c, self.image.version, self.image.dialect, DbIndex(run.db)).with_budget(self.budget);
        while let Ok(Some(Record::Key(key))) = reader.next_inner() {
            let start = usize::try_from(key.offset).unwrap_or(usize::MAX);
            let range = start..start.saturating_add(key.raw.len());
            let hash = name_hash(&key);
            if repeated.contains(&hash) && seen.insert((key.db.0, key.key.to_vec()), ()).is_some() {
                self.found.dropped.push((range, "rdb-duplicate-key"));
                continue;
            }
            let kind = KeptKind::Keys { count: 1, expires: u64::from(key.expiry.is_some()) };
            self.hand_out(Kept { range, kind, ..run.clone() }, None);
        }
    }
}

/// True when the last chain of a window goes on behind it.
fn leaves(salvaged: &Salvaged, limit: usize) -> bool {
    salvaged.records.last().is_some_and(|record| record.range.end >= limit)
}

fn at(record: &Record<'_>) -> usize {
    usize::try_from(record.offset()).unwrap_or(usize::MAX)
}

fn name_of(record: &Record<'_>) -> Option<u64> {
    match record {
        Record::Key(key) => Some(name_hash(key)),
        _ => None,
    }
}

fn name_hash(key: &rdb::KeyRecord<'_>) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(&key.key, key.db.0.into())
}

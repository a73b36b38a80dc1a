//! The sound beginning of an image, read as a server reads it, and the place from which nothing is trusted.

use std::collections::HashMap;

use super::field::Field;
use super::profile::Profile;
use super::shape::{Shape, is_text};
use super::unit::{Key, Unit, What};
use crate::bytes::Cursor;
use crate::rdb::{self, Dialect, Reader, Record, opcode};
use crate::value::DbIndex;

/// Weak records among the last this many make the search begin before them.
const LAST: usize = 12;
/// A run of keys of unknown shape is looked for among the last this many.
const LAST_SHAPES: usize = 1000;

/// What was read before something failed.
#[derive(Debug, Default)]
pub(super) struct Front {
    pub(super) units: Vec<Unit>,
    /// Where reading failed, and why; `None` when the image is sound.
    pub(super) failure: Option<(usize, rdb::Error)>,
    /// The record that told whose records follow, and whose they were taken for before.
    pub(super) teller: Option<(usize, Dialect)>,
}

/// Read from the first record up to the first failure: a broken structure, a damaged value, or a key that came before.
pub(super) fn read(field: &mut Field<'_>, from: usize) -> Front {
    let mut front = Front::default();
    let mut names: HashMap<(u32, u64), usize, foldhash::fast::FixedState> = HashMap::default();
    let mut at = from;
    let mut reader = reader(field, at, DbIndex(0));
    loop {
        let record = match reader.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(error) => {
                front.failure = Some((at, error));
                break;
            }
        };
        let end = usize::try_from(reader.offset()).unwrap_or(usize::MAX);
        if front.teller.is_none() && reader.dialect() != field.reading.dialect {
            front.teller = Some((front.units.len(), field.reading.dialect));
        }
        match unit_of(field, &record, at, end) {
            Ok(unit) => {
                if let (Some(key), Record::Key(record)) = (unit.key(), &record)
                    && names.insert((record.db.0, key.name), at).is_some()
                {
                    front.failure = Some((at, duplicate(at, record)));
                    break;
                }
                front.units.push(unit);
            }
            Err(error) => {
                front.failure = Some((at, error));
                break;
            }
        }
        at = end;
    }
    field.reading.dialect = reader.dialect();
    front
}

/// A tolerant reader for the record at an offset.
pub(super) fn reader<'a>(field: &Field<'a>, at: usize, db: DbIndex) -> Reader<'a> {
    let rest = field.bytes().get(at..).unwrap_or_default();
    Reader::resume(Cursor::at(rest, at as u64), field.reading.version, field.reading.dialect, db)
        .with_budget(field.reading.inspector.budget())
}

fn duplicate(at: usize, record: &rdb::KeyRecord<'_>) -> rdb::Error {
    rdb::Error::invalid(at as u64, "rdb-duplicate-key", "this key was there before").in_key(&record.key)
}

fn newer_type(at: usize, record: &rdb::KeyRecord<'_>) -> rdb::Error {
    rdb::Error::invalid(at as u64, "rdb-newer-type", NEWER).in_key(&record.key)
}

const NEWER: &str = "this came with a later version than the header's";

/// A record as a unit, when it is sound inside as well.
pub(super) fn unit_of(field: &mut Field<'_>, record: &Record<'_>, at: usize, end: usize) -> rdb::Result<Unit> {
    if let Some(unit) = field.unit(at).filter(|unit| unit.end == end) {
        return Ok(unit);
    }
    // Sound, but not as a known writer writes it.
    let what = match record {
        Record::Key(record) if !field.reading.has(record.value.value_type) => return Err(newer_type(at, record)),
        Record::Key(record) => {
            if let Some(error) = field.reading.inspector.first_error(&record.value) {
                return Err(error.in_key(&record.key));
            }
            What::Key(key_of(record))
        }
        _ if !field.reading.has_opcode(field.bytes().get(at).copied().unwrap_or_default()) => {
            return Err(rdb::Error::invalid(at as u64, "rdb-newer-type", NEWER));
        }
        // Release candidates of 7.0 wrote other fields before the text.
        Record::Function { offset, code } if code.offset == offset.saturating_add(1) => {
            match field.reading.inspector.error_of_function(code) {
                Some(error) => return Err(error),
                None => What::Other(opcode::FUNCTION2),
            }
        }
        Record::SelectDb { db, .. } => What::Select(db.0),
        Record::ResizeDb { keys, .. } => What::Resize { keys: *keys },
        Record::End { .. } => What::End,
        _ => What::Other(field.bytes().get(at).copied().unwrap_or_default()),
    };
    Ok(Unit { start: at, end, what, bits: 0.0 })
}

fn key_of(record: &rdb::KeyRecord<'_>) -> Key {
    let attributes = record.attributes();
    Key {
        value_type: record.value.value_type.byte(),
        name: xxhash_rust::xxh3::xxh3_64(&record.key),
        shape: Shape::of(&record.key),
        empty: record.key.is_empty(),
        binary: !is_text(&record.key),
        expires: record.expiry.is_some(),
        usage: attributes.idle_seconds.is_some() || attributes.freq.is_some(),
        blob: 0.0,
        elements: 0.0,
    }
}

impl Front {
    /// How many units are trusted whatever is found later: the start of the first one behind them is known, its end is
    /// not. A damaged length makes a record swallow what follows, so it is the last one at best, and an earlier one
    /// where records close to the failure are weak.
    pub(super) fn trusted(&self, profile: &Profile) -> usize {
        let last = self.units.len().saturating_sub(1);
        let mut trusted = last;
        for (index, unit) in self.units.iter().enumerate().rev().take(LAST) {
            let weak = unit.key().is_some_and(|key| key.empty) || profile.bits(unit).is_none_or(|bits| bits < 3.0);
            if weak {
                trusted = trusted.min(index.saturating_sub(1));
            }
        }
        trusted.min(self.strangers(last))
    }

    /// The unit before the first run of three keys whose shapes occur nowhere before, in the last quarter.
    fn strangers(&self, last: usize) -> usize {
        let reach = (self.units.len() / 4).min(LAST_SHAPES);
        let from = self.units.len().saturating_sub(reach);
        let mut known = Profile::default();
        self.units.iter().take(from).for_each(|unit| known.learn(unit));
        if known.keys() < 10 {
            return last;
        }
        let mut run = 0usize;
        for (index, unit) in self.units.iter().enumerate().skip(from) {
            match unit.key() {
                Some(key) if !known.knows(key.shape) => run += 1,
                Some(_) => {
                    run = 0;
                    known.learn(unit);
                }
                None => run = 0,
            }
            if run == 3 {
                return last.min(index.saturating_sub(3));
            }
        }
        last
    }
}

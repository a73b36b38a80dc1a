//! Which keys are in an image, without looking into values deeper than their headers.

use super::entries::{Written, each_entry};
use crate::bytes::Budget;
use crate::keyspace::{Keyspace, elements};
use crate::rdb::{self, Buffers, KeyRecord, Scratch};
use crate::scan::{self, Delivery, Text};
use crate::select::{Candidate, Selection};
use crate::value::{DbIndex, Kind, UnixMillis};
use std::io::{self, Write};
use std::ops::Range;

/// A key, seen from outside.
#[derive(Debug, Clone, Copy)]
pub struct Row<'r> {
    /// The database.
    pub db: DbIndex,
    /// The key.
    pub key: &'r [u8],
    /// The type.
    pub kind: Kind,
    /// How it is stored.
    pub encoding: &'static str,
    /// Elements; bytes of a string.
    pub length: u64,
    /// Size of its record.
    pub bytes: u64,
    /// When it expires.
    pub expiry: Option<UnixMillis>,
}

impl<'r> Row<'r> {
    /// That of a record whose value has so many elements.
    #[inline(always)]
    fn of(record: &'r KeyRecord<'_>, length: u64) -> Self {
        Self {
            db: record.db,
            key: &record.key,
            kind: record.value.kind(),
            encoding: record.value.encoding(),
            length,
            bytes: record.raw.len() as u64,
            expiry: record.expiry,
        }
    }
}

/// Write a text for each key of the image that begins at `range.start` of `input`.
///
/// # Errors
/// When the output cannot be written.
pub fn image(
    render: &(impl Fn(&Row<'_>, &mut Vec<u8>) + Sync),
    input: &[u8],
    range: Range<u64>,
    options: &scan::Options,
    selection: &Selection,
    out: &mut dyn Write,
    progress: impl FnMut(u64),
) -> io::Result<Delivery> {
    let task = Rows { render, selection, everything: selection.is_everything(), budget: &options.budget };
    scan::deliver(input, range, options, &task, selection.limit, out, progress)
}

/// Write a text for each key of a rebuilt keyspace.
///
/// # Errors
/// When the output cannot be written.
pub fn keyspace(
    render: &impl Fn(&Row<'_>, &mut Vec<u8>),
    keyspace: &mut Keyspace<'_>,
    selection: &Selection,
    budget: &Budget,
    out: &mut dyn Write,
) -> io::Result<Written> {
    let mut buffers = Buffers::new(budget);
    let mut line = Vec::new();
    each_entry(keyspace, selection, |db, _, entry, problems| {
        let length = match elements::count(&entry.value, &mut buffers) {
            Ok(length) => length,
            Err(error) => {
                problems.push((db, entry.key.to_vec(), error));
                return Ok(false);
            }
        };
        let bytes = entry.value.text_bytes().saturating_add(entry.key.len() as u64);
        let encoding = entry.value.stored().map_or(REBUILT, |stored| stored.encoding());
        let (kind, expiry) = (entry.value.kind(), entry.expires);
        line.clear();
        render(&Row { db, key: &entry.key, kind, encoding, length, bytes, expiry }, &mut line);
        out.write_all(&line)?;
        Ok(true)
    })
}

/// What stands for the encoding of a value that commands made.
const REBUILT: &str = "-";

struct Rows<'r, F> {
    render: &'r F,
    selection: &'r Selection,
    everything: bool,
    budget: &'r Budget,
}

impl<F: Fn(&Row<'_>, &mut Vec<u8>) + Sync> scan::Task for Rows<'_, F> {
    type Output = Text;
    type Local = Scratch;

    fn local(&self) -> Scratch {
        Scratch::new(self.budget.clone())
    }

    #[inline]
    fn key(&self, scratch: &mut Scratch, record: &KeyRecord<'_>, text: &mut Text, _: &mut dyn FnMut(&mut Text)) {
        if !self.everything && !self.selection.takes(&Candidate::from(record)) {
            return;
        }
        match record.value.count(scratch) {
            Ok(length) => {
                (self.render)(&Row::of(record, length), &mut text.bytes);
                text.end_key(self.selection.limit);
            }
            Err(error) => text.problem(error, record),
        }
    }

    fn broken(&self, _: &mut Scratch, error: rdb::Error, text: &mut Text) {
        text.broken(error);
    }
}

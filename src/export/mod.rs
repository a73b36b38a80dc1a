//! Keys in other formats: one file for each, behind the trait [`Format`].
//!
//! | format | what it is |
//! | --- | --- |
//! | [`jsonl`] | an object per key and line, and the same as one array |
//! | [`csv`] | a line per key, without its value |
//! | [`keyspace`] | (not a format) a rebuilt keyspace in any of them |
//! | [`resp`] | commands that rebuild the data on a server |
//!
//! Values are written element by element as they are decoded, on all threads; nothing is held but the text in flight.
//! A value that turns out to be damaged is taken back and left out.

pub mod attack;
pub mod csv;
pub mod jsonl;
pub mod keyspace;
pub mod resp;

use crate::bytes::Budget;
use crate::rdb::object::MemberExpiries;
use crate::rdb::{self, Buffers, Element, KeyRecord, Record, ValueRef};
use crate::scan::walk::LARGE_RECORD;
use crate::scan::{self, Delivery, Pen, Text};
use crate::select::{Candidate, Selection};
use crate::value::{DbIndex, Kind, UnixMillis};
use std::io::{self, Write};
use std::ops::Range;

/// What is known of a key before its elements.
#[derive(Debug, Clone, Copy)]
pub struct Head<'k> {
    /// The database.
    pub db: DbIndex,
    /// The key.
    pub key: &'k [u8],
    /// The type.
    pub kind: Kind,
    /// How the input stored it; `None` when it was rebuilt from commands.
    pub encoding: Option<&'static str>,
    /// When it expires.
    pub expiry: Option<UnixMillis>,
    /// LRU: seconds since it was last used.
    pub idle_seconds: Option<u64>,
    /// LFU: the logarithmic counter.
    pub freq: Option<u8>,
    /// KeyDB's expiry of members.
    pub member_expiries: MemberExpiries<'k>,
    /// The value as it is stored.
    pub stored: Option<ValueRef<'k>>,
    /// Pays for what must be decompressed besides the elements.
    pub budget: &'k Budget,
}

impl<'k> Head<'k> {
    /// That of a record.
    #[must_use]
    #[inline]
    pub fn of(record: &'k KeyRecord<'_>, budget: &'k Budget) -> Self {
        let attributes = record.attributes();
        Self {
            db: record.db,
            key: &record.key,
            kind: record.value.kind(),
            encoding: Some(record.value.encoding()),
            expiry: record.expiry,
            idle_seconds: attributes.idle_seconds,
            freq: attributes.freq,
            member_expiries: record.member_expiries(),
            stored: Some(record.value),
            budget,
        }
    }
}

/// Writes keys. Each thread works with a clone.
pub trait Format: Clone + Send + Sync {
    /// Stands before everything.
    const OPENING: &'static [u8] = b"";
    /// How many bytes of separator the first key has before it, which has nothing to be separated from.
    const SEPARATOR: usize = 0;
    /// Stands behind everything.
    const CLOSING: &'static [u8] = b"";

    /// Begin a key.
    fn open(&mut self, head: &Head<'_>, out: &mut Vec<u8>);

    /// The next element of its value.
    ///
    /// # Errors
    /// When bytes inside the element are damaged.
    fn element(&mut self, head: &Head<'_>, element: Element<'_, '_>, out: &mut Pen<'_>) -> rdb::Result<()>;

    /// All elements were written.
    fn close(&mut self, head: &Head<'_>, out: &mut Pen<'_>);

    /// The keys that follow are in another database.
    fn select(&mut self, _db: DbIndex, _out: &mut Vec<u8>) {}

    /// A function library.
    fn function(&mut self, _code: &[u8], _out: &mut Vec<u8>) {}
}

/// Write the keys of the image that begins at `range.start` of `input`.
///
/// # Errors
/// When the output cannot be written.
pub fn image<F: Format>(
    format: &F,
    input: &[u8],
    range: Range<u64>,
    options: &scan::Options,
    selection: &Selection,
    out: &mut dyn Write,
    progress: impl FnMut(u64),
) -> io::Result<Delivery> {
    let everything = selection.is_everything();
    let task = Export { format, selection, everything, budget: &options.budget };
    scan::deliver(input, range, options, &task, selection.limit, out, progress)
}

struct Export<'f, F> {
    format: &'f F,
    selection: &'f Selection,
    everything: bool,
    budget: &'f Budget,
}

impl<F: Format> scan::Task for Export<'_, F> {
    type Output = Text;
    type Local = (F, Buffers);

    fn local(&self) -> (F, Buffers) {
        (self.format.clone(), Buffers::new(self.budget))
    }

    #[inline]
    fn key(
        &self,
        (format, buffers): &mut (F, Buffers),
        record: &KeyRecord<'_>,
        text: &mut Text,
        spill: &mut dyn FnMut(&mut Text),
    ) {
        if self.everything || self.selection.takes(&Candidate::from(record)) {
            let budget = self.budget;
            key(format, &Head::of(record, budget), record, self.selection.limit, buffers, text, spill);
        }
    }

    fn other(&self, (format, buffers): &mut (F, Buffers), record: &Record<'_>, text: &mut Text) {
        match record {
            Record::SelectDb { db, .. } => format.select(*db, &mut text.bytes),
            Record::Function { code, .. } => match code.read(&mut buffers.first) {
                Ok(code) => format.function(&code, &mut text.bytes),
                Err(error) => text.broken(error),
            },
            _ => {}
        }
    }

    fn broken(&self, _: &mut (F, Buffers), error: rdb::Error, text: &mut Text) {
        text.broken(error);
    }
}

/// Write one key, or nothing when its value is damaged.
fn key<F: Format>(
    format: &mut F,
    head: &Head<'_>,
    record: &KeyRecord<'_>,
    limit: Option<u64>,
    buffers: &mut Buffers,
    text: &mut Text,
    spill: &mut dyn FnMut(&mut Text),
) {
    // What is handed on piece by piece cannot be taken back, so it is looked through first.
    if record.raw.len() as u64 > LARGE_RECORD
        && let Err(error) = record.value.elements(buffers, &mut |_| Ok(()))
    {
        return text.problem(error, record);
    }
    let begin = text.bytes.len();
    let mut pen = Pen::new(text, spill);
    format.open(head, pen.bytes());
    let written = record.value.elements(buffers, &mut |element| {
        format.element(head, element, &mut pen)?;
        pen.breathe();
        Ok(())
    });
    match written {
        Ok(()) => {
            format.close(head, &mut pen);
            text.end_key(limit);
        }
        Err(error) => {
            text.bytes.truncate(begin);
            text.problem(error, record);
        }
    }
}

/// Drops the first bytes written to it: the separator before the first key.
#[derive(Debug)]
pub struct Unseparated<W> {
    out: W,
    drop: usize,
}

impl<W: Write> Unseparated<W> {
    /// Drop so many bytes, then pass all on to `out`.
    pub fn new(out: W, drop: usize) -> Self {
        Self { out, drop }
    }

    /// Where it all goes.
    pub fn get_ref(&self) -> &W {
        &self.out
    }
}

impl<W: Write> Write for Unseparated<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(rest) = bytes.get(self.drop..).filter(|_| self.drop > 0) {
            self.out.write_all(rest)?;
            self.drop = 0;
            return Ok(bytes.len());
        }
        if self.drop > 0 {
            self.drop = self.drop.saturating_sub(bytes.len());
            return Ok(bytes.len());
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

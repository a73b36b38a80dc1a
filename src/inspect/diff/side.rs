//! One of two inputs: keys that can be gone through in order, and found again by their place.

use std::cell::{Cell, RefCell};

use crate::bytes::Budget;
use crate::bytes::crc64::jones;
use crate::keyspace::{Entry, Keyspace, Value};
use crate::rdb::object::MemberExpiries;
use crate::rdb::reader::Mark;
use crate::rdb::{self, Buffers, CompressedBlob, Reader, Record, ValueRef, ValueType};
use crate::value::{Blob, DbIndex, Kind, UnixMillis};

/// What an element of a decoded value takes, about: its bytes, mostly borrowed, and what stands beside it.
const ELEMENT: u64 = 64;

/// Bytes of the checksum behind an image.
const CHECKSUM: u64 = 8;

/// Where a key is, in the terms of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Offset of the record, or position of the entry; ascending in the order of the input.
    pub at: u64,
    /// The database.
    pub db: DbIndex,
}

/// A key as it is compared.
#[derive(Debug)]
pub struct Subject<'s> {
    /// The database.
    pub db: DbIndex,
    /// The key.
    pub key: Blob<'s>,
    /// When it expires.
    pub expiry: Option<UnixMillis>,
    /// KeyDB's expiry of members.
    pub member_expiries: MemberExpiries<'s>,
    /// The value.
    pub content: Content<'s>,
}

/// A value, decoded or not.
#[derive(Debug, Clone, Copy)]
pub enum Content<'s> {
    /// As a snapshot stores it.
    Stored(ValueRef<'s>),
    /// As commands made it.
    Live(&'s Value<'s>),
}

/// One of two inputs.
pub trait Side {
    /// Go through all keys in order, until `visit` says false.
    ///
    /// # Errors
    /// Where the input is damaged.
    fn each<'s>(&'s self, visit: &mut dyn FnMut(Place, Subject<'s>) -> bool) -> rdb::Result<()>;

    /// A key that was visited before.
    fn at(&self, place: Place) -> Option<Subject<'_>>;
}

impl Subject<'_> {
    /// The type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.content {
            Content::Stored(value) => value.kind(),
            Content::Live(value) => value.kind(),
        }
    }

    /// Where its value is stored, if it is.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self.content {
            Content::Stored(value) => value.offset,
            Content::Live(_) => 0,
        }
    }

    /// Bytes that its value is stored in, if it is.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        match self.content {
            Content::Stored(value) => value.raw().len() as u64,
            Content::Live(_) => 0,
        }
    }

    /// Elements; bytes of a string.
    ///
    /// # Errors
    /// When the stored value is damaged.
    pub fn count(&self, buffers: &mut Buffers) -> rdb::Result<u64> {
        match self.content {
            Content::Stored(value) => value.count(&mut buffers.first),
            Content::Live(value) => Ok(live_len(value)),
        }
    }

    /// The same bytes in the same form mean the same. Values that refer to something elsewhere in the file do not count.
    #[must_use]
    pub fn is_stored_like(&self, other: &Self) -> bool {
        match (self.content, other.content) {
            (Content::Stored(a), Content::Stored(b)) => {
                let refers =
                    matches!(a.value_type, ValueType::HashTemplateListpackRef | ValueType::HashTemplateArrayRef);
                a.value_type == b.value_type
                    && a.raw() == b.raw()
                    && !refers
                    && self.member_expiries.is_empty()
                    && other.member_expiries.is_empty()
            }
            _ => false,
        }
    }

    /// What the decoded value takes, about.
    pub(super) fn decoded_bytes(&self, buffers: &mut Buffers) -> rdb::Result<u64> {
        Ok(match self.content {
            Content::Stored(value) if value.kind() == Kind::String => value.count(&mut buffers.first)?,
            Content::Stored(value) => {
                let stored = u64::try_from(value.raw().len()).unwrap_or(u64::MAX);
                value.count(&mut buffers.first)?.saturating_mul(ELEMENT).saturating_add(stored)
            }
            Content::Live(value) => live_len(value).saturating_mul(ELEMENT),
        })
    }
}

fn live_len(value: &Value<'_>) -> u64 {
    let len = match value {
        Value::List(list) => list.0.len(),
        Value::Set(set) => set.0.len(),
        Value::Hash(hash) => hash.len(),
        Value::Zset(zset) => zset.len(),
        Value::Stream(stream) => stream.len(),
        Value::Vectors(vectors) => vectors.elements.len(),
        Value::String(_) | Value::Buffer(_) | Value::Stored(_) => value.as_string().map_or(0, <[u8]>::len),
    };
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// An RDB image, of which nothing is kept: keys are read again where they stand.
#[derive(Debug)]
pub struct RdbSide<'a> {
    start: Mark<'a>,
    input: &'a [u8],
    /// What was known at the end of the last walk: the templates above all.
    end: RefCell<Option<Mark<'a>>>,
    /// The checksum that was found there.
    checksum: Cell<Option<u64>>,
}

impl<'a> RdbSide<'a> {
    /// The image that an input begins with. Not for Dragonfly's, whose records may be compressed or in pieces: load
    /// them.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(input: &'a [u8], budget: &Budget) -> rdb::Result<Self> {
        Ok(Self {
            start: Reader::new(input)?.with_budget(budget).mark(),
            input,
            end: RefCell::new(None),
            checksum: Cell::new(None),
        })
    }

    /// What servers would refuse about the image as a whole, once all keys were gone through.
    #[must_use]
    pub fn flaw(&self) -> Option<rdb::Error> {
        let stored = self.checksum.get().filter(|&stored| stored != 0)?;
        let covered = self.end.borrow().as_ref()?.offset().saturating_sub(CHECKSUM);
        let computed = jones(self.input.get(..usize::try_from(covered).ok()?)?);
        (computed != stored).then(|| rdb::Error::checksum(covered, stored, computed))
    }
}

impl<'a> Side for RdbSide<'a> {
    fn each<'s>(&'s self, visit: &mut dyn FnMut(Place, Subject<'s>) -> bool) -> rdb::Result<()> {
        let mut reader = Reader::new(self.input)?.with_budget(self.start.budget());
        while let Some(record) = reader.next_record()? {
            match record {
                Record::Key(key) => {
                    let place = Place { at: key.offset, db: key.db };
                    if !visit(place, subject(key)) {
                        break;
                    }
                }
                Record::Compressed(CompressedBlob { offset, .. }) | Record::Chunk { offset, .. } => {
                    let what = "records that are compressed or in pieces cannot be compared in place";
                    return Err(rdb::Error::invalid(offset, "rdb-compressed-opaque", what));
                }
                Record::End { checksum, .. } => self.checksum.set(checksum),
                _ => {}
            }
        }
        *self.end.borrow_mut() = Some(reader.mark());
        Ok(())
    }

    fn at(&self, place: Place) -> Option<Subject<'_>> {
        let end = self.end.borrow().clone()?;
        let until = end.offset();
        let mut reader = end.back_at(&self.start, place.at).reader_until(until);
        reader.select(place.db);
        match reader.next_record() {
            Ok(Some(Record::Key(key))) => Some(subject(key)),
            _ => None,
        }
    }
}

impl<S: Side + ?Sized> Side for &S {
    fn each<'s>(&'s self, visit: &mut dyn FnMut(Place, Subject<'s>) -> bool) -> rdb::Result<()> {
        (**self).each(visit)
    }

    fn at(&self, place: Place) -> Option<Subject<'_>> {
        (**self).at(place)
    }
}

fn subject(record: rdb::KeyRecord<'_>) -> Subject<'_> {
    Subject {
        db: record.db,
        expiry: record.expiry,
        member_expiries: record.member_expiries(),
        content: Content::Stored(record.value),
        key: record.key,
    }
}

/// A keyspace rebuilt from a log, or loaded from records that are compressed.
#[derive(Debug)]
pub struct KeyspaceSide<'k> {
    entries: Vec<(DbIndex, &'k Entry<'k>)>,
}

impl<'k> KeyspaceSide<'k> {
    /// All keys of a keyspace.
    #[must_use]
    pub fn new(keyspace: &'k Keyspace<'_>) -> Self {
        let entries = keyspace.dbs().flat_map(|(index, db)| db.iter().map(move |entry| (index, covariant(entry))));
        Self { entries: entries.collect() }
    }
}

/// An entry seen for a shorter time.
fn covariant<'k>(entry: &'k Entry<'_>) -> &'k Entry<'k> {
    entry
}

impl Side for KeyspaceSide<'_> {
    fn each<'s>(&'s self, visit: &mut dyn FnMut(Place, Subject<'s>) -> bool) -> rdb::Result<()> {
        for (at, &(db, entry)) in (0u64..).zip(&self.entries) {
            if !visit(Place { at, db }, live(db, entry)) {
                break;
            }
        }
        Ok(())
    }

    fn at(&self, place: Place) -> Option<Subject<'_>> {
        let &(db, entry) = self.entries.get(usize::try_from(place.at).ok()?)?;
        Some(live(db, entry))
    }
}

fn live<'s>(db: DbIndex, entry: &'s Entry<'s>) -> Subject<'s> {
    Subject {
        db,
        key: Blob::borrowed(&entry.key),
        expiry: entry.expires,
        member_expiries: MemberExpiries::default(),
        content: match &entry.value {
            Value::Stored(value) => Content::Stored(**value),
            value => Content::Live(value),
        },
    }
}

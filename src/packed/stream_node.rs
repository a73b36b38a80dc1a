//! Stream node: entries of a stream in one listpack.
//!
//! ```text
//! master:  count  deleted  num_fields  field …  0
//! entry:   flags  ms_delta  seq_delta  [num_fields]  { field value | value } …  lp_count
//! ```
//!
//! | element | notes |
//! | --- | --- |
//! | count, deleted | live entries and entries marked deleted; together the entries that follow |
//! | flags | 1 = deleted, 2 = same fields: names and number are the master's, only values follow |
//! | deltas | added to the node's master id, each half by itself, wrapping |
//! | `lp_count` | elements of the entry before it: fields + 3 with same fields, else 2 × fields + 4 |
//!
//! Deleted entries stay until the last one is deleted, then the node goes.
//!
//! Source: Redis `src/t_stream.c` (`streamAppendItem`, `streamValidateListpackIntegrity`). Since 5.0.

use super::listpack::{self, Listpack};
use super::{Element, Error, ErrorKind};
use crate::value::StreamId;

mod builder;

pub use builder::Builder;

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// A node whose listpack header fits and whose master entry reads. Its entries may still be damaged.
#[derive(Debug, Clone)]
pub struct StreamNode<'a> {
    master: StreamId,
    live: u64,
    deleted: u64,
    /// Number of the master's fields.
    field_count: u64,
    /// Stands before the first of the master's fields.
    fields: listpack::Iter<'a>,
    /// Stands before the first entry.
    entries: listpack::Iter<'a>,
}

impl<'a> StreamNode<'a> {
    /// Read the master entry of a node with this master id (the node's key).
    ///
    /// # Errors
    /// When the listpack cannot be opened or does not begin with a master entry; an empty one does not.
    pub fn new(master: StreamId, blob: &'a [u8]) -> Result<Self, Error> {
        Self::of(master, &Listpack::new(blob)?)
    }

    fn of(master: StreamId, listpack: &Listpack<'a>) -> Result<Self, Error> {
        let mut rest = listpack.iter();
        let live = count(&mut rest)?;
        let deleted = count(&mut rest)?;
        let field_count = count(&mut rest)?;
        let fields = rest.clone();
        skip(&mut rest, field_count)?;
        let end = rest.offset();
        if integer(&mut rest)? != 0 {
            return Err(Error::new(end, ErrorKind::StreamBadMasterEnd));
        }
        Ok(Self { master, live, deleted, field_count, fields, entries: rest })
    }

    /// Live entries, by the master entry.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.live
    }

    /// Entries marked deleted, by the master entry.
    #[must_use]
    pub fn deleted(&self) -> u64 {
        self.deleted
    }

    /// Walk all entries, deleted ones too. The walk ends after its first error.
    #[must_use]
    pub fn entries(&self) -> Entries<'a> {
        Entries {
            master: self.master,
            field_count: self.field_count,
            fields: self.fields.clone(),
            rest: Some(self.entries.clone()),
        }
    }
}

/// The deep check of the strictest server: listpack and grammar right to the last byte, every `lp_count`, the numbers
/// of live and of deleted entries, the listpack's count. Gives live and deleted entries.
///
/// Servers before Valkey 9.1 do not look at the listpack's count, and only at the sum of live and deleted entries;
/// so these are reported only when nothing else is wrong.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(blob: &[u8]) -> Result<(u64, u64), Error> {
    verify_behind(None, StreamId::MIN, blob).map(|verified| verified.counted)
}

/// What a deep check of a node learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Live and deleted entries.
    pub counted: (u64, u64),
    /// The id of the last entry.
    pub last: Option<StreamId>,
    /// Each id is greater than the one before.
    pub is_ascending: bool,
}

/// The same for a node behind an entry of the id `previous`, which also sees whether ids ascend. No server looks at that.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify_behind(previous: Option<StreamId>, master: StreamId, blob: &[u8]) -> Result<Verified, Error> {
    let (listpack, elements) = listpack::verify_elements(blob)?;
    let node = StreamNode::of(master, &listpack)?;
    let mut counted = (0_u64, 0_u64);
    let (mut last, mut is_ascending) = (previous, true);
    for entry in node.entries() {
        let entry = entry?;
        is_ascending &= last.replace(entry.id).is_none_or(|before| before < entry.id);
        if entry.lp_count != i64::try_from(entry.elements).unwrap_or(i64::MAX) {
            let kind = ErrorKind::StreamBadEntryLength { claimed: entry.lp_count, counted: entry.elements };
            return Err(Error::new(entry.offset, kind));
        }
        let kind = if entry.deleted { &mut counted.1 } else { &mut counted.0 };
        *kind = kind.saturating_add(1);
    }
    let claimed = (node.live, node.deleted);
    if claimed != counted {
        return Err(Error::new(0, ErrorKind::StreamCountMismatch { claimed, counted }));
    }
    listpack.verify_count(elements)?;
    Ok(Verified { counted, last, is_ascending })
}

/// One entry of a stream.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its id.
    pub id: StreamId,
    /// Marked deleted: no server shows it.
    pub deleted: bool,
    /// Offset inside the blob.
    pub offset: usize,
    pairs: Pairs<'a>,
    /// What the entry ends with.
    lp_count: i64,
    /// What it should end with.
    elements: u64,
}

impl<'a> Entry<'a> {
    /// Fields and values, in their order.
    #[must_use]
    pub fn pairs(&self) -> Pairs<'a> {
        self.pairs.clone()
    }

    /// The number of fields.
    #[must_use]
    pub fn field_count(&self) -> u64 {
        self.pairs.left
    }
}

/// The entries of a node, first to last.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    master: StreamId,
    field_count: u64,
    fields: listpack::Iter<'a>,
    /// `None` after an error.
    rest: Option<listpack::Iter<'a>>,
}

impl<'a> Entries<'a> {
    fn entry(&self, rest: &mut listpack::Iter<'a>) -> Result<Entry<'a>, Error> {
        let offset = rest.offset();
        let flags = integer(rest)?;
        let id = StreamId {
            ms: self.master.ms.wrapping_add_signed(integer(rest)?),
            seq: self.master.seq.wrapping_add_signed(integer(rest)?),
        };
        let same_fields = flags & SAME_FIELDS != 0;
        let left = if same_fields { self.field_count } else { count(rest)? };
        let elements = if same_fields { left } else { left.saturating_mul(2) };
        let fields = same_fields.then(|| self.fields.clone());
        let pairs = Pairs { fields, rest: rest.clone(), left };
        skip(rest, elements)?;
        let lp_count = integer(rest)?;
        let elements = elements.saturating_add(if same_fields { 3 } else { 4 });
        Ok(Entry { id, deleted: flags & DELETED != 0, offset, pairs, lp_count, elements })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.rest.take().filter(|rest| !rest.is_at_end())?;
        let entry = self.entry(&mut rest);
        self.rest = entry.is_ok().then_some(rest);
        Some(entry)
    }
}

impl std::iter::FusedIterator for Entries<'_> {}

/// The fields and values of an entry. They were walked over before, so there is no error to meet.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    /// The master's fields, where the entry has the same.
    fields: Option<listpack::Iter<'a>>,
    rest: listpack::Iter<'a>,
    left: u64,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Element<'a>, Element<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = match &mut self.fields {
            Some(fields) => fields.next(),
            None => self.rest.next(),
        };
        Some((field?.ok()?, self.rest.next()?.ok()?))
    }
}

impl std::iter::FusedIterator for Pairs<'_> {}

/// The next element, which must be there.
fn element<'a>(rest: &mut listpack::Iter<'a>) -> Result<Element<'a>, Error> {
    let offset = rest.offset();
    rest.next().unwrap_or_else(|| Err(Error::new(offset, ErrorKind::StreamTruncatedEntry)))
}

/// The next element, which must be an integer or, as servers allow, its text.
fn integer(rest: &mut listpack::Iter<'_>) -> Result<i64, Error> {
    let offset = rest.offset();
    element(rest)?.as_int().ok_or_else(|| Error::new(offset, ErrorKind::StreamExpectedInteger))
}

/// The next element, which must be an integer that is not negative.
fn count(rest: &mut listpack::Iter<'_>) -> Result<u64, Error> {
    let offset = rest.offset();
    let value = integer(rest)?;
    u64::try_from(value).map_err(|_| Error::new(offset, ErrorKind::StreamBadCount(value)))
}

/// Pass `elements` elements: however many are claimed, no more than there are.
fn skip(rest: &mut listpack::Iter<'_>, elements: u64) -> Result<(), Error> {
    for _ in 0..elements {
        element(rest)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Every record of an image, wherever it stands: in the file, in a compressed blob, or in pieces (Dragonfly).
//!
//! An entry that Dragonfly wrote in pieces may have pieces of others between its own. It is read when no more can
//! come, at the end of the image, and belongs to the database that was selected at its first piece.
//!
//! Source: Dragonfly `src/server/rdb_load.cc`, `rdb_save.cc`.

use std::collections::BTreeMap;

use super::compressed::DRAGONFLY_VERSION;
use super::error::{Error, ErrorKind, Result};
use super::opcode::Dialect;
use super::reader::Reader;
use super::record::{CompressedBlob, Record};
use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Cursor};
use crate::value::DbIndex;

/// A record, and how long its bytes stay.
#[derive(Debug)]
pub enum Met<'a: 'e, 'e> {
    /// It stands in the input.
    Standing(Record<'a>),
    /// It was inflated or put together, and is gone when the visitor returns.
    Passing(Record<'e>),
}

impl<'a: 'e, 'e> Met<'a, 'e> {
    /// Where it begins; inside what it was inflated from or put together to, if it was.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Self::Standing(record) => record.offset(),
            Self::Passing(record) => record.offset(),
        }
    }

    /// The record, for as long as the visit lasts.
    #[must_use]
    pub fn record(self) -> Record<'e> {
        match self {
            Self::Standing(record) => record,
            Self::Passing(record) => record,
        }
    }
}

/// Visit every record from here to the end of the image: not the blobs and the pieces, but what they hold.
///
/// # Errors
/// Where the image is damaged or ends early, when the budget is spent, and what `visit` returns.
pub fn each<'a, E: From<Error>>(
    reader: &mut Reader<'a>,
    budget: &Budget,
    mut visit: impl FnMut(Met<'a, '_>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let mut pieces = Pieces::new(budget);
    loop {
        // Nearly all records are keys as they are mostly written: those are not moved about.
        while let Some(key) = reader.plain_key() {
            visit(Met::Standing(Record::Key(key)))?;
        }
        let Some(record) = reader.next_record()? else { return Ok(()) };
        match record {
            Record::Compressed(blob) => {
                reader.select(blob.each(budget, |record| visit(Met::Passing(record)))?);
            }
            Record::Chunk { offset, stream, payload } => pieces.add(stream, payload, reader.db(), offset)?,
            Record::End { .. } => {
                for entry in pieces.take() {
                    entry.each(|record| visit(Met::Passing(record)))?;
                }
                visit(Met::Standing(record))?;
            }
            other => visit(Met::Standing(other))?,
        }
    }
}

impl CompressedBlob<'_> {
    /// Visit the records of a blob; the database selected behind the last.
    ///
    /// # Errors
    /// When the frame or a record in it is damaged, when the budget is spent, and what `visit` returns.
    pub fn each<E: From<Error>>(
        &self,
        budget: &Budget,
        visit: impl FnMut(Record<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<DbIndex, E> {
        let inflated = self.inflate(budget)?;
        let mut reader = self.reader(&inflated);
        run(&mut reader, visit)?;
        Ok(reader.db())
    }
}

fn run<'e, E: From<Error>>(
    reader: &mut Reader<'e>,
    mut visit: impl FnMut(Record<'e>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    while let Some(record) = reader.next_inner()? {
        visit(record)?;
    }
    Ok(())
}

/// Entries whose pieces were met.
#[derive(Debug)]
pub(crate) struct Pieces {
    entries: BTreeMap<u32, Assembled>,
    budget: Budget,
}

/// An entry put together, paid for until it is dropped.
#[derive(Debug)]
pub(crate) struct Assembled {
    db: DbIndex,
    bytes: Vec<u8>,
    charge: Charge,
}

/// What an entry takes besides its bytes: its place in the map, which may be half empty.
const ENTRY: u64 = 2 * (size_of::<u32>() + size_of::<Assembled>()) as u64;

impl Pieces {
    /// None yet.
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { entries: BTreeMap::new(), budget: budget.clone() }
    }

    /// Add a piece, which begins at `offset`, to its entry.
    pub(crate) fn add(&mut self, stream: u32, payload: &[u8], db: DbIndex, offset: u64) -> Result<()> {
        let entry = self.entries.entry(stream).or_insert_with(|| Assembled {
            db,
            bytes: Vec::new(),
            charge: Charge::new(&self.budget),
        });
        entry.add(payload).map_err(|spent| Error::new(offset, ErrorKind::Exhausted(spent)))
    }

    /// The entries, when no more pieces can come.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Assembled> + use<> {
        std::mem::take(&mut self.entries).into_values()
    }
}

impl Assembled {
    fn add(&mut self, payload: &[u8]) -> std::result::Result<(), crate::bytes::Exhausted> {
        let len = self.bytes.len().saturating_add(payload.len());
        if len > self.bytes.capacity() {
            let room = len.max(self.bytes.capacity().saturating_mul(2));
            self.charge.raise_to(ENTRY.saturating_add(room as u64))?;
            self.bytes.reserve_exact(room.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(payload);
        Ok(())
    }

    /// A reader of its records; their offsets are those in the entry.
    pub(crate) fn reader(&self) -> Reader<'_> {
        let c = Cursor::new(&self.bytes);
        Reader::resume(c, DRAGONFLY_VERSION, Dialect::Dragonfly, self.db).with_budget(self.charge.budget())
    }

    fn each<E: From<Error>>(
        &self,
        visit: impl FnMut(Record<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        run(&mut self.reader(), visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(stream: u32, payload: &[u8]) -> Vec<u8> {
        let len = u32::try_from(payload.len()).unwrap();
        [&[0xe0][..], &stream.to_le_bytes(), &len.to_le_bytes(), payload].concat()
    }

    fn image(pieces: &[Vec<u8>]) -> Vec<u8> {
        [&b"REDIS0009\xfa\x06df-ver\x011"[..], &pieces.concat(), b"\xff\0\0\0\0\0\0\0\0"].concat()
    }

    fn keys(image: &[u8], budget: &Budget) -> Result<Vec<(u32, Vec<u8>)>> {
        let mut keys = Vec::new();
        each(&mut Reader::new(image)?, budget, |met| -> Result<()> {
            if let Record::Key(key) = met.record() {
                keys.push((key.db.0, key.key.to_vec()));
            }
            Ok(())
        })?;
        Ok(keys)
    }

    #[test]
    fn pieces_are_records_of_the_database_selected_at_the_first() {
        let image = image(&[
            b"\xfe\x02".to_vec(),
            piece(7, b"\x00\x01c\x04he"),
            b"\xfe\x05\x00\x01p\x011".to_vec(),
            piece(8, b"\x00\x01d"),
            piece(7, b"ll"),
            piece(8, b"\x01x"),
        ]);
        let found = keys(&image, &Budget::default()).unwrap();
        assert_eq!(found, [(5, b"p".to_vec()), (2, b"c".to_vec()), (5, b"d".to_vec())]);
    }

    #[test]
    fn many_empty_pieces_are_paid_for_and_given_back() {
        let pieces: Vec<_> = (0..1000).map(|stream| piece(stream, b"\x00\x00\x00")).collect();
        let image = image(&pieces);
        let budget = Budget::new(64 << 10);
        assert!(keys(&image, &budget).unwrap_err().is_exhausted());
        assert_eq!(budget.spent(), 0);
        assert_eq!(keys(&image, &Budget::default()).unwrap().len(), 1000);
    }
}

//! Dragonfly's blobs: records compressed together as one zstd or LZ4 frame.
//!
//! Source: Dragonfly `src/server/rdb_load.cc`, `HandleCompressedBlob`.

use std::io::Read;

use super::error::{Error, ErrorKind, Result};
use super::opcode::Dialect;
use super::reader::Reader;
use super::record::{CompressedBlob, Compression, Record};
use crate::bytes::{Budget, Cursor};
use crate::value::DbIndex;

/// The version in the header of every Dragonfly file.
const DRAGONFLY_VERSION: u32 = 9;
/// How much is inflated between two looks at the budget.
const STEP: u64 = 1 << 20;

/// Inflated records, paid for until they are dropped.
#[derive(Debug)]
pub struct Inflated {
    bytes: Vec<u8>,
    budget: Budget,
    charged: u64,
}

impl Drop for Inflated {
    fn drop(&mut self) {
        self.budget.refund(self.charged);
    }
}

impl CompressedBlob<'_> {
    /// The records.
    ///
    /// # Errors
    /// When the frame is damaged or the budget is spent.
    pub fn inflate(&self, budget: &Budget) -> Result<Inflated> {
        let mut inflated = Inflated { bytes: Vec::new(), budget: budget.clone(), charged: 0 };
        let mut input: Box<dyn Read + '_> = self.frame_reader()?;
        loop {
            budget.charge(STEP).map_err(|e| Error::new(self.offset, ErrorKind::Exhausted(e)))?;
            inflated.charged = inflated.charged.saturating_add(STEP);
            let read = input.by_ref().take(STEP).read_to_end(&mut inflated.bytes);
            if read.map_err(|_| self.broken())? == 0 {
                return Ok(inflated);
            }
        }
    }

    #[cfg(all(feature = "lz4", feature = "zstd"))]
    fn frame_reader(&self) -> Result<Box<dyn Read + '_>> {
        Ok(match self.compression {
            Compression::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(self.frame)),
            Compression::Zstd => {
                Box::new(ruzstd::decoding::StreamingDecoder::new(self.frame).map_err(|_| self.broken())?)
            }
        })
    }

    #[cfg(not(all(feature = "lz4", feature = "zstd")))]
    fn frame_reader(&self) -> Result<Box<dyn Read + '_>> {
        let _ = (Compression::Lz4, Compression::Zstd, STEP);
        Err(Error::invalid(self.offset, "dragonfly-blob-feature", "this build reads no LZ4 and zstd blobs"))
    }

    #[cold]
    fn broken(&self) -> Error {
        Error::invalid(self.offset, "dragonfly-bad-blob", "a compressed blob does not inflate")
    }

    /// A reader of the inflated records; their offsets are those inside the blob.
    #[must_use]
    pub fn reader<'i>(&self, inflated: &'i Inflated) -> Reader<'i> {
        Reader::resume(Cursor::new(&inflated.bytes), DRAGONFLY_VERSION, Dialect::Dragonfly, self.db)
    }

    /// The database selected at the end of the blob.
    #[must_use]
    pub fn last_db(&self, budget: &Budget) -> DbIndex {
        let Ok(inflated) = self.inflate(budget) else { return self.db };
        let mut reader = self.reader(&inflated);
        while let Ok(Some(record)) = reader.next_inner() {
            if matches!(record, Record::End { .. }) {
                break;
            }
        }
        reader.db()
    }
}

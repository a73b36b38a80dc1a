//! Dragonfly's blobs: records compressed together as one zstd or LZ4 frame.
//!
//! Source: Dragonfly `src/server/rdb_load.cc`, `HandleCompressedBlob`.

use std::io::Read;

use super::error::{Error, ErrorKind, Result};
use super::opcode::Dialect;
use super::reader::Reader;
use super::record::CompressedBlob;
#[cfg(any(feature = "lz4", feature = "zstd"))]
use super::record::Compression;
use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Cursor};
use crate::value::DbIndex;

/// The version in the header of every Dragonfly file.
pub const DRAGONFLY_VERSION: u32 = 9;
/// How much is inflated between two looks at the budget.
const STEP: u64 = 1 << 20;

/// Inflated records, paid for until they are dropped.
#[derive(Debug)]
pub struct Inflated {
    bytes: Vec<u8>,
    charge: Charge,
}

impl CompressedBlob<'_> {
    /// The records.
    ///
    /// # Errors
    /// When the frame is damaged or the budget is spent.
    pub fn inflate(&self, budget: &Budget) -> Result<Inflated> {
        let mut inflated = Inflated { bytes: Vec::new(), charge: Charge::new(budget) };
        let mut input: Box<dyn Read + '_> = self.frame_reader()?;
        loop {
            inflated.charge.add(STEP).map_err(|e| Error::new(self.offset, ErrorKind::Exhausted(e)))?;
            let read = input.by_ref().take(STEP).read_to_end(&mut inflated.bytes);
            if read.map_err(|_| self.broken())? == 0 {
                return Ok(inflated);
            }
        }
    }

    fn frame_reader(&self) -> Result<Box<dyn Read + '_>> {
        match self.compression {
            #[cfg(feature = "lz4")]
            Compression::Lz4 => Ok(Box::new(lz4_flex::frame::FrameDecoder::new(self.frame))),
            #[cfg(feature = "zstd")]
            Compression::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(self.frame).map_err(|_| self.broken())?;
                Ok(Box::new(decoder))
            }
            #[cfg(not(all(feature = "lz4", feature = "zstd")))]
            _ => Err(Error::invalid(self.offset, "dragonfly-blob-feature", "this build does not read such blobs")),
        }
    }

    #[cold]
    fn broken(&self) -> Error {
        Error::invalid(self.offset, "dragonfly-bad-blob", "a compressed blob does not inflate")
    }

    /// A reader of the inflated records; their offsets are those inside the blob.
    #[must_use]
    pub fn reader<'i>(&self, inflated: &'i Inflated) -> Reader<'i> {
        let c = Cursor::new(&inflated.bytes);
        Reader::resume(c, DRAGONFLY_VERSION, Dialect::Dragonfly, self.db).with_budget(inflated.charge.budget())
    }

    /// The database selected at the end of the blob.
    #[must_use]
    pub fn last_db(&self, budget: &Budget) -> DbIndex {
        let Ok(inflated) = self.inflate(budget) else { return self.db };
        let mut reader = self.reader(&inflated);
        while let Ok(Some(_)) = reader.skip_record() {}
        reader.db()
    }
}

#[cfg(test)]
#[cfg(feature = "lz4")]
pub(crate) mod tests {
    use super::*;
    use crate::rdb::{KeyRecord, Record, length};

    /// Two keys in a blob that selects a database, one behind it, two in pieces.
    pub(crate) fn blob_file() -> Vec<u8> {
        let mut frame = lz4_flex::frame::FrameEncoder::new(Vec::new());
        std::io::Write::write_all(&mut frame, b"\xfe\x03\x00\x01a\x011\x00\x01b\x012").unwrap();
        let frame = frame.finish().unwrap();
        let mut file = b"REDIS0009\xfa\x06df-ver\x011\xca".to_vec();
        length::encode(frame.len() as u64, &mut file);
        file.extend_from_slice(&frame);
        file.extend_from_slice(b"\x00\x01p\x011");
        // Pieces of two entries, one between the other's.
        for (stream, piece) in [(7u32, &b"\x00\x01c\x04he"[..]), (8, b"\x00\x01d"), (7, b"ll"), (8, b"\x01x")] {
            file.push(0xe0);
            file.extend_from_slice(&stream.to_le_bytes());
            file.extend_from_slice(&u32::try_from(piece.len()).unwrap().to_le_bytes());
            file.extend_from_slice(piece);
        }
        file.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
        file
    }

    #[test]
    fn records_of_a_compressed_blob_and_of_pieces_are_walked_like_others() {
        struct Keys;
        impl crate::scan::Task for Keys {
            type Output = Vec<String>;
            type Local = ();
            fn local(&self) {}
            fn key(
                &self,
                (): &mut (),
                key: &KeyRecord<'_>,
                out: &mut Vec<String>,
                _: &mut dyn FnMut(&mut Vec<String>),
            ) {
                let text = key.value.string().unwrap().to_blob(&mut crate::rdb::Scratch::default()).unwrap();
                out.push(format!("{}:{}={}", key.db.0, key.key.escape_ascii(), text.escape_ascii()));
            }
            fn broken(&self, (): &mut (), error: Error, out: &mut Vec<String>) {
                out.push(error.to_string());
            }
        }
        let file = blob_file();
        let mut all = Vec::new();
        let take = |out: &mut Vec<String>| {
            all.append(out);
            Ok(())
        };
        let options = crate::scan::Options::default();
        let summary = crate::scan::walk(&file, 0..file.len() as u64, &options, &Keys, take, |_| {}).unwrap();
        assert_eq!(summary.error, None);
        assert_eq!(all, ["3:a=1", "3:b=2", "3:p=1", "3:c=hell", "3:d=x"]);
    }

    #[test]
    fn a_blob_that_does_not_inflate_says_where_it_stands() {
        let mut file = blob_file();
        file[30] ^= 0xff;
        let mut reader = Reader::new(&file).unwrap();
        let broken = std::iter::from_fn(|| reader.next_record().transpose()).find_map(|record| match record {
            Ok(Record::Compressed(blob)) => Some(blob.inflate(&Budget::default())),
            _ => None,
        });
        assert_eq!(broken.unwrap().unwrap_err().code(), "dragonfly-bad-blob");
    }
}

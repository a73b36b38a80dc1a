//! An RDB image, and the log that may follow it.

use super::log::Log;
use super::{Node, read, shape, write};
use crate::bytes::Cursor;
use crate::bytes::crc64::jones;
use crate::rdb::opcode::{self, ValueType};
use crate::rdb::reader::{Header, Skipped};
use crate::rdb::{Dialect, FIRST_WITH_CHECKSUM, Reader};
use crate::value::DbIndex;

/// One opcode and what belongs to it; of a key, the type byte, the key and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The byte.
    pub opcode: u8,
    /// What follows it.
    pub fields: Vec<Node>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Magic and version.
    pub header: [u8; 9],
    /// Everything up to the end mark.
    pub records: Vec<Record>,
    /// What follows the image.
    pub log: Log,
}

impl Image {
    /// The records of any bytes. A header that is none becomes that of version 9.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut c = Cursor::new(bytes);
        let header = c.array::<9>().ok().filter(|header| Header::decode(&mut Cursor::new(header)).is_ok());
        let mut image = Self { header: header.unwrap_or(*b"REDIS0009"), records: Vec::new(), log: Log::default() };
        let mut dialect = image.decoded().dialect;
        loop {
            let before = c;
            let Ok(byte) = c.u8() else { break };
            if byte == opcode::EOF {
                if image.has_checksum() {
                    let _ = c.take(8);
                }
                image.log = Log::read(c.rest());
                break;
            }
            let Some(record) = image.record(byte, before, dialect, &mut c) else { continue };
            if record.opcode == opcode::AUX && dialect == Dialect::Redis {
                dialect = dialect_of(&record);
            }
            image.records.push(record);
        }
        image
    }

    fn record(&self, byte: u8, before: Cursor<'_>, dialect: Dialect, c: &mut Cursor<'_>) -> Option<Record> {
        if let Some(value_type) = ValueType::from_byte(byte, dialect) {
            let behind_byte = *c;
            let mut fields = read::fields(&[shape::Shape::Text], c);
            let body = read::fields(shape::of_value(value_type), c);
            // Without its value, what stands behind the key would be taken for one when it is read again.
            if matches!(body.as_slice(), [Node::Opaque(bytes)] if bytes.is_empty()) {
                *c = behind_byte;
                return None;
            }
            fields.extend(body);
            return Some(Record { opcode: byte, fields });
        }
        if let Some(shapes) = shape::of_opcode(byte) {
            return Some(Record { opcode: byte, fields: read::fields(shapes, c) });
        }
        // Where the fields are not described, the reader knows how far they go.
        let mut reader = Reader::resume(before, self.decoded().version, dialect, DbIndex(0));
        match reader.skip_record() {
            Ok(Some(Skipped::End(_)) | None) | Err(_) => None,
            Ok(Some(_)) => {
                let bytes = read::up_to(c, reader.offset().saturating_sub(c.offset()));
                Some(Record { opcode: byte, fields: vec![Node::Opaque(bytes)] })
            }
        }
    }

    fn decoded(&self) -> Header {
        let fallback = Header { version: 9, dialect: Dialect::Redis };
        Header::decode(&mut Cursor::new(&self.header)).unwrap_or(fallback)
    }

    fn has_checksum(&self) -> bool {
        self.decoded().version >= FIRST_WITH_CHECKSUM
    }

    /// The image, its end mark, its checksum, and the log behind it.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = self.header.to_vec();
        for record in &self.records {
            out.push(record.opcode);
            write::fields(&record.fields, &mut out);
        }
        out.push(opcode::EOF);
        if self.has_checksum() {
            let sum = jones(&out);
            out.extend_from_slice(&sum.to_le_bytes());
        }
        out.extend_from_slice(&self.log.write());
        out
    }
}

/// What an AUX field says about who wrote the image, as the reader understands it.
fn dialect_of(record: &Record) -> Dialect {
    let mut bytes = b"REDIS0009".to_vec();
    bytes.push(record.opcode);
    write::fields(&record.fields, &mut bytes);
    let Ok(mut reader) = Reader::new(&bytes) else { return Dialect::Redis };
    let _ = reader.next_record();
    reader.dialect()
}

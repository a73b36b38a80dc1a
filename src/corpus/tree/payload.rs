//! What `DUMP` gives: type, value, version (u16 LE), CRC-64/Jones of all that (u64 LE).

use super::{Node, read, shape, write};
use crate::bytes::Cursor;
use crate::bytes::crc64::jones;
use crate::rdb::Dialect;
use crate::rdb::opcode::ValueType;

/// Version and checksum.
const FOOTER: usize = 10;
/// The first of the versions that Valkey counts for itself.
const VALKEY_VERSIONS: u16 = 80;

/// A value on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Its type byte.
    pub value_type: u8,
    /// Its body.
    pub fields: Vec<Node>,
    /// The RDB version in the footer.
    pub version: u16,
}

impl Payload {
    /// The value of any bytes: the type of a byte that is none is that of a string.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let (body, footer) = bytes.split_at_checked(bytes.len().saturating_sub(FOOTER)).unwrap_or((bytes, &[]));
        let version = match *footer {
            [low, high, ..] if bytes.len() > FOOTER => u16::from_le_bytes([low, high]),
            _ => 9,
        };
        let body = if bytes.len() > FOOTER { body } else { bytes };
        let dialect = if version >= VALKEY_VERSIONS { Dialect::Valkey } else { Dialect::Redis };
        let (first, rest) = body.split_first().map_or((0, body), |(&first, rest)| (first, rest));
        let (byte, value_type) =
            ValueType::from_byte(first, dialect).map_or((0, ValueType::String), |value_type| (first, value_type));
        let fields = read::fields(shape::of_value(value_type), &mut Cursor::new(rest));
        Self { value_type: byte, fields, version }
    }

    /// The payload.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![self.value_type];
        write::fields(&self.fields, &mut out);
        out.extend_from_slice(&self.version.to_le_bytes());
        let sum = jones(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }
}

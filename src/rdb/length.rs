//! The variable-length integer that counts everything in an RDB file.
//!
//! | first byte | bytes | value |
//! | --- | ---: | --- |
//! | `00xxxxxx` | 1 | 0 to 63 |
//! | `01xxxxxx` | 2 | 14 bits, big-endian |
//! | `80` | 5 | u32, big-endian |
//! | `81` | 9 | u64, big-endian (RDB 8) |
//! | `11xxxxxx` | | not a length: a string in a special encoding, see `string` |
//!
//! Source: Redis `src/rdb.c`, `rdbLoadLenByRef`. Readers take longer forms than needed; writers always write the shortest.

use super::error::{Error, ErrorKind, Result};
use crate::bytes::Cursor;

/// Read a plain length.
///
/// # Errors
/// At the end of input, or when the first byte begins no length.
#[inline]
pub fn decode(c: &mut Cursor<'_>) -> Result<u64> {
    let start = c.offset();
    let first = c.u8()?;
    rest_of(first, start, c)
}

/// The rest of a length whose first byte, at `start`, has been read.
#[inline]
pub(super) fn rest_of(first: u8, start: u64, c: &mut Cursor<'_>) -> Result<u64> {
    Ok(match first {
        short @ 0x00..=0x3f => u64::from(short),
        high @ 0x40..=0x7f => u64::from(u16::from_be_bytes([high & 0x3f, c.u8()?])),
        0x80 => u64::from(u32::from_be_bytes(c.array()?)),
        0x81 => u64::from_be_bytes(c.array()?),
        other => return Err(Error::new(start, ErrorKind::BadLength(other))),
    })
}

/// Write a length in its shortest form.
pub fn encode(len: u64, out: &mut Vec<u8>) {
    if let Ok(short @ 0..=0x3f) = u8::try_from(len) {
        out.push(short);
    } else if let Ok(medium @ 0..=0x3fff) = u16::try_from(len) {
        out.extend_from_slice(&(medium | 0x4000).to_be_bytes());
    } else if let Ok(long) = u32::try_from(len) {
        out.push(0x80);
        out.extend_from_slice(&long.to_be_bytes());
    } else {
        out.push(0x81);
        out.extend_from_slice(&len.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_form_has_its_bytes() {
        for (len, hex) in [
            (0, &[0x00][..]),
            (63, &[0x3f]),
            (64, &[0x40, 0x40]),
            (16383, &[0x7f, 0xff]),
            (16384, &[0x80, 0, 0, 0x40, 0]),
            (1 << 32, &[0x81, 0, 0, 0, 1, 0, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            encode(len, &mut out);
            assert_eq!(out, hex);
            assert_eq!(decode(&mut Cursor::new(hex)).unwrap(), len);
        }
    }

    #[test]
    fn a_byte_that_begins_no_length_is_reported_where_it_stands() {
        for byte in [0x82, 0xbf, 0xc0, 0xff] {
            let error = decode(&mut Cursor::at(&[byte], 40)).unwrap_err();
            assert_eq!((error.offset(), error.code()), (40, "rdb-bad-length"));
        }
        assert!(decode(&mut Cursor::new(&[0x80, 1])).unwrap_err().is_torn());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(len: u64) {
            let mut out = Vec::new();
            encode(len, &mut out);
            let mut c = Cursor::new(&out);
            prop_assert_eq!(decode(&mut c).unwrap(), len);
            prop_assert!(c.is_empty());
        }
    }
}

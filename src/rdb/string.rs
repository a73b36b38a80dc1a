//! Strings: keys, values, members, and every nested blob.
//!
//! | prefix | payload | meaning |
//! | --- | --- | --- |
//! | length n | n bytes | the bytes |
//! | `c0` | i8 | decimal text of the integer |
//! | `c1` | i16 LE | the same |
//! | `c2` | i32 LE | the same |
//! | `c3` | length c, length u, c bytes | LZF, u bytes when decompressed |
//!
//! Source: Redis `src/rdb.c`, `rdbGenericLoadStringObject`, `rdbSaveRawString`.

use super::error::{Error, ErrorKind, Result};
use super::length;
use crate::bytes::{Budget, Cursor, lzf};
use crate::value::number::canonical_int;
use crate::value::{Blob, Piece};

/// A string as it is stored: its span is known, nothing is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StringRef<'a> {
    /// Absolute offset of its first byte.
    pub offset: u64,
    /// How it is stored.
    pub form: Form<'a>,
}

/// The stored form of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// As it is.
    Raw(&'a [u8]),
    /// An integer, to be read as decimal text.
    Int(i32),
    /// LZF.
    Lzf {
        /// The compressed bytes.
        compressed: &'a [u8],
        /// Claimed length of the text.
        len: u64,
    },
}

/// Buffers that decoding uses again and again, and the account they are charged to.
#[derive(Debug, Default)]
pub struct Scratch {
    text: Vec<u8>,
    charged: u64,
    /// Pays for what decompression allocates.
    pub budget: Budget,
}

impl Scratch {
    /// Buffers charged to an account.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self { text: Vec::new(), charged: 0, budget }
    }

    fn reserve(&mut self, len: u64) -> Result<(), crate::bytes::Exhausted> {
        if let Some(more) = len.checked_sub(self.charged).filter(|&more| more > 0) {
            self.budget.charge(more)?;
            self.charged = len;
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.budget.refund(self.charged);
    }
}

/// Read a string's header and step over its bytes.
///
/// # Errors
/// At the end of input, or when the first byte begins no string.
#[inline(always)]
pub fn decode<'a>(c: &mut Cursor<'a>) -> Result<StringRef<'a>> {
    let offset = c.offset();
    if let Some(&short @ 0x00..=0x3f) = c.rest().first() {
        c.u8()?;
        return Ok(StringRef { offset, form: Form::Raw(c.take(short.into())?) });
    }
    apart(c, decode_other)
}

/// The bytes of a string of the shortest form: a length below 64 and as many bytes. `None` for any other.
#[inline(always)]
pub(super) fn short<'a>(c: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length @ 0x00..=0x3f = c.u8().ok()? else { return None };
    c.take(length.into()).ok()
}

/// Give a copy of the cursor to a function that is not inlined, so that the cursor itself can stay in registers.
#[inline(always)]
fn apart<'a, T>(c: &mut Cursor<'a>, read: impl Fn(&mut Cursor<'a>) -> Result<T>) -> Result<T> {
    let mut copy = *c;
    let result = read(&mut copy);
    *c = copy;
    result
}

#[inline(never)]
fn decode_other<'a>(c: &mut Cursor<'a>) -> Result<StringRef<'a>> {
    let offset = c.offset();
    let form = match c.u8()? {
        0xc0 => Form::Int(i8::from_le_bytes(c.array()?).into()),
        0xc1 => Form::Int(i16::from_le_bytes(c.array()?).into()),
        0xc2 => Form::Int(i32::from_le_bytes(c.array()?)),
        0xc3 => {
            let stored = length::decode(c)?;
            let len = length::decode(c)?;
            Form::Lzf { compressed: c.take(stored)?, len }
        }
        other @ 0xc4.. => return Err(Error::new(offset, ErrorKind::BadStringEncoding(other))),
        first => {
            let len = length::rest_of(first, offset, c)?;
            Form::Raw(c.take(len)?)
        }
    };
    Ok(StringRef { offset, form })
}

/// Step over a string.
///
/// # Errors
/// As [`decode`].
#[inline(always)]
pub fn skip(c: &mut Cursor<'_>) -> Result<()> {
    if let Some(&short @ 0x00..=0x3f) = c.rest().first() {
        c.u8()?;
        c.take(short.into())?;
        return Ok(());
    }
    apart(c, skip_other)
}

#[inline(never)]
fn skip_other(c: &mut Cursor<'_>) -> Result<()> {
    let offset = c.offset();
    let len = match c.u8()? {
        0xc0 => 1,
        0xc1 => 2,
        0xc2 => 4,
        0xc3 => {
            let stored = length::decode(c)?;
            length::decode(c)?;
            stored
        }
        other @ 0xc4.. => return Err(Error::new(offset, ErrorKind::BadStringEncoding(other))),
        first => length::rest_of(first, offset, c)?,
    };
    c.take(len)?;
    Ok(())
}

impl<'a> StringRef<'a> {
    /// Length of the text, without decoding it.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self.form {
            Form::Raw(bytes) => bytes.len() as u64,
            Form::Int(value) => itoa::Buffer::new().format(value).len() as u64,
            Form::Lzf { len, .. } => len,
        }
    }

    /// True for the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text, borrowed from the input where it stands there, else from the scratch buffer.
    ///
    /// # Errors
    /// When it does not decompress, or the budget is spent.
    #[inline]
    pub fn read<'e>(&self, scratch: &'e mut Scratch) -> Result<Piece<'a, 'e>> {
        match self.form {
            Form::Raw(bytes) => Ok(Piece::Input(bytes)),
            Form::Int(value) => {
                scratch.text.clear();
                scratch.text.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                Ok(Piece::Passing(&scratch.text))
            }
            Form::Lzf { compressed, len } => {
                self.decompress(compressed, len, scratch)?;
                Ok(Piece::Passing(&scratch.text))
            }
        }
    }

    fn decompress(&self, compressed: &[u8], len: u64, scratch: &mut Scratch) -> Result<()> {
        // What the bytes cannot hold is refused by `decompress` before it allocates.
        if len <= (compressed.len() as u64).saturating_mul(264) {
            scratch.reserve(len).map_err(|e| Error::new(self.offset, ErrorKind::Exhausted(e)))?;
        }
        scratch.text.clear();
        lzf::decompress(compressed, len, &mut scratch.text).map_err(|e| Error::lzf(self.offset, e))
    }

    /// The first `want` bytes of the text (all of them when it is shorter).
    ///
    /// # Errors
    /// As [`StringRef::read`].
    pub fn prefix<'e>(&self, want: usize, scratch: &'e mut Scratch) -> Result<Piece<'a, 'e>> {
        match self.form {
            Form::Raw(bytes) => Ok(Piece::Input(bytes.get(..want).unwrap_or(bytes))),
            Form::Lzf { compressed, len } if len > want as u64 => {
                scratch.text.clear();
                lzf::decompress_prefix(compressed, want, &mut scratch.text).map_err(|e| Error::lzf(self.offset, e))?;
                Ok(Piece::Passing(&scratch.text))
            }
            _ => self.read(scratch),
        }
    }

    /// The text, to keep.
    ///
    /// # Errors
    /// As [`StringRef::read`].
    pub fn to_blob(&self, scratch: &mut Scratch) -> Result<Blob<'a>> {
        match self.form {
            Form::Int(value) => Ok(Blob::integer(value.into())),
            _ => Ok(self.read(scratch)?.to_blob()),
        }
    }
}

/// Writes strings as a server would: canonical 32-bit integers as such, what shrinks compressed, the rest plain.
#[derive(Debug, Clone)]
pub struct Encoder {
    lzf: Option<lzf::Compressor>,
    compressed: Vec<u8>,
}

/// Servers do not try to compress shorter strings.
const SHORTEST_TO_COMPRESS: usize = 21;
/// The length of the longest text that becomes an integer, `-2147483648`.
const LONGEST_INTEGER: usize = 11;

impl Encoder {
    /// With or without compression (`rdbcompression`).
    #[must_use]
    pub fn new(compress: bool) -> Self {
        Self { lzf: compress.then(lzf::Compressor::new), compressed: Vec::new() }
    }

    /// Append a string.
    pub fn encode(&mut self, text: &[u8], out: &mut Vec<u8>) {
        if text.len() <= LONGEST_INTEGER
            && let Some(value) = canonical_int(text).and_then(|value| i32::try_from(value).ok())
        {
            return encode_int(value, out);
        }
        if text.len() >= SHORTEST_TO_COMPRESS
            && let Some(lzf) = &mut self.lzf
        {
            self.compressed.clear();
            if lzf.compress(text, &mut self.compressed).is_some() {
                out.push(0xc3);
                length::encode(self.compressed.len() as u64, out);
                length::encode(text.len() as u64, out);
                out.extend_from_slice(&self.compressed);
                return;
            }
        }
        encode_plain(text, out);
    }
}

/// Append a string as it is.
pub fn encode_plain(text: &[u8], out: &mut Vec<u8>) {
    length::encode(text.len() as u64, out);
    out.extend_from_slice(text);
}

/// Append an integer in the smallest width that holds it.
fn encode_int(value: i32, out: &mut Vec<u8>) {
    if let Ok(byte) = i8::try_from(value) {
        out.push(0xc0);
        out.extend_from_slice(&byte.to_le_bytes());
    } else if let Ok(short) = i16::try_from(value) {
        out.push(0xc1);
        out.extend_from_slice(&short.to_le_bytes());
    } else {
        out.push(0xc2);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &[u8], compress: bool) -> Vec<u8> {
        let mut out = Vec::new();
        Encoder::new(compress).encode(text, &mut out);
        out
    }

    #[test]
    fn strings_are_written_as_servers_write_them() {
        for (text, stored) in [
            (&b"hello"[..], &b"\x05hello"[..]),
            (b"-100", b"\xc0\x9c"),
            (b"127", b"\xc0\x7f"),
            (b"128", b"\xc1\x80\x00"),
            (b"1000", b"\xc1\xe8\x03"),
            (b"-2147483648", b"\xc2\x00\x00\x00\x80"),
            (b"2147483648", b"\x0a2147483648"),
            (b"00123", b"\x0500123"),
            (b"+5", b"\x02+5"),
            (b"-0", b"\x02-0"),
            (b"", b"\x00"),
        ] {
            assert_eq!(encoded(text, true), stored, "{}", text.escape_ascii());
        }
        assert_eq!(encoded(&[b'a'; 100], true)[0], 0xc3);
        assert_eq!(encoded(&[b'a'; 100], false)[..2], [0x40, 100]);
        assert_eq!(encoded(&[b'a'; 20], true)[0], 20);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(0u8..3, 0..3000),
            any::<i64>().prop_map(|n| n.to_string().into_bytes()),
            any::<i16>().prop_map(|n| n.to_string().into_bytes()),
        ], compress: bool) {
            let stored = encoded(&text, compress);
            prop_assert_eq!(super::tests::text(&stored).unwrap(), text.clone());
            prop_assert!(stored.len() <= text.len() + 5);
        }
    }

    fn text(stored: &[u8]) -> Result<Vec<u8>> {
        let mut c = Cursor::new(stored);
        let string = decode(&mut c)?;
        let mut skipped = Cursor::new(stored);
        skip(&mut skipped)?;
        assert_eq!(c.offset(), skipped.offset());
        let mut scratch = Scratch::default();
        let text = string.read(&mut scratch)?.to_vec();
        assert_eq!(string.len(), text.len() as u64);
        assert_eq!(string.to_blob(&mut Scratch::default())?.as_bytes(), text);
        Ok(text)
    }

    #[test]
    fn every_form_reads_as_its_text() {
        assert_eq!(text(b"\x05hello").unwrap(), b"hello");
        assert_eq!(text(b"\x40\x05hello").unwrap(), b"hello");
        assert_eq!(text(b"\xc0\x9c").unwrap(), b"-100");
        assert_eq!(text(b"\xc1\xe8\x03").unwrap(), b"1000");
        assert_eq!(text(b"\xc2\x00\x00\x00\x80").unwrap(), b"-2147483648");
        assert_eq!(text(b"\xc3\x09\x40\x64\x01\x61\x61\xe0\x57\x00\x01\x61\x61").unwrap(), [b'a'; 100]);
    }

    #[test]
    fn an_lzf_claim_that_its_bytes_cannot_hold_is_refused_before_allocating() {
        let error = text(b"\xc3\x02\x80\xff\xff\xff\xff\x00a").unwrap_err();
        assert!(error.code().starts_with("lzf-"), "{error}");
        assert_eq!(error.offset(), 0);
    }

    #[test]
    fn an_unknown_encoding_is_refused() {
        assert_eq!(text(b"\xc4abc").unwrap_err().code(), "rdb-bad-string-encoding");
        assert!(text(b"\x05hell").unwrap_err().is_torn());
    }
}

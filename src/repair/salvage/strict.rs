//! Lengths and strings as writers write them.
//!
//! A start that was only guessed is read with these: what no server writes is refused, and most wrong guesses with it.
//!
//! | refused | because |
//! | --- | --- |
//! | a length that fits a shorter form | `rdbSaveLen` writes the shortest |
//! | `c1`, `c2` with an integer that fits a shorter form | `rdbEncodeInteger` |
//! | up to 11 plain bytes that are the text of a 32-bit integer | `rdbTryIntegerEncoding` |
//! | LZF that does not save anything | `lzf_compress` fails then |
//!
//! Source: Redis `src/rdb.c`.

use crate::value::number::canonical_int;

/// Reads forward from a place; `None` means "no server wrote this".
#[derive(Debug, Clone, Copy)]
pub(super) struct Strict<'a> {
    bytes: &'a [u8],
    at: usize,
    steps: u32,
}

/// A string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Text<'a> {
    Plain(&'a [u8]),
    Int(i32),
    Lzf { compressed: &'a [u8], len: u64 },
}

impl<'a> Strict<'a> {
    /// `steps` is how many strings may be read before giving up.
    pub(super) fn new(bytes: &'a [u8], at: usize, steps: u32) -> Self {
        Self { bytes, at, steps }
    }

    /// The same reader, back at an earlier place.
    pub(super) fn back_at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let end = self.at.checked_add(usize::try_from(len).ok()?)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = *self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(taken)
    }

    pub(super) fn length(&mut self) -> Option<u64> {
        let first = self.u8()?;
        self.rest_of_length(first)
    }

    fn rest_of_length(&mut self, first: u8) -> Option<u64> {
        match first {
            short @ 0x00..=0x3f => Some(u64::from(short)),
            high @ 0x40..=0x7f => {
                let len = u64::from(u16::from_be_bytes([high & 0x3f, self.u8()?]));
                (len > 0x3f).then_some(len)
            }
            0x80 => Some(u64::from(u32::from_be_bytes(self.array()?))).filter(|&len| len > 0x3fff),
            0x81 => Some(u64::from_be_bytes(self.array()?)).filter(|&len| len > u64::from(u32::MAX)),
            _ => None,
        }
    }

    /// A count of things that take at least `smallest` bytes each, at least one of them.
    pub(super) fn count(&mut self, smallest: usize) -> Option<u64> {
        let count = self.length()?;
        let fits = count.checked_mul(u64::try_from(smallest).ok()?)? <= u64::try_from(self.remaining()).ok()?;
        (count > 0 && fits).then_some(count)
    }

    pub(super) fn string(&mut self) -> Option<Text<'a>> {
        self.steps = self.steps.checked_sub(1)?;
        match self.u8()? {
            0xc0 => Some(Text::Int(i8::from_le_bytes(self.array()?).into())),
            0xc1 => {
                let value = i16::from_le_bytes(self.array()?);
                i8::try_from(value).is_err().then_some(Text::Int(value.into()))
            }
            0xc2 => {
                let value = i32::from_le_bytes(self.array()?);
                i16::try_from(value).is_err().then_some(Text::Int(value))
            }
            0xc3 => self.lzf(),
            first => {
                let len = self.rest_of_length(first)?;
                let plain = self.take(len)?;
                (!is_stored_as_integer(plain)).then_some(Text::Plain(plain))
            }
        }
    }

    fn lzf(&mut self) -> Option<Text<'a>> {
        let (stored, len) = (self.length()?, self.length()?);
        // Strings of up to 20 bytes are not compressed, and three bytes make 264 at most.
        if stored >= len || len <= 20 || len > stored.checked_mul(88)? {
            return None;
        }
        Some(Text::Lzf { compressed: self.take(stored)?, len })
    }
}

fn is_stored_as_integer(plain: &[u8]) -> bool {
    plain.len() <= 11 && canonical_int(plain).is_some_and(|value| i32::try_from(value).is_ok())
}

impl<'a> Text<'a> {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Plain(bytes) => bytes.len() as u64,
            Self::Int(_) => 1,
            Self::Lzf { len, .. } => *len,
        }
    }

    /// The bytes of a plain string.
    pub(super) fn plain(&self) -> Option<&'a [u8]> {
        match self {
            Self::Plain(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// True for a nested blob: the first four bytes of a listpack or ziplist are its length; an intset.
    pub(super) fn is_blob(&self) -> bool {
        let Self::Plain(bytes) = self else { return false };
        let total = bytes.first_chunk::<4>().map(|total| u32::from_le_bytes(*total));
        bytes.len() >= 7 && total.is_some_and(|total| usize::try_from(total) == Ok(bytes.len()))
            || bytes.len() >= 10 && crate::packed::intset::verify(bytes).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(bytes: &[u8]) -> Option<Text<'_>> {
        Strict::new(bytes, 0, 10).string()
    }

    #[test]
    fn what_a_writer_writes_is_read() {
        assert_eq!(string(b"\x05hello"), Some(Text::Plain(b"hello")));
        assert_eq!(string(b"\xc0\x9c"), Some(Text::Int(-100)));
        assert_eq!(string(b"\xc1\xe8\x03"), Some(Text::Int(1000)));
        assert_eq!(string(b"\x02-0"), Some(Text::Plain(b"-0")));
        assert_eq!(string(b"\x0b99999999999"), Some(Text::Plain(b"99999999999")));
    }

    #[test]
    fn what_no_writer_writes_is_refused() {
        for bytes in [&b"\x40\x05hello"[..], b"\xc1\x05\x00", b"\xc2\x05\x00\x00\x00", b"\x0212", b"\xc3\x05\x04abcde"]
        {
            assert_eq!(string(bytes), None, "{bytes:x?}");
        }
        assert_eq!(Strict::new(b"\x80\x00\x00\x00\x05", 0, 1).length(), None);
        assert_eq!(Strict::new(b"\x05", 0, 1).count(1), None);
    }

    #[test]
    fn blobs_are_known_by_their_own_length() {
        assert!(Text::Plain(b"\x07\0\0\0\0\0\xff").is_blob());
        assert!(Text::Plain(b"\x02\0\0\0\x01\0\0\0\x05\0").is_blob());
        assert!(!Text::Plain(b"user:1000").is_blob());
    }
}

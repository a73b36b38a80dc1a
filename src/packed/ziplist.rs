//! Ziplist: what listpacks replaced in Redis 7.0.
//!
//! | offset | size | field       | notes                                                    |
//! |-------:|-----:|-------------|----------------------------------------------------------|
//! | 0      | 4    | total bytes | u32 LE, header and terminator included                   |
//! | 4      | 4    | tail        | u32 LE, offset of the last entry; 10 when there is none  |
//! | 8      | 2    | num entries | u16 LE; `ffff` = unknown, count by walking               |
//! | 10     | …    | entries     | prevlen, encoding, data                                  |
//! | last   | 1    | terminator  | `ff`                                                     |
//!
//! The prevlen is the whole size of the entry before (0 for the first): one byte below 254, else `fe` + u32 LE.
//! Real ziplists hold `fe` with small values too, since servers never shrink it.
//!
//! | encoding | data |
//! | --- | --- |
//! | `00xxxxxx` | string of x bytes |
//! | `01xxxxxx` b | string, 14-bit length, big-endian |
//! | `10......` + u32 BE | string |
//! | `c0` `f0` `d0` `e0` | i16, i24, i32, i64, little-endian |
//! | `fe` | i8 |
//! | `f1` … `fd` | 0 … 12 |
//!
//! Source: Redis 6.2 `src/ziplist.c`, checks as in `ziplistValidateIntegrity`. Written by 2.4 … 6.2; `f0`, `fe` and
//! `f1` … `fd` since 2.6.

use super::{Element, Error, ErrorKind};

mod builder;

pub use builder::Builder;

const HEADER: usize = 10;
const TERMINATOR: u8 = 0xff;
const SHORTEST: usize = 11;
/// The count that means "walk and see".
const UNKNOWN: u16 = u16::MAX;
/// First byte of the long form of a prevlen, and the least value that needs it.
const LONG_PREVLEN: u8 = 0xfe;

/// A ziplist whose total and last byte fit. Its entries may still be damaged.
#[derive(Debug, Clone, Copy)]
pub struct Ziplist<'a> {
    /// Everything between header and terminator.
    body: &'a [u8],
    tail: u32,
    claimed: u16,
}

impl<'a> Ziplist<'a> {
    /// Look at header and last byte.
    ///
    /// # Errors
    /// When the blob is shorter than 11 bytes, has another length than its header says or does not end with `ff`.
    pub fn new(blob: &'a [u8]) -> Result<Self, Error> {
        let (Some((header, rest)), true) = (blob.split_first_chunk::<HEADER>(), blob.len() >= SHORTEST) else {
            return Err(Error::new(0, ErrorKind::ZiplistTooShort));
        };
        let [b0, b1, b2, b3, t0, t1, t2, t3, c0, c1] = *header;
        let total = u32::from_le_bytes([b0, b1, b2, b3]);
        if u64::from(total) != blob.len() as u64 {
            let kind = ErrorKind::ZiplistSizeMismatch { claimed: total, actual: blob.len() as u64 };
            return Err(Error::new(0, kind));
        }
        let Some((&TERMINATOR, body)) = rest.split_last() else {
            return Err(Error::new(blob.len().saturating_sub(1), ErrorKind::ZiplistMissingTerminator));
        };
        Ok(Self { body, tail: u32::from_le_bytes([t0, t1, t2, t3]), claimed: u16::from_le_bytes([c0, c1]) })
    }

    /// The header's count; `None` when it says that it does not know.
    #[must_use]
    pub fn claimed_len(&self) -> Option<u16> {
        (self.claimed != UNKNOWN).then_some(self.claimed)
    }

    /// True when there is no byte of an entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Walk the entries. The walk ends after its first error.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter { rest: self.body, end: HEADER.saturating_add(self.body.len()) }
    }

    /// The number of entries: the header's, or by walking where it does not know.
    ///
    /// # Errors
    /// When the walk meets one.
    pub fn len(&self) -> Result<usize, Error> {
        match self.claimed_len() {
            Some(count) => Ok(usize::from(count)),
            None => self.iter().try_fold(0_usize, |count, element| element.map(|_| count.saturating_add(1))),
        }
    }
}

impl<'a> IntoIterator for &Ziplist<'a> {
    type Item = Result<Element<'a>, Error>;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The header's count, from the first 10 or more bytes of a ziplist. `None` when it is unknown or bytes are missing:
/// then the entries must be counted.
#[must_use]
pub fn claimed_len_of_prefix(prefix: &[u8]) -> Option<u16> {
    let [.., c0, c1] = *prefix.first_chunk::<HEADER>()?;
    let count = u16::from_le_bytes([c0, c1]);
    (count != UNKNOWN).then_some(count)
}

/// The server's deep check (7.0 and later run it on every ziplist): entries inside, each prevlen, the tail and the
/// count right. Gives the count.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(blob: &[u8]) -> Result<usize, Error> {
    let ziplist = Ziplist::new(blob)?;
    let bad_tail = Error::new(4, ErrorKind::ZiplistBadTail { claimed: ziplist.tail });
    let tail = usize::try_from(ziplist.tail).map_err(|_| bad_tail)?;
    if tail >= blob.len() {
        return Err(bad_tail);
    }
    let mut iter = ziplist.iter();
    let (mut counted, mut last_start, mut last_size) = (0_usize, None, 0_usize);
    loop {
        let start = iter.offset();
        let Some((_, prevlen)) = iter.step()? else { break };
        if u64::from(prevlen) != last_size as u64 {
            let kind = ErrorKind::ZiplistBadPrevlen { claimed: prevlen, actual: last_size as u64 };
            return Err(Error::new(start, kind));
        }
        last_start = Some(start);
        last_size = iter.offset().saturating_sub(start);
        counted = counted.saturating_add(1);
    }
    if last_start.is_some_and(|start| start != tail) {
        return Err(bad_tail);
    }
    match ziplist.claimed_len() {
        Some(claimed) if usize::from(claimed) != counted => {
            Err(Error::new(8, ErrorKind::ZiplistCountMismatch { claimed, counted: counted as u64 }))
        }
        _ => Ok(counted),
    }
}

/// The entries of a ziplist, first to last.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
    /// Offset of the terminator.
    end: usize,
}

impl<'a> Iter<'a> {
    /// Offset inside the blob of the next entry.
    #[must_use]
    #[inline]
    pub fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// The next entry and its prevlen.
    #[inline]
    fn step(&mut self) -> Result<Option<(Element<'a>, u32)>, Error> {
        let Some(&first) = self.rest.first() else { return Ok(None) };
        if first == TERMINATOR {
            return Err(self.fail(ErrorKind::ZiplistEarlyTerminator));
        }
        let Some((prevlen, encoded)) = split_prevlen(first, self.rest) else {
            return Err(self.fail(ErrorKind::ZiplistTruncatedEntry));
        };
        let Some(&encoding) = encoded.first() else { return Err(self.fail(ErrorKind::ZiplistTruncatedEntry)) };
        let Some((element, size)) = decode(encoding, encoded) else { return Err(self.fail(why(encoding))) };
        let Some(after) = encoded.get(size..) else { return Err(self.fail(ErrorKind::ZiplistTruncatedEntry)) };
        self.rest = after;
        Ok(Some((element, prevlen)))
    }

    /// End the walk: nothing can be told to begin anywhere after an entry that cannot be measured.
    #[cold]
    fn fail(&mut self, kind: ErrorKind) -> Error {
        let offset = self.offset();
        self.rest = &[];
        Error::new(offset, kind)
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Result<Element<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.step().map(|step| step.map(|(element, _)| element)).transpose()
    }
}

impl std::iter::FusedIterator for Iter<'_> {}

#[inline]
fn split_prevlen(first: u8, entry: &[u8]) -> Option<(u32, &[u8])> {
    if first < LONG_PREVLEN {
        return Some((u32::from(first), entry.get(1..)?));
    }
    let (long, encoded) = entry.get(1..)?.split_first_chunk()?;
    Some((u32::from_le_bytes(*long), encoded))
}

/// The element at the head of `encoded`, whose first byte is `encoding`, and the bytes it takes.
#[inline]
fn decode(encoding: u8, encoded: &[u8]) -> Option<(Element<'_>, usize)> {
    Some(match encoding {
        0x00..=0x3f => string(encoded, 1, usize::from(encoding))?,
        0x40..=0x7f => string(encoded, 2, usize::from(u16::from_be_bytes([encoding & 0x3f, *encoded.get(1)?])))?,
        // Servers ignore the low bits of the first byte.
        0x80..=0xbf => string(encoded, 5, usize::try_from(u32::from_be_bytes(bytes_after(encoded)?)).ok()?)?,
        0xc0 => (Element::Int(i64::from(i16::from_le_bytes(bytes_after(encoded)?))), 3),
        0xd0 => (Element::Int(i64::from(i32::from_le_bytes(bytes_after(encoded)?))), 5),
        0xe0 => (Element::Int(i64::from_le_bytes(bytes_after(encoded)?)), 9),
        0xf0 => {
            let [a, b, c] = bytes_after(encoded)?;
            (Element::Int(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)), 4)
        }
        0xf1..=0xfd => (Element::Int(i64::from(encoding.wrapping_sub(0xf1))), 1),
        0xfe => (Element::Int(i64::from(i8::from_le_bytes(bytes_after(encoded)?))), 2),
        _ => return None,
    })
}

/// Bytes of encoding and data of the entry whose encoding `rest` begins with; `None` when it is none, or not whole.
pub(crate) fn size_of_first(rest: &[u8]) -> Option<usize> {
    decode(*rest.first()?, rest).map(|(_, size)| size)
}

#[inline]
fn string(encoded: &[u8], head: usize, len: usize) -> Option<(Element<'_>, usize)> {
    let size = head.checked_add(len)?;
    Some((Element::Bytes(encoded.get(head..size)?), size))
}

#[inline]
fn bytes_after<const N: usize>(encoded: &[u8]) -> Option<[u8; N]> {
    encoded.get(1..)?.first_chunk::<N>().copied()
}

/// Why an entry with this encoding could not be decoded.
fn why(encoding: u8) -> ErrorKind {
    match encoding {
        0x00..=0xbf | 0xc0 | 0xd0 | 0xe0 | 0xf0..=0xfe => ErrorKind::ZiplistTruncatedEntry,
        _ => ErrorKind::ZiplistUnknownEncoding(encoding),
    }
}

#[cfg(test)]
mod tests;

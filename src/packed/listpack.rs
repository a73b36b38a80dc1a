//! Listpack: a packed list of small strings and integers.
//!
//! | offset | size | field        | notes                                             |
//! |-------:|-----:|--------------|---------------------------------------------------|
//! | 0      | 4    | total bytes  | u32 LE, header and terminator included            |
//! | 4      | 2    | num elements | u16 LE; `ffff` = unknown, count by walking        |
//! | 6      | …    | elements     | encoding + data, then backlen (1–5 bytes)         |
//! | last   | 1    | terminator   | `ff`                                              |
//!
//! | first byte | what follows | element |
//! | --- | --- | --- |
//! | `0xxxxxxx` | | 0 … 127 |
//! | `10xxxxxx` | x bytes | string of up to 63 bytes |
//! | `110xxxxx` b | | 13-bit signed integer, big-endian |
//! | `1110xxxx` b | that many bytes | string of up to 4095 bytes, length big-endian |
//! | `f0` u32 LE | that many bytes | string |
//! | `f1` `f2` `f3` `f4` | 2, 3, 4, 8 bytes LE | signed integer |
//!
//! The backlen is the size of encoding and data, readable from its end: groups of seven bits, the most significant
//! first, bit 7 set in all but the first byte. How many bytes it takes follows from the size alone and drives
//! forward iteration, and there servers disagree by one: see [`Backlen`].
//!
//! Source: Redis `src/listpack.c`, checks as in `lpValidateNext` and `lpValidateIntegrity`. In streams since 5.0,
//! elsewhere since 7.0.

use super::{Element, Error, ErrorKind};

mod builder;

pub use builder::Builder;

const HEADER: usize = 6;
const TERMINATOR: u8 = 0xff;
const SHORTEST: usize = 7;
/// The count that means "walk and see".
const UNKNOWN: u16 = u16::MAX;

/// How wide a server writes a backlen of 16383, 2097151 or 268435455, the greatest values of 2, 3 and 4 groups.
///
/// Of every other size the two are the same. An element of exactly such a size cannot be read by the other family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backlen {
    /// Redis, Redict, Dragonfly and Valkey up to 8: one byte more than needed.
    #[default]
    Redis,
    /// Valkey 9 and later: as many bytes as needed.
    Valkey9,
}

impl Backlen {
    /// How many bytes the backlen of an element of `size` bytes takes.
    #[must_use]
    #[inline]
    pub fn width(self, size: usize) -> usize {
        let size = size.saturating_sub(usize::from(self == Self::Valkey9 && is_contested(size)));
        match size {
            0..=127 => 1,
            128..16_383 => 2,
            16_383..2_097_151 => 3,
            2_097_151..268_435_455 => 4,
            _ => 5,
        }
    }
}

/// True of the three sizes whose backlen width depends on the server.
fn is_contested(size: usize) -> bool {
    matches!(size, 16_383 | 2_097_151 | 268_435_455)
}

/// A listpack whose header and last byte fit. Its elements may still be damaged.
#[derive(Debug, Clone, Copy)]
pub struct Listpack<'a> {
    /// Everything before the terminator.
    open: &'a [u8],
    claimed: u16,
}

impl<'a> Listpack<'a> {
    /// Look at header and last byte, as a server does without sanitizing.
    ///
    /// # Errors
    /// When the blob is shorter than 7 bytes, has another length than its header says or does not end with `ff`.
    pub fn new(blob: &'a [u8]) -> Result<Self, Error> {
        let (Some(header), true) = (blob.first_chunk::<HEADER>(), blob.len() >= SHORTEST) else {
            return Err(Error::new(0, ErrorKind::ListpackTooShort));
        };
        let [t0, t1, t2, t3, c0, c1] = *header;
        let total = u32::from_le_bytes([t0, t1, t2, t3]);
        if u64::from(total) != blob.len() as u64 {
            let kind = ErrorKind::ListpackSizeMismatch { claimed: total, actual: blob.len() as u64 };
            return Err(Error::new(0, kind));
        }
        let Some((&TERMINATOR, open)) = blob.split_last() else {
            return Err(Error::new(blob.len().saturating_sub(1), ErrorKind::ListpackMissingTerminator));
        };
        Ok(Self { open, claimed: u16::from_le_bytes([c0, c1]) })
    }

    /// The header's count; `None` when it says that it does not know.
    #[must_use]
    pub fn claimed_len(&self) -> Option<u16> {
        (self.claimed != UNKNOWN).then_some(self.claimed)
    }

    /// True when there is no byte of an element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.len() <= HEADER
    }

    /// Walk the elements. The walk ends after its first error.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter { rest: self.open.get(HEADER..).unwrap_or_default(), end: self.open.len() }
    }

    /// The number of elements: the header's, or by walking where it does not know.
    ///
    /// # Errors
    /// When the walk meets one.
    pub fn len(&self) -> Result<usize, Error> {
        match self.claimed_len() {
            Some(count) => Ok(usize::from(count)),
            None => self.iter().try_fold(0_usize, |count, element| element.map(|_| count.saturating_add(1))),
        }
    }

    /// The header's count against the elements that there are.
    pub(super) fn verify_count(&self, counted: usize) -> Result<(), Error> {
        match self.claimed_len() {
            Some(claimed) if usize::from(claimed) != counted => {
                Err(Error::new(4, ErrorKind::ListpackCountMismatch { claimed, counted: counted as u64 }))
            }
            _ => Ok(()),
        }
    }

    /// Which servers can read it: `None` when all can, since no element has one of the three contested sizes.
    ///
    /// # Errors
    /// When the walk meets one.
    pub fn backlen(&self) -> Result<Option<Backlen>, Error> {
        let mut iter = self.iter();
        while let Some(step) = iter.step()? {
            if is_contested(step.size) {
                return Ok(Some(if step.width == Backlen::Redis.width(step.size) {
                    Backlen::Redis
                } else {
                    Backlen::Valkey9
                }));
            }
        }
        Ok(None)
    }
}

impl<'a> IntoIterator for &Listpack<'a> {
    type Item = Result<Element<'a>, Error>;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The header's count, from the first 6 or more bytes of a listpack. `None` when it is unknown or bytes are missing:
/// then the elements must be counted.
#[must_use]
pub fn claimed_len_of_prefix(prefix: &[u8]) -> Option<u16> {
    let [.., c0, c1] = *prefix.first_chunk::<HEADER>()?;
    let count = u16::from_le_bytes([c0, c1]);
    (count != UNKNOWN).then_some(count)
}

/// The first element, from the first bytes of a listpack, where they hold it. `None` for an empty listpack too.
#[must_use]
pub fn first_of_prefix(prefix: &[u8]) -> Option<Element<'_>> {
    let rest = prefix.get(HEADER..)?;
    decode(*rest.first()?, rest).map(|(element, _)| element)
}

/// The server's deep check: every element and backlen inside, the count right. Gives the count.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(blob: &[u8]) -> Result<usize, Error> {
    let (listpack, counted) = verify_elements(blob)?;
    listpack.verify_count(counted)?;
    Ok(counted)
}

/// The deep check without the header's count. Gives the listpack and the number of its elements.
pub(super) fn verify_elements(blob: &[u8]) -> Result<(Listpack<'_>, usize), Error> {
    let listpack = Listpack::new(blob)?;
    let mut iter = listpack.iter();
    let mut counted = 0_usize;
    loop {
        let start = iter.offset();
        let Some(step) = iter.step()? else { break };
        let end = start.saturating_add(step.size).saturating_add(step.width);
        if !backlen_fits(blob, end, step.size) {
            let offset = end.saturating_sub(step.width);
            return Err(Error::new(offset, ErrorKind::ListpackBadBacklen { size: step.size as u64 }));
        }
        counted = counted.saturating_add(1);
    }
    Ok((listpack, counted))
}

/// True when the backlen that ends before `end` says `size`. Like the server, read it from its end and do not ask
/// how many bytes it took: a wrong continuation bit passes where it runs into bytes that add nothing.
#[inline]
fn backlen_fits(blob: &[u8], end: usize, size: usize) -> bool {
    let (Some(before), Ok(size)) = (blob.get(..end), u64::try_from(size)) else { return false };
    if let Some(&last @ 0..=127) = before.last() {
        return u64::from(last) == size;
    }
    read_backlen(before).is_some_and(|(value, _)| value == size)
}

/// The backlen at the end of `bytes`: its value and its width.
fn read_backlen(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for ((&byte, shift), width) in bytes.iter().rev().zip([0_u32, 7, 14, 21, 28]).zip(1..) {
        value |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Some((value, width));
        }
    }
    None
}

/// The elements of a listpack, first to last.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
    /// Offset of the terminator.
    end: usize,
}

/// One element and the room it takes.
struct Step<'a> {
    element: Element<'a>,
    /// Bytes of encoding and data.
    size: usize,
    /// Bytes of backlen.
    width: usize,
}

impl<'a> Iter<'a> {
    /// Offset inside the blob of the next element.
    #[must_use]
    #[inline]
    pub fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// True when no byte of an element is left, or the walk met an error.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    fn step(&mut self) -> Result<Option<Step<'a>>, Error> {
        let rest = self.rest;
        let Some(&first) = rest.first() else { return Ok(None) };
        let Some((element, size)) = decode(first, rest) else { return Err(self.fail(first)) };
        let width = match size {
            0..=127 => 1,
            _ => width_found(rest, size),
        };
        let Some(after) = rest.get(size.wrapping_add(width)..) else { return Err(self.fail(0)) };
        self.rest = after;
        Ok(Some(Step { element, size, width }))
    }

    /// End the walk: nothing can be told to begin anywhere after an element that cannot be measured.
    #[cold]
    fn fail(&mut self, first: u8) -> Error {
        let offset = self.offset();
        self.rest = &[];
        Error::new(
            offset,
            match first {
                TERMINATOR => ErrorKind::ListpackEarlyTerminator,
                0xf5..=0xfe => ErrorKind::ListpackUnknownEncoding(first),
                _ => ErrorKind::ListpackTruncatedElement,
            },
        )
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Result<Element<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.step() {
            Ok(Some(step)) => Some(Ok(step.element)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl std::iter::FusedIterator for Iter<'_> {}

/// The element at the head of `rest`, whose first byte is `first`, and the bytes of its encoding and data.
#[inline]
fn decode(first: u8, rest: &[u8]) -> Option<(Element<'_>, usize)> {
    Some(match first {
        0x00..=0x7f => (Element::Int(i64::from(first)), 1),
        0x80..=0xbf => string(rest, 1, usize::from(first & 0x3f))?,
        0xc0..=0xdf => {
            let value = i16::from_be_bytes([first & 0x1f, *rest.get(1)?]);
            let value = if value >= 4096 { value.wrapping_sub(8192) } else { value };
            (Element::Int(i64::from(value)), 2)
        }
        0xe0..=0xef => string(rest, 2, usize::from(u16::from_be_bytes([first & 0x0f, *rest.get(1)?])))?,
        0xf0 => string(rest, 5, usize::try_from(u32::from_le_bytes(bytes_after(rest)?)).ok()?)?,
        0xf1 => (Element::Int(i64::from(i16::from_le_bytes(bytes_after(rest)?))), 3),
        0xf2 => {
            let [a, b, c] = bytes_after(rest)?;
            (Element::Int(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)), 4)
        }
        0xf3 => (Element::Int(i64::from(i32::from_le_bytes(bytes_after(rest)?))), 5),
        0xf4 => (Element::Int(i64::from_le_bytes(bytes_after(rest)?)), 9),
        0xf5..=0xff => return None,
    })
}

/// Bytes of encoding and data of the element that `rest` begins with; `None` when it is none, or not whole.
pub(crate) fn size_of_first(rest: &[u8]) -> Option<usize> {
    decode(*rest.first()?, rest).map(|(_, size)| size)
}

#[inline]
fn string(rest: &[u8], head: usize, len: usize) -> Option<(Element<'_>, usize)> {
    let size = head.checked_add(len)?;
    Some((Element::Bytes(rest.get(head..size)?), size))
}

#[inline]
fn bytes_after<const N: usize>(rest: &[u8]) -> Option<[u8; N]> {
    rest.get(1..)?.first_chunk::<N>().copied()
}

/// The width of the backlen that follows an element: by its size, and for a contested size by the bytes that are
/// there. Redis writes such a backlen with a first byte of `00`, Valkey 9 with one of `7f` and then `ff`.
fn width_found(rest: &[u8], size: usize) -> usize {
    let natural = Backlen::Valkey9.width(size);
    let as_valkey = is_contested(size)
        && rest
            .get(size..)
            .and_then(|after| after.get(..natural))
            .is_some_and(|backlen| matches!(backlen, [0x7f, groups @ ..] if groups.iter().all(|&group| group == 0xff)));
    if as_valkey { natural } else { Backlen::Redis.width(size) }
}

#[cfg(test)]
mod tests;

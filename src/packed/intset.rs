//! Intset: a sorted array of integers.
//!
//! | offset | size | field | notes |
//! |-------:|-----:|-------|-------|
//! | 0      | 4    | width | u32 LE: 2, 4 or 8; wider than needed is accepted |
//! | 4      | 4    | count | u32 LE, at least 1 |
//! | 8      | …    | integers | signed, LE, strictly ascending |
//!
//! Source: Redis `src/intset.c`, checks as in `intsetValidateIntegrity`. Since 2.4.

use super::{Error, ErrorKind};

const HEADER: usize = 8;

/// An intset whose width and size fit and which is not empty. Its integers may still be out of order.
#[derive(Debug, Clone, Copy)]
pub struct Intset<'a> {
    body: &'a [u8],
    width: Width,
}

/// Bytes of one integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The least that holds `value`.
    fn of(value: i64) -> Self {
        if i16::try_from(value).is_ok() {
            Self::Two
        } else if i32::try_from(value).is_ok() {
            Self::Four
        } else {
            Self::Eight
        }
    }
}

impl<'a> Intset<'a> {
    /// Look at the header, as a server does without sanitizing.
    ///
    /// # Errors
    /// When the width is unknown, the size is not that of the header, or there is no integer: an empty intset is
    /// corruption to every server, not an empty set.
    pub fn new(blob: &'a [u8]) -> Result<Self, Error> {
        let Some((header, body)) = blob.split_first_chunk::<HEADER>() else {
            return Err(Error::new(0, ErrorKind::IntsetTooShort));
        };
        let [w0, w1, w2, w3, c0, c1, c2, c3] = *header;
        let width = match u32::from_le_bytes([w0, w1, w2, w3]) {
            2 => Width::Two,
            4 => Width::Four,
            8 => Width::Eight,
            other => return Err(Error::new(0, ErrorKind::IntsetBadWidth(other))),
        };
        let count = u64::from(u32::from_le_bytes([c0, c1, c2, c3]));
        let claimed = count.saturating_mul(width.bytes() as u64).saturating_add(HEADER as u64);
        if claimed != blob.len() as u64 {
            let kind = ErrorKind::IntsetSizeMismatch { claimed, actual: blob.len() as u64 };
            return Err(Error::new(4, kind));
        }
        if body.is_empty() {
            return Err(Error::new(4, ErrorKind::IntsetEmpty));
        }
        Ok(Self { body, width })
    }

    /// The number of integers, never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an intset is never empty")]
    pub fn len(&self) -> usize {
        self.body.len().checked_div(self.width.bytes()).unwrap_or(0)
    }

    /// The integers as they stand.
    #[must_use]
    pub fn iter(&self) -> Iter<'a> {
        Iter { rest: self.body, width: self.width }
    }
}

impl<'a> IntoIterator for &Intset<'a> {
    type Item = i64;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The header's count, from the first 8 or more bytes of an intset.
#[must_use]
pub fn claimed_len_of_prefix(prefix: &[u8]) -> Option<u32> {
    let [.., c0, c1, c2, c3] = *prefix.first_chunk::<HEADER>()?;
    Some(u32::from_le_bytes([c0, c1, c2, c3]))
}

/// The server's deep check: header right, integers strictly ascending. Gives the count.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(blob: &[u8]) -> Result<usize, Error> {
    let intset = Intset::new(blob)?;
    let mut counted = 0_usize;
    let mut last = None;
    for value in &intset {
        if last.is_some_and(|last| last >= value) {
            let offset = counted.saturating_mul(intset.width.bytes()).saturating_add(HEADER);
            return Err(Error::new(offset, ErrorKind::IntsetUnsorted));
        }
        last = Some(value);
        counted = counted.saturating_add(1);
    }
    Ok(counted)
}

/// The integers of an intset, first to last.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
    width: Width,
}

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        match self.width {
            Width::Two => split(&mut self.rest).map(|bytes| i64::from(i16::from_le_bytes(bytes))),
            Width::Four => split(&mut self.rest).map(|bytes| i64::from(i32::from_le_bytes(bytes))),
            Width::Eight => split(&mut self.rest).map(i64::from_le_bytes),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.rest.len().checked_div(self.width.bytes()).unwrap_or(0);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl std::iter::FusedIterator for Iter<'_> {}

#[inline]
fn split<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*head)
}

/// Writes an intset of the least width: sorted, each integer once, in whatever order they are pushed.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    values: Vec<i64>,
}

impl Builder {
    /// A set without integers, which no server accepts before one is pushed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begin again, keeping the memory.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// Add an integer.
    pub fn push(&mut self, value: i64) {
        self.values.push(value);
    }

    /// The intset. Not more than 2³²−1 integers fit the format; sets of such size are never intsets.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        self.values.sort_unstable();
        self.values.dedup();
        let ends = [self.values.first(), self.values.last()];
        let width = ends.into_iter().flatten().map(|&value| Width::of(value)).max().unwrap_or(Width::Two).bytes();
        let count = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let mut blob = Vec::with_capacity(self.values.len().saturating_mul(width).saturating_add(HEADER));
        blob.extend_from_slice(&u32::try_from(width).unwrap_or(8).to_le_bytes());
        blob.extend_from_slice(&count.to_le_bytes());
        for value in &self.values {
            blob.extend(value.to_le_bytes().iter().take(width));
        }
        blob
    }
}

#[cfg(test)]
mod tests;

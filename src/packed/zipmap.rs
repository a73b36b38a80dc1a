//! Zipmap: the small hash of Redis 2.4.
//!
//! | offset | size | field | notes |
//! |-------:|-----:|-------|-------|
//! | 0      | 1    | pairs | 254 = unknown, count by scanning |
//! | 1      | …    | pairs | key length, key, value length, free (1 byte), value, as many unused bytes as `free` says |
//! | last   | 1    | terminator | `ff` |
//!
//! A length is one byte below 254, else `fe` + u32 LE. `ff` in the place of a key's length ends the map; servers do
//! not look at what lies between it and the last byte.
//!
//! Source: Redis `src/zipmap.c`, checks as in `zipmapValidateIntegrity` of 6.2 and later and the conversion in `rdb.c`.

use super::{Error, ErrorKind};

const TERMINATOR: u8 = 0xff;
/// First byte of the long form of a length, the least length that needs it, and the count that means "unknown".
const LONG: u8 = 0xfe;

/// A zipmap whose last byte fits. Its pairs may still be damaged.
#[derive(Debug, Clone, Copy)]
pub struct Zipmap<'a> {
    /// Everything between count and last byte.
    body: &'a [u8],
    claimed: u8,
}

impl<'a> Zipmap<'a> {
    /// Look at the last byte.
    ///
    /// # Errors
    /// When the blob is shorter than 2 bytes or does not end with `ff`.
    pub fn new(blob: &'a [u8]) -> Result<Self, Error> {
        match blob {
            [claimed, body @ .., TERMINATOR] => Ok(Self { body, claimed: *claimed }),
            [] | [_] => Err(Error::new(0, ErrorKind::ZipmapTooShort)),
            _ => Err(Error::new(blob.len().saturating_sub(1), ErrorKind::ZipmapMissingTerminator)),
        }
    }

    /// The count of pairs in the first byte; `None` when it says that it does not know.
    #[must_use]
    pub fn claimed_len(&self) -> Option<u8> {
        (self.claimed != LONG).then_some(self.claimed)
    }

    /// Walk the pairs. The walk ends after its first error.
    #[must_use]
    pub fn iter(&self) -> Iter<'a> {
        Iter { rest: self.body, end: self.body.len().saturating_add(1) }
    }
}

impl<'a> IntoIterator for &Zipmap<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Error>;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The server's check (6.2 and later run it on every zipmap): pairs inside, lengths in their short form, keys unique,
/// at least one pair, the count right. Gives the number of pairs.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(blob: &[u8]) -> Result<usize, Error> {
    let zipmap = Zipmap::new(blob)?;
    let mut keys = hashbrown::HashSet::with_hasher(foldhash::fast::RandomState::default());
    let mut iter = zipmap.iter();
    loop {
        let start = iter.offset();
        let Some(pair) = iter.step()? else { break };
        if let Some(len) = pair.wasteful {
            return Err(Error::new(start, ErrorKind::ZipmapLongLength { len }));
        }
        if !keys.insert(pair.key) {
            return Err(Error::new(start, ErrorKind::ZipmapDuplicateKey));
        }
    }
    let counted = keys.len();
    match zipmap.claimed_len() {
        _ if counted == 0 => Err(Error::new(1, ErrorKind::ZipmapEmpty)),
        Some(claimed) if usize::from(claimed) != counted => {
            Err(Error::new(0, ErrorKind::ZipmapCountMismatch { claimed, counted: counted as u64 }))
        }
        _ => Ok(counted),
    }
}

/// The pairs of a zipmap, first to last.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
    /// Offset of the last byte.
    end: usize,
}

struct Pair<'a> {
    key: &'a [u8],
    value: &'a [u8],
    /// A length that stands in the long form without need.
    wasteful: Option<u32>,
}

impl<'a> Iter<'a> {
    /// Offset inside the blob of the next pair.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    fn step(&mut self) -> Result<Option<Pair<'a>>, Error> {
        if matches!(self.rest.first(), None | Some(&TERMINATOR)) {
            self.rest = &[];
            return Ok(None);
        }
        let Some((pair, after)) = split_pair(self.rest) else {
            let error = Error::new(self.offset(), ErrorKind::ZipmapTruncatedPair);
            self.rest = &[];
            return Err(error);
        };
        self.rest = after;
        Ok(Some(pair))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().map(|step| step.map(|pair| (pair.key, pair.value))).transpose()
    }
}

impl std::iter::FusedIterator for Iter<'_> {}

fn split_pair(rest: &[u8]) -> Option<(Pair<'_>, &[u8])> {
    let (key_len, key_wasteful, rest) = split_length(rest)?;
    let (key, rest) = rest.split_at_checked(key_len)?;
    let (value_len, value_wasteful, rest) = split_length(rest)?;
    let (&free, rest) = rest.split_first()?;
    let (value, rest) = rest.split_at_checked(value_len)?;
    let after = rest.get(usize::from(free)..)?;
    Some((Pair { key, value, wasteful: key_wasteful.or(value_wasteful) }, after))
}

/// A length, the same when a shorter form would do, and what follows it.
fn split_length(rest: &[u8]) -> Option<(usize, Option<u32>, &[u8])> {
    let (&first, rest) = rest.split_first()?;
    if first < LONG {
        return Some((usize::from(first), None, rest));
    }
    let (long, rest) = rest.split_first_chunk()?;
    let len = u32::from_le_bytes(*long);
    Some((usize::try_from(len).ok()?, (len < u32::from(LONG)).then_some(len), rest))
}

/// Writes a zipmap as Redis 2.4 would. The caller sees to it that keys are unique.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    pairs: Vec<u8>,
    count: usize,
}

impl Builder {
    /// A zipmap without pairs, which no server accepts before one is pushed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begin again, keeping the memory.
    pub fn clear(&mut self) {
        self.pairs.clear();
        self.count = 0;
    }

    /// Bytes of the zipmap as it stands, count and terminator included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len().saturating_add(2)
    }

    /// Pairs so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// True when nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Add a pair. One beyond 4 GiB, which the format cannot hold, is left out.
    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        let (Ok(key_len), Ok(value_len)) = (u32::try_from(key.len()), u32::try_from(value.len())) else { return };
        self.push_length(key_len);
        self.pairs.extend_from_slice(key);
        self.push_length(value_len);
        self.pairs.push(0);
        self.pairs.extend_from_slice(value);
        self.count = self.count.saturating_add(1);
    }

    fn push_length(&mut self, len: u32) {
        match u8::try_from(len) {
            Ok(short) if short < LONG => self.pairs.push(short),
            _ => {
                self.pairs.push(LONG);
                self.pairs.extend_from_slice(&len.to_le_bytes());
            }
        }
    }

    /// The zipmap. The builder keeps what it holds; see [`Builder::clear`].
    #[must_use]
    pub fn finish(&self) -> Vec<u8> {
        let count = u8::try_from(self.count).unwrap_or(LONG).min(LONG);
        let mut blob = Vec::with_capacity(self.len());
        blob.push(count);
        blob.extend_from_slice(&self.pairs);
        blob.push(TERMINATOR);
        blob
    }
}

#[cfg(test)]
mod tests;

//! LZF, the compression inside RDB strings.
//!
//! | control byte | what follows | meaning |
//! | --- | --- | --- |
//! | `000LLLLL` | L+1 bytes | copy them (1 … 32) |
//! | `LLLooooo` (L 1 … 6) | `o` | copy L+2 bytes (3 … 8) from (ooooo·256 + o) + 1 bytes back |
//! | `111ooooo` | `e` `o` | copy e+9 bytes (9 … 264) from (ooooo·256 + o) + 1 bytes back |
//!
//! Copies go byte by byte: a source that reaches into what is being written repeats it. There is no end mark; the
//! length of the output is known from elsewhere. Three bytes make 264 at most, so more than 88 bytes of output for
//! each of input is impossible and refused before anything is allocated.
//!
//! Source: liblzf `lzf_d.c`, `lzf_c.c`; Redis `src/rdb.c` (`rdbSaveLzfStringObject`).

use std::fmt;

mod compress;

pub use compress::{Compressor, compress};

/// The most output bytes that one input byte can make, rounded up.
const EXPANSION: u64 = 88;
/// The longest run that one control byte makes.
const LONGEST_RUN: usize = 264;

/// A compressed string cannot be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// Offset inside the compressed bytes: the control byte where it went wrong.
    pub offset: u64,
    /// Output bytes before it.
    pub produced: u64,
    /// What is wrong.
    pub kind: ErrorKind,
}

/// The kinds of damage. Match on these, never on the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// So much output cannot come from so little input.
    ImpossibleLength,
    /// The input ends inside a literal run or a back-reference.
    Truncated,
    /// A back-reference to before the beginning of the output.
    BadReference,
    /// More output than announced.
    TooLong,
    /// Less output than announced.
    TooShort,
}

impl Error {
    /// A stable name, as listed in `docs/codes.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            ErrorKind::ImpossibleLength => "lzf-impossible-length",
            ErrorKind::Truncated => "lzf-truncated",
            ErrorKind::BadReference => "lzf-bad-reference",
            ErrorKind::TooLong => "lzf-too-long",
            ErrorKind::TooShort => "lzf-too-short",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::ImpossibleLength => "the announced length is more than this input can expand to",
            ErrorKind::Truncated => "the compressed bytes end inside a run",
            ErrorKind::BadReference => "a back-reference points before the beginning",
            ErrorKind::TooLong => "the compressed bytes expand to more than announced",
            ErrorKind::TooShort => "the compressed bytes expand to less than announced",
        })?;
        write!(f, " (at {} of the compressed bytes, after {} bytes of output)", self.offset, self.produced)
    }
}

impl std::error::Error for Error {}

/// Append the `expected_len` bytes that `input` expands to. An `expected_len` of 0 is the empty string whatever the
/// input is, as for every server.
///
/// # Errors
/// When the input does not expand to exactly that; `out` is as before then.
pub fn decompress(input: &[u8], expected_len: u64, out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    let mut run = Run::new(input, expected_len, out)?;
    let result = if expected_len == 0 { Ok(()) } else { run.all() };
    if let Err(error) = result {
        out.truncate(start);
        return Err(error);
    }
    Ok(())
}

/// Append the first `want` bytes that `input` expands to, or all where it expands to fewer. Gives how many there were.
///
/// # Errors
/// When damage comes before that many bytes; those before it are appended all the same.
pub fn decompress_prefix(input: &[u8], want: usize, out: &mut Vec<u8>) -> Result<usize, Error> {
    let start = out.len();
    let possible = (input.len() as u64).saturating_mul(EXPANSION);
    let room = (want.saturating_add(LONGEST_RUN) as u64).min(possible);
    let mut run = Run::new(input, room, out)?;
    let result = run.until(want);
    let produced = run.produced().min(want);
    out.truncate(start.saturating_add(produced));
    result.map(|()| produced)
}

/// One pass over one input.
struct Run<'i, 'o> {
    input: &'i [u8],
    rest: &'i [u8],
    /// The room for the output, zeroed.
    out: &'o mut [u8],
    /// Bytes of it that are written.
    at: usize,
}

impl<'i, 'o> Run<'i, 'o> {
    fn new(input: &'i [u8], expected_len: u64, out: &'o mut Vec<u8>) -> Result<Self, Error> {
        let impossible = Error { offset: 0, produced: 0, kind: ErrorKind::ImpossibleLength };
        if expected_len > (input.len() as u64).saturating_mul(EXPANSION) {
            return Err(impossible);
        }
        let start = out.len();
        let end = usize::try_from(expected_len).ok().and_then(|len| start.checked_add(len)).ok_or(impossible)?;
        out.resize(end, 0);
        Ok(Self { input, rest: input, out: out.get_mut(start..).unwrap_or_default(), at: 0 })
    }

    fn produced(&self) -> usize {
        self.at
    }

    /// Everything, which must fill the output exactly.
    fn all(&mut self) -> Result<(), Error> {
        while !self.rest.is_empty() {
            self.step()?;
        }
        if self.at == self.out.len() { Ok(()) } else { Err(self.fail(self.rest, ErrorKind::TooShort)) }
    }

    /// At least `want` bytes, or to the end of the input.
    fn until(&mut self, want: usize) -> Result<(), Error> {
        while self.at < want && !self.rest.is_empty() {
            self.step()?;
        }
        Ok(())
    }

    #[inline]
    fn step(&mut self) -> Result<(), Error> {
        let whole = self.rest;
        let result = match whole.split_first() {
            Some((&control @ ..32, rest)) => self.literal(usize::from(control).wrapping_add(1), rest),
            Some((&control, rest)) => self.reference(control, rest),
            None => Ok(()),
        };
        result.map_err(|kind| self.fail(whole, kind))
    }

    /// Copy `len` bytes (up to 32) of the input.
    #[inline]
    fn literal(&mut self, len: usize, rest: &'i [u8]) -> Result<(), ErrorKind> {
        let (text, after) = rest.split_at_checked(len).ok_or(ErrorKind::Truncated)?;
        let room = self.out.get_mut(self.at..).unwrap_or_default();
        if len > room.len() {
            return Err(ErrorKind::TooLong);
        }
        // Where there is room, always 32 bytes: one move of a fixed size, of which the next run overwrites the rest.
        if let (Some(source), Some(target)) = (rest.first_chunk::<32>(), room.first_chunk_mut::<32>()) {
            *target = *source;
        } else if let Some(target) = room.get_mut(..len) {
            target.copy_from_slice(text);
        }
        self.at = self.at.wrapping_add(len);
        self.rest = after;
        Ok(())
    }

    #[inline]
    fn reference(&mut self, control: u8, rest: &'i [u8]) -> Result<(), ErrorKind> {
        let (len, low, after) = match (control >> 5, rest) {
            (7, [extra, low, after @ ..]) => (usize::from(*extra).wrapping_add(9), *low, after),
            (short @ ..7, [low, after @ ..]) => (usize::from(short).wrapping_add(2), *low, after),
            _ => return Err(ErrorKind::Truncated),
        };
        let back = usize::from(u16::from_be_bytes([control & 31, low])).wrapping_add(1);
        let from = self.at.checked_sub(back).ok_or(ErrorKind::BadReference)?;
        let end = self.at.wrapping_add(len);
        if end > self.out.len() {
            return Err(ErrorKind::TooLong);
        }
        copy_back(self.out, from, self.at, end);
        self.at = end;
        self.rest = after;
        Ok(())
    }

    #[cold]
    fn fail(&self, at: &[u8], kind: ErrorKind) -> Error {
        let offset = self.input.len().saturating_sub(at.len()) as u64;
        Error { offset, produced: self.at as u64, kind }
    }
}

/// Write `out[at..end]` from `out[from..]`, where `from < at` and the source may reach into what is written.
#[inline]
fn copy_back(out: &mut [u8], from: usize, at: usize, end: usize) {
    const CHUNK: usize = 16;
    let back = at.wrapping_sub(from);
    if back >= CHUNK && end.saturating_add(CHUNK) <= out.len() {
        // Chunks of a fixed size, the last of which may write past `end`: the next run overwrites that.
        let mut done = 0;
        while at.wrapping_add(done) < end {
            let Some(chunk) = out.get(from.wrapping_add(done)..).and_then(|s| s.first_chunk::<CHUNK>()).copied() else {
                return;
            };
            let Some(target) = out.get_mut(at.wrapping_add(done)..).and_then(|t| t.first_chunk_mut::<CHUNK>()) else {
                return;
            };
            *target = chunk;
            done = done.wrapping_add(CHUNK);
        }
        return;
    }
    // A pattern of `back` bytes repeats: what is written doubles with every copy.
    let mut written = at;
    while written < end {
        let len = written.wrapping_sub(from).min(end.wrapping_sub(written));
        out.copy_within(from..from.wrapping_add(len), written);
        written = written.wrapping_add(len);
    }
}

#[cfg(test)]
mod tests;

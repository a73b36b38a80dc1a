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
const LONGEST_RUN: u64 = 264;

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
    if expected_len == 0 {
        return Ok(());
    }
    let room = room_for(input, expected_len, out)?;
    let (produced, result) = expand(input, room, usize::MAX);
    let whole = produced == room.len();
    let short = Error { offset: input.len() as u64, produced: produced as u64, kind: ErrorKind::TooShort };
    let result = result.and(if whole { Ok(()) } else { Err(short) });
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Append the first `want` bytes that `input` expands to, or all where it expands to fewer. Gives how many there were.
///
/// # Errors
/// When damage comes before that many bytes; those before it are appended all the same.
pub fn decompress_prefix(input: &[u8], want: usize, out: &mut Vec<u8>) -> Result<usize, Error> {
    let start = out.len();
    let possible = (input.len() as u64).saturating_mul(EXPANSION);
    let enough = (want as u64).saturating_add(LONGEST_RUN);
    let room = room_for(input, enough.min(possible), out)?;
    let (produced, result) = expand(input, room, want);
    let produced = produced.min(want);
    out.truncate(start.saturating_add(produced));
    result.map(|()| produced)
}

/// Zeroed room for `len` bytes at the end of `out`, which are no more than `input` can expand to.
fn room_for<'o>(input: &[u8], len: u64, out: &'o mut Vec<u8>) -> Result<&'o mut [u8], Error> {
    let impossible = Error { offset: 0, produced: 0, kind: ErrorKind::ImpossibleLength };
    if len > (input.len() as u64).saturating_mul(EXPANSION) {
        return Err(impossible);
    }
    let start = out.len();
    let end = usize::try_from(len).ok().and_then(|len| start.checked_add(len)).ok_or(impossible)?;
    out.resize(end, 0);
    Ok(out.get_mut(start..).unwrap_or_default())
}

/// Fill `out` until it holds `want` bytes or the input ends. Gives the bytes produced, whole runs.
///
/// One loop whose state are two locals: this is where the time of a compressed file goes.
fn expand(input: &[u8], out: &mut [u8], want: usize) -> (usize, Result<(), Error>) {
    let mut rest = input;
    let mut at = 0;
    while at < want
        && let Some((&control, after)) = rest.split_first()
    {
        let run = if control < 32 {
            literal(usize::from(control).wrapping_add(1), after, out, at)
        } else {
            reference(control, after, out, at)
        };
        match run {
            Ok(run) => (rest, at) = run,
            Err(kind) => {
                let offset = input.len().saturating_sub(rest.len()) as u64;
                return (at, Err(Error { offset, produced: at as u64, kind }));
            }
        }
    }
    (at, Ok(()))
}

/// Copy `len` bytes (up to 32) of the input. Gives what is left of it and where the output ends now.
#[inline(always)]
fn literal<'i>(len: usize, rest: &'i [u8], out: &mut [u8], at: usize) -> Result<(&'i [u8], usize), ErrorKind> {
    let (text, after) = rest.split_at_checked(len).ok_or(ErrorKind::Truncated)?;
    let room = out.get_mut(at..).unwrap_or_default();
    // Where there is room, always 32 bytes: one move of a fixed size, of which the next run overwrites the rest.
    if let (Some(source), Some(target)) = (rest.first_chunk::<32>(), room.first_chunk_mut::<32>()) {
        *target = *source;
    } else {
        room.get_mut(..len).ok_or(ErrorKind::TooLong)?.copy_from_slice(text);
    }
    Ok((after, at.wrapping_add(len)))
}

/// Copy bytes of the output. Gives what is left of the input and where the output ends now.
#[inline(always)]
fn reference<'i>(control: u8, rest: &'i [u8], out: &mut [u8], at: usize) -> Result<(&'i [u8], usize), ErrorKind> {
    let (len, low, after) = match (control >> 5, rest) {
        (7, [extra, low, after @ ..]) => (usize::from(*extra).wrapping_add(9), *low, after),
        (short @ ..7, [low, after @ ..]) => (usize::from(short).wrapping_add(2), *low, after),
        _ => return Err(ErrorKind::Truncated),
    };
    let back = usize::from(u16::from_be_bytes([control & 31, low])).wrapping_add(1);
    let from = at.checked_sub(back).ok_or(ErrorKind::BadReference)?;
    let end = at.wrapping_add(len);
    let window = out.get_mut(from..).unwrap_or_default();
    let room = window.len().wrapping_sub(back);
    if len > room {
        return Err(ErrorKind::TooLong);
    }
    // Moves of a fixed size, the last of which may write too much: the next run overwrites that.
    if back >= 16 && len.next_multiple_of(16) <= room {
        copy_chunks::<16>(window, back, len);
    } else if back >= 8 && len.next_multiple_of(8) <= room {
        copy_chunks::<8>(window, back, len);
    } else {
        copy_doubling(window, back, len);
    }
    Ok((after, end))
}

/// Write `len` bytes, rounded up to whole chunks, at `back`, from the beginning of `window`. `back` is not less than
/// a chunk, so each chunk is there before it is read.
#[inline(always)]
fn copy_chunks<const N: usize>(window: &mut [u8], back: usize, len: usize) {
    let mut done = 0;
    while done < len {
        let Some(chunk) = window.get(done..).and_then(|source| source.first_chunk::<N>()).copied() else { return };
        let target = window.get_mut(back.wrapping_add(done)..).and_then(|target| target.first_chunk_mut::<N>());
        let Some(target) = target else { return };
        *target = chunk;
        done = done.wrapping_add(N);
    }
}

/// Write exactly `len` bytes at `back`: the `back` bytes before them, again and again. What can be copied at once
/// doubles with every copy.
fn copy_doubling(window: &mut [u8], back: usize, len: usize) {
    let end = back.saturating_add(len).min(window.len());
    let mut written = back;
    while written < end {
        let (source, target) = window.split_at_mut(written);
        let len = source.len().min(end.wrapping_sub(written));
        if let (Some(target), Some(source)) = (target.get_mut(..len), source.get(..len)) {
            target.copy_from_slice(source);
        }
        written = written.wrapping_add(len);
    }
}

#[cfg(test)]
mod tests;

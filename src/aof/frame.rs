//! One command: its frame, and its arguments as slices of the input.
//!
//! | part    | bytes                        | notes                                              |
//! |---------|------------------------------|----------------------------------------------------|
//! | count   | `*` decimal CRLF             | at least 1; no sign, no leading zero               |
//! | length  | `$` decimal CRLF             | once per argument, the command's name included     |
//! | payload | that many bytes, then CRLF   | any bytes                                          |
//!
//! That is what servers write, and [`strict`] takes nothing else. What their loaders accept is far wider, and
//! [`lenient`] takes that, noting each liberty: lines that end in LF alone, anything after the digits, blanks, signs
//! and zeros before them, and any two bytes in the place of the CRLF behind a payload.
//!
//! Source: Redis `src/aof.c`: `catAppendOnlyGenericCommand`, `loadSingleAppendOnlyFile`.

use super::error::{Doing, Error, ErrorKind};
use std::fmt;

/// The longest line that a server's loader reads in one piece (`AOF_ANNOTATION_LINE_MAX_LEN` less the terminator).
pub const LINE_MAX: usize = 1023;

/// Read the command at `at`, appending its arguments to `argv`; gives the offset behind it.
///
/// The slice is the whole file, so that positions in it are offsets.
///
/// # Errors
/// When the bytes are not what a server writes. `argv` is then as it was.
#[inline]
pub fn strict<'a>(input: &'a [u8], at: usize, argv: &mut Vec<&'a [u8]>) -> Result<usize, Error> {
    let before = argv.len();
    match input.get(at..).and_then(|rest| command(rest, argv)) {
        Some(rest) => Ok(input.len().saturating_sub(rest.len())),
        None => {
            argv.truncate(before);
            Err(diagnose(input, at))
        }
    }
}

/// The hot path: the input behind the command, or nothing if anything is unusual.
#[inline]
fn command<'a>(rest: &'a [u8], argv: &mut Vec<&'a [u8]>) -> Option<&'a [u8]> {
    let (count, mut rest) = header::<b'*'>(rest)?;
    if count == 0 {
        return None;
    }
    for _ in 0..count {
        let (len, after) = header::<b'$'>(rest)?;
        let (payload, after) = after.split_at_checked(len)?;
        let [b'\r', b'\n', after @ ..] = after else { return None };
        argv.push(payload);
        rest = after;
    }
    Some(rest)
}

/// True when a command of at least `wanted` arguments begins here and so many of them are well formed.
pub(super) fn starts_with_arguments(input: &[u8], wanted: usize) -> bool {
    let Some((count, mut rest)) = header::<b'*'>(input) else { return false };
    let argument = |input| {
        let (len, after) = header::<b'$'>(input)?;
        after.split_at_checked(len)?.1.strip_prefix(b"\r\n")
    };
    count >= wanted
        && (0..wanted).all(|_| {
            let after = argument(rest);
            rest = after.unwrap_or_default();
            after.is_some()
        })
}

/// A prefix, a decimal number without leading zeros, CRLF. Short numbers are nearly all there is.
#[inline]
fn header<const PREFIX: u8>(input: &[u8]) -> Option<(usize, &[u8])> {
    let digit = |byte: u8| usize::from(byte.wrapping_sub(b'0'));
    match input {
        [prefix, a, b'\r', b'\n', rest @ ..] if *prefix == PREFIX => {
            let a = digit(*a);
            (a < 10).then_some((a, rest))
        }
        [prefix, a @ b'1'..=b'9', b, b'\r', b'\n', rest @ ..] if *prefix == PREFIX => {
            let (a, b) = (digit(*a), digit(*b));
            (b < 10).then_some((a.wrapping_mul(10).wrapping_add(b), rest))
        }
        [prefix, a @ b'1'..=b'9', b, c, b'\r', b'\n', rest @ ..] if *prefix == PREFIX => {
            let (a, b, c) = (digit(*a), digit(*b), digit(*c));
            (b < 10 && c < 10).then_some((a.wrapping_mul(100).wrapping_add(b.wrapping_mul(10)).wrapping_add(c), rest))
        }
        [prefix, first @ b'1'..=b'9', rest @ ..] if *prefix == PREFIX => long_header(digit(*first), rest),
        _ => None,
    }
}

#[cold]
fn long_header(first: usize, mut input: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = first;
    loop {
        match input {
            [digit @ b'0'..=b'9', rest @ ..] => {
                value = value.checked_mul(10)?.checked_add(usize::from(digit.wrapping_sub(b'0')))?;
                input = rest;
            }
            [b'\r', b'\n', rest @ ..] => return Some((value, rest)),
            _ => return None,
        }
    }
}

/// What is wrong with the record at `at`. Only called for bytes that [`command`] refused.
#[cold]
fn diagnose(input: &[u8], at: usize) -> Error {
    let fail = |offset, doing, kind| Error::new(at, offset, doing, kind);
    let (count, mut offset) = match grammar::header(b'*', input, at) {
        Ok((0, _)) => return fail(at, Doing::ReadCount, ErrorKind::BadCount),
        Ok(found) => found,
        Err(grammar::Fault { offset, kind: ErrorKind::NotAnArgument { found }, .. }) => {
            return fail(offset, Doing::ReadRecord, not_a_record(input, at, found));
        }
        Err(fault) => return fail(fault.offset, Doing::ReadCount, fault.kind),
    };
    for n in 0..count {
        let (len, start) = match grammar::header(b'$', input, offset) {
            Ok(found) => found,
            Err(fault) => return fail(fault.offset, Doing::ReadLength(n), fault.kind),
        };
        let left = input.len().saturating_sub(start) as u64;
        let Some(end) = usize::try_from(len).ok().and_then(|len| start.checked_add(len)).filter(|_| len <= left) else {
            let missing = len.saturating_add(2).saturating_sub(left);
            return fail(start, Doing::ReadArgument(n), ErrorKind::Torn { missing });
        };
        match input.get(end..).unwrap_or_default() {
            [b'\r', b'\n', ..] => offset = end.saturating_add(2),
            [] => return fail(end, Doing::ReadArgument(n), ErrorKind::Torn { missing: 2 }),
            [b'\r'] => return fail(end, Doing::ReadArgument(n), ErrorKind::Torn { missing: 1 }),
            [a] => return fail(end, Doing::ReadArgument(n), ErrorKind::BadTrailer { found: [*a, 0] }),
            [a, b, ..] => return fail(end, Doing::ReadArgument(n), ErrorKind::BadTrailer { found: [*a, *b] }),
        }
    }
    // Not reached: the two readings agree, which a test holds. An error is still the right answer.
    fail(at, Doing::ReadRecord, ErrorKind::BadCount)
}

#[cold]
pub(super) fn not_a_record(input: &[u8], at: usize, found: u8) -> ErrorKind {
    let rest = input.get(at..).unwrap_or_default();
    let run = rest.iter().take_while(|&&byte| byte == 0).count();
    // One zero byte among others is nothing but garbage.
    if run >= 8 || (run > 0 && run == rest.len()) {
        return ErrorKind::Zeros { run: run as u64 };
    }
    ErrorKind::NotARecord { found }
}

/// Header lines again, as a grammar: slow, but able to say what is wrong. `Incomplete` is the torn tail.
mod grammar {
    use super::ErrorKind;
    use nom::bytes::streaming::{tag, take_while1};
    use nom::{IResult, Parser};

    pub(super) struct Fault {
        pub(super) offset: usize,
        pub(super) kind: ErrorKind,
    }

    type Out<'a, T> = IResult<&'a [u8], T, nom::error::Error<&'a [u8]>>;

    fn prefix(byte: u8, input: &[u8]) -> Out<'_, ()> {
        tag(&[byte][..]).map(|_: &[u8]| ()).parse(input)
    }

    fn number(input: &[u8]) -> Out<'_, &[u8]> {
        take_while1(|byte: u8| byte.is_ascii_digit()).parse(input)
    }

    fn line_end(input: &[u8]) -> Out<'_, ()> {
        tag(&b"\r\n"[..]).map(|_: &[u8]| ()).parse(input)
    }

    /// The number and the offset behind the line.
    pub(super) fn header(byte: u8, input: &[u8], at: usize) -> Result<(u64, usize), Fault> {
        let rest = input.get(at..).unwrap_or_default();
        let found = rest.first().copied().unwrap_or_default();
        let bad = if byte == b'*' { ErrorKind::BadCount } else { ErrorKind::BadLength };
        let offset = |rest: &[u8]| input.len().saturating_sub(rest.len());

        let (rest, ()) = step(prefix(byte, rest), at, ErrorKind::NotAnArgument { found }, 4)?;
        let digits_at = offset(rest);
        let (rest, digits) = match number(rest) {
            // Digits up to the end of the input: whatever number it was going to be, it is cut.
            Err(nom::Err::Incomplete(_)) => {
                return Err(Fault { offset: digits_at, kind: ErrorKind::Torn { missing: 2 } });
            }
            other => step(other, digits_at, bad, 2)?,
        };
        let value = match digits {
            [b'0', _, ..] => None,
            _ => digits.iter().try_fold(0_u64, |value, digit| {
                value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
            }),
        };
        let value = value.ok_or(Fault { offset: digits_at, kind: bad })?;
        let end_at = offset(rest);
        let (rest, ()) = step(line_end(rest), end_at, ErrorKind::BadLineEnd, 1)?;
        Ok((value, offset(rest)))
    }

    /// nom's answer in our words: what is missing is torn, what differs is `kind`.
    fn step<T>(answer: Out<'_, T>, offset: usize, kind: ErrorKind, missing: u64) -> Result<(&[u8], T), Fault> {
        answer.map_err(|e| match e {
            nom::Err::Incomplete(nom::Needed::Size(n)) => {
                Fault { offset, kind: ErrorKind::Torn { missing: n.get() as u64 } }
            }
            nom::Err::Incomplete(nom::Needed::Unknown) => Fault { offset, kind: ErrorKind::Torn { missing } },
            nom::Err::Error(_) | nom::Err::Failure(_) => Fault { offset, kind },
        })
    }
}

/// The liberties that a record took, which a server's loader lets pass.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Tolerated(u8);

impl Tolerated {
    /// None: exactly what a server writes.
    pub const NOTHING: Self = Self(0);
    /// A line ends in LF without CR.
    pub const LINE_END: Self = Self(1);
    /// Something stands between the digits and the end of the line.
    pub const JUNK: Self = Self(2);
    /// Zeros, blanks or a sign before the digits.
    pub const PADDING: Self = Self(4);
    /// A payload is not followed by CRLF.
    pub const TRAILER: Self = Self(8);
    /// The file ends inside an annotation.
    pub const TORN_ANNOTATION: Self = Self(16);

    const NAMES: [(Self, &'static str); 5] = [
        (Self::LINE_END, "a line ends in \\n alone"),
        (Self::JUNK, "there is something after the digits of a line"),
        (Self::PADDING, "zeros, blanks or a sign stand before the digits of a line"),
        (Self::TRAILER, "an argument is not followed by \\r\\n"),
        (Self::TORN_ANNOTATION, "the file ends inside an annotation"),
    ];

    /// True when nothing had to be tolerated.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::NOTHING
    }

    /// True when every liberty of `other` is among these.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when `redis-check-aof` lets it pass, too: padded numbers and a cut annotation.
    #[must_use]
    pub fn is_harmless(self) -> bool {
        const HARMLESS: u8 = Tolerated::PADDING.0 | Tolerated::TORN_ANNOTATION.0;
        self.0 & !HARMLESS == 0
    }

    /// The first of them, in words; nothing when there is none.
    #[must_use]
    pub fn first(self) -> &'static str {
        let mut names = Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| *name);
        names.next().unwrap_or_default()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Tolerated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| name);
        if let Some(first) = names.next() {
            f.write_str(first)?;
        }
        names.try_for_each(|name| write!(f, "; {name}"))
    }
}

impl fmt::Debug for Tolerated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tolerated({self})")
    }
}

/// Read the command at `at` as a server's loader does.
///
/// Two of its habits are not copied: a count that wraps around 32 bits, and a negative length (which makes it abort),
/// are errors here.
///
/// # Errors
/// What a loader would refuse or take for a torn tail. `argv` is then as it was.
pub fn lenient<'a>(input: &'a [u8], at: usize, argv: &mut Vec<&'a [u8]>) -> Result<(usize, Tolerated), Error> {
    if let Some(rest) = input.get(at..).and_then(|rest| {
        let before = argv.len();
        command(rest, argv).or_else(|| {
            argv.truncate(before);
            None
        })
    }) {
        return Ok((input.len().saturating_sub(rest.len()), Tolerated::NOTHING));
    }
    let before = argv.len();
    lenient_command(input, at, argv).inspect_err(|_| argv.truncate(before))
}

fn lenient_command<'a>(input: &'a [u8], at: usize, argv: &mut Vec<&'a [u8]>) -> Result<(usize, Tolerated), Error> {
    let mut liberties = Tolerated::NOTHING;
    let fail = |offset, doing, kind| Err(Error::new(at, offset, doing, kind));
    let (line, mut offset) = line(input, at);
    let count = match line {
        [] => return fail(at, Doing::ReadRecord, ErrorKind::Torn { missing: 4 }),
        [b'*'] => return fail(at, Doing::ReadCount, ErrorKind::Torn { missing: 3 }),
        [b'*', digits @ ..] => number(digits, &mut liberties),
        [found, ..] => return fail(at, Doing::ReadRecord, not_a_record(input, at, *found)),
    };
    let Some(count) = count.and_then(|count| u32::try_from(count).ok()).filter(|&count| i32::try_from(count).is_ok())
    else {
        return fail(at, Doing::ReadCount, ErrorKind::BadCount);
    };
    if count == 0 {
        return fail(at, Doing::ReadCount, ErrorKind::BadCount);
    }
    for n in 0..u64::from(count) {
        let (len, start) = match self::line(input, offset) {
            ([], _) => return fail(offset, Doing::ReadLength(n), ErrorKind::Torn { missing: 4 }),
            ([b'$', digits @ ..], start) => (number(digits, &mut liberties), start),
            ([found, ..], _) => return fail(offset, Doing::ReadLength(n), ErrorKind::NotAnArgument { found: *found }),
        };
        let Some(len) = len else { return fail(offset, Doing::ReadLength(n), ErrorKind::BadLength) };
        let rest = input.get(start..).unwrap_or_default();
        let parts = usize::try_from(len).ok().and_then(|len| rest.split_at_checked(len));
        let Some((payload, [a, b, ..])) = parts else {
            let missing = len.saturating_add(2).saturating_sub(rest.len() as u64);
            return fail(start, Doing::ReadArgument(n), ErrorKind::Torn { missing });
        };
        if [*a, *b] != *b"\r\n" {
            liberties.add(Tolerated::TRAILER);
        }
        argv.push(payload);
        offset = start.saturating_add(payload.len()).saturating_add(2);
    }
    Ok((offset, liberties))
}

/// A line as `fgets` cuts it, and the offset behind it: up to and with LF, or as much as its buffer holds.
fn line(input: &[u8], at: usize) -> (&[u8], usize) {
    let rest = input.get(at..).unwrap_or_default();
    let window = rest.get(..LINE_MAX).unwrap_or(rest);
    let len = memchr::memchr(b'\n', window).map_or(window.len(), |lf| lf.saturating_add(1));
    (window.get(..len).unwrap_or_default(), at.saturating_add(len))
}

/// The number at the start of a line, as C's `strtol` reads it; nothing when it is negative or too large.
fn number(line: &[u8], liberties: &mut Tolerated) -> Option<u64> {
    let blanks = line.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
    let unsigned = line.get(blanks..).unwrap_or_default();
    let (sign, rest) = match unsigned {
        [sign @ (b'+' | b'-'), rest @ ..] => (Some(*sign), rest),
        rest => (None, rest),
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at_checked(digits)?;
    if blanks > 0 || sign.is_some() || matches!(digits, [b'0', _, ..]) {
        liberties.add(Tolerated::PADDING);
    }
    match after {
        [b'\r', b'\n'] if !digits.is_empty() => {}
        [b'\n'] if !digits.is_empty() => liberties.add(Tolerated::LINE_END),
        _ => liberties.add(Tolerated::JUNK),
    }
    let value = digits
        .iter()
        .try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0'))))?;
    (sign != Some(b'-') || value == 0).then_some(value)
}

#[cfg(test)]
mod tests;

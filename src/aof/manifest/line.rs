//! One line of a manifest: words with quotes, pairs of them, and the same written.

use super::{Entry, LINE_MAX, ProblemKind};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while};
use nom::combinator::{eof, map, map_opt, peek, value};
use nom::multi::{fold_many0, many0};
use nom::sequence::{pair, preceded, terminated};
use nom::{IResult, Parser};

/// A line as `fgets` cuts it: up to and with LF, or as much as its buffer holds.
pub(super) fn cut(text: &[u8]) -> (&[u8], &[u8]) {
    let window = text.get(..LINE_MAX).unwrap_or(text);
    let len = memchr::memchr(b'\n', window).map_or(window.len(), |lf| lf.saturating_add(1));
    text.split_at_checked(len).unwrap_or((text, &[]))
}

pub(super) fn ends_well(line: &[u8]) -> Result<(), ProblemKind> {
    match line.last() {
        _ if line.contains(&0) => Err(ProblemKind::NulByte),
        Some(b'\n') => Ok(()),
        _ if line.len() < LINE_MAX => Err(ProblemKind::NoNewline),
        _ => Err(ProblemKind::LineTooLong),
    }
}

/// Without the blanks at both ends that servers trim.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().take_while(|byte| blank(byte)).count();
    let line = line.get(start..).unwrap_or_default();
    let end = line.iter().rev().take_while(|byte| blank(byte)).count();
    line.get(..line.len().saturating_sub(end)).unwrap_or_default()
}

type Out<'a, T> = IResult<&'a [u8], T>;

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The words of a line (`sdssplitargs`), or nothing when its quotes do not fit.
pub(super) fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let blanks = |input| take_while(is_space).parse(input);
    let mut all = terminated(many0(preceded(blanks, word)), pair(blanks, eof));
    let answer: Out<'_, _> = all.parse(line);
    answer.ok().map(|(_, words)| words)
}

/// Bare bytes, and possibly a quoted run, which ends the word.
fn word(input: &[u8]) -> Out<'_, Vec<u8>> {
    let bare = |input| take_while(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'\'')).parse(input);
    let (rest, mut word) = map(bare, <[u8]>::to_vec).parse(input)?;
    match rest.first() {
        Some(b'"' | b'\'') => {
            let (rest, quoted) = alt((double_quoted, single_quoted)).parse(rest)?;
            word.extend(quoted);
            Ok((rest, word))
        }
        _ if word.is_empty() => Err(nom::Err::Error(nom::error::Error::new(rest, nom::error::ErrorKind::Eof))),
        _ => Ok((rest, word)),
    }
}

/// The closing quote, which nothing may be glued to.
fn close(quote: &'static [u8]) -> impl Fn(&[u8]) -> Out<'_, ()> {
    move |input| {
        let space = map_opt(nom::number::complete::u8, |byte| is_space(byte).then_some(()));
        value((), pair(tag(quote), peek(alt((space, value((), eof)))))).parse(input)
    }
}

fn double_quoted(input: &[u8]) -> Out<'_, Vec<u8>> {
    let escape = map(preceded(tag(&b"\\"[..]), nom::number::complete::u8), |byte| match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    });
    let plain = map_opt(nom::number::complete::u8, |byte| (byte != b'"').then_some(byte));
    let body = fold_many0(alt((hex, escape, plain)), Vec::new, pushed);
    let (rest, _) = tag(&b"\""[..]).parse(input)?;
    terminated(body, close(b"\"")).parse(rest)
}

fn single_quoted(input: &[u8]) -> Out<'_, Vec<u8>> {
    let escape = value(b'\'', tag(&b"\\'"[..]));
    let plain = map_opt(nom::number::complete::u8, |byte| (byte != b'\'').then_some(byte));
    let body = fold_many0(alt((escape, plain)), Vec::new, pushed);
    let (rest, _) = tag(&b"'"[..]).parse(input)?;
    terminated(body, close(b"'")).parse(rest)
}

/// `\xHH`
fn hex(input: &[u8]) -> Out<'_, u8> {
    let digit = |input| map_opt(nom::number::complete::u8, |byte| char::from(byte).to_digit(16)).parse(input);
    let byte = |(high, low): (u32, u32)| u8::try_from((high << 4) | low).ok();
    preceded(tag(&b"\\x"[..]), map_opt(pair(digit, digit), byte)).parse(input)
}

fn pushed(mut word: Vec<u8>, byte: u8) -> Vec<u8> {
    word.push(byte);
    word
}

/// The pairs of a line, sorted out.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) has_name: bool,
    pub(super) name: Option<Vec<u8>>,
    pub(super) seq: Option<i64>,
    pub(super) letter: Option<u8>,
    pub(super) start_offset: Option<i64>,
    pub(super) end_offset: Option<i64>,
    pub(super) unknown: Vec<(Vec<u8>, Vec<u8>)>,
    /// What a server lets pass.
    pub(super) sloppy: Vec<ProblemKind>,
}

impl Fields {
    pub(super) fn gather(words: Vec<Vec<u8>>) -> Self {
        let mut fields = Self::default();
        let mut words = words.into_iter();
        while let (Some(key), Some(value)) = (words.next(), words.next()) {
            fields.take(key, value);
        }
        fields
    }

    fn take(&mut self, key: Vec<u8>, value: Vec<u8>) {
        match key.to_ascii_lowercase().as_slice() {
            b"file" => (self.has_name, self.name) = (true, Some(value)),
            b"seq" => self.seq = Some(self.number(&value)).filter(|&seq| seq != 0),
            b"type" => {
                if value.len() > 1 {
                    self.sloppy.push(ProblemKind::LongType);
                }
                self.letter = value.first().copied();
            }
            b"startoffset" => self.start_offset = Some(self.number(&value)),
            b"endoffset" => self.end_offset = Some(self.number(&value)),
            _ => {
                self.sloppy.push(ProblemKind::UnknownKey);
                self.unknown.push((key, value));
            }
        }
    }

    /// C's `atoll`.
    fn number(&mut self, text: &[u8]) -> i64 {
        let unsigned = text.trim_ascii_start();
        let (negative, digits) = match unsigned {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let value = digits.iter().take(count).fold(0_i64, |value, digit| {
            let (tens, digit) = (value.saturating_mul(10), i64::from(digit.wrapping_sub(b'0')));
            if negative { tens.saturating_sub(digit) } else { tens.saturating_add(digit) }
        });
        if itoa::Buffer::new().format(value).as_bytes() != text {
            self.sloppy.push(ProblemKind::SloppyNumber);
        }
        value
    }
}

/// Append the line of an entry.
pub(super) fn encode(entry: &Entry, out: &mut Vec<u8>) {
    let mut number = itoa::Buffer::new();
    out.extend_from_slice(b"file ");
    encode_word(&entry.name, out);
    out.extend_from_slice(b" seq ");
    out.extend_from_slice(number.format(entry.seq).as_bytes());
    out.extend_from_slice(b" type ");
    out.extend_from_slice(entry.role.letter().encode_utf8(&mut [0; 4]).as_bytes());
    for (key, offset) in [(" startoffset ", entry.start_offset), (" endoffset ", entry.end_offset)] {
        if let Some(offset) = offset {
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(number.format(offset).as_bytes());
        }
    }
    for (key, value) in &entry.unknown {
        for word in [key, value] {
            out.push(b' ');
            encode_word(word, out);
        }
    }
    out.push(b'\n');
}

/// A word, in quotes when it needs them (`sdsneedsrepr`, `sdscatrepr`).
fn encode_word(word: &[u8], out: &mut Vec<u8>) {
    let bare = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'\'');
    if !word.is_empty() && word.iter().all(bare) {
        return out.extend_from_slice(word);
    }
    out.push(b'"');
    for &byte in word {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            other => {
                let digit = |nibble: u8| {
                    char::from_digit(u32::from(nibble), 16).map_or(b'0', |c| u8::try_from(c).unwrap_or(b'0'))
                };
                out.extend_from_slice(&[b'\\', b'x', digit(other >> 4), digit(other & 15)]);
            }
        }
    }
    out.push(b'"');
}

//! The tool's own reading: its tolerances, its offsets, its count of lines, its words.

use crate::aof::frame::LINE_MAX;
use crate::bytes::source::Trail;

/// The longest header line that it reads in one piece.
const HEADER_MAX: usize = 127;

/// Where reading ended. `sound` is the offset up to which all is well: a record's beginning outside of transactions.
pub(super) enum Stop {
    End {
        sound: u64,
    },
    Broken {
        sound: u64,
        message: String,
    },
    NotARecord {
        sound: u64,
    },
    /// An annotation of a later time than was asked for.
    Later {
        annotation: u64,
        sound: u64,
    },
    BadTime,
}

pub(super) struct Frames<'a> {
    input: &'a [u8],
    at: usize,
    /// Where the last line or payload began, which is what the messages name.
    read_from: usize,
    line: u64,
    at_end: bool,
    in_transaction: bool,
    trail: Trail<'a>,
}

/// A message about the place that was read last; nothing when the input ended at the beginning of a line.
type Fault = Option<String>;

impl<'a> Frames<'a> {
    pub(super) fn new(input: &'a [u8], start: u64, line: u64, trail: Trail<'a>) -> Self {
        let at = usize::try_from(start).unwrap_or(usize::MAX).min(input.len());
        Self { input, at, read_from: at, line, at_end: false, in_transaction: false, trail }
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn read(&mut self, path: &str, until: Option<i64>) -> Stop {
        let mut sound = self.at as u64;
        loop {
            if !self.in_transaction {
                sound = self.at as u64;
                self.trail.reached(sound);
            }
            let fault = match self.input.get(self.at) {
                None => {
                    self.at_end = true;
                    None
                }
                Some(b'#') => match self.annotation(until) {
                    Time::Fine => continue,
                    Time::Later { annotation } => return Stop::Later { annotation, sound },
                    Time::Bad => return Stop::BadTime,
                },
                Some(b'*') => match self.record(path) {
                    Ok(()) => continue,
                    Err(fault) => fault,
                },
                Some(_) => return Stop::NotARecord { sound },
            };
            let unfinished = "Reached EOF before reading EXEC for MULTI";
            let open = self.at_end && self.in_transaction;
            return match fault.or_else(|| open.then(|| unfinished.into())) {
                Some(message) => Stop::Broken { sound, message: format!("0x{:>16x}: {message}", self.read_from) },
                None => Stop::End { sound },
            };
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// As `fgets` does it.
    fn take_line(&mut self, most: usize) -> &'a [u8] {
        let window = self.rest();
        let window = window.get(..most).unwrap_or(window);
        let len = memchr::memchr(b'\n', window).map_or(window.len(), |lf| lf.saturating_add(1));
        self.at = self.at.saturating_add(len);
        self.at_end |= len < most && !window.get(..len).unwrap_or_default().ends_with(b"\n");
        window.get(..len).unwrap_or_default()
    }

    fn record(&mut self, path: &str) -> Result<(), Fault> {
        let count = self.header(b'*')?;
        if count < 1 {
            return Err(Some(format!("Expected a positive number of arguments, got: {count}")));
        }
        for n in 0..count {
            let argument = self.string()?;
            if n > 0 {
                continue;
            }
            // The tool compares C strings.
            let name = argument.split(|&byte| byte == 0).next().unwrap_or_default();
            if name.eq_ignore_ascii_case(b"multi") {
                if std::mem::replace(&mut self.in_transaction, true) {
                    return Err(Some(format!("Unexpected MULTI in AOF {path}")));
                }
            } else if name.eq_ignore_ascii_case(b"exec") && !std::mem::replace(&mut self.in_transaction, false) {
                return Err(Some(format!("Unexpected EXEC in AOF {path}")));
            }
        }
        Ok(())
    }

    fn header(&mut self, prefix: u8) -> Result<i64, Fault> {
        self.read_from = self.at;
        let line = self.take_line(HEADER_MAX);
        let digits = match line.split_first() {
            None => return Err(None),
            Some((&first, digits)) if first == prefix => digits,
            Some((first, _)) => {
                return Err(Some(format!("Expected prefix '{}', got: '{}'", char::from(prefix), first.escape_ascii())));
            }
        };
        let (number, end) = strtol(digits);
        self.line_end(end)?;
        Ok(number)
    }

    fn string(&mut self) -> Result<&'a [u8], Fault> {
        let len = self.header(b'$')?;
        let wanted =
            u64::try_from(len).ok().and_then(|len| len.checked_add(2)).filter(|&len| i64::try_from(len).is_ok());
        let Some(wanted) = wanted else {
            let message = format!("Expected to read string of {len} bytes, which is not in the suitable range");
            return Err(Some(message));
        };
        self.read_from = self.at;
        let rest = self.rest();
        let Some(whole) = usize::try_from(wanted).ok().and_then(|wanted| rest.get(..wanted)) else {
            (self.at, self.at_end) = (self.input.len(), true);
            return Err(Some(format!("Expected to read {wanted} bytes, got {} bytes", rest.len())));
        };
        self.at = self.at.saturating_add(whole.len());
        let (payload, end) = whole.split_at_checked(whole.len().saturating_sub(2)).unwrap_or((whole, &[]));
        self.line_end(end)?;
        Ok(payload)
    }

    fn line_end(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if bytes.starts_with(b"\r\n") {
            self.line = self.line.saturating_add(1);
            return Ok(());
        }
        let byte = |n: usize| bytes.get(n).copied().unwrap_or_default();
        Err(Some(format!("Expected \\r\\n, got: {:02x}{:02x}", byte(0), byte(1))))
    }

    fn annotation(&mut self, until: Option<i64>) -> Time {
        self.read_from = self.at;
        let annotation = self.at as u64;
        let line = self.take_line(LINE_MAX);
        let (Some(until), Some(digits)) = (until, line.strip_prefix(b"#TS:")) else { return Time::Fine };
        match strtol(digits) {
            (_, [first, ..]) if *first != b'\r' => Time::Bad,
            (i64::MIN | i64::MAX, _) | (_, []) => Time::Bad,
            (time, _) if time > until => Time::Later { annotation },
            _ => Time::Fine,
        }
    }
}

enum Time {
    Fine,
    Later { annotation: u64 },
    Bad,
}

/// C's `strtol`: the number, and what is behind it.
fn strtol(text: &[u8]) -> (i64, &[u8]) {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let unsigned = text.get(blanks..).unwrap_or_default();
    let (negative, rest) = match unsigned {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some((digits, behind)) = rest.split_at_checked(digits).filter(|(digits, _)| !digits.is_empty()) else {
        return (0, text);
    };
    let value = digits.iter().fold(0_i64, |value, digit| {
        let (tens, digit) = (value.saturating_mul(10), i64::from(digit.wrapping_sub(b'0')));
        if negative { tens.saturating_sub(digit) } else { tens.saturating_add(digit) }
    });
    (value, behind)
}

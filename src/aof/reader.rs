//! A log, record by record.

use super::error::{Doing, Error, ErrorKind};
use super::frame::{self, Tolerated};
use super::record::{Annotation, Command, Record};

/// Pulls the records of a log out of a slice, which is the whole file.
///
/// ```
/// use careen::aof::{Reader, Record};
///
/// let mut reader = Reader::new(b"#TS:1700000000\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n");
/// let Some(Record::Annotation(time)) = reader.next_record()? else { panic!() };
/// assert_eq!(time.timestamp(), Some(1_700_000_000));
/// let Some(Record::Command(del)) = reader.next_record()? else { panic!() };
/// assert_eq!((del.offset, del.argv), (16, &[&b"DEL"[..], b"a"][..]));
/// assert_eq!(reader.next_record()?, None);
/// # Ok::<(), careen::aof::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    grammar: Grammar,
    argv: Vec<&'a [u8]>,
    failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grammar {
    Strict,
    Tolerant,
    Lenient,
}

impl<'a> Reader<'a> {
    /// A reader of a whole log, which takes exactly what servers write.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self::starting_at(input, 0)
    }

    /// The same, from an offset: the end of an RDB preamble, or a place where reading can go on after damage.
    #[must_use]
    pub fn starting_at(input: &'a [u8], start: u64) -> Self {
        let at = usize::try_from(start).unwrap_or(usize::MAX).min(input.len());
        Self { input, at, grammar: Grammar::Strict, argv: Vec::with_capacity(16), failed: false }
    }

    /// The same, taking also what all servers' loaders accept as long as it is no sign of damage: arguments end in CRLF,
    /// and another record follows. Each record tells the liberties it took.
    #[must_use]
    pub fn tolerant(mut self) -> Self {
        self.grammar = Grammar::Tolerant;
        self
    }

    /// The same, taking all that servers' loaders accept. Each record tells the liberties it took.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.grammar = Grammar::Lenient;
        self
    }

    /// Where the next record begins. After an error: where the record begins that could not be read.
    #[must_use]
    #[inline]
    pub fn offset(&self) -> u64 {
        self.at as u64
    }

    /// The next record, or nothing at the end of the log.
    ///
    /// # Errors
    /// When the bytes are no record, or end inside one. There is nothing more to be had then.
    #[inline]
    pub fn next_record(&mut self) -> Result<Option<Record<'a, '_>>, Error> {
        self.argv.clear();
        let first = self.input.get(self.at).copied();
        let Some(first) = first.filter(|_| !self.failed) else { return Ok(None) };
        let offset = self.at as u64;
        if first == b'#' {
            return self.annotation().map(|found| Some(Record::Annotation(found)));
        }
        let read = match self.grammar {
            Grammar::Lenient => frame::lenient(self.input, self.at, &mut self.argv),
            _ => frame::strict(self.input, self.at, &mut self.argv).map(|end| (end, Tolerated::NOTHING)),
        };
        let (end, tolerated) = read.or_else(|error| self.liberty().ok_or(error)).inspect_err(|_| self.failed = true)?;
        self.at = end;
        Ok(Some(Record::Command(Command { offset, end: end as u64, argv: &self.argv, tolerated })))
    }

    /// The command here as loaders read it, if that is what this reader is for.
    #[cold]
    fn liberty(&mut self) -> Option<(usize, Tolerated)> {
        if self.grammar != Grammar::Tolerant {
            return None;
        }
        let read = frame::lenient(self.input, self.at, &mut self.argv).ok();
        let sure = read.filter(|(end, tolerated)| !tolerated.contains(Tolerated::TRAILER) && self.goes_on_at(*end));
        if sure.is_none() {
            self.argv.clear();
        }
        sure
    }

    /// The end of the file is there, or another record that at least servers can read.
    fn goes_on_at(&self, end: usize) -> bool {
        Self::starting_at(self.input, end as u64).lenient().next_record().is_ok()
    }

    /// The `#` line that begins here.
    fn annotation(&mut self) -> Result<Annotation<'a>, Error> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let fault = |kind, at: usize| Error::new(self.at, self.at.saturating_add(at), Doing::ReadAnnotation, kind);
        let read = match line(rest) {
            Line::Whole { text, len } => Ok((text, len, Tolerated::NOTHING)),
            Line::Bare { text, len } if self.takes_line(len) => Ok((text, len, Tolerated::LINE_END)),
            Line::Bare { text, .. } => Err(fault(ErrorKind::BadLineEnd, text.len().saturating_add(1))),
            Line::Torn { text } if self.grammar != Grammar::Strict => {
                Ok((text, rest.len(), Tolerated::TORN_ANNOTATION))
            }
            Line::Torn { .. } => {
                let missing = if rest.ends_with(b"\r") { 1 } else { 2 };
                Err(fault(ErrorKind::Torn { missing }, rest.len()))
            }
            Line::Long => Err(fault(ErrorKind::LongAnnotation, frame::LINE_MAX)),
        };
        let (text, len, tolerated) = read.inspect_err(|_| self.failed = true)?;
        let offset = self.at as u64;
        self.at = self.at.saturating_add(len);
        Ok(Annotation { offset, end: self.at as u64, text, tolerated })
    }

    /// May a line of this length end in LF alone?
    fn takes_line(&self, len: usize) -> bool {
        match self.grammar {
            Grammar::Strict => false,
            Grammar::Tolerant => self.goes_on_at(self.at.saturating_add(len)),
            Grammar::Lenient => true,
        }
    }
}

/// A `#` line: its text without `#` and line end, and its whole length.
enum Line<'a> {
    Whole { text: &'a [u8], len: usize },
    Bare { text: &'a [u8], len: usize },
    Torn { text: &'a [u8] },
    Long,
}

fn line(rest: &[u8]) -> Line<'_> {
    let window = rest.get(..frame::LINE_MAX).unwrap_or(rest);
    let Some(lf) = memchr::memchr(b'\n', window) else {
        let torn = rest.get(1..).unwrap_or_default();
        let torn = torn.strip_suffix(b"\r").unwrap_or(torn);
        return if rest.len() > frame::LINE_MAX { Line::Long } else { Line::Torn { text: torn } };
    };
    let text = rest.get(1..lf).unwrap_or_default();
    let len = lf.saturating_add(1);
    match text.strip_suffix(b"\r") {
        Some(text) => Line::Whole { text, len },
        None => Line::Bare { text, len },
    }
}

#[cfg(test)]
mod tests;

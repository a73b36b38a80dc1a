//! What a log is made of.

use super::frame::Tolerated;

/// One entry of a log. `'a` is the input, `'r` the reader, which reuses its argument list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a, 'r> {
    /// A command.
    Command(Command<'a, 'r>),
    /// A line that begins with `#`.
    Annotation(Annotation<'a>),
}

impl Record<'_, '_> {
    /// Where it begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Self::Command(command) => command.offset,
            Self::Annotation(annotation) => annotation.offset,
        }
    }

    /// Where the next one begins.
    #[must_use]
    pub fn end(&self) -> u64 {
        match self {
            Self::Command(command) => command.end,
            Self::Annotation(annotation) => annotation.end,
        }
    }
}

/// A command, its arguments slices of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command<'a, 'r> {
    /// Where it begins.
    pub offset: u64,
    /// Where the next record begins.
    pub end: u64,
    /// Its name, then its arguments. Never empty.
    pub argv: &'r [&'a [u8]],
    /// Where it is not what a server writes; nothing when read strictly.
    pub tolerated: Tolerated,
}

impl<'a> Command<'a, '_> {
    /// The command's name, in the case in which it was written.
    #[must_use]
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        self.argv.first().copied().unwrap_or_default()
    }

    /// True when the command has this name, which is given in capitals or not.
    #[must_use]
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The database that a `SELECT` asks for.
    #[must_use]
    pub fn selects(&self) -> Option<u32> {
        match self.argv {
            [name, db] if name.eq_ignore_ascii_case(b"SELECT") => std::str::from_utf8(db).ok()?.parse().ok(),
            _ => None,
        }
    }
}

/// A line that begins with `#`. Servers skip it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annotation<'a> {
    /// Where it begins.
    pub offset: u64,
    /// Where the next record begins.
    pub end: u64,
    /// What is between the `#` and the end of the line.
    pub text: &'a [u8],
    /// Where it is not what a server writes.
    pub tolerated: Tolerated,
}

impl Annotation<'_> {
    /// The Unix time in seconds of a `#TS:` line (`aof-timestamp-enabled`, Redis 7.0). One that is cut is none.
    #[must_use]
    pub fn timestamp(&self) -> Option<i64> {
        if self.tolerated.contains(Tolerated::TORN_ANNOTATION) {
            return None;
        }
        let digits = self.text.strip_prefix(b"TS:")?;
        let plain = digits.strip_prefix(b"-").unwrap_or(digits);
        plain.iter().all(u8::is_ascii_digit).then_some(())?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// True when it says that it is a timestamp, whether or not it is a good one.
    #[must_use]
    pub fn claims_timestamp(&self) -> bool {
        self.text.starts_with(b"TS:")
    }
}

//! Why a log could not be read on.

use std::fmt;

/// Why a log could not be read on, and where.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    record: u64,
    offset: u64,
    doing: Doing,
    kind: ErrorKind,
}

/// What was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// The first byte of a record.
    ReadRecord,
    /// The `*` line.
    ReadCount,
    /// The `$` line of this argument, the command's name being argument 0.
    ReadLength(u64),
    /// The bytes of this argument.
    ReadArgument(u64),
    /// A `#` line.
    ReadAnnotation,
}

/// What was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input ends inside a record.
    Torn {
        /// How many more bytes the record needs at least.
        missing: u64,
    },
    /// A record begins with neither `*` nor `#`.
    NotARecord {
        /// What it begins with.
        found: u8,
    },
    /// Zero bytes where a record should begin.
    Zeros {
        /// How many.
        run: u64,
    },
    /// The count of arguments is not a plain positive number.
    BadCount,
    /// An argument does not begin with `$`.
    NotAnArgument {
        /// What it begins with.
        found: u8,
    },
    /// The length of an argument is not a plain number.
    BadLength,
    /// A line does not end in CRLF.
    BadLineEnd,
    /// An argument is not followed by CRLF.
    BadTrailer {
        /// The two bytes found instead.
        found: [u8; 2],
    },
    /// An annotation is longer than servers read.
    LongAnnotation,
}

impl Error {
    #[cold]
    pub(crate) fn new(record: usize, offset: usize, doing: Doing, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { record: record as u64, offset: offset as u64, doing, kind }))
    }

    /// The offset of the byte that was wrong.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// The offset at which the record begins. Everything before it is sound.
    #[must_use]
    pub fn record(&self) -> u64 {
        self.0.record
    }

    /// What was being read.
    #[must_use]
    pub fn doing(&self) -> Doing {
        self.0.doing
    }

    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The input ended inside a record, which is what a crash leaves, and not the same as damage.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Torn { .. })
    }

    /// Stable, kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::Torn { .. } => "aof-torn",
            ErrorKind::NotARecord { .. } => "aof-not-a-record",
            ErrorKind::Zeros { .. } => "aof-zeros",
            ErrorKind::BadCount => "aof-bad-count",
            ErrorKind::NotAnArgument { .. } => "aof-not-an-argument",
            ErrorKind::BadLength => "aof-bad-length",
            ErrorKind::BadLineEnd => "aof-bad-line-end",
            ErrorKind::BadTrailer { .. } => "aof-bad-trailer",
            ErrorKind::LongAnnotation => "aof-long-annotation",
        }
    }

    /// What the reader of the message can do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self.0.kind {
            ErrorKind::Torn { .. } => Some("`careen repair` keeps every complete command"),
            ErrorKind::Zeros { .. } => {
                Some("zeros are what a power loss leaves; `careen repair` keeps what is before and after them")
            }
            _ => Some("`careen repair` keeps what is intact before and after the damage"),
        }
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadRecord => f.write_str("read-record"),
            Self::ReadCount => f.write_str("read-count"),
            Self::ReadLength(n) => write!(f, "read-length of argument {n}"),
            Self::ReadArgument(n) => write!(f, "read-argument {n}"),
            Self::ReadAnnotation => f.write_str("read-annotation"),
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Torn { missing } => write!(f, "the file ends here, at least {missing} bytes short"),
            Self::NotARecord { found } => {
                write!(f, "a record begins with `*` or `#`, not with `{}`", found.escape_ascii())
            }
            Self::Zeros { run } => write!(f, "{run} zero bytes where a record should begin"),
            Self::BadCount => f.write_str("the count of arguments is not a positive decimal number"),
            Self::NotAnArgument { found } => {
                write!(f, "an argument begins with `$`, not with `{}`", found.escape_ascii())
            }
            Self::BadLength => f.write_str("the length of an argument is not a decimal number"),
            Self::BadLineEnd => f.write_str("the line does not end in \\r\\n"),
            Self::BadTrailer { found } => {
                write!(f, "\\r\\n should follow an argument, not `{}`", found.escape_ascii())
            }
            Self::LongAnnotation => f.write_str("an annotation of more than 1023 bytes, which servers cut in two"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { record, offset, doing, kind } = &*self.0;
        write!(f, "{doing} at offset {offset}: {kind}")?;
        if record == offset { Ok(()) } else { write!(f, " (in the record at offset {record})") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl std::error::Error for Error {}

//! What can be wrong with a manifest.

use crate::finding::{Finding, Severity};
use std::fmt;

/// Something wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The number of the line, from 1; 0 when it is about the file.
    pub line: u32,
    /// Where that line begins.
    pub offset: u64,
    /// The line, trimmed.
    pub text: Vec<u8>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a line of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Nothing is in the file.
    Empty,
    /// A line of more than 1024 bytes.
    LineTooLong,
    /// The last line has no LF.
    NoNewline,
    /// A zero byte.
    NulByte,
    /// A line of blanks.
    BlankLine,
    /// Quotes that do not close, or with something glued to them.
    BadQuotes,
    /// Not pairs of words, or fewer than three.
    BadPairs {
        /// How many words there are.
        words: usize,
    },
    /// A file name with `/` or `\`.
    PathInName,
    /// No name, no type, or no sequence number but 0.
    MissingField,
    /// A type that is not `b`, `h` or `i`.
    UnknownType {
        /// Its first byte.
        found: u8,
    },
    /// A second base.
    DuplicateBase,
    /// An incremental file out of order.
    SequenceNotIncreasing {
        /// The number before it.
        previous: i64,
    },
    /// A name that no file has: empty, `.` or `..`.
    NotAFileName,
    /// A control character in a name.
    ControlInName {
        /// The first of them.
        byte: u8,
    },
    /// The same file twice.
    DuplicateName,
    /// A pair that no known server writes.
    UnknownKey,
    /// A number that is not written as servers write it.
    SloppyNumber,
    /// A type of more than one letter.
    LongType,
}

impl ProblemKind {
    /// How bad it is. [`Severity::Error`] for all that servers refuse.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::UnknownKey | Self::LongType => Severity::Info,
            Self::ControlInName { byte } if byte != 0 => Severity::Warning,
            Self::SloppyNumber => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Stable, kebab-case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "manifest-empty",
            Self::LineTooLong => "manifest-line-too-long",
            Self::NoNewline => "manifest-no-newline",
            Self::NulByte => "manifest-nul-byte",
            Self::BlankLine => "manifest-blank-line",
            Self::BadQuotes => "manifest-bad-quotes",
            Self::BadPairs { .. } => "manifest-bad-pairs",
            Self::PathInName => "manifest-path-in-name",
            Self::MissingField => "manifest-missing-field",
            Self::UnknownType { .. } => "manifest-unknown-type",
            Self::DuplicateBase => "manifest-duplicate-base",
            Self::SequenceNotIncreasing { .. } => "manifest-sequence-not-increasing",
            Self::NotAFileName => "manifest-not-a-file-name",
            Self::ControlInName { .. } => "manifest-control-in-name",
            Self::DuplicateName => "manifest-duplicate-name",
            Self::UnknownKey => "manifest-unknown-key",
            Self::SloppyNumber => "manifest-sloppy-number",
            Self::LongType => "manifest-long-type",
        }
    }
}

impl Problem {
    /// True when a server does not start with it because of its text. (A name that cannot be opened comes later.)
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.server_text().is_some()
    }

    /// What a server says when it refuses it.
    #[must_use]
    pub fn server_text(&self) -> Option<&'static str> {
        match self.kind {
            ProblemKind::Empty => Some("Found an empty AOF manifest"),
            ProblemKind::LineTooLong | ProblemKind::NoNewline | ProblemKind::NulByte => {
                Some("The AOF manifest file contains too long line")
            }
            ProblemKind::BlankLine
            | ProblemKind::BadQuotes
            | ProblemKind::BadPairs { .. }
            | ProblemKind::MissingField => Some("Invalid AOF manifest file format"),
            ProblemKind::PathInName => Some("File can't be a path, just a filename"),
            ProblemKind::UnknownType { .. } => Some("Unknown AOF file type"),
            ProblemKind::DuplicateBase => Some("Found duplicate base file information"),
            ProblemKind::SequenceNotIncreasing { .. } => Some("Found a non-monotonic sequence number"),
            ProblemKind::NotAFileName
            | ProblemKind::ControlInName { .. }
            | ProblemKind::DuplicateName
            | ProblemKind::UnknownKey
            | ProblemKind::SloppyNumber
            | ProblemKind::LongType => None,
        }
    }

    /// As a finding of this file.
    #[must_use]
    pub fn to_finding(&self, file: &str) -> Finding {
        let end = self.offset.saturating_add(self.text.len() as u64);
        Finding::new(self.kind.severity(), self.kind.code(), self.offset, self.to_string()).in_file(file).until(end)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the manifest is empty"),
            Self::LineTooLong => f.write_str("a line may have 1024 bytes, its line end included"),
            Self::NoNewline => f.write_str("the last line has no line end, so it may be cut"),
            Self::NulByte => f.write_str("there is a zero byte in it"),
            Self::BlankLine => f.write_str("a manifest has no blank lines"),
            Self::BadQuotes => f.write_str("its quotes do not close, or text is glued to them"),
            Self::BadPairs { words } => write!(f, "{words} words are not three or more pairs"),
            Self::PathInName => f.write_str("a file is named without its path"),
            Self::MissingField => f.write_str("a line has a file, a sequence number other than 0, and a type"),
            Self::UnknownType { found } => write!(f, "a type is `b`, `h` or `i`, not `{}`", found.escape_ascii()),
            Self::DuplicateBase => f.write_str("there is a base already"),
            Self::SequenceNotIncreasing { previous } => {
                write!(f, "incremental files are in order, and the one before has the number {previous}")
            }
            Self::NotAFileName => f.write_str("no file has such a name"),
            Self::ControlInName { byte } => write!(f, "there is a `{}` in the file's name", byte.escape_ascii()),
            Self::DuplicateName => f.write_str("the same file is listed already, and would be loaded twice"),
            Self::UnknownKey => f.write_str("it has a field that no server known to us writes"),
            Self::SloppyNumber => f.write_str("a number is not written as servers write it"),
            Self::LongType => f.write_str("only the first letter of a type counts"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => self.kind.fmt(f),
            line => write!(f, "line {line}, `{}`: {}", self.text.escape_ascii(), self.kind),
        }
    }
}

impl std::error::Error for Problem {}

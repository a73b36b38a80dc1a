//! What was done, what was lost on the way, and why it was not done.

use crate::bytes::{Exhausted, publish};
use crate::rdb;
use crate::replay::Refusal;
use crate::replay::report::Notes;
use crate::value::DbIndex;
use std::{fmt, io};

/// How many losses are kept by name.
const KEPT: usize = 100;
/// How many of them an error names.
const NAMED: usize = 10;

/// Something that the output does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The key and its database; none for what belongs to the file.
    pub key: Option<(DbIndex, Vec<u8>)>,
    /// What is missing, in words.
    pub what: &'static str,
    /// The whole key is missing.
    pub whole: bool,
}

/// All losses, the first of them by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// The first.
    pub first: Vec<Loss>,
    /// How many there are.
    pub total: u64,
}

impl Loss {
    /// Something that belongs to no key.
    pub(crate) fn of_file(what: &'static str) -> Self {
        Self { key: None, what, whole: false }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some((db, key)) => write!(f, "{} of \"{}\" in db {}", self.what, key.escape_ascii(), db.0),
            None => f.write_str(self.what),
        }
    }
}

impl Losses {
    pub(crate) fn add(&mut self, loss: Loss) {
        self.total = self.total.saturating_add(1);
        if self.first.len() < KEPT {
            self.first.push(loss);
        }
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.total = self.total.saturating_add(other.total);
        let room = KEPT.saturating_sub(self.first.len());
        self.first.extend(other.first.drain(..).take(room));
    }

    /// Nothing was lost.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Keys written.
    pub keys: u64,
    /// Keys not selected, or expired, or in favour of another of the same name.
    pub left_out: u64,
    /// Keys written as they stood in the input.
    pub copied: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Files written.
    pub files: u64,
    /// Commands of a log that a server would have executed and we did not.
    pub not_executed: u64,
    /// Commands of a log that no server writes, such as transactions that are never executed. They were not executed.
    pub unsound: Notes<Refusal>,
    /// A condition to stop the log was met.
    pub stopped: bool,
    /// What the output does not have of what it should.
    pub losses: Losses,
}

/// Why it was not done.
#[derive(Debug)]
pub enum Error {
    /// The input is damaged.
    Damaged {
        /// The input's name.
        file: String,
        /// Where and how.
        error: rdb::Error,
    },
    /// The input's checksum is not that of its bytes.
    Checksum {
        /// The input's name.
        file: String,
        /// The stored one.
        stored: u64,
        /// That of the bytes.
        computed: u64,
    },
    /// A log cannot be read to its end.
    DamagedLog {
        /// The input's name.
        file: String,
        /// Where.
        offset: u64,
        /// Why.
        why: String,
    },
    /// A command cannot be executed that a server would execute.
    NotExecuted {
        /// The input's name.
        file: String,
        /// Where.
        offset: u64,
        /// Why.
        why: String,
    },
    /// Executing a log needs more than the limits allow.
    Exhausted {
        /// Its name.
        file: String,
        /// Where.
        offset: u64,
        /// The command, and how much it needs.
        why: String,
        /// The limit.
        spent: Exhausted,
    },
    /// The target cannot hold everything.
    Unfit {
        /// The target's name.
        target: &'static str,
        /// What it cannot hold.
        losses: Box<Losses>,
    },
    /// A key is in several inputs.
    Duplicate {
        /// The input in which it is met again.
        file: String,
        /// Its database.
        db: DbIndex,
        /// The key.
        key: Vec<u8>,
    },
    /// These options do not go together, or not with this input.
    Unsupported(&'static str),
    /// The output cannot be written.
    Publish(publish::Error),
}

impl Error {
    /// Stable, kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Damaged { error, .. } => error.code(),
            Self::Checksum { .. } => "rdb-checksum-mismatch",
            Self::DamagedLog { .. } => "convert-damaged-log",
            Self::NotExecuted { .. } => "convert-log",
            Self::Exhausted { spent, .. } => spent.code(),
            Self::Unfit { .. } => "convert-unfit",
            Self::Duplicate { .. } => "convert-duplicate-key",
            Self::Unsupported(_) => "convert-unsupported",
            Self::Publish(_) => "convert-output",
        }
    }

    /// What can be done about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Damaged { error, .. } if error.is_exhausted() => error.hint(),
            Self::Exhausted { spent, .. } => Some(spent.hint()),
            Self::Damaged { .. } | Self::DamagedLog { .. } | Self::Checksum { .. } => {
                Some("`careen repair` saves what is sound; `careen check` lists all damage")
            }
            Self::NotExecuted { .. } => {
                Some("`careen check --replay` says more; --lossy goes on without what cannot be executed")
            }
            Self::Unfit { .. } => Some("choose another --target, or leave it out with --lossy"),
            Self::Duplicate { .. } => Some("say which one stays with --on-duplicate first or last"),
            Self::Unsupported(what) if what.starts_with("--split-by would make more") => {
                Some("split by another separator, by db, or by slot:N into N files")
            }
            Self::Unsupported(_) => None,
            Self::Publish(error) => error.hint(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { file, error } => write!(f, "{file}: {error}"),
            Self::Checksum { file, stored, computed } => {
                write!(f, "{file}: check-sum: the stored checksum is {stored:016x}, that of the bytes {computed:016x}")
            }
            Self::DamagedLog { file, offset, why }
            | Self::NotExecuted { file, offset, why }
            | Self::Exhausted { file, offset, why, .. } => {
                write!(f, "{file}: replay at offset {offset}: {why}")
            }
            Self::Unfit { target, losses } => {
                write!(f, "{target} cannot hold everything:")?;
                for (index, loss) in losses.first.iter().take(NAMED).enumerate() {
                    write!(f, "{} {loss}", if index == 0 { "" } else { "," })?;
                }
                match losses.total.saturating_sub(NAMED as u64) {
                    0 => Ok(()),
                    more => write!(f, ", and {more} more"),
                }
            }
            Self::Duplicate { file, db, key } => {
                write!(f, "{file}: key \"{}\" in db {} was in an earlier input already", key.escape_ascii(), db.0)
            }
            Self::Unsupported(what) => f.write_str(what),
            Self::Publish(error) => write!(f, "{}: {error}", error.path.display()),
        }
    }
}

impl std::error::Error for Error {}

impl From<publish::Error> for Error {
    fn from(error: publish::Error) -> Self {
        Self::Publish(error)
    }
}

/// An error of the output on its way through code that knows only [`io::Error`].
pub(crate) fn as_io(error: Error) -> io::Error {
    io::Error::other(error)
}

/// The error that was put into an [`io::Error`], or one of writing `path`.
pub(crate) fn from_io(error: io::Error, path: &std::path::Path) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(cause) => Error::Publish(publish::Error { path: path.to_owned(), doing: publish::Doing::Write, cause }),
    }
}

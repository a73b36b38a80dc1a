//! Why a command was not done, and how that is said.

use super::render::escape;
use careen::bytes::publish;
use careen::input;
use std::io;

/// Why a command was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nobody reads our output any more: a quiet success.
    BrokenPipe,
    /// Something for standard error.
    Refused {
        /// `<file>: <what> at offset <n>: <why>`
        line: String,
        /// What can be done about it.
        hint: Option<String>,
    },
}

impl Failure {
    /// A failure without advice.
    pub(super) fn new(line: impl Into<String>) -> Self {
        Self::Refused { line: line.into(), hint: None }
    }

    /// The same with advice.
    pub(super) fn hint(self, advice: impl Into<String>) -> Self {
        match self {
            Self::Refused { line, .. } => Self::Refused { line, hint: Some(advice.into()) },
            quiet @ Self::BrokenPipe => quiet,
        }
    }

    /// Reading `file` needs more memory than it may have.
    pub(super) fn exhausted(file: &str, why: &str) -> Self {
        Self::new(format!("{file}: {why}")).hint("give more with --max-memory")
    }

    /// Writing `file` failed.
    pub(super) fn write(file: &str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            kind => {
                let line = format!("{file}: write: {error}");
                Self::Refused { line, hint: publish::full(kind).map(Into::into) }
            }
        }
    }

    /// The line and the hint; nothing for a quiet success.
    pub(super) fn into_line(self) -> Option<(String, Option<String>)> {
        match self {
            Self::BrokenPipe => None,
            Self::Refused { line, hint } => Some((line, hint)),
        }
    }
}

impl From<input::Error> for Failure {
    fn from(error: input::Error) -> Self {
        Self::Refused { line: escape::sentence(&error.to_string()), hint: error.hint() }
    }
}

impl From<publish::Error> for Failure {
    fn from(error: publish::Error) -> Self {
        let line = format!("{}: {error}", escape::path(&error.path));
        Self::Refused { line, hint: error.hint().map(Into::into) }
    }
}

/// Writing to standard output failed.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::write("standard output", &error)
    }
}

//! What is wrong with the data, and where.
//!
//! A finding is not an error: the work goes on after it. An error means that the work could not go on.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Info,
    /// Suspicious, or accepted by some servers only.
    Warning,
    /// The data is damaged.
    Error,
}

impl Severity {
    /// The word that our JSON and text use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is wrong with the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, as the user would name it: a path, or a file name of a set.
    pub file: String,
    /// Where it begins; 0 for the file as a whole.
    pub offset: u64,
    /// Where it ends, when that is known.
    pub end: Option<u64>,
    /// How bad it is.
    pub severity: Severity,
    /// Stable, kebab-case, listed in `docs/codes.md`.
    pub code: &'static str,
    /// The database it belongs to.
    pub db: Option<u32>,
    /// The key it belongs to.
    pub key: Option<Vec<u8>>,
    /// One sentence for a person. Bytes of the file are escaped in it.
    pub message: String,
    /// What the reader can do about it.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding with the fields that every finding has.
    #[must_use]
    pub fn new(severity: Severity, code: &'static str, offset: u64, message: impl Into<String>) -> Self {
        Self {
            file: String::new(),
            offset,
            end: None,
            severity,
            code,
            db: None,
            key: None,
            message: message.into(),
            hint: None,
        }
    }

    /// Damaged data.
    #[must_use]
    pub fn error(code: &'static str, offset: u64, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, offset, message)
    }

    /// Suspicious data.
    #[must_use]
    pub fn warning(code: &'static str, offset: u64, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, offset, message)
    }

    /// Something worth knowing.
    #[must_use]
    pub fn info(code: &'static str, offset: u64, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, code, offset, message)
    }

    /// The same, in this file.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = file.into();
        self
    }

    /// The same, ending here.
    #[must_use]
    pub fn until(mut self, end: u64) -> Self {
        self.end = Some(end);
        self
    }

    /// The same, about this database.
    #[must_use]
    pub fn in_db(mut self, db: u32) -> Self {
        self.db = Some(db);
        self
    }

    /// The same, about this key.
    #[must_use]
    pub fn about_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The same, with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_order_from_harmless_to_bad() {
        assert!(Severity::Info < Severity::Warning && Severity::Warning < Severity::Error);
        let finding =
            Finding::error("aof-bad-count", 7, "no").in_file("a.aof").until(9).in_db(1).about_key(*b"k").hint("h");
        assert_eq!((finding.offset, finding.end, finding.db), (7, Some(9), Some(1)));
        assert_eq!(finding.severity.to_string(), "error");
    }
}

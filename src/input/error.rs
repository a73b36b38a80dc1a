//! Why a path led to nothing that can be worked with.

use crate::bytes::source;
use crate::finding::Finding;
use std::fmt;
use std::io;

/// Why a path led to nothing that can be worked with.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
enum Inner {
    Source(source::Error),
    Directory { path: String, cause: io::Error },
    Several { path: String, candidates: Vec<String> },
    Nothing { path: String },
    LooseManifest { path: String },
    Unsound { path: String, finding: Finding },
}

impl Error {
    #[cold]
    pub(super) fn directory(path: &str, cause: io::Error) -> Self {
        Self(Box::new(Inner::Directory { path: path.into(), cause }))
    }

    #[cold]
    pub(super) fn several(path: &str, candidates: Vec<String>) -> Self {
        Self(Box::new(Inner::Several { path: path.into(), candidates }))
    }

    #[cold]
    pub(super) fn nothing(path: &str) -> Self {
        Self(Box::new(Inner::Nothing { path: path.into() }))
    }

    #[cold]
    pub(super) fn loose_manifest(path: &str) -> Self {
        Self(Box::new(Inner::LooseManifest { path: path.into() }))
    }

    #[cold]
    pub(super) fn unsound(path: &str, finding: Finding) -> Self {
        Self(Box::new(Inner::Unsound { path: path.into(), finding }))
    }

    /// The input, as it was named.
    #[must_use]
    pub fn path(&self) -> &str {
        match &*self.0 {
            Inner::Source(error) => error.path(),
            Inner::Directory { path, .. }
            | Inner::Several { path, .. }
            | Inner::Nothing { path }
            | Inner::LooseManifest { path }
            | Inner::Unsound { path, .. } => path,
        }
    }

    /// Stable, kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &*self.0 {
            Inner::Source(error) => error.code(),
            Inner::Directory { .. } => "input-directory-unreadable",
            Inner::Several { .. } => "input-several-candidates",
            Inner::Nothing { .. } => "input-nothing-found",
            Inner::LooseManifest { .. } => "input-loose-manifest",
            Inner::Unsound { finding, .. } => finding.code,
        }
    }

    /// What can be done about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &*self.0 {
            Inner::Source(error) => error.hint().map(Into::into),
            Inner::Directory { .. } => None,
            Inner::Several { .. } => Some("name the one that is meant".into()),
            Inner::Nothing { .. } => {
                Some("a directory with a `.manifest`, or with one RDB or AOF file, is expected".into())
            }
            Inner::LooseManifest { .. } => Some("name the manifest's file or its directory".into()),
            Inner::Unsound { finding, .. } => {
                Some(finding.hint.clone().unwrap_or_else(|| "`careen check` tells all that is wrong".into()))
            }
        }
    }
}

impl From<source::Error> for Error {
    fn from(error: source::Error) -> Self {
        Self(Box::new(Inner::Source(error)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Inner::Source(error) => error.fmt(f),
            Inner::Directory { path, cause } => write!(f, "{path}: list the directory: {cause}"),
            Inner::Several { path, candidates } => {
                write!(f, "{path}: holds more than one input: {}", candidates.join(", "))
            }
            Inner::Nothing { path } => write!(f, "{path}: no RDB, AOF or manifest in this directory"),
            Inner::LooseManifest { path } => write!(f, "{path}: a manifest without a directory names no files"),
            Inner::Unsound { path, finding } => {
                write!(f, "{path}: ")?;
                if !finding.file.is_empty() && finding.file != *path {
                    write!(f, "{}: ", finding.file)?;
                }
                f.write_str(&finding.message)
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Inner::Source(error) => Some(error),
            Inner::Directory { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

//! What did the user hand us? A path becomes ordered, opened parts.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`sniff`] | what a file is, by its content |
//! | [`discover`] | a file, a manifest, a directory or standard input → [`Input`] |
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub(crate) mod discover;
pub mod error;
pub mod sniff;

pub use discover::{from_bytes, open};
pub use error::Error;
pub use sniff::Content;

use crate::aof::Manifest;
use crate::aof::manifest::Entry;
use crate::bytes::publish::same;
use crate::bytes::source::Source;
use crate::finding::{Finding, Severity};
use std::path::{Path, PathBuf};

/// What kind of thing an input is, in the words of our JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One RDB file.
    Rdb,
    /// One AOF, with or without a preamble.
    Aof,
    /// A multi-part AOF: a manifest and its files.
    AofDir,
    /// A Dragonfly summary and its shards.
    DragonflySet,
    /// One empty file.
    Empty,
    /// One file of nothing we know.
    Unknown,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rdb => "rdb",
            Self::Aof => "aof",
            Self::AofDir => "aof-dir",
            Self::DragonflySet => "dragonfly-set",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

/// The place of a file in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// There is no set.
    Single,
    /// Loaded first.
    Base,
    /// Loaded after the base, in order.
    Incr,
    /// The file of a Dragonfly set that holds no keys.
    Summary,
    /// One of the files of a Dragonfly set that do.
    Shard,
}

/// One opened file.
#[derive(Debug)]
pub struct Part {
    /// The path as it was given for a single file, the file's name for one of a set.
    pub name: String,
    /// Where it is; `-` for standard input.
    pub path: PathBuf,
    /// Its place in the set.
    pub role: Role,
    /// Its sequence number, or a shard's number; 0 for a single file.
    pub seq: i64,
    /// What it holds.
    pub content: Content,
    /// Its bytes.
    pub source: Source,
    /// Its line of the manifest.
    pub entry: Option<Entry>,
}

impl Part {
    /// The whole file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.source.bytes()
    }
}

/// A manifest and where it was found.
#[derive(Debug, Clone)]
pub struct ManifestFile {
    /// Its name without the directory.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: Vec<u8>,
    /// What could be read of it.
    pub manifest: Manifest,
}

/// What a path led to.
#[derive(Debug)]
pub struct Input {
    /// The path, as it was given.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The directory of a set.
    pub directory: Option<PathBuf>,
    /// The manifest of a multi-part AOF, unless it is lost.
    pub manifest: Option<ManifestFile>,
    /// The files that are loaded and could be opened, in loading order.
    pub parts: Vec<Part>,
    /// What is wrong with the set: its manifest's text, files that are missing or superfluous.
    pub findings: Vec<Finding>,
}

impl Input {
    /// Bytes of all parts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes().len() as u64))
    }

    /// True when an output at this path would take away something that the input consists of.
    #[must_use]
    pub fn is_at(&self, output: &Path) -> bool {
        let manifest = self.manifest.iter().map(|file| file.path.as_path());
        let mut paths = self.parts.iter().map(|part| part.path.as_path()).chain(manifest);
        let standard = |path: &Path| path == Path::new("-");
        paths.any(|path| same::would_take_away(output, if standard(path) { Path::new("/dev/stdin") } else { path }))
    }

    /// True when an output at this path would stand in the directory that is the input.
    #[must_use]
    pub fn has_inside(&self, output: &Path) -> bool {
        let directory = self.directory.as_ref().filter(|_| self.kind == Kind::AofDir);
        directory.is_some_and(|directory| same::is_at_or_below(output, directory))
    }

    /// For commands that cannot work with half a set, or with a file of nothing we know.
    ///
    /// # Errors
    /// The first thing that keeps the input from being loaded as it is.
    pub fn require_sound(&self) -> Result<(), Error> {
        match self.findings.iter().find(|finding| finding.severity == Severity::Error) {
            Some(finding) => Err(Error::unsound(&self.name, finding.clone())),
            None => Ok(()),
        }
    }
}

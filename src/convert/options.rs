//! What is asked for.

use crate::bytes::publish::Existing;
use crate::rdb::Target;
use crate::scan;
use crate::select::Selection;
use crate::value::UnixMillis;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An RDB file.
    Rdb,
    /// A log: commands only.
    Aof,
    /// A server's `appendonlydir`: a manifest, a base, an empty incremental file.
    AofDir(Base),
}

/// The base of a multi-part AOF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Base {
    /// An RDB image.
    #[default]
    Rdb,
    /// Commands.
    Aof,
}

/// Whom it is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// What wrote the input.
    #[default]
    Same,
    /// A named target.
    Named(Target),
}

/// One output for each of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitBy {
    /// Cluster hash slots, in so many ranges of about the same length; 16384 is one file per slot.
    Slot(u16),
    /// Databases.
    Db,
    /// What stands before the first separator in the key.
    Prefix(Vec<u8>),
}

/// Which of several keys of one name stays when inputs are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDuplicate {
    /// None: it is an error.
    #[default]
    Error,
    /// That of the first input.
    First,
    /// That of the last input.
    Last,
}

/// Everything that can be asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is written.
    pub kind: Kind,
    /// For whom.
    pub target: Choice,
    /// Which keys.
    pub selection: Selection,
    /// Into several files of one directory.
    pub split: Option<SplitBy>,
    /// With several inputs.
    pub on_duplicate: OnDuplicate,
    /// Added to every expiry of keys and fields, in milliseconds.
    pub ttl_shift: i64,
    /// Keys that have expired by then are left out.
    pub drop_expired: Option<UnixMillis>,
    /// Other text in place of all text.
    pub scrub: bool,
    /// What the target cannot hold is left out.
    pub lossy: bool,
    /// The `appendfilename` of a multi-part AOF.
    pub name: String,
    /// What to do with what is at the output already.
    pub existing: Existing,
    /// Threads and memory.
    pub scan: scan::Options,
    /// The process ends right after: memory of a keyspace is left to the operating system, which takes it back at
    /// once; going through it first takes a second.
    pub process_ends: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kind: Kind::Rdb,
            target: Choice::Same,
            selection: Selection::default(),
            split: None,
            on_duplicate: OnDuplicate::Error,
            ttl_shift: 0,
            drop_expired: None,
            scrub: false,
            lossy: false,
            name: "appendonly.aof".into(),
            existing: Existing::default(),
            scan: scan::Options::default(),
            process_ends: false,
        }
    }
}

impl Kind {
    /// True when the keys are written as an RDB image.
    #[must_use]
    pub fn is_image(self) -> bool {
        matches!(self, Self::Rdb | Self::AofDir(Base::Rdb))
    }
}

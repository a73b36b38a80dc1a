//! What is asked for.

use crate::bytes::publish::Existing;
use crate::keyspace::Like;
use crate::rdb::Target;
use crate::rdb::target::TARGETS;
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

/// The newest target that a server loads; none for servers older than all targets. Forks without a target of their own
/// load what the Redis loads that they come from.
#[must_use]
pub fn target_of(server: Like) -> Option<Target> {
    let (major, minor) = server.as_redis();
    let wanted = if server.at_least_valkey(8, 0) { server } else { Like::redis(major, minor) };
    let loads =
        |named: Like| named.family == wanted.family && (named.major, named.minor) <= (wanted.major, wanted.minor);
    TARGETS.into_iter().rev().find(|target| target.name.parse().is_ok_and(loads))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_loads_the_newest_target_that_is_not_newer() {
        let named = |server: &str| target_of(server.parse().unwrap()).map(|target| target.name);
        for target in TARGETS {
            assert_eq!(named(target.name), Some(target.name));
        }
        let servers = [
            ("redis-6.0.16", "redis-5.0"),
            ("redis-7", "redis-7.0"),
            ("redis-9.1", "redis-8.8"),
            ("valkey-7.2", "redis-7.2"),
            ("valkey-8.1.1", "valkey-8"),
            ("redict-7.3", "redis-7.2"),
            ("keydb-6.3", "redis-6.2"),
        ];
        assert!(servers.iter().all(|(server, target)| named(server) == Some(target)));
        assert_eq!(named("redis-2.6"), None);
    }
}

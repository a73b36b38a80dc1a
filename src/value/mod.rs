//! Plain logical types, used by every stage.

mod blob;
pub mod json;
pub mod number;
mod slot;
mod stream_id;

pub use blob::{Blob, Piece};
pub use slot::{SLOTS, key_slot};
pub use stream_id::StreamId;

/// A database number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DbIndex(pub u32);

/// Milliseconds since 1970-01-01T00:00:00Z. Any value can occur in a file, negative ones too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub i64);

/// The logical type of a value, whatever its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A byte string (counters, bitmaps and `HyperLogLogs` too).
    String,
    /// A list.
    List,
    /// A set.
    Set,
    /// A sorted set.
    Zset,
    /// A hash, with or without field expiry.
    Hash,
    /// A stream.
    Stream,
    /// A value owned by a module.
    Module,
    /// A sparse array (Redis 8.8).
    Array,
}

impl Kind {
    /// The name that `TYPE` and our JSON use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::Zset => "zset",
            Self::Hash => "hash",
            Self::Stream => "stream",
            Self::Module => "module",
            Self::Array => "array",
        }
    }
}

//! All keys of a server in memory, holding slices of the input rather than copies of it.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`db`] | one database: keys in order of first appearance, their values and expiries |
//! | [`value`] | what a key can hold |
//! | [`map`] | byte strings to anything: the stuff of sets, hashes and sorted sets |
//! | `nearly` | sorting what is nearly in order |
//! | [`zset`], [`hash`], [`stream`], [`vectors`] | the types that are more than a standard collection |
//! | [`like`] | which server to behave like, where they differ |
//! | [`load`] | RDB records into the keyspace |
//! | [`digest`] | `DEBUG DIGEST` |

pub mod db;
pub mod digest;
pub mod elements;
pub mod hash;
mod index;
pub mod like;
pub mod load;
pub(crate) mod map;
mod nearly;
pub mod stream;
pub mod value;
pub(crate) mod vectors;
mod warm;
pub mod zset;

pub use db::{Db, Entry, Slot, WrongType};
pub use hash::Hash;
pub use like::{Family, Like};
pub use map::Map;
pub use stream::Stream;
pub use value::{Buffer, List, Set, Typed, Value};
pub use vectors::Vectors;
pub(crate) use warm::BATCH;
pub use zset::Zset;

use crate::value::{Blob, DbIndex};
use std::collections::BTreeMap;

/// The databases of a server, its function libraries and its script cache.
#[derive(Debug, Default)]
pub struct Keyspace<'a> {
    dbs: BTreeMap<DbIndex, Db<'a>>,
    /// Function libraries: the whole text, `#!` line included, by library name.
    pub functions: Map<'a, Blob<'a>>,
    /// Scripts by the 40 hex digits of their SHA-1 (logs of servers before 7.0).
    pub scripts: Map<'a, Blob<'a>>,
    /// Some value may still be as it was stored.
    has_stored: bool,
}

impl<'a> Keyspace<'a> {
    /// Databases that have been written to, in ascending order; some may be empty.
    pub fn dbs(&self) -> impl Iterator<Item = (DbIndex, &Db<'a>)> {
        self.dbs.iter().map(|(&index, db)| (index, db))
    }

    /// The same, to change.
    pub fn dbs_mut(&mut self) -> impl Iterator<Item = (DbIndex, &mut Db<'a>)> {
        self.dbs.iter_mut().map(|(&index, db)| (index, db))
    }

    /// A database, if it has been written to.
    #[must_use]
    pub fn db(&self, index: DbIndex) -> Option<&Db<'a>> {
        self.dbs.get(&index)
    }

    /// A database, made empty where there is none.
    pub fn db_mut(&mut self, index: DbIndex) -> &mut Db<'a> {
        self.dbs.entry(index).or_default()
    }

    /// May any value still be as it was stored?
    #[must_use]
    pub fn has_stored(&self) -> bool {
        self.has_stored
    }

    /// Bytes on the heap, about. Looks at everything.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let functions = self.functions.heap_bytes().saturating_add(self.scripts.heap_bytes());
        self.dbs.values().map(Db::heap_bytes).fold(functions, usize::saturating_add)
    }

    /// Exchange two databases.
    pub fn swap(&mut self, one: DbIndex, other: DbIndex) {
        let (first, second) = (self.dbs.remove(&one), self.dbs.remove(&other));
        self.dbs.extend(first.map(|db| (other, db)));
        self.dbs.extend(second.map(|db| (one, db)));
    }

    /// The source texts of the function libraries.
    pub fn libraries(&self) -> impl Iterator<Item = &[u8]> {
        self.functions.iter().map(|(_, code)| code.as_bytes())
    }

    /// Remove every key; functions and scripts stay.
    pub fn flush(&mut self) {
        self.dbs.clear();
    }

    /// Keys of all databases.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dbs.values().map(Db::len).sum()
    }

    /// No key in any database.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dbs.values().all(Db::is_empty)
    }
}

//! The selected keys of a rebuilt keyspace, one after the other.

use std::io;

use crate::keyspace::{Entry, Keyspace};
use crate::rdb;
use crate::select::{Candidate, Selection};
use crate::value::DbIndex;

/// How many keys were written, and which values were left out because they are damaged.
#[derive(Debug, Default)]
pub struct Written {
    /// Keys written.
    pub keys: u64,
    /// Keys left out, with the reason.
    pub problems: Vec<(DbIndex, Vec<u8>, rdb::Error)>,
}

/// Visit the selected entries. `visit` gets the database, whether the entry is the first of it, and says whether the
/// entry counts.
///
/// # Errors
/// What `visit` returns.
pub fn each_entry<'a>(
    keyspace: &mut Keyspace<'a>,
    selection: &Selection,
    mut visit: impl FnMut(DbIndex, bool, &mut Entry<'a>, &mut Vec<(DbIndex, Vec<u8>, rdb::Error)>) -> io::Result<bool>,
) -> io::Result<Written> {
    let everything = selection.is_everything();
    let mut written = Written::default();
    let mut left = selection.limit.unwrap_or(u64::MAX);
    for (db, entries) in keyspace.dbs_mut() {
        let mut is_first = true;
        for entry in entries.iter_mut() {
            if left == 0 {
                return Ok(written);
            }
            if !everything && !selection.takes(&candidate(db, entry)) {
                continue;
            }
            if visit(db, is_first, entry, &mut written.problems)? {
                written.keys = written.keys.saturating_add(1);
                left = left.saturating_sub(1);
            }
            is_first = false;
        }
    }
    Ok(written)
}

fn candidate<'k>(db: DbIndex, entry: &'k Entry<'_>) -> Candidate<'k> {
    let bytes = entry.value.text_bytes().saturating_add(entry.key.len() as u64);
    Candidate { db, key: &entry.key, kind: entry.value.kind(), expiry: entry.expires, bytes }
}

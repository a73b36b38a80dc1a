//! A rebuilt keyspace in any format: what an AOF, or a snapshot and the log behind it, amount to.

use std::io::{self, Write};

use super::{Format, Head};
use crate::keyspace::{Entry, Keyspace, elements};
use crate::rdb::object::MemberExpiries;
use crate::rdb::{self, Buffers, Element};
use crate::scan::{Pen, Text};
use crate::select::{Candidate, Selection};
use crate::value::DbIndex;

/// Text is handed on when it has become so long.
const HAND_ON: usize = 256 << 10;

/// How many keys were written, and which values were left out because they are damaged.
#[derive(Debug, Default)]
pub struct Written {
    /// Keys written.
    pub keys: u64,
    /// Keys left out, with the reason.
    pub problems: Vec<(DbIndex, Vec<u8>, rdb::Error)>,
}

/// Write the keys of a keyspace, database by database, in order of first appearance.
///
/// # Errors
/// When the output cannot be written.
pub fn keyspace<F: Format>(
    format: &mut F,
    keyspace: &mut Keyspace<'_>,
    selection: &Selection,
    out: &mut dyn Write,
) -> io::Result<Written> {
    let mut head = Vec::new();
    for code in keyspace.functions() {
        format.function(code, &mut head);
    }
    out.write_all(&head)?;
    let mut buffers = Buffers::default();
    let mut text = Text::default();
    each_entry(keyspace, selection, |db, is_first, entry, problems| {
        if is_first {
            format.select(db, &mut text.bytes);
        }
        let begin = text.bytes.len();
        let mut failed = None;
        let mut spill = |text: &mut Text| {
            failed = failed.take().or_else(|| out.write_all(&text.bytes).err());
            text.bytes.clear();
        };
        let result = key(format, db, entry, &mut buffers, &mut Pen::new(&mut text, &mut spill));
        if let Some(error) = failed {
            return Err(error);
        }
        if let Err(error) = result {
            text.bytes.truncate(begin);
            problems.push((db, entry.key.to_vec(), error));
            return Ok(false);
        }
        if text.bytes.len() > HAND_ON {
            out.write_all(&text.bytes)?;
            text.bytes.clear();
        }
        Ok(true)
    })
    .and_then(|written| out.write_all(&text.bytes).map(|()| written))
}

/// Visit the selected entries. `visit` gets the database, whether the entry is the first of it, and says whether the
/// entry counts.
///
/// # Errors
/// What `visit` returns.
pub fn each_entry<'a>(
    keyspace: &mut Keyspace<'a>,
    selection: &Selection,
    mut visit: impl FnMut(
        DbIndex,
        bool,
        &mut Entry<'a>,
        &mut Vec<(DbIndex, Vec<u8>, rdb::Error)>,
    ) -> io::Result<bool>,
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

fn key<F: Format>(
    format: &mut F,
    db: DbIndex,
    entry: &mut Entry<'_>,
    buffers: &mut Buffers,
    pen: &mut Pen<'_>,
) -> rdb::Result<()> {
    let stored = entry.value.stored();
    if let Some(stored) = stored {
        // What is handed on piece by piece cannot be taken back, so it is looked through first.
        stored.elements(buffers, &mut |_| Ok(()))?;
    }
    let head = Head {
        db,
        key: &entry.key,
        kind: entry.value.kind(),
        encoding: stored.map(|stored| stored.encoding()),
        expiry: entry.expires,
        idle_seconds: None,
        freq: None,
        member_expiries: MemberExpiries::default(),
        stored,
    };
    format.open(&head, pen.bytes());
    elements::elements(&mut entry.value, buffers, &mut |element: Element<'_, '_>| {
        format.element(&head, element, pen)?;
        pen.breathe();
        Ok(())
    })?;
    format.close(&head, pen);
    Ok(())
}

//! A rebuilt keyspace in any format: what an AOF, or a snapshot and the log behind it, amount to.

use std::io::{self, Write};

use super::{Format, Head};
use crate::bytes::Budget;
use crate::bytes::limits::Metered;
use crate::inspect::entries::{Written, each_entry};
use crate::keyspace::{Entry, Keyspace, elements};
use crate::rdb::object::MemberExpiries;
use crate::rdb::{self, Buffers, Element};
use crate::scan::{Pen, Text};
use crate::select::Selection;
use crate::value::DbIndex;

/// Text is handed on when it has become so long.
const HAND_ON: usize = 256 << 10;

/// Write the keys of a keyspace, database by database, in order of first appearance.
///
/// # Errors
/// When the output cannot be written.
pub fn keyspace<F: Format>(
    format: &mut F,
    keyspace: &mut Keyspace<'_>,
    selection: &Selection,
    budget: &Budget,
    out: &mut dyn Write,
) -> io::Result<Written> {
    let out = &mut Metered::new(out, budget);
    let mut head = Vec::new();
    for code in keyspace.libraries() {
        format.function(code, &mut head);
    }
    out.write_all(&head)?;
    let mut buffers = Buffers::new(budget);
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
        let result = key(format, db, entry, budget, &mut buffers, &mut Pen::new(&mut text, &mut spill));
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

fn key<F: Format>(
    format: &mut F,
    db: DbIndex,
    entry: &Entry<'_>,
    budget: &Budget,
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
        budget,
    };
    format.open(&head, pen.bytes());
    elements::elements(&entry.value, buffers, &mut |element: Element<'_, '_>| {
        format.element(&head, element, pen)?;
        pen.breathe();
        Ok(())
    })?;
    format.close(&head, pen);
    Ok(())
}

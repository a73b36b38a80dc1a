//! Streams: entries, ids, groups, pending entries.
//!
//! Source: Redis `src/aof.c`, `rewriteStreamObject`.

use super::words::{Words, count, word};
use crate::packed;
use crate::rdb::object::{Group, Pending, Tail};
use crate::scan::Sink;
use crate::value::StreamId;

/// `XADD key id field value …`
pub(super) fn entry(key: &[u8], id: StreamId, fields: &[packed::Element<'_>], out: &mut Vec<u8>) {
    count(fields.len().saturating_add(3), out);
    word(b"XADD", out);
    word(key, out);
    word(id.to_string().as_bytes(), out);
    let mut text = itoa::Buffer::new();
    fields.iter().for_each(|field| word(field.text(&mut text), out));
}

/// What is left when the entries are there.
pub(super) fn tail(key: &[u8], tail: &Tail<'_>, has_entries: bool, sink: &mut Sink<'_>) {
    let last_id = tail.last_id.to_string();
    if !has_entries {
        // An entry that is trimmed at once. Its id must not be 0-0; what it is, XSETID corrects.
        let id = if tail.last_id == StreamId::MIN { "0-1" } else { &last_id };
        sink.bytes().words(&[b"XADD", key, b"MAXLEN", b"0", id.as_bytes(), b"x", b"y"]);
    }
    set_id(key, tail, &last_id, sink.bytes());
    for group in &tail.groups {
        create_group(key, group, sink);
    }
}

/// Counters are known since 7.0, and so are the words for them.
fn set_id(key: &[u8], tail: &Tail<'_>, last_id: &str, out: &mut Vec<u8>) {
    match (tail.entries_added, tail.max_deleted_id) {
        (Some(added), Some(deleted)) => out.words(&[
            b"XSETID",
            key,
            last_id.as_bytes(),
            b"ENTRIESADDED",
            added.to_string().as_bytes(),
            b"MAXDELETEDID",
            deleted.to_string().as_bytes(),
        ]),
        _ => out.words(&[b"XSETID", key, last_id.as_bytes()]),
    }
}

fn create_group(key: &[u8], group: &Group<'_>, sink: &mut Sink<'_>) {
    let last_id = group.last_id.to_string();
    match group.entries_read {
        Some(read) => sink.bytes().words(&[
            b"XGROUP",
            b"CREATE",
            key,
            &group.name,
            last_id.as_bytes(),
            b"ENTRIESREAD",
            read.to_string().as_bytes(),
        ]),
        None => sink.bytes().words(&[b"XGROUP", b"CREATE", key, &group.name, last_id.as_bytes()]),
    }
    let owner = |pending: &Pending| {
        let index = usize::try_from(pending.consumer?).ok()?;
        Some((index, group.consumers.get(index)?))
    };
    let mut busy = vec![false; group.consumers.len()];
    for pending in &group.pending {
        let Some((index, consumer)) = owner(pending) else { continue };
        if let Some(busy) = busy.get_mut(index) {
            *busy = true;
        }
        claim(key, &group.name, &consumer.name, pending, sink.bytes());
        sink.breathe();
    }
    for (consumer, _) in group.consumers.iter().zip(&busy).filter(|(_, busy)| !**busy) {
        sink.bytes().words(&[b"XGROUP", b"CREATECONSUMER", key, &group.name, &consumer.name]);
    }
}

fn claim(key: &[u8], group: &[u8], consumer: &[u8], pending: &Pending, out: &mut Vec<u8>) {
    out.words(&[
        b"XCLAIM",
        key,
        group,
        consumer,
        b"0",
        pending.id.to_string().as_bytes(),
        b"TIME",
        pending.delivered.0.to_string().as_bytes(),
        b"RETRYCOUNT",
        pending.deliveries.to_string().as_bytes(),
        b"JUSTID",
        b"FORCE",
    ]);
}

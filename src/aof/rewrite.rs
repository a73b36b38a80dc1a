//! The commands that make a collection or a stream, as a server writes them when it rewrites its log.
//!
//! | value | commands |
//! | --- | --- |
//! | list, set, zset, hash | `RPUSH`, `SADD`, `ZADD`, `HMSET`, with up to 64 elements each |
//! | stream | `XADD` per entry, `XSETID`, per group `XGROUP CREATE`, per pending entry `XCLAIM`, `XGROUP CREATECONSUMER` |
//!
//! Source: Redis `src/aof.c`, `rewriteAppendOnlyFileRio`, `rewriteStreamObject`.

use super::writer::{count, encode, word};
use crate::packed;
use crate::rdb::object::{Group, Pending, Tail};
use crate::value::StreamId;

/// As many elements go into one command (`AOF_REWRITE_ITEMS_PER_CMD`).
const ITEMS: usize = 64;

/// What commands are written to. Between two of them it may hand on what is written.
pub(crate) trait Log {
    /// Write a whole command.
    fn command(&mut self, words: &[&[u8]]);
}

impl Log for Vec<u8> {
    fn command(&mut self, words: &[&[u8]]) {
        encode(words, self);
    }
}

/// The elements of one command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// Verb and key, as words.
    head: Vec<u8>,
    args: Vec<u8>,
    elements: usize,
    /// Words per element.
    width: usize,
}

impl Batch {
    /// The next commands have this verb and key.
    pub(crate) fn begin(&mut self, verb: &[u8], key: &[u8]) {
        self.head.clear();
        word(verb, &mut self.head);
        word(key, &mut self.head);
        self.width = if matches!(verb, b"ZADD" | b"HMSET") { 2 } else { 1 };
        self.args.clear();
        self.elements = 0;
    }

    /// One element more.
    #[inline]
    pub(crate) fn add(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.args);
        self.elements = self.elements.saturating_add(1);
        if self.elements == ITEMS {
            self.flush(out);
        }
    }

    /// Write the command, if it has elements.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        if self.elements > 0 {
            count(self.elements.saturating_mul(self.width).saturating_add(2), out);
            out.extend_from_slice(&self.head);
            out.extend_from_slice(&self.args);
        }
        self.clear();
    }

    /// Forget the elements of the command.
    pub(crate) fn clear(&mut self) {
        self.args.clear();
        self.elements = 0;
    }
}

/// `XADD key id field value …`
pub(crate) fn entry(key: &[u8], id: StreamId, fields: &[packed::Element<'_>], out: &mut Vec<u8>) {
    count(fields.len().saturating_add(3), out);
    word(b"XADD", out);
    word(key, out);
    word(id.to_string().as_bytes(), out);
    let mut text = itoa::Buffer::new();
    fields.iter().for_each(|field| word(field.text(&mut text), out));
}

/// How far a stream is made, and for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    /// It has entries, and so it is there.
    pub(crate) has_entries: bool,
    /// The server knows all counters (Redis 7.0).
    pub(crate) counters: bool,
}

/// What is left when the entries are there.
pub(crate) fn tail(key: &[u8], tail: &Tail<'_>, made: Made, log: &mut impl Log) {
    let last_id = tail.last_id.to_string();
    if !made.has_entries {
        // An entry that is trimmed at once. Its id must not be 0-0; what it is, XSETID corrects.
        let id = if tail.last_id == StreamId::MIN { "0-1" } else { &last_id };
        log.command(&[b"XADD", key, b"MAXLEN", b"0", id.as_bytes(), b"x", b"y"]);
    }
    set_id(key, tail, &last_id, made.counters, log);
    for group in &tail.groups {
        create_group(key, group, made.counters, log);
    }
}

/// Counters are known since 7.0, and so are the words for them.
fn set_id(key: &[u8], tail: &Tail<'_>, last_id: &str, counters: bool, log: &mut impl Log) {
    match tail.entries_added.filter(|_| counters) {
        Some(added) => log.command(&[
            b"XSETID",
            key,
            last_id.as_bytes(),
            b"ENTRIESADDED",
            added.to_string().as_bytes(),
            b"MAXDELETEDID",
            tail.max_deleted_id.unwrap_or(StreamId::MIN).to_string().as_bytes(),
        ]),
        None => log.command(&[b"XSETID", key, last_id.as_bytes()]),
    }
}

fn create_group(key: &[u8], group: &Group<'_>, counters: bool, log: &mut impl Log) {
    let last_id = group.last_id.to_string();
    match group.entries_read.filter(|_| counters) {
        Some(read) => log.command(&[
            b"XGROUP",
            b"CREATE",
            key,
            &group.name,
            last_id.as_bytes(),
            b"ENTRIESREAD",
            read.to_string().as_bytes(),
        ]),
        None => log.command(&[b"XGROUP", b"CREATE", key, &group.name, last_id.as_bytes()]),
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
        claim(key, &group.name, &consumer.name, pending, log);
    }
    for (consumer, _) in group.consumers.iter().zip(&busy).filter(|(_, busy)| !**busy) {
        log.command(&[b"XGROUP", b"CREATECONSUMER", key, &group.name, &consumer.name]);
    }
}

fn claim(key: &[u8], group: &[u8], consumer: &[u8], pending: &Pending, log: &mut impl Log) {
    log.command(&[
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

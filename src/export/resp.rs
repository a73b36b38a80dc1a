//! Commands that rebuild the data on a server, as its own AOF rewrite would write them.
//!
//! | value | commands |
//! | --- | --- |
//! | string | `SET` |
//! | list, set, zset, hash | `RPUSH`, `SADD`, `ZADD`, `HMSET`, with up to 64 elements each |
//! | fields that expire | `HPEXPIREAT` |
//! | stream | `XADD` per entry, `XSETID`, `XGROUP CREATE`, `XCLAIM … FORCE` per pending entry |
//! | module, array, zset with a score of NaN | `RESTORE` |
//! | expiry | `PEXPIREAT` |
//!
//! Source: Redis `src/aof.c`, `rewriteAppendOnlyFileRio`.

mod restore;
mod words;

use super::{Format, Head};
use crate::aof::rewrite::{self, Batch, Log, Made};
use crate::aof::writer::word;
use crate::rdb::{self, Element};
use crate::scan::Pen;
use crate::value::{DbIndex, Kind, UnixMillis};
use words::integer;

/// Commands.
#[derive(Debug, Clone)]
pub struct Resp {
    /// The version of the input, which payloads of `RESTORE` bear.
    version: u32,
    batch: Batch,
    /// Fields that expire, and when.
    field_expiries: Vec<(Vec<u8>, UnixMillis)>,
    /// A stream without entries has to be made in another way.
    has_entries: bool,
    /// The whole value is written, and its elements no more.
    is_restored: bool,
}

impl Resp {
    /// For an image of this version.
    #[must_use]
    pub fn new(version: u32) -> Self {
        Self { version, batch: Batch::default(), field_expiries: Vec::new(), has_entries: false, is_restored: false }
    }
}

impl Format for Resp {
    fn select(&mut self, db: DbIndex, out: &mut Vec<u8>) {
        let mut number = itoa::Buffer::new();
        out.command(&[b"SELECT", number.format(db.0).as_bytes()]);
    }

    fn function(&mut self, code: &[u8], out: &mut Vec<u8>) {
        out.command(&[b"FUNCTION", b"LOAD", code]);
    }

    fn open(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        (self.has_entries, self.is_restored) = (false, false);
        self.field_expiries.clear();
        let verb: &[u8] = match head.kind {
            Kind::String => {
                out.extend_from_slice(b"*3\r\n$3\r\nSET\r\n");
                return word(head.key, out);
            }
            Kind::List => b"RPUSH",
            Kind::Set => b"SADD",
            Kind::Zset => b"ZADD",
            Kind::Hash => b"HMSET",
            Kind::Stream | Kind::Module | Kind::Array => return,
        };
        self.batch.begin(verb, head.key);
    }

    #[inline]
    fn element(&mut self, head: &Head<'_>, element: Element<'_, '_>, pen: &mut Pen<'_>) -> rdb::Result<()> {
        match element {
            Element::Item(text) => match head.kind {
                Kind::String => words::long_word(&text, pen),
                Kind::Module => pen.command(&[b"JSON.SET", head.key, b"$", &text]),
                _ => self.batch.add(pen.bytes(), |args| word(&text, args)),
            },
            Element::Member(member, expiry) => {
                self.batch.add(pen.bytes(), |args| word(&member, args));
                self.note_expiry(&member, expiry);
            }
            Element::Field { field, value, expiry } => {
                self.batch.add(pen.bytes(), |args| {
                    word(&field, args);
                    word(&value, args);
                });
                self.note_expiry(&field, expiry);
            }
            // No command makes such a score, and a `ZADD` that tries makes nothing. What takes it is `RESTORE`.
            Element::Scored(_, score) if score.is_nan() || self.is_restored => {
                self.batch.clear();
                if !std::mem::replace(&mut self.is_restored, true) {
                    restore::replace(head, self.version, pen.bytes())?;
                }
            }
            Element::Scored(member, score) => self.batch.add(pen.bytes(), |args| {
                words::score(score, args);
                word(&member, args);
            }),
            Element::Entry(id, fields) => {
                self.has_entries = true;
                rewrite::entry(head.key, id, fields, pen.bytes());
            }
            Element::Tail(tail) => {
                let made = Made { has_entries: self.has_entries, counters: true };
                rewrite::tail(head.key, tail, made, pen);
            }
            // The whole value at once, with the first of its elements.
            Element::Slot(..) | Element::Module(_) | Element::Opaque(_) if !self.is_restored => {
                self.is_restored = true;
                restore::restore(head, self.version, pen.bytes());
            }
            Element::Slot(..) | Element::Module(_) | Element::Opaque(_) => {}
            Element::Json(_) => return Err(rdb::Error::without_stored_form()),
        }
        Ok(())
    }

    fn close(&mut self, head: &Head<'_>, pen: &mut Pen<'_>) {
        self.batch.flush(pen.bytes());
        self.expire_members(head, pen);
        if let Some(at) = head.expiry {
            let out = pen.bytes();
            out.extend_from_slice(b"*3\r\n$9\r\nPEXPIREAT\r\n");
            word(head.key, out);
            integer(at.0, out);
        }
    }
}

impl Resp {
    #[inline]
    fn note_expiry(&mut self, name: &[u8], expiry: Option<UnixMillis>) {
        if let Some(at) = expiry {
            self.field_expiries.push((name.to_vec(), at));
        }
    }

    fn expire_members(&mut self, head: &Head<'_>, pen: &mut Pen<'_>) {
        let mut text = itoa::Buffer::new();
        for (name, at) in self.field_expiries.drain(..) {
            let at = text.format(at.0).as_bytes();
            if head.kind == Kind::Hash {
                pen.command(&[b"HPEXPIREAT", head.key, at, b"FIELDS", b"1", &name]);
            } else {
                pen.command(&[b"PEXPIREMEMBERAT", head.key, &name, at]);
            }
        }
        if !head.member_expiries.is_empty() {
            // A name that the budget does not hold was seen among the elements before, which said so.
            let mut scratch = rdb::Scratch::new(head.budget.clone());
            for (name, at) in head.member_expiries.iter(&mut scratch).map_while(rdb::Result::ok) {
                pen.command(&[b"PEXPIREMEMBERAT", head.key, &name, text.format(at.0).as_bytes()]);
            }
        }
    }
}

#[cfg(test)]
mod tests;

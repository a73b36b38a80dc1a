//! One JSON object per key: on a line of its own, or as an array of all.
//!
//! ```text
//! {"db":0,"key":"k","type":"list","encoding":"quicklist2","expires_at_ms":null,"value":["a","b"]}
//! ```
//!
//! | type | value |
//! | --- | --- |
//! | string | bytes |
//! | list, set | array of bytes |
//! | hash | array of `{"field":…,"value":…}`, with `"expires_at_ms":N` where a field expires |
//! | zset | array of `{"member":…,"score":S}` |
//! | stream | `{"entries":[…],"last_id":…,…,"groups":[…]}` |
//! | module | `{"module":…,"version":…,"value":…}`, or `"raw":[…]` for an unknown one |
//! | array | array of `{"index":N,"value":…}` |

mod module;
mod stream;

use super::{Format, Head};
use crate::rdb::{self, Element};
use crate::scan::Pen;
use crate::value::{DbIndex, Kind, UnixMillis, json};

/// One object per line.
#[derive(Debug, Clone, Default)]
pub struct Jsonl {
    objects: Objects,
}

/// One array of objects.
#[derive(Debug, Clone, Default)]
pub struct Json {
    objects: Objects,
}

impl Format for Jsonl {
    fn open(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        self.objects.open(head, out);
    }

    #[inline]
    fn element(&mut self, head: &Head<'_>, element: Element<'_, '_>, out: &mut Pen<'_>) -> rdb::Result<()> {
        self.objects.element(head, element, out)
    }

    fn close(&mut self, head: &Head<'_>, out: &mut Pen<'_>) {
        self.objects.close(head, out.bytes());
        out.bytes().push(b'\n');
    }
}

impl Format for Json {
    const OPENING: &'static [u8] = b"[";
    const SEPARATOR: usize = 1;
    const CLOSING: &'static [u8] = b"\n]\n";

    fn open(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\n");
        self.objects.open(head, out);
    }

    fn element(&mut self, head: &Head<'_>, element: Element<'_, '_>, out: &mut Pen<'_>) -> rdb::Result<()> {
        self.objects.element(head, element, out)
    }

    fn close(&mut self, head: &Head<'_>, out: &mut Pen<'_>) {
        self.objects.close(head, out.bytes());
    }
}

/// Writes the object of a key.
#[derive(Debug, Clone, Default)]
struct Objects {
    /// An element was written: the next needs a comma.
    follows: bool,
    before_key: Kept<DbIndex>,
    behind_key: Kept<(Kind, Option<&'static str>)>,
}

/// A text that is the same for most keys, and what it was made for.
#[derive(Debug, Clone)]
struct Kept<T> {
    of: Option<T>,
    text: Vec<u8>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { of: None, text: Vec::new() }
    }
}

impl<T: PartialEq> Kept<T> {
    #[inline]
    fn write(&mut self, of: T, out: &mut Vec<u8>, make: impl FnOnce(&T, &mut Vec<u8>)) {
        if self.of.as_ref() != Some(&of) {
            self.text.clear();
            make(&of, &mut self.text);
            self.of = Some(of);
        }
        out.extend_from_slice(&self.text);
    }
}

/// `{"db":0,"key":`
fn before_key(db: &DbIndex, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"db\":");
    json::integer(db.0, out);
    out.extend_from_slice(b",\"key\":");
}

/// `,"type":"list","encoding":"quicklist2","expires_at_ms":`
fn behind_key((kind, encoding): &(Kind, Option<&'static str>), out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(kind.name().as_bytes());
    if let Some(encoding) = encoding {
        out.extend_from_slice(b"\",\"encoding\":\"");
        out.extend_from_slice(encoding.as_bytes());
    }
    out.extend_from_slice(b"\",\"expires_at_ms\":");
}

impl Objects {
    fn open(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        self.follows = false;
        self.before_key.write(head.db, out, before_key);
        json::bytes(head.key, out);
        self.behind_key.write((head.kind, head.encoding), out, behind_key);
        json::optional(head.expiry.map(|at| at.0), out);
        if let Some(seconds) = head.idle_seconds {
            out.extend_from_slice(b",\"idle_seconds\":");
            json::integer(seconds, out);
        }
        if let Some(freq) = head.freq {
            out.extend_from_slice(b",\"freq\":");
            json::integer(freq, out);
        }
        if !head.member_expiries.is_empty() {
            member_expiries(head, out);
        }
        out.extend_from_slice(b",\"value\":");
        match head.kind {
            Kind::List | Kind::Set | Kind::Zset | Kind::Hash | Kind::Array => out.push(b'['),
            Kind::Stream => out.extend_from_slice(b"{\"entries\":["),
            Kind::String | Kind::Module => {}
        }
    }

    #[inline]
    fn element(&mut self, head: &Head<'_>, element: Element<'_, '_>, pen: &mut Pen<'_>) -> rdb::Result<()> {
        match element {
            Element::Item(text) if head.kind == Kind::List => {
                self.separate(pen.bytes());
                pen.json(&text);
            }
            Element::Item(text) if head.kind == Kind::Module => module::of_fork(head, &text, pen),
            Element::Item(text) => pen.json(&text),
            Element::Member(member, _) => {
                self.separate(pen.bytes());
                pen.json(&member);
            }
            Element::Field { field, value, expiry } => {
                self.separate(pen.bytes());
                pen.bytes().extend_from_slice(b"{\"field\":");
                pen.json(&field);
                pen.bytes().extend_from_slice(b",\"value\":");
                pen.json(&value);
                self.field_expiry(expiry, pen.bytes());
            }
            Element::Scored(member, score) => {
                self.separate(pen.bytes());
                pen.bytes().extend_from_slice(b"{\"member\":");
                pen.json(&member);
                pen.bytes().extend_from_slice(b",\"score\":");
                json::number(score, pen.bytes());
                pen.bytes().push(b'}');
            }
            Element::Slot(index, value) => {
                self.separate(pen.bytes());
                pen.bytes().extend_from_slice(b"{\"index\":");
                json::integer(index, pen.bytes());
                pen.bytes().extend_from_slice(b",\"value\":");
                pen.json(&value);
                pen.bytes().push(b'}');
            }
            Element::Entry(id, fields) => {
                self.separate(pen.bytes());
                stream::entry(id, fields, pen.bytes());
            }
            Element::Tail(tail) => stream::tail(tail, pen),
            Element::Module(module) => module::value(&module, head, pen),
            Element::Opaque(bytes) => module::of_fork(head, bytes, pen),
            Element::Json(text) => pen.raw(text),
        }
        Ok(())
    }

    #[inline]
    fn separate(&mut self, out: &mut Vec<u8>) {
        if self.follows {
            out.push(b',');
        }
        self.follows = true;
    }

    #[inline]
    fn field_expiry(&self, expiry: Option<UnixMillis>, out: &mut Vec<u8>) {
        if let Some(at) = expiry {
            out.extend_from_slice(b",\"expires_at_ms\":");
            json::integer(at.0, out);
        }
        out.push(b'}');
    }

    fn close(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        match head.kind {
            Kind::List | Kind::Set | Kind::Zset | Kind::Hash | Kind::Array => out.extend_from_slice(b"]}"),
            Kind::Stream | Kind::String | Kind::Module => out.push(b'}'),
        }
    }
}

/// KeyDB's members that expire.
#[cold]
fn member_expiries(head: &Head<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"member_expiries\":[");
    // A name that the budget does not hold was seen among the elements before, which said so.
    let mut scratch = rdb::Scratch::new(head.budget.clone());
    let known = head.member_expiries.iter(&mut scratch).map_while(rdb::Result::ok);
    for (i, (member, at)) in known.enumerate() {
        out.extend_from_slice(if i == 0 { b"{\"member\":" } else { b",{\"member\":" });
        json::bytes(&member, out);
        out.extend_from_slice(b",\"expires_at_ms\":");
        json::integer(at.0, out);
        out.push(b'}');
    }
    out.push(b']');
}

#[cfg(test)]
mod tests;

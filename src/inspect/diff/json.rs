//! A difference as one line of JSON.
//!
//! ```text
//! {"db":0,"key":"k","change":"changed","what":["value"],
//!  "a":{"type":"hash","length":2,"expires_at_ms":null},"b":{…},
//!  "inside":[{"field":"f","change":"changed","a":"1","b":"2"}],"more_inside":0}
//! ```
//! `a` and `b` hold the whole `value`, too, where it was asked for, written as `export` does.

use super::inside::{Inside, Part, Shown};
use super::meaning::Meaning;
use super::{Difference, State};
use crate::keyspace::Stream;
use crate::keyspace::stream::{Consumer, Group, Idempotency, Pending};
use crate::value::json::{bytes, integer, number, string};
use crate::value::{Blob, StreamId, UnixMillis};

/// Write a difference, with whole values or without.
pub fn line(difference: &Difference<'_>, values: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"db\":");
    integer(difference.db.0, out);
    name(b",\"key\":", out);
    bytes(difference.key, out);
    name(b",\"change\":", out);
    string(difference.change.name(), out);
    name(b",\"what\":", out);
    let what = difference.what;
    let parts = [("value", what.value), ("expiry", what.expiry), ("type", what.kind)];
    array(parts.into_iter().filter(|(_, differs)| *differs), out, |(part, _), out| string(part, out));
    name(b",\"a\":", out);
    state(difference.a, values, out);
    name(b",\"b\":", out);
    state(difference.b, values, out);
    if !difference.inside.is_empty() || difference.more_inside > 0 {
        name(b",\"inside\":", out);
        array(difference.inside, out, inside);
        name(b",\"more_inside\":", out);
        integer(difference.more_inside, out);
    }
    out.extend_from_slice(b"}\n");
}

fn name(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(text);
}

fn array<T>(items: impl IntoIterator<Item = T>, out: &mut Vec<u8>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

fn time(at: Option<UnixMillis>, out: &mut Vec<u8>) {
    match at {
        Some(at) => integer(at.0, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn id(id: StreamId, out: &mut Vec<u8>) {
    string(&id.to_string(), out);
}

fn state(state: Option<&State<'_>>, values: bool, out: &mut Vec<u8>) {
    let Some(state) = state else { return out.extend_from_slice(b"null") };
    name(b"{\"type\":", out);
    string(state.kind.name(), out);
    name(b",\"length\":", out);
    integer(state.length, out);
    name(b",\"expires_at_ms\":", out);
    time(state.expiry, out);
    if let Some(meaning) = state.value.as_ref().filter(|_| values) {
        name(b",\"value\":", out);
        value(meaning, out);
    }
    out.push(b'}');
}

fn inside(inside: &Inside<'_>, out: &mut Vec<u8>) {
    match inside.part {
        Part::Offset(at) => {
            name(b"{\"offset\":", out);
            integer(at, out);
        }
        Part::Index(at) => {
            name(b"{\"index\":", out);
            integer(at, out);
        }
        Part::Member(member) => {
            name(b"{\"member\":", out);
            bytes(member, out);
        }
        Part::Field(field) => {
            name(b"{\"field\":", out);
            bytes(field, out);
        }
        Part::Entry(entry) => {
            name(b"{\"entry\":", out);
            id(entry, out);
        }
        Part::Group(group) => {
            name(b"{\"group\":", out);
            bytes(group, out);
        }
        Part::GroupProperty(group, property) => {
            name(b"{\"group\":", out);
            bytes(group, out);
            name(b",\"property\":", out);
            string(property, out);
        }
        Part::Pending(group, entry) => {
            name(b"{\"group\":", out);
            bytes(group, out);
            name(b",\"pending\":", out);
            id(entry, out);
        }
        Part::Consumer(group, consumer) => {
            name(b"{\"group\":", out);
            bytes(group, out);
            name(b",\"consumer\":", out);
            bytes(consumer, out);
        }
        Part::Slot(at) => {
            name(b"{\"index\":", out);
            integer(at, out);
        }
        Part::Property(property) => {
            name(b"{\"property\":", out);
            string(property, out);
        }
    }
    name(b",\"change\":", out);
    string(inside.change.name(), out);
    for (side, value) in [(b",\"a\":", &inside.a), (b",\"b\":", &inside.b)] {
        if let Some(value) = value {
            name(side, out);
            shown(value, out);
        }
    }
    out.push(b'}');
}

/// A part of a value as it is on one side.
pub fn shown(shown: &Shown<'_>, out: &mut Vec<u8>) {
    match shown {
        Shown::Bytes(text) | Shown::Field(text, None) => bytes(text, out),
        Shown::Field(text, expiry) => {
            name(b"{\"value\":", out);
            bytes(text, out);
            name(b",\"expires_at_ms\":", out);
            time(*expiry, out);
            out.push(b'}');
        }
        Shown::Expiry(expiry) => {
            name(b"{\"expires_at_ms\":", out);
            time(*expiry, out);
            out.push(b'}');
        }
        Shown::Score(score) => number(*score, out),
        Shown::Entry(fields) => pairs(fields, out),
        Shown::Json(text) => out.extend_from_slice(text),
    }
}

fn pairs(fields: &[Blob<'_>], out: &mut Vec<u8>) {
    array(fields.chunks(2), out, |pair, out| array(pair, out, |text, out| bytes(text, out)));
}

/// A whole value, as `export` writes it.
pub fn value(meaning: &Meaning<'_>, out: &mut Vec<u8>) {
    match meaning {
        Meaning::String(text) => bytes(text, out),
        Meaning::List(items) => array(items, out, |item, out| bytes(item, out)),
        Meaning::Set(members) => array(members, out, |(member, _), out| bytes(member, out)),
        Meaning::Hash(fields) => array(fields, out, |(field, found), out| {
            name(b"{\"field\":", out);
            bytes(field, out);
            name(b",\"value\":", out);
            bytes(&found.value, out);
            if found.expiry.is_some() {
                name(b",\"expires_at_ms\":", out);
                time(found.expiry, out);
            }
            out.push(b'}');
        }),
        Meaning::Zset(members) => array(members, out, |(member, score), out| {
            name(b"{\"member\":", out);
            bytes(member, out);
            name(b",\"score\":", out);
            number(score.0, out);
            out.push(b'}');
        }),
        Meaning::Stream(found) => stream(found.get(), out),
        Meaning::Array(slots) => array(slots, out, |(index, text), out| {
            name(b"{\"index\":", out);
            integer(*index, out);
            name(b",\"value\":", out);
            bytes(text, out);
            out.push(b'}');
        }),
        Meaning::VectorSet(settings, elements) => {
            name(b"{\"settings\":", out);
            out.extend_from_slice(settings);
            name(b",\"elements\":", out);
            array(elements, out, |(element, json), out| {
                name(b"{\"element\":", out);
                bytes(element, out);
                name(b",\"data\":", out);
                out.extend_from_slice(json);
                out.push(b'}');
            });
            out.push(b'}');
        }
        Meaning::Document(json) => out.extend_from_slice(json),
    }
}

fn stream(stream: &Stream<'_>, out: &mut Vec<u8>) {
    name(b"{\"entries\":", out);
    array(&stream.entries, out, |(entry, fields), out| {
        name(b"{\"id\":", out);
        id(*entry, out);
        name(b",\"fields\":", out);
        pairs(fields, out);
        out.push(b'}');
    });
    name(b",\"last_id\":", out);
    id(stream.last_id, out);
    name(b",\"first_id\":", out);
    id(stream.first_id(), out);
    name(b",\"max_deleted_id\":", out);
    id(stream.max_deleted_id, out);
    name(b",\"entries_added\":", out);
    integer(stream.entries_added, out);
    name(b",\"groups\":", out);
    array(stream.groups.iter(), out, |(name, of), out| group(name, of, out));
    out.push(b'}');
}

/// A consumer group.
pub(super) fn group(of: &[u8], group: &Group<'_>, out: &mut Vec<u8>) {
    name(b"{\"name\":", out);
    bytes(of, out);
    name(b",\"last_id\":", out);
    id(group.last_delivered, out);
    name(b",\"entries_read\":", out);
    match group.entries_read {
        Some(read) => integer(read, out),
        None => out.extend_from_slice(b"null"),
    }
    name(b",\"pending\":", out);
    array(&group.pending, out, |(entry, pending), out| {
        name(b"{\"id\":", out);
        id(*entry, out);
        out.push(b',');
        delivery(pending, out);
        out.push(b'}');
    });
    name(b",\"consumers\":", out);
    array(group.consumers.iter(), out, |(consumer, times), out| {
        name(b"{\"name\":", out);
        bytes(consumer, out);
        out.push(b',');
        activity(times, out);
        out.push(b'}');
    });
    out.push(b'}');
}

/// Who has a pending entry, since when, and how often it was handed out.
pub(super) fn delivery(pending: &Pending<'_>, out: &mut Vec<u8>) {
    name(b"\"consumer\":", out);
    bytes(&pending.consumer, out);
    name(b",\"delivered_at_ms\":", out);
    integer(pending.delivered_at.0, out);
    name(b",\"deliveries\":", out);
    integer(pending.deliveries, out);
}

/// When a consumer was seen.
pub(super) fn activity(times: &Consumer, out: &mut Vec<u8>) {
    name(b"\"seen_at_ms\":", out);
    integer(times.seen_at.0, out);
    name(b",\"active_at_ms\":", out);
    time(times.active_at, out);
}

/// What a stream remembers of producers: by name, then by id, both in order.
pub(super) fn idempotency(state: &Idempotency<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let out_ref = &mut out;
    name(b"{\"duration\":", out_ref);
    integer(state.duration, out_ref);
    name(b",\"max_size\":", out_ref);
    integer(state.max_size, out_ref);
    name(b",\"producers\":", out_ref);
    let mut producers: Vec<_> = state.producers.iter().collect();
    producers.sort_by_key(|(name, _)| *name);
    array(producers, out_ref, |(producer, ids), out| {
        name(b"{\"name\":", out);
        bytes(producer, out);
        name(b",\"ids\":", out);
        array(ids, out, |(iid, entry), out| {
            out.push(b'[');
            bytes(iid, out);
            out.push(b',');
            id(*entry, out);
            out.push(b']');
        });
        out.push(b'}');
    });
    out_ref.push(b'}');
    out
}

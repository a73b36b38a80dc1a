//! What differs within two streams: entries, what is said of the whole, and consumer groups.
//!
//! When consumers were seen last does not count: a rewritten log does not say it.

use std::collections::BTreeMap;

use super::inside::{Found, Join, Part, Shown};
use super::json;
use super::meaning::StreamMeaning;
use crate::keyspace::Stream;
use crate::keyspace::stream::{Consumer, Group, Pending};
use crate::value::Blob;

/// Do two streams mean the same?
pub(super) fn is_same(a: &StreamMeaning<'_>, b: &StreamMeaning<'_>) -> bool {
    let counted = a.is_counted && b.is_counted;
    let (a, b) = (a.get(), b.get());
    let (a_groups, b_groups) = (groups(a), groups(b));
    a.entries == b.entries
        && properties(a, counted) == properties(b, counted)
        && a_groups.len() == b_groups.len()
        && a_groups.iter().zip(&b_groups).all(|((a_name, a), (b_name, b))| {
            a_name == b_name
                && group_properties(a, counted) == group_properties(b, counted)
                && a.pending == b.pending
                && a.consumers.len() == b.consumers.len()
                && a.consumers.keys().all(|name| b.consumers.contains(name))
        })
}

/// What differs within two streams.
pub(super) fn differences<'m>(a: &'m StreamMeaning<'m>, b: &'m StreamMeaning<'m>, found: &mut Found<'m>) {
    let counted = a.is_counted && b.is_counted;
    let (a, b) = (a.get(), b.get());
    found.join(a.entries.iter(), b.entries.iter(), |id| Part::Entry(*id), |fields| Shown::Entry(fields));
    compare_properties(properties(a, counted), properties(b, counted), Part::Property, found);
    let (a, b) = (groups(a), groups(b));
    for (name, a, b) in (Join { a: a.iter().peekable(), b: b.iter().peekable() }) {
        if let (Some(a), Some(b)) = (a, b) {
            group(name, a, b, counted, found);
        } else {
            let show = |group: &&'m Group<'m>| {
                let group: &'m Group<'m> = group;
                move || as_json(|out| json::group(name, group, out))
            };
            found.note(Part::Group(name), a.map(show), b.map(show));
        }
    }
}

fn group<'m>(name: &'m Blob<'m>, a: &'m Group<'m>, b: &'m Group<'m>, counted: bool, found: &mut Found<'m>) {
    let part = |property| Part::GroupProperty(name, property);
    compare_properties(group_properties(a, counted), group_properties(b, counted), part, found);
    let show = |pending: &'m Pending<'m>| as_object(|out| json::delivery(pending, out));
    found.join(a.pending.iter(), b.pending.iter(), |id| Part::Pending(name, *id), show);
    let (a, b) = (consumers(a), consumers(b));
    for (consumer, a, b) in (Join { a: a.iter().peekable(), b: b.iter().peekable() }) {
        if a.is_none() || b.is_none() {
            let show = |times: &&'m Consumer| {
                let times: &'m Consumer = times;
                move || as_object(|out| json::activity(times, out))
            };
            found.note(Part::Consumer(name, consumer), a.map(show), b.map(show));
        }
    }
}

fn as_json<'m>(write: impl FnOnce(&mut Vec<u8>)) -> Shown<'m> {
    let mut text = Vec::new();
    write(&mut text);
    Shown::Json(text)
}

fn as_object<'m>(write: impl FnOnce(&mut Vec<u8>)) -> Shown<'m> {
    as_json(|out| {
        out.push(b'{');
        write(out);
        out.push(b'}');
    })
}

/// A name and JSON.
type Property = (&'static str, Vec<u8>);

fn compare_properties<'m>(
    a: Vec<Property>,
    b: Vec<Property>,
    part: impl Fn(&'static str) -> Part<'m>,
    found: &mut Found<'m>,
) {
    for ((name, a), (_, b)) in a.into_iter().zip(b) {
        if a != b {
            found.note(part(name), Some(|| Shown::Json(a)), Some(|| Shown::Json(b)));
        }
    }
}

/// What a stream is besides its entries and groups.
fn properties(stream: &Stream<'_>, counted: bool) -> Vec<Property> {
    let idempotency = stream.idempotency.as_deref().map_or_else(|| b"null".to_vec(), json::idempotency);
    let mut properties = vec![("last_id", quoted(stream.last_id)), ("idempotency", idempotency)];
    if counted {
        properties.push(("max_deleted_id", quoted(stream.max_deleted_id)));
        properties.push(("entries_added", stream.entries_added.to_string().into_bytes()));
    }
    properties
}

/// What a group is besides its pending entries and consumers.
fn group_properties(group: &Group<'_>, counted: bool) -> Vec<Property> {
    let mut properties = vec![("last_id", quoted(group.last_delivered))];
    if counted {
        let read = group.entries_read.map_or_else(|| "null".to_owned(), |read| read.to_string());
        properties.push(("entries_read", read.into_bytes()));
    }
    properties
}

fn quoted(id: impl std::fmt::Display) -> Vec<u8> {
    format!("\"{id}\"").into_bytes()
}

fn groups<'m>(stream: &'m Stream<'m>) -> BTreeMap<&'m Blob<'m>, &'m Group<'m>> {
    stream.groups.iter().collect()
}

fn consumers<'m>(group: &'m Group<'m>) -> BTreeMap<&'m Blob<'m>, &'m Consumer> {
    group.consumers.iter().collect()
}

//! Streams: entries, then everything else.

use crate::packed;
use crate::rdb::object::{Consumer, Group, Idempotence, Tail};
use crate::scan::Sink;
use crate::value::StreamId;
use crate::value::json;

/// `{"id":"1-1","fields":[["f","v"],…]}`
pub(super) fn entry(id: StreamId, fields: &[packed::Element<'_>], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    json::stream_id(id, out);
    out.extend_from_slice(b",\"fields\":[");
    let mut text = itoa::Buffer::new();
    for (i, pair) in fields.chunks(2).enumerate() {
        out.extend_from_slice(if i == 0 { b"[" } else { b",[" });
        for (j, part) in pair.iter().enumerate() {
            if j > 0 {
                out.push(b',');
            }
            json::bytes(part.text(&mut text), out);
        }
        out.push(b']');
    }
    out.extend_from_slice(b"]}");
}

/// What follows the entries, up to the end of the value.
pub(super) fn tail(tail: &Tail<'_>, sink: &mut Sink<'_>) {
    let out = sink.bytes();
    out.extend_from_slice(b"],\"last_id\":");
    json::stream_id(tail.last_id, out);
    for (name, id) in [(&b",\"first_id\":"[..], tail.first_id), (b",\"max_deleted_id\":", tail.max_deleted_id)] {
        out.extend_from_slice(name);
        match id {
            Some(id) => json::stream_id(id, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.extend_from_slice(b",\"entries_added\":");
    json::optional(tail.entries_added, out);
    out.extend_from_slice(b",\"groups\":[");
    for (i, one) in tail.groups.iter().enumerate() {
        sink.bytes().extend_from_slice(if i == 0 { b"" } else { b"," });
        group(one, sink);
    }
    sink.bytes().push(b']');
    if let Some(state) = &tail.idempotence {
        idempotence(state, sink.bytes());
    }
    sink.bytes().push(b'}');
}

fn group(group: &Group<'_>, sink: &mut Sink<'_>) {
    let out = sink.bytes();
    out.extend_from_slice(b"{\"name\":");
    json::bytes(&group.name, out);
    out.extend_from_slice(b",\"last_id\":");
    json::stream_id(group.last_id, out);
    out.extend_from_slice(b",\"entries_read\":");
    json::optional(group.entries_read, out);
    out.extend_from_slice(b",\"pending\":[");
    for (i, pending) in group.pending.iter().enumerate() {
        let out = sink.bytes();
        out.extend_from_slice(if i == 0 { b"{\"id\":" } else { b",{\"id\":" });
        json::stream_id(pending.id, out);
        out.extend_from_slice(b",\"consumer\":");
        let owner = pending.consumer.and_then(|index| group.consumers.get(usize::try_from(index).ok()?));
        match owner {
            Some(consumer) => json::bytes(&consumer.name, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"delivered_at_ms\":");
        json::integer(pending.delivered.0, out);
        out.extend_from_slice(b",\"deliveries\":");
        json::integer(pending.deliveries, out);
        out.push(b'}');
        sink.breathe();
    }
    sink.bytes().extend_from_slice(b"],\"consumers\":[");
    for (i, one) in group.consumers.iter().enumerate() {
        sink.bytes().extend_from_slice(if i == 0 { b"" } else { b"," });
        consumer(one, sink.bytes());
    }
    sink.bytes().push(b']');
    if !group.nacked.is_empty() {
        ids(b",\"nacked\":[", &group.nacked, sink.bytes());
    }
    sink.bytes().push(b'}');
}

fn consumer(consumer: &Consumer<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":");
    json::bytes(&consumer.name, out);
    out.extend_from_slice(b",\"seen_at_ms\":");
    json::integer(consumer.seen.0, out);
    out.extend_from_slice(b",\"active_at_ms\":");
    json::optional(consumer.active.map(|at| at.0).filter(|&at| at != -1), out);
    out.push(b'}');
}

fn ids(begin: &[u8], ids: &[StreamId], out: &mut Vec<u8>) {
    out.extend_from_slice(begin);
    for (i, &id) in ids.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"" } else { b"," });
        json::stream_id(id, out);
    }
    out.push(b']');
}

/// What Redis 8.6 keeps about idempotent producers.
fn idempotence(state: &Idempotence<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"idempotence\":{\"seconds\":");
    json::integer(state.seconds, out);
    out.extend_from_slice(b",\"max_entries\":");
    json::integer(state.max_entries, out);
    out.extend_from_slice(b",\"added\":");
    json::integer(state.added, out);
    out.extend_from_slice(b",\"duplicates\":");
    json::integer(state.duplicates, out);
    out.extend_from_slice(b",\"producers\":[");
    for (i, producer) in state.producers.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"{\"id\":" } else { b",{\"id\":" });
        json::bytes(&producer.id, out);
        out.extend_from_slice(b",\"ids\":[");
        for (j, (name, id)) in producer.ids.iter().enumerate() {
            out.extend_from_slice(if j == 0 { b"[" } else { b",[" });
            json::bytes(name, out);
            out.push(b',');
            json::stream_id(*id, out);
            out.push(b']');
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"]}");
}

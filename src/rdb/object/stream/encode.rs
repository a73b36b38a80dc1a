//! Streams to bytes: entries packed into nodes anew, the tail by what the type holds.

use super::{Group, Idempotence, Level, Pending, Tail, level};
use crate::packed::{Element as Packed, stream_node};
use crate::rdb::encode::{Encoder, Out, Outcome, Plan, Unfit, Walk};
use crate::rdb::length;
use crate::rdb::object::Element;
use crate::rdb::string;
use crate::rdb::target::{LIMITS, Target};
use crate::value::{StreamId, UnixMillis};

/// The settings of a stream for which none were made (`stream-idmp-duration`, `stream-idmp-maxsize`).
const DEFAULT_IDEMPOTENCE: Idempotence<'static> =
    Idempotence { seconds: 100, max_entries: 100, producers: Vec::new(), added: 0, duplicates: 0 };

/// How a stream is written: as nodes, which are counted first.
pub(in crate::rdb) fn plan<'a>(
    target: &Target,
    node: &mut stream_node::Builder,
    value: &mut dyn Walk<'a>,
) -> Outcome<Plan> {
    let value_type = target.stream().ok_or(Unfit("streams"))?;
    let mut plan = Plan::new(value_type, 0);
    let mut nodes = Nodes { node };
    nodes.node.clear();
    value.walk(&mut |element| {
        match element {
            Element::Entry(id, fields) => {
                if plan.entries == 0 {
                    plan.first_id = id;
                }
                plan.entries = plan.entries.saturating_add(1);
                nodes.push(id, fields, &mut |_, _| plan.count = plan.count.saturating_add(1));
            }
            Element::Tail(tail) => plan.lost = lost(level(value_type), tail),
            _ => {}
        }
        Ok(())
    })?;
    nodes.finish(&mut |_, _| plan.count = plan.count.saturating_add(1));
    Ok(plan)
}

/// What of the tail this level cannot hold. Counters and active times that an older layout lacks are no loss: the
/// server works them out.
fn lost(level: Level, tail: &Tail<'_>) -> Option<&'static str> {
    let remembered = |state: &Idempotence<'_>| state.producers.iter().any(|producer| !producer.ids.is_empty());
    if level < Level::Idempotence && tail.idempotence.as_ref().is_some_and(remembered) {
        return Some("idempotence ids of a stream's producers");
    }
    let unowned = tail.groups.iter().flat_map(|group| &group.pending).any(|pending| pending.consumer.is_none());
    (level < Level::Nacked && unowned).then_some("pending entries that no consumer has")
}

pub(in crate::rdb) fn encode<'a>(
    plan: &Plan,
    encoder: &mut Encoder,
    value: &mut dyn Walk<'a>,
    out: &mut Out<'_>,
) -> Outcome<()> {
    let Encoder { strings, node, .. } = encoder;
    length::encode(plan.count, out.bytes);
    let mut nodes = Nodes { node };
    nodes.node.clear();
    value.walk(&mut |element| {
        match element {
            Element::Entry(id, fields) => {
                nodes.push(id, fields, &mut |master, listpack| put_node(master, listpack, strings, out));
            }
            Element::Tail(tail) => {
                nodes.finish(&mut |master, listpack| put_node(master, listpack, strings, out));
                put_tail(plan, tail, strings, out);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(())
}

/// Fills nodes by the server's rule (`streamAppendItem`): so many bytes, so many entries.
struct Nodes<'n> {
    node: &'n mut stream_node::Builder,
}

impl Nodes<'_> {
    fn push(&mut self, id: StreamId, fields: &[Packed<'_>], emit: &mut impl FnMut(StreamId, &[u8])) {
        let text: usize = fields.iter().map(|element| element.len()).fold(0, usize::saturating_add);
        let full = self.node.len().saturating_add(text) >= LIMITS.stream_node_bytes
            || self.node.entries() >= LIMITS.stream_node_entries;
        if full && !self.node.is_empty() {
            self.finish(emit);
        }
        let pairs = fields.chunks_exact(2).filter_map(|pair| match pair {
            [field, value] => Some((*field, *value)),
            _ => None,
        });
        self.node.push(id, false, pairs);
    }

    fn finish(&mut self, emit: &mut impl FnMut(StreamId, &[u8])) {
        if let Some((master, listpack)) = self.node.finish() {
            emit(master, &listpack);
        }
        self.node.clear();
    }
}

fn put_node(master: StreamId, listpack: &[u8], strings: &mut string::Encoder, out: &mut Out<'_>) {
    string::encode_plain(&master.to_be_bytes(), out.bytes);
    strings.encode(listpack, out.bytes);
    out.settle();
}

fn put_id(id: StreamId, out: &mut Out<'_>) {
    length::encode(id.ms, out.bytes);
    length::encode(id.seq, out.bytes);
}

fn put_tail(plan: &Plan, tail: &Tail<'_>, strings: &mut string::Encoder, out: &mut Out<'_>) {
    let level = level(plan.value_type);
    length::encode(plan.entries, out.bytes);
    put_id(tail.last_id, out);
    let counters = Counters::of(plan, tail);
    if level >= Level::Counters {
        put_id(plan.first_id, out);
        put_id(counters.max_deleted, out);
        length::encode(counters.added, out.bytes);
    }
    length::encode(tail.groups.len() as u64, out.bytes);
    for group in &tail.groups {
        put_group(level, &counters, group, strings, out);
        out.settle();
    }
    if level >= Level::Idempotence {
        put_idempotence(tail.idempotence.as_ref().unwrap_or(&DEFAULT_IDEMPOTENCE), strings, out);
    }
}

fn put_group(level: Level, counters: &Counters, group: &Group<'_>, strings: &mut string::Encoder, out: &mut Out<'_>) {
    strings.encode(&group.name, out.bytes);
    put_id(group.last_id, out);
    if level >= Level::Counters {
        let read = group.entries_read.or_else(|| counters.read_up_to(group.last_id));
        // Unknown is -1, stored in full.
        length::encode(read.unwrap_or(u64::MAX), out.bytes);
    }
    let kept = |pending: &&Pending| level >= Level::Nacked || pending.consumer.is_some();
    length::encode(group.pending.iter().filter(kept).count() as u64, out.bytes);
    for pending in group.pending.iter().filter(kept) {
        out.bytes.extend_from_slice(&pending.id.to_be_bytes());
        out.bytes.extend_from_slice(&pending.delivered.0.to_le_bytes());
        length::encode(pending.deliveries, out.bytes);
        out.settle();
    }
    put_consumers(level, group, strings, out);
    if level >= Level::Nacked {
        put_nacked(group, out);
    }
}

fn put_consumers(level: Level, group: &Group<'_>, strings: &mut string::Encoder, out: &mut Out<'_>) {
    // One pass over the entries, not one per consumer.
    let mut owned: Vec<Vec<StreamId>> = vec![Vec::new(); group.consumers.len()];
    for pending in &group.pending {
        let owner = pending.consumer.and_then(|index| usize::try_from(index).ok());
        if let Some(ids) = owner.and_then(|index| owned.get_mut(index)) {
            ids.push(pending.id);
        }
    }
    length::encode(group.consumers.len() as u64, out.bytes);
    for (consumer, ids) in group.consumers.iter().zip(&owned) {
        strings.encode(&consumer.name, out.bytes);
        out.bytes.extend_from_slice(&consumer.seen.0.to_le_bytes());
        if level >= Level::ActiveTime {
            let UnixMillis(active) = consumer.active.unwrap_or(consumer.seen);
            out.bytes.extend_from_slice(&active.to_le_bytes());
        }
        length::encode(ids.len() as u64, out.bytes);
        for id in ids {
            out.bytes.extend_from_slice(&id.to_be_bytes());
        }
        out.settle();
    }
}

/// Entries given back, in their order; then those that nobody has for another reason.
fn put_nacked(group: &Group<'_>, out: &mut Out<'_>) {
    let unowned = group.pending.iter().filter(|pending| pending.consumer.is_none()).map(|pending| pending.id);
    let others: Vec<StreamId> = unowned.filter(|id| !group.nacked.contains(id)).collect();
    length::encode(group.nacked.len().saturating_add(others.len()) as u64, out.bytes);
    for id in group.nacked.iter().chain(&others) {
        out.bytes.extend_from_slice(&id.to_be_bytes());
    }
}

fn put_idempotence(state: &Idempotence<'_>, strings: &mut string::Encoder, out: &mut Out<'_>) {
    length::encode(state.seconds, out.bytes);
    length::encode(state.max_entries, out.bytes);
    length::encode(state.producers.len() as u64, out.bytes);
    for producer in &state.producers {
        strings.encode(&producer.id, out.bytes);
        length::encode(producer.ids.len() as u64, out.bytes);
        for (iid, id) in &producer.ids {
            strings.encode(iid, out.bytes);
            put_id(*id, out);
        }
        out.settle();
    }
    length::encode(state.added, out.bytes);
    length::encode(state.duplicates, out.bytes);
}

/// What type 15 lacks, as a newer server makes it up when it loads one.
struct Counters {
    added: u64,
    max_deleted: StreamId,
    first: StreamId,
    last: StreamId,
    made_up: bool,
}

impl Counters {
    fn of(plan: &Plan, tail: &Tail<'_>) -> Self {
        Self {
            added: tail.entries_added.unwrap_or(plan.entries),
            max_deleted: tail.max_deleted_id.unwrap_or(StreamId::MIN),
            first: plan.first_id,
            last: tail.last_id,
            made_up: tail.entries_added.is_none(),
        }
    }

    /// How many entries a group has read whose last id is this (`streamEstimateDistanceFromFirstEverEntry`, for a
    /// stream that never lost an entry).
    fn read_up_to(&self, id: StreamId) -> Option<u64> {
        if !self.made_up {
            return None;
        }
        match id.cmp(&self.last) {
            _ if self.added == 0 => Some(0),
            std::cmp::Ordering::Equal => Some(self.added),
            std::cmp::Ordering::Greater => None,
            std::cmp::Ordering::Less if id < self.first => Some(0),
            std::cmp::Ordering::Less if id == self.first => Some(1),
            std::cmp::Ordering::Less => None,
        }
    }
}

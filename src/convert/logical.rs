//! Values of the keyspace, walked like stored ones.

use crate::keyspace::{Stream, Value, stream};
use crate::packed;
use crate::rdb::encode::Walk;
use crate::rdb::object::{Consumer, Group, Idempotence, Pending, Producer, Tail};
use crate::rdb::{Buffers, Element, Result};
use crate::value::{Blob, Kind, Piece};
use std::collections::HashMap;

/// A value of the keyspace.
#[derive(Debug)]
pub(crate) struct Logical<'v, 'a> {
    pub(crate) value: &'v Value<'a>,
    /// Only stored values need them.
    pub(crate) buffers: &'v mut Buffers,
}

impl<'a> Walk<'a> for Logical<'_, 'a> {
    fn kind(&self) -> Kind {
        self.value.kind()
    }

    fn walk(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> Result<()>) -> Result<()> {
        match self.value {
            Value::String(text) => visit(Element::Item(piece(text))),
            Value::Buffer(buffer) => visit(Element::Item(Piece::Passing(&buffer.0))),
            Value::List(list) => list.0.iter().try_for_each(|item| visit(Element::Item(piece(item)))),
            Value::Set(set) => set.0.keys().try_for_each(|member| visit(Element::Member(piece(member), None))),
            Value::Zset(zset) => {
                zset.iter().try_for_each(|(member, score)| visit(Element::Scored(piece(member), score)))
            }
            Value::Hash(hash) => {
                let expires = hash.has_expiries();
                hash.iter().try_for_each(|(field, value)| {
                    let expiry = if expires { hash.expiry(field) } else { None };
                    visit(Element::Field { field: piece(field), value: piece(value), expiry })
                })
            }
            Value::Stream(stream) => {
                let mut fields = Vec::new();
                for (id, entry) in &stream.entries {
                    fields.clear();
                    fields.extend(entry.iter().map(|text| packed::Element::Bytes(text)));
                    visit(Element::Entry(*id, &fields))?;
                }
                visit(Element::Tail(&tail(stream)))
            }
            Value::Stored(stored) => stored.elements(self.buffers, &mut |element| visit(element)),
        }
    }
}

fn piece<'a, 'v>(blob: &'v Blob<'a>) -> Piece<'a, 'v> {
    blob.input().map_or(Piece::Passing(blob), Piece::Input)
}

/// What a stream is besides its entries.
fn tail<'a>(stream: &Stream<'a>) -> Tail<'a> {
    Tail {
        length: stream.len() as u64,
        last_id: stream.last_id,
        first_id: Some(stream.first_id()),
        max_deleted_id: Some(stream.max_deleted_id),
        entries_added: Some(stream.entries_added),
        groups: stream.groups.iter().map(|(name, of)| group(name, of)).collect(),
        idempotence: stream.idempotency.as_deref().map(idempotence),
    }
}

fn group<'a>(name: &Blob<'a>, group: &stream::Group<'a>) -> Group<'a> {
    let places: HashMap<&[u8], u32> = group.consumers.keys().map(Blob::as_bytes).zip(0..).collect();
    let pending = |(&id, entry): (&_, &stream::Pending<'a>)| Pending {
        id,
        delivered: entry.delivered_at,
        deliveries: entry.deliveries,
        consumer: places.get(entry.consumer.as_bytes()).copied(),
    };
    let consumer = |(name, times): (&Blob<'a>, &stream::Consumer)| Consumer {
        name: name.clone(),
        seen: times.seen_at,
        active: times.active_at,
    };
    Group {
        name: name.clone(),
        last_id: group.last_delivered,
        entries_read: group.entries_read,
        pending: group.pending.iter().map(pending).collect(),
        consumers: group.consumers.iter().map(consumer).collect(),
        nacked: Vec::new(),
    }
}

fn idempotence<'a>(state: &stream::Idempotency<'a>) -> Idempotence<'a> {
    let producer = |(id, ids): (&Blob<'a>, &std::collections::VecDeque<_>)| Producer {
        id: id.clone(),
        ids: ids.iter().cloned().collect(),
    };
    Idempotence {
        seconds: state.duration,
        max_entries: state.max_size,
        producers: state.producers.iter().map(producer).collect(),
        added: state.added,
        duplicates: state.duplicates,
    }
}

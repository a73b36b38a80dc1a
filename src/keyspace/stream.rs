//! A stream: entries by id, and the groups that read it.

use super::map::Map;
use crate::value::{Blob, StreamId, UnixMillis};
use std::collections::{BTreeMap, VecDeque};

/// A stream.
#[derive(Clone, Debug, Default)]
pub struct Stream<'a> {
    /// Entries in order of their ids.
    pub entries: BTreeMap<StreamId, Entry<'a>>,
    /// The last id ever given.
    pub last_id: StreamId,
    /// The greatest id that was deleted by name.
    pub max_deleted_id: StreamId,
    /// Entries ever added.
    pub entries_added: u64,
    /// Groups by name.
    pub groups: Map<'a, Group<'a>>,
    /// Producers whose repeated messages are refused (Redis 8.6).
    pub idempotency: Option<Box<Idempotency<'a>>>,
}

/// Field, value, field, value, …
pub type Entry<'a> = Box<[Blob<'a>]>;

/// A consumer group.
#[derive(Clone, Debug, Default)]
pub struct Group<'a> {
    /// The last id handed out.
    pub last_delivered: StreamId,
    /// How many entries were handed out, where that is known.
    pub entries_read: Option<u64>,
    /// Entries handed out and not acknowledged (the PEL), by id.
    pub pending: BTreeMap<StreamId, Pending<'a>>,
    /// Consumers by name. Which pending entries are whose: [`Pending::consumer`].
    pub consumers: Map<'a, Consumer>,
}

/// A pending entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending<'a> {
    /// The name of the consumer that holds it.
    pub consumer: Blob<'a>,
    /// When it was handed out last.
    pub delivered_at: UnixMillis,
    /// How often it was handed out.
    pub deliveries: u64,
}

/// A consumer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consumer {
    /// When it tried to read last.
    pub seen_at: UnixMillis,
    /// When it got something last, where that is known.
    pub active_at: Option<UnixMillis>,
}

/// What a stream remembers of messages with an idempotency id.
#[derive(Clone, Debug, Default)]
pub struct Idempotency<'a> {
    /// For how many seconds an id is remembered.
    pub duration: u64,
    /// How many ids per producer.
    pub max_size: u64,
    /// Per producer: idempotency id and the entry it made, oldest first.
    pub producers: Map<'a, VecDeque<(Blob<'a>, StreamId)>>,
    /// Messages ever added with an id.
    pub added: u64,
    /// Messages refused as repeated.
    pub duplicates: u64,
}

impl<'a> Stream<'a> {
    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// No entry (the key stays).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The id of the first entry, `0-0` without one.
    #[must_use]
    pub fn first_id(&self) -> StreamId {
        self.entries.first_key_value().map_or(StreamId::MIN, |(&id, _)| id)
    }

    /// The same stream with bytes of its own.
    #[must_use]
    pub fn to_owned_bytes<'b>(&self) -> Stream<'b> {
        let own = |blob: &Blob<'_>| Blob::copied(blob);
        let entries = self.entries.iter().map(|(&id, fields)| (id, fields.iter().map(own).collect())).collect();
        let groups = self.groups.iter().map(|(name, group)| (own(name), group.to_owned_bytes())).collect();
        let idempotency = self.idempotency.as_ref().map(|state| Box::new(state.to_owned_bytes()));
        let Self { last_id, max_deleted_id, entries_added, .. } = *self;
        Stream { entries, last_id, max_deleted_id, entries_added, groups, idempotency }
    }

    /// Bytes on the heap, about.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let entry = |fields: &Entry<'a>| {
            let owned: usize = fields.iter().map(Blob::heap_bytes).sum();
            fields.len().saturating_mul(size_of::<Blob<'_>>()).saturating_add(owned).saturating_add(64)
        };
        let entries: usize = self.entries.values().map(entry).sum();
        let pending: usize = self.groups.iter().map(|(_, group)| group.pending.len().saturating_mul(96)).sum();
        entries.saturating_add(pending)
    }
}

impl Group<'_> {
    fn to_owned_bytes<'b>(&self) -> Group<'b> {
        let pending = |(&id, pending): (&StreamId, &Pending<'_>)| {
            let Pending { delivered_at, deliveries, ref consumer } = *pending;
            (id, Pending { consumer: Blob::copied(consumer), delivered_at, deliveries })
        };
        Group {
            last_delivered: self.last_delivered,
            entries_read: self.entries_read,
            pending: self.pending.iter().map(pending).collect(),
            consumers: self.consumers.iter().map(|(name, &times)| (Blob::copied(name), times)).collect(),
        }
    }
}

impl Idempotency<'_> {
    fn to_owned_bytes<'b>(&self) -> Idempotency<'b> {
        let ids = |ids: &VecDeque<(Blob<'_>, StreamId)>| ids.iter().map(|(id, at)| (Blob::copied(id), *at)).collect();
        Idempotency {
            duration: self.duration,
            max_size: self.max_size,
            producers: self.producers.iter().map(|(name, of)| (Blob::copied(name), ids(of))).collect(),
            added: self.added,
            duplicates: self.duplicates,
        }
    }
}

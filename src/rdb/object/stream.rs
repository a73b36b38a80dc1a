//! Streams: types 15, 19, 21, 26 and 27, which differ only in what was added.
//!
//! ```text
//! length nodes       nodes × { string master id (16 bytes BE), string listpack }
//! length entries     length last ms, seq
//! since 19:          length first ms, seq   length max deleted ms, seq   length entries added
//! length groups      groups × {
//!     string name    length last ms, seq    [since 19: length entries read]
//!     length pending   × { 16 bytes id BE, i64 LE delivered ms, length deliveries }
//!     length consumers × { string name, i64 LE seen ms, [since 21: i64 LE active ms], length pending × 16 bytes id }
//!     [27: length nacked × 16 bytes id] }
//! since 26:          length idmp seconds, length idmp entries,
//!                    length producers × { string id, length n × { string iid, length ms, seq } },
//!                    length iids added, length iids duplicate
//! ```
//!
//! Source: Redis `src/rdb.c`, `rdbLoadObject`, `rdbSaveObject`.

pub(in crate::rdb) mod encode;

use super::{Buffers, Element, ValueRef, Visit, blob_offset};
use crate::bytes::{Budget, Cursor, limits::believable};
use crate::packed::stream_node::StreamNode;
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::opcode::ValueType;
use crate::rdb::string::{self, Scratch, StringRef};
use crate::value::{Blob, StreamId, UnixMillis};

/// What a stream is besides its entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail<'a> {
    /// Live entries, as counted by the writer.
    pub length: u64,
    /// The last id ever added.
    pub last_id: StreamId,
    /// The id of the first live entry; absent from type 15.
    pub first_id: Option<StreamId>,
    /// The greatest id ever deleted; absent from type 15.
    pub max_deleted_id: Option<StreamId>,
    /// How many entries were ever added; absent from type 15.
    pub entries_added: Option<u64>,
    /// Consumer groups.
    pub groups: Vec<Group<'a>>,
    /// Idempotence state, since type 26.
    pub idempotence: Option<Idempotence<'a>>,
}

/// A consumer group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group<'a> {
    /// Its name.
    pub name: Blob<'a>,
    /// The last id delivered.
    pub last_id: StreamId,
    /// How many entries were read; unknown for type 15 and where the server stored -1.
    pub entries_read: Option<u64>,
    /// Entries delivered and not acknowledged, by id.
    pub pending: Vec<Pending>,
    /// Its consumers.
    pub consumers: Vec<Consumer<'a>>,
    /// Pending entries that were given back (type 27), in order.
    pub nacked: Vec<StreamId>,
}

/// An entry delivered and not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The entry.
    pub id: StreamId,
    /// When it was last delivered.
    pub delivered: UnixMillis,
    /// How often.
    pub deliveries: u64,
    /// Index of the consumer that has it.
    pub consumer: Option<u32>,
}

/// A consumer of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer<'a> {
    /// Its name.
    pub name: Blob<'a>,
    /// When it last tried to read.
    pub seen: UnixMillis,
    /// When it last got something: -1 never, absent before type 21.
    pub active: Option<UnixMillis>,
}

/// What Redis 8.6 remembers about idempotent producers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotence<'a> {
    /// How long an id is remembered.
    pub seconds: u64,
    /// How many are remembered per producer.
    pub max_entries: u64,
    /// The producers.
    pub producers: Vec<Producer<'a>>,
    /// Ids ever added.
    pub added: u64,
    /// Duplicates ever refused.
    pub duplicates: u64,
}

/// A producer, its ids and the entries they became, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer<'a> {
    /// Its id.
    pub id: Blob<'a>,
    /// Idempotence id and entry.
    pub ids: Vec<(Blob<'a>, StreamId)>,
}

/// What a stream type has that older ones have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::rdb) enum Level {
    First,
    Counters,
    ActiveTime,
    Idempotence,
    Nacked,
}

pub(super) fn level(value_type: ValueType) -> Level {
    match value_type {
        ValueType::StreamListpacks5 => Level::Nacked,
        ValueType::StreamListpacks4 => Level::Idempotence,
        ValueType::StreamListpacks3 => Level::ActiveTime,
        ValueType::StreamListpacks2 => Level::Counters,
        _ => Level::First,
    }
}

fn skip_lengths(c: &mut Cursor<'_>, count: u32) -> Result<()> {
    for _ in 0..count {
        length::decode(c)?;
    }
    Ok(())
}

fn skip_ids(c: &mut Cursor<'_>) -> Result<()> {
    let at = c.offset();
    let count = length::decode(c)?;
    let bytes = count.checked_mul(16).ok_or_else(|| Error::invalid(at, "stream-bad-count", "an impossible count"))?;
    c.take(bytes)?;
    Ok(())
}

fn skip_nodes(c: &mut Cursor<'_>, budget: &Budget) -> Result<()> {
    super::repeat(c, budget, |c| {
        string::skip(c)?;
        string::skip(c)
    })
}

pub(super) fn skip(value_type: ValueType, c: &mut Cursor<'_>, budget: &Budget) -> Result<()> {
    let level = level(value_type);
    skip_nodes(c, budget)?;
    skip_lengths(c, if level >= Level::Counters { 8 } else { 3 })?;
    super::repeat(c, budget, |c| skip_group(level, c, budget))?;
    if level < Level::Idempotence {
        return Ok(());
    }
    skip_lengths(c, 2)?;
    super::repeat(c, budget, |c| {
        string::skip(c)?;
        super::repeat(c, budget, |c| {
            string::skip(c)?;
            skip_lengths(c, 2)
        })
    })?;
    skip_lengths(c, 2)
}

/// A consumer group: what is pending in it, its consumers, and what was rejected.
fn skip_group(level: Level, c: &mut Cursor<'_>, budget: &Budget) -> Result<()> {
    string::skip(c)?;
    skip_lengths(c, if level >= Level::Counters { 3 } else { 2 })?;
    super::repeat(c, budget, |c| {
        c.array::<24>()?;
        length::decode(c)?;
        Ok(())
    })?;
    super::repeat(c, budget, |c| {
        string::skip(c)?;
        c.take(if level >= Level::ActiveTime { 16 } else { 8 })?;
        skip_ids(c)
    })?;
    if level >= Level::Nacked {
        skip_ids(c)?;
    }
    Ok(())
}

/// The number of live entries, as the writer counted them.
pub(super) fn count(value: &ValueRef<'_>, budget: &Budget) -> Result<u64> {
    let c = &mut value.cursor();
    skip_nodes(c, budget)?;
    length::decode(c)
}

/// A node's master id and its listpack.
pub(crate) fn node<'a>(c: &mut Cursor<'a>, scratch: &mut Scratch) -> Result<(StreamId, StringRef<'a>)> {
    let key = string::decode(c)?;
    let id = match key.read(scratch)?.first_chunk::<16>() {
        Some(bytes) if key.len() == 16 => StreamId::from_be_bytes(*bytes),
        _ => return Err(Error::invalid(key.offset, "stream-bad-node-key", "the key of a stream node is not 16 bytes")),
    };
    Ok((id, string::decode(c)?))
}

pub(super) fn elements<'a>(value: &ValueRef<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let c = &mut value.cursor();
    for _ in 0..length::decode(c)? {
        let (master, listpack) = node(c, &mut buffers.first)?;
        let at = blob_offset(&listpack);
        let blob = listpack.read(&mut buffers.first)?;
        let node = StreamNode::new(master, &blob).map_err(|e| Error::packed(at, e))?;
        let mut fields = Vec::new();
        for entry in node.entries() {
            let entry = entry.map_err(|e| Error::packed(at, e))?;
            if entry.deleted {
                continue;
            }
            fields.clear();
            for (field, value) in entry.pairs() {
                fields.extend([field, value]);
            }
            visit(Element::Entry(entry.id, &fields))?;
        }
    }
    let tail = tail_after_nodes(level(value.value_type), c, buffers)?;
    visit(Element::Tail(&tail))
}

/// The tail alone.
pub(crate) fn tail<'a>(value: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Tail<'a>> {
    let c = &mut value.cursor();
    skip_nodes(c, &buffers.first.budget)?;
    tail_after_nodes(level(value.value_type), c, buffers)
}

fn id(c: &mut Cursor<'_>) -> Result<StreamId> {
    Ok(StreamId { ms: length::decode(c)?, seq: length::decode(c)? })
}

fn tail_after_nodes<'a>(level: Level, c: &mut Cursor<'a>, buffers: &mut Buffers) -> Result<Tail<'a>> {
    let mut tail = Tail { length: length::decode(c)?, last_id: id(c)?, ..Tail::default() };
    if level >= Level::Counters {
        tail.first_id = Some(id(c)?);
        tail.max_deleted_id = Some(id(c)?);
        tail.entries_added = Some(length::decode(c)?);
    }
    for _ in 0..length::decode(c)? {
        tail.groups.push(group(level, c, &mut buffers.first)?);
    }
    if level >= Level::Idempotence {
        tail.idempotence = Some(idempotence(c, &mut buffers.first)?);
    }
    Ok(tail)
}

fn group<'a>(level: Level, c: &mut Cursor<'a>, scratch: &mut Scratch) -> Result<Group<'a>> {
    let name = string::decode(c)?.to_blob(scratch)?;
    let last_id = id(c)?;
    // -1 is stored in full, although all ones are an error elsewhere.
    let entries_read =
        if level >= Level::Counters { Some(length::decode(c)?).filter(|&n| n != u64::MAX) } else { None };
    let claimed = length::decode(c)?;
    let mut pending = Vec::with_capacity(believable(claimed, c.remaining(), 25));
    for _ in 0..claimed {
        pending.push(Pending {
            id: StreamId::from_be_bytes(c.array()?),
            delivered: UnixMillis(i64::from_le_bytes(c.array()?)),
            deliveries: length::decode(c)?,
            consumer: None,
        });
    }
    let mut group = Group { name, last_id, entries_read, pending, ..Group::default() };
    if !group.pending.is_sorted_by_key(|p| p.id) {
        group.pending.sort_by_key(|p| p.id);
    }
    for index in 0..length::decode(c)? {
        let consumer = consumer(level, index, c, scratch, &mut group.pending)?;
        group.consumers.push(consumer);
    }
    if level >= Level::Nacked {
        for _ in 0..length::decode(c)? {
            group.nacked.push(StreamId::from_be_bytes(c.array()?));
        }
    }
    Ok(group)
}

fn consumer<'a>(
    level: Level,
    index: u64,
    c: &mut Cursor<'a>,
    scratch: &mut Scratch,
    pending: &mut [Pending],
) -> Result<Consumer<'a>> {
    let name = string::decode(c)?.to_blob(scratch)?;
    let seen = UnixMillis(i64::from_le_bytes(c.array()?));
    let active = if level >= Level::ActiveTime { Some(UnixMillis(i64::from_le_bytes(c.array()?))) } else { None };
    let owner = u32::try_from(index).ok();
    for _ in 0..length::decode(c)? {
        let at = c.offset();
        let id = StreamId::from_be_bytes(c.array()?);
        let found = pending.binary_search_by_key(&id, |p| p.id).ok().and_then(|i| pending.get_mut(i));
        let Some(entry) = found else {
            return Err(Error::invalid(
                at,
                "stream-consumer-entry-not-pending",
                "a consumer has an entry that is not pending in its group",
            ));
        };
        entry.consumer = owner;
    }
    Ok(Consumer { name, seen, active })
}

fn idempotence<'a>(c: &mut Cursor<'a>, scratch: &mut Scratch) -> Result<Idempotence<'a>> {
    let at = c.offset();
    let (seconds, max_entries) = (length::decode(c)?, length::decode(c)?);
    if !(1..=86400).contains(&seconds) || !(1..=10000).contains(&max_entries) {
        return Err(Error::invalid(at, "stream-bad-idmp", "the idempotence settings are outside their ranges"));
    }
    let mut producers = Vec::new();
    for _ in 0..length::decode(c)? {
        let name = string::decode(c)?.to_blob(scratch)?;
        let mut ids = Vec::new();
        for _ in 0..length::decode(c)? {
            ids.push((string::decode(c)?.to_blob(scratch)?, id(c)?));
        }
        producers.push(Producer { id: name, ids });
    }
    Ok(Idempotence { seconds, max_entries, producers, added: length::decode(c)?, duplicates: length::decode(c)? })
}

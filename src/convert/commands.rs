//! Keys as the commands that make them, as a server writes them when it rewrites its log.
//!
//! | type | commands |
//! | --- | --- |
//! | string | `SET` |
//! | list, set, sorted set | `RPUSH`, `SADD`, `ZADD`, 64 items each |
//! | hash | `HMSET`, 64 pairs each |
//! | field with expiry | Redis: `HMSET`, `HPEXPIREAT key ms FIELDS 1 field`; Valkey: `HSETEX key PXAT ms FIELDS 1 field value` |
//! | vector set | `VADD` per element |
//! | stream | `XADD` per entry, `XSETID`, per group `XGROUP CREATE`, per pending entry `XCLAIM`, `XGROUP CREATECONSUMER` |
//! | anything that commands cannot make exactly | `RESTORE` of its DUMP payload |
//!
//! The value comes first, `PEXPIREAT` after it. Source: Redis `src/aof.c`, `rewriteAppendOnlyFileRio`.

use std::collections::BTreeSet;

use crate::bytes::crc64;
use crate::keyspace::vectors::{Quantisation, Vectors};
use crate::rdb::encode::{Encoder, KeyParts, Out, Outcome, Unfit, Walk};
use crate::rdb::object::{Group, Idempotence, NAN_MEMBERS, Pending, Tail};
use crate::rdb::target::FieldExpiry;
use crate::rdb::{Element, Target, ValueRef, ValueType};
use crate::value::{Kind, StreamId, UnixMillis};

/// `AOF_REWRITE_ITEMS_PER_CMD`.
const ITEMS: usize = 64;

/// Writes commands for one target.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    encoder: Encoder,
    batch: Batch,
}

/// Words of a command that is being put together.
#[derive(Debug, Clone, Default)]
struct Batch {
    words: usize,
    items: usize,
    bytes: Vec<u8>,
}

impl Batch {
    fn word(&mut self, word: &[u8]) -> &mut Self {
        self.bytes.push(b'$');
        self.bytes.extend_from_slice(itoa::Buffer::new().format(word.len()).as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes.extend_from_slice(word);
        self.bytes.extend_from_slice(b"\r\n");
        self.words = self.words.saturating_add(1);
        self
    }

    fn number(&mut self, number: impl itoa::Integer) -> &mut Self {
        self.word(itoa::Buffer::new().format(number).as_bytes())
    }

    fn id(&mut self, id: StreamId) -> &mut Self {
        self.word(id.to_string().as_bytes())
    }

    /// Write the command out and begin a new one.
    fn end(&mut self, out: &mut Out<'_>) {
        out.bytes.push(b'*');
        out.bytes.extend_from_slice(itoa::Buffer::new().format(self.words).as_bytes());
        out.bytes.extend_from_slice(b"\r\n");
        out.bytes.extend_from_slice(&self.bytes);
        self.bytes.clear();
        (self.words, self.items) = (0, 0);
        out.settle();
    }

    /// The words of an item, to a command that takes many.
    fn item(&mut self, name: &[u8], key: &[u8], item: &[&[u8]], out: &mut Out<'_>) {
        if self.items == 0 {
            self.word(name).word(key);
        }
        for word in item {
            self.word(word);
        }
        self.items = self.items.saturating_add(1);
        if self.items == ITEMS {
            self.end(out);
        }
    }

    /// Write out what is left of a command that takes many.
    fn end_items(&mut self, out: &mut Out<'_>) {
        if self.items > 0 {
            self.end(out);
        }
    }
}

/// What of a value commands leave out.
pub(crate) type Lost = Option<&'static str>;

impl Commands {
    pub(crate) fn new(target: Target) -> Self {
        Self { encoder: Encoder::new(target, true), batch: Batch::default() }
    }

    fn target(&self) -> Target {
        *self.encoder.target()
    }

    /// True for servers from Redis 7.0 on, which know all counters of a stream.
    fn has_counters(&self) -> bool {
        self.target().accepts(ValueType::StreamListpacks2)
    }

    /// `SELECT`.
    pub(crate) fn select(db: u32, out: &mut Vec<u8>) {
        crate::aof::writer::encode(&[&b"SELECT"[..], itoa::Buffer::new().format(db).as_bytes()], out);
    }

    /// A function library.
    pub(crate) fn function(code: &[u8], out: &mut Vec<u8>) {
        crate::aof::writer::encode(&[&b"FUNCTION"[..], b"LOAD", code], out);
    }

    /// A key with its value and its expiry.
    pub(crate) fn key<'a>(
        &mut self,
        parts: &KeyParts<'_>,
        value: &mut dyn Walk<'a>,
        out: &mut Out<'_>,
    ) -> Outcome<Lost> {
        let key = parts.key;
        let lost = match value.kind() {
            Kind::String => self.items(b"SET", key, value, out)?,
            Kind::List => self.items(b"RPUSH", key, value, out)?,
            Kind::Set => self.items(b"SADD", key, value, out)?,
            Kind::Zset => self.items(b"ZADD", key, value, out)?,
            Kind::Hash => self.hash(key, value, out)?,
            Kind::Stream => self.stream(key, value, out)?,
            Kind::Array => self.restore(key, value, out)?,
            Kind::Module => return Err(Unfit("values of this module or fork").into()),
        };
        self.expire(parts, out);
        Ok(lost)
    }

    /// A key whose value is handed over as it is stored.
    pub(crate) fn stored(&mut self, parts: &KeyParts<'_>, value: &ValueRef<'_>, out: &mut Out<'_>) {
        self.restore_body(parts.key, value.value_type, value.raw(), out);
        self.expire(parts, out);
    }

    /// A vector set: its graph is the server's to make.
    pub(crate) fn vectors(&mut self, parts: &KeyParts<'_>, vectors: &Vectors<'_>, out: &mut Out<'_>) -> Lost {
        let (mut lost, mut components) = (None, Vec::new());
        for (element, vector) in vectors.elements.iter() {
            components.clear();
            components.extend(vectors.components(&vector.stored));
            let blob: Vec<u8> = components.iter().flat_map(|x| x.to_le_bytes()).collect();
            let exact = vectors.quantisation.store(&components) == vector.stored.as_bytes();
            lost = lost.or((!exact).then_some("the last bits of vectors that are not quantised"));
            self.batch.word(b"VADD").word(parts.key).word(b"FP32").word(&blob).word(element);
            self.batch.word(match vectors.quantisation {
                Quantisation::None => b"NOQUANT",
                Quantisation::Q8 => b"Q8",
                Quantisation::Binary => b"BIN",
            });
            if !vector.attributes.is_empty() {
                self.batch.word(b"SETATTR").word(&vector.attributes);
            }
            self.batch.end(out);
        }
        self.expire(parts, out);
        lost
    }

    fn expire(&mut self, parts: &KeyParts<'_>, out: &mut Out<'_>) {
        if let Some(UnixMillis(at)) = parts.expiry {
            self.batch.word(b"PEXPIREAT").word(parts.key).number(at).end(out);
        }
    }

    fn items<'a>(
        &mut self,
        name: &'static [u8],
        key: &[u8],
        value: &mut dyn Walk<'a>,
        out: &mut Out<'_>,
    ) -> Outcome<Lost> {
        let scores = self.target().score_text();
        let Self { batch, .. } = self;
        let (mut lost, mut text) = (None, Vec::new());
        value.walk(&mut |element| {
            match element {
                Element::Item(item) => batch.item(name, key, &[&item], out),
                Element::Member(member, expiry) => {
                    lost = lost.or(expiry.map(|_| "the expiry of set members"));
                    batch.item(name, key, &[&member], out);
                }
                Element::Scored(_, score) if score.is_nan() => lost = Some(NAN_MEMBERS),
                Element::Scored(member, score) => {
                    text.clear();
                    scores.write(score, &mut text);
                    batch.item(name, key, &[&text, &member], out);
                }
                _ => {}
            }
            Ok(())
        })?;
        batch.end_items(out);
        Ok(lost)
    }

    fn hash<'a>(&mut self, key: &[u8], value: &mut dyn Walk<'a>, out: &mut Out<'_>) -> Outcome<Lost> {
        let knows = self.target().field_expiry();
        let Self { batch, .. } = self;
        let mut volatile = false;
        value.walk(&mut |element| {
            match element {
                Element::Field { field, value, expiry: None } => batch.item(b"HMSET", key, &[&field, &value], out),
                Element::Field { .. } => volatile = true,
                _ => {}
            }
            Ok(())
        })?;
        batch.end_items(out);
        if !volatile {
            return Ok(None);
        }
        value.walk(&mut |element| {
            let Element::Field { field, value, expiry: Some(UnixMillis(at)) } = element else { return Ok(()) };
            if knows == FieldExpiry::Valkey {
                batch.word(b"HSETEX").word(key).word(b"PXAT").number(at).word(b"FIELDS").word(b"1");
                batch.word(&field).word(&value).end(out);
                return Ok(());
            }
            batch.word(b"HMSET").word(key).word(&field).word(&value).end(out);
            if knows == FieldExpiry::Redis {
                batch.word(b"HPEXPIREAT").word(key).number(at).word(b"FIELDS").word(b"1").word(&field).end(out);
            }
            Ok(())
        })?;
        Ok((knows == FieldExpiry::Unknown).then_some("the expiry of hash fields"))
    }

    fn stream<'a>(&mut self, key: &[u8], value: &mut dyn Walk<'a>, out: &mut Out<'_>) -> Outcome<Lost> {
        if self.target().stream().is_none() {
            return Err(Unfit("streams").into());
        }
        if is_beyond_commands(value)? {
            return self.restore(key, value, out);
        }
        let (counters, idempotence) = (self.has_counters(), self.target().accepts(ValueType::StreamListpacks4));
        let Self { batch, .. } = self;
        let (mut empty, mut lost) = (true, None);
        value.walk(&mut |element| {
            match element {
                Element::Entry(id, fields) => {
                    empty = false;
                    batch.word(b"XADD").word(key).id(id);
                    for element in fields {
                        batch.word(element.text(&mut itoa::Buffer::new()));
                    }
                    batch.end(out);
                }
                Element::Tail(tail) => {
                    batch.tail(key, tail, empty, counters, out);
                    if let Some(state) = &tail.idempotence {
                        lost = batch.idempotence(key, state, idempotence, out);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(lost)
    }

    fn restore<'a>(&mut self, key: &[u8], value: &mut dyn Walk<'a>, out: &mut Out<'_>) -> Outcome<Lost> {
        let plan = self.encoder.plan(value)?;
        let (mut whole, mut buffer) = (Vec::new(), Vec::new());
        let mut into = Out { bytes: &mut buffer, spill: &mut |bytes| whole.append(bytes) };
        self.encoder.value(&plan, value, &mut into)?;
        whole.append(&mut buffer);
        self.restore_body(key, plan.value_type, &whole, out);
        Ok(plan.lost)
    }

    fn restore_body(&mut self, key: &[u8], value_type: ValueType, body: &[u8], out: &mut Out<'_>) {
        let version = u16::try_from(self.target().version).unwrap_or(u16::MAX);
        let mut payload = Vec::with_capacity(body.len().saturating_add(11));
        payload.push(value_type.byte());
        payload.extend_from_slice(body);
        payload.extend_from_slice(&version.to_le_bytes());
        let sum = crc64::jones(&payload);
        payload.extend_from_slice(&sum.to_le_bytes());
        self.batch.word(b"RESTORE").word(key).word(b"0").word(&payload).end(out);
    }
}

/// What no commands make: pending entries that the stream does not hold any more or that no consumer has (`XCLAIM`),
/// ids that do not ascend (`XADD`) or go beyond the last id (`XSETID`).
fn is_beyond_commands<'a>(value: &mut dyn Walk<'a>) -> Outcome<bool> {
    let (mut pending, mut unowned) = (BTreeSet::new(), false);
    let (mut last, mut is_ascending) = (None, true);
    value.walk(&mut |element| {
        match element {
            Element::Entry(id, _) => is_ascending &= last.replace(id).is_none_or(|before| before < id),
            Element::Tail(tail) => {
                let all = || tail.groups.iter().flat_map(|group| &group.pending);
                pending = all().map(|pending| pending.id).collect();
                unowned = all().any(|pending| pending.consumer.is_none());
                is_ascending &= last.is_none_or(|last| last <= tail.last_id);
            }
            _ => {}
        }
        Ok(())
    })?;
    if unowned || !is_ascending || pending.is_empty() {
        return Ok(unowned || !is_ascending);
    }
    value.walk(&mut |element| {
        if let Element::Entry(id, _) = element {
            pending.remove(&id);
        }
        Ok(())
    })?;
    Ok(!pending.is_empty())
}

impl Batch {
    fn tail(&mut self, key: &[u8], tail: &Tail<'_>, empty: bool, counters: bool, out: &mut Out<'_>) {
        if empty {
            // An entry that is trimmed at once makes an empty stream.
            for word in [&b"XADD"[..], key, b"MAXLEN", b"0", b"0-1", b"x", b"y"] {
                self.word(word);
            }
            self.end(out);
        }
        self.word(b"XSETID").word(key).id(tail.last_id);
        if let (true, Some(added)) = (counters, tail.entries_added) {
            self.word(b"ENTRIESADDED").number(added);
            self.word(b"MAXDELETEDID").id(tail.max_deleted_id.unwrap_or(StreamId::MIN));
        }
        self.end(out);
        for group in &tail.groups {
            self.group(key, group, counters, out);
        }
    }

    fn group(&mut self, key: &[u8], group: &Group<'_>, counters: bool, out: &mut Out<'_>) {
        self.word(b"XGROUP").word(b"CREATE").word(key).word(&group.name).id(group.last_id);
        if counters {
            self.word(b"ENTRIESREAD");
            match group.entries_read {
                Some(read) => self.number(read),
                None => self.word(b"-1"),
            };
        }
        self.end(out);
        let mut has_entries = vec![false; group.consumers.len()];
        for pending in &group.pending {
            let owner = pending.consumer.and_then(|index| usize::try_from(index).ok());
            let Some((consumer, has)) =
                owner.and_then(|index| Some((group.consumers.get(index)?, has_entries.get_mut(index)?)))
            else {
                continue;
            };
            *has = true;
            self.claim(key, &group.name, &consumer.name, pending, out);
        }
        for (consumer, _) in group.consumers.iter().zip(has_entries).filter(|(_, has)| !has) {
            self.word(b"XGROUP").word(b"CREATECONSUMER").word(key).word(&group.name).word(&consumer.name).end(out);
        }
    }

    fn claim(&mut self, key: &[u8], group: &[u8], consumer: &[u8], pending: &Pending, out: &mut Out<'_>) {
        self.word(b"XCLAIM").word(key).word(group).word(consumer).word(b"0").id(pending.id);
        self.word(b"TIME").number(pending.delivered.0).word(b"RETRYCOUNT").number(pending.deliveries);
        self.word(b"JUSTID").word(b"FORCE").end(out);
    }

    fn idempotence(&mut self, key: &[u8], state: &Idempotence<'_>, known: bool, out: &mut Out<'_>) -> Lost {
        const DEFAULT: (u64, u64) = (100, 100);
        if !known {
            return state.producers.first().map(|_| "idempotence ids of a stream's producers");
        }
        if (state.seconds, state.max_entries) != DEFAULT {
            self.word(b"XCFGSET").word(key).word(b"IDMP-DURATION").number(state.seconds);
            self.word(b"IDMP-MAXSIZE").number(state.max_entries).end(out);
        }
        for producer in &state.producers {
            for (iid, id) in &producer.ids {
                self.word(b"XIDMPRECORD").word(key).word(&producer.id).word(iid).id(*id).end(out);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::encode::Stored;
    use crate::rdb::{Buffers, Dialect};

    /// The commands for a DUMP payload, words joined by blanks, one command a line.
    fn commands(target: &str, hex: &str) -> (String, Lost) {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let payload: Vec<u8> = hex.as_bytes().chunks(2).map(byte).collect();
        let value_type = ValueType::from_byte(payload[0], Dialect::Redis).unwrap();
        let value = ValueRef::new(value_type, &payload[1..payload.len() - 10], 0);
        let mut log = Vec::new();
        let mut out = Out { bytes: &mut log, spill: &mut |_| {} };
        let parts = KeyParts { key: b"k", expiry: Some(UnixMillis(7)), ..KeyParts::default() };
        let mut buffers = Buffers::default();
        let mut commands = Commands::new(Target::named(target).unwrap());
        let lost = commands.key(&parts, &mut Stored { value, buffers: &mut buffers }, &mut out).unwrap();
        let mut reader = crate::aof::Reader::new(&log);
        let mut lines = String::new();
        while let Some(record) = reader.next_record().unwrap() {
            if let crate::aof::Record::Command(command) = record {
                let words: Vec<String> = command.argv.iter().map(|word| word.escape_ascii().to_string()).collect();
                lines.push_str(&words.join(" "));
                lines.push('\n');
            }
        }
        (lines, lost)
    }

    #[test]
    fn values_come_before_their_expiry() {
        let zset = "0304016103312e350162fe0163ff0164022d370900dcea584727d57a54";
        assert_eq!(commands("redis-7.2", zset).0, "ZADD k 1.5 a inf b -inf c -7 d\nPEXPIREAT k 7\n");
        let list = "01030161c07f01620900753c4a05312d9d1d";
        assert_eq!(commands("redis-6.2", list).0, "RPUSH k a 127 b\nPEXPIREAT k 7\n");
    }

    /// A `ZADD` with such a score fails as a whole.
    #[test]
    fn members_with_a_score_of_nan_are_left_out_of_commands() {
        let zset = "11141400000004008161020101816202836e616e04ff0a000000000000000000";
        let (text, lost) = commands("redis-7.2", zset);
        assert_eq!((text.as_str(), lost), ("ZADD k 1 a\nPEXPIREAT k 7\n", Some(NAN_MEMBERS)));
    }

    #[test]
    fn field_expiry_is_said_in_each_family_s_way() {
        let hash = "160281000003bb2cc3d80001610231780001620232780c002bc110bde20db601";
        let redis = "HMSET k b 2x\nHMSET k a 1x\nHPEXPIREAT k 4102444800000 FIELDS 1 a\nPEXPIREAT k 7\n";
        assert_eq!(commands("redis-8.0", hash), (redis.into(), None));
        let valkey = "HMSET k b 2x\nHSETEX k PXAT 4102444800000 FIELDS 1 a 1x\nPEXPIREAT k 7\n";
        assert_eq!(commands("valkey-9", hash), (valkey.into(), None));
        assert_eq!(commands("redis-7.0", hash).1, Some("the expiry of hash fields"));
    }

    #[test]
    fn streams_are_rebuilt_with_groups_and_pending_entries() {
        let stream = "1501100000000000000001000000000000000128280000000f0002010001010181660200010201000100018176\
                      0204010201000101018177020401ff020102010100000201016701010101000000000000000100000000000000\
                      010068e5cf8b010000010101630068e5cf8b010000ffffffffffffffff01000000000000000100000000000000\
                      010b0056d049b516d7d51a";
        let expected = "XADD k 1-1 f v\nXADD k 1-2 f w\nXSETID k 1-2 ENTRIESADDED 2 MAXDELETEDID 0-0\n\
                        XGROUP CREATE k g 1-1 ENTRIESREAD 1\n\
                        XCLAIM k g c 0 1-1 TIME 1700000000000 RETRYCOUNT 1 JUSTID FORCE\nPEXPIREAT k 7\n";
        assert_eq!(commands("redis-7.0", stream).0, expected);
        let older = commands("redis-6.2", stream).0;
        assert!(older.contains("XSETID k 1-2\nXGROUP CREATE k g 1-1\n"), "{older}");
    }

    #[test]
    fn many_items_are_cut_into_commands_of_sixty_four() {
        let mut batch = Batch::default();
        let mut log = Vec::new();
        let mut out = Out { bytes: &mut log, spill: &mut |_| {} };
        for _ in 0..130 {
            batch.item(b"SADD", b"k", &[b"m"], &mut out);
        }
        batch.end_items(&mut out);
        let mut reader = crate::aof::Reader::new(&log);
        let mut sizes = Vec::new();
        while let Some(crate::aof::Record::Command(command)) = reader.next_record().unwrap() {
            sizes.push(command.argv.len());
        }
        assert_eq!(sizes, [66, 66, 4]);
    }
}

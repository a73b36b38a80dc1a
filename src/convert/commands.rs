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

use crate::aof::rewrite::{self, Batch, Log, Made};
use crate::aof::writer::{encode, word};
use crate::keyspace::vectors::{Quantisation, Vectors};
use crate::rdb::encode::{Encoder, KeyParts, Out, Outcome, Unfit, Walk};
use crate::rdb::object::{Idempotence, NAN_MEMBERS};
use crate::rdb::target::{FieldExpiry, LIMITS};
use crate::rdb::{Element, Target, ValueRef, ValueType, payload};
use crate::value::{Kind, UnixMillis};

/// Writes commands for one target.
#[derive(Debug, Clone)]
pub(crate) struct Commands {
    encoder: Encoder,
    batch: Batch,
}

impl Log for Out<'_> {
    fn command(&mut self, words: &[&[u8]]) {
        encode(words, self.bytes);
        self.settle();
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
        encode(&[&b"SELECT"[..], itoa::Buffer::new().format(db).as_bytes()], out);
    }

    /// A function library.
    pub(crate) fn function(code: &[u8], out: &mut Vec<u8>) {
        encode(&[&b"FUNCTION"[..], b"LOAD", code], out);
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
            Kind::String => string(key, value, out)?,
            Kind::List => self.items(b"RPUSH", key, value, out)?,
            Kind::Set => self.items(b"SADD", key, value, out)?,
            Kind::Zset if needs_a_skiplist(value)? => self.restore(key, value, out)?,
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
            let quantisation: &[u8] = match vectors.quantisation {
                Quantisation::None => b"NOQUANT",
                Quantisation::Q8 => b"Q8",
                Quantisation::Binary => b"BIN",
            };
            let mut words = vec![&b"VADD"[..], parts.key, b"FP32", &blob, element, quantisation];
            if !vector.attributes.is_empty() {
                words.extend_from_slice(&[b"SETATTR", &vector.attributes]);
            }
            out.command(&words);
        }
        self.expire(parts, out);
        lost
    }

    fn expire(&self, parts: &KeyParts<'_>, out: &mut Out<'_>) {
        if let Some(UnixMillis(at)) = parts.expiry {
            out.command(&[b"PEXPIREAT", parts.key, itoa::Buffer::new().format(at).as_bytes()]);
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
        batch.begin(name, key);
        value.walk(&mut |element| {
            match element {
                Element::Item(item) => batch.add(out.bytes, |args| word(&item, args)),
                Element::Member(member, expiry) => {
                    lost = lost.or(expiry.map(|_| "the expiry of set members"));
                    batch.add(out.bytes, |args| word(&member, args));
                }
                Element::Scored(_, score) if score.is_nan() => lost = Some(NAN_MEMBERS),
                Element::Scored(member, score) => {
                    text.clear();
                    scores.write(score, &mut text);
                    batch.add(out.bytes, |args| {
                        word(&text, args);
                        word(&member, args);
                    });
                }
                _ => {}
            }
            out.settle();
            Ok(())
        })?;
        batch.flush(out.bytes);
        Ok(lost)
    }

    fn hash<'a>(&mut self, key: &[u8], value: &mut dyn Walk<'a>, out: &mut Out<'_>) -> Outcome<Lost> {
        let knows = self.target().field_expiry();
        let Self { batch, .. } = self;
        let mut volatile = false;
        batch.begin(b"HMSET", key);
        value.walk(&mut |element| {
            match element {
                Element::Field { field, value, expiry: None } => batch.add(out.bytes, |args| {
                    word(&field, args);
                    word(&value, args);
                }),
                Element::Field { .. } => volatile = true,
                _ => {}
            }
            out.settle();
            Ok(())
        })?;
        batch.flush(out.bytes);
        if !volatile {
            return Ok(None);
        }
        value.walk(&mut |element| {
            let Element::Field { field, value, expiry: Some(UnixMillis(at)) } = element else { return Ok(()) };
            let mut text = itoa::Buffer::new();
            let at = text.format(at).as_bytes();
            if knows == FieldExpiry::Valkey {
                out.command(&[b"HSETEX", key, b"PXAT", at, b"FIELDS", b"1", &field, &value]);
                return Ok(());
            }
            out.command(&[b"HMSET", key, &field, &value]);
            if knows == FieldExpiry::Redis {
                out.command(&[b"HPEXPIREAT", key, at, b"FIELDS", b"1", &field]);
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
        let idempotence = self.target().accepts(ValueType::StreamListpacks4);
        let mut made = Made { has_entries: false, counters: self.has_counters() };
        let mut lost = None;
        value.walk(&mut |element| {
            match element {
                Element::Entry(id, fields) => {
                    made.has_entries = true;
                    rewrite::entry(key, id, fields, out.bytes);
                    out.settle();
                }
                Element::Tail(tail) => {
                    rewrite::tail(key, tail, made, out);
                    if let Some(state) = &tail.idempotence {
                        lost = idempotence_of(key, state, idempotence, out);
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

    fn restore_body(&self, key: &[u8], value_type: ValueType, body: &[u8], out: &mut Out<'_>) {
        let payload = payload::encode(value_type.byte(), body, self.target().version);
        out.command(&[b"RESTORE", key, b"0", &payload]);
    }
}

fn string<'a>(key: &[u8], value: &mut dyn Walk<'a>, out: &mut Out<'_>) -> Outcome<Lost> {
    value.walk(&mut |element| {
        if let Element::Item(text) = element {
            out.command(&[b"SET", key, &text]);
        }
        Ok(())
    })?;
    Ok(None)
}

/// A score of -0 in a sorted set that is a skiplist: commands begin with a packed one, which has no such score.
fn needs_a_skiplist<'a>(value: &mut dyn Walk<'a>) -> Outcome<bool> {
    let (mut count, mut longest, mut has_negative_zero) = (0_u64, 0, false);
    value.walk_in_any_order(&mut |element| {
        if let Element::Scored(member, score) = element {
            count = count.saturating_add(1);
            longest = longest.max(member.len());
            has_negative_zero |= score == 0.0 && score.is_sign_negative();
        }
        Ok(())
    })?;
    Ok(has_negative_zero && (count > LIMITS.zset_entries || longest > LIMITS.element_bytes))
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

/// The ids of a stream's producers, if the server knows them.
fn idempotence_of(key: &[u8], state: &Idempotence<'_>, known: bool, out: &mut Out<'_>) -> Lost {
    const DEFAULT: (u64, u64) = (100, 100);
    if !known {
        return state.producers.first().map(|_| "idempotence ids of a stream's producers");
    }
    if (state.seconds, state.max_entries) != DEFAULT {
        let (seconds, most) = (state.seconds.to_string(), state.max_entries.to_string());
        out.command(&[b"XCFGSET", key, b"IDMP-DURATION", seconds.as_bytes(), b"IDMP-MAXSIZE", most.as_bytes()]);
    }
    for producer in &state.producers {
        for (iid, id) in &producer.ids {
            out.command(&[b"XIDMPRECORD", key, &producer.id, iid, id.to_string().as_bytes()]);
        }
    }
    None
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
}

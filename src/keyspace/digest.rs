//! `DEBUG DIGEST` and `DEBUG DIGEST-VALUE`.
//!
//! | step | what |
//! | --- | --- |
//! | `mix(d, x)` | `d ^= SHA1(x); d = SHA1(d)` |
//! | `xor(d, x)` | `d ^= SHA1(x)` |
//! | whole | per database that is not empty, ascending: `mix(d, u32 BE index)`, then `d ^= SHA1(k)` of each key's `k` |
//! | key | `k = 0; mix(k, key)`, then as value |
//! | value | `mix(k, u32 BE type)`, then by type, then `xor(k, "!!expire!!")` when it has an expiry |
//!
//! Source: Redis `src/debug.c`, `computeDatasetDigest`, `xorObjectDigest`.

use super::load::decode;
use super::{Db, Entry, Hash, Keyspace, Like, Stream, Value, Vectors, Zset};
use crate::bytes::Budget;
use crate::modules::vectorset;
use crate::rdb::{self, Buffers, Element, Scratch, ValueRef, ValueType};
use crate::scan::threads;
use crate::value::{Kind, StreamId, UnixMillis, number};
use sha1::{Digest as _, Sha1};
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// 20 bytes that stand for a value or a whole keyspace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest(pub [u8; 20]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Digest {
    /// Order does not matter: `self ^= SHA1(x)`.
    pub fn xor(&mut self, x: &[u8]) {
        self.combine(Sha1::digest(x).into());
    }

    /// Order matters: `self = SHA1(self ^ SHA1(x))`.
    pub fn mix(&mut self, x: &[u8]) {
        self.xor(x);
        self.0 = Sha1::digest(self.0).into();
    }

    fn field(&mut self, field: &[u8], value: &[u8], expires: bool) {
        let mut element = Self::default();
        element.mix(field);
        element.mix(value);
        if expires {
            element.xor(b"!!hexpire!!");
        }
        self.xor(&element.0);
    }

    fn scored(&mut self, member: &[u8], score: f64, rules: Rules<'_>, text: &mut Vec<u8>) {
        let mut element = Self::default();
        element.mix(member);
        text.clear();
        rules.scores.write(score, text);
        element.mix(text);
        self.xor(&element.0);
    }

    /// Order matters within a sequence, not among sequences.
    fn sequence(&mut self, parts: &[&[u8]]) {
        let mut element = Self::default();
        parts.iter().for_each(|part| element.mix(part));
        self.xor(&element.0);
    }

    /// The id of a stream's entry, with a dot where one would expect a dash.
    fn entry_id(&mut self, id: StreamId, text: &mut Vec<u8>) {
        text.clear();
        text.extend_from_slice(itoa::Buffer::new().format(id.ms).as_bytes());
        text.push(b'.');
        text.extend_from_slice(itoa::Buffer::new().format(id.seq).as_bytes());
        self.mix(text);
    }

    fn combine(&mut self, other: [u8; 20]) {
        for (byte, other) in self.0.iter_mut().zip(other) {
            *byte ^= other;
        }
    }
}

/// The number under which a type goes into the digest.
fn type_number(kind: Kind) -> u32 {
    match kind {
        Kind::String => 0,
        Kind::List => 1,
        Kind::Set => 2,
        Kind::Zset => 3,
        Kind::Hash => 4,
        Kind::Module => 5,
        Kind::Stream => 6,
        Kind::Array => 7,
    }
}

/// What goes into a digest only on some servers, and where trouble is noted.
#[derive(Clone, Copy, Debug)]
struct Rules<'t> {
    scores: number::ScoreText,
    field_expiry: bool,
    compact_has_no_minus_zero: bool,
    trouble: &'t Trouble,
}

/// What decoding is charged to, and the first value that could not be decoded.
#[derive(Debug, Default)]
struct Trouble {
    budget: Budget,
    first: OnceLock<rdb::Error>,
}

impl<'t> Rules<'t> {
    fn of(like: Like, trouble: &'t Trouble) -> Self {
        let scores = if like.at_least_redis(7, 2) { number::ScoreText::Fpconv } else { number::ScoreText::Printf17 };
        let compact_has_no_minus_zero = like.at_least_redis(7, 0);
        Self { scores, field_expiry: like.at_least_redis(7, 4), compact_has_no_minus_zero, trouble }
    }
}

/// `DEBUG DIGEST`: one number for all databases.
#[must_use]
pub fn of_keyspace(keyspace: &Keyspace<'_>, like: Like) -> Digest {
    of_keyspace_within(keyspace, like, 1, &Budget::default()).0
}

/// The same on several threads, with what it takes charged to a budget. Of several values that cannot be decoded, which
/// count as empty, one is told.
#[must_use]
pub fn of_keyspace_within(
    keyspace: &Keyspace<'_>,
    like: Like,
    threads: usize,
    budget: &Budget,
) -> (Digest, Option<rdb::Error>) {
    let trouble = Trouble { budget: budget.clone(), first: OnceLock::new() };
    let mut whole = Digest::default();
    for (index, db) in keyspace.dbs().filter(|(_, db)| !db.is_empty()) {
        whole.mix(&index.0.to_be_bytes());
        whole.combine(of_db(db, Rules::of(like, &trouble), threads));
    }
    (whole, trouble.first.into_inner())
}

/// `DEBUG DIGEST-VALUE`: the value and whether it expires, without the key.
#[must_use]
pub fn of_value(value: &Value<'_>, expires: Option<UnixMillis>, like: Like) -> Digest {
    add_value(Digest::default(), value, expires, Rules::of(like, &Trouble::default()), &mut Vec::new())
}

/// The sum of the hashes of all keys of a database, which can be made in any order.
fn of_db(db: &Db<'_>, rules: Rules<'_>, threads: usize) -> [u8; 20] {
    let threads = threads.min(db.chunks().len()).max(1);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut sum = Digest::default();
        while let Some(chunk) = db.chunks().nth(next.fetch_add(1, Ordering::Relaxed)) {
            sum.combine(of_entries(chunk.iter().flatten(), rules));
        }
        sum.0
    };
    let mut sum = Digest::default();
    threads::share(threads, work).into_iter().for_each(|part| sum.combine(part));
    sum.0
}

fn of_entries<'e, 'a: 'e>(entries: impl Iterator<Item = &'e Entry<'a>>, rules: Rules<'_>) -> [u8; 20] {
    let mut sum = Digest::default();
    let mut text = Vec::new();
    for Entry { key, value, expires } in entries {
        let mut digest = Digest::default();
        digest.mix(key);
        let digest = add_value(digest, value, *expires, rules, &mut text);
        sum.xor(&digest.0);
    }
    sum.0
}

fn add_value(
    mut digest: Digest,
    value: &Value<'_>,
    expires: Option<UnixMillis>,
    rules: Rules<'_>,
    text: &mut Vec<u8>,
) -> Digest {
    digest.mix(&type_number(value.kind()).to_be_bytes());
    match value {
        Value::String(blob) => digest.mix(blob),
        Value::Buffer(buffer) => digest.mix(&buffer.0),
        Value::List(list) => list.0.iter().for_each(|element| digest.mix(element)),
        Value::Set(set) => set.0.keys().for_each(|member| digest.xor(member)),
        Value::Hash(hash) => add_hash(&mut digest, hash, rules),
        Value::Zset(zset) => add_zset(&mut digest, zset, rules, text),
        Value::Stream(stream) => add_stream(&mut digest, stream, text),
        Value::Vectors(vectors) => add_vectors(&mut digest, vectors),
        Value::Stored(stored) => add_stored(&mut digest, stored, rules, text),
    }
    if expires.is_some() {
        digest.xor(b"!!expire!!");
    }
    digest
}

/// A value straight from its stored form. What cannot be decoded counts as empty, and is noted.
fn add_stored(digest: &mut Digest, stored: &ValueRef<'_>, rules: Rules<'_>, text: &mut Vec<u8>) {
    let mut folded = *digest;
    let mut minus_zero = false;
    let is_plain = matches!(stored.value_type, ValueType::Zset | ValueType::Zset2);
    let budget = &rules.trouble.budget;
    let walked = stored.elements(&mut Buffers::new(budget), &mut |element: Element<'_, '_>| {
        match element {
            Element::Item(piece) => folded.mix(&piece),
            Element::Member(piece, _) => folded.xor(&piece),
            Element::Field { field, value, expiry } => {
                folded.field(&field, &value, rules.field_expiry && expiry.is_some())
            }
            Element::Scored(member, score) => {
                // A server that loads a small set of the plain forms packs it, and turns -0 into 0; a packed one stays.
                minus_zero |= is_plain && score.to_bits() == (-0.0f64).to_bits();
                folded.scored(&member, score, rules, text);
            }
            Element::Entry(id, fields) => {
                folded.entry_id(id, text);
                let mut digits = itoa::Buffer::new();
                fields.iter().for_each(|field| folded.mix(field.text(&mut digits)));
            }
            Element::Module(module) => {
                let mut all = Digest::default();
                let scratch = &mut Scratch::new(budget.clone());
                if vectorset::digest_parts(&module, scratch, &mut |parts| all.sequence(parts)).is_some() {
                    folded.xor(&all.0);
                }
            }
            Element::Tail(_) | Element::Slot(..) | Element::Opaque(_) | Element::Json(_) => {}
        }
        Ok(())
    });
    // Loading a packed blob leaves the text of a -0 alone, in a listpack, too; only one that is inserted becomes 0.
    let is_inserted = matches!(stored.value_type, ValueType::Zset | ValueType::Zset2);
    if minus_zero
        && is_inserted
        && let Ok(Some(Value::Zset(zset))) = decode(stored, &mut Buffers::new(budget))
    {
        add_zset(digest, &zset, rules, text);
    } else {
        match walked {
            Ok(()) => *digest = folded,
            // The first one is told; which that is among several threads is chance.
            Err(error) => drop(rules.trouble.first.set(error)),
        }
    }
}

/// What the module's own digest callback gives; other modules have none.
fn add_vectors(digest: &mut Digest, vectors: &Vectors<'_>) {
    let mut all = Digest::default();
    let (mut count, mut dimension) = (itoa::Buffer::new(), itoa::Buffer::new());
    all.sequence(&[count.format(vectors.elements.len()).as_bytes(), dimension.format(vectors.dimension).as_bytes()]);
    for (element, vector) in vectors.elements.iter() {
        match vector.attributes.as_bytes() {
            [] => all.sequence(&[&vector.stored, element]),
            attributes => all.sequence(&[&vector.stored, element, attributes]),
        }
    }
    digest.xor(&all.0);
}

fn add_hash(digest: &mut Digest, hash: &Hash<'_>, rules: Rules<'_>) {
    let expiring = rules.field_expiry && hash.has_expiries();
    for (field, value) in hash.iter() {
        digest.field(field, value, expiring && hash.expiry(field).is_some());
    }
}

fn add_zset(digest: &mut Digest, zset: &Zset<'_>, rules: Rules<'_>, text: &mut Vec<u8>) {
    for (member, score) in zset.iter() {
        let score = if score == 0.0 && rules.compact_has_no_minus_zero && !zset.skiplist { 0.0 } else { score };
        digest.scored(member, score, rules, text);
    }
}

fn add_stream(digest: &mut Digest, stream: &Stream<'_>, text: &mut Vec<u8>) {
    for (&id, fields) in &stream.entries {
        digest.entry_id(id, text);
        fields.iter().for_each(|blob| digest.mix(blob));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{List, Set, Typed};
    use crate::value::{Blob, DbIndex};

    const OLD: Like = Like::redis(7, 0);
    const NEW: Like = Like::redis(8, 6);

    fn string(text: &'static str) -> Value<'static> {
        Value::String(Blob::borrowed(text.as_bytes()))
    }

    fn set(members: &[&'static str]) -> Value<'static> {
        Set(members.iter().map(|m| (Blob::borrowed(m.as_bytes()), ())).collect()).into_value()
    }

    fn hash(pairs: &[(&'static str, &'static str)]) -> Hash<'static> {
        let mut hash = Hash::default();
        for (field, value) in pairs {
            hash.set(Blob::borrowed(field.as_bytes()), Blob::borrowed(value.as_bytes()));
        }
        hash
    }

    fn zset() -> Value<'static> {
        let mut zset = Zset::default();
        let all = [("a", 1.5), ("b", 2.0), ("c", 0.1), ("d", 1e300), ("f", f64::NEG_INFINITY), ("7", 3.0)];
        for (member, score) in all {
            zset.set(Blob::borrowed(member.as_bytes()), score);
        }
        zset.into_value()
    }

    fn list() -> Value<'static> {
        List([Blob::borrowed(b"a"), Blob::integer(1)].into()).into_value()
    }

    fn stream() -> Value<'static> {
        let mut stream = Stream::default();
        for (ms, field, value) in [(5, &b"a"[..], &b"b"[..]), (6, b"q", b"1")] {
            let fields = [Blob::borrowed(field), Blob::borrowed(value)].into();
            stream.entries.insert(StreamId { ms, seq: 0 }, fields);
        }
        stream.into_value()
    }

    #[track_caller]
    fn check(value: &Value<'_>, like: Like, expected: &str) {
        assert_eq!(of_value(value, None, like).to_string(), expected);
    }

    /// Reference values of Redis 6.2, 7.0, 8.0, 8.6, Valkey 8.1 and 9.1.
    #[test]
    fn a_minus_zero_in_a_packed_blob_stays_one() {
        // {m: -0} as listpack, as ziplist, and by member and score.
        let listpack = b"\x0e\x0e\0\0\0\x02\0\x81m\x02\x82-0\x03\xff";
        let ziplist = b"\x12\x12\0\0\0\x0d\0\0\0\x02\0\0\x01m\x03\x02-0\xff";
        let plain = b"\x01\x01m\0\0\0\0\0\0\0\x80";
        let digest = |value_type, body| {
            let stored = ValueRef::new(value_type, body, 0);
            of_value(&Value::Stored(Box::new(stored)), None, OLD)
        };
        let kept = digest(ValueType::ZsetListpack, &listpack[..]);
        assert_eq!(digest(ValueType::ZsetZiplist, &ziplist[..]), kept);
        assert_ne!(digest(ValueType::Zset2, &plain[..]), kept);
    }

    #[test]
    fn values_have_the_digest_that_servers_print() {
        check(&string("hello"), OLD, "36b23a1456b2dce2c3ed252c456761301dba8060");
        check(&string("12345"), OLD, "e1cf90774e995ae03de66e8109dc5cb9d9c2dc83");
        let expiring = of_value(&string("x"), Some(UnixMillis(1)), OLD);
        assert_eq!(expiring.to_string(), "0745672cb1bf060476eedeb8a28f5ffe1ff5a2be");
        check(&list(), OLD, "a4b574dfd44a241b7583aa0f4da11ef31ee0b995");
        check(&set(&["a", "b", "3"]), OLD, "aa475a4a8f122ca5936aa41d911aacf8c93b827d");
        check(&set(&["1", "2"]), OLD, "5d9842e5bd79f833c83b3535ec4a6836aba6d1fd");
        check(&stream(), OLD, "f347ea00cc2b015bcf50f1c6fec00ee11f26f822");
        check(&zset(), OLD, "cfa40b9a333758eb97c610d6986247c01ef3a73d");
        check(&zset(), NEW, "17d5f5df4fbe615cfc9ca996c5c5408271637dbc");
        check(&zset(), Like::valkey(8, 1), "17d5f5df4fbe615cfc9ca996c5c5408271637dbc");
    }

    #[test]
    fn field_expiry_counts_on_redis_only() {
        let mut hash = hash(&[("f", "v"), ("g", "5")]);
        hash.expire(b"f", UnixMillis(1));
        let hash = hash.into_value();
        check(&hash, OLD, "a517316c9277e5f73e03ee50bbc7e094b6d7135d");
        check(&hash, Like::valkey(9, 1), "a517316c9277e5f73e03ee50bbc7e094b6d7135d");
        check(&hash, NEW, "4168ce217d2ba59e1bf7eacf57b6acdbb3d49ae8");
    }

    #[test]
    fn threads_do_not_change_the_digest() {
        let names: Vec<Vec<u8>> = (0..3000).map(|n| format!("key:{n}").into_bytes()).collect();
        let mut keyspace = Keyspace::default();
        for name in &names {
            keyspace.db_mut(DbIndex(1)).set(name, set(&["a", "b"]), None);
        }
        let alone = of_keyspace(&keyspace, OLD);
        assert!(
            [2, 3, 8].iter().all(|&threads| of_keyspace_within(&keyspace, OLD, threads, &Budget::default()).0 == alone)
        );
        keyspace.db_mut(DbIndex(1)).remove(b"key:7");
        assert_ne!(of_keyspace_within(&keyspace, OLD, 2, &Budget::default()).0, alone);
    }

    #[test]
    fn a_keyspace_has_the_digest_that_servers_print() {
        let mut keyspace = Keyspace::default();
        assert_eq!(of_keyspace(&keyspace, OLD), Digest::default());
        let db = keyspace.db_mut(DbIndex(0));
        db.set(b"s", string("hello"), None);
        db.set(b"n", string("12345"), None);
        db.set(b"e", string("x"), Some(UnixMillis(1)));
        db.set(b"l", list(), None);
        db.set(b"st", set(&["a", "b", "3"]), None);
        db.set(b"si", set(&["1", "2"]), None);
        db.set(b"z", zset(), None);
        db.set(b"h", hash(&[("f", "v"), ("g", "5")]).into_value(), None);
        db.set(b"x", stream(), None);
        keyspace.db_mut(DbIndex(3));
        assert_eq!(of_keyspace(&keyspace, OLD).to_string(), "b6b6b5a8f36f88a266efef77d48424c15f4caa15");
    }
}

//! RDB records into the keyspace.
//!
//! A plain string becomes a slice of the input at once. Everything else stays as it is stored,
//! [`Value::Stored`], until a command wants to look into it: most keys of a snapshot are never touched by the
//! log behind it.

use super::stream::{Consumer, Group, Idempotency, Pending};
use super::value::{List, Set, Typed, Value};
use super::{Entry, Hash, Keyspace, Stream, Zset, vectors};
use crate::rdb::object::Tail;
use crate::rdb::{self, Buffers, Element, KeyRecord, Result, ValueRef, ValueType};
use crate::value::{Blob, Kind};

/// What became of a key of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// There was none of that name.
    pub is_new: bool,
    /// Bytes that it takes on the heap, beside its place.
    pub bytes: usize,
}

impl Loaded {
    /// It was passed over.
    const NOTHING: Self = Self { is_new: true, bytes: 0 };
}

impl<'a> Keyspace<'a> {
    /// Add a key of a snapshot, in place of one of the same name. Like a server, pass over an empty collection.
    ///
    /// # Errors
    /// When a plain string cannot be read; other values are not looked into.
    pub fn load(&mut self, record: &KeyRecord<'a>, buffers: &mut Buffers) -> Result<Loaded> {
        if record.value.is_empty_collection(&mut buffers.first) {
            return Ok(Loaded::NOTHING);
        }
        let value = self.hold(record.value, buffers)?;
        let bytes = record.key.heap_bytes().saturating_add(size_of::<ValueRef<'_>>());
        let is_new = self.db_mut(record.db).put(Entry { key: record.key.clone(), value, expires: record.expiry });
        Ok(Loaded { is_new, bytes })
    }

    /// A stored value as the value of a key: strings decoded where that takes no memory, others as they are.
    ///
    /// # Errors
    /// When a plain string cannot be read.
    pub fn hold(&mut self, stored: ValueRef<'a>, buffers: &mut Buffers) -> Result<Value<'a>> {
        let text = stored.string().filter(|_| stored.encoding() != "lzf");
        match text {
            Some(text) => Ok(Value::String(text.to_blob(&mut buffers.first)?)),
            None => {
                self.has_stored = true;
                Ok(Value::Stored(Box::new(stored)))
            }
        }
    }

    /// Add a key of records that will be gone: everything is decoded and copied.
    ///
    /// # Errors
    /// When the value is damaged, or one of a kind that has no decoded form.
    pub fn load_owned(&mut self, record: &KeyRecord<'_>, buffers: &mut Buffers) -> Result<Loaded> {
        if record.value.is_empty_collection(&mut buffers.first) {
            return Ok(Loaded::NOTHING);
        }
        let Some(value) = decode(&record.value, buffers)? else {
            let what = "a compressed value of this type cannot be kept";
            return Err(rdb::Error::invalid(record.offset, "rdb-compressed-opaque", what));
        };
        let key = Blob::copied(&record.key);
        let value = value.into_owned();
        let bytes = key.heap_bytes().saturating_add(value.heap_bytes());
        let is_new = self.db_mut(record.db).put(Entry { key, value, expires: record.expiry });
        Ok(Loaded { is_new, bytes })
    }

    /// Add a function library of a snapshot. False when its first line does not name it.
    pub fn load_function(&mut self, code: Blob<'a>) -> bool {
        let Some(name) = library_name(&code) else { return false };
        let name = Blob::copied(name);
        self.functions.insert(name, code);
        true
    }
}

/// The name of a function library: `#!lua name=mylib`.
#[must_use]
pub fn library_name(code: &[u8]) -> Option<&[u8]> {
    let line = code.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.find_map(|word| word.strip_prefix(b"name=")).filter(|name| !name.is_empty())
}

/// Decode a stored value. `None` for what commands of core types cannot work on: modules, arrays, forks' own types.
///
/// # Errors
/// When the value is damaged.
pub fn decode<'a>(stored: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Option<Value<'a>>> {
    match (stored.kind(), stored.value_type) {
        (_, ValueType::DragonflyJson) => Ok(None),
        (Kind::String, _) => string(stored, buffers).map(Some),
        (Kind::List, _) => list(stored, buffers).map(Some),
        (Kind::Set, _) => set(stored, buffers).map(Some),
        (Kind::Hash, _) => hash(stored, buffers).map(Some),
        (Kind::Zset, _) => zset(stored, buffers).map(Some),
        (Kind::Stream, _) => stream(stored, buffers).map(Some),
        (Kind::Module, _) => module(stored, buffers),
        (Kind::Array, _) => Ok(None),
    }
}

fn module<'a>(stored: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Option<Value<'a>>> {
    let mut module = None;
    stored.elements(buffers, &mut |element: Element<'a, '_>| {
        if let Element::Module(found) = element {
            module = Some(found);
        }
        Ok(())
    })?;
    let Some(module) = module else { return Ok(None) };
    Ok(vectors::decode(&module, buffers)?.map(|vectors| Value::Vectors(Box::new(vectors))))
}

fn string<'a>(stored: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Value<'a>> {
    let mut text = Blob::default();
    stored.elements(buffers, &mut |element: Element<'a, '_>| {
        if let Element::Item(piece) = element {
            text = piece.to_blob();
        }
        Ok(())
    })?;
    Ok(Value::String(text))
}

fn list<'a>(stored: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Value<'a>> {
    let mut list = List::default();
    stored.elements(buffers, &mut |element: Element<'a, '_>| {
        if let Element::Item(piece) = element {
            list.0.push_back(piece.to_blob());
        }
        Ok(())
    })?;
    Ok(list.into_value())
}

fn set<'a>(stored: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Value<'a>> {
    let mut members = Vec::new();
    stored.elements(buffers, &mut |element: Element<'a, '_>| {
        if let Element::Member(piece, _) = element {
            members.push((piece.to_blob(), ()));
        }
        Ok(())
    })?;
    Ok(Set(members.into()).into_value())
}

fn hash<'a>(stored: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Value<'a>> {
    let (mut fields, mut expiries) = (Vec::new(), Vec::new());
    stored.elements(buffers, &mut |element: Element<'a, '_>| {
        if let Element::Field { field, value, expiry } = element {
            fields.push((field.to_blob(), value.to_blob()));
            expiries.extend(expiry.map(|at| (field.to_blob(), at)));
        }
        Ok(())
    })?;
    let mut hash = Hash::of(fields.into());
    expiries.into_iter().for_each(|(field, at)| hash.expire(&field, at));
    Ok(hash.into_value())
}

fn zset<'a>(stored: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Value<'a>> {
    let mut members = Vec::new();
    let mut skiplist = false;
    let is_packed = matches!(stored.value_type, ValueType::ZsetZiplist | ValueType::ZsetListpack);
    stored.elements(buffers, &mut |element: Element<'a, '_>| {
        if let Element::Scored(member, score) = element {
            // A packed set that holds -0 as text keeps it, as a skiplist does.
            skiplist |= member.len() > 64 || (is_packed && score == 0.0 && score.is_sign_negative());
            members.push((member.to_blob(), score));
        }
        Ok(())
    })?;
    let mut zset = Zset::of(members.into());
    zset.skiplist = skiplist || zset.len() > 128;
    Ok(zset.into_value())
}

fn stream<'a>(stored: &ValueRef<'a>, buffers: &mut Buffers) -> Result<Value<'a>> {
    let mut stream = Stream::default();
    stored.elements(buffers, &mut |element: Element<'a, '_>| {
        match element {
            Element::Entry(id, fields) => {
                let mut digits = itoa::Buffer::new();
                let fields = fields.iter().map(|field| Blob::copied(field.text(&mut digits))).collect();
                stream.entries.insert(id, fields);
            }
            Element::Tail(tail) => add_tail(&mut stream, tail),
            _ => {}
        }
        Ok(())
    })?;
    Ok(stream.into_value())
}

fn add_tail<'a>(stream: &mut Stream<'a>, tail: &Tail<'a>) {
    stream.last_id = tail.last_id;
    stream.max_deleted_id = tail.max_deleted_id.unwrap_or_default();
    stream.entries_added = tail.entries_added.unwrap_or(tail.length);
    for group in &tail.groups {
        let mut loaded = Group { last_delivered: group.last_id, entries_read: group.entries_read, ..Group::default() };
        for consumer in &group.consumers {
            let times = Consumer { seen_at: consumer.seen, active_at: consumer.active.filter(|at| at.0 >= 0) };
            loaded.consumers.insert(consumer.name.clone(), times);
        }
        for pending in &group.pending {
            let consumer = pending.consumer.and_then(|at| group.consumers.get(usize::try_from(at).ok()?));
            let consumer = consumer.map(|consumer| consumer.name.clone()).unwrap_or_default();
            let entry = Pending { consumer, delivered_at: pending.delivered, deliveries: pending.deliveries };
            loaded.pending.insert(pending.id, entry);
        }
        stream.groups.insert(group.name.clone(), loaded);
    }
    stream.idempotency = tail.idempotence.as_ref().map(|state| {
        let producers =
            state.producers.iter().map(|producer| (producer.id.clone(), producer.ids.iter().cloned().collect()));
        Box::new(Idempotency {
            duration: state.seconds,
            max_size: state.max_entries,
            producers: producers.collect(),
            added: state.added,
            duplicates: state.duplicates,
        })
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Budget;
    use crate::rdb::{Reader, Record};

    /// As redis-server 7.0.15 loads each of them: "rdbLoadObject skipping empty key".
    #[test]
    fn empty_collections_are_passed_over() {
        let ziplist = b"\x0b\x0b\0\0\0\x0a\0\0\0\0\0\xff".as_slice();
        let listpack = b"\x07\x07\0\0\0\0\0\xff".as_slice();
        let twice = [b"\x02".as_slice(), ziplist, ziplist].concat();
        let packed = [b"\x01\x02".as_slice(), listpack].concat();
        let later = [b"\0\0\0\0\0\0\0\0".as_slice(), listpack].concat();
        let bodies: [(u8, &[u8]); 16] = [
            (1, b"\0"),
            (2, b"\0"),
            (3, b"\0"),
            (4, b"\0"),
            (5, b"\0"),
            (10, ziplist),
            (12, ziplist),
            (13, ziplist),
            (14, b"\0"),
            (14, &twice),
            (16, listpack),
            (17, listpack),
            (18, &packed),
            (20, listpack),
            (24, b"\0\0\0\0\0\0\0\0\0"),
            (25, &later),
        ];
        let kept: [(u8, &[u8]); 3] = [(1, b"\x01\0"), (18, b"\x01\x01\0"), (0, b"\0")];
        let keys = |(number, body): (u8, &[u8])| {
            let image = [b"REDIS0012".as_slice(), &[number], b"\x01k", body, b"\xff\0\0\0\0\0\0\0\0"].concat();
            let (mut keyspace, mut buffers) = (Keyspace::default(), Buffers::new(&Budget::default()));
            let mut reader = Reader::new(&image).unwrap();
            while let Some(record) = reader.next_record().unwrap() {
                if let Record::Key(key) = record {
                    keyspace.load(&key, &mut buffers).unwrap();
                    keyspace.load_owned(&key, &mut buffers).unwrap();
                }
            }
            keyspace.len()
        };
        bodies.into_iter().for_each(|body| assert_eq!(keys(body), 0, "{body:?}"));
        kept.into_iter().for_each(|body| assert_eq!(keys(body), 1, "{body:?}"));
    }

    #[test]
    fn a_library_is_named_in_its_first_line() {
        assert_eq!(library_name(b"#!lua name=mylib\nreturn 1"), Some(&b"mylib"[..]));
        assert_eq!(library_name(b"#!js  engine=x name=a b"), Some(&b"a"[..]));
        for code in [&b"redis.call()"[..], b"#!lua\nname=x", b"#!lua name=\n", b""] {
            assert_eq!(library_name(code), None);
        }
    }
}

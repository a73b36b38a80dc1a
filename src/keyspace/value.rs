//! What a key holds.

use super::{hash::Hash, map::Map, stream::Stream, vectors::Vectors, zset::Zset};
use crate::rdb::ValueRef;
use crate::value::{Blob, Kind};
use std::collections::VecDeque;

/// The value of a key. 24 bytes, so that a key with its value and expiry is one cache line.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A string as it was written.
    String(Blob<'a>),
    /// A string that has been changed in place.
    Buffer(Box<Buffer>),
    /// A list, head first.
    List(Box<List<'a>>),
    /// A set.
    Set(Box<Set<'a>>),
    /// A hash.
    Hash(Box<Hash<'a>>),
    /// A sorted set.
    Zset(Box<Zset<'a>>),
    /// A stream.
    Stream(Box<Stream<'a>>),
    /// A vector set.
    Vectors(Box<Vectors<'a>>),
    /// A value of a snapshot that nothing has looked into yet, or that is none of the above.
    Stored(Box<ValueRef<'a>>),
}

/// Elements of a list, head first.
#[derive(Clone, Debug, Default)]
pub struct List<'a>(pub VecDeque<Blob<'a>>);

/// Members of a set.
#[derive(Clone, Debug, Default)]
pub struct Set<'a>(pub Map<'a, ()>);

/// A string that commands change in place.
#[derive(Clone, Debug, Default)]
pub struct Buffer(pub Vec<u8>);

impl<'a> Value<'a> {
    /// The logical type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::String(_) | Self::Buffer(_) => Kind::String,
            Self::List(_) => Kind::List,
            Self::Set(_) => Kind::Set,
            Self::Hash(_) => Kind::Hash,
            Self::Zset(_) => Kind::Zset,
            Self::Stream(_) => Kind::Stream,
            Self::Vectors(_) => Kind::Module,
            Self::Stored(stored) => stored.kind(),
        }
    }

    /// The bytes of a string.
    #[must_use]
    pub fn as_string(&self) -> Option<&[u8]> {
        match self {
            Self::String(blob) => Some(blob),
            Self::Buffer(buffer) => Some(&buffer.0),
            _ => None,
        }
    }

    /// The value as a snapshot stored it, when nothing has looked into it.
    #[must_use]
    pub fn stored(&self) -> Option<ValueRef<'a>> {
        if let Self::Stored(stored) = self { Some(**stored) } else { None }
    }

    /// The bytes of all its texts, or of its stored form.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        let sum = |texts: &mut dyn Iterator<Item = usize>| texts.fold(0u64, |sum, len| sum.saturating_add(len as u64));
        match self {
            Self::String(text) => text.len() as u64,
            Self::Buffer(text) => text.0.len() as u64,
            Self::List(list) => sum(&mut list.0.iter().map(|item| item.len())),
            Self::Set(set) => sum(&mut set.0.keys().map(|member| member.len())),
            Self::Hash(hash) => sum(&mut hash.iter().map(|(field, value)| field.len().saturating_add(value.len()))),
            Self::Zset(zset) => sum(&mut zset.iter().map(|(member, _)| member.len().saturating_add(8))),
            Self::Stream(stream) => {
                sum(&mut stream.entries.values().flat_map(|entry| entry.iter().map(|text| text.len())))
            }
            Self::Vectors(vectors) => vectors.heap_bytes() as u64,
            Self::Stored(stored) => stored.raw().len() as u64,
        }
    }

    /// The bytes of a string, to change.
    pub fn as_buffer(&mut self) -> Option<&mut Vec<u8>> {
        if let Self::String(blob) = self {
            *self = Self::Buffer(Box::new(Buffer(std::mem::take(blob).into_vec())));
        }
        match self {
            Self::Buffer(buffer) => Some(&mut buffer.0),
            _ => None,
        }
    }

    /// The same value with bytes of its own. A stored one has none: decode it first.
    #[must_use]
    pub fn into_owned<'b>(self) -> Value<'b> {
        let own = |blob: &Blob<'_>| Blob::copied(blob);
        match self {
            Self::String(blob) => Value::String(own(&blob)),
            Self::Buffer(buffer) => Value::Buffer(buffer),
            Self::List(list) => List(list.0.iter().map(own).collect()).into_value(),
            Self::Set(set) => Set(set.0.keys().map(|member| (own(member), ())).collect()).into_value(),
            Self::Hash(hash) => hash.to_owned_bytes().into_value(),
            Self::Zset(zset) => zset.to_owned_bytes().into_value(),
            Self::Stream(stream) => stream.to_owned_bytes().into_value(),
            Self::Vectors(vectors) => Value::Vectors(Box::new(vectors.to_owned_bytes())),
            Self::Stored(_) => Value::String(Blob::default()),
        }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::String(blob) => blob.heap_bytes(),
            Self::Buffer(buffer) => buffer.0.capacity(),
            Self::List(list) => {
                let owned: usize = list.0.iter().map(Blob::heap_bytes).sum();
                list.0.capacity().saturating_mul(size_of::<Blob<'_>>()).saturating_add(owned)
            }
            Self::Set(set) => set.0.heap_bytes(),
            Self::Hash(hash) => hash.heap_bytes(),
            Self::Zset(zset) => zset.heap_bytes(),
            Self::Stream(stream) => stream.heap_bytes(),
            Self::Vectors(vectors) => vectors.heap_bytes(),
            Self::Stored(_) => size_of::<ValueRef<'_>>(),
        }
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::String(Blob::from(bytes))
    }
}

/// A collection that a key can hold: how to find it in a [`Value`], and when the key goes.
pub trait Typed<'a>: Default {
    /// Its logical type.
    const KIND: Kind;
    /// The collection in a value, when it is of this type.
    fn of<'v>(value: &'v Value<'a>) -> Option<&'v Self>;
    /// The collection in a value, to change.
    fn of_mut<'v>(value: &'v mut Value<'a>) -> Option<&'v mut Self>;
    /// As the value of a key.
    fn into_value(self) -> Value<'a>;
    /// Does the key disappear with this content?
    fn is_gone(&self) -> bool;
}

macro_rules! typed {
    ($type:ident, $kind:ident, $gone:expr) => {
        impl<'a> Typed<'a> for $type<'a> {
            const KIND: Kind = Kind::$kind;
            #[inline]
            fn of<'v>(value: &'v Value<'a>) -> Option<&'v Self> {
                if let Value::$kind(inner) = value { Some(inner) } else { None }
            }
            #[inline]
            fn of_mut<'v>(value: &'v mut Value<'a>) -> Option<&'v mut Self> {
                if let Value::$kind(inner) = value { Some(inner) } else { None }
            }
            fn into_value(self) -> Value<'a> {
                Value::$kind(Box::new(self))
            }
            fn is_gone(&self) -> bool {
                let gone: fn(&Self) -> bool = $gone;
                gone(self)
            }
        }
    };
}

typed!(List, List, |list| list.0.is_empty());
typed!(Set, Set, |set| set.0.is_empty());
typed!(Hash, Hash, Hash::is_empty);
typed!(Zset, Zset, Zset::is_empty);
typed!(Stream, Stream, |_| false);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_three_words() {
        assert_eq!(size_of::<Value<'_>>(), 24);
        assert_eq!(size_of::<Option<Value<'_>>>(), 24);
    }

    #[test]
    fn a_string_becomes_a_buffer_when_it_is_changed() {
        let mut value = Value::String(Blob::borrowed(b"abc"));
        value.as_buffer().unwrap().push(b'd');
        assert_eq!(value.as_string(), Some(&b"abcd"[..]));
        assert_eq!(Value::List(Box::default()).as_string(), None);
    }
}

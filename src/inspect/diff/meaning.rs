//! A value without its encoding: what has no order is sorted.

use super::side::{Content, Subject};
use crate::bytes::Limits;
use crate::keyspace::vectors::{self, Quantisation};
use crate::keyspace::{Stream, Value, Vectors, load};
use crate::modules::{self, JsonText, NumberKind, PackedNumbers, Tree};
use crate::rdb::object::{MemberExpiries, ModuleRef};
use crate::rdb::{self, Buffers, Element, ValueRef, ValueType};
use crate::value::{Blob, Kind, UnixMillis};

/// A value without its encoding.
#[derive(Debug, PartialEq)]
pub enum Meaning<'m> {
    /// A string.
    String(Blob<'m>),
    /// A list.
    List(Vec<Blob<'m>>),
    /// Members by their bytes, and when one expires.
    Set(Vec<(Blob<'m>, Option<UnixMillis>)>),
    /// Fields by their bytes.
    Hash(Vec<(Blob<'m>, FieldValue<'m>)>),
    /// Members by their bytes.
    Zset(Vec<(Blob<'m>, Score)>),
    /// A stream.
    Stream(Box<StreamMeaning<'m>>),
    /// Used slots.
    Array(Vec<(u64, Blob<'m>)>),
    /// A vector set: what is said of it, and of each element, as JSON.
    VectorSet(Vec<u8>, Vec<(Blob<'m>, Vec<u8>)>),
    /// A value of a module or a fork, as JSON.
    Document(Vec<u8>),
}

/// The value of a field.
#[derive(Debug, PartialEq)]
pub struct FieldValue<'m> {
    /// Its bytes.
    pub value: Blob<'m>,
    /// When the field expires.
    pub expiry: Option<UnixMillis>,
}

/// A score. Zero is zero, whatever its sign: not every encoding can tell.
#[derive(Debug, Clone, Copy)]
pub struct Score(pub f64);

impl PartialEq for Score {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0.is_nan() && other.0.is_nan())
    }
}

/// A stream.
#[derive(Debug)]
pub struct StreamMeaning<'m> {
    held: HeldStream<'m>,
    /// Is it known how many entries were ever added, deleted and read? Dumps before Redis 7.0 do not say.
    pub is_counted: bool,
}

#[derive(Debug)]
enum HeldStream<'m> {
    Decoded(Stream<'m>),
    Live(&'m Stream<'m>),
}

impl<'m> StreamMeaning<'m> {
    /// The stream.
    #[must_use]
    pub fn get(&self) -> &Stream<'m> {
        match &self.held {
            HeldStream::Decoded(stream) => stream,
            HeldStream::Live(stream) => stream,
        }
    }
}

impl PartialEq for StreamMeaning<'_> {
    fn eq(&self, other: &Self) -> bool {
        super::stream::is_same(self, other)
    }
}

impl<'m> Meaning<'m> {
    /// Decode a value.
    ///
    /// # Errors
    /// When it is damaged, or needs more memory than there may be.
    pub fn of(subject: &Subject<'m>, buffers: &mut Buffers) -> rdb::Result<Self> {
        match subject.content {
            Content::Live(value) => Ok(Self::of_live(value)),
            Content::Stored(value) => Self::of_stored(&value, subject.member_expiries, buffers),
        }
    }

    /// Elements; bytes of a string.
    #[must_use]
    pub fn len(&self) -> u64 {
        let len = match self {
            Self::String(text) => text.len(),
            Self::List(items) => items.len(),
            Self::Set(members) => members.len(),
            Self::Hash(fields) => fields.len(),
            Self::Zset(members) => members.len(),
            Self::Stream(stream) => stream.get().len(),
            Self::Array(slots) => slots.len(),
            Self::VectorSet(_, elements) => elements.len(),
            Self::Document(_) => 1,
        };
        u64::try_from(len).unwrap_or(u64::MAX)
    }

    /// True when there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn of_live(value: &'m Value<'m>) -> Self {
        let borrow = |blob: &'m Blob<'m>| Blob::borrowed(blob);
        match value {
            Value::String(_) | Value::Buffer(_) | Value::Stored(_) => {
                Self::String(Blob::borrowed(value.as_string().unwrap_or_default()))
            }
            Value::List(list) => Self::List(list.0.iter().map(borrow).collect()),
            Value::Set(set) => Self::Set(sorted(set.0.keys().map(|member| (borrow(member), None)).collect())),
            Value::Hash(hash) => {
                let fields = hash.iter().map(|(field, value)| {
                    (borrow(field), FieldValue { value: borrow(value), expiry: hash.expiry(field) })
                });
                Self::Hash(sorted(fields.collect()))
            }
            Value::Zset(zset) => {
                Self::Zset(sorted(zset.iter().map(|(member, score)| (borrow(member), Score(score))).collect()))
            }
            Value::Stream(stream) => {
                Self::Stream(Box::new(StreamMeaning { held: HeldStream::Live(stream), is_counted: true }))
            }
            Value::Vectors(vectors) => of_vectors(vectors),
        }
    }

    fn of_stored(
        value: &ValueRef<'m>,
        member_expiries: MemberExpiries<'m>,
        buffers: &mut Buffers,
    ) -> rdb::Result<Self> {
        if value.value_type == ValueType::DragonflyJson {
            return Ok(fork(value, buffers));
        }
        match value.kind() {
            Kind::String => text(value, buffers).map(Self::String),
            Kind::List => list(value, buffers).map(Self::List),
            Kind::Set => {
                let mut members = set(value, buffers)?;
                for found in member_expiries.iter(&mut buffers.first) {
                    let (member, at) = found?;
                    if let Some((_, expiry)) = find(&mut members, &member) {
                        *expiry = Some(at);
                    }
                }
                Ok(Self::Set(members))
            }
            Kind::Hash => {
                let mut fields = hash(value, buffers)?;
                for found in member_expiries.iter(&mut buffers.first) {
                    let (field, at) = found?;
                    if let Some((_, found)) = find(&mut fields, &field) {
                        found.expiry = Some(at);
                    }
                }
                Ok(Self::Hash(fields))
            }
            Kind::Zset => zset(value, buffers).map(Self::Zset),
            Kind::Stream => match load::decode(value, buffers)? {
                Some(Value::Stream(stream)) => Ok(Self::Stream(Box::new(StreamMeaning {
                    held: HeldStream::Decoded(*stream),
                    is_counted: value.value_type != ValueType::StreamListpacks,
                }))),
                _ => Ok(fork(value, buffers)),
            },
            Kind::Array => array(value, buffers).map(Self::Array),
            Kind::Module => module(value, buffers),
        }
    }
}

/// By name; of equal names, which no server writes, the last counts.
fn sorted<V>(mut named: Vec<(Blob<'_>, V)>) -> Vec<(Blob<'_>, V)> {
    if !named.is_sorted_by(|(a, _), (b, _)| a < b) {
        named.reverse();
        named.sort_by(|(a, _), (b, _)| a.cmp(b));
        named.dedup_by(|(a, _), (b, _)| a == b);
    }
    named
}

fn find<'n, 'm, V>(named: &'n mut [(Blob<'m>, V)], name: &[u8]) -> Option<&'n mut (Blob<'m>, V)> {
    let at = named.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok()?;
    named.get_mut(at)
}

fn text<'m>(value: &ValueRef<'m>, buffers: &mut Buffers) -> rdb::Result<Blob<'m>> {
    let mut text = Blob::default();
    value.elements(buffers, &mut |element: Element<'m, '_>| {
        if let Element::Item(piece) = element {
            text = piece.to_blob();
        }
        Ok(())
    })?;
    Ok(text)
}

fn list<'m>(value: &ValueRef<'m>, buffers: &mut Buffers) -> rdb::Result<Vec<Blob<'m>>> {
    let mut items = Vec::new();
    value.elements(buffers, &mut |element: Element<'m, '_>| {
        if let Element::Item(piece) = element {
            items.push(piece.to_blob());
        }
        Ok(())
    })?;
    Ok(items)
}

fn set<'m>(value: &ValueRef<'m>, buffers: &mut Buffers) -> rdb::Result<Vec<(Blob<'m>, Option<UnixMillis>)>> {
    let mut members = Vec::new();
    value.elements(buffers, &mut |element: Element<'m, '_>| {
        if let Element::Member(piece, expiry) = element {
            members.push((piece.to_blob(), expiry));
        }
        Ok(())
    })?;
    Ok(sorted(members))
}

fn hash<'m>(value: &ValueRef<'m>, buffers: &mut Buffers) -> rdb::Result<Vec<(Blob<'m>, FieldValue<'m>)>> {
    let mut fields = Vec::new();
    value.elements(buffers, &mut |element: Element<'m, '_>| {
        if let Element::Field { field, value, expiry } = element {
            fields.push((field.to_blob(), FieldValue { value: value.to_blob(), expiry }));
        }
        Ok(())
    })?;
    Ok(sorted(fields))
}

fn zset<'m>(value: &ValueRef<'m>, buffers: &mut Buffers) -> rdb::Result<Vec<(Blob<'m>, Score)>> {
    let mut members = Vec::new();
    value.elements(buffers, &mut |element: Element<'m, '_>| {
        if let Element::Scored(member, score) = element {
            members.push((member.to_blob(), Score(score)));
        }
        Ok(())
    })?;
    Ok(sorted(members))
}

fn array<'m>(value: &ValueRef<'m>, buffers: &mut Buffers) -> rdb::Result<Vec<(u64, Blob<'m>)>> {
    let mut slots = Vec::new();
    value.elements(buffers, &mut |element: Element<'m, '_>| {
        if let Element::Slot(index, piece) = element {
            slots.push((index, piece.to_blob()));
        }
        Ok(())
    })?;
    Ok(slots)
}

fn module<'m>(value: &ValueRef<'m>, buffers: &mut Buffers) -> rdb::Result<Meaning<'m>> {
    let mut module = None;
    value.elements(buffers, &mut |element: Element<'m, '_>| {
        if let Element::Module(found) = element {
            module = Some(found);
        }
        Ok(())
    })?;
    match module {
        Some(module) => of_module(&module, buffers),
        None => Ok(fork(value, buffers)),
    }
}

/// A vector set that commands made: the stored vectors in hexadecimal.
fn of_module<'m>(module: &ModuleRef<'m>, buffers: &mut Buffers) -> rdb::Result<Meaning<'m>> {
    if let Some(vectors) = vectors::decode(module, buffers)? {
        return Ok(of_vectors(&vectors));
    }
    let mut json = Vec::new();
    modules::write_json(module, &mut buffers.first, &mut json);
    Ok(Meaning::Document(json))
}

/// A vector set without the graph, which is built anew whenever the set is, and with vectors as they are stored, which
/// is all that a log tells exactly.
fn of_vectors<'m>(vectors: &Vectors<'m>) -> Meaning<'m> {
    let (dimension, quantisation) = (vectors.dimension, vectors.quantisation);
    let settings = format!("{{\"dim\":{dimension},\"quantization\":\"{}\"}}", quantisation.name());
    let kind = match quantisation {
        Quantisation::None => NumberKind::F32,
        Quantisation::Q8 => NumberKind::I8,
        Quantisation::Binary => NumberKind::Sign,
    };
    let elements = vectors.elements.iter().map(|(element, vector)| {
        let numbers = PackedNumbers::first(kind, dimension, Blob::borrowed(&vector.stored));
        let mut json = b"{\"attributes\":".to_vec();
        attributes(&vector.attributes).write_json(&mut json);
        json.extend_from_slice(b",\"stored\":");
        numbers.map_or_else(|| Tree::Text(Blob::borrowed(&vector.stored)), Tree::Numbers).write_json(&mut json);
        json.push(b'}');
        (element.clone(), json)
    });
    Meaning::VectorSet(settings.into_bytes(), sorted(elements.collect()))
}

fn attributes(text: &[u8]) -> Tree<'_> {
    if text.is_empty() {
        return Tree::Null;
    }
    let text = Blob::borrowed(text);
    JsonText::new(text.clone(), Limits::DEEPEST).map_or(Tree::Text(text), Tree::Json)
}

/// What only a fork writes: decoded, or the bytes.
fn fork<'m>(value: &ValueRef<'m>, buffers: &mut Buffers) -> Meaning<'m> {
    let mut json = Vec::new();
    match modules::decode_fork(value, &mut buffers.first) {
        Some(tree) => tree.write_json(&mut json),
        None => crate::value::json::bytes(value.raw(), &mut json),
    }
    Meaning::Document(json)
}

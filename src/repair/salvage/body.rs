//! Values of guessed records: read as writers write them, and weighed.

use super::shape::{Shape, is_text};
use super::strict::{Strict, Text};
use crate::bytes::{Budget, Cursor, lzf};
use crate::check::value::Inspector;
use crate::finding::Severity;
use crate::packed::{listpack, ziplist};
use crate::rdb::object::{self, Template};
use crate::rdb::{ValueRef, ValueType};
use crate::replay::hyperloglog;

/// What speaks for a value, in bits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Evidence {
    /// All of it.
    pub(super) bits: f64,
    /// The part that comes from nested blobs.
    pub(super) blob: f64,
    /// The part that comes from elements that are stored one by one: those of any collection read like this.
    pub(super) elements: f64,
}

const LISTPACK: f64 = 24.0;
const INTSET: f64 = 20.0;
const MODULE: f64 = 30.0;
/// Its runs end with the last of 16,384 registers.
const HYPERLOGLOG: f64 = 40.0;
/// The elements of a collection that are weighed as a whole; each further string counts by itself. Without that, the
/// elements of a long collection, taken for records one by one, would outweigh the record that contains them.
const FIRST_ELEMENTS: u64 = 8;
const FURTHER_STRING: f64 = 12.0;

/// Read a value's body and weigh it.
pub(super) fn read(s: &mut Strict<'_>, value_type: ValueType, inspector: &mut Inspector) -> Option<Evidence> {
    let start = s.at();
    let mut evidence = walk(s, value_type)?;
    let value = ValueRef::new(value_type, s.since(start), u64::try_from(start).ok()?);
    let mut sound = true;
    inspector.inspect(&value, &mut |problem| match problem.severity {
        Severity::Error => sound = false,
        _ => evidence.bits -= 10.0,
    });
    sound.then_some(evidence)
}

fn walk(s: &mut Strict<'_>, value_type: ValueType) -> Option<Evidence> {
    match value_type {
        ValueType::String => Some(string_evidence(&s.string()?)),
        ValueType::List | ValueType::Set | ValueType::Hash | ValueType::Zset | ValueType::Zset2 => {
            collection(s, value_type)
        }
        ValueType::HashMetadata | ValueType::ValkeyHash2 | ValueType::HashMetadataPreGa => collection(s, value_type),
        ValueType::ListZiplist
        | ValueType::ZsetZiplist
        | ValueType::HashZiplist
        | ValueType::HashListpack
        | ValueType::ZsetListpack
        | ValueType::SetListpack
        | ValueType::HashListpackExPreGa => blob(s, LISTPACK),
        ValueType::HashListpackEx => {
            s.take(8)?;
            blob(s, LISTPACK)
        }
        ValueType::SetIntset => blob(s, INTSET),
        ValueType::HashZipmap => blob(s, 8.0),
        ValueType::ListQuicklist | ValueType::ListQuicklist2 => quicklist(s, value_type),
        ValueType::StreamListpacks | ValueType::StreamListpacks2 | ValueType::StreamListpacks3 => stream(s, value_type),
        ValueType::Module2 => module(s).map(|()| Evidence { bits: MODULE, blob: MODULE, elements: 0.0 }),
        ValueType::HashTemplateListpackRef | ValueType::HashTemplateArrayRef => None,
        _ => rare(s, value_type),
    }
}

/// The most that looking for the end of a value may take, which is but a guess here.
const MOST_NAMES: u64 = 1 << 20;

/// Types that few files have are read as a reader reads them.
fn rare(s: &mut Strict<'_>, value_type: ValueType) -> Option<Evidence> {
    let rest = s.back_at(s.at()).take(u64::try_from(s.remaining()).ok()?)?;
    let mut c = Cursor::new(rest);
    object::skim(value_type, &mut c, Template::NONE, &Budget::new(MOST_NAMES)).ok()?;
    s.take(c.offset())?;
    Some(Evidence { bits: 4.0, ..Evidence::default() })
}

fn string_evidence(text: &Text<'_>) -> Evidence {
    match text.plain().filter(|bytes| bytes.starts_with(b"HYLL")) {
        Some(bytes) if hyperloglog::is_whole(bytes) => Evidence { bits: HYPERLOGLOG, blob: HYPERLOGLOG, elements: 0.0 },
        Some(_) => Evidence { bits: -16.0, ..Evidence::default() },
        None => Evidence { bits: string_bits(text), ..Evidence::default() },
    }
}

fn string_bits(text: &Text<'_>) -> f64 {
    match text {
        Text::Int(_) => 2.0,
        Text::Lzf { compressed, .. } => lzf_bits(compressed),
        Text::Plain(bytes) => {
            let weight = (length(bytes.len()) / 4.0).min(4.0);
            if is_text(bytes) { weight * 2.0 } else { weight / 2.0 }
        }
    }
}

fn lzf_bits(compressed: &[u8]) -> f64 {
    (10.0 + length(compressed.len()) / 8.0).min(24.0)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn length(len: usize) -> f64 {
    len as f64
}

/// One string that is a packed blob; that it walks is seen by the inspector.
fn blob(s: &mut Strict<'_>, bits: f64) -> Option<Evidence> {
    let text = s.string()?;
    let lzf = match text {
        Text::Int(_) => return None,
        Text::Plain(bytes) if bits >= LISTPACK && !claims_its_length(bytes) => return None,
        Text::Plain(_) => 0.0,
        Text::Lzf { compressed, .. } => lzf_bits(compressed),
    };
    Some(Evidence { bits: bits + lzf, blob: bits + lzf, elements: 0.0 })
}

fn claims_its_length(bytes: &[u8]) -> bool {
    let claim = bytes.first_chunk::<4>().map(|total| u32::from_le_bytes(*total));
    claim.is_some_and(|total| usize::try_from(total) == Ok(bytes.len()))
}

fn quicklist(s: &mut Strict<'_>, value_type: ValueType) -> Option<Evidence> {
    let mut evidence = Evidence::default();
    for _ in 0..s.count(2)? {
        let plain = value_type == ValueType::ListQuicklist2 && s.length()? == 1;
        if plain {
            evidence.bits += string_bits(&s.string()?);
        } else {
            let node = blob(s, LISTPACK)?;
            evidence.bits += node.bits;
            evidence.blob += node.blob;
        }
    }
    Some(evidence)
}

fn stream(s: &mut Strict<'_>, value_type: ValueType) -> Option<Evidence> {
    let start = s.at();
    let mut evidence = Evidence { bits: 4.0, blob: 4.0, elements: 0.0 };
    for _ in 0..s.length()? {
        s.string()?.plain().filter(|id| id.len() == 16)?;
        let node = blob(s, LISTPACK)?;
        evidence.bits += node.bits;
        evidence.blob += node.blob;
    }
    *s = s.back_at(start);
    rare(s, value_type)?;
    Some(evidence)
}

/// The opcode stream of a module's value; ids below 2³² are no module's.
pub(super) fn module(s: &mut Strict<'_>) -> Option<()> {
    s.length().filter(|&id| id > u64::from(u32::MAX))?;
    module_stream(s)
}

pub(super) fn module_stream(s: &mut Strict<'_>) -> Option<()> {
    loop {
        match s.length()? {
            0 => return Some(()),
            1 | 2 => {
                s.length()?;
            }
            3 => {
                s.take(4)?;
            }
            4 => {
                s.take(8)?;
            }
            5 => {
                s.string()?;
            }
            _ => return None,
        }
    }
}

/// A collection that stores its elements one by one.
fn collection(s: &mut Strict<'_>, value_type: ValueType) -> Option<Evidence> {
    if value_type == ValueType::HashMetadata {
        s.take(8)?;
    }
    let count = s.count(smallest_element(value_type)?)?;
    let (mut text, mut further, mut order) = (0.0, 0.0, Order::default());
    for index in 0..count {
        let element = element(s, value_type)?;
        order.note(element.score);
        for string in [Some(element.name), element.value].into_iter().flatten() {
            if index < FIRST_ELEMENTS {
                text += text_bits(&string);
            } else if string.len() > 0 {
                further += if is_binary(&string) { 0.0 } else { FURTHER_STRING };
            }
        }
    }
    let elements = f64::from(u32::try_from(count.min(12)).unwrap_or(12));
    let bits = elements + text.clamp(-8.0, 16.0) + further + order.bits(value_type, elements);
    Some(Evidence { bits, blob: 0.0, elements: bits })
}

/// What garbage reads as, most of the time.
fn is_binary(string: &Text<'_>) -> bool {
    matches!(string, Text::Plain(bytes) if !is_text(bytes))
}

fn text_bits(string: &Text<'_>) -> f64 {
    match string {
        Text::Plain([]) => 0.0,
        Text::Plain(bytes) if is_text(bytes) => (length(bytes.len()) / 2.0).min(3.0),
        Text::Plain(_) => -2.0,
        Text::Int(_) => 0.5,
        Text::Lzf { .. } => 3.0,
    }
}

/// Scores descend as servers write them.
#[derive(Default)]
struct Order {
    last: Option<f64>,
    broken: bool,
}

impl Order {
    fn note(&mut self, score: Option<f64>) {
        if let (Some(last), Some(score)) = (self.last, score) {
            self.broken |= score > last;
        }
        self.last = score;
    }

    fn bits(&self, value_type: ValueType, elements: f64) -> f64 {
        match (value_type, self.broken) {
            (ValueType::Zset2, false) => elements,
            (ValueType::Zset2, true) => -10.0,
            _ => 0.0,
        }
    }
}

/// One element of a collection that stores them one by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    /// The member, field or item.
    pub(super) name: Text<'a>,
    /// The value of a field.
    pub(super) value: Option<Text<'a>>,
    /// The score of a member of a sorted set.
    pub(super) score: Option<f64>,
}

impl Element<'_> {
    pub(super) fn shape(&self) -> Option<Shape> {
        match self.name {
            Text::Plain(bytes) => Some(Shape::of(bytes)),
            Text::Int(value) => Some(Shape::of_int(value)),
            Text::Lzf { .. } => None,
        }
    }
}

/// The fewest bytes that an element takes; `None` for values that are not made of elements.
pub(super) fn smallest_element(value_type: ValueType) -> Option<usize> {
    Some(match value_type {
        ValueType::List | ValueType::Set => 1,
        ValueType::Hash | ValueType::Zset => 2,
        ValueType::HashMetadata | ValueType::HashMetadataPreGa => 3,
        ValueType::Zset2 => 9,
        ValueType::ValkeyHash2 => 10,
        ValueType::ListQuicklist => 12,
        ValueType::ListQuicklist2 => 2,
        ValueType::StreamListpacks | ValueType::StreamListpacks2 | ValueType::StreamListpacks3 => 24,
        _ => return None,
    })
}

/// Read one element.
pub(super) fn element<'a>(s: &mut Strict<'a>, value_type: ValueType) -> Option<Element<'a>> {
    let plain = |name| Element { name, value: None, score: None };
    match value_type {
        ValueType::List | ValueType::Set => s.string().map(plain),
        ValueType::Hash => {
            let name = s.string()?;
            Some(Element { value: Some(s.string()?), ..plain(name) })
        }
        ValueType::HashMetadata | ValueType::HashMetadataPreGa => {
            s.length()?;
            let name = s.string()?;
            Some(Element { value: Some(s.string()?), ..plain(name) })
        }
        ValueType::ValkeyHash2 => {
            let (name, value) = (s.string()?, s.string()?);
            (i64::from_le_bytes(s.array()?) >= -1).then_some(Element { value: Some(value), ..plain(name) })
        }
        ValueType::Zset2 => {
            let name = s.string()?;
            let score = f64::from_le_bytes(s.array()?);
            (!score.is_nan()).then_some(Element { score: Some(score), ..plain(name) })
        }
        ValueType::Zset => {
            let name = s.string()?;
            let len = s.u8()?;
            let text = if len < 253 { s.take(len.into())? } else { b"" };
            let number = text.iter().all(|byte| byte.is_ascii_digit() || b"+-.einfa".contains(byte));
            (len != 253 && number && len > 0).then_some(plain(name))
        }
        ValueType::ListQuicklist => node(s).map(plain),
        ValueType::ListQuicklist2 => match s.length()? {
            1 => s.string().map(plain),
            2 => node(s).map(plain),
            _ => None,
        },
        ValueType::StreamListpacks | ValueType::StreamListpacks2 | ValueType::StreamListpacks3 => {
            s.string()?.plain().filter(|id| id.len() == 16)?;
            node(s).map(plain)
        }
        _ => None,
    }
}

/// Does a node hold what it claims? One whose end is hit claims bytes of the record behind it.
pub(super) fn is_sound_node(node: &Element<'_>, stored: &[u8], value_type: ValueType) -> bool {
    let mut expanded = Vec::new();
    let bytes = match node.name {
        Text::Plain(bytes) => bytes,
        Text::Int(_) => return true,
        Text::Lzf { compressed, len } => {
            if lzf::decompress(compressed, len, &mut expanded).is_err() {
                return false;
            }
            &expanded
        }
    };
    match value_type {
        ValueType::ListQuicklist => ziplist::verify(bytes).is_ok(),
        // A long item is a node by itself.
        ValueType::ListQuicklist2 if stored.first() == Some(&1) => true,
        _ => listpack::verify(bytes).is_ok(),
    }
}

/// A node that claims to be a packed blob.
fn node<'a>(s: &mut Strict<'a>) -> Option<Text<'a>> {
    let text = s.string()?;
    match text {
        Text::Plain(bytes) if claims_its_length(bytes) => Some(text),
        Text::Lzf { .. } => Some(text),
        _ => None,
    }
}

//! Collections that were open where reading failed: their heads are known, and the rest of their elements lies somewhere
//! behind the damage. Taken for records, those elements would be keys that never were.

use std::collections::HashSet;
use std::ops::Range;

use super::body::{self, Element};
use super::field::Field;
use super::path::Chosen;
use super::profile::Profile;
use super::strict::{Strict, Text};
use super::unit::{Key, What};
use crate::rdb::{Dialect, ValueType, opcode};

/// Strings read when elements are followed.
const STEPS: u32 = 1 << 22;
/// A file cut inside a collection ends this close behind its last whole element.
const CUT: usize = 300;

/// Type, key and count of a collection that could be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Where its record begins.
    pub(super) start: usize,
    pub(super) value_type: ValueType,
    /// How many elements it claims.
    pub(super) count: u64,
    /// Where that count stands.
    pub(super) count_at: usize,
    /// Where the first of them begins.
    pub(super) elements: usize,
}

/// The head of the collection record at an offset.
pub(super) fn head(field: &Field<'_>, start: usize) -> Option<Head> {
    head_in(field.bytes(), start, field.reading.dialect)
}

/// The same in any bytes.
pub(super) fn head_in(bytes: &[u8], start: usize, dialect: Dialect) -> Option<Head> {
    let mut s = Strict::new(bytes, start, STEPS);
    let value_type = type_and_key(&mut s, dialect)?;
    body::smallest_element(value_type)?;
    if value_type == ValueType::HashMetadata {
        s.take(8)?;
    }
    let count_at = s.at();
    let count = s.length().filter(|&count| count > 0)?;
    Some(Head { start, value_type, count, count_at, elements: s.at() })
}

/// Step over the prefixes, the type and the key of a record.
pub(super) fn type_and_key(s: &mut Strict<'_>, dialect: Dialect) -> Option<ValueType> {
    loop {
        match s.u8()? {
            opcode::EXPIRETIME_MS => s.take(8)?,
            opcode::EXPIRETIME => s.take(4)?,
            opcode::FREQ => s.take(1)?,
            opcode::IDLE => {
                s.length()?;
                &[]
            }
            byte => {
                let value_type = ValueType::from_byte(byte, dialect)?;
                s.string()?;
                return Some(value_type);
            }
        };
    }
}

/// The elements of a head, as far as they read: up to damage, and a member that was there before is damage.
fn elements<'a>(field: &Field<'a>, head: &Head) -> (Vec<Element<'a>>, usize) {
    let mut s = Strict::new(field.bytes(), head.elements, STEPS);
    let (mut elements, mut names) = (Vec::new(), Names::of(head));
    while (elements.len() as u64) < head.count {
        let before = s;
        match body::element(&mut s, head.value_type).filter(|element| names.are_new(element)) {
            Some(element) => elements.push(element),
            None => return (elements, before.at()),
        }
    }
    (elements, s.at())
}

/// The members met so far, of collections that have each once.
struct Names<'a>(Option<HashSet<Text<'a>>>);

impl<'a> Names<'a> {
    fn of(head: &Head) -> Self {
        let repeats = is_nodes(head.value_type) || head.value_type == ValueType::List;
        Self((!repeats).then(HashSet::new))
    }

    fn are_new(&mut self, element: &Element<'a>) -> bool {
        self.0.as_mut().is_none_or(|names| names.insert(element.name))
    }
}

/// Learn what the elements of an open collection look like.
pub(super) fn learn(field: &Field<'_>, head: &Head, profile: &mut Profile) {
    for shape in elements(field, head).0.iter().filter_map(Element::shape) {
        profile.learn_element(shape);
    }
}

/// True when the file was cut inside this collection: the rest of it is that record.
pub(super) fn reaches_the_end(field: &Field<'_>, head: &Head) -> bool {
    let trailer = if field.reading.version >= crate::rdb::FIRST_WITH_CHECKSUM { 9 } else { 1 };
    let last = field.len().checked_sub(trailer).and_then(|at| field.bytes().get(at));
    if last == Some(&opcode::EOF) {
        return false;
    }
    let (elements, end) = elements(field, head);
    (elements.len() as u64) < head.count && elements.len() >= 3 && end.saturating_add(CUT) >= field.len()
}

/// Where the elements of an open collection go on behind the damage.
///
/// From each offset of `range` elements are read, up to the first place where a strong unit begins. Three of them (one
/// node of a list or stream), most of them of a known element shape, and they are the tail.
pub(super) fn tail(field: &mut Field<'_>, profile: &Profile, head: &Head, range: Range<usize>) -> Option<Range<usize>> {
    let mut failed = HashSet::new();
    for from in range.clone() {
        if let Some(end) = tail_from(field, profile, head, from, range.end, &mut failed)
            && are_sound(field, head, from..end)
        {
            return Some(from..end);
        }
    }
    None
}

/// True unless these are nodes of which one does not hold what it claims.
fn are_sound(field: &Field<'_>, head: &Head, nodes: Range<usize>) -> bool {
    let mut s = Strict::new(field.bytes(), nodes.start, STEPS);
    while s.at() < nodes.end {
        let start = s.at();
        let Some(element) = body::element(&mut s, head.value_type) else { return false };
        if is_nodes(head.value_type) && !body::is_sound_node(&element, s.since(start), head.value_type) {
            return false;
        }
    }
    true
}

fn tail_from(
    field: &mut Field<'_>,
    profile: &Profile,
    head: &Head,
    from: usize,
    limit: usize,
    failed: &mut HashSet<usize>,
) -> Option<usize> {
    let nodes = is_nodes(head.value_type);
    let mut s = Strict::new(field.bytes(), from, STEPS);
    let (mut count, mut alike, mut keys) = (0u64, 0u64, 0u32);
    let mut passed = Vec::new();
    loop {
        let at = s.at();
        let enough = count >= if nodes { 1 } else { 3 };
        if at > limit || count > head.count || keys > 1 || failed.contains(&at) && count > 0 {
            break;
        }
        if count > 0 && (is_strong(field, profile, at) || at == limit) {
            if enough && (nodes || alike * 2 >= count) {
                return Some(at);
            }
            break;
        }
        keys += u32::from(field.unit(at).is_some_and(|unit| unit.key().is_some_and(|key| is_key_shape(profile, key))));
        passed.push(at);
        let before = s;
        let Some(element) = body::element(&mut s, head.value_type) else {
            if enough && alike * 2 >= count && begins_three(field, profile, before.at()) {
                return Some(before.at());
            }
            break;
        };
        count += 1;
        alike += u64::from(nodes || element.shape().is_some_and(|shape| profile.is_element(shape)));
    }
    failed.extend(passed);
    None
}

/// True for values whose elements are nodes of many elements each.
pub(super) fn is_nodes(value_type: ValueType) -> bool {
    !matches!(
        value_type,
        ValueType::List
            | ValueType::Set
            | ValueType::Hash
            | ValueType::Zset
            | ValueType::Zset2
            | ValueType::HashMetadata
            | ValueType::HashMetadataPreGa
            | ValueType::ValkeyHash2
    )
}

/// A shape that keys have and elements have not.
fn is_key_shape(profile: &Profile, key: &Key) -> bool {
    profile.knows(key.shape) && !profile.is_element(key.shape)
}

/// A unit that is hardly anything else.
pub(super) fn is_strong(field: &mut Field<'_>, profile: &Profile, at: usize) -> bool {
    let Some((unit, bits)) = field.weighed(at, profile) else { return false };
    match unit.what {
        What::End => true,
        What::Select(_) => field.unit(unit.end).is_some_and(|next| matches!(next.what, What::Resize { .. })),
        What::Key(key) => bits >= 14.0 && is_key_shape(profile, &key) && field.unit(unit.end).is_some(),
        _ => false,
    }
}

/// The same with a key of a known shape behind it: one element among thousands may look like a key, two in a row do not.
fn is_certain(field: &mut Field<'_>, profile: &Profile, at: usize) -> bool {
    let next = field.unit(at).and_then(|unit| field.unit(unit.end));
    let is_known = |key: &Key| is_key_shape(profile, key);
    is_strong(field, profile, at) && next.is_none_or(|next| next.key().is_none_or(is_known))
}

fn begins_three(field: &mut Field<'_>, profile: &Profile, mut at: usize) -> bool {
    for _ in 0..3 {
        match field.weighed(at, profile) {
            Some((unit, _)) if matches!(unit.what, What::End) => return true,
            Some((unit, _)) => at = unit.end,
            None => return false,
        }
    }
    true
}

/// The tails of all collections that the gaps of a path opened.
pub(super) fn tails(
    field: &mut Field<'_>,
    profile: &Profile,
    path: &[Chosen],
    failures: &[(usize, Option<usize>)],
) -> Vec<Range<usize>> {
    let mut tails = Vec::new();
    for &(failure, before) in failures {
        let Some(end) = next_strong(field, profile, path, failure) else { continue };
        if let Some(head) = head(field, failure) {
            let part = sound_part(field, profile, &head, end);
            tails.extend(part.filter(|part| is_nodes(head.value_type) || !holds_records(path, part)));
        }
        for start in [Some(failure), before].into_iter().flatten() {
            let Some(head) = head(field, start) else { continue };
            let from = failure.max(head.elements);
            let tail = tail(field, profile, &head, from..end);
            if let Some(tail) = tail.filter(|tail| is_nodes(head.value_type) || !holds_records(path, tail)) {
                tails.push(tail);
                break;
            }
        }
    }
    tails
}

/// True when a stretch holds records that no strings one behind the other are taken for: with nested blobs or expiries,
/// and not just by accident among many.
fn holds_records(path: &[Chosen], stretch: &Range<usize>) -> bool {
    let keys = || path.iter().filter(|(unit, _)| stretch.contains(&unit.start)).filter_map(|(unit, _)| unit.key());
    let strong = keys().filter(|key| key.blob > 0.0 || key.expires).count();
    strong >= 2 && strong * 6 >= keys().count()
}

/// The elements of an open collection before the damage. Elements that run over the place where a strong unit begins say
/// nothing: their count or a length is wrong, and true records may be among them. A member that was there before is damage.
fn sound_part(field: &mut Field<'_>, profile: &Profile, head: &Head, limit: usize) -> Option<Range<usize>> {
    let mut s = Strict::new(field.bytes(), head.elements, STEPS);
    let mut count = 0u64;
    let mut names = Names::of(head);
    while count < head.count {
        let before = s;
        let strong = count > 0 && is_certain(field, profile, before.at());
        let element = if strong { None } else { body::element(&mut s, head.value_type) };
        let is_new = element.as_ref().is_some_and(|element| {
            let raw = s.since(before.at());
            names.are_new(element) && (!is_nodes(head.value_type) || body::is_sound_node(element, raw, head.value_type))
        });
        if !is_new {
            s = before;
            break;
        }
        count += 1;
        if s.at() > limit {
            return None;
        }
    }
    (count >= if is_nodes(head.value_type) { 1 } else { 3 }).then_some(head.start + 1..s.at())
}

/// Where the first strong unit of the path behind an offset begins.
fn next_strong(field: &mut Field<'_>, profile: &Profile, path: &[Chosen], at: usize) -> Option<usize> {
    let first = path.partition_point(|(unit, _)| unit.start <= at);
    let behind = path.get(first..).unwrap_or_default();
    behind.iter().map(|(unit, _)| unit.start).find(|&start| is_certain(field, profile, start))
}

/// Dragonfly writes its own collections, which are not looked for.
pub(super) fn is_supported(dialect: Dialect) -> bool {
    dialect != Dialect::Dragonfly
}

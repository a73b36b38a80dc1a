//! Sets.
//!
//! | type | body |
//! | --- | --- |
//! | 2 | count, then each member as a string |
//! | 11 | one string: an intset |
//! | 20 | one string: a listpack |
//!
//! Source: Redis `src/rdb.c`, `rdbLoadObject`.

use super::{Buffers, Element, Visit, blob_offset, next_piece, with_blob};
use crate::bytes::Cursor;
use crate::packed::{intset, intset::Intset, listpack::Listpack};
use crate::rdb::encode::{Encoder, Out, Outcome, Plan, Survey, Walk};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::opcode::ValueType;
use crate::rdb::string::{self, Scratch, StringRef};
use crate::rdb::target::{LIMITS, Target};
use crate::value::Piece;
use crate::value::number::canonical_int;

pub(super) fn plain<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        visit(Element::Member(string::decode(c)?.read(&mut buffers.first)?, None))?;
    }
    Ok(())
}

pub(super) fn intset<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    let blob = node.read(&mut buffers.first)?;
    let mut text = itoa::Buffer::new();
    for value in Intset::new(&blob).map_err(|e| Error::packed(at, e))?.iter() {
        visit(Element::Member(Piece::Passing(text.format(value).as_bytes()), None))?;
    }
    Ok(())
}

pub(super) fn listpack<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        let mut iter = Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter();
        let mut text = itoa::Buffer::new();
        while let Some(member) = next_piece(&mut iter, at, wrap, &mut text)? {
            visit(Element::Member(member, None))?;
        }
    });
    Ok(())
}

pub(super) fn intset_count(string: &StringRef<'_>, scratch: &mut Scratch) -> Result<u64> {
    let header = string.prefix(8, scratch)?;
    let count = header.get(4..8).and_then(|bytes| bytes.first_chunk::<4>());
    count
        .map(|bytes| u32::from_le_bytes(*bytes).into())
        .ok_or_else(|| Error::invalid(string.offset, "intset-truncated", "an intset is shorter than its header"))
}

/// How a set is written. One without members is not written as an intset: servers skip an empty set, but take an empty
/// intset for damage.
pub(in crate::rdb) fn plan(survey: &Survey, target: &Target) -> Plan {
    let value_type = if survey.all_integers && (1..=LIMITS.intset_entries).contains(&survey.count) {
        ValueType::SetIntset
    } else if target.packs_sets() && survey.count <= LIMITS.set_entries && survey.longest <= LIMITS.element_bytes {
        ValueType::SetListpack
    } else {
        ValueType::Set
    };
    let lost = survey.smallest_expiry.map(|_| "the expiry of set members");
    Plan { lost, ..Plan::new(value_type, survey.count) }
}

pub(in crate::rdb) fn encode<'a>(
    plan: &Plan,
    encoder: &mut Encoder,
    value: &mut dyn Walk<'a>,
    out: &mut Out<'_>,
) -> Outcome<()> {
    let Encoder { strings, packer, .. } = encoder;
    let mut integers = intset::Builder::new();
    packer.clear();
    if plan.value_type == ValueType::Set {
        length::encode(plan.count, out.bytes);
    }
    value.walk(&mut |element| {
        let Element::Member(member, _) = element else { return Ok(()) };
        match plan.value_type {
            ValueType::SetIntset => canonical_int(&member).into_iter().for_each(|value| integers.push(value)),
            ValueType::SetListpack => packer.push(&member),
            _ => strings.encode(&member, out.bytes),
        }
        out.settle();
        Ok(())
    })?;
    match plan.value_type {
        ValueType::SetIntset => strings.encode(&integers.finish(), out.bytes),
        ValueType::SetListpack => strings.encode(packer.blob(), out.bytes),
        _ => {}
    }
    Ok(())
}

//! Hashes, with and without field expiry.
//!
//! | type | body |
//! | --- | --- |
//! | 4 | count of pairs, then field and value as strings |
//! | 9 | one string: a zipmap |
//! | 13, 16 | one string: a ziplist, a listpack of field, value, … |
//! | 22 (Redis) | count, then expiry (length, ms, 0 none), field, value |
//! | 22 (Valkey) | count, then field, value, expiry (i64 LE ms, -1 none) |
//! | 23 | one string: a listpack of field, value, expiry (ms, 0 none), … |
//! | 24 | smallest expiry (i64 LE), count, then ttl (length), field, value; 0 none, else expiry = smallest + ttl - 1 |
//! | 25 | smallest expiry (i64 LE), then as 23 |
//! | 29, 31 | field names, then values in a listpack (behind a template id) or as strings |
//! | 30, 32 | the same with the field names in an earlier `HASH_TEMPLATE` record |
//!
//! Source: Redis `src/rdb.c`; Valkey 9 `src/rdb.c`; the template forms (Redis 8.10) only from secondary sources.

use super::{
    Buffers, Element, Packed, ValueRef, Visit, blob_offset, listpack_count, next_piece, odd_count, walked, with_blob,
};
use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Cursor};
use crate::packed::{self, listpack::Listpack, ziplist::Ziplist, zipmap::Zipmap};
use crate::rdb::encode::{Encoder, Out, Outcome, Packer, Plan, Survey, Walk};
use crate::rdb::error::{Error, ErrorKind, Result};
use crate::rdb::length;
use crate::rdb::opcode::ValueType;
use crate::rdb::string::{self, Scratch, StringRef};
use crate::rdb::target::{FieldExpiry, LIMITS, Packing, Target};
use crate::value::{Blob, Piece, UnixMillis};

/// The largest expiry of a field that Redis stores: 48 bits.
pub(crate) const MAX_FIELD_EXPIRY: i64 = (1 << 48) - 1;

pub(super) fn plain<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        pair(c, None, buffers, visit)?;
    }
    Ok(())
}

fn pair<'a>(
    c: &mut Cursor<'a>,
    expiry: Option<UnixMillis>,
    buffers: &mut Buffers,
    visit: &mut impl Visit<'a>,
) -> Result<()> {
    let field = string::decode(c)?.read(&mut buffers.first)?;
    let value = string::decode(c)?.read(&mut buffers.second)?;
    visit(Element::Field { field, value, expiry })
}

pub(super) fn zipmap<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        for pair in Zipmap::new(blob).map_err(|e| Error::packed(at, e))?.iter() {
            let (field, value) = pair.map_err(|e| Error::packed(at, e))?;
            visit(Element::Field { field: wrap(field), value: wrap(value), expiry: None })?;
        }
    });
    Ok(())
}

pub(super) fn zipmap_count(string: &StringRef<'_>, scratch: &mut Scratch) -> Result<u64> {
    let at = blob_offset(string);
    match string.prefix(1, scratch)?.first() {
        Some(&count @ 0..=253) => Ok(count.into()),
        _ => {
            let blob = string.read(scratch)?;
            walked(Zipmap::new(&blob).map_err(|e| Error::packed(at, e))?.iter(), at)
        }
    }
}

pub(super) fn ziplist<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        pairs(&mut Ziplist::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)
    })
}

pub(super) fn listpack<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        pairs(&mut Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)
    })
}

fn pairs<'a, 'x, 'e>(
    iter: &mut impl Packed<'x>,
    at: u64,
    wrap: impl Fn(&'x [u8]) -> Piece<'a, 'e>,
    visit: &mut impl Visit<'a>,
) -> Result<()> {
    let (mut field_text, mut value_text) = (itoa::Buffer::new(), itoa::Buffer::new());
    while let Some(field) = next_piece(iter, at, &wrap, &mut field_text)? {
        let value = next_piece(iter, at, &wrap, &mut value_text)?.ok_or_else(|| odd_count(at))?;
        visit(Element::Field { field, value, expiry: None })?;
    }
    Ok(())
}

/// Types 23 and 25 (whose eight bytes before the listpack have been read).
pub(super) fn listpack_ex<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        triples(&mut Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)
    })
}

fn triples<'a, 'x, 'e>(
    iter: &mut impl Packed<'x>,
    at: u64,
    wrap: impl Fn(&'x [u8]) -> Piece<'a, 'e>,
    visit: &mut impl Visit<'a>,
) -> Result<()> {
    let (mut field_text, mut value_text) = (itoa::Buffer::new(), itoa::Buffer::new());
    while let Some(field) = next_piece(iter, at, &wrap, &mut field_text)? {
        let value = next_piece(iter, at, &wrap, &mut value_text)?.ok_or_else(|| odd_count(at))?;
        let expiry = match iter.next() {
            Some(Ok(packed::Element::Int(0))) => None,
            Some(Ok(packed::Element::Int(ms @ 1..=MAX_FIELD_EXPIRY))) => Some(UnixMillis(ms)),
            Some(Ok(_)) => return Err(bad_expiry(at)),
            Some(Err(error)) => return Err(Error::packed(at, error)),
            None => return Err(odd_count(at)),
        };
        visit(Element::Field { field, value, expiry })?;
    }
    Ok(())
}

pub(super) fn metadata_pre_ga<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        let at = c.offset();
        let expiry = match i64::try_from(length::decode(c)?) {
            Ok(0) => None,
            Ok(ms @ 1..=MAX_FIELD_EXPIRY) => Some(UnixMillis(ms)),
            _ => return Err(bad_expiry(at)),
        };
        pair(c, expiry, buffers, visit)?;
    }
    Ok(())
}

pub(super) fn metadata<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let smallest = u64::from_le_bytes(c.array()?);
    for _ in 0..length::decode(c)? {
        let at = c.offset();
        let ttl = length::decode(c)?;
        // The sum is modulo 2^64, and a sum of 0 means none, as in the server.
        let expiry = match ttl.checked_sub(1).map(|ttl| smallest.wrapping_add(ttl)) {
            None | Some(0) => None,
            Some(sum) => match i64::try_from(sum) {
                Ok(ms @ 0..=MAX_FIELD_EXPIRY) => Some(UnixMillis(ms)),
                _ => return Err(bad_expiry(at)),
            },
        };
        pair(c, expiry, buffers, visit)?;
    }
    Ok(())
}

pub(super) fn skip_metadata_field(c: &mut Cursor<'_>) -> Result<()> {
    length::decode(c)?;
    string::skip(c)?;
    string::skip(c)
}

pub(super) fn valkey<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        let field = string::decode(c)?.read(&mut buffers.first)?;
        let value = string::decode(c)?.read(&mut buffers.second)?;
        let at = c.offset();
        let expiry = match i64::from_le_bytes(c.array()?) {
            -1 => None,
            // Zero is a time here and "never" in the other forms; the next one has passed just as well.
            ms @ 0.. => Some(UnixMillis(ms.max(1))),
            _ => return Err(bad_expiry(at)),
        };
        visit(Element::Field { field, value, expiry })?;
    }
    Ok(())
}

#[cold]
fn bad_expiry(at: u64) -> Error {
    Error::invalid(at, "hash-bad-field-expiry", "the expiry of a hash field is no time that a server stores")
}

/// The field names of a hash template, as they stand in the file: a count and strings. Empty for values that need none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Template<'a> {
    bytes: &'a [u8],
}

impl<'a> Template<'a> {
    /// For values that refer to no template.
    pub const NONE: Self = Self { bytes: &[] };

    /// Read the count and the names of a `HASH_TEMPLATE` record.
    pub(in crate::rdb) fn decode(c: &mut Cursor<'a>, budget: &Budget) -> Result<Self> {
        let start = *c;
        super::repeat(c, budget, string::skip)?;
        Ok(Self { bytes: c.since(&start) })
    }

    fn names(&self, scratch: &mut Scratch) -> Result<Names<'a>> {
        let mut c = Cursor::new(self.bytes);
        let mut names = Names::new(&scratch.budget);
        let count = if self.bytes.is_empty() { 0 } else { length::decode(&mut c)? };
        for _ in 0..count {
            let name = string::decode(&mut c)?;
            names.push(&name.read(scratch)?, name.offset)?;
        }
        Ok(names)
    }

    fn len(&self) -> Result<u64> {
        if self.bytes.is_empty() {
            return Ok(0);
        }
        length::decode(&mut Cursor::new(self.bytes))
    }
}

/// Field names, paid for while they are needed.
struct Names<'a> {
    list: Vec<Blob<'a>>,
    charge: Charge,
}

impl<'a> Names<'a> {
    fn new(budget: &Budget) -> Self {
        Self { list: Vec::new(), charge: Charge::new(budget) }
    }

    fn push(&mut self, name: &Piece<'a, '_>, at: u64) -> Result<()> {
        let copied = if matches!(name, Piece::Input(_)) { 0 } else { name.len() as u64 };
        let bytes = copied.saturating_add(NAME_BYTES);
        self.charge.add(bytes).map_err(|spent| Error::new(at, ErrorKind::Exhausted(spent)))?;
        self.list.push(name.to_blob());
        Ok(())
    }
}

/// What a name takes besides its bytes, in a list that may be half empty.
const NAME_BYTES: u64 = 2 * size_of::<Blob<'_>>() as u64;

/// The field names at the head of types 29 and 31: format 0 is a listpack, 1 a count and strings.
fn skip_names(c: &mut Cursor<'_>, scratch: &mut Scratch) -> Result<u64> {
    let at = c.offset();
    match length::decode(c)? {
        0 => listpack_count(&string::decode(c)?, scratch),
        1 => {
            let at = c.offset();
            let count = length::decode(c)?;
            super::repeated(count, at, c, &scratch.budget, string::skip)?;
            Ok(count)
        }
        _ => Err(Error::invalid(at, "hash-template-format", "the field names of a template hash have an unknown form")),
    }
}

pub(super) fn skip_template(
    value_type: ValueType,
    c: &mut Cursor<'_>,
    template: Template<'_>,
    budget: &Budget,
) -> Result<()> {
    let mut scratch = Scratch::new(budget.clone());
    let count = match value_type {
        ValueType::HashTemplateArrayRef => {
            length::decode(c)?;
            template.len()?
        }
        _ => skip_names(c, &mut scratch)?,
    };
    if value_type == ValueType::HashTemplateListpack {
        return string::skip(c);
    }
    let at = c.offset();
    super::repeated(count, at, c, budget, string::skip)
}

pub(super) fn template_count(value: &ValueRef<'_>, scratch: &mut Scratch) -> Result<u64> {
    match value.value_type {
        ValueType::HashTemplateListpackRef | ValueType::HashTemplateArrayRef => value.template.len(),
        _ => skip_names(&mut value.cursor(), scratch),
    }
}

pub(super) fn template<'a>(value: &ValueRef<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let c = &mut value.cursor();
    let in_listpack = matches!(value.value_type, ValueType::HashTemplateListpack | ValueType::HashTemplateListpackRef);
    let names = match value.value_type {
        ValueType::HashTemplateListpackRef => value.template.names(&mut buffers.first)?,
        ValueType::HashTemplateArrayRef => {
            length::decode(c)?;
            value.template.names(&mut buffers.first)?
        }
        _ => names_of(c, buffers)?,
    };
    if in_listpack {
        return template_listpack(c, &names.list, buffers, visit);
    }
    for name in &names.list {
        let text = string::decode(c)?.read(&mut buffers.second)?;
        visit(Element::Field { field: name_piece(name), value: text, expiry: None })?;
    }
    Ok(())
}

fn template_listpack<'a>(
    c: &mut Cursor<'a>,
    names: &[Blob<'a>],
    buffers: &mut Buffers,
    visit: &mut impl Visit<'a>,
) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.second)?, blob, wrap => {
        let mut iter = Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter();
        let mut text = itoa::Buffer::new();
        next_piece(&mut iter, at, wrap, &mut text)?; // the template's id, known already
        for name in names {
            let mut text = itoa::Buffer::new();
            let value = next_piece(&mut iter, at, wrap, &mut text)?.ok_or_else(|| odd_count(at))?;
            visit(Element::Field { field: name_piece(name), value, expiry: None })?;
        }
        if iter.next().is_some() {
            return Err(odd_count(at));
        }
    });
    Ok(())
}

/// The template that a type 30 value refers to: the first element of its listpack.
pub(in crate::rdb) fn template_id(c: &mut Cursor<'_>, scratch: &mut Scratch) -> Option<u64> {
    let blob = string::decode(c).ok()?.read(scratch).ok()?;
    match Listpack::new(&blob).ok()?.iter().next()?.ok()? {
        packed::Element::Int(id) => u64::try_from(id).ok(),
        packed::Element::Bytes(_) => None,
    }
}

fn names_of<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers) -> Result<Names<'a>> {
    let at = c.offset();
    if length::decode(c)? != 0 {
        let template = Template::decode(c, &buffers.first.budget)?;
        return template.names(&mut buffers.first);
    }
    let node = string::decode(c)?;
    let mut names = Names::new(&buffers.first.budget);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        let mut iter = Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter();
        let mut text = itoa::Buffer::new();
        while let Some(name) = next_piece(&mut iter, at, wrap, &mut text)? {
            names.push(&name, at)?;
        }
    });
    Ok(names)
}

fn name_piece<'a, 'e>(name: &'e Blob<'a>) -> Piece<'a, 'e> {
    name.input().map_or(Piece::Passing(name), Piece::Input)
}

/// The soonest expiry that Redis' forms hold: they take 0, which Valkey's can hold, for none.
const SOONEST: i64 = 1;

/// How a hash is written.
pub(in crate::rdb) fn plan(survey: &Survey, target: &Target) -> Plan {
    let small = survey.count <= LIMITS.hash_entries && survey.longest <= LIMITS.element_bytes;
    let without_expiry = match target.packing() {
        Packing::Ziplist if small => ValueType::HashZiplist,
        Packing::Listpack if small => ValueType::HashListpack,
        _ => ValueType::Hash,
    };
    let Some(smallest) = survey.smallest_expiry else { return Plan::new(without_expiry, survey.count) };
    let (value_type, lost) = match target.field_expiry() {
        FieldExpiry::Valkey => (ValueType::ValkeyHash2, None),
        FieldExpiry::Redis if survey.largest_expiry > MAX_FIELD_EXPIRY => {
            (without_expiry, Some("hash field expiries beyond 2^48 ms"))
        }
        FieldExpiry::Redis if small => (ValueType::HashListpackEx, None),
        FieldExpiry::Redis => (ValueType::HashMetadata, None),
        FieldExpiry::Unknown => (without_expiry, Some("the expiry of hash fields")),
    };
    Plan { lost, smallest_expiry: smallest.max(SOONEST), ..Plan::new(value_type, survey.count) }
}

pub(in crate::rdb) fn encode<'a>(
    plan: &Plan,
    encoder: &mut Encoder,
    value: &mut dyn Walk<'a>,
    out: &mut Out<'_>,
) -> Outcome<()> {
    let Encoder { strings, packer, .. } = encoder;
    packer.clear();
    match plan.value_type {
        ValueType::HashZiplist | ValueType::HashListpack => encode_pairs(packer, value)?,
        ValueType::HashListpackEx => {
            out.bytes.extend_from_slice(&plan.smallest_expiry.to_le_bytes());
            encode_triples(packer, value)?;
        }
        _ => return encode_plain(plan, strings, value, out),
    }
    strings.encode(packer.blob(), out.bytes);
    Ok(())
}

fn encode_pairs<'a>(packer: &mut Packer, value: &mut dyn Walk<'a>) -> Result<()> {
    value.walk(&mut |element| {
        if let Element::Field { field, value, .. } = element {
            packer.push(&field);
            packer.push(&value);
        }
        Ok(())
    })
}

/// Field, value, expiry: those that expire first, soonest first, as the server wants them; 0 is none.
fn encode_triples<'a>(packer: &mut Packer, value: &mut dyn Walk<'a>) -> Result<()> {
    let mut triples = Vec::new();
    value.walk(&mut |element| {
        if let Element::Field { field, value, expiry } = element {
            triples.push((expiry, field.to_vec(), value.to_vec()));
        }
        Ok(())
    })?;
    triples.sort_by_key(|(expiry, ..)| expiry.map_or(i64::MAX, |at| at.0));
    for (expiry, field, value) in &triples {
        packer.push(field);
        packer.push(value);
        packer.push_int(expiry.map_or(0, |at| at.0.max(SOONEST)));
    }
    Ok(())
}

/// Types 4, 22 (Valkey) and 24.
fn encode_plain<'a>(
    plan: &Plan,
    strings: &mut string::Encoder,
    value: &mut dyn Walk<'a>,
    out: &mut Out<'_>,
) -> Outcome<()> {
    if plan.value_type == ValueType::HashMetadata {
        out.bytes.extend_from_slice(&plan.smallest_expiry.to_le_bytes());
    }
    length::encode(plan.count, out.bytes);
    Ok(value.walk(&mut |element| {
        let Element::Field { field, value, expiry } = element else { return Ok(()) };
        if plan.value_type == ValueType::HashMetadata {
            let ttl = expiry.map_or(0, |at| at.0.max(SOONEST).wrapping_sub(plan.smallest_expiry).wrapping_add(1));
            length::encode(ttl.cast_unsigned(), out.bytes);
        }
        strings.encode(&field, out.bytes);
        strings.encode(&value, out.bytes);
        if plan.value_type == ValueType::ValkeyHash2 {
            out.bytes.extend_from_slice(&expiry.map_or(-1, |at| at.0).to_le_bytes());
        }
        out.settle();
        Ok(())
    })?)
}

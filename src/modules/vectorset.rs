//! Vector sets, part of Redis since 8.0.
//!
//! ```text
//! dimension, count, config, flags, [flags & 1: dimension of the input, projection matrix f32 LE],
//! count × { element, [flags & 2: attributes], vector, n, n × parameter of the graph }
//! ```
//!
//! | config | |
//! | --- | --- |
//! | bits 0 to 7 | 0: f32 LE, 1: i8, 2: one bit, in u64 LE words |
//! | bits 8 to 23 | M, the links of a node; 0 means 16 |
//!
//! The second parameter holds the level in its low 24 bits, the last one the range of an i8 vector (f32, upper half) and
//! the length of the original vector (f32, lower half). Stored vectors have length 1.
//! Source: Redis `modules/vector-sets/vset.c`, `VectorSetRdbLoad`, `VectorSetDigest`; `hnsw.c`, `hnsw_insert_serialized`.

use super::fields::Fields;
use super::json_text::JsonText;
use super::packed_numbers::{NumberKind, PackedNumbers};
use super::tree::{Tree, map};
use crate::rdb::Scratch;
use crate::rdb::object::ModuleRef;
use crate::value::Blob;

const HAS_PROJECTION: u64 = 1;
const HAS_ATTRIBUTES: u64 = 2;
const LEVEL_BITS: u64 = 0xff_ffff;
/// What an i8 of the range's end is stored as.
const I8_SCALE: f32 = 127.0;

/// What stands before the elements.
#[derive(Debug)]
struct Head<'a> {
    dimension: u64,
    count: u64,
    kind: NumberKind,
    m: u64,
    attributes: bool,
    projection: Option<(u64, Blob<'a>)>,
}

impl<'a> Head<'a> {
    fn decode(fields: &mut Fields<'a, '_>) -> Option<Self> {
        let (dimension, count) = (fields.uint()?, fields.uint()?);
        let (config, flags) = (fields.uint()?, fields.uint()?);
        let kind = match config & 0xff {
            0 => NumberKind::F32,
            1 => NumberKind::I8,
            2 => NumberKind::Sign,
            _ => return None,
        };
        let m = match config >> 8 & 0xffff {
            0 => 16,
            m => m,
        };
        let projection = if flags & HAS_PROJECTION == 0 { None } else { Some((fields.uint()?, fields.text()?)) };
        Some(Self { dimension, count, kind, m, attributes: flags & HAS_ATTRIBUTES != 0, projection })
    }
}

/// One element.
#[derive(Debug)]
struct Element<'a> {
    name: Blob<'a>,
    attributes: Option<Blob<'a>>,
    vector: Blob<'a>,
    id: u64,
    level: u64,
    range: f32,
    length: f32,
}

impl<'a> Element<'a> {
    fn decode(head: &Head<'a>, fields: &mut Fields<'a, '_>) -> Option<Self> {
        let name = fields.text()?;
        let attributes = if head.attributes { Some(fields.text()?).filter(|text| !text.is_empty()) } else { None };
        let vector = fields.text()?;
        let parameters = fields.uint()?;
        let (id, second) = (fields.uint()?, fields.uint()?);
        let mut last = None;
        for _ in 2..parameters {
            last = Some(fields.uint()?);
        }
        let (range, length) = halves(last?)?;
        Some(Self { name, attributes, vector, id, level: second & LEVEL_BITS, range, length })
    }

    /// About what was put in: the stored vector, stretched to its original length.
    fn original(&self, head: &Head<'_>) -> Option<PackedNumbers<'a>> {
        let stored = PackedNumbers::first(head.kind, head.dimension, self.vector.clone())?;
        Some(match head.kind {
            NumberKind::I8 => stored.scaled(self.range / I8_SCALE * self.length),
            NumberKind::Sign => stored,
            _ => stored.scaled(self.length),
        })
    }

    fn tree(self, head: &Head<'_>, depth: u32) -> Option<Tree<'a>> {
        let vector = Tree::Numbers(self.original(head)?);
        let attributes = match self.attributes {
            None => Tree::Null,
            Some(text) => JsonText::new(text.clone(), depth).map_or(Tree::Text(text), Tree::Json),
        };
        Some(map([
            ("element", Tree::Text(self.name)),
            ("attributes", attributes),
            ("vector", vector),
            ("l2", Tree::Float(self.length.into())),
            ("id", Tree::UInt(self.id)),
            ("level", Tree::UInt(self.level)),
        ]))
    }
}

/// Two singles in one parameter.
fn halves(parameter: u64) -> Option<(f32, f32)> {
    let upper = u32::try_from(parameter >> 32).ok()?;
    let lower = u32::try_from(parameter & u64::from(u32::MAX)).ok()?;
    Some((f32::from_bits(upper), f32::from_bits(lower)))
}

pub(super) fn decode<'a>(fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let head = Head::decode(fields)?;
    let depth = fields.charges().depth;
    let elements = fields.list(head.count, |fields| Element::decode(&head, fields)?.tree(&head, depth))?;
    let quantization: &[u8] = match head.kind {
        NumberKind::I8 => b"int8",
        NumberKind::Sign => b"bin",
        _ => b"f32",
    };
    let projection = match head.projection {
        None => Tree::Null,
        Some((input, matrix)) => map([
            ("input_dim", Tree::UInt(input)),
            ("matrix", Tree::Numbers(PackedNumbers::all(NumberKind::F32, matrix)?)),
        ]),
    };
    Some(map([
        ("dim", Tree::UInt(head.dimension)),
        ("quantization", Tree::Text(Blob::borrowed(quantization))),
        ("m", Tree::UInt(head.m)),
        ("projection", projection),
        ("elements", Tree::List(elements)),
    ]))
}

/// What `DEBUG DIGEST` takes of a vector set: sequences of parts. Each sequence is mixed, part by part, into a digest
/// that begins at zero; those of all sequences are combined by exclusive or, in any order.
///
/// The first sequence is count and dimension in decimal; then for each element the stored vector, the element and, when
/// it has some, its attributes. `None` when it is no vector set, or a damaged one.
#[must_use]
pub(crate) fn digest_parts(
    module: &ModuleRef<'_>,
    scratch: &mut Scratch,
    sequence: &mut impl FnMut(&[&[u8]]),
) -> Option<()> {
    (module.id.name() == "vectorset" && module.id.version() == 0).then_some(())?;
    let mut fields = Fields::passing(module, scratch);
    let head = Head::decode(&mut fields)?;
    let (mut count, mut dimension) = (itoa::Buffer::new(), itoa::Buffer::new());
    sequence(&[count.format(head.count).as_bytes(), dimension.format(head.dimension).as_bytes()]);
    for _ in 0..head.count {
        let element = Element::decode(&head, &mut fields)?;
        match &element.attributes {
            Some(attributes) => sequence(&[&element.vector, &element.name, attributes]),
            None => sequence(&[&element.vector, &element.name]),
        }
    }
    fields.all_read(())
}

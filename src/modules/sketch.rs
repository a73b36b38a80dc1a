//! RedisBloom's sketches.
//!
//! ```text
//! count-min   width, depth, count, width × depth × u32 LE
//! top-k       k, width, depth, decay, width × depth × { fingerprint u32, count u32 },
//!             k × { fingerprint u32, length u32, pointer u64, count u32, padding u32 }, k × item and NUL
//! t-digest    compression, min, max, capacity, merged, unmerged, compressions, merged weight, unmerged weight,
//!             merged × mean, merged × weight
//! ```
//! A top-k item of one byte is an empty slot. Source: RedisBloom `src/rm_cms.c`, `src/rm_topk.c`, `src/rm_tdigest.c`.

use super::fields::Fields;
use super::packed_numbers::{NumberKind, PackedNumbers};
use super::tree::{Tree, map};
use crate::bytes::Cursor;
use crate::value::Blob;

/// A slot of a top-k heap as a 64-bit server lays it out.
const HEAP_SLOT: u64 = 24;

pub(super) fn count_min<'a>(fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let (width, depth, count) = (fields.uint()?, fields.uint()?, fields.uint()?);
    let counters = exactly(width.checked_mul(depth)?, fields.text()?)?;
    Some(map([
        ("width", Tree::UInt(width)),
        ("depth", Tree::UInt(depth)),
        ("count", Tree::UInt(count)),
        ("counters", counters),
    ]))
}

/// So many u32.
fn exactly(count: u64, bytes: Blob<'_>) -> Option<Tree<'_>> {
    (count.checked_mul(4)? == bytes.len() as u64).then_some(())?;
    PackedNumbers::all(NumberKind::U32, bytes).map(Tree::Numbers)
}

pub(super) fn top_k<'a>(fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let (k, width, depth, decay) = (fields.uint()?, fields.uint()?, fields.uint()?, fields.double()?);
    let buckets = exactly(width.checked_mul(depth)?.checked_mul(2)?, fields.text()?)?;
    let heap = fields.text()?;
    (k.checked_mul(HEAP_SLOT)? == heap.len() as u64).then_some(())?;
    let mut slots = Cursor::new(&heap);
    let items = fields.list(k, |fields| {
        let fingerprint = u32::from_le_bytes(slots.array().ok()?);
        slots.take(12).ok()?;
        let count = u32::from_le_bytes(slots.array().ok()?);
        slots.take(4).ok()?;
        let item = without_nul(fields.text()?)?;
        Some((item, fingerprint, count))
    })?;
    let items = items.into_iter().filter(|(item, ..)| !item.is_empty()).map(|(item, fingerprint, count)| {
        map([
            ("item", Tree::Text(item)),
            ("count", Tree::UInt(count.into())),
            ("fingerprint", Tree::UInt(fingerprint.into())),
        ])
    });
    Some(map([
        ("k", Tree::UInt(k)),
        ("width", Tree::UInt(width)),
        ("depth", Tree::UInt(depth)),
        ("decay", Tree::Float(decay)),
        ("items", Tree::List(items.collect())),
        ("buckets", buckets),
    ]))
}

fn without_nul(text: Blob<'_>) -> Option<Blob<'_>> {
    match text.input() {
        Some(input) => input.strip_suffix(b"\0").map(Blob::borrowed),
        None => text.strip_suffix(b"\0").map(Blob::copied),
    }
}

pub(super) fn t_digest<'a>(fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let (compression, min, max) = (fields.double()?, fields.double()?, fields.double()?);
    let capacity = fields.int()?;
    let merged = u64::try_from(fields.int()?).ok()?;
    let (unmerged, compressions) = (fields.int()?, fields.int()?);
    let (merged_weight, unmerged_weight) = (fields.double()?, fields.double()?);
    let means = fields.list(merged, Fields::double)?;
    let weights = fields.list(merged, Fields::double)?;
    let centroids = means
        .into_iter()
        .zip(weights)
        .map(|(mean, weight)| map([("mean", Tree::Float(mean)), ("weight", Tree::Float(weight))]));
    Some(map([
        ("compression", Tree::Float(compression)),
        ("min", Tree::Float(min)),
        ("max", Tree::Float(max)),
        ("capacity", Tree::Int(capacity)),
        ("unmerged", Tree::Int(unmerged)),
        ("compressions", Tree::Int(compressions)),
        ("merged_weight", Tree::Float(merged_weight)),
        ("unmerged_weight", Tree::Float(unmerged_weight)),
        ("centroids", Tree::List(centroids.collect())),
    ]))
}

/// Dragonfly's counters are wider.
pub(super) fn wide_counters(width: u64, depth: u64, count: u64, bytes: Blob<'_>) -> Option<Tree<'_>> {
    Some(map([
        ("width", Tree::UInt(width)),
        ("depth", Tree::UInt(depth)),
        ("count", Tree::UInt(count)),
        ("counters", PackedNumbers::all(NumberKind::I64, bytes).map(Tree::Numbers)?),
    ]))
}

//! RedisTimeSeries.
//!
//! ```text
//! key, retention, chunk size, options (v1), last time, last value, samples (v2), duplicate policy (v3),
//! has source [source] (v2), ignore time, ignore value (v8),
//! labels × { name, value }, rules × { key, bucket, alignment (v6), aggregation, current bucket, valid samples (v9), context },
//! chunks: v0, v1: samples × { time, value }
//!         plain: first time, samples, bytes, samples × { u64 LE, f64 LE }
//!         compressed: bytes, samples, bits used, first value, first time, five fields of the writer's state, data
//! ```
//! Source: RedisTimeSeries `src/rdb.c`, `src/chunk.c`, `src/compressed_chunk.c`.

use super::fields::Fields;
use super::gorilla;
use super::tree::{Tree, map};
use crate::value::Blob;

/// The bit of the options that says that chunks are not compressed.
const UNCOMPRESSED: u64 = 1;
const POLICIES: [&str; 7] = ["none", "block", "last", "first", "min", "max", "sum"];
const AGGREGATIONS: [&str; 16] = [
    "none", "min", "max", "sum", "avg", "count", "first", "last", "range", "std.p", "std.s", "var.p", "var.s", "twa",
    "countnan", "countall",
];

/// Samples in the form they are stored in, known to be as many as claimed.
#[derive(Debug, Clone)]
pub struct Chunk<'a>(Form<'a>);

#[derive(Debug, Clone)]
enum Form<'a> {
    Plain { count: usize, bytes: Blob<'a> },
    Gorilla { count: u64, time: u64, value: u64, bits: u64, data: Blob<'a> },
}

impl Chunk<'_> {
    /// Time and value of each sample.
    pub fn samples(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        let (plain, packed) = match &self.0 {
            Form::Plain { count, bytes } => (Some(plain_samples(bytes).take(*count)), None),
            Form::Gorilla { count, time, value, bits, data } => {
                (None, Some(gorilla::Samples::new(*count, *time, *value, data, *bits)))
            }
        };
        plain.into_iter().flatten().chain(packed.into_iter().flatten())
    }
}

fn plain_samples(bytes: &[u8]) -> impl Iterator<Item = (u64, f64)> + '_ {
    let (samples, _) = bytes.as_chunks::<8>();
    samples.as_chunks::<2>().0.iter().map(|[time, value]| (u64::from_le_bytes(*time), f64::from_le_bytes(*value)))
}

pub(super) fn decode<'a>(version: u16, fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let since = |first: u16| version >= first;
    let key = fields.text_tree()?;
    let retention = fields.uint_tree()?;
    let chunk_size = fields.uint_tree()?;
    let options = if since(1) { fields.uint()? } else { UNCOMPRESSED };
    let (mut last_time, mut last_value, mut total) = (Tree::Null, Tree::Null, Tree::Null);
    if since(2) {
        (last_time, last_value, total) = (fields.uint_tree()?, fields.double_tree()?, fields.uint_tree()?);
    }
    let policy = if since(3) { named(&POLICIES, fields.uint()?) } else { Tree::Null };
    let source = if since(2) && fields.uint()? != 0 { fields.text_tree()? } else { Tree::Null };
    let (mut ignore_time, mut ignore_value) = (Tree::Null, Tree::Null);
    if since(8) {
        (ignore_time, ignore_value) = (fields.uint_tree()?, fields.double_tree()?);
    }
    let count = fields.uint()?;
    let labels =
        fields.list(count, |fields| Some(map([("name", fields.text_tree()?), ("value", fields.text_tree()?)])))?;
    let count = fields.uint()?;
    let rules = fields.list(count, |fields| rule(version, fields))?;
    let chunks = chunks(version, options & UNCOMPRESSED != 0, fields)?;
    Some(map([
        ("key", key),
        ("retention_ms", retention),
        ("chunk_size", chunk_size),
        ("options", Tree::UInt(options)),
        ("last_timestamp", last_time),
        ("last_value", last_value),
        ("total_samples", total),
        ("duplicate_policy", policy),
        ("source", source),
        ("ignore_max_time_diff", ignore_time),
        ("ignore_max_val_diff", ignore_value),
        ("labels", Tree::List(labels)),
        ("rules", Tree::List(rules)),
        ("chunks", Tree::List(chunks)),
    ]))
}

fn named<'a>(names: &[&'static str], number: u64) -> Tree<'a> {
    let name = usize::try_from(number).ok().and_then(|i| names.get(i));
    name.map_or(Tree::UInt(number), |name| Tree::Text(Blob::borrowed(name.as_bytes())))
}

fn rule<'a>(version: u16, fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let destination = fields.text_tree()?;
    let bucket = fields.uint_tree()?;
    let alignment = if version >= 6 { fields.uint_tree()? } else { Tree::Null };
    let aggregation = fields.uint()?;
    let current = fields.uint_tree()?;
    if version >= 9 {
        fields.uint()?;
    }
    skip_context(version, aggregation, fields)?;
    Some(map([
        ("destination", destination),
        ("bucket_ms", bucket),
        ("alignment", alignment),
        ("aggregation", named(&AGGREGATIONS, aggregation)),
        ("current_bucket", current),
    ]))
}

/// The state of an aggregation under way; of use only to the module.
fn skip_context(version: u16, aggregation: u64, fields: &mut Fields<'_, '_>) -> Option<()> {
    let mut doubles = |count: u8| (0..count).try_for_each(|_| fields.double().map(drop));
    match aggregation {
        1 | 2 | 8 => {
            doubles(2)?;
            if version < 6 {
                fields.text()?;
            }
        }
        3 | 5 | 7 | 14 | 15 => {
            doubles(1)?;
            if (3..7).contains(&version) {
                fields.uint()?;
            }
        }
        6 => {
            doubles(1)?;
            if version >= 3 {
                fields.uint()?;
            }
        }
        4 => {
            doubles(2)?;
            if version >= 4 {
                fields.uint()?;
            }
        }
        9..=12 => {
            doubles(2)?;
            fields.uint()?;
        }
        13 => {
            doubles(1)?;
            fields.uint()?;
            fields.double()?;
            (0..7).try_for_each(|_| fields.uint().map(drop))?;
        }
        _ => return None,
    }
    Some(())
}

fn chunks<'a>(version: u16, plain: bool, fields: &mut Fields<'a, '_>) -> Option<Vec<Tree<'a>>> {
    let count = fields.uint()?;
    if version < 2 {
        return Some(vec![Tree::Samples(Box::new(loose_samples(count, fields)?))]);
    }
    fields.list(count, |fields| {
        let chunk = if plain { plain_chunk(fields) } else { compressed_chunk(fields) };
        chunk.map(|chunk| Tree::Samples(Box::new(chunk)))
    })
}

/// Samples that stand as items of their own, put together as a plain chunk.
fn loose_samples<'a>(count: u64, fields: &mut Fields<'a, '_>) -> Option<Chunk<'a>> {
    let samples = fields.list(count, |fields| Some([fields.uint()?.to_le_bytes(), fields.double()?.to_le_bytes()]))?;
    let bytes = samples.as_flattened().as_flattened().to_vec();
    Some(Chunk(Form::Plain { count: samples.len(), bytes: Blob::from(bytes) }))
}

fn plain_chunk<'a>(fields: &mut Fields<'a, '_>) -> Option<Chunk<'a>> {
    fields.uint()?;
    let count = usize::try_from(fields.uint()?).ok()?;
    let size = fields.uint()?;
    let bytes = fields.text()?;
    (size == bytes.len() as u64 && count <= bytes.len() / 16).then_some(Chunk(Form::Plain { count, bytes }))
}

fn compressed_chunk<'a>(fields: &mut Fields<'a, '_>) -> Option<Chunk<'a>> {
    let (size, count, bits) = (fields.uint()?, fields.uint()?, fields.uint()?);
    let (value, time) = (fields.uint()?, fields.uint()?);
    for _ in 0..5 {
        fields.uint()?;
    }
    let data = fields.text()?;
    let sound = size == data.len() as u64 && size > 0 && size % 8 == 0 && bits <= size.checked_mul(8)?;
    // Each sample but the first takes two bits at least.
    let believable = count.saturating_sub(1) <= bits / 2;
    let chunk = Chunk(Form::Gorilla { count, time, value, bits, data });
    let whole = sound && believable && chunk.samples().count() as u64 == count;
    whole.then_some(chunk)
}

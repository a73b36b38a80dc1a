//! RedisBloom's filters.
//!
//! ```text
//! bloom    size, filters, options (v2), growth (v4), filters × { capacity, error, hashes, bits per entry,
//!          bits (v1), log2 of bits or 0 (v1), bitmap, size }
//! cuckoo   filters, buckets, items, [v4: deletes, bucket size, iterations, expansion],
//!          filters × { [v4: buckets], data }
//! ```
//! Source: RedisBloom `src/rebloom.c`, `BFRdbLoad`, `CFRdbLoad`.

use super::fields::Fields;
use super::tree::{Tree, map};

/// What a bloom filter grows by when the file does not say.
const DEFAULT_GROWTH: u64 = 2;

pub(super) fn bloom<'a>(version: u16, fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let size = fields.uint()?;
    let count = fields.uint()?;
    let options = if version >= 2 { fields.uint()? } else { 0 };
    let growth = if version >= 4 { fields.uint()? } else { DEFAULT_GROWTH };
    let filters = fields.list(count, |fields| bloom_filter(version, fields))?;
    Some(map([
        ("size", Tree::UInt(size)),
        ("options", Tree::UInt(options)),
        ("growth", Tree::UInt(growth)),
        ("filters", Tree::List(filters)),
    ]))
}

fn bloom_filter<'a>(version: u16, fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let capacity = fields.uint()?;
    let error_rate = fields.double()?;
    let hashes = fields.uint()?;
    let bits_per_entry = fields.double()?;
    let bits = if version >= 1 {
        let bits = fields.uint()?;
        fields.uint()?;
        Some(bits)
    } else {
        None
    };
    let bitmap = fields.text()?;
    (bitmap.len() as u64 >= bits.unwrap_or(0).div_ceil(8)).then_some(())?;
    Some(map([
        ("capacity", Tree::UInt(capacity)),
        ("error_rate", Tree::Float(error_rate)),
        ("hashes", Tree::UInt(hashes)),
        ("bits_per_entry", Tree::Float(bits_per_entry)),
        ("bits", bits.map_or(Tree::Null, Tree::UInt)),
        ("bitmap", Tree::Text(bitmap)),
        ("size", fields.uint_tree()?),
    ]))
}

pub(super) fn cuckoo<'a>(version: u16, fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let count = fields.uint()?;
    let buckets = fields.uint()?;
    let items = fields.uint()?;
    let own_sizes = version >= 4;
    let mut since_4 = || if own_sizes { fields.uint_tree() } else { Some(Tree::Null) };
    let head = [
        ("buckets", Tree::UInt(buckets)),
        ("items", Tree::UInt(items)),
        ("deletes", since_4()?),
        ("bucket_size", since_4()?),
        ("max_iterations", since_4()?),
        ("expansion", since_4()?),
    ];
    let filters = fields.list(count, |fields| {
        let buckets = if own_sizes { fields.uint()? } else { buckets };
        Some(map([("buckets", Tree::UInt(buckets)), ("data", fields.text_tree()?)]))
    })?;
    let Tree::Map(mut entries) = map(head) else { return None };
    entries.push(("filters".into(), Tree::List(filters)));
    Some(Tree::Map(entries))
}

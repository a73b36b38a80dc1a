//! Values that only forks write, as plain data. Their layouts are in [`crate::rdb::object`].

use super::fields::Charges;
use super::packed_numbers::{NumberKind, PackedNumbers};
use super::tree::{Tree, map};
use super::{json, sketch};
use crate::bytes::Cursor;
use crate::rdb::object::Cron;
use crate::rdb::{Scratch, ValueRef, ValueType, length, string};
use crate::value::Blob;

/// The value of a type that only Dragonfly or KeyDB writes; `None` for other types and beyond the limits of the scratch
/// buffers' budget.
#[must_use]
pub fn decode_fork<'a>(value: &ValueRef<'a>, scratch: &mut Scratch) -> Option<Tree<'a>> {
    let charges = Charges::within(&scratch.budget);
    let depth = charges.depth;
    let mut body = Body { c: Cursor::at(value.raw(), value.offset), scratch, charges };
    let tree = match value.value_type {
        ValueType::DragonflyJson => json::document(body.text()?, depth)?,
        ValueType::DragonflySbf => bloom(&mut body, Body::text)?,
        ValueType::DragonflySbf2 => bloom(&mut body, Body::chunked)?,
        ValueType::DragonflyCms => {
            let (width, depth, count) = (body.uint()?, body.uint()?, body.uint()?);
            let bytes = body.c.take(width.checked_mul(depth)?.checked_mul(8)?).ok()?;
            sketch::wide_counters(width, depth, count, Blob::borrowed(bytes))?
        }
        ValueType::DragonflyTopk => top_k(&mut body)?,
        ValueType::DragonflyCuckoo => cuckoo(&mut body)?,
        ValueType::KeyDbCron => return cron(value, body.scratch),
        _ => return None,
    };
    body.c.is_empty().then_some(tree)
}

struct Body<'a, 's> {
    c: Cursor<'a>,
    scratch: &'s mut Scratch,
    charges: Charges,
}

impl<'a> Body<'a, '_> {
    fn uint(&mut self) -> Option<u64> {
        length::decode(&mut self.c).ok()
    }

    fn uint_tree(&mut self) -> Option<Tree<'a>> {
        self.uint().map(Tree::UInt)
    }

    fn double_tree(&mut self) -> Option<Tree<'a>> {
        Some(Tree::Float(f64::from_le_bytes(self.c.array().ok()?)))
    }

    fn text(&mut self) -> Option<Blob<'a>> {
        self.charges.blob(string::decode(&mut self.c).ok()?.to_blob(self.scratch).ok()?)
    }

    /// A total, then pieces with a length each.
    fn chunked(&mut self) -> Option<Blob<'a>> {
        let mut left = self.uint()?;
        let mut whole = Vec::new();
        while left > 0 {
            let len = self.uint()?;
            let piece = self.c.take(len).ok()?;
            left = left.checked_sub(len).filter(|_| len > 0)?;
            if left == 0 && whole.is_empty() {
                return Some(Blob::borrowed(piece));
            }
            whole.extend_from_slice(piece);
        }
        self.charges.blob(Blob::from(whole))
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        for _ in 0..self.uint()? {
            self.charges.node()?;
            items.push(each(self)?);
        }
        Some(items)
    }
}

fn bloom<'a, 's>(
    body: &mut Body<'a, 's>,
    mut bits: impl FnMut(&mut Body<'a, 's>) -> Option<Blob<'a>>,
) -> Option<Tree<'a>> {
    Some(map([
        ("options", body.uint_tree()?),
        ("growth", body.double_tree()?),
        ("error_rate", body.double_tree()?),
        ("previous_size", body.uint_tree()?),
        ("current_size", body.uint_tree()?),
        ("capacity", body.uint_tree()?),
        (
            "filters",
            Tree::List(
                body.list(|body| Some(map([("hashes", body.uint_tree()?), ("bitmap", Tree::Text(bits(body)?))])))?,
            ),
        ),
    ]))
}

fn top_k<'a>(body: &mut Body<'a, '_>) -> Option<Tree<'a>> {
    Some(map([
        ("options", body.uint_tree()?),
        ("k", body.uint_tree()?),
        ("width", body.uint_tree()?),
        ("depth", body.uint_tree()?),
        ("decay", body.double_tree()?),
        (
            "items",
            Tree::List(
                body.list(|body| Some(map([("item", Tree::Text(body.text()?)), ("count", body.uint_tree()?)])))?,
            ),
        ),
        ("buckets", {
            let len = body.uint()?;
            let bytes = body.c.take(len).ok()?;
            PackedNumbers::all(NumberKind::U32, Blob::borrowed(bytes)).map(Tree::Numbers)?
        }),
    ]))
}

fn cuckoo<'a>(body: &mut Body<'a, '_>) -> Option<Tree<'a>> {
    Some(map([
        ("bucket_size", body.uint_tree()?),
        ("max_iterations", body.uint_tree()?),
        ("expansion", body.uint_tree()?),
        ("buckets", body.uint_tree()?),
        ("items", body.uint_tree()?),
        ("deletes", body.uint_tree()?),
        ("filters", Tree::List(body.list(|body| body.chunked().map(Tree::Text))?)),
    ]))
}

fn cron<'a>(value: &ValueRef<'a>, scratch: &mut Scratch) -> Option<Tree<'a>> {
    let cron = Cron::decode(value.raw(), value.offset, scratch).ok()?;
    let texts = |blobs: Vec<Blob<'a>>| Tree::List(blobs.into_iter().map(Tree::Text).collect());
    Some(map([
        ("script", Tree::Text(cron.script)),
        ("start_ms", Tree::Int(cron.start.0)),
        ("interval_ms", Tree::Int(cron.interval_ms)),
        ("keys", texts(cron.keys)),
        ("args", texts(cron.args)),
    ]))
}

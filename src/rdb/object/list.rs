//! Lists.
//!
//! | type | body |
//! | --- | --- |
//! | 1 | count, then each element as a string |
//! | 10 | one string: a ziplist |
//! | 14 | count, then that many strings: ziplists |
//! | 18 | count of nodes, then for each a container (1 plain, 2 packed) and a string: the element itself, or a listpack |
//!
//! Source: Redis `src/rdb.c`, `rdbLoadObject`.

use super::{
    Buffers, Element, Packed, ValueRef, Visit, blob_offset, listpack_count, next_piece, with_blob, ziplist_count,
};
use crate::bytes::Cursor;
use crate::packed::{listpack::Listpack, ziplist::Ziplist};
use crate::rdb::encode::{Encoder, Out, Outcome, Packer, Plan, Survey, Walk};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::opcode::ValueType;
use crate::rdb::string::{self, Scratch};
use crate::rdb::target::{LIMITS, Target};
use crate::value::Piece;

/// A quicklist node that is one element.
pub(crate) const PLAIN: u64 = 1;
/// A quicklist node that is a listpack.
pub(crate) const PACKED: u64 = 2;

pub(super) fn plain<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        visit(Element::Item(string::decode(c)?.read(&mut buffers.first)?))?;
    }
    Ok(())
}

pub(super) fn ziplist<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        items(&mut Ziplist::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)
    })
}

pub(super) fn quicklist<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        ziplist(c, buffers, visit)?;
    }
    Ok(())
}

pub(super) fn quicklist2<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        let (container, node) = quicklist2_node(c)?;
        let at = blob_offset(&node);
        let text = node.read(&mut buffers.first)?;
        if container == PLAIN {
            visit(Element::Item(text))?;
            continue;
        }
        with_blob!(text, blob, wrap => {
            items(&mut Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)?;
        });
    }
    Ok(())
}

/// A node's container and its string.
pub(crate) fn quicklist2_node<'a>(c: &mut Cursor<'a>) -> Result<(u64, string::StringRef<'a>)> {
    let start = c.offset();
    let container = length::decode(c)?;
    if container != PLAIN && container != PACKED {
        return Err(Error::invalid(
            start,
            "quicklist-bad-container",
            "a list node is neither plain (1) nor packed (2)",
        ));
    }
    Ok((container, string::decode(c)?))
}

/// Each element of a packed blob as an item.
pub(super) fn items<'a, 'x, 'e>(
    iter: &mut impl Packed<'x>,
    at: u64,
    wrap: impl Fn(&'x [u8]) -> Piece<'a, 'e>,
    visit: &mut impl Visit<'a>,
) -> Result<()> {
    let mut text = itoa::Buffer::new();
    while let Some(item) = next_piece(iter, at, &wrap, &mut text)? {
        visit(Element::Item(item))?;
    }
    Ok(())
}

/// False for a list of nodes whose first node has room for an element.
pub(super) fn may_be_empty(value: &ValueRef<'_>) -> bool {
    /// Bytes of a ziplist without entries; a listpack has fewer.
    const EMPTY: u64 = 11;
    let c = &mut value.cursor();
    let first = length::decode(c).and_then(|_| {
        if value.value_type == ValueType::ListQuicklist2 {
            quicklist2_node(c).map(|node| node.1)
        } else {
            string::decode(c)
        }
    });
    first.map_or(true, |node| node.len() <= EMPTY)
}

pub(super) fn count(value: &ValueRef<'_>, scratch: &mut Scratch) -> Result<u64> {
    let c = &mut value.cursor();
    let mut total = 0u64;
    for _ in 0..length::decode(c)? {
        let in_node = if value.value_type == ValueType::ListQuicklist {
            ziplist_count(&string::decode(c)?, scratch)?
        } else {
            match quicklist2_node(c)? {
                (PLAIN, _) => 1,
                (_, node) => listpack_count(&node, scratch)?,
            }
        };
        total = total.saturating_add(in_node);
    }
    Ok(total)
}

/// How a list is written. Lists of nodes need a walk of their own: how many nodes there are is written first.
pub(in crate::rdb) fn plan<'a>(
    survey: &Survey,
    target: &Target,
    packer: &mut Packer,
    value: &mut dyn Walk<'a>,
) -> Outcome<Plan> {
    let value_type = target.list();
    if value_type == ValueType::ListZiplist {
        let packed = survey.count <= LIMITS.hash_entries && survey.longest <= LIMITS.element_bytes;
        return Ok(Plan::new(if packed { value_type } else { ValueType::List }, survey.count));
    }
    let mut nodes = Nodes { packer, plain_above: plain_above(value_type, target) };
    let mut count = 0u64;
    nodes.packer.clear();
    value.walk(&mut |element| {
        if let Element::Item(item) = element {
            nodes.push(&item, &mut |_, _| count = count.saturating_add(1));
        }
        Ok(())
    })?;
    nodes.finish(&mut |_, _| count = count.saturating_add(1));
    Ok(Plan::new(value_type, count))
}

fn plain_above(value_type: ValueType, target: &Target) -> usize {
    if value_type == ValueType::ListQuicklist { usize::MAX } else { target.plain_above }
}

pub(in crate::rdb) fn encode<'a>(
    plan: &Plan,
    encoder: &mut Encoder,
    value: &mut dyn Walk<'a>,
    out: &mut Out<'_>,
) -> Outcome<()> {
    let Encoder { strings, packer, target, .. } = encoder;
    if plan.value_type == ValueType::List {
        length::encode(plan.count, out.bytes);
        return Ok(value.walk(&mut |element| {
            if let Element::Item(item) = element {
                strings.encode(&item, out.bytes);
                out.settle();
            }
            Ok(())
        })?);
    }
    if plan.value_type != ValueType::ListZiplist {
        length::encode(plan.count, out.bytes);
    }
    let with_container = plan.value_type == ValueType::ListQuicklist2;
    let mut emit = |container: u64, payload: &[u8]| {
        if with_container {
            length::encode(container, out.bytes);
        }
        strings.encode(payload, out.bytes);
        out.settle();
    };
    packer.clear();
    let mut nodes = Nodes { packer, plain_above: plain_above(plan.value_type, target) };
    value.walk(&mut |element| {
        if let Element::Item(item) = element {
            nodes.push(&item, &mut emit);
        }
        Ok(())
    })?;
    nodes.finish(&mut emit);
    Ok(())
}

/// Fills nodes by the server's rule: `quicklistNodeExceedsLimit`, eight bytes of overhead assumed for an element.
struct Nodes<'p> {
    packer: &'p mut Packer,
    plain_above: usize,
}

impl Nodes<'_> {
    fn push(&mut self, item: &[u8], emit: &mut impl FnMut(u64, &[u8])) {
        const OVERHEAD: usize = 8;
        if item.len() > self.plain_above {
            self.finish(emit);
            return emit(PLAIN, item);
        }
        let full = self.packer.len().saturating_add(item.len()).saturating_add(OVERHEAD) > LIMITS.list_node_bytes;
        if full {
            self.finish(emit);
        }
        self.packer.push(item);
    }

    fn finish(&mut self, emit: &mut impl FnMut(u64, &[u8])) {
        if !self.packer.is_empty() {
            emit(PACKED, self.packer.blob());
            self.packer.clear();
        }
    }
}

//! Fields from any bytes at all.

use super::shape::{self, Shape};
use super::{Form, Node, packed};
use crate::bytes::{Budget, Cursor, lzf};
use crate::rdb::length;
use crate::rdb::object::{Template, skim};
use crate::rdb::opcode::ValueType;

/// One byte of LZF becomes at most so many.
const EXPANSION: u64 = 264;

/// Fields of these shapes. At the end of the input they are empty.
pub(super) fn fields(shapes: &[Shape], c: &mut Cursor<'_>) -> Vec<Node> {
    let mut nodes = Vec::with_capacity(shapes.len());
    for &shape in shapes {
        match shape {
            Shape::Fixed(len) => nodes.push(Node::Fixed { bytes: up_to(c, len as u64), len }),
            Shape::Number => nodes.push(Node::Number(number(c))),
            Shape::Text => nodes.push(text(c)),
            Shape::Blob(packing, arity) => {
                let (bytes, form) = content(c);
                nodes.push(Node::Blob { packing, arity, form, items: packed::items(packing, &bytes) });
            }
            Shape::Score => nodes.push(score(c)),
            Shape::Many(group) => nodes.push(many(group, c)),
            Shape::QuicklistNode => quicklist_node(c, &mut nodes),
            Shape::Opcodes => nodes.push(opcodes(c)),
            Shape::Opaque(value_type) => nodes.push(opaque(value_type, c)),
        }
    }
    nodes
}

/// As many bytes as there are of those wanted.
pub(super) fn up_to(c: &mut Cursor<'_>, len: u64) -> Vec<u8> {
    c.take(len.min(c.remaining())).unwrap_or_default().to_vec()
}

/// A length; of a byte that begins none, its low bits.
pub(super) fn number(c: &mut Cursor<'_>) -> u64 {
    let mut copy = *c;
    if let Ok(number) = length::decode(&mut copy) {
        *c = copy;
        return number;
    }
    c.u8().map_or(0, |byte| u64::from(byte & 0x3f))
}

/// A length that is no longer than what is left.
fn claimed(c: &mut Cursor<'_>) -> u64 {
    let claim = number(c);
    let left = c.remaining();
    // A wild length says nothing: any other is as good, and this one leaves something for what follows.
    if claim <= left { claim } else { claim.checked_rem(left.saturating_add(1)).unwrap_or(0) }
}

fn text(c: &mut Cursor<'_>) -> Node {
    let (bytes, form) = content(c);
    Node::Text { bytes, form }
}

/// The content of a string and how it was stored.
fn content(c: &mut Cursor<'_>) -> (Vec<u8>, Form) {
    let integer = |c: &mut Cursor<'_>, len| {
        let _ = c.u8();
        (up_to(c, len), Form::Integer)
    };
    match c.peek() {
        Some(0xc0) => integer(c, 1),
        Some(0xc1) => integer(c, 2),
        Some(0xc2) => integer(c, 4),
        Some(0xc3) => {
            let _ = c.u8();
            compressed(c)
        }
        _ => {
            let len = claimed(c);
            (up_to(c, len), Form::Raw)
        }
    }
}

fn compressed(c: &mut Cursor<'_>) -> (Vec<u8>, Form) {
    // The stored length is checked behind the other one, as both are lengths.
    let (stored, len) = (number(c), number(c));
    let stored = stored.min(c.remaining());
    let bytes = up_to(c, stored);
    let want = usize::try_from(len.min(stored.saturating_mul(EXPANSION))).unwrap_or(0);
    let mut text = Vec::new();
    match lzf::decompress_prefix(&bytes, want, &mut text) {
        Ok(_) => (text, Form::Lzf),
        Err(_) => (bytes, Form::Raw),
    }
}

fn score(c: &mut Cursor<'_>) -> Node {
    match c.u8() {
        Ok(special @ 253..) => Node::Opaque(vec![special]),
        Ok(len) => Node::Score(up_to(c, len.into())),
        Err(_) => Node::Score(b"0".to_vec()),
    }
}

fn many(group: &[Shape], c: &mut Cursor<'_>) -> Node {
    let mut groups = Vec::new();
    let mut left = number(c);
    while left > 0 && !c.is_empty() {
        groups.push(fields(group, c));
        left = left.saturating_sub(1);
    }
    Node::Many { groups, counted: true }
}

/// Container 1 is one plain element, all else is taken for 2, a listpack.
fn quicklist_node(c: &mut Cursor<'_>, nodes: &mut Vec<Node>) {
    let container = if number(c) == 1 { 1 } else { 2 };
    nodes.push(Node::Number(container));
    let shape = if container == 1 { Shape::Text } else { Shape::Blob(shape::Packing::Listpack, 1) };
    nodes.extend(fields(&[shape], c));
}

fn opcodes(c: &mut Cursor<'_>) -> Node {
    let mut groups = Vec::new();
    while !c.is_empty() {
        let opcode = number(c);
        let payload: &[Shape] = match opcode {
            0 => break,
            1 | 2 => &[Shape::Number],
            3 => &[Shape::Fixed(4)],
            4 => &[Shape::Fixed(8)],
            5 => &[Shape::Text],
            _ => continue,
        };
        let mut group = vec![Node::Number(opcode)];
        group.extend(fields(payload, c));
        groups.push(group);
    }
    Node::Many { groups, counted: false }
}

/// A value of a form that is not described: when it cannot be stepped over, it is empty.
fn opaque(value_type: ValueType, c: &mut Cursor<'_>) -> Node {
    let start = *c;
    let mut copy = start;
    if skim(value_type, &mut copy, Template::NONE, &Budget::default()).is_err() {
        return Node::Opaque(Vec::new());
    }
    *c = copy;
    Node::Opaque(copy.since(&start).to_vec())
}

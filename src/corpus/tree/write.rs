//! Fields to bytes, with the lengths and counts that they have now.

use super::{Form, Node, packed};
use crate::bytes::lzf;
use crate::rdb::length;

/// The longest decimal score; greater first bytes mean something else.
const LONGEST_SCORE: usize = 252;

pub(super) fn fields(nodes: &[Node], out: &mut Vec<u8>) {
    for node in nodes {
        field(node, out);
    }
}

fn field(node: &Node, out: &mut Vec<u8>) {
    match node {
        Node::Fixed { bytes, len } => fixed(bytes, *len, out),
        Node::Number(number) => length::encode(*number, out),
        Node::Text { bytes, form } => text(bytes, *form, out),
        Node::Blob { packing, arity, form, items } => {
            let form = if *form == Form::Integer { Form::Raw } else { *form };
            text(&packed::pack(*packing, *arity, items), form, out);
        }
        Node::Score(digits) => {
            let digits = digits.get(..LONGEST_SCORE).unwrap_or(digits);
            out.push(u8::try_from(digits.len()).unwrap_or_default());
            out.extend_from_slice(digits);
        }
        Node::Many { groups, counted } => {
            if *counted {
                length::encode(groups.len() as u64, out);
            }
            groups.iter().for_each(|group| fields(group, out));
            if !counted {
                length::encode(0, out);
            }
        }
        Node::Opaque(bytes) => out.extend_from_slice(bytes),
    }
}

/// Exactly `len` bytes: cut, or filled up with zeros.
fn fixed(bytes: &[u8], len: usize, out: &mut Vec<u8>) {
    out.extend(bytes.iter().copied().chain(std::iter::repeat(0)).take(len));
}

fn text(bytes: &[u8], form: Form, out: &mut Vec<u8>) {
    match form {
        Form::Raw => raw(bytes, out),
        Form::Integer => {
            let (code, len) = match bytes.len() {
                0 | 1 => (0xc0, 1),
                2 => (0xc1, 2),
                _ => (0xc2, 4),
            };
            out.push(code);
            fixed(bytes, len, out);
        }
        Form::Lzf => {
            let mut compressed = Vec::new();
            if lzf::compress(bytes, &mut compressed).is_none() {
                return raw(bytes, out);
            }
            out.push(0xc3);
            length::encode(compressed.len() as u64, out);
            length::encode(bytes.len() as u64, out);
            out.extend_from_slice(&compressed);
        }
    }
}

fn raw(bytes: &[u8], out: &mut Vec<u8>) {
    length::encode(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

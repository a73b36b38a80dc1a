//! RedisJSON documents.
//!
//! | version | items |
//! | ---: | --- |
//! | 0 | nodes: type, then what the type asks for |
//! | 2 | JSON text, flag, two strings about an index when it is set |
//! | 3 | JSON text |
//! | 4 | CBOR, see `cbor` |
//!
//! Node types of version 0: 1 null, 2 string, 4 double, 8 integer, 0x10 boolean (a string, `1` is true),
//! 0x20 dictionary (count, then 0x80, name, node), 0x40 array (count, nodes).
//! Source: RedisJSON `src/redisjson.rs`, `json_rdb_load`; version 1.0 `src/object_type.c`.

use std::borrow::Cow;

use super::fields::Fields;
use super::json_text::JsonText;
use super::{cbor, tree::Tree};
use crate::value::Blob;

/// Marks a name in a dictionary of version 0.
const KEYVAL: u64 = 0x80;

pub(super) fn decode<'a>(version: u16, fields: &mut Fields<'a, '_>) -> Option<Tree<'a>> {
    let depth = fields.charges().depth;
    match version {
        0 => node(fields, depth),
        2 => {
            let text = fields.text()?;
            if fields.uint()? != 0 {
                fields.text()?;
                fields.text()?;
            }
            document(text, depth)
        }
        3 => document(fields.text()?, depth),
        4 => {
            let stored = fields.text()?;
            cbor::decode(&stored, fields.charges())
        }
        _ => None,
    }
}

/// JSON text stored as such (Dragonfly's values of type 30, too).
pub(super) fn document(text: Blob<'_>, depth: u32) -> Option<Tree<'_>> {
    JsonText::new(text, depth).map(Tree::Json)
}

fn node<'a>(fields: &mut Fields<'a, '_>, depth: u32) -> Option<Tree<'a>> {
    Some(match fields.uint()? {
        0x01 => Tree::Null,
        0x02 => fields.text_tree()?,
        0x04 => fields.double_tree()?,
        0x08 => Tree::Int(fields.int()?),
        0x10 => Tree::Bool(fields.text()?.first() == Some(&b'1')),
        0x20 => {
            let depth = depth.checked_sub(1)?;
            let count = fields.uint()?;
            Tree::Map(fields.list(count, |fields| {
                (fields.uint()? == KEYVAL).then_some(())?;
                Some((name(fields.text()?)?, node(fields, depth)?))
            })?)
        }
        0x40 => {
            let depth = depth.checked_sub(1)?;
            let count = fields.uint()?;
            Tree::List(fields.list(count, |fields| node(fields, depth))?)
        }
        _ => return None,
    })
}

/// A name in a document; names are text.
pub(super) fn name(bytes: Blob<'_>) -> Option<Cow<'_, str>> {
    match bytes.input() {
        Some(input) => simdutf8::basic::from_utf8(input).ok().map(Cow::Borrowed),
        None => String::from_utf8(bytes.into_vec()).ok().map(Cow::Owned),
    }
}

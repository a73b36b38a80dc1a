//! Sparse arrays, type 28 (Redis 8.8).
//!
//! ```text
//! length count (> 0)   length has_insert_index (0 or 1)   [length insert_index]
//! count × { length index, length tag, payload }     ascending indexes
//! ```
//!
//! Tags: 0 and 3 a string, 1 an i64 LE, 2 an f64 LE. Source: Redis `src/rdb.c` of the 8.8 line.

use super::{Buffers, Element, Visit};
use crate::bytes::{Budget, Cursor};
use crate::rdb::encode::{Encoder, Out, Outcome, Plan, Walk};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::string;
use crate::value::Piece;
use crate::value::number::canonical_int;

fn header(c: &mut Cursor<'_>) -> Result<u64> {
    let at = c.offset();
    let count = length::decode(c)?;
    match length::decode(c)? {
        0 => {}
        1 => {
            length::decode(c)?;
        }
        _ => return Err(Error::invalid(at, "array-bad-flag", "an array's insert-index flag is neither 0 nor 1")),
    }
    Ok(count)
}

#[cold]
fn bad_tag(at: u64) -> Error {
    Error::invalid(at, "array-bad-tag", "an array element has an unknown tag")
}

pub(super) fn skip(c: &mut Cursor<'_>, budget: &Budget) -> Result<()> {
    let at = c.offset();
    let count = header(c)?;
    super::repeated(count, at, c, budget, |c| {
        length::decode(c)?;
        let at = c.offset();
        match length::decode(c)? {
            0 | 3 => string::skip(c)?,
            1 | 2 => {
                c.array::<8>()?;
            }
            _ => return Err(bad_tag(at)),
        }
        Ok(())
    })
}

pub(super) fn elements<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let at = c.offset();
    let count = header(c)?;
    if count == 0 {
        return Err(Error::invalid(at, "array-empty", "an array has no elements"));
    }
    let mut next_allowed = 0u64;
    for _ in 0..count {
        let at = c.offset();
        let index = length::decode(c)?;
        if index < next_allowed || index == u64::MAX {
            return Err(Error::invalid(at, "array-bad-index", "array indexes do not ascend"));
        }
        next_allowed = index.saturating_add(1);
        let at = c.offset();
        match length::decode(c)? {
            0 | 3 => visit(Element::Slot(index, string::decode(c)?.read(&mut buffers.first)?))?,
            1 => {
                let mut text = itoa::Buffer::new();
                let text = text.format(i64::from_le_bytes(c.array()?));
                visit(Element::Slot(index, Piece::Passing(text.as_bytes())))?;
            }
            2 => {
                let text = f64::from_le_bytes(c.array()?).to_string();
                visit(Element::Slot(index, Piece::Passing(text.as_bytes())))?;
            }
            _ => return Err(bad_tag(at)),
        }
    }
    Ok(())
}

/// Strings of at most this many bytes have a tag of their own.
const SHORT: usize = 7;

/// Integers as such, all else as strings; where elements are inserted next is not kept.
pub(in crate::rdb) fn encode<'a>(
    plan: &Plan,
    encoder: &mut Encoder,
    value: &mut dyn Walk<'a>,
    out: &mut Out<'_>,
) -> Outcome<()> {
    length::encode(plan.count, out.bytes);
    length::encode(0, out.bytes);
    Ok(value.walk(&mut |element| {
        let Element::Slot(index, text) = element else { return Ok(()) };
        length::encode(index, out.bytes);
        match canonical_int(&text) {
            Some(integer) => {
                length::encode(1, out.bytes);
                out.bytes.extend_from_slice(&integer.to_le_bytes());
            }
            None => {
                length::encode(if text.len() <= SHORT { 3 } else { 0 }, out.bytes);
                encoder.strings.encode(&text, out.bytes);
            }
        }
        out.settle();
        Ok(())
    })?)
}

//! Sorted sets.
//!
//! | type | body |
//! | --- | --- |
//! | 3 | count, then member (string) and score as text: u8 length (253 nan, 254 inf, 255 -inf), ASCII |
//! | 5 | count, then member (string) and score (f64 LE) |
//! | 12 | one string: a ziplist of member, score, … |
//! | 17 | one string: a listpack of member, score, … |
//!
//! Source: Redis `src/rdb.c`, `rdbLoadDoubleValue`, `rdbLoadBinaryDoubleValue`; `src/t_zset.c`, `zzlGetScore`.

use super::{Buffers, Element, Packed, Visit, blob_offset, next_piece, odd_count, with_blob};
use crate::bytes::Cursor;
use crate::packed::{self, listpack::Listpack, ziplist::Ziplist};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::string;
use crate::value::Piece;
use crate::value::number::{NumericPrefix, parse_score_prefix};

pub(super) fn ascii<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        let member = string::decode(c)?.read(&mut buffers.first)?;
        visit(Element::Scored(member, ascii_score(c)?))?;
    }
    Ok(())
}

pub(super) fn binary<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        let member = string::decode(c)?.read(&mut buffers.first)?;
        let at = c.offset();
        let score = f64::from_le_bytes(c.array()?);
        if score.is_nan() {
            return Err(nan(at));
        }
        visit(Element::Scored(member, score))?;
    }
    Ok(())
}

pub(super) fn ziplist<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        scored(&mut Ziplist::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)
    })
}

pub(super) fn listpack<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    let node = string::decode(c)?;
    let at = blob_offset(&node);
    with_blob!(node.read(&mut buffers.first)?, blob, wrap => {
        scored(&mut Listpack::new(blob).map_err(|e| Error::packed(at, e))?.iter(), at, wrap, visit)
    })
}

fn scored<'a, 'x, 'e>(
    iter: &mut impl Packed<'x>,
    at: u64,
    wrap: impl Fn(&'x [u8]) -> Piece<'a, 'e>,
    visit: &mut impl Visit<'a>,
) -> Result<()> {
    let mut text = itoa::Buffer::new();
    while let Some(member) = next_piece(iter, at, &wrap, &mut text)? {
        let score = match iter.next() {
            Some(Ok(score)) => packed_score(score),
            Some(Err(error)) => return Err(Error::packed(at, error)),
            None => return Err(odd_count(at)),
        };
        visit(Element::Scored(member, score))?;
    }
    Ok(())
}

/// A score in a packed blob: an integer, or text of which the longest numeric prefix counts (0 if there is none).
#[expect(clippy::cast_precision_loss, reason = "the server converts the integer in the same way")]
fn packed_score(element: packed::Element<'_>) -> f64 {
    match element {
        packed::Element::Int(value) => value as f64,
        packed::Element::Bytes(text) => match parse_score_prefix(text) {
            NumericPrefix::Number(score, _) => score,
            NumericPrefix::Nan => f64::NAN,
            NumericPrefix::Nothing => 0.0,
        },
    }
}

/// A score as text, with a length byte before it.
fn ascii_score(c: &mut Cursor<'_>) -> Result<f64> {
    let at = c.offset();
    match c.u8()? {
        255 => Ok(f64::NEG_INFINITY),
        254 => Ok(f64::INFINITY),
        253 => Err(nan(at)),
        len => match parse_score_prefix(c.take(len.into())?) {
            NumericPrefix::Nan => Err(nan(at)),
            NumericPrefix::Number(score, _) => Ok(score),
            NumericPrefix::Nothing => Err(Error::invalid(at, "zset-bad-score", "a score is not a number")),
        },
    }
}

pub(super) fn skip_ascii_score(c: &mut Cursor<'_>) -> Result<()> {
    let len = c.u8()?;
    if len < 253 {
        c.take(len.into())?;
    }
    Ok(())
}

#[cold]
fn nan(at: u64) -> Error {
    Error::invalid(at, "zset-nan-score", "a score is not a number (NaN)")
}

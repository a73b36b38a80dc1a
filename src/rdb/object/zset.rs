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
use crate::rdb::encode::{Encoder, Out, Outcome, Packer, Plan, Survey, Unfit, Walk};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::opcode::ValueType;
use crate::rdb::string;
use crate::rdb::target::{LIMITS, Packing, Target};
use crate::value::Piece;
use crate::value::number::{NumericPrefix, ScoreText, parse_score_prefix};

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
            return Err(nan_score(at));
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
        253 => Err(nan_score(at)),
        len => match parse_score_prefix(c.take(len.into())?) {
            NumericPrefix::Nan => Err(nan_score(at)),
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
pub(crate) fn nan_score(at: u64) -> Error {
    Error::invalid(at, "zset-nan-score", "a score is not a number (NaN)")
}

/// What is said of members that are left out: their score is NaN, which few servers take and no command makes.
pub(crate) const NAN_MEMBERS: &str = "members whose score is not a number (NaN)";

/// How a sorted set is written. A listpack cannot hold a score of -0: it becomes the integer 0.
pub(in crate::rdb) fn plan(survey: &Survey, target: &Target) -> Outcome<Plan> {
    let count = survey.count.saturating_sub(survey.nans);
    if count == 0 && survey.nans > 0 {
        return Err(Unfit(NAN_MEMBERS).into());
    }
    let small = count <= LIMITS.zset_entries && survey.longest <= LIMITS.element_bytes;
    let value_type = match target.packing() {
        Packing::Ziplist if small => ValueType::ZsetZiplist,
        Packing::Listpack if small && !survey.negative_zero => ValueType::ZsetListpack,
        _ => target.zset(),
    };
    Ok(Plan { lost: (survey.nans > 0).then_some(NAN_MEMBERS), ..Plan::new(value_type, count) })
}

pub(in crate::rdb) fn encode<'a>(
    plan: &Plan,
    encoder: &mut Encoder,
    value: &mut dyn Walk<'a>,
    out: &mut Out<'_>,
) -> Outcome<()> {
    let Encoder { strings, packer, target, .. } = encoder;
    if matches!(plan.value_type, ValueType::ZsetZiplist | ValueType::ZsetListpack) {
        encode_packed(target, packer, value)?;
        strings.encode(packer.blob(), out.bytes);
        return Ok(());
    }
    length::encode(plan.count, out.bytes);
    Ok(value.walk(&mut |element| {
        let Element::Scored(member, score) = element else { return Ok(()) };
        if score.is_nan() {
            return Ok(());
        }
        strings.encode(&member, out.bytes);
        if plan.value_type == ValueType::Zset {
            encode_ascii_score(score, out.bytes);
        } else {
            out.bytes.extend_from_slice(&score.to_le_bytes());
        }
        out.settle();
        Ok(())
    })?)
}

/// Members ascend by score, then by their bytes: servers rely on it and do not check.
fn encode_packed<'a>(target: &Target, packer: &mut Packer, value: &mut dyn Walk<'a>) -> Outcome<()> {
    let mut members = Vec::new();
    value.walk(&mut |element| {
        if let Element::Scored(member, score) = element
            && !score.is_nan()
        {
            members.push((score, member.to_vec()));
        }
        Ok(())
    })?;
    members.sort_by(|(a, member_a), (b, member_b)| {
        a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal).then_with(|| member_a.cmp(member_b))
    });
    let mut text = Vec::new();
    packer.clear();
    for (score, member) in &members {
        packer.push(member);
        match integral(*score).filter(|_| target.packs_integral_scores()) {
            Some(integer) => packer.push_int(integer),
            None => {
                text.clear();
                target.score_text().write(*score, &mut text);
                packer.push(&text);
            }
        }
    }
    Ok(())
}

/// The integer that a score is, where servers store it as one (`double2ll`): not beyond 2^62.
fn integral(score: f64) -> Option<i64> {
    const LIMIT: f64 = 4_611_686_018_427_387_904.0;
    if score.trunc() != score || score.abs() > LIMIT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "integral and within 2^62")]
    Some(score as i64)
}

/// Type 3: a length byte and text, or one of three special bytes.
fn encode_ascii_score(score: f64, out: &mut Vec<u8>) {
    if score.is_infinite() {
        return out.push(if score > 0.0 { 254 } else { 255 });
    }
    let mut text = Vec::new();
    ScoreText::Printf17.write(score, &mut text);
    out.push(u8::try_from(text.len()).unwrap_or(0));
    out.extend_from_slice(&text);
}

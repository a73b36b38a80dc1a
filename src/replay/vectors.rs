//! Vector sets (Redis 8).

use super::args::{Words, count, is, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use crate::keyspace::vectors::{Quantisation, Vector};
use crate::keyspace::{Map, Value, Vectors};
use crate::value::Blob;
use crate::value::number::{ScoreRules, parse_score};

type Done = Result<(), Refusal>;

/// `VADD`'s vector: so many numbers, or a blob of them.
fn components(words: &mut Words<'_, '_>) -> Result<Vec<f32>, Refusal> {
    if words.next_is("FP32") {
        let (floats, []) = words.need()?.as_chunks::<4>() else { return Err(BAD_VECTOR) };
        return Ok(floats.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect());
    }
    if !words.next_is("VALUES") {
        return Err(BAD_VECTOR);
    }
    let count = count(words.need()?)?;
    if count > words.rest().len() {
        return Err(BAD_VECTOR);
    }
    #[expect(clippy::cast_possible_truncation, reason = "numbers are rounded to 32 bits")]
    let number = |word: &[u8]| parse_score(word, ScoreRules::Strict).map(|x| x as f32).ok_or(BAD_VECTOR);
    words.by_ref().take(count).map(number).collect()
}

const BAD_VECTOR: Refusal = Refusal::Invalid("invalid vector specification");

pub(super) fn vadd<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    let mut words = Words::new(args, 2);
    if words.next_is("REDUCE") {
        return Err(Refusal::NotReplayable("the projection of a vector set with REDUCE is not in the log"));
    }
    let components = components(&mut words)?;
    let element = words.need()?;
    let (mut quantisation, mut attributes) = (None, None);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "CAS") => {}
            _ if is(option, "NOQUANT") => quantisation = Some(Quantisation::None),
            _ if is(option, "Q8") => quantisation = Some(Quantisation::Q8),
            _ if is(option, "BIN") => quantisation = Some(Quantisation::Binary),
            _ if is(option, "EF") || is(option, "M") => drop(words.integer()?),
            _ if is(option, "SETATTR") => attributes = Some(Blob::near(words.need()?)),
            _ => return Err(Refusal::SYNTAX),
        }
    }
    let dimension = u64::try_from(components.len()).unwrap_or(u64::MAX);
    let fresh = || Vectors { dimension, quantisation: quantisation.unwrap_or_default(), elements: Map::default() };
    state.charge(components.len().saturating_mul(4))?;
    let vectors = match state.db().entry_or_insert_with(key, || Value::Vectors(Box::new(fresh()))) {
        Some(entry) => of(&mut entry.value)?,
        None => return Ok(()),
    };
    if vectors.dimension != dimension {
        return Err(Refusal::Invalid("vector dimension mismatch"));
    }
    let stored = Blob::from(vectors.quantisation.store(&components));
    let kept = vectors.elements.remove(element).map(|(_, old)| old.attributes);
    let attributes = attributes.or(kept).unwrap_or_default();
    vectors.elements.insert(Blob::near(element), Vector { stored, attributes });
    Ok(())
}

fn of<'v, 'a>(value: &'v mut Value<'a>) -> Result<&'v mut Vectors<'a>, Refusal> {
    if let Value::Vectors(vectors) = value { Ok(vectors) } else { Err(Refusal::WrongType) }
}

pub(super) fn vrem<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    let Some(entry) = state.db().entry_mut(key) else { return Ok(()) };
    let vectors = of(&mut entry.value)?;
    vectors.elements.remove(word(args, 2)?);
    if vectors.elements.is_empty() {
        state.db().remove(key);
    }
    Ok(())
}

pub(super) fn vsetattr<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let Some(entry) = state.db().entry_mut(word(args, 1)?) else { return Ok(()) };
    if let Some(vector) = of(&mut entry.value)?.elements.get_mut(word(args, 2)?) {
        vector.attributes = Blob::near(word(args, 3)?);
    }
    Ok(())
}

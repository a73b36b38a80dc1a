//! `HyperLogLogs`: strings that estimate how many different elements were added.

use super::args::{from, is, word};
use super::hyperloglog::{self, Estimator, NotHyperLogLog};
use super::refusal::Refusal;
use super::state::{Args, State};
use super::strings::buffer;
use crate::keyspace::Value;

type Done = Result<(), Refusal>;

/// A dense value; a sparse one is shorter.
const LONGEST: usize = 12304;

impl From<NotHyperLogLog> for Refusal {
    fn from(_: NotHyperLogLog) -> Self {
        Self::Invalid("the key is not a valid HyperLogLog string value")
    }
}

fn estimator(state: &State<'_>) -> Estimator {
    match state.like.as_redis() {
        (5.., _) => Estimator::Ertl,
        (4, _) => Estimator::LogLogBeta,
        _ => Estimator::Original,
    }
}

/// The bytes of a key that holds one, to change.
///
/// # Errors
/// When the key holds anything else, or memory does not suffice.
fn registers<'s, 'a>(state: &'s mut State<'a>, key: &'a [u8]) -> Result<&'s mut Vec<u8>, Refusal> {
    hyperloglog::is_dense(state.db().string(key)?.unwrap_or_default())?;
    buffer(state, key, |len| Some(len.max(LONGEST)))
}

/// Make an empty one where there is no key. Was there none?
fn create<'a>(state: &mut State<'a>, key: &'a [u8]) -> bool {
    let absent = !state.db().contains(key);
    if absent {
        state.db().set(key, Value::from(hyperloglog::empty()), None);
    }
    absent
}

pub(super) fn pfadd<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    let created = create(state, key);
    hyperloglog::add(registers(state, key)?, created, from(args, 2).iter().copied())?;
    Ok(())
}

pub(super) fn pfmerge<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let target = word(args, 1)?;
    let always_dense = !state.like.at_least_redis(4, 0);
    let db = state.db();
    let mut sources = Vec::new();
    for key in from(args, 2) {
        sources.extend(db.string(key)?);
    }
    let mut merged = match db.string(target)? {
        Some(bytes) => bytes.to_vec(),
        None => hyperloglog::empty(),
    };
    hyperloglog::merge(&mut merged, &sources, always_dense)?;
    create(state, target);
    *registers(state, target)? = merged;
    Ok(())
}

/// Logged when it has written a new estimate into the value of its only key.
pub(super) fn pfcount<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    if args.len() != 2 || !state.db().contains(key) {
        return Ok(());
    }
    let estimator = estimator(state);
    hyperloglog::refresh_cardinality(registers(state, key)?, estimator)?;
    Ok(())
}

pub(super) fn pfdebug<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (what, key) = (word(args, 1)?, word(args, 2)?);
    if !state.db().contains(key) {
        return Err(Refusal::Invalid("no such key"));
    }
    if is(what, "TODENSE") || is(what, "GETREG") {
        hyperloglog::to_dense(registers(state, key)?)?;
    }
    Ok(())
}

//! Databases as a whole.

use super::args::{from, integer, is, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use crate::value::{DbIndex, SLOTS, key_slot};
use std::ops::RangeInclusive;

type Done = Result<(), Refusal>;

/// A database number: servers have as many as they are configured for, so any will do.
pub(super) fn db_index(word: &[u8]) -> Result<DbIndex, Refusal> {
    let index = i32::try_from(integer(word)?).ok().and_then(|index| u32::try_from(index).ok());
    index.map(DbIndex).ok_or(Refusal::Invalid("DB index is out of range"))
}

pub(super) fn select<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    state.db = db_index(word(args, 1)?)?;
    Ok(())
}

/// `ASYNC` or `SYNC`, or nothing.
fn only_a_mode(words: Args<'_, '_>) -> Done {
    match words {
        [] => Ok(()),
        [mode] if is(mode, "ASYNC") || is(mode, "SYNC") => Ok(()),
        _ => Err(Refusal::SYNTAX),
    }
}

pub(super) fn flushdb<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    only_a_mode(from(args, 1))?;
    state.db().clear();
    Ok(())
}

pub(super) fn flushall<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    only_a_mode(from(args, 1))?;
    state.keyspace.flush();
    Ok(())
}

pub(super) fn swapdb<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (one, other) = (db_index(word(args, 1)?)?, db_index(word(args, 2)?)?);
    if one != other {
        state.keyspace.swap(one, other);
    }
    Ok(())
}

/// A slot number.
fn slot(word: &[u8]) -> Result<u16, Refusal> {
    let slot = u16::try_from(integer(word)?).ok().filter(|&slot| slot < SLOTS);
    slot.ok_or(Refusal::Invalid("invalid or out of range slot"))
}

/// Pairs of a first and a last slot.
fn ranges(words: Args<'_, '_>) -> Result<Vec<RangeInclusive<u16>>, Refusal> {
    let (pairs, []) = words.as_chunks::<2>() else { return Err(Refusal::Arity) };
    pairs.iter().map(|&[first, last]| Ok(slot(first)?..=slot(last)?)).collect()
}

fn drop_slots(state: &mut State<'_>, db: DbIndex, slots: &[RangeInclusive<u16>]) {
    state.keyspace.db_mut(db).retain(|entry| {
        let slot = key_slot(&entry.key);
        !slots.iter().any(|range| range.contains(&slot))
    });
}

pub(super) fn trimslots<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    if !is(word(args, 1)?, "RANGES") {
        return Err(Refusal::SYNTAX);
    }
    let count = super::args::count(word(args, 2)?)?;
    let slots = ranges(from(args, 3))?;
    if slots.len() != count {
        return Err(Refusal::Arity);
    }
    drop_slots(state, DbIndex(0), &slots);
    Ok(())
}

/// Logged only when the ranges covered all that the node had.
pub(super) fn sflush<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let words = from(args, 1);
    let words = match words.split_last() {
        Some((mode, slots)) if only_a_mode(&[*mode]).is_ok() => slots,
        _ => words,
    };
    ranges(words)?;
    state.keyspace.db_mut(DbIndex(0)).clear();
    Ok(())
}

pub(super) fn flushslot<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let slot = slot(word(args, 2)?)?;
    only_a_mode(from(args, 3))?;
    let dbs: Vec<DbIndex> = state.keyspace.dbs().map(|(index, _)| index).collect();
    dbs.into_iter().for_each(|db| drop_slots(state, db, &[slot..=slot]));
    Ok(())
}

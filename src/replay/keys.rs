//! Commands on keys of any type.

use super::args::{Words, from, integer, is, word};
use super::refusal::Refusal;
use super::server::db_index;
use super::state::{Args, State};
use super::times::{OnlyIf, Unit};
use crate::keyspace::Entry;
use crate::value::Blob;

type Done = Result<(), Refusal>;

pub(super) fn del<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    for key in from(args, 1) {
        state.db().remove(key);
    }
    Ok(())
}

pub(super) fn expire<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire_in(state, args, Unit::Seconds)
}

pub(super) fn pexpire<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire_in(state, args, Unit::Millis)
}

pub(super) fn expireat<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire_in(state, args, Unit::UnixSeconds)
}

pub(super) fn pexpireat<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire_in(state, args, Unit::UnixMillis)
}

fn expire_in<'a>(state: &mut State<'a>, args: Args<'_, 'a>, unit: Unit) -> Done {
    let mut only_if = OnlyIf::default();
    if !from(args, 3).iter().all(|word| only_if.option(word)) {
        return Err(Refusal::SYNTAX);
    }
    only_if.check()?;
    let at = unit.resolve(integer(word(args, 2)?)?, state)?;
    if let Some(entry) = state.db().entry_mut(word(args, 1)?)
        && only_if.allows(entry.expires, at)
    {
        entry.expires = Some(at);
    }
    Ok(())
}

pub(super) fn persist<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    if let Some(entry) = state.db().entry_mut(word(args, 1)?) {
        entry.expires = None;
    }
    Ok(())
}

pub(super) fn rename<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (old, new) = (word(args, 1)?, word(args, 2)?);
    let db = state.db();
    if !db.contains(old) {
        return Err(Refusal::Invalid("no such key"));
    }
    if old != new
        && let Some(entry) = db.remove(old)
    {
        db.put(Entry { key: Blob::near(new), ..entry });
    }
    Ok(())
}

pub(super) fn renamenx<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    if state.db().contains(word(args, 2)?) && state.db().contains(word(args, 1)?) {
        return Ok(());
    }
    rename(state, args)
}

pub(super) fn move_<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, target) = (word(args, 1)?, db_index(word(args, 2)?)?);
    if target == state.db {
        return Err(Refusal::Invalid("source and destination are the same"));
    }
    if !state.db().contains(key) || state.keyspace.db_mut(target).contains(key) {
        return Ok(());
    }
    if let Some(entry) = state.db().remove(key) {
        state.keyspace.db_mut(target).put(entry);
    }
    Ok(())
}

pub(super) fn copy<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (source, name) = (word(args, 1)?, word(args, 2)?);
    let (mut target, mut replace) = (state.db, false);
    let mut words = Words::new(args, 3);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "DB") => target = db_index(words.need()?)?,
            _ if is(option, "REPLACE") => replace = true,
            _ => return Err(Refusal::SYNTAX),
        }
    }
    if target == state.db && source == name {
        return Err(Refusal::Invalid("source and destination are the same"));
    }
    let Some(entry) = state.db().entry(source) else { return Ok(()) };
    let size = entry.value.heap_bytes();
    if !replace && state.keyspace.db(target).is_some_and(|db| db.contains(name)) {
        return Ok(());
    }
    state.charge(size)?;
    if let Some(entry) = state.db().entry(source).cloned() {
        state.keyspace.db_mut(target).put(Entry { key: Blob::near(name), ..entry });
    }
    Ok(())
}

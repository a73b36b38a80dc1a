//! Sets.

use super::args::{count, from, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use crate::keyspace::Set;
use crate::value::Blob;

type Done = Result<(), Refusal>;

pub(super) fn sadd<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let set: &mut Set<'a> = state.db().get_or_create(word(args, 1)?)?;
    for member in from(args, 2) {
        set.0.insert(Blob::near(member), ());
    }
    Ok(())
}

pub(super) fn srem<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    state.db().edit(word(args, 1)?, |set: &mut Set<'a>| {
        for member in from(args, 2) {
            set.0.remove(member);
        }
    })?;
    Ok(())
}

pub(super) fn smove<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (source, target, member) = (word(args, 1)?, word(args, 2)?, word(args, 3)?);
    let db = state.db();
    if db.get::<Set<'a>>(source)?.is_none() {
        return Ok(());
    }
    db.get::<Set<'a>>(target)?;
    if source == target {
        return Ok(());
    }
    if let Some(Some((member, ()))) = db.edit(source, |set: &mut Set<'a>| set.0.remove(member))? {
        db.get_or_create::<Set<'a>>(target)?.0.insert(member, ());
    }
    Ok(())
}

/// Which members a server picked nobody can tell, unless it took all of them.
pub(super) fn spop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    if args.len() > 3 {
        return Err(Refusal::SYNTAX);
    }
    let wanted = args.get(2).map_or(Ok(1), |word| count(word))?;
    let key = word(args, 1)?;
    match state.db().get::<Set<'a>>(key)? {
        Some(set) if wanted >= set.0.len() => drop(state.db().remove(key)),
        Some(_) if wanted > 0 => {
            return Err(Refusal::NotReplayable(
                "which members SPOP takes is chance: the key has too many from here on",
            ));
        }
        _ => {}
    }
    Ok(())
}

pub(super) fn sunionstore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    store(state, args, union)
}

pub(super) fn sinterstore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let target = word(args, 1)?;
    if !state.like.at_least_redis(7, 0) {
        // Up to 6.2 the first missing source ends the command before later ones have their type checked.
        for key in from(args, 2) {
            if state.db().get::<Set<'a>>(key)?.is_none() {
                state.db().remove(target);
                return Ok(());
            }
        }
    }
    store(state, args, intersection)
}

pub(super) fn sdiffstore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    store(state, args, difference)
}

type Combine = for<'a> fn(&[Option<&Set<'a>>]) -> Set<'a>;

fn store<'a>(state: &mut State<'a>, args: Args<'_, 'a>, combine: Combine) -> Done {
    let target = word(args, 1)?;
    let db = state.db();
    let sources = from(args, 2).iter().map(|key| db.get::<Set<'a>>(key)).collect::<Result<Vec<_>, _>>()?;
    let result = combine(&sources);
    state.charge(result.0.heap_bytes())?;
    state.db().replace(target, result);
    Ok(())
}

fn union<'a>(sources: &[Option<&Set<'a>>]) -> Set<'a> {
    Set(sources.iter().flatten().flat_map(|set| set.0.keys()).map(|member| (member.clone(), ())).collect())
}

fn intersection<'a>(sources: &[Option<&Set<'a>>]) -> Set<'a> {
    let Some(sources) = sources.iter().copied().collect::<Option<Vec<_>>>() else { return Set::default() };
    let Some(smallest) = sources.iter().min_by_key(|set| set.0.len()) else { return Set::default() };
    let common = smallest.0.keys().filter(|member| sources.iter().all(|set| set.0.contains(member)));
    Set(common.map(|member| (member.clone(), ())).collect())
}

fn difference<'a>(sources: &[Option<&Set<'a>>]) -> Set<'a> {
    let Some((Some(first), others)) = sources.split_first() else { return Set::default() };
    let alone = first.0.keys().filter(|member| !others.iter().flatten().any(|set| set.0.contains(member)));
    Set(alone.map(|member| (member.clone(), ())).collect())
}

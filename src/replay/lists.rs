//! Lists.

use super::args::{Words, counted, from, integer, is, span, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use crate::keyspace::List;
use crate::value::Blob;

type Done = Result<(), Refusal>;

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Head,
    Tail,
}

impl End {
    fn named(word: &[u8]) -> Result<Self, Refusal> {
        match word {
            _ if is(word, "LEFT") => Ok(Self::Head),
            _ if is(word, "RIGHT") => Ok(Self::Tail),
            _ => Err(Refusal::SYNTAX),
        }
    }
}

impl<'a> List<'a> {
    fn push(&mut self, end: End, element: Blob<'a>) {
        if self.0.len() == self.0.capacity() {
            // By a quarter, not twofold: there are many lists, and most stay short.
            self.0.reserve_exact((self.0.len() / 4).max(4));
        }
        match end {
            End::Head => self.0.push_front(element),
            End::Tail => self.0.push_back(element),
        }
    }

    fn pop(&mut self, end: End) -> Option<Blob<'a>> {
        match end {
            End::Head => self.0.pop_front(),
            End::Tail => self.0.pop_back(),
        }
    }

    fn drop_from(&mut self, end: End, count: usize) {
        let count = count.min(self.0.len());
        match end {
            End::Head => drop(self.0.drain(..count)),
            End::Tail => self.0.truncate(self.0.len().saturating_sub(count)),
        }
    }

    /// Give memory back when little of it is used: lists are pushed to and trimmed in turn.
    fn shrink(&mut self) {
        if self.0.capacity() > self.0.len().saturating_mul(4).saturating_add(16) {
            self.0.shrink_to(self.0.len().saturating_mul(2));
        }
    }
}

fn push<'a>(state: &mut State<'a>, args: Args<'_, 'a>, end: End) -> Done {
    let list: &mut List<'a> = state.db().get_or_create(word(args, 1)?)?;
    for element in from(args, 2) {
        list.push(end, Blob::near(element));
    }
    Ok(())
}

fn push_existing<'a>(state: &mut State<'a>, args: Args<'_, 'a>, end: End) -> Done {
    if state.db().get::<List<'a>>(word(args, 1)?)?.is_some() { push(state, args, end) } else { Ok(()) }
}

pub(super) fn lpush<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    push(state, args, End::Head)
}

pub(super) fn rpush<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    push(state, args, End::Tail)
}

pub(super) fn lpushx<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    push_existing(state, args, End::Head)
}

pub(super) fn rpushx<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    push_existing(state, args, End::Tail)
}

fn pop<'a>(state: &mut State<'a>, args: Args<'_, 'a>, end: End) -> Done {
    if args.len() > 3 {
        return Err(Refusal::Arity);
    }
    let count = args.get(2).map_or(Ok(1), |word| super::args::count(word))?;
    state.db().edit(word(args, 1)?, |list: &mut List<'a>| list.drop_from(end, count))?;
    Ok(())
}

pub(super) fn lpop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop(state, args, End::Head)
}

pub(super) fn rpop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop(state, args, End::Tail)
}

/// The first of some keys that exists loses elements.
fn pop_first<'a>(state: &mut State<'a>, keys: Args<'_, 'a>, end: End, count: usize) -> Done {
    for key in keys {
        if state.db().edit(key, |list: &mut List<'a>| list.drop_from(end, count))?.is_some() {
            return Ok(());
        }
    }
    Ok(())
}

/// Keys and a timeout that never passes during a replay.
fn pop_blocking<'a>(state: &mut State<'a>, args: Args<'_, 'a>, end: End) -> Done {
    let (_, keys) = from(args, 1).split_last().ok_or(Refusal::SYNTAX)?;
    pop_first(state, keys, end, 1)
}

pub(super) fn blpop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop_blocking(state, args, End::Head)
}

pub(super) fn brpop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop_blocking(state, args, End::Tail)
}

pub(super) fn lmpop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop_any(state, args, 1)
}

pub(super) fn blmpop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop_any(state, args, 2)
}

fn pop_any<'a>(state: &mut State<'a>, args: Args<'_, 'a>, numkeys: usize) -> Done {
    let (keys, rest) = counted(args, numkeys)?;
    let mut words = Words::new(rest, 0);
    let end = End::named(words.need()?)?;
    let count = if words.next_is("COUNT") { super::args::count(words.need()?)? } else { 1 };
    if count == 0 || words.next().is_some() {
        return Err(Refusal::SYNTAX);
    }
    pop_first(state, keys, end, count)
}

pub(super) fn lset<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, index, element) = (word(args, 1)?, integer(word(args, 2)?)?, word(args, 3)?);
    let set = |list: &mut List<'a>| {
        let len = i64::try_from(list.0.len()).unwrap_or(i64::MAX);
        let at = if index < 0 { index.saturating_add(len) } else { index };
        let place = usize::try_from(at).ok().and_then(|at| list.0.get_mut(at));
        place.map(|place| *place = Blob::near(element))
    };
    match state.db().edit(key, set)? {
        None => Err(Refusal::Invalid("no such key")),
        Some(None) => Err(Refusal::Invalid("index out of range")),
        Some(Some(())) => Ok(()),
    }
}

pub(super) fn linsert<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, place, pivot, element) = (word(args, 1)?, word(args, 2)?, word(args, 3)?, word(args, 4)?);
    let behind = match place {
        _ if is(place, "BEFORE") => 0,
        _ if is(place, "AFTER") => 1,
        _ => return Err(Refusal::SYNTAX),
    };
    state.db().edit(key, |list: &mut List<'a>| {
        if let Some(at) = list.0.iter().position(|other| other.as_bytes() == pivot) {
            list.0.insert(at.saturating_add(behind), Blob::near(element));
        }
    })?;
    Ok(())
}

pub(super) fn lrem<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, count, element) = (word(args, 1)?, integer(word(args, 2)?)?, word(args, 3)?);
    state.db().edit(key, |list: &mut List<'a>| remove_equal(list, count, element))?;
    Ok(())
}

/// Remove elements: the first `count`, the last `-count`, or all when it is 0.
fn remove_equal(list: &mut List<'_>, count: i64, element: &[u8]) {
    let most = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let equal = list.0.iter().filter(|other| other.as_bytes() == element).count();
    let (skip, take) = match count {
        0 => (0, equal),
        1.. => (0, most),
        _ => (equal.saturating_sub(most), most),
    };
    let (mut seen, end) = (0usize, skip.saturating_add(take));
    list.0.retain(|other| {
        let hit = other.as_bytes() == element;
        seen = seen.saturating_add(usize::from(hit));
        !(hit && seen > skip && seen <= end)
    });
}

pub(super) fn ltrim<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (start, end) = (integer(word(args, 2)?)?, integer(word(args, 3)?)?);
    state.db().edit(word(args, 1)?, |list: &mut List<'a>| {
        let kept = span(start, end, list.0.len());
        list.0.truncate(kept.end);
        list.drop_from(End::Head, kept.start);
        list.shrink();
    })?;
    Ok(())
}

pub(super) fn rpoplpush<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    shift(state, word(args, 1)?, word(args, 2)?, End::Tail, End::Head)
}

pub(super) fn brpoplpush<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    rpoplpush(state, args)
}

pub(super) fn lmove<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (from, to) = (End::named(word(args, 3)?)?, End::named(word(args, 4)?)?);
    shift(state, word(args, 1)?, word(args, 2)?, from, to)
}

pub(super) fn blmove<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    lmove(state, args)
}

fn shift<'a>(state: &mut State<'a>, source: &'a [u8], target: &'a [u8], from: End, to: End) -> Done {
    let db = state.db();
    if db.get::<List<'a>>(source)?.is_none() {
        return Ok(());
    }
    db.get::<List<'a>>(target)?;
    if source == target {
        let turn = |list: &mut List<'a>| list.pop(from).map(|element| list.push(to, element));
        db.edit(source, turn)?;
    } else if let Some(Some(element)) = db.edit(source, |list: &mut List<'a>| list.pop(from))? {
        db.get_or_create::<List<'a>>(target)?.push(to, element);
    }
    Ok(())
}

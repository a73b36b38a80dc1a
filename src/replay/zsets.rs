//! Sorted sets.

mod compact;
mod range;
mod store;
#[cfg(test)]
mod tests;

pub(super) use compact::settle;
pub(super) use store::{zdiffstore, zinterstore, zrangestore, zunionstore};

use self::range::{LexRange, ScoreRange};
use super::args::{Words, count, counted, from, integer, is, span, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use crate::keyspace::{Like, Zset};
use crate::value::Blob;
use crate::value::number::{ScoreRules, parse_score};
use std::ops::Range;

type Done = Result<(), Refusal>;

/// What `ZADD` is told about members that are there or not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AddOptions {
    pub(super) absent: bool,
    pub(super) present: bool,
    greater: bool,
    less: bool,
    increment: bool,
}

impl AddOptions {
    /// Take an option of `ZADD`; false for other words.
    fn take(&mut self, word: &[u8]) -> bool {
        match word.to_ascii_uppercase().as_slice() {
            b"NX" => self.absent = true,
            b"XX" => self.present = true,
            b"GT" => self.greater = true,
            b"LT" => self.less = true,
            b"INCR" => self.increment = true,
            b"CH" => {}
            _ => return false,
        }
        true
    }

    fn check(self, pairs: usize) -> Done {
        let Self { absent, present, greater, less, increment } = self;
        if absent && (present || greater || less) || greater && less {
            return Err(Refusal::Invalid("NX, XX, GT and LT exclude each other"));
        }
        if increment && pairs > 1 {
            return Err(Refusal::Invalid("INCR takes one pair of score and member"));
        }
        Ok(())
    }

    fn is_plain(self) -> bool {
        !(self.absent || self.present || self.greater || self.less || self.increment)
    }
}

/// The rules by which a server reads scores and weights.
pub(super) fn score_rules(like: Like) -> ScoreRules {
    if like.at_least_valkey(9, 0) {
        ScoreRules::DecimalOnly
    } else if like.at_least_redis(4, 0) {
        ScoreRules::Strict
    } else {
        ScoreRules::UpToNul
    }
}

/// A score, a weight or a coordinate.
pub(super) fn score(state: &State<'_>, word: &[u8]) -> Result<f64, Refusal> {
    parse_score(word, score_rules(state.like)).ok_or(Refusal::NOT_A_FLOAT)
}

pub(super) fn zadd<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    let mut options = AddOptions::default();
    let mut at = 2;
    while args.get(at).is_some_and(|word| options.take(word)) {
        at += 1;
    }
    let (pairs, rest) = from(args, at).as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return Err(Refusal::SYNTAX);
    }
    options.check(pairs.len())?;
    if let [[text, member]] = pairs {
        return add(state, key, options, &[(score(state, text)?, *member)]);
    }
    let read = |[text, member]: &[&'a [u8]; 2]| Ok((score(state, text)?, *member));
    let pairs = pairs.iter().map(read).collect::<Result<Vec<_>, Refusal>>()?;
    add(state, key, options, &pairs)
}

pub(super) fn zincrby<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let options = AddOptions { increment: true, ..AddOptions::default() };
    let increment = score(state, word(args, 2)?)?;
    add(state, word(args, 1)?, options, &[(increment, word(args, 3)?)])
}

/// Add members, or change their scores.
pub(super) fn add<'a>(state: &mut State<'a>, key: &'a [u8], options: AddOptions, pairs: &[(f64, &'a [u8])]) -> Done {
    let like = state.like;
    let db = state.db();
    if options.present && db.get::<Zset<'a>>(key)?.is_none() {
        return Ok(());
    }
    let zset: &mut Zset<'a> = db.get_or_create(key)?;
    compact::prepare(zset, like, pairs);
    pairs.iter().try_for_each(|&(score, member)| add_one(zset, like, options, score, member))
}

fn add_one<'a>(zset: &mut Zset<'a>, like: Like, options: AddOptions, score: f64, member: &'a [u8]) -> Done {
    if options.is_plain() && score != 0.0 {
        if zset.set(Blob::near(member), score).is_none() {
            compact::grown(zset, member);
        }
        return Ok(());
    }
    let Some(old) = zset.score(member) else {
        if !options.present {
            compact::insert(zset, like, Blob::near(member), score);
        }
        return Ok(());
    };
    let new = if options.increment { old + score } else { score };
    if new.is_nan() {
        return Err(Refusal::Invalid("the resulting score is not a number"));
    }
    let kept = options.absent || options.greater && new <= old || options.less && new >= old;
    // Scores that are equal, 0 and -0 too, are left as they are.
    if !kept && new != old {
        let stored = compact::stored(zset, like, new);
        zset.set(Blob::near(member), stored);
    }
    Ok(())
}

pub(super) fn zrem<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    state.db().edit(word(args, 1)?, |zset: &mut Zset<'a>| {
        for member in from(args, 2) {
            zset.remove(member);
        }
    })?;
    Ok(())
}

/// Remove the ranks that `pick` finds in the set of a key.
fn remove_range<'a>(
    state: &mut State<'a>,
    key: &[u8],
    pick: impl FnOnce(&mut Zset<'a>) -> Range<usize>,
) -> Result<bool, Refusal> {
    let removed = state.db().edit(key, |zset: &mut Zset<'a>| {
        let ranks = pick(zset);
        drop(zset.remove_ranks(ranks));
    })?;
    Ok(removed.is_some())
}

pub(super) fn zremrangebyrank<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (start, end) = (integer(word(args, 2)?)?, integer(word(args, 3)?)?);
    remove_range(state, word(args, 1)?, |zset| span(start, end, zset.len())).map(drop)
}

pub(super) fn zremrangebyscore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let range = ScoreRange::parse(word(args, 2)?, word(args, 3)?, state.like)?;
    remove_range(state, word(args, 1)?, |zset| range.ranks(zset)).map(drop)
}

pub(super) fn zremrangebylex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let range = LexRange::parse(word(args, 2)?, word(args, 3)?)?;
    let mut chance = false;
    remove_range(state, word(args, 1)?, |zset| {
        chance = range::is_left_to_chance(zset);
        range.ranks(zset, false)
    })?;
    if chance {
        state.remark(range::CHANCE);
    }
    Ok(())
}

/// Which end of a sorted set is popped from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

impl End {
    fn named(word: &[u8]) -> Result<Self, Refusal> {
        match word {
            _ if is(word, "MIN") => Ok(Self::Min),
            _ if is(word, "MAX") => Ok(Self::Max),
            _ => Err(Refusal::SYNTAX),
        }
    }

    fn ranks(self, wanted: usize, len: usize) -> Range<usize> {
        match self {
            Self::Min => 0..wanted.min(len),
            Self::Max => len.saturating_sub(wanted)..len,
        }
    }
}

/// Pop from the first of the keys that is there.
fn pop_first<'a>(state: &mut State<'a>, keys: Args<'_, 'a>, end: End, wanted: usize) -> Done {
    for key in keys {
        if remove_range(state, key, |zset| end.ranks(wanted, zset.len()))? {
            break;
        }
    }
    Ok(())
}

fn pop<'a>(state: &mut State<'a>, args: Args<'_, 'a>, end: End) -> Done {
    match args {
        [_, key] => pop_first(state, &[key], end, 1),
        [_, key, wanted] => pop_first(state, &[key], end, count(wanted)?),
        _ => Err(Refusal::SYNTAX),
    }
}

pub(super) fn zpopmin<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop(state, args, End::Min)
}

pub(super) fn zpopmax<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop(state, args, End::Max)
}

/// `BZPOPMIN key … timeout`: the last word does not matter, since nobody waits.
fn pop_or_wait<'a>(state: &mut State<'a>, args: Args<'_, 'a>, end: End) -> Done {
    let (_timeout, keys) = from(args, 1).split_last().ok_or(Refusal::SYNTAX)?;
    pop_first(state, keys, end, 1)
}

pub(super) fn bzpopmin<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop_or_wait(state, args, End::Min)
}

pub(super) fn bzpopmax<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop_or_wait(state, args, End::Max)
}

pub(super) fn zmpop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop_many(state, args, 1)
}

pub(super) fn bzmpop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    pop_many(state, args, 2)
}

/// `… numkeys key … MIN|MAX [COUNT n]`
fn pop_many<'a>(state: &mut State<'a>, args: Args<'_, 'a>, at: usize) -> Done {
    let (keys, rest) = counted(args, at)?;
    let mut words = Words::new(rest, 0);
    let end = End::named(words.need()?)?;
    let wanted = if words.next_is("COUNT") { count(words.need()?)? } else { 1 };
    if wanted == 0 || !words.rest().is_empty() {
        return Err(Refusal::SYNTAX);
    }
    pop_first(state, keys, end, wanted)
}

//! Sorted sets made of others: `ZUNIONSTORE`, `ZINTERSTORE`, `ZDIFFSTORE`, `ZRANGESTORE`.

use super::range::{CHANCE, LexRange, ScoreRange, is_left_to_chance};
use super::{Done, compact, score, settle};
use crate::keyspace::{Db, Family, Like, Set, Zset};
use crate::replay::args::{Words, counted, integer, is, span, word};
use crate::replay::{Args, Refusal, State};
use crate::value::Blob;
use std::ops::Range;

/// A sorted set to read from, or a plain set, whose members count as having the score 1.
#[derive(Clone, Copy)]
enum Source<'k, 'a> {
    Missing,
    Set(&'k Set<'a>),
    Zset(&'k Zset<'a>),
}

impl<'k, 'a> Source<'k, 'a> {
    fn of(db: &'k Db<'a>, key: &[u8]) -> Result<Self, Refusal> {
        if let Ok(set) = db.get(key) {
            return Ok(set.map_or(Self::Missing, Self::Set));
        }
        Ok(db.get(key)?.map_or(Self::Missing, Self::Zset))
    }

    fn len(self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Set(set) => set.0.len(),
            Self::Zset(zset) => zset.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Missing => None,
            Self::Set(set) => set.0.contains(member).then_some(1.0),
            Self::Zset(zset) => zset.score(member),
        }
    }

    fn for_each(self, mut visit: impl FnMut(&'k Blob<'a>, f64)) {
        match self {
            Self::Missing => {}
            Self::Set(set) => set.0.keys().for_each(|member| visit(member, 1.0)),
            Self::Zset(zset) => zset.iter().for_each(|(member, score)| visit(member, score)),
        }
    }

    fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Set(one), Self::Set(other)) => std::ptr::eq(one, other),
            (Self::Zset(one), Self::Zset(other)) => std::ptr::eq(one, other),
            _ => false,
        }
    }
}

/// How the scores of a member that is in several sources become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn named(word: &[u8]) -> Result<Self, Refusal> {
        match word {
            _ if is(word, "SUM") => Ok(Self::Sum),
            _ if is(word, "MIN") => Ok(Self::Min),
            _ if is(word, "MAX") => Ok(Self::Max),
            _ => Err(Refusal::SYNTAX),
        }
    }

    /// Comparisons as written in the servers: they are false for NaN.
    fn of(self, score: f64, other: f64) -> f64 {
        match self {
            Self::Sum => or_zero(score + other),
            Self::Min if other < score => other,
            Self::Max if other > score => other,
            Self::Min | Self::Max => score,
        }
    }
}

/// NaN (of infinities of both signs, or of an infinity times 0) counts as 0.
fn or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// How sources become a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

struct Weighted<'k, 'a> {
    source: Source<'k, 'a>,
    weight: f64,
}

pub(in crate::replay) fn zunionstore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    store(state, args, Operation::Union)
}

pub(in crate::replay) fn zinterstore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    store(state, args, Operation::Intersection)
}

pub(in crate::replay) fn zdiffstore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    store(state, args, Operation::Difference)
}

/// `target numkeys key … [WEIGHTS weight …] [AGGREGATE SUM|MIN|MAX]`
fn store<'a>(state: &mut State<'a>, args: Args<'_, 'a>, operation: Operation) -> Done {
    let target = word(args, 1)?;
    let (keys, options) = counted(args, 2)?;
    let (weights, aggregate) = options_of(state, keys.len(), options, operation)?;
    let like = state.like;
    let db = state.db();
    let read = |(key, weight): (&&[u8], f64)| Ok(Weighted { source: Source::of(db, key)?, weight });
    let mut sources = keys.iter().zip(weights).map(read).collect::<Result<Vec<_>, Refusal>>()?;
    if operation != Operation::Difference {
        // Sums are made in this order. The servers' sort keeps the order of equals as long as it fits in memory.
        sources.sort_by_key(|weighted| weighted.source.len());
    }
    let mut result = match operation {
        Operation::Union => union(&sources, aggregate),
        Operation::Intersection => intersection(&sources, aggregate),
        Operation::Difference => difference(&sources),
    };
    settle(&mut result, like);
    state.charge(result.heap_bytes())?;
    state.db().replace(target, result);
    Ok(())
}

fn options_of(
    state: &State<'_>,
    keys: usize,
    options: Args<'_, '_>,
    operation: Operation,
) -> Result<(Vec<f64>, Aggregate), Refusal> {
    let mut weights = vec![1.0; keys];
    let mut aggregate = Aggregate::Sum;
    let mut words = Words::new(options, 0);
    while let Some(option) = words.next() {
        match option {
            _ if operation == Operation::Difference => return Err(Refusal::SYNTAX),
            _ if is(option, "WEIGHTS") => {
                for weight in &mut weights {
                    *weight = score(state, words.need()?)?;
                }
            }
            _ if is(option, "AGGREGATE") => aggregate = Aggregate::named(words.need()?)?,
            _ => return Err(Refusal::SYNTAX),
        }
    }
    Ok((weights, aggregate))
}

fn union<'a>(sources: &[Weighted<'_, 'a>], aggregate: Aggregate) -> Zset<'a> {
    let mut result = Zset::default();
    for Weighted { source, weight } in sources {
        source.for_each(|member, score| {
            let score = or_zero(weight * score);
            if let Some(before) = result.set(member.clone(), score) {
                result.set(member.clone(), aggregate.of(before, score));
            }
        });
    }
    result
}

fn intersection<'a>(sources: &[Weighted<'_, 'a>], aggregate: Aggregate) -> Zset<'a> {
    let mut result = Zset::default();
    let Some((smallest, others)) = sources.split_first() else { return result };
    smallest.source.for_each(|member, score| {
        let first = or_zero(smallest.weight * score);
        let all = others.iter().try_fold(first, |sum, other| {
            let score = if other.source.is(smallest.source) { Some(score) } else { other.source.score(member) };
            // Unlike the first, this product is not checked for NaN.
            score.map(|score| aggregate.of(sum, other.weight * score))
        });
        if let Some(score) = all {
            result.set(member.clone(), score);
        }
    });
    result
}

fn difference<'a>(sources: &[Weighted<'_, 'a>]) -> Zset<'a> {
    let mut result = Zset::default();
    let Some((first, others)) = sources.split_first() else { return result };
    first.source.for_each(|member, score| {
        if others.iter().all(|other| other.source.score(member).is_none()) {
            result.set(member.clone(), score);
        }
    });
    result
}

/// What `ZRANGESTORE` copies.
enum Selection<'a> {
    Ranks(i64, i64),
    Scores(ScoreRange),
    Members(LexRange<'a>),
}

/// `target source min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]`
pub(in crate::replay) fn zrangestore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (target, source) = (word(args, 1)?, word(args, 2)?);
    let (selection, window) = range_of(args, state.like)?;
    let like = state.like;
    let mut chance = false;
    let copy = |zset: &mut Zset<'a>| -> Zset<'a> {
        chance = matches!(selection, Selection::Members(_)) && is_left_to_chance(zset);
        let ranks = window.apply(selection.ranks(zset, window.reverse), zset.skiplist, like);
        // How many there will be servers know beforehand of ranks only.
        let expected = matches!(selection, Selection::Ranks(..)).then_some(ranks.len());
        let mut copied = compact::empty(expected);
        let mut add = |(member, score): (&Blob<'a>, f64)| compact::insert(&mut copied, like, member.clone(), score);
        if window.reverse {
            zset.by_rank(ranks).rev().for_each(&mut add);
        } else {
            zset.by_rank(ranks).for_each(&mut add);
        }
        copied
    };
    let result = state.db().edit(source, copy)?.unwrap_or_default();
    if chance {
        state.remark(CHANCE);
    }
    state.charge(result.heap_bytes())?;
    state.db().replace(target, result);
    Ok(())
}

fn range_of<'a>(args: Args<'_, 'a>, like: Like) -> Result<(Selection<'a>, Window), Refusal> {
    let (mut by_score, mut by_lex) = (false, false);
    let mut window = Window { reverse: false, limit: None };
    let mut words = Words::new(args, 5);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "BYSCORE") => by_score = true,
            _ if is(option, "BYLEX") => by_lex = true,
            _ if is(option, "REV") => window.reverse = true,
            _ if is(option, "LIMIT") => window.limit = Some((words.integer()?, words.integer()?)),
            _ => return Err(Refusal::SYNTAX),
        }
    }
    let (first, second) = (word(args, 3)?, word(args, 4)?);
    let (min, max) = if window.reverse { (second, first) } else { (first, second) };
    let selection = match (by_score, by_lex) {
        (false, false) if window.limit.is_some() => return Err(Refusal::SYNTAX),
        (false, false) => Selection::Ranks(integer(first)?, integer(second)?),
        (true, false) => Selection::Scores(ScoreRange::parse(min, max, like)?),
        (false, true) => Selection::Members(LexRange::parse(min, max)?),
        (true, true) => return Err(Refusal::SYNTAX),
    };
    Ok((selection, window))
}

impl Selection<'_> {
    /// The ranks selected, counted from the lowest.
    fn ranks(&self, zset: &mut Zset<'_>, reverse: bool) -> Range<usize> {
        let len = zset.len();
        match self {
            Self::Ranks(start, end) if reverse => {
                let from_top = span(*start, *end, len);
                len.saturating_sub(from_top.end)..len.saturating_sub(from_top.start)
            }
            Self::Ranks(start, end) => span(*start, *end, len),
            Self::Scores(range) => range.ranks(zset),
            Self::Members(range) => range.ranks(zset, reverse),
        }
    }
}

/// `REV` and `LIMIT offset count`.
#[derive(Clone, Copy, Debug)]
struct Window {
    reverse: bool,
    limit: Option<(i64, i64)>,
}

impl Window {
    fn apply(self, ranks: Range<usize>, skiplist: bool, like: Like) -> Range<usize> {
        let Some((offset, count)) = self.limit else { return ranks };
        let len = ranks.len();
        let skip = match usize::try_from(offset) {
            Ok(skip) => skip.min(len),
            // Some versions count from the end of what is selected.
            Err(_) if skiplist && counts_from_the_end(like) => {
                let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
                len.checked_sub(back).unwrap_or(len)
            }
            Err(_) => len,
        };
        let left = len.saturating_sub(skip);
        let take = usize::try_from(count).map_or(left, |count| count.min(left));
        if self.reverse {
            let end = ranks.end.saturating_sub(skip);
            end.saturating_sub(take)..end
        } else {
            let start = ranks.start.saturating_add(skip);
            start..start.saturating_add(take)
        }
    }
}

/// Redis 7.4.1 to 8.0.6, Valkey 8.0 to 9.1, and Redict 7.3.6.
fn counts_from_the_end(like: Like) -> bool {
    like.family == Family::Redict
        || like.at_least_valkey(8, 0)
        || like.at_least_redis(7, 4) && !like.at_least_redis(8, 2)
}

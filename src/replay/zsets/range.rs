//! Ranges of scores and of members.

use crate::keyspace::{Like, Zset};
use crate::replay::Refusal;
use crate::value::number::parse_score_bound;
use std::cmp::Ordering;
use std::ops::Range;

/// `min max` of scores, either exclusive with a `(` before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoreRange {
    min: (f64, bool),
    max: (f64, bool),
}

impl ScoreRange {
    pub(super) fn parse(min: &[u8], max: &[u8], like: Like) -> Result<Self, Refusal> {
        let decimal_only = like.at_least_redis(8, 0) || like.at_least_valkey(9, 0);
        let bound = |text: &[u8]| {
            let (number, exclusive) = text.strip_prefix(b"(").map_or((text, false), |number| (number, true));
            parse_score_bound(number, decimal_only).map(|score| (score, exclusive))
        };
        match (bound(min), bound(max)) {
            (Some(min), Some(max)) => Ok(Self { min, max }),
            _ => Err(Refusal::Invalid("min or max is not a float")),
        }
    }

    /// The ranks of the members in it.
    pub(super) fn ranks(&self, zset: &mut Zset<'_>) -> Range<usize> {
        let ((min, above), (max, below)) = (self.min, self.max);
        let start = zset.partition_point(|_, score| if above { score <= min } else { score < min });
        let end = zset.partition_point(|_, score| if below { score < max } else { score <= max });
        start..end.max(start)
    }
}

/// An end of a range of members.
#[derive(Clone, Copy, Debug)]
enum Bound<'a> {
    /// `-`
    Lowest,
    /// `[member` or, exclusive, `(member`
    Member(&'a [u8], bool),
    /// `+`
    Highest,
}

impl<'a> Bound<'a> {
    fn parse(text: &'a [u8]) -> Result<Self, Refusal> {
        match text {
            // The servers look at these as C strings.
            [b'-'] | [b'-', 0, ..] => Ok(Self::Lowest),
            [b'+'] | [b'+', 0, ..] => Ok(Self::Highest),
            [b'[', member @ ..] => Ok(Self::Member(member, false)),
            [b'(', member @ ..] => Ok(Self::Member(member, true)),
            _ => Err(Refusal::Invalid("min or max is not a valid string range item")),
        }
    }

    fn compare(self, member: &[u8]) -> Ordering {
        match self {
            Self::Lowest => Ordering::Less,
            Self::Member(bound, _) => bound.cmp(member),
            Self::Highest => Ordering::Greater,
        }
    }

    fn is_exclusive(self) -> bool {
        matches!(self, Self::Member(_, true))
    }
}

/// `min max` of members.
#[derive(Clone, Copy, Debug)]
pub(super) struct LexRange<'a> {
    min: Bound<'a>,
    max: Bound<'a>,
}

impl<'a> LexRange<'a> {
    pub(super) fn parse(min: &'a [u8], max: &'a [u8]) -> Result<Self, Refusal> {
        Ok(Self { min: Bound::parse(min)?, max: Bound::parse(max)? })
    }

    fn above_min(&self, member: &[u8]) -> bool {
        match self.min.compare(member) {
            Ordering::Less => true,
            Ordering::Equal => !self.min.is_exclusive(),
            Ordering::Greater => false,
        }
    }

    fn below_max(&self, member: &[u8]) -> bool {
        match self.max.compare(member) {
            Ordering::Greater => true,
            Ordering::Equal => !self.max.is_exclusive(),
            Ordering::Less => false,
        }
    }

    /// The ranks of the members in it. Such ranges are meant for sets of one score. In others the servers look for
    /// the first member above `min` and go up while members are below `max`; `from_top` the other way round.
    pub(super) fn ranks(&self, zset: &mut Zset<'_>, from_top: bool) -> Range<usize> {
        if has_one_score(zset) {
            let start = zset.partition_point(|member, _| !self.above_min(member));
            let end = zset.partition_point(|member, _| self.below_max(member));
            return start..end.max(start);
        }
        if self.misses_an_end(zset) {
            return 0..0;
        }
        if from_top { self.walk_down(zset) } else { self.walk_up(zset) }
    }

    /// Servers do not look further when the last member is below the range or the first above it.
    fn misses_an_end(&self, zset: &mut Zset<'_>) -> bool {
        let len = zset.len();
        let first = zset.by_rank(0..1).next().is_some_and(|(member, _)| self.below_max(member));
        let last = zset.by_rank(len.saturating_sub(1)..len).next().is_some_and(|(member, _)| self.above_min(member));
        !(first && last)
    }

    fn walk_up(&self, zset: &mut Zset<'_>) -> Range<usize> {
        let len = zset.len();
        let start = zset.by_rank(0..len).position(|(member, _)| self.above_min(member)).unwrap_or(len);
        let taken = zset.by_rank(start..len).take_while(|(member, _)| self.below_max(member)).count();
        start..start.saturating_add(taken)
    }

    fn walk_down(&self, zset: &mut Zset<'_>) -> Range<usize> {
        let len = zset.len();
        let skipped = zset.by_rank(0..len).rev().position(|(member, _)| self.below_max(member)).unwrap_or(len);
        let end = len.saturating_sub(skipped);
        let taken = zset.by_rank(0..end).rev().take_while(|(member, _)| self.above_min(member)).count();
        end.saturating_sub(taken)..end
    }
}

/// Servers seek the end of a range of members through the levels of a skiplist, which are random. In a set of several
/// scores, where members are in no order, they come out at different places.
pub(super) fn is_left_to_chance(zset: &mut Zset<'_>) -> bool {
    zset.skiplist && !has_one_score(zset)
}

pub(super) const CHANCE: &str = "where a range of members begins in a set of several scores is chance";

fn has_one_score(zset: &mut Zset<'_>) -> bool {
    let len = zset.len();
    let mut ends = zset.by_rank(0..len);
    match (ends.next(), ends.next_back()) {
        (Some((_, lowest)), Some((_, highest))) => lowest == highest,
        _ => true,
    }
}

//! A sorted set: scores by member, and an order that is made when somebody first asks for it.
//!
//! Most sorted sets of a log are only written. So the members lie in a [`Map`]; the order is a list of
//! positions in that map, cut into runs of at most [`RUN`], built by one sort when a rank or a range is
//! wanted and kept up to date from then on.

use super::map::Map;
use super::nearly;
use crate::value::Blob;
use std::cmp::Ordering;
use std::ops::Range;

/// The longest run of the order before it is halved.
const RUN: usize = 512;

/// A sorted set.
#[derive(Clone, Debug, Default)]
pub struct Zset<'a> {
    members: Map<'a, f64>,
    order: Option<Vec<Vec<u32>>>,
    /// Has outgrown the compact encoding of a server; only that form can hold a score of -0.
    pub skiplist: bool,
}

type Element<'z, 'a> = (&'z Blob<'a>, f64);

/// The order of a sorted set: score, then bytes. NaN does not occur in one; it would come last.
fn compare(a: Element<'_, '_>, b: Element<'_, '_>) -> Ordering {
    a.1.partial_cmp(&b.1).unwrap_or_else(|| a.1.is_nan().cmp(&b.1.is_nan())).then_with(|| a.0.cmp(b.0))
}

impl<'a> Zset<'a> {
    /// These members.
    pub(super) fn of(members: Map<'a, f64>) -> Self {
        Self { members, order: None, skiplist: false }
    }

    /// How many members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// No member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The score of a member.
    #[must_use]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.members.get(member).copied()
    }

    /// Members and scores in order of arrival, which costs nothing.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Blob<'a>, f64)> {
        self.members.iter().map(|(member, &score)| (member, score))
    }

    /// Add a member or give it another score; the score it had.
    pub fn set(&mut self, member: Blob<'a>, score: f64) -> Option<f64> {
        let Some(position) = self.members.find(&member) else {
            let position = self.members.push(member, score);
            self.order_insert(position);
            return None;
        };
        let old = self.members.at(position).map(|(_, &old)| old)?;
        if old.to_bits() != score.to_bits() {
            self.order_remove(position);
            if let Some(place) = self.members.at_mut(position) {
                *place = score;
            }
            self.order_insert(position);
        }
        Some(old)
    }

    /// Remove a member; the score it had.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let position = self.members.find(member)?;
        Some(self.remove_at(position).1)
    }

    /// The rank of the first element for which `before` is false; it must be true of a prefix of the order only.
    pub fn partition_point(&mut self, mut before: impl FnMut(&[u8], f64) -> bool) -> usize {
        let (members, order) = self.ordered();
        let mut holds = |at: &u32| element(members, *at).is_some_and(|(member, score)| before(member, score));
        let run = order.partition_point(|run| run.last().is_some_and(&mut holds));
        let whole: usize = order.iter().take(run).map(Vec::len).sum();
        whole.saturating_add(order.get(run).map_or(0, |run| run.partition_point(holds)))
    }

    /// The elements of a range of ranks, ascending.
    pub fn by_rank(&mut self, ranks: Range<usize>) -> impl DoubleEndedIterator<Item = (&Blob<'a>, f64)> {
        let (members, order) = self.ordered();
        let mut start = 0;
        let mut runs: Vec<&[u32]> = Vec::new();
        for run in order {
            if start >= ranks.end {
                break;
            }
            let end = start + run.len();
            let (from, to) = (ranks.start.max(start), ranks.end.min(end));
            runs.extend(from.checked_sub(start).and_then(|skip| run.get(skip..to.saturating_sub(start))));
            start = end;
        }
        runs.into_iter().flatten().filter_map(|&at| element(members, at))
    }

    /// Remove a range of ranks; what was there, ascending.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) -> Vec<(Blob<'a>, f64)> {
        let gone: Vec<Blob<'a>> = self.by_rank(ranks).map(|(member, _)| member.clone()).collect();
        gone.into_iter().filter_map(|member| self.members.find(&member).map(|at| self.remove_at(at))).collect()
    }

    /// The same sorted set with bytes of its own.
    #[must_use]
    pub fn to_owned_bytes<'b>(&self) -> Zset<'b> {
        let members = self.members.iter().map(|(member, &score)| (Blob::copied(member), score)).collect();
        Zset { skiplist: self.skiplist, ..Zset::of(members) }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let order: usize = self.order.iter().flatten().map(|run| run.capacity().saturating_mul(4)).sum();
        self.members.heap_bytes().saturating_add(order)
    }

    fn ordered(&mut self) -> (&Map<'a, f64>, &[Vec<u32>]) {
        let members = &self.members;
        let order = self.order.get_or_insert_with(|| sorted_runs(members));
        (members, order)
    }

    fn remove_at(&mut self, position: usize) -> (Blob<'a>, f64) {
        let last = self.members.len().saturating_sub(1);
        self.order_remove(position);
        if position != last {
            self.order_remove(last);
        }
        let gone = self.members.swap_remove(position);
        if position != last {
            self.order_insert(position);
        }
        gone
    }

    /// Put the element at a position of the map into the order, when there is one.
    fn order_insert(&mut self, position: usize) {
        let (Some(order), Ok(at)) = (&mut self.order, u32::try_from(position)) else { return };
        let Some((run, place)) = locate(&self.members, order, at) else { return };
        let run = run.min(order.len().saturating_sub(1));
        match order.get_mut(run) {
            None => order.push(vec![at]),
            Some(list) => list.insert(place.min(list.len()), at),
        }
        split_long_run(order, run);
    }

    /// Take the element at a position of the map out of the order, when there is one.
    fn order_remove(&mut self, position: usize) {
        let (Some(order), Ok(at)) = (&mut self.order, u32::try_from(position)) else { return };
        let Some((run, place)) = locate(&self.members, order, at) else { return };
        let Some(list) = order.get_mut(run).filter(|list| list.get(place) == Some(&at)) else { return };
        list.remove(place);
        if list.is_empty() {
            order.remove(run);
        }
    }
}

fn element<'m, 'a>(members: &'m Map<'a, f64>, at: u32) -> Option<Element<'m, 'a>> {
    members.at(usize::try_from(at).ok()?).map(|(member, &score)| (member, score))
}

fn sorted_runs(members: &Map<'_, f64>) -> Vec<Vec<u32>> {
    let all = (0..members.len()).filter_map(|at| u32::try_from(at).ok()).collect();
    let sorted = nearly::sorted(all, |&a, &b| match (element(members, a), element(members, b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => a.cmp(&b),
    });
    sorted.chunks(RUN / 2).map(<[u32]>::to_vec).collect()
}

/// Run and place of the first element of the order that does not come before the one at `at`; one run past the
/// end, at place `usize::MAX`, when all come before it.
fn locate(members: &Map<'_, f64>, order: &[Vec<u32>], at: u32) -> Option<(usize, usize)> {
    let wanted = element(members, at)?;
    let before = |&other: &u32| element(members, other).is_some_and(|other| compare(other, wanted).is_lt());
    let run = order.partition_point(|run| run.last().is_some_and(before));
    Some((run, order.get(run).map_or(usize::MAX, |list| list.partition_point(before))))
}

fn split_long_run(order: &mut Vec<Vec<u32>>, run: usize) {
    let Some(list) = order.get_mut(run).filter(|list| list.len() > RUN) else { return };
    let upper = list.split_off(RUN / 2);
    order.insert(run.saturating_add(1), upper);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(zset: &Zset<'_>) -> Vec<(Vec<u8>, f64)> {
        let mut all: Vec<_> = zset.iter().map(|(member, score)| (member.to_vec(), score)).collect();
        all.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then_with(|| a.0.cmp(&b.0)));
        all
    }

    proptest! {
        #[test]
        fn the_order_follows_every_change(steps in prop::collection::vec((0u8..6, 0i64..1200, -5i32..5), 0..1500)) {
            let mut zset = Zset::default();
            for (what, member, score) in steps {
                match what {
                    0 => drop(zset.remove(Blob::integer(member).as_bytes())),
                    1 if member < 20 => drop(zset.remove_ranks(0..2)),
                    2 if member < 50 => { zset.partition_point(|_, s| s < 0.0); }
                    _ => drop(zset.set(Blob::integer(member), f64::from(score))),
                }
            }
            let expected = plain(&zset);
            let len = zset.len();
            let got: Vec<_> = zset.by_rank(0..len).map(|(m, s)| (m.to_vec(), s)).collect();
            prop_assert_eq!(&got, &expected);
            let below = expected.iter().filter(|(_, s)| *s < 1.0).count();
            prop_assert_eq!(zset.partition_point(|_, s| s < 1.0), below);
            let some: Vec<_> = zset.by_rank(5..600).map(|(m, s)| (m.to_vec(), s)).collect();
            prop_assert_eq!(&some[..], expected.get(5..600.min(len)).unwrap_or_default());
        }
    }

    #[test]
    fn ranks_beyond_the_end_give_nothing() {
        let mut zset = Zset::default();
        zset.set(Blob::borrowed(b"b"), 1.0);
        zset.set(Blob::borrowed(b"a"), 1.0);
        assert_eq!(zset.by_rank(7..9).count(), 0);
        assert_eq!(zset.remove_ranks(1..9), [(Blob::borrowed(b"b"), 1.0)]);
        assert_eq!(zset.set(Blob::borrowed(b"a"), -0.0), Some(1.0));
        assert!(zset.score(b"a").unwrap().is_sign_negative());
    }
}

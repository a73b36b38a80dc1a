//! What was put into a list and taken from it: the shortest way from one to the other.
//!
//! Myers' algorithm finds it in time and memory that grow with the number of changes: a list that was pushed to at one
//! end and trimmed at the other differs little, although every position does. Beyond [`MOST_STEPS`] changes all between
//! the common beginning and the common end counts as replaced.
//! Source: E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.

use std::ops::Range;

/// More changes than this are not untangled; the memory for it is the square.
const MOST_STEPS: usize = 1000;

/// A change: elements of the first list are replaced by elements of the second; either may be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Elements of the first.
    pub removed: Range<usize>,
    /// Elements of the second.
    pub added: Range<usize>,
}

/// The changes that make `b` of `a`, in order.
#[must_use]
pub fn hunks<T: PartialEq>(a: &[T], b: &[T]) -> Vec<Hunk> {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a_rest, b_rest) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = a_rest.iter().rev().zip(b_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let a_middle = a_rest.get(..a_rest.len().saturating_sub(end)).unwrap_or_default();
    let b_middle = b_rest.get(..b_rest.len().saturating_sub(end)).unwrap_or_default();
    if a_middle.is_empty() && b_middle.is_empty() {
        return Vec::new();
    }
    let found = Search { a: a_middle, b: b_middle }
        .run()
        .unwrap_or_else(|| vec![Hunk { removed: 0..a_middle.len(), added: 0..b_middle.len() }]);
    let shifted = |range: Range<usize>| range.start.saturating_add(start)..range.end.saturating_add(start);
    found.into_iter().map(|hunk| Hunk { removed: shifted(hunk.removed), added: shifted(hunk.added) }).collect()
}

/// A path through the grid of both lists: `x` elements of `a` and `y` of `b` are behind, on diagonal `x - y`.
struct Search<'s, T> {
    a: &'s [T],
    b: &'s [T],
}

/// How far each diagonal has been followed, after a number of changes.
struct Frontier {
    steps: usize,
    furthest: Vec<usize>,
}

impl Frontier {
    /// Of diagonal `k - steps`, for even and odd steps in turn: only every second diagonal can be reached.
    fn at(&self, k: usize) -> Option<usize> {
        self.furthest.get(k / 2).copied()
    }
}

impl<T: PartialEq> Search<'_, T> {
    fn run(&self) -> Option<Vec<Hunk>> {
        let mut frontiers: Vec<Frontier> = Vec::new();
        for steps in 0..=MOST_STEPS {
            let mut furthest = Vec::with_capacity(steps.saturating_add(1));
            for k in (0..=steps.saturating_mul(2)).step_by(2) {
                let x = self.follow(Self::start(frontiers.last(), steps, k), steps, k);
                furthest.push(x);
                if x >= self.a.len() && self.y(x, steps, k).is_some_and(|y| y >= self.b.len()) {
                    frontiers.push(Frontier { steps, furthest });
                    return Some(self.way_back(&frontiers, k));
                }
            }
            frontiers.push(Frontier { steps, furthest });
        }
        None
    }

    /// Where diagonal `k - steps` is entered: down from the diagonal above it (an element of `b` is added), or right
    /// from the one below (one of `a` is removed), whichever is further.
    fn start(before: Option<&Frontier>, steps: usize, k: usize) -> usize {
        let Some(before) = before else { return 0 };
        let (down, right) = Self::neighbours(before, steps, k);
        down.unwrap_or(0).max(right.map_or(0, |x| x.saturating_add(1)))
    }

    /// With one step fewer, diagonal `k - steps` is flanked by those of number `k` and `k - 2`.
    fn neighbours(before: &Frontier, steps: usize, k: usize) -> (Option<usize>, Option<usize>) {
        let down = if k < steps.saturating_mul(2) { before.at(k) } else { None };
        let right = k.checked_sub(2).and_then(|k| before.at(k));
        (down, right)
    }

    /// Follow equal elements.
    fn follow(&self, mut x: usize, steps: usize, k: usize) -> usize {
        while let Some(y) = self.y(x, steps, k) {
            match (self.a.get(x), self.b.get(y)) {
                (Some(a), Some(b)) if a == b => x = x.saturating_add(1),
                _ => break,
            }
        }
        x
    }

    /// `y = x - (k - steps)`
    fn y(&self, x: usize, steps: usize, k: usize) -> Option<usize> {
        x.checked_add(steps)?.checked_sub(k)
    }

    fn way_back(&self, frontiers: &[Frontier], last: usize) -> Vec<Hunk> {
        let mut hunks: Vec<Hunk> = Vec::new();
        let mut k = last;
        for pair in frontiers.windows(2).rev() {
            let [before, now] = pair else { continue };
            let (down, right) = Self::neighbours(before, now.steps, k);
            let came_down = right.is_none_or(|right| down.is_some_and(|down| down > right));
            let x = if came_down { down } else { right }.unwrap_or(0);
            k = if came_down { k } else { k.saturating_sub(2) };
            let y = self.y(x, before.steps, k).unwrap_or(0);
            let hunk = if came_down {
                Hunk { removed: x..x, added: y..y.saturating_add(1) }
            } else {
                Hunk { removed: x..x.saturating_add(1), added: y..y }
            };
            match hunks.last_mut() {
                Some(later) if later.removed.start == hunk.removed.end && later.added.start == hunk.added.end => {
                    later.removed.start = hunk.removed.start;
                    later.added.start = hunk.added.start;
                }
                _ => hunks.push(hunk),
            }
        }
        hunks.reverse();
        hunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(a: &[u8], b: &[u8], hunks: &[Hunk]) -> Vec<u8> {
        let (mut out, mut at) = (Vec::new(), 0);
        for hunk in hunks {
            out.extend(&a[at..hunk.removed.start]);
            assert_eq!(out.len(), hunk.added.start);
            out.extend(&b[hunk.added.clone()]);
            at = hunk.removed.end;
        }
        out.extend(&a[at..]);
        out
    }

    #[test]
    fn a_list_pushed_and_trimmed_differs_at_its_ends() {
        assert_eq!(
            hunks(b"abcdef", b"XYabcd"),
            [Hunk { removed: 0..0, added: 0..2 }, Hunk { removed: 4..6, added: 6..6 }]
        );
        assert_eq!(hunks(b"abc", b"abc"), []);
        assert_eq!(hunks(b"", b"ab"), [Hunk { removed: 0..0, added: 0..2 }]);
        assert_eq!(hunks(b"abc", b"aXc"), [Hunk { removed: 1..2, added: 1..2 }]);
    }

    #[test]
    fn lists_with_nothing_in_common_are_replaced() {
        let (a, b): (Vec<u32>, Vec<u32>) = ((0..3000).collect(), (5000..8000).collect());
        assert_eq!(hunks(&a, &b), [Hunk { removed: 0..3000, added: 0..3000 }]);
    }

    fn longest_common(a: &[u8], b: &[u8]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let mut diagonal = 0;
            for (j, y) in b.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
                diagonal = above;
            }
        }
        row[b.len()]
    }

    proptest! {
        #[test]
        fn the_changes_lead_from_one_to_the_other_and_are_few(a in "[abc]{0,14}", b in "[abc]{0,14}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let found = hunks(a, b);
            prop_assert_eq!(apply(a, b, &found), b);
            let changes: usize = found.iter().map(|hunk| hunk.removed.len() + hunk.added.len()).sum();
            prop_assert_eq!(changes, a.len() + b.len() - 2 * longest_common(a, b));
        }
    }
}

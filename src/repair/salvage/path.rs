//! The likeliest chain of units: dynamic programming from the end.
//!
//! ```text
//! C[o] = bits(o) + ( 0 if end(o) is the end, else max( C[end(o)], G(end(o)) - 3 ) )
//! G(x) = max( 0, max over starts s ≥ x of C[s] - 14 )
//! ```
//!
//! C goes on with a chain, G opens a new one behind a gap. The place where the search begins is known to be a start, so
//! entering there costs nothing. Nothing says "the earliest start that merges": the sum does.

use super::search::Starts;
use super::unit::{Unit, What};

/// Opening a chain behind a gap.
const GAP: f64 = 14.0;
/// Leaving a chain for a gap.
const LEAVE: f64 = 3.0;
/// What a known start is worth.
const KNOWN_START: f64 = 8.0;

/// A unit of the path, with its bits.
pub(super) type Chosen = (Unit, f64);

#[derive(Clone, Copy)]
enum Next {
    Unit(usize),
    Gap,
    End,
}

/// Choose among `starts` the path to the end of the image or window. A start at `known` is one for sure.
pub(super) fn choose(starts: &Starts, known: Option<usize>, limit: usize) -> Vec<Chosen> {
    let nodes: Vec<&(Unit, f64)> = starts.values().collect();
    let plan = Plan::new(&nodes, known, limit);
    let mut path = Vec::new();
    let mut at = match nodes.first() {
        Some((unit, _)) if Some(unit.start) == known && plan.chain(0) >= plan.open(1) => Some(0),
        Some((unit, _)) if Some(unit.start) == known => plan.opened(1),
        _ => plan.opened(0),
    };
    while let Some(node) = at {
        let Some(&&(unit, bits)) = nodes.get(node) else { break };
        path.push((unit, bits));
        at = match plan.next.get(node) {
            Some(Next::Unit(next)) => Some(*next),
            Some(Next::Gap) => plan.opened(first_from(&nodes, unit.end)),
            _ => None,
        };
    }
    path
}

struct Plan {
    /// C of each node.
    chains: Vec<f64>,
    /// What follows each node.
    next: Vec<Next>,
    /// G at each node, and the node that it opens.
    opens: Vec<(f64, Option<usize>)>,
}

impl Plan {
    fn new(nodes: &[&(Unit, f64)], known: Option<usize>, limit: usize) -> Self {
        let mut plan = Self {
            chains: vec![0.0; nodes.len()],
            next: vec![Next::End; nodes.len()],
            opens: vec![(0.0, None); nodes.len() + 1],
        };
        for (index, (unit, bits)) in nodes.iter().enumerate().rev() {
            let is_known = Some(unit.start) == known && !matches!(unit.what, What::End);
            let bits = if is_known { bits.max(0.0) + KNOWN_START } else { *bits };
            let (rest, next) = plan.rest(nodes, unit, limit);
            plan.set(index, bits + rest, next);
        }
        plan
    }

    /// The best that can follow a unit.
    fn rest(&self, nodes: &[&(Unit, f64)], unit: &Unit, limit: usize) -> (f64, Next) {
        if unit.end >= limit {
            return (0.0, Next::End);
        }
        let follower = first_from(nodes, unit.end);
        let gap = self.open(follower) - LEAVE;
        let gap = if self.opened(follower).is_some() { (gap, Next::Gap) } else { (gap, Next::End) };
        match nodes.get(follower) {
            Some((next, _)) if next.start == unit.end && self.chain(follower) >= gap.0 => {
                (self.chain(follower), Next::Unit(follower))
            }
            _ => gap,
        }
    }

    fn set(&mut self, index: usize, chain: f64, next: Next) {
        let behind = (self.open(index + 1), self.opened(index + 1));
        let here = if chain - GAP > behind.0 { (chain - GAP, Some(index)) } else { behind };
        if let Some(slot) = self.chains.get_mut(index) {
            *slot = chain;
        }
        if let Some(slot) = self.next.get_mut(index) {
            *slot = next;
        }
        if let Some(slot) = self.opens.get_mut(index) {
            *slot = here;
        }
    }

    fn chain(&self, index: usize) -> f64 {
        self.chains.get(index).copied().unwrap_or_default()
    }

    fn open(&self, index: usize) -> f64 {
        self.opens.get(index).map_or(0.0, |open| open.0)
    }

    fn opened(&self, index: usize) -> Option<usize> {
        self.opens.get(index).and_then(|open| open.1)
    }
}

/// The first node that starts at or behind an offset.
fn first_from(nodes: &[&(Unit, f64)], at: usize) -> usize {
    nodes.partition_point(|(unit, _)| unit.start < at)
}

//! Where units begin: chains followed from every offset that nothing trusted covers.

use std::collections::{BTreeMap, HashMap};

use super::field::Field;
use super::profile::Profile;
use super::unit::{Unit, What};

/// A chain is trusted with this many units …
const TRUSTED_UNITS: u32 = 6;
/// … and more than this many bits.
const TRUSTED_BITS: f64 = 90.0;
/// But not where one of its units has less than this: that one may have swallowed what is in it.
const WEAK: f64 = 3.0;

/// What follows from an offset.
#[derive(Debug, Clone, Copy)]
struct Chain {
    units: u32,
    bits: f64,
}

/// All starts found, with what speaks for them, in order.
pub(super) type Starts = BTreeMap<usize, (Unit, f64)>;

/// Search from `from` to the end of the image or window.
pub(super) fn search(field: &mut Field<'_>, profile: &Profile, from: usize) -> Starts {
    let mut search =
        Search { field, profile, chains: HashMap::default(), starts: Starts::new(), trusted: BTreeMap::new() };
    let mut at = from;
    while at < search.field.limit {
        if let Some(end) = search.trusted_until(at) {
            at = end;
            continue;
        }
        search.follow(at);
        at += 1;
    }
    search.starts
}

struct Search<'s, 'a> {
    field: &'s mut Field<'a>,
    profile: &'s Profile,
    chains: HashMap<usize, Chain, foldhash::fast::FixedState>,
    starts: Starts,
    /// Start to end of stretches that need no search; they do not overlap.
    trusted: BTreeMap<usize, usize>,
}

impl Search<'_, '_> {
    /// The end of the trusted stretch that covers an offset.
    fn trusted_until(&self, at: usize) -> Option<usize> {
        let (_, &end) = self.trusted.range(..=at).next_back()?;
        (end > at).then_some(end)
    }

    /// Follow the chain from an offset up to what is known already.
    fn follow(&mut self, from: usize) {
        let mut new = Vec::new();
        let mut at = from;
        let mut chain = Chain { units: 0, bits: 0.0 };
        loop {
            if let Some(known) = self.chains.get(&at) {
                chain = *known;
                break;
            }
            if at >= self.field.limit {
                break;
            }
            let Some((unit, bits)) = self.field.weighed(at, self.profile) else { break };
            self.starts.insert(at, (unit, bits));
            new.push((at, bits));
            at = unit.end;
        }
        for (at, bits) in new.into_iter().rev() {
            chain = Chain { units: chain.units.saturating_add(1), bits: chain.bits + bits };
            self.chains.insert(at, chain);
        }
        let known = self.chains.get(&from);
        if known.is_some_and(|chain| chain.units >= TRUSTED_UNITS && chain.bits > TRUSTED_BITS) {
            self.trust(from);
        }
    }

    /// Trust a chain from its third unit to its last but one, or up to what is trusted, to a weak unit or to the true end.
    fn trust(&mut self, from: usize) {
        let mut place = self.starts.get(&from).copied();
        let (mut first, mut count, mut before) = (None, 0u32, from);
        while let Some((unit, bits)) = place {
            count += 1;
            if count == 3 {
                first = Some(unit.start);
            }
            if count > 3 && bits < WEAK && matches!(unit.what, What::Key(_)) {
                before = unit.start;
                break;
            }
            let joined = self.trusted_until(unit.start);
            if joined.is_some() || matches!(unit.what, What::End) {
                before = joined.unwrap_or(unit.end);
                break;
            }
            place = self.starts.get(&unit.end).copied();
            before = if place.is_some() { unit.end } else { before.max(unit.start) };
        }
        if let Some(first) = first.filter(|&first| first < before) {
            self.mark(first, before);
        }
    }

    fn mark(&mut self, start: usize, mut end: usize) {
        let covered: Vec<usize> = self.trusted.range(start..end).map(|(&start, _)| start).collect();
        for start in covered {
            end = end.max(self.trusted.remove(&start).unwrap_or(end));
        }
        self.trusted.insert(start, end);
    }
}

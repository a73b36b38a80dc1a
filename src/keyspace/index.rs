//! Positions by hash: what finds keys and members in their vectors.
//!
//! Open addressing, one place after the other. A link holds 32 bits of the hash beside the position, so that a
//! look-up is one cache miss, strangers are passed over without a look at what they stand for, and the table
//! grows without one. Removing moves later links of the same run up, so there are no tombstones.

use std::hint::black_box;

/// Positions by hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// As many as a power of two, or none.
    links: Vec<Link>,
    used: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    hash: u32,
    position: u32,
}

const FREE: Link = Link { hash: 0, position: u32::MAX };

const SMALLEST: usize = 16;

impl Index {
    /// How many positions.
    pub(super) fn len(&self) -> usize {
        self.used
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        self.links.capacity().saturating_mul(size_of::<Link>())
    }

    /// Make room for so many positions in all.
    pub(super) fn reserve(&mut self, total: usize) {
        let places = total.saturating_add(total / 3).saturating_add(1).next_power_of_two().max(SMALLEST);
        if places > self.links.len() {
            let old = std::mem::replace(&mut self.links, vec![FREE; places]);
            for link in old.into_iter().filter(|link| *link != FREE) {
                self.place(link);
            }
        }
    }

    /// The position with this hash that is the one.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.find_place(hash, is_it).and_then(|place| self.links.get(place)).map(|link| link.position)
    }

    /// The first position with this hash, most likely the one.
    #[inline]
    pub(super) fn guess(&self, hash: u32) -> Option<u32> {
        self.find(hash, |_| true)
    }

    /// Add a position that is not there yet.
    #[inline]
    pub(super) fn insert(&mut self, hash: u32, position: u32) {
        self.used = self.used.saturating_add(1);
        if self.used.saturating_mul(4) > self.links.len().saturating_mul(3) {
            self.reserve(self.used);
        }
        self.place(Link { hash, position });
    }

    /// Fetch the places of hashes that will be looked for.
    #[inline]
    pub(super) fn warm(&self, hashes: &[u32]) {
        let mask = self.mask();
        let places = hashes.iter().filter_map(|&hash| self.links.get(home(hash, mask)));
        black_box(places.map(|link| link.position).fold(0, u32::wrapping_add));
    }

    /// Remove the position with this hash that is the one.
    pub(super) fn remove(&mut self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut gap = self.find_place(hash, is_it)?;
        let gone = self.links.get(gap)?.position;
        self.used = self.used.saturating_sub(1);
        let mask = self.mask();
        let mut next = gap.wrapping_add(1) & mask;
        while let Some(&link) = self.links.get(next).filter(|link| **link != FREE) {
            // It may move up if its own place is not behind the gap.
            let home = home(link.hash, mask);
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(gap) & mask {
                self.write(gap, link);
                gap = next;
            }
            next = next.wrapping_add(1) & mask;
        }
        self.write(gap, FREE);
        Some(gone)
    }

    /// Let a link point to another position.
    pub(super) fn moved(&mut self, hash: u32, from: u32, to: u32) {
        let place = self.find_place(hash, |position| position == from);
        if let Some(link) = place.and_then(|place| self.links.get_mut(place)) {
            link.position = to;
        }
    }

    #[inline]
    fn find_place(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        let mask = self.mask();
        let mut at = home(hash, mask);
        loop {
            let link = self.links.get(at)?;
            if link.hash == hash && link.position != FREE.position && is_it(link.position) {
                return Some(at);
            }
            if *link == FREE {
                return None;
            }
            at = at.wrapping_add(1) & mask;
        }
    }

    #[inline]
    fn place(&mut self, link: Link) {
        let mask = self.mask();
        let mut at = home(link.hash, mask);
        while self.links.get(at).is_some_and(|link| *link != FREE) {
            at = at.wrapping_add(1) & mask;
        }
        self.write(at, link);
    }

    #[inline]
    fn write(&mut self, at: usize, link: Link) {
        if let Some(place) = self.links.get_mut(at) {
            *place = link;
        }
    }

    #[inline]
    fn mask(&self) -> usize {
        self.links.len().wrapping_sub(1)
    }
}

/// Where the search for a hash begins.
#[inline]
fn home(hash: u32, mask: usize) -> usize {
    usize::try_from(hash).unwrap_or_default() & mask
}

/// A position as a link keeps it: what would have 2^32 entries takes 100 GB before it gets here.
#[inline]
pub(super) fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The mirror of [`narrow`].
#[inline]
pub(super) fn widen(position: u32) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn links_survive_what_happens_around_them(steps in prop::collection::vec((any::<bool>(), 0u32..200), 0..600)) {
            let mut index = Index::default();
            let mut plain = BTreeMap::new();
            // Few different hashes, so that runs are long and wrap around.
            let hash = |position: u32| (position % 7).wrapping_mul(0x1fff_ffff) | position & 8;
            for (add, position) in steps {
                if add && plain.insert(position, ()).is_none() {
                    index.insert(hash(position), position);
                } else if !add {
                    let gone = index.remove(hash(position), |other| other == position);
                    prop_assert_eq!(gone.is_some(), plain.remove(&position).is_some());
                }
                prop_assert_eq!(index.len(), plain.len());
            }
            for position in 0..200 {
                let found = index.find(hash(position), |other| other == position);
                prop_assert_eq!(found.is_some(), plain.contains_key(&position));
            }
        }
    }

    #[test]
    fn an_empty_index_finds_nothing_and_a_moved_link_is_found() {
        let mut index = Index::default();
        assert_eq!(index.find(0, |_| true), None);
        assert_eq!(index.remove(0, |_| true), None);
        index.insert(0, 5);
        index.moved(0, 5, 6);
        assert_eq!(index.guess(0), Some(6));
    }
}

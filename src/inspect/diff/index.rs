//! Keys by hash: 32 bits of the hash, the database and the place, 16 bytes. A key is read again to be sure.

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

use super::side::{Place, Side, Subject};
use crate::bytes::Budget;
use crate::rdb::{self, ErrorKind};
use crate::value::DbIndex;

/// The index grows in steps that are paid for beforehand: a full table of 7/8 doubles, and the old one stands beside it.
const PER_KEY: u64 = 40;
const STEP: u64 = 4096;

/// A share of all keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    number: u64,
    /// How many shares there are.
    pub of: u64,
}

impl Portion {
    /// All keys.
    pub const WHOLE: Self = Self { number: 0, of: 1 };

    /// Does the key belong to it? The hash has no seed, so that the order of what is reported does not change.
    #[must_use]
    pub fn takes(self, db: DbIndex, key: &[u8]) -> bool {
        self.of == 1 || xxhash_rust::xxh3::xxh3_64_with_seed(key, db.0.into()).checked_rem(self.of) == Some(self.number)
    }

    /// The share after this one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        let number = self.number.saturating_add(1);
        (number < self.of).then_some(Self { number, of: self.of })
    }

    /// The first of shares half as large.
    #[must_use]
    pub fn halved(self) -> Self {
        Self { number: 0, of: self.of.saturating_mul(2) }
    }

    pub(super) fn is_first(self) -> bool {
        self.number == 0
    }
}

/// A key's place under its hash.
#[derive(Debug, Clone, Copy)]
struct Link {
    hash: u32,
    db: DbIndex,
    at: u64,
}

impl Link {
    fn place(self) -> Place {
        Place { at: self.at, db: self.db }
    }
}

/// The keys of one side that the other has not been seen to have.
#[derive(Debug)]
pub struct Index {
    table: HashTable<Link>,
    seed: RandomState,
    budget: Budget,
    charged: u64,
}

impl Index {
    /// The keys of a share. Of two records with the same key, which no server writes, the later one counts.
    ///
    /// # Errors
    /// When the input is damaged or the budget is spent.
    pub fn build(side: &dyn Side, portion: Portion, budget: &Budget) -> rdb::Result<Self> {
        let mut index =
            Self { table: HashTable::new(), seed: RandomState::default(), budget: budget.clone(), charged: 0 };
        let mut failed = None;
        side.each(&mut |place, subject| {
            if portion.takes(subject.db, &subject.key) {
                failed = index.insert(place, &subject).err();
            }
            failed.is_none()
        })?;
        match failed {
            Some(error) => Err(error),
            None => Ok(index),
        }
    }

    fn insert(&mut self, place: Place, subject: &Subject<'_>) -> rdb::Result<()> {
        if self.table.len() as u64 >= self.charged / PER_KEY {
            let more = STEP.saturating_mul(PER_KEY);
            self.budget.charge(more).map_err(|e| rdb::Error::new(subject.offset(), ErrorKind::Exhausted(e)))?;
            self.charged = self.charged.saturating_add(more);
        }
        let hash = self.hash(place.db, &subject.key);
        self.table.insert_unique(spread(hash), Link { hash, db: place.db, at: place.at }, |link| spread(link.hash));
        Ok(())
    }

    /// Find a key and take it out, with any earlier record of the same key.
    pub fn take<'s>(&mut self, side: &'s dyn Side, db: DbIndex, key: &[u8]) -> Option<Subject<'s>> {
        let hash = self.hash(db, key);
        let mut found: Option<(Place, Subject<'s>)> = None;
        loop {
            let mut next = None;
            let entry = self.table.find_entry(spread(hash), |link| {
                if link.hash != hash || link.db != db {
                    return false;
                }
                next = side.at(link.place()).filter(|subject| *subject.key == *key);
                next.is_some()
            });
            let Ok(entry) = entry else { break };
            let place = entry.remove().0.place();
            let newer = found.as_ref().is_none_or(|(known, _)| known.at < place.at);
            if let Some(subject) = next.filter(|_| newer) {
                found = Some((place, subject));
            }
        }
        found.map(|(_, subject)| subject)
    }

    /// The places of all keys that were not taken, in order.
    #[must_use]
    pub fn into_left(mut self) -> Vec<Place> {
        let mut left: Vec<Place> = self.table.drain().map(Link::place).collect();
        left.sort_unstable();
        left
    }

    fn hash(&self, db: DbIndex, key: &[u8]) -> u32 {
        let [.., a, b, c, d] = self.seed.hash_one((db.0, key)).to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.budget.refund(self.charged);
    }
}

/// The 64 bits that the table wants from the 32 that are kept.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

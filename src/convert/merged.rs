//! Which of several keys of one name stays when inputs are merged: 32 bytes per key.

use super::options::OnDuplicate;
use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Exhausted};
use crate::rdb::KeyRecord;
use crate::value::DbIndex;
use sha1::{Digest, Sha1};
use std::collections::HashMap;

/// Where a key stands: the input and the offset.
type Place = (u32, u64);

/// The place of every key that stays. Keys are told apart by 128 bits of their SHA-1.
#[derive(Debug)]
pub(crate) struct Winners {
    places: HashMap<[u8; 16], Place>,
    charge: Charge,
}

/// What a key takes in a table that may be half empty, and is copied when it grows.
const KEY_BYTES: u64 = 3 * size_of::<([u8; 16], Place)>() as u64;

/// A key was met before, and that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) db: DbIndex,
    pub(crate) key: Vec<u8>,
}

fn name(db: DbIndex, key: &[u8]) -> [u8; 16] {
    let sum: [u8; 20] = Sha1::new().chain_update(db.0.to_be_bytes()).chain_update(key).finalize().into();
    sum.first_chunk::<16>().copied().unwrap_or_default()
}

impl Winners {
    /// Nothing yet, to be paid for by an account.
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { places: HashMap::new(), charge: Charge::new(budget) }
    }

    /// Pay for as many keys as are there, and one more.
    pub(crate) fn pay(&mut self) -> Result<(), Exhausted> {
        let keys = (self.places.len() as u64).saturating_add(1);
        self.charge.raise_to(keys.saturating_mul(KEY_BYTES))
    }

    /// Take note of a key. Keys come in the order of the inputs.
    pub(crate) fn meet(&mut self, input: u32, record: &KeyRecord<'_>, rule: OnDuplicate) -> Result<(), Met> {
        let place = (input, record.offset);
        match (self.places.entry(name(record.db, &record.key)), rule) {
            (std::collections::hash_map::Entry::Vacant(free), _) => {
                free.insert(place);
            }
            (_, OnDuplicate::First) => {}
            (std::collections::hash_map::Entry::Occupied(mut taken), OnDuplicate::Last) => {
                taken.insert(place);
            }
            (_, OnDuplicate::Error) => return Err(Met { db: record.db, key: record.key.to_vec() }),
        }
        Ok(())
    }

    /// Does this one stay?
    pub(crate) fn stays(&self, input: u32, record: &KeyRecord<'_>) -> bool {
        self.places.get(&name(record.db, &record.key)) == Some(&(input, record.offset))
    }
}

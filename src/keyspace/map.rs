//! A map from byte strings that remembers its order: sets, hashes and sorted sets are made of it.
//!
//! Entries lie in one vector in order of arrival; removing one moves the last into its place, so the order
//! depends on the commands alone and never on the hash. Few entries are searched one after the other; from
//! [`INDEXED`] on a table of positions is kept beside them.

use super::index::{Index, narrow, widen};
use crate::value::Blob;
use foldhash::fast::RandomState;
use std::hash::{BuildHasher, Hasher};

/// From this many entries on, a hash index pays.
const INDEXED: usize = 9;

/// So many places of an index are fetched together.
const CHUNK: usize = 64;

/// Byte strings to `V`, in a deterministic order.
#[derive(Clone)]
pub struct Map<'a, V> {
    entries: Vec<(Blob<'a>, V)>,
    index: Option<Box<Seeded>>,
}

/// An index with its seed, which is random: a file cannot aim at collisions.
#[derive(Clone, Default)]
struct Seeded {
    seed: RandomState,
    positions: Index,
}

/// Hash of a byte string.
#[inline]
pub(super) fn hash_of(seed: &RandomState, key: &[u8]) -> u32 {
    let mut hasher = seed.build_hasher();
    hasher.write(key);
    u32::try_from(hasher.finish() >> 32).unwrap_or_default()
}

impl<V> Default for Map<'_, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: None }
    }
}

impl<V: std::fmt::Debug> std::fmt::Debug for Map<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<'a, V> Map<'a, V> {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Blob<'a>, &V)> + DoubleEndedIterator {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Blob<'a>> + DoubleEndedIterator {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Position of a key; positions stay until something is removed.
    #[must_use]
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        match &self.index {
            None => self.entries.iter().position(|(other, _)| other.as_bytes() == key),
            Some(index) => {
                let same = |at: u32| self.at(widen(at)).is_some_and(|(other, _)| other.as_bytes() == key);
                index.positions.find(hash_of(&index.seed, key), same).map(widen)
            }
        }
    }

    /// What lies at a position.
    #[must_use]
    pub fn at(&self, position: usize) -> Option<(&Blob<'a>, &V)> {
        self.entries.get(position).map(|(key, value)| (key, value))
    }

    /// The value at a position.
    pub fn at_mut(&mut self, position: usize) -> Option<&mut V> {
        self.entries.get_mut(position).map(|(_, value)| value)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&V> {
        self.at(self.find(key)?).map(|(_, value)| value)
    }

    /// The value of a key, to change.
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut V> {
        let position = self.find(key)?;
        self.at_mut(position)
    }

    /// Is the key there?
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Set a key; the value it had.
    pub fn insert(&mut self, key: Blob<'a>, value: V) -> Option<V> {
        if let Some(old) = self.get_mut(&key) {
            return Some(std::mem::replace(old, value));
        }
        self.push(key, value);
        None
    }

    /// Add a key that is known to be absent; its position.
    pub fn push(&mut self, key: Blob<'a>, value: V) -> usize {
        let position = self.entries.len();
        if let Some(index) = &mut self.index {
            index.positions.insert(hash_of(&index.seed, &key), narrow(position));
        }
        self.entries.push((key, value));
        if self.index.is_none() && self.entries.len() >= INDEXED {
            self.build_index();
        }
        position
    }

    /// Remove a key; the last entry takes its place.
    pub fn remove(&mut self, key: &[u8]) -> Option<(Blob<'a>, V)> {
        let position = self.find(key)?;
        Some(self.swap_remove(position))
    }

    /// Remove what lies at a position below [`Map::len`]; the last entry takes its place.
    pub(super) fn swap_remove(&mut self, position: usize) -> (Blob<'a>, V) {
        let last = self.entries.len().saturating_sub(1);
        if let Some(index) = &mut self.index {
            let hash = |at: usize| self.entries.get(at).map_or(0, |(key, _)| hash_of(&index.seed, key));
            let (gone, moved) = (hash(position), hash(last));
            index.positions.remove(gone, |at| at == narrow(position));
            if position != last {
                index.positions.moved(moved, narrow(last), narrow(position));
            }
        }
        self.entries.swap_remove(position)
    }

    /// Remove everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keep what `keep` says, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&Blob<'a>, &mut V) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
        self.index = None;
        if self.entries.len() >= INDEXED {
            self.build_index();
        }
    }

    /// Bytes on the heap, without those of the values.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let table = self.index.as_ref().map_or(0, |index| index.positions.heap_bytes());
        let keys: usize = self.entries.iter().map(|(key, _)| key.heap_bytes()).sum();
        self.entries.capacity().saturating_mul(size_of::<(Blob<'a>, V)>()).saturating_add(table).saturating_add(keys)
    }

    #[cold]
    fn build_index(&mut self) {
        let mut index = Box::<Seeded>::default();
        index.positions.reserve(self.entries.len());
        for (position, (key, _)) in self.entries.iter().enumerate() {
            index.positions.insert(hash_of(&index.seed, key), narrow(position));
        }
        self.index = Some(index);
    }

    /// An index of all entries, made in one go: the places of a chunk are fetched together, since each is most likely
    /// a cache miss. None when some key comes twice.
    fn index_of_distinct(entries: &[(Blob<'a>, V)]) -> Option<Box<Seeded>> {
        let mut index = Box::<Seeded>::default();
        index.positions.reserve(entries.len());
        let mut hashes = [0; CHUNK];
        for (chunk, first) in entries.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
            for (hash, (key, _)) in hashes.iter_mut().zip(chunk) {
                *hash = hash_of(&index.seed, key);
            }
            index.positions.warm(&hashes);
            for ((hash, (key, _)), position) in hashes.iter().zip(chunk).zip(first..) {
                let same =
                    |at: u32| entries.get(widen(at)).is_some_and(|(other, _)| other.as_bytes() == key.as_bytes());
                if index.positions.find(*hash, same).is_some() {
                    return None;
                }
                index.positions.insert(*hash, narrow(position));
            }
        }
        Some(index)
    }
}

impl<'a, V> FromIterator<(Blob<'a>, V)> for Map<'a, V> {
    fn from_iter<I: IntoIterator<Item = (Blob<'a>, V)>>(pairs: I) -> Self {
        pairs.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a, V> From<Vec<(Blob<'a>, V)>> for Map<'a, V> {
    /// Of one key that comes twice, the last value counts.
    fn from(entries: Vec<(Blob<'a>, V)>) -> Self {
        if entries.len() >= INDEXED
            && let Some(index) = Self::index_of_distinct(&entries)
        {
            return Self { entries, index: Some(index) };
        }
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<'a, V> IntoIterator for Map<'a, V> {
    type Item = (Blob<'a>, V);
    type IntoIter = std::vec::IntoIter<(Blob<'a>, V)>;
    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_map_answers_as_a_plain_one_does(steps in prop::collection::vec((0u8..3, 0u16..60, any::<u8>()), 0..400)) {
            let mut map = Map::default();
            let mut plain = BTreeMap::new();
            for (what, key, value) in steps {
                let name = format!("key:{key}:with a name that is not always short{}", key % 7).into_bytes();
                match what {
                    0 => prop_assert_eq!(map.remove(&name).map(|(_, v)| v), plain.remove(&name)),
                    _ => prop_assert_eq!(map.insert(Blob::copied(&name), value), plain.insert(name.clone(), value)),
                }
                prop_assert_eq!(map.get(&name), plain.get(&name));
                prop_assert_eq!(map.len(), plain.len());
            }
            let sorted: BTreeMap<_, _> = map.iter().map(|(k, v)| (k.to_vec(), *v)).collect();
            prop_assert_eq!(sorted, plain);
        }
    }

    proptest! {
        #[test]
        fn a_map_made_in_one_go_is_that_made_key_by_key(keys in prop::collection::vec(0u16..2000, 0..300)) {
            let pairs: Vec<_> = keys.iter().enumerate().map(|(n, key)| (Blob::integer((*key).into()), n)).collect();
            let mut grown = Map::default();
            for (key, value) in pairs.clone() {
                grown.insert(key, value);
            }
            let made = Map::from(pairs);
            prop_assert!(made.iter().eq(grown.iter()));
            prop_assert!(keys.iter().all(|key| made.find(key.to_string().as_bytes()) == grown.find(key.to_string().as_bytes())));
        }
    }

    #[test]
    fn the_order_is_that_of_arrival_and_the_last_fills_a_gap() {
        let mut map: Map<'_, u32> = (0..12).map(|n| (Blob::integer(n.into()), n)).collect();
        map.remove(b"3");
        map.retain(|_, value| *value != 5);
        let order: Vec<u32> = map.iter().map(|(_, &value)| value).collect();
        assert_eq!(order, [0, 1, 2, 11, 4, 6, 7, 8, 9, 10]);
        assert_eq!(map.get(b"11"), Some(&11));
        assert_eq!(map.find(b"5"), None);
    }
}

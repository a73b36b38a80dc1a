//! One database: keys in order of first appearance.
//!
//! Entries lie in a vector; a removed one leaves a gap, and when one place in five is a gap the vector is packed.
//! An index finds them by hash.

use super::index::{Index, narrow, widen};
use super::map::hash_of;
use super::value::{Typed, Value};
use crate::value::{Blob, UnixMillis};
use foldhash::fast::RandomState;

/// A database.
#[derive(Debug, Default)]
pub struct Db<'a> {
    entries: Vec<Option<Entry<'a>>>,
    index: Index,
    seed: RandomState,
}

/// A key with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The key.
    pub key: Blob<'a>,
    /// What it holds.
    pub value: Value<'a>,
    /// When it expires.
    pub expires: Option<UnixMillis>,
}

/// Where an entry lies. Good until a key of the same database is inserted or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u32);

/// The key holds a value of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

impl<'a> Db<'a> {
    /// How many keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// No key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// Entries in order of their first appearance.
    pub fn iter(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().flatten()
    }

    /// Entries and gaps in order, some hundreds at a time.
    pub(super) fn chunks(&self) -> impl ExactSizeIterator<Item = &[Option<Entry<'a>>]> {
        self.entries.chunks(256)
    }

    /// Entries in order, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<'a>> {
        self.entries.iter_mut().flatten()
    }

    /// Where a key lies.
    #[must_use]
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<Slot> {
        self.find_hashed(key, self.short_hash(key))
    }

    /// The entry in a slot.
    #[must_use]
    #[inline]
    pub fn at(&self, slot: Slot) -> Option<&Entry<'a>> {
        self.entries.get(widen(slot.0))?.as_ref()
    }

    /// The entry in a slot, to change.
    #[inline]
    pub fn at_mut(&mut self, slot: Slot) -> Option<&mut Entry<'a>> {
        self.entries.get_mut(widen(slot.0))?.as_mut()
    }

    /// The entry of a key.
    #[must_use]
    pub fn entry(&self, key: &[u8]) -> Option<&Entry<'a>> {
        self.at(self.find(key)?)
    }

    /// The entry of a key, to change.
    pub fn entry_mut(&mut self, key: &[u8]) -> Option<&mut Entry<'a>> {
        let slot = self.find(key)?;
        self.at_mut(slot)
    }

    /// Is the key there?
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Give a key a value and an expiry, whatever it had before. A key that was there keeps its place.
    pub fn set(&mut self, key: &'a [u8], value: Value<'a>, expires: Option<UnixMillis>) {
        self.put(Entry { key: Blob::near(key), value, expires });
    }

    /// As [`Db::set`], with a key that may own its bytes. True when the key is new.
    pub fn put(&mut self, entry: Entry<'a>) -> bool {
        let hash = self.short_hash(&entry.key);
        let found = self.find_hashed(&entry.key, hash);
        match found.and_then(|slot| self.at_mut(slot)) {
            Some(old) => {
                old.value = entry.value;
                old.expires = entry.expires;
            }
            None => drop(self.add(entry, hash)),
        }
        found.is_none()
    }

    /// Remove a key.
    pub fn remove(&mut self, key: &[u8]) -> Option<Entry<'a>> {
        let hash = self.short_hash(key);
        let position = self.index.remove(hash, |at| holds(&self.entries, at, key))?;
        let gone = self.entries.get_mut(widen(position))?.take();
        self.pack_when_sparse();
        gone
    }

    /// Remove every key.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Remove the keys of which `keep` says no.
    pub fn retain(&mut self, mut keep: impl FnMut(&mut Entry<'a>) -> bool) {
        for place in &mut self.entries {
            if place.as_mut().is_some_and(|entry| !keep(entry)) {
                *place = None;
            }
        }
        self.pack();
    }

    /// The collection of a key, `None` without the key.
    ///
    /// # Errors
    /// [`WrongType`] when the key holds something else.
    pub fn get<T: Typed<'a>>(&self, key: &[u8]) -> Result<Option<&T>, WrongType> {
        match self.entry(key) {
            None => Ok(None),
            Some(entry) => T::of(&entry.value).map(Some).ok_or(WrongType),
        }
    }

    /// The bytes of a string key, `None` without the key.
    ///
    /// # Errors
    /// [`WrongType`] when the key holds something else.
    pub fn string(&self, key: &[u8]) -> Result<Option<&[u8]>, WrongType> {
        match self.entry(key) {
            None => Ok(None),
            Some(entry) => entry.value.as_string().map(Some).ok_or(WrongType),
        }
    }

    /// The collection of a key, made empty where there is none. The caller puts something into it.
    ///
    /// # Errors
    /// [`WrongType`] when the key holds something else.
    pub fn get_or_create<T: Typed<'a>>(&mut self, key: &'a [u8]) -> Result<&mut T, WrongType> {
        let entry = self.entry_or_insert_with(key, || T::default().into_value());
        entry.and_then(|entry| T::of_mut(&mut entry.value)).ok_or(WrongType)
    }

    /// The entry of a key, made where there is none.
    pub fn entry_or_insert_with(&mut self, key: &'a [u8], value: impl FnOnce() -> Value<'a>) -> Option<&mut Entry<'a>> {
        let hash = self.short_hash(key);
        let slot = match self.find_hashed(key, hash) {
            Some(slot) => slot,
            None => self.add(Entry { key: Blob::near(key), value: value(), expires: None }, hash),
        };
        self.at_mut(slot)
    }

    /// Change the collection of a key, and remove the key when nothing is left in it. `None` without the key.
    ///
    /// # Errors
    /// [`WrongType`] when the key holds something else.
    pub fn edit<T: Typed<'a>, R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<Option<R>, WrongType> {
        let Some(slot) = self.find(key) else { return Ok(None) };
        let Some(entry) = self.at_mut(slot) else { return Ok(None) };
        let inner = T::of_mut(&mut entry.value).ok_or(WrongType)?;
        let answer = change(inner);
        if inner.is_gone() {
            self.remove(key);
        }
        Ok(Some(answer))
    }

    /// Bytes on the heap, about. Looks at everything.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let own = self.entries.capacity().saturating_mul(size_of::<Option<Entry<'_>>>());
        let own = own.saturating_add(self.index.heap_bytes());
        let entry = |entry: &Entry<'_>| entry.key.heap_bytes().saturating_add(entry.value.heap_bytes());
        self.iter().map(entry).fold(own, usize::saturating_add)
    }

    /// Replace a key by a collection without expiry; an empty one removes the key.
    pub fn replace<T: Typed<'a>>(&mut self, key: &'a [u8], collection: T) {
        if collection.is_gone() {
            self.remove(key);
        } else {
            self.set(key, collection.into_value(), None);
        }
    }

    /// Where a key most likely lies: only the index is looked at.
    #[inline]
    pub(super) fn glance(&self, key: &[u8]) -> Option<Slot> {
        self.index.guess(self.short_hash(key)).map(Slot)
    }

    #[inline]
    fn short_hash(&self, key: &[u8]) -> u32 {
        hash_of(&self.seed, key)
    }

    #[inline]
    fn find_hashed(&self, key: &[u8], hash: u32) -> Option<Slot> {
        self.index.find(hash, |at| holds(&self.entries, at, key)).map(Slot)
    }

    fn add(&mut self, entry: Entry<'a>, hash: u32) -> Slot {
        let position = narrow(self.entries.len());
        self.entries.push(Some(entry));
        self.index.insert(hash, position);
        Slot(position)
    }

    fn pack_when_sparse(&mut self) {
        let gaps = self.entries.len().saturating_sub(self.index.len());
        if gaps > (self.index.len() / 4).saturating_add(64) {
            self.pack();
        }
    }

    /// Close the gaps between entries.
    #[cold]
    fn pack(&mut self) {
        self.entries.retain(Option::is_some);
        if self.entries.capacity() > self.entries.len().saturating_mul(4) {
            self.entries.shrink_to(self.entries.len().saturating_mul(2));
        }
        let mut index = Index::default();
        index.reserve(self.entries.len());
        for (position, entry) in self.entries.iter().enumerate() {
            if let Some(entry) = entry {
                index.insert(self.short_hash(&entry.key), narrow(position));
            }
        }
        self.index = index;
    }
}

#[inline]
fn holds(entries: &[Option<Entry<'_>>], position: u32, key: &[u8]) -> bool {
    matches!(entries.get(widen(position)), Some(Some(entry)) if entry.key.as_bytes() == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{List, Set};

    fn text(n: i64) -> Value<'static> {
        Value::String(Blob::integer(n))
    }

    #[test]
    fn an_entry_is_one_cache_line() {
        assert_eq!(size_of::<Option<Entry<'_>>>(), 64);
    }

    #[test]
    fn keys_keep_the_order_of_their_first_appearance_through_packing() {
        let names: Vec<Vec<u8>> = (0..1000).map(|n| format!("key:{n}").into_bytes()).collect();
        let mut db = Db::default();
        for (n, name) in names.iter().enumerate() {
            db.set(name, text(i64::try_from(n).unwrap()), None);
        }
        db.set(&names[999], text(-1), Some(UnixMillis(7)));
        for name in &names[..990] {
            assert!(db.remove(name).is_some());
        }
        assert!(db.remove(&names[0]).is_none());
        db.set(&names[0], text(0), None);
        let order: Vec<&[u8]> = db.iter().map(|entry| entry.key.as_bytes()).collect();
        assert_eq!(order[..2], [&b"key:990"[..], b"key:991"]);
        assert_eq!(order[9..], [&b"key:999"[..], b"key:0"]);
        assert_eq!(db.len(), 11);
        assert_eq!(db.entry(b"key:999").unwrap().expires, Some(UnixMillis(7)));
        assert!(db.entries.len() < 200);
    }

    #[test]
    fn a_key_goes_with_its_last_element_and_keeps_its_type_until_then() {
        let mut db = Db::default();
        db.get_or_create::<Set<'_>>(b"s").unwrap().0.insert(Blob::borrowed(b"m"), ());
        assert_eq!(db.get::<List<'_>>(b"s").unwrap_err(), WrongType);
        assert_eq!(db.edit(b"s", |set: &mut Set<'_>| set.0.remove(b"m").is_some()), Ok(Some(true)));
        assert!(db.is_empty());
        assert_eq!(db.edit(b"s", |_: &mut Set<'_>| ()), Ok(None));
        db.set(b"t", text(1), None);
        db.replace(b"t", List::default());
        assert!(!db.contains(b"t"));
    }
}

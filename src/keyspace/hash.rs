//! A hash: values by field, and the expiry times of the few fields that have one.

use super::map::Map;
use crate::value::{Blob, UnixMillis};

/// A hash.
#[derive(Clone, Debug, Default)]
pub struct Hash<'a> {
    fields: Map<'a, Blob<'a>>,
    expiry: Option<Box<Map<'a, UnixMillis>>>,
}

impl<'a> Hash<'a> {
    /// These fields, none of which expires.
    pub(super) fn of(fields: Map<'a, Blob<'a>>) -> Self {
        Self { fields, expiry: None }
    }

    /// How many fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// No field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Fields and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Blob<'a>, &Blob<'a>)> {
        self.fields.iter()
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &[u8]) -> Option<&Blob<'a>> {
        self.fields.get(field)
    }

    /// Is the field there?
    #[must_use]
    pub fn contains(&self, field: &[u8]) -> bool {
        self.fields.contains(field)
    }

    /// Set a field and leave its expiry alone.
    pub fn set(&mut self, field: Blob<'a>, value: Blob<'a>) -> Option<Blob<'a>> {
        self.fields.insert(field, value)
    }

    /// Remove a field with its expiry.
    pub fn remove(&mut self, field: &[u8]) -> Option<Blob<'a>> {
        self.persist(field);
        self.fields.remove(field).map(|(_, value)| value)
    }

    /// When a field expires.
    #[must_use]
    pub fn expiry(&self, field: &[u8]) -> Option<UnixMillis> {
        self.expiry.as_ref()?.get(field).copied()
    }

    /// Any field with an expiry?
    #[must_use]
    pub fn has_expiries(&self) -> bool {
        self.expiry.is_some()
    }

    /// Let an existing field expire.
    pub fn expire(&mut self, field: &[u8], at: UnixMillis) {
        if let Some((field, _)) = self.fields.find(field).and_then(|position| self.fields.at(position)) {
            self.expiry.get_or_insert_default().insert(field.clone(), at);
        }
    }

    /// Take the expiry from a field.
    pub fn persist(&mut self, field: &[u8]) -> Option<UnixMillis> {
        let (_, at) = self.expiry.as_mut()?.remove(field)?;
        if self.expiry.as_ref().is_some_and(|all| all.is_empty()) {
            self.expiry = None;
        }
        Some(at)
    }

    /// Remove the fields that have expired at a time; how many.
    pub fn drop_expired(&mut self, now: UnixMillis) -> usize {
        let due = |(field, &at): (&Blob<'a>, &UnixMillis)| (at < now).then(|| field.clone());
        let gone: Vec<Blob<'a>> = self.expiry.iter().flat_map(|all| all.iter()).filter_map(due).collect();
        for field in &gone {
            self.remove(field);
        }
        gone.len()
    }

    /// The same hash with bytes of its own.
    #[must_use]
    pub fn to_owned_bytes<'b>(&self) -> Hash<'b> {
        let mut owned = Hash::default();
        for (field, value) in self.iter() {
            owned.set(Blob::copied(field), Blob::copied(value));
            if let Some(at) = self.expiry(field) {
                owned.expire(field, at);
            }
        }
        owned
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let values: usize = self.fields.iter().map(|(_, value)| value.heap_bytes()).sum();
        let expiry = self.expiry.as_ref().map_or(0, |all| all.heap_bytes());
        self.fields.heap_bytes().saturating_add(values).saturating_add(expiry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries_come_and_go_with_their_fields() {
        let mut hash = Hash::default();
        hash.set(Blob::borrowed(b"f"), Blob::borrowed(b"1"));
        hash.set(Blob::borrowed(b"g"), Blob::borrowed(b"2"));
        hash.expire(b"absent", UnixMillis(5));
        assert!(!hash.has_expiries());
        hash.expire(b"f", UnixMillis(5));
        hash.expire(b"g", UnixMillis(9));
        hash.set(Blob::borrowed(b"f"), Blob::borrowed(b"3"));
        assert_eq!(hash.expiry(b"f"), Some(UnixMillis(5)));
        assert_eq!(hash.drop_expired(UnixMillis(5)), 0);
        assert_eq!(hash.drop_expired(UnixMillis(6)), 1);
        assert_eq!(hash.persist(b"g"), Some(UnixMillis(9)));
        assert!(!hash.has_expiries() && hash.contains(b"g") && !hash.contains(b"f"));
    }
}

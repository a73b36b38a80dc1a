//! Which keys: by database, name, type, expiry, size, cluster slot.
//!
//! Conditions of different kinds must all hold; of several of one kind (two globs, two types), one is enough.

pub mod glob;

use crate::rdb::KeyRecord;
use crate::value::{DbIndex, Kind, UnixMillis, key_slot};
use glob::Glob;
use regex::bytes::Regex;
use std::ops::RangeInclusive;

/// Which keys. The default selects all of them.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Databases.
    pub dbs: Vec<DbIndex>,
    /// Names, as globs.
    pub keys: Vec<Glob>,
    /// Names left out.
    pub not_keys: Vec<Glob>,
    /// Names, as regular expressions.
    pub regexes: Vec<Regex>,
    /// Types.
    pub kinds: Vec<Kind>,
    /// By having an expiry.
    pub ttl: Option<Ttl>,
    /// With an expiry before this.
    pub expires_before: Option<UnixMillis>,
    /// With an expiry after this.
    pub expires_after: Option<UnixMillis>,
    /// Records of at least so many bytes.
    pub min_bytes: Option<u64>,
    /// Cluster hash slots.
    pub slots: Option<RangeInclusive<u16>>,
    /// What [`Ttl::Expired`] compares with.
    pub as_of: UnixMillis,
    /// At most so many keys.
    pub limit: Option<u64>,
}

/// By having an expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// None.
    None,
    /// Any.
    Any,
    /// One that has passed.
    Expired,
}

/// What a selection looks at.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'k> {
    /// The database.
    pub db: DbIndex,
    /// The name.
    pub key: &'k [u8],
    /// The type.
    pub kind: Kind,
    /// When it expires.
    pub expiry: Option<UnixMillis>,
    /// Size of its record.
    pub bytes: u64,
}

impl<'k> From<&'k KeyRecord<'_>> for Candidate<'k> {
    fn from(record: &'k KeyRecord<'_>) -> Self {
        Self {
            db: record.db,
            key: &record.key,
            kind: record.value.kind(),
            expiry: record.expiry,
            bytes: record.raw.len() as u64,
        }
    }
}

impl Selection {
    /// True when no key is left out, the limit aside.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.dbs.is_empty()
            && self.keys.is_empty()
            && self.not_keys.is_empty()
            && self.regexes.is_empty()
            && self.kinds.is_empty()
            && self.ttl.is_none()
            && self.expires_before.is_none()
            && self.expires_after.is_none()
            && self.min_bytes.is_none()
            && self.slots.is_none()
    }

    /// Whether a key is selected, the limit aside. What is cheap to look at comes first.
    #[must_use]
    pub fn takes(&self, candidate: &Candidate<'_>) -> bool {
        let Candidate { db, key, kind, expiry, bytes } = *candidate;
        (self.dbs.is_empty() || self.dbs.contains(&db))
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && self.min_bytes.is_none_or(|least| bytes >= least)
            && self.takes_expiry(expiry)
            && self.slots.as_ref().is_none_or(|slots| slots.contains(&key_slot(key)))
            && (self.keys.is_empty() || self.keys.iter().any(|glob| glob.matches(key)))
            && !self.not_keys.iter().any(|glob| glob.matches(key))
            && (self.regexes.is_empty() || self.regexes.iter().any(|regex| regex.is_match(key)))
    }

    fn takes_expiry(&self, expiry: Option<UnixMillis>) -> bool {
        let by_ttl = match self.ttl {
            None => true,
            Some(Ttl::None) => expiry.is_none(),
            Some(Ttl::Any) => expiry.is_some(),
            Some(Ttl::Expired) => expiry.is_some_and(|at| at < self.as_of),
        };
        by_ttl
            && self.expires_before.is_none_or(|bound| expiry.is_some_and(|at| at < bound))
            && self.expires_after.is_none_or(|bound| expiry.is_some_and(|at| at > bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(key: &[u8]) -> Candidate<'_> {
        Candidate { db: DbIndex(2), key, kind: Kind::List, expiry: Some(UnixMillis(500)), bytes: 10 }
    }

    #[test]
    fn the_default_selects_everything() {
        assert!(Selection::default().is_everything());
        assert!(Selection::default().takes(&candidate(b"")));
    }

    #[test]
    fn each_condition_can_leave_a_key_out() {
        let all = Selection::default;
        let leaves_out = |selection: Selection| !selection.is_everything() && !selection.takes(&candidate(b"user:1"));
        assert!(leaves_out(Selection { dbs: vec![DbIndex(1)], ..all() }));
        assert!(leaves_out(Selection { keys: vec![Glob::new(b"chat:*")], ..all() }));
        assert!(leaves_out(Selection { not_keys: vec![Glob::new(b"user:*")], ..all() }));
        assert!(leaves_out(Selection { regexes: vec![Regex::new("^ser").unwrap()], ..all() }));
        assert!(leaves_out(Selection { kinds: vec![Kind::Set, Kind::Hash], ..all() }));
        assert!(leaves_out(Selection { ttl: Some(Ttl::None), ..all() }));
        assert!(leaves_out(Selection { ttl: Some(Ttl::Expired), as_of: UnixMillis(500), ..all() }));
        assert!(leaves_out(Selection { expires_before: Some(UnixMillis(500)), ..all() }));
        assert!(leaves_out(Selection { expires_after: Some(UnixMillis(500)), ..all() }));
        assert!(leaves_out(Selection { min_bytes: Some(11), ..all() }));
        assert!(leaves_out(Selection { slots: Some(0..=0), ..all() }));
    }

    #[test]
    fn one_of_several_globs_is_enough_and_all_kinds_of_conditions_must_hold() {
        let selection = Selection {
            dbs: vec![DbIndex(0), DbIndex(2)],
            keys: vec![Glob::new(b"chat:*"), Glob::new(b"user:?")],
            ttl: Some(Ttl::Expired),
            as_of: UnixMillis(501),
            ..Selection::default()
        };
        assert!(selection.takes(&candidate(b"user:1")));
        assert!(!selection.takes(&candidate(b"user:12")));
        assert!(!selection.takes(&Candidate { db: DbIndex(1), ..candidate(b"user:1") }));
    }
}

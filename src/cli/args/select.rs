//! Which keys.

use super::{Time, bytes};
use careen::select::glob::Glob;
use careen::select::{Selection, Ttl};
use careen::value::{DbIndex, Kind, SLOTS};
use regex::bytes::Regex;
use std::ffi::OsString;
use std::ops::RangeInclusive;

const SELECTION: &str = "Selecting keys";

/// Options that select keys.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SelectArgs {
    /// Only this database (repeatable)
    #[arg(long, value_name = "N", help_heading = SELECTION)]
    db: Vec<u32>,
    /// Only keys like this: * ? [a-c] \ (repeatable)
    #[arg(long, value_name = "GLOB", help_heading = SELECTION)]
    key: Vec<OsString>,
    /// No keys like this (repeatable)
    #[arg(long, value_name = "GLOB", help_heading = SELECTION)]
    not_key: Vec<OsString>,
    /// Only keys in which this regular expression is found
    #[arg(long, value_name = "RE", help_heading = SELECTION)]
    key_regex: Vec<Regex>,
    /// Only this type: string, list, set, zset, hash, stream, array, module (repeatable)
    #[arg(long = "type", value_name = "TYPE", value_parser = kind, help_heading = SELECTION)]
    kind: Vec<Kind>,
    /// Only keys with no expiry, any, or one that has passed
    #[arg(long, value_name = "none|any|expired", value_parser = ttl, help_heading = SELECTION)]
    ttl: Option<Ttl>,
    /// Only keys that expire before this
    #[arg(long, value_name = "TIME", help_heading = SELECTION)]
    expires_before: Option<Time>,
    /// Only keys that expire after this
    #[arg(long, value_name = "TIME", help_heading = SELECTION)]
    expires_after: Option<Time>,
    /// Only records of at least so many bytes
    #[arg(long, value_name = "N", help_heading = SELECTION)]
    min_bytes: Option<u64>,
    /// Only keys of these cluster hash slots
    #[arg(long, value_name = "A-B", value_parser = slots, help_heading = SELECTION)]
    slot: Option<RangeInclusive<u16>>,
    /// At most so many keys
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = SELECTION)]
    limit: Option<u64>,
    /// What counts as expired: as of this moment [default: now]
    #[arg(long, value_name = "TIME", help_heading = SELECTION)]
    as_of: Option<Time>,
}

impl SelectArgs {
    /// How many at most.
    pub(crate) fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// The present, as far as it matters to what is expired.
    pub(crate) fn as_of(&self) -> Option<Time> {
        self.as_of
    }

    /// As the library takes it.
    pub(crate) fn selection(&self) -> Selection {
        let globs = |texts: &[OsString]| texts.iter().map(|text| Glob::new(&bytes(text))).collect();
        Selection {
            dbs: self.db.iter().copied().map(DbIndex).collect(),
            keys: globs(&self.key),
            not_keys: globs(&self.not_key),
            regexes: self.key_regex.clone(),
            kinds: self.kind.clone(),
            ttl: self.ttl,
            expires_before: self.expires_before.map(|time| time.0),
            expires_after: self.expires_after.map(|time| time.0),
            min_bytes: self.min_bytes,
            slots: self.slot.clone(),
            as_of: self.as_of.unwrap_or_else(Time::now).0,
            limit: self.limit,
        }
    }
}

fn kind(name: &str) -> Result<Kind, &'static str> {
    Ok(match name {
        "string" | "str" => Kind::String,
        "list" => Kind::List,
        "set" => Kind::Set,
        "zset" | "sortedset" | "sorted-set" => Kind::Zset,
        "hash" => Kind::Hash,
        "stream" => Kind::Stream,
        "module" => Kind::Module,
        "array" => Kind::Array,
        _ => return Err("expected string, list, set, zset, hash, stream, array or module"),
    })
}

fn ttl(name: &str) -> Result<Ttl, &'static str> {
    Ok(match name {
        "none" => Ttl::None,
        "any" => Ttl::Any,
        "expired" => Ttl::Expired,
        _ => return Err("expected none, any or expired"),
    })
}

fn slots(text: &str) -> Result<RangeInclusive<u16>, &'static str> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if first <= last && last < SLOTS => Ok(first..=last),
        _ => Err("expected slots between 0 and 16383, such as 0-5460"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_the_names_other_tools_use() {
        assert_eq!(kind("sorted-set"), kind("sortedset"));
        assert_eq!(kind("str"), Ok(Kind::String));
        assert!(kind("zlist").is_err());
    }

    #[test]
    fn slots_are_one_or_a_range() {
        assert_eq!(slots("7"), Ok(7..=7));
        assert_eq!(slots("0-16383"), Ok(0..=16383));
        for wrong in ["16384", "5-4", "-", "a-b", ""] {
            assert!(slots(wrong).is_err(), "{wrong}");
        }
    }
}

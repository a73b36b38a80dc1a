//! The command table: which commands exist, how many words they take, which of those are keys, what they do.
//!
//! One static catalogue ([`super::catalogue`]) for all families and versions. It serves `check` (existence and
//! arity), replay (handlers), `log` (keys) and the documents alike.

use super::catalogue::CATALOGUE;
use super::state::{Args, Handler};
use std::fmt;
use std::sync::LazyLock;

/// A command, or a sub-command of a container.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name in capitals; a sub-command's is `CONTAINER SUB`.
    pub name: &'static str,
    /// The version that brought it: of Redis, or `valkey-…`, `keydb-…` where only those have it.
    pub since: &'static str,
    /// How many words it takes, the name included; negative: at least so many.
    pub arity: i8,
    /// What it is about.
    pub group: Group,
    /// What kind of command it is.
    pub flags: Flags,
    /// Which of its words are keys.
    pub keys: Keys,
    /// Sub-commands of a container.
    pub subcommands: &'static [Command],
    /// What executes it. A command that writes and has none cannot be replayed.
    pub(super) run: Option<Handler>,
}

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Group {
    Bitmap,
    Cluster,
    Connection,
    Generic,
    Geo,
    Hash,
    HyperLogLog,
    List,
    Module,
    PubSub,
    Scripting,
    Server,
    Set,
    SortedSet,
    Stream,
    String,
    Transactions,
}

/// Properties of a command, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    /// None.
    pub const NONE: Self = Self(0);
    /// Changes data.
    pub const WRITE: Self = Self(1);
    /// Has sub-commands.
    pub const CONTAINER: Self = Self(2);
    /// Superseded by another.
    pub const DEPRECATED: Self = Self(4);
    /// Servers of our day log what it did rather than the command itself.
    pub const REWRITTEN: Self = Self(8);
    /// Handles the values of its keys as a whole, without a look at what is in them.
    pub const WHOLE: Self = Self(16);
    /// `MULTI`, `EXEC`, `DISCARD`.
    pub const TRANSACTION: Self = Self(32);
    /// `PUBLISH`, `SPUBLISH`.
    pub const PUBLISH: Self = Self(64);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Are all of `other` in it?
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Which words of a command are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// None of them.
    None,
    /// Every `step`-th from `first` to `last`; a negative `last` counts from the end.
    Every {
        /// Position of the first key.
        first: u8,
        /// Position of the last one.
        last: i8,
        /// From one to the next.
        step: u8,
    },
    /// A count at this position, and so many keys after it (`LMPOP 2 a b LEFT`).
    Counted(u8),
    /// As [`Keys::Counted`], with a value after each key (`MSETEX 2 a 1 b 2`).
    CountedPairs(u8),
    /// A destination first, then a count at position 2 with so many keys after it (`ZUNIONSTORE d 2 a b`).
    StoreCounted,
    /// The first word, and the one after a `STORE` (or `STOREDIST`): `SORT`, `GEORADIUS`.
    FirstAndStore,
    /// The first half of the words after `STREAMS`.
    Streams,
    /// The word at 3, or those after `KEYS` when that is empty: `MIGRATE`.
    Migrate,
}

impl Command {
    /// Does a command of so many words, the name included, have the right number of them?
    #[must_use]
    #[inline]
    pub fn takes(&self, words: usize) -> bool {
        let wanted = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { words >= wanted } else { words == wanted }
    }

    /// Can it be replayed, or need not be?
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        self.run.is_some() || !self.flags.has(Flags::WRITE)
    }

    /// The keys among its words, in order. A command with too few words has fewer.
    #[must_use]
    pub fn keys_of<'c, 'a>(&self, args: Args<'c, 'a>) -> Vec<&'a [u8]> {
        match self.keys {
            Keys::None => Vec::new(),
            Keys::Every { first, last, step } => every(args, first, last, step),
            Keys::Counted(at) => counted(args, usize::from(at), 1).collect(),
            Keys::CountedPairs(at) => counted(args, usize::from(at), 2).collect(),
            Keys::StoreCounted => args.get(1).copied().into_iter().chain(counted(args, 2, 1)).collect(),
            Keys::FirstAndStore => {
                args.get(1).copied().into_iter().chain(stored(args, usize::from(self.arity.unsigned_abs()))).collect()
            }
            Keys::Streams => {
                let rest = args.get(behind_streams(args)..).unwrap_or_default();
                rest.iter().take(rest.len() / 2).copied().collect()
            }
            Keys::Migrate => match args.get(3) {
                Some([]) => {
                    let start = position(args, &["KEYS"]).map_or(args.len(), |at| at.saturating_add(1));
                    args.iter().skip(start).copied().collect()
                }
                key => key.copied().into_iter().collect(),
            },
        }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn every<'a>(args: Args<'_, 'a>, first: u8, last: i8, step: u8) -> Vec<&'a [u8]> {
    let from_end = usize::from(last.unsigned_abs());
    let end = match last {
        0.. => from_end.saturating_add(1),
        _ => args.len().saturating_sub(from_end.saturating_sub(1)),
    };
    let words = args.get(usize::from(first)..end.min(args.len())).unwrap_or_default();
    words.iter().step_by(usize::from(step).max(1)).copied().collect()
}

fn counted<'c, 'a: 'c>(args: Args<'c, 'a>, at: usize, step: usize) -> impl Iterator<Item = &'a [u8]> + 'c {
    let count = args.get(at).and_then(|word| super::args::count(word).ok()).unwrap_or(0);
    args.iter().skip(at.saturating_add(1)).step_by(step).take(count).copied()
}

fn position(args: Args<'_, '_>, options: &[&str]) -> Option<usize> {
    args.iter().position(|word| options.iter().any(|option| super::args::is(word, option)))
}

/// The destination among the options that begin at a position (`SORT`, `GEORADIUS`): the last one counts. It may itself be
/// called like an option.
fn stored<'a>(args: Args<'_, 'a>, first_option: usize) -> Option<&'a [u8]> {
    let (mut at, mut found) = (first_option, None);
    while let Some(word) = args.get(at) {
        let is = |names: &[&str]| names.iter().any(|name| super::args::is(word, name));
        let words = match () {
            () if is(&["STORE", "STOREDIST"]) => {
                found = args.get(at.saturating_add(1)).copied().or(found);
                2
            }
            () if is(&["COUNT", "BY", "GET"]) => 2,
            () if is(&["LIMIT"]) => 3,
            () => 1,
        };
        at = at.saturating_add(words);
    }
    found
}

/// Where the keys and ids of `XREAD` and `XREADGROUP` begin. A group or a consumer may be called like an option.
fn behind_streams(args: Args<'_, '_>) -> usize {
    let mut at = 1_usize;
    while let Some(word) = args.get(at) {
        let is = |name| super::args::is(word, name);
        let words = match () {
            () if is("STREAMS") => return at.saturating_add(1),
            () if is("GROUP") => 3,
            () if is("COUNT") || is("BLOCK") || is("CLAIM") => 2,
            () => 1,
        };
        at = at.saturating_add(words);
    }
    args.len()
}

/// The command that these words call: a sub-command where the first names a container that has it.
#[must_use]
#[inline]
pub fn find(args: Args<'_, '_>) -> Option<&'static Command> {
    let command = LOOKUP.get(args.first()?)?;
    if !command.flags.has(Flags::CONTAINER) {
        return Some(command);
    }
    let sub = args.get(1)?;
    let skip = command.name.len().saturating_add(1);
    let named = |row: &&Command| row.name.get(skip..).is_some_and(|name| super::args::is(sub, name));
    command.subcommands.iter().find(named).or_else(|| command.subcommands.is_empty().then_some(command))
}

/// All commands, group by group; sub-commands are within their containers.
pub fn all() -> impl Iterator<Item = &'static Command> {
    CATALOGUE.iter().copied().flatten()
}

static LOOKUP: LazyLock<Lookup> = LazyLock::new(Lookup::new);

const SLOTS: usize = 2048;

/// Names by hash: open addressing over four times as many slots as there are commands.
struct Lookup {
    slots: Box<[Option<&'static Command>; SLOTS]>,
}

impl Lookup {
    fn new() -> Self {
        let mut slots = Box::new([None; SLOTS]);
        for command in all() {
            let start = slot_of(command.name.as_bytes());
            let free = (start..SLOTS).chain(0..start).find(|&at| slots.get(at).is_some_and(Option::is_none));
            if let Some(place) = free.and_then(|at| slots.get_mut(at)) {
                *place = Some(command);
            }
        }
        Self { slots }
    }

    #[inline]
    fn get(&self, name: &[u8]) -> Option<&'static Command> {
        let mut at = slot_of(name);
        while let Some(command) = self.slots.get(at).copied().flatten() {
            if super::args::is(name, command.name) {
                return Some(command);
            }
            at = (at + 1) % SLOTS;
        }
        None
    }
}

/// Where to look for a name: its first and last eight bytes without regard to case, and its length.
#[inline]
fn slot_of(name: &[u8]) -> usize {
    const CASE: u64 = 0xdfdf_dfdf_dfdf_dfdf;
    let word = |bytes: &[u8]| bytes.iter().fold(0u64, |word, &byte| word << 8 | u64::from(byte));
    let (head, tail) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(&head), Some(&tail)) => (u64::from_le_bytes(head), u64::from_le_bytes(tail)),
        _ => (word(name), 0),
    };
    let mixed = (head & CASE).wrapping_add((tail & CASE).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 32).wrapping_add(u64::try_from(name.len()).unwrap_or(0));
    usize::try_from(mixed % 2048).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&[u8]> {
        text.split(' ').map(str::as_bytes).collect()
    }

    #[track_caller]
    fn keys(text: &str, expected: &str) {
        let words = words(text);
        let found = find(&words).unwrap().keys_of(&words);
        assert_eq!(String::from_utf8(found.join(&b' ')).unwrap(), expected, "{text}");
    }

    #[test]
    fn every_command_is_found_by_its_name_in_any_case_and_only_once() {
        let mut names = std::collections::BTreeSet::new();
        for command in all() {
            assert!(names.insert(command.name), "{} twice", command.name);
            assert_eq!(LOOKUP.get(command.name.to_lowercase().as_bytes()).unwrap().name, command.name);
            assert_eq!(command.name, command.name.to_uppercase());
            for sub in command.subcommands {
                let args = words(sub.name);
                assert_eq!(find(&args).unwrap().name, sub.name);
                assert_eq!(sub.group, command.group);
            }
        }
        assert!(names.len() > 250 && names.len() < SLOTS / 4);
        assert!(find(&words("GETT")).is_none() && find(&[b""]).is_none() && find(&[]).is_none());
        assert!(find(&words("XGROUP")).is_none() && find(&words("XGROUP NOSUCH")).is_none());
    }

    #[test]
    fn arity_is_exact_or_a_lower_bound() {
        let set = find(&words("set k v")).unwrap();
        assert!(!set.takes(2) && set.takes(3) && set.takes(9));
        let rename = find(&words("RENAME a b")).unwrap();
        assert!(!rename.takes(2) && rename.takes(3) && !rename.takes(4));
    }

    #[test]
    fn keys_are_found_wherever_a_command_has_them() {
        keys("SET k v", "k");
        keys("DEL a b c", "a b c");
        keys("MSET a 1 b 2", "a b");
        keys("BLPOP a b 0", "a b");
        keys("BITOP AND d a b", "d a b");
        keys("LMPOP 2 a b LEFT", "a b");
        keys("BLMPOP 0 2 a b LEFT", "a b");
        keys("MSETEX 2 a 1 b 2 NX", "a b");
        keys("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "d a b");
        keys("ZUNIONSTORE d 99 a b", "d a b");
        keys("SORT s BY w_* STORE d", "s d");
        keys("GEORADIUS g 1 1 1 km STOREDIST d", "g d");
        keys("XREADGROUP GROUP g c STREAMS a b > >", "a b");
        keys("XGROUP CREATE k g $", "k");
        keys("MIGRATE h 1 k 0 5", "k");
        keys("MIGRATE h 1  0 5 KEYS a b", "a b");
        keys("FLUSHALL", "");
    }
}

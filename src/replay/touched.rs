//! Which keys of an image the log behind it touches.
//!
//! What no command names stays as it is, so whoever only wants to write it again need not keep it. That holds as
//! long as every command reads and changes nothing but the keys it names: one `FLUSHALL`, `SORT … BY` or `EVAL`, and
//! all keys are touched.

use super::table::{self, Command, Flags, Group, Keys};
use crate::aof::{self, Record};
use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Exhausted};
use crate::input::sniff::image_end;
use crate::input::{Content, Input, Part};
use crate::scan::unique::Hashing;
use crate::value::DbIndex;
use std::collections::HashSet;

/// An image that stands at the beginning of an input, and the keys that the log behind it names, in whatever
/// database.
#[derive(Debug)]
pub(crate) struct Touched {
    /// Where the log begins in the part that begins with the image; none when its parts are others.
    pub(crate) log_at: Option<u64>,
    hashing: Hashing,
    /// Of two keys with the same hash, one is taken for touched without need.
    names: HashSet<u64, foldhash::fast::RandomState>,
    charge: Charge,
}

/// What a name takes in a table that may be half empty, and is copied when it grows.
const NAME_BYTES: u64 = 4 * size_of::<u64>() as u64;

impl Touched {
    /// Look through the log. None when the input does not begin with an image, when its log may touch any key, when
    /// it cannot be read or is larger than the image: then nothing is gained, or nothing is known.
    pub(crate) fn of(input: &Input, budget: &Budget) -> Option<Self> {
        let [first, rest @ ..] = input.parts.as_slice() else { return None };
        let (image, log_at) = match first.content {
            Content::Rdb => (first.bytes().len() as u64, None),
            Content::Aof { preamble: true } => {
                let end = image_end(first.bytes()).ok()?;
                (end, Some(end))
            }
            _ => return None,
        };
        let behind = log_at.map(|at| (first, at)).into_iter();
        let logs: Vec<(&Part, u64)> = behind.chain(rest.iter().map(|part| (part, 0))).collect();
        let bytes = logs.iter().map(|(part, at)| (part.bytes().len() as u64).saturating_sub(*at));
        let are_logs =
            rest.iter().all(|part| matches!(part.content, Content::Aof { preamble: false } | Content::Empty));
        if !are_logs || bytes.fold(0, u64::saturating_add) > image {
            return None;
        }
        let names = HashSet::default();
        let mut touched = Self { log_at, hashing: Hashing::default(), names, charge: Charge::new(budget) };
        logs.into_iter().try_for_each(|(part, at)| touched.look_through(part.bytes(), at))?;
        Some(touched)
    }

    fn look_through(&mut self, log: &[u8], at: u64) -> Option<()> {
        let mut reader = aof::Reader::starting_at(log, at);
        while let Some(record) = reader.next_record().ok()? {
            let Record::Command(call) = record else { continue };
            // What no table knows is not executed.
            let Some(command) = table::find(call.argv) else { continue };
            if !is_local(command) {
                return None;
            }
            self.add(&command.keys_of(call.argv)).ok()?;
        }
        Some(())
    }

    fn add(&mut self, names: &[&[u8]]) -> Result<(), Exhausted> {
        for name in names {
            if self.names.insert(self.hashing.hash(name)) {
                self.charge.add(NAME_BYTES)?;
            }
        }
        Ok(())
    }

    /// Is the key perhaps named by a command?
    #[inline]
    pub(crate) fn contains(&self, name: &[u8]) -> bool {
        self.names.contains(&self.hashing.hash(name))
    }

    /// By which to tell the keys of the image apart.
    #[inline]
    pub(crate) fn hash(&self, db: DbIndex, name: &[u8]) -> u64 {
        self.hashing.hash_key(db, name)
    }
}

/// Does a command read and change nothing but the keys it names?
fn is_local(command: &Command) -> bool {
    let names_keys = command.keys != Keys::None || command.name == "SELECT";
    // What `SORT` compares by stands in keys that only a pattern tells.
    let looks_elsewhere = command.group == Group::Scripting || command.name == "SORT";
    let changes = command.run.is_some() || command.flags.has(Flags::WRITE);
    !changes || (names_keys && !looks_elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_local_by_name(name: &str) -> bool {
        is_local(table::find(&[name.as_bytes()]).unwrap())
    }

    #[test]
    fn commands_that_reach_further_than_their_keys_are_told() {
        for name in ["FLUSHALL", "flushdb", "SWAPDB", "SORT", "EVAL", "EVALSHA", "SFLUSH", "TRIMSLOTS"] {
            assert!(!is_local_by_name(name), "{name}");
        }
        for name in ["SET", "SELECT", "MULTI", "EXEC", "RENAME", "COPY", "MOVE", "ZUNIONSTORE", "PING", "PUBLISH"] {
            assert!(is_local_by_name(name), "{name}");
        }
        assert!(!is_local(table::find(&[&b"FUNCTION"[..], b"LOAD"]).unwrap()));
    }

    #[test]
    fn every_command_that_writes_names_keys_or_is_known_to_reach_everything() {
        let far = ["CLUSTER", "FLUSHALL", "FLUSHDB", "SFLUSH", "SWAPDB", "TRIMSLOTS"];
        for command in table::all().filter(|command| command.flags.has(Flags::WRITE) && !is_local(command)) {
            let known = command.group == Group::Scripting || command.name == "SORT" || far.contains(&command.name);
            assert!(known, "{}", command.name);
        }
    }
}

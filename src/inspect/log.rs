//! An AOF as a history: each command with its place, its time, its database, its transaction and the keys it touches.

use crate::aof;
use crate::input::sniff::image_end;
use crate::input::{Content, Input, Part, Role};
use crate::replay::load::{self, is_rdb};
use crate::replay::table;
use crate::value::DbIndex;

/// A command of a log, seen where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Event<'e, 'a> {
    /// The index of its part.
    pub part: usize,
    /// Where it begins.
    pub offset: u64,
    /// Where it ends.
    pub end: u64,
    /// The time of the last annotation before it, in Unix seconds.
    pub time: Option<i64>,
    /// The database it works on.
    pub db: DbIndex,
    /// The number of its transaction, from 1, counted over the whole log.
    pub transaction: Option<u64>,
    /// Its words, the name first.
    pub argv: &'e [&'a [u8]],
}

impl<'a> Event<'_, 'a> {
    /// The keys it touches, as far as the command's grammar tells.
    #[must_use]
    pub fn keys(&self) -> Vec<&'a [u8]> {
        table::find(self.argv).map(|command| command.keys_of(self.argv)).unwrap_or_default()
    }

    /// Does it touch all keys of its database, or of all databases?
    #[must_use]
    pub fn touches_everything(&self) -> bool {
        self.argv.first().is_some_and(|name| {
            [&b"FLUSHALL"[..], b"FLUSHDB", b"SWAPDB"].iter().any(|all| name.eq_ignore_ascii_case(all))
        })
    }
}

/// Where the log of a part could not be read on.
#[derive(Debug)]
pub struct Damage {
    /// The index of the part.
    pub part: usize,
    /// What is wrong.
    pub error: load::Error,
}

/// Every command of an input, in order. `see` says whether to go on; a damaged part ends where the damage is, and the
/// next part is read.
///
/// # Errors
/// What `see` returns.
pub fn events<'a, E>(
    input: &'a Input,
    mut see: impl FnMut(&Event<'_, 'a>) -> Result<bool, E>,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Damage>, E> {
    let mut history = History { time: None, transactions: 0 };
    let mut damages = Vec::new();
    let mut done = 0u64;
    for (index, part) in input.parts.iter().enumerate() {
        if has_log(part) {
            match history.part(index, part.bytes(), &mut see)? {
                Ok(true) => {}
                Ok(false) => return Ok(damages),
                Err(error) => damages.push(Damage { part: index, error }),
            }
        }
        done = done.saturating_add(part.bytes().len() as u64);
        progress(done);
    }
    Ok(damages)
}

/// Does a part have commands?
#[must_use]
pub fn has_log(part: &Part) -> bool {
    matches!(part.content, Content::Aof { .. }) || part.role == Role::Incr
}

/// What is carried from command to command, and from part to part.
struct History {
    time: Option<i64>,
    transactions: u64,
}

impl History {
    fn part<'a, E>(
        &mut self,
        part: usize,
        bytes: &'a [u8],
        see: &mut impl FnMut(&Event<'_, 'a>) -> Result<bool, E>,
    ) -> Result<Result<bool, load::Error>, E> {
        let start = match is_rdb(bytes).then(|| image_end(bytes)) {
            Some(Err(error)) => return Ok(Err(error.into())),
            Some(Ok(end)) => end,
            None => 0,
        };
        let mut reader = aof::Reader::starting_at(bytes, start).tolerant();
        let (mut db, mut transaction) = (DbIndex(0), None);
        loop {
            let command = match reader.next_record() {
                Ok(Some(aof::Record::Command(command))) => command,
                Ok(Some(aof::Record::Annotation(annotation))) => {
                    self.time = annotation.timestamp().or(self.time);
                    continue;
                }
                Ok(None) => return Ok(Ok(true)),
                Err(error) => return Ok(Err(error.into())),
            };
            if command.is("MULTI") {
                self.transactions = self.transactions.saturating_add(1);
                transaction = Some(self.transactions);
            }
            db = command.selects().map_or(db, DbIndex);
            let Self { time, .. } = *self;
            let (offset, end, argv) = (command.offset, command.end, command.argv);
            if !see(&Event { part, offset, end, time, db, transaction, argv })? {
                return Ok(Ok(false));
            }
            if command.is("EXEC") {
                transaction = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::discover::from_bytes;

    fn log(commands: &[&[&str]]) -> Vec<u8> {
        let mut bytes = b"#TS:1700000000\r\n".to_vec();
        for words in commands {
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            aof::writer::encode(&words, &mut bytes);
        }
        bytes
    }

    #[test]
    fn each_command_knows_its_database_its_transaction_and_its_keys() {
        let bytes =
            log(&[&["SET", "a", "1"], &["SELECT", "3"], &["MULTI"], &["COPY", "b", "c"], &["EXEC"], &["FLUSHALL"]]);
        let input = from_bytes("x.aof", bytes).unwrap();
        let mut seen = Vec::new();
        let see = |event: &Event<'_, '_>| -> Result<bool, ()> {
            let keys: Vec<String> = event.keys().iter().map(|key| key.escape_ascii().to_string()).collect();
            seen.push((event.db.0, event.transaction, keys.join(","), event.touches_everything()));
            Ok(true)
        };
        let damages = events(&input, see, &mut |_| {}).unwrap();
        assert!(damages.is_empty());
        let expected = [
            (0, None, "a", false),
            (3, None, "", false),
            (3, Some(1), "", false),
            (3, Some(1), "b,c", false),
            (3, Some(1), "", false),
            (3, None, "", true),
        ];
        assert_eq!(seen, expected.map(|(db, tx, keys, all)| (db, tx, keys.to_owned(), all)));
    }

    #[test]
    fn a_damaged_log_is_a_history_up_to_the_damage() {
        let mut bytes = log(&[&["SET", "a", "1"]]);
        let good = bytes.len() as u64;
        bytes.extend_from_slice(b"*2\r\n$3\r\nDEL\r\n$x");
        let input = from_bytes("x.aof", bytes).unwrap();
        let mut count = 0;
        let see = |_: &Event<'_, '_>| -> Result<bool, ()> {
            count += 1;
            Ok(true)
        };
        let damages = events(&input, see, &mut |_| {}).unwrap();
        assert_eq!(count, 1);
        assert!(damages[0].error.offset() >= good);
    }
}

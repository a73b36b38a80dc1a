//! What redis-check-rdb says of a file, line by line.
//!
//! It stops at the first problem, and tells where it was in its own words. The lines and the order of their checks are
//! those of Redis 7.0.15, `src/redis-check-rdb.c`; only the sentence of an internal error is ours, because the original
//! names lines of its source there.

use super::value::Inspector;
use crate::bytes::{Budget, Cursor, crc64};
use crate::finding::Severity;
use crate::rdb::{self, Doing, Error, ErrorKind, Reader, Record, ValueType, length, opcode};
use crate::value::UnixMillis;
use std::io::{self, Write};

/// The newest version that any server writes.
const NEWEST: u32 = 99;
/// A trailer.
const TRAILER: usize = 8;

/// Check `input` and write the lines. True when it is fine.
///
/// # Errors
/// When a line cannot be written.
pub fn run(name: &str, input: &[u8], now: UnixMillis, budget: &Budget, out: &mut dyn Write) -> io::Result<bool> {
    writeln!(out, "[offset 0] Checking RDB file {name}")?;
    let mut tally = Tally { now, ..Tally::default() };
    let wrong = match first_problem(input, &mut tally, budget, out)? {
        None => {
            writeln!(out, "[offset {}] \\o/ RDB looks OK! \\o/", tally.offset)?;
            None
        }
        Some(problem) => {
            writeln!(out, "--- RDB ERROR DETECTED ---\n[offset {}] {}", problem.offset, problem.what)?;
            writeln!(out, "[additional info] While doing: {}", problem.doing.name())?;
            if let Some(key) = &problem.key {
                writeln!(out, "[additional info] Reading key '{}'", key.escape_ascii())?;
            }
            if let Some(type_byte) = problem.type_byte {
                writeln!(out, "[additional info] Reading type {type_byte} ({})", type_name(type_byte))?;
            }
            Some(problem)
        }
    };
    writeln!(out, "[info] {} keys read", tally.keys)?;
    writeln!(out, "[info] {} expires", tally.expires)?;
    writeln!(out, "[info] {} already expired", tally.expired)?;
    Ok(wrong.is_none())
}

#[derive(Debug, Default)]
struct Tally {
    now: UnixMillis,
    offset: u64,
    keys: u64,
    expires: u64,
    expired: u64,
}

impl Tally {
    fn key(&mut self, expiry: Option<UnixMillis>) {
        if let Some(at) = expiry {
            self.expires = self.expires.saturating_add(1);
            self.expired = self.expired.saturating_add(u64::from(at < self.now));
        }
    }
}

struct Problem {
    offset: u64,
    what: String,
    doing: Doing,
    key: Option<Vec<u8>>,
    type_byte: Option<u8>,
}

impl Problem {
    /// Before any type was read, the original says that it reads type 0.
    fn at_start(offset: u64, what: impl Into<String>) -> Self {
        Self { offset, what: what.into(), doing: Doing::Start, key: None, type_byte: Some(0) }
    }
}

fn first_problem(
    input: &[u8],
    tally: &mut Tally,
    budget: &Budget,
    out: &mut dyn Write,
) -> io::Result<Option<Problem>> {
    let mut reader = match header(input) {
        Ok(reader) => reader,
        Err(problem) => return Ok(Some(problem)),
    };
    let mut inspector = Inspector::new(budget);
    loop {
        let begin = reader.offset();
        let record = match reader.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(structural(input, begin, &error, tally))),
        };
        let end = reader.offset();
        match record {
            Record::Aux { name, value, .. } => {
                let (name, value) = (name.escape_ascii(), value.escape_ascii());
                writeln!(out, "[offset {end}] AUX FIELD {name} = '{value}'")?;
            }
            Record::SelectDb { db, .. } => writeln!(out, "[offset {end}] Selecting DB ID {}", db.0)?,
            Record::ModuleAux { module, .. } => {
                writeln!(out, "[offset {end}] MODULE AUX for: {}", module.id.name())?;
            }
            Record::Key(record) => {
                tally.keys = tally.keys.saturating_add(1);
                let mut first: Option<Error> = None;
                inspector.inspect(&record.value, &mut |problem| {
                    if problem.severity == Severity::Error {
                        first.get_or_insert(problem.error);
                    }
                });
                if let Some(error) = first {
                    return Ok(Some(Problem {
                        offset: record.value.end(),
                        what: internal(&error),
                        doing: Doing::ReadObjectValue,
                        key: Some(record.key.to_vec()),
                        type_byte: Some(record.value.value_type.byte()),
                    }));
                }
                tally.key(record.expiry);
            }
            Record::End { checksum, .. } => return check_sum(input, end, checksum, tally, out),
            _ => {}
        }
    }
}

fn header(input: &[u8]) -> Result<Reader<'_>, Problem> {
    if input.len() < 9 {
        return Err(Problem::at_start(0, "Unexpected EOF reading RDB file"));
    }
    let reader = Reader::new(input).map_err(|error| match error.kind() {
        ErrorKind::BadVersion => Problem::at_start(9, "Can't handle RDB format version 0"),
        _ => Problem::at_start(9, "Wrong signature trying to load DB from file"),
    })?;
    if reader.version() > NEWEST {
        return Err(Problem::at_start(9, format!("Can't handle RDB format version {}", reader.version())));
    }
    Ok(reader)
}

fn check_sum(
    input: &[u8],
    end: u64,
    stored: Option<u64>,
    tally: &mut Tally,
    out: &mut dyn Write,
) -> io::Result<Option<Problem>> {
    tally.offset = end;
    let covered = usize::try_from(end).ok().and_then(|end| input.get(..end.checked_sub(TRAILER)?));
    match stored {
        None => Ok(None),
        Some(0) => {
            writeln!(out, "[offset {end}] RDB file was saved with checksum disabled: no check performed.")?;
            Ok(None)
        }
        Some(stored) if crc64::jones(covered.unwrap_or_default()) == stored => {
            writeln!(out, "[offset {end}] Checksum OK")?;
            Ok(None)
        }
        Some(_) => {
            let what = "RDB CRC error".into();
            Ok(Some(Problem { offset: end, what, doing: Doing::CheckSum, key: None, type_byte: None }))
        }
    }
}

/// A record that does not end where it should.
fn structural(input: &[u8], begin: u64, error: &Error, tally: &mut Tally) -> Problem {
    let doing = error.doing().unwrap_or(Doing::ReadType);
    let (offset, what) = match error.kind() {
        ErrorKind::Truncated { .. } => (error.offset(), "Unexpected EOF reading RDB file".into()),
        ErrorKind::UnknownType(byte) => (error.offset().saturating_add(1), format!("Invalid object type: {byte}")),
        _ => (error.offset(), internal(error)),
    };
    let in_key = matches!(doing, Doing::ReadKey | Doing::ReadObjectValue);
    if doing == Doing::ReadObjectValue {
        tally.keys = tally.keys.saturating_add(1);
    }
    let type_byte = in_key.then(|| type_of(input, begin)).flatten();
    Problem { offset, what, doing, key: error.key().map(<[u8]>::to_vec), type_byte }
}

fn internal(error: &Error) -> String {
    format!("Internal error in RDB reading offset {}, {}: {}", error.offset(), error.code(), error.why())
}

/// The type byte of the record that begins here, behind the opcodes that belong to its key.
fn type_of(input: &[u8], begin: u64) -> Option<u8> {
    let start = usize::try_from(begin).ok()?;
    let c = &mut Cursor::new(input.get(start..)?);
    loop {
        match c.u8().ok()? {
            opcode::EXPIRETIME_MS => drop(c.take(8).ok()?),
            opcode::EXPIRETIME => drop(c.take(4).ok()?),
            opcode::FREQ => drop(c.u8().ok()?),
            opcode::IDLE => drop(length::decode(c).ok()?),
            byte => return Some(byte),
        }
    }
}

/// The names of `rdb_type_string`.
fn type_name(byte: u8) -> &'static str {
    match ValueType::from_byte(byte, rdb::Dialect::Redis) {
        Some(ValueType::String) => "string",
        Some(ValueType::List) => "list-linked",
        Some(ValueType::Set) => "set-hashtable",
        Some(ValueType::Zset) => "zset-v1",
        Some(ValueType::Hash) => "hash-hashtable",
        Some(ValueType::Zset2) => "zset-v2",
        Some(ValueType::ModulePreGa) => "module-pre-release",
        Some(ValueType::Module2) => "module-value",
        Some(ValueType::HashZipmap) => "hash-zipmap",
        Some(ValueType::ListZiplist) => "list-ziplist",
        Some(ValueType::SetIntset) => "set-intset",
        Some(ValueType::ZsetZiplist) => "zset-ziplist",
        Some(ValueType::HashZiplist) => "hash-ziplist",
        Some(ValueType::ListQuicklist) => "quicklist",
        Some(ValueType::StreamListpacks) => "stream",
        Some(ValueType::HashListpack) => "hash-listpack",
        Some(ValueType::ZsetListpack) => "zset-listpack",
        Some(ValueType::ListQuicklist2) => "quicklist-v2",
        Some(ValueType::StreamListpacks2) => "stream-v2",
        Some(ValueType::SetListpack) => "set-listpack",
        Some(ValueType::StreamListpacks3) => "stream-v3",
        Some(other) => other.encoding(),
        None => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(input: &[u8]) -> (bool, String) {
        let mut out = Vec::new();
        let fine = run("dump.rdb", input, UnixMillis(1000), &Budget::default(), &mut out).unwrap();
        (fine, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_sound_file_is_told_as_the_original_tells_it() {
        let (fine, said) = said(b"REDIS0003\xfe\x01\xfc\x10\0\0\0\0\0\0\0\x00\x01b\x01c\xff");
        assert!(fine);
        let expected = "[offset 0] Checking RDB file dump.rdb\n[offset 11] Selecting DB ID 1\n\
            [offset 26] \\o/ RDB looks OK! \\o/\n[info] 1 keys read\n[info] 1 expires\n[info] 1 already expired\n";
        assert_eq!(said, expected);
    }

    #[test]
    fn an_empty_file_ends_unexpectedly() {
        let (fine, said) = said(b"");
        assert!(!fine);
        let expected = "[offset 0] Checking RDB file dump.rdb\n--- RDB ERROR DETECTED ---\n\
            [offset 0] Unexpected EOF reading RDB file\n[additional info] While doing: start\n\
            [additional info] Reading type 0 (string)\n[info] 0 keys read\n[info] 0 expires\n[info] 0 already expired\n";
        assert_eq!(said, expected);
    }

    #[test]
    fn a_torn_value_names_its_key_and_type() {
        let (fine, said) = said(b"REDIS0003\xfd\x10\0\0\0\x01\x03key\x05\x01a");
        assert!(!fine && said.contains("Reading key 'key'\n[additional info] Reading type 1 (list-linked)"), "{said}");
        assert!(said.contains("Unexpected EOF") && said.contains("[info] 1 keys read\n[info] 0 expires"), "{said}");
    }

    #[test]
    fn a_wrong_checksum_is_the_last_thing_noticed() {
        let (fine, said) = said(b"REDIS0011\xff12345678");
        assert!(!fine && said.contains("[offset 18] RDB CRC error\n[additional info] While doing: check-sum"), "{said}");
        let (fine, said) = super::tests::said(b"REDIS0011\xff\0\0\0\0\0\0\0\0");
        assert!(fine && said.contains("checksum disabled"), "{said}");
    }
}

//! `redis-check-rdb`: its arguments, its lines, its exit status; our eyes.
//!
//! The lines are those of Redis 8 (7.0 has no `subexpires`). What is wrong is told in Redis's words where it has some.
//!
//! Source: Redis `src/redis-check-rdb.c`; compared with the output of 7.0.15 and 8.6.3.

use super::rdb::{Options, Report, check};
use crate::bytes::source::{self, Source};
use crate::finding::{Finding, Severity};
use crate::rdb::opcode::ValueType;
use crate::rdb::{self, KeyRecord, Record};
use crate::value::UnixMillis;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

/// Do what the tool does with these arguments; gives its exit status.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(program: &str, arguments: &[OsString], now: UnixMillis, out: &mut impl Write) -> io::Result<u8> {
    match arguments {
        [flag] if flag == "-v" || flag == "--version" => {
            writeln!(out, "{program} v={} (careen)", env!("CARGO_PKG_VERSION"))?;
            Ok(0)
        }
        [path] => {
            let name = path.to_string_lossy();
            let Ok(source) = Source::open(Path::new(path), &source::Options::default()) else {
                writeln!(out, "[offset 0] Checking RDB file {name}")?;
                return Ok(1);
            };
            let sound = image(source.bytes(), &name, now, out)?.is_some();
            Ok(u8::from(!sound))
        }
        _ => {
            writeln!(out, "Usage: {program} <rdb-file-name>")?;
            Ok(1)
        }
    }
}

/// Check the image that begins the bytes, saying the tool's lines. Gives the offset behind it when it is sound.
pub(super) fn image(bytes: &[u8], name: &str, now: UnixMillis, out: &mut impl Write) -> io::Result<Option<u64>> {
    writeln!(out, "[offset 0] Checking RDB file {name}")?;
    let report = check(bytes, 0..bytes.len() as u64, &Options::default(), |_| {});
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let fault = errors.min_by_key(|finding| finding.offset);
    let counts = outline(bytes, fault.map_or(u64::MAX, |finding| finding.offset), now, out)?;
    match fault {
        None => sound(&report, out)?,
        Some(fault) => broken(fault, &report, out)?,
    }
    writeln!(out, "[info] {} keys read", counts.keys)?;
    writeln!(out, "[info] {} expires", counts.expires)?;
    writeln!(out, "[info] {} already expired", counts.expired)?;
    writeln!(out, "[info] {} subexpires", counts.subexpires)?;
    Ok(fault.is_none().then_some(report.summary.end))
}

#[derive(Default)]
struct Counts {
    keys: u64,
    expires: u64,
    expired: u64,
    subexpires: u64,
}

impl Counts {
    fn add(&mut self, key: &KeyRecord<'_>, now: UnixMillis) {
        let one_if = |yes: bool| u64::from(yes);
        let fields = matches!(
            key.value.value_type,
            ValueType::HashMetadata
                | ValueType::HashMetadataPreGa
                | ValueType::HashListpackEx
                | ValueType::HashListpackExPreGa
                | ValueType::ValkeyHash2
        );
        self.keys = self.keys.saturating_add(1);
        self.expires = self.expires.saturating_add(one_if(key.expiry.is_some()));
        self.expired = self.expired.saturating_add(one_if(key.expiry.is_some_and(|expiry| expiry < now)));
        self.subexpires = self.subexpires.saturating_add(one_if(fields));
    }
}

/// The lines about what is before the first fault.
fn outline(bytes: &[u8], fault: u64, now: UnixMillis, out: &mut impl Write) -> io::Result<Counts> {
    let mut counts = Counts::default();
    let Ok(mut reader) = rdb::Reader::new(bytes) else { return Ok(counts) };
    while let Ok(Some(record)) = reader.next_record() {
        let end = reader.offset();
        // A fault at the very end is that of the checksum, which is not in a record.
        if end > fault && !matches!(record, Record::End { .. }) {
            break;
        }
        match record {
            Record::Aux { name, value, .. } => {
                let (name, value) = (name.escape_ascii(), value.escape_ascii());
                writeln!(out, "[offset {end}] AUX FIELD {name} = '{value}'")?;
            }
            Record::SelectDb { db, .. } => writeln!(out, "[offset {end}] Selecting DB ID {}", db.0)?,
            Record::ModuleAux { module, .. } => {
                writeln!(out, "[offset {end}] MODULE AUX for: {}", module.id.name())?;
            }
            Record::Key(key) => counts.add(&key, now),
            _ => {}
        }
    }
    Ok(counts)
}

fn sound(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let end = report.summary.end;
    match report.summary.stored_checksum {
        None => {}
        Some(0) => {
            writeln!(out, "[offset {end}] RDB file was saved with checksum disabled: no check performed.")?;
        }
        Some(_) => writeln!(out, "[offset {end}] Checksum OK")?,
    }
    writeln!(out, "[offset {end}] \\o/ RDB looks OK! \\o/")
}

fn broken(fault: &Finding, report: &Report, out: &mut impl Write) -> io::Result<()> {
    let (doing, why) = fault.message.split_once(": ").unwrap_or(("read-object-value", &fault.message));
    let (offset, what) = match fault.code {
        "rdb-truncated" => (fault.offset, "Unexpected EOF reading RDB file".into()),
        "rdb-bad-magic" => (fault.offset, "Wrong signature trying to load DB from file".into()),
        "rdb-checksum-mismatch" => (report.summary.end, "RDB CRC error".into()),
        _ => (fault.offset, format!("{why} [{}]", fault.code)),
    };
    writeln!(out, "--- RDB ERROR DETECTED ---")?;
    writeln!(out, "[offset {offset}] {what}")?;
    writeln!(out, "[additional info] While doing: {doing}")?;
    if let Some(key) = &fault.key {
        writeln!(out, "[additional info] Reading key '{}'", key.escape_ascii())?;
    }
    Ok(())
}

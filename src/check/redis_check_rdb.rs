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
    let mut counts = outline(bytes, fault.map_or(u64::MAX, |finding| finding.offset), now, out)?;
    // The tool counts a key once it has its name.
    counts.keys = counts.keys.saturating_add(u64::from(fault.is_some_and(|finding| finding.key.is_some())));
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

/// What the tool is doing while it looks into a value.
const IN_VALUE: &str = "read-object-value";

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
    let is_step = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let (doing, why) =
        fault.message.split_once(": ").filter(|(doing, _)| is_step(doing)).unwrap_or((IN_VALUE, &fault.message));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(image: &[u8]) -> (u8, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("d.rdb");
        std::fs::write(&path, image).unwrap();
        let mut out = Vec::new();
        let status = run("x", &[path.clone().into()], UnixMillis(2000), &mut out).unwrap();
        (status, String::from_utf8(out).unwrap().replace(&path.display().to_string(), "d.rdb"))
    }

    #[test]
    fn a_sound_image_is_told_in_the_tool_s_lines() {
        // One key that expires at second 1, one at second 3, one that does not.
        let image =
            b"REDIS0004\xfa\x01a\x01b\xfe\x02\xfd\x01\0\0\0\0\x01k\x01v\xfd\x03\0\0\0\0\x01l\x01v\0\x01m\x01v\xff";
        let text = "[offset 0] Checking RDB file d.rdb\n[offset 14] AUX FIELD a = 'b'\n[offset 16] Selecting DB ID 2\n\
                    [offset 42] \\o/ RDB looks OK! \\o/\n[info] 3 keys read\n[info] 2 expires\n[info] 1 already expired\n\
                    [info] 0 subexpires\n";
        assert_eq!(said(image), (0, text.into()));
    }

    #[test]
    fn the_first_fault_is_told_with_what_was_read_before_it() {
        let text = "[offset 0] Checking RDB file d.rdb\n--- RDB ERROR DETECTED ---\n\
                    [offset 0] Wrong signature trying to load DB from file\n";
        assert!(said(b"RUBIS0004\xff").1.starts_with(text));
        let (status, text) = said(b"REDIS0004\xfe\x00\x00\x01k\x01v\x00\x01l\x09v");
        assert_eq!(status, 1);
        assert!(text.contains("Unexpected EOF reading RDB file\n[additional info] While doing: read-object-value\n"));
        assert!(text.contains("[additional info] Reading key 'l'\n[info] 2 keys read\n"), "{text}");
        let mut disabled = b"REDIS0009\xff".to_vec();
        disabled.extend([0; 8]);
        assert!(said(&disabled).1.contains("RDB file was saved with checksum disabled: no check performed."));
        disabled[12] = 1;
        let (status, text) = said(&disabled);
        assert_eq!((status, text.contains("RDB CRC error\n[additional info] While doing: check-sum\n")), (1, true));
    }

    #[test]
    fn usage_version_and_missing_files() {
        let said = |arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
            let mut out = Vec::new();
            let status = run("x", &arguments, UnixMillis(0), &mut out).unwrap();
            (status, String::from_utf8(out).unwrap())
        };
        assert_eq!(said(&[]), (1, "Usage: x <rdb-file-name>\n".into()));
        assert_eq!(said(&["/no/such"]), (1, "[offset 0] Checking RDB file /no/such\n".into()));
        assert_eq!(said(&["-v"]).0, 0);
    }
}

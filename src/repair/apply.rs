//! Writing what a plan says: the output, and beside it what is not in it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `OUT` | the repaired file |
//! | `OUT.lost` | the bytes of the input that are not in it, one range after the other |
//! | `OUT.lost.map` | a line for each range: `0xOFFSET 0xSIZE STATUS CRC-64/XZ`, `+` for what is kept, `-` for what is not |
//!
//! The map is made like one of ddrescue, so that nothing of a damaged file is ever thrown away.

use std::ffi::OsString;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::plan::{Piece, Plan};
use crate::bytes::crc64;
use crate::bytes::publish::{Error, Existing, Publisher};
use crate::bytes::sink::Sink;

/// Write the output's bytes.
///
/// # Errors
/// What `out` refuses.
pub fn write(plan: &Plan, input: &[u8], out: &mut dyn Write) -> io::Result<u64> {
    let mut sink = Sink::summed(out);
    for piece in &plan.pieces {
        match piece {
            Piece::Input(range) => sink.put(slice(input, range)),
            Piece::Bytes(bytes) => sink.put(bytes),
            Piece::Checksum => {
                let sum = sink.sum();
                sink.put(&sum.to_le_bytes());
            }
        }
        sink.settle()?;
    }
    sink.finish().map(|(_, written)| written)
}

fn slice<'a>(input: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let start = usize::try_from(range.start).unwrap_or(usize::MAX);
    let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(input.len());
    input.get(start..end).unwrap_or_default()
}

/// Publish the output at `target`, and its quarantine beside it. Older quarantine files of that name are replaced.
///
/// # Errors
/// When something is in the way, or the disk refuses.
pub fn publish(plan: &Plan, input: &[u8], target: &Path, existing: Existing) -> Result<u64, Error> {
    let mut written = 0;
    file(target, existing, |out| {
        written = write(plan, input, out)?;
        Ok(())
    })?;
    let replace = Existing { replace: true, keep_backup: false };
    let ranges = plan.quarantine();
    if ranges.is_empty() {
        return Ok(written);
    }
    file(&beside(target, ".lost"), replace, |out| {
        ranges.iter().try_for_each(|range| out.write_all(slice(input, range)))
    })?;
    file(&beside(target, ".lost.map"), replace, |out| map(input, &ranges, out))?;
    Ok(written)
}

/// A file of a set.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its name.
    pub name: &'a str,
    /// The file as it is.
    pub input: &'a [u8],
    /// What becomes of it.
    pub plan: &'a Plan,
}

/// Publish a directory of repaired files with their manifest, whose name and text are given, and the quarantine of
/// all of them beside it: the map has a comment with the name before the lines of each file.
///
/// # Errors
/// As [`publish`].
pub fn publish_set(
    members: &[Member<'_>],
    (name, manifest): (&str, &[u8]),
    target: &Path,
    existing: Existing,
) -> Result<(), Error> {
    let publisher = Publisher::directory(target, existing)?;
    for member in members {
        let mut part = publisher.part(member.name)?;
        write(member.plan, member.input, &mut part).map_err(|cause| publisher.write_error(cause))?;
        publisher.close(part)?;
    }
    let mut part = publisher.part(name)?;
    part.write_all(manifest).map_err(|cause| publisher.write_error(cause))?;
    publisher.close(part)?;
    publisher.publish()?;
    let replace = Existing { replace: true, keep_backup: false };
    let lost = |member: &&Member<'_>| !member.plan.quarantine().is_empty();
    if !members.iter().any(|member| lost(&member)) {
        return Ok(());
    }
    file(&beside(target, ".lost"), replace, |out| {
        let mut ranges = members.iter().flat_map(|m| m.plan.quarantine().into_iter().map(|range| (m.input, range)));
        ranges.try_for_each(|(input, range)| out.write_all(slice(input, &range)))
    })?;
    file(&beside(target, ".lost.map"), replace, |out| {
        members.iter().filter(lost).try_for_each(|member| {
            writeln!(out, "# {}", member.name.escape_debug())?;
            map(member.input, &member.plan.quarantine(), out)
        })
    })
}

/// Write one file, whole or not at all.
///
/// # Errors
/// As [`publish`].
pub fn file(
    target: &Path,
    existing: Existing,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    let (publisher, mut part) = Publisher::file(target, existing)?;
    fill(&mut part).map_err(|cause| publisher.write_error(cause))?;
    publisher.close(part)?;
    publisher.publish()
}

/// The quarantine's name for an output.
#[must_use]
pub fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = target.file_name().map_or_else(OsString::new, OsString::from);
    name.push(suffix);
    target.with_file_name(name)
}

fn map(input: &[u8], ranges: &[Range<u64>], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# offset size status crc64-xz ({} bytes in all)", input.len())?;
    let mut at = 0u64;
    for range in ranges {
        if at < range.start {
            line(at..range.start, '+', input, out)?;
        }
        line(range.clone(), '-', input, out)?;
        at = at.max(range.end);
    }
    let end = input.len() as u64;
    if at < end { line(at..end, '+', input, out) } else { Ok(()) }
}

fn line(range: Range<u64>, status: char, input: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let sum = crc64::fingerprint(slice(input, &range));
    writeln!(out, "{:#x} {:#x} {status} {sum:016x}", range.start, range.end.saturating_sub(range.start))
}

#[cfg(test)]
mod tests {
    use super::super::plan::Lost;
    use super::*;

    #[test]
    fn pieces_are_written_with_their_sum() {
        let mut plan = Plan::default();
        plan.keep(2..4);
        plan.pieces.push(Piece::Bytes(b"new".to_vec()));
        plan.pieces.push(Piece::Checksum);
        let mut out = Vec::new();
        write(&plan, b"abcdef", &mut out).unwrap();
        assert_eq!(out, [b"cdnew".as_slice(), &crc64::jones(b"cdnew").to_le_bytes()].concat());
    }

    #[test]
    fn what_is_left_out_is_kept_beside_with_a_map() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("out.rdb");
        let mut plan = Plan::default();
        plan.keep(0..2);
        plan.keep(4..6);
        plan.lost.push(Lost { offset: 2, end: 4, code: "x", keys: Vec::new() });
        publish(&plan, b"abcdef", &target, Existing::default()).unwrap();
        let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
        assert_eq!(read("out.rdb"), b"abef");
        assert_eq!(read("out.rdb.lost"), b"cd");
        let map = String::from_utf8(read("out.rdb.lost.map")).unwrap();
        let lines: Vec<&str> = map.lines().skip(1).filter_map(|line| line.get(..9)).collect();
        assert_eq!(lines, ["0x0 0x2 +", "0x2 0x2 -", "0x4 0x2 +"]);
        assert!(publish(&plan, b"abcdef", &target, Existing::default()).is_err());
    }
}

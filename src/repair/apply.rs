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
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::plan::{Piece, Plan};
use crate::bytes::crc64;
use crate::bytes::publish::{Disk, Doing, Error, Existing, Files, Part, Publisher, What};
use crate::bytes::sink::Sink;
use crate::scan::threads::both;

/// Write the output's bytes.
///
/// # Errors
/// What `out` refuses.
pub fn write(plan: &Plan, input: &[u8], out: &mut dyn Write) -> io::Result<u64> {
    // A log has no sum.
    let is_summed = plan.pieces.contains(&Piece::Checksum);
    let mut sink = if is_summed { Sink::summed(out) } else { Sink::new(out) };
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

/// A file of the input.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it is. Nobody may read what comes of it who cannot read it.
    pub path: &'a Path,
    /// The file as it is.
    pub input: &'a [u8],
    /// What becomes of it.
    pub plan: &'a Plan,
}

impl Member<'_> {
    fn loses(&self) -> bool {
        !self.plan.quarantine().is_empty()
    }

    /// The lines of the map; nothing where nothing is left out.
    fn map(&self) -> Option<String> {
        let ranges = self.plan.quarantine();
        (!ranges.is_empty()).then(|| map(self.input, &ranges))
    }
}

/// Publish the output at `target`, and its quarantine beside it: first what would else be lost.
///
/// # Errors
/// When something is in the way, or the disk refuses.
pub fn publish(member: &Member<'_>, target: &Path, existing: Existing) -> Result<u64, Error> {
    let (publisher, mut part) = Publisher::file_like(&[member.path], target, existing)?;
    let quarantine = Quarantine::write(std::slice::from_ref(member), target, existing)?;
    // All of the input is read for the map's fingerprints, and once more for the output.
    let (map, written) = both(
        || member.map(),
        || {
            let written = write(member.plan, member.input, &mut part).map_err(|cause| publisher.write_error(cause))?;
            publisher.close(part).map(|()| written)
        },
    );
    let written = written?;
    quarantine.publish_before(publisher, &map.unwrap_or_default())?;
    Ok(written)
}

/// Publish a directory of repaired files with their manifest, whose name and text are given, and the quarantine of
/// all of them beside it: the map has a comment with the name before the lines of each file. `like` is the directory
/// that they come from.
///
/// # Errors
/// As [`publish`].
pub fn publish_set(
    members: &[Member<'_>],
    (name, manifest): (&str, &[u8]),
    like: &Path,
    target: &Path,
    existing: Existing,
) -> Result<(), Error> {
    let publisher = Publisher::directory_like(like, target, existing)?;
    let quarantine = Quarantine::write(members, target, existing)?;
    let named = |member: &Member<'_>| Some(format!("# {}\n{}", member.name.escape_debug(), member.map()?));
    let map = || members.iter().filter_map(named).collect::<String>();
    let (map, written) = both(map, || {
        for member in members {
            let mut part = publisher.part_like(member.path, member.name)?;
            write(member.plan, member.input, &mut part).map_err(|cause| publisher.write_error(cause))?;
            publisher.close(part)?;
        }
        let mut part = publisher.part(name)?;
        part.write_all(manifest).map_err(|cause| publisher.write_error(cause))?;
        publisher.close(part)
    });
    written?;
    quarantine.publish_before(publisher, &map)
}

/// What is left out of an output, not yet in its place.
struct Quarantine {
    /// Where something is left out.
    files: Option<Pair>,
    /// Of an earlier output, where nothing is lost now.
    stale: Vec<PathBuf>,
}

/// The two files beside an output.
struct Pair {
    /// The bytes, complete.
    lost: Publisher,
    /// Their map, still empty.
    map: (Publisher, Part<<Disk as Files>::File>),
}

impl Quarantine {
    /// Write the bytes that are left out.
    fn write(members: &[Member<'_>], target: &Path, existing: Existing) -> Result<Self, Error> {
        let names = [LOST, MAP].map(|suffix| beside(target, suffix));
        if !members.iter().any(Member::loses) {
            return Self::none(names, existing);
        }
        let existing = Existing { replace: existing.replace, keep_backup: false };
        let like: Vec<&Path> = members.iter().map(|member| member.path).collect();
        let [lost, map] = names.each_ref().map(|name| Publisher::file_like(&like, name, existing));
        let ((lost, part), map) = (lost?, map?);
        let mut ranges = members.iter().flat_map(|m| m.plan.quarantine().into_iter().map(|range| (m.input, range)));
        let mut out = BufWriter::new(part);
        let written = ranges.try_for_each(|(input, range)| out.write_all(slice(input, &range)));
        let part = written.and_then(|()| out.into_inner().map_err(IntoInnerError::into_error));
        lost.close(part.map_err(|cause| lost.write_error(cause))?)?;
        Ok(Self { files: Some(Pair { lost, map }), stale: Vec::new() })
    }

    /// Nothing is left out.
    fn none(names: [PathBuf; 2], existing: Existing) -> Result<Self, Error> {
        let stale: Vec<PathBuf> = names.into_iter().filter(|path| Disk.what_is(path).is_some()).collect();
        match stale.first() {
            Some(path) if !existing.replace || Disk.what_is(path) != Some(What::File) => {
                let cause = io::ErrorKind::AlreadyExists.into();
                Err(Error { path: path.clone(), doing: Doing::Refuse, cause })
            }
            _ => Ok(Self { files: None, stale }),
        }
    }

    /// Were the output first, the bytes would be gone if the power failed in between.
    fn publish_before(self, output: Publisher, map: &str) -> Result<(), Error> {
        if let Some(Pair { lost, map: (publisher, mut part) }) = self.files {
            part.write_all(map.as_bytes()).map_err(|cause| publisher.write_error(cause))?;
            publisher.close(part)?;
            lost.publish()?;
            publisher.publish()?;
        }
        output.publish()?;
        self.stale.into_iter().try_for_each(|path| {
            Disk.remove(&path).map_err(|cause| Error { path: path.clone(), doing: Doing::Place, cause })
        })
    }
}

/// Behind the name of an output: the bytes that are not in it.
pub const LOST: &str = ".lost";
/// Behind the name of an output: where those bytes stood.
pub const MAP: &str = ".lost.map";

/// The quarantine's name for an output.
#[must_use]
pub fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = target.file_name().map_or_else(OsString::new, OsString::from);
    name.push(suffix);
    target.with_file_name(name)
}

fn map(input: &[u8], ranges: &[Range<u64>]) -> String {
    let mut lines = format!("# offset size status crc64-xz ({} bytes in all)\n", input.len());
    let mut at = 0u64;
    for range in ranges {
        if at < range.start {
            lines.push_str(&line(at..range.start, '+', input));
        }
        lines.push_str(&line(range.clone(), '-', input));
        at = at.max(range.end);
    }
    let end = input.len() as u64;
    if at < end {
        lines.push_str(&line(at..end, '+', input));
    }
    lines
}

fn line(range: Range<u64>, status: char, input: &[u8]) -> String {
    let sum = crc64::fingerprint(slice(input, &range));
    format!("{:#x} {:#x} {status} {sum:016x}\n", range.start, range.end.saturating_sub(range.start))
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
        let input = directory.path().join("in.rdb");
        let member = Member { name: "in.rdb", path: &input, input: b"abcdef", plan: &plan };
        publish(&member, &target, Existing::default()).unwrap();
        let read = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
        assert_eq!(read("out.rdb"), b"abef");
        assert_eq!(read("out.rdb.lost"), b"cd");
        let map = String::from_utf8(read("out.rdb.lost.map")).unwrap();
        let lines: Vec<&str> = map.lines().skip(1).filter_map(|line| line.get(..9)).collect();
        assert_eq!(lines, ["0x0 0x2 +", "0x2 0x2 -", "0x4 0x2 +"]);
        assert!(publish(&member, &target, Existing::default()).is_err());
    }
}

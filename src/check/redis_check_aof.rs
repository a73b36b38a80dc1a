//! `redis-check-aof`: its arguments, its lines, its exit status, without its known defects.
//!
//! Not copied: `*0` and negative counts pass for commands; a length makes it allocate as much; a preamble in an
//! incremental file, or one that begins with `VALKEY`, is cut off as garbage; a cut by time may leave a transaction
//! open; a manifest that begins with a blank is taken for a log. And `--fix` keeps the old file beside the new one.
//!
//! Source: Redis `src/redis-check-aof.c`; compared with the output of 7.0.15, 8.6.3 and Valkey 9.1.2.

mod cut;
mod frames;

use super::redis_check_rdb;
use crate::aof::Manifest;
use crate::aof::manifest::{Entry, Problem, ProblemKind};
use crate::bytes::source::{self, Source};
use crate::input::{Content, sniff};
use crate::value::UnixMillis;
use frames::{Frames, Stop};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What to do with what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Check,
    Fix,
    CutAfter(i64),
}

/// Do what the tool does with these arguments; gives its exit status, 0 or 1. `answer` is called behind the question
/// whether a file may be cut. `now` decides which keys of a preamble count as expired.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(
    program: &str,
    arguments: &[OsString],
    now: UnixMillis,
    out: &mut dyn Write,
    answer: &mut dyn FnMut() -> bool,
) -> io::Result<u8> {
    let (action, path) = match arguments {
        [flag] if flag == "-v" || flag == "--version" => {
            writeln!(out, "{program} v={} (careen)", env!("CARGO_PKG_VERSION"))?;
            return Ok(0);
        }
        [path] => (Action::Check, path),
        [fix, path] if fix == "--fix" => (Action::Fix, path),
        [cut, time, path] if cut == "--truncate-to-timestamp" => match time.to_str().and_then(|time| time.parse().ok())
        {
            // As the tool has it: no cut is asked for.
            Some(0) => (Action::Check, path),
            Some(time) => (Action::CutAfter(time), path),
            None => {
                writeln!(out, "Invalid timestamp, aborting...")?;
                return Ok(1);
            }
        },
        _ => {
            writeln!(out, "Usage: {program} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>")?;
            return Ok(1);
        }
    };
    let mut tool = Tool { action, now, out, answer, line: 1 };
    match tool.file(Path::new(path)) {
        Ok(()) => Ok(0),
        Err(Failure::Found) => Ok(1),
        Err(Failure::Io(e)) => Err(e),
    }
}

/// Why the tool ends before its end.
enum Failure {
    /// It has said why.
    Found,
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

type Flow<T> = Result<T, Failure>;

/// How a file came out.
enum Verdict {
    Valid,
    Empty,
    Truncated,
    TruncatedTo(i64),
}

struct Tool<'o> {
    action: Action,
    now: UnixMillis,
    out: &'o mut dyn Write,
    answer: &'o mut dyn FnMut() -> bool,
    /// Counted through all files, as the tool does.
    line: u64,
}

/// One file of a set, or a file of its own.
struct File<'f> {
    path: &'f Path,
    /// As the tool calls it: without the directory when it is in a set.
    name: &'f str,
    last: bool,
}

impl Tool<'_> {
    fn file(&mut self, path: &Path) -> Flow<()> {
        let source = self.open(path, "")?;
        if sniff::sniff(source.bytes()) == Content::Manifest {
            return self.set(path, &source);
        }
        writeln!(self.out, "Start checking Old-Style AOF")?;
        let name = path.display().to_string();
        let verdict = self.single(&File { path, name: &name, last: true }, &source)?;
        self.say(&verdict, "AOF", &name)
    }

    fn open(&mut self, path: &Path, aborting: &str) -> Flow<Source> {
        match Source::open(path, &source::Options::default()) {
            Ok(source) => Ok(source),
            Err(e) if e.code() == "input-is-a-directory" => self.fail(&format!("Cannot read file: {}", path.display())),
            Err(e) => self.fail(&format!("Cannot open file {}: {}{aborting}", path.display(), reason(e.cause()))),
        }
    }

    fn fail<T>(&mut self, line: &str) -> Flow<T> {
        writeln!(self.out, "{line}")?;
        Err(Failure::Found)
    }

    fn set(&mut self, path: &Path, text: &Source) -> Flow<()> {
        writeln!(self.out, "Start checking Multi Part AOF")?;
        let manifest = match Manifest::parse(text.bytes()) {
            Ok(manifest) => manifest,
            Err(problem) => return self.bad_manifest(&problem),
        };
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut left = manifest.loaded().count();
        if let Some(base) = manifest.base() {
            left = left.saturating_sub(1);
            self.part(&directory, base, left == 0, true)?;
        }
        if left > 0 {
            writeln!(self.out, "Start to check INCR files.")?;
        }
        for incr in manifest.incrs() {
            left = left.saturating_sub(1);
            self.part(&directory, incr, left == 0, false)?;
        }
        Ok(writeln!(self.out, "All AOF files and manifest are valid")?)
    }

    fn bad_manifest(&mut self, problem: &Problem) -> Flow<()> {
        let text = problem.server_text().unwrap_or_default();
        writeln!(self.out, "\n*** FATAL AOF MANIFEST FILE ERROR ***\n")?;
        let unread = [ProblemKind::Empty, ProblemKind::LineTooLong, ProblemKind::NoNewline, ProblemKind::NulByte];
        if !unread.contains(&problem.kind) {
            writeln!(self.out, "Reading the manifest file, at line {}\n", problem.line)?;
            writeln!(self.out, ">>> '{}'\n", problem.text.escape_ascii())?;
        }
        self.fail(&format!("{text}\n"))
    }

    fn part(&mut self, directory: &Path, entry: &Entry, last: bool, is_base: bool) -> Flow<()> {
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        let path = directory.join(&name);
        // Who opens a pipe waits for a writer.
        if path.exists() && !path.is_file() {
            return self.fail(&format!("Cannot read file: {}", path.display()));
        }
        let source = self.open(&path, if is_base { "" } else { ", aborting..." })?;
        let kind = if is_base { "BASE AOF" } else { "INCR AOF" };
        if is_base {
            let format = if begins_with_image(source.bytes()) { "RDB" } else { "RESP" };
            writeln!(self.out, "Start to check BASE AOF ({format} format).")?;
        }
        let verdict = self.single(&File { path: &path, name: &name, last }, &source)?;
        self.say(&verdict, kind, &name)
    }

    fn say(&mut self, verdict: &Verdict, kind: &str, name: &str) -> Flow<()> {
        let line = match verdict {
            Verdict::Valid => format!("{kind} {name} is valid"),
            Verdict::Empty => format!("{kind} {name} is empty"),
            Verdict::Truncated => format!("Successfully truncated AOF {name}"),
            Verdict::TruncatedTo(time) => format!("Successfully truncated AOF {name} to timestamp {time}"),
        };
        Ok(writeln!(self.out, "{line}")?)
    }

    fn single(&mut self, file: &File<'_>, source: &Source) -> Flow<Verdict> {
        let bytes = source.bytes();
        if bytes.is_empty() {
            return Ok(Verdict::Empty);
        }
        let start = self.preamble(file, bytes)?;
        let path = file.path.display().to_string();
        let mut frames = Frames::new(bytes, start, self.line, source.trail());
        let until = if let Action::CutAfter(time) = self.action { Some(time) } else { None };
        let stop = frames.read(&path, until);
        self.line = frames.line();
        match stop {
            Stop::Later { annotation, sound } => self.cut_by_time(file, source, annotation, sound),
            Stop::BadTime => self.fail("Invalid timestamp annotation"),
            Stop::End { sound } => self.conclude(file, source, sound, None),
            Stop::NotARecord { sound } => {
                self.conclude(file, source, sound, Some(format!("AOF {} format error", file.name)))
            }
            Stop::Broken { sound, message } => self.conclude(file, source, sound, Some(message)),
        }
    }

    /// The offset behind the RDB image that a file may begin with.
    fn preamble(&mut self, file: &File<'_>, bytes: &[u8]) -> Flow<u64> {
        if !begins_with_image(bytes) {
            return Ok(0);
        }
        let name = file.path.display().to_string();
        match redis_check_rdb::image(bytes, &name, self.now, &mut self.out)? {
            Some(end) => {
                writeln!(self.out, "RDB preamble is OK, proceeding with AOF tail...")?;
                Ok(end)
            }
            None => self.fail("RDB preamble of AOF file is not sane, aborting."),
        }
    }

    fn cut_by_time(&mut self, file: &File<'_>, source: &Source, annotation: u64, sound: u64) -> Flow<Verdict> {
        let Action::CutAfter(time) = self.action else { return Ok(Verdict::Valid) };
        let path = file.path.display();
        if sound == 0 {
            return self.fail(&format!("AOF {path} has nothing before timestamp {time}, aborting..."));
        }
        if !file.last {
            return self.fail(&format!(
                "Failed to truncate AOF {path} to timestamp {time} to offset {annotation} because it is not the last file.\n\
                 If you insist, please delete all files after this file according to the manifest file and delete the \
                 corresponding records in manifest file manually. Then re-run redis-check-aof."
            ));
        }
        match cut::keep(file.path, source, sound) {
            Ok(()) => Ok(Verdict::TruncatedTo(time)),
            Err(e) => self.fail(&format!("Failed to truncate AOF {path} to timestamp {time}: {e}")),
        }
    }

    /// The whole file is read, or cannot be read on: say how much of it is good, and cut the rest.
    fn conclude(&mut self, file: &File<'_>, source: &Source, sound: u64, message: Option<String>) -> Flow<Verdict> {
        let (name, size) = (file.name, source.bytes().len() as u64);
        let diff = size.saturating_sub(sound);
        if let Some(message) = message {
            writeln!(self.out, "{message}")?;
        }
        if let (0, Action::CutAfter(time)) = (diff, self.action) {
            writeln!(self.out, "Truncate nothing in AOF {name} to timestamp {time}")?;
            return Ok(Verdict::Valid);
        }
        writeln!(
            self.out,
            "AOF analyzed: filename={name}, size={size}, ok_up_to={sound}, ok_up_to_line={}, diff={diff}",
            self.line
        )?;
        match self.action {
            _ if diff == 0 => Ok(Verdict::Valid),
            Action::Fix if !file.last => {
                self.fail(&format!("Failed to truncate AOF {name} because it is not the last file"))
            }
            Action::Fix => self.fix(file, source, sound),
            _ => self.fail(&format!("AOF {name} is not valid. Use the --fix option to try fixing it.")),
        }
    }

    fn fix(&mut self, file: &File<'_>, source: &Source, sound: u64) -> Flow<Verdict> {
        let (name, size) = (file.name, source.bytes().len() as u64);
        let diff = size.saturating_sub(sound);
        writeln!(self.out, "This will shrink the AOF {name} from {size} bytes, with {diff} bytes, to {sound} bytes")?;
        write!(self.out, "Continue? [y/N]: ")?;
        self.out.flush()?;
        if !(self.answer)() {
            return self.fail("Aborting...");
        }
        match cut::keep(file.path, source, sound) {
            Ok(()) => Ok(Verdict::Truncated),
            Err(e) => self.fail(&format!("Failed to truncate AOF {name}: {e}")),
        }
    }
}

fn begins_with_image(bytes: &[u8]) -> bool {
    bytes.starts_with(b"REDIS") || bytes.starts_with(b"VALKEY")
}

/// The operating system's words without Rust's number behind them.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.clone(), |(words, _)| words.to_owned())
}

#[cfg(test)]
mod tests;

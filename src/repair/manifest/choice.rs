//! Which files of a directory make a set, where no manifest says so.
//!
//! | rule | why |
//! | --- | --- |
//! | the base is the one with the highest number that reads to its end | a torn one was never listed |
//! | incremental files are those up to the highest number, without a hole | what is before a hole is left of a history that was deleted |
//! | a file that an older base and the files before it lead to the newest base with is history | the base holds it already: the digests are the same |
//! | a file that was begun before the base was is history | a rewrite begins a new file first |
//! | a file with a lower number than the base is history | a rewrite begins a new file first, so its number is never below that of the base |
//!
//! When neither of the two rules before the last says anything, all other files are taken, and a finding says that this is a guess.

use super::{Part, digest, open};
use crate::aof::{self, manifest::Entry};
use crate::bytes::source;
use crate::finding::Finding;
use crate::input::{self, Content, Role, discover::manifest_of_names, sniff};
use crate::rdb;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// A file's time is believed this exactly, in seconds.
const SLACK: i64 = 1;

/// The parts of a set, in loading order, and what is worth knowing about the others.
pub(super) struct Choice {
    pub(super) parts: Vec<Part>,
    pub(super) findings: Vec<Finding>,
}

impl Choice {
    /// A base for the one that is lost.
    pub(super) fn instead(lost: &Entry, base: Part, incrs: Vec<Part>) -> Self {
        let lost = String::from_utf8_lossy(&lost.name).into_owned();
        let message = format!("`{lost}` is not there, and this file and those that follow it hold what it held");
        let finding = Finding::info("aof-other-base", 0, message).in_file(base.name.clone());
        Self { parts: [base].into_iter().chain(incrs).collect(), findings: vec![finding] }
    }
}

/// The set that files with these names most likely are.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn of_names(directory: &Path, names: &[String], options: &source::Options) -> Result<Choice, input::Error> {
    let mut files = Files::open(directory, names, options)?;
    let newest = files.bases.iter().rposition(reads_to_end).or_else(|| files.bases.len().checked_sub(1));
    let Some(newest) = newest else { return Ok(Choice { parts: contiguous(files.incrs), findings: Vec::new() }) };
    let base = files.bases.swap_remove(newest);
    let older: Vec<Part> = files.bases.into_iter().filter(|other| other.seq < base.seq).collect();
    let mut incrs = contiguous(files.incrs);
    let (history, is_sure) = history(&base, &older, &incrs, options);
    let mut findings: Vec<Finding> = incrs.iter().take(history).map(|part| older_than(&base, part)).collect();
    incrs.drain(..history);
    if !is_sure && incrs.len() > 1 && base.seq > 1 {
        findings.push(guess(&base));
    }
    let parts = [base].into_iter().chain(incrs).collect();
    Ok(Choice { parts, findings })
}

/// The parts that a directory has, by their numbers.
pub(super) struct Files {
    pub(super) bases: Vec<Part>,
    pub(super) incrs: Vec<Part>,
}

impl Files {
    pub(super) fn open(directory: &Path, names: &[String], options: &source::Options) -> Result<Self, input::Error> {
        let mut files = Self { bases: Vec::new(), incrs: Vec::new() };
        for name in names {
            for entry in manifest_of_names(std::slice::from_ref(name)).entries {
                let part = open(directory, entry, options)?;
                if part.role == Role::Base { files.bases.push(part) } else { files.incrs.push(part) }
            }
        }
        files.bases.sort_by_key(|part| part.seq);
        files.incrs.sort_by_key(|part| part.seq);
        Ok(files)
    }
}

/// Those up to the highest number, without a hole.
pub(super) fn contiguous(mut parts: Vec<Part>) -> Vec<Part> {
    let hole = parts.windows(2).rposition(|pair| !are_neighbours(pair));
    parts.drain(..hole.map_or(0, |hole| hole.saturating_add(1)));
    parts
}

/// Is each number one more than the one before?
pub(super) fn are_neighbours(parts: &[Part]) -> bool {
    parts.is_sorted_by(|a, b| a.seq.checked_add(1) == Some(b.seq))
}

/// Is nothing wrong with the structure of a file?
pub(super) fn reads_to_end(part: &Part) -> bool {
    let start = match part.content {
        Content::Empty => return true,
        Content::Aof { preamble: false } => Ok(0),
        Content::Aof { preamble: true } => sniff::image_end(part.bytes()),
        _ => return sniff::image_end(part.bytes()).is_ok(),
    };
    let Ok(start) = start else { return false };
    let mut reader = aof::Reader::starting_at(part.bytes(), start);
    loop {
        match reader.next_record() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// How many of the incremental files, the oldest first, the base holds already; and whether that is known.
fn history(base: &Part, older: &[Part], incrs: &[Part], options: &source::Options) -> (usize, bool) {
    let lower = incrs.partition_point(|part| part.seq < base.seq);
    let (count, is_known) = told_history(base, older, incrs, options);
    (count.max(lower), is_known)
}

/// What the files themselves tell of it.
fn told_history(base: &Part, older: &[Part], incrs: &[Part], options: &source::Options) -> (usize, bool) {
    if let Some(count) = older.iter().rev().find_map(|older| leads_to(base, older, incrs, options)) {
        return (count, true);
    }
    // The last one is never history: every rewrite begins one.
    let before_last = incrs.len().saturating_sub(1);
    match base_time(base) {
        Some(time) if incrs.iter().any(|part| begun(part).is_some()) => {
            let is_older = |part: &Part| begun(part).is_some_and(|begun| begun < time.saturating_sub(SLACK));
            (incrs.iter().take(before_last).rposition(is_older).map_or(0, |last| last.saturating_add(1)), true)
        }
        Some(time) => by_change(time, incrs).map_or((0, false), |count| (count.min(before_last), true)),
        None => (0, false),
    }
}

/// With how many incremental files an older base becomes the newest.
fn leads_to(base: &Part, older: &Part, incrs: &[Part], options: &source::Options) -> Option<usize> {
    let target = digest::Replayed::new(base, options).part(base)?.digest();
    let mut replayed = digest::Replayed::new(base, options).part(older)?;
    if replayed.digest() == target {
        return Some(0);
    }
    for (before, part) in incrs.iter().enumerate() {
        replayed = replayed.part(part)?;
        if replayed.digest() == target {
            return Some(before.saturating_add(1));
        }
    }
    None
}

/// By the times of the last change: a file of the history was not written on since the base was begun. Believed only of
/// files that were changed one after the other, the last of them since then.
fn by_change(time: i64, incrs: &[Part]) -> Option<usize> {
    let changed: Vec<i64> = incrs.iter().map(changed).collect::<Option<_>>()?;
    let is_plausible = changed.is_sorted() && changed.last().is_some_and(|&last| last >= time);
    let older = changed.partition_point(|&changed| changed < time.saturating_sub(SLACK));
    (is_plausible && older > 0).then_some(older)
}

/// When a base was begun, in Unix seconds.
fn base_time(base: &Part) -> Option<i64> {
    let mut reader = rdb::Reader::new(base.bytes()).ok()?;
    while let Ok(Some(rdb::Record::Aux { name, value, .. })) = reader.next_record() {
        if *name == *b"ctime" {
            return std::str::from_utf8(&value).ok()?.parse().ok();
        }
    }
    None
}

/// When an incremental file was begun, if it says so.
fn begun(part: &Part) -> Option<i64> {
    match aof::Reader::new(part.bytes()).next_record() {
        Ok(Some(aof::Record::Annotation(annotation))) => annotation.timestamp(),
        _ => None,
    }
}

fn changed(part: &Part) -> Option<i64> {
    let time = part.path.metadata().ok()?.modified().ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

pub(super) fn older_than(base: &Part, part: &Part) -> Finding {
    Finding::info("aof-part-older", 0, format!("`{}` holds it already", base.name)).in_file(part.name.clone())
}

fn guess(base: &Part) -> Finding {
    Finding::warning(
        super::UNCERTAIN,
        0,
        "whether all incremental files are newer than the base is a guess: nothing in them says so",
    )
    .in_file(base.name.clone())
    .hint("if the base holds some of them already, their commands are executed twice: leave them out")
}

//! Whole inputs: each part as what it is, and the set they make up.

use super::aof::{self, Contents};
use super::findings::{Findings, Kept};
use super::rdb::{self, Options};
use super::replay::Replayed;
use crate::aof::resync;
use crate::finding::{Finding, Severity};
use crate::input::{Content, Input, Kind, Part, Role};
use crate::repair;
use crate::replay::whole;
use crate::scan::Summary;

/// What the checksum of an RDB image says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// It fits the bytes.
    Ok,
    /// It does not.
    Mismatch,
    /// It was switched off when the image was written.
    Disabled,
    /// There is none: the image is too old, or not whole, or there is no image.
    Absent,
}

impl Checksum {
    /// The word of our JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Mismatch => "mismatch",
            Self::Disabled => "disabled",
            Self::Absent => "absent",
        }
    }

    fn of(summary: &Summary) -> Self {
        match summary.stored_checksum {
            None => Self::Absent,
            Some(0) => Self::Disabled,
            Some(_) if summary.checksum_holds() => Self::Ok,
            Some(_) => Self::Mismatch,
        }
    }
}

/// What a check of an input found.
#[derive(Debug, Clone)]
pub struct Report {
    /// The version of the (first) RDB image.
    pub version: Option<u32>,
    /// What its checksum says.
    pub checksum: Checksum,
    /// Keys in RDB images; nothing when there is none.
    pub keys: Option<u64>,
    /// What the logs hold; nothing when there is none.
    pub contents: Option<Contents>,
    /// Size of all parts.
    pub bytes: u64,
    /// Everything that is wrong: the set first, then part by part in the order of offsets.
    pub findings: Vec<Finding>,
    /// Findings beyond the limit, counted only.
    pub more_findings: u64,
    /// The worst of them all, counted ones included.
    pub worst: Option<Severity>,
}

impl Report {
    /// True when nothing is damaged.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.worst < Some(Severity::Error)
    }
}

/// Check an input of any kind. `progress` is told how many bytes are done.
#[must_use]
pub fn check(input: &Input, options: &Options, progress: &mut dyn FnMut(u64)) -> Report {
    run(input, options, &Replayed::default(), progress)
}

/// The same, and execute the logs, too.
#[must_use]
pub fn check_and_replay(
    input: &Input,
    options: &Options,
    replay: &whole::Options,
    progress: &mut dyn FnMut(u64),
) -> Report {
    run(input, options, &super::replay::replay(input, replay), progress)
}

fn run(input: &Input, options: &Options, replayed: &Replayed, progress: &mut dyn FnMut(u64)) -> Report {
    let mut check = Check {
        options,
        kept: Kept::default(),
        version: None,
        checksum: Checksum::Absent,
        keys: None,
        contents: None,
        done: 0,
        progress,
    };
    for finding in &input.findings {
        check.findings(&input.name).push(finding.clone());
    }
    if input.kind == Kind::Empty {
        check.findings(&input.name).push(Finding::error("input-empty", 0, "the file is empty"));
    }
    for (index, part) in input.parts.iter().enumerate() {
        let before = check.kept.findings.len();
        let last = input.parts.last().is_some_and(|last| std::ptr::eq(last, part));
        check.part(part, last);
        let found = check.kept.findings.iter().skip(before).map(|finding| finding.offset);
        let found: Vec<u64> = found.collect();
        replayed.tell(index, &found, &mut check.findings(&part.name));
        if let Some(new) = check.kept.findings.get_mut(before..) {
            new.sort_by_key(|finding| finding.offset);
        }
    }
    Report {
        version: check.version,
        checksum: check.checksum,
        keys: check.keys,
        contents: check.contents,
        bytes: input.bytes(),
        findings: check.kept.findings,
        more_findings: check.kept.more.saturating_add(replayed.more),
        worst: check.kept.worst,
    }
}

struct Check<'c> {
    options: &'c Options,
    kept: Kept,
    version: Option<u32>,
    checksum: Checksum,
    keys: Option<u64>,
    contents: Option<Contents>,
    done: u64,
    progress: &'c mut dyn FnMut(u64),
}

impl Check<'_> {
    fn findings<'n>(&'n mut self, file: &'n str) -> Findings<'n> {
        Findings { kept: &mut self.kept, file, limit: self.options.max_findings }
    }

    fn part(&mut self, part: &Part, last: bool) {
        for hole in part.source.holes() {
            let finding = Finding::error("input-unreadable-block", hole.start, "the disk does not deliver these bytes");
            self.findings(&part.name).push(finding.until(hole.end));
        }
        let is_log = matches!(part.role, Role::Base | Role::Incr);
        match part.content {
            Content::Rdb | Content::DragonflySummary if !is_log => {
                if let (Some(end), true) = self.image(part) {
                    self.trailing(part, end);
                }
            }
            Content::Rdb | Content::Aof { preamble: true } => {
                if part.role == Role::Incr {
                    let finding =
                        Finding::warning("aof-image-in-incr", 0, "an incremental file begins with an RDB image");
                    self.findings(&part.name)
                        .push(finding.hint("servers load it; `redis-check-aof --fix` would empty it"));
                }
                if let (Some(start), _) = self.image(part) {
                    self.log(part, start);
                }
            }
            Content::Aof { preamble: false } => self.log(part, 0),
            Content::Empty | Content::Unknown | Content::Manifest | Content::DragonflySummary => {}
        }
        if !last && is_log {
            self.explain_middle(part);
        }
        self.done = self.done.saturating_add(part.bytes().len() as u64);
        (self.progress)(self.done);
    }

    /// Check the image at the beginning. Gives the offset behind it, or of the first commands behind damage; and
    /// whether it is whole.
    fn image(&mut self, part: &Part) -> (Option<u64>, bool) {
        let bytes = part.bytes();
        let (mut trail, done, progress) = (part.source.trail(), self.done, &mut *self.progress);
        let report = rdb::check(bytes, 0..bytes.len() as u64, self.options, |offset| {
            trail.reached(offset);
            progress(done.saturating_add(offset));
        });
        self.keys = Some(self.keys.unwrap_or_default().saturating_add(report.keys));
        if self.version.is_none() {
            self.version = Some(report.summary.version);
            self.checksum = Checksum::of(&report.summary);
        }
        self.kept.more = self.kept.more.saturating_add(report.more_findings);
        self.kept.worst = self.kept.worst.max(report.worst);
        let mut findings = self.findings(&part.name);
        report.findings.into_iter().for_each(|finding| findings.push(finding));
        if let Some(error) =
            report.summary.error.as_ref().filter(|error| part.content == Content::Rdb && !error.is_exhausted())
        {
            self.behind_damage(part, error.offset(), report.keys);
        }
        match report.summary.error {
            None => (Some(report.summary.end), true),
            Some(_) => (resync::next_chain(bytes, report.summary.end), false),
        }
    }

    /// Count the keys behind the damage of an image, and name the other damages.
    fn behind_damage(&mut self, part: &Part, damage: u64, before: u64) {
        let options = repair::rdb::Options { no_exact: true, walk: self.options.walk.clone(), ..Default::default() };
        let Ok(plan) = repair::rdb::plan(part.bytes(), &options, &mut |_| {}) else { return };
        let behind = plan.kept.keys.saturating_sub(before);
        self.keys = self.keys.map(|keys| keys.saturating_add(behind));
        let mut findings = self.findings(&part.name);
        for lost in plan.lost.iter().filter(|lost| lost.offset > damage) {
            let message = format!("{} bytes hold no intact record", lost.end.saturating_sub(lost.offset));
            let finding = Finding::error(lost.code, lost.offset, message).until(lost.end);
            findings.push(match lost.keys.first() {
                Some(key) => finding.about_key(key.clone()),
                None => finding,
            });
        }
    }

    fn trailing(&mut self, part: &Part, end: u64) {
        let len = part.bytes().len() as u64;
        if end < len {
            let message = format!("{} bytes follow the end of the image", len.saturating_sub(end));
            let finding = Finding::warning("rdb-trailing-bytes", end, message).until(len);
            self.findings(&part.name).push(finding.hint("servers do not look at them"));
        }
    }

    fn log(&mut self, part: &Part, start: u64) {
        let mut contents = self.contents.unwrap_or_default();
        let (mut trail, done, progress) = (part.source.trail(), self.done, &mut *self.progress);
        let mut passed = |offset| {
            trail.reached(offset);
            progress(done.saturating_add(offset));
        };
        let limit = self.options.max_findings;
        let mut findings = Findings { kept: &mut self.kept, file: &part.name, limit };
        aof::log(part.bytes(), start, &mut contents, &mut findings, &mut passed);
        self.contents = Some(contents);
    }

    /// A tail that is cut is harmless in the last file only.
    fn explain_middle(&mut self, part: &Part) {
        let cut =
            self.kept.findings.iter_mut().filter(|finding| finding.file == part.name && finding.code == "aof-torn");
        for finding in cut {
            finding.hint =
                Some("it is not the last file, so no server starts with this log; `careen repair` mends it".into());
        }
    }
}

#[cfg(test)]
mod tests;

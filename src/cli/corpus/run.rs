//! `corpus run`.

use super::{Bounds, files};
use crate::cli::Exit;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render::escape;
use crate::cli::render::text::{counted, size};
use careen::corpus::journal::{Journal, known};
use careen::corpus::pool::{self, Judged};
use careen::corpus::report::{Report, junit};
use careen::corpus::signature::{Outcome, verdict};
use serde_json::json;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Every file of a folder through every parser that could read it, in bounded children
///
/// A file is read as what its content says: an RDB image is checked, replayed, exported and repaired, a log checked,
/// replayed and repaired, a DUMP payload restored. Files that did the same are grouped by signature.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// A folder; folders in it are looked into
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// text, json, or junit: a test case for each file
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: Format,
    /// Keep verdicts here, and do not judge again what is in it and unchanged
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    bounds: Bounds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Junit,
}

impl Run {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let (mut judged, peak) = self.judge(cx)?;
        judged.sort_by(|a, b| a.path.cmp(&b.path));
        let mut report = Report::default();
        judged.iter().for_each(|one| report.add(one));
        if cx.global.verbose > 0 {
            cx.complain(&format!("the largest child took {}", size(peak)), None);
        }
        let out = match self.format {
            Format::Text => text(&report),
            Format::Json => as_json(&self.folder.to_string_lossy(), &report, &judged),
            Format::Junit => junit(&self.folder.to_string_lossy(), &judged),
        };
        io::stdout().lock().write_all(out.as_bytes())?;
        Ok(if report.failures() == 0 { Exit::Clean } else { Exit::Findings })
    }

    fn judge(&self, cx: &Context<'_>) -> Result<(Vec<Judged>, u64), Failure> {
        let all = files(&self.folder)?;
        let open = |path: &PathBuf| {
            Journal::open(path).map_err(|error| Failure::new(format!("{}: {error}", escape::path(path))))
        };
        let mut journal = self.resume.as_ref().map(open).transpose()?;
        let (left, mut judged) = match &journal {
            Some(journal) => known(journal, all),
            None => (all, Vec::new()),
        };
        let mut bar = cx.progress(left.len() as u64, false);
        let (mut done, mut failed) = (0u64, None);
        let peak = pool::run(&left, cx.children(), &self.bounds.limits(cx)?, &mut |one| {
            let kept = journal.as_mut().map_or(Ok(()), |journal| journal.add(&one));
            failed = kept.err();
            judged.push(one);
            done = done.saturating_add(1);
            bar.reached(done);
            failed.is_none()
        });
        drop(bar);
        match (peak, failed) {
            (Ok(peak), None) => Ok((judged, peak)),
            (Err(error), _) | (_, Some(error)) => Err(Failure::new(format!("corpus: {error}"))),
        }
    }
}

fn text(report: &Report) -> String {
    let counts: Vec<String> =
        Outcome::ALL.iter().map(|&outcome| format!("{} {}", report.count(outcome), outcome.name())).collect();
    let mut out = format!("{}: {}\n", counted(report.files(), "file"), counts.join(", "));
    // What no file may do comes first, then what many files do.
    let mut groups: Vec<_> = report.groups.iter().collect();
    groups.sort_by_key(|(signature, group)| (!Outcome::of(signature).is_failure(), std::cmp::Reverse(group.files)));
    for (signature, group) in groups {
        let (signature, example) = (escape::text(signature.as_bytes()), escape::path(&group.example));
        let _ = writeln!(out, "{:>9}  {signature}  {example}", group.files);
    }
    out
}

fn as_json(folder: &str, report: &Report, judged: &[Judged]) -> String {
    let count = |outcome| report.count(outcome);
    let signatures = report.groups.iter().map(|(signature, group)| {
        let example = group.example.to_string_lossy();
        json!({
            "verdict": verdict(signature),
            "signature": signature,
            "files": group.files,
            "example": example,
            "bytes": group.bytes,
        })
    });
    let failures = judged.iter().filter(|one| one.outcome().is_failure());
    let failures = failures.map(|one| {
        let file = one.path.to_string_lossy();
        json!({"file": file, "bytes": one.bytes, "verdict": verdict(&one.signature), "signature": one.signature})
    });
    let object = json!({
        "folder": folder,
        "files": report.files(),
        "ok": count(Outcome::Ok),
        "rejected": count(Outcome::Rejected),
        "crash": count(Outcome::Crash),
        "timeout": count(Outcome::Timeout),
        "oom": count(Outcome::Oom),
        "signatures": signatures.collect::<Vec<_>>(),
        "failures": failures.collect::<Vec<_>>(),
    });
    format!("{object}\n")
}

//! `check`: is it sound?

use super::Exit;
use super::args::ReplayArgs;
use super::context::Context;
use super::failure::Failure;
use super::render::text::{GREEN, Paint, RED, counted, size};
use super::render::{escape, finding, json};
use careen::check::input::{Checksum, Report, check, check_and_replay};
use careen::check::rdb::Options;
use careen::finding::Severity;
use careen::input::{Input, Kind};
use careen::keyspace::Like;
use serde_json::json;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Verify files deeply: structure, checksum, every nested encoding, the parts of a set
///
/// Finds all problems, not only the first. Nothing is written. Replaces redis-check-rdb and redis-check-aof, and
/// behaves as they do when it is called by their names.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen check dump.rdb
  careen check appendonlydir
  careen check --replay appendonly.aof
  careen check --format json backups/*.rdb | jq 'select(.ok | not)'
  zcat dump.rdb.gz | careen check -

Exit status:
  0  every input is sound
  1  something is damaged, empty, or of no kind we know
  2  an input could not be read")]
pub(super) struct Check {
    /// RDB, AOF, manifest, directory, or - for standard input
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
    /// text, or json: one object per input and line
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: CheckFormat,
    /// List at most so many findings of each input
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_findings: usize,
    /// Execute the commands of logs, too, and find those that fail
    #[arg(long)]
    replay: bool,
    /// Execute like this server (redis-7.0, valkey-8.1) where they differ
    #[arg(long, value_name = "SERVER", requires = "replay")]
    like: Option<Like>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CheckFormat {
    Text,
    Json,
}

impl Check {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let mut exit = Exit::Clean;
        let mut failure = None;
        for path in &self.inputs {
            match self.one(path, cx) {
                Ok(one) => exit = exit.max(one),
                Err(Failure::BrokenPipe) => return Err(Failure::BrokenPipe),
                Err(error) => {
                    // The others are checked all the same; the last failure is reported by the caller.
                    if let Some((line, hint)) = failure.replace(error).and_then(Failure::into_line) {
                        cx.complain(&line, hint.as_deref());
                    }
                }
            }
        }
        failure.map_or(Ok(exit), Err)
    }

    fn one(&self, path: &Path, cx: &Context<'_>) -> Result<Exit, Failure> {
        let input = cx.open(path)?;
        let mut bar = cx.progress(input.bytes(), false);
        let options = Options { walk: cx.scan_options(), max_findings: self.max_findings };
        let mut progress = |done| bar.reached(done);
        let report = if self.replay {
            let replay = ReplayArgs { like: self.like, ..ReplayArgs::default() };
            check_and_replay(&input, &options, &replay.options(cx, None), &mut progress)
        } else {
            check(&input, &options, &mut progress)
        };
        drop(bar);
        if let Some(finding) = report.findings.iter().find(|finding| finding.code == "memory-budget") {
            return Err(Failure::exhausted(&escape::text(input.name.as_bytes()), &finding.message));
        }
        let text = match self.format {
            CheckFormat::Json => as_json(&input, &report),
            CheckFormat::Text => as_text(&input, &report, Paint(cx.is_colored()), cx.global.quiet),
        };
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(if report.is_ok() { Exit::Clean } else { Exit::Findings })
    }
}

fn known(kind: Kind) -> Option<&'static str> {
    (!matches!(kind, Kind::Empty | Kind::Unknown)).then(|| kind.name())
}

fn as_json(input: &Input, report: &Report) -> String {
    let mut object = json!({
        "input": input.name,
        "kind": known(input.kind),
        "version": report.version,
        "ok": report.is_ok(),
        "checksum": report.checksum.name(),
        "keys": report.keys,
        "commands": report.contents.map(|contents| contents.commands),
        "bytes": report.bytes,
        "findings": report.findings.iter().map(json::finding).collect::<Vec<_>>(),
    });
    if let (Some(object), true) = (object.as_object_mut(), report.more_findings > 0) {
        object.insert("more_findings".into(), report.more_findings.into());
    }
    format!("{object}\n")
}

fn as_text(input: &Input, report: &Report, paint: Paint, quiet: bool) -> String {
    let name = escape::text(input.name.as_bytes());
    let verdict = if report.is_ok() { paint.paint(GREEN, "ok") } else { paint.paint(RED, "damaged") };
    let mut out = if quiet && report.is_ok() {
        String::new()
    } else {
        format!("{name}: {verdict} ({})\n", facts(input, report).join(", "))
    };
    for one in report.findings.iter().filter(|one| !quiet || one.severity == Severity::Error) {
        out.push_str(&finding::text(one, &input.name, paint));
    }
    if report.more_findings > 0 {
        out.push_str(&format!("  and {}\n", counted(report.more_findings, "more finding")));
    }
    out
}

/// What the input is, in a few words each.
fn facts(input: &Input, report: &Report) -> Vec<String> {
    let kind = match (input.kind, report.version) {
        (Kind::Rdb, Some(version)) => format!("RDB version {version}"),
        (Kind::Aof, Some(version)) => format!("AOF with an RDB preamble, version {version}"),
        (Kind::Aof, None) => "AOF".into(),
        (Kind::AofDir, _) => format!("AOF of {}", counted(input.parts.len() as u64, "part")),
        (Kind::DragonflySet, _) => format!("Dragonfly set of {}", counted(input.parts.len() as u64, "file")),
        (kind, _) => kind.name().into(),
    };
    let mut facts = vec![kind];
    facts.extend(report.keys.map(|keys| counted(keys, "key")));
    facts.extend(report.contents.map(|contents| counted(contents.commands, "command")));
    facts.push(size(report.bytes));
    if report.version.is_some() {
        facts.push(match report.checksum {
            Checksum::Ok => "checksum ok".into(),
            Checksum::Mismatch => "checksum wrong".into(),
            Checksum::Disabled => "checksum switched off".into(),
            Checksum::Absent => "no checksum".into(),
        });
    }
    facts
}

//! Options of the commands that write a persistence.

use super::no_cut;
use crate::cli::Exit;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::refuse_input;
use crate::cli::render::escape;
use crate::cli::replay::{SAID, in_part};
use careen::bytes::publish::Existing;
use careen::check::input::check;
use careen::convert::{self, Base, Choice, Kind, Options, Report};
use careen::finding::Severity;
use careen::input::{Content, Input, Part};
use careen::rdb::{self, Target};
use careen::replay::whole;
use std::path::{Path, PathBuf};

/// What is written, where and for whom.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct WriteArgs {
    /// Where the result appears when it is complete
    #[arg(short, long, value_name = "OUT", required_unless_present = "in_place")]
    output: Option<PathBuf>,
    /// Replace INPUT and keep it as INPUT.bak
    #[arg(long, conflicts_with = "output")]
    in_place: bool,
    /// rdb, aof or aof-dir [default: what the input is]
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    to: Option<To>,
    /// The base of an aof-dir: rdb or aof
    #[arg(long, value_name = "KIND", default_value = "rdb", hide_possible_values = true)]
    base: BaseArg,
    /// The appendfilename of an aof-dir
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Whom it is for: redis-2.8 … redis-8.8, valkey-8, valkey-9, portable, same; other servers get what they load
    #[arg(long, value_name = "TARGET", default_value = "same", value_parser = target)]
    target: Choice,
    /// Leave out what the target cannot hold and what cannot be executed, and report it
    #[arg(long)]
    lossy: bool,
    /// Look into every value of the input as `check` does, and say what is damaged; without a checksum this is always done
    #[arg(long)]
    verify: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum To {
    Rdb,
    Aof,
    AofDir,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum BaseArg {
    Rdb,
    Aof,
}

fn target(text: &str) -> Result<Choice, String> {
    if text == "same" {
        return Ok(Choice::Same);
    }
    let of_server = || convert::target_of(text.parse().ok()?);
    Target::named(text).or_else(of_server).map(Choice::Named).ok_or_else(|| {
        let names: Vec<&str> = careen::rdb::target::TARGETS.iter().map(|target| target.name).collect();
        format!("expected same, portable, a server such as redis-7.0.15, or one of {}", names.join(", "))
    })
}

impl WriteArgs {
    /// As the library takes them, all else left as it is by default.
    pub(crate) fn options(&self, cx: &Context<'_>, input: &Input) -> Options {
        let base = if self.base == BaseArg::Rdb { Base::Rdb } else { Base::Aof };
        let kind = match (self.to, Kind::of(input)) {
            (Some(To::Rdb), _) => Kind::Rdb,
            (Some(To::Aof), _) => Kind::Aof,
            (Some(To::AofDir), _) | (None, Kind::AofDir(_)) => Kind::AofDir(base),
            (None, same) => same,
        };
        Options {
            kind,
            target: self.target,
            lossy: self.lossy,
            name: self.name.clone().unwrap_or_else(|| self.name_of(input)),
            existing: Existing { replace: cx.global.force, keep_backup: self.in_place },
            scan: cx.scan_options(),
            process_ends: true,
            ..Options::default()
        }
    }

    /// What stays in its place keeps its name.
    fn name_of(&self, input: &Input) -> String {
        let manifest = input.manifest.as_ref().filter(|_| self.in_place);
        let name = manifest.and_then(|manifest| manifest.name.strip_suffix(".manifest"));
        name.map_or_else(|| Options::default().name, ToOwned::to_owned)
    }

    fn path(&self, input: &Input) -> Result<PathBuf, Failure> {
        if let Some(output) = &self.output {
            return Ok(output.clone());
        }
        in_place(input).ok_or_else(|| Failure::new("--in-place needs an input that is a file or an AOF directory"))
    }

    /// Do it, and say what was lost.
    pub(crate) fn write(
        &self,
        cx: &Context<'_>,
        inputs: &[Input],
        options: &Options,
        replay: &whole::Options,
    ) -> Result<Exit, Failure> {
        let Some(first) = inputs.first() else { return Ok(Exit::Clean) };
        let output = self.path(first)?;
        if !self.in_place {
            refuse_input(&output, inputs)?;
        }
        let total = inputs.iter().map(Input::bytes).sum();
        let mut bar = cx.progress(total, false);
        let report = convert::convert(inputs, &output, options, replay, |done| bar.reached(done));
        drop(bar);
        let report = report.map_err(|error| failure(&error))?;
        let mut exit = cx.settle_written(first, &output, &report);
        if !report.stopped {
            cx.complain_of_no_cut(&first.name, &no_cut::of(replay));
        }
        if let Some(what) = contradicted(&output, options.kind) {
            cx.complain(
                &format!("{}: is {what}, whatever its name says", escape::path(&output)),
                Some("--to says what it is to be"),
            );
        }
        for input in inputs.iter().filter(|input| self.verify || input.parts.iter().any(is_unvouched)) {
            exit = exit.max(cx.verify(input)?);
        }
        Ok(exit)
    }
}

/// What an output is that is called something else.
fn contradicted(output: &Path, kind: Kind) -> Option<&'static str> {
    let ending = output.extension()?;
    match kind {
        Kind::Rdb if ending == "aof" => Some("an RDB file"),
        Kind::Aof if ending == "rdb" => Some("a log"),
        Kind::AofDir(_) if ending == "rdb" || ending == "aof" => Some("an AOF directory"),
        _ => None,
    }
}

/// Values are copied as they stand because the checksum vouches for them: here there is none.
fn is_unvouched(part: &Part) -> bool {
    let bytes = part.bytes();
    let is_old = || rdb::Reader::new(bytes).is_ok_and(|reader| reader.version() < rdb::FIRST_WITH_CHECKSUM);
    part.content == Content::Rdb && (bytes.ends_with(&[0; 8]) || is_old())
}

/// What is replaced in place: not a link that leads to it, so that the link stays and leads to the new one.
pub(crate) fn in_place(input: &Input) -> Option<PathBuf> {
    let path = match (&input.directory, input.parts.as_slice()) {
        (Some(directory), _) => directory,
        (None, [part]) if part.path != Path::new("-") => &part.path,
        _ => return None,
    };
    Some(path.canonicalize().unwrap_or_else(|_| path.clone()))
}

fn failure(error: &convert::Error) -> Failure {
    let failure = Failure::new(escape::text(error.to_string().as_bytes()));
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

impl Context<'_> {
    /// Say what is damaged in an input of which everything was written.
    fn verify(&self, input: &Input) -> Result<Exit, Failure> {
        let options = careen::check::rdb::Options { walk: self.scan_options(), max_findings: SAID };
        let mut bar = self.progress(input.bytes(), false);
        let report = check(input, &options, &mut |done| bar.reached(done));
        drop(bar);
        for found in report.findings.iter().filter(|found| found.severity == Severity::Error) {
            if found.code == "memory-budget" {
                return Err(Failure::exhausted(&escape::text(input.name.as_bytes()), &found.message));
            }
            let key = found.key.as_ref().map(|key| format!(" (key \"{}\")", escape::text(key))).unwrap_or_default();
            let line = format!("{}: {} at offset {}: {}{key}", found.file, found.code, found.offset, found.message);
            self.complain(&escape::sentence(&line), None);
        }
        if report.is_ok() {
            return Ok(Exit::Clean);
        }
        let more = match report.more_findings {
            0 => String::new(),
            more => format!(" ({more} more findings)"),
        };
        let line = format!("{}: what is damaged was written as it stands{more}", input.name);
        self.complain(&escape::text(line.as_bytes()), Some("`careen repair` leaves out what is damaged"));
        Ok(Exit::Findings)
    }

    /// Say what an output does not have, and what that means for the exit status.
    fn settle_written(&self, input: &Input, output: &Path, report: &Report) -> Exit {
        let name = escape::path(output);
        for loss in &report.losses.first {
            let gone = if loss.whole { "left out" } else { "written without it" };
            self.complain(&format!("{name}: {}: {gone}", escape::text(loss.to_string().as_bytes())), None);
        }
        let more = report.losses.total.saturating_sub(report.losses.first.len() as u64);
        if more > 0 {
            self.complain(&format!("{name}: {more} more losses"), None);
        }
        if report.not_executed > 0 {
            self.complain(&format!("{name}: {} commands could not be executed", report.not_executed), None);
        }
        for noted in report.unsound.first.iter().take(SAID) {
            self.complain(&in_part(input, noted), None);
        }
        let more = report.unsound.total.saturating_sub(SAID as u64);
        if more > 0 {
            self.complain(&format!("{name}: {more} more commands not executed"), None);
        }
        if self.global.verbose > 0 {
            let Report { keys, copied, left_out, bytes, files, .. } = report;
            let line = format!("{name}: {keys} keys, {copied} of them as they stood, {left_out} left out");
            self.complain(&format!("{line}; {bytes} bytes in {files} files"), None);
        }
        let is_whole = report.losses.is_empty() && report.not_executed == 0 && report.unsound.total == 0;
        if is_whole { Exit::Clean } else { Exit::Findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_as_documented() {
        let documented =
            "redis-5.0 redis-6.2 redis-7.0 redis-7.2 redis-7.4 redis-8.0 redis-8.6 valkey-8 valkey-9 same portable";
        assert!(documented.split(' ').all(|name| target(name).is_ok()));
        assert_eq!(target("redis-6.0.16"), target("redis-5.0"));
        assert!(target("redis-1.0").unwrap_err().contains("redis-7.2"));
    }
}

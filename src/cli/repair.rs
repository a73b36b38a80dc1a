//! `repair`: everything intact, in a new file.

use super::Exit;
use super::args::InputArg;
use super::context::Context;
use super::failure::Failure;
use super::render::text::counted;
use super::render::{escape, repair as render};
use careen::bytes::publish::{self, Existing};
use careen::input::{Content, Input, Part};
use careen::repair::rdb::{self, Options, Refusal};
use careen::repair::{Mode, Plan, apply};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Put everything that is intact into a new file, and what is not beside it
///
/// A damaged RDB file is put right byte for byte where its checksum tells how. Else every record that is intact is
/// kept, before and behind each damage. Bytes that are left out go to OUT.lost, and OUT.lost.map says where they stood.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen repair dump.rdb -o good.rdb
  careen repair dump.rdb -o good.rdb --report report.json
  careen repair dump.rdb --dry-run
  careen repair dump.rdb -o good.rdb --mode exact      only what the checksum proves

Exit status:
  0  done, nothing is lost
  1  done, something is lost or not sure
  2  not done")]
pub(super) struct Repair {
    #[command(flatten)]
    input: InputArg,
    /// The repaired file
    #[arg(short, long, value_name = "OUT", required_unless_present_any = ["in_place", "dry_run"])]
    output: Option<PathBuf>,
    /// Replace INPUT, and keep it as INPUT.bak
    #[arg(long, conflicts_with = "output")]
    in_place: bool,
    /// salvage: everything intact; truncate: only what stands before the first damage; exact: only what is proven
    #[arg(long, value_name = "MODE", default_value = "salvage", hide_possible_values = true)]
    mode: RepairMode,
    /// Do not try to find the damaged bytes by the checksum
    #[arg(long)]
    no_exact: bool,
    /// Leave out keys whose expiry may be lost
    #[arg(long)]
    strict_ttl: bool,
    /// Keep records that are probably right, but not surely
    #[arg(long)]
    keep_doubtful: bool,
    /// Keep what is left of damaged collections
    #[arg(long)]
    partial: bool,
    /// Refuse to lose more than so many bytes, or percent of the input
    #[arg(long, value_name = "N[%]", value_parser = loss)]
    max_loss: Option<Loss>,
    /// Write nothing, only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Write what is kept and what is not to a file, as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RepairMode {
    Salvage,
    Truncate,
    Exact,
}

impl From<RepairMode> for Mode {
    fn from(mode: RepairMode) -> Self {
        match mode {
            RepairMode::Salvage => Self::Salvage,
            RepairMode::Truncate => Self::Truncate,
            RepairMode::Exact => Self::Exact,
        }
    }
}

/// How much may be lost.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Loss {
    Bytes(u64),
    Percent(f64),
}

fn loss(text: &str) -> Result<Loss, String> {
    let bad = || format!("{text} is neither a number of bytes nor a percentage");
    match text.strip_suffix('%') {
        Some(number) => {
            let percent: f64 = number.parse().map_err(|_| bad())?;
            (0.0..=100.0).contains(&percent).then_some(Loss::Percent(percent)).ok_or_else(bad)
        }
        None => text.parse().map(Loss::Bytes).map_err(|_| bad()),
    }
}

impl Loss {
    #[expect(clippy::cast_precision_loss, reason = "a percentage of bytes")]
    fn allows(self, lost: u64, all: u64) -> bool {
        match self {
            Self::Bytes(most) => lost <= most,
            Self::Percent(percent) => lost as f64 <= all as f64 * percent / 100.0,
        }
    }
}

impl Repair {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let input = cx.open(&self.input.input)?;
        let part = self.image(&input)?;
        let plan = self.plan(part, cx)?;
        self.accept(&plan, part)?;
        let target = self.target();
        if let Some(target) = target.filter(|_| !self.dry_run) {
            let existing = Existing { replace: cx.global.force, keep_backup: self.in_place };
            apply::publish(&plan, part.bytes(), target, existing).map_err(|error| unpublished(target, &error))?;
        }
        self.tell(&plan, part, target, cx)?;
        Ok(if plan.is_whole() { Exit::Clean } else { Exit::Findings })
    }

    fn target(&self) -> Option<&Path> {
        if self.in_place { Some(&self.input.input) } else { self.output.as_deref() }
    }

    /// The one image of an input.
    fn image<'i>(&self, input: &'i Input) -> Result<&'i Part, Failure> {
        let name = escape::text(input.name.as_bytes());
        if self.in_place && self.input.input == Path::new("-") {
            return Err(Failure::new("standard input: it cannot be replaced").hint("give an output with -o"));
        }
        match &input.parts[..] {
            [part] if matches!(part.content, Content::Rdb | Content::Unknown) => Ok(part),
            _ => Err(Failure::new(format!("{name}: repair works on single RDB files"))),
        }
    }

    fn plan(&self, part: &Part, cx: &Context<'_>) -> Result<Plan, Failure> {
        let options = Options {
            mode: self.mode.into(),
            no_exact: self.no_exact,
            keep_doubtful: self.keep_doubtful,
            partial: self.partial,
            strict_ttl: self.strict_ttl,
            walk: cx.scan_options(),
        };
        let mut bar = cx.progress(100, false);
        let plan = rdb::plan(part.bytes(), &options, &mut |share| bar.reached(percent(share)));
        drop(bar);
        let name = escape::text(part.name.as_bytes());
        plan.map_err(|refusal| match refusal {
            Refusal::NotProven => Failure::new(format!("{name}: no repair is proven by the checksum"))
                .hint("`--mode salvage` keeps every intact record"),
            Refusal::NoHeader => Failure::new(format!("{name}: read at offset 0: it does not begin like an RDB file")),
        })
    }

    fn accept(&self, plan: &Plan, part: &Part) -> Result<(), Failure> {
        let (lost, all) = (plan.lost_bytes(), part.bytes().len() as u64);
        if self.max_loss.is_none_or(|most| most.allows(lost, all)) {
            return Ok(());
        }
        let name = escape::text(part.name.as_bytes());
        let line = format!("{name}: {} of {all} would be lost, more than --max-loss allows", counted(lost, "byte"));
        Err(Failure::new(line).hint("--dry-run shows what would be lost"))
    }

    fn tell(&self, plan: &Plan, part: &Part, target: Option<&Path>, cx: &Context<'_>) -> Result<(), Failure> {
        let output = target.filter(|_| !self.dry_run);
        if let Some(path) = &self.report {
            let text = render::json(plan, part, output);
            let existing = Existing { replace: true, keep_backup: false };
            apply::file(path, existing, |out| out.write_all(text.as_bytes())).map_err(|e| unpublished(path, &e))?;
        }
        if !cx.global.quiet {
            io::stdout().lock().write_all(render::text(plan, part, output).as_bytes())?;
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
fn percent(share: f64) -> u64 {
    (share.clamp(0.0, 1.0) * 100.0) as u64
}

fn unpublished(target: &Path, error: &publish::Error) -> Failure {
    let path = if error.path.as_os_str().is_empty() { target } else { &error.path };
    let failure = Failure::new(format!("{}: {error}", escape::path(path)));
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_bytes_or_percent() {
        assert_eq!(loss("100"), Ok(Loss::Bytes(100)));
        assert_eq!(loss("2.5%"), Ok(Loss::Percent(2.5)));
        assert!(loss("x").is_err() && loss("101%").is_err() && loss("-1").is_err());
        assert!(Loss::Percent(1.0).allows(10, 1000) && !Loss::Percent(1.0).allows(11, 1000));
    }
}

//! `repair`: everything intact, in a new file.

use super::Exit;
use super::args::{self, InputArg, Time, no_cut};
use super::context::Context;
use super::failure::Failure;
use super::output::{Output, refuse_input};
use super::render::text::counted;
use super::render::{escape, repair as render};
use careen::bytes::publish::{self, Existing, same};
use careen::input::{Content, Input, Kind, Part};
use careen::repair::aof::{self, Planned};
use careen::repair::apply::Member;
use careen::repair::plan::{LEFT_OUT, Lost};
use careen::repair::rdb::{self, Options, Refusal};
use careen::repair::{Mode, Plan, apply, manifest};
use careen::replay::until::{TextGlob, Until};
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Put everything that is intact into a new file, and what is not beside it
///
/// A damaged RDB file is put right byte for byte where its checksum tells how. Else every record that is intact is
/// kept, before and behind each damage. So it is with logs: every whole command is kept, every transaction as a whole
/// or not at all, and of a directory each part and a manifest that lists them. Bytes that are left out go to OUT.lost, and OUT.lost.map says where they stood.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "careen repair <INPUT> (-o <OUT> | --in-place | --dry-run) [OPTIONS]",
    after_help = "\
Examples:
  careen repair dump.rdb -o good.rdb
  careen repair dump.rdb -o good.rdb --report report.json
  careen repair dump.rdb --dry-run
  careen repair dump.rdb -o good.rdb --mode exact      only what the checksum proves
  careen repair appendonlydir -o good --before 'FLUSHALL*'

Exit status:
  0  done, nothing is lost
  1  done, something is lost or not sure
  2  not done"
)]
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
    /// Leave out of a log what is known to be later (RFC 3339, Unix seconds or milliseconds)
    #[arg(long, value_name = "TIME")]
    until_time: Option<Time>,
    /// Keep what ends at or before this offset of PART, by default the last part
    #[arg(long, value_name = "[PART:]N", value_parser = args::offset)]
    until_offset: Option<(Option<String>, u64)>,
    /// Keep only the first N commands of a log
    #[arg(long, value_name = "N")]
    until_command: Option<u64>,
    /// Stop before the first command whose text matches, as in 'FLUSHALL*'
    #[arg(long, value_name = "GLOB")]
    before: Option<OsString>,
    /// Leave out commands whose text matches; may be given several times
    #[arg(long, value_name = "GLOB")]
    drop: Vec<OsString>,
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
        let mut input = cx.open(&self.input.input)?;
        manifest::complete(&mut input, &cx.source_options())?;
        self.refuse_unfit(&input)?;
        let target = self.target(&input);
        let report = self.open_report(&input, target.as_deref(), cx)?;
        let plans = self.plans(&input, cx)?;
        self.accept(&plans, &input)?;
        if let Some(target) = &target {
            let existing = Existing { replace: cx.global.force, keep_backup: self.in_place };
            publish_all(&input, &plans, target, existing)?;
        }
        self.tell(&input, &plans, target.as_deref(), report, cx)?;
        self.complain_of_no_cut(&input, &plans, cx);
        let is_sure = input.require_sound().is_ok() && !manifest::is_a_guess(&input);
        let is_whole = is_sure && plans.iter().all(Plan::is_whole);
        Ok(if is_whole { Exit::Clean } else { Exit::Findings })
    }

    /// Where the output goes, if there is one.
    fn target(&self, input: &Input) -> Option<PathBuf> {
        let target = if self.in_place { args::in_place(input) } else { self.output.clone() };
        target.filter(|_| !self.dry_run)
    }

    /// Open the report before any work is done, unless it would take the place of what is read or written.
    fn open_report(&self, input: &Input, target: Option<&Path>, cx: &Context<'_>) -> Result<Option<Output>, Failure> {
        let Some(path) = &self.report else { return Ok(None) };
        let refused = |what: &str| {
            let line = format!("{}: --report would {what}", escape::path(path));
            Err(Failure::new(line).hint("give another path"))
        };
        if input.is_at(path) {
            return refused("take the place of the input");
        }
        if input.has_inside(path) {
            return refused("stand in the input's directory");
        }
        if let Some(target) = target {
            let written = [
                ("", "the output"),
                (apply::LOST, "the quarantine"),
                (apply::MAP, "its map"),
                (publish::BACKUP, "the backup"),
            ];
            for (suffix, what) in written {
                if same::is_at_or_below(path, &apply::beside(target, suffix)) {
                    return refused(&format!("take the place of {what}"));
                }
            }
        }
        Output::at(path, cx).map(Some)
    }

    fn complain_of_no_cut(&self, input: &Input, plans: &[Plan], cx: &Context<'_>) {
        let place = self.until_offset.is_some() || self.until_command.is_some();
        let asked = [
            (self.before.is_some(), no_cut::BEFORE),
            (!self.drop.is_empty(), no_cut::DROP),
            (self.until_time.is_some(), no_cut::TIME),
            (place, no_cut::PLACE),
        ];
        if !plans.iter().flat_map(|plan| &plan.lost).any(Lost::is_asked) {
            cx.complain_of_no_cut(&input.name, &asked);
        }
    }

    fn refuse_unfit(&self, input: &Input) -> Result<(), Failure> {
        let name = escape::text(input.name.as_bytes());
        if let Some(output) = self.output.as_deref().filter(|_| !self.dry_run) {
            for suffix in ["", apply::LOST, apply::MAP] {
                refuse_input(&apply::beside(output, suffix), std::slice::from_ref(input))?;
            }
        }
        if self.in_place && self.input.input == Path::new("-") {
            return Err(Failure::new("standard input: it cannot be replaced").hint("give an output with -o"));
        }
        if input.kind == Kind::Empty {
            return Err(Failure::new(format!("{name}: the file is empty: there is nothing to repair")));
        }
        if matches!(input.kind, Kind::DragonflySet) || input.parts.is_empty() {
            let line = format!("{name}: there is no RDB file and no log in it that could be repaired");
            return Err(Failure::new(line));
        }
        Ok(())
    }

    /// A plan for each part, in order.
    fn plans(&self, input: &Input, cx: &Context<'_>) -> Result<Vec<Plan>, Failure> {
        let options = self.options(input, cx)?;
        let mut bar = cx.progress(100, false);
        let mut plans: Vec<Plan> = Vec::new();
        let (mut commands, mut is_cut) = (0u64, false);
        for (number, part) in (0u32..).zip(&input.parts) {
            let mut progress = |share| bar.reached(percent(share));
            let planned = if is_cut {
                Ok(Planned { plan: left_out(part), is_cut })
            } else {
                plan(part, (number, commands), &options, &mut progress)
            };
            let Planned { plan, is_cut: cut } = planned.map_err(|refusal| refused(&refusal, part))?;
            is_cut = cut;
            commands = commands.saturating_add(plan.kept.commands);
            plans.push(plan);
        }
        Ok(plans)
    }

    fn options(&self, input: &Input, cx: &Context<'_>) -> Result<aof::Options, Failure> {
        let image = Options {
            mode: self.mode.into(),
            no_exact: self.no_exact,
            keep_doubtful: self.keep_doubtful,
            partial: self.partial,
            strict_ttl: self.strict_ttl,
            walk: cx.scan_options(),
        };
        let offset = match &self.until_offset {
            None => None,
            Some((part, offset)) => Some((self.part_number(input, part.as_deref())?, *offset)),
        };
        let glob = |text: &OsString| TextGlob::new(&args::bytes(text));
        let until = Until {
            time: self.until_time.map(|time| time.0),
            offset,
            commands: self.until_command,
            before: self.before.as_ref().map(glob),
        };
        Ok(aof::Options { image, until, drop: self.drop.iter().map(glob).collect() })
    }

    fn part_number(&self, input: &Input, name: Option<&str>) -> Result<u32, Failure> {
        let is_named = |part: &Part, name| part.name == name || part.path.file_name().is_some_and(|file| file == name);
        let number = match name {
            None => input.parts.len().checked_sub(1),
            Some(name) => input.parts.iter().position(|part| is_named(part, name)),
        };
        number.and_then(|number| u32::try_from(number).ok()).ok_or_else(|| {
            let name = escape::text(name.unwrap_or_default().as_bytes());
            Failure::new(format!("{name}: there is no such part")).hint("`careen info` lists the parts of a set")
        })
    }

    fn tell(
        &self,
        input: &Input,
        plans: &[Plan],
        target: Option<&Path>,
        report: Option<Output>,
        cx: &Context<'_>,
    ) -> Result<(), Failure> {
        let is_taken = report.as_ref().is_some_and(Output::is_standard);
        if let Some(mut report) = report {
            let text = render::json(input, plans, target);
            report.write_all(text.as_bytes()).map_err(|error| report.failure(&error))?;
            report.finish()?;
        }
        if !cx.global.quiet && !is_taken {
            let mut out = io::stdout().lock();
            for (part, plan) in input.parts.iter().zip(plans) {
                out.write_all(render::text(plan, part, target).as_bytes())?;
            }
            out.write_all(render::closing(input, plans, target, self.in_place).as_bytes())?;
        }
        Ok(())
    }

    fn accept(&self, plans: &[Plan], input: &Input) -> Result<(), Failure> {
        let lost = plans.iter().fold(0u64, |sum, plan| sum.saturating_add(plan.lost_bytes()));
        let all = input.bytes();
        if self.max_loss.is_none_or(|most| most.allows(lost, all)) {
            return Ok(());
        }
        let name = escape::text(input.name.as_bytes());
        let line = format!("{name}: {} of {all} would be lost, more than --max-loss allows", counted(lost, "byte"));
        Err(Failure::new(line).hint("--dry-run shows what would be lost"))
    }
}

fn plan(
    part: &Part,
    place: (u32, u64),
    options: &aof::Options,
    progress: &mut dyn FnMut(f64),
) -> Result<Planned, Refusal> {
    match part.content {
        Content::Aof { preamble } => aof::plan(part.bytes(), preamble, place, options, progress),
        Content::Empty => Ok(Planned { plan: Plan { proven: true, ..Plan::default() }, is_cut: false }),
        _ => rdb::plan(part.bytes(), &options.image, progress).map(|plan| Planned { plan, is_cut: false }),
    }
}

/// A part behind the end that was asked for.
fn left_out(part: &Part) -> Plan {
    let end = part.bytes().len() as u64;
    let lost = Lost { offset: 0, end, code: LEFT_OUT, keys: Vec::new() };
    Plan { lost: Some(lost).into_iter().filter(|lost| lost.end > 0).collect(), ..Plan::default() }
}

fn refused(refusal: &Refusal, part: &Part) -> Failure {
    let name = escape::text(part.name.as_bytes());
    match refusal {
        Refusal::NotProven => Failure::new(format!("{name}: no repair is proven by the checksum"))
            .hint("`--mode salvage` keeps every intact record"),
        Refusal::Exhausted(spent) => Failure::new(format!("{name}: {spent}")).hint(spent.hint()),
        Refusal::NoHeader => {
            let line =
                format!("{name}: no record of an RDB file or a log is anywhere in it: it is probably another file");
            Failure::new(line).hint("what is compressed or archived must be unpacked first")
        }
    }
}

fn publish_all(input: &Input, plans: &[Plan], target: &Path, existing: Existing) -> Result<(), Failure> {
    let failed = |error| unpublished(target, &error);
    let member = |(part, plan)| {
        let part: &Part = part;
        Member { name: &part.name, path: &part.path, input: part.bytes(), plan }
    };
    let members: Vec<Member<'_>> = input.parts.iter().zip(plans).map(member).collect();
    if input.kind != Kind::AofDir {
        return members
            .iter()
            .try_for_each(|member| apply::publish(member, target, existing).map(drop).map_err(failed));
    }
    let text = manifest::of(input).map_err(|problem| {
        Failure::new(format!("{}: {}", escape::text(input.name.as_bytes()), problem.to_finding(&input.name).message))
    })?;
    let like = input.directory.as_deref().unwrap_or(target);
    apply::publish_set(&members, (&manifest::name(input), &text), like, target, existing).map_err(failed)
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

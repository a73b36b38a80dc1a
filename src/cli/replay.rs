//! `replay`: what does a server have after loading this?

use super::Exit;
use super::args::{InputArg, ReplayArgs, Time, no_cut};
use super::context::Context;
use super::failure::Failure;
use super::render::{escape, json};
use careen::input::Input;
use careen::keyspace::digest::{self, Digest};
use careen::replay::report::Noted;
use careen::replay::whole::{self, Outcome};
use serde_json::{Map, Value, json};
use std::fmt;
use std::io::{self, Write};

/// Rebuild the keyspace and report: counts, digest, commands that could not be executed
///
/// The digest is the number that DEBUG DIGEST gives on a real server holding the same data.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen replay appendonlydir
  careen replay appendonly.aof --digest --like redis-7.0
  careen replay appendonlydir --before 'FLUSHALL*' --format json | jq .keys
  careen replay appendonlydir --until-offset appendonly.aof.3.incr.aof:81920

Exit status:
  0  every command was executed
  1  some were not, or the input is damaged; the report says which and where
  2  not done")]
pub(super) struct Replay {
    #[command(flatten)]
    input: InputArg,
    #[command(flatten)]
    replay: ReplayArgs,
    /// The present, for commands with a relative time
    #[arg(long, value_name = "TIME")]
    as_of: Option<Time>,
    /// Print 40 hex digits, the same that DEBUG DIGEST prints
    #[arg(long)]
    digest: bool,
    /// Stop at the first command that cannot be executed
    #[arg(long)]
    strict: bool,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: ReplayFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ReplayFormat {
    Text,
    Json,
}

impl Replay {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let input = cx.open_sound(&self.input.input)?;
        let options = whole::Options { strict: self.strict, ..self.replay.options(cx, self.as_of) };
        let mut bar = cx.progress(input.bytes(), false);
        let outcome = whole::replay(&input, &options, (), &mut |done| bar.reached(done))?;
        drop(bar);
        let mut exit = cx.settle_replay(&input, &outcome)?;
        if !outcome.stopped {
            cx.complain_of_no_cut(&input.name, &no_cut::of(&options));
        }
        let threads = cx.scan_options().threads;
        let (digest, undecoded) = digest::of_keyspace_within(&outcome.keyspace, outcome.like, threads, &cx.budget);
        if let Some(error) = undecoded {
            let name = escape::text(input.name.as_bytes());
            if error.is_exhausted() {
                return Err(Failure::exhausted(&name, &error.to_string()));
            }
            cx.complain(&format!("{name}: {error}; it counts as empty"), error.hint());
            exit = Exit::Findings;
        }
        let text = match self.format {
            ReplayFormat::Json => format!("{}\n", as_json(&input, &outcome, digest)),
            ReplayFormat::Text if self.digest => format!("{digest}\n"),
            ReplayFormat::Text => as_text(&outcome, digest),
        };
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(exit)
    }
}

/// The object of the contract.
fn as_json(input: &Input, outcome: &Outcome<'_>, digest: Digest) -> Value {
    let databases: Map<String, Value> =
        outcome.keyspace.dbs().map(|(index, db)| (index.0.to_string(), db.len().into())).collect();
    let skipped: Vec<Value> = outcome
        .report
        .skipped
        .first
        .iter()
        .map(|skipped| {
            json!({
                "file": part_name(input, skipped.place.part),
                "offset": skipped.place.offset,
                "argv0": json::bytes(&skipped.argv0),
                "code": skipped.why.code(),
                "why": skipped.why.to_string(),
            })
        })
        .collect();
    let channels: Map<String, Value> = outcome
        .report
        .channels
        .iter()
        .map(|(channel, &messages)| (String::from_utf8_lossy(channel).into_owned(), messages.into()))
        .collect();
    json!({
        "commands": outcome.report.commands,
        "keys": outcome.keyspace.len(),
        "databases": databases,
        "like": outcome.like.to_string(),
        "digest": digest.to_string(),
        "skipped": skipped,
        "skipped_total": outcome.report.skipped.total,
        "channels": channels,
    })
}

fn as_text(outcome: &Outcome<'_>, digest: Digest) -> String {
    let mut lines =
        vec![format!("commands   {}", outcome.report.commands), format!("keys       {}", outcome.keyspace.len())];
    lines.extend(outcome.keyspace.dbs().map(|(index, db)| format!("  db {:<6} {}", index.0, db.len())));
    lines.push(format!("skipped    {}", outcome.report.skipped.total));
    let channels = outcome.report.channels.iter();
    lines.extend(channels.map(|(channel, messages)| format!("channel    {} {messages}", escape::text(channel))));
    lines.push(format!("like       {}", outcome.like));
    lines.push(format!("digest     {digest}\n"));
    lines.join("\n")
}

/// The name of a part.
pub(super) fn part_name(input: &Input, part: u32) -> &str {
    let part = usize::try_from(part).ok().and_then(|index| input.parts.get(index));
    part.map_or("", |part| part.name.as_str())
}

/// Which command, where in its part, and what there is to say.
fn about<T: fmt::Display>(noted: &Noted<T>) -> String {
    format!("{} at offset {}: {}", escape::text(&noted.argv0), noted.place.offset, noted.why)
}

/// The same with the part.
pub(super) fn in_part<T: fmt::Display>(input: &Input, noted: &Noted<T>) -> String {
    format!("{}: {}", escape::text(part_name(input, noted.place.part).as_bytes()), about(noted))
}

impl Context<'_> {
    /// Say what was not executed, and what that means for the exit status.
    pub(super) fn settle_replay<W>(&self, input: &Input, outcome: &Outcome<'_, W>) -> Result<Exit, Failure> {
        let mut exit = Exit::Clean;
        for skipped in outcome.report.skipped.first.iter().take(SAID) {
            if matches!(skipped.why, careen::replay::Refusal::Memory(_)) {
                return Err(Failure::exhausted(part_name(input, skipped.place.part), &about(skipped)));
            }
            self.complain(&format!("{}; not executed", in_part(input, skipped)), None);
        }
        let more = outcome.report.skipped.total.saturating_sub(SAID as u64);
        if more > 0 {
            self.complain(&format!("{}: {more} more commands not executed", input.name), None);
        }
        if outcome.report.skipped.total > 0 {
            exit = Exit::Findings;
        }
        for remark in outcome.report.remarks.first.iter().take(SAID).filter(|_| self.global.verbose > 0) {
            self.complain(&in_part(input, remark), None);
        }
        if let Some(damage) = &outcome.damage {
            let name = input.parts.get(damage.part).map_or("", |part| part.name.as_str());
            if damage.error.is_exhausted() {
                return Err(Failure::exhausted(name, &damage.error.to_string()));
            }
            let follows = if damage.ends { "; what follows was not executed" } else { "" };
            self.complain(
                &format!("{name}: {}{follows}", damage.error),
                Some("`careen repair` keeps what is intact behind the damage, too"),
            );
            exit = Exit::Findings;
        }
        Ok(exit)
    }
}

/// How many of a kind are said on standard error.
pub(super) const SAID: usize = 20;

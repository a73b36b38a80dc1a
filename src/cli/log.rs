//! `log`: what happened, in order?

use super::Exit;
use super::args::{InputArg, Time, bytes};
use super::context::Context;
use super::failure::Failure;
use super::output::OutputArg;
use super::render::escape;
use careen::input::{Input, Kind};
use careen::inspect::log::{self, Event};
use careen::select::glob::Glob;
use careen::value::json;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};

/// The log as a history: one line per command, with offset, time, database and the keys it touches
///
/// With --key, every command that touched a key, and those that touch all keys (FLUSHALL, FLUSHDB, SWAPDB).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen log appendonlydir --key user:42
  careen log appendonly.aof --since 2026-11-24T03:00:00Z --format jsonl
  careen log appendonlydir --limit 20

Exit status:
  0  done
  1  the log is damaged; standard error says where
  2  not done")]
pub(super) struct Log {
    #[command(flatten)]
    input: InputArg,
    /// Only commands that touch a key with such a name; may be repeated
    #[arg(long, value_name = "GLOB")]
    key: Vec<OsString>,
    /// Only what an annotation dates at or after this
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Only what an annotation dates at or before this
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// Only commands on this database; may be repeated
    #[arg(long, value_name = "N")]
    db: Vec<u32>,
    /// At most N commands
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// text or jsonl
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: LogFormat,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LogFormat {
    Text,
    Jsonl,
}

impl Log {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let input = cx.open_sound(&self.input.input)?;
        let globs: Vec<Glob> = self.key.iter().map(|glob| Glob::new(&bytes(glob))).collect();
        let wanted = |event: &Event<'_, '_>| self.wants(&globs, event);
        let render = match self.format {
            LogFormat::Text => text,
            LogFormat::Jsonl => with_keys,
        };
        history(cx, &input, &self.output, self.limit, wanted, render)
    }

    fn wants(&self, globs: &[Glob], event: &Event<'_, '_>) -> bool {
        let at = event.time.map(|seconds| seconds.saturating_mul(1000));
        (self.db.is_empty() || self.db.contains(&event.db.0))
            && self.since.is_none_or(|since| at.is_some_and(|at| at >= since.0.0))
            && self.until.is_none_or(|until| at.is_none_or(|at| at <= until.0.0))
            && (globs.is_empty()
                || event.touches_everything()
                || event.keys().iter().any(|key| globs.iter().any(|glob| glob.matches(key))))
    }
}

/// Write the commands of an input that are wanted.
pub(super) fn history(
    cx: &Context<'_>,
    input: &Input,
    output: &OutputArg,
    limit: Option<u64>,
    wanted: impl Fn(&Event<'_, '_>) -> bool,
    render: fn(&Input, &Event<'_, '_>, &mut Vec<u8>),
) -> Result<Exit, Failure> {
    if !input.parts.iter().any(log::has_log) && input.kind == Kind::Rdb {
        let line = format!("{}: an RDB file has no log of commands", escape::text(input.name.as_bytes()));
        return Err(Failure::new(line).hint("`careen export --format resp` writes commands that rebuild it"));
    }
    let mut output = output.open(cx, input)?;
    let mut left = limit.unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let mut bar = cx.progress(input.bytes(), true);
    let mut out = BufWriter::with_capacity(1 << 16, &mut output);
    let see = |event: &Event<'_, '_>| -> io::Result<bool> {
        if left > 0 && wanted(event) {
            left = left.saturating_sub(1);
            line.clear();
            render(input, event, &mut line);
            line.push(b'\n');
            out.write_all(&line)?;
        }
        Ok(left > 0)
    };
    let damages = log::events(input, see, &mut |done| bar.reached(done));
    let flushed = damages.and_then(|damages| out.flush().map(|()| damages));
    drop(out);
    drop(bar);
    let damages = flushed.map_err(|error| output.failure(&error))?;
    output.finish()?;
    for damage in &damages {
        let name = input.parts.get(damage.part).map_or("", |part| part.name.as_str());
        cx.complain(&format!("{}: {}", escape::text(name.as_bytes()), damage.error), Some("`careen check` tells more"));
    }
    Ok(if damages.is_empty() { Exit::Clean } else { Exit::Findings })
}

/// Offset, time, database and the command, for a person.
fn text(input: &Input, event: &Event<'_, '_>, out: &mut Vec<u8>) {
    if let Some(part) = input.parts.get(event.part).filter(|_| input.parts.len() > 1) {
        out.extend_from_slice(escape::text(part.name.as_bytes()).as_bytes());
        out.push(b'\t');
    }
    json::integer(event.offset, out);
    out.push(b'\t');
    match event.time.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) {
        Some(time) => out.extend_from_slice(time.to_string().as_bytes()),
        None => out.push(b'-'),
    }
    out.extend_from_slice(b"\tdb");
    json::integer(event.db.0, out);
    if let Some(transaction) = event.transaction {
        out.extend_from_slice(b"\ttx");
        json::integer(transaction, out);
    }
    for (index, word) in event.argv.iter().enumerate() {
        out.push(if index == 0 { b'\t' } else { b' ' });
        out.extend_from_slice(escape::text(word).as_bytes());
    }
}

/// The object of `export --commands`.
pub(super) fn jsonl(input: &Input, event: &Event<'_, '_>, out: &mut Vec<u8>) {
    let file = input.parts.get(event.part).map_or("", |part| part.name.as_str());
    out.extend_from_slice(b"{\"file\":");
    json::bytes(file.as_bytes(), out);
    out.extend_from_slice(b",\"offset\":");
    json::integer(event.offset, out);
    out.extend_from_slice(b",\"time\":");
    json::optional(event.time, out);
    out.extend_from_slice(b",\"db\":");
    json::integer(event.db.0, out);
    out.extend_from_slice(b",\"tx\":");
    json::optional(event.transaction, out);
    out.extend_from_slice(b",\"argv\":");
    words(event.argv, out);
    out.push(b'}');
}

/// The same with the keys.
fn with_keys(input: &Input, event: &Event<'_, '_>, out: &mut Vec<u8>) {
    jsonl(input, event, out);
    out.pop();
    out.extend_from_slice(b",\"keys\":");
    words(&event.keys(), out);
    out.push(b'}');
}

fn words(words: &[&[u8]], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::bytes(word, out);
    }
    out.push(b']');
}

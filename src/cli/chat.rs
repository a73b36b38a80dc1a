//! `chat`: the keyspace of a chat service.

mod generate;
mod history;
mod online;
mod timeline;
mod verify;

use super::Exit;
use super::args::InputArg;
use super::context::Context;
use super::failure::Failure;
use super::render::escape;
use careen::chat::{self, Rebuilt, Schema};
use careen::finding::Severity;
use careen::input::{Input, Kind};
use careen::keyspace::Like;
use careen::replay::whole;
use careen::value::UnixMillis;
use std::path::{Path, PathBuf};

/// The keyspace of a chat service: is anything missing, who said what to whom, who was online
///
/// Set online_users, sorted set user_status (1 online, 0 offline), lists chat_history:{user_id} with one message per
/// element: a JSON object with sender, recipient, body and time, or plain text. Other names by --schema.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen chat verify appendonlydir
  careen chat verify dump.rdb --against appendonlydir
  careen chat history appendonlydir 42 --with 77
  careen chat online appendonlydir --at 2026-11-24T21:04:00Z
  careen chat timeline appendonlydir
  careen chat generate -o demo --to aof-dir --users 1000 --messages 50000 --seed 1")]
pub(super) struct Chat {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(verify::Verify),
    History(history::History),
    Online(online::Online),
    Timeline(timeline::Timeline),
    Generate(generate::Generate),
}

impl Chat {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        match &self.command {
            Command::Verify(command) => command.run(cx),
            Command::History(command) => command.run(cx),
            Command::Online(command) => command.run(cx),
            Command::Timeline(command) => command.run(cx),
            Command::Generate(command) => command.run(cx),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What is read, and how.
#[derive(Debug, clap::Args)]
struct Service {
    #[command(flatten)]
    input: InputArg,
    /// Names and rules of the service
    #[arg(long, value_name = "FILE.toml")]
    schema: Option<PathBuf>,
    /// Behave like this server (redis-7.0, valkey-8.1) where they differ
    #[arg(long, value_name = "SERVER")]
    like: Option<Like>,
    /// Go on where a command of the log cannot be executed
    #[arg(long)]
    lossy: bool,
}

impl Service {
    fn schema(&self) -> Result<Schema, Failure> {
        let Some(path) = &self.schema else { return Ok(Schema::default()) };
        let name = escape::path(path);
        let text = std::fs::read_to_string(path).map_err(|error| Failure::new(format!("{name}: read: {error}")))?;
        Schema::parse(&text).map_err(|error| {
            Failure::new(format!("{name}: {error}")).hint("`careen chat verify --help` shows a schema file")
        })
    }

    fn open(&self, cx: &Context<'_>) -> Result<(Input, Exit), Failure> {
        open(cx, &self.input.input)
    }

    /// Replay an input for the service.
    fn rebuild<'s, 'a>(
        &self,
        cx: &Context<'_>,
        input: &'a Input,
        schema: &'s Schema,
        at: Option<UnixMillis>,
    ) -> Result<(Rebuilt<'s, 'a>, Exit), Failure> {
        let options = whole::Options { like: self.like, budget: cx.budget.clone(), ..whole::Options::default() };
        let mut bar = cx.progress(input.bytes(), false);
        let rebuilt = chat::rebuild(input, schema, &options, at, &mut |done| bar.reached(done))?;
        drop(bar);
        let exit = cx.settle_replay(input, &rebuilt)?;
        if rebuilt.report.lost > 0 && !self.lossy {
            let line = format!("{}: some commands could not be executed", escape::text(input.name.as_bytes()));
            return Err(Failure::new(line).hint("--lossy answers without them"));
        }
        Ok((rebuilt, exit))
    }
}

/// Open an input. What is wrong with it is said, and what can be read is used.
fn open(cx: &Context<'_>, path: &Path) -> Result<(Input, Exit), Failure> {
    let input = cx.open(path)?;
    if matches!(input.kind, Kind::Unknown) {
        input.require_sound()?;
    }
    let mut exit = Exit::Clean;
    for finding in input.findings.iter().filter(|finding| finding.severity == Severity::Error) {
        let line = format!("{}: at offset {}: {}; the rest is used", finding.file, finding.offset, finding.message);
        cx.complain(&escape::text(line.as_bytes()), None);
        exit = Exit::Findings;
    }
    Ok((input, exit))
}

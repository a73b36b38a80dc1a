//! The door: arguments in, library calls, text out.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`args`] | options that several commands share |
//! | [`context`] | what a running command works with: inputs, budget, output |
//! | [`failure`] | why a command was not done, and how that is said |
//! | `interrupt` | what is cleared up when a signal ends the process |
//! | [`progress`] | the bar |
//! | [`render`] | values, findings and tables for a person or as JSON |
//! | [`dropin`] | the tools that careen stands in for when it is called by their names |
//! | all others | one command each |

mod args;
mod chat;
mod check;
mod compact;
mod completions;
mod context;
mod convert;
mod corpus;
mod diff;
mod dropin;
mod export;
mod failure;
mod get;
mod info;
#[cfg(unix)]
mod interrupt;
mod keys;
mod log;
mod man;
mod output;
mod progress;
mod render;
mod repair;
mod replay;

use clap::Parser;
use context::Context;
use failure::Failure;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a command ended that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// Nothing is wrong with the data.
    Clean,
    /// The data has a problem.
    Findings,
}

/// The status of a command that was not done.
const NOT_DONE: u8 = 2;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Clean => Self::SUCCESS,
            Exit::Findings => Self::from(1),
        }
    }
}

/// Open, check, repair, compact, convert, replay and explain the persistence files (RDB, AOF) of Redis-family databases.
#[derive(Debug, Parser)]
#[command(
    name = "careen",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  careen check dump.rdb                     is it sound?
  careen info appendonlydir                 what is in it?
  careen export dump.rdb | jq .key          every key as JSON
  careen keys dump.rdb --key 'user:*'       names, types, sizes

Exit status:
  0  done, and nothing wrong with the data
  1  done, and the data has a problem
  2  not done"
)]
struct Cli {
    #[command(flatten)]
    global: args::GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Check),
    Info(info::Info),
    Keys(keys::Keys),
    Get(get::Get),
    Export(export::Export),
    Replay(replay::Replay),
    Log(log::Log),
    Diff(diff::Diff),
    Compact(compact::Compact),
    Convert(convert::Convert),
    Repair(repair::Repair),
    Chat(chat::Chat),
    Corpus(corpus::Corpus),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    fn run(&self, cx: &mut Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Check(command) => command.run(cx),
            Self::Info(command) => command.run(cx),
            Self::Keys(command) => command.run(cx),
            Self::Get(command) => command.run(cx),
            Self::Export(command) => command.run(cx),
            Self::Replay(command) => command.run(cx),
            Self::Log(command) => command.run(cx),
            Self::Diff(command) => command.run(cx),
            Self::Compact(command) => command.run(cx),
            Self::Convert(command) => command.run(cx),
            Self::Repair(command) => command.run(cx),
            Self::Chat(command) => command.run(cx),
            Self::Corpus(command) => command.run(cx),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
        }
    }
}

/// Do what the arguments say. This is the only place where errors become a status.
pub(crate) fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    if let Some(tool) = args.first().and_then(|name| dropin::Tool::named(name)) {
        return tool.run(args.get(1..).unwrap_or_default());
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output with status 0, all else to standard error.
            let printed = error.print().and_then(|()| io::stdout().flush()).map_err(Failure::from);
            let is_shown = !matches!(printed, Err(Failure::Refused { .. }));
            return if is_shown && !error.use_stderr() { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) };
        }
    };
    #[cfg(unix)]
    interrupt::watch();
    let mut cx = Context::new(&cli.global);
    match cli.command.run(&mut cx) {
        Ok(exit) => exit.into(),
        Err(failure) => match failure.into_line() {
            Some((line, hint)) => {
                cx.complain(&line, hint.as_deref());
                ExitCode::from(NOT_DONE)
            }
            None => ExitCode::SUCCESS,
        },
    }
}

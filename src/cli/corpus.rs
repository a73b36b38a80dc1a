//! `corpus`: files for fuzzers and from them.

mod fix;
mod minimize;
mod run;
mod seed;

use super::Exit;
use super::context::Context;
use super::failure::Failure;
use super::render::escape;
use careen::corpus::child::Limits;
use careen::corpus::worker;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Fuzzing corpora: judge them in bounded children, seed them, minimize them, mend mutated files
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen corpus seed -o seeds
  careen corpus run crashes/ --format json
  careen corpus minimize crashes/ -o unique
  careen corpus minimize crash-1 --signature 'crash@src/rdb/reader.rs:12' -o small
  careen corpus fix mutated.rdb -o sound.rdb

Exit status:
  0  done
  1  run: a file crashed its reader, took too long, or asked for too much memory
  2  not done")]
pub(super) struct Corpus {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Run(run::Run),
    Seed(seed::Seed),
    Minimize(minimize::Minimize),
    Fix(fix::Fix),
    /// Judge the files that are named on standard input
    #[command(hide = true)]
    Worker {
        /// What decoding may take, in bytes
        #[arg(value_name = "BYTES")]
        memory: u64,
    },
}

impl Corpus {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        match &self.command {
            Command::Run(command) => command.run(cx),
            Command::Seed(command) => command.run(cx),
            Command::Minimize(command) => command.run(cx),
            Command::Fix(command) => command.run(cx),
            Command::Worker { memory } => {
                worker::serve(io::stdin().lock(), io::stdout().lock(), *memory)?;
                Ok(Exit::Clean)
            }
        }
    }
}

/// What a file may cost.
#[derive(Debug, Clone, clap::Args)]
struct Bounds {
    /// How long a file may keep its reader busy, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// The address space of a child where --max-memory does not say.
const MEMORY: u64 = 1 << 30;
/// What a program takes before it reads anything: its own pages and those of its threads' stacks.
const PROGRAM: u64 = 256 << 20;

impl Bounds {
    fn limits(&self, cx: &Context<'_>) -> Result<Limits, Failure> {
        let program = std::env::current_exe().map_err(|error| Failure::new(format!("careen: {error}")))?;
        // What decoding may take stays below what the process may have: then it is refused, and nothing dies of it.
        let decoding = cx.global.max_memory.map_or(MEMORY / 2, |size| size.0);
        let memory = cx.global.max_memory.map_or(MEMORY, |size| size.0.saturating_mul(2).saturating_add(PROGRAM));
        let arguments = ["corpus".into(), "worker".into(), decoding.to_string().into()];
        Ok(Limits { program, arguments: arguments.into(), timeout: Duration::from_secs(self.timeout), memory })
    }
}

impl Context<'_> {
    /// How many children work at a time.
    fn children(&self) -> usize {
        self.scan_options().threads
    }
}

/// Files of a folder, or the failure that it cannot be read.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    careen::corpus::pool::files(folder).map_err(|error| Failure::new(format!("{}: {error}", escape::path(folder))))
}

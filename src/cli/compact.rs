//! `compact`: the smallest equivalent persistence.

use super::Exit;
use super::args::{InputArg, ReplayArgs, Time, WriteArgs};
use super::context::Context;
use super::failure::Failure;
use careen::convert::Options;

/// Rewrite a log, or a snapshot and its log, into the least that gives the same data
///
/// What BGREWRITEAOF does, without a server: values that no command touched are copied as they stand.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen compact appendonlydir -o compacted
  careen compact appendonly.aof -o dump.rdb --to rdb
  careen compact appendonlydir --in-place                        keeps appendonlydir.bak
  careen compact appendonlydir -o before --before 'FLUSHALL*'    the moment before it

Exit status:
  0  done, nothing lost
  1  done, but something was left out with --lossy, a transaction is never executed, or --verify found damage
  2  not done")]
pub(super) struct Compact {
    #[command(flatten)]
    input: InputArg,
    #[command(flatten)]
    write: WriteArgs,
    #[command(flatten)]
    replay: ReplayArgs,
    /// The present, for --drop-expired and for commands with a relative time
    #[arg(long, value_name = "TIME")]
    as_of: Option<Time>,
    /// Leave out keys that have expired as of --as-of
    #[arg(long)]
    drop_expired: bool,
}

impl Compact {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let inputs = [cx.open_sound(&self.input.input)?];
        let [input] = &inputs;
        let replay = self.replay.options(cx, self.as_of);
        let drop_expired = self.drop_expired.then_some(replay.now);
        let options = Options { drop_expired, ..self.write.options(cx, input) };
        self.write.write(cx, &inputs, &options, &replay)
    }
}

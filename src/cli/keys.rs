//! `keys`: which keys are in it?

use super::Exit;
use super::args::{InputArg, ReplayArgs, SelectArgs};
use super::context::Context;
use super::export::{Images, RowFormat, each_key};
use super::failure::Failure;
use super::output::OutputArg;

/// One line per key: db, type, encoding, length, bytes, ttl, key
///
/// Length counts elements, bytes of a string; bytes are those of the record in the file; ttl is the time of expiry.
/// In text the columns are separated by tabs, and the key is last and escaped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen keys dump.rdb
  careen keys dump.rdb --key 'chat:*' --type list --min-bytes 1000000
  careen keys dump.rdb --format csv -o keys.csv
  careen keys dump.rdb | sort -t $'\\t' -k5,5nr | head      # the biggest

Exit status:
  0  done
  1  done, but something is damaged; standard error says what
  2  not done")]
pub(super) struct Keys {
    #[command(flatten)]
    input: InputArg,
    /// text, jsonl or csv
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: KeysFormat,
    #[command(flatten)]
    replay: ReplayArgs,
    #[command(flatten)]
    output: OutputArg,
    #[command(flatten)]
    select: SelectArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum KeysFormat {
    Text,
    Jsonl,
    Csv,
}

impl Keys {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let format = match self.format {
            KeysFormat::Text => RowFormat::Text,
            KeysFormat::Jsonl => RowFormat::Jsonl,
            KeysFormat::Csv => RowFormat::Csv,
        };
        let input = cx.open_sound(&self.input.input)?;
        let images =
            Images { input: &input, selection: self.select.selection(), output: self.output.open(cx, &input)? };
        Ok(each_key(cx, images, &self.replay.options(cx, self.select.as_of()), &format)?.0)
    }
}

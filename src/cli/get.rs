//! `get`: one key's value.

use super::Exit;
use super::args::{InputArg, ReplayArgs, bytes};
use super::context::Context;
use super::export::{Images, Rendering, Values, each_key};
use super::failure::Failure;
use super::output::OutputArg;
use super::render::escape;
use super::render::value::{Person, Raw};
use careen::export::jsonl::Jsonl;
use careen::select::Selection;
use careen::select::glob::Glob;
use careen::value::{DbIndex, Kind};
use std::ffi::OsString;

/// One key's value
///
/// Of several databases that have the key, the first is shown unless --db says which.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen get dump.rdb chat_history:42
  careen get dump.rdb user:7 --db 3 --format jsonl | jq .value
  careen get dump.rdb picture --raw > picture.png

Exit status:
  0  done
  1  there is no such key, or its value is damaged
  2  not done")]
pub(super) struct Get {
    #[command(flatten)]
    input: InputArg,
    /// The key
    #[arg(value_name = "KEY")]
    key: OsString,
    /// In this database
    #[arg(long, value_name = "N")]
    db: Option<u32>,
    /// text for a person, or jsonl, the line of export
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: GetFormat,
    /// The bytes of a string and nothing else
    #[arg(long, conflicts_with = "format")]
    raw: bool,
    #[command(flatten)]
    replay: ReplayArgs,
    #[command(flatten)]
    output: OutputArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum GetFormat {
    Text,
    Jsonl,
}

impl Get {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        if self.raw {
            self.show(cx, &Values(|_| Raw), true)
        } else if self.format == GetFormat::Jsonl {
            self.show(cx, &Values(|_| Jsonl::default()), false)
        } else {
            self.show(cx, &Values(|_| Person::default()), false)
        }
    }

    fn show<R: Rendering>(&self, cx: &Context<'_>, rendering: &R, string_only: bool) -> Result<Exit, Failure> {
        let input = cx.open_sound(&self.input.input)?;
        let selection = Selection {
            dbs: self.db.map(DbIndex).into_iter().collect(),
            keys: vec![Glob::literal(&bytes(&self.key))],
            kinds: string_only.then_some(Kind::String).into_iter().collect(),
            limit: Some(1),
            ..Selection::default()
        };
        let images = Images { input: &input, selection, output: self.output.open(cx, &input)? };
        let (exit, keys) = each_key(cx, images, &self.replay.options(cx, None), rendering)?;
        if keys == 0 && exit == Exit::Clean {
            let what = if string_only { "no string with the key" } else { "no key" };
            let name = escape::text(input.name.as_bytes());
            cx.complain(&format!("{name}: {what} \"{}\"", escape::text(&bytes(&self.key))), None);
            return Ok(Exit::Findings);
        }
        Ok(exit)
    }
}

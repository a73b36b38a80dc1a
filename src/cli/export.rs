//! `export`: every key in a format.

use super::Exit;
use super::args::{InputArg, ReplayArgs, SelectArgs};
use super::context::Context;
use super::failure::Failure;
use super::log;
use super::output::{Output, OutputArg};
use super::render::{escape, row};
use careen::bytes::Budget;
use careen::export::jsonl::{Json, Jsonl};
use careen::export::resp::Resp;
use careen::export::{self, Format, Unseparated, csv};
use careen::input::{Content, Input, Kind, Part};
use careen::inspect;
use careen::inspect::entries::Written;
use careen::rdb;
use careen::replay::whole::{self, Outcome};
use careen::scan::{self, Delivery};
use careen::select::Selection;
use std::io::{self, Write};

/// Every key, in a format
///
/// jsonl is an object per key and line, json one array of them, csv a table without values, keys the names alone,
/// resp the commands that rebuild the data on any server. Values stream: no key is too large.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen export dump.rdb | jq -r 'select(.type == \"list\") | .key'
  careen export dump.rdb --key 'chat:*' -o chats.jsonl
  careen export dump.rdb --format resp | redis-cli --pipe
  careen export dump.rdb --format csv | sort -t, -k5,5nr

Exit status:
  0  done
  1  done, but something is damaged; what is intact was written, standard error says what was not
  2  not done")]
pub(super) struct Export {
    #[command(flatten)]
    input: InputArg,
    /// jsonl, json, csv, keys or resp
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", hide_possible_values = true)]
    format: ExportFormat,
    #[command(flatten)]
    output: OutputArg,
    /// Not the keys but the commands of a log, as JSON Lines
    #[arg(long, conflicts_with = "format")]
    commands: bool,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    replay: ReplayArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ExportFormat {
    Jsonl,
    Json,
    Csv,
    Keys,
    Resp,
}

impl Export {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let input = cx.open_sound(&self.input.input)?;
        if self.commands {
            return log::history(cx, &input, &self.output, self.select.limit(), |_| true, log::jsonl);
        }
        let replay = self.replay.options(cx, self.select.as_of());
        let images =
            Images { input: &input, selection: self.select.selection(), output: self.output.open(cx, &input)? };
        let (exit, _) = match self.format {
            ExportFormat::Jsonl => each_key(cx, images, &replay, &Values(|_| Jsonl::default())),
            ExportFormat::Json => each_key(cx, images, &replay, &Values(|_| Json::default())),
            ExportFormat::Resp => each_key(cx, images, &replay, &Values(Resp::new)),
            ExportFormat::Csv => each_key(cx, images, &replay, &RowFormat::Csv),
            ExportFormat::Keys => each_key(cx, images, &replay, &RowFormat::Names),
        }?;
        Ok(exit)
    }
}

/// Images to write, and where.
pub(super) struct Images<'i> {
    pub(super) input: &'i Input,
    pub(super) selection: Selection,
    pub(super) output: Output,
}

/// What stands around and between keys, and how the keys of an image are written.
pub(super) trait Rendering {
    const SEPARATOR: usize;
    const CLOSING: &'static [u8];

    /// Stands before everything.
    fn opening(&self) -> &'static [u8];

    /// The keys that commands, or a snapshot and the commands behind it, amount to.
    fn keyspace(
        &self,
        outcome: &mut Outcome<'_>,
        selection: &Selection,
        budget: &Budget,
        out: &mut dyn Write,
    ) -> io::Result<Written>;

    fn image(
        &self,
        part: &Part,
        options: &scan::Options,
        selection: &Selection,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<Delivery>;
}

/// Whole values, in the format made for an RDB version.
pub(super) struct Values<M>(pub(super) M);

impl<F: Format, M: Fn(u32) -> F> Rendering for Values<M> {
    const SEPARATOR: usize = F::SEPARATOR;
    const CLOSING: &'static [u8] = F::CLOSING;

    fn opening(&self) -> &'static [u8] {
        F::OPENING
    }

    fn keyspace(
        &self,
        outcome: &mut Outcome<'_>,
        selection: &Selection,
        budget: &Budget,
        out: &mut dyn Write,
    ) -> io::Result<Written> {
        export::keyspace::keyspace(&mut (self.0)(REBUILT), &mut outcome.keyspace, selection, budget, out)
    }

    fn image(
        &self,
        part: &Part,
        options: &scan::Options,
        selection: &Selection,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<Delivery> {
        let bytes = part.bytes();
        let version = rdb::Reader::new(bytes).map_or(0, |reader| reader.version());
        export::image(&(self.0)(version), bytes, 0..bytes.len() as u64, options, selection, out, progress)
    }
}

/// A line per key.
pub(super) enum RowFormat {
    Text,
    Jsonl,
    Csv,
    Names,
}

impl Rendering for RowFormat {
    const SEPARATOR: usize = 0;
    const CLOSING: &'static [u8] = b"";

    fn opening(&self) -> &'static [u8] {
        match self {
            Self::Csv => csv::HEADER,
            _ => b"",
        }
    }

    fn keyspace(
        &self,
        outcome: &mut Outcome<'_>,
        selection: &Selection,
        budget: &Budget,
        out: &mut dyn Write,
    ) -> io::Result<Written> {
        match self {
            Self::Text => inspect::keys::keyspace(&row::text, &mut outcome.keyspace, selection, budget, out),
            Self::Jsonl => inspect::keys::keyspace(&row::jsonl, &mut outcome.keyspace, selection, budget, out),
            Self::Csv => inspect::keys::keyspace(&csv::row, &mut outcome.keyspace, selection, budget, out),
            Self::Names => inspect::keys::keyspace(&row::name, &mut outcome.keyspace, selection, budget, out),
        }
    }

    fn image(
        &self,
        part: &Part,
        options: &scan::Options,
        selection: &Selection,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<Delivery> {
        let (bytes, range) = (part.bytes(), 0..part.bytes().len() as u64);
        match self {
            Self::Text => inspect::keys::image(&row::text, bytes, range, options, selection, out, progress),
            Self::Jsonl => inspect::keys::image(&row::jsonl, bytes, range, options, selection, out, progress),
            Self::Csv => inspect::keys::image(&csv::row, bytes, range, options, selection, out, progress),
            Self::Names => inspect::keys::image(&row::name, bytes, range, options, selection, out, progress),
        }
    }
}

/// The RDB version that formats are made for when there is no image: one that has everything.
const REBUILT: u32 = 12;

/// Write the keys of an input: those of its images as they stand there, those of logs after a replay. Gives their
/// number, too.
pub(super) fn each_key<R: Rendering>(
    cx: &Context<'_>,
    images: Images<'_>,
    replay: &whole::Options,
    rendering: &R,
) -> Result<(Exit, u64), Failure> {
    let is_image = |part: &Part| matches!(part.content, Content::Rdb | Content::DragonflySummary);
    if images.input.parts.iter().all(is_image) && images.input.kind != Kind::AofDir {
        return each_image(cx, images, rendering);
    }
    let Images { input, selection, mut output } = images;
    let mut bar = cx.progress(input.bytes(), true);
    let mut outcome = whole::replay(input, replay, (), &mut |done| bar.reached(done))?;
    drop(bar);
    let mut exit = cx.settle_replay(input, &outcome)?;
    output.write_all(rendering.opening()).map_err(|error| output.failure(&error))?;
    let mut body = Unseparated::new(&mut output, R::SEPARATOR);
    let written = rendering.keyspace(&mut outcome, &selection, &cx.budget, &mut body);
    let written = written.map_err(|error| output.failure(&error))?;
    output.write_all(R::CLOSING).map_err(|error| output.failure(&error))?;
    output.finish()?;
    for (db, key, error) in &written.problems {
        if error.is_exhausted() {
            return Err(Failure::exhausted(&escape::text(input.name.as_bytes()), &error.to_string()));
        }
        let key = escape::text(key);
        cx.complain(&format!("{}: {error} (key \"{key}\"), db {}; left out", input.name, db.0), error.hint());
        exit = Exit::Findings;
    }
    Ok((exit, written.keys))
}

/// Write the keys of every image of an input. Gives their number, too.
fn each_image<R: Rendering>(cx: &Context<'_>, images: Images<'_>, rendering: &R) -> Result<(Exit, u64), Failure> {
    let Images { input, mut selection, mut output } = images;
    let options = cx.scan_options();
    let mut bar = cx.progress(input.bytes(), true);
    let (mut exit, mut keys, mut before) = (Exit::Clean, 0u64, 0u64);
    output.write_all(rendering.opening()).map_err(|error| output.failure(&error))?;
    let mut body = Unseparated::new(&mut output, R::SEPARATOR);
    for part in &input.parts {
        let mut trail = part.source.trail();
        let mut progress = |offset| {
            trail.reached(offset);
            bar.reached(before.saturating_add(offset));
        };
        let delivery = rendering.image(part, &options, &selection, &mut body, &mut progress);
        let delivery = delivery.map_err(|error| body.get_ref().failure(&error))?;
        exit = exit.max(cx.settle(part, &delivery)?);
        keys = keys.saturating_add(delivery.keys);
        selection.limit = selection.limit.map(|limit| limit.saturating_sub(delivery.keys));
        if delivery.is_limited {
            break;
        }
        before = before.saturating_add(part.bytes().len() as u64);
    }
    output.write_all(R::CLOSING).map_err(|error| output.failure(&error))?;
    drop(bar);
    output.finish()?;
    Ok((exit, keys))
}

//! `diff`: what differs between two inputs?

use super::Exit;
use super::args::SelectArgs;
use super::context::Context;
use super::failure::Failure;
use super::render::text::Paint;
use super::render::{diff as render, escape};
use careen::input::Input;
use careen::inspect::diff::prefixes::Prefixes;
use careen::inspect::diff::{self, Difference, Loaded, Options, Subject, Totals, Which, json};
use careen::keyspace::Like;
use careen::replay::whole;
use careen::select::{Candidate, Selection};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Keys added, removed, changed between two inputs of any kind
///
/// Inputs are compared by meaning: encodings and the order of sets and hashes do not matter, so a dump can be compared
/// with a log, or with a dump of another version. What changed inside a value is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen diff yesterday.rdb today.rdb
  careen diff dump.rdb appendonlydir --format json | jq -r .key
  careen diff a.rdb b.rdb --by-prefix
  careen diff a.rdb b.rdb --key 'user:*' --values

Exit status:
  0  no difference
  1  the inputs differ, or one of them is damaged, or a command of a log could not be executed
  2  not done")]
pub(super) struct Diff {
    /// The first input
    #[arg(value_name = "A")]
    a: PathBuf,
    /// The second input
    #[arg(value_name = "B")]
    b: PathBuf,
    /// text or json, an object per line
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: DiffFormat,
    /// Show whole values, and all that changed inside one
    #[arg(long)]
    values: bool,
    /// Only count, for each prefix of the keys up to the first colon
    #[arg(long, conflicts_with = "values")]
    by_prefix: bool,
    /// Execute the commands of a log as this server does: redis-7.0, valkey-8.1 [default: what wrote it]
    #[arg(long, value_name = "SERVER", value_parser = like)]
    like: Option<Like>,
    #[command(flatten)]
    select: SelectArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum DiffFormat {
    Text,
    Json,
}

fn like(text: &str) -> Result<Like, &'static str> {
    text.parse().map_err(|_| "expected a server and its version, such as redis-7.0")
}

/// Differences within one value that are listed without `--values`.
const MAX_INSIDE: usize = 10;

impl Diff {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let stdin = Path::new("-");
        if self.a == stdin && self.b == stdin {
            return Err(Failure::new("-: standard input can be one of the two inputs, not both"));
        }
        let (a, b) = (cx.open_sound(&self.a)?, cx.open_sound(&self.b)?);
        let (of_a, of_b) = (self.load(&a, cx)?, self.load(&b, cx)?);
        let settled = settle(cx, &a, &of_a)?.max(settle(cx, &b, &of_b)?);
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let totals = self.compare(&of_a, &of_b, cx, &mut out).map_err(|error| failure(&a, &b, error))?;
        if self.format == DiffFormat::Text {
            out.write_all(render::totals(&totals).as_bytes())?;
        }
        out.flush()?;
        let settled = settled.max(complain(cx, &a, &of_a)).max(complain(cx, &b, &of_b));
        Ok(settled.max(if totals.is_equal() { Exit::Clean } else { Exit::Findings }))
    }

    fn load<'i>(&self, input: &'i Input, cx: &Context<'_>) -> Result<Loaded<'i>, Failure> {
        let options = whole::Options { like: self.like, budget: cx.budget.clone(), ..whole::Options::default() };
        Loaded::open(input, &options).map_err(|error| match error {
            diff::open::Error::Damaged { part, error } => unreadable(&part, error.is_exhausted(), &error.to_string()),
            diff::open::Error::NoSuchPart(error) => error.into(),
        })
    }

    fn compare(
        &self,
        a: &Loaded<'_>,
        b: &Loaded<'_>,
        cx: &Context<'_>,
        out: &mut impl Write,
    ) -> Result<Totals, diff::Error> {
        let selection = self.select.selection();
        let options = Options {
            budget: cx.budget.clone(),
            takes: &|subject| selection.takes(&candidate(subject)),
            max_inside: if self.values {
                usize::MAX
            } else if self.by_prefix {
                0
            } else {
                MAX_INSIDE
            },
            values: self.values,
        };
        let paint = Paint(cx.is_colored());
        let (mut prefixes, mut line, mut shown) = (Prefixes::default(), Vec::new(), 0u64);
        let totals = diff::diff(&*a.side(), &*b.side(), &options, &mut |difference| {
            if self.by_prefix {
                prefixes.count(difference.key, difference.change);
                return Ok(());
            }
            shown = shown.saturating_add(1);
            if is_beyond(&selection, shown) {
                return Ok(());
            }
            line.clear();
            self.write(difference, paint, &mut line);
            out.write_all(&line)
        })?;
        if self.by_prefix {
            match self.format {
                DiffFormat::Json => prefixes.write_json(&mut line),
                DiffFormat::Text => render::prefixes(&prefixes, &mut line),
            }
            out.write_all(&line)?;
        }
        Ok(totals)
    }

    fn write(&self, difference: &Difference<'_>, paint: Paint, out: &mut Vec<u8>) {
        match self.format {
            DiffFormat::Json => json::line(difference, self.values, out),
            DiffFormat::Text => render::text(difference, self.values, paint, out),
        }
    }
}

fn candidate<'k>(subject: &'k Subject<'_>) -> Candidate<'k> {
    let Subject { db, ref key, expiry, .. } = *subject;
    Candidate { db, key, kind: subject.kind(), expiry, bytes: subject.stored_bytes() }
}

fn is_beyond(selection: &Selection, shown: u64) -> bool {
    selection.limit.is_some_and(|limit| shown > limit)
}

/// Say what could not be executed.
fn settle(cx: &Context<'_>, input: &Input, loaded: &Loaded<'_>) -> Result<Exit, Failure> {
    match loaded {
        Loaded::Image(_) => Ok(Exit::Clean),
        Loaded::Rebuilt(outcome) => cx.settle_replay(input, outcome),
    }
}

/// Say what is damaged of an image, though all of it could be read.
fn complain(cx: &Context<'_>, input: &Input, loaded: &Loaded<'_>) -> Exit {
    let Loaded::Image(image) = loaded else { return Exit::Clean };
    let Some(error) = image.flaw() else { return Exit::Clean };
    cx.complain(&format!("{}: {error}", escape::text(input.name.as_bytes())), error.hint());
    Exit::Findings
}

fn failure(a: &Input, b: &Input, error: diff::Error) -> Failure {
    match error {
        diff::Error::Output(error) => error.into(),
        diff::Error::Read(which, error) => {
            let input = if which == Which::A { a } else { b };
            unreadable(&input.name, error.is_exhausted(), &error.to_string())
        }
    }
}

fn unreadable(name: &str, is_exhausted: bool, why: &str) -> Failure {
    let name = escape::text(name.as_bytes());
    if is_exhausted {
        return Failure::exhausted(&name, why);
    }
    Failure::new(format!("{name}: {}", escape::text(why.as_bytes()))).hint("`careen repair` saves what is intact")
}

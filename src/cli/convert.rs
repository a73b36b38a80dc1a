//! `convert`: another kind, another version, other keys.

use super::Exit;
use super::args::{InputArg, SelectArgs, WriteArgs, bytes};
use super::context::Context;
use super::failure::Failure;
use careen::convert::{OnDuplicate, Options, SplitBy};
use careen::keyspace::Like;
use careen::replay::whole;
use careen::value::SLOTS;
use clap::builder::TypedValueParser as _;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// RDB to AOF and back, for another version, filtered, split, merged, made anonymous
///
/// What the target loads as it stands is copied; everything else is written in the richest form that it has. What it
/// cannot hold is an error that names the keys, or left out with --lossy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen convert dump.rdb -o appendonlydir --to aof-dir          a server starts from it
  careen convert dump.rdb -o old.rdb --target redis-6.2
  careen convert dump.rdb -o users.rdb --key 'user:*' --db 0
  careen convert dump.rdb -o shards --split-by slot:3
  careen convert one.rdb -o all.rdb --merge two.rdb three.rdb
  careen convert dump.rdb -o report.rdb --scrub                  fit for a bug report

Exit status:
  0  done, nothing lost
  1  done, but something was left out with --lossy, a transaction is never executed, or --verify found damage
  2  not done")]
pub(super) struct Convert {
    #[command(flatten)]
    input: InputArg,
    #[command(flatten)]
    write: WriteArgs,
    /// One file for each slot (slot:N: for each of N ranges of them), db, or prefix (prefix:SEPARATOR)
    #[arg(long, value_name = "WHAT", value_parser = clap::builder::OsStringValueParser::new().try_map(split_by))]
    split_by: Option<SplitBy>,
    /// Further RDB files that go into the same output
    #[arg(long, value_name = "OTHER", num_args = 1..)]
    merge: Vec<PathBuf>,
    /// Which of several keys of one name stays: error, first, last
    #[arg(long, value_name = "WHICH", default_value = "error", hide_possible_values = true)]
    on_duplicate: Duplicate,
    /// Add to every expiry: 90s, 5m, -2h, 7d, 1500ms
    #[arg(long, value_name = "DURATION", default_value = "0s", allow_hyphen_values = true, value_parser = duration)]
    ttl_shift: i64,
    /// Replace all text by other text of the same shape; types, encodings, lengths and hash tags stay
    #[arg(long)]
    scrub: bool,
    /// Execute logs as this server does (redis-7.0, valkey-8.1)
    #[arg(long, value_name = "SERVER")]
    like: Option<Like>,
    #[command(flatten)]
    select: SelectArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Duplicate {
    Error,
    First,
    Last,
}

fn split_by(text: OsString) -> Result<SplitBy, &'static str> {
    const WRONG: &str = "expected slot, slot:N, db, prefix or prefix:SEPARATOR";
    let ranges = |text: &OsStr| text.to_str().and_then(|n| n.strip_prefix("slot:")?.parse().ok());
    match bytes(&text).as_slice() {
        b"db" => Ok(SplitBy::Db),
        b"slot" => Ok(SplitBy::Slot(SLOTS)),
        b"prefix" => Ok(SplitBy::Prefix(b":".to_vec())),
        other => match (other.strip_prefix(b"prefix:"), ranges(&text)) {
            (Some(separator), _) if !separator.is_empty() => Ok(SplitBy::Prefix(separator.to_vec())),
            (None, Some(n @ 1..=SLOTS)) => Ok(SplitBy::Slot(n)),
            _ => Err(WRONG),
        },
    }
}

/// A number with a unit, in milliseconds.
fn duration(text: &str) -> Result<i64, &'static str> {
    const WRONG: &str = "expected a duration such as 90s, 5m, -2h, 7d or 1500ms";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(WRONG),
    };
    digits.parse::<i64>().ok().and_then(|n| n.checked_mul(unit)).ok_or(WRONG)
}

impl Convert {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let mut inputs = vec![cx.open_sound(&self.input.input)?];
        for other in &self.merge {
            inputs.push(cx.open_sound(other)?);
        }
        let Some(first) = inputs.first() else { return Ok(Exit::Clean) };
        let selection = self.select.selection();
        let replay = whole::Options {
            like: self.like,
            now: selection.as_of,
            budget: cx.budget.clone(),
            ..whole::Options::default()
        };
        let options = Options {
            selection,
            split: self.split_by.clone(),
            on_duplicate: match self.on_duplicate {
                Duplicate::Error => OnDuplicate::Error,
                Duplicate::First => OnDuplicate::First,
                Duplicate::Last => OnDuplicate::Last,
            },
            ttl_shift: self.ttl_shift,
            scrub: self.scrub,
            ..self.write.options(cx, first)
        };
        self.write.write(cx, &inputs, &options, &replay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_signs() {
        assert_eq!(duration("90s"), Ok(90_000));
        assert_eq!(duration("-2h"), Ok(-7_200_000));
        assert_eq!(duration("1500ms"), Ok(1500));
        assert_eq!(duration("7d"), Ok(604_800_000));
        assert!(duration("x").is_err() && duration("1y").is_err() && duration("9223372036854775807d").is_err());
    }

    #[test]
    fn splits_are_named_with_their_argument() {
        let split = |text: &str| split_by(text.into());
        assert_eq!(split("slot"), Ok(SplitBy::Slot(16384)));
        assert_eq!(split("slot:3"), Ok(SplitBy::Slot(3)));
        assert_eq!(split("prefix:/"), Ok(SplitBy::Prefix(b"/".to_vec())));
        assert!(split("slot:0").is_err() && split("prefix:").is_err() && split("key").is_err());
    }
}

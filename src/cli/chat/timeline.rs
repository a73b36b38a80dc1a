//! `chat timeline`: when was it busy?

use super::{Format, Service};
use crate::cli::Exit;
use crate::cli::args::Time;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render::chart;
use crate::cli::render::text::Paint;
use careen::chat::View;
use careen::chat::timeline::{self, timeline};
use serde_json::json;
use std::io::{self, Write};

/// A chart of messages and users online over time
///
/// Messages by the times in them; users online by the log, where the input has one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen chat timeline appendonlydir
  careen chat timeline appendonlydir --since 2026-11-24T18:00:00Z --width 120
  careen chat timeline appendonlydir --format json | jq '.buckets[].messages'

Exit status:
  0  done
  1  the input is damaged
  2  not done")]
pub(super) struct Timeline {
    #[command(flatten)]
    service: Service,
    /// Only what happened at or after this time
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Only what happened at or before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// Columns of the chart [default: those of the terminal, else 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..))]
    width: Option<u16>,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: Format,
}

impl Timeline {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let schema = self.service.schema()?;
        let (input, opened) = self.service.open(cx)?;
        let (rebuilt, replayed) = self.service.rebuild(cx, &input, &schema, None)?;
        let view = View::new(&schema, &rebuilt.keyspace, &rebuilt.watch);
        let columns = self.width.map_or_else(chart::columns, usize::from);
        let room = chart::room(columns);
        let found = timeline(&view, self.since.map(|at| at.0), self.until.map(|at| at.0), room);
        let text = match self.format {
            Format::Text => chart::chart(&found, room, Paint(cx.is_colored())),
            Format::Json => as_json(&found),
        };
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(opened.max(replayed))
    }
}

fn as_json(found: &timeline::Timeline) -> String {
    let bucket = |bucket: &timeline::Bucket| json!({"start_ms": bucket.start.0, "messages": bucket.messages, "online": bucket.online});
    let buckets: Vec<_> = found.buckets.iter().map(bucket).collect();
    let object = json!({"step_ms": found.step, "undated": found.undated, "outside": found.outside, "buckets": buckets});
    format!("{object}\n")
}

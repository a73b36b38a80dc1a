//! `chat history`: what was said.

use super::{Format, Service};
use crate::cli::Exit;
use crate::cli::args::{Time, bytes};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render::escape;
use crate::cli::render::text::{self, BOLD, FAINT, Paint};
use careen::chat::{Fields, Parsed, View};
use careen::value::json;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};

/// The messages of a user, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen chat history appendonlydir 42 --with 77
  careen chat history dump.rdb 42 --since 2026-11-24T21:00:00Z --format json | jq -r .body

Exit status:
  0  done
  1  the user has no history, or the input is damaged
  2  not done")]
pub(super) struct History {
    #[command(flatten)]
    service: Service,
    /// Whose
    #[arg(value_name = "USER")]
    user: OsString,
    /// Only those from or to this user, or to this room
    #[arg(long, value_name = "PEER")]
    with: Option<OsString>,
    /// Only those at or after this time
    #[arg(long, value_name = "TIME")]
    since: Option<Time>,
    /// Only those at or before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Time>,
    /// text, or json: one object per message and line
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: Format,
}

impl History {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let schema = self.service.schema()?;
        let (input, opened) = self.service.open(cx)?;
        let (rebuilt, replayed) = self.service.rebuild(cx, &input, &schema, None)?;
        let view = View::new(&schema, &rebuilt.keyspace, &rebuilt.watch);
        let user = bytes(&self.user);
        let Some(history) = view.history(&user) else {
            cx.complain(&format!("{}: no list {}", input.name, escape::text(&schema.history(&user))), None);
            return Ok(Exit::Findings);
        };
        let peer = self.with.as_deref().map(bytes);
        let paint = Paint(cx.is_colored());
        let mut out = BufWriter::new(io::stdout().lock());
        let (mut line, mut written) = (Vec::new(), Ok(()));
        let read = history.messages(&schema, &mut view.recorder.buffers(), &mut |_, element, parsed| {
            if written.is_ok() && self.wants(&user, peer.as_deref(), parsed) {
                line.clear();
                match self.format {
                    Format::Text => as_text(parsed, element, paint, &mut line),
                    Format::Json => as_json(parsed, element, &mut line),
                }
                line.push(b'\n');
                written = out.write_all(&line);
            }
        });
        written?;
        out.flush()?;
        let Err(error) = read else { return Ok(opened.max(replayed)) };
        cx.complain(&format!("{}: {error}; what follows cannot be read", input.name), error.hint());
        Ok(Exit::Findings)
    }

    fn wants(&self, user: &[u8], peer: Option<&[u8]>, parsed: &Parsed<'_>) -> bool {
        let nothing = Fields::default();
        let fields = parsed.fields().unwrap_or(&nothing);
        let with = |peer: &[u8]| (fields.is_from(peer) && fields.is_to(user)) || fields.is_to(peer);
        peer.is_none_or(with)
            && self.since.is_none_or(|since| fields.time.is_some_and(|time| time >= since.0))
            && self.until.is_none_or(|until| fields.time.is_some_and(|time| time <= until.0))
    }
}

/// Time, who to whom, what. A message without fields as it is.
fn as_text(parsed: &Parsed<'_>, element: &[u8], paint: Paint, out: &mut Vec<u8>) {
    let Some(fields) = parsed.fields() else { return escape::push(element, out) };
    let time = fields.time.map_or_else(|| "-".into(), text::time);
    let name = |name: &Option<_>| paint.paint(BOLD, &escape::text(name.as_deref().unwrap_or("?").as_bytes()));
    let line = format!("{}  {} → {}  ", paint.paint(FAINT, &time), name(&fields.sender), name(&fields.recipient));
    out.extend_from_slice(line.as_bytes());
    escape::push(fields.body.as_deref().unwrap_or_default().as_bytes(), out);
}

fn as_json(parsed: &Parsed<'_>, element: &[u8], out: &mut Vec<u8>) {
    let Some(fields) = parsed.fields() else {
        out.extend_from_slice(b"{\"text\":");
        json::bytes(element, out);
        return out.push(b'}');
    };
    out.extend_from_slice(b"{\"time_ms\":");
    json::optional(fields.time.map(|time| time.0), out);
    for (name, field) in [("sender", &fields.sender), ("recipient", &fields.recipient), ("body", &fields.body)] {
        out.push(b',');
        json::string(name, out);
        out.push(b':');
        match field {
            Some(text) => json::string(text, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
}

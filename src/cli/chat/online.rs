//! `chat online`: who was there?

use super::{Format, Service};
use crate::cli::Exit;
use crate::cli::args::Time;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render::text;
use crate::cli::render::{escape, json};
use careen::chat::online::{Basis, User, online};
use careen::chat::{Schema, View};
use serde_json::json;
use std::io::{self, Write};

/// Users online at a time, or at the end of the input: user, status, time of the last message
///
/// A log is replayed to that time, by its annotations (#TS:), else by the times of the messages in it. Where the
/// input does not reach back, whoever sent a message in the 15 minutes before counts.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen chat online appendonlydir
  careen chat online appendonlydir --at 2026-11-24T21:04:00Z

Exit status:
  0  done
  1  the input is damaged
  2  not done")]
pub(super) struct Online {
    #[command(flatten)]
    service: Service,
    /// When (RFC 3339, Unix seconds or milliseconds)
    #[arg(long, value_name = "TIME")]
    at: Option<Time>,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: Format,
}

impl Online {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let schema = self.service.schema()?;
        let (input, opened) = self.service.open(cx)?;
        let at = self.at.map(|at| at.0);
        let (rebuilt, replayed) = self.service.rebuild(cx, &input, &schema, at)?;
        let view = View::new(&schema, &rebuilt.keyspace, &rebuilt.watch);
        let found = online(&view, at);
        let name = escape::text(input.name.as_bytes());
        match found.basis {
            Basis::Messages => cx.complain(
                &format!("{name}: what it holds begins later; these users sent a message in the 15 minutes before"),
                None,
            ),
            Basis::End if at.is_some() => {
                cx.complain(&format!("{name}: it has no times of logins; this is the state at its end"), None);
            }
            _ => {}
        }
        let text = match self.format {
            Format::Text => found.users.iter().map(|user| line(&schema, user)).collect(),
            Format::Json => {
                let users: Vec<_> = found.users.iter().map(|user| object(&schema, user)).collect();
                let at = at.map(|at| at.0);
                format!("{}\n", json!({"at_ms": at, "basis": found.basis.name(), "users": users}))
            }
        };
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(opened.max(replayed))
    }
}

fn status(schema: &Schema, user: &User) -> Option<String> {
    let score = user.score?;
    Some(schema.state(score).map_or_else(|| score.to_string(), |state| state.name.clone()))
}

fn line(schema: &Schema, user: &User) -> String {
    let status = status(schema, user).unwrap_or_else(|| "-".into());
    let last = user.last_message.map_or_else(|| "-".into(), text::time);
    format!("{}\t{}\t{last}\n", escape::text(&user.user), escape::text(status.as_bytes()))
}

fn object(schema: &Schema, user: &User) -> serde_json::Value {
    json!({
        "user": json::bytes(&user.user),
        "score": user.score,
        "status": status(schema, user),
        "last_message_ms": user.last_message.map(|time| time.0),
    })
}

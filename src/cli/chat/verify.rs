//! `chat verify`: is anything missing or contradictory?

use super::{Format, Service, open};
use crate::cli::Exit;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render::text::{GREEN, Paint, RED, counted};
use crate::cli::render::{escape, finding, json};
use careen::chat::verify::{Report, verify};
use careen::chat::{View, against};
use careen::input::Input;
use serde_json::json;
use std::io::{self, Write};
use std::path::PathBuf;

/// Check the rules of the service: types, presence, messages, both sides, pushes
///
/// A push can only be checked where the input has them: a capture of a replication stream or of MONITOR.
/// With --against, also what one of two sources has and the other lacks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A schema file, all lines with their defaults:
  db = 0
  history_limit = 1000       # histories are trimmed to this length; 0: never
  both_sides = true          # sender and recipient both hold a message
  plain_text = true          # a message may be plain text instead of a JSON object
  [keys]
  online = 'online_users'
  status = 'user_status'
  history = 'chat_history:{user_id}'
  [states]                   # scores by name, as many as the service has
  offline = 0
  online = 1
  present = ['online']       # those whose users are in the set of users online
  [fields]
  sender = 'sender'
  recipient = 'recipient'
  body = 'body'
  time = 'time'
  [channels]
  all = 'chat'
  rooms = ['room:*']

Examples:
  careen chat verify appendonlydir
  careen chat verify dump.rdb --against appendonlydir --format json | jq .findings

Exit status:
  0  every rule holds
  1  some do not, or the input is damaged
  2  not done")]
pub(super) struct Verify {
    #[command(flatten)]
    service: Service,
    /// Compare with another source
    #[arg(long, value_name = "OTHER")]
    against: Option<PathBuf>,
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: Format,
    /// List at most so many findings
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_findings: usize,
}

impl Verify {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let schema = self.service.schema()?;
        let (input, opened) = self.service.open(cx)?;
        let (rebuilt, replayed) = self.service.rebuild(cx, &input, &schema, None)?;
        let view = View::new(&schema, &rebuilt.keyspace, &rebuilt.watch);
        let names: Vec<String> = input.parts.iter().map(|part| part.name.clone()).collect();
        let names = if names.len() == 1 { vec![input.name.clone()] } else { names };
        let mut bar = cx.progress(view.histories.len() as u64, false);
        let mut report = verify(&view, &input.name, &names, self.max_findings, &mut |done| bar.reached(done));
        drop(bar);
        let mut exit = opened.max(replayed);
        if let Some(path) = &self.against {
            let (other, opened) = open(cx, path)?;
            let (there, replayed) = self.service.rebuild(cx, &other, &schema, None)?;
            let there = View::new(&schema, &there.keyspace, &there.watch);
            let room = self.max_findings.saturating_sub(report.findings.len());
            let compared = against::compare(&view, &there, [&input.name, &other.name], room);
            report.findings.extend(compared.findings);
            report.more = report.more.saturating_add(compared.more);
            exit = exit.max(opened).max(replayed);
        }
        if !report.is_clean() {
            exit = Exit::Findings;
        }
        if report.histories == 0 && report.messages == 0 && report.online == 0 {
            let line = format!("{}: no key of the service is in it", escape::text(input.name.as_bytes()));
            cx.complain(&line, Some("other names of keys, or another database: --schema FILE.toml"));
        }
        let paint = Paint(cx.is_colored());
        let text = match self.format {
            Format::Json => as_json(&input, &report, exit),
            Format::Text => as_text(&input, &report, exit, paint),
        };
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(exit)
    }
}

fn as_json(input: &Input, report: &Report, exit: Exit) -> String {
    let object = json!({
        "input": input.name,
        "ok": exit == Exit::Clean,
        "histories": report.histories,
        "messages": report.messages,
        "plain_messages": report.plain,
        "online": report.online,
        "pushes": report.pushes,
        "findings": report.findings.iter().map(json::finding).collect::<Vec<_>>(),
        "more_findings": report.more,
    });
    format!("{object}\n")
}

fn as_text(input: &Input, report: &Report, exit: Exit, paint: Paint) -> String {
    let verdict = match exit {
        Exit::Clean => paint.paint(GREEN, "clean"),
        Exit::Findings => paint.paint(RED, "not clean"),
    };
    let mut facts = vec![
        counted(report.histories, "user"),
        counted(report.messages, "stored message"),
        format!("{} online", report.online),
    ];
    if report.pushes > 0 {
        facts.push(if report.pushes == 1 { "1 push".into() } else { format!("{} pushes", report.pushes) });
    }
    let mut out = format!("{}: {verdict} ({})\n", escape::text(input.name.as_bytes()), facts.join(", "));
    report.findings.iter().for_each(|one| out.push_str(&finding::text(one, &input.name, paint)));
    if report.more > 0 {
        out.push_str(&format!("  and {}\n", counted(report.more, "more finding")));
    }
    out
}

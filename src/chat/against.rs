//! What one source has and another lacks: a snapshot and a log, before and after a repair.

use super::message::Parsed;
use super::verify::{Findings, Report, described};
use super::view::{History, View, fingerprint};
use std::collections::BTreeSet;

/// Compare two views. `names` are what to call them; at most `most` findings are kept.
///
/// | code | what it says |
/// | --- | --- |
/// | `chat-message-only-here` | the other one lacks a message of a history |
/// | `chat-message-only-there` | this one lacks it |
/// | `chat-presence-differs` | a user is online in one of them only |
/// | `chat-status-differs` | a user has another state |
/// | `chat-order-differs` | a history has the same messages in another order or number |
#[must_use]
pub fn compare(here: &View<'_, '_>, there: &View<'_, '_>, names: [&str; 2], most: usize) -> Report {
    let mut findings = Findings::new(names[0], &[], here, most);
    presence(here, there, names, &mut findings);
    let mut messages = 0u64;
    let no_longer = there.histories.iter().filter(|history| here.history(history.user).is_none());
    for history in &here.histories {
        let one = Side::of(here, Some(*history), &mut findings);
        let other = Side::of(there, there.history(history.user), &mut findings);
        messages = messages.saturating_add(one.numbers.len() as u64);
        histories(&history.entry.key, &one, &other, names, &mut findings);
    }
    for history in no_longer {
        let other = Side::of(there, Some(*history), &mut findings);
        histories(&history.entry.key, &Side::of(here, None, &mut findings), &other, names, &mut findings);
    }
    let Findings { found, more, .. } = findings;
    Report {
        findings: found,
        more,
        histories: here.histories.len() as u64,
        messages,
        online: here.presence.online.len() as u64,
        ..Report::default()
    }
}

fn presence(here: &View<'_, '_>, there: &View<'_, '_>, names: [&str; 2], findings: &mut Findings<'_>) {
    let [here_name, there_name] = names;
    let users: BTreeSet<&Vec<u8>> = here.presence.online.iter().chain(&there.presence.online).collect();
    for user in users {
        let (one, other) = (here.presence.is_online(user), there.presence.is_online(user));
        if one != other {
            let (with, without) = if one { (here_name, there_name) } else { (there_name, here_name) };
            findings.key("chat-presence-differs", here.schema.online.as_bytes(), || {
                format!("{} is online in {with}, not in {without}", user.escape_ascii())
            });
        }
    }
    let scored = |view: &View<'_, '_>| view.presence.statuses.iter().map(|(user, _)| user.clone()).collect::<Vec<_>>();
    let users: BTreeSet<Vec<u8>> = scored(here).into_iter().chain(scored(there)).collect();
    for user in users {
        let (one, other) = (here.presence.score(&user), there.presence.score(&user));
        if one != other {
            let text = |score: Option<f64>| score.map_or("none".into(), |score| score.to_string());
            findings.key("chat-status-differs", here.schema.status.as_bytes(), || {
                let (one, other, user) = (text(one), text(other), user.escape_ascii());
                format!("the status of {user} is {one} in {here_name}, {other} in {there_name}")
            });
        }
    }
}

/// A history of one source.
struct Side<'v, 'a> {
    view: &'v View<'v, 'a>,
    history: Option<History<'v, 'a>>,
    /// Fingerprints in order.
    numbers: Vec<u64>,
}

impl<'v, 'a> Side<'v, 'a> {
    fn of(view: &'v View<'v, 'a>, history: Option<History<'v, 'a>>, findings: &mut Findings<'_>) -> Self {
        let mut numbers = Vec::new();
        if let Some(history) = history {
            let read = super::view::each(&history.entry.value, &mut view.recorder.buffers(), &mut |element, _| {
                numbers.push(fingerprint(element));
            });
            if let Err(error) = read {
                findings.damaged(&history.entry.key, &error);
            }
        }
        Self { view, history, numbers }
    }

    /// Report each message that is not among the fingerprints of the other side.
    fn report_missing(
        &self,
        others: &[u64],
        code: &'static str,
        names: [&str; 2],
        findings: &mut Findings<'_>,
    ) -> bool {
        let [with, without] = names;
        let mut any = false;
        let Some(history) = self.history else { return any };
        let _ =
            history.messages(self.view.schema, &mut self.view.recorder.buffers(), &mut |position, element, parsed| {
                if others.binary_search(&fingerprint(element)).is_err() {
                    any = true;
                    findings.key(code, &history.entry.key, || {
                        format!("element {position} of {with} ({}) is missing in {without}", summary(parsed))
                    });
                }
            });
        any
    }
}

fn summary(parsed: &Parsed<'_>) -> String {
    parsed.fields().map_or_else(|| "no fields".into(), described)
}

fn histories(key: &[u8], one: &Side<'_, '_>, other: &Side<'_, '_>, names: [&str; 2], findings: &mut Findings<'_>) {
    if one.numbers == other.numbers {
        return;
    }
    let [here, there] = names;
    let sorted = |side: &Side<'_, '_>| {
        let mut numbers = side.numbers.clone();
        numbers.sort_unstable();
        numbers
    };
    let lacking = one.report_missing(&sorted(other), "chat-message-only-here", names, findings);
    let more = other.report_missing(&sorted(one), "chat-message-only-there", [there, here], findings);
    if !lacking && !more {
        findings.key("chat-order-differs", key, || {
            let (one, other) = (one.numbers.len(), other.numbers.len());
            format!("the same messages, but in another order or number: {one} in {here}, {other} in {there}")
        });
    }
}

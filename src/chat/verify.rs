//! What is wrong with a chat keyspace.
//!
//! | rule | code |
//! | --- | --- |
//! | keys have their types | `chat-wrong-type` |
//! | values can be read | `chat-value-damaged` |
//! | who is online has a state that says so | `chat-online-without-status` |
//! | whose state says online is online | `chat-status-without-online` |
//! | scores are known states | `chat-unknown-score` |
//! | what begins as a JSON object is one, all else is text where the schema allows that | `chat-message-unparsable` |
//! | a JSON message has sender, recipient, body and time | `chat-message-incomplete` |
//! | the owner of a history is sender or recipient of its messages | `chat-message-foreign` |
//! | times in a history do not run backwards | `chat-time-backwards` |
//! | no message occurs twice | `chat-message-duplicate` |
//! | the other side has the message, too | `chat-message-one-sided` |
//! | what was pushed is stored | `chat-push-not-stored` |
//! | what is stored was pushed, where the input has pushes | `chat-message-not-pushed` |
//!
//! A trimmed history lacks what is not later than its oldest message, and nobody is to blame for that. It counts as
//! trimmed when the log trims it or when it is as long as the schema's `history_limit`.
//!
//! Memory: a few words for each pair of users, and the fingerprints of the largest history.

mod pairs;
mod pushes;

use super::message::{Fields, Parsed};
use super::view::{History, View, fingerprint};
use crate::finding::Finding;
use crate::keyspace::Map;
use crate::rdb;
use crate::value::{Blob, UnixMillis};
use pairs::Pairs;
use pushes::Pushes;

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// The first findings.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more: u64,
    /// Histories.
    pub histories: u64,
    /// Messages in them.
    pub messages: u64,
    /// Messages without fields.
    pub plain: u64,
    /// Users online.
    pub online: u64,
    /// Pushes in the log.
    pub pushes: u64,
}

impl Report {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.more == 0
    }
}

/// Findings, of which the first are kept.
#[derive(Debug)]
pub(super) struct Findings<'n> {
    input: &'n str,
    parts: &'n [String],
    db: u32,
    most: usize,
    pub(super) found: Vec<Finding>,
    pub(super) more: u64,
}

impl<'n> Findings<'n> {
    pub(super) fn new(input: &'n str, parts: &'n [String], view: &View<'_, '_>, most: usize) -> Self {
        Self { input, parts, db: view.schema.db.0, most, found: Vec::new(), more: 0 }
    }

    fn room(&mut self) -> bool {
        let room = self.found.len() < self.most;
        self.more = self.more.saturating_add(u64::from(!room));
        room
    }

    /// Something is wrong with a key. What the input came to has no place in one of its parts.
    pub(super) fn key(&mut self, code: &'static str, key: &[u8], message: impl FnOnce() -> String) {
        if self.room() {
            self.found.push(Finding::error(code, 0, message()).in_file(self.input).in_db(self.db).about_key(key));
        }
    }

    /// The same with advice.
    fn key_hint(&mut self, code: &'static str, key: &[u8], message: impl FnOnce() -> String, hint: &str) {
        let before = self.found.len();
        self.key(code, key, message);
        if let Some(last) = self.found.get_mut(before) {
            last.hint = Some(hint.into());
        }
    }

    /// A value could not be read to its end.
    pub(super) fn damaged(&mut self, key: &[u8], error: &rdb::Error) {
        self.key_hint(
            "chat-value-damaged",
            key,
            || format!("the value cannot be read to its end: {error}"),
            "`careen check` tells where the damage is, `careen repair` keeps what is intact",
        );
    }
}

/// When a message was sent, and between whom, as text.
pub(super) fn described(fields: &Fields<'_>) -> String {
    let name = |field: &Option<_>| field.as_deref().unwrap_or("?").chars().take(64).collect::<String>();
    let at = fields.time.and_then(|at| jiff::Timestamp::from_millisecond(at.0).ok());
    let at = at.map(|at| format!(", {at}")).unwrap_or_default();
    format!("{} to {}{at}", name(&fields.sender), name(&fields.recipient))
}

/// Check everything. `input` is the input's name, `parts` are those of its parts; at most `most` findings are kept.
#[must_use]
pub fn verify(
    view: &View<'_, '_>,
    input: &str,
    parts: &[String],
    most: usize,
    progress: &mut dyn FnMut(u64),
) -> Report {
    let mut findings = Findings::new(input, parts, view, most);
    types(view, &mut findings);
    presence(view, &mut findings);
    let mut report = Report { pushes: view.recorder.pushes.len() as u64, ..Report::default() };
    report.online = view.presence.online.len() as u64;
    report.histories = view.histories.len() as u64;
    let horizons = Horizons::new(view);
    let mut pushes = Pushes::new(view);
    let mut pairs = Pairs::default();
    let mut walk = Walk::default();
    for (index, history) in view.histories.iter().enumerate() {
        walk.begin();
        let mut see = |position: usize, element: &[u8], parsed: &Parsed<'_>| {
            walk.message(view, history, position, element, parsed, &mut findings);
            if let Some(fields) = parsed.fields() {
                pushes.stored(view, element, fields);
                if let Some(side) = horizons.side(view, history.user, fields) {
                    pairs.add(&side, fingerprint(element));
                }
            } else {
                pushes.stored(view, element, &Fields::default());
            }
        };
        if let Err(error) = history.messages(view.schema, &mut view.recorder.buffers(), &mut see) {
            findings.damaged(&history.entry.key, &error);
        }
        walk.finish(history, &mut findings);
        progress(index as u64);
    }
    (report.messages, report.plain) = (walk.messages, walk.plain);
    if view.schema.both_sides {
        pairs.settle(view, &horizons, &mut findings);
    }
    pushes.settle(view, &horizons, &mut findings);
    (report.findings, report.more) = (findings.found, findings.more);
    report
}

fn types(view: &View<'_, '_>, findings: &mut Findings<'_>) {
    for entry in &view.misfits {
        let kind = entry.value.kind().name();
        findings
            .key("chat-wrong-type", &entry.key, || format!("it is a {kind}, which the service does not expect here"));
    }
}

fn presence(view: &View<'_, '_>, findings: &mut Findings<'_>) {
    let (schema, presence) = (view.schema, &view.presence);
    let shown = |user: &[u8]| user.escape_ascii().to_string();
    for user in &presence.online {
        match presence.score(user) {
            Some(score) if schema.state(score).is_none_or(|state| state.present) => {}
            Some(score) => {
                let name = schema.state(score).map_or("", |state| state.name.as_str());
                findings.key("chat-online-without-status", schema.online.as_bytes(), || {
                    format!("{} is online, but the status is {score} ({name})", shown(user))
                });
            }
            None => findings.key("chat-online-without-status", schema.online.as_bytes(), || {
                format!("{} is online and has no status", shown(user))
            }),
        }
    }
    for (user, score) in &presence.statuses {
        match schema.state(*score) {
            None => findings.key_hint(
                "chat-unknown-score",
                schema.status.as_bytes(),
                || format!("the status of {} is {score}, which is no state of the service", shown(user)),
                "name all states in the section [states] of a --schema file",
            ),
            Some(state) if state.present && !presence.is_online(user) => {
                findings.key("chat-status-without-online", schema.status.as_bytes(), || {
                    format!("the status of {} is {score} ({}), but the user is not online", shown(user), state.name)
                });
            }
            Some(_) => {}
        }
    }
}

/// What goes with one history after the other.
#[derive(Debug, Default)]
struct Walk {
    messages: u64,
    plain: u64,
    last: Option<UnixMillis>,
    /// Fingerprints of messages that should occur once, with their positions.
    seen: Vec<(u64, usize)>,
}

impl Walk {
    fn begin(&mut self) {
        self.last = None;
        self.seen.clear();
    }

    fn message(
        &mut self,
        view: &View<'_, '_>,
        history: &History<'_, '_>,
        position: usize,
        element: &[u8],
        parsed: &Parsed<'_>,
        findings: &mut Findings<'_>,
    ) {
        self.messages = self.messages.saturating_add(1);
        let key = &history.entry.key;
        let code = "chat-message-unparsable";
        match parsed {
            Parsed::Fields(fields) => self.fields(view, history, position, element, fields, findings),
            Parsed::Broken(why) => findings.key(code, key, || format!("element {position}: no JSON object: {why}")),
            Parsed::Binary => findings.key(code, key, || format!("element {position}: neither JSON nor text")),
            Parsed::Text(_) if view.schema.plain_text => self.plain = self.plain.saturating_add(1),
            Parsed::Text(_) => findings.key(code, key, || format!("element {position}: plain text instead of JSON")),
        }
    }

    fn fields(
        &mut self,
        view: &View<'_, '_>,
        history: &History<'_, '_>,
        position: usize,
        element: &[u8],
        fields: &Fields<'_>,
        findings: &mut Findings<'_>,
    ) {
        let (key, names) = (&history.entry.key, &view.schema.fields);
        let has = [
            (fields.sender.is_some(), &names.sender),
            (fields.recipient.is_some(), &names.recipient),
            (fields.body.is_some(), &names.body),
            (fields.time.is_some(), &names.time),
        ];
        for (_, name) in has.iter().filter(|(has, _)| !has) {
            findings.key("chat-message-incomplete", key, || format!("element {position}: no usable field {name:?}"));
        }
        let (from, to) = (fields.is_from(history.user), fields.is_to(history.user));
        let sides = fields.sender.is_some() && fields.recipient.is_some();
        if sides && !from && !to && !view.is_for_room(fields) {
            findings.key("chat-message-foreign", key, || {
                format!("element {position} ({}): the owner is neither sender nor recipient", described(fields))
            });
        }
        if let Some(time) = fields.time {
            if self.last.is_some_and(|last| time < last) {
                findings.key("chat-time-backwards", key, || {
                    format!("element {position} ({}) is older than the one before it", described(fields))
                });
            }
            self.last = Some(time);
            // What somebody wrote to himself is on both sides of one list.
            if !(from && to) {
                self.seen.push((fingerprint(element), position));
            }
        }
    }

    fn finish(&mut self, history: &History<'_, '_>, findings: &mut Findings<'_>) {
        self.seen.sort_unstable();
        for pair in self.seen.windows(2) {
            if let &[(one, first), (other, second)] = pair
                && one == other
            {
                findings.key("chat-message-duplicate", &history.entry.key, || {
                    format!("element {second} is the same message as element {first}")
                });
            }
        }
    }
}

/// One side's copy of a message between two people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    /// A number for the two.
    pub(super) pair: u64,
    /// It lies in the history of whoever wrote it.
    pub(super) sent: bool,
}

/// Up to which time histories are trimmed.
#[derive(Debug)]
pub(super) struct Horizons<'v>(Map<'v, UnixMillis>);

impl<'v> Horizons<'v> {
    pub(super) fn new(view: &View<'v, '_>) -> Self {
        let buffers = &mut view.recorder.buffers();
        let mut horizons = Map::default();
        let by_log = view.recorder.trimmed.keys().map(|user| Blob::copied(user));
        let users = view.histories.iter().map(|history| Blob::near(history.user)).chain(by_log);
        for user in users {
            if let Some(time) = view.trimmed_before(&user, buffers) {
                horizons.insert(user, time);
            }
        }
        Self(horizons)
    }

    /// May a user's history have lost what was sent at that time?
    pub(super) fn may_lack(&self, user: &[u8], time: Option<UnixMillis>) -> bool {
        self.0.get(user).is_some_and(|&horizon| time.is_none_or(|time| time <= horizon))
    }

    /// The side that a message is on, when both sides should have it.
    pub(super) fn side(&self, view: &View<'_, '_>, owner: &[u8], fields: &Fields<'_>) -> Option<Side> {
        let (sender, recipient) = (fields.sender.as_deref()?.as_bytes(), fields.recipient.as_deref()?.as_bytes());
        let sent = fields.is_from(owner);
        let between_two = sender != recipient && (sent || fields.is_to(owner)) && !view.is_for_room(fields);
        let trimmed = self.may_lack(sender, fields.time) || self.may_lack(recipient, fields.time);
        (between_two && !trimmed).then(|| Side { pair: pairs::number(sender, recipient), sent })
    }
}

#[cfg(test)]
mod tests;

//! Is what was pushed stored, and was what is stored pushed?
//!
//! Only where the input has pushes at all. What is older than the first pushed message was sent before somebody
//! listened.

use super::{Findings, Horizons, described};
use crate::chat::message::{Fields, Parsed};
use crate::chat::view::{View, fingerprint};
use crate::finding::Finding;
use crate::value::UnixMillis;
use hashbrown::{HashMap, HashSet};

/// Pushes by fingerprint, and what was found of them.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    /// Is it stored?
    pushed: HashMap<u64, bool, foldhash::fast::FixedState>,
    since: Option<UnixMillis>,
    missing: HashSet<u64, foldhash::fast::FixedState>,
    unpushed: Vec<(Vec<u8>, String)>,
    more: u64,
}

/// So many are described, all are counted.
const DESCRIBED: usize = 1000;

impl Pushes {
    pub(super) fn new(view: &View<'_, '_>) -> Self {
        let mut pushes = Self::default();
        for push in &view.recorder.pushes {
            pushes.pushed.insert(fingerprint(push.message), false);
            let time = Parsed::of(view.schema, push.message).fields().and_then(|fields| fields.time);
            pushes.since = [pushes.since, time].into_iter().flatten().min();
        }
        pushes
    }

    /// A message of a history.
    pub(super) fn stored(&mut self, view: &View<'_, '_>, element: &[u8], fields: &Fields<'_>) {
        if self.pushed.is_empty() {
            return;
        }
        let number = fingerprint(element);
        if let Some(stored) = self.pushed.get_mut(&number) {
            *stored = true;
        } else if self.since.is_some_and(|since| fields.time.is_some_and(|time| time >= since))
            && self.missing.insert(number)
        {
            if self.unpushed.len() < DESCRIBED {
                let owner = fields.sender.as_deref().unwrap_or_default();
                self.unpushed.push((view.schema.history(owner.as_bytes()), described(fields)));
            } else {
                self.more = self.more.saturating_add(1);
            }
        }
    }

    pub(super) fn settle(self, view: &View<'_, '_>, horizons: &Horizons<'_>, findings: &mut Findings<'_>) {
        for (key, what) in &self.unpushed {
            findings.key("chat-message-not-pushed", key, || format!("a stored message ({what}) was not pushed"));
        }
        findings.more = findings.more.saturating_add(self.more);
        for push in &view.recorder.pushes {
            if self.pushed.get(&fingerprint(push.message)) != Some(&false) {
                continue;
            }
            let parsed = Parsed::of(view.schema, push.message);
            let fields = parsed.fields().cloned().unwrap_or_default();
            let lacks = |user: &Option<_>| {
                user.as_deref().is_none_or(|user: &str| horizons.may_lack(user.as_bytes(), fields.time))
            };
            let has_sides = fields.sender.is_some() && fields.recipient.is_some();
            if (has_sides && lacks(&fields.sender) && lacks(&fields.recipient)) || !findings.room() {
                continue;
            }
            let file = usize::try_from(push.place.part).ok().and_then(|part| findings.parts.get(part));
            let (channel, what) = (push.channel.escape_ascii(), described(&fields));
            let message = format!("a message pushed on {channel} ({what}) is in no history");
            let finding = Finding::error("chat-push-not-stored", push.place.offset, message).until(push.place.end);
            findings.found.push(finding.in_file(file.cloned().unwrap_or_default()));
        }
    }
}

//! Who was online at a moment, and how we know.

use super::view::View;
use crate::keyspace::Map;
use crate::value::{Blob, UnixMillis};

/// How we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The state at the end of the input.
    End,
    /// The log, replayed to that moment.
    Log,
    /// The input does not reach back: whoever sent a message shortly before was there.
    Messages,
}

impl Basis {
    /// The word that our JSON and text use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Log => "log",
            Self::Messages => "messages",
        }
    }
}

/// A user who was online.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Who.
    pub user: Vec<u8>,
    /// The state, as a score.
    pub score: Option<f64>,
    /// When the last message until then was sent.
    pub last_message: Option<UnixMillis>,
}

/// Who was online.
#[derive(Debug, Clone, PartialEq)]
pub struct Online {
    /// How we know.
    pub basis: Basis,
    /// Sorted by name, those that are numbers by number.
    pub users: Vec<User>,
}

/// Whoever sent a message in so many milliseconds before a moment was there.
const SHORTLY: i64 = 15 * 60 * 1000;

/// Who was online at a moment, or at the end of the input. The replay must have been told the same moment.
#[must_use]
pub fn online(view: &View<'_, '_>, at: Option<UnixMillis>) -> Online {
    let last = last_messages(view, at.unwrap_or(UnixMillis(i64::MAX)));
    let newest = last.iter().map(|(_, &(_, any))| any).max();
    let (basis, presence) = match (at, &view.recorder.then) {
        (Some(_), Some(then)) => (Basis::Log, then),
        (Some(at), None) if view.recorder.span.is_some() || newest.is_some_and(|newest| newest > at) => {
            return by_messages(&last, at);
        }
        _ => (Basis::End, &view.presence),
    };
    let user = |user: &Vec<u8>| User {
        user: user.clone(),
        score: presence.score(user),
        last_message: last.get(user).and_then(|&(until_then, _)| until_then),
    };
    sorted(basis, presence.online.iter().map(user).collect())
}

type LastMessages<'a> = Map<'a, (Option<UnixMillis>, UnixMillis)>;

/// Of each sender: the time of the last message until a moment, and of the last one at all.
fn last_messages<'a>(view: &View<'_, '_>, until: UnixMillis) -> LastMessages<'a> {
    let mut last: LastMessages<'a> = Map::default();
    for history in &view.histories {
        // What cannot be read does not count; `verify` reports it.
        let _ = history.messages(view.schema, &mut view.recorder.buffers(), &mut |_, _, parsed| {
            let Some((sender, time)) =
                parsed.fields().and_then(|fields| Some((fields.sender.as_deref()?, fields.time?)))
            else {
                return;
            };
            let before = Some(time).filter(|&time| time <= until);
            match last.get_mut(sender.as_bytes()) {
                Some((until_then, any)) => (*until_then, *any) = ((*until_then).max(before), (*any).max(time)),
                None => drop(last.insert(Blob::copied(sender.as_bytes()), (before, time))),
            }
        });
    }
    last
}

fn by_messages(last: &LastMessages<'_>, at: UnixMillis) -> Online {
    let there = last.iter().filter_map(|(user, &(until_then, _))| {
        let time = until_then.filter(|time| time.0 >= at.0.saturating_sub(SHORTLY))?;
        Some(User { user: user.to_vec(), score: None, last_message: Some(time) })
    });
    sorted(Basis::Messages, there.collect())
}

fn sorted(basis: Basis, mut users: Vec<User>) -> Online {
    let number = |user: &[u8]| std::str::from_utf8(user).ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
    users.sort_by(|a, b| (number(&a.user), &a.user).cmp(&(number(&b.user), &b.user)));
    Online { basis, users }
}

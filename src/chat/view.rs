//! The rebuilt keyspace in the words of the service: users, histories, messages in order.

use super::message::{Fields, Parsed};
use super::recorder::{Presence, Recorder};
use super::schema::Schema;
use crate::keyspace::{Db, Entry, Keyspace, Map, Value};
use crate::rdb::{self, Buffers, Element};
use crate::value::{Blob, Kind, UnixMillis};
use xxhash_rust::xxh3::xxh3_64;

/// The messages of one user.
#[derive(Debug, Clone, Copy)]
pub struct History<'v, 'a> {
    /// Whose.
    pub user: &'v [u8],
    /// The key.
    pub entry: &'v Entry<'a>,
}

/// The rebuilt keyspace of a service.
#[derive(Debug)]
pub struct View<'v, 'a> {
    /// Its names and rules.
    pub schema: &'v Schema,
    /// The histories that are lists, in order of first appearance.
    pub histories: Vec<History<'v, 'a>>,
    /// Keys of the service that hold something else than they should.
    pub misfits: Vec<&'v Entry<'a>>,
    /// Who is there.
    pub presence: Presence,
    /// What the log told.
    pub recorder: &'v Recorder<'v, 'a>,
    positions: Map<'v, usize>,
}

impl<'v, 'a> View<'v, 'a> {
    /// The service of a keyspace.
    #[must_use]
    pub fn new(schema: &'v Schema, keyspace: &'v Keyspace<'a>, recorder: &'v Recorder<'v, 'a>) -> Self {
        let presence = Presence::of(schema, keyspace, &recorder.buffers().first.budget);
        let mut view =
            Self { schema, histories: Vec::new(), misfits: Vec::new(), presence, recorder, positions: Map::default() };
        for entry in keyspace.db(schema.db).into_iter().flat_map(Db::iter) {
            view.take(entry);
        }
        view
    }

    fn take(&mut self, entry: &'v Entry<'a>) {
        let key: &'v [u8] = entry.key.as_bytes();
        let owner = self.schema.owner(key);
        let wanted = match owner {
            _ if key == self.schema.online.as_bytes() => Kind::Set,
            _ if key == self.schema.status.as_bytes() => Kind::Zset,
            Some(_) => Kind::List,
            None => return,
        };
        if entry.value.kind() != wanted {
            self.misfits.push(entry);
        } else if let Some(user) = owner {
            self.positions.insert(Blob::near(user), self.histories.len());
            self.histories.push(History { user, entry });
        }
    }

    /// A user's history.
    #[must_use]
    pub fn history(&self, user: &[u8]) -> Option<History<'v, 'a>> {
        self.histories.get(*self.positions.get(user)?).copied()
    }

    /// How many messages a history has lost may be told from the time of the oldest one left: what is not later is
    /// gone, too. Nothing when the history was never trimmed, as far as anybody can tell.
    #[must_use]
    pub fn trimmed_before(&self, user: &[u8], buffers: &mut Buffers) -> Option<UnixMillis> {
        let by_log = self.recorder.trimmed.contains(user);
        let Some(history) = self.history(user) else {
            return by_log.then_some(UnixMillis(i64::MAX));
        };
        let limit = self.schema.history_limit;
        if !by_log && (limit == 0 || count(&history.entry.value, buffers) < limit) {
            return None;
        }
        Some(self.oldest(history, buffers).unwrap_or(UnixMillis(i64::MAX)))
    }

    /// The time of the first message that has one.
    fn oldest(&self, history: History<'_, '_>, buffers: &mut Buffers) -> Option<UnixMillis> {
        let mut oldest = None;
        let _ = each_until(&history.entry.value, buffers, &mut |element, _| {
            oldest = Parsed::of(self.schema, element).fields().and_then(|fields| fields.time);
            oldest.is_none()
        });
        oldest
    }

    /// Is a message of this user with a room, rather than with a person?
    #[must_use]
    pub fn is_for_room(&self, fields: &Fields<'_>) -> bool {
        fields.recipient.as_deref().is_some_and(|to| self.schema.is_room(to.as_bytes()))
    }
}

impl History<'_, '_> {
    /// Every message with its position in the list and what it says.
    ///
    /// # Errors
    /// When the value is damaged; what precedes the damage was visited.
    pub fn messages(
        &self,
        schema: &Schema,
        buffers: &mut Buffers,
        visit: &mut dyn FnMut(usize, &[u8], &Parsed<'_>),
    ) -> rdb::Result<()> {
        let mut position = 0usize;
        each(&self.entry.value, buffers, &mut |element, _| {
            visit(position, element, &Parsed::of(schema, element));
            position = position.saturating_add(1);
        })
    }
}

/// A number that stands for a message.
#[must_use]
#[inline]
pub fn fingerprint(element: &[u8]) -> u64 {
    xxh3_64(element)
}

/// How many elements a collection has; what is damaged counts as empty.
pub fn count(value: &Value<'_>, buffers: &mut Buffers) -> u64 {
    crate::keyspace::elements::count(value, buffers).unwrap_or(0)
}

/// Every element of a list or set, every member of a sorted set with its score; nothing of other types.
///
/// # Errors
/// When the value is damaged; what precedes the damage was visited.
pub fn each(value: &Value<'_>, buffers: &mut Buffers, visit: &mut dyn FnMut(&[u8], Option<f64>)) -> rdb::Result<()> {
    each_until(value, buffers, &mut |element, score| {
        visit(element, score);
        true
    })
}

/// The same, as long as `visit` says so.
fn each_until(
    value: &Value<'_>,
    buffers: &mut Buffers,
    visit: &mut dyn FnMut(&[u8], Option<f64>) -> bool,
) -> rdb::Result<()> {
    match value {
        Value::List(list) => drop(list.0.iter().all(|element| visit(element, None))),
        Value::Set(set) => drop(set.0.keys().all(|member| visit(member, None))),
        Value::Zset(zset) => drop(zset.iter().all(|(member, score)| visit(member, Some(score)))),
        Value::Stored(stored) => {
            let mut more = true;
            return stored.elements(buffers, &mut |element: Element<'_, '_>| {
                match element {
                    _ if !more => {}
                    Element::Item(text) | Element::Member(text, _) => more = visit(&text, None),
                    Element::Scored(member, score) => more = visit(&member, Some(score)),
                    _ => {}
                }
                Ok(())
            });
        }
        _ => {}
    }
    Ok(())
}

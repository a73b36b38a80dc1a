//! What only a log tells: pushes, trims, and presence over time.
//!
//! The clock is that of the annotations (`#TS:`). A log without any is dated by the messages in it: when one is
//! appended to a history, it is at least as late as that message says.

use super::message::Parsed;
use super::schema::Schema;
use super::view::{count, each};
use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Exhausted};
use crate::keyspace::{Keyspace, Map};
use crate::rdb::Buffers;
use crate::replay::{Args, Place, State, Watch};
use crate::value::{Blob, UnixMillis};

/// A message that was pushed.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// Where the command lies.
    pub place: Place,
    /// The clock of the log.
    pub time: Option<UnixMillis>,
    /// On which channel.
    pub channel: &'a [u8],
    /// What.
    pub message: &'a [u8],
}

/// Who was there at a moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Presence {
    /// Members of the set of users online, sorted.
    pub online: Vec<Vec<u8>>,
    /// States by user, sorted.
    pub statuses: Vec<(Vec<u8>, f64)>,
}

impl Presence {
    /// Presence as a keyspace has it. What has another type than it should counts as empty.
    #[must_use]
    pub fn of(schema: &Schema, keyspace: &Keyspace<'_>, budget: &Budget) -> Self {
        let mut presence = Self::default();
        let Some(db) = keyspace.db(schema.db) else { return presence };
        let buffers = &mut Buffers::new(budget);
        if let Some(entry) = db.entry(schema.online.as_bytes()) {
            // A damaged value gives what precedes the damage; `verify` reports it.
            let _ = each(&entry.value, buffers, &mut |member, _| presence.online.push(member.to_vec()));
        }
        if let Some(entry) = db.entry(schema.status.as_bytes()) {
            let _ = each(&entry.value, buffers, &mut |member, score| {
                presence.statuses.extend(score.map(|score| (member.to_vec(), score)));
            });
        }
        presence.online.sort_unstable();
        presence.statuses.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        presence
    }

    /// A user's state, as a score.
    #[must_use]
    pub fn score(&self, user: &[u8]) -> Option<f64> {
        let at = self.statuses.binary_search_by(|(other, _)| other.as_slice().cmp(user)).ok()?;
        self.statuses.get(at).map(|&(_, score)| score)
    }

    /// Is a user in the set of users online?
    #[must_use]
    pub fn is_online(&self, user: &[u8]) -> bool {
        self.online.binary_search_by(|other| other.as_slice().cmp(user)).is_ok()
    }
}

/// What a push takes in a list that may be half empty.
const PUSH_BYTES: u64 = 2 * size_of::<Push<'_>>() as u64;
/// What a point takes in a list that may be half empty.
const POINT_BYTES: u64 = 2 * size_of::<(UnixMillis, u64)>() as u64;
/// What a user takes besides the name's bytes.
const USER_BYTES: u64 = 2 * size_of::<(Vec<u8>, f64)>() as u64;

/// Listens to a replay.
#[derive(Debug)]
pub struct Recorder<'s, 'a> {
    schema: &'s Schema,
    /// The clock of the state as long as no annotation has set it.
    unset: UnixMillis,
    clock: Option<UnixMillis>,
    annotated: bool,
    at: Option<UnixMillis>,
    buffers: Buffers,
    charge: Charge,
    /// Messages pushed on the channels of the service.
    pub pushes: Vec<Push<'a>>,
    /// Users whose history lost messages by a command of the log.
    pub trimmed: Map<'a, ()>,
    /// How many users were online at a time; a point for each change.
    pub online: Vec<(UnixMillis, u64)>,
    /// Presence at the moment asked for, when the log reaches back that far.
    pub then: Option<Presence>,
    /// When the log begins and ends, by its clock.
    pub span: Option<(UnixMillis, UnixMillis)>,
}

impl<'s, 'a> Recorder<'s, 'a> {
    /// Somebody who remembers presence as it was at `at`. `now` is the clock that the replay starts with.
    #[must_use]
    pub fn new(schema: &'s Schema, now: UnixMillis, at: Option<UnixMillis>) -> Self {
        Self {
            schema,
            unset: now,
            clock: None,
            annotated: false,
            at,
            buffers: Buffers::default(),
            charge: Charge::default(),
            pushes: Vec::new(),
            trimmed: Map::default(),
            online: Vec::new(),
            then: None,
            span: None,
        }
    }

    /// Charge what is remembered and what must be decompressed to an account.
    #[must_use]
    pub fn with_budget(mut self, budget: &Budget) -> Self {
        self.buffers = Buffers::new(budget);
        self.charge = Charge::new(budget);
        self
    }

    /// Buffers charged to the account.
    #[must_use]
    pub fn buffers(&self) -> Buffers {
        Buffers::new(&self.buffers.first.budget)
    }

    /// Is the clock that of annotations? Else it is that of messages, when there is one.
    #[must_use]
    pub fn is_annotated(&self) -> bool {
        self.annotated
    }

    /// The log has ended.
    ///
    /// # Errors
    /// When the account does not hold what is to be remembered.
    pub fn end(&mut self, keyspace: &Keyspace<'a>) -> Result<(), Exhausted> {
        self.sample(keyspace)?;
        if self.clock.is_some_and(|clock| self.at.is_some_and(|at| at >= clock)) {
            self.remember(keyspace)?;
        }
        Ok(())
    }

    /// Presence at the moment asked for.
    fn remember(&mut self, keyspace: &Keyspace<'a>) -> Result<(), Exhausted> {
        let presence = Presence::of(self.schema, keyspace, &self.buffers.first.budget);
        let names = presence.online.iter().chain(presence.statuses.iter().map(|(user, _)| user));
        let bytes = names.map(|name| (name.len() as u64).saturating_add(USER_BYTES)).fold(0, u64::saturating_add);
        self.then = Some(presence);
        self.charge.add(bytes)
    }

    /// The time of a command, by which the state before it is that of the clock so far.
    fn time_of(&mut self, state: &State<'a>, args: Args<'_, 'a>) -> Option<UnixMillis> {
        if state.now != self.unset {
            self.annotated = true;
            return Some(state.now);
        }
        let &[name, key, .., message] = args else { return None };
        let appends = [&b"RPUSH"[..], b"LPUSH"].iter().any(|push| name.eq_ignore_ascii_case(push));
        if self.annotated || !appends || state.db != self.schema.db || self.schema.owner(key).is_none() {
            return None;
        }
        Parsed::of(self.schema, message).fields().and_then(|fields| fields.time)
    }

    /// Note how many are online at the clock's time.
    fn sample(&mut self, keyspace: &Keyspace<'a>) -> Result<(), Exhausted> {
        let Some(clock) = self.clock else { return Ok(()) };
        let entry = keyspace.db(self.schema.db).and_then(|db| db.entry(self.schema.online.as_bytes()));
        let online = entry.map_or(0, |entry| count(&entry.value, &mut self.buffers));
        if self.online.last().is_none_or(|&(_, last)| last != online) {
            self.charge.add(POINT_BYTES)?;
            self.online.push((clock, online));
        }
        Ok(())
    }

    fn forget(&mut self, args: Args<'_, 'a>) -> Result<(), Exhausted> {
        let Some((name, rest)) = args.split_first() else { return Ok(()) };
        let is = |word: &str| name.eq_ignore_ascii_case(word.as_bytes());
        let keys = match name.first().map(u8::to_ascii_uppercase) {
            Some(b'L') if is("LTRIM") || is("LPOP") || is("LREM") => rest.get(..1),
            Some(b'R') if is("RPOP") || is("RENAME") => rest.get(..1),
            Some(b'D' | b'U') if is("DEL") || is("UNLINK") => Some(rest),
            _ => None,
        };
        for user in keys.into_iter().flatten().filter_map(|key| self.schema.owner(key)) {
            if !self.trimmed.contains(user) {
                self.charge.add(USER_BYTES)?;
                self.trimmed.insert(Blob::near(user), ());
            }
        }
        Ok(())
    }
}

impl<'a> Watch<'a> for Recorder<'_, 'a> {
    fn message(&mut self, place: Place, channel: &'a [u8], message: &'a [u8]) -> Result<(), Exhausted> {
        if self.schema.is_room(channel) {
            self.charge.add(PUSH_BYTES)?;
            self.pushes.push(Push { place, time: self.clock, channel, message });
        }
        Ok(())
    }

    fn command(&mut self, _: Place, state: &State<'a>, args: Args<'_, 'a>) -> Result<(), Exhausted> {
        if let Some(time) = self.time_of(state, args)
            && self.clock.is_none_or(|clock| clock < time)
        {
            self.sample(&state.keyspace)?;
            if self.then.is_none() && self.at.is_some_and(|at| at < time && self.clock.is_some_and(|clock| at >= clock))
            {
                self.remember(&state.keyspace)?;
            }
            self.span = Some((self.span.map_or(time, |span| span.0), time));
            self.clock = Some(time);
        }
        if state.db == self.schema.db { self.forget(args) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_paid_for() {
        let schema = Schema::default();
        let budget = Budget::new(3 * PUSH_BYTES);
        let mut recorder = Recorder::new(&schema, UnixMillis(0), None).with_budget(&budget);
        let channel: &'static [u8] = Box::leak(schema.channel.clone().into_bytes().into_boxed_slice());
        let heard = (0..5).filter(|_| recorder.message(Place::default(), channel, b"{}").is_ok()).count();
        assert_eq!((heard, recorder.pushes.len(), budget.left()), (3, 3, 0));
        assert!(recorder.forget(&[b"DEL", &schema.history(b"ann")]).is_err());
    }
}

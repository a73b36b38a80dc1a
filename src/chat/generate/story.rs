//! What happens: who comes and goes, who writes to whom, and when.
//!
//! A number of conversations go on at once; each step belongs to one of them. Users write to a few friends, popular
//! ones more than others. The day has its rhythm. Some log out without ever having logged in, some messages go to
//! users who are away, and histories are trimmed from time to time.

use super::bodies;
use super::dice::Dice;
use crate::value::UnixMillis;
use std::io;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How many users, at least two.
    pub users: u32,
    /// How many messages are sent.
    pub messages: u64,
    /// What all chance follows from.
    pub seed: u64,
    /// The log has the pushes, too, as a capture of a replication stream would.
    pub pushes: bool,
}

/// 2026-01-05T06:00:00Z, a Monday.
const START: i64 = 1_767_592_800_000;
/// So many messages stay in a history when it is trimmed.
pub(crate) const KEPT: u32 = 1000;
/// So many more it may have before that.
const SLACK: u32 = 100;
const HOUR: i64 = 3_600_000;
/// Friends of a user.
const FRIENDS: u32 = 12;
/// How busy the hours of the day are; 16 on average.
const RHYTHM: [i64; 24] = [6, 4, 3, 2, 2, 4, 8, 13, 18, 20, 20, 21, 24, 22, 20, 20, 21, 23, 26, 28, 30, 28, 20, 11];

/// Something that happens. Users are numbers from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A user logs in.
    Login(u32, UnixMillis),
    /// A user logs out.
    Logout(u32, UnixMillis),
    /// A message is sent.
    Message(Sent),
    /// A history is cut to its newest messages.
    Trim(u32, UnixMillis),
}

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its number, from 0.
    pub number: u64,
    /// Who wrote it.
    pub from: u32,
    /// To whom.
    pub to: u32,
    /// When. No two messages have the same time.
    pub time: UnixMillis,
}

impl Event {
    /// When it happens.
    #[must_use]
    pub fn time(&self) -> UnixMillis {
        match self {
            Self::Login(_, time) | Self::Logout(_, time) | Self::Trim(_, time) => *time,
            Self::Message(sent) => sent.time,
        }
    }

    /// The number of a message; 0 of all else.
    #[must_use]
    pub fn number(&self) -> u64 {
        match self {
            Self::Message(sent) => sent.number,
            _ => 0,
        }
    }
}

impl Sent {
    /// Append the message as JSON.
    #[inline]
    pub fn write(&self, seed: u64, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(b"{\"sender\":\"");
        out.extend_from_slice(digits.format(name(self.from)).as_bytes());
        out.extend_from_slice(b"\",\"recipient\":\"");
        out.extend_from_slice(digits.format(name(self.to)).as_bytes());
        out.extend_from_slice(b"\",\"body\":\"");
        bodies::write(&mut Dice::of(seed, self.number), out);
        out.extend_from_slice(b"\",\"time\":");
        out.extend_from_slice(digits.format(self.time.0).as_bytes());
        out.push(b'}');
    }
}

/// The id of a user: they count from 1.
#[must_use]
#[inline]
pub(crate) fn name(user: u32) -> u64 {
    u64::from(user).saturating_add(1)
}

/// What the service knows of a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct User {
    /// Is online.
    pub online: bool,
    /// Has a status.
    pub known: bool,
    /// Messages in the history.
    pub messages: u32,
}

#[derive(Debug, Clone, Copy)]
struct Talk {
    one: u32,
    other: u32,
    left: u32,
}

/// What happens, one step after the other.
#[derive(Debug)]
pub struct Story {
    settings: Settings,
    dice: Dice,
    /// All users.
    pub users: Vec<User>,
    /// What time it is.
    pub now: UnixMillis,
    talks: Vec<Talk>,
    sent: u64,
    pace: i64,
}

type Visit<'v> = &'v mut dyn FnMut(Event) -> io::Result<()>;

impl Story {
    /// The beginning.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let users = settings.users.max(2);
        let messages = i64::try_from(settings.messages).unwrap_or(i64::MAX).max(1);
        // Two seconds from one message to the next on average, but a working day at least and 30 days at most.
        let span = messages.saturating_mul(2000).clamp(12 * HOUR, 30 * 24 * HOUR);
        let talks = users.div_euclid(8).clamp(1, 2000);
        let nobody = Talk { one: 0, other: 1, left: 0 };
        Self {
            settings,
            dice: Dice::new(settings.seed),
            users: vec![User::default(); usize::try_from(users).unwrap_or(2)],
            now: UnixMillis(START),
            talks: vec![nobody; usize::try_from(talks).unwrap_or(1)],
            sent: 0,
            pace: span.checked_div(messages).unwrap_or(1).max(1),
        }
    }

    /// What was asked for.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Go on until so many messages were sent in all.
    ///
    /// # Errors
    /// What `visit` returned.
    pub fn run(&mut self, messages: u64, visit: Visit<'_>) -> io::Result<()> {
        while self.sent < messages.min(self.settings.messages) {
            self.step(visit)?;
        }
        Ok(())
    }

    fn step(&mut self, visit: Visit<'_>) -> io::Result<()> {
        self.pass_time();
        let slot = usize::try_from(self.dice.below(u32::try_from(self.talks.len()).unwrap_or(1))).unwrap_or(0);
        let mut talk = self.talks.get(slot).copied().unwrap_or(Talk { one: 0, other: 1, left: 0 });
        if talk.left == 0 {
            talk = self.begin(visit)?;
        }
        // Mostly they take turns.
        if !self.dice.once_in(3) {
            (talk.one, talk.other) = (talk.other, talk.one);
        }
        self.send(talk, visit)?;
        talk.left = talk.left.saturating_sub(1);
        if talk.left == 0 {
            self.end(talk, visit)?;
        }
        if let Some(place) = self.talks.get_mut(slot) {
            *place = talk;
        }
        Ok(())
    }

    fn pass_time(&mut self) {
        let hour = usize::try_from(self.now.0.div_euclid(HOUR).rem_euclid(24)).unwrap_or(0);
        let busy = RHYTHM.get(hour).copied().unwrap_or(16);
        let average = self.pace.saturating_mul(16).checked_div(busy).unwrap_or(1).max(1);
        let spread = u32::try_from(average.saturating_mul(2)).unwrap_or(u32::MAX);
        let gap = i64::from(self.dice.below(spread)).max(1);
        self.now = UnixMillis(self.now.0.saturating_add(gap));
    }

    fn begin(&mut self, visit: Visit<'_>) -> io::Result<Talk> {
        let users = self.settings.users.max(2);
        let one = self.dice.rank(users);
        let friend = self.dice.rank(FRIENDS);
        let mut other = Dice::of(self.settings.seed ^ u64::from(friend), u64::from(one)).rank(users);
        if other == one {
            other = if one == 0 { 1 } else { one.saturating_sub(1) };
        }
        self.log_in(one, visit)?;
        let left = self.dice.rank(40).saturating_add(1);
        Ok(Talk { one, other, left })
    }

    fn send(&mut self, talk: Talk, visit: Visit<'_>) -> io::Result<()> {
        self.log_in(talk.one, visit)?;
        let (from, to, time) = (talk.one, talk.other, self.now);
        visit(Event::Message(Sent { number: self.sent, from, to, time }))?;
        self.sent = self.sent.saturating_add(1);
        for user in [from, to] {
            let Some(state) = self.user(user) else { continue };
            state.messages = state.messages.saturating_add(1);
            if state.messages > KEPT + SLACK {
                state.messages = KEPT;
                visit(Event::Trim(user, time))?;
            }
        }
        Ok(())
    }

    fn end(&mut self, talk: Talk, visit: Visit<'_>) -> io::Result<()> {
        for user in [talk.one, talk.other] {
            if !self.dice.once_in(4) && self.user(user).is_some_and(|state| state.online) {
                self.log_out(user, visit)?;
            }
        }
        let stranger = self.dice.below(self.settings.users.max(2));
        if self.dice.once_in(50) && self.user(stranger).is_some_and(|state| !state.online) {
            self.log_out(stranger, visit)?;
        }
        Ok(())
    }

    fn log_in(&mut self, user: u32, visit: Visit<'_>) -> io::Result<()> {
        let now = self.now;
        match self.user(user) {
            Some(state) if !state.online => {
                (state.online, state.known) = (true, true);
                visit(Event::Login(user, now))
            }
            _ => Ok(()),
        }
    }

    fn log_out(&mut self, user: u32, visit: Visit<'_>) -> io::Result<()> {
        if let Some(state) = self.user(user) {
            (state.online, state.known) = (false, true);
        }
        visit(Event::Logout(user, self.now))
    }

    fn user(&mut self, user: u32) -> Option<&mut User> {
        self.users.get_mut(usize::try_from(user).ok()?)
    }
}

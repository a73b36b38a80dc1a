//! The engine: takes the commands of a log one after the other and keeps a keyspace.
//!
//! Per command: find it in the table; queue it when a transaction is open; check its number of words; execute
//! it. What cannot be executed is reported with its place and the replay goes on: a server answers such a
//! command with an error, or dies of it.
//!
//! Nothing expires during a replay, as nothing does while a server loads.

use super::load::Error;
use super::queue;
use super::refusal::{Misplaced, Refusal};
use super::report::{Place, Report};
use super::state::{Args, State};
use super::table::{self, Command, Flags};
use super::transaction::Transaction;
use super::until::Until;
use crate::bytes::Exhausted;
use crate::keyspace::{Keyspace, Like};
use crate::value::{DbIndex, UnixMillis};

/// What a caller wants to hear of while a log is replayed. The replay ends when it cannot remember it.
pub trait Watch<'a> {
    /// A message was published. In logs made from a replication stream or by `MONITOR`.
    ///
    /// # Errors
    /// When a limit does not allow to remember it.
    fn message(&mut self, _place: Place, _channel: &'a [u8], _message: &'a [u8]) -> Result<(), Exhausted> {
        Ok(())
    }

    /// A command is about to be executed in this state, transactions in the order of their commands.
    ///
    /// # Errors
    /// When a limit does not allow to remember what is said of it.
    fn command(&mut self, _place: Place, _state: &State<'a>, _args: Args<'_, 'a>) -> Result<(), Exhausted> {
        Ok(())
    }
}

impl Watch<'_> for () {}

const WATCH: &str = "WATCH";

/// Replays commands.
#[derive(Debug)]
pub struct Engine<'a, W = ()> {
    state: State<'a>,
    transaction: Option<Transaction<'a>>,
    until: Until,
    report: Report<'a>,
    watch: W,
    strict: bool,
    stopped: bool,
}

impl<'a> Engine<'a> {
    /// An engine with nothing in its keyspace.
    #[must_use]
    pub fn new(like: Like) -> Self {
        Self::watched(like, ())
    }
}

impl<'a, W: Watch<'a>> Engine<'a, W> {
    /// An engine that tells somebody what it does.
    #[must_use]
    pub fn watched(like: Like, watch: W) -> Self {
        let report = Report::default();
        Self {
            state: State::new(like),
            transaction: None,
            until: Until::default(),
            report,
            watch,
            strict: false,
            stopped: false,
        }
    }

    /// Stop early.
    #[must_use]
    pub fn until(mut self, until: Until) -> Self {
        self.until = until;
        self
    }

    /// Stop at the first command that cannot be executed.
    pub fn strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// Is this part behind the last one wanted?
    #[must_use]
    pub fn is_beyond(&self, part: u32) -> bool {
        self.until.offset.is_some_and(|(last, _)| part > last)
    }

    /// The state, to start from a snapshot or to set limits.
    pub fn state_mut(&mut self) -> &mut State<'a> {
        &mut self.state
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> &State<'a> {
        &self.state
    }

    /// What was met so far.
    #[must_use]
    pub fn report(&self) -> &Report<'a> {
        &self.report
    }

    /// Has a condition to stop been met? Then nothing more is executed.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    #[cold]
    pub(super) fn note_flaw(&mut self, part: u32, flaw: Error) {
        self.report.flaw.get_or_insert((part, flaw));
    }

    #[cold]
    pub(super) fn note_liberty(&mut self, place: Place, name: &[u8], what: &'static str) {
        self.report.remark(place, name, what);
    }

    /// A new part of the log begins: it starts outside of any transaction, in database 0.
    pub fn begin_part(&mut self) {
        self.end_part();
        self.state.db = DbIndex(0);
    }

    /// The log, or a part of it, ends: an open transaction never happened.
    pub fn end_part(&mut self) {
        if let Some(open) = self.transaction.take() {
            self.state.budget.refund(open.lent);
            self.state.db = open.db;
            if !self.stopped {
                self.report.skip(open.place, b"MULTI", Refusal::Misplaced(Misplaced::Open));
            }
        }
    }

    /// An annotation gives the time of what follows, in seconds.
    pub fn annotate(&mut self, seconds: i64) {
        self.state.now = UnixMillis(seconds.saturating_mul(1000));
        self.stopped |= self.until.is_later(self.state.now);
    }

    /// The next command of the log.
    pub fn feed(&mut self, place: Place, args: Args<'_, 'a>) {
        let Some(name) = args.first() else { return };
        if self.stopped || self.until.is_reached(place, self.report.commands, args) {
            self.stopped = true;
            return;
        }
        self.report.commands = self.report.commands.saturating_add(1);
        let command = table::find(args);
        match command {
            Some(command) if command.flags.has(Flags::TRANSACTION) => self.bracket(place, command, args),
            _ if self.transaction.is_some() => self.enqueue(place, args),
            Some(command) => self.execute(place, command, args),
            None => self.report.skip(place, name, Refusal::UnknownCommand),
        }
        self.stopped |= self.strict && self.report.skipped.total > 0;
    }

    /// The keyspace and the report, at the end of the log.
    #[must_use]
    pub fn finish(mut self) -> (Keyspace<'a>, Report<'a>, W) {
        self.end_part();
        self.state.settle();
        (self.state.keyspace, self.report, self.watch)
    }

    fn bracket(&mut self, place: Place, command: &Command, args: Args<'_, 'a>) {
        let wrong = match (command.name, self.transaction.take()) {
            ("MULTI", None) => {
                self.transaction = Some(Transaction::new(place, self.state.db));
                None
            }
            ("MULTI", open) => {
                self.transaction = open;
                Some(Misplaced::Nested)
            }
            ("EXEC", Some(open)) => {
                for (place, args) in open.queue.iter() {
                    if self.stopped {
                        break;
                    }
                    self.execute_queued(place, args);
                }
                self.state.budget.refund(open.lent);
                None
            }
            ("EXEC", None) => Some(Misplaced::NotOpen),
            (_, open) => {
                self.state.budget.refund(open.map_or(0, |open| open.lent));
                Some(Misplaced::Discard)
            }
        };
        // Redis does not count their words.
        let arity = (!command.takes(args.len())).then_some(Refusal::Arity);
        if let Some(why) = arity.or(wrong.map(Refusal::Misplaced)) {
            self.report.skip(place, args.first().copied().unwrap_or_default(), why);
        }
    }

    fn enqueue(&mut self, place: Place, args: Args<'_, 'a>) {
        let cost = queue::cost(args);
        let lent = self.state.lend(cost);
        match (lent, &mut self.transaction) {
            (Ok(()), Some(open)) => {
                open.lent = open.lent.saturating_add(cost);
                open.queue.push(place, args);
            }
            (Err(full), _) => self.report.skip(place, args.first().copied().unwrap_or_default(), full.into()),
            (Ok(()), None) => {}
        }
    }

    fn execute_queued(&mut self, place: Place, args: Args<'_, 'a>) {
        let name = args.first().copied().unwrap_or_default();
        match table::find(args) {
            Some(command) if command.name == WATCH => {
                self.report.skip(place, name, Refusal::Misplaced(Misplaced::Watch));
            }
            Some(command) => self.execute(place, command, args),
            None => self.report.skip(place, name, Refusal::UnknownCommand),
        }
    }

    #[inline]
    fn execute(&mut self, place: Place, command: &Command, args: Args<'_, 'a>) {
        if let Err(full) = self.watch.command(place, &self.state, args) {
            self.stopped = true;
            return self.note(place, args, Err(full.into()));
        }
        let mut outcome = match command.run {
            _ if !command.takes(args.len()) => Err(Refusal::Arity),
            Some(run) if self.state.keyspace.has_stored() && !command.flags.has(Flags::WHOLE) => {
                self.touch_keys(command, args).and_then(|()| run(&mut self.state, args))
            }
            Some(run) => run(&mut self.state, args),
            None => self.without_effect(place, command, args),
        };
        if outcome.is_ok() && self.state.bounds_elements() {
            outcome = self.count_elements(command, args);
        }
        if outcome.is_err() || self.state.remark.is_some() {
            self.note(place, args, outcome);
        }
    }

    fn touch_keys(&mut self, command: &Command, args: Args<'_, 'a>) -> Result<(), Refusal> {
        command.keys_of(args).into_iter().try_for_each(|key| self.state.touch(key))
    }

    /// Nothing is executed behind a command that made a value of more elements than are allowed.
    #[cold]
    fn count_elements(&mut self, command: &Command, args: Args<'_, 'a>) -> Result<(), Refusal> {
        let counted = command.keys_of(args).into_iter().try_for_each(|key| self.state.count_elements(key));
        self.stopped |= counted.is_err();
        Ok(counted?)
    }

    #[cold]
    fn note(&mut self, place: Place, args: Args<'_, 'a>, outcome: Result<(), Refusal>) {
        let name = args.first().copied().unwrap_or_default();
        let remark = self.state.remark.take();
        match outcome {
            Err(why) => self.report.skip(place, name, why),
            Ok(()) => self.report.remark(place, name, remark.unwrap_or_default()),
        }
    }

    /// A command that changes nothing, or nothing that we know how to change.
    fn without_effect(&mut self, place: Place, command: &Command, args: Args<'_, 'a>) -> Result<(), Refusal> {
        if command.flags.has(Flags::WRITE) {
            return Err(Refusal::NotReplayable("nobody but a server can tell what this command changed"));
        }
        if let (true, &[_, channel, message]) = (command.flags.has(Flags::PUBLISH), args) {
            self.report.publish(channel);
            let heard = self.watch.message(place, channel, message);
            self.stopped |= heard.is_err();
            heard?;
        } else {
            self.report.without_effect = self.report.without_effect.saturating_add(1);
        }
        if command.name == WATCH {
            self.state.remark("a server may leave out the next transaction: no server logs WATCH");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{Budget, Limits};

    #[test]
    fn a_value_of_too_many_elements_ends_the_replay() {
        let mut engine = Engine::new(Like::default());
        engine.state_mut().budget = Budget::within(Limits { elements: 2, ..Limits::default() });
        for command in ["SET text longer", "RPUSH l a b", "SADD s a b", "SUNIONSTORE t s s", "SADD t a"] {
            feed(&mut engine, command);
        }
        assert!(!engine.stopped());
        feed(&mut engine, "RPUSH l c");
        feed(&mut engine, "SET more x");
        let (keyspace, report, ()) = engine.finish();
        let why: Vec<_> = report.skipped.first.iter().map(|noted| (&*noted.argv0, noted.why)).collect();
        assert_eq!(why, [(&b"RPUSH"[..], Refusal::Memory(Exhausted::of_elements(2)))]);
        assert!(keyspace.db(DbIndex(0)).unwrap().entry(b"more").is_none());
    }

    fn feed(engine: &mut Engine<'static>, command: &'static str) {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        engine.feed(Place::default(), &words);
    }

    #[test]
    fn an_open_transaction_is_charged_and_given_back() {
        for end in ["EXEC", "DISCARD", "the log ends"] {
            let mut engine = Engine::new(Like::default());
            engine.state_mut().budget = Budget::new(10_000);
            feed(&mut engine, "MULTI");
            for _ in 0..20 {
                feed(&mut engine, "PING");
            }
            let held = engine.state().budget.spent();
            assert!(held >= 20 * 40, "{held}");
            if end == "the log ends" {
                engine.end_part()
            } else {
                feed(&mut engine, end)
            }
            assert_eq!(engine.state().budget.spent(), 0, "{end}");
        }
    }

    /// What is skipped of commands, one a line, and the keys that there are then.
    fn replayed(commands: &'static str) -> (Vec<(u64, &'static str)>, Vec<Vec<u8>>) {
        let mut engine = Engine::new(Like::redis(7, 0));
        for (offset, command) in (0..).zip(commands.split(", ")) {
            let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
            engine.feed(Place { offset, ..Place::default() }, &words);
        }
        let (keyspace, report, ()) = engine.finish();
        let keys = keyspace.dbs().flat_map(|(_, db)| db.iter()).map(|entry| entry.key.to_vec()).collect();
        (report.skipped.first.iter().map(|noted| (noted.place.offset, noted.why.code())).collect(), keys)
    }

    /// As Redis 7.0.15 does, but for what makes it die.
    #[test]
    fn brackets_of_transactions_are_taken_as_servers_take_them() {
        type Skipped = &'static [(u64, &'static str)];
        let cases: [(&str, Skipped, &str); 11] = [
            ("MULTI, SET a 1, MULTI, SET b 1, EXEC, SET c 1", &[(2, "aof-open-multi")], "abc"),
            ("MULTI, SET a 1, DISCARD, SET b 1", &[(2, "aof-discard")], "b"),
            ("MULTI, SET a 1, DISCARD, SET b 1, EXEC", &[(2, "aof-discard"), (4, "aof-exec-without-multi")], "b"),
            ("DISCARD, SET b 1", &[(0, "aof-discard")], "b"),
            ("SET a 1, EXEC, SET b 1", &[(1, "aof-exec-without-multi")], "ab"),
            ("WATCH a, MULTI, SET a 1, EXEC, UNWATCH", &[], "a"),
            ("MULTI, WATCH a, SET a 1, EXEC", &[(1, "aof-watch")], "a"),
            ("MULTI, UNWATCH, SET a 1, EXEC", &[], "a"),
            ("MULTI x, SET a 1, EXEC", &[(0, "aof-wrong-arity")], "a"),
            ("MULTI, SET a 1, EXEC x, SET b 1", &[(2, "aof-wrong-arity")], "ab"),
            ("SET a 1, MULTI, SET b 1", &[(1, "aof-open-multi")], "a"),
        ];
        for (commands, skipped, keys) in cases {
            let keys: Vec<Vec<u8>> = keys.bytes().map(|key| vec![key]).collect();
            assert_eq!(replayed(commands), (skipped.to_vec(), keys), "{commands}");
        }
    }

    #[test]
    fn nothing_of_a_transaction_is_executed_behind_a_value_of_too_many_elements() {
        let mut engine = Engine::new(Like::default());
        engine.state_mut().budget = Budget::within(Limits { elements: 2, ..Limits::default() });
        for command in ["MULTI", "RPUSH l a b c", "SET more x", "EXEC"] {
            feed(&mut engine, command);
        }
        assert!(engine.stopped() && !engine.state_mut().db().contains(b"more"));
    }

    #[test]
    fn a_transaction_that_does_not_fit_in_memory_is_refused() {
        let mut engine = Engine::new(Like::default());
        engine.state_mut().budget = Budget::new(10_000);
        feed(&mut engine, "MULTI");
        for _ in 0..1000 {
            feed(&mut engine, "PING");
        }
        let report = engine.report();
        assert!(report.skipped.total > 500 && report.lost == report.skipped.total);
        assert!(matches!(report.skipped.first[0].why, Refusal::Memory(_)));
    }
}

//! What commands work on: the keyspace, the selected database, the time, and which server to be.

use super::refusal::Refusal;
use crate::bytes::{Budget, Exhausted, Limits};
use crate::keyspace::load::decode;
use crate::keyspace::{Db, Keyspace, Like, Value, elements};
use crate::rdb::{self, Buffers};
use crate::value::{DbIndex, Kind, UnixMillis};

/// The words of one command, its name first.
pub type Args<'c, 'a> = &'c [&'a [u8]];

/// Executes a command whose number of words fits the command table.
///
/// # Errors
/// A [`Refusal`]: then nothing has changed.
pub type Handler = for<'a> fn(&mut State<'a>, Args<'_, 'a>) -> Result<(), Refusal>;

/// The default of `proto-max-bulk-len`.
pub(super) const MAX_BULK: usize = 512 << 20;

/// The state of a replay.
#[derive(Debug)]
pub struct State<'a> {
    /// All keys.
    pub keyspace: Keyspace<'a>,
    /// The selected database.
    pub db: DbIndex,
    /// Which server to behave like.
    pub like: Like,
    /// The time of the command, by the last annotation, or the time given for the whole input.
    pub now: UnixMillis,
    /// What growth is charged to.
    pub budget: Budget,
    /// The longest string a command may build. Since 7.0 servers have no limit of their own while they load.
    pub longest_string: usize,
    /// Refuse what this server does not take of a payload of `RESTORE`. Else a newer one may have written it.
    pub knows_its_versions: bool,
    /// What the command at hand left open, if anything.
    pub(super) remark: Option<&'static str>,
    charged: u64,
    since_count: u64,
}

impl<'a> State<'a> {
    /// An empty keyspace.
    #[must_use]
    pub fn new(like: Like) -> Self {
        Self {
            keyspace: Keyspace::default(),
            db: DbIndex(0),
            like,
            now: UnixMillis(0),
            budget: Budget::default(),
            longest_string: if like.at_least_redis(7, 0) { usize::MAX } else { MAX_BULK },
            knows_its_versions: false,
            remark: None,
            charged: 0,
            since_count: 0,
        }
    }

    /// The selected database.
    #[inline]
    pub fn db(&mut self) -> &mut Db<'a> {
        self.keyspace.db_mut(self.db)
    }

    /// Charge what a command is about to add beyond the bytes of the log. What the keyspace gave up since is
    /// only seen when the account is empty: then the keyspace is counted.
    ///
    /// # Errors
    /// [`Exhausted`] when the budget does not hold it.
    pub fn charge(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.lend(bytes)?;
        self.charged = self.charged.saturating_add(bytes);
        self.since_count = self.since_count.saturating_add(bytes);
        Ok(())
    }

    /// Charge what is needed for a while outside of the keyspace. To be given back to the budget.
    ///
    /// # Errors
    /// [`Exhausted`] when the budget does not hold it.
    pub(super) fn lend(&mut self, bytes: u64) -> Result<(), Exhausted> {
        if self.budget.charge(bytes).is_err() {
            self.recount();
            self.budget.charge(bytes)?;
        }
        Ok(())
    }

    /// Give back what is charged and no longer there. Not again before a good part was charged anew: it looks at
    /// every key.
    #[cold]
    fn recount(&mut self) {
        if self.since_count <= self.charged / 16 {
            return;
        }
        self.settle();
    }

    /// Give back what is charged and no longer there, or never was: commands are charged the most they may add.
    pub(super) fn settle(&mut self) {
        if self.budget.is_unlimited() {
            return;
        }
        let present = u64::try_from(self.keyspace.heap_bytes()).unwrap_or(u64::MAX);
        let gone = self.charged.saturating_sub(present);
        self.budget.refund(gone);
        self.charged = self.charged.saturating_sub(gone);
        self.since_count = 0;
    }

    /// Is there a limit on the elements of a value that memory does not set anyway?
    #[inline]
    pub(super) fn bounds_elements(&self) -> bool {
        self.budget.limits().elements < Limits::default().elements
    }

    /// Look whether a key of the selected database has no more elements than are allowed.
    ///
    /// # Errors
    /// [`Exhausted`] when it has.
    pub(super) fn count_elements(&mut self, key: &[u8]) -> Result<(), Exhausted> {
        let most = self.budget.limits().elements;
        let buffers = &mut Buffers::new(&self.budget);
        let entry = self.db().entry(key).filter(|entry| entry.value.kind() != Kind::String);
        // A damaged value is found when a command looks into it.
        let count = entry.map_or(0, |entry| elements::count(&entry.value, buffers).unwrap_or(0));
        if count > most { Err(Exhausted::of_elements(most)) } else { Ok(()) }
    }

    /// Decode the value of a key of the selected database, if it is still as a snapshot stored it.
    ///
    /// # Errors
    /// When it is damaged, or memory does not suffice.
    pub fn touch(&mut self, key: &[u8]) -> Result<(), Refusal> {
        let Some(Value::Stored(stored)) = self.db().entry(key).map(|entry| &entry.value) else { return Ok(()) };
        let stored = **stored;
        let mut decoded = decode(&stored, &mut Buffers::new(&self.budget));
        if matches!(&decoded, Err(error) if error.is_exhausted()) {
            self.recount();
            decoded = decode(&stored, &mut Buffers::new(&self.budget));
        }
        let damaged = |error: rdb::Error| match error.exhausted() {
            Some(spent) => Refusal::Memory(spent),
            None => Refusal::NotReplayable("the stored value of a key is damaged"),
        };
        let Some(value) = decoded.map_err(damaged)? else { return Ok(()) };
        self.charge(value.heap_bytes())?;
        if let Some(entry) = self.db().entry_mut(key) {
            entry.value = value;
        }
        Ok(())
    }

    /// Say that the command at hand was executed, but in a way that a server may not have.
    pub fn remark(&mut self, what: &'static str) {
        self.remark = Some(what);
    }
}

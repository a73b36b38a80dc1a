//! What commands work on: the keyspace, the selected database, the time, and which server to be.

use super::refusal::Refusal;
use crate::bytes::{Budget, Exhausted};
use crate::keyspace::{Db, Keyspace, Like};
use crate::value::{DbIndex, UnixMillis};

/// The words of one command, its name first.
pub type Args<'c, 'a> = &'c [&'a [u8]];

/// Executes a command whose number of words fits the command table.
///
/// # Errors
/// A [`Refusal`]: then nothing has changed.
pub type Handler = for<'a> fn(&mut State<'a>, Args<'_, 'a>) -> Result<(), Refusal>;

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
    /// The longest string a command may build (`proto-max-bulk-len`).
    pub longest_string: usize,
    /// What the command at hand left open, if anything.
    pub(super) remark: Option<&'static str>,
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
            longest_string: 512 << 20,
            remark: None,
        }
    }

    /// The selected database.
    #[inline]
    pub fn db(&mut self) -> &mut Db<'a> {
        self.keyspace.db_mut(self.db)
    }

    /// Charge what a command is about to add beyond the bytes of the log.
    ///
    /// # Errors
    /// [`Exhausted`] when the budget does not hold it.
    pub fn charge(&self, bytes: usize) -> Result<(), Exhausted> {
        self.budget.charge(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// Say that the command at hand was executed, but in a way that a server may not have.
    pub fn remark(&mut self, what: &'static str) {
        self.remark = Some(what);
    }
}

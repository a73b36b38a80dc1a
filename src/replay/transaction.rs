//! A transaction: commands that are executed together at `EXEC`, or not at all.

use super::queue::Queue;
use super::report::Place;
use crate::value::DbIndex;

/// An open transaction.
#[derive(Debug)]
pub(super) struct Transaction<'a> {
    /// Where its `MULTI` is.
    pub(super) place: Place,
    /// The database that was selected there.
    pub(super) db: DbIndex,
    /// What is to be executed.
    pub(super) queue: Queue<'a>,
    /// What the queue is charged with.
    pub(super) lent: u64,
}

impl Transaction<'_> {
    pub(super) fn new(place: Place, db: DbIndex) -> Self {
        Self { place, db, queue: Queue::default(), lent: 0 }
    }
}

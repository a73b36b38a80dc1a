//! A transaction: commands that are executed together at `EXEC`, or not at all.

use super::report::Place;
use super::state::Args;
use crate::value::DbIndex;

/// An open transaction.
#[derive(Debug)]
pub(super) struct Transaction<'a> {
    /// Where its `MULTI` is.
    pub(super) place: Place,
    /// The database that was selected there.
    pub(super) db: DbIndex,
    commands: Vec<(Place, usize)>,
    words: Vec<&'a [u8]>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(place: Place, db: DbIndex) -> Self {
        Self { place, db, commands: Vec::new(), words: Vec::new() }
    }

    pub(super) fn queue(&mut self, place: Place, args: Args<'_, 'a>) {
        self.words.extend_from_slice(args);
        self.commands.push((place, args.len()));
    }

    /// Hand out the commands in their order.
    pub(super) fn run(self, mut execute: impl FnMut(Place, Args<'_, 'a>)) {
        let mut rest = self.words.as_slice();
        for (place, len) in self.commands {
            let Some((args, others)) = rest.split_at_checked(len) else { return };
            rest = others;
            execute(place, args);
        }
    }
}

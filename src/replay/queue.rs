//! Commands kept for a moment.

use super::report::Place;
use super::state::Args;
use crate::keyspace::Entry;
use crate::value::Blob;

/// What a key takes, in a table that may be half empty; also an entry of a stream.
pub(super) const COMMAND_BYTES: usize = 2 * (size_of::<Option<Entry<'_>>>() + size_of::<[u64; 2]>());
/// What an element takes, in a table that may be half empty.
const WORD_BYTES: usize = 2 * (size_of::<Blob<'_>>() + size_of::<[u64; 2]>());

/// Commands in their order, in two vectors rather than one each.
#[derive(Debug, Default)]
pub(super) struct Queue<'a> {
    commands: Vec<(Place, usize)>,
    words: Vec<&'a [u8]>,
}

/// What a command takes here. The vectors have room for up to twice as many as they hold.
pub(super) fn cost(args: Args<'_, '_>) -> u64 {
    let words = args.len().saturating_mul(size_of::<&[u8]>());
    let bytes = words.saturating_add(size_of::<(Place, usize)>()).saturating_mul(2);
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

impl<'a> Queue<'a> {
    pub(super) fn push(&mut self, place: Place, args: Args<'_, 'a>) {
        self.words.extend_from_slice(args);
        self.commands.push((place, args.len()));
    }

    pub(super) fn len(&self) -> usize {
        self.commands.len()
    }

    /// The most that executing them makes the keyspace grow, values that commands build from others aside.
    pub(super) fn growth(&self) -> usize {
        let commands = self.commands.len().saturating_mul(COMMAND_BYTES);
        commands.saturating_add(self.words.len().saturating_mul(WORD_BYTES))
    }

    pub(super) fn clear(&mut self) {
        self.commands.clear();
        self.words.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, Args<'_, 'a>)> {
        let mut rest = self.words.as_slice();
        self.commands.iter().map_while(move |&(place, len)| {
            let (args, others) = rest.split_at_checked(len)?;
            rest = others;
            Some((place, args))
        })
    }
}

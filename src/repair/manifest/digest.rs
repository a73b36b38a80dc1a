//! What parts of a set make, as a digest.

use super::Part;
use crate::bytes::source;
use crate::input::Content;
use crate::keyspace::digest::{self, Digest};
use crate::replay::engine::Engine;
use crate::replay::load;

/// Parts that were replayed one after the other.
pub(super) struct Replayed<'a> {
    engine: Engine<'a>,
    parts: u32,
}

impl<'a> Replayed<'a> {
    /// Nothing yet; as the server does that wrote this base.
    pub(super) fn new(base: &'a Part, options: &source::Options) -> Self {
        let mut engine = Engine::new(load::producer(base.bytes()).unwrap_or_default());
        engine.state_mut().budget = options.budget.clone();
        Self { engine, parts: 0 }
    }

    /// One part more; nothing when not all of it can be replayed.
    pub(super) fn part(mut self, part: &'a Part) -> Option<Self> {
        if part.content != Content::Empty {
            self.engine.replay_part(self.parts, part.bytes()).ok()?;
        }
        self.engine.end_part();
        self.parts = self.parts.saturating_add(1);
        (self.engine.report().skipped.total == 0).then_some(self)
    }

    pub(super) fn digest(&self) -> Digest {
        let state = self.engine.state();
        digest::of_keyspace(&state.keyspace, state.like)
    }
}

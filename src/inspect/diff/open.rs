//! An input as a side: a single RDB image is read where it lies, anything else is loaded into a keyspace.

use std::fmt;

use super::side::{KeyspaceSide, RdbSide, Side};
use crate::bytes::Budget;
use crate::input::sniff::Content;
use crate::input::{Input, Part, Role};
use crate::keyspace::{Keyspace, Like};
use crate::rdb::{Dialect, Reader, Record};
use crate::replay::load::producer;
use crate::replay::{self, Engine, Report};

/// An input that can be compared.
#[derive(Debug)]
pub enum Loaded<'i> {
    /// Read where it lies.
    Image(RdbSide<'i>),
    /// Rebuilt; the report says what could not be executed.
    Rebuilt(Keyspace<'i>, Report<'i>),
}

/// A part of an input could not be read.
#[derive(Debug)]
pub struct Error {
    /// The part's name.
    pub part: String,
    /// What is wrong with it.
    pub error: replay::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.error)
    }
}

impl std::error::Error for Error {}

impl<'i> Loaded<'i> {
    /// Open an input. Commands are executed as `like` does it: by default the server that wrote the first part's image.
    ///
    /// # Errors
    /// When a part is damaged.
    pub fn open(input: &'i Input, like: Option<Like>, budget: &Budget) -> Result<Self, Error> {
        if let [part] = input.parts.as_slice()
            && part.content == Content::Rdb
            && is_plain(part.bytes())
        {
            let side = RdbSide::new(part.bytes(), budget);
            return side.map(Self::Image).map_err(|error| Error::of(part, error.into()));
        }
        let first = input.parts.first().and_then(|part| producer(part.bytes()));
        let mut engine = Engine::new(like.or(first).unwrap_or_default());
        engine.state_mut().budget = budget.clone();
        for (number, part) in (0u32..).zip(&input.parts) {
            if part.role != Role::Summary && part.content != Content::Empty {
                engine.replay_part(number, part.bytes()).map_err(|error| Error::of(part, error))?;
            }
        }
        let (keyspace, report, ()) = engine.finish();
        Ok(Self::Rebuilt(keyspace, report))
    }

    /// As a side of a comparison.
    #[must_use]
    pub fn side(&self) -> Box<dyn Side + '_> {
        match self {
            Self::Image(image) => Box::new(image),
            Self::Rebuilt(keyspace, _) => Box::new(KeyspaceSide::new(keyspace)),
        }
    }

    /// What could not be executed, for an input with commands.
    #[must_use]
    pub fn report(&self) -> Option<&Report<'i>> {
        match self {
            Self::Image(_) => None,
            Self::Rebuilt(_, report) => Some(report),
        }
    }
}

impl Error {
    fn of(part: &Part, error: replay::Error) -> Self {
        Self { part: part.name.clone(), error }
    }
}

/// No image of Dragonfly's, whose records may be compressed or in pieces. Its AUX fields, which come first, tell.
fn is_plain(image: &[u8]) -> bool {
    let Ok(mut reader) = Reader::new(image) else { return true };
    while let Ok(Some(Record::Aux { .. })) = reader.next_record() {}
    reader.dialect() != Dialect::Dragonfly
}

//! An input as a side: a single RDB image is read where it lies, anything else is loaded into a keyspace.

use super::side::{KeyspaceSide, RdbSide, Side};
use crate::input::sniff::Content;
use crate::input::{Input, Part};
use crate::rdb::{Dialect, Reader, Record};
use crate::replay;
use crate::replay::whole::{self, Damage, NoSuchPart, Options, Outcome};

/// An input that can be compared.
#[derive(Debug)]
pub enum Loaded<'i> {
    /// Read where it lies.
    Image(RdbSide<'i>),
    /// Rebuilt; what came of it says what could not be executed, and what is wrong though it could be read.
    Rebuilt(Box<Outcome<'i>>),
}

/// An input could not be opened as a side.
#[derive(Debug)]
pub enum Error {
    /// A part of it could not be read.
    Damaged {
        /// The part's name.
        part: String,
        /// What is wrong with it.
        error: replay::Error,
    },
    /// The options name a part that is not there.
    NoSuchPart(NoSuchPart),
}

impl<'i> Loaded<'i> {
    /// Open an input. Commands are executed as the options have it.
    ///
    /// # Errors
    /// When a part is damaged, or the options name one that is not there.
    pub fn open(input: &'i Input, options: &Options) -> Result<Self, Error> {
        if let [part] = input.parts.as_slice()
            && part.content == Content::Rdb
            && is_plain(part.bytes())
        {
            let side = RdbSide::new(part.bytes(), &options.budget);
            return side.map(Self::Image).map_err(|error| Error::of(Some(part), error.into()));
        }
        let mut outcome = whole::replay(input, options, (), &mut |_| {}).map_err(Error::NoSuchPart)?;
        match outcome.damage.take() {
            Some(Damage { part, error, ends: true }) => Err(Error::of(input.parts.get(part), error)),
            flaw => Ok(Self::Rebuilt(Box::new(Outcome { damage: flaw, ..outcome }))),
        }
    }

    /// As a side of a comparison.
    #[must_use]
    pub fn side(&self) -> Box<dyn Side + '_> {
        match self {
            Self::Image(image) => Box::new(image),
            Self::Rebuilt(outcome) => Box::new(KeyspaceSide::new(&outcome.keyspace)),
        }
    }
}

impl Error {
    fn of(part: Option<&Part>, error: replay::Error) -> Self {
        Self::Damaged { part: part.map_or_else(String::new, |part| part.name.clone()), error }
    }
}

/// No image of Dragonfly's, whose records may be compressed or in pieces. Its AUX fields, which come first, tell.
fn is_plain(image: &[u8]) -> bool {
    let Ok(mut reader) = Reader::new(image) else { return true };
    while let Ok(Some(Record::Aux { .. })) = reader.next_record() {}
    reader.dialect() != Dialect::Dragonfly
}

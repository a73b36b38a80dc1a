//! Why a command was not executed.

use crate::bytes::Exhausted;
use crate::keyspace::WrongType;
use std::fmt;

/// Why a command changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A key holds a value of another type than the command works on.
    WrongType,
    /// Too few or too many words.
    Arity,
    /// No server that we know has this command.
    UnknownCommand,
    /// A server would answer with an error too.
    Invalid(&'static str),
    /// A server would have executed it, and we cannot: the keyspace may differ from here on.
    NotReplayable(&'static str),
    /// The memory budget is used up, or another limit is reached.
    Memory(Exhausted),
}

impl Refusal {
    /// What most commands say of options they do not know.
    pub const SYNTAX: Self = Self::Invalid("syntax error");
    /// What most commands say of a word that should be a 64-bit integer.
    pub const NOT_AN_INTEGER: Self = Self::Invalid("a word is not an integer or out of range");
    /// What most commands say of a word that should be a number.
    pub const NOT_A_FLOAT: Self = Self::Invalid("a word is not a valid float");

    /// Would a server have changed something here, so that what follows may be wrong?
    #[must_use]
    pub fn loses_state(self) -> bool {
        matches!(self, Self::UnknownCommand | Self::NotReplayable(_) | Self::Memory(_))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType => f.write_str("the key holds a value of another type"),
            Self::Arity => f.write_str("wrong number of words"),
            Self::UnknownCommand => f.write_str("unknown command"),
            Self::Invalid(why) | Self::NotReplayable(why) => f.write_str(why),
            Self::Memory(spent) => spent.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<WrongType> for Refusal {
    fn from(_: WrongType) -> Self {
        Self::WrongType
    }
}

impl From<Exhausted> for Refusal {
    fn from(spent: Exhausted) -> Self {
        Self::Memory(spent)
    }
}

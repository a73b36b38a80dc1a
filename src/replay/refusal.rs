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
    /// A bracket of a transaction where it does not belong.
    Misplaced(Misplaced),
    /// The memory budget is used up, or another limit is reached.
    Memory(Exhausted),
}

/// What is wrong with a bracket of a transaction, or with a command that is about transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// `MULTI` without `EXEC`: servers forget the transaction at the end of the log.
    Open,
    /// `MULTI` within a transaction: servers execute both as one.
    Nested,
    /// `EXEC` without `MULTI`: servers go on.
    NotOpen,
    /// `DISCARD`, which no server logs: one behind `MULTI` makes servers die at the next `EXEC`.
    Discard,
    /// `WATCH`, which no server logs, within a transaction: Redis goes on, Valkey dies.
    Watch,
}

impl Misplaced {
    /// Stable, kebab-case; what `check` and `repair` call it, too.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open | Self::Nested => "aof-open-multi",
            Self::NotOpen => "aof-exec-without-multi",
            Self::Discard => "aof-discard",
            Self::Watch => "aof-watch",
        }
    }
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "the transaction is never executed",
            Self::Nested => "MULTI within a transaction",
            Self::NotOpen => "EXEC without MULTI",
            Self::Discard => "DISCARD, which no server logs",
            Self::Watch => "WATCH within a transaction",
        })
    }
}

impl Refusal {
    /// What most commands say of options they do not know.
    pub const SYNTAX: Self = Self::Invalid("syntax error");
    /// What most commands say of a word that should be a 64-bit integer.
    pub const NOT_AN_INTEGER: Self = Self::Invalid("a word is not an integer or out of range");
    /// What most commands say of a word that should be a number.
    pub const NOT_A_FLOAT: Self = Self::Invalid("a word is not a valid float");

    /// What went wrong, in a word: stable, kebab-case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WrongType | Self::Invalid(_) => "replay-command-fails",
            Self::Arity => "aof-wrong-arity",
            Self::UnknownCommand => "aof-unknown-command",
            Self::NotReplayable(_) => "replay-not-executed",
            Self::Misplaced(misplaced) => misplaced.code(),
            Self::Memory(spent) => spent.code(),
        }
    }

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
            Self::Misplaced(misplaced) => misplaced.fmt(f),
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

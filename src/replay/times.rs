//! Expiry times given in one of the ways servers take them.

use super::args::{Words, integer};
use super::refusal::Refusal;
use super::state::State;
use crate::value::UnixMillis;

/// How an expiry time is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Seconds from now (`EX`, `EXPIRE`).
    Seconds,
    /// Milliseconds from now (`PX`, `PEXPIRE`).
    Millis,
    /// Unix seconds (`EXAT`, `EXPIREAT`).
    UnixSeconds,
    /// Unix milliseconds (`PXAT`, `PEXPIREAT`).
    UnixMillis,
}

impl Unit {
    /// The option of `SET`, `GETEX`, `HSETEX` and the like that names it.
    fn named(option: &[u8]) -> Option<Self> {
        Some(match option.to_ascii_uppercase().as_slice() {
            b"EX" => Self::Seconds,
            b"PX" => Self::Millis,
            b"EXAT" => Self::UnixSeconds,
            b"PXAT" => Self::UnixMillis,
            _ => return None,
        })
    }

    fn is_relative(self) -> bool {
        matches!(self, Self::Seconds | Self::Millis)
    }

    /// The absolute time. Zero and negative ones are for the caller to judge.
    ///
    /// # Errors
    /// When it does not fit 64 bits.
    pub(super) fn resolve(self, number: i64, state: &mut State<'_>) -> Result<UnixMillis, Refusal> {
        let scale = if matches!(self, Self::Seconds | Self::UnixSeconds) { 1000 } else { 1 };
        let mut at = number.checked_mul(scale);
        if self.is_relative() {
            at = at.and_then(|at| at.checked_add(state.now.0));
            state.remark("a relative time is counted from the last time the log tells");
        }
        at.map(UnixMillis).ok_or(INVALID_TIME)
    }
}

const INVALID_TIME: Refusal = Refusal::Invalid("invalid expire time");

/// What a command does with an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Ttl {
    /// No option given.
    #[default]
    Unsaid,
    /// `KEEPTTL`
    Keep,
    /// `PERSIST`
    Persist,
    /// A time.
    At(UnixMillis),
}

impl Ttl {
    /// Take the option `word` with its time, when it is one of `EX PX EXAT PXAT KEEPTTL PERSIST`.
    ///
    /// # Errors
    /// When there is another one already, or its time is none.
    pub(super) fn option(
        &mut self,
        word: &[u8],
        words: &mut Words<'_, '_>,
        state: &mut State<'_>,
    ) -> Result<bool, Refusal> {
        let ttl = if let Some(unit) = Unit::named(word) {
            Self::At(positive(unit, words.need()?, state)?)
        } else if word.eq_ignore_ascii_case(b"KEEPTTL") {
            Self::Keep
        } else if word.eq_ignore_ascii_case(b"PERSIST") {
            Self::Persist
        } else {
            return Ok(false);
        };
        if *self != Self::Unsaid {
            return Err(Refusal::SYNTAX);
        }
        *self = ttl;
        Ok(true)
    }

    /// What a key that expires at `old` expires at when its value is replaced.
    pub(super) fn of_replaced(self, old: Option<UnixMillis>) -> Option<UnixMillis> {
        match self {
            Self::Unsaid | Self::Persist => None,
            Self::Keep => old,
            Self::At(at) => Some(at),
        }
    }
}

/// A time that must lie after the beginning of 1970: `SET`, `SETEX`, `GETEX`.
///
/// # Errors
/// When it is not a number, too large, or not positive.
pub(super) fn positive(unit: Unit, word: &[u8], state: &mut State<'_>) -> Result<UnixMillis, Refusal> {
    let number = integer(word)?;
    if number <= 0 {
        return Err(INVALID_TIME);
    }
    unit.resolve(number, state)
}

/// `NX`, `XX`, `GT`, `LT` of the `EXPIRE` and `HEXPIRE` families.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OnlyIf {
    absent: bool,
    present: bool,
    greater: bool,
    less: bool,
}

impl OnlyIf {
    /// Take one of the options; false when the word is another.
    pub(super) fn option(&mut self, word: &[u8]) -> bool {
        match word.to_ascii_uppercase().as_slice() {
            b"NX" => self.absent = true,
            b"XX" => self.present = true,
            b"GT" => self.greater = true,
            b"LT" => self.less = true,
            _ => return false,
        }
        true
    }

    /// # Errors
    /// When options exclude each other.
    pub(super) fn check(self) -> Result<(), Refusal> {
        let clash = self.absent && (self.present || self.greater || self.less) || self.greater && self.less;
        if clash { Err(Refusal::Invalid("NX, XX, GT and LT exclude each other")) } else { Ok(()) }
    }

    /// May an expiry be set over the present one?
    pub(super) fn allows(self, old: Option<UnixMillis>, new: UnixMillis) -> bool {
        !(self.absent && old.is_some()
            || self.present && old.is_none()
            || self.greater && old.is_none_or(|old| new <= old)
            || self.less && old.is_some_and(|old| new >= old))
    }
}

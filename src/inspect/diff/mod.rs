//! Two inputs compared by meaning: encodings, and the order of sets and hashes, do not matter.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`side`] | one of the two inputs: an RDB image, or a keyspace rebuilt from a log |
//! | [`open`] | an input as a side |
//! | [`index`] | the keys of the second input by hash: 16 bytes each, and the room of a table |
//! | [`meaning`] | a value without its encoding |
//! | [`inside`] | what differs within two values |
//! | [`stream`] | what differs within two streams |
//! | [`list`] | what was put into a list and taken from it |
//! | [`json`] | a difference as a line of JSON |
//! | [`prefixes`] | how much differs under each prefix of the keys |
//!
//! 1. Index the keys of the second input.
//! 2. Go through the first. A key that the second has not was removed. Where the stored values are the same bytes, nothing
//!    is decoded; else both are, and compared.
//! 3. What is left in the index was added.
//!
//! When the index does not fit the budget, this is done for a half, a quarter … of all keys at a time.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod index;
pub mod inside;
pub mod json;
pub mod list;
pub(crate) mod meaning;
pub mod open;
pub mod prefixes;
pub mod side;
pub mod stream;

pub use inside::{Change, Inside, Part, Shown};
pub use meaning::Meaning;
pub use open::Loaded;
pub use side::{Content, KeyspaceSide, Place, RdbSide, Side, Subject};

use crate::bytes::Budget;
use crate::rdb::{self, Buffers, ErrorKind};
use crate::value::{DbIndex, Kind, UnixMillis};
use index::{Index, Portion};

/// Shares of the keys are not made smaller than this.
const MOST_PORTIONS: u64 = 1 << 12;

/// How inputs are compared.
#[expect(missing_debug_implementations, reason = "holds a function")]
pub struct Options<'o> {
    /// Pays for the index and for decoded values.
    pub budget: Budget,
    /// Which keys count; a key counts when it does on either side.
    pub takes: &'o dyn Fn(&Subject<'_>) -> bool,
    /// The most differences within one value that are listed; the rest is counted.
    pub max_inside: usize,
    /// Decode values that exist on one side only.
    pub values: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { budget: Budget::default(), takes: &|_| true, max_inside: 10, values: false }
    }
}

/// Which of the two inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The first.
    A,
    /// The second.
    B,
}

/// The comparison could not go on.
#[derive(Debug)]
pub enum Error {
    /// An input is damaged, or more memory is needed than there may be.
    Read(Which, rdb::Error),
    /// What was found could not be handed on.
    Output(std::io::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(_, error) => error.fmt(f),
            Self::Output(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

/// What is known of a key on one side.
#[derive(Debug)]
pub struct State<'m> {
    /// The type.
    pub kind: Kind,
    /// Elements; bytes of a string.
    pub length: u64,
    /// When it expires.
    pub expiry: Option<UnixMillis>,
    /// The value, where it was decoded.
    pub value: Option<Meaning<'m>>,
}

/// What about a key differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct What {
    /// The type (and with it the value).
    pub kind: bool,
    /// The value.
    pub value: bool,
    /// The time of expiry.
    pub expiry: bool,
}

impl What {
    fn any(self) -> bool {
        self.kind || self.value || self.expiry
    }
}

/// A key that differs.
#[derive(Debug)]
pub struct Difference<'m> {
    /// The database.
    pub db: DbIndex,
    /// The key.
    pub key: &'m [u8],
    /// Added, removed or changed.
    pub change: Change,
    /// What differs; nothing for a key that is on one side only.
    pub what: What,
    /// The key in the first input.
    pub a: Option<&'m State<'m>>,
    /// The key in the second input.
    pub b: Option<&'m State<'m>>,
    /// What differs within the values.
    pub inside: &'m [Inside<'m>],
    /// How many more differences there are within.
    pub more_inside: u64,
}

/// How many keys were compared and differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// On both sides, the same.
    pub same: u64,
    /// Only in the second.
    pub added: u64,
    /// Only in the first.
    pub removed: u64,
    /// On both sides, not the same.
    pub changed: u64,
}

impl Totals {
    /// Nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.added == 0 && self.removed == 0 && self.changed == 0
    }
}

/// Compare two inputs; each difference goes to `report`: first what was removed or changed, in the order of the first
/// input, then what was added, in the order of the second.
///
/// # Errors
/// When an input is damaged, memory does not suffice, or `report` fails.
pub fn diff(
    a: &dyn Side,
    b: &dyn Side,
    options: &Options<'_>,
    report: &mut dyn FnMut(&Difference<'_>) -> std::io::Result<()>,
) -> Result<Totals, Error> {
    let mut run = Run { options, buffers: Buffers::new(&options.budget), totals: Totals::default(), report };
    let mut portion = Portion::WHOLE;
    loop {
        match Index::build(b, portion, &options.budget) {
            Ok(index) => {
                run.portion(a, b, portion, index)?;
                match portion.next() {
                    Some(next) => portion = next,
                    None => return Ok(run.totals),
                }
            }
            Err(error) if error.is_exhausted() && portion.of < MOST_PORTIONS && portion.is_first() => {
                portion = portion.halved();
            }
            Err(error) => return Err(Error::Read(Which::B, error)),
        }
    }
}

struct Run<'r, 'o> {
    options: &'r Options<'o>,
    buffers: Buffers,
    totals: Totals,
    report: &'r mut dyn FnMut(&Difference<'_>) -> std::io::Result<()>,
}

impl Run<'_, '_> {
    fn portion(&mut self, a: &dyn Side, b: &dyn Side, portion: Portion, mut index: Index) -> Result<(), Error> {
        let mut stopped = None;
        a.each(&mut |_, of_a| {
            if !portion.takes(of_a.db, &of_a.key) {
                return true;
            }
            let found = index.take(b, of_a.db, &of_a.key);
            match self.key(&of_a, found.as_ref()) {
                Ok(()) => true,
                Err(error) => {
                    stopped = Some(error);
                    false
                }
            }
        })
        .map_err(|error| Error::Read(Which::A, error))?;
        if let Some(error) = stopped {
            return Err(error);
        }
        for place in index.into_left() {
            if let Some(of_b) = b.at(place) {
                self.one_sided(&of_b, Which::B)?;
            }
        }
        Ok(())
    }

    fn key(&mut self, a: &Subject<'_>, b: Option<&Subject<'_>>) -> Result<(), Error> {
        match b {
            None => self.one_sided(a, Which::A),
            Some(b) if (self.options.takes)(a) || (self.options.takes)(b) => self.both(a, b),
            Some(_) => Ok(()),
        }
    }

    fn one_sided(&mut self, subject: &Subject<'_>, which: Which) -> Result<(), Error> {
        if !(self.options.takes)(subject) {
            return Ok(());
        }
        let read = |error| Error::Read(which, error);
        let _charge = if self.options.values { Some(self.charge(subject).map_err(read)?) } else { None };
        let state = State {
            kind: subject.kind(),
            length: subject.count(&mut self.buffers).map_err(read)?,
            expiry: subject.expiry,
            value: match self.options.values {
                true => Some(Meaning::of(subject, &mut self.buffers).map_err(read)?),
                false => None,
            },
        };
        let (change, total, a, b) = match which {
            Which::A => (Change::Removed, &mut self.totals.removed, Some(&state), None),
            Which::B => (Change::Added, &mut self.totals.added, None, Some(&state)),
        };
        *total = total.saturating_add(1);
        (self.report)(&Difference {
            db: subject.db,
            key: &subject.key,
            change,
            what: What::default(),
            a,
            b,
            inside: &[],
            more_inside: 0,
        })?;
        Ok(())
    }

    fn both(&mut self, a: &Subject<'_>, b: &Subject<'_>) -> Result<(), Error> {
        let expiry = a.expiry != b.expiry;
        if a.is_stored_like(b) {
            if !expiry {
                self.totals.same = self.totals.same.saturating_add(1);
                return Ok(());
            }
            if !self.options.values {
                let what = What { expiry, ..What::default() };
                let (a_state, b_state) = (self.outline(a, Which::A)?, self.outline(b, Which::B)?);
                return self.changed(a, what, &a_state, &b_state);
            }
        }
        let _charges = (
            self.charge(a).map_err(|error| Error::Read(Which::A, error))?,
            self.charge(b).map_err(|error| Error::Read(Which::B, error))?,
        );
        let (a_state, b_state) = (self.decoded(a, Which::A)?, self.decoded(b, Which::B)?);
        let kind = a_state.kind != b_state.kind;
        let value = !kind && a_state.value != b_state.value;
        let what = What { kind, value, expiry };
        if what.any() {
            return self.changed(a, what, &a_state, &b_state);
        }
        self.totals.same = self.totals.same.saturating_add(1);
        Ok(())
    }

    fn changed(&mut self, subject: &Subject<'_>, what: What, a: &State<'_>, b: &State<'_>) -> Result<(), Error> {
        self.totals.changed = self.totals.changed.saturating_add(1);
        let found = match (&a.value, &b.value) {
            (Some(a), Some(b)) if what.value => inside::differences(a, b, self.options.max_inside),
            _ => inside::Found::default(),
        };
        (self.report)(&Difference {
            db: subject.db,
            key: &subject.key,
            change: Change::Changed,
            what,
            a: Some(a),
            b: Some(b),
            inside: &found.listed,
            more_inside: found.more,
        })?;
        Ok(())
    }

    /// Type, length and expiry, with nothing decoded.
    fn outline<'m>(&mut self, subject: &Subject<'m>, which: Which) -> Result<State<'m>, Error> {
        let length = subject.count(&mut self.buffers).map_err(|error| Error::Read(which, error))?;
        Ok(State { kind: subject.kind(), length, expiry: subject.expiry, value: None })
    }

    fn decoded<'m>(&mut self, subject: &Subject<'m>, which: Which) -> Result<State<'m>, Error> {
        let value = Meaning::of(subject, &mut self.buffers).map_err(|error| Error::Read(which, error))?;
        Ok(State { kind: subject.kind(), length: value.len(), expiry: subject.expiry, value: Some(value) })
    }

    /// Pay for a decoded value until it is dropped.
    fn charge(&mut self, subject: &Subject<'_>) -> rdb::Result<Charge> {
        let bytes = subject.decoded_bytes(&mut self.buffers)?;
        let budget = self.options.budget.clone();
        budget.charge(bytes).map_err(|e| rdb::Error::new(subject.offset(), ErrorKind::Exhausted(e)))?;
        Ok(Charge { budget, bytes })
    }
}

/// Paid until it is dropped.
struct Charge {
    budget: Budget,
    bytes: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.refund(self.bytes);
    }
}

#[cfg(test)]
mod tests;

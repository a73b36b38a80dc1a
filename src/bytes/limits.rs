//! What an untrusted file may make us spend.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Bounds on what a file may ask for. The defaults hold for any genuine file.
///
/// They go with a [`Budget`] to whatever reads, replays, exports or converts. What goes beyond one is refused with
/// [`Exhausted`]; only what is nested too deep, or too large to be decoded as a module's value, is shown as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Total bytes that may be allocated on behalf of an input (decompressed strings, tables, rebuilt values). There is
    /// no bound unless one is set: `--max-memory`.
    pub memory: u64,
    /// Elements that one value may have: 2³² − 1, the most that servers promise to hold. They are counted as they are
    /// met, as what a header claims may be damage.
    pub elements: u64,
    /// Deepest nesting of anything that nests (JSON and CBOR inside module values): 128, as RedisJSON has it, and never
    /// more.
    pub depth: u32,
    /// Total bytes that may be written of an input. There is no bound unless one is set.
    pub output: u64,
}

impl Limits {
    /// Deeper than this is not even looked at, so that recursion is bounded.
    pub const DEEPEST: u32 = 128;
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: u64::MAX, elements: u32::MAX.into(), depth: Self::DEEPEST, output: u64::MAX }
    }
}

/// What there is a limit of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// [`Limits::memory`]
    Memory,
    /// [`Limits::elements`]
    Elements,
    /// [`Limits::output`]
    Output,
}

/// A limit does not allow another `wanted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// What there is not enough of.
    pub resource: Resource,
    /// What was asked for.
    pub wanted: u64,
    /// The whole limit.
    pub limit: u64,
}

impl Exhausted {
    /// A value has more elements than `limit`.
    #[cold]
    #[must_use]
    pub fn of_elements(limit: u64) -> Self {
        Self { resource: Resource::Elements, wanted: 1, limit }
    }

    /// Stable, kebab-case; listed in `docs/codes.md`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self.resource {
            Resource::Memory => "memory-budget",
            Resource::Elements => "more-elements-than-allowed",
            Resource::Output => "more-output-than-allowed",
        }
    }

    /// What the reader of the message can do next.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self.resource {
            Resource::Memory => "give more with --max-memory",
            Resource::Elements => "allow more elements, if the file is trusted",
            Resource::Output => "allow more output, if the file is trusted",
        }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wanted, limit, .. } = self;
        match self.resource {
            Resource::Memory => write!(f, "{wanted} more bytes would be needed, the memory budget is {limit} in all"),
            Resource::Elements => write!(f, "the value has more than the {limit} elements that are allowed"),
            Resource::Output => write!(f, "another {wanted} bytes would be written, {limit} are allowed in all"),
        }
    }
}

impl std::error::Error for Exhausted {}

impl From<Exhausted> for io::Error {
    fn from(spent: Exhausted) -> Self {
        Self::other(spent)
    }
}

/// A shared account that allocations are charged to before they are made, and the limits that go with it.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<Account>);

#[derive(Debug, Default)]
struct Account {
    spent: AtomicU64,
    written: AtomicU64,
    refused: OnceLock<Exhausted>,
    limits: Limits,
}

impl Budget {
    /// An account with a limit in bytes.
    #[must_use]
    pub fn new(memory: u64) -> Self {
        Self::within(Limits { memory, ..Limits::default() })
    }

    /// An account with all limits.
    #[must_use]
    pub fn within(limits: Limits) -> Self {
        Self(Arc::new(Account { limits, ..Account::default() }))
    }

    /// The limits.
    #[must_use]
    #[inline]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Take `wanted` bytes from the account.
    ///
    /// # Errors
    /// [`Exhausted`] when they are not there; nothing is taken then.
    pub fn charge(&self, wanted: u64) -> Result<(), Exhausted> {
        let limit = self.0.limits.memory;
        take(&self.0.spent, wanted, limit).ok_or_else(|| {
            let spent = Exhausted { resource: Resource::Memory, wanted, limit };
            self.0.refused.get_or_init(|| spent);
            spent
        })
    }

    /// The first charge that was refused, if one was: what was done without it may be less than could be done.
    #[must_use]
    pub fn refused(&self) -> Option<Exhausted> {
        self.0.refused.get().copied()
    }

    /// An account of its own with what is left in this one.
    #[must_use]
    pub fn rest(&self) -> Self {
        Self::within(Limits { memory: self.left(), ..self.0.limits })
    }

    /// So many more bytes are written.
    ///
    /// # Errors
    /// [`Exhausted`] when they would be too many; they are not to be written then.
    pub fn write(&self, wanted: u64) -> Result<(), Exhausted> {
        let limit = self.0.limits.output;
        take(&self.0.written, wanted, limit).ok_or(Exhausted { resource: Resource::Output, wanted, limit })
    }

    /// Give bytes back.
    pub fn refund(&self, bytes: u64) {
        let _ =
            self.0.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| Some(spent.saturating_sub(bytes)));
    }

    /// True for an account without a limit of memory.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.0.limits.memory == u64::MAX
    }

    /// What may still be taken.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.0.limits.memory.saturating_sub(self.spent())
    }

    /// What is taken at present.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.0.spent.load(Ordering::Relaxed)
    }
}

/// Count `wanted` unless the sum would exceed the limit.
fn take(counter: &AtomicU64, wanted: u64, limit: u64) -> Option<()> {
    let sum = |before: u64| before.checked_add(wanted).filter(|&total| total <= limit);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum).is_ok().then_some(())
}

/// What something took from an account; dropping it gives that back.
#[derive(Debug, Default)]
pub struct Charge {
    budget: Budget,
    bytes: u64,
}

impl Charge {
    /// Nothing yet.
    #[must_use]
    pub fn new(budget: &Budget) -> Self {
        Self { budget: budget.clone(), bytes: 0 }
    }

    /// Take more.
    ///
    /// # Errors
    /// As [`Budget::charge`].
    pub fn add(&mut self, bytes: u64) -> Result<(), Exhausted> {
        self.budget.charge(bytes)?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// Take what is missing to a total.
    ///
    /// # Errors
    /// As [`Budget::charge`].
    #[inline]
    pub fn raise_to(&mut self, total: u64) -> Result<(), Exhausted> {
        match total.checked_sub(self.bytes) {
            Some(more @ 1..) => self.add(more),
            _ => Ok(()),
        }
    }

    /// The account.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.budget.refund(self.bytes);
        }
    }
}

/// A stream whose bytes are counted against [`Limits::output`] before they are written.
#[derive(Debug)]
pub struct Metered<'b, W> {
    out: W,
    budget: &'b Budget,
}

impl<'b, W: Write> Metered<'b, W> {
    /// Count what is written to `out`.
    pub fn new(out: W, budget: &'b Budget) -> Self {
        Self { out, budget }
    }
}

impl<W: Write> Write for Metered<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.budget.write(bytes.len() as u64)?;
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// How many elements a claim of `count` may make us reserve room for, when `remaining` bytes are left
/// and no element takes fewer than `smallest` bytes.
#[must_use]
pub fn believable(count: u64, remaining: u64, smallest: u64) -> usize {
    let fits = remaining.checked_div(smallest).unwrap_or(remaining);
    usize::try_from(count.min(fits)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_refuses_what_it_does_not_hold() {
        let budget = Budget::new(10);
        assert_eq!(budget.charge(8), Ok(()));
        assert_eq!(budget.charge(3), Err(Exhausted { resource: Resource::Memory, wanted: 3, limit: 10 }));
        budget.refund(8);
        assert_eq!(budget.charge(10), Ok(()));
        assert!(Budget::new(u64::MAX).charge(u64::MAX).is_ok());
    }

    #[test]
    fn what_is_charged_is_given_back_when_its_holder_is_gone() {
        let budget = Budget::new(10);
        let mut charge = Charge::new(&budget);
        assert_eq!((charge.add(3), charge.raise_to(7), charge.raise_to(2)), (Ok(()), Ok(()), Ok(())));
        assert_eq!(budget.spent(), 7);
        assert!(charge.add(4).is_err());
        drop(charge);
        assert_eq!(budget.spent(), 0);
    }

    #[test]
    fn what_is_written_is_counted_apart_from_memory() {
        let budget = Budget::within(Limits { memory: 1, output: 10, ..Limits::default() });
        assert_eq!((budget.write(6), budget.write(4)), (Ok(()), Ok(())));
        let spent = budget.write(1).unwrap_err();
        assert_eq!(spent, Exhausted { resource: Resource::Output, wanted: 1, limit: 10 });
        assert_eq!((spent.code(), budget.charge(1)), ("more-output-than-allowed", Ok(())));
    }

    #[test]
    fn claims_are_cut_to_the_bytes_present() {
        assert_eq!(believable(u64::MAX, 100, 2), 50);
        assert_eq!(believable(3, 100, 2), 3);
        assert_eq!(believable(3, 100, 0), 3);
    }
}

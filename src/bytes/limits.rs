//! What an untrusted file may make us spend.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds on what a file may ask for. The defaults hold for any genuine file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Total bytes that may be allocated on behalf of an input (decompressed strings, tables, rebuilt values).
    pub memory: u64,
    /// Deepest nesting of anything that nests (JSON inside module values).
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: u64::MAX, depth: 128 }
    }
}

/// A shared account that allocations are charged to before they are made.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    spent: AtomicU64,
    limit: u64,
}

impl Default for Account {
    fn default() -> Self {
        Self { spent: AtomicU64::new(0), limit: u64::MAX }
    }
}

/// The budget does not hold another `wanted` bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// What was asked for.
    pub wanted: u64,
    /// The whole budget.
    pub limit: u64,
}

impl Budget {
    /// An account with a limit in bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self(Arc::new(Account { spent: AtomicU64::new(0), limit }))
    }

    /// Take `wanted` bytes from the account.
    ///
    /// # Errors
    /// [`Exhausted`] when they are not there; nothing is taken then.
    pub fn charge(&self, wanted: u64) -> Result<(), Exhausted> {
        let taken = self.0.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| {
            spent.checked_add(wanted).filter(|&total| total <= self.0.limit)
        });
        taken.map(|_| ()).map_err(|_| Exhausted { wanted, limit: self.0.limit })
    }

    /// Give bytes back.
    pub fn refund(&self, bytes: u64) {
        let _ =
            self.0.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| Some(spent.saturating_sub(bytes)));
    }

    /// True for an account without a limit.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.0.limit == u64::MAX
    }

    /// What may still be taken.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.0.limit.saturating_sub(self.spent())
    }

    /// What is taken at present.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.0.spent.load(Ordering::Relaxed)
    }
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
        assert_eq!(budget.charge(3), Err(Exhausted { wanted: 3, limit: 10 }));
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
    fn claims_are_cut_to_the_bytes_present() {
        assert_eq!(believable(u64::MAX, 100, 2), 50);
        assert_eq!(believable(3, 100, 2), 3);
        assert_eq!(believable(3, 100, 0), 3);
    }
}

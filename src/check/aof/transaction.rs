//! MULTI and EXEC.

/// Is a transaction open, and where did it begin?
#[derive(Debug, Default)]
pub(super) struct Transaction {
    open: Option<u64>,
    /// Its beginning is known to be spoiled, so that an EXEC is to be expected, and has been reported.
    spoiled: bool,
}

/// What a MULTI or an EXEC turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Fine,
    /// A transaction came to its end.
    Closed,
    /// The one before never did.
    Abandoned {
        start: u64,
    },
    /// There was none to come to its end.
    NotOpen,
}

impl Transaction {
    pub(super) fn open(&mut self, offset: u64) -> Step {
        self.spoiled = false;
        match self.open.replace(offset) {
            Some(start) => Step::Abandoned { start },
            None => Step::Fine,
        }
    }

    pub(super) fn close(&mut self) -> Step {
        match (self.open.take(), std::mem::take(&mut self.spoiled)) {
            (Some(_), _) => Step::Closed,
            (None, true) => Step::Fine,
            (None, false) => Step::NotOpen,
        }
    }

    /// It is taken back.
    pub(super) fn discard(&mut self) -> Step {
        match (self.open.take(), std::mem::take(&mut self.spoiled)) {
            (Some(start), _) => Step::Abandoned { start },
            (None, true) => Step::Fine,
            (None, false) => Step::NotOpen,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Something inside it is lost: gives where it began, if it did.
    pub(super) fn damaged(&mut self) -> Option<u64> {
        let start = self.open.take();
        self.spoiled |= start.is_some();
        start
    }
}

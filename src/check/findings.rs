//! Findings as they come in: all are counted, the first ones kept.

use crate::finding::{Finding, Severity};

/// Gathers findings up to a limit.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) findings: Vec<Finding>,
    /// Findings beyond the limit.
    pub(super) more: u64,
    /// The worst of all, those beyond the limit included.
    pub(super) worst: Option<Severity>,
}

/// The findings of one file.
#[derive(Debug)]
pub(super) struct Findings<'n> {
    pub(super) kept: &'n mut Kept,
    pub(super) file: &'n str,
    pub(super) limit: usize,
}

impl Findings<'_> {
    pub(super) fn push(&mut self, finding: Finding) {
        self.kept.worst = self.kept.worst.max(Some(finding.severity));
        if self.kept.findings.len() >= self.limit {
            self.kept.more = self.kept.more.saturating_add(1);
            return;
        }
        let named = if finding.file.is_empty() { finding.in_file(self.file) } else { finding };
        self.kept.findings.push(named);
    }
}

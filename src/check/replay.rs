//! Execution: what cannot be executed of commands that are written well.
//!
//! A server logs what it has done. A command that fails when the log is loaded therefore tells that something before it
//! is missing or has changed, though every record reads well. Up to 6.2 commands that failed within a transaction were
//! logged all the same.

use super::findings::Findings;
use crate::finding::{Finding, Severity};
use crate::input::{Content, Input};
use crate::replay::whole::{self, Options, Outcome};
use crate::replay::{Noted, Refusal};

const STOPPED: &str = "replay-stopped";

/// What a replay of the whole input found, by part.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    findings: Vec<(usize, Finding)>,
    /// Commands that failed beyond those that are kept.
    pub(super) more: u64,
}

/// Execute the logs of an input.
pub(super) fn replay(input: &Input, options: &Options) -> Replayed {
    let is_log = |content: &Content| matches!(content, Content::Aof { .. });
    if !input.parts.iter().any(|part| is_log(&part.content)) {
        return Replayed::default();
    }
    match whole::replay(input, options, (), &mut |_| {}) {
        Ok(outcome) => judge(&outcome),
        // Only of options that name a part.
        Err(_) => Replayed::default(),
    }
}

fn judge(outcome: &Outcome<'_>) -> Replayed {
    let severity = if outcome.like.at_least_redis(7, 0) { Severity::Error } else { Severity::Warning };
    let skipped = &outcome.report.skipped;
    let kept = u64::try_from(skipped.first.len()).unwrap_or(u64::MAX);
    let mut replayed = Replayed { findings: Vec::new(), more: skipped.total.saturating_sub(kept) };
    for one in &skipped.first {
        let part = usize::try_from(one.place.part).unwrap_or(usize::MAX);
        replayed.findings.extend(finding(one, severity).map(|finding| (part, finding)));
    }
    if let Some(damage) = &outcome.damage {
        let finding = Finding::info(STOPPED, damage.error.offset(), "what follows was not executed");
        replayed.findings.push((damage.part, finding));
    }
    replayed
}

/// What to say of a command that was not executed. Those that are unknown, have too few words or are brackets without
/// their counterpart are found without a replay.
fn finding(noted: &Noted<Refusal>, severity: Severity) -> Option<Finding> {
    let (severity, what, hint) = match noted.why {
        Refusal::UnknownCommand | Refusal::Arity | Refusal::Misplaced(_) => return None,
        Refusal::WrongType | Refusal::Invalid(_) => {
            let hint = "a server answers it with an error: what precedes it is not all there";
            (severity, "fails", hint)
        }
        Refusal::NotReplayable(_) => {
            let hint = "a server executes it: what follows is judged without it";
            (Severity::Warning, "is not executed", hint)
        }
        Refusal::Memory(spent) => (Severity::Error, "is not executed", spent.hint()),
    };
    let message = format!("{} {what}: {}", noted.argv0.escape_ascii(), noted.why);
    Some(Finding::new(severity, noted.why.code(), noted.place.offset, message).until(noted.place.end).hint(hint))
}

impl Replayed {
    /// The findings of one part; of commands of which `found` tells already nothing more.
    pub(super) fn tell(&self, part: usize, found: &[u64], findings: &mut Findings<'_>) {
        let is_new = |finding: &Finding| finding.code == STOPPED || !found.contains(&finding.offset);
        let new = self.findings.iter().filter(|(of, finding)| *of == part && is_new(finding));
        new.for_each(|(_, finding)| findings.push(finding.clone()));
    }
}

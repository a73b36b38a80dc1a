//! What a file did, in a few words that are the same for all files that do the same.
//!
//! `ok@KIND:TYPES` · `rejected:CODE@KIND` · `crash@PLACE` · `timeout@STAGE` · `oom`

use std::process::ExitStatus;

/// The five things that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was read.
    Ok,
    /// It was refused, with a code.
    Rejected,
    /// It killed its reader.
    Crash,
    /// It kept its reader busy for too long.
    Timeout,
    /// It made its reader ask for too much memory.
    Oom,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Rejected, Self::Crash, Self::Timeout, Self::Oom];

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rejected => "rejected",
            Self::Crash => "crash",
            Self::Timeout => "timeout",
            Self::Oom => "oom",
        }
    }

    /// That of a signature.
    #[must_use]
    pub fn of(signature: &str) -> Self {
        let word = signature.split(['@', ':']).next();
        Self::ALL.into_iter().find(|outcome| word == Some(outcome.name())).unwrap_or(Self::Crash)
    }

    /// True for what no file may do.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Crash | Self::Timeout | Self::Oom)
    }
}

/// The signature without what tells where: `rejected:CODE`, `crash`.
#[must_use]
pub fn verdict(signature: &str) -> &str {
    signature.split('@').next().unwrap_or(signature)
}

/// What killed a child, by its last words and its status.
pub(super) fn of_death(words: &[u8], status: Option<ExitStatus>) -> String {
    let words = String::from_utf8_lossy(words);
    if words.contains("memory allocation of") {
        return "oom".into();
    }
    if words.contains("has overflowed its stack") {
        return "crash@stack-overflow".into();
    }
    if let Some(place) = words.split("panicked at ").nth(1).and_then(|rest| rest.lines().next()) {
        // FILE:LINE:COLUMN and a colon.
        let mut parts = place.trim_end_matches(':').split(':');
        let (file, line) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        return format!("crash@{file}:{line}");
    }
    match status.and_then(signal_of) {
        // Whoever kills without asking is, where nobody else is there, the system that is out of memory.
        Some(9) => "oom".into(),
        Some(signal) => format!("crash@signal-{signal}"),
        None => format!("crash@exit-{}", status.and_then(|status| status.code()).unwrap_or(-1)),
    }
}

#[cfg(unix)]
fn signal_of(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal_of(_status: ExitStatus) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_tell_what_happened() {
        let panic = b"\nthread 'main' (7) panicked at src/rdb/reader.rs:12:34:\nindex out of bounds\n";
        assert_eq!(of_death(panic, None), "crash@src/rdb/reader.rs:12");
        assert_eq!(of_death(b"memory allocation of 99 bytes failed\n", None), "oom");
        assert_eq!(of_death(b"thread 'main' has overflowed its stack\n", None), "crash@stack-overflow");
        assert_eq!(of_death(b"", None), "crash@exit--1");
    }

    #[cfg(unix)]
    #[test]
    fn signals_and_statuses_tell_the_rest() {
        use std::os::unix::process::ExitStatusExt as _;
        assert_eq!(of_death(b"", Some(ExitStatus::from_raw(9))), "oom");
        assert_eq!(of_death(b"", Some(ExitStatus::from_raw(11))), "crash@signal-11");
        assert_eq!(of_death(b"", Some(ExitStatus::from_raw(3 << 8))), "crash@exit-3");
    }

    #[test]
    fn a_signature_has_an_outcome_and_a_verdict() {
        assert_eq!(Outcome::of("ok@rdb:string-raw"), Outcome::Ok);
        assert_eq!(Outcome::of("rejected:rdb-truncated@rdb"), Outcome::Rejected);
        assert_eq!(Outcome::of("oom"), Outcome::Oom);
        assert_eq!(verdict("rejected:rdb-truncated@rdb"), "rejected:rdb-truncated");
        assert!(Outcome::of("timeout@check").is_failure() && !Outcome::of("ok@aof:commands").is_failure());
    }
}

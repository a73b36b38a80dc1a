//! Logs: frames, names and arity of commands, transactions, times.
//!
//! What `redis-check-aof` finds and what it does not notice (unknown commands, wrong arity, `*0`, a transaction that
//! was left open and swallowed by the next one, times that run backwards), and all of it, not the first only: behind
//! damage it goes on at the next place that proves itself ([`crate::aof::resync`]).

mod recent;
mod transaction;

use super::findings::Findings;
use crate::aof::frame::Tolerated;
use crate::aof::{Annotation, Command, Error, Reader, Record, resync};
use crate::finding::{Finding, Severity};
use crate::replay::Misplaced;
use crate::{input, rdb};
use recent::Recent;
use std::collections::BTreeMap;
use transaction::{Step, Transaction};

/// What a log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    /// Whole commands.
    pub commands: u64,
    /// Whole transactions.
    pub transactions: u64,
    /// The earliest `#TS:` time, Unix seconds.
    pub from: Option<i64>,
    /// The latest.
    pub to: Option<i64>,
    /// The last one, which the next part should not fall behind.
    pub last: Option<i64>,
}

/// How often `progress` is told where the check is.
const PROGRESS: u64 = 1 << 20;
/// The most different names of unknown commands that are kept apart.
const NAMES: usize = 1000;

/// Check the commands of one file from `start` on. `contents` goes on from the part before.
pub(super) fn log(
    input: &[u8],
    start: u64,
    contents: &mut Contents,
    findings: &mut Findings<'_>,
    progress: &mut dyn FnMut(u64),
) {
    let mut log = Log {
        input,
        contents,
        findings,
        db: Some(0),
        transaction: Transaction::default(),
        recent: Recent::default(),
        grouped: BTreeMap::new(),
    };
    let mut reader = Reader::starting_at(input, start).tolerant();
    let mut next_progress = start.saturating_add(PROGRESS);
    loop {
        match reader.next_record() {
            Ok(Some(record)) => log.record(&record),
            Ok(None) => break,
            Err(error) => match log.damage(&error) {
                Some(at) => reader = Reader::starting_at(input, at).tolerant(),
                None => break,
            },
        }
        if reader.offset() >= next_progress {
            progress(reader.offset());
            next_progress = reader.offset().saturating_add(PROGRESS);
        }
    }
    log.finish();
}

struct Log<'i, 'f, 'n> {
    input: &'i [u8],
    contents: &'f mut Contents,
    findings: &'f mut Findings<'n>,
    /// The selected database; unknown behind a gap.
    db: Option<u32>,
    transaction: Transaction,
    recent: Recent<'i>,
    /// Findings of which one a name is enough: the first, and how many there are.
    grouped: BTreeMap<(&'static str, Vec<u8>), (Finding, u64)>,
}

impl<'i> Log<'i, '_, '_> {
    fn push(&mut self, mut finding: Finding) {
        finding.db = self.db;
        self.findings.push(finding);
    }

    fn group(&mut self, name: &[u8], finding: Finding) {
        let room = self.grouped.len() < NAMES;
        let key = (finding.code, name.to_ascii_lowercase());
        match self.grouped.get_mut(&key) {
            Some((_, count)) => *count = count.saturating_add(1),
            None if room => drop(self.grouped.insert(key, (finding, 1))),
            None => self.push(finding),
        }
    }

    #[inline]
    fn record(&mut self, record: &Record<'i, '_>) {
        let tolerated = match record {
            Record::Command(command) => command.tolerated,
            Record::Annotation(annotation) => annotation.tolerated,
        };
        if !tolerated.is_nothing() {
            self.liberty(record, tolerated);
        }
        match record {
            Record::Command(command) => self.command(command),
            // A time that is cut is no time.
            Record::Annotation(_) if tolerated.contains(Tolerated::TORN_ANNOTATION) => {}
            Record::Annotation(annotation) => self.annotation(annotation),
        }
    }

    #[inline]
    fn command(&mut self, command: &Command<'i, '_>) {
        self.contents.commands = self.contents.commands.saturating_add(1);
        match self.recent.find(command.argv) {
            Some(known) if known.takes(command.argv.len()) => {}
            Some(known) => self.wrong_arity(command, known.name),
            None => self.unknown(command),
        }
        // No other command that matters here has a name of these lengths and first letters.
        match command.name() {
            [b'M' | b'm' | b'E' | b'e', _, _, _] | [b'M' | b'm', _, _, _, _] => self.transaction(command),
            [b'D' | b'd', b'I' | b'i', _, _, _, _, _] if command.is("DISCARD") => self.discard(command),
            [b'W' | b'w', b'A' | b'a', _, _, _] if command.is("WATCH") => self.watch(command),
            [b'S' | b's', _, _, _, _, _] if command.is("SELECT") => self.select(command),
            [b'F' | b'f', _, _, _, _, _, ..] if command.is("FLUSHALL") || command.is("FLUSHDB") => self.flush(command),
            _ => {}
        }
    }

    fn transaction(&mut self, command: &Command<'_, '_>) {
        let step = if command.is("MULTI") {
            self.transaction.open(command.offset)
        } else if command.is("EXEC") {
            self.transaction.close()
        } else {
            return;
        };
        match step {
            Step::Fine => {}
            Step::Closed => self.contents.transactions = self.contents.transactions.saturating_add(1),
            Step::Abandoned { start } => {
                let message = format!("MULTI without EXEC: another MULTI follows at offset {}", command.offset);
                self.push(open_multi(start, command.offset, message));
            }
            Step::NotOpen => self.push(
                Finding::error(Misplaced::NotOpen.code(), command.offset, "EXEC without a MULTI before it")
                    .until(command.end)
                    .hint("servers ignore it; if commands are lost before it, they were part of its transaction"),
            ),
        }
    }

    /// Servers log neither it nor what is before it. Up to the next EXEC they notice nothing, and then they die.
    fn discard(&mut self, command: &Command<'_, '_>) {
        let (message, hint) = match self.transaction.discard() {
            Step::Abandoned { start } => (
                format!("DISCARD, which no server logs: the transaction at offset {start} is not executed"),
                "servers die at the next EXEC; `careen repair` leaves both out",
            ),
            Step::NotOpen => ("DISCARD without a MULTI before it".into(), "servers ignore it"),
            Step::Fine | Step::Closed => return,
        };
        self.push(Finding::error(Misplaced::Discard.code(), command.offset, message).until(command.end).hint(hint));
    }

    fn watch(&mut self, command: &Command<'_, '_>) {
        let (severity, message) = if self.transaction.is_open() {
            (Severity::Error, "WATCH within a transaction: Redis goes on, Valkey dies")
        } else {
            (
                Severity::Warning,
                "no server logs WATCH: if the keys change, servers leave out the next transaction, or die",
            )
        };
        self.push(Finding::new(severity, Misplaced::Watch.code(), command.offset, message).until(command.end));
    }

    fn select(&mut self, command: &Command<'_, '_>) {
        self.db = command.selects().or(self.db);
        if command.selects().is_none() && command.argv.len() == 2 {
            let finding = Finding::warning("aof-bad-select", command.offset, "the database is not a number");
            self.push(finding.until(command.end).hint("servers ignore it and stay in the database they were in"));
        }
    }

    fn flush(&mut self, command: &Command<'_, '_>) {
        let message = format!("{} discards what is before it", command.name().escape_ascii());
        let finding = Finding::info("aof-flush", command.offset, message).until(command.end);
        self.group(command.name(), finding.hint("`careen repair --before 'FLUSH*'` takes it back"));
    }

    #[cold]
    fn unknown(&mut self, command: &Command<'_, '_>) {
        let name = command.name();
        // Names with a dot are modules' by custom; what they are called nobody can know.
        let severity = if name.contains(&b'.') { Severity::Warning } else { Severity::Error };
        let shown = name.get(..64).unwrap_or(name).escape_ascii();
        let message = format!("there is no command `{shown}`");
        let finding = Finding::new(severity, "aof-unknown-command", command.offset, message).until(command.end);
        self.group(name, finding.hint("a server without this command does not load the log"));
    }

    #[cold]
    fn wrong_arity(&mut self, command: &Command<'_, '_>, name: &str) {
        let message = format!("{name} is not a command of {} words", command.argv.len());
        let finding = Finding::error("aof-wrong-arity", command.offset, message).until(command.end);
        self.push(finding.hint("Redis executes it with whatever is in memory, Valkey does not load the log"));
    }

    fn annotation(&mut self, annotation: &Annotation<'_>) {
        let Some(time) = annotation.timestamp() else {
            if annotation.claims_timestamp() {
                let finding = Finding::warning("aof-bad-timestamp", annotation.offset, "`#TS:` without a time");
                self.push(finding.until(annotation.end).hint("servers skip the line; a cut by time cannot"));
            }
            return;
        };
        if let Some(last) = self.contents.last.filter(|&last| time < last) {
            let message = format!("the time {time} is before the one that precedes it, {last}");
            let finding = Finding::warning("aof-time-backwards", annotation.offset, message).until(annotation.end);
            self.push(finding.hint("the clock was set back, or two logs are mixed"));
        }
        let contents = &mut *self.contents;
        contents.last = Some(time);
        contents.from = Some(contents.from.map_or(time, |from| from.min(time)));
        contents.to = Some(contents.to.map_or(time, |to| to.max(time)));
    }

    /// Report what cannot be read. Gives the place where reading goes on.
    #[cold]
    fn damage(&mut self, error: &Error) -> Option<u64> {
        let (mut code, mut message) = (error.code(), error.to_string());
        let mut next = resync::after(self.input, error.record());
        let rest = usize::try_from(error.record()).ok().and_then(|at| self.input.get(at..)).unwrap_or_default();
        if let Some(end) = embedded_image(rest) {
            (code, message) = ("aof-embedded-rdb", "an RDB image in the middle of a log".into());
            next = Some(error.record().saturating_add(end));
        } else if is_converted(rest) {
            (code, message) =
                ("aof-line-ends-converted", "the line ends were converted, by an editor or a transfer".into());
        }
        let end = next.unwrap_or(self.input.len() as u64);
        let lost = end.saturating_sub(error.record());
        let what = if next.is_some() { "until the next whole command" } else { "until the end of the file" };
        message = format!("{message}; {lost} bytes {what}");
        if let Some(start) = self.transaction.damaged() {
            message = format!("{message}, and the transaction at offset {start} is not whole");
        }
        let finding = Finding::error(code, error.record(), message).until(end);
        self.push(match error.hint() {
            Some(hint) => finding.hint(hint),
            None => finding,
        });
        self.db = None;
        next
    }

    /// A record that is not what servers write, and yet what they all read.
    #[cold]
    fn liberty(&mut self, record: &Record<'_, '_>, tolerated: Tolerated) {
        let Err(error) = Reader::starting_at(self.input, record.offset()).next_record() else { return };
        let (severity, code) = match tolerated {
            Tolerated::PADDING => (Severity::Warning, "aof-padded-number"),
            Tolerated::TORN_ANNOTATION => (Severity::Warning, "aof-torn-annotation"),
            _ => (Severity::Error, error.code()),
        };
        let message = format!("{error}; servers let it pass");
        self.push(Finding::new(severity, code, record.offset(), message).until(record.end()));
    }

    fn finish(mut self) {
        if let Some(start) = self.transaction.damaged() {
            let message = "the transaction is never executed: the file ends before its EXEC";
            self.push(open_multi(start, self.input.len() as u64, message.into()));
        }
        for (mut finding, count) in std::mem::take(&mut self.grouped).into_values() {
            if count > 1 {
                finding.message = format!("{} (and {} more of them)", finding.message, count.saturating_sub(1));
            }
            self.findings.push(finding);
        }
    }
}

fn open_multi(start: u64, end: u64, message: String) -> Finding {
    Finding::error(Misplaced::Open.code(), start, message)
        .until(end)
        .hint("servers may take later commands for a part of it and lose them; `careen repair` leaves it out")
}

/// The length of an RDB image that begins here.
fn embedded_image(bytes: &[u8]) -> Option<u64> {
    let magic = bytes.starts_with(b"REDIS0") || bytes.starts_with(b"VALKEY");
    if !magic || rdb::Reader::new(bytes).is_err() {
        return None;
    }
    input::sniff::image_end(bytes).ok()
}

/// `*N` and `$N` lines that end in LF alone, or in CR CR LF.
fn is_converted(bytes: &[u8]) -> bool {
    [&b"\n"[..], b"\r\r\n"].iter().any(|end| {
        let header = |prefix: u8, bytes| {
            let rest = <[u8]>::strip_prefix(bytes, &[prefix])?;
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            rest.get(digits..)?.strip_prefix(*end).filter(|_| digits > 0)
        };
        header(b'*', bytes).and_then(|rest| header(b'$', rest)).is_some()
    })
}

#[cfg(test)]
mod tests;

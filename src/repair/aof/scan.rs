//! Reading a log through its damages.

use super::extent::Unfinished;
use super::mend::{self, Mended};
use super::transactions::{Mark, MarkKind};
use super::{Asked, proof, sectors, sync};
use crate::aof::frame;
use crate::replay::report::Place;
use crate::{input, rdb};
use std::collections::BTreeMap;
use std::ops::Range;

/// What was found in a log.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Gaps and the ends of transactions, in order.
    pub(super) marks: Vec<Mark>,
    /// Commands that were put right, by their offset.
    pub(super) mended: BTreeMap<usize, Mended>,
    /// Stretches that are doubtful and were read all the same, and why.
    pub(super) doubted: Vec<(Range<usize>, &'static str)>,
    /// Stretches in which two sectors had changed places.
    pub(super) exchanged: Vec<Range<usize>>,
    /// Whole commands that are kept.
    pub(super) commands: u64,
    /// Where the log ends, or where it was asked to end.
    pub(super) end: usize,
    /// The database that is selected there.
    pub(super) db: u32,
    /// More of the log was not wanted.
    pub(super) is_cut: bool,
}

/// Read a log from `start` on.
pub(super) fn scan(input: &[u8], start: usize, asked: &Asked<'_>, truncate: bool, keep_doubtful: bool) -> Found {
    let mut scan = Scan {
        input,
        asked,
        truncate,
        keep_doubtful,
        found: Found { end: input.len(), ..Found::default() },
        last: None,
        mends_left: MENDS,
        exchanges_left: EXCHANGES,
        is_db_uncertain: false,
    };
    scan.run(start);
    scan.found
}

/// Trying to mend costs milliseconds; a file with more damages than this is mended no more.
const MENDS: u32 = 1000;
/// So often it is tried in vain to exchange sectors.
const EXCHANGES: u32 = 100;

struct Scan<'a, 's> {
    input: &'a [u8],
    asked: &'s Asked<'s>,
    truncate: bool,
    keep_doubtful: bool,
    found: Found,
    /// The record before, which can be taken back.
    last: Option<Last>,
    mends_left: u32,
    exchanges_left: u32,
    is_db_uncertain: bool,
}

/// How it was before a record.
struct Last {
    start: usize,
    marks: usize,
    commands: u64,
    db: u32,
}

impl<'a> Scan<'a, '_> {
    fn run(&mut self, start: usize) {
        let mut argv: Vec<&'a [u8]> = Vec::with_capacity(16);
        let mut at = start;
        while let Some(&first) = self.input.get(at) {
            if first == b'#'
                && let Some(end) = proof::annotation(self.input, at)
            {
                if self.input.get(at..end).is_some_and(|line| self.is_too_late(line)) {
                    return self.cut(at);
                }
                self.remember(at);
                at = end;
                continue;
            }
            argv.clear();
            at = match frame::strict(self.input, at, &mut argv) {
                Ok(end) => match proof::objection(&argv) {
                    Some(code) => match self.refused(at..end, &argv, code) {
                        Some(next) => next,
                        None => return,
                    },
                    None if self.is_beyond(at..end, &argv) => return self.cut(at),
                    None => self.keep(at..end, &argv),
                },
                Err(error) => match self.damage(at, error.code()) {
                    Some(next) => next,
                    None => return,
                },
            };
        }
    }

    fn is_too_late(&self, line: &[u8]) -> bool {
        let time = proof::timestamp(line);
        time.is_some_and(|seconds| self.asked.is_too_late(seconds))
    }

    fn is_beyond(&self, range: Range<usize>, argv: &[&[u8]]) -> bool {
        let place = Place { part: self.asked.part, offset: range.start as u64, end: range.end as u64 };
        let before = self.asked.commands_before.saturating_add(self.found.commands);
        self.asked.until.is_reached(place, before, argv)
    }

    fn cut(&mut self, at: usize) {
        self.found.end = at;
        self.found.is_cut = true;
    }

    fn remember(&mut self, start: usize) {
        let Found { marks, commands, db, .. } = &self.found;
        self.last = Some(Last { start, marks: marks.len(), commands: *commands, db: *db });
    }

    fn mark(&mut self, kind: MarkKind, range: Range<usize>) {
        let Found { commands, db, .. } = self.found;
        self.found.marks.push(Mark { kind, range, commands, db });
    }

    fn keep(&mut self, range: Range<usize>, argv: &[&[u8]]) -> usize {
        self.remember(range.start);
        let end = range.end;
        if self.asked.drops(argv) {
            self.mark(MarkKind::Asked, range);
            return end;
        }
        match argv {
            [name] if name.eq_ignore_ascii_case(b"MULTI") => self.mark(MarkKind::Multi, range),
            [name] if name.eq_ignore_ascii_case(b"EXEC") => self.mark(MarkKind::Exec, range),
            [name] if name.eq_ignore_ascii_case(b"DISCARD") => self.mark(MarkKind::Discard, range),
            [name, db] if name.eq_ignore_ascii_case(b"SELECT") => {
                if std::mem::take(&mut self.is_db_uncertain) {
                    self.mark(MarkKind::Select, range);
                }
                let number = std::str::from_utf8(db).ok().and_then(|db| db.parse().ok());
                self.found.db = number.unwrap_or(self.found.db);
            }
            _ => {}
        }
        self.found.commands = self.found.commands.saturating_add(1);
        end
    }

    /// A whole frame around what is no command of a log. Where one letter makes it one, that is a guess.
    fn refused(&mut self, range: Range<usize>, argv: &[&[u8]], code: &'static str) -> Option<usize> {
        let named = if self.truncate { None } else { mend::name(self.input, range.clone(), argv) };
        if let Some(mended) = named.clone().filter(|_| self.keep_doubtful) {
            return self.keep_mended(range.start, mended);
        }
        let end = if self.truncate { self.input.len() } else { range.end };
        self.gap(range.start..end, code, named.is_some());
        Some(end)
    }

    fn gap(&mut self, range: Range<usize>, code: &'static str, doubtful: bool) {
        self.is_db_uncertain = true;
        self.last = None;
        if let Some(Mark { kind: MarkKind::Gap { doubtful: before, .. }, range: last, .. }) =
            self.found.marks.last_mut()
            && last.end == range.start
            && *before == doubtful
        {
            last.end = range.end;
            return;
        }
        self.mark(MarkKind::Gap { code, doubtful }, range);
    }

    /// Where reading goes on; nothing when that is beyond what was asked for.
    fn damage(&mut self, at: usize, code: &'static str) -> Option<usize> {
        let start = self.broken_record(at);
        if self.truncate {
            self.gap(start..self.input.len(), code, false);
            return Some(self.input.len());
        }
        if let Some(end) = embedded_image(self.input, at) {
            self.gap(at..end, "aof-embedded-rdb", false);
            return Some(end);
        }
        let found = sync::after(self.input, start);
        let argument = Unfinished::of(self.input, start);
        let holder = argument.filter(|argument| found.is_some_and(|found| argument.holds(self.input, found)));
        let next = match holder {
            Some(argument) => argument.behind(self.input),
            None => found,
        };
        if self.mends_left > 0 {
            self.mends_left -= 1;
            match self.mended(start, next) {
                Some(mended) if mended.doubtful && !self.keep_doubtful => {
                    self.gap(start..mended.end, code, true);
                    return Some(mended.end);
                }
                Some(mended) => return self.keep_mended(start, mended),
                None => {}
            }
        }
        if let Some(restored) = found.and_then(|next| self.exchanged(start, next)) {
            return self.keep_stretch(start, &restored);
        }
        let end = next.unwrap_or(self.input.len());
        let Some(doubtful) = found.filter(|_| holder.is_some()) else {
            self.gap(start..end, name(self.input, start..end, code), false);
            return Some(end);
        };
        self.gap(start..doubtful, code, false);
        if self.keep_doubtful {
            self.found.doubted.push((doubtful..end, code));
            return Some(doubtful);
        }
        self.gap(doubtful..end, code, true);
        Some(end)
    }

    /// Where the broken record begins. A `$` where a record should begin tells that the count of the one before is
    /// too small, and so does a refused one that ends here.
    fn broken_record(&mut self, at: usize) -> usize {
        if self.input.get(at) != Some(&b'$') {
            return at;
        }
        if let Some(last) = self.last.take() {
            self.found.marks.truncate(last.marks);
            self.found.commands = last.commands;
            self.found.db = last.db;
            self.found.mended.remove(&last.start);
            return last.start;
        }
        match self.found.marks.last() {
            Some(Mark { kind: MarkKind::Gap { .. }, range, .. }) if range.end == at => {
                let start = range.start;
                self.found.marks.pop();
                start
            }
            _ => at,
        }
    }

    fn mended(&self, start: usize, next: Option<usize>) -> Option<Mended> {
        let end = next.unwrap_or(self.input.len());
        mend::sloppy(self.input, start)
            .or_else(|| mend::duplicate(self.input, start, next?))
            .or_else(|| mend::header(self.input, start, end))
            .or_else(|| mend::line_end(self.input, start, end))
    }

    fn keep_mended(&mut self, start: usize, mended: Mended) -> Option<usize> {
        let bytes = mended.bytes.clone();
        let mut argv = Vec::new();
        frame::strict(&bytes, 0, &mut argv).ok()?;
        let range = start..mended.end;
        if self.is_beyond(range.clone(), &argv) {
            self.cut(start);
            return None;
        }
        let end = self.keep(range, &argv);
        if !self.asked.drops(&argv) {
            self.found.mended.insert(start, mended);
        }
        Some(end)
    }

    fn exchanged(&mut self, start: usize, next: usize) -> Option<sectors::Restored> {
        self.exchanges_left = self.exchanges_left.checked_sub(1)?;
        let restored = sectors::restore(self.input, start, next)?;
        self.exchanges_left += 1;
        Some(restored)
    }

    /// Keep records that are as long as what stands in their place.
    fn keep_stretch(&mut self, start: usize, restored: &sectors::Restored) -> Option<usize> {
        let bytes = &restored.bytes[..];
        let [first, second] = &restored.blocks;
        self.found.exchanged.push(first.start..second.end);
        let mut at = 0;
        while at < bytes.len() {
            let mut argv = Vec::new();
            let line = proof::annotation(bytes, at);
            let end = line.or_else(|| frame::strict(bytes, at, &mut argv).ok())?;
            let record = bytes.get(at..end)?;
            let range = start + at..start + end;
            let is_beyond =
                if line.is_some() { self.is_too_late(record) } else { self.is_beyond(range.clone(), &argv) };
            if is_beyond {
                self.cut(range.start);
                return None;
            }
            if line.is_none() {
                self.keep(range.clone(), &argv);
            }
            if self.input.get(range.clone()) != Some(record) && !self.asked.drops(&argv) {
                self.found.mended.insert(range.start, edit(self.input, range, record));
            }
            at = end;
        }
        Some(start + at)
    }
}

/// How a record that is restored differs from what stands in its place.
fn edit(input: &[u8], range: Range<usize>, bytes: &[u8]) -> Mended {
    let was = input.get(range.clone()).unwrap_or_default();
    let edit = mend::Edit::between(range.start, was, bytes);
    Mended { end: range.end, edit, bytes: bytes.to_vec(), doubtful: false }
}

/// The end of an RDB image that begins here.
fn embedded_image(input: &[u8], at: usize) -> Option<usize> {
    let rest = input.get(at..)?;
    let magic = rest.starts_with(b"REDIS0") || rest.starts_with(b"VALKEY");
    if !magic || rdb::Reader::new(rest).is_err() {
        return None;
    }
    let len = input::sniff::image_end(rest).ok().and_then(|len| usize::try_from(len).ok())?;
    at.checked_add(len).filter(|&end| end <= input.len())
}

/// What a gap is.
fn name(input: &[u8], gap: Range<usize>, code: &'static str) -> &'static str {
    let bytes = input.get(gap).unwrap_or_default();
    if bytes.iter().all(|&byte| byte == 0) { "aof-zeros" } else { code }
}

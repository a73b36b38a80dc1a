//! Planning the repair of a log.
//!
//! | module | what it owns |
//! | --- | --- |
//! | `scan` | reading on through damage |
//! | `proof` | what can be a command of a log |
//! | `extent` | how far an unfinished argument reaches |
//! | `sync` | where the log goes on behind damage |
//! | `mend` | commands that can be put right |
//! | `sectors` | sectors that have changed places |
//! | `transactions` | what is left out because the rest of its transaction is lost |
//! | `touched` | keys of lost commands that are written on |
//! | `lines` | converted line ends |
//! | `keys` | which keys the lost bytes speak of |
//!
//! A command is proven by its frame, so everything intact before and behind a damage is kept. An RDB preamble is
//! repaired as an image ([`super::rdb`]) and what follows it as a log.

mod extent;
mod keys;
mod lines;
mod mend;
mod proof;
mod scan;
mod sectors;
mod sync;
mod touched;
mod transactions;

use super::plan::{Correction, LEFT_OUT, Lost, Mode, Note, Piece, Plan};
use super::rdb::{self, Refusal};
use crate::aof::writer;
use crate::input::sniff;
use crate::replay::until::{TextGlob, Until};
use scan::Found;
use std::ops::Range;
use transactions::{Mark, MarkKind};

/// How a log is repaired.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// For the RDB preamble, and how far to go.
    pub image: rdb::Options,
    /// How much of the log is wanted.
    pub until: Until,
    /// Commands to leave out.
    pub drop: Vec<TextGlob>,
}

/// What is wanted of the log.
struct Asked<'o> {
    until: &'o Until,
    drop: &'o [TextGlob],
    part: u32,
    commands_before: u64,
}

impl Asked<'_> {
    fn is_too_late(&self, seconds: i64) -> bool {
        self.until.is_later(crate::value::UnixMillis(seconds.saturating_mul(1000)))
    }

    /// Commands that open, close or select are never left out alone.
    fn drops(&self, argv: &[&[u8]]) -> bool {
        let frame = ["MULTI", "EXEC", "SELECT"];
        let is_frame =
            argv.first().is_some_and(|name| frame.iter().any(|word| name.eq_ignore_ascii_case(word.as_bytes())));
        !self.drop.is_empty() && !is_frame && self.drop.iter().any(|glob| glob.matches(argv))
    }
}

/// The plan for a part of a set.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What is going to be done.
    pub plan: Plan,
    /// Nothing behind it is wanted.
    pub is_cut: bool,
}

/// Plan the repair of a file that is or ends in a log. It is the `part`-th of its set, and `commands_before` are kept
/// of those before it.
///
/// # Errors
/// When only what is proven was wanted, and the file is damaged; or when a preamble does not begin like one.
pub fn plan(
    file: &[u8],
    has_preamble: bool,
    (part, commands_before): (u32, u64),
    options: &Options,
    progress: &mut dyn FnMut(f64),
) -> Result<Planned, Refusal> {
    let asked = Asked { until: &options.until, drop: &options.drop, part, commands_before };
    if !has_preamble {
        return log(file, 0, &asked, options, Plan::default());
    }
    let tail = tail(file);
    let image = file.get(..tail).unwrap_or(file);
    let plan = match rdb::plan(image, &options.image, progress) {
        // So little is left of the image that nothing in it can be found.
        Err(Refusal::NoHeader) if tail < file.len() => return log(file, 0, &asked, options, Plan::default()),
        plan => plan?,
    };
    if options.image.mode == Mode::Truncate && !plan.is_whole() {
        return Ok(Planned { plan: without(plan, tail..file.len()), is_cut: false });
    }
    log(file, tail, &asked, options, plan)
}

/// Behind the first place where a log goes on, so far the end of the image is looked for.
const TAIL_SEARCH: usize = 1 << 20;

/// Where the log begins behind an image: at its end, or, when it is damaged, at the first place where a log goes on
/// and an image can end, or the first command of a run that goes on behind the place where the image cannot be read on.
fn tail(file: &[u8]) -> usize {
    let failure = match sniff::image_end(file) {
        Ok(end) => {
            let end = usize::try_from(end).unwrap_or(file.len());
            if proof::may_begin(file, end) {
                return end;
            }
            end
        }
        Err(error) => usize::try_from(error.offset()).unwrap_or(0),
    };
    let mut at = 9;
    let mut first = None;
    while let Some(next) = sync::after(file, at) {
        let ends_image = next.checked_sub(9).and_then(|mark| file.get(mark)) == Some(&0xff);
        if ends_image {
            return next;
        }
        if next >= failure {
            let first = *first.get_or_insert(next);
            if next.saturating_sub(first) > TAIL_SEARCH {
                break;
            }
            at = next;
        } else {
            // Commands in a value of the image end with it; those that the failure swallowed go on.
            let end = sync::run(file, next, failure);
            if end > failure || end == file.len() {
                return next;
            }
            at = next.max(end.saturating_sub(1));
        }
    }
    first.unwrap_or(file.len())
}

fn without(mut plan: Plan, range: Range<usize>) -> Plan {
    plan.lost.push(Lost {
        offset: range.start as u64,
        end: range.end as u64,
        code: "aof-behind-damage",
        keys: Vec::new(),
    });
    plan.lost.retain(|lost| lost.offset < lost.end || lost.code != "aof-behind-damage");
    plan
}

/// Plan the log from `start` on; `plan` is that of the bytes before.
fn log(file: &[u8], start: usize, asked: &Asked<'_>, options: &Options, plan: Plan) -> Result<Planned, Refusal> {
    let truncate = options.image.mode == Mode::Truncate;
    let keep_doubtful = options.image.keep_doubtful;
    let found = scan::scan(file, start, asked, truncate, keep_doubtful);
    let is_damaged = found.marks.iter().any(|mark| matches!(mark.kind, MarkKind::Gap { .. }));
    if options.image.mode == Mode::Exact && (is_damaged || !found.mended.is_empty()) {
        return Err(Refusal::NotProven);
    }
    let converted = if is_damaged && !truncate { lines::restore(file, start) } else { None };
    if let Some(converted) = converted {
        let again = scan::scan(&converted.bytes, start, asked, truncate, keep_doubtful);
        if again.commands > found.commands {
            return Ok(reconverted(file, start, &converted, again, plan));
        }
    }
    let is_cut = found.is_cut;
    Ok(Planned { plan: Assembly { file, plan, found }.finish(start), is_cut })
}

/// The plan of a log whose line ends were put back, in terms of the file as it is.
fn reconverted(file: &[u8], start: usize, converted: &lines::Converted, found: Found, before: Plan) -> Planned {
    let is_cut = found.is_cut;
    let head = before.pieces.len();
    let mut plan = Assembly { file: &converted.bytes, plan: before, found }.finish(start);
    for piece in plan.pieces.iter_mut().skip(head.saturating_sub(1)) {
        if let Piece::Input(range) = piece
            && range.end > start as u64
        {
            let (from, to) = (usize::try_from(range.start).unwrap_or(0), usize::try_from(range.end).unwrap_or(0));
            *piece = Piece::Bytes(converted.bytes.get(from..to).unwrap_or_default().to_vec());
        }
    }
    for lost in plan.lost.iter_mut().chain(&mut plan.doubtful) {
        (lost.offset, lost.end) = (converted.original(lost.offset), converted.original(lost.end));
    }
    for correction in &mut plan.corrected {
        correction.offset = converted.original(correction.offset);
    }
    for note in &mut plan.notes {
        (note.offset, note.end) = (converted.original(note.offset), converted.original(note.end));
    }
    let whole =
        Note { offset: start as u64, end: file.len() as u64, code: "aof-line-ends-converted", keys: Vec::new() };
    plan.notes.insert(0, whole);
    plan.notes.extend(converted.uncertain.iter().map(|range| Note {
        offset: range.start as u64,
        end: range.end as u64,
        code: "aof-line-ends-uncertain",
        keys: Vec::new(),
    }));
    Planned { plan, is_cut }
}

/// A plan being put together.
struct Assembly<'a> {
    file: &'a [u8],
    plan: Plan,
    found: Found,
}

/// Bytes that the output lacks.
struct Removed {
    range: Range<usize>,
    code: &'static str,
    doubtful: bool,
    /// What is selected behind it.
    select: Option<u32>,
}

impl Assembly<'_> {
    fn finish(mut self, start: usize) -> Plan {
        let was_proven = start == 0 || self.plan.proven;
        let mut at = start;
        for removed in self.removed() {
            // A transaction that is left out has gaps in it.
            let from = removed.range.start.max(at);
            if from < removed.range.end {
                self.keep(at..from);
                self.lose(from..removed.range.end, &removed);
                at = removed.range.end;
            }
            if let Some(db) = removed.select.filter(|_| at < self.found.end) {
                let mut select = Vec::new();
                writer::encode(&["SELECT", itoa::Buffer::new().format(db)], &mut select);
                self.plan.pieces.push(Piece::Bytes(select));
            }
        }
        self.keep(at..self.found.end);
        self.doubted();
        self.fill();
        self.notes();
        let mut gone = self.plan.lost.clone();
        gone.extend_from_slice(if self.plan.doubtful_is_kept { &[] } else { &self.plan.doubtful });
        gone.sort_by_key(|lost| lost.offset);
        self.plan.notes.extend(touched::touched(self.file, &gone, self.found.end));
        let damaged = !self.plan.lost.is_empty() || !self.plan.doubtful.is_empty() || !self.found.mended.is_empty();
        self.plan.proven = was_proven && !damaged;
        self.plan
    }

    /// Everything that is left out, in order.
    fn removed(&mut self) -> Vec<Removed> {
        let found = &self.found;
        let end = Mark { kind: MarkKind::Asked, range: found.end..found.end, commands: found.commands, db: found.db };
        let drops = transactions::left_out(&found.marks, &end, found.is_cut);
        let dropped: u64 = drops.iter().map(|drop| drop.commands).sum();
        let mut removed: Vec<Removed> = found.marks.iter().filter_map(of_mark).collect();
        for drop in drops {
            removed.extend(around_gaps(drop, &found.marks));
        }
        if found.end < self.file.len() {
            removed.push(Removed { range: found.end..self.file.len(), code: LEFT_OUT, doubtful: false, select: None });
        }
        removed.sort_by_key(|removed| (removed.range.start, removed.range.end));
        self.plan.kept.commands = self.plan.kept.commands.saturating_add(found.commands.saturating_sub(dropped));
        removed
    }

    fn lose(&mut self, range: Range<usize>, removed: &Removed) {
        let bytes = self.file.get(range.clone()).unwrap_or_default();
        let keys = keys::of(bytes);
        let lost = Lost { offset: range.start as u64, end: range.end as u64, code: removed.code, keys };
        if removed.doubtful { self.plan.doubtful.push(lost) } else { self.plan.lost.push(lost) }
    }

    /// An empty file is no log: where nothing is left, a command that changes nothing makes it one.
    fn fill(&mut self) {
        if self.plan.pieces.is_empty() && !self.file.is_empty() {
            let mut select = Vec::new();
            writer::encode(&["SELECT", "0"], &mut select);
            self.plan.pieces.push(Piece::Bytes(select));
        }
    }

    /// What is doubtful and in the output all the same.
    fn doubted(&mut self) {
        for (range, code) in std::mem::take(&mut self.found.doubted) {
            let range = range.start..range.end.min(self.found.end);
            self.plan.doubtful_is_kept = true;
            self.lose(range.clone(), &Removed { range, code, doubtful: true, select: None });
        }
    }

    /// Keep a range, with the commands in it that are put right.
    fn keep(&mut self, range: Range<usize>) {
        let mut at = range.start;
        for (_, mended) in self.found.mended.range(range.clone()) {
            let edit = &mended.edit;
            if mended.end > range.end || edit.range.start < at {
                continue;
            }
            self.plan.keep(at as u64..edit.range.start as u64);
            if !edit.new.is_empty() {
                self.plan.pieces.push(Piece::Bytes(edit.new.clone()));
            }
            let was = self.file.get(edit.range.clone()).unwrap_or_default().to_vec();
            let correction = Correction { offset: edit.range.start as u64, was, now: edit.new.clone() };
            self.plan.corrected.push(correction);
            at = edit.range.end;
        }
        self.plan.keep(at as u64..range.end.max(at) as u64);
    }

    /// Commands behind a gap, up to the next SELECT: their database is a guess.
    fn notes(&mut self) {
        let mut gap: Option<usize> = None;
        let mut note = |from: usize, to: usize| {
            if from < to {
                let code = "aof-db-uncertain";
                self.plan.notes.push(Note { offset: from as u64, end: to as u64, code, keys: Vec::new() });
            }
        };
        for mark in &self.found.marks {
            match mark.kind {
                MarkKind::Gap { .. } => gap = gap.or(Some(mark.range.end)),
                MarkKind::Select => gap.take().into_iter().for_each(|from| note(from, mark.range.start)),
                MarkKind::Multi | MarkKind::Exec | MarkKind::Discard | MarkKind::Asked => {}
            }
        }
        gap.into_iter().for_each(|from| note(from, self.found.end));
        self.plan.notes.extend(self.found.exchanged.iter().map(|range| Note {
            offset: range.start as u64,
            end: range.end as u64,
            code: "aof-sectors-exchanged",
            keys: Vec::new(),
        }));
    }
}

fn of_mark(mark: &Mark) -> Option<Removed> {
    let (code, doubtful) = match mark.kind {
        MarkKind::Gap { code, doubtful } => (code, doubtful),
        MarkKind::Asked => (LEFT_OUT, false),
        MarkKind::Multi | MarkKind::Exec | MarkKind::Discard | MarkKind::Select => return None,
    };
    Some(Removed { range: mark.range.clone(), code, doubtful, select: None })
}

/// A transaction that is left out, less the gaps in it.
fn around_gaps(drop: transactions::Drop, marks: &[Mark]) -> Vec<Removed> {
    let from = marks.partition_point(|mark| mark.range.start < drop.range.start);
    let inside = marks.iter().skip(from).take_while(|mark| mark.range.start < drop.range.end);
    let gaps = inside.filter(|mark| of_mark(mark).is_some());
    let piece = |range, select| Removed { range, code: drop.code, doubtful: false, select };
    let mut pieces = Vec::new();
    let mut at = drop.range.start;
    for gap in gaps {
        if at < gap.range.start {
            pieces.push(piece(at..gap.range.start, None));
        }
        at = gap.range.end;
    }
    pieces.push(piece(at.min(drop.range.end)..drop.range.end, drop.select));
    pieces
}

#[cfg(test)]
mod tests;

//! Transactions are kept whole or not at all.
//!
//! | seen | left out |
//! | --- | --- |
//! | EXEC, a MULTI is open, a gap between | from MULTI to EXEC |
//! | EXEC, no MULTI is open, a gap since the last EXEC | from that gap to EXEC |
//! | EXEC, no MULTI is open, no gap | the EXEC |
//! | DISCARD, a MULTI is open, no gap | from MULTI to DISCARD: servers die of it |
//! | DISCARD otherwise | as EXEC |
//! | MULTI while one is open, a gap between | from MULTI to the gap: EXEC was lost in it |
//! | MULTI while one is open, no gap | to here if the open one is not much longer than others are, else only its MULTI |
//! | the end, a MULTI is open | as in the two rows before |

use crate::repair::plan::LEFT_OUT;
use crate::replay::Misplaced;
use std::ops::Range;

/// What matters for transactions, in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) kind: MarkKind,
    pub(super) range: Range<usize>,
    /// How many commands are kept before it.
    pub(super) commands: u64,
    /// The database that is selected before it.
    pub(super) db: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkKind {
    Multi,
    Exec,
    Discard,
    /// A SELECT behind a gap: the database is known again.
    Select,
    /// Bytes that are not kept, and why.
    Gap {
        code: &'static str,
        doubtful: bool,
    },
    /// A command that was asked to be left out.
    Asked,
}

/// Commands that are left out with their transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drop {
    pub(super) range: Range<usize>,
    pub(super) code: &'static str,
    pub(super) commands: u64,
    /// The database to select behind it, where the one before it is another.
    pub(super) select: Option<u32>,
}

/// The place, what was kept and the database there.
#[derive(Clone, Copy)]
struct Spot {
    at: usize,
    commands: u64,
    db: u32,
}

impl Spot {
    fn before(mark: &Mark) -> Self {
        Self { at: mark.range.start, commands: mark.commands, db: mark.db }
    }

    /// Behind a gap, or a MULTI or EXEC when `own` commands of its own are counted.
    fn behind(mark: &Mark, own: u64) -> Self {
        Self { at: mark.range.end, commands: mark.commands.saturating_add(own), db: mark.db }
    }
}

const OPEN: &str = Misplaced::Open.code();
const NOT_OPEN: &str = Misplaced::NotOpen.code();
const DISCARD: &str = Misplaced::Discard.code();
const BROKEN: &str = "aof-broken-transaction";

struct Open {
    start: Spot,
    /// Behind the MULTI.
    inside: Spot,
    gap: Option<Spot>,
}

/// What to leave out. `end` is the end of the log, with all that is kept; `cut` tells that it was asked for.
pub(super) fn left_out(marks: &[Mark], end: &Mark, cut: bool) -> Vec<Drop> {
    let most = longest(marks).saturating_mul(2).saturating_add(8);
    let mut drops = Vec::new();
    let mut open: Option<Open> = None;
    let mut gap: Option<Spot> = None;
    for mark in marks {
        let here = Spot::before(mark);
        match mark.kind {
            MarkKind::Gap { .. } => {
                gap = Some(Spot::behind(mark, 0));
                if let Some(open) = &mut open {
                    open.gap.get_or_insert(here);
                }
            }
            MarkKind::Multi => {
                drops.extend(open.take().map(|open| abandoned(&open, here, most)));
                open = Some(Open { start: here, inside: Spot::behind(mark, 1), gap: None });
                gap = None;
            }
            MarkKind::Exec | MarkKind::Discard => {
                let behind = Spot::behind(mark, 1);
                let is_exec = mark.kind == MarkKind::Exec;
                match (open.take(), gap.take()) {
                    (Some(Open { start, gap: Some(_), .. }), _) => drops.push(drop(start, behind, BROKEN)),
                    (Some(_), _) if is_exec => {}
                    (Some(Open { start, .. }), _) => drops.push(drop(start, behind, DISCARD)),
                    (None, Some(gap)) if mark.commands.saturating_sub(gap.commands) <= most => {
                        drops.push(drop(gap, behind, BROKEN));
                    }
                    (None, _) => drops.push(drop(here, behind, if is_exec { NOT_OPEN } else { DISCARD })),
                }
                gap = None;
            }
            MarkKind::Select | MarkKind::Asked => {}
        }
    }
    let most = if cut { u64::MAX } else { most };
    let last = open.map(|open| {
        let last = abandoned(&open, Spot::before(end), most);
        // Asked to stop inside of it: it is left out like what follows.
        if cut && open.gap.is_none() { Drop { code: LEFT_OUT, ..last } } else { last }
    });
    drops.extend(last);
    drops
}

fn abandoned(open: &Open, here: Spot, most: u64) -> Drop {
    match open.gap {
        Some(gap) => drop(open.start, gap, BROKEN),
        None if here.commands.saturating_sub(open.start.commands) <= most => drop(open.start, here, OPEN),
        None => drop(open.start, open.inside, OPEN),
    }
}

fn drop(from: Spot, to: Spot, code: &'static str) -> Drop {
    let select = (from.db != to.db).then_some(to.db);
    Drop { range: from.at..to.at, code, commands: to.commands.saturating_sub(from.commands), select }
}

/// Commands of the longest whole transaction.
fn longest(marks: &[Mark]) -> u64 {
    let mut start = None;
    let mut longest = 0;
    for mark in marks {
        match mark.kind {
            MarkKind::Multi => start = Some(mark.commands),
            MarkKind::Exec => {
                longest = longest.max(start.take().map_or(0, |start| mark.commands.saturating_sub(start)));
            }
            MarkKind::Gap { .. } | MarkKind::Discard => start = None,
            MarkKind::Select | MarkKind::Asked => {}
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `M` MULTI, `E` EXEC, `D` DISCARD, `-` a gap, anything else a command; each is one byte long.
    fn kept(log: &str) -> String {
        let gap = MarkKind::Gap { code: "x", doubtful: false };
        let mut marks = Vec::new();
        let mut commands = 0;
        for (at, letter) in log.bytes().enumerate() {
            let kind = match letter {
                b'M' => Some(MarkKind::Multi),
                b'E' => Some(MarkKind::Exec),
                b'D' => Some(MarkKind::Discard),
                b'-' => Some(gap),
                _ => None,
            };
            marks.extend(kind.map(|kind| Mark { kind, range: at..at + 1, commands, db: 0 }));
            commands += u64::from(letter != b'-');
        }
        let end = Mark { kind: gap, range: log.len()..log.len(), commands, db: 0 };
        let mut left: Vec<char> = log.chars().collect();
        let drops = left_out(&marks, &end, false);
        drops.iter().for_each(|drop| left[drop.range.clone()].fill(' '));
        let gone: u64 = drops.iter().map(|drop| drop.commands).sum();
        let kept: String = left.into_iter().filter(|&letter| letter != ' ' && letter != '-').collect();
        assert_eq!(kept.len() as u64, commands - gone, "{log}");
        kept
    }

    #[test]
    fn every_row_of_the_table_holds() {
        for (log, expected) in [
            ("aMbcEd", "aMbcEd"),
            ("aMb-cEd", "ad"),
            ("aMbEc-dEf", "aMbEcf"),
            ("aEb", "ab"),
            ("aMb-cMdEe", "acMdEe"),
            ("aMbMcEd", "aMcEd"),
            ("aMb", "a"),
            ("aMb-c", "ac"),
            ("MaEMbbbbbbbbbbbbbbbbbbbbMcE", "MaEbbbbbbbbbbbbbbbbbbbbMcE"),
            ("a-bcd", "abcd"),
            ("aMbDc", "ac"),
            ("aMbDcEd", "acd"),
            ("aDb", "ab"),
            ("aMb-cDd", "ad"),
            ("aMbEc-dDf", "aMbEcf"),
        ] {
            assert_eq!(kept(log), expected, "{log}");
        }
    }
}

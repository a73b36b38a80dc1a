//! What must hold of the repair of any bytes at all: bodies of fuzz targets, also run by `cargo test`.
//!
//! They panic when something does not hold; that is their purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::plan::{Mode, Piece, Plan};
use super::rdb::{Options, plan};
use super::{aof, apply};
use crate::bytes::Budget;
use crate::check;
use crate::finding::Severity;
use crate::scan::walk;

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

/// Any bytes as an RDB image: what a repair writes passes the check, holds what the plan says, and needs no repair.
pub fn image(data: &[u8]) {
    let walk = walk::Options { threads: 1, budget: Budget::new(64 << 20) };
    for mode in [Mode::Salvage, Mode::Truncate] {
        // Trying the checksum costs more than a fuzzer can spend; `exact` has tests of its own.
        let options = Options { mode, no_exact: true, walk: walk.clone(), ..Options::default() };
        let Ok(plan) = plan(data, &options, &mut |_| {}) else { continue };
        let mut output = Vec::new();
        must(apply::write(&plan, data, &mut output).is_ok(), "memory does not take an output");
        judge(&plan, data, &output, &walk);
    }
}

/// Any bytes as a log, with or without a preamble: what a repair writes is replayed to its end and needs no repair.
pub fn log(data: &[u8]) {
    let preamble = crate::replay::load::is_rdb(data);
    let walk = walk::Options { threads: 1, budget: Budget::new(64 << 20) };
    for mode in [Mode::Salvage, Mode::Truncate] {
        let image = Options { mode, no_exact: true, walk: walk.clone(), ..Options::default() };
        let options = aof::Options { image, ..aof::Options::default() };
        let Ok(planned) = aof::plan(data, preamble, (0, 0), &options, &mut |_| {}) else { continue };
        let mut output = Vec::new();
        must(apply::write(&planned.plan, data, &mut output).is_ok(), "memory does not take an output");
        let mut reader = crate::aof::Reader::new(&output);
        if preamble {
            let Ok(end) = crate::input::sniff::image_end(&output) else { panic!("a preamble is not repaired") };
            reader = crate::aof::Reader::starting_at(&output, end);
        }
        let mut commands = 0u64;
        loop {
            match reader.next_record() {
                Ok(Some(record)) => commands += u64::from(matches!(record, crate::aof::Record::Command(_))),
                Ok(None) => break,
                Err(_) => panic!("an output is not read to its end"),
            }
        }
        // A database may have to be selected where a command that selected it is lost.
        let made = planned.plan.pieces.iter().filter(|piece| matches!(piece, Piece::Bytes(_))).count() as u64;
        let planned = planned.plan.kept.commands..=planned.plan.kept.commands.saturating_add(made);
        must(planned.contains(&commands), "an output has another number of commands than was planned");
        let Ok(again) = aof::plan(&output, preamble, (0, 0), &options, &mut |_| {}) else {
            panic!("an output cannot be repaired")
        };
        must(again.plan.is_whole(), "an output needs a repair");
    }
}

fn judge(plan: &Plan, input: &[u8], output: &[u8], walk: &walk::Options) {
    let inside = |offset: u64, end: u64| offset <= end && end <= input.len() as u64;
    must(plan.lost.iter().all(|lost| inside(lost.offset, lost.end)), "what was never there is lost");
    let ordered = plan.lost.windows(2).all(|pair| matches!(pair, [a, b] if a.end <= b.offset));
    must(ordered, "what is lost is not in order");
    let options = check::rdb::Options { walk: walk.clone(), ..check::rdb::Options::default() };
    let report = check::rdb::check(output, 0..output.len() as u64, &options, |_| {});
    let wrong = report.findings.iter().find(|finding| finding.severity == Severity::Error);
    must(wrong.is_none_or(|finding| finding.code == "memory-budget"), "an output does not pass the check");
    must(report.keys == plan.kept.keys, "an output has another number of keys than was planned");
}

#[cfg(test)]
mod tests {
    #[test]
    fn sound_and_damaged_images_hold() {
        super::image(include_bytes!("../../testdata/rdb/everything-redis_v13.rdb"));
        super::image(include_bytes!("../../testdata/damaged/one-bit.rdb"));
        super::image(include_bytes!("../../testdata/damaged/cut.rdb"));
        super::image(b"REDIS");
        super::log(include_bytes!("../../testdata/damaged/torn.aof"));
        super::log(include_bytes!("../../testdata/damaged/zeros.aof"));
        super::log(include_bytes!("../../testdata/aof/chat-preamble_redis-6.0.aof"));
    }
}

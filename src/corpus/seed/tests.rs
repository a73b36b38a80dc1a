use super::{Seed, all, logs};
use crate::aof::Manifest;
use crate::bytes::Budget;
use crate::check;
use crate::finding::Severity;
use crate::rdb::opcode::{Dialect, ValueType};
use crate::replay::{Engine, table};
use std::collections::HashSet;

fn errors(seed: &Seed) -> Vec<String> {
    let walk = crate::scan::walk::Options { threads: 1, budget: Budget::new(64 << 20) };
    let options = check::rdb::Options { walk, ..Default::default() };
    let input = crate::input::from_bytes("seed", seed.bytes.clone()).unwrap();
    let report = check::input::check(&input, &options, &mut |_| {});
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

#[test]
fn names_are_unique_and_files_small() {
    let seeds = all();
    let names: HashSet<_> = seeds.iter().map(|seed| (seed.folder, &seed.name)).collect();
    assert_eq!(names.len(), seeds.len());
    for seed in &seeds {
        assert!(seed.bytes.len() < 2048 && !seed.covers.is_empty(), "{}", seed.name);
    }
}

#[test]
fn images_and_logs_are_sound() {
    // No server logs `DISCARD`, and `check` says so.
    let of_images_and_logs = |seed: &&Seed| matches!(seed.folder, "rdb" | "aof") && seed.covers != "command DISCARD";
    for seed in all().iter().filter(of_images_and_logs) {
        assert_eq!(errors(seed), [""; 0], "{}", seed.name);
    }
}

#[test]
fn every_value_type_has_a_seed() {
    let seeds = all();
    let covered: HashSet<u8> = seeds
        .iter()
        .filter_map(|seed| seed.covers.strip_prefix("value type ")?.split([',', ' ']).next()?.parse().ok())
        .collect();
    // Left out: what has no end mark, hash templates and GCRA of 8.10, of which no server's bytes are known, and
    // Dragonfly's sketches.
    let without = [6, 29, 30, 31, 32, 33];
    for byte in 0..=28u8 {
        let known = ValueType::from_byte(byte, Dialect::Redis).is_some();
        assert!(!known || without.contains(&byte) || covered.contains(&byte), "value type {byte}");
    }
}

#[test]
fn payloads_are_restored() {
    for seed in all().iter().filter(|seed| seed.folder == "dump") {
        let mut engine: Engine<'_> = Engine::new("redis-8.6".parse().unwrap());
        engine.feed(Default::default(), &[b"RESTORE", b"k", b"0", &seed.bytes]);
        let (keyspace, report, ()) = engine.finish();
        assert_eq!((keyspace.len(), report.skipped.total), (1, 0), "{}: {:?}", seed.name, report.skipped.first);
    }
}

#[test]
fn every_command_that_changes_data_has_a_log_that_is_executed() {
    for command in
        table::all().flat_map(|c| if c.subcommands.is_empty() { std::slice::from_ref(c) } else { c.subcommands })
    {
        assert!(logs::is_listed(command) || !command.is_replayable(), "{}", command.name);
    }
    for seed in all().iter().filter(|seed| seed.folder == "aof") {
        let mut engine: Engine<'_> = Engine::new("redis-8.6".parse().unwrap());
        engine.replay_part(0, &seed.bytes).unwrap();
        let (_, report, ()) = engine.finish();
        let why: Vec<String> = report.skipped.first.iter().map(|noted| noted.why.to_string()).collect();
        let name = seed.covers.strip_prefix("command ").unwrap_or_default();
        let command = table::find(&name.split(' ').map(str::as_bytes).collect::<Vec<_>>());
        // Functions are kept and never called. No log holds the others: servers write what was claimed, and nothing of a
        // transaction that was discarded.
        let never = matches!(name, "FCALL" | "XAUTOCLAIM" | "DISCARD");
        assert!(
            why.is_empty() || never || command.is_some_and(|command| !command.is_replayable()),
            "{}: {why:?}",
            seed.name
        );
    }
}

#[test]
fn manifests_are_read() {
    for seed in all().iter().filter(|seed| seed.folder == "manifest") {
        assert!(Manifest::parse(&seed.bytes).is_ok(), "{}", seed.name);
    }
}

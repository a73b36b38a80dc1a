//! What must hold for any commands at all: bodies of fuzz targets, also run by `cargo test`.
//!
//! Each function panics when it does not hold; that is its purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::{Engine, Place};
use crate::bytes::Budget;
use crate::keyspace::{Keyspace, Like, digest};

/// What a log may make the keyspace grow to beyond its own bytes.
const MEMORY: u64 = 32 << 20;

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

fn engine<'a>(like: &str) -> Engine<'a> {
    let like: Like = like.parse().unwrap_or_default();
    let mut engine = Engine::new(like);
    engine.state_mut().budget = Budget::new(MEMORY);
    engine
}

/// Servers between which commands changed.
const SERVERS: [&str; 3] = ["redis-2.8", "redis-8.6", "valkey-9.1"];

/// Any bytes as a part of a log, by the rules of several servers.
pub fn part(data: &[u8]) {
    for like in SERVERS {
        let mut engine = engine(like);
        if let Err(error) = engine.replay_part(0, data) {
            must(error.offset() <= data.len() as u64, "an error is about what is behind the input");
        }
        judge(&engine.finish().0, like);
    }
}

/// Lines of words as commands: framing is no obstacle here, so that a fuzzer comes to what commands do.
pub fn commands(data: &[u8]) {
    for like in SERVERS {
        let mut engine = engine(like);
        for line in data.split(|&byte| byte == b'\n') {
            let words: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
            engine.feed(Place::default(), &words);
        }
        judge(&engine.finish().0, like);
    }
}

/// Any bytes as a DUMP payload: refused, or restored to a value that has a digest.
pub fn payload(data: &[u8]) {
    for like in SERVERS {
        let mut first = engine(like);
        first.feed(Place::default(), &[b"RESTORE", b"k", b"0", data]);
        let (keyspace, report, ()) = first.finish();
        must(report.lost == 0 || keyspace.is_empty(), "a payload is refused and restored");
        judge(&keyspace, like);
    }
}

/// No key is empty, and whatever there is has a digest.
fn judge(keyspace: &Keyspace<'_>, like: &str) {
    let like: Like = like.parse().unwrap_or_default();
    must(keyspace.dbs().all(|(_, db)| db.iter().all(|entry| !is_empty(&entry.value))), "an empty collection is kept");
    must(digest::of_keyspace(keyspace, like) == digest::of_keyspace(keyspace, like), "a digest is not repeated");
}

fn is_empty(value: &crate::keyspace::Value<'_>) -> bool {
    use crate::keyspace::Value as V;
    match value {
        V::List(list) => list.0.is_empty(),
        V::Set(set) => set.0.is_empty(),
        V::Hash(hash) => hash.is_empty(),
        V::Zset(zset) => zset.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sound_commands_hold() {
        super::commands(b"SET a 1\nMULTI\nRPUSH l 1 2\nLPOP l\nEXEC\nRPOP l\nSELECT 1\nZADD z 1 a");
        super::part(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*1\r\n$3\r\nGET\r\n*");
        super::payload(b"\x00\x01a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00");
        super::payload(b"\x0e\x01\xff");
        super::part(include_bytes!("../../testdata/rdb/everything-redis_v13.rdb"));
    }
}

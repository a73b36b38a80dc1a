//! Logs that no server writes, loaded by one: what it makes of them is what we make of them.

use crate::process::binary;
use crate::write::{digest, digest_of, load};
use careen::bytes::crc64::jones;
use careen::convert::Kind;
use careen::keyspace::Like;
use std::path::Path;

/// A command as servers write it.
fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut log = Vec::new();
    careen::aof::writer::encode(words, &mut log);
    log
}

/// Commands, one a line.
fn log(lines: &[&str]) -> Vec<u8> {
    lines.iter().flat_map(|line| command(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>())).collect()
}

/// The server loads it, and to what we make of it.
fn assert_same(binary: &Path, log: &[u8]) -> Like {
    let place = tempfile::tempdir().unwrap();
    let (ours, theirs) = (place.path().join("ours.aof"), place.path().join("theirs.aof"));
    std::fs::write(&ours, log).unwrap();
    std::fs::write(&theirs, log).unwrap();
    let server = load(binary, &theirs, Kind::Aof);
    let like = server.like;
    assert_eq!(digest_of(&ours, like), digest(server), "{like}");
    like
}

#[test]
fn numbers_that_no_server_writes_are_read_as_by_one_that_loads_them() {
    let Some(binary) = binary() else { return };
    let mut all = log(&["SELECT 0"]);
    let mut add = |count: &str, length: &str, value: &str| {
        let key = format!("{count}|{length}");
        let odd = format!("*{count}\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${length}\r\n{value}\r\n", key.len());
        all.extend_from_slice(odd.as_bytes());
    };
    ["+3", "03", " 3", "\t3", "+03", "0003", "3 ", "3x", "3\r"].iter().for_each(|count| add(count, "1", "v"));
    ["+1", "01", " 1", "\t1", "1 ", "1x"].iter().for_each(|length| add("3", length, "v"));
    ["-0", "+0", "00", "", "x", " ", "-"].iter().for_each(|length| add("3", length, ""));
    all.extend_from_slice(b"*3\n$3\nSET\r\n$4\nbare\r\n$1\nv\r\n");
    assert_same(&binary, &all);
}

/// But for `DISCARD` within a transaction, of which every server dies at the next `EXEC`.
#[test]
fn brackets_that_no_server_writes_are_taken_as_by_one_that_loads_them() {
    let Some(binary) = binary() else { return };
    let nested = ["MULTI", "SET a 1", "MULTI", "SET b 1", "EXEC", "SET c 1", "EXEC", "SET d 1"];
    let moved = ["MULTI", "SELECT 1", "SET e 1", "MULTI", "SET f 1", "EXEC", "SET g 1"];
    let watched = ["WATCH h", "MULTI", "SET h 1", "EXEC", "MULTI", "UNWATCH", "SET i 1", "EXEC", "DISCARD", "SET j 1"];
    let failing = ["MULTI", "SET k 1", "LPUSH k 1", "SELECT -1", "SET l 1", "EXEC"];
    let open = ["SET m 1", "MULTI", "SELECT 2", "SET n 1"];
    let like = assert_same(&binary, &log(&[&nested[..], &moved, &watched, &failing, &open].concat()));
    if like.family == careen::keyspace::Family::Redis {
        assert_same(&binary, &log(&["MULTI", "WATCH a", "SET a 1", "EXEC", "MULTI x", "SET b 1", "EXEC x", "SET c 1"]));
    }
}

#[test]
fn strings_of_over_512_mib_are_built_as_by_one_that_loads_them() {
    let Some(binary) = binary() else { return };
    assert_same(&binary, &log(&["SETRANGE k 536870911 x", "APPEND k yy", "SETBIT l 4294967296 1"]));
}

#[test]
fn payloads_of_any_version_are_taken_as_by_one_that_loads_them() {
    let Some(binary) = binary() else { return };
    let mut all = log(&["SELECT 0"]);
    let mut restore = |name: &str, body: &[u8], version: u16, options: &[&[u8]]| {
        let summed = [body, &version.to_le_bytes()].concat();
        let payload = [&summed[..], &jones(&summed).to_le_bytes()].concat();
        let key = format!("{name} {version}");
        all.extend(command(&[&[b"RESTORE", key.as_bytes(), b"0", &payload], options].concat()));
    };
    for version in [5, 6, 9, 10, 11, 12, 13, 14, 79, 80, 81, 90] {
        restore("string", b"\0\x01v", version, &[]);
    }
    restore("set listpack", b"\x14\x09\x09\0\0\0\x01\0\x01\x01\xff", 9, &[]);
    restore("zset listpack", b"\x11\x0b\x0b\0\0\0\x02\0\x01\x01\x02\x01\xff", 9, &[]);
    restore("hash with metadata", b"\x18\0\0\0\0\0\0\0\0\x01\0\x01f\x01v", 9, &[]);
    restore("hash of valkey", b"\x16\x01\x01f\x01v\0\0\0\0\0\x04\0\0", 9, &[]);
    for (option, value) in [("IDLETIME", "5"), ("IDLETIME", "-5"), ("FREQ", "255"), ("FREQ", "300")] {
        let options = [option.as_bytes(), value.as_bytes()];
        restore(&format!("{option} {value}"), b"\0\x01v", 6, &options);
    }
    all.extend(command(&[b"RESTORE", b"no checksum", b"0", b"\0\x01v\x06\0\0\0\0\0\0\0\0\0"]));
    assert_same(&binary, &all);
}

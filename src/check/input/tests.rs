use super::*;
use crate::bytes::source;
use std::path::Path;

const GOOD: &[u8] = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*1\r\n$4\r\nEXEC\r\n";
const IMAGE: &[u8] = b"REDIS0004\xfe\x00\x00\x01k\x01v\xff";

fn report(path: &Path) -> Report {
    let input = crate::input::open(path, &source::Options::default()).unwrap();
    let mut last = 0;
    let report = check(&input, &Options::default(), &mut |done| last = done);
    assert_eq!(last, report.bytes, "progress ends with everything done");
    report
}

fn file(bytes: &[u8]) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    std::fs::write(&path, bytes).unwrap();
    report(&path)
}

fn codes(report: &Report) -> Vec<(&str, u64, &'static str)> {
    report.findings.iter().map(|f| (f.file.rsplit('/').next().unwrap(), f.offset, f.code)).collect()
}

#[test]
fn each_kind_is_checked_as_what_it_is() {
    let log = file(GOOD);
    assert!(log.is_ok() && log.keys.is_none() && log.version.is_none());
    assert_eq!(log.contents.map(|contents| (contents.commands, contents.transactions)), Some((3, 1)));
    let image = file(IMAGE);
    assert_eq!((image.is_ok(), image.keys, image.contents, image.version), (true, Some(1), None, Some(4)));
    assert_eq!(image.checksum.name(), "absent");
    let both = file(&[IMAGE, GOOD].concat());
    assert_eq!((both.is_ok(), both.keys, both.contents.map(|contents| contents.commands)), (true, Some(1), Some(3)));
    assert_eq!(codes(&file(b"")), [("x", 0, "input-empty")]);
    assert_eq!(codes(&file(b"hello")), [("x", 0, "input-unknown-format")]);
    assert!(!file(b"").is_ok() && !file(b"hello").is_ok());
}

#[test]
fn behind_a_damaged_preamble_the_log_is_still_read() {
    // A type that does not exist, where the key should be.
    let damaged = [b"REDIS0004\xfa\x0caof-preamble\x011\xfe\x00\xc8\x01k\x01v\xff", GOOD, b"*0\r\n"].concat();
    let report = file(&damaged);
    let start = (damaged.len() - GOOD.len() - 4) as u64;
    let found = codes(&report);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1], ("x", start + GOOD.len() as u64, "aof-bad-count"));
    assert_eq!(report.contents.map(|contents| contents.commands), Some(3));
}

#[test]
fn bytes_behind_an_image_that_are_no_log_are_a_warning() {
    let report = file(&[IMAGE, b"garbage"].concat());
    assert_eq!(codes(&report), [("x", IMAGE.len() as u64, "rdb-trailing-bytes")]);
    assert!(report.is_ok());
}

#[test]
fn a_set_is_checked_part_by_part_and_as_a_set() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = "file b seq 1 type b\nfile i1 seq 1 type i\nfile gone seq 2 type i\nfile i3 seq 3 type i\n";
    let torn = [GOOD, b"*1\r\n$4\r\nPI"].concat();
    for (name, bytes) in [("m", manifest.as_bytes()), ("b", IMAGE), ("i1", &torn), ("i3", &[IMAGE, &torn].concat())] {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    let report = report(&dir.path().join("m"));
    let (n, m) = (GOOD.len() as u64, (IMAGE.len() + GOOD.len()) as u64);
    assert_eq!(
        codes(&report),
        [("gone", 0, "aof-part-missing"), ("i1", n, "aof-torn"), ("i3", 0, "aof-image-in-incr"), ("i3", m, "aof-torn"),]
    );
    let hint = |n: usize| report.findings[n].hint.as_deref().unwrap_or_default();
    assert!(hint(1).contains("not the last file") && !hint(3).contains("not the last file"));
    assert_eq!((report.keys, report.worst), (Some(2), Some(Severity::Error)));
}

fn replayed(bytes: &[u8], like: &str) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    std::fs::write(&path, bytes).unwrap();
    let input = crate::input::open(&path, &source::Options::default()).unwrap();
    let replay = whole::Options { like: Some(like.parse().unwrap()), ..whole::Options::default() };
    check_and_replay(&input, &Options::default(), &replay, &mut |_| {})
}

/// Commands, words parted by blanks, as a log.
fn log(commands: &[&str]) -> Vec<u8> {
    let word = |word: &str| format!("${}\r\n{word}\r\n", word.len());
    let record = |command: &&str| {
        let words: Vec<String> = command.split(' ').map(word).collect();
        format!("*{}\r\n{}", words.len(), words.concat())
    };
    commands.iter().map(record).collect::<String>().into_bytes()
}

#[test]
fn commands_that_fail_are_found_by_executing_them() {
    let first = log(&["SET a text"]);
    let fails = log(&["INCR a"]);
    let bytes = [&first[..], &fails, &log(&["NOSUCH a", "GET", "EXEC", "MULTI", "SPOP s"])].concat();
    let plain = file(&bytes);
    assert!(!codes(&plain).iter().any(|(_, _, code)| code.starts_with("replay")));
    let report = replayed(&bytes, "redis-7.0");
    let new: Vec<_> = report.findings.iter().filter(|finding| finding.code.starts_with("replay")).collect();
    // What the records tell is said once.
    let [finding] = new[..] else { panic!("{new:?}") };
    assert_eq!((finding.code, finding.severity), ("replay-command-fails", Severity::Error));
    assert_eq!((finding.offset, finding.end), (first.len() as u64, Some((first.len() + fails.len()) as u64)));
    assert_eq!(report.findings.len(), plain.findings.len() + 1);
    let offsets: Vec<u64> = report.findings.iter().map(|finding| finding.offset).collect();
    assert!(offsets.is_sorted(), "{offsets:?}");
}

#[test]
fn what_old_servers_log_and_what_nobody_can_execute_is_a_warning() {
    let fails = log(&["SET a text", "INCR a"]);
    assert!(!replayed(&fails, "redis-7.0").is_ok() && replayed(&fails, "redis-6.0").is_ok());
    let report = replayed(&log(&["SADD s a b", "SPOP s"]), "redis-7.0");
    assert_eq!(codes(&report), [("x", log(&["SADD s a b"]).len() as u64, "replay-not-executed")]);
    assert!(report.is_ok());
}

#[test]
fn a_replay_stops_at_damage_and_leaves_images_alone() {
    let good = log(&["SET a text"]);
    let report = replayed(&[&good[..], b"*1\r\n$x", &log(&["INCR a"])].concat(), "redis-7.0");
    let replay: Vec<_> = codes(&report).into_iter().filter(|(_, _, code)| code.starts_with("replay")).collect();
    assert!(matches!(replay[..], [(_, _, "replay-stopped")]), "{replay:?}");
    assert_eq!(codes(&replayed(IMAGE, "redis-7.0")), codes(&file(IMAGE)));
    assert!(codes(&replayed(&[IMAGE, &log(&["RPUSH k v"])].concat(), "redis-7.0")).contains(&(
        "x",
        IMAGE.len() as u64,
        "replay-command-fails"
    )));
}

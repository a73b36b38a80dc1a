//! The damages that `redis-check-aof` knows, and what is left of the log: by that tool, and by `careen repair`.
//!
//! The tool cuts a log off at the first thing that it does not understand, and gives up on a preamble or a manifest.
//! It is run from the path where it is there, and else played by our own program under its name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test says what is wrong by failing"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn careen(arguments: &[&str], paths: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_careen")).args(arguments).args(paths).output().unwrap()
}

/// `redis-check-aof --fix`; true when it says that all is well now.
fn fix(path: &Path) -> bool {
    let here = tempfile::tempdir().unwrap();
    let ours = here.path().join("redis-check-aof");
    fs::hard_link(env!("CARGO_BIN_EXE_careen"), &ours)
        .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_careen"), &ours).map(drop))
        .unwrap();
    let is_there = Command::new("redis-check-aof").arg("-v").stdout(Stdio::null()).status().is_ok();
    let mut command = Command::new(if is_there { PathBuf::from("redis-check-aof") } else { ours });
    let mut child = command
        .arg("--fix")
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It may end before it asks.
    let _ = child.stdin.take().unwrap().write_all(b"y\ny\ny\n");
    child.wait().unwrap().success()
}

/// Repair into a new place, which must be sound; the path of the output.
fn repair(path: &Path) -> PathBuf {
    let out = path.with_extension("repaired");
    let done = careen(&["repair", "--force", "-o", out.to_str().unwrap()], &[path]);
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(careen(&["check"], &[&out]).status.success());
    out
}

/// What a log makes.
fn digest(path: &Path) -> String {
    String::from_utf8(careen(&["replay", "--digest"], &[path]).stdout).unwrap()
}

fn log(lines: impl IntoIterator<Item = String>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        careen::aof::writer::encode(&line.split(' ').collect::<Vec<_>>(), &mut out);
    }
    out
}

fn messages(numbers: std::ops::Range<u32>) -> Vec<u8> {
    log(numbers.map(|n| format!("RPUSH chat_history:{} message-{n}", n % 5)))
}

fn count(log: &Path) -> usize {
    let text = fs::read(log).unwrap();
    text.windows(5).filter(|window| window == b"RPUSH").count()
}

/// The same log for the tool and for us: how many messages are left by each.
fn left(content: &[u8]) -> (usize, usize) {
    let place = tempfile::tempdir().unwrap();
    let [theirs, ours] = ["theirs.aof", "ours.aof"].map(|name| place.path().join(name));
    fs::write(&theirs, content).unwrap();
    fs::write(&ours, content).unwrap();
    assert!(fix(&theirs), "the tool knows this damage");
    (count(&theirs), count(&repair(&ours)))
}

#[test]
fn behind_a_bad_tail_that_is_none_the_rest_is_kept() {
    // A write was torn, the server was started again, and went on.
    let torn = messages(50..51);
    let content = [&messages(0..50)[..], &torn[..torn.len() / 2], &messages(51..100)].concat();
    assert_eq!(left(&content), (50, 99));
    // At the end there is nothing more to keep.
    assert_eq!(left(&[&messages(0..50)[..], &torn[..torn.len() / 2]].concat()), (50, 50));
}

#[test]
fn behind_a_transaction_that_was_cut_the_rest_is_kept() {
    let multi = log(["MULTI".to_owned()]);
    let cut = [&multi[..], &messages(40..42)].concat();
    let whole = [&multi[..], &messages(60..62), &log(["EXEC".to_owned()])].concat();
    let content = [&messages(0..40)[..], &cut[..cut.len() - 9], &messages(50..60), &whole, &messages(62..70)].concat();
    assert_eq!(left(&content), (40, 60), "all but the transaction");
}

#[test]
fn a_preamble_that_was_cut_is_put_right_or_at_least_the_log_is_kept() {
    let sound = fs::read("testdata/aof/chat-preamble_redis-6.0.aof").unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    fs::write(path("sound"), &sound).unwrap();
    for (lost, is_whole) in [(2, true), (40, false)] {
        let bad = [&sound[..160], &sound[160 + lost..]].concat();
        fs::write(path("theirs"), &bad).unwrap();
        fs::write(path("ours"), &bad).unwrap();
        assert!(!fix(&path("theirs")), "it gives up");
        let repaired = repair(&path("ours"));
        let kept = fs::read(&repaired).unwrap();
        if is_whole {
            assert_eq!(kept, sound);
        }
        let end = usize::try_from(careen::input::sniff::image_end(&kept).unwrap()).unwrap();
        let log = usize::try_from(careen::input::sniff::image_end(&sound).unwrap()).unwrap();
        assert!(end > 100, "keys before and behind the damage are kept");
        assert_eq!(kept[end..], sound[log..], "the whole log");
    }
}

#[test]
fn wherever_a_preamble_is_hit_the_log_behind_it_is_kept() {
    let sound = fs::read("testdata/aof/chat-preamble_redis-6.0.aof").unwrap();
    let log = usize::try_from(careen::input::sniff::image_end(&sound).unwrap()).unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("bad.aof");
    // From the header on through the fields to the first key: its first bytes gone, zeroed, or one of them wrong.
    for at in (0..9).chain((9..100).step_by(13)) {
        let flipped = [&sound[..at], &[sound[at] ^ 0x41], &sound[at + 1..]].concat();
        let zeroed = [&sound[..at], &[0; 9], &sound[at + 9..]].concat();
        let lost = [&sound[..at], &sound[at + 9..]].concat();
        for (bad, is_restored) in [(flipped, true), (zeroed, false), (lost, false)] {
            fs::write(&path, &bad).unwrap();
            let kept = fs::read(repair(&path)).unwrap();
            assert!(kept.ends_with(&sound[log..]), "{at}: the whole log");
            assert!(kept == sound || !is_restored, "{at}: one byte is put right");
            let end = careen::input::sniff::image_end(&kept).unwrap();
            assert!(end > 100, "{at}: the keys of the image are kept, too");
        }
    }
    // Zeros over its end read like keys without names, of which the last one takes commands along.
    for len in 1..60 {
        fs::write(&path, [&sound[..log - len], &vec![0; len], &sound[log..]].concat()).unwrap();
        assert!(fs::read(repair(&path)).unwrap().ends_with(&sound[log..]), "{len} zeros: the whole log");
    }
}

#[test]
fn a_wrong_manifest_is_put_right() {
    let place = tempfile::tempdir().unwrap();
    let sound = Path::new("testdata/aof/chat_redis-7.0");
    let copy = |name: &str| {
        let directory = place.path().join(name);
        fs::create_dir(&directory).unwrap();
        for file in fs::read_dir(sound).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), directory.join(file.file_name())).unwrap();
        }
        directory
    };
    let expected = digest(sound);
    for (number, text) in [
        "file appendonly.aof.2.base.rdb seq 2 type b\nno entry\nfile appendonly.aof.2.incr.aof seq 2 type i\n",
        "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.a",
        "file data/appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n",
    ]
    .into_iter()
    .enumerate()
    {
        let (theirs, ours) = (copy(&format!("theirs-{number}")), copy(&format!("ours-{number}")));
        for directory in [&theirs, &ours] {
            fs::write(directory.join("appendonly.aof.manifest"), text).unwrap();
        }
        assert!(!fix(&theirs.join("appendonly.aof.manifest")), "it gives up");
        assert_eq!(digest(&repair(&ours)), expected, "{text}");
    }
}

#[test]
fn which_files_belong_to_a_set_is_said_to_be_a_guess_where_it_is_one() {
    let place = tempfile::tempdir().unwrap();
    let set = place.path().join("set");
    fs::create_dir(&set).unwrap();
    let command = "*3\r\n$5\r\nRPUSH\r\n$1\r\nl\r\n$1\r\na\r\n";
    for name in ["a.aof.2.base.aof", "a.aof.2.incr.aof", "a.aof.3.incr.aof"] {
        fs::write(set.join(name), command).unwrap();
    }
    let report = place.path().join("report");
    let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
    command.arg("repair").arg(&set).arg("-o").arg(place.path().join("out")).arg("--report").arg(&report);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("aof-parts-uncertain") && !said.contains("nothing is damaged"), "{said}");
    assert!(fs::read_to_string(report).unwrap().contains("\"proven\":false"));
}

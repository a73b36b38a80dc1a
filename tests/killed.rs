//! A process that is killed at any moment leaves the old output or the new one, whole, and the input as it was.
//!
//! What a power failure may leave is tried step by step on a modelled disk beside `bytes::publish`; this is the real
//! program on the real disk.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Moments at which each command is killed, spread over the time that it takes.
const MOMENTS: u32 = 40;

fn careen(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
    command.args(args).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn run(folder: &Path, args: &[&str]) {
    let status = careen(folder, args).status().unwrap();
    assert!(status.success(), "careen {}: {status}", args.join(" "));
}

/// What is at a path: the files of a directory by name, or one file; nothing when nothing is there.
fn state(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let Ok(files) = std::fs::read_dir(path) else {
        return std::fs::read(path).ok().map(|bytes| (PathBuf::new(), bytes)).into_iter().collect();
    };
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().into(), std::fs::read(&path).unwrap())
    };
    files.map(read).collect()
}

fn kill_at(command: &mut Command, moment: Duration) {
    let mut child = command.spawn().unwrap();
    std::thread::sleep(moment);
    let _ = child.kill();
    child.wait().unwrap();
}

/// Kill a command that writes `out` again and again, while `out` is what `old` makes of it.
fn survives(name: &str, folder: &Path, old: &[&str], new: &[&str]) {
    let (input, out) = (folder.join("input"), folder.join("out"));
    let whole = state(&input);
    run(folder, old);
    let before = state(&out);
    let began = Instant::now();
    run(folder, new);
    let whole_run = began.elapsed();
    let after = state(&out);
    assert_ne!(before, after, "{name}");
    let mut seen = (0, 0);
    for step in 0..MOMENTS {
        run(folder, old);
        kill_at(&mut careen(folder, new), whole_run * step / MOMENTS);
        let found = state(&out);
        assert!(found == before || found == after, "{name}, killed at step {step}: neither the old nor the new one");
        seen = if found == before { (seen.0 + 1, seen.1) } else { (seen.0, seen.1 + 1) };
        assert!(state(&input) == whole, "{name}, killed at step {step}: the input has changed");
    }
    assert!(seen.0 > 0, "{name}: was never killed before it was done: {seen:?}");
}

#[cfg(unix)]
#[test]
fn a_killed_process_leaves_the_old_output_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let generate = "chat generate -o input --to aof-dir --users 300 --messages 6000 --seed 7";
    run(folder, &generate.split(' ').collect::<Vec<_>>());
    for (name, old, new) in [
        (
            "a snapshot",
            "compact input -o out --to rdb --force --until-command 100",
            "compact input -o out --to rdb --force",
        ),
        ("a log", "convert input -o out --to aof --db 9 --force", "convert input -o out --to aof --force"),
    ] {
        survives(name, folder, &old.split(' ').collect::<Vec<_>>(), &new.split(' ').collect::<Vec<_>>());
    }
    std::fs::remove_file(folder.join("out")).unwrap();
    let (old, new) = (
        "compact input -o out --to aof-dir --force --until-command 100",
        "compact input -o out --to aof-dir --base aof --force",
    );
    survives("a directory", folder, &old.split(' ').collect::<Vec<_>>(), &new.split(' ').collect::<Vec<_>>());
}

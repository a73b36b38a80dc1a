//! Replays the logs of a corpus of real servers' files and compares with what those servers said.
//!
//! `CAREEN_CORPUS` names the corpus; without it the test says that it did nothing.

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

use careen::keyspace::{Like, digest};
use careen::replay::{Engine, Until};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The files of a set's log in order.
fn parts(set: &Path) -> Vec<PathBuf> {
    let single = set.join("appendonly.aof");
    let dir = set.join("appendonlydir");
    if single.exists() {
        return vec![single];
    }
    let manifest = dir.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let Some(manifest) = manifest.into_iter().find(|path| path.extension().is_some_and(|ext| ext == "manifest")) else {
        return Vec::new();
    };
    let lines = std::fs::read_to_string(manifest).unwrap();
    let listed = lines.lines().map(|line| line.split(' ').collect::<Vec<_>>()).filter(|words| words[5] != "h");
    listed.map(|words| dir.join(words[1])).collect()
}

fn replay(files: &[PathBuf], like: Like, until: Until) -> (String, String) {
    let inputs: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let mut engine = Engine::new(like).until(until);
    let mut trouble = String::new();
    for (part, input) in (0..).zip(&inputs) {
        if let Err(error) = engine.replay_part(part, input) {
            trouble += &format!(" {error}");
        }
    }
    let (keyspace, report, ()) = engine.finish();
    for note in &report.skipped.first {
        trouble += &format!(" {}@{}: {};", note.argv0.escape_ascii(), note.place.offset, note.why);
    }
    (digest::of_keyspace(&keyspace, like).to_string(), trouble)
}

/// A moment of which the digest is known: the log cut there must give it. False for one that does not tell.
fn stops_at(checkpoint: &Value, set: &Path, files: &[PathBuf], like: Like, wrong: &mut Vec<String>) -> bool {
    let at = (checkpoint["aof"].as_str(), checkpoint["offset"].as_u64(), checkpoint["debug_digest"].as_str());
    let (Some(file), Some(offset), Some(expected)) = at else { return false };
    // A later rewrite may have removed the file; and a script that takes chances gave another state when it was reloaded.
    let part = files.iter().position(|path| *path == set.join(file));
    let Some(part) = part.filter(|_| checkpoint["confirmed"] != Value::Bool(false)) else { return false };
    let until = Until { offset: Some((u32::try_from(part).unwrap(), offset)), ..Until::default() };
    let (got, trouble) = replay(files, like, until);
    if got != expected {
        wrong.push(format!("{} at {offset}: {got} instead of {expected}{trouble:.300}", set.display()));
    }
    true
}

#[test]
fn logs_of_real_servers_replay_to_the_digest_those_servers_gave() {
    let Some(corpus) = std::env::var_os("CAREEN_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: CAREEN_CORPUS is not set");
        return;
    };
    let (mut sets, mut moments, mut wrong) = (0, 0, Vec::new());
    let servers = corpus.read_dir().unwrap().flatten().filter(|server| server.file_name() != "damaged");
    for server in servers.filter(|server| server.path().is_dir()) {
        let like: Like = server.file_name().to_str().unwrap().parse().unwrap();
        for set in server.path().read_dir().unwrap().flatten().map(|set| set.path()) {
            let files = parts(&set);
            let truth: Value = serde_json::from_slice(&std::fs::read(set.join("truth.json")).unwrap()).unwrap();
            if files.is_empty() {
                continue;
            }
            sets += 1;
            let reload = &truth["reload_digest"]["aof"];
            let expected = [&truth["debug_digest"], reload].map(|digest| digest.as_str().unwrap_or_default());
            let (got, trouble) = replay(&files, like, Until::default());
            if !expected.contains(&got.as_str()) {
                wrong.push(format!("{}: {got} instead of {expected:?}{trouble:.600}", set.display()));
            }
            for checkpoint in truth["checkpoints"].as_array().into_iter().flatten() {
                moments += u64::from(stops_at(checkpoint, &set, &files, like, &mut wrong));
            }
        }
    }
    eprintln!("{sets} sets, {moments} moments");
    assert!(sets > 0 && wrong.is_empty(), "{} of {sets} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

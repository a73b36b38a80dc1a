//! The sample chat service plays with a real server through `redis-py`; then `careen chat` must answer from the files
//! alone what the server answered.

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

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn works(program: &str, args: &[&str]) -> bool {
    let command = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    command.is_ok_and(|status| status.success())
}

/// What the server answered; nothing, said on standard error, where there is no server or no client.
fn play(directory: &Path) -> Option<Value> {
    let server = std::env::var("CAREEN_SERVER").unwrap_or_else(|_| "redis-server".into());
    let missing = match () {
        () if !works(&server, &["--version"]) => Some("no server"),
        () if !works("python3", &["-c", "import redis"]) => Some("no redis-py (pip install redis)"),
        () => None,
    };
    if let Some(missing) = missing {
        assert!(std::env::var("CAREEN_REQUIRE_SERVER").as_deref() != Ok("1"), "{missing}");
        eprintln!("skipped: {missing}");
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chat_reality.py");
    let output = Command::new("python3").arg(script).arg(server).arg(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn careen(input: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
    command.arg("chat").arg(args[0]).arg(input).args(&args[1..]).args(["--format", "json"]);
    command.output().unwrap()
}

/// The lines of an answer without a complaint.
fn lines(input: &Path, args: &[&str]) -> Vec<Value> {
    let output = careen(input, args);
    let (text, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success() && errors.is_empty(), "{args:?}: {text}{errors}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(online: &Value) -> Vec<&str> {
    online["users"].as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap()).collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// A history as the server has it against one as we have it.
fn assert_same_history(ours: &[Value], theirs: &Value) {
    let theirs = theirs.as_array().unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        for field in ["sender", "recipient", "body"] {
            assert_eq!(ours[field], theirs[field]);
        }
        let millis = theirs["time"].as_f64().unwrap() * 1000.0;
        assert!((ours["time_ms"].as_f64().unwrap() - millis).abs() <= 1.0);
    }
}

#[test]
fn the_files_answer_what_the_server_answered() {
    let directory = tempfile::tempdir().unwrap();
    let Some(answers) = play(directory.path()) else { return };
    let (log, capture) = (directory.path().join("appendonlydir"), directory.path().join("capture.aof"));
    for input in [&log, &capture] {
        let report = &lines(input, &["verify"])[0];
        assert_eq!(report["ok"], true, "{report}");
        for user in ["alice", "bob", "carol", "dave"] {
            assert_same_history(&lines(input, &["history", user]), &answers["histories"][user]);
        }
        let online = &lines(input, &["online"])[0];
        assert_eq!(names(online), texts(&answers["online"]));
        for user in online["users"].as_array().unwrap() {
            let status = answers["statuses"].as_array().unwrap().iter().find(|status| status[0] == user["user"]);
            assert_eq!(status.unwrap()[1], user["score"]);
        }
    }
    let with_bob = lines(&log, &["history", "alice", "--with", "bob"]);
    assert_eq!(with_bob.len(), 3);

    // The log is dated by its annotations: bob was there then.
    let then = answers["before_logout"].as_f64().unwrap().floor().to_string();
    let online = &lines(&log, &["online", "--at", &then])[0];
    assert_eq!((online["basis"].as_str(), names(online)), (Some("log"), vec!["alice", "bob", "carol"]));

    // Only the capture has the pushes, all that the subscriber got.
    assert_eq!(lines(&log, &["verify"])[0]["pushes"], 0);
    let pushes = answers["pushed"].as_array().unwrap().len();
    assert_eq!(pushes, 4);
    assert_eq!(lines(&capture, &["verify"])[0]["pushes"], pushes);

    let same = careen(&log, &["verify", "--against", capture.to_str().unwrap()]);
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
    let messages: i64 = lines(&log, &["timeline"])[0]["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["messages"].as_i64().unwrap())
        .sum();
    assert_eq!(messages, 4);

    // A person is shown no byte that drives the terminal.
    let shown =
        Command::new(env!("CARGO_BIN_EXE_careen")).arg("chat").arg("history").arg(&log).arg("bob").output().unwrap();
    assert!(!shown.stdout.contains(&0x1b) && !shown.stdout.is_empty());
}

//! Files of real servers hold what those servers said they hold.

use crate::described;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb");
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rdb"));
    assert!(!paths.is_empty());
    paths
}

/// Scores as numbers: the server's text has digits of its own.
fn with_plain_scores(mut keys: Vec<Value>) -> Vec<Value> {
    for key in &mut keys {
        for item in key["value"].as_array_mut().into_iter().flatten() {
            if let Some(score) = item.get("score").and_then(Value::as_str).and_then(|text| text.parse::<f64>().ok()) {
                item["score"] = Value::from(score.to_string());
            }
        }
    }
    keys
}

#[test]
fn snapshots_hold_what_their_servers_say() {
    for path in files() {
        let data = std::fs::read(&path).unwrap();
        let said = std::fs::read(path.with_extension("json")).unwrap();
        let said: Vec<Value> = serde_json::from_slice(&said).unwrap();
        let read = described::image(&data).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        for (read, said) in with_plain_scores(read.clone()).iter().zip(&with_plain_scores(said.clone())) {
            assert_eq!(read, said, "{}", path.display());
        }
        assert_eq!(read.len(), said.len(), "{}", path.display());
    }
}

#[test]
fn snapshots_of_servers_pass_the_check() {
    for path in files() {
        let data = std::fs::read(&path).unwrap();
        let options = careen::check::rdb::Options::default();
        let report = careen::check::rdb::check(&data, 0..data.len() as u64, &options, |_| {});
        assert!(report.findings.is_empty(), "{}: {:?}", path.display(), report.findings);
        assert_eq!(report.summary.end, data.len() as u64);
    }
}

//! Files of real servers against what those servers said of their keys.

use super::*;
use crate::export::{Unseparated, image};
use crate::scan;
use crate::select::Selection;
use serde_json::{Map, Value};
use std::io::Write;
use std::path::{Path, PathBuf};

fn snapshots() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rdb"));
    paths.sort();
    assert!(paths.len() > 20);
    paths
}

fn exported<F: Format>(format: &F, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (range, options) = (0..bytes.len() as u64, scan::Options::default());
    out.extend_from_slice(F::OPENING);
    let mut body = Unseparated::new(&mut out, F::SEPARATOR);
    let delivery = image(format, bytes, range, &options, &Selection::default(), &mut body, |_| {}).unwrap();
    assert!(delivery.problems.is_empty() && delivery.summary.error.is_none(), "{delivery:?}");
    body.flush().unwrap();
    out.extend_from_slice(F::CLOSING);
    out
}

/// The form that the descriptions have: less of a stream, what has no order sorted, scores as numbers.
fn described(mut key: Value) -> Value {
    let object = key.as_object_mut().unwrap();
    for extra in ["encoding", "idle_seconds", "freq"] {
        object.remove(extra);
    }
    let kind = object["type"].as_str().unwrap().to_owned();
    let value = object.get_mut("value").unwrap();
    match kind.as_str() {
        "set" | "hash" => value.as_array_mut().unwrap().sort_by_key(Value::to_string),
        "zset" => {
            let members = value.as_array_mut().unwrap();
            for member in members.iter_mut() {
                let score = &mut member["score"];
                let text = score.as_str().map_or_else(|| score.to_string(), Into::into);
                *score = text.parse::<f64>().unwrap().to_string().into();
            }
            members.sort_by_key(Value::to_string);
        }
        "stream" => *value = stream(value),
        "module" => *value = Value::Null,
        _ => {}
    }
    key
}

fn stream(value: &Value) -> Value {
    let names = |list: &Value, name: &str| -> Value {
        list.as_array().unwrap().iter().map(|one| one.get(name).unwrap_or(one).clone()).collect()
    };
    let groups = value["groups"].as_array().unwrap().iter().map(|group| {
        let mut kept = Map::new();
        kept.insert("name".into(), group["name"].clone());
        kept.insert("last_id".into(), group["last_id"].clone());
        kept.insert("pending".into(), names(&group["pending"], "id"));
        kept.insert("consumers".into(), names(&group["consumers"], "name"));
        Value::Object(kept)
    });
    let groups: Vec<Value> = groups.collect();
    serde_json::json!({"entries": value["entries"], "last_id": value["last_id"], "groups": groups})
}

fn by_key(keys: Vec<Value>) -> std::collections::BTreeMap<(u64, String), Value> {
    let place = |key: &Value| (key["db"].as_u64().unwrap(), key["key"].to_string());
    keys.into_iter().map(described).map(|key| (place(&key), key)).collect()
}

#[test]
fn every_key_of_real_servers_is_exported_as_they_described_it() {
    for path in snapshots() {
        let lines = exported(&Jsonl::default(), &std::fs::read(&path).unwrap());
        let keys = String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let truth = serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let (keys, truth) = (by_key(keys), by_key(truth));
        assert_eq!(keys.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>(), "{}", path.display());
        for (place, key) in &keys {
            assert_eq!(key, &truth[place], "{}", path.display());
        }
    }
}

#[test]
fn the_array_holds_the_same_objects_as_the_lines() {
    for path in snapshots() {
        let bytes = std::fs::read(&path).unwrap();
        let lines = String::from_utf8(exported(&Jsonl::default(), &bytes)).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let array: Vec<Value> = serde_json::from_slice(&exported(&Json::default(), &bytes)).unwrap();
        assert_eq!(array, lines, "{}", path.display());
    }
}

#[test]
fn an_array_of_nothing_is_empty() {
    let out = exported(&Json::default(), b"REDIS0003\xff");
    assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), serde_json::json!([]));
}

#[test]
fn a_damaged_value_is_left_out_and_the_others_are_not() {
    // A list of one ziplist that is too short, between two strings.
    let bytes = b"REDIS0003\x00\x01a\x01x\x0a\x01l\x03bad\x00\x01b\x01y\xff";
    let mut out = Vec::new();
    let (range, options) = (0..bytes.len() as u64, scan::Options::default());
    let selection = Selection::default();
    let delivery = image(&Jsonl::default(), bytes, range, &options, &selection, &mut out, |_| {}).unwrap();
    assert_eq!((delivery.keys, delivery.problems.len()), (2, 1));
    assert_eq!(delivery.problems[0].error.key(), Some(&b"l"[..]));
    assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 2);
}

#[test]
fn a_large_value_is_handed_on_in_pieces_and_stays_whole() {
    let mut bytes = b"REDIS0003\x01\x01l\x80\x00\x01\x00\x00".to_vec();
    (0..0x10000).for_each(|_| {
        bytes.extend_from_slice(b"\x40\x40aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    });
    bytes.push(0xff);
    let line: Value = serde_json::from_slice(&exported(&Jsonl::default(), &bytes)).unwrap();
    assert_eq!(line["value"].as_array().unwrap().len(), 0x10000);
}

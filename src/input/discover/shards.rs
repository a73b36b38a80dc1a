//! A Dragonfly set: `NAME-summary.dfs`, and `NAME-0000.dfs` and so on beside it.

use super::super::error::Error;
use super::super::sniff::{self, Content};
use super::super::{Input, Kind, Part, Role};
use super::{Reach, reach};
use crate::bytes::Budget;
use crate::bytes::source::{Options, Source};
use crate::finding::Finding;
use crate::rdb;
use std::path::{Path, PathBuf};

/// The most shards that four digits can number.
const MOST: i64 = 10_000;

pub(super) fn open(path: &Path, source: Source, options: &Options) -> Result<Input, Error> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let input = source.name().to_owned();
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut findings = Vec::new();
    let expected = shard_count(source.bytes());
    let content = Content::DragonflySummary;
    let mut parts =
        vec![Part { name: name.clone(), path: path.into(), role: Role::Summary, seq: 0, content, source, entry: None }];
    for n in 0..expected.min(MOST) {
        let Some(shard) = shard_name(&name, n) else { break };
        match reach(&directory, Path::new(&shard)) {
            Reach::Inside(path) => parts.push(part(shard, path, n, options)?),
            _ => findings.push(
                Finding::error(
                    "dragonfly-shard-missing",
                    0,
                    format!("the set has {expected} shards, and this one is not there"),
                )
                .in_file(shard),
            ),
        }
    }
    if shard_name(&name, 0).is_none() {
        findings.push(
            Finding::warning(
                "dragonfly-summary-renamed",
                0,
                "the file is not named `…-summary.dfs`, so its shards cannot be found",
            )
            .in_file(name),
        );
    }
    Ok(Input { name: input, kind: Kind::DragonflySet, directory: Some(directory), manifest: None, parts, findings })
}

/// The name of a shard of the set that this summary belongs to.
pub(super) fn shard_name(summary: &str, n: i64) -> Option<String> {
    summary.strip_suffix("-summary.dfs").map(|set| format!("{set}-{n:04}.dfs"))
}

/// True when the name is that of a shard.
pub(super) fn is_shard_name(name: &str) -> bool {
    let digits = name.strip_suffix(".dfs").and_then(|stem| stem.rsplit_once('-')).map(|(_, digits)| digits);
    digits.is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn shard_count(bytes: &[u8]) -> i64 {
    let Ok(reader) = rdb::Reader::new(bytes) else { return 0 };
    let mut reader = reader.with_budget(&Budget::new(sniff::NAMES));
    while let Ok(Some(record)) = reader.next_record() {
        if let rdb::Record::Aux { name, value, .. } = record
            && &*name == b"shard-count"
        {
            return std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        }
    }
    0
}

fn part(name: String, path: PathBuf, seq: i64, options: &Options) -> Result<Part, Error> {
    let source = Source::open(&path, options)?;
    let content = sniff::sniff(source.bytes());
    Ok(Part { name, path, role: Role::Shard, seq, content, source, entry: None })
}

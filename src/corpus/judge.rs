//! One file through everything that could read it.
//!
//! | what the bytes are | what reads them |
//! | --- | --- |
//! | RDB image | check, replay and digest, export, repair |
//! | log, with or without a preamble | check, replay and digest, repair |
//! | manifest | the manifest's reader |
//! | a DUMP payload, by its checksum or its version | `RESTORE` in the replay engine |
//! | nothing we know | check |
//!
//! All that happens in the process that calls: [`super::pool`] has it done by children that may die of it.

use crate::aof::Manifest;
use crate::bytes::source::{self, Source};
use crate::bytes::{Budget, crc64};
use crate::export::{self, jsonl::Jsonl};
use crate::finding::Severity;
use crate::input::{self, Content, Input, sniff};
use crate::keyspace::digest;
use crate::rdb::{self, Reader, Record};
use crate::repair::{self, aof, apply};
use crate::replay::{Engine, Place, whole};
use crate::select::Selection;
use crate::{check, scan};
use std::collections::BTreeSet;
use std::path::Path;

const PAYLOAD_REFUSED: &str = "corpus-payload-refused";
/// More value types than this are counted and not named.
const NAMED_TYPES: usize = 4;

/// Judge a file: `ok@…` or `rejected:CODE@…`. `stage` hears what is about to be done.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn file(path: &Path, budget: &Budget, stage: &mut dyn FnMut(&str)) -> Result<String, source::Error> {
    stage("read");
    let options = source::Options { mmap: false, budget: budget.clone(), ..source::Options::default() };
    let source = match Source::open(path, &options) {
        Ok(source) => source,
        // A damaged archive is a verdict on the file, a file that is not there is not.
        Err(error) if path.is_file() => return Ok(format!("rejected:{}@archive", error.code())),
        Err(error) => return Err(error),
    };
    Ok(bytes(source.bytes(), budget, stage))
}

/// The same for bytes.
#[must_use]
pub(crate) fn bytes(bytes: &[u8], budget: &Budget, stage: &mut dyn FnMut(&str)) -> String {
    if sniff::sniff(bytes) == Content::Manifest {
        stage("manifest");
        return match Manifest::parse(bytes) {
            Ok(_) => "ok@manifest".into(),
            Err(problem) => format!("rejected:{}@manifest", problem.kind.code()),
        };
    }
    if is_payload(bytes) {
        stage("restore");
        return payload(bytes, budget);
    }
    match input::from_bytes("-", bytes.to_vec()) {
        Ok(input) => sound(&input, budget, stage),
        Err(error) => format!("rejected:{}@unknown", error.code()),
    }
}

/// Known by its checksum, or by a type and a version where those of a payload stand.
fn is_payload(bytes: &[u8]) -> bool {
    let Some((summed, sum)) = bytes.split_last_chunk::<8>() else { return false };
    if summed.len() < 3 || bytes.starts_with(b"REDIS") || bytes.starts_with(b"VALKEY") {
        return false;
    }
    let plausible = summed.first().is_some_and(|&first| first <= 33) && summed.last() == Some(&0);
    plausible || crc64::jones(summed) == u64::from_le_bytes(*sum)
}

fn payload(bytes: &[u8], budget: &Budget) -> String {
    let mut engine: Engine<'_> = Engine::new(crate::keyspace::Like::default());
    engine.state_mut().budget = budget.clone();
    engine.feed(Place::default(), &[b"RESTORE", b"k", b"0", bytes]);
    let (keyspace, report, ()) = engine.finish();
    let types = bytes.first().map_or(0, |&first| first);
    if report.skipped.total > 0 {
        return format!("rejected:{PAYLOAD_REFUSED}@dump");
    }
    let _ = digest::of_keyspace(&keyspace, crate::keyspace::Like::default());
    format!("ok@dump:type-{types}")
}

fn sound(input: &Input, budget: &Budget, stage: &mut dyn FnMut(&str)) -> String {
    let kind = input.kind.name();
    let walk = scan::Options { threads: 1, budget: budget.clone() };
    stage("check");
    let options = check::rdb::Options { walk: walk.clone(), max_findings: 100 };
    let report = check::input::check(input, &options, &mut |_| {});
    let error = report.findings.iter().find(|finding| finding.severity == Severity::Error).map(|finding| finding.code);
    stage("replay");
    let replay = whole::Options { budget: budget.clone(), ..whole::Options::default() };
    let refused = match whole::replay(input, &replay, (), &mut |_| {}) {
        Ok(outcome) => {
            let _ = digest::of_keyspace(&outcome.keyspace, outcome.like);
            outcome.damage.map(|damage| damage.error.code())
        }
        Err(_) => None,
    };
    for part in &input.parts {
        stage("export");
        let range = 0..part.bytes().len() as u64;
        let all = Selection::default();
        if part.content == Content::Rdb {
            let _ = export::image(&Jsonl::default(), part.bytes(), range, &walk, &all, &mut std::io::sink(), |_| {});
        }
        stage("repair");
        mend(part.bytes(), part.content, &walk);
    }
    match error.or(refused) {
        Some(code) => format!("rejected:{code}@{kind}"),
        None => format!("ok@{kind}:{}", types(input)),
    }
}

fn mend(bytes: &[u8], content: Content, walk: &scan::Options) {
    let image = repair::rdb::Options { no_exact: true, walk: walk.clone(), ..Default::default() };
    let plan = match content {
        Content::Rdb => repair::rdb::plan(bytes, &image, &mut |_| {}).ok(),
        Content::Aof { preamble } => {
            let options = aof::Options { image, ..aof::Options::default() };
            aof::plan(bytes, preamble, (0, 0), &options, &mut |_| {}).ok().map(|planned| planned.plan)
        }
        _ => None,
    };
    if let Some(plan) = plan {
        let _ = apply::write(&plan, bytes, &mut std::io::sink());
    }
}

/// The stored forms in an image, so that files of different ones have different signatures; how many, if many.
fn types(input: &Input) -> String {
    let mut seen = BTreeSet::new();
    for part in &input.parts {
        let Ok(mut reader) = Reader::new(part.bytes()) else {
            seen.insert("commands".into());
            continue;
        };
        while let Ok(Some(record)) = reader.next_record() {
            if let Record::Key(rdb::KeyRecord { value, .. }) = record {
                seen.insert(format!("{}-{}", value.kind().name(), value.encoding()));
            }
        }
    }
    match seen.len() {
        0 => "empty".into(),
        1..=NAMED_TYPES => seen.into_iter().collect::<Vec<_>>().join("+"),
        many => format!("{many}-types"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(data: &[u8]) -> (String, Vec<String>) {
        let mut stages = Vec::new();
        let signature = bytes(data, &Budget::default(), &mut |stage| stages.push(stage.to_owned()));
        (signature, stages)
    }

    #[test]
    fn each_kind_of_file_is_known_and_judged() {
        let image = include_bytes!("../../testdata/rdb/expires_v9.rdb");
        assert_eq!(judged(image).0, "ok@rdb:set-intset+string-int");
        assert_eq!(judged(image).1, ["check", "replay", "export", "repair"]);
        assert_eq!(judged(&image[..40]).0, "rejected:rdb-truncated@rdb");
        assert_eq!(judged(b"*1\r\n$4\r\nPING\r\n").0, "ok@aof:commands");
        assert_eq!(judged(b"*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGE").0, "rejected:aof-torn@aof");
        assert_eq!(judged(b"file a seq 1 type i\n").0, "ok@manifest");
        assert_eq!(judged(b"\x00\x01a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00").0, "ok@dump:type-0");
        assert_eq!(
            judged(b"\x01\x01a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00").0,
            "rejected:corpus-payload-refused@dump"
        );
        assert_eq!(judged(b"").0, "rejected:input-empty@empty");
        assert_eq!(judged(b"nothing").0, "rejected:input-unknown-format@unknown");
    }
}

//! What a repair did.

use super::text::counted;
use super::{escape, json};
use careen::bytes::publish::BACKUP;
use careen::finding::{Finding, Severity};
use careen::input::{Content, Input, Kind, Part};
use careen::repair::apply::{self, LOST, MAP};
use careen::repair::plan::{Correction, Lost};
use careen::repair::{Plan, manifest};
use serde_json::{Value, json};
use std::path::Path;

/// Keys named for each range in a text.
const NAMED: usize = 4;

/// The report, on one line.
pub(crate) fn json(input: &Input, plans: &[Plan], output: Option<&Path>) -> String {
    let sum = |of: fn(&Plan) -> u64| plans.iter().map(of).fold(0, u64::saturating_add);
    let files = || input.parts.iter().map(|part| part.name.as_str()).zip(plans);
    let ranges = |of: fn(&Plan) -> &[Lost]| -> Vec<Value> {
        files().flat_map(|(file, plan)| of(plan).iter().map(move |lost| range(file, lost))).collect()
    };
    let object = json!({
        "input": input.name,
        "output": output.map(|path| path.display().to_string()),
        "kept": {
            "keys": sum(|plan| plan.kept.keys),
            "commands": sum(|plan| plan.kept.commands),
            "bytes": sum(|plan| plan.kept.bytes),
        },
        "lost": ranges(|plan| &plan.lost),
        "doubtful": ranges(|plan| &plan.doubtful),
        "partial": files().flat_map(|(file, plan)| plan.partial.iter().map(move |part| json!({
            "file": file, "offset": part.offset, "db": part.db, "key": json::bytes(&part.key),
            "kept": part.kept, "claimed": part.claimed,
        }))).collect::<Vec<_>>(),
        "corrected": files()
            .flat_map(|(file, plan)| plan.corrected.iter().map(move |correction| corrected(file, correction)))
            .collect::<Vec<_>>(),
        "notes": files().flat_map(|(file, plan)| plan.notes.iter().map(move |note| json!({
            "file": file, "offset": note.offset, "end": note.end, "code": note.code, "keys": named(&note.keys),
        }))).collect::<Vec<_>>(),
        "findings": input.findings.iter().map(json::finding).collect::<Vec<_>>(),
        "proven": plans.iter().all(|plan| plan.proven) && !manifest::is_a_guess(input),
    });
    format!("{object}\n")
}

fn range(file: &str, lost: &Lost) -> Value {
    let keys = named(&lost.keys);
    json!({ "file": file, "offset": lost.offset, "end": lost.end, "code": lost.code, "keys": keys })
}

fn named(keys: &[Vec<u8>]) -> Vec<Value> {
    keys.iter().map(|key| json::bytes(key)).collect()
}

fn corrected(file: &str, correction: &Correction) -> Value {
    json!({ "file": file, "offset": correction.offset, "was": hex(&correction.was), "now": hex(&correction.now) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same for a person.
pub(crate) fn text(plan: &Plan, part: &Part, output: Option<&Path>) -> String {
    let mut out = format!("{}: ", escape::text(part.name.as_bytes()));
    let kept = match part.content {
        Content::Aof { preamble: false } => counted(plan.kept.commands, "command"),
        Content::Aof { preamble: true } => {
            format!("{} and {}", counted(plan.kept.keys, "key"), counted(plan.kept.commands, "command"))
        }
        _ => counted(plan.kept.keys, "key"),
    };
    out.push_str(&kept);
    out.push_str(output.map_or(" would be kept", |_| " kept"));
    if let Some(path) = output {
        out.push_str(&format!(" in {}", escape::path(path)));
    }
    if !plan.corrected.is_empty() {
        out.push_str(if plan.proven { ", restored and proven by the checksum" } else { ", restored, not proven" });
    }
    out.push('\n');
    for correction in &plan.corrected {
        out.push_str(&format!("  corrected at offset {}: {}\n", correction.offset, change(correction)));
    }
    for (ranges, word) in [(&plan.lost, "lost"), (&plan.doubtful, doubt(plan))] {
        for lost in ranges.iter() {
            let word = if lost.is_asked() { "left out" } else { word };
            out.push_str(&format!("  {word} {} to {}: {}{}\n", lost.offset, lost.end, lost.code, names(&lost.keys)));
        }
    }
    for part in &plan.partial {
        let of = part.claimed.map(|claimed| format!(" of {claimed}")).unwrap_or_default();
        let key = escape::text(&part.key);
        out.push_str(&format!("  kept in part at offset {}: {}{of} elements ({key})\n", part.offset, part.kept));
    }
    for note in &plan.notes {
        let keys = names(&note.keys);
        out.push_str(&format!("  note {} to {}: {}{keys}\n", note.offset, note.end, note.code));
    }
    out
}

/// What is wrong with the set, whether anything was damaged, what there is beside the output, and where a server looks
/// for it.
pub(crate) fn closing(input: &Input, plans: &[Plan], output: Option<&Path>, in_place: bool) -> String {
    let told = input.findings.iter().filter(|finding| finding.severity >= Severity::Warning);
    let mut lines: Vec<String> = told.map(line).collect();
    if lines.is_empty() && plans.iter().all(Plan::is_copy) {
        lines.push("nothing is damaged".to_owned());
    }
    if let Some(path) = output {
        let beside = |suffix| escape::path(&apply::beside(path, suffix));
        if plans.iter().any(|plan| !plan.quarantine().is_empty()) {
            lines.push(format!("what was left out is in {}, its places in {}", beside(LOST), beside(MAP)));
        }
        if in_place {
            lines.push(format!("the input is kept as {}", beside(BACKUP)));
        } else if input.kind == Kind::AofDir {
            lines.push("a server finds the directory under its appenddirname, by default appendonlydir".to_owned());
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What is wrong with a set.
fn line(finding: &Finding) -> String {
    let (severity, code) = (finding.severity.name(), finding.code);
    let (file, message) = (escape::text(finding.file.as_bytes()), escape::sentence(&finding.message));
    format!("  {severity} {code} in {file}: {message}")
}

fn doubt(plan: &Plan) -> &'static str {
    if plan.doubtful_is_kept { "doubtful, kept" } else { "doubtful, left out" }
}

fn change(correction: &Correction) -> String {
    match (&correction.was[..], &correction.now[..]) {
        (was, []) => format!("{} too many", counted(was.len() as u64, "byte")),
        ([], now) => format!("{} missing: {}", counted(now.len() as u64, "byte"), hex(now)),
        (was, now) => format!("{} is {}", hex(was), hex(now)),
    }
}

fn names(keys: &[Vec<u8>]) -> String {
    let named: Vec<String> = keys.iter().take(NAMED).map(|key| escape::text(key)).collect();
    match (named.is_empty(), keys.len().checked_sub(NAMED).filter(|&more| more > 0)) {
        (true, _) => String::new(),
        (false, None) => format!(" ({})", named.join(", ")),
        (false, Some(more)) => format!(" ({} and {more} more)", named.join(", ")),
    }
}

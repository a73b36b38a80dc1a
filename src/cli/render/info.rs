//! What a file is, for a person or as JSON.

use super::escape;
use super::json::bytes;
use super::text::{BOLD, FAINT, Paint, counted, number, size, time};
use careen::input::{Input, Kind, Role};
use careen::inspect::info::{Count, Info, Overview, PartInfo};
use careen::value::UnixMillis;
use serde_json::{Map, Value, json};

/// One object.
pub(crate) fn json(input: &Input, overview: &Overview) -> String {
    let info = &overview.info;
    let object = json!({
        "input": input.name,
        "kind": input.kind.name(),
        "version": overview.version,
        "producer": info.producer(),
        "dialect": overview.dialect.map(|dialect| dialect.name()),
        "aux": info.aux.iter().map(|(name, value)| (escape::text(name), bytes(value))).collect::<Map<_, _>>(),
        "databases": info.databases.iter().map(|(db, counts)| {
            (db.0.to_string(), json!({"keys": counts.keys, "expires": counts.expires}))
        }).collect::<Map<_, _>>(),
        "types": info.types.iter().map(|(kind, of)| (kind.name().to_owned(), count(of))).collect::<Map<_, _>>(),
        "encodings": encodings(info),
        "functions": info.functions.iter().map(|name| bytes(name)).collect::<Vec<_>>(),
        "modules": info.modules.iter().map(|((name, version), keys)| {
            json!({"name": name, "version": version, "keys": keys})
        }).collect::<Vec<_>>(),
        "bytes": input.bytes(),
        "parts": overview.parts.iter().map(part_json).collect::<Vec<_>>(),
        "from": overview.from,
        "to": overview.to,
        "expiries": info.expiries.map(|(first, last)| json!({"first_ms": first, "last_ms": last})),
    });
    format!("{object}\n")
}

fn count(count: &Count) -> Value {
    json!({"keys": count.keys, "elements": count.elements, "bytes": count.bytes})
}

/// By encoding alone: several types may share one.
fn encodings(info: &Info) -> Map<String, Value> {
    let mut by_name: std::collections::BTreeMap<&str, Count> = std::collections::BTreeMap::new();
    for ((_, encoding), of) in &info.encodings {
        let sum = by_name.entry(encoding).or_default();
        sum.keys = sum.keys.saturating_add(of.keys);
        sum.elements = sum.elements.saturating_add(of.elements);
        sum.bytes = sum.bytes.saturating_add(of.bytes);
    }
    by_name.iter().map(|(name, of)| ((*name).to_owned(), count(of))).collect()
}

fn role(part: &PartInfo) -> &'static str {
    match part.role {
        Role::Single => "single",
        Role::Base => "base",
        Role::Incr => "incr",
        Role::Summary => "summary",
        Role::Shard => "shard",
    }
}

fn part_json(part: &PartInfo) -> Value {
    json!({
        "file": part.name,
        "role": role(part),
        "bytes": part.bytes,
        "keys": part.keys,
        "commands": part.commands,
    })
}

/// A page of text.
pub(crate) fn text(input: &Input, overview: &Overview, paint: Paint) -> String {
    let info = &overview.info;
    let mut page = Page { out: format!("{}\n", paint.paint(BOLD, &escape::text(input.name.as_bytes()))), paint };
    page.line("kind", &kind(input, overview));
    if let Some(producer) = info.producer() {
        let dialect = overview.dialect.map_or("", |dialect| dialect.name());
        let also = if producer.starts_with(dialect) { String::new() } else { format!(" ({dialect} dialect)") };
        page.line("written by", &format!("{}{also}", escape::text(producer.as_bytes())));
    }
    if let Some(at) = info.aux(b"ctime").and_then(|text| std::str::from_utf8(text).ok()?.parse::<i64>().ok()) {
        page.line("written at", &time(UnixMillis(at.saturating_mul(1000))));
    }
    let bytes = input.bytes();
    let exact = if bytes < 1000 { String::new() } else { format!(" ({} bytes)", number(bytes)) };
    page.line("size", &format!("{}{exact}", size(bytes)));
    if let (Some(from), Some(to)) = (overview.from, overview.to) {
        let at = |seconds: i64| time(UnixMillis(seconds.saturating_mul(1000)));
        page.line("time span", &format!("{} to {}", at(from), at(to)));
    }
    if let Some((first, last)) = info.expiries {
        page.line("expiries", &format!("{} to {}", time(UnixMillis(first)), time(UnixMillis(last))));
    }
    parts(overview, &mut page);
    databases(info, &mut page);
    forms(info, &mut page);
    rest(info, &mut page);
    page.out
}

struct Page {
    out: String,
    paint: Paint,
}

impl Page {
    fn line(&mut self, name: &str, value: &str) {
        let name = self.paint.paint(FAINT, &format!("{name:<12}"));
        self.out.push_str(&format!("  {name}{value}\n"));
    }

    fn heading(&mut self, text: &str) {
        let text = self.paint.paint(BOLD, text);
        self.out.push_str(&format!("\n{text}\n"));
    }

    /// Columns; the first is aligned to the left, the others to the right.
    fn table(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        for (i, row) in rows.iter().enumerate() {
            let mut line = String::from(" ");
            for (j, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                line.push_str(&if j == 0 { format!(" {cell:<width$}") } else { format!("  {cell:>width$}") });
            }
            let line = line.trim_end();
            self.out.push_str(&if i == 0 { self.paint.paint(FAINT, line) } else { line.into() });
            self.out.push('\n');
        }
    }
}

fn kind(input: &Input, overview: &Overview) -> String {
    let version = overview.version.map(|version| format!(" version {version}")).unwrap_or_default();
    match input.kind {
        Kind::Rdb => format!("RDB{version}"),
        Kind::Aof if overview.version.is_some() => format!("AOF with a preamble (RDB{version})"),
        Kind::Aof => "AOF".into(),
        Kind::AofDir => format!("multi-part AOF of {}", counted(input.parts.len() as u64, "part")),
        Kind::DragonflySet => format!("Dragonfly snapshot of {}", counted(input.parts.len() as u64, "file")),
        Kind::Empty => "empty file".into(),
        Kind::Unknown => "unknown".into(),
    }
}

fn header(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&cell| cell.into()).collect()
}

fn parts(overview: &Overview, page: &mut Page) {
    if !overview.parts.iter().any(|part| part.commands.is_some() || part.role != Role::Single) {
        return;
    }
    page.heading("parts");
    let optional = |value: Option<u64>| value.map(number).unwrap_or_default();
    let mut rows = vec![header(&["file", "role", "bytes", "keys", "commands"])];
    rows.extend(overview.parts.iter().map(|part| {
        let name = escape::text(part.name.as_bytes());
        vec![name, role(part).into(), number(part.bytes), optional(part.keys), optional(part.commands)]
    }));
    page.table(&rows);
}

fn databases(info: &Info, page: &mut Page) {
    if info.databases.is_empty() {
        return;
    }
    page.heading("databases");
    let mut rows = vec![header(&["db", "keys", "with expiry"])];
    rows.extend(info.databases.iter().map(|(db, of)| vec![db.0.to_string(), number(of.keys), number(of.expires)]));
    page.table(&rows);
}

fn forms(info: &Info, page: &mut Page) {
    if info.types.is_empty() {
        return;
    }
    page.heading("types and encodings");
    let cells = |name: String, of: &Count| vec![name, number(of.keys), number(of.elements), size(of.bytes)];
    let mut rows = vec![header(&["type", "keys", "elements", "bytes"])];
    for (kind, of) in &info.types {
        rows.push(cells(kind.name().into(), of));
        let of_kind = info.encodings.iter().filter(|((of, _), _)| of == kind);
        rows.extend(of_kind.map(|((_, encoding), of)| cells(format!("  {encoding}"), of)));
    }
    page.table(&rows);
}

fn rest(info: &Info, page: &mut Page) {
    if !info.functions.is_empty() {
        page.heading("function libraries");
        info.functions.iter().for_each(|name| page.out.push_str(&format!("  {}\n", escape::text(name))));
    }
    if !info.modules.is_empty() {
        page.heading("modules");
        let mut rows = vec![header(&["type", "version", "keys"])];
        rows.extend(
            info.modules
                .iter()
                .map(|((name, version), keys)| vec![escape::text(name.as_bytes()), version.to_string(), number(*keys)]),
        );
        page.table(&rows);
    }
    if !info.aux.is_empty() {
        page.heading("AUX fields");
        for (name, value) in &info.aux {
            page.line(&escape::text(name), &escape::text(value));
        }
    }
}

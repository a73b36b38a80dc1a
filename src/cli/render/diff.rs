//! Differences for a person: a sign, the key, and below it what changed inside.

use super::escape;
use super::text::{FAINT, GREEN, Paint, RED, YELLOW, counted, push_time};
use careen::inspect::diff::prefixes::{Counts, Prefixes};
use careen::inspect::diff::{Change, Difference, Inside, Part, Shown, State, Totals, json};
use careen::value::UnixMillis;

fn sign(change: Change, paint: Paint) -> String {
    match change {
        Change::Added => paint.paint(GREEN, "+"),
        Change::Removed => paint.paint(RED, "-"),
        Change::Changed => paint.paint(YELLOW, "~"),
    }
}

/// A key that differs.
pub(crate) fn text(difference: &Difference<'_>, values: bool, paint: Paint, out: &mut Vec<u8>) {
    let what = difference.what;
    out.extend_from_slice(format!("{} db {} ", sign(difference.change, paint), difference.db.0).as_bytes());
    escape::push(difference.key, out);
    match (difference.a, difference.b) {
        (Some(a), Some(b)) => {
            if what.kind {
                out.extend_from_slice(format!("  {} -> {}", summary(a), summary(b)).as_bytes());
            } else {
                out.extend_from_slice(format!("  {}", a.kind.name()).as_bytes());
            }
            if what.expiry {
                out.extend_from_slice(b", expiry ");
                expiry(a.expiry, out);
                out.extend_from_slice(b" -> ");
                expiry(b.expiry, out);
            }
        }
        (one, other) => {
            if let Some(state) = one.or(other) {
                out.extend_from_slice(format!("  {}", summary(state)).as_bytes());
            }
        }
    }
    out.push(b'\n');
    difference.inside.iter().for_each(|found| inside(found, paint, out));
    if difference.more_inside > 0 {
        let more = paint.paint(FAINT, &format!("{} more", counted(difference.more_inside, "difference")));
        out.extend_from_slice(format!("    {more}\n").as_bytes());
    }
    if values && difference.inside.is_empty() {
        for (side, change) in [(difference.a, Change::Removed), (difference.b, Change::Added)] {
            whole(side, change, paint, out);
        }
    }
}

fn summary(state: &State<'_>) -> String {
    let noun = if state.kind == careen::value::Kind::String { "byte" } else { "element" };
    format!("{}, {}", state.kind.name(), counted(state.length, noun))
}

fn expiry(at: Option<UnixMillis>, out: &mut Vec<u8>) {
    match at {
        Some(at) => push_time(at, out),
        None => out.extend_from_slice(b"none"),
    }
}

fn whole(side: Option<&State<'_>>, change: Change, paint: Paint, out: &mut Vec<u8>) {
    let Some(value) = side.and_then(|state| state.value.as_ref()) else { return };
    out.extend_from_slice(format!("    {} ", sign(change, paint)).as_bytes());
    json_text(|text| json::value(value, text), out);
    out.push(b'\n');
}

/// JSON for a person: escapes of its own stay, what could drive a terminal is escaped as well.
fn json_text(write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
    let mut text = Vec::new();
    write(&mut text);
    for (i, piece) in text.split(|&byte| byte == b'\\').enumerate() {
        if i > 0 {
            out.push(b'\\');
        }
        escape::push(piece, out);
    }
}

fn inside(found: &Inside<'_>, paint: Paint, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("    {} ", sign(found.change, paint)).as_bytes());
    part(found.part, out);
    let sides = [&found.a, &found.b].into_iter().flatten();
    // A member of a set that came or went has nothing more to say.
    let sides = sides.filter(|shown| found.change == Change::Changed || **shown != Shown::Expiry(None));
    for (i, shown) in sides.enumerate() {
        out.extend_from_slice(if i == 0 { b": ".as_slice() } else { b" -> " });
        json_text(|text| json::shown(shown, text), out);
    }
    out.push(b'\n');
}

fn part(part: Part<'_>, out: &mut Vec<u8>) {
    match part {
        Part::Offset(at) => out.extend_from_slice(format!("from byte {at} on").as_bytes()),
        Part::Index(at) => out.extend_from_slice(format!("[{at}]").as_bytes()),
        Part::Slot(at) => out.extend_from_slice(format!("[{at}]").as_bytes()),
        Part::Entry(id) => out.extend_from_slice(id.to_string().as_bytes()),
        Part::Member(name) | Part::Field(name) => escape::push(name, out),
        Part::Group(name) => group(name, "", b"", out),
        Part::GroupProperty(name, property) => group(name, ", ", property.as_bytes(), out),
        Part::Pending(name, id) => group(name, ", pending ", id.to_string().as_bytes(), out),
        Part::Consumer(name, consumer) => group(name, ", consumer ", consumer, out),
        Part::Property(name) => out.extend_from_slice(name.as_bytes()),
    }
}

fn group(name: &[u8], of: &str, detail: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"group ");
    escape::push(name, out);
    out.extend_from_slice(of.as_bytes());
    escape::push(detail, out);
}

/// What it comes to.
pub(crate) fn totals(totals: &Totals) -> String {
    let Totals { same, added, removed, changed } = *totals;
    format!("{added} added, {removed} removed, {changed} changed, {same} the same\n")
}

/// A line for each prefix: added, removed, changed, prefix.
pub(crate) fn prefixes(prefixes: &Prefixes, out: &mut Vec<u8>) {
    for (prefix, Counts { added, removed, changed }) in prefixes.iter() {
        out.extend_from_slice(format!("+{added}\t-{removed}\t~{changed}\t").as_bytes());
        match prefix {
            Some([]) => out.extend_from_slice(b"(no prefix)"),
            Some(prefix) => escape::push(prefix, out),
            None => out.extend_from_slice(b"(other prefixes)"),
        }
        out.push(b'\n');
    }
}

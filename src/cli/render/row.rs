//! A line per key.

use super::{escape, text};
use careen::inspect::keys::Row;
use careen::value::{Kind, json};

/// `db type encoding length bytes ttl key`, between tabs.
pub(crate) fn text(row: &Row<'_>, out: &mut Vec<u8>) {
    json::natural(row.db.0.into(), out);
    form(row, out);
    json::natural(row.length, out);
    out.push(b'\t');
    json::natural(row.bytes, out);
    match row.expiry {
        Some(at) => {
            out.push(b'\t');
            text::push_time(at, out);
            out.push(b'\t');
        }
        None => out.extend_from_slice(b"\t-\t"),
    }
    name(row, out);
}

/// Type and encoding. Most keys are strings, and a text of known length is copied without a call.
fn form(row: &Row<'_>, out: &mut Vec<u8>) {
    match (row.kind, row.encoding) {
        (Kind::String, "raw") => out.extend_from_slice(b"\tstring\traw\t"),
        (Kind::String, "int") => out.extend_from_slice(b"\tstring\tint\t"),
        (Kind::String, "lzf") => out.extend_from_slice(b"\tstring\tlzf\t"),
        (kind, encoding) => {
            out.push(b'\t');
            out.extend_from_slice(kind.name().as_bytes());
            out.push(b'\t');
            out.extend_from_slice(encoding.as_bytes());
            out.push(b'\t');
        }
    }
}

/// The key alone.
pub(crate) fn name(row: &Row<'_>, out: &mut Vec<u8>) {
    escape::push(row.key, out);
    out.push(b'\n');
}

/// One JSON object per line.
pub(crate) fn jsonl(row: &Row<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"db\":");
    json::integer(row.db.0, out);
    out.extend_from_slice(b",\"key\":");
    json::bytes(row.key, out);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(row.kind.name().as_bytes());
    out.extend_from_slice(b"\",\"encoding\":\"");
    out.extend_from_slice(row.encoding.as_bytes());
    out.extend_from_slice(b"\",\"length\":");
    json::integer(row.length, out);
    out.extend_from_slice(b",\"bytes\":");
    json::integer(row.bytes, out);
    out.extend_from_slice(b",\"expires_at_ms\":");
    json::optional(row.expiry.map(|at| at.0), out);
    out.extend_from_slice(b"}\n");
}

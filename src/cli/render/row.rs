//! A line per key.

use super::{escape, text};
use careen::inspect::keys::Row;
use careen::value::json;

/// `db type encoding length bytes ttl key`, between tabs.
pub(crate) fn text(row: &Row<'_>, out: &mut Vec<u8>) {
    json::integer(row.db.0, out);
    out.push(b'\t');
    out.extend_from_slice(row.kind.name().as_bytes());
    out.push(b'\t');
    out.extend_from_slice(row.encoding.as_bytes());
    out.push(b'\t');
    json::integer(row.length, out);
    out.push(b'\t');
    json::integer(row.bytes, out);
    out.push(b'\t');
    match row.expiry {
        Some(at) => text::push_time(at, out),
        None => out.push(b'-'),
    }
    out.push(b'\t');
    name(row, out);
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

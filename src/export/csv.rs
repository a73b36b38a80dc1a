//! A line per key, without its value.
//!
//! `db,key,type,encoding,bytes,length,expires_at_ms`; quoted as RFC 4180 says, bytes that are not UTF-8 as they are.

use crate::inspect::keys::Row;
use crate::value::json::{integer, optional};

/// The first line.
pub const HEADER: &[u8] = b"db,key,type,encoding,bytes,length,expires_at_ms\n";

/// The line of a key.
pub fn row(row: &Row<'_>, out: &mut Vec<u8>) {
    integer(row.db.0, out);
    out.push(b',');
    field(row.key, out);
    out.push(b',');
    out.extend_from_slice(row.kind.name().as_bytes());
    out.push(b',');
    out.extend_from_slice(row.encoding.as_bytes());
    out.push(b',');
    integer(row.bytes, out);
    out.push(b',');
    integer(row.length, out);
    out.push(b',');
    if row.expiry.is_some() {
        optional(row.expiry.map(|at| at.0), out);
    }
    out.push(b'\n');
}

/// Bytes as a field.
pub fn field(text: &[u8], out: &mut Vec<u8>) {
    if !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{DbIndex, Kind, UnixMillis};

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let mut out = Vec::new();
        let one = Row {
            db: DbIndex(3),
            key: b"a,\"b\"",
            kind: Kind::Zset,
            encoding: "skiplist",
            length: 7,
            bytes: 99,
            expiry: Some(UnixMillis(-5)),
        };
        row(&one, &mut out);
        row(&Row { key: b"plain", expiry: None, ..one }, &mut out);
        assert_eq!(out, b"3,\"a,\"\"b\"\"\",zset,skiplist,99,7,-5\n3,plain,zset,skiplist,99,7,\n");
    }
}

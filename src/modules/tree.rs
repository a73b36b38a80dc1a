//! What a module's value means, as plain data.

use std::borrow::Cow;

use super::json_text::JsonText;
use super::packed_numbers::PackedNumbers;
use super::timeseries::Chunk;
use crate::value::{Blob, json};

/// A module's value as a document. Its depth is bounded by the limits it was decoded with.
#[derive(Debug, Clone)]
pub enum Tree<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer without a sign.
    UInt(u64),
    /// A number with a fraction, even if it is zero.
    Float(f64),
    /// Bytes.
    Text(Blob<'a>),
    /// Values in order.
    List(Vec<Tree<'a>>),
    /// Named values in stored order.
    Map(Vec<(Cow<'a, str>, Tree<'a>)>),
    /// JSON text, known to be valid.
    Json(JsonText<'a>),
    /// Numbers that are left in their stored form.
    Numbers(PackedNumbers<'a>),
    /// Samples of a time series, left in their stored form.
    Samples(Box<Chunk<'a>>),
}

/// A map whose names are known beforehand.
pub(super) fn map<'a, const N: usize>(entries: [(&'static str, Tree<'a>); N]) -> Tree<'a> {
    Tree::Map(entries.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect())
}

impl Tree<'_> {
    /// Write it as JSON on one line.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Int(value) => json::integer(*value, out),
            Self::UInt(value) => json::integer(*value, out),
            Self::Float(value) => write_float(*value, out),
            Self::Text(bytes) => json::bytes(bytes, out),
            Self::List(items) => list(items, out, |item, out| item.write_json(out)),
            Self::Map(entries) => {
                out.push(b'{');
                separated(entries, out, |(name, value), out| {
                    json::string(name, out);
                    out.push(b':');
                    value.write_json(out);
                });
                out.push(b'}');
            }
            Self::Json(text) => text.write(out),
            Self::Numbers(numbers) => list(numbers.iter(), out, |number, out| number.write_json(out)),
            Self::Samples(chunk) => list(chunk.samples(), out, |(time, value), out| {
                out.push(b'[');
                json::integer(time, out);
                out.push(b',');
                json::number(value, out);
                out.push(b']');
            }),
        }
    }
}

/// A whole number keeps its `.0`, so that reading it back gives a number of the same sort.
fn write_float(value: f64, out: &mut Vec<u8>) {
    let start = out.len();
    json::number(value, out);
    let text = out.get(start..).unwrap_or_default();
    if text.iter().all(|b| b.is_ascii_digit() || *b == b'-') {
        out.extend_from_slice(b".0");
    }
}

fn list<T>(items: impl IntoIterator<Item = T>, out: &mut Vec<u8>, write: impl FnMut(T, &mut Vec<u8>)) {
    out.push(b'[');
    separated(items, out, write);
    out.push(b']');
}

/// Write items with commas between them.
pub(super) fn separated<T>(
    items: impl IntoIterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_written_as_json_on_one_line() {
        let tree = map([
            ("n", Tree::Null),
            ("b", Tree::List(vec![Tree::Bool(true), Tree::Bool(false), Tree::Int(-1), Tree::UInt(u64::MAX)])),
            ("f", Tree::List(vec![Tree::Float(1.0), Tree::Float(-0.5), Tree::Float(1e300), Tree::Float(f64::NAN)])),
            ("t", Tree::Text(Blob::borrowed(b"\xff"))),
            ("e", Tree::List(vec![])),
        ]);
        let mut out = Vec::new();
        tree.write_json(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"n":null,"b":[true,false,-1,18446744073709551615],"f":[1.0,-0.5,1e300,"nan"],"t":{"base64":"/w=="},"e":[]}"#
        );
    }
}

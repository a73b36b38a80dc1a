//! Answers as JSON.

use base64::Engine as _;
use careen::finding::Finding;
use serde_json::{Value, json};

/// Bytes: a string when they are UTF-8, else `{"base64":"…"}`.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({"base64": base64::engine::general_purpose::STANDARD.encode(bytes)}),
    }
}

/// A finding.
pub(crate) fn finding(finding: &Finding) -> Value {
    json!({
        "file": finding.file,
        "offset": finding.offset,
        "end": finding.end,
        "severity": finding.severity.name(),
        "code": finding.code,
        "db": finding.db,
        "key": finding.key.as_deref().map(bytes),
        "message": finding.message,
        "hint": finding.hint,
    })
}

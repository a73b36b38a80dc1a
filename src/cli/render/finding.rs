//! A finding for a person.

use super::escape;
use super::text::{BOLD, CYAN, FAINT, Paint, RED, YELLOW};
use anstyle::Style;
use careen::finding::{Finding, Severity};

/// The colour of a severity.
pub(crate) fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Info => CYAN,
    }
}

/// Two or three lines: what and where, why, what to do. The file is named when it is not the input itself.
pub(crate) fn text(finding: &Finding, input: &str, paint: Paint) -> String {
    let severity = paint.paint(style(finding.severity), finding.severity.name());
    let mut place = String::new();
    if !finding.file.is_empty() && finding.file != input {
        place.push_str(&format!(" in {}", escape::text(finding.file.as_bytes())));
    }
    match finding.end {
        Some(end) => place.push_str(&format!(" at offset {}..{end}", finding.offset)),
        None => place.push_str(&format!(" at offset {}", finding.offset)),
    }
    if let Some(key) = &finding.key {
        place.push_str(&format!(", key \"{}\"", escape::text(key)));
    }
    if let Some(db) = finding.db {
        place.push_str(&format!(", db {db}"));
    }
    let mut out = format!("  {severity} {}{place}\n", paint.paint(BOLD, finding.code));
    out.push_str(&format!("    {}\n", escape::sentence(&finding.message)));
    if let Some(hint) = &finding.hint {
        out.push_str(&paint.paint(FAINT, &format!("    hint: {}", escape::sentence(hint))));
        out.push('\n');
    }
    out
}

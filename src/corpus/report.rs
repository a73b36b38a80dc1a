//! What a run over many files found, grouped by signature.

use super::pool::Judged;
use super::signature::{Outcome, verdict};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Files that did the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// How many.
    pub files: u64,
    /// The smallest of them, of equal ones the first by name.
    pub example: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// The whole run. The order in which files came makes no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// How many files did each of the five things.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Files by signature.
    pub groups: BTreeMap<String, Group>,
}

impl Report {
    /// Count a file.
    pub fn add(&mut self, judged: &Judged) {
        let count = self.outcomes.entry(judged.outcome()).or_default();
        *count = count.saturating_add(1);
        let group = self.groups.entry(judged.signature.clone()).or_insert_with(|| Group {
            files: 0,
            example: judged.path.clone(),
            bytes: judged.bytes,
        });
        group.files = group.files.saturating_add(1);
        if (judged.bytes, &judged.path) < (group.bytes, &group.example) {
            group.bytes = judged.bytes;
            group.example.clone_from(&judged.path);
        }
    }

    /// How many files did one of the five things.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// How many files there are.
    #[must_use]
    pub fn files(&self) -> u64 {
        self.outcomes.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How many did what no file may do.
    #[must_use]
    pub fn failures(&self) -> u64 {
        let failures = self.outcomes.iter().filter(|(outcome, _)| outcome.is_failure());
        failures.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }
}

/// The files as JUnit's XML: a test case each, which fails when the file did what none may do.
#[must_use]
pub fn junit(name: &str, files: &[Judged]) -> String {
    let failures = files.iter().filter(|judged| judged.outcome().is_failure()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let suite = escaped(name);
    let _ =
        writeln!(out, "<testsuite name=\"{suite}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">", files.len());
    for judged in files {
        let (file, signature) = (escaped(&judged.path.to_string_lossy()), escaped(&judged.signature));
        let _ = write!(out, "  <testcase classname=\"corpus\" name=\"{file}\"");
        if judged.outcome().is_failure() {
            let kind = escaped(verdict(&judged.signature));
            let _ = writeln!(out, ">\n    <failure type=\"{kind}\" message=\"{signature}\"/>\n  </testcase>");
        } else {
            out.push_str("/>\n");
        }
    }
    out.push_str("</testsuite>\n");
    out
}

/// Text as it may stand in an attribute. What XML has no place for becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(path: &str, bytes: u64, signature: &str) -> Judged {
        Judged { path: path.into(), bytes, signature: signature.into() }
    }

    #[test]
    fn files_are_counted_and_the_smallest_stands_for_its_group() {
        let mut report = Report::default();
        for one in [judged("b", 5, "ok@aof:commands"), judged("a", 5, "ok@aof:commands"), judged("c", 9, "oom")] {
            report.add(&one);
        }
        assert_eq!((report.files(), report.failures(), report.count(Outcome::Ok)), (3, 1, 2));
        assert_eq!(report.groups["ok@aof:commands"], Group { files: 2, example: "a".into(), bytes: 5 });
    }

    #[test]
    fn junit_escapes_what_a_file_may_be_called() {
        let xml = junit("d\"<&>", &[judged("a\u{1}\n'<", 1, "crash@x.rs:1"), judged("b", 1, "ok@rdb:empty")]);
        assert_eq!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuite name=\"d&quot;&lt;&amp;&gt;\" tests=\"2\" failures=\"1\" errors=\"0\">\n\
             \x20 <testcase classname=\"corpus\" name=\"a\u{fffd}&#10;'&lt;\">\n\
             \x20   <failure type=\"crash\" message=\"crash@x.rs:1\"/>\n\
             \x20 </testcase>\n\
             \x20 <testcase classname=\"corpus\" name=\"b\"/>\n\
             </testsuite>\n"
        );
    }
}

//! The catalogue of codes in `docs/codes.md` against the codes in the source.
//!
//! A code in the source is a string of the form `family-what-it-is` outside tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test says what is wrong by failing"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The layers, the structures and the reasons that codes begin with.
const FAMILIES: &str = "aof array chat compact convert copied corpus diff dragonfly export hash index input intset key \
    listpack log lzf manifest memory module more packed quicklist rdb repair replay run stream unknown value weak zero ziplist \
    zipmap zset";

/// Strings of that form which are something else: kinds of input, encodings, options.
const NOT_CODES: [&str; 11] = [
    "aof-base",
    "aof-dir",
    "aof-preamble",
    "dragonfly-set",
    "listpack-template",
    "module-pre-ga",
    "stream-listpacks",
    "stream-listpacks-2",
    "stream-listpacks-3",
    "stream-listpacks-4",
    "stream-listpacks-5",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

fn is_code(text: &str) -> bool {
    let family = text.split('-').next().unwrap_or_default();
    let plain = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.contains('-') && text.split('-').all(plain) && FAMILIES.split_whitespace().any(|known| known == family)
}

/// What stands between two of these marks, and has the form of a code.
fn quoted(text: &str, mark: char) -> BTreeSet<String> {
    text.lines().flat_map(|line| line.split(mark).skip(1).step_by(2)).filter(|q| is_code(q)).map(Into::into).collect()
}

fn in_source() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut codes = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String =
            before_tests.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect();
        codes.extend(quoted(&code, '"'));
    }
    codes
}

/// Codes stand in the first column of the tables.
fn in_catalogue() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("docs/codes.md")).unwrap();
    let first_columns = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    first_columns.flat_map(|column| quoted(column, '`')).collect()
}

#[test]
fn every_code_is_in_the_catalogue_and_the_catalogue_has_no_other() {
    let not_codes: BTreeSet<String> = NOT_CODES.map(Into::into).into();
    let (source, catalogue) = (in_source(), in_catalogue());
    assert!(not_codes.is_subset(&source), "no longer in the source: {:?}", not_codes.difference(&source));
    let source: BTreeSet<String> = source.difference(&not_codes).cloned().collect();
    let missing: Vec<_> = source.difference(&catalogue).collect();
    let stale: Vec<_> = catalogue.difference(&source).collect();
    assert!(missing.is_empty(), "codes that docs/codes.md does not explain (or strings for NOT_CODES): {missing:?}");
    assert!(stale.is_empty(), "docs/codes.md explains codes that nothing gives: {stale:?}");
}

#[test]
fn no_code_is_explained_twice() {
    let text = std::fs::read_to_string(root().join("docs/codes.md")).unwrap();
    let columns = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let mut seen = BTreeSet::new();
    for code in columns.flat_map(|column| column.split('`').skip(1).step_by(2)).filter(|code| is_code(code)) {
        assert!(seen.insert(code.to_owned()), "{code} is explained twice");
    }
}

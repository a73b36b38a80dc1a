use super::*;
use proptest::prelude::*;

fn codes(text: &str) -> Vec<(u32, &'static str)> {
    Manifest::scan(text.as_bytes()).1.iter().map(|problem| (problem.line, problem.kind.code())).collect()
}

fn refusal(text: &str) -> Option<&'static str> {
    Manifest::parse(text.as_bytes()).err().map(|problem| problem.kind.code())
}

fn only(text: &str) -> Entry {
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(manifest.entries.len(), 1);
    manifest.entries.into_iter().next().unwrap()
}

#[test]
fn a_server_s_manifest_is_read_and_written_the_same() {
    let text = "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type h\n\
                file a.2.incr.aof seq 2 type i startoffset 17 endoffset 99\nfile \"a b\\x01\\n.incr\" seq 3 type i\n";
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    assert_eq!(manifest.encode().unwrap(), text.as_bytes());
    assert_eq!(manifest.base().unwrap().name, b"a.1.base.rdb");
    assert_eq!(manifest.history().count(), 1);
    let last = manifest.incrs().next_back().unwrap();
    assert_eq!((last.name.as_slice(), last.seq, last.line), (&b"a b\x01\n.incr"[..], 3, 4));
    assert_eq!(manifest.incrs().next().unwrap().end_offset, Some(99));
}

#[test]
fn the_base_is_loaded_first_wherever_it_stands() {
    let text = "file i1 seq 1 type i\nfile h seq 9 type h\nfile b seq 1 type b\nfile i2 seq 5 type i\n";
    let manifest = Manifest::parse(text.as_bytes()).unwrap();
    let loaded: Vec<_> = manifest.loaded().map(|entry| entry.name.clone()).collect();
    assert_eq!(loaded, [&b"b"[..], b"i1", b"i2"]);
    let written = manifest.encode().unwrap();
    assert!(written.starts_with(b"file b seq 1 type b\nfile h seq 9 type h\nfile i1 "));
}

#[test]
fn liberties_of_servers_are_accepted() {
    assert_eq!(only("file a seq 1 type b\r\n").role, Role::Base);
    assert_eq!(only(" \tfile a seq 1 type base \n").role, Role::Base);
    assert_eq!(only("TYPE i Seq 2x FILE a\n").seq, 2);
    assert_eq!(only("file a seq 1 file b type h seq -7\n").seq, -7);
    assert_eq!(only("file 'a b' seq 1 type b\n").name, b"a b");
    assert_eq!(only("file a\"b\\x2Fc\" seq 1 type b\n".replace("\\x2F", "\\x2d").as_str()).name, b"ab-c");
    assert_eq!(only("file \"\\q\\n\\r\\t\\a\\b\\xZZ\" seq 1 type b\n").name, b"q\n\r\t\x07\x08xZZ");
    assert_eq!(only("file 'it\\'s \\n' seq 1 type b\n".replace("\\n", "n").as_str()).name, b"it's n");
    assert_eq!(only("file a seq 99999999999999999999 type b\n").seq, i64::MAX);
    assert_eq!(only("file a seq -9223372036854775808 type b\n").seq, i64::MIN);
    assert_eq!(only("# comment\nfile a seq 1 type b colour \"\"\n").unknown, [(b"colour".to_vec(), vec![])]);
    assert!(Manifest::parse(b"# only a comment").unwrap().entries.is_empty());
    assert_eq!(
        codes("file a seq 01 type base x y\n"),
        [(1, "manifest-sloppy-number"), (1, "manifest-long-type"), (1, "manifest-unknown-key")]
    );
}

#[test]
fn what_servers_refuse_is_refused() {
    let long = format!("file {} seq 1 type b\n", "x".repeat(1010));
    for (text, code) in [
        ("", "manifest-empty"),
        ("file a seq 1 type b", "manifest-no-newline"),
        ("file a seq 1 type b\n\n", "manifest-blank-line"),
        ("file a seq 1 type b\0\n", "manifest-nul-byte"),
        (&long, "manifest-line-too-long"),
        ("file a seq 1\n", "manifest-bad-pairs"),
        ("file a seq 1 type b x\n", "manifest-bad-pairs"),
        ("file \"a seq 1 type b\n", "manifest-bad-quotes"),
        ("file \"a\"b seq 1 type b\n", "manifest-bad-quotes"),
        ("file 'a'b seq 1 type b\n", "manifest-bad-quotes"),
        ("file ../a seq 1 type b\n", "manifest-path-in-name"),
        ("file a\\b seq 1 type b\n", "manifest-path-in-name"),
        ("file \"a\\x2fb\" seq 1 type b\n", "manifest-path-in-name"),
        ("file a seq 0 type b\n", "manifest-missing-field"),
        ("file a seq x type b\n", "manifest-missing-field"),
        ("file a seq 1 type \"\"\n", "manifest-missing-field"),
        ("file a seq 1 x y\n", "manifest-missing-field"),
        ("file a seq 1 type B\n", "manifest-unknown-type"),
        ("file a seq 1 type b\nfile b seq 2 type b\n", "manifest-duplicate-base"),
        ("file a seq 2 type i\nfile b seq 2 type i\n", "manifest-sequence-not-increasing"),
        ("file a seq -1 type i\n", "manifest-sequence-not-increasing"),
    ] {
        assert_eq!(refusal(text), Some(code), "{text}");
        let (_, problems) = Manifest::scan(text.as_bytes());
        assert!(problems.iter().filter(|p| p.is_refused()).all(|p| p.kind.severity() == Severity::Error));
    }
}

use crate::finding::Severity;

#[test]
fn what_servers_overlook_is_found() {
    assert_eq!(codes("file .. seq 1 type b\n"), [(1, "manifest-not-a-file-name")]);
    assert_eq!(codes("file \"\" seq 1 type b\n"), [(1, "manifest-not-a-file-name")]);
    assert_eq!(codes("file a seq 1 type b\nfile a seq 1 type i\n"), [(2, "manifest-duplicate-name")]);
    assert_eq!(codes("file \"a\\x00b\" seq 1 type b\n"), [(1, "manifest-control-in-name")]);
}

#[test]
fn all_problems_are_reported_and_the_rest_is_read() {
    let text = "file a seq 1 type b\nfile b seq 1 type b\n\nfile c seq 2 type i\nfile d seq 1 type i\njunk\nfile e seq 3 type i";
    let (manifest, problems) = Manifest::scan(text.as_bytes());
    let found: Vec<_> = problems.iter().map(|p| (p.line, p.offset, p.kind.code())).collect();
    assert_eq!(
        found,
        [
            (2, 20, "manifest-duplicate-base"),
            (3, 40, "manifest-blank-line"),
            (5, 61, "manifest-sequence-not-increasing"),
            (6, 81, "manifest-bad-pairs"),
            (7, 86, "manifest-no-newline"),
        ]
    );
    assert_eq!(manifest.entries.len(), 5);
    let finding = problems[2].to_finding("x.manifest");
    assert_eq!((finding.offset, finding.end, finding.file.as_str()), (61, Some(80), "x.manifest"));
    assert!(finding.message.starts_with("line 5, `file d seq 1 type i`: "), "{}", finding.message);
}

fn entry() -> impl Strategy<Value = Entry> {
    let word =
        || prop_oneof!["[a-z.0-9]{1,20}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..20)];
    let name = word().prop_map(|name| name.into_iter().filter(|b| !matches!(b, b'/' | b'\\')).collect::<Vec<_>>());
    // No key that servers know begins with X: `SEQ 0` would rightly be refused.
    let unknown = prop::collection::vec(("X[A-Z]{0,3}".prop_map(String::into_bytes), word()), 0..3);
    let offset = || prop::option::of(any::<i64>());
    (name, any::<i64>(), offset(), offset(), unknown).prop_map(|(name, seq, start_offset, end_offset, unknown)| Entry {
        start_offset,
        end_offset,
        unknown,
        ..Entry::new(name, if seq == 0 { 1 } else { seq }, Role::History)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(entries in prop::collection::vec(entry(), 1..5)) {
        let written = Manifest { entries: entries.clone() }.encode().unwrap();
        let mut read = Manifest::parse(&written).unwrap();
        for (n, entry) in read.entries.iter_mut().enumerate() {
            prop_assert_eq!(entry.line as usize, n.saturating_add(1));
            entry.line = 0;
        }
        prop_assert_eq!(read.entries, entries);
    }

    #[test]
    fn no_bytes_make_it_panic(text in prop::collection::vec(prop_oneof![any::<u8>(),
        prop::sample::select(b"file a seq 1 type bhi\n\"'\\x# ".to_vec())], 0..120)) {
        crate::aof::attack::manifest(&text);
    }
}

#[test]
fn an_empty_set_is_not_written_as_an_empty_file() {
    let text = Manifest::default().encode().unwrap();
    assert!(Manifest::parse(&text).unwrap().entries.is_empty());
    let long = Manifest { entries: vec![Entry::new(vec![1_u8; 400], 1, Role::Base)] };
    assert_eq!(long.encode().unwrap_err().kind, ProblemKind::LineTooLong);
}

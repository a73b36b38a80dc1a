use super::*;
use crate::aof::writer::encode;
use std::fs;

const MANIFEST: &str =
    "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type h\nfile a.aof.2.incr.aof seq 2 type i\n";

fn log() -> Vec<u8> {
    let mut log = Vec::new();
    encode(&["PING"], &mut log);
    log
}

/// A directory with these files; names with `/` get their directories.
fn directory(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn opened(path: &Path) -> Input {
    open(path, &Options::default()).unwrap()
}

fn refused(path: &Path) -> (&'static str, String) {
    let error = open(path, &Options::default()).unwrap_err();
    assert!(error.hint().is_some());
    (error.code(), error.to_string())
}

fn codes(input: &Input) -> Vec<(&str, &'static str)> {
    input.findings.iter().map(|finding| (finding.file.as_str(), finding.code)).collect()
}

fn names(input: &Input) -> Vec<(&str, Role, i64)> {
    input.parts.iter().map(|part| (part.name.as_str(), part.role, part.seq)).collect()
}

#[test]
fn a_file_is_its_own_single_part() {
    let dir = directory(&[("x", &log()), ("empty", b""), ("text", b"hello")]);
    let input = opened(&dir.path().join("x"));
    assert_eq!((input.kind, input.parts.len(), input.bytes()), (Kind::Aof, 1, 14));
    assert_eq!(input.parts[0].role, Role::Single);
    assert!(input.require_sound().is_ok());
    assert_eq!(opened(&dir.path().join("empty")).kind, Kind::Empty);
    let text = opened(&dir.path().join("text"));
    assert_eq!((text.kind, text.findings[0].code), (Kind::Unknown, "input-unknown-format"));
    assert_eq!(text.require_sound().unwrap_err().code(), "input-unknown-format");
    assert_eq!(refused_missing(&dir.path().join("none")), "input-not-found");
}

fn refused_missing(path: &Path) -> &'static str {
    open(path, &Options::default()).unwrap_err().code()
}

#[test]
fn a_manifest_and_its_directory_give_the_same_set() {
    let dir = directory(&[
        ("a.aof.manifest", MANIFEST.as_bytes()),
        ("a.aof.1.base.rdb", b"REDIS0004\xff"),
        ("a.aof.2.incr.aof", &log()),
        ("temp-a.aof.manifest", b""),
    ]);
    for path in [dir.path().to_owned(), dir.path().join("a.aof.manifest")] {
        let input = opened(&path);
        assert_eq!(input.kind, Kind::AofDir);
        assert_eq!(names(&input), [("a.aof.1.base.rdb", Role::Base, 1), ("a.aof.2.incr.aof", Role::Incr, 2)]);
        assert_eq!(input.parts[0].content, Content::Rdb);
        assert_eq!(codes(&input), []);
        assert_eq!(input.manifest.as_ref().unwrap().manifest.history().count(), 1);
        assert_eq!(input.name, path.display().to_string());
    }
}

#[test]
fn a_data_directory_leads_to_the_log_in_it() {
    let manifest: &[u8] = b"file a.aof.1.base.aof seq 1 type b\n";
    let dir = directory(&[
        ("appendonlydir/a.aof.manifest", manifest),
        ("appendonlydir/a.aof.1.base.aof", b""),
        ("server.log", b"started"),
    ]);
    assert_eq!(codes(&opened(dir.path())), []);
    fs::write(dir.path().join("dump.rdb"), b"REDIS0004\xff").unwrap();
    let input = opened(dir.path());
    assert_eq!((input.kind, codes(&input)), (Kind::AofDir, vec![("dump.rdb", "input-beside-aof")]));
    assert!(input.require_sound().is_ok());
    fs::create_dir(dir.path().join("old")).unwrap();
    fs::write(dir.path().join("old/b.manifest"), manifest).unwrap();
    let (code, text) = refused(dir.path());
    assert_eq!(code, "input-several-candidates");
    assert!(text.contains("b.manifest") && text.contains("a.aof.manifest") && text.contains("dump.rdb"), "{text}");
}

#[test]
fn a_directory_with_one_file_is_that_file_and_with_two_an_error() {
    let dir = directory(&[("dump.rdb", b"REDIS0004\xff"), ("notes", b"hello")]);
    assert_eq!(opened(dir.path()).kind, Kind::Rdb);
    fs::write(dir.path().join("appendonly.aof"), log()).unwrap();
    let (code, text) = refused(dir.path());
    assert_eq!(code, "input-several-candidates");
    assert!(text.contains("dump.rdb") && text.contains("appendonly.aof"), "{text}");
    assert_eq!(refused(directory(&[("notes", b"hello")]).path()).0, "input-nothing-found");
    assert_eq!(refused(directory(&[("a.manifest", b""), ("b.manifest", b"")]).path()).0, "input-several-candidates");
}

#[test]
fn a_lost_manifest_is_replaced_by_what_the_names_say() {
    let parts = ["a.1.base.aof", "a.2.base.rdb", "a.10.incr.aof", "a.9.incr.aof", "temp-a.3.incr.aof", "a.0.incr.aof"];
    let files: Vec<_> = parts.iter().map(|name| (*name, &b""[..])).collect();
    let dir = directory(&files);
    let input = opened(dir.path());
    let expected =
        [("a.2.base.rdb", Role::Base, 2), ("a.9.incr.aof", Role::Incr, 9), ("a.10.incr.aof", Role::Incr, 10)];
    assert_eq!(names(&input), expected);
    assert_eq!(input.findings[0].code, "aof-manifest-missing");
    assert_eq!(input.require_sound().unwrap_err().code(), "aof-manifest-missing");
    fs::write(dir.path().join("b.1.incr.aof"), b"").unwrap();
    assert_eq!(refused(dir.path()).0, "input-several-candidates");
}

#[test]
fn missing_unlisted_and_empty_manifest_are_findings() {
    let dir = directory(&[("a.aof.manifest", MANIFEST.as_bytes()), ("a.aof.3.incr.aof", b"")]);
    let input = opened(dir.path());
    assert_eq!(
        codes(&input),
        [
            ("a.aof.1.base.rdb", "aof-part-missing"),
            ("a.aof.2.incr.aof", "aof-part-missing"),
            ("a.aof.3.incr.aof", "aof-part-unlisted"),
        ]
    );
    let error = input.require_sound().unwrap_err();
    assert_eq!(error.code(), "aof-part-missing");
    assert!(error.to_string().contains("a.aof.1.base.rdb"));
    fs::write(dir.path().join("a.aof.manifest"), b"").unwrap();
    assert_eq!(
        codes(&opened(dir.path())),
        [("a.aof.manifest", "manifest-empty"), ("a.aof.3.incr.aof", "aof-part-unlisted")]
    );
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let outside = directory(&[("secret", &log())]);
    let manifest: &[u8] = b"file ../secret seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile .. seq 2 type i\n\
                     file a.3.incr.aof seq 3 type i\n";
    let dir = directory(&[("a.manifest", manifest), ("secret", &log()), ("real", &log())]);
    let secret = outside.path().join("secret");
    std::os::unix::fs::symlink(&secret, dir.path().join("a.1.incr.aof")).unwrap();
    std::os::unix::fs::symlink("real", dir.path().join("a.3.incr.aof")).unwrap();
    let input = opened(dir.path());
    assert_eq!(
        codes(&input),
        [
            ("a.manifest", "manifest-path-in-name"),
            ("a.manifest", "manifest-not-a-file-name"),
            ("a.1.incr.aof", "aof-part-outside"),
            ("..", "aof-part-not-a-file"),
        ]
    );
    assert_eq!(names(&input), [("a.3.incr.aof", Role::Incr, 3)]);
}

#[test]
fn a_damaged_part_is_still_a_part() {
    let manifest: &[u8] = b"file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\n";
    let dir = directory(&[("a.manifest", manifest), ("a.1.base.aof", b"garbage"), ("a.1.incr.aof", b"file a b c\n")]);
    let input = opened(dir.path());
    assert!(input.parts.iter().all(|part| part.content == Content::Aof { preamble: false }));
    assert_eq!(codes(&input), []);
}

#[test]
fn a_dragonfly_summary_brings_its_shards() {
    let summary = b"REDIS0009\xfa\x06df-ver\x011\xfa\x0bshard-count\x013\xff\0\0\0\0\0\0\0\0";
    let shard: &[u8] = b"REDIS0009\xfa\x06df-ver\x011\xff\0\0\0\0\0\0\0\0";
    let dir = directory(&[("d-summary.dfs", summary), ("d-0000.dfs", shard), ("d-0002.dfs", shard)]);
    for path in [dir.path().to_owned(), dir.path().join("d-summary.dfs")] {
        let input = opened(&path);
        assert_eq!(input.kind, Kind::DragonflySet);
        assert_eq!(
            names(&input),
            [("d-summary.dfs", Role::Summary, 0), ("d-0000.dfs", Role::Shard, 0), ("d-0002.dfs", Role::Shard, 2)]
        );
        assert_eq!(codes(&input), [("d-0001.dfs", "dragonfly-shard-missing")]);
    }
}

#[test]
fn bytes_in_memory_are_a_file_but_not_a_set() {
    assert_eq!(from_bytes("-", log()).unwrap().kind, Kind::Aof);
    let loose = from_bytes("-", MANIFEST.into()).unwrap_err();
    assert_eq!((loose.code(), loose.hint().is_some()), ("input-loose-manifest", true));
}

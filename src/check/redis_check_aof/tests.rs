use super::*;
use crate::aof::writer::encode;
use std::fs;
use tempfile::TempDir;

/// `SELECT 0`, `SET a 1`: 50 bytes, 12 lines.
const GOOD: &[u8] = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";

fn command(words: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(words, &mut out);
    out
}

fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

/// Run the tool in a directory; the directory's path is left out of what it says.
fn tool(dir: &TempDir, words: &[&str], yes: bool) -> (u8, String) {
    let (last, flags) = words.split_last().unwrap();
    let mut arguments: Vec<OsString> = flags.iter().map(Into::into).collect();
    arguments.push(dir.path().join(last).into());
    let mut out = Vec::new();
    let status = run("redis-check-aof", &arguments, UnixMillis(0), &mut out, &mut || yes).unwrap();
    let home = format!("{}/", dir.path().display());
    (status, String::from_utf8(out).unwrap().replace(&home, ""))
}

fn check(log: &[u8]) -> (u8, String) {
    tool(&directory(&[("a", log)]), &["a"], false)
}

/// What the tool says of a log that is good up to byte 50.
fn refusal(tail: &[u8]) -> String {
    let (status, text) = check(&[GOOD, tail].concat());
    let size = GOOD.len() + tail.len();
    assert_eq!(status, 1);
    let rest = text.strip_prefix("Start checking Old-Style AOF\n").unwrap();
    let (message, analysis) = rest.split_once("AOF analyzed: ").unwrap();
    assert!(analysis.starts_with(&format!("filename=a, size={size}, ok_up_to=50, ")), "{analysis}");
    assert!(analysis.ends_with("\nAOF a is not valid. Use the --fix option to try fixing it.\n"), "{analysis}");
    message.to_owned()
}

#[test]
fn a_good_log_is_valid_and_an_empty_one_is_empty() {
    let text = "Start checking Old-Style AOF\n\
                AOF analyzed: filename=a, size=50, ok_up_to=50, ok_up_to_line=13, diff=0\nAOF a is valid\n";
    assert_eq!(check(GOOD), (0, text.into()));
    assert_eq!(check(b""), (0, "Start checking Old-Style AOF\nAOF a is empty\n".into()));
    assert_eq!(check(b"*+1\r\n$ 4\r\nPING\r\n").0, 0, "numbers may be padded");
    assert_eq!(check(&[GOOD, b"#TS:12"].concat()).0, 0, "an annotation may be cut");
}

#[test]
fn faults_are_told_in_the_tool_s_words() {
    // Each line is what redis-check-aof 7.0.15 and 8.6.3 say of the same bytes.
    for (tail, message) in [
        (&b"*1\r\n$100000\r\nPING\r\n"[..], "0x              3f: Expected to read 100002 bytes, got 6 bytes\n"),
        (&command(&["EXEC"]), "0x              3a: Unexpected EXEC in AOF a\n"),
        (b"*3junk\r\n$3\r\nSET", "0x              32: Expected \\r\\n, got: 6a75\n"),
        (b"*3\n$3\r\nSET", "0x              32: Expected \\r\\n, got: 0a00\n"),
        (
            b"*1\r\n$-1\r\n",
            "0x              36: Expected to read string of -1 bytes, which is not in the suitable range\n",
        ),
        (
            b"*1\r\n$99999999999999999999\r\n",
            "0x              36: Expected to read string of 9223372036854775807 bytes, which is not in the suitable range\n",
        ),
        (
            &[command(&["MULTI"]), command(&["SET", "b", "1"])].concat(),
            "0x              59: Reached EOF before reading EXEC for MULTI\n",
        ),
        (&command(&["multi"]).repeat(2), "0x              49: Unexpected MULTI in AOF a\n"),
        (&[0; 100], "AOF a format error\n"),
        (b"*1\r\n:4\r\nPING\r\n", "0x              36: Expected prefix '$', got: ':'\n"),
        (&command(&["SET", "b", "2"])[..23], "0x              46: Expected \\r\\n, got: 0d00\n"),
        (b"*3\r\n$3\r\nSE", "0x              3a: Expected to read 5 bytes, got 2 bytes\n"),
        (b"*1\r\n$4\r\nPINGxx", "0x              3a: Expected \\r\\n, got: 7878\n"),
        (b"*3\r\n", ""),
    ] {
        assert_eq!(refusal(tail), message, "{}", tail.escape_ascii());
    }
}

#[test]
fn its_defects_are_not_copied() {
    let says = "Expected a positive number of arguments, got: ";
    assert_eq!(refusal(b"*0\r\n"), format!("0x              32: {says}0\n"));
    assert_eq!(refusal(b"*-5\r\n"), format!("0x              32: {says}-5\n"));
    let huge = refusal(b"*1\r\n$9223372036854775805\r\nPING\r\n");
    assert!(huge.ends_with("Expected to read 9223372036854775807 bytes, got 6 bytes\n"), "no allocation, no crash");
    let garbage = refusal(b"*1\r\n\xff4\r\n");
    assert!(garbage.ends_with("got: '\\xff'\n"), "nothing that drives a terminal");
}

#[test]
fn fix_asks_cuts_and_keeps_the_old_file() {
    let bad = [GOOD, b"garbage"].concat();
    let dir = directory(&[("a", &bad)]);
    let (status, text) = tool(&dir, &["--fix", "a"], false);
    assert_eq!(status, 1);
    let question = "This will shrink the AOF a from 57 bytes, with 7 bytes, to 50 bytes\nContinue? [y/N]: ";
    assert!(text.ends_with(&format!("{question}Aborting...\n")), "{text}");
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), bad);
    let (status, text) = tool(&dir, &["--fix", "a"], true);
    assert_eq!(status, 0);
    assert!(text.ends_with(&format!("{question}Successfully truncated AOF a\n")), "{text}");
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), GOOD);
    assert_eq!(fs::read(dir.path().join("a.bak")).unwrap(), bad);
    fs::write(dir.path().join("a"), [GOOD, b"more"].concat()).unwrap();
    assert_eq!(tool(&dir, &["--fix", "a"], true).0, 0);
    assert_eq!(fs::read(dir.path().join("a.bak.1")).unwrap(), bad, "a backup is never overwritten");
    assert_eq!(fs::read(dir.path().join("a.bak")).unwrap(), [GOOD, b"more"].concat());
    assert_eq!(tool(&dir, &["--fix", "a"], true), check(GOOD));
}

#[test]
fn a_cut_by_time_is_before_the_first_later_time() {
    let time = |t: u32| format!("#TS:{t}\r\n").into_bytes();
    let log = [time(100), GOOD.into(), time(200), GOOD.into(), time(150), GOOD.into(), time(300)].concat();
    for (t, len, said) in [
        ("150", 59, "Successfully truncated AOF a to timestamp 150\n"),
        ("199", 59, "Successfully truncated AOF a to timestamp 199\n"),
        ("250", 177, "Successfully truncated AOF a to timestamp 250\n"),
        ("999", 186, "Truncate nothing in AOF a to timestamp 999\nAOF a is valid\n"),
    ] {
        let dir = directory(&[("a", &log)]);
        let (status, text) = tool(&dir, &["--truncate-to-timestamp", t, "a"], false);
        assert_eq!((status, text), (0, format!("Start checking Old-Style AOF\n{said}")));
        assert_eq!(fs::metadata(dir.path().join("a")).unwrap().len(), len);
    }
    let dir = directory(&[("a", &log)]);
    let cut = |t| tool(&dir, &["--truncate-to-timestamp", t, "a"], false);
    assert!(cut("50").1.ends_with("AOF a has nothing before timestamp 50, aborting...\n"));
    assert_eq!(cut("x"), (1, "Invalid timestamp, aborting...\n".into()));
    assert_eq!(cut("0").0, 0);
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), log);
    let dir = directory(&[("a", &[GOOD, b"#TS:2x0\r\n"].concat())]);
    let (status, text) = tool(&dir, &["--truncate-to-timestamp", "50", "a"], false);
    assert_eq!((status, text.ends_with("Invalid timestamp annotation\n")), (1, true));
}

#[test]
fn a_cut_by_time_never_divides_a_transaction() {
    let log = [GOOD, &command(&["MULTI"]), b"#TS:9\r\n", &command(&["SET", "a", "2"]), &command(&["EXEC"])].concat();
    let dir = directory(&[("a", &log)]);
    assert_eq!(tool(&dir, &["--truncate-to-timestamp", "5", "a"], false).0, 0);
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), GOOD);
}

#[test]
fn a_set_is_checked_part_by_part() {
    let manifest = b"file b seq 1 type b\nfile i1 seq 1 type i\nfile i2 seq 2 type i\n";
    let dir = directory(&[("m", manifest), ("b", GOOD), ("i1", b""), ("i2", &[GOOD, b"x"].concat())]);
    let head = "Start checking Multi Part AOF\nStart to check BASE AOF (RESP format).\n\
                AOF analyzed: filename=b, size=50, ok_up_to=50, ok_up_to_line=13, diff=0\nBASE AOF b is valid\n\
                Start to check INCR files.\nINCR AOF i1 is empty\nAOF i2 format error\n\
                AOF analyzed: filename=i2, size=51, ok_up_to=50, ok_up_to_line=25, diff=1\n";
    let (status, text) = tool(&dir, &["m"], false);
    assert_eq!((status, text), (1, format!("{head}AOF i2 is not valid. Use the --fix option to try fixing it.\n")));
    let (status, text) = tool(&dir, &["--fix", "m"], true);
    let tail = "This will shrink the AOF i2 from 51 bytes, with 1 bytes, to 50 bytes\n\
                Continue? [y/N]: Successfully truncated AOF i2\nAll AOF files and manifest are valid\n";
    assert_eq!((status, text), (0, format!("{head}{tail}")));
    fs::write(dir.path().join("i1"), b"x").unwrap();
    let (status, text) = tool(&dir, &["--fix", "m"], true);
    assert_eq!(status, 1);
    assert!(text.ends_with("Failed to truncate AOF i1 because it is not the last file\n"), "{text}");
    fs::remove_file(dir.path().join("i1")).unwrap();
    let (status, text) = tool(&dir, &["m"], true);
    assert_eq!(status, 1);
    assert!(text.ends_with("Cannot open file i1: No such file or directory, aborting...\n"), "{text}");
}

#[test]
fn a_bad_manifest_is_told_with_its_line() {
    let dir = directory(&[("m", b"file b seq 1 type b\nfile ../x seq 1 type i\n"), ("b", GOOD)]);
    let (status, text) = tool(&dir, &["m"], false);
    assert_eq!(status, 1);
    let wanted = "Start checking Multi Part AOF\n\n*** FATAL AOF MANIFEST FILE ERROR ***\n\n\
                  Reading the manifest file, at line 2\n\n>>> 'file ../x seq 1 type i'\n\n\
                  File can't be a path, just a filename\n\n";
    assert_eq!(text, wanted);
}

#[test]
fn a_preamble_is_checked_first_wherever_it_stands() {
    let image: &[u8] = b"REDIS0004\xfa\x01a\x01b\xfe\x00\x00\x01k\x01v\xff";
    let (status, text) = check(&[image, GOOD].concat());
    let size = image.len() + 50;
    let wanted = format!(
        "Start checking Old-Style AOF\n[offset 0] Checking RDB file a\n[offset 14] AUX FIELD a = 'b'\n\
         [offset 16] Selecting DB ID 0\n[offset 22] \\o/ RDB looks OK! \\o/\n[info] 1 keys read\n[info] 0 expires\n\
         [info] 0 already expired\n[info] 0 subexpires\nRDB preamble is OK, proceeding with AOF tail...\n\
         AOF analyzed: filename=a, size={size}, ok_up_to={size}, ok_up_to_line=13, diff=0\nAOF a is valid\n"
    );
    assert_eq!((status, text), (0, wanted));
    let (status, text) = check(&image[..20]);
    assert_eq!(status, 1);
    assert!(text.contains("--- RDB ERROR DETECTED ---\n[offset"), "{text}");
    assert!(text.ends_with("RDB preamble of AOF file is not sane, aborting.\n"), "{text}");
    let dir = directory(&[("m", b"file i seq 1 type i\n"), ("i", &[image, GOOD].concat())]);
    assert_eq!(tool(&dir, &["--fix", "m"], true).0, 0);
    assert_eq!(fs::metadata(dir.path().join("i")).unwrap().len(), size as u64, "the tool would empty it");
}

#[test]
fn wrong_arguments_and_missing_files_are_status_1() {
    let said = |arguments: &[&str]| {
        let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
        let mut out = Vec::new();
        let status = run("x", &arguments, UnixMillis(0), &mut out, &mut || true).unwrap();
        (status, String::from_utf8(out).unwrap())
    };
    let usage = "Usage: x [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n";
    for wrong in [&[][..], &["--other", "a"], &["--fix", "--truncate-to-timestamp", "5", "a"]] {
        assert_eq!(said(wrong), (1, usage.into()));
    }
    assert_eq!(said(&["/no/such"]), (1, "Cannot open file /no/such: No such file or directory\n".into()));
    assert_eq!(said(&["/"]), (1, "Cannot read file: /\n".into()));
    assert_eq!(said(&["--version"]).0, 0);
}

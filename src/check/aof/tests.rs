use super::*;
use crate::aof::writer::encode;
use crate::check::findings::Kept;

struct Seen {
    contents: Contents,
    kept: Kept,
}

impl Seen {
    fn codes(&self) -> Vec<(u64, Option<u64>, &'static str)> {
        let mut found: Vec<_> = self.kept.findings.iter().map(|f| (f.offset, f.end, f.code)).collect();
        found.sort_unstable();
        found
    }
}

fn seen(input: &[u8]) -> Seen {
    let mut seen = Seen { contents: Contents::default(), kept: Kept::default() };
    let mut findings = Findings { kept: &mut seen.kept, file: "a.aof", limit: 50 };
    log(input, 0, &mut seen.contents, &mut findings, &mut |_| {});
    seen
}

/// Commands as text, one a line; a line that begins with `#` is an annotation.
fn text(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        match line.strip_prefix('#') {
            Some(note) => out.extend_from_slice(format!("#{note}\r\n").as_bytes()),
            None => encode(&line.split(' ').collect::<Vec<_>>(), &mut out),
        }
    }
    out
}

#[test]
fn a_sound_log_has_no_findings_and_is_counted() {
    let log = text(&["#TS:10", "SELECT 0", "SET a 1", "#TS:12", "MULTI", "set b 2", "exec", "GET a"]);
    let seen = seen(&log);
    assert_eq!(seen.codes(), []);
    let wanted = Contents { commands: 6, transactions: 1, from: Some(10), to: Some(12), last: Some(12) };
    assert_eq!(seen.contents, wanted);
}

#[test]
fn names_and_arity_are_checked() {
    let log = text(&["SETT a 1", "SET a", "JSON.SET a", "sett b", "FLUSHALL", "FLUSHALL"]);
    let seen = seen(&log);
    let codes: Vec<_> = seen.codes().into_iter().map(|(offset, _, code)| (offset, code)).collect();
    assert_eq!(
        codes,
        [(0, "aof-unknown-command"), (28, "aof-wrong-arity"), (48, "aof-unknown-command"), (94, "aof-flush")]
    );
    let by_code = |code| seen.kept.findings.iter().filter(|f| f.code == code).collect::<Vec<_>>();
    let unknown = by_code("aof-unknown-command");
    let module = unknown.iter().find(|f| f.message.contains("JSON.SET")).unwrap();
    assert_eq!(module.severity, Severity::Warning);
    let typo = unknown.iter().find(|f| f.message.contains("`SETT`")).unwrap();
    assert_eq!((typo.severity, typo.message.ends_with("(and 1 more of them)")), (Severity::Error, true));
    assert_eq!(by_code("aof-flush")[0].severity, Severity::Info);
}

#[test]
fn transactions_are_balanced() {
    let log = text(&["EXEC", "MULTI", "SET a 1", "SELECT 3", "MULTI", "SET b 1", "EXEC", "MULTI", "SET c 1"]);
    let at = |n: usize| text(&["EXEC", "MULTI", "SET a 1", "SELECT 3", "MULTI", "SET b 1", "EXEC"][..n]).len() as u64;
    let seen = seen(&log);
    assert_eq!(
        seen.codes(),
        [
            (0, Some(at(1)), "aof-exec-without-multi"),
            (at(1), Some(at(4)), "aof-open-multi"),
            (at(7), Some(log.len() as u64), "aof-open-multi"),
        ]
    );
    assert_eq!(seen.contents.transactions, 1);
}

#[test]
fn commands_about_transactions_that_no_server_logs_are_found() {
    let lines = ["MULTI", "SET a 1", "DISCARD", "DISCARD", "WATCH a", "MULTI", "WATCH a", "UNWATCH", "EXEC"];
    let at = |n: usize| text(&lines[..n]).len() as u64;
    let seen = seen(&text(&lines));
    assert_eq!(
        seen.codes(),
        [
            (at(2), Some(at(3)), "aof-discard"),
            (at(3), Some(at(4)), "aof-discard"),
            (at(4), Some(at(5)), "aof-watch"),
            (at(6), Some(at(7)), "aof-watch"),
        ]
    );
    assert!(seen.kept.findings[0].message.ends_with("the transaction at offset 0 is not executed"));
    let watches = seen.kept.findings.iter().filter(|finding| finding.code == "aof-watch");
    assert_eq!(watches.map(|finding| finding.severity).collect::<Vec<_>>(), [Severity::Warning, Severity::Error]);
}

#[test]
fn every_damage_is_found_and_what_follows_is_read() {
    let good = text(&["SET a 1", "SET b 2", "SET c 3"]);
    let torn = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$9\r\nxy";
    let log = [&good[..], &[0; 100], &good, b"garbage", &good, torn].concat();
    let (n, len) = (good.len() as u64, log.len() as u64);
    let seen = seen(&log);
    assert_eq!(
        seen.codes(),
        [
            (n, Some(n + 100), "aof-zeros"),
            (2 * n + 100, Some(2 * n + 107), "aof-not-a-record"),
            (3 * n + 107, Some(len), "aof-torn"),
        ]
    );
    assert_eq!(seen.contents.commands, 9);
    assert!(seen.kept.findings[0].message.ends_with("100 bytes until the next whole command"));
    assert!(seen.kept.findings[2].message.ends_with("26 bytes until the end of the file"));
    assert_eq!((seen.kept.findings[0].db, seen.kept.findings[1].db), (Some(0), None));
}

#[test]
fn damage_inside_a_transaction_is_one_finding() {
    let (head, tail) = (text(&["MULTI", "SET a 1"]), text(&["SET b 1", "EXEC", "SET c 1", "EXEC"]));
    let seen = seen(&[&head[..], b"damage", &tail].concat());
    let n = head.len() as u64;
    assert_eq!(seen.codes()[0], (n, Some(n + 6), "aof-not-a-record"));
    assert!(seen.kept.findings[0].message.contains("the transaction at offset 0 is not whole"));
    assert_eq!(seen.codes().len(), 2, "the first EXEC belongs to it, the second to nothing");
    assert_eq!(seen.codes()[1].2, "aof-exec-without-multi");
}

#[test]
fn times_are_checked() {
    let seen = seen(&text(&["#TS:100", "SET a 1", "#TS:90", "#TS:9x", "#note", "#TS:200"]));
    let codes: Vec<_> = seen.codes().into_iter().map(|(.., code)| code).collect();
    assert_eq!(codes, ["aof-time-backwards", "aof-bad-timestamp"]);
    assert_eq!(seen.kept.worst, Some(Severity::Warning));
    assert_eq!((seen.contents.from, seen.contents.to), (Some(90), Some(200)));
}

#[test]
fn what_servers_let_pass_is_reported_and_read() {
    let good = text(&["SET a 1"]);
    for (odd, code, severity, commands) in [
        (&b"*02\r\n$3\r\nGET\r\n$1\r\na\r\n"[..], "aof-padded-number", Severity::Warning, 3),
        (b"*2junk\r\n$3\r\nGET\r\n$1\r\na\r\n", "aof-bad-line-end", Severity::Error, 3),
        (b"#TS:5\n", "aof-bad-line-end", Severity::Error, 2),
    ] {
        let seen = seen(&[&good[..], odd, &good].concat());
        let end = Some((good.len() + odd.len()) as u64);
        assert_eq!(seen.codes(), [(good.len() as u64, end, code)]);
        assert_eq!((seen.kept.findings[0].severity, seen.contents.commands), (severity, commands));
    }
    let cut = seen(&[&good[..], b"#TS:12"].concat());
    assert_eq!(cut.codes(), [(27, Some(33), "aof-torn-annotation")]);
    assert_eq!((cut.kept.worst, cut.contents.to), (Some(Severity::Warning), None));
}

#[test]
fn a_value_of_zeros_with_a_trailer_of_zeros_is_damage_although_servers_load_it() {
    let good = text(&["SET a 1", "SET b 1", "SET c 1"]);
    let seen = seen(&[b"*2\r\n$3\r\nGET\r\n$4\r\n\0\0\0\0\0\0", &good[..]].concat());
    assert_eq!(seen.codes(), [(0, Some(23), "aof-bad-trailer")]);
    assert_eq!(seen.kept.worst, Some(Severity::Error));
}

#[test]
fn converted_line_ends_and_images_are_named() {
    let log = text(&["SET a 1", "SET b 1", "SET c 1"]);
    let unix: Vec<u8> = log.iter().copied().filter(|&byte| byte != b'\r').collect();
    assert_eq!(seen(&unix).codes(), [(0, Some(unix.len() as u64), "aof-line-ends-converted")]);
    let doubled: Vec<u8> = log.iter().flat_map(|&b| if b == b'\n' { vec![b'\r', b'\n'] } else { vec![b] }).collect();
    assert_eq!(seen(&doubled).codes(), [(0, Some(doubled.len() as u64), "aof-line-ends-converted")]);
    let image: &[u8] = b"REDIS0004\xfe\x00\x00\x01k\x01v\xff";
    let both = [&log[..], image, &text(&["GET a"])].concat();
    let (start, end) = (log.len() as u64, (log.len() + image.len()) as u64);
    assert_eq!(seen(&both).codes(), [(start, Some(end), "aof-embedded-rdb")]);
}

#[test]
fn findings_beyond_the_limit_are_counted() {
    let seen = seen(&text(&["EXEC"; 60]));
    assert_eq!((seen.kept.findings.len(), seen.kept.more, seen.kept.worst), (50, 10, Some(Severity::Error)));
    assert!(seen.kept.findings.iter().all(|finding| finding.file == "a.aof"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_findings_lie_within_the_file(
        bytes in proptest::collection::vec(proptest::prop_oneof![
            proptest::prelude::any::<u8>(),
            proptest::sample::select(b"*$\r\n0123#TS:MULTIEXEC".to_vec())], 0..200),
        at in 0..4_usize,
    ) {
        let good = text(&["SET a 1", "MULTI", "SET b 2", "EXEC"]);
        let cut = good.len() * at / 4;
        let log = [&good[..cut], &bytes, &good].concat();
        for finding in &seen(&log).kept.findings {
            proptest::prop_assert!(finding.offset <= log.len() as u64);
            proptest::prop_assert!(finding.end.is_some_and(|end| finding.offset <= end && end <= log.len() as u64));
        }
    }
}

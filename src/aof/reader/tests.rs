use super::*;

const LOG: &[u8] = b"#TS:100\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n#note\r\n";

fn shape(mut reader: Reader<'_>) -> (Vec<(u64, u64)>, Option<Error>) {
    let mut spans = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => spans.push((record.offset(), record.end())),
            Ok(None) => return (spans, None),
            Err(error) => {
                assert_eq!(reader.next_record(), Ok(None), "an error ends it");
                assert_eq!(error.record(), reader.offset());
                return (spans, Some(error));
            }
        }
    }
}

#[test]
fn records_follow_each_other_without_a_gap() {
    let spans = vec![(0, 9), (9, 32), (32, 59), (59, 66)];
    assert_eq!(shape(Reader::new(LOG)), (spans.clone(), None));
    assert_eq!(shape(Reader::new(LOG).lenient()), (spans.clone(), None));
    assert_eq!(shape(Reader::starting_at(LOG, 32)).0, spans[2..]);
    assert_eq!(shape(Reader::starting_at(LOG, u64::MAX)), (vec![], None));
    assert_eq!(shape(Reader::new(b"")), (vec![], None));
}

#[test]
fn records_tell_what_they_say() {
    let mut reader = Reader::new(LOG);
    let Ok(Some(Record::Annotation(time))) = reader.next_record() else { panic!("an annotation") };
    assert_eq!((time.timestamp(), time.text), (Some(100), &b"TS:100"[..]));
    let Ok(Some(Record::Command(select))) = reader.next_record() else { panic!("a command") };
    assert_eq!((select.selects(), select.name()), (Some(5), &b"SELECT"[..]));
    let Ok(Some(Record::Command(set))) = reader.next_record() else { panic!("a command") };
    assert!(set.is("set") && set.is("SET") && set.selects().is_none());
    let Ok(Some(Record::Annotation(note))) = reader.next_record() else { panic!("an annotation") };
    assert!(!note.claims_timestamp() && note.timestamp().is_none());
}

#[test]
fn a_log_cut_anywhere_gives_the_whole_records_before_the_cut() {
    let ends = [0, 9, 32, 59, 66];
    for cut in 0..LOG.len() {
        let whole = ends.iter().filter(|&&end| end > 0 && end <= cut).count();
        let (spans, error) = shape(Reader::new(&LOG[..cut]));
        assert_eq!(spans.len(), whole, "cut at {cut}");
        assert_eq!(error.is_none(), ends.contains(&cut), "cut at {cut}");
        assert!(error.is_none_or(|e| e.is_torn() && e.record() == ends[whole] as u64));
    }
}

#[test]
fn annotations_that_servers_write_differ_from_those_they_accept() {
    for (line, code, liberty, time) in [
        (&b"#TS:12"[..], "aof-torn", Tolerated::TORN_ANNOTATION, None),
        (b"#TS:12\r", "aof-torn", Tolerated::TORN_ANNOTATION, None),
        (b"#TS:12\n", "aof-bad-line-end", Tolerated::LINE_END, Some(12)),
    ] {
        assert_eq!(shape(Reader::new(line)).1.unwrap().code(), code);
        for mut reader in [Reader::new(line).lenient(), Reader::new(line).tolerant()] {
            let Ok(Some(Record::Annotation(found))) = reader.next_record() else { panic!("tolerated") };
            assert_eq!((found.tolerated, found.timestamp()), (liberty, time));
            assert_eq!(reader.next_record(), Ok(None));
        }
    }
    let long = [&b"#"[..], &[b'x'; 2000], b"\r\n"].concat();
    let error = shape(Reader::new(&long)).1.unwrap();
    assert_eq!((error.code(), error.offset(), error.record()), ("aof-long-annotation", 1023, 0));
    for bad in [&b"#TS:\r\n"[..], b"#TS:x\r\n", b"#TS:1 \r\n", b"#TS:+1\r\n", b"#TS:99999999999999999999\r\n"] {
        let Ok(Some(Record::Annotation(found))) = Reader::new(bad).next_record().map(|r| {
            r.map(|r| match r {
                Record::Annotation(a) => Record::Annotation(a),
                Record::Command(_) => panic!("not a command"),
            })
        }) else {
            panic!("an annotation")
        };
        assert!(found.claims_timestamp() && found.timestamp().is_none(), "{}", bad.escape_ascii());
    }
}

/// A `SET k v` with this count, this length of the last argument and this argument, between two other commands.
fn odd(count: &str, length: &str, value: &str) -> Vec<u8> {
    let odd = format!("*{count}\r\n$3\r\nSET\r\n$1\r\nk\r\n${length}\r\n{value}\r\n");
    [LOG, odd.as_bytes(), b"*2\r\n$3\r\nDEL\r\n$1\r\na\r\n"].concat()
}

/// What Redis 6.0.16, 7.0.15 and 8.6.3 and Valkey 9.1.2 load and refuse, all of them alike; but for a count that wraps.
#[test]
fn numbers_are_read_as_servers_read_them() {
    let all = shape(Reader::new(LOG)).0.len() + 2;
    for count in ["+3", "03", " 3", "\t3", "+03", "0003", "3 ", "3x", "3\r"] {
        assert_eq!(shape(Reader::new(&odd(count, "1", "v"))).0.len(), all - 2, "*{count}");
        assert_eq!(shape(Reader::new(&odd(count, "1", "v")).tolerant()).0.len(), all, "*{count}");
    }
    for length in ["+1", "01", " 1", "\t1", "1 ", "1x"] {
        assert_eq!(shape(Reader::new(&odd("3", length, "v")).tolerant()).0.len(), all, "${length}");
    }
    for length in ["-0", "+0", "00", "", "x", " ", "-"] {
        assert_eq!(shape(Reader::new(&odd("3", length, "")).tolerant()).0.len(), all, "${length}");
    }
    for count in ["-3", "0x3", "18446744073709551619", "0", "-1", "", "x", "4294967299"] {
        assert!(shape(Reader::new(&odd(count, "1", "v")).tolerant()).1.is_some(), "*{count}");
    }
    for length in ["++1", "-1"] {
        assert!(shape(Reader::new(&odd("3", length, "v")).tolerant()).1.is_some(), "${length}");
    }
}

#[test]
fn what_may_be_damage_is_not_tolerated() {
    let trailer = b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n";
    assert_eq!(shape(Reader::new(trailer).tolerant()).1.unwrap().code(), "aof-bad-trailer");
    let nothing_follows = b"*01\r\n$4\r\nPING\r\nrubbish";
    let error = shape(Reader::new(nothing_follows).tolerant()).1.unwrap();
    assert_eq!((error.code(), error.record()), ("aof-bad-count", 0));
}

#[test]
fn an_error_says_where_and_what_in_words() {
    let log = [LOG, b"*2\r\n$3\r\nGET\r\n$1\r\nabc\r\n"].concat();
    let error = shape(Reader::new(&log)).1.unwrap();
    assert_eq!(
        error.to_string(),
        "read-argument 1 at offset 84: \\r\\n should follow an argument, not `bc` (in the record at offset 66)"
    );
    assert_eq!(error.code(), "aof-bad-trailer");
    assert!(error.hint().is_some() && !error.is_torn());
}

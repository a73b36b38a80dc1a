use super::*;
use crate::repair::apply;

fn log(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        writer::encode(&line.split(' ').collect::<Vec<_>>(), &mut out);
    }
    out
}

fn repaired(file: &[u8], options: &Options) -> (Plan, Vec<u8>) {
    let plan = plan(file, false, (0, 0), options, &mut |_| {}).unwrap().plan;
    let mut out = Vec::new();
    apply::write(&plan, file, &mut out).unwrap();
    (plan, out)
}

fn salvaged(file: &[u8]) -> (Plan, Vec<u8>) {
    repaired(file, &Options::default())
}

#[test]
fn a_sound_log_stays_as_it_is() {
    let sound = log(&["SELECT 0", "SET a 1", "MULTI", "SELECT 3", "SET b 2", "EXEC", "SET c 3"]);
    let (plan, out) = salvaged(&sound);
    assert_eq!(out, sound);
    assert!(plan.is_whole() && plan.proven);
    assert_eq!(plan.kept.commands, 7);
    assert!(salvaged(b"").0.is_whole());
}

#[test]
fn what_is_before_and_behind_damage_is_kept() {
    let (before, hurt, behind) = (log(&["SELECT 0", "SET a 1"]), log(&["SET b 2"]), log(&["SET c 3", "SET d 4"]));
    let mut bad = hurt.clone();
    bad[4..20].fill(0);
    let (plan, out) = salvaged(&[&before[..], &bad, &behind].concat());
    assert_eq!(out, [&before[..], &behind].concat());
    assert_eq!(plan.lost.len(), 1);
    let lost = &plan.lost[0];
    assert_eq!((lost.offset, lost.end), (before.len() as u64, (before.len() + hurt.len()) as u64));
    assert_eq!(plan.notes.len(), 1, "the database is uncertain");
}

#[test]
fn a_torn_tail_and_zeros_are_cut_off() {
    let good = log(&["SET a 1", "SET b 2"]);
    let (plan, out) = salvaged(&[&good[..], b"*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$5\r\nab"].concat());
    assert_eq!((out, plan.lost[0].code), (good.clone(), "aof-torn"));
    assert_eq!(plan.lost[0].keys, [b"c"]);
    let (plan, out) = salvaged(&[&good[..], &[0; 700]].concat());
    assert_eq!((out, plan.lost[0].code), (good.clone(), "aof-zeros"));
    let (plan, out) = salvaged(&good[..20]);
    assert_eq!((out, plan.kept.commands), (log(&["SELECT 0"]), 0), "an empty file is no log");
}

#[test]
fn what_servers_die_of_is_left_out() {
    let bad =
        log(&["SET a 1", "MULTI", "SET b 2", "DISCARD", "MULTI", "SET c 3", "EXEC", "DISCARD", "WATCH a", "UNWATCH"]);
    let (plan, out) = salvaged(&bad);
    assert_eq!(out, log(&["SET a 1", "MULTI", "SET c 3", "EXEC", "UNWATCH"]));
    let codes: Vec<_> = plan.lost.iter().map(|lost| lost.code).collect();
    assert_eq!(codes, ["aof-discard", "aof-discard", "aof-watch"]);
    assert_eq!(plan.kept.commands, 5);
}

/// A log, and a value that begins like one.
fn log_with_a_log_in_a_value(before: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let inner = [before, &log(&["FLUSHALL", "SET evil 1"]), &[b'x'; 500]].concat();
    let good = log(&["SET a 1", "SET b 2"]);
    let mut file = good.clone();
    writer::encode(&[&b"SET"[..], b"script", &inner], &mut file);
    (good, file)
}

#[test]
fn what_is_in_a_torn_value_is_no_command() {
    for before in [&b""[..], b"\r\n", b"text\r\n", &log(&["SET c 3"])] {
        let (good, file) = log_with_a_log_in_a_value(before);
        for cut in (good.len() + 1..file.len()).step_by(11) {
            let (plan, out) = salvaged(file.get(..cut).unwrap());
            assert_eq!(out, good, "{}", before.escape_ascii());
            assert_eq!(plan.kept.commands, 2);
            assert!(!plan.is_whole() && plan.lost[0].code == "aof-torn");
        }
    }
}

#[test]
fn damage_before_a_torn_value_does_not_open_it() {
    let (good, file) = log_with_a_log_in_a_value(b"\r\n");
    let mut bad = file[..file.len() - 100].to_vec();
    bad[good.len() - 3] = 0;
    bad[good.len() - 6..good.len() - 3].fill(b'?');
    assert_eq!(salvaged(&bad).1, log(&["SET a 1"]));
}

#[test]
fn what_looks_like_a_log_in_a_torn_value_is_kept_when_doubt_is() {
    let (good, file) = log_with_a_log_in_a_value(b"\r\n");
    let image = rdb::Options { keep_doubtful: true, ..rdb::Options::default() };
    let (plan, out) = repaired(&file[..file.len() - 100], &Options { image, ..Options::default() });
    assert_eq!(out, [good, log(&["FLUSHALL", "SET evil 1"])].concat());
    assert!(plan.doubtful_is_kept && !plan.proven);
    let (doubtful, inside) = (&plan.doubtful[0], memchr::memmem::find(&file, b"*1\r\n$8\r\nFLUSHALL").unwrap());
    assert_eq!((doubtful.offset, doubtful.end), (inside as u64, file.len() as u64 - 100));
    let (plan, _) = salvaged(&file[..file.len() - 100]);
    assert_eq!((plan.doubtful.len(), plan.lost.len()), (1, 1));
}

#[test]
fn a_length_that_is_wrong_swallows_nothing() {
    let text = String::from_utf8(log(&["SET a 1", "SET b 22", "SET c 3", "SET d 4"])).unwrap();
    for len in ["$92", "$27", "$82", "$999999999"] {
        let (_, out) = salvaged(text.replace("$2", len).as_bytes());
        assert_eq!(out, log(&["SET a 1", "SET c 3", "SET d 4"]), "{len}");
    }
}

#[test]
fn what_is_in_a_value_whose_end_is_hit_is_no_command() {
    for before in [&b""[..], b"\r\n", b"text\r\n", &log(&["SET c 3"])] {
        let (good, file) = log_with_a_log_in_a_value(before);
        let end = file.len();
        let mut bad = [file, log(&["SET d 4", "SET e 5"])].concat();
        bad[end - 20..end].fill(0);
        let (_, out) = salvaged(&bad);
        assert_eq!(out, [good, log(&["SET d 4", "SET e 5"])].concat(), "{}", before.escape_ascii());
    }
}

#[test]
fn bytes_lost_in_a_value_take_no_other_commands_with_them() {
    let value = "x".repeat(200);
    let set = format!("SET c {value}");
    let behind: Vec<String> = (0..40).map(|n| format!("SET d{n} {n}")).collect();
    let behind = log(&behind.iter().map(String::as_str).collect::<Vec<_>>());
    let mut bad = log(&["SET a 1", &set]);
    let end = bad.len();
    bad.drain(end - 150..end - 50);
    bad.extend_from_slice(&behind);
    assert_eq!(salvaged(&bad).1, [log(&["SET a 1"]), behind].concat());
}

#[test]
fn a_transaction_goes_as_a_whole_and_the_database_is_selected_again() {
    let mut bad = log(&["SET a 1", "MULTI", "SELECT 5", "SET b 2"]);
    let hit = bad.len() - 3;
    bad.extend(log(&["SET c 3", "EXEC", "SET d 4"]));
    bad[hit + 1] = b'x';
    bad[hit - 3] = b'x';
    let (plan, out) = salvaged(&bad);
    assert_eq!(out, log(&["SET a 1", "SELECT 5", "SET d 4"]));
    assert_eq!(plan.kept.commands, 2);
    assert!(plan.lost.windows(2).all(|pair| pair[0].end <= pair[1].offset));
}

#[test]
fn a_count_that_is_too_small_takes_its_own_command_back() {
    let mut bad = log(&["SET a 1", "RPUSH l x y z", "SET b 2"]);
    let at = log(&["SET a 1"]).len() + 1;
    bad[at] = b'4';
    let (plan, out) = salvaged(&bad);
    assert_eq!(out, log(&["SET a 1", "RPUSH l x y z", "SET b 2"]));
    assert_eq!(plan.corrected, [Correction { offset: at as u64, was: b"4".to_vec(), now: b"5".to_vec() }]);
    assert!(!plan.is_whole());
}

#[test]
fn truncating_keeps_what_is_before_the_first_damage() {
    let mut bad = log(&["SET a 1", "SET b 2", "SET c 3"]);
    let at = log(&["SET a 1"]).len();
    bad[at] = b'!';
    let options = Options { image: rdb::Options { mode: Mode::Truncate, ..Default::default() }, ..Default::default() };
    assert_eq!(repaired(&bad, &options).1, log(&["SET a 1"]));
    let options = Options { image: rdb::Options { mode: Mode::Exact, ..Default::default() }, ..Default::default() };
    assert_eq!(plan(&bad, false, (0, 0), &options, &mut |_| {}).err(), Some(Refusal::NotProven));
}

#[test]
fn a_log_is_cut_where_it_was_asked_and_never_inside_a_transaction() {
    let lines = ["SET a 1", "MULTI", "SET b 2", "FLUSHALL", "EXEC", "SET c 3"];
    let before = |glob: &[u8]| Options {
        until: Until { before: Some(TextGlob::new(glob)), ..Until::default() },
        ..Options::default()
    };
    let (plan, out) = repaired(&log(&lines), &before(b"FLUSH*"));
    assert_eq!(out, log(&["SET a 1"]));
    assert_eq!(plan.kept.commands, 1);
    assert_eq!(repaired(&log(&lines), &before(b"SET c*")).1, log(&lines[..5]));
    let options = Options { drop: vec![TextGlob::new(b"FLUSHALL*")], ..Options::default() };
    assert_eq!(repaired(&log(&lines), &options).1, log(&["SET a 1", "MULTI", "SET b 2", "EXEC", "SET c 3"]));
    let options = Options { until: Until { commands: Some(1), ..Until::default() }, ..Options::default() };
    assert_eq!(repaired(&log(&lines), &options).1, log(&["SET a 1"]));
}

#[test]
fn what_was_to_be_left_out_is_no_loss() {
    let lines = ["SET a 1", "MULTI", "SET b 2", "FLUSHALL", "EXEC", "SET c 3"];
    let flush = || TextGlob::new(b"FLUSH*");
    let dropped = Options { drop: vec![flush()], ..Options::default() };
    let until = Until { before: Some(flush()), ..Until::default() };
    for options in [dropped.clone(), Options { until, ..Options::default() }] {
        let (plan, _) = repaired(&log(&lines), &options);
        assert!(plan.is_whole() && !plan.proven);
        assert!(plan.lost.iter().all(Lost::is_asked) && !plan.lost.is_empty());
        assert_eq!(plan.lost_bytes(), 0);
        assert!(!plan.quarantine().is_empty(), "it is kept beside the output all the same");
    }
    let (plan, _) = repaired(&[log(&lines), b"*3\r\n".to_vec()].concat(), &dropped);
    assert!(!plan.is_whole());
}

#[test]
fn exchanged_sectors_are_put_back() {
    let lines =
        (0..60).flat_map(|n| [format!("SADD s n{}", n * n), "MULTI".into(), format!("INCR c{n}"), "EXEC".into()]);
    let lines: Vec<String> = lines.collect();
    let sound = log(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut bad = sound.clone();
    bad[1024..1536].copy_from_slice(&sound[1536..2048]);
    bad[1536..2048].copy_from_slice(&sound[1024..1536]);
    let (plan, out) = salvaged(&bad);
    assert!(out == sound && out != bad);
    assert!(plan.lost.is_empty() && !plan.proven && !plan.is_whole());
    assert!(plan.notes.iter().any(|note| note.code == "aof-sectors-exchanged"));
}

#[test]
fn keys_that_are_written_on_behind_a_loss_are_named() {
    let mut bad = log(&["SET a 1", "APPEND key one", "SET b 2", "APPEND key two", "APPEND key three"]);
    let hurt = log(&["SET a 1", "APPEND key one"]).len();
    bad.drain(hurt - 4..hurt - 2);
    let (plan, out) = salvaged(&bad);
    assert!(out == log(&["SET a 1", "SET b 2", "APPEND key two", "APPEND key three"]));
    let touched: Vec<_> = plan.notes.iter().filter(|note| note.code == "aof-touched-after-loss").collect();
    assert_eq!(touched.len(), 1);
    assert_eq!(touched[0].keys, [b"key"]);
}

#[test]
fn a_log_is_cut_by_time() {
    let file = [&b"#TS:10\r\n"[..], &log(&["SET a 1"]), b"#TS:20\r\n", &log(&["SET b 2"])].concat();
    let until = Until { time: Some(crate::value::UnixMillis(15_000)), ..Until::default() };
    let out = repaired(&file, &Options { until, ..Options::default() }).1;
    assert_eq!(out, [&b"#TS:10\r\n"[..], &log(&["SET a 1"])].concat());
}

#[test]
fn converted_line_ends_come_back() {
    let good = log(&["SELECT 0", "SET a 1", "SET b two"]);
    let text = String::from_utf8(good.clone()).unwrap();
    for bad in [text.replace("\r\n", "\n"), text.replace('\n', "\r\n")] {
        let (plan, out) = salvaged(bad.as_bytes());
        assert_eq!(out, good);
        assert_eq!(plan.notes[0].code, "aof-line-ends-converted");
    }
}

#[test]
fn commands_that_no_log_holds_are_left_out() {
    let (plan, out) = salvaged(&log(&["SET a 1", "GET a", "SEX b 1", "SET c 1"]));
    assert_eq!(out, log(&["SET a 1", "SET c 1"]));
    assert_eq!(plan.lost[0].code, "aof-read-command");
    assert_eq!((plan.lost.len(), plan.doubtful.len(), plan.doubtful[0].code), (1, 1, "aof-unknown-command"));
    let image = rdb::Options { keep_doubtful: true, ..rdb::Options::default() };
    let (plan, out) =
        repaired(&log(&["SET a 1", "GET a", "SEX b 1", "SET c 1"]), &Options { image, ..Options::default() });
    assert_eq!(out, log(&["SET a 1", "SET b 1", "SET c 1"]));
    assert_eq!((plan.corrected.len(), plan.proven), (1, false));
}

proptest::proptest! {
    #[test]
    fn any_damage_leaves_a_log_that_is_sound(
        hits in proptest::collection::vec((0_usize..400, proptest::num::u8::ANY), 1..12),
        cut in 0_usize..400,
    ) {
        let mut bad = log(&[
            "SELECT 0", "SET a 1", "MULTI", "SELECT 2", "RPUSH l x y", "EXEC", "SET b two", "MULTI", "DEL a", "EXEC",
            "HSET h f v", "SELECT 1", "ZADD z 1 m", "SET last one",
        ]);
        for (at, byte) in hits {
            if let Some(place) = bad.get_mut(at) {
                *place = byte;
            }
        }
        bad.truncate(bad.len().max(cut));
        let (plan, out) = salvaged(&bad);
        let (again, same) = salvaged(&out);
        proptest::prop_assert_eq!(&same, &out);
        proptest::prop_assert!(again.is_whole());
        proptest::prop_assert_eq!(again.kept.commands >= plan.kept.commands, true);
    }
}

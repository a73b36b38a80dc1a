//! Images and logs that mean the same, and such that do not.

use super::prefixes::Prefixes;
use super::*;
use crate::keyspace::{Keyspace, Like};
use crate::packed::listpack::Builder;
use crate::rdb::length;
use crate::replay::Engine;
use proptest::prelude::*;

/// An image, written record by record.
struct Image(Vec<u8>);

fn text(text: &[u8], out: &mut Vec<u8>) {
    length::encode(text.len() as u64, out);
    out.extend(text);
}

impl Image {
    fn new() -> Self {
        Self(b"REDIS0012".to_vec())
    }

    fn select(mut self, db: u8) -> Self {
        self.0.extend([0xfe, db]);
        self
    }

    fn expiring(mut self, at: i64) -> Self {
        self.0.push(0xfc);
        self.0.extend(at.to_le_bytes());
        self
    }

    /// A value of a type that is a count and strings.
    fn strings(mut self, value_type: u8, key: &[u8], count: u64, items: &[&[u8]]) -> Self {
        self.0.push(value_type);
        text(key, &mut self.0);
        if value_type != 0 {
            length::encode(count, &mut self.0);
        }
        items.iter().for_each(|item| text(item, &mut self.0));
        self
    }

    fn string(self, key: &[u8], value: &[u8]) -> Self {
        self.strings(0, key, 1, &[value])
    }

    fn body(mut self, value_type: u8, key: &[u8], body: &[u8]) -> Self {
        self.0.push(value_type);
        text(key, &mut self.0);
        self.0.extend(body);
        self
    }

    /// A value that is one string.
    fn blob(self, value_type: u8, key: &[u8], blob: &[u8]) -> Self {
        let mut body = Vec::new();
        text(blob, &mut body);
        self.body(value_type, key, &body)
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push(0xff);
        self.0.extend([0; 8]);
        self.0
    }
}

fn log(commands: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        out.extend(format!("*{}\r\n", words.len()).into_bytes());
        words.iter().for_each(|word| out.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes()));
    }
    out
}

fn keyspace(input: &[u8]) -> Keyspace<'_> {
    let mut engine = Engine::new(Like::default());
    engine.replay_part(0, input).unwrap();
    let (keyspace, report, ()) = engine.finish();
    assert_eq!(report.skipped.total, 0, "{report:?}");
    keyspace
}

fn lines_of(a: &dyn Side, b: &dyn Side, options: &Options<'_>) -> (Totals, String) {
    let mut out = Vec::new();
    let totals = diff(a, b, options, &mut |difference| {
        json::line(difference, options.values, &mut out);
        Ok(())
    })
    .unwrap();
    let out = String::from_utf8(out).unwrap();
    for line in out.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    (totals, out)
}

fn rdb_lines(a: &[u8], b: &[u8]) -> (Totals, String) {
    lines_of(
        &RdbSide::new(a, &Budget::default()).unwrap(),
        &RdbSide::new(b, &Budget::default()).unwrap(),
        &Options::default(),
    )
}

fn log_lines(a: &[&str], b: &[&str]) -> String {
    let (a, b) = (log(a), log(b));
    let (a, b) = (keyspace(&a), keyspace(&b));
    lines_of(&KeyspaceSide::new(&a), &KeyspaceSide::new(&b), &Options::default()).1
}

fn listpack(items: &[&[u8]]) -> Vec<u8> {
    let mut builder = Builder::default();
    items.iter().for_each(|item| builder.push(item));
    builder.finish()
}

#[test]
fn encodings_and_order_do_not_matter() {
    let a = Image::new()
        .strings(4, b"h", 2, &[b"a", b"1", b"b", b"2"])
        .strings(2, b"s", 2, &[b"2", b"1"])
        .body(3, b"z", b"\x02\x01a\x011\x01b\x032.5")
        .strings(1, b"l", 2, &[b"x", b"7"])
        .string(b"n", b"12")
        .end();
    let zset = [b"\x02\x01b".as_slice(), &2.5f64.to_le_bytes(), b"\x01a", &1f64.to_le_bytes()].concat();
    let mut list = b"\x01\x02".to_vec();
    text(&listpack(&[b"x", b"7"]), &mut list);
    let b = Image::new()
        .body(0, b"n", b"\xc0\x0c")
        .body(18, b"l", &list)
        .body(5, b"z", &zset)
        .blob(11, b"s", b"\x02\0\0\0\x02\0\0\0\x01\0\x02\0")
        .blob(16, b"h", &listpack(&[b"b", b"2", b"a", b"1"]))
        .end();
    let (totals, lines) = rdb_lines(&a, &b);
    assert_eq!((totals.same, lines.as_str()), (5, ""));
    let log = log(&["HSET h b 2 a 1", "SADD s 1 2", "ZADD z 2.5 b 1 a", "RPUSH l x 7", "SET n 12"]);
    let live = keyspace(&log);
    for image in [&a, &b] {
        let (totals, lines) =
            lines_of(&RdbSide::new(image, &Budget::default()).unwrap(), &KeyspaceSide::new(&live), &Options::default());
        assert_eq!((totals.same, lines.as_str()), (5, ""));
    }
}

#[test]
fn keys_are_added_removed_and_changed_in_the_order_of_the_inputs() {
    let a = Image::new()
        .string(b"gone", b"1")
        .string(b"k", b"one")
        .select(1)
        .string(b"k", b"x")
        .expiring(5)
        .string(b"e", b"")
        .end();
    let b = Image::new()
        .string(b"new", b"1")
        .select(1)
        .strings(1, b"k", 1, &[b"x"])
        .string(b"e", b"")
        .select(0)
        .string(b"k", b"ono")
        .end();
    let (totals, lines) = rdb_lines(&a, &b);
    assert_eq!(totals, Totals { same: 0, added: 1, removed: 1, changed: 3 });
    assert_eq!(
        lines,
        r#"{"db":0,"key":"gone","change":"removed","what":[],"a":{"type":"string","length":1,"expires_at_ms":null},"b":null}
{"db":0,"key":"k","change":"changed","what":["value"],"a":{"type":"string","length":3,"expires_at_ms":null},"b":{"type":"string","length":3,"expires_at_ms":null},"inside":[{"offset":2,"change":"changed","a":"e","b":"o"}],"more_inside":0}
{"db":1,"key":"k","change":"changed","what":["type"],"a":{"type":"string","length":1,"expires_at_ms":null},"b":{"type":"list","length":1,"expires_at_ms":null}}
{"db":1,"key":"e","change":"changed","what":["expiry"],"a":{"type":"string","length":0,"expires_at_ms":5},"b":{"type":"string","length":0,"expires_at_ms":null}}
{"db":0,"key":"new","change":"added","what":[],"a":null,"b":{"type":"string","length":1,"expires_at_ms":null}}
"#
    );
}

fn inside(lines: &str) -> &str {
    lines.trim_end().strip_suffix('}').unwrap().split_once(",\"inside\":").unwrap().1
}

#[test]
fn what_changed_inside_a_value_is_shown() {
    for (a, b, expected) in [
        (
            vec!["RPUSH k a b c"],
            vec!["RPUSH k z a b"],
            r#"[{"index":0,"change":"added","b":"z"},{"index":2,"change":"removed","a":"c"}],"more_inside":0"#,
        ),
        (
            vec!["SADD k a b"],
            vec!["SADD k c b"],
            r#"[{"member":"a","change":"removed","a":{"expires_at_ms":null}},{"member":"c","change":"added","b":{"expires_at_ms":null}}],"more_inside":0"#,
        ),
        (
            vec!["HSET k f 1 g 2"],
            vec!["HSET k f 1 g 3", "HPEXPIREAT k 99 FIELDS 1 f"],
            r#"[{"field":"f","change":"changed","a":"1","b":{"value":"1","expires_at_ms":99}},{"field":"g","change":"changed","a":"2","b":"3"}],"more_inside":0"#,
        ),
        (
            vec!["ZADD k 1 a 2 b"],
            vec!["ZADD k 1 a 2.5 b inf c"],
            r#"[{"member":"b","change":"changed","a":2,"b":2.5},{"member":"c","change":"added","b":"inf"}],"more_inside":0"#,
        ),
        (
            vec!["XADD k 1-1 f v"],
            vec!["XADD k 1-1 f w", "XGROUP CREATE k g 0"],
            r#"[{"entry":"1-1","change":"changed","a":[["f","v"]],"b":[["f","w"]]},{"group":"g","change":"added","b":{"name":"g","last_id":"0-0","entries_read":null,"pending":[],"consumers":[]}}],"more_inside":0"#,
        ),
        (
            vec!["XADD k 1-1 f v", "XADD k 2-1 f v", "XDEL k 2-1"],
            vec!["XADD k 1-1 f v"],
            r#"[{"property":"last_id","change":"changed","a":"2-1","b":"1-1"},{"property":"max_deleted_id","change":"changed","a":"2-1","b":"0-0"},{"property":"entries_added","change":"changed","a":2,"b":1}],"more_inside":0"#,
        ),
        (
            vec!["XADD k 1-1 f v", "XGROUP CREATE k g 0", "XGROUP CREATECONSUMER k g old"],
            vec![
                "XADD k 1-1 f v",
                "XGROUP CREATE k g 1-1",
                "XCLAIM k g new 0 1-1 TIME 7 RETRYCOUNT 3 FORCE JUSTID LASTID 1-1",
            ],
            r#"[{"group":"g","property":"last_id","change":"changed","a":"0-0","b":"1-1"},{"group":"g","pending":"1-1","change":"added","b":{"consumer":"new","delivered_at_ms":7,"deliveries":3}},{"group":"g","consumer":"new","change":"added","b":{"seen_at_ms":7,"active_at_ms":7}},{"group":"g","consumer":"old","change":"removed","a":{"seen_at_ms":0,"active_at_ms":null}}],"more_inside":0"#,
        ),
    ] {
        assert_eq!(inside(&log_lines(&a, &b)), expected);
    }
}

#[test]
fn a_long_string_shows_whole_characters_from_the_first_difference_on() {
    let tail = "é".repeat(100);
    let lines = log_lines(&[&format!("SET k aü{tail}")], &[&format!("SET k aö{tail}")]);
    let shown = "é".repeat(39);
    assert_eq!(
        inside(&lines),
        format!(r#"[{{"offset":1,"change":"changed","a":"ü{shown}","b":"ö{shown}"}}],"more_inside":0"#)
    );
}

#[test]
fn many_differences_are_counted_beyond_the_limit_and_whole_values_shown_on_request() {
    let members = |from: u32| (from..from + 50).map(|n| format!(" {n}")).collect::<String>();
    let (a, b) = (log(&[&format!("SADD k{}", members(0))]), log(&[&format!("SADD k{}", members(50)), "ZADD n 1 m"]));
    let (a, b) = (keyspace(&a), keyspace(&b));
    let (a, b) = (KeyspaceSide::new(&a), KeyspaceSide::new(&b));
    let (_, lines) = lines_of(&a, &b, &Options::default());
    assert!(lines.contains("],\"more_inside\":90}"), "{lines}");
    let (_, lines) = lines_of(&a, &b, &Options { max_inside: usize::MAX, values: true, ..Options::default() });
    assert!(lines.contains("],\"more_inside\":0}"), "{lines}");
    assert!(
        lines.contains(r#""b":{"type":"zset","length":1,"expires_at_ms":null,"value":[{"member":"m","score":1}]}"#),
        "{lines}"
    );
}

#[test]
fn what_an_old_dump_does_not_say_of_a_stream_does_not_differ() {
    let old = Image::new().body(15, b"k", b"\x00\x00\x02\x01\x00").end();
    let log = log(&["XADD k 1-1 f v", "XADD k 2-1 f v", "XDEL k 1-1", "XDEL k 2-1"]);
    let live = keyspace(&log);
    let (totals, lines) =
        lines_of(&RdbSide::new(&old, &Budget::default()).unwrap(), &KeyspaceSide::new(&live), &Options::default());
    assert_eq!((totals.same, lines.as_str()), (1, ""));
}

#[test]
fn vector_sets_that_differ_in_their_graph_only_are_equal() {
    let set = |id: u8, vector: u8| {
        let mut body = b"\x81\xbd\xe7\x2d\xa2\xbb\x1e\xb4\x00\x02\x03\x02\x01\x02\x50\x01\x02\x00\x05\x01\x61\x05\x03\x7f\x00\x00\x02\x06\x02\x01\x02\x80\x01\x00\x00\x00\x02\x00\x02\x20\x02\x00\x02\x81\x3f\x80\x00\x00\x3f\x80\x00\x00\x00".to_vec();
        body[29] = id;
        body[23] = vector;
        Image::new().body(7, b"v", &body).end()
    };
    assert_eq!(rdb_lines(&set(1, 127), &set(2, 127)).1, "");
    let lines = rdb_lines(&set(1, 127), &set(1, 0)).1;
    assert!(
        lines.contains(r#"{"member":"a","change":"changed","a":{"attributes":null,"stored":[127,0,0]},"#),
        "{lines}"
    );
}

#[test]
fn a_vector_set_of_a_dump_is_the_one_that_commands_make() {
    let body = b"\x81\xbd\xe7\x2d\xa2\xbb\x1e\xb4\x00\x02\x03\x02\x01\x02\x50\x01\x02\x00\x05\x01\x61\x05\x03\x7f\x00\x00\x02\x06\x02\x01\x02\x80\x01\x00\x00\x00\x02\x00\x02\x20\x02\x00\x02\x81\x3f\x80\x00\x00\x3f\x80\x00\x00\x00";
    let image = Image::new().body(7, b"k", body).end();
    let log = log(&["VADD k VALUES 3 1 0 0 a"]);
    let live = keyspace(&log);
    let (totals, lines) =
        lines_of(&RdbSide::new(&image, &Budget::default()).unwrap(), &KeyspaceSide::new(&live), &Options::default());
    assert_eq!((totals.same, lines.as_str()), (1, ""));
}

#[test]
fn a_key_counts_when_it_is_taken_on_either_side() {
    let a = Image::new().string(b"k", b"").string(b"x", b"").end();
    let b = Image::new().strings(1, b"k", 1, &[b""]).string(b"y", b"").end();
    let options = Options { takes: &|subject| subject.kind() == Kind::List, ..Options::default() };
    let (totals, _) = lines_of(
        &RdbSide::new(&a, &Budget::default()).unwrap(),
        &RdbSide::new(&b, &Budget::default()).unwrap(),
        &options,
    );
    assert_eq!(totals, Totals { changed: 1, ..Totals::default() });
}

#[test]
fn little_memory_takes_more_passes_and_finds_the_same() {
    let image = |skip: u32| {
        let keys = (0..20_000u32).filter(|n| n % 1000 != skip);
        keys.fold(Image::new(), |image, n| image.string(format!("k{n}").as_bytes(), b"v")).end()
    };
    let (a, b) = (image(1), image(2));
    let (a, b) = (RdbSide::new(&a, &Budget::default()).unwrap(), RdbSide::new(&b, &Budget::default()).unwrap());
    let sorted = |lines: &str| {
        let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let (whole, expected) = lines_of(&a, &b, &Options::default());
    assert_eq!(whole, Totals { same: 19_960, added: 20, removed: 20, changed: 0 });
    let budget = crate::bytes::Budget::new(200_000);
    let (parts, found) = lines_of(&a, &b, &Options { budget: budget.clone(), ..Options::default() });
    assert_eq!((parts, sorted(&found)), (whole, sorted(&expected)));
    assert_eq!(budget.spent(), 0);
    let none = Options { budget: crate::bytes::Budget::new(10), ..Options::default() };
    let error = diff(&a, &b, &none, &mut |_| Ok(())).unwrap_err();
    assert!(matches!(error, Error::Read(Which::B, error) if error.is_exhausted()));
}

#[test]
fn differences_are_counted_by_prefix() {
    let mut prefixes = Prefixes::default();
    for (key, change) in [("user:1:a", Change::Added), ("user:2", Change::Changed), ("plain", Change::Removed)] {
        prefixes.count(key.as_bytes(), change);
    }
    let mut out = Vec::new();
    prefixes.write_json(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "{\"prefix\":\"\",\"added\":0,\"removed\":1,\"changed\":0}\n{\"prefix\":\"user:\",\"added\":1,\"removed\":0,\"changed\":1}\n"
    );
}

#[test]
fn damaged_images_end_in_errors_or_differences_and_never_in_a_panic() {
    let stream = [b"\x01".as_slice(), b"\x10", &[0; 16]].concat();
    let seed = Image::new()
        .expiring(7)
        .blob(16, b"h", &listpack(&[b"a", b"1"]))
        .blob(11, b"s", b"\x02\0\0\0\x01\0\0\0\x01\0")
        .strings(1, b"l", 2, &[b"x", b"7"])
        .body(15, b"t", &stream)
        .select(3)
        .body(7, b"v", b"\x81\x45\xe2\x52\x38\xdf\x91\x2c\x03\x05\x02[]\0")
        .end();
    let sound =
        Image::new().strings(4, b"h", 1, &[b"a", b"2"]).strings(2, b"s", 1, &[b"2"]).strings(1, b"l", 1, &[b"x"]).end();
    let sound = RdbSide::new(&sound, &Budget::default()).unwrap();
    for i in 0..seed.len() {
        for change in [0, 1, 0x40, 0x80, 0xff] {
            let mut damaged = seed.clone();
            damaged[i] ^= change;
            if change == 0 {
                damaged.truncate(i);
            }
            let Ok(side) = RdbSide::new(&damaged, &Budget::default()) else { continue };
            let options = Options { values: true, ..Options::default() };
            let sides: [(&dyn Side, &dyn Side); 2] = [(&side, &sound), (&sound, &side)];
            for (a, b) in sides {
                let _ = diff(a, b, &options, &mut |difference| {
                    json::line(difference, true, &mut Vec::new());
                    Ok(())
                });
            }
        }
    }
}

proptest! {
    #[test]
    fn a_diff_finds_what_differs_and_its_mirror_the_reverse(
        a in prop::collection::btree_map("[a-d]{1,2}", "[xy]?", 0..9),
        b in prop::collection::btree_map("[a-d]{1,2}", "[xy]?", 0..9),
    ) {
        let image = |keys: &std::collections::BTreeMap<String, String>| {
            keys.iter().fold(Image::new(), |image, (key, value)| image.string(key.as_bytes(), value.as_bytes())).end()
        };
        let (of_a, of_b) = (image(&a), image(&b));
        let totals = rdb_lines(&of_a, &of_b).0;
        let same = a.iter().filter(|(key, value)| b.get(*key) == Some(value)).count() as u64;
        let both = a.keys().filter(|key| b.contains_key(*key)).count() as u64;
        let expected = Totals { same, changed: both - same, removed: a.len() as u64 - both, added: b.len() as u64 - both };
        prop_assert_eq!(totals, expected);
        let mirror = rdb_lines(&of_b, &of_a).0;
        prop_assert_eq!(mirror, Totals { added: expected.removed, removed: expected.added, ..expected });
    }
}

use super::super::tests::{KINDS, Place, digest_of, keyspace, open, to};
use super::super::{Base, Kind, Options};
use crate::input::Input;
use crate::keyspace::Like;
use crate::replay::whole;
use crate::select::{Selection, glob::Glob};
use proptest::prelude::*;
use std::path::Path;

/// Commands on the keys of [`keyspace`]: most name what they touch, the last few reach everything.
const LATER: [&str; 26] = [
    "SET string:1 other",
    "APPEND string:2 more",
    "DEL list:1 set:1",
    "RPUSH list:2 a b",
    "LPOP list:0",
    "RPOPLPUSH list:2 list:3",
    "SADD set:2 a b",
    "SUNIONSTORE set:5 set:0 set:1 set:2",
    "HSET hash:0 f v",
    "HINCRBY hash:9 n 4",
    "ZADD zset:1 3 a",
    "ZUNIONSTORE zset:5 2 zset:0 zset:1 WEIGHTS 2 3",
    "RENAME string:3 string:4",
    "COPY set:0 set:3 DB 1 REPLACE",
    "MOVE zset:2 1",
    "SELECT 1",
    "SELECT 0",
    "PEXPIREAT list:3 4100000000000",
    "PERSIST list:4",
    "MULTI",
    "EXEC",
    "GETDEL string:0",
    "SORT list:0 BY string:* ALPHA STORE list:1",
    "FLUSHDB",
    "SWAPDB 0 1",
    "NOSUCHCOMMAND x",
];

fn replay() -> whole::Options {
    whole::Options { like: Some(Like::redis(7, 0)), ..whole::Options::default() }
}

fn log_of(commands: &[Vec<Vec<u8>>]) -> Vec<u8> {
    let mut log = Vec::new();
    commands.iter().for_each(|argv| crate::aof::writer::encode(argv, &mut log));
    log
}

/// An AOF directory with these commands in its base, and those behind it.
fn layered(place: &Place, base: &[Vec<Vec<u8>>], later: &[&str]) -> Input {
    std::fs::write(place.at("base.aof"), log_of(base)).unwrap();
    let out = place.at("in");
    let kind = to(Kind::AofDir(Base::Rdb), "redis-7.0");
    super::super::convert(&[open(&place.at("base.aof"))], &out, &kind, &replay(), |_| {}).unwrap();
    std::fs::write(out.join("appendonly.aof.1.incr.aof"), log_of(&commands(later))).unwrap();
    open(&out)
}

/// The same as one file: the log behind its preamble.
fn as_one_file(place: &Place) -> Input {
    let bytes = ["rdb", "aof"].map(|ending| {
        let name = if ending == "rdb" { "appendonly.aof.1.base.rdb" } else { "appendonly.aof.1.incr.aof" };
        std::fs::read(place.at("in").join(name)).unwrap()
    });
    std::fs::write(place.at("one.aof"), bytes.concat()).unwrap();
    open(&place.at("one.aof"))
}

fn compact(input: &Input, output: &Path, options: &Options) -> super::Report {
    super::super::convert(std::slice::from_ref(input), output, options, &replay(), |_| {}).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_log_behind_an_image_comes_to_what_replaying_all_of_it_gives(
        base in keyspace(),
        later in prop::collection::vec(prop::sample::select(&LATER[..]), 0..12),
    ) {
        let place = Place::new();
        let input = layered(&place, &base, &later);
        for input in [&input, &as_one_file(&place)] {
            let (expected, lossy) = (digest_with_losses(input), later.iter().any(|command| command.starts_with("NOSUCH")));
            for kind in KINDS {
                let out = place.at("out");
                compact(input, &out, &Options { lossy, ..to(kind, "redis-7.0") });
                prop_assert_eq!(digest_of(&open(&out), "redis-7.0"), &*expected, "{:?} {:?}", kind, later);
                super::super::tests::remove(&out);
            }
        }
    }
}

fn digest_with_losses(input: &Input) -> String {
    let outcome = whole::replay(input, &replay(), (), &mut |_| {}).unwrap();
    crate::keyspace::digest::of_keyspace(&outcome.keyspace, outcome.like).to_string()
}

fn commands(texts: &[&str]) -> Vec<Vec<Vec<u8>>> {
    texts.iter().map(|text| text.split(' ').map(|word| word.as_bytes().to_vec()).collect()).collect()
}

fn base() -> Vec<Vec<Vec<u8>>> {
    commands(&["SET a 1", "SET b 2", "RPUSH l x y", "SADD s m", "SET c 3"])
}

#[test]
fn keys_that_no_command_names_are_copied_and_the_others_are_not() {
    let place = Place::new();
    let input = layered(&place, &base(), &["SET b 5", "RPUSH l z", "DEL c"]);
    let report = compact(&input, &place.at("out"), &to(Kind::Rdb, "redis-7.0"));
    // `a` and `s`; `l` is encoded again, `b` is a new string.
    assert_eq!((report.keys, report.copied), (4, 2));
    let input = layered(&Place::new(), &base(), &["FLUSHALL", "SET b 5"]);
    let report = compact(&input, &place.at("all"), &to(Kind::Rdb, "redis-7.0"));
    assert_eq!((report.keys, report.copied), (1, 0), "a command that reaches all keys");
}

#[test]
fn selections_see_what_the_log_made_of_a_key() {
    let place = Place::new();
    let input = layered(&place, &base(), &["PEXPIREAT a 4000000000000", "RENAME b other", "SET d 1"]);
    let matching = |pattern: &str| {
        let selection = Selection { keys: vec![Glob::new(pattern.as_bytes())], ..Selection::default() };
        let options = Options { selection, ..to(Kind::Rdb, "redis-7.0") };
        let report = compact(&input, &place.at(pattern.trim_matches('*')), &options);
        (report.keys, report.left_out)
    };
    assert_eq!((matching("other"), matching("b"), matching("[ad]")), ((1, 5), (0, 6), (2, 4)));
    let options = Options { drop_expired: Some(crate::value::UnixMillis(4_000_000_000_001)), ..to(Kind::Rdb, "same") };
    assert_eq!(compact(&input, &place.at("expired"), &options).left_out, 1);
}

#[test]
fn a_key_that_stands_twice_in_the_image_is_refused_as_before() {
    let place = Place::new();
    layered(&place, &base(), &["SET b 5"]);
    let twice = b"REDIS0010\xfe\x00\x00\x01a\x01b\x00\x01a\x01c\xff\0\0\0\0\0\0\0\0";
    std::fs::write(place.at("in").join("appendonly.aof.1.base.rdb"), twice).unwrap();
    let input = [open(&place.at("in"))];
    let refused = super::super::convert(&input, &place.at("out"), &to(Kind::Rdb, "same"), &replay(), |_| {});
    assert!(refused.unwrap_err().to_string().contains("twice"));
    assert!(!place.at("out").exists());
}

#[test]
fn destinations_and_groups_that_are_called_like_options_are_keys_all_the_same() {
    let logs: [&[&str]; 4] = [
        &["GEORADIUS g 15 37 20000 km STORE STORE"],
        &["GEORADIUSBYMEMBER g STORE 20000 km COUNT 1 STORE storedist"],
        &["XGROUP CREATE s STREAMS 0", "XREADGROUP GROUP STREAMS c STREAMS s >"],
        &["XGROUP CREATE s g 0", "XREADGROUP GROUP g streams COUNT 1 STREAMS s >"],
    ];
    for later in logs {
        let place = Place::new();
        let base = commands(&[
            "GEOADD g 15 37 STORE",
            "ZADD STORE 1 old",
            "ZADD storedist 1 old",
            "XADD s 1-1 f v",
            "SET a b",
        ]);
        let input = layered(&place, &base, later);
        let outcome = whole::replay(&input, &replay(), (), &mut |_| {}).unwrap();
        assert_eq!(outcome.report.skipped.total, 0, "{:?}", outcome.report.skipped.first);
        let report = compact(&input, &place.at("out"), &to(Kind::Rdb, "redis-7.0"));
        assert_eq!(digest_of(&open(&place.at("out")), "redis-7.0"), digest_with_losses(&input));
        assert_eq!((report.keys, report.copied > 0), (5, true), "{later:?}");
    }
}

#[test]
fn every_database_comes_once_and_an_expiry_of_minus_one_is_what_it_was() {
    let place = Place::new();
    let base = [base(), commands(&["SELECT 1", "SET x y"])];
    let input = layered(&place, &base.concat(), &["SET a 5", "PEXPIREAT b -1"]);
    compact(&input, &place.at("out"), &to(Kind::Rdb, "redis-7.0"));
    let mut databases = Vec::new();
    let bytes = std::fs::read(place.at("out")).unwrap();
    let mut reader = crate::rdb::Reader::new(&bytes).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        if let crate::rdb::Record::SelectDb { db, .. } = record {
            databases.push(db.0);
        }
    }
    assert_eq!(databases, [0, 1]);
    assert_eq!(digest_of(&open(&place.at("out")), "redis-7.0"), digest_with_losses(&input), "b has an expiry still");
}

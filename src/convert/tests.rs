use super::*;
use crate::bytes::publish::Existing;
use crate::bytes::{Budget, Limits, source};
use crate::input::{self, Input};
use crate::keyspace::{Like, digest};
use crate::rdb::Target;
use crate::replay::whole;
use crate::scan;
use crate::select::{Selection, glob::Glob};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn testdata(name: &str) -> Input {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    open(&path)
}

pub(super) fn open(path: &Path) -> Input {
    input::open(path, &source::Options::default()).unwrap()
}

/// The digest of the server named by `like` after loading it.
pub(super) fn digest_of(input: &Input, like: &str) -> String {
    let options = whole::Options { like: Some(like.parse::<Like>().unwrap()), ..whole::Options::default() };
    let outcome = whole::replay(input, &options, (), &mut |_| {}).unwrap();
    assert!(outcome.damage.is_none(), "{:?}", outcome.damage);
    assert_eq!(outcome.report.lost, 0, "{:?}", outcome.report.skipped.first);
    digest::of_keyspace(&outcome.keyspace, outcome.like).to_string()
}

pub(super) fn to(kind: Kind, target: &str) -> Options {
    let target = if target == "same" {
        Choice::Same
    } else {
        Choice::Named(images::fit_for(kind, Target::named(target).unwrap()))
    };
    Options { kind, target, ..Options::default() }
}

fn run(inputs: &[Input], output: &Path, options: &Options) -> Result<Report, Error> {
    convert(inputs, output, options, &whole::Options::default(), |_| {})
}

pub(super) struct Place(TempDir);

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
    fn names(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.at(name))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub(super) const KINDS: [Kind; 4] = [Kind::Rdb, Kind::Aof, Kind::AofDir(Base::Rdb), Kind::AofDir(Base::Aof)];

#[test]
fn every_kind_of_output_replays_to_the_digest_of_its_input() {
    let place = Place::new();
    for (name, targets) in [
        ("rdb/everything-redis_v10.rdb", &["same", "redis-7.0", "redis-8.6", "valkey-9"][..]),
        ("rdb/everything-redis_v13.rdb", &["same", "redis-8.6"]),
        ("rdb/everything-valkey_v80.rdb", &["same", "valkey-9"]),
        ("rdb/hash-field-expiry_v12.rdb", &["same", "redis-8.0"]),
        ("aof/chat_redis-7.0", &["same", "portable", "redis-6.2", "valkey-8"]),
        ("aof/chat_redis-6.0.aof", &["same", "redis-7.0"]),
    ] {
        let input = testdata(name);
        let like = if name.contains("valkey") { "valkey-9.1" } else { "redis-8.6" };
        let before = digest_of(&input, like);
        for kind in KINDS {
            for target in targets {
                let out = place.at("out");
                let report = run(std::slice::from_ref(&input), &out, &to(kind, target)).unwrap();
                assert!(report.keys > 0);
                assert_eq!(digest_of(&open(&out), like), before, "{name} to {kind:?} for {target}");
                remove(&out);
            }
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_on_any_number_of_threads() {
    let place = Place::new();
    let input = [testdata("rdb/everything-redis_v10.rdb")];
    let mut outputs = Vec::new();
    for threads in [1, 2, 5] {
        let mut options = to(Kind::Rdb, "redis-6.2");
        options.lossy = true;
        options.scan.threads = threads;
        let out = place.at(&format!("{threads}.rdb"));
        run(&input, &out, &options).unwrap();
        outputs.push(std::fs::read(out).unwrap());
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn what_changes_nothing_is_copied_as_it_stands() {
    let place = Place::new();
    let report = run(&[testdata("rdb/hash-listpack_v10.rdb")], &place.at("out"), &to(Kind::Rdb, "same")).unwrap();
    assert_eq!((report.copied, report.left_out), (report.keys, 0));
}

#[test]
fn what_the_target_cannot_hold_is_refused_by_name_or_lost_on_request() {
    let place = Place::new();
    let input = [testdata("rdb/hash-field-expiry_v12.rdb")];
    let out = place.at("out");
    let error = run(&input, &out, &to(Kind::Rdb, "redis-7.2")).unwrap_err();
    assert!(matches!(&error, Error::Unfit { losses, .. } if losses.total > 0), "{error}");
    assert!(error.to_string().contains("the expiry of hash fields") && error.hint().is_some(), "{error}");
    assert!(place.names("").is_empty(), "nothing is left behind");
    let report = run(&input, &out, &Options { lossy: true, ..to(Kind::Rdb, "redis-7.2") }).unwrap();
    assert!(!report.losses.is_empty() && report.keys > 0);
}

#[test]
fn an_output_that_exists_stays_and_the_input_is_never_the_output() {
    let place = Place::new();
    let copy = place.at("in.rdb");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb/intset_v9.rdb"), &copy).unwrap();
    std::fs::write(place.at("there"), "old").unwrap();
    let refused = run(&[open(&copy)], &place.at("there"), &to(Kind::Rdb, "same")).unwrap_err();
    assert_eq!(refused.code(), "convert-output");
    let force = Options { existing: Existing { replace: true, keep_backup: false }, ..to(Kind::Rdb, "same") };
    assert!(run(&[open(&copy)], &copy, &force).is_err(), "not even with force");
    let directory = Options { kind: Kind::AofDir(Base::Rdb), ..force.clone() };
    assert!(run(&[open(&copy)], place.0.path(), &directory).is_err(), "nor a directory that it is in");
    std::fs::create_dir(place.at("home")).unwrap();
    std::fs::write(place.at("home").join("letter.txt"), "dear").unwrap();
    for options in [&force, &directory] {
        let refused = run(&[open(&copy)], &place.at("home"), options).unwrap_err();
        assert!(refused.to_string().contains("directory"), "{refused}");
    }
    assert_eq!(place.names("home"), ["letter.txt"]);
    std::fs::remove_dir_all(place.at("home")).unwrap();
    run(&[open(&copy)], &place.at("there"), &force).unwrap();
    let in_place = Options { existing: Existing { replace: false, keep_backup: true }, ..to(Kind::Rdb, "same") };
    let before = std::fs::read(&copy).unwrap();
    run(&[open(&copy)], &copy, &in_place).unwrap();
    assert_eq!(std::fs::read(place.at("in.rdb.bak")).unwrap(), before);
    assert_eq!(place.names(""), ["in.rdb", "in.rdb.bak", "there"]);
}

#[test]
fn a_damaged_input_leaves_no_output() {
    let place = Place::new();
    let whole = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb/intset_v9.rdb")).unwrap();
    for (at, flip) in [(whole.len() - 1, 1), (whole.len() - 20, 0x80)] {
        let mut bad = whole.clone();
        bad[at] ^= flip;
        std::fs::write(place.at("bad.rdb"), &bad).unwrap();
        let error = run(&[open(&place.at("bad.rdb"))], &place.at("out"), &to(Kind::Rdb, "same")).unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains("repair")), "{error}");
        assert_eq!(place.names(""), ["bad.rdb"]);
    }
}

#[test]
fn splits_hold_every_key_once_and_merge_back_to_the_same_data() {
    let place = Place::new();
    let input = [testdata("rdb/everything-redis_v10.rdb")];
    let whole = digest_of(&input[0], "redis-7.0");
    for split in [SplitBy::Slot(5), SplitBy::Db, SplitBy::Prefix(b":".to_vec())] {
        let out = place.at("parts");
        let report = run(&input, &out, &Options { split: Some(split.clone()), ..to(Kind::Rdb, "same") }).unwrap();
        let parts: Vec<Input> = place.names("parts").iter().map(|name| open(&out.join(name))).collect();
        assert_eq!(report.files, parts.len() as u64);
        let merged = place.at("merged.rdb");
        let again = run(&parts, &merged, &to(Kind::Rdb, "same")).unwrap();
        assert_eq!(again.keys, report.keys);
        assert_eq!(digest_of(&open(&merged), "redis-7.0"), whole, "{split:?}");
        std::fs::remove_dir_all(&out).unwrap();
        std::fs::remove_file(&merged).unwrap();
    }
}

#[test]
fn of_keys_of_one_name_the_asked_for_stays() {
    let place = Place::new();
    let image = |value: &str| {
        let mut out = Vec::new();
        let mut writer = crate::rdb::Writer::new(&mut out, Target::named("redis-7.0").unwrap());
        writer.raw(crate::value::DbIndex(0), format!("\0\x01k\x01{value}").as_bytes());
        writer.finish().unwrap();
        input::discover::from_bytes(value, out).unwrap()
    };
    let inputs = [image("a"), image("b")];
    let error = run(&inputs, &place.at("out"), &to(Kind::Rdb, "same")).unwrap_err();
    assert!(matches!(&error, Error::Duplicate { key, .. } if key == b"k"), "{error}");
    for (rule, value) in [(OnDuplicate::First, "a"), (OnDuplicate::Last, "b")] {
        let out = place.at(value);
        run(&inputs, &out, &Options { on_duplicate: rule, ..to(Kind::Rdb, "same") }).unwrap();
        assert_eq!(digest_of(&open(&out), "redis-7.0"), digest_of(&image(value), "redis-7.0"));
    }
}

#[test]
fn selections_and_limits_choose_keys() {
    let place = Place::new();
    let input = [testdata("rdb/everything-redis_v10.rdb")];
    let all = run(&input, &place.at("all"), &to(Kind::Rdb, "same")).unwrap().keys;
    let only = |selection| Options { selection, ..to(Kind::Rdb, "same") };
    let none = Selection { keys: vec![Glob::literal(b"no such key")], ..Selection::default() };
    let report = run(&input, &place.at("none"), &only(none)).unwrap();
    assert_eq!((report.keys, report.left_out), (0, all));
    for kind in [Kind::Rdb, Kind::Aof] {
        let three = Options { kind, ..only(Selection { limit: Some(3), ..Selection::default() }) };
        let out = place.at(if kind == Kind::Rdb { "three.rdb" } else { "three.aof" });
        let report = run(&input, &out, &three).unwrap();
        assert_eq!((report.keys, report.left_out), (3, all - 3));
    }
}

#[test]
fn expiries_shift_and_the_expired_go() {
    let place = Place::new();
    let input = [testdata("rdb/expires_v9.rdb")];
    let expiries = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        let reader = crate::rdb::Reader::new(&bytes).unwrap();
        let keys = reader.filter_map(|record| match record.unwrap() {
            crate::rdb::Record::Key(key) => Some(key.expiry.map(|at| at.0)),
            _ => None,
        });
        keys.collect::<Vec<_>>()
    };
    run(&input, &place.at("same"), &to(Kind::Rdb, "same")).unwrap();
    run(&input, &place.at("later"), &Options { ttl_shift: 5000, ..to(Kind::Rdb, "same") }).unwrap();
    let (before, after) = (expiries(&place.at("same")), expiries(&place.at("later")));
    assert!(before.iter().any(Option::is_some));
    assert_eq!(after, before.iter().map(|at| at.map(|at| at + 5000)).collect::<Vec<_>>());
    let at_the_end = Some(crate::value::UnixMillis(i64::MAX));
    let dropped = Options { drop_expired: at_the_end, ..to(Kind::Rdb, "same") };
    run(&input, &place.at("dropped"), &dropped).unwrap();
    assert!(expiries(&place.at("dropped")).iter().all(Option::is_none));
}

#[test]
fn scrubbed_data_has_the_same_shape_and_none_of_the_words() {
    let place = Place::new();
    let input = [testdata("aof/chat_redis-7.0")];
    let plain = place.at("plain.rdb");
    run(&input, &plain, &to(Kind::Rdb, "redis-7.0")).unwrap();
    let scrubbed = place.at("scrubbed.rdb");
    let report = run(&[open(&plain)], &scrubbed, &Options { scrub: true, ..to(Kind::Rdb, "same") }).unwrap();
    let types = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        let reader = crate::rdb::Reader::new(&bytes).unwrap();
        let keys = reader.filter_map(|record| match record.unwrap() {
            crate::rdb::Record::Key(key) => {
                let count = key.value.count(&mut crate::rdb::Scratch::default()).unwrap();
                Some((key.key.len(), key.value.kind(), count))
            }
            _ => None,
        });
        keys.collect::<Vec<_>>()
    };
    assert_eq!(types(&scrubbed), types(&plain));
    assert_eq!(report.keys, types(&plain).len() as u64);
    let contains = |path: &Path, word: &[u8]| memchr::memmem::find(&std::fs::read(path).unwrap(), word).is_some();
    assert!(contains(&plain, b"online_users") && !contains(&scrubbed, b"online_users"));
}

#[test]
fn flipped_bytes_give_an_error_or_a_whole_output() {
    let place = Place::new();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "rdb"));
    files.sort();
    let mut dice = 0x9e37_79b9_7f4a_7c15u64;
    let mut roll = |below: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap() % below
    };
    let (mut whole, mut refused) = (0, 0);
    for path in files {
        let sound = std::fs::read(&path).unwrap();
        for (kind, target) in [(Kind::Rdb, "redis-6.2"), (Kind::Aof, "valkey-9"), (Kind::Rdb, "valkey-9")] {
            let mut bad = sound.clone();
            let sum = bad.len() - 8;
            bad[sum..].fill(0);
            bad[9 + roll(sum - 9)] ^= 1 << roll(8);
            let input = input::from_bytes("bad", bad).unwrap();
            let out = place.at("out");
            match run(&[input], &out, &Options { lossy: true, ..to(kind, target) }) {
                Ok(_) => {
                    whole += 1;
                    let written = std::fs::read(&out).unwrap();
                    if kind == Kind::Rdb {
                        assert!(crate::rdb::Reader::new(&written).unwrap().all(|record| record.is_ok()));
                    } else {
                        let mut reader = crate::aof::Reader::new(&written);
                        while reader.next_record().unwrap().is_some() {}
                    }
                    std::fs::remove_file(&out).unwrap();
                }
                Err(_) => refused += 1,
            }
            assert!(place.names("").is_empty());
        }
    }
    assert!(whole > 10 && refused > 10, "{whole} whole, {refused} refused");
}

const TARGETS: [&str; 8] =
    ["redis-5.0", "redis-6.2", "redis-7.0", "redis-7.2", "redis-8.6", "valkey-8", "valkey-9", "portable"];

/// What is in a file, or in each file of a directory.
fn contents(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> = match path.is_dir() {
        true => std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect(),
        false => vec![path.into()],
    };
    files.sort();
    let named = |file: PathBuf| (file.strip_prefix(path).unwrap().to_path_buf(), std::fs::read(&file).unwrap());
    files.into_iter().map(named).collect()
}

pub(super) fn remove(path: &Path) {
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
}

/// Commands that build a keyspace of every type, as a log holds them.
pub(super) fn keyspace() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let text = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..24),
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (any::<u8>(), 60..70_usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    let texts = prop::collection::vec(text, 2..60);
    let command = (0..8_u8, 0..6_u8, texts, any::<f64>());
    prop::collection::vec(command, 1..30).prop_map(|commands| {
        let numbered = (1_u64..).zip(commands);
        numbered.map(|(number, (kind, key, texts, score))| command_of(number, kind, key, texts, score)).collect()
    })
}

/// None is refused by a server: each type has keys of its own, and ids grow with the number.
fn command_of(number: u64, kind: u8, key: u8, mut texts: Vec<Vec<u8>>, score: f64) -> Vec<Vec<u8>> {
    let name = |kind: &str| format!("{kind}:{key}").into_bytes();
    let score = if score.is_nan() { f64::INFINITY } else { score };
    texts.truncate(texts.len() & !1);
    let mut argv: Vec<Vec<u8>> = match kind {
        0 => vec![b"SET".to_vec(), name("string"), texts.swap_remove(0)],
        1 => vec![b"RPUSH".to_vec(), name("list")],
        2 => vec![b"SADD".to_vec(), name("set")],
        3 => vec![b"HSET".to_vec(), name("hash")],
        4 => vec![b"ZADD".to_vec(), name("zset"), score.to_string().into_bytes(), texts.swap_remove(0)],
        5 => vec![b"XADD".to_vec(), name("stream"), format!("{number}-{key}").into_bytes()],
        6 => ["XGROUP", "CREATE", &format!("stream:{key}"), &format!("group {number}"), "0-1", "MKSTREAM"]
            .map(|text| text.as_bytes().to_vec())
            .into(),
        _ => vec![b"PEXPIREAT".to_vec(), name("list"), (4_000_000_000_000 + number).to_string().into_bytes()],
    };
    if matches!(kind, 1..=3 | 5) {
        argv.append(&mut texts);
    }
    argv
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_keyspace_is_written_for_any_target_and_read_back_the_same(commands in keyspace()) {
        let place = Place::new();
        let mut log = Vec::new();
        for argv in &commands {
            crate::aof::writer::encode(argv, &mut log);
        }
        std::fs::write(place.at("log.aof"), &log).unwrap();
        let input = open(&place.at("log.aof"));
        for kind in KINDS {
            for target in TARGETS {
                let mut outputs = Vec::new();
                for out in ["one", "two"] {
                    // Servers differ in what commands do: a log that does not name its server has to be told.
                    let replay = whole::Options { like: Some(Like::redis(7, 0)), ..whole::Options::default() };
                    convert(std::slice::from_ref(&input), &place.at(out), &to(kind, target), &replay, |_| {}).unwrap();
                    outputs.push(contents(&place.at(out)));
                    if out == "one" {
                        let after = digest_of(&open(&place.at(out)), "redis-7.0");
                        prop_assert_eq!(after, digest_of(&input, "redis-7.0"), "{:?} for {}", kind, target);
                    }
                    remove(&place.at(out));
                }
                prop_assert!(outputs[0] == outputs[1], "{kind:?} for {target}: the same input, other bytes");
            }
        }
    }
}

/// Commands begin with a packed set, which keeps no score of -0; a set that was a skiplist from the start does.
#[test]
fn scores_of_minus_zero_come_through_commands_as_well() {
    let long = "m".repeat(66);
    let many: Vec<String> = (0..200).flat_map(|n| ["1".to_owned(), format!("m{n}")]).collect();
    let cases: [&[&str]; 3] = [
        &[&format!("ZADD z 0 {long}"), "ZADD z -0 a"],
        &[&format!("ZADD z 0 {long}"), "ZADD z -0 z"],
        &[&format!("ZADD z {}", many.join(" ")), "ZADD z -0 a"],
    ];
    for commands in cases {
        let place = Place::new();
        let mut log = Vec::new();
        for command in commands {
            crate::aof::writer::encode(&command.split(' ').collect::<Vec<_>>(), &mut log);
        }
        std::fs::write(place.at("log.aof"), &log).unwrap();
        let input = open(&place.at("log.aof"));
        let replay = whole::Options { like: Some(Like::redis(7, 0)), ..whole::Options::default() };
        for kind in KINDS {
            let out = place.at("out");
            convert(std::slice::from_ref(&input), &out, &to(kind, "redis-7.0"), &replay, |_| {}).unwrap();
            assert_eq!(digest_of(&open(&out), "redis-7.0"), digest_of(&input, "redis-7.0"), "{kind:?} {commands:?}");
            remove(&out);
        }
    }
}

#[cfg(feature = "lz4")]
#[test]
fn keys_in_blobs_and_in_pieces_come_through_a_merge_and_differ_in_nothing() {
    use crate::inspect::diff::{self, Loaded};
    let place = Place::new();
    std::fs::write(place.at("dragonfly.rdb"), crate::rdb::compressed::tests::blob_file()).unwrap();
    std::fs::write(place.at("other.rdb"), b"REDIS0009\xfe\x03\x00\x01q\x011\xff\0\0\0\0\0\0\0\0").unwrap();
    let inputs = [open(&place.at("dragonfly.rdb")), open(&place.at("other.rdb"))];
    let merged = place.at("merged.rdb");
    let options = Options { on_duplicate: OnDuplicate::First, ..to(Kind::Rdb, "redis-7.0") };
    let report = run(&inputs, &merged, &options).unwrap();
    assert_eq!(report.keys, 6);
    let merged = open(&merged);
    let sides = [&inputs[0], &merged].map(|input| Loaded::open(input, &whole::Options::default()).unwrap());
    let totals = diff::diff(&*sides[0].side(), &*sides[1].side(), &diff::Options::default(), &mut |_| Ok(())).unwrap();
    assert_eq!((totals.same, totals.added, totals.removed, totals.changed), (5, 1, 0, 0));
}

#[test]
fn more_output_than_allowed_is_refused_and_nothing_is_left() {
    let (place, input) = (Place::new(), testdata("rdb/everything-redis_v13.rdb"));
    for kind in KINDS {
        let budget = Budget::within(Limits { output: 100, ..Limits::default() });
        let options = Options { scan: scan::Options { threads: 1, budget }, ..to(kind, "same") };
        let error = run(std::slice::from_ref(&input), &place.at("out"), &options).unwrap_err();
        assert!(error.to_string().contains("100 are allowed"), "{error}");
        assert_eq!(place.names(""), [""; 0]);
    }
}

#[test]
fn a_transaction_without_end_is_told_behind_many_failing_commands() {
    let place = Place::new();
    let words = |words: &[&str]| {
        let text: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
        format!("*{}\r\n{text}", words.len())
    };
    let failing = words(&["INCR", "l"]).repeat(1100);
    let log = [words(&["RPUSH", "l", "x"]), failing, words(&["MULTI"]), words(&["SET", "k", "v"])].concat();
    std::fs::write(place.at("in.aof"), log).unwrap();
    let report = run(&[open(&place.at("in.aof"))], &place.at("out.rdb"), &to(Kind::Rdb, "redis-7.0")).unwrap();
    assert_eq!((report.unsound.total, report.keys), (1, 1));
    assert_eq!(report.unsound.first.first().map(|noted| &*noted.argv0), Some(b"MULTI".as_slice()));
}

#[test]
fn a_log_for_the_oldest_server_is_written_for_it() {
    let place = Place::new();
    std::fs::write(place.at("in.aof"), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n").unwrap();
    let replay = whole::Options { like: Some("redis-2.6".parse().unwrap()), ..whole::Options::default() };
    convert(&[open(&place.at("in.aof"))], &place.at("out.rdb"), &to(Kind::Rdb, "same"), &replay, |_| {}).unwrap();
    assert!(std::fs::read(place.at("out.rdb")).unwrap().starts_with(b"REDIS0006"));
}

#[test]
fn no_directory_is_written_for_a_server_that_knows_none() {
    let place = Place::new();
    let options = |target| Options {
        target: Choice::Named(Target::named(target).unwrap()),
        ..to(Kind::AofDir(Base::Rdb), "same")
    };
    let input = [testdata("rdb/everything-redis_v10.rdb")];
    assert!(matches!(run(&input, &place.at("old"), &options("redis-6.2")), Err(Error::Unsupported(_))));
    assert!(!place.at("old").exists());
    run(&input, &place.at("new"), &options("redis-7.0")).unwrap();
}

//! Seeded random damage to golden files, repaired and judged from outside.
//!
//! Each file is hit in twelve ways. A record that the damage did not touch must come out as it was; a key that was never
//! in the file must not come out. Run with `--nocapture` for the table; `CAREEN_DAMAGE_ROUNDS` for more rounds.

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

use careen::bytes::crc64;
use careen::packed::listpack::{self, Backlen};
use careen::rdb::{Reader, Record, length};
use careen::repair::{apply, rdb};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::PathBuf;

const KINDS: [&str; 12] =
    ["bit", "byte", "byte2", "byte3", "zeros", "noise", "foreign", "delete", "insert", "duplicate", "truncate", "many"];
const SIZES: [usize; 6] = [1, 3, 16, 64, 200, 512];
/// Damages that the checksum always undoes.
const EXACT: [&str; 6] = ["bit", "byte", "byte2", "byte3", "insert", "duplicate"];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// The damaged bytes, and the ranges of the original that were touched.
fn damage(image: &[u8], kind: &str, random: &mut Random) -> (Vec<u8>, Vec<Range<usize>>) {
    if kind == "many" {
        let (mut bytes, mut ranges) = (image.to_vec(), Vec::new());
        for kind in ["byte", "zeros", "noise"] {
            let (hit, touched) = damage(&bytes, kind, random);
            bytes = hit;
            ranges.extend(touched);
        }
        return (bytes, ranges);
    }
    let touched = |start: usize, end: usize| Range { start, end };
    let at = 10 + random.below(image.len() - 22);
    let size = SIZES[random.below(SIZES.len())].min(image.len() - at - 10);
    let size = match kind {
        "bit" | "byte" => 1,
        "byte2" => 2,
        "byte3" => 3,
        _ => size,
    };
    let (before, inside, behind) = (&image[..at], &image[at..at + size], &image[at + size..]);
    let new = match kind {
        "bit" => vec![inside[0] ^ 1 << random.below(8)],
        "byte" | "byte2" | "byte3" => {
            inside.iter().map(|byte| byte ^ u8::try_from(1 + random.below(255)).unwrap()).collect()
        }
        "zeros" => vec![0; size],
        "noise" => random.bytes(size),
        "foreign" => {
            let from = random.below(image.len() - size);
            image[from..from + size].to_vec()
        }
        "delete" => Vec::new(),
        "insert" => return ([before, &random.bytes(size), inside, behind].concat(), vec![touched(at, at)]),
        "duplicate" => {
            return ([before, inside, inside, behind].concat(), vec![touched(at, at), touched(at + size, at + size)]);
        }
        _ => return (before.to_vec(), vec![touched(at, image.len())]),
    };
    ([before, &new, behind].concat(), vec![touched(at, at + size)])
}

fn is_touched(record: &Range<usize>, ranges: &[Range<usize>]) -> bool {
    ranges.iter().any(|range| {
        let overlaps = range.start < record.end && range.end > record.start;
        let splits = record.start < range.start && range.start < record.end;
        if range.is_empty() { splits } else { overlaps }
    })
}

/// Database and name.
type Name = (u32, Vec<u8>);
type Keys = HashMap<Name, Vec<u8>>;
/// Where each record stands, and whose it is.
type Places = Vec<(Range<usize>, Option<Name>)>;

/// Database and name to the stored record; and where it stands.
fn keys(image: &[u8]) -> Option<(Keys, Places)> {
    let mut reader = Reader::new(image).ok()?;
    let (mut keys, mut records, mut at) = (Keys::new(), Places::new(), 9);
    while let Some(record) = reader.next_record().ok()? {
        let end = usize::try_from(reader.offset()).unwrap();
        let name = match record {
            Record::Key(record) => {
                let name = (record.db.0, record.key.to_vec());
                keys.insert(name.clone(), record.raw.to_vec());
                Some(name)
            }
            _ => None,
        };
        records.push((at..end, name));
        at = end;
    }
    Some((keys, records))
}

#[derive(Default)]
struct Tally {
    files: u32,
    untouched: usize,
    survived: usize,
    made_up: usize,
    out: usize,
    proven: u32,
    exact: u32,
}

fn judge(sound: &[u8], kind: &str, random: &mut Random, tally: &mut Tally) {
    let (bad, ranges) = damage(sound, kind, random);
    let plan = rdb::plan(&bad, &rdb::Options::default(), &mut |_| {}).expect("the header is whole");
    let mut out = Vec::new();
    apply::write(&plan, &bad, &mut out).unwrap();
    let report = careen::check::rdb::check(&out, 0..out.len() as u64, &Default::default(), |_| {});
    assert!(
        report.findings.iter().all(|finding| finding.severity < careen::finding::Severity::Error),
        "{kind} at {ranges:?}: the output is damaged: {:?}",
        report.findings
    );
    let (before, records) = keys(sound).unwrap();
    let (after, _) = keys(&out).unwrap();
    assert!(!plan.proven || out == sound, "{kind} at {ranges:?} is called proven and differs");
    let untouched: Vec<_> =
        records.iter().filter(|(range, _)| !is_touched(range, &ranges)).filter_map(|(_, name)| name.as_ref()).collect();
    let names: HashSet<&[u8]> = before.keys().map(|(_, name)| name.as_slice()).collect();
    let hit = records.iter().any(|(range, name)| name.is_none() && is_touched(range, &ranges));
    let by_name = |name: &[u8], raw: &[u8]| hit && after.iter().any(|((_, n), r)| n == name && r == raw);
    let survives = |name: &&&(u32, Vec<u8>)| {
        after.get(**name) == before.get(**name) || by_name(&name.1, before.get(**name).map_or(&[], Vec::as_slice))
    };
    tally.files += 1;
    tally.untouched += untouched.len();
    tally.survived += untouched.iter().filter(survives).count();
    tally.made_up += after.keys().filter(|(_, name)| !names.contains(name.as_slice())).count();
    tally.out += after.len();
    tally.proven += u32::from(plan.proven);
    tally.exact += u32::from(plan.proven && out == sound);
}

fn goldens() -> Vec<(String, Vec<u8>)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let wanted = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "rdb")
            && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("everything"))
    };
    let read = |path: PathBuf| (path.display().to_string(), std::fs::read(path).unwrap());
    paths.into_iter().filter(wanted).map(read).collect()
}

fn put_string(text: &[u8], out: &mut Vec<u8>) {
    length::encode(text.len() as u64, out);
    out.extend_from_slice(text);
}

/// A body behind a type byte and a key: a string, a packed list, set or hash, or a hash that stores its fields one by one.
fn put_value(number: u64, key: &str, random: &mut Random, out: &mut Vec<u8>) {
    let word = |random: &mut Random| format!("value {:x}", random.next() >> (random.next() % 48));
    let (value_type, elements) = [(0, 1), (18, 5), (20, 4), (16, 6), (4, 30)][usize::try_from(number % 5).unwrap()];
    out.push(value_type);
    put_string(key.as_bytes(), out);
    match value_type {
        0 => put_string(word(random).as_bytes(), out),
        4 => {
            length::encode(elements, out);
            for field in 0..elements {
                put_string(format!("f{field}").as_bytes(), out);
                put_string(word(random).as_bytes(), out);
            }
        }
        _ => {
            let mut node = listpack::Builder::new(Backlen::default());
            (0..elements).for_each(|n| node.push(format!("{n} {}", word(random)).as_bytes()));
            if value_type == 18 {
                out.extend_from_slice(&[1, 2]);
            }
            put_string(&node.finish(), out);
        }
    }
}

/// A dump of three databases, as a server would write it.
fn generated() -> Vec<u8> {
    let mut random = Random(42);
    let mut out = b"REDIS0011".to_vec();
    for db in 0..3u8 {
        out.extend_from_slice(&[0xfe, db, 0xfb, 0x40, 120, 30]);
        for number in 0..120u64 {
            if number % 4 == 0 {
                out.push(0xfc);
                out.extend_from_slice(&(1_900_000_000_000 + random.next() % 1_000_000_000).to_le_bytes());
            }
            let kind = ["user", "queue", "tags", "profile", "counters"][usize::try_from(number % 5).unwrap()];
            put_value(number, &format!("{kind}:{db}{number}"), &mut random, &mut out);
        }
    }
    out.push(0xff);
    let sum = crc64::jones(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

#[test]
fn repairs_keep_what_was_not_touched_and_make_nothing_up() {
    let rounds = std::env::var("CAREEN_DAMAGE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4u64);
    let mut goldens = goldens();
    // Most of what there is to judge: the goldens are small.
    goldens.extend((0..4).map(|_| ("generated".into(), generated())));
    println!("damage      files untouched survived made-up  out proven");
    let mut all = Tally::default();
    for (number, kind) in (0u64..).zip(KINDS) {
        let mut tally = Tally::default();
        for (file, (_, sound)) in (0u64..).zip(&goldens) {
            for round in 0..rounds {
                judge(sound, kind, &mut Random(number << 40 | file << 20 | round), &mut tally);
            }
        }
        let Tally { files, untouched, survived, made_up, out, proven, exact } = tally;
        println!("{kind:<10} {files:>6} {untouched:>9} {survived:>8} {made_up:>7} {out:>5} {proven:>6}");
        if EXACT.contains(&kind) {
            assert_eq!(exact, files, "{kind}: every file has a checksum, so every one is restored");
        }
        all.untouched += untouched;
        all.survived += survived;
        all.made_up += made_up;
        all.out += out;
    }
    assert!(all.survived * 1000 >= all.untouched * 990, "{} of {} survive", all.survived, all.untouched);
    assert!(all.made_up * 500 <= all.out, "{} of {} are made up", all.made_up, all.out);
}

//! The bodies of the fuzz targets on their seeds, and on seeds changed at random (but the same at each run).
//!
//! `CAREEN_ATTACK_ROUNDS` says how many changed seeds each target gets. A failure names the input, in hexadecimal: put
//! it into `fuzz/seeds/`, where it will be tried first ever after.

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

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

type Target = fn(&[u8]);

const ROUNDS: usize = 1000;

/// Changed seeds grow no longer than this.
const LONGEST: usize = 4096;

/// xorshift64*: enough to vary, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[5]
    }
}

/// Numbers at which formats change their mind.
const NUMBERS: [u64; 14] =
    [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xfe, 0xff, 0x3fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 63, u64::MAX];

/// One change of the kinds that fuzzers make.
fn change(random: &mut Random, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = random.below(data.len());
    let end = at + random.below(data.len() - at.min(data.len())).min(32);
    match random.below(8) {
        0 if !data.is_empty() => data[at] ^= 1 << random.below(8),
        1 if !data.is_empty() => data[at] = random.byte(),
        2 => data.truncate(at),
        3 => data.insert(at, random.byte()),
        4 if end <= data.len() => drop(data.drain(at..end)),
        5 if end <= data.len() => {
            let block = data[at..end].to_vec();
            data.splice(at..at, block);
        }
        6 => {
            let number = NUMBERS[random.below(NUMBERS.len())];
            let width = 1 << random.below(4);
            let bytes = if random.below(2) == 0 { number.to_le_bytes() } else { number.rotate_left(32).to_be_bytes() };
            for (place, byte) in data.iter_mut().skip(at).zip(&bytes[..width]) {
                *place = *byte;
            }
        }
        _ => {
            let other = &seeds[random.below(seeds.len())];
            data.truncate(at);
            data.extend_from_slice(&other[at.min(other.len())..]);
        }
    }
    data.truncate(LONGEST);
}

fn files(folder: &Path, extension: Option<&str>) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| extension.is_none_or(|extension| path.extension().is_some_and(|e| e == extension)))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Run a target on seeds of its own and on `more` of them, then on changed ones.
fn attack(name: &str, target: Target, more: Vec<Vec<u8>>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seeds = files(&root.join("fuzz/seeds").join(name), None);
    seeds.extend(more);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let rounds = std::env::var("CAREEN_ATTACK_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    seeds.iter().for_each(|seed| strike(name, target, seed));
    for _ in 0..rounds {
        let mut data = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            change(&mut random, &mut data, &seeds);
        }
        strike(name, target, &data);
    }
}

fn strike(name: &str, target: Target, data: &[u8]) {
    let hexadecimal = || data.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if catch_unwind(AssertUnwindSafe(|| target(data))).is_err() {
        panic!("{name} does not hold for {}", hexadecimal());
    }
}

fn testdata(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder), Some(extension))
}

fn logs() -> Vec<Vec<u8>> {
    let mut logs = testdata("aof", "aof");
    for directory in ["chat_redis-7.0", "chat-timestamps_redis-7.0", "chat_redis-8.6", "chat_valkey-9.1"] {
        logs.extend(testdata(&format!("aof/{directory}"), "aof"));
    }
    logs
}

#[test]
fn any_bytes_as_lzf() {
    attack("lzf", careen::packed::attack::lzf, Vec::new());
}

#[test]
fn any_bytes_as_a_listpack() {
    attack("listpack", careen::packed::attack::listpack, Vec::new());
}

#[test]
fn any_bytes_as_a_ziplist() {
    attack("ziplist", careen::packed::attack::ziplist, Vec::new());
}

#[test]
fn any_bytes_as_a_zipmap() {
    attack("zipmap", careen::packed::attack::zipmap, Vec::new());
}

#[test]
fn any_bytes_as_an_intset() {
    attack("intset", careen::packed::attack::intset, Vec::new());
}

#[test]
fn any_bytes_as_a_stream_node() {
    attack("stream_node", careen::packed::attack::stream_node, Vec::new());
}

#[test]
fn any_bytes_as_a_value() {
    attack("rdb_value", careen::rdb::attack::value, Vec::new());
}

#[test]
fn any_bytes_as_an_rdb_image() {
    attack("rdb_reader", careen::rdb::attack::reader, testdata("rdb", "rdb"));
}

#[test]
fn any_bytes_to_a_check() {
    attack("rdb_check", careen::check::attack::rdb, testdata("rdb", "rdb"));
}

#[test]
fn any_bytes_as_a_log() {
    attack("aof_reader", careen::aof::attack::aof_reader, logs());
}

#[test]
fn any_bytes_as_a_manifest() {
    attack("manifest", careen::aof::attack::manifest, testdata("aof/chat_redis-8.6", "manifest"));
}

#[test]
fn any_bytes_to_a_replay() {
    attack("replay_part", careen::replay::attack::part, logs());
}

#[test]
fn any_words_to_a_replay() {
    attack("replay_commands", careen::replay::attack::commands, Vec::new());
}

#[test]
fn any_bytes_to_a_repair() {
    attack("repair", careen::repair::attack::image, testdata("rdb", "rdb"));
}

#[test]
fn any_bytes_as_a_module_s_value() {
    attack("module", careen::modules::attack::value, Vec::new());
}

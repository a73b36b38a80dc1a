//! The bodies of the fuzz targets on their seeds, and on seeds changed at random (but the same at each run).
//!
//! `CAREEN_ATTACK_ROUNDS` says how many changed seeds each target gets. A failure names the input, in hexadecimal: put
//! it into `testdata/findings/TARGET/`, where it will be tried first ever after.

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

use careen::corpus::Kind;
use careen::corpus::mutate::{cross, mutate, scramble};
use careen::corpus::random::Random;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

type Target = fn(&[u8]);

const ROUNDS: usize = 1000;

/// Changed seeds grow no longer than this.
const LONGEST: usize = 4096;

fn files(folder: &Path, extension: Option<&str>) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| extension.is_none_or(|extension| path.extension().is_some_and(|e| e == extension)))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Run a target on seeds of its own and on `more` of them, then on changed ones: bytes are changed, and where `kind`
/// says what the seeds are, also fields, with all lengths and checksums right.
fn attack(name: &str, kind: Option<Kind>, target: Target, more: Vec<Vec<u8>>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["testdata/findings", "fuzz/seeds"].map(|folder| root.join(folder).join(name));
    let mut seeds: Vec<_> =
        folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| files(folder, None)).collect();
    seeds.extend(more);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let rounds = std::env::var("CAREEN_ATTACK_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let mut random = Random::new(name.bytes().map(u64::from).sum());
    let mut inner = Random::new(random.number());
    let mut bytes = |data: &mut Vec<u8>, most: usize| scramble(&mut inner, data, most);
    seeds.iter().for_each(|seed| strike(name, target, seed));
    for round in 0..rounds {
        let seed = &seeds[random.below(seeds.len())];
        let data = match kind.filter(|_| round % 4 > 0) {
            Some(kind) if random.once_in(8) => cross(kind, seed, &seeds[random.below(seeds.len())], &mut random),
            Some(kind) => mutate(kind, seed, LONGEST.max(seed.len()), &mut random, &mut bytes),
            None => {
                let mut data = seed.clone();
                for _ in 0..=random.below(4) {
                    bytes(&mut data, LONGEST);
                }
                data
            }
        };
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

/// What `careen corpus seed` makes of one kind.
fn seeded(folder: &str) -> Vec<Vec<u8>> {
    careen::corpus::seed::all().into_iter().filter(|seed| seed.folder == folder).map(|seed| seed.bytes).collect()
}

/// Snapshots of servers and the seeds.
fn images() -> Vec<Vec<u8>> {
    let mut images = testdata("rdb", "rdb");
    images.extend(seeded("rdb"));
    images
}

fn logs() -> Vec<Vec<u8>> {
    let mut logs = testdata("aof", "aof");
    for directory in ["chat_redis-7.0", "chat-timestamps_redis-7.0", "chat_redis-8.6", "chat_valkey-9.1"] {
        logs.extend(testdata(&format!("aof/{directory}"), "aof"));
    }
    logs.extend(seeded("aof"));
    logs
}

#[test]
fn any_bytes_as_lzf() {
    attack("lzf", None, careen::packed::attack::lzf, Vec::new());
}

#[test]
fn any_bytes_as_a_listpack() {
    attack("listpack", None, careen::packed::attack::listpack, Vec::new());
}

#[test]
fn any_bytes_as_a_ziplist() {
    attack("ziplist", None, careen::packed::attack::ziplist, Vec::new());
}

#[test]
fn any_bytes_as_a_zipmap() {
    attack("zipmap", None, careen::packed::attack::zipmap, Vec::new());
}

#[test]
fn any_bytes_as_an_intset() {
    attack("intset", None, careen::packed::attack::intset, Vec::new());
}

#[test]
fn any_bytes_as_a_stream_node() {
    attack("stream_node", None, careen::packed::attack::stream_node, Vec::new());
}

#[test]
fn any_bytes_as_a_value() {
    attack("rdb_value", None, careen::rdb::attack::value, Vec::new());
}

#[test]
fn any_bytes_as_an_rdb_image() {
    attack("rdb_reader", Some(Kind::Image), careen::rdb::attack::reader, images());
}

#[test]
fn any_bytes_to_a_check() {
    attack("rdb_check", Some(Kind::Image), careen::check::attack::rdb, images());
}

#[test]
fn any_bytes_as_a_log() {
    attack("aof_reader", Some(Kind::Log), careen::aof::attack::aof_reader, logs());
}

#[test]
fn any_bytes_as_a_manifest() {
    attack("manifest", None, careen::aof::attack::manifest, testdata("aof/chat_redis-8.6", "manifest"));
}

#[test]
fn any_bytes_to_a_replay() {
    attack("replay_part", Some(Kind::Log), careen::replay::attack::part, logs());
}

#[test]
fn any_words_to_a_replay() {
    attack("replay_commands", None, careen::replay::attack::commands, Vec::new());
}

#[test]
fn any_bytes_to_a_repair() {
    attack("repair", Some(Kind::Image), careen::repair::attack::image, images());
}

#[test]
fn any_bytes_as_a_module_s_value() {
    attack("module", None, careen::modules::attack::value, Vec::new());
}

#[test]
fn any_bytes_to_a_repair_of_logs() {
    attack("repair_log", Some(Kind::Log), careen::repair::attack::log, logs());
}

#[test]
fn any_bytes_as_a_payload() {
    attack("payload", Some(Kind::Payload), careen::replay::attack::payload, seeded("dump"));
}

#[test]
fn any_bytes_to_a_conversion() {
    attack("convert", Some(Kind::Image), careen::convert::attack::image, images());
}

#[test]
fn any_bytes_to_an_export() {
    attack("export", Some(Kind::Image), careen::export::attack::image, images());
}

#[test]
fn any_bytes_as_a_file() {
    attack("source", None, careen::export::attack::source, images());
}

#[test]
fn any_bytes_made_right() {
    attack("fix", Some(Kind::Image), careen::corpus::attack::image, images());
}

//! How many bytes a second each stage takes, on data that is the same at each run.
//!
//! `cargo bench` for all, `cargo bench -- check` for some. What a server and its checkers do with the same data is
//! measured elsewhere, with pairs of runs; these are for a before and an after.

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

mod material;

use careen::bytes::{crc64, lzf};
use careen::packed::listpack::{self, Listpack};
use careen::scan::walk;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// The snapshots: many small keys, chats (lists of JSON, sorted sets, sets), the same with LZF.
const SNAPSHOTS: [&str; 3] = ["small", "chat", "chat-lzf"];

fn snapshot(name: &str) -> Vec<u8> {
    match name {
        "small" => material::small(100_000),
        "chat" => material::chat(2_000, false),
        _ => material::chat(2_000, true),
    }
}

/// One thread, so that a figure says what the code does and not what the machine has.
fn alone() -> walk::Options {
    walk::Options { threads: 1, ..walk::Options::default() }
}

#[divan::bench]
fn crc(bencher: Bencher<'_, '_>) {
    let data = snapshot("chat");
    bencher.counter(BytesCount::new(data.len())).bench(|| crc64::jones(black_box(&data)));
}

#[divan::bench]
fn lzf_unpack(bencher: Bencher<'_, '_>) {
    let text = material::history(0, 500).concat();
    let (mut packed, mut out) = (Vec::new(), Vec::new());
    lzf::compress(&text, &mut packed).unwrap();
    bencher.counter(BytesCount::new(text.len())).bench_local(|| {
        out.clear();
        lzf::decompress(black_box(&packed), text.len() as u64, &mut out).unwrap();
    });
}

#[divan::bench]
fn lzf_pack(bencher: Bencher<'_, '_>) {
    let text = material::history(0, 500).concat();
    let mut packed = Vec::new();
    bencher.counter(BytesCount::new(text.len())).bench_local(|| {
        packed.clear();
        lzf::compress(black_box(&text), &mut packed)
    });
}

#[divan::bench]
fn listpack_walk(bencher: Bencher<'_, '_>) {
    let blob = material::listpack_of(&material::history(0, 40));
    bencher
        .counter(BytesCount::new(blob.len()))
        .bench(|| Listpack::new(black_box(&blob)).unwrap().iter().filter(Result::is_ok).count());
}

#[divan::bench]
fn listpack_verify(bencher: Bencher<'_, '_>) {
    let blob = material::listpack_of(&material::history(0, 40));
    bencher.counter(BytesCount::new(blob.len())).bench(|| listpack::verify(black_box(&blob)));
}

#[divan::bench(args = SNAPSHOTS)]
fn outline(bencher: Bencher<'_, '_>, name: &str) {
    let data = snapshot(name);
    bencher.counter(BytesCount::new(data.len())).bench(|| {
        let mut reader = careen::rdb::Reader::new(black_box(&data)).unwrap();
        let mut records = 0u64;
        while reader.skip_record().unwrap().is_some() {
            records += 1;
        }
        records
    });
}

#[divan::bench(args = SNAPSHOTS)]
fn check(bencher: Bencher<'_, '_>, name: &str) {
    let data = snapshot(name);
    let options = careen::check::rdb::Options { walk: alone(), ..Default::default() };
    bencher.counter(BytesCount::new(data.len())).bench(|| {
        let report = careen::check::rdb::check(black_box(&data), 0..data.len() as u64, &options, |_| {});
        assert!(report.findings.is_empty());
    });
}

#[divan::bench(args = SNAPSHOTS)]
fn jsonl(bencher: Bencher<'_, '_>, name: &str) {
    use careen::export::{image, jsonl::Jsonl};
    let data = snapshot(name);
    let (format, selection) = (Jsonl::default(), careen::select::Selection::default());
    bencher.counter(BytesCount::new(data.len())).bench(|| {
        let mut out = std::io::sink();
        image(&format, black_box(&data), 0..data.len() as u64, &alone(), &selection, &mut out, |_| {}).unwrap()
    });
}

fn rewrite(bencher: Bencher<'_, '_>, input: &std::path::Path, folder: &std::path::Path, bytes: usize) {
    use careen::{bytes::source, convert, input, replay::whole};
    let inputs = [input::open(input, &source::Options::default()).unwrap()];
    let existing = careen::bytes::publish::Existing { replace: true, keep_backup: false };
    let options = convert::Options { kind: convert::Kind::Rdb, existing, scan: alone(), ..Default::default() };
    let out = folder.join("out");
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| convert::convert(&inputs, &out, &options, &whole::Options::default(), |_| {}).unwrap());
}

/// Every key as it stands, to a file.
#[divan::bench(args = SNAPSHOTS)]
fn snapshot_to_snapshot(bencher: Bencher<'_, '_>, name: &str) {
    let (data, folder) = (snapshot(name), tempfile::tempdir().unwrap());
    let input = folder.path().join("in.rdb");
    std::fs::write(&input, &data).unwrap();
    rewrite(bencher, &input, folder.path(), data.len());
}

/// A large base and a small log behind it, to a file.
#[divan::bench]
fn base_and_log_to_snapshot(bencher: Bencher<'_, '_>) {
    let (base, log, folder) = (snapshot("chat"), material::log(20), tempfile::tempdir().unwrap());
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    let manifest = "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n";
    let parts = [("1.base.rdb", &*base), ("1.incr.aof", &*log), ("manifest", manifest.as_bytes())];
    for (name, bytes) in parts {
        std::fs::write(input.join(format!("a.aof.{name}")), bytes).unwrap();
    }
    rewrite(bencher, &input, folder.path(), base.len() + log.len());
}

#[divan::bench]
fn log_scan(bencher: Bencher<'_, '_>) {
    let log = material::log(2_000);
    bencher.counter(BytesCount::new(log.len())).bench(|| {
        let mut reader = careen::aof::Reader::new(black_box(&log));
        let mut records = 0u64;
        while reader.next_record().unwrap().is_some() {
            records += 1;
        }
        records
    });
}

#[divan::bench]
fn log_replay(bencher: Bencher<'_, '_>) {
    let log = material::log(2_000);
    bencher.counter(BytesCount::new(log.len())).bench(|| {
        let mut engine = careen::replay::Engine::new(Default::default());
        engine.replay_part(0, black_box(&log)).unwrap();
        engine.finish().0.len()
    });
}

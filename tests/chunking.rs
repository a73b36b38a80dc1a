//! However the bytes come, mapped, read, through a pipe byte by byte or compressed, they are the same bytes: the same
//! records, the same errors at the same offsets.

#![cfg(all(feature = "gzip", feature = "zstd", feature = "lz4"))]
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

use careen::bytes::source::{Options, Source};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Gives one byte at a time, as the slowest of pipes.
struct Drops<'b>(&'b [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some((&first, rest)) = self.0.split_first() else { return Ok(0) };
        buffer[0] = first;
        self.0 = rest;
        Ok(1)
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn lz4(data: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Every way to hand over these bytes.
fn ways(path: &Path, data: &[u8]) -> Vec<(&'static str, Source)> {
    let mapped = Options::default();
    let read = Options { mmap: false, ..Options::default() };
    let spooled = Options { spool_above: 16, ..Options::default() };
    let stream = |bytes: &[u8], options| Source::stream("pipe", bytes, options).unwrap();
    vec![
        ("in memory", Source::from_bytes("memory", data.to_vec())),
        ("mapped", Source::open(path, &mapped).unwrap()),
        ("read", Source::open(path, &read).unwrap()),
        ("byte by byte", Source::stream("pipe", Drops(data), &mapped).unwrap()),
        ("spooled", stream(data, &spooled)),
        ("gzip", stream(&gzip(data), &mapped)),
        ("lz4", stream(&lz4(data), &mapped)),
        ("zstd", stream(&zstd(data), &mapped)),
        ("gzip, spooled, byte by byte", Source::stream("pipe", Drops(&gzip(data)), &spooled).unwrap()),
    ]
}

/// Records, and where and why reading stopped, of an image or of a log.
fn read_image(data: &[u8]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut reader = match careen::rdb::Reader::new(data) {
        Ok(reader) => reader,
        Err(error) => return vec![error.to_string()],
    };
    loop {
        match reader.next_record() {
            Ok(Some(record)) => seen.push(format!("{record:?}")),
            Ok(None) => break,
            Err(error) => seen.push(error.to_string()),
        }
    }
    let report = careen::check::rdb::check(data, 0..data.len() as u64, &Default::default(), |_| {});
    seen.extend(report.findings.iter().map(|finding| format!("{finding:?}")));
    seen
}

fn read_log(data: &[u8]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut reader = careen::aof::Reader::new(data);
    loop {
        match reader.next_record() {
            Ok(Some(record)) => seen.push(format!("{record:?}")),
            Ok(None) => return seen,
            Err(error) => seen.push(error.to_string()),
        }
    }
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    assert!(!paths.is_empty());
    paths
}

fn compare(paths: &[PathBuf], read: fn(&[u8]) -> Vec<String>) {
    for path in paths {
        let data = std::fs::read(path).unwrap();
        let whole = read(&data);
        for (way, source) in ways(path, &data) {
            assert_eq!(read(source.bytes()), whole, "{}, {way}", path.display());
        }
    }
}

#[test]
fn snapshots_read_the_same_however_they_come() {
    compare(&files("rdb", "rdb"), read_image);
    compare(&files("damaged", "rdb"), read_image);
}

#[test]
fn logs_read_the_same_however_they_come() {
    compare(&files("aof", "aof"), read_log);
    compare(&files("damaged", "aof"), read_log);
}

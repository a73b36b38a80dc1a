//! What must hold of the export of any bytes at all: the body of a fuzz target, also run by `cargo test`.
//!
//! It panics when something does not hold; that is its purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::jsonl::Jsonl;
use super::resp::Resp;
use crate::bytes::Budget;
use crate::bytes::source::{Options, Source};
use crate::scan;
use crate::select::Selection;
use std::io::Read;

const MEMORY: u64 = 32 << 20;

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

/// Any bytes as an RDB image: one thread or three export the same, JSON is JSON, and how the bytes came does not matter.
pub fn image(data: &[u8]) {
    let (one, three) = (jsonl(data, 1), jsonl(data, 3));
    must(one == three, "threads export something else");
    let lines = one.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    must(lines.into_iter().all(|line| std::str::from_utf8(line).is_ok()), "a line of JSON is not text");
    must(resp(data, 1) == resp(data, 2), "threads export other commands");
}

/// Any bytes as a file: read whole, byte by byte and in odd pieces it is the same, compressed or not.
pub fn source(data: &[u8]) {
    let options = Options { budget: Budget::new(MEMORY), spool_above: 1 << 20, ..Options::default() };
    let read = |size| Source::stream("-", Pieces { data, size }, &options).ok();
    let whole = read(data.len().max(1));
    for size in [1, 7] {
        match (&whole, &read(size)) {
            (Some(whole), Some(pieces)) => {
                let same = whole.bytes() == pieces.bytes() && whole.compression() == pieces.compression();
                must(same, "pieces read as something else");
            }
            (None, None) => {}
            _ => panic!("the size of reads decides whether a file can be read"),
        }
    }
    if let Some(whole) = whole {
        must(whole.compression().is_some() || whole.bytes() == data, "a file is not its bytes");
    }
}

struct Pieces<'d> {
    data: &'d [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.size.min(self.data.len()).min(buffer.len());
        let (piece, rest) = self.data.split_at(len);
        buffer.iter_mut().zip(piece).for_each(|(place, &byte)| *place = byte);
        self.data = rest;
        Ok(len)
    }
}

fn options(threads: usize) -> scan::Options {
    scan::Options { threads, budget: Budget::new(MEMORY) }
}

fn jsonl(data: &[u8], threads: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let (format, all) = (Jsonl::default(), Selection::default());
    let range = 0..data.len() as u64;
    must(super::image(&format, data, range, &options(threads), &all, &mut out, |_| {}).is_ok(), "memory is full");
    out
}

fn resp(data: &[u8], threads: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let (format, all) = (Resp::new(12), Selection::default());
    let range = 0..data.len() as u64;
    must(super::image(&format, data, range, &options(threads), &all, &mut out, |_| {}).is_ok(), "memory is full");
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn sound_files_hold() {
        super::image(include_bytes!("../../testdata/rdb/everything-redis_v13.rdb"));
        super::source(include_bytes!("../../testdata/rdb/everything-redis_v13.rdb"));
        super::source(b"\x1f\x8b\x08\x00\x00\x00\x00\x00");
        super::source(b"");
    }
}

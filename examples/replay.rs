//! Replays a log and prints the digest that `DEBUG DIGEST` gives on a server holding the same data.
//!
//! ```text
//! cargo run --release --example replay -- appendonly.aof redis-7.0
//! ```

#![allow(clippy::print_stdout, reason = "a program")]

use careen::bytes::source::{Options, Source};
use careen::keyspace::{Like, digest};
use careen::replay::Engine;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("which file?")?;
    let like: Like = args.next().map_or(Ok(Like::default()), |name| name.parse())?;
    let source = Source::open(Path::new(&path), &Options::default())?;
    let start = Instant::now();
    let mut engine = Engine::new(like);
    engine.replay_part(0, source.bytes())?;
    let (keyspace, report, ()) = engine.finish();
    let replayed = start.elapsed();
    let digest = digest::of_keyspace(&keyspace, like);
    println!("{digest}");
    println!("{} commands, {} keys, {} skipped", report.commands, keyspace.len(), report.skipped.total);
    println!("replay {replayed:.2?}, digest {:.2?}, heap {} bytes", start.elapsed() - replayed, keyspace.heap_bytes());
    Ok(())
}

//! What we write, loaded by a server.

use crate::generate::Dice;
use crate::process::{Server, binary};
use crate::replay::{exercise, needs_leave_to_debug};
use crate::setting;
use careen::bytes::source;
use careen::convert::{self, Base, Choice, Kind, Options, Report};
use careen::input::{self, Input};
use careen::keyspace::Like;
use careen::replay::whole;
use std::path::{Path, PathBuf};

/// A digest with the server that gave it, gone again.
fn digest(mut server: Server) -> String {
    // A server answers while it still loads.
    loop {
        let answer = server.client.call(&["DEBUG", "DIGEST"]).text();
        if !answer.contains("LOADING") {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn convert(input: &Input, output: &Path, kind: Kind, like: Like) -> Report {
    let options = Options { kind, target: Choice::Same, ..Options::default() };
    // A single log names no server, and this one knows.
    let replay = whole::Options { like: Some(like), ..whole::Options::default() };
    convert::convert(std::slice::from_ref(input), output, &options, &replay, |_| {}).unwrap()
}

/// What we make of a file.
fn digest_of(path: &Path, like: Like) -> String {
    let input = input::open(path, &source::Options::default()).unwrap();
    let replay = whole::Options { like: Some(like), ..whole::Options::default() };
    let outcome = whole::replay(&input, &replay, (), &mut |_| {}).unwrap();
    careen::keyspace::digest::of_keyspace(&outcome.keyspace, like).to_string()
}

/// A server on an output of ours.
fn load(binary: &Path, output: &Path, kind: Kind, debug: &[&str]) -> Server {
    let place = |name: &str| {
        let name = PathBuf::from(name);
        move |dir: &Path| std::fs::rename(output, dir.join(name)).unwrap()
    };
    let rdb: &[&str] = &["--appendonly", "no"];
    match kind {
        Kind::Rdb => Server::start_on(binary, &[debug, rdb].concat(), place("dump.rdb")),
        Kind::Aof => Server::start_on(binary, debug, place("appendonly.aof")),
        Kind::AofDir(_) => Server::start_on(binary, debug, place("appendonlydir")),
    }
}

#[test]
fn a_server_loads_what_we_write_of_its_log_to_the_same_digest() {
    let Some(binary) = binary() else { return };
    let (seeds, commands) = (setting("CAREEN_SEEDS", 2), setting("CAREEN_COMMANDS", 2000));
    let debug: &[&str] = if needs_leave_to_debug(&binary) { &["--enable-debug-command", "yes"] } else { &[] };
    for seed in 100..100_u64.saturating_add(seeds) {
        let mut server = Server::start(&binary, debug);
        exercise(&mut server, &mut Dice::new(seed), commands, 0);
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("log");
        std::fs::write(&log, server.log().concat()).unwrap();
        let (has_directories, like) = (server.has_directories(), server.like);
        drop(server);
        // What a server has that loads the log, not the one that wrote it: keys of that one may have expired since.
        let copy = place.path().join("copy");
        std::fs::copy(&log, &copy).unwrap();
        let expected = digest(load(&binary, &copy, Kind::Aof, debug));
        let input = input::open(&log, &source::Options::default()).unwrap();
        let mut kinds = vec![Kind::Rdb, Kind::Aof];
        if has_directories {
            kinds.extend([Kind::AofDir(Base::Rdb), Kind::AofDir(Base::Aof)]);
        }
        for kind in kinds {
            let output = place.path().join("out");
            convert(&input, &output, kind, like);
            let ours = [&log, &output].map(|path| digest_of(path, like));
            assert_eq!(digest(load(&binary, &output, kind, debug)), expected, "seed {seed}, {kind:?}, ours {ours:?}");
        }
    }
}

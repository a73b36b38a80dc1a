//! What we write, loaded by a server.

use crate::exercise::exercise;
use crate::generate::Generator;
use crate::process::{Server, binary};
use crate::setting;
use careen::bytes::source;
use careen::convert::{self, Base, Choice, Kind, Options, Report};
use careen::input::{self, Input};
use careen::keyspace::Like;
use careen::replay::whole;
use std::path::{Path, PathBuf};

/// The digest of a server, gone then.
pub(crate) fn digest(mut server: Server) -> String {
    server.client.call(&["DEBUG", "DIGEST"]).text()
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
pub(crate) fn load(binary: &Path, output: &Path, kind: Kind) -> Server {
    let place = |name: &str| {
        let name = PathBuf::from(name);
        move |dir: &Path| std::fs::rename(output, dir.join(name)).unwrap()
    };
    let rdb: &[&str] = &["--appendonly", "no"];
    match kind {
        Kind::Rdb => Server::start_on(binary, rdb, place("dump.rdb")),
        Kind::Aof => Server::start_on(binary, &[], place("appendonly.aof")),
        Kind::AofDir(_) => Server::start_on(binary, &[], place("appendonlydir")),
    }
}

#[test]
fn a_server_loads_what_we_write_of_its_log_to_the_same_digest() {
    let Some(binary) = binary() else { return };
    let (seeds, commands) = (setting("CAREEN_SEEDS", 2), setting("CAREEN_COMMANDS", 2000));
    for seed in 100..100_u64.saturating_add(seeds) {
        let mut server = Server::start(&binary, &[]);
        let (mut waiter, mut generator) = (server.connect(), Generator::new(seed, |name| server.knows(name)));
        exercise(&mut server, &mut waiter, &mut generator, commands);
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("log");
        std::fs::write(&log, server.log().concat()).unwrap();
        let (has_directories, like) = (server.has_directories(), server.like);
        drop(server);
        // What a server has that loads the log, not the one that wrote it: keys of that one may have expired since.
        let copy = place.path().join("copy");
        std::fs::copy(&log, &copy).unwrap();
        let expected = digest(load(&binary, &copy, Kind::Aof));
        let input = input::open(&log, &source::Options::default()).unwrap();
        let mut kinds = vec![Kind::Rdb, Kind::Aof];
        if has_directories {
            kinds.extend([Kind::AofDir(Base::Rdb), Kind::AofDir(Base::Aof)]);
        }
        for kind in kinds {
            let output = place.path().join("out");
            convert(&input, &output, kind, like);
            let ours = [&log, &output].map(|path| digest_of(path, like));
            assert_eq!(digest(load(&binary, &output, kind)), expected, "seed {seed}, {kind:?}, ours {ours:?}");
        }
    }
}

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
use careen::value::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The digest of a server, gone then.
pub(crate) fn digest(mut server: Server) -> String {
    server.client.call(&["DEBUG", "DIGEST"]).text()
}

/// The digest of a server and those of its keys, gone then. A log keeps keys whose time is up until the server looks
/// for them, a snapshot does not.
fn digests(mut server: Server) -> (String, BTreeMap<String, String>) {
    std::thread::sleep(Duration::from_millis(300));
    let select = |server: &mut Server, db: u32| server.client.call(&["SELECT", &db.to_string()]);
    for db in 0..4 {
        select(&mut server, db);
        server.client.call(&["SCAN", "0", "COUNT", "100000"]);
    }
    let whole = server.client.call(&["DEBUG", "DIGEST"]).text();
    let mut keys = BTreeMap::new();
    for db in 0..4 {
        select(&mut server, db);
        for key in server.client.call(&["KEYS", "*"]).texts() {
            let digest = server.client.call(&[b"DEBUG", &b"DIGEST-VALUE"[..], &key]).texts().concat();
            let digest = String::from_utf8_lossy(&digest).into_owned();
            keys.insert(format!("db {db} {}", key.escape_ascii()), digest);
        }
    }
    (whole, keys)
}

/// A single log names no server, and this one knows. Up to 6.2 a log has relative times, of `RESTORE`.
fn replay(like: Like) -> whole::Options {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    whole::Options { like: Some(like), own_versions: true, now: UnixMillis(now as i64), ..whole::Options::default() }
}

fn convert(input: &Input, output: &Path, kind: Kind, like: Like) -> Report {
    let options = Options { kind, target: Choice::Same, ..Options::default() };
    convert::convert(std::slice::from_ref(input), output, &options, &replay(like), |_| {}).unwrap()
}

/// What we make of a file.
pub(crate) fn digest_of(path: &Path, like: Like) -> String {
    let input = input::open(path, &source::Options::default()).unwrap();
    let outcome = whole::replay(&input, &replay(like), (), &mut |_| {}).unwrap();
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
        // A vector set that commands made has no form in a snapshot.
        let (mut waiter, mut generator) =
            (server.connect(), Generator::new(seed, false, |name| name != "VADD" && server.knows(name)));
        exercise(&mut server, &mut waiter, &mut generator, commands);
        let place = tempfile::tempdir().unwrap();
        let log = place.path().join("log");
        std::fs::write(&log, server.log().concat()).unwrap();
        let (has_directories, like) = (server.has_directories(), server.like);
        drop(server);
        // What a server has that loads the log, not the one that wrote it: of that one keys may have expired since the
        // end of the log, and it may hold what it never logged (see `apart`).
        let copy = place.path().join("copy");
        std::fs::copy(&log, &copy).unwrap();
        let (expected, keys) = digests(load(&binary, &copy, Kind::Aof));
        let input = input::open(&log, &source::Options::default()).unwrap();
        let mut kinds = vec![Kind::Rdb, Kind::Aof];
        if has_directories {
            kinds.extend([Kind::AofDir(Base::Rdb), Kind::AofDir(Base::Aof)]);
        }
        for kind in kinds {
            let output = place.path().join("out");
            convert(&input, &output, kind, like);
            let ours = [&log, &output].map(|path| digest_of(path, like));
            let (got, got_keys) = digests(load(&binary, &output, kind));
            let differs = |key: &&String| keys.get(*key) != got_keys.get(*key);
            let wrong: BTreeSet<_> = keys.keys().chain(got_keys.keys()).filter(differs).collect();
            assert_eq!(got, expected, "seed {seed}, {kind:?}, ours {ours:?}: {wrong:?}");
        }
    }
}

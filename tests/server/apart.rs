//! What cannot stand among random commands: what a server does not log, what takes a second server, what takes a
//! cluster.

use crate::client::words;
use crate::compare;
use crate::process::{Server, binary};
use careen::keyspace::digest;
use careen::replay::Engine;
use careen::value::DbIndex;
use std::net::TcpListener;

/// The log, replayed, is what the server has.
fn assert_same(server: &mut Server) {
    let theirs = server.client.call(&["DEBUG", "DIGEST"]).text();
    let log = server.log();
    let mut engine = Engine::new(server.like);
    for (part, bytes) in (0..).zip(&log) {
        engine.replay_part(part, bytes).unwrap();
    }
    let (keyspace, report, ()) = engine.finish();
    assert_eq!(report.skipped.first, [], "{}", server.like);
    assert_eq!(compare::data(server, &keyspace), <[String; 0]>::default(), "{}", server.like);
    assert_eq!(digest::of_keyspace(&keyspace, server.like).to_string(), theirs, "{}", server.like);
}

fn run(server: &mut Server, commands: &[&str]) {
    for command in commands {
        let reply = server.client.call(&words(command));
        assert!(!matches!(reply, crate::client::Reply::Error(_)), "{command}: {reply:?}");
    }
}

/// From 7.0 on a server grows the string before it finds that no field can be written, and then has nothing to log: it holds a key
/// that its log does not make. Why random commands never let all operations of a `BITFIELD` fail, and why a digest of a
/// live server and one of its log may differ.
#[test]
fn what_a_failing_bitfield_leaves_behind_is_not_in_the_log() {
    let Some(binary) = binary() else { return };
    let mut server = Server::start(&binary, &[]);
    run(&mut server, &["SET s v", "BITFIELD b OVERFLOW FAIL SET u8 16 256"]);
    assert_eq!(server.client.call(&["STRLEN", "b"]).number(), Some(3), "{}", server.like);
    let log = server.log();
    let mut engine = Engine::new(server.like);
    for (part, bytes) in (0..).zip(&log) {
        engine.replay_part(part, bytes).unwrap();
    }
    let (keyspace, ..) = engine.finish();
    let db = keyspace.db(DbIndex(0)).unwrap();
    // 6.0 does log it.
    let is_logged = !server.like.at_least_redis(7, 0);
    assert_eq!((db.contains(b"s"), db.contains(b"b")), (true, is_logged), "{}", server.like);
    // The server that loads its log is of the same opinion.
    run(&mut server, &["DEBUG LOADAOF"]);
    assert_eq!(server.client.call(&["EXISTS", "b"]).number(), Some(i64::from(is_logged)));
    assert_same(&mut server);
}

#[test]
fn keys_that_migrate_leave_one_log_and_come_in_the_other() {
    let Some(binary) = binary() else { return };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut target = Server::start(&binary, &["--port", &port]);
    let mut source = Server::start(&binary, &[]);
    let make = ["SET s v", "SET t v", "RPUSH l a b", "HSET h f v", "ZADD z 1.5 m", "EXPIRE l 1000", "XADD x 1-1 f v"];
    run(&mut source, &make);
    run(&mut target, &["SET t old", "SET other v"]);
    let migrate = format!("MIGRATE 127.0.0.1 {port}");
    run(&mut source, &[&format!("{migrate} s 0 5000"), &format!("{migrate} t 0 5000 COPY REPLACE")]);
    let mut several = words(&format!("{migrate} KEY 0 5000 REPLACE KEYS l h z x"));
    several[3].clear();
    assert_eq!(source.client.call(&several).text(), "OK");
    assert_eq!(source.client.call(&["DBSIZE"]).number(), Some(1));
    assert_eq!(target.client.call(&["DBSIZE"]).number(), Some(7));
    assert_same(&mut source);
    assert_same(&mut target);
}

/// Commands that empty slots, where a server has them.
#[test]
fn slots_are_flushed_as_a_cluster_does() {
    let Some(binary) = binary() else { return };
    let mut server = Server::start(&binary, &["--cluster-enabled", "yes"]);
    if !server.knows("SFLUSH") && !server.knows("CLUSTER FLUSHSLOT") {
        return eprintln!("skipped: {} has no commands that empty slots", server.like);
    }
    run(&mut server, &["CLUSTER ADDSLOTSRANGE 0 16383"]);
    let is_up = |server: &mut Server| server.client.call(&["CLUSTER", "INFO"]).text().contains("cluster_state:ok");
    while !is_up(&mut server) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for n in 0..200 {
        run(&mut server, &[&format!("SET key:{n} v"), &format!("SADD {{tag}}:{n} a b")]);
    }
    assert_same(&mut server);
    if server.knows("CLUSTER FLUSHSLOT") {
        run(&mut server, &["CLUSTER FLUSHSLOT 8338", "CLUSTER FLUSHSLOT 1 SYNC"]);
        assert_eq!(server.client.call(&["DBSIZE"]).number(), Some(200), "{{tag}} is in slot 8338");
        assert_same(&mut server);
    }
    if server.knows("SFLUSH") {
        run(&mut server, &["SFLUSH 0 100", "SFLUSH 0 16383", "SET again v"]);
        assert_eq!(server.client.call(&["DBSIZE"]).number(), Some(1));
        assert_same(&mut server);
    }
}

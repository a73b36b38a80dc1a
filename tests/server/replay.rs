//! A server's log, replayed.

use crate::client::Client;
use crate::compare;
use crate::exercise::{Tally, exercise};
use crate::generate::Generator;
use crate::process::{Server, binary};
use crate::{is_required, setting};
use careen::keyspace::{Keyspace, digest};
use careen::replay::table::{self, Command, Flags};
use careen::replay::{Engine, Report};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn replay<'a>(server: &Server, log: &'a [Vec<u8>]) -> (Keyspace<'a>, Report<'a>) {
    let mut engine = Engine::new(server.like);
    for (part, bytes) in (0..).zip(log) {
        engine.replay_part(part, bytes).unwrap();
    }
    let (keyspace, report, ()) = engine.finish();
    (keyspace, report)
}

/// A server with a second client and what they are sent.
struct Subject {
    server: Server,
    waiter: Client,
    generator: Generator,
    seed: u64,
}

impl Subject {
    fn new(binary: &Path, seed: u64) -> Self {
        let server = Server::start(binary, &[]);
        let waiter = server.connect();
        let generator = Generator::new(seed, !is_rewritten(seed), |name| server.knows(name));
        Self { server, waiter, generator, seed }
    }

    fn exercise(&mut self, commands: u64) -> Tally {
        exercise(&mut self.server, &mut self.waiter, &mut self.generator, commands)
    }

    /// Replay all that was logged so far, and compare. At last the server, too, loads its log: it does not log all
    /// that it knows of streams.
    fn judge(&mut self, at_last: bool) {
        let server = &mut self.server;
        // Valkey's digests leave out fields whose time is up, though they are still there: let them go first.
        let is_restless = |server: &Server| compare::has_fields_about_to_go(&replay(server, &server.log()).0);
        for _ in 0..30 {
            if !server.like.at_least_valkey(9, 0) || !is_restless(server) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        server.client.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        let theirs = server.client.call(&["DEBUG", "DIGEST"]).text();
        let log = server.log();
        let (keyspace, report) = replay(server, &log);
        let ours = digest::of_keyspace(&keyspace, server.like).to_string();
        let mut wrong = compare::data(server, &keyspace);
        if ours != theirs {
            wrong.push(format!("digest {ours}, not {theirs}"));
        }
        // Up to 6.2 what fails within a transaction is logged all the same.
        if server.like.at_least_redis(7, 0) {
            // 7.0 sets a stream's last id below one that was deleted, and then rewrites the log with an `XSETID` that
            // fails when it is loaded.
            let below = |argv0: &[u8]| argv0 == b"XSETID" && !server.like.at_least_redis(7, 2);
            let skipped = report.skipped.first.iter().filter(|one| !below(&one.argv0)).take(20);
            wrong.extend(skipped.map(|one| format!("skipped {one:?}")));
        }
        if at_last {
            server.client.call(&["DEBUG", "LOADAOF"]);
            wrong.extend(compare::streams(server, &keyspace));
        }
        server.client.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "1"]);
        if !wrong.is_empty() {
            let (seed, like) = (self.seed, server.like);
            let kept = std::env::temp_dir().join(format!("careen-{like}-seed-{seed}"));
            std::fs::create_dir_all(&kept).unwrap();
            (0..).zip(&log).for_each(|(part, bytes)| std::fs::write(kept.join(format!("{part}.aof")), bytes).unwrap());
            panic!("seed {seed} on {like}, log in {}:\n{}", kept.display(), wrong.join("\n"));
        }
    }
}

/// Compare every so many commands.
const EVERY: u64 = 1000;

/// Every second seed has its log rewritten now and then, while commands go on.
fn is_rewritten(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

/// One seed.
fn run(binary: &Path, seed: u64, commands: u64) -> Tally {
    let mut subject = Subject::new(binary, seed);
    let mut tally = Tally::default();
    let rounds = commands.div_ceil(EVERY).max(1);
    for round in 1..=rounds {
        let rewrite = is_rewritten(seed) && round.is_multiple_of(4);
        if rewrite {
            let preamble = subject.generator.dice.below(2) == 0;
            subject.server.begin_rewrite(preamble);
        }
        tally.add(&subject.exercise(EVERY.min(commands)));
        if rewrite {
            subject.server.end_rewrite();
        }
        subject.judge(round == rounds);
    }
    tally
}

#[test]
fn a_replayed_log_gives_the_digest_of_the_server_that_wrote_it() {
    let Some(binary) = binary() else { return };
    let (seeds, commands) = if is_required() { (20, 10_000) } else { (4, 3000) };
    let (seeds, commands) = (setting("CAREEN_SEEDS", seeds), setting("CAREEN_COMMANDS", commands));
    let first = setting("CAREEN_FIRST_SEED", 1);
    let end = first.saturating_add(seeds);
    let next = AtomicU64::new(first);
    let tally = Mutex::new(Tally::default());
    let workers = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let one = run(&binary, seed, commands);
                    tally.lock().unwrap().add(&one);
                }
            });
        }
    });
    println!("seeds {first} to {}, {commands} commands each", end.saturating_sub(1));
    let tally = tally.into_inner().unwrap();
    let server = Server::start(&binary, &[]);
    assert_nothing_is_missing(&server, &tally, seeds.saturating_mul(commands) >= ENOUGH);
}

/// With so many commands each must have succeeded once.
const ENOUGH: u64 = 100_000;

/// Of commands that write, these are tried elsewhere (`apart`), or not by clients.
const ELSEWHERE: &[&str] = &["MIGRATE", "CLUSTER FLUSHSLOT", "SFLUSH", "TRIMSLOTS"];

/// Every write command of our table that the server has was sent, and, if there were enough of them, executed; and
/// every write command of the server is one of our table.
fn assert_nothing_is_missing(server: &Server, tally: &Tally, enough: bool) {
    let writes = |row: &&Command| row.flags.has(Flags::WRITE);
    let table: Vec<_> = table::all().flat_map(|row| [row].into_iter().chain(row.subcommands)).filter(writes).collect();
    let wanted: Vec<&str> = table.iter().filter(|row| has(server, row)).map(|row| row.name).collect();
    let missing = |name: &&&str| {
        let count = if enough { tally.done(name) } else { tally.sent(name) };
        count == 0 && !ELSEWHERE.contains(*name)
    };
    let missing: Vec<_> = wanted.iter().filter(missing).collect();
    assert!(missing.is_empty(), "never executed on {}: {missing:?}", server.like);
    // Up to 6.2 a container counts as writing.
    let container =
        |name: &str| table::all().any(|row| row.name == name && row.subcommands.iter().any(|sub| writes(&sub)));
    let unknown = |name: &&String| !table.iter().any(|row| row.name == **name) && !container(name);
    let unknown: Vec<_> =
        server.commands.iter().filter(|(_, writes)| **writes).map(|(name, _)| name).filter(unknown).collect();
    assert!(unknown.is_empty(), "{} writes by these, our table does not: {unknown:?}", server.like);
    println!("{} write commands of {}, each sent", wanted.len(), server.like);
}

/// Up to 6.2 a server does not tell of its sub-commands.
fn has(server: &Server, row: &Command) -> bool {
    if server.like.at_least_redis(7, 0) {
        return server.knows(row.name);
    }
    let mut since = row.since.split('.').map(str::parse);
    let (Some(Ok(major)), Some(Ok(minor))) = (since.next(), since.next()) else { return false };
    server.like.at_least_redis(major, minor) && server.knows(row.name.split(' ').next().unwrap())
}

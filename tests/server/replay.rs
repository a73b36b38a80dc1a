//! A server's log, replayed.

use crate::generate::{Dice, command};
use crate::process::{Server, binary};
use crate::setting;
use careen::keyspace::{Keyspace, digest};
use careen::replay::{Engine, Report};
use careen::value::DbIndex;

/// Run random commands with some transactions and rewrites among them.
pub(crate) fn exercise(server: &mut Server, dice: &mut Dice, commands: u64, rewrite_every: u64) {
    for n in 1..=commands {
        if dice.below(50) == 0 {
            server.client.call(&["MULTI"]);
            for _ in 0..dice.below(4) {
                server.client.call(&command(dice));
            }
            server.client.call(&["EXEC"]);
        }
        server.client.call(&command(dice));
        if rewrite_every > 0 && n % rewrite_every == 0 {
            server.rewrite(dice.below(2) == 0);
        }
    }
}

fn replay<'a>(server: &Server, log: &'a [Vec<u8>]) -> (Keyspace<'a>, Report<'a>) {
    let mut engine = Engine::new(server.like);
    for (part, bytes) in (0..).zip(log) {
        engine.replay_part(part, bytes).unwrap();
    }
    let (keyspace, report, ()) = engine.finish();
    (keyspace, report)
}

/// The keys that differ, with what was skipped.
fn differences(server: &mut Server, keyspace: &Keyspace<'_>, report: &Report<'_>) -> String {
    let mut text = String::new();
    for db in 0..4 {
        server.client.call(&["SELECT", &db.to_string()]);
        let keys = server.client.call(&["KEYS", "*"]).texts();
        let ours = keyspace.db(DbIndex(db));
        for key in &keys {
            let theirs = server.client.call(&[b"DEBUG", &b"DIGEST-VALUE"[..], key]).texts().concat();
            let entry = ours.and_then(|ours| ours.entry(key));
            let digest = entry.map(|entry| digest::of_value(&entry.value, entry.expires, server.like).to_string());
            if digest.as_deref().map(str::as_bytes) != Some(&theirs) {
                text += &format!("db {db} {}: {entry:.600?}\n", key.escape_ascii());
            }
        }
        let extra =
            ours.into_iter().flat_map(|db| db.iter()).filter(|entry| !keys.iter().any(|key| **key == *entry.key));
        text.extend(extra.map(|entry| format!("db {db} {}: not on the server\n", entry.key.escape_ascii())));
    }
    for note in report.skipped.first.iter().take(20) {
        text += &format!("skipped {} at {:?}: {}\n", note.argv0.escape_ascii(), note.place, note.why);
    }
    text
}

#[test]
fn a_replayed_log_gives_the_digest_of_the_server_that_wrote_it() {
    let Some(binary) = binary() else { return };
    let (seeds, commands) = (setting("CAREEN_SEEDS", 4), setting("CAREEN_COMMANDS", 3000));
    let first = setting("CAREEN_FIRST_SEED", 1);
    for seed in first..first.saturating_add(seeds) {
        let debug: &[&str] = &["--enable-debug-command", "yes"];
        let mut server = Server::start(&binary, if needs_leave_to_debug(&binary) { debug } else { &[] });
        let rewrite_every = if seed % 2 == 0 { commands / 3 } else { 0 };
        exercise(&mut server, &mut Dice::new(seed), commands, rewrite_every);
        let theirs = server.client.call(&["DEBUG", "DIGEST"]).text();
        let log = server.log();
        let (keyspace, report) = replay(&server, &log);
        let ours = digest::of_keyspace(&keyspace, server.like).to_string();
        // Up to 6.2 what fails within a transaction is logged all the same.
        let skipped = report.skipped.total > 0 && server.like.at_least_redis(7, 0);
        if ours != theirs || skipped {
            let kept = std::env::temp_dir().join(format!("careen-seed-{seed}.aof"));
            std::fs::write(&kept, log.concat()).unwrap();
            let differences = differences(&mut server, &keyspace, &report);
            panic!("seed {seed} on {}: {ours}, not {theirs}; log in {}\n{differences}", server.like, kept.display());
        }
    }
}

/// From 7.0 on, and in all of Valkey, `DEBUG` must be allowed.
pub(crate) fn needs_leave_to_debug(binary: &std::path::Path) -> bool {
    let output = std::process::Command::new(binary).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let major = text.split("v=").nth(1).and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_none_or(|major| major >= 7)
}

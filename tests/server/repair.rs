//! What we repair, loaded by a server: whatever was done to a file, the output must load, to the data that we see in it.

use crate::compare;
use crate::exercise::exercise;
use crate::generate::{Dice, Generator};
use crate::process::{Server, binary};
use crate::setting;
use crate::write::load;
use careen::bytes::source;
use careen::check::input::check;
use careen::check::rdb::Options;
use careen::convert::Kind;
use careen::input;
use careen::keyspace::Like;
use careen::keyspace::digest::of_keyspace;
use careen::keyspace::elements::elements;
use careen::rdb::{Buffers, Element};
use careen::repair::{Plan, aof, apply, rdb};
use careen::replay::{Engine, whole};
use careen::value::UnixMillis;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Damage a file in one of eight ways.
fn damaged(file: &[u8], kind: u64, dice: &mut Dice) -> Vec<u8> {
    let mut place = |end: usize| usize::try_from(dice.below(end.max(1) as u64)).unwrap();
    let at = 10 + place(file.len().saturating_sub(30));
    let size = [1, 3, 16, 64, 200, 512][place(6)].min(file.len().saturating_sub(at));
    let noise: Vec<u8> = (0..size).map(|_| u8::try_from(place(256)).unwrap()).collect();
    let (before, rest) = file.split_at(at);
    let (hit, behind) = rest.split_at(size);
    match kind {
        0 => [before, &[hit[0] ^ 1 << place(8)], &rest[1..]].concat(),
        1 => [before, &vec![0; size], behind].concat(),
        2 => [before, &noise, behind].concat(),
        3 => [before, behind].concat(),
        4 => [before, &noise, rest].concat(),
        5 => [before, hit, rest].concat(),
        6 => before.to_vec(),
        _ => {
            let once = damaged(file, 1, dice);
            damaged(&once, 2, dice)
        }
    }
}

fn write(plan: &Plan, input: &[u8], path: &Path) {
    let mut out = Vec::new();
    apply::write(plan, input, &mut out).unwrap();
    std::fs::write(path, out).unwrap();
}

/// The server must load it, and have what we see, unless keys expire meanwhile.
fn judge(binary: &Path, output: &Path, kind: Kind, like: Like, what: &str) {
    let input = input::open(output, &source::Options::default()).unwrap();
    assert!(check(&input, &Options::default(), &mut |_| {}).is_ok(), "{kind:?}, {what}");
    let options = whole::Options { like: Some(like), ..whole::Options::default() };
    let outcome = whole::replay(&input, &options, (), &mut |_| {}).unwrap();
    let soon = UnixMillis(i64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap() + 60_000);
    let is_soon = |at: UnixMillis| at < soon;
    let expires = outcome.keyspace.dbs().flat_map(|(_, db)| db.iter()).any(|entry| {
        let mut of_fields = false;
        let each = &mut |element: Element<'_, '_>| {
            of_fields |= matches!(element, Element::Field { expiry: Some(at), .. } if is_soon(at));
            Ok(())
        };
        elements(&entry.value, &mut Buffers::default(), each).unwrap();
        of_fields || entry.expires.is_some_and(is_soon)
    });
    let ours = of_keyspace(&outcome.keyspace, like).to_string();
    let mut server = load(binary, output, kind);
    let theirs = server.client.call(&["DEBUG", "DIGEST"]).text();
    if !expires && theirs != ours {
        panic!("{kind:?}, {what}: {:?}", compare::data(&mut server, &outcome.keyspace));
    }
}

/// The function libraries of an image.
fn libraries(image: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut engine = Engine::new(Like::default());
    engine.load_rdb(0, image).unwrap();
    engine.finish().0.libraries().map(<[u8]>::to_vec).collect()
}

#[test]
fn a_server_loads_every_repaired_file_to_what_we_see_in_it() {
    let Some(binary) = binary() else { return };
    let (seeds, rounds) = (setting("CAREEN_SEEDS", 2), setting("CAREEN_DAMAGE_ROUNDS", 1));
    for seed in 200..200_u64.saturating_add(seeds) {
        let mut server = Server::start(&binary, &[]);
        let (mut waiter, mut generator) = (server.connect(), Generator::new(seed, false, |name| server.knows(name)));
        exercise(&mut server, &mut waiter, &mut generator, 600);
        drop(waiter);
        server.client.call(&["SAVE"]);
        let (log, dump, like) = (server.log().concat(), server.dump(), server.like);
        drop(server);
        let place = tempfile::tempdir().unwrap();
        let output = place.path().join("out");
        for (round, kind) in (0..rounds).flat_map(|round| (0..8).map(move |kind| (round, kind))) {
            let dice = &mut Dice::new(seed << 20 | round << 8 | kind);
            let bad = damaged(&dump, kind, dice);
            write(&rdb::plan(&bad, &rdb::Options::default(), &mut |_| {}).unwrap(), &bad, &output);
            // That a letter of a library is wrong only a server can tell, and then it does not start.
            if libraries(&std::fs::read(&output).unwrap()).is_subset(&libraries(&dump)) {
                judge(&binary, &output, Kind::Rdb, like, &format!("seed {seed}, {round}, {kind}"));
            }

            let bad = damaged(&log, kind, dice);
            let planned = aof::plan(&bad, false, (0, 0), &aof::Options::default(), &mut |_| {}).unwrap();
            write(&planned.plan, &bad, &output);
            judge(&binary, &output, Kind::Aof, like, &format!("seed {seed}, {round}, {kind}"));
        }
    }
}

use super::*;
use crate::bytes::source;
use crate::chat::{Schema, View, rebuild, verify};
use crate::input::{Input, discover};
use crate::keyspace::digest;
use crate::replay::whole::Options;
use crate::value::UnixMillis;

fn settings(users: u32, messages: u64) -> Settings {
    Settings { users, messages, seed: 7, pushes: false }
}

fn log(settings: Settings) -> Vec<u8> {
    as_log(settings, Vec::new(), &mut |_| {}).unwrap()
}

fn findings_and_digest(input: &Input) -> (Vec<String>, String, u64) {
    let schema = Schema::default();
    let rebuilt =
        rebuild(input, &schema, &Options { now: UnixMillis(1), ..Options::default() }, None, &mut |_| {}).unwrap();
    assert_eq!(rebuilt.report.skipped.total, 0);
    assert!(rebuilt.damage.is_none());
    let view = View::new(&schema, &rebuilt.keyspace, &rebuilt.watch);
    let report = verify::verify(&view, "x", &["x".into()], 10, &mut |_| {});
    let found = report.findings.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect();
    (found, digest::of_keyspace(&rebuilt.keyspace, rebuilt.like).to_string(), report.messages)
}

#[test]
fn the_same_settings_give_the_same_bytes() {
    let some = settings(50, 300);
    assert_eq!(log(some), log(some));
    assert_ne!(log(some), log(Settings { seed: 8, ..some }));
    let image = |settings| as_image(settings, Vec::new(), &mut |_| {}).unwrap();
    assert_eq!(image(some), image(some));
}

#[test]
fn log_snapshot_and_set_hold_the_same_sound_service() {
    // Few users, so that histories are trimmed.
    let some = settings(6, 9000);
    let as_input = |name: &str, bytes| discover::from_bytes(name, bytes).unwrap();
    let (found, from_log, messages) = findings_and_digest(&as_input("log", log(some)));
    assert_eq!(found, [""; 0]);
    assert!(messages > 5000 && messages < 7000, "{messages}");
    let image = as_image(some, Vec::new(), &mut |_| {}).unwrap();
    let (found, from_image, _) = findings_and_digest(&as_input("image", image));
    assert_eq!((found, &from_image), (vec![], &from_log));

    let (base, incr) = as_set(some, Vec::new(), Vec::new(), &mut |_| {}).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in [(BASE, base), (INCR, incr), (MANIFEST, manifest().unwrap())] {
        std::fs::write(directory.path().join(name), bytes).unwrap();
    }
    let set = crate::input::open(directory.path(), &source::Options::default()).unwrap();
    assert!(set.findings.is_empty(), "{:?}", set.findings);
    let (found, from_set, _) = findings_and_digest(&set);
    assert_eq!((found, &from_set), (vec![], &from_log));
}

#[test]
fn a_capture_has_a_push_for_each_message() {
    let some = Settings { pushes: true, ..settings(20, 500) };
    let input = discover::from_bytes("capture", log(some)).unwrap();
    let schema = Schema::default();
    let rebuilt = rebuild(&input, &schema, &Options::default(), None, &mut |_| {}).unwrap();
    assert_eq!(rebuilt.watch.pushes.len(), 500);
    assert_eq!(findings_and_digest(&input).0, [""; 0]);
}

#[test]
fn the_story_has_all_kinds_of_events() {
    let mut story = Story::new(settings(6, 5000));
    let (mut logins, mut trims, mut strangers) = (0, 0, 0);
    let mut known = std::collections::HashSet::new();
    let mut last = UnixMillis(0);
    story
        .run(5000, &mut |event| {
            assert!(event.time() >= last);
            last = event.time();
            match event {
                Event::Login(user, _) => logins += u32::from(known.insert(user)),
                Event::Logout(user, _) => strangers += u32::from(known.insert(user)),
                Event::Trim(..) => trims += 1,
                Event::Message(sent) => assert_ne!(sent.from, sent.to),
            }
            Ok(())
        })
        .unwrap();
    assert!(logins > 0 && trims > 0, "{logins} {trims}");
    let mut story = Story::new(settings(500, 5000));
    let mut known = std::collections::HashSet::new();
    story
        .run(5000, &mut |event| {
            match event {
                Event::Login(user, _) => drop(known.insert(user)),
                Event::Logout(user, _) => strangers += u32::from(known.insert(user)),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    assert!(strangers > 0);
}

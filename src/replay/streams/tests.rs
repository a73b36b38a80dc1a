use crate::keyspace::{Like, Stream};
use crate::replay::{Engine, Place};
use crate::value::StreamId;

/// Runs commands, words parted by blanks.
struct Session(Engine<'static>);

impl Session {
    fn new(like: &str) -> Self {
        Self(Engine::new(like.parse::<Like>().unwrap()))
    }

    /// Tells whether the command was executed.
    fn run(&mut self, command: &'static str) -> bool {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let before = self.0.report().skipped.total;
        self.0.feed(Place::default(), &words);
        self.0.report().skipped.total == before
    }

    fn run_all(&mut self, commands: &[&'static str]) {
        for command in commands {
            assert!(self.run(command), "{command}");
        }
    }

    fn remarks(&self) -> u64 {
        self.0.report().remarks.total
    }

    fn stream(&mut self) -> &Stream<'static> {
        self.0.state_mut().db().get(b"x").unwrap().unwrap()
    }

    /// Ids of the entries, then of each group what is pending: `id:consumer:deliveries`.
    fn shown(&mut self) -> String {
        let stream = self.stream();
        let mut text: Vec<String> = stream.entries.keys().map(StreamId::to_string).collect();
        for (name, group) in stream.groups.iter() {
            text.push(format!("| {}", name.escape_ascii()));
            let pending = group.pending.iter();
            text.extend(pending.map(|(id, p)| format!("{id}:{}:{}", p.consumer.escape_ascii(), p.deliveries)));
        }
        text.join(" ")
    }
}

/// Two groups that have read, one of them less.
const SETUP: &[&str] = &[
    "XADD x 1-1 f v",
    "XADD x 2-1 f v",
    "XADD x 3-1 f v",
    "XADD x 4-1 f v",
    "XGROUP CREATE x g 0",
    "XGROUP CREATE x h 0",
    "XREADGROUP GROUP g c COUNT 3 STREAMS x >",
    "XREADGROUP GROUP h d COUNT 2 STREAMS x >",
    "XACK x h 1-1",
    "XACK x g 1-1",
];

#[test]
fn entries_are_added_in_order_only() {
    let mut s = Session::new("redis-7.0");
    s.run_all(&["XADD x 5-1 f v", "XADD x 5-* f v", "XADD x 6 f v", "XADD none NOMKSTREAM 1-1 f v"]);
    assert_eq!(s.shown(), "5-1 5-2 6-0");
    for wrong in
        ["XADD x 6-0 f v", "XADD x 1-1 f v", "XADD x 7-0 f v g", "XADD x 0-0 f v", "XADD x y-1 f v", "XADD y 0-0 f v"]
    {
        assert!(!s.run(wrong), "{wrong}");
    }
    assert!(!s.0.state_mut().db().contains(b"none") && !s.0.state_mut().db().contains(b"y"));
    assert_eq!(s.remarks(), 0);
    assert!(s.run("XADD x * f v"));
    assert_eq!((s.shown(), s.remarks()), ("5-1 5-2 6-0 6-1".into(), 1));
    assert_eq!(s.stream().entries_added, 4);
}

#[test]
fn trims_are_exact_or_left_out() {
    let mut s = Session::new("redis-7.0");
    s.run_all(&["XADD x 1-1 f v", "XADD x 2-1 f v", "XADD x 3-1 f v", "XADD x MAXLEN = 2 LIMIT 9 4-1 f v"]);
    assert_eq!(s.shown(), "3-1 4-1");
    s.run_all(&["XADD x MINID 4 5-1 f v"]);
    assert_eq!(s.shown(), "4-1 5-1");
    assert_eq!(s.stream().max_deleted_id, StreamId::MIN);
    s.run_all(&["XTRIM x MAXLEN ~ 0"]);
    assert_eq!((s.shown(), s.remarks()), ("4-1 5-1".into(), 1));
    s.run_all(&["XTRIM x MAXLEN 0", "XTRIM none MAXLEN 0", "XTRIM x MINID 0"]);
    assert_eq!((s.shown(), s.stream().last_id), (String::new(), StreamId { ms: 5, seq: 1 }));
    for wrong in
        ["XTRIM x LIMIT 1", "XTRIM x MAXLEN -1", "XTRIM x MAXLEN 1 MINID 1", "XTRIM x MAXLEN", "XADD x LIMIT 1 9-1 f v"]
    {
        assert!(!s.run(wrong), "{wrong}");
    }
}

#[test]
fn an_empty_stream_is_made_as_rewritten_logs_make_it() {
    let mut s = Session::new("redis-7.0");
    s.run_all(&["XADD x MAXLEN 0 0-1 x y", "XSETID x 0-0 ENTRIESADDED 0 MAXDELETEDID 0-0"]);
    assert_eq!((s.stream().last_id, s.stream().entries_added, s.stream().len()), (StreamId::MIN, 0, 0));
}

/// Each as Redis 8.0.2 answers, and 7.0.15 at the end.
#[test]
fn last_ids_are_set_only_above_what_the_stream_had() {
    let mut s = Session::new("redis-8.0");
    s.run_all(&["XADD x 5-1 f v", "XSETID x 9-1 ENTRIESADDED 7 MAXDELETEDID 3-1"]);
    assert_eq!((s.stream().last_id.ms, s.stream().entries_added, s.stream().max_deleted_id.ms), (9, 7, 3));
    for wrong in ["XSETID x 4-1", "XSETID x 9-1 ENTRIESADDED 0", "XSETID x 9-1 MAXDELETEDID 10-1", "XSETID none 1-1"] {
        assert!(!s.run(wrong), "{wrong}");
    }
    s.run_all(&["XDEL x 5-1"]);
    assert!(!s.run("XSETID x 4-1"));
    let mut old = Session::new("redis-7.0");
    old.run_all(&["XADD x 5-1 f v", "XDEL x 5-1", "XSETID x 4-1"]);
}

/// Each as Redis 8.6.3 answers.
#[test]
fn removal_heeds_references_of_groups() {
    let cases = [
        ("XTRIM x MAXLEN 0 ACKED", "2-1 3-1 4-1 | g 2-1:c:1 3-1:c:1 | h 2-1:d:1"),
        ("XTRIM x MAXLEN = 1 DELREF", "4-1 | g | h"),
        ("XTRIM x MAXLEN = 1", "4-1 | g 2-1:c:1 3-1:c:1 | h 2-1:d:1"),
        ("XADD x ACKED MAXLEN = 1 5-1 f v", "2-1 3-1 4-1 5-1 | g 2-1:c:1 3-1:c:1 | h 2-1:d:1"),
        ("XDELEX x ACKED IDS 3 1-1 2-1 4-1", "2-1 3-1 4-1 | g 2-1:c:1 3-1:c:1 | h 2-1:d:1"),
        ("XDELEX x DELREF IDS 3 2-1 3-1 9-1", "1-1 4-1 | g | h"),
        ("XDELEX x IDS 1 2-1", "1-1 3-1 4-1 | g 2-1:c:1 3-1:c:1 | h 2-1:d:1"),
        ("XACKDEL x g IDS 2 2-1 4-1", "1-1 3-1 4-1 | g 3-1:c:1 | h 2-1:d:1"),
        ("XACKDEL x g DELREF IDS 1 2-1", "1-1 3-1 4-1 | g 3-1:c:1 | h"),
        ("XACKDEL x g ACKED IDS 2 2-1 3-1", "1-1 2-1 3-1 4-1 | g | h 2-1:d:1"),
        ("XACKDEL x none IDS 1 2-1", "1-1 2-1 3-1 4-1 | g 2-1:c:1 3-1:c:1 | h 2-1:d:1"),
    ];
    for (command, expected) in cases {
        let mut s = Session::new("redis-8.6");
        s.run_all(SETUP);
        s.run_all(&[command]);
        assert_eq!(s.shown(), expected, "{command}");
    }
    let mut s = Session::new("redis-8.6");
    s.run_all(SETUP);
    s.run_all(&["XDEL x 2-1", "XDELEX x DELREF IDS 1 2-1"]);
    assert_eq!(s.shown(), "1-1 3-1 4-1 | g 3-1:c:1 | h");
    assert!(!s.run("XDELEX x IDS 2 1-1") && !s.run("XDELEX x IDS 1 1-1 2-1") && !s.run("XDELEX x SOMEREF IDS 1 1-1"));
}

#[test]
fn groups_are_made_moved_and_removed() {
    let mut s = Session::new("redis-8.6");
    s.run_all(&["XGROUP CREATE x g $ MKSTREAM", "XADD x 1-1 f v", "XGROUP CREATE x h $ ENTRIESREAD 100"]);
    let of = |s: &mut Session, name: &[u8]| s.stream().groups.get(name).unwrap().clone();
    assert_eq!((of(&mut s, b"g").last_delivered, of(&mut s, b"g").entries_read), (StreamId::MIN, None));
    assert_eq!((of(&mut s, b"h").last_delivered.ms, of(&mut s, b"h").entries_read), (1, Some(1)));
    s.run_all(&["XGROUP SETID x h 0 ENTRIESREAD -1", "XGROUP CREATECONSUMER x h c", "XGROUP CREATECONSUMER x h c"]);
    assert_eq!((of(&mut s, b"h").last_delivered, of(&mut s, b"h").consumers.len()), (StreamId::MIN, 1));
    s.run_all(&["XCLAIM x h c 0 1-1 FORCE JUSTID", "XGROUP DELCONSUMER x h c", "XGROUP DELCONSUMER x h nobody"]);
    assert!(of(&mut s, b"h").pending.is_empty());
    s.run_all(&["XGROUP DESTROY x h", "XGROUP DESTROY x h"]);
    assert_eq!(s.stream().groups.len(), 1);
    for wrong in [
        "XGROUP CREATE x g 0",
        "XGROUP CREATE none g 0",
        "XGROUP SETID x none 0",
        "XGROUP CREATE x k y",
        "XGROUP CREATECONSUMER x none c",
        "XGROUP DESTROY none g",
        "XGROUP CREATE x k 0 ENTRIESREAD -2",
    ] {
        assert!(!s.run(wrong), "{wrong}");
    }
}

#[test]
fn claims_replay_deliveries() {
    let mut s = Session::new("redis-7.2");
    s.run_all(&["XADD x 1-1 f v", "XADD x 2-1 f v", "XGROUP CREATE x g 0"]);
    s.run_all(&["XCLAIM x g c 0 1-1 TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1", "XCLAIM x g d 0 2-1"]);
    assert_eq!(s.shown(), "1-1 2-1 | g 1-1:c:1");
    let group = s.stream().groups.get(b"g").unwrap();
    assert_eq!(group.last_delivered, StreamId { ms: 1, seq: 1 });
    assert_eq!(group.pending.values().next().unwrap().delivered_at.0, 1_700_000_000_000);
    assert_eq!(group.consumers.get(b"c").unwrap().active_at.unwrap().0, 1_700_000_000_000);
    assert_eq!(group.consumers.get(b"d").unwrap().active_at, None);
    s.run_all(&["XCLAIM x g d 0 1-1 TIME 1700000000001", "XCLAIM x g e 99 1-1 IDLE 5"]);
    assert_eq!(s.shown(), "1-1 2-1 | g 1-1:d:2");
    s.run_all(&["XDEL x 1-1", "XCLAIM x g c 0 1-1 FORCE"]);
    assert_eq!(s.shown(), "2-1 | g");
    for wrong in ["XCLAIM x none c 0 1-1", "XCLAIM none g c 0 1-1", "XCLAIM x g c x 1-1", "XCLAIM x g c 0 1-1 WHAT"] {
        assert!(!s.run(wrong), "{wrong}");
    }
}

#[test]
fn an_automatic_claim_takes_what_has_waited() {
    let mut s = Session::new("redis-7.2");
    s.run_all(SETUP);
    s.0.annotate(1000);
    assert!(s.run("XDEL x 2-1") && s.run("XAUTOCLAIM x g e 0 0 COUNT 2"));
    // What was deleted counts, too.
    assert_eq!(s.shown(), "1-1 3-1 4-1 | g 3-1:e:2 | h 2-1:d:1");
    let remarks = s.remarks();
    s.run_all(&["XADD x 5-1 f v", "XREADGROUP GROUP h d STREAMS x >", "XAUTOCLAIM x h f 0 (3-1 COUNT 1 JUSTID"]);
    assert_eq!(s.shown(), "1-1 3-1 4-1 5-1 | g 3-1:e:2 | h 2-1:d:1 3-1:d:1 4-1:f:1 5-1:d:1");
    assert_eq!(s.remarks(), remarks + 2);
    // What has not waited for long stays with whom it is.
    assert!(s.run("XAUTOCLAIM x h g 1 - COUNT 9"));
    assert_eq!(s.shown(), "1-1 3-1 4-1 5-1 | g 3-1:e:2 | h 3-1:d:1 4-1:f:1 5-1:d:1");
    for wrong in
        ["XAUTOCLAIM x g c 0 y", "XAUTOCLAIM x g c 0 0 COUNT 0", "XAUTOCLAIM x g c 0 0 IDLE 1", "XAUTOCLAIM x no c 0 0"]
    {
        assert!(!s.run(wrong), "{wrong}");
    }
}

#[test]
fn up_to_6_2_a_pending_entry_outlives_its_stream_entry() {
    let mut s = Session::new("redis-6.2");
    s.run_all(&["XADD x 1-1 f v", "XGROUP CREATE x g 0", "XCLAIM x g c 0 1-1 RETRYCOUNT 1 FORCE", "XDEL x 1-1"]);
    s.run_all(&["XCLAIM x g d 0 1-1 9-9 FORCE JUSTID"]);
    assert_eq!(s.shown(), "| g 1-1:d:1");
}

#[test]
fn repeated_messages_are_remembered_by_their_producers() {
    let mut s = Session::new("redis-8.6");
    s.run_all(&["XADD x IDMP p i 1-1 f v", "XADD x IDMP p i * f v", "XADD x IDMPAUTO p 2-1 f v"]);
    assert_eq!((s.shown(), s.remarks()), ("1-1 2-1".into(), 0));
    let ids = |s: &mut Session| s.stream().idempotency.as_ref().unwrap().producers.get(b"p").map_or(0, |ids| ids.len());
    assert_eq!(ids(&mut s), 2);
    s.run_all(&["XCFGSET x IDMP-MAXSIZE 100", "XIDMPRECORD x p z 1-1", "XIDMPRECORD x p z 1-1"]);
    assert_eq!(ids(&mut s), 3);
    s.run_all(&["XCFGSET x IDMP-MAXSIZE 2"]);
    assert_eq!(ids(&mut s), 0);
    s.run_all(&["XADD x IDMP p a 3-1 f v", "XADD x IDMP p b 4-1 f v", "XADD x IDMP p c 5-1 f v"]);
    assert_eq!(ids(&mut s), 2);
    for wrong in [
        "XCFGSET x",
        "XCFGSET x IDMP-DURATION 0",
        "XCFGSET none IDMP-MAXSIZE 1",
        "XIDMPRECORD x p q 9-9",
        "XIDMPRECORD x p c 1-1",
    ] {
        assert!(!s.run(wrong), "{wrong}");
    }
}

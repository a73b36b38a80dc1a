use super::compact::settle;
use crate::keyspace::{Like, Zset};
use crate::replay::{Engine, Place};
use crate::value::Blob;

/// Runs commands, words parted by blanks, and tells how many were refused.
struct Session(Engine<'static>);

impl Session {
    fn new(like: &str) -> Self {
        Self(Engine::new(like.parse::<Like>().unwrap()))
    }

    fn run(&mut self, command: &'static str) -> bool {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let before = self.0.report().skipped.total;
        self.0.feed(Place::default(), &words);
        self.0.report().skipped.total == before
    }

    /// Members and scores, in order.
    fn shown(&mut self, key: &str) -> String {
        let shown = self.0.state_mut().db().edit(key.as_bytes(), |zset: &mut Zset<'_>| {
            let len = zset.len();
            let pairs = zset.by_rank(0..len);
            pairs.map(|(member, score)| format!("{}={score} ", member.escape_ascii())).collect::<String>()
        });
        shown.unwrap().unwrap_or_default().trim_end().to_owned()
    }
}

#[test]
fn zadd_heeds_its_options() {
    let mut s = Session::new("redis-7.0");
    assert!(s.run("ZADD z 1 a 2 b 3 c"));
    assert!(s.run("zadd z nx ch 9 a 4 d"));
    assert!(s.run("ZADD z XX 5 a 9 e"));
    assert_eq!(s.shown("z"), "b=2 c=3 d=4 a=5");
    assert!(s.run("ZADD z GT 1 a 7 b 0 f") && s.run("ZADD z LT 1 c 9 d"));
    assert_eq!(s.shown("z"), "f=0 c=1 d=4 a=5 b=7");
    assert!(s.run("ZADD z INCR 2.5 a") && s.run("ZINCRBY z -1 f") && s.run("ZADD z GT INCR -1 b"));
    assert_eq!(s.shown("z"), "f=-1 c=1 d=4 b=7 a=7.5");
    assert!(s.run("ZADD none XX 1 a") && s.run("ZADD z -inf i") && !s.run("ZINCRBY z inf i"));
    assert_eq!(s.shown("none"), "");
    for wrong in [
        "ZADD z NX XX 1 a",
        "ZADD z GT LT 1 a",
        "ZADD z INCR 1 a 2 b",
        "ZADD z 1 a 2",
        "ZADD z nan a",
        "ZADD n 1 a x b",
    ] {
        assert!(!s.run(wrong), "{wrong}");
    }
    assert!(!s.run("ZADD n 1 a x b"));
    assert_eq!(s.shown("n"), "");
}

#[test]
fn ranges_are_removed_by_rank_score_and_member() {
    let mut s = Session::new("redis-7.0");
    s.run("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f");
    assert!(
        s.run("ZREMRANGEBYRANK z -1 -1") && s.run("ZREMRANGEBYSCORE z (1 2") && s.run("ZREMRANGEBYSCORE z -inf (1")
    );
    assert_eq!(s.shown("z"), "a=1 c=3 d=4 e=5");
    s.run("ZADD l 0 a 0 b 0 c 0 d");
    assert!(s.run("ZREMRANGEBYLEX l (a [c") && s.run("ZREMRANGEBYLEX l + -") && s.run("ZREMRANGEBYLEX l (d (d"));
    assert_eq!(s.shown("l"), "a=0 d=0");
    assert!(!s.run("ZREMRANGEBYLEX l a b") && !s.run("ZREMRANGEBYSCORE z x 1"));
    assert!(s.run("ZREMRANGEBYRANK z 0 -1"));
    assert!(!s.0.state_mut().db().contains(b"z"));
}

/// Redis 7.0.15 gives the same.
#[test]
fn a_range_of_members_in_a_set_of_several_scores_is_sought_from_below() {
    let mut s = Session::new("redis-7.0");
    s.run("ZADD z 1 b 2 d 3 a 4 c 5 e");
    s.run("ZRANGESTORE up z [b [d BYLEX");
    s.run("ZRANGESTORE down z [d [b BYLEX REV");
    assert_eq!((s.shown("up"), s.shown("down")), ("b=1 d=2 a=3 c=4".into(), "c=4".into()));
}

#[test]
fn pops_take_from_the_first_set_that_is_there() {
    let mut s = Session::new("redis-7.0");
    s.run("ZADD z 1 a 2 b 2 c 4 d 5 e 6 f");
    s.run("ZPOPMIN z");
    s.run("ZPOPMAX z 2");
    s.run("BZPOPMAX none z 0");
    s.run("ZMPOP 2 none z MIN COUNT 1");
    assert_eq!(s.shown("z"), "c=2");
    assert!(!s.run("ZPOPMIN z -1") && !s.run("ZMPOP 1 z UP") && !s.run("ZMPOP 1 z MIN COUNT 0"));
    assert!(s.run("BZMPOP 0 1 z MAX"));
    assert!(!s.0.state_mut().db().contains(b"z"));
}

#[test]
fn sets_are_joined_by_weight_and_aggregate() {
    let mut s = Session::new("redis-8.6");
    s.run("ZADD x 1 a 2 b inf i");
    s.run("ZADD y 10 b 20 c -inf i");
    s.run("SADD s b c");
    assert!(s.run("ZUNIONSTORE u 3 x y s WEIGHTS 2 1 -1"));
    assert_eq!(s.shown("u"), "i=0 a=2 b=13 c=19");
    assert!(s.run("ZINTERSTORE n 2 x y AGGREGATE MAX") && s.run("ZDIFFSTORE d 2 x s"));
    assert_eq!((s.shown("n"), s.shown("d")), ("b=10 i=inf".into(), "a=1 i=inf".into()));
    assert!(s.run("ZUNIONSTORE x 2 x x AGGREGATE SUM"));
    assert_eq!(s.shown("x"), "a=2 b=4 i=inf");
    assert!(s.run("ZINTERSTORE x 2 x none"));
    assert_eq!(s.shown("x"), "");
    s.run("SET str 1");
    for wrong in [
        "ZUNIONSTORE u 0 y",
        "ZUNIONSTORE u 3 y y",
        "ZUNIONSTORE u 1 y WEIGHTS",
        "ZUNIONSTORE u 1 y AGGREGATE AVG",
        "ZDIFFSTORE u 1 y WEIGHTS 1",
        "ZUNIONSTORE u 1 str",
        "ZUNIONSTORE u 1 y WEIGHTS nan",
    ] {
        assert!(!s.run(wrong), "{wrong}");
    }
}

#[test]
fn zrangestore_copies_ranks_scores_and_members() {
    let mut s = Session::new("redis-7.0");
    s.run("ZADD z 1 a 2 b 3 c 4 d 5 e");
    let cases = [
        ("ZRANGESTORE r z 1 -2", "b=2 c=3 d=4"),
        ("ZRANGESTORE r z 0 1 REV", "d=4 e=5"),
        ("ZRANGESTORE r z (1 +inf BYSCORE LIMIT 1 2", "c=3 d=4"),
        ("ZRANGESTORE r z +inf (1 BYSCORE REV LIMIT 1 2", "c=3 d=4"),
        ("ZRANGESTORE r z -inf +inf BYSCORE LIMIT 3 -1", "d=4 e=5"),
        ("ZRANGESTORE r z -inf +inf BYSCORE LIMIT -1 9", ""),
        ("ZRANGESTORE r z - (c BYLEX", "a=1 b=2"),
        ("ZRANGESTORE r none 0 -1", ""),
    ];
    for (command, expected) in cases {
        assert!(s.run(command), "{command}");
        assert_eq!(s.shown("r"), expected, "{command}");
    }
    assert!(!s.run("ZRANGESTORE r z 0 1 LIMIT 0 1") && !s.run("ZRANGESTORE r z 0 1 BYSCORE BYLEX"));
}

#[test]
fn minus_zero_shows_only_outside_the_compact_encoding() {
    for (like, expected) in [("redis-7.0", "a=0 b=0"), ("redis-6.2", "a=-0 b=-0")] {
        let mut s = Session::new(like);
        s.run("ZADD z -0 a -0 b");
        assert_eq!(s.shown("z"), expected);
    }
    let mut s = Session::new("redis-7.0");
    s.run("ZADD z -0 a");
    s.run("ZADD z -0 this-member-is-longer-than-the-sixty-four-bytes-of-the-compact-encoding-allow");
    s.run("ZADD z -0 b");
    s.run("ZADD z 0 b");
    assert!(s.shown("z").starts_with("a=0 b=-0 this"));
    let mut s = Session::new("valkey-8.1");
    s.run("ZADD z 1 b");
    s.run("ZADD z -0 a 1 this-member-is-longer-than-the-sixty-four-bytes-of-the-compact-encoding-allow");
    assert!(s.shown("z").starts_with("a=-0 b=1 this"));
    let mut zset: Zset<'_> = Zset::default();
    zset.set(Blob::borrowed(b"m"), -0.0);
    settle(&mut zset, Like::redis(7, 0));
    assert!(zset.score(b"m").unwrap().is_sign_positive());
}

#[test]
fn places_are_added_and_searched() {
    let mut s = Session::new("redis-7.0");
    assert!(s.run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"));
    assert_eq!(s.shown("g"), "Palermo=3479099956230698 Catania=3479447370796909");
    assert!(s.run("GEORADIUS g 15 37 100 km STORE d"));
    assert_eq!(s.shown("d"), "Catania=3479447370796909");
    assert!(s.run("GEORADIUSBYMEMBER g Palermo 200 km STOREDIST d"));
    assert_eq!(s.shown("d"), "Palermo=0 Catania=166.27415156960032");
    assert!(s.run("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 400 400 km DESC COUNT 1"));
    assert_eq!(s.shown("d"), "Palermo=3479099956230698");
    assert!(s.run("GEOSEARCHSTORE d none FROMMEMBER x BYRADIUS 1 m"));
    assert_eq!(s.shown("d"), "");
    for wrong in [
        "GEOADD g 181 0 x",
        "GEOADD g 1 1",
        "GEORADIUS g 1 1 -1 m",
        "GEORADIUS g 1 1 1 cm",
        "GEORADIUS g 1 1 1 m STORE d WITHDIST",
        "GEOSEARCHSTORE d g FROMMEMBER nobody BYRADIUS 1 m",
        "GEOSEARCHSTORE d g BYRADIUS 1 m STOREDIST ASC ASC",
        "GEOSEARCHSTORE d g FROMLONLAT 1 1 BYRADIUS 1 m ANY",
    ] {
        assert!(!s.run(wrong), "{wrong}");
    }
}

/// From Redis 7.0.15 to 8.6.3 and Valkey 8.1.1 to 9.1.2.
#[test]
fn zrangestore_loses_minus_zeros_as_long_as_its_result_is_compact() {
    let mut s = Session::new("redis-8.6");
    for n in 0..300 {
        s.run(Box::leak(format!("ZADD z 1 a{n:03}").into_boxed_str()));
    }
    for n in 0..300 {
        s.run(Box::leak(format!("ZADD z -0 b{n:03}").into_boxed_str()));
    }
    for (command, kept) in [
        ("ZRANGESTORE r z 0 -1", 300),
        ("ZRANGESTORE r z 0 199", 200),
        ("ZRANGESTORE r z 0 127", 0),
        ("ZRANGESTORE r z 0 -1 REV", 300),
        ("ZRANGESTORE r z -inf +inf BYSCORE", 172),
        ("ZRANGESTORE r z -inf +inf BYSCORE LIMIT 0 200", 72),
        ("ZRANGESTORE r z +inf -inf BYSCORE REV", 300),
        ("ZRANGESTORE r z - + BYLEX", 172),
    ] {
        assert!(s.run(command));
        assert_eq!(s.shown("r").matches("=-0").count(), kept, "{command}");
    }
}

/// From Redis 6.0.16 to 8.6.3 and Valkey 8.1.1 to 9.1.2.
#[test]
fn sorting_a_set_makes_it_a_skiplist() {
    let mut s = Session::new("redis-7.0");
    assert!(s.run("ZADD z 1 a") && s.run("ZADD fails 1 a") && s.run("SORT z ALPHA STORE l"));
    assert!(!s.run("SORT fails STORE l"), "it has no numbers");
    assert!(s.run("ZADD z -0 b") && s.run("ZADD fails -0 b") && s.run("ZADD other -0 b"));
    assert_eq!(s.shown("z"), "b=-0 a=1");
    assert_eq!(s.shown("fails"), "b=-0 a=1");
    assert_eq!(s.shown("other"), "b=0");
}

#[test]
fn a_range_of_members_that_is_left_to_chance_is_remarked() {
    let mut s = Session::new("redis-7.0");
    s.run("ZADD one 0 a 0 b");
    s.run("ZADD several 0 a 1 b");
    for command in ["SORT one ALPHA STORE l", "ZREMRANGEBYLEX one [a [a", "ZRANGESTORE r several [a [a BYLEX"] {
        assert!(s.run(command));
        assert_eq!(s.0.report().remarks.total, 0, "{command}");
    }
    s.run("SORT several ALPHA STORE l");
    s.run("ZRANGESTORE r several [a [a BYLEX");
    s.run("ZREMRANGEBYLEX several [a [a");
    assert_eq!(s.0.report().remarks.total, 2);
}

#[test]
fn a_negative_offset_counts_from_the_end_on_some_servers() {
    for (like, expected) in [("redis-7.0", ""), ("redis-8.0", "b=2"), ("redict-7.3", "b=2"), ("redis-8.6", "")] {
        let mut s = Session::new(like);
        s.run("ZADD z 1 a 2 b 3 c");
        s.run("SORT z ALPHA STORE l");
        s.run("ZRANGESTORE r z -inf +inf BYSCORE LIMIT -2 1");
        assert_eq!(s.shown("r"), expected, "{like}");
    }
}

//! Random commands from templates.
//!
//! A template is words; `(a b|c d)` chooses, `(…)?` may be left out, `(…)+` comes one to four times, and a word
//! such as `{key}` is filled in. Every write command of every version is there: a server answers those it does not
//! know with an error and logs nothing.

/// Small, seeded, good enough.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

const TEMPLATES: &[&str] = &[
    // strings
    "SET {s} {v}",
    "SET {s} {v} (NX|XX|GET|KEEPTTL|EX {n}00000|PX {n}000000000|PXAT {future}|EXAT {futures})?",
    "SET {any} {v}",
    "SET {s} {v} (IFEQ {v}|IFNE {v}|IFDEQ {hex}|IFDNE {hex}|NX GET|XX KEEPTTL)",
    "SETNX {s} {v}",
    "SETEX {s} {n}00000 {v}",
    "PSETEX {s} {n}00000000 {v}",
    "GETSET {s} {v}",
    "GETDEL {s}",
    "GETEX {s} (EX {n}00000|PXAT {future}|PERSIST)?",
    "MSET ({s} {v})+",
    "MSETNX ({s} {v})+",
    "MSETEX 2 {s} {v} {s} {v} (NX|XX)? (EX {n}00000|PXAT {future}|KEEPTTL)?",
    "APPEND {s} {v}",
    "SETRANGE {s} {n} {v}",
    "INCR {c}",
    "DECR {c}",
    "INCRBY {c} {int}",
    "DECRBY {c} {int}",
    "INCRBYFLOAT {c} {f}",
    "DELEX {s} (IFEQ {v}|IFNE {v})?",
    "DELIFEQ {s} {v}",
    "SET {c} {int}",
    // bitmaps
    "SETBIT {b} {off} (0|1)",
    "BITFIELD {b} (OVERFLOW (WRAP|SAT|FAIL))? (SET {bt} {off} {int}|INCRBY {bt} {off} {int}|GET u8 0)+",
    "BITFIELD {b} SET {bt} #{n} {int}",
    "BITOP (AND|OR|XOR) {b} ({b})+",
    "BITOP NOT {b} {b}",
    "BITOP (DIFF|DIFF1|ANDOR|ONE) {b} {b} ({b})+",
    // HyperLogLogs
    "PFADD {p} ({m})+",
    "PFADD {p}",
    "PFADD {p} {wide} {wide} {wide} {wide} {wide} {wide} {wide} {wide}",
    "PFMERGE {p} ({p})+",
    "PFCOUNT {p}",
    // lists
    "LPUSH {l} ({v})+",
    "RPUSH {l} ({v})+",
    "LPUSHX {l} ({v})+",
    "RPUSHX {l} ({v})+",
    "LPOP {l} ({n})?",
    "RPOP {l} ({n})?",
    "LSET {l} {i} {v}",
    "LINSERT {l} (BEFORE|AFTER) {v} {v}",
    "LREM {l} {i} {v}",
    "LTRIM {l} {i} {i}",
    "RPOPLPUSH {l} {l}",
    "LMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT)",
    "LMPOP 2 {l} {l} (LEFT|RIGHT) (COUNT {n})?",
    "BLPOP {l} {l} 0.01",
    "BRPOP {l} 0.01",
    "BLMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT) 0.01",
    "BRPOPLPUSH {l} {l} 0.01",
    "BLMPOP 0.01 2 {l} {l} (LEFT|RIGHT) (COUNT {n})?",
    // sets
    "SADD {t} ({m})+",
    "SADD {t} ({int})+",
    "SREM {t} ({m})+",
    "SMOVE {t} {t} {m}",
    "SPOP {t} ({n})?",
    "SINTERSTORE {t} {t} {t}",
    "SUNIONSTORE {t} ({t})+",
    "SDIFFSTORE {t} {t} {t}",
    // hashes
    "HSET {h} ({m} {v})+",
    "HMSET {h} ({m} {v})+",
    "HSETNX {h} {m} {v}",
    "HDEL {h} ({m})+",
    "HINCRBY {h} {hc} {int}",
    "HINCRBYFLOAT {h} {hc} {f}",
    "HEXPIRE {h} {n}00000 (NX|XX|GT|LT)? FIELDS 2 {m} {m}",
    "HPEXPIRE {h} {n}000000000 FIELDS 1 {m}",
    "HPEXPIREAT {h} {future} (NX|XX|GT|LT)? FIELDS 2 {m} {m}",
    "HEXPIREAT {h} {futures} FIELDS 1 {m}",
    "HPERSIST {h} FIELDS 2 {m} {m}",
    "HSETEX {h} (FNX|FXX)? (EX {n}00000|PXAT {future}|KEEPTTL)? FIELDS 2 {m} {v} {m} {v}",
    "HGETEX {h} (EX {n}00000|PXAT {future}|PERSIST)? FIELDS 2 {m} {m}",
    "HGETDEL {h} FIELDS 2 {m} {m}",
    // sorted sets
    "ZADD {z} ({score} {m})+",
    "ZADD {z} (NX|XX|GT|LT|XX GT|XX LT|CH)? ({score} {m})+",
    "ZADD {z} (NX|XX|GT|LT)? INCR {score} {m}",
    "ZINCRBY {z} {score} {m}",
    "ZREM {z} ({m})+",
    "ZREMRANGEBYRANK {z} {i} {i}",
    "ZREMRANGEBYSCORE {z} {bound} {bound}",
    "ZREMRANGEBYLEX {z} {lex} {lex}",
    "ZPOPMIN {z} ({n})?",
    "ZPOPMAX {z} ({n})?",
    "BZPOPMIN {z} {z} 0.01",
    "BZPOPMAX {z} 0.01",
    "ZMPOP 2 {z} {z} (MIN|MAX) (COUNT {n})?",
    "BZMPOP 0.01 2 {z} {z} (MIN|MAX) (COUNT {n})?",
    "ZUNIONSTORE {z} 2 {z} {zt} (WEIGHTS {n} {i})? (AGGREGATE (SUM|MIN|MAX))?",
    "ZINTERSTORE {z} 2 {z} {zt} (WEIGHTS {n} {i})? (AGGREGATE (SUM|MIN|MAX))?",
    "ZDIFFSTORE {z} 2 {z} {zt}",
    "ZRANGESTORE {z} {z} {i} {i} (REV)?",
    "ZRANGESTORE {z} {z} {bound} {bound} BYSCORE (REV)? (LIMIT {i} {i})?",
    "ZRANGESTORE {z} {z} {lex} {lex} BYLEX (REV)? (LIMIT {i} {i})?",
    // geo
    "GEOADD {g} (NX|XX|CH)? ({lon} {lat} {m})+",
    "GEOSEARCHSTORE {z} {g} FROMLONLAT {lon} {lat} BYRADIUS {n}00 (km|m|mi|ft) (ASC|DESC)? (COUNT {n})? (STOREDIST)?",
    "GEOSEARCHSTORE {z} {g} FROMMEMBER {m} BYBOX {n}000 {n}00 km (STOREDIST)?",
    "GEORADIUS {g} {lon} {lat} {n}00 km (STORE {z}|STOREDIST {z})",
    "GEORADIUSBYMEMBER {g} {m} {n}00 km (STORE {z}|STOREDIST {z})",
    // streams
    "XADD {x} * ({m} {v})+",
    "XADD {x} (NOMKSTREAM)? (MAXLEN (=|~)? {n}|MINID {n})? * ({m} {v})+",
    "XADD {x} {id} {m} {v}",
    "XTRIM {x} (MAXLEN|MINID) (~)? {n}",
    "XDEL {x} ({id})+",
    "XSETID {x} {id}",
    "XGROUP CREATE {x} {grp} (0|$|{id}) (MKSTREAM)?",
    "XGROUP SETID {x} {grp} (0|$|{id})",
    "XGROUP DESTROY {x} {grp}",
    "XGROUP CREATECONSUMER {x} {grp} {m}",
    "XGROUP DELCONSUMER {x} {grp} {m}",
    "XREADGROUP GROUP {grp} {m} COUNT {n} (NOACK)? STREAMS {x} >",
    "XACK {x} {grp} ({id})+",
    "XCLAIM {x} {grp} {m} 0 ({id})+ (FORCE)? (JUSTID)?",
    "XAUTOCLAIM {x} {grp} {m} 0 0",
    "XDELEX {x} (KEEPREF|DELREF|ACKED)? IDS 1 {id}",
    "XACKDEL {x} {grp} (KEEPREF|DELREF|ACKED)? IDS 1 {id}",
    // vector sets
    "VADD {vs} VALUES 3 {lat} {i} {lon} {m} (NOQUANT|Q8|BIN)? (SETATTR {json})?",
    "VADD {vs} VALUES 3 {i} {i} {i} {m} CAS",
    "VREM {vs} {m}",
    "VSETATTR {vs} {m} ({json}|{n})",
    // keys
    "DEL ({any})+",
    "UNLINK {any}",
    "EXPIRE {any} {n}00000 (NX|XX|GT|LT)?",
    "PEXPIRE {any} {n}00000000",
    "EXPIREAT {any} {futures}",
    "PEXPIREAT {any} {future} (NX|XX|GT|LT)?",
    "PEXPIREAT {any} 1000",
    "PERSIST {any}",
    "RENAME {any} {any}",
    "RENAMENX {any} {any}",
    "MOVE {any} {db}",
    "COPY {any} {any} (DB {db})? (REPLACE)?",
    "SORT {t} ALPHA (DESC)? (LIMIT {n} {n})? STORE {l}",
    "SORT {l} ALPHA (BY nosort)? (DESC)? STORE {l}",
    "SORT {t} BY nosort (GET #)? STORE {l}",
    "SORT {t} BY c:* (DESC)? GET # GET s:* GET h:*->{m} STORE {l}",
    "SORT {z} (ALPHA|BY nosort) (ASC|DESC)? STORE {l}",
    // server
    "SELECT {db}",
    "SELECT {db}",
    "SWAPDB {db} {db}",
    "(FLUSHDB|FLUSHALL|DEL {any}|DEL {any}|DEL {any}|DEL {any}|DEL {any}|DEL {any})",
    "FUNCTION LOAD REPLACE {lib}",
    "(FUNCTION DELETE lib{n}|FUNCTION FLUSH)",
    "PUBLISH chat {v}",
    "EVAL {lua} 2 {s} {l} {v}",
];

/// A random command.
pub(crate) fn command(dice: &mut Dice) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let template = *dice.pick(TEMPLATES);
    expand(template, dice, &mut words);
    words
}

/// Cut a template into words and groups at depth 0.
fn pieces(template: &str) -> Vec<&str> {
    let (mut depth, mut start, mut pieces) = (0, 0, Vec::new());
    for (at, byte) in template.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b' ' if depth == 0 => {
                pieces.push(&template[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&template[start..]);
    pieces
}

/// Cut a group at the `|` of depth 0.
fn choices(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut choices) = (0, 0, Vec::new());
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'|' if depth == 0 => {
                choices.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    choices.push(&group[start..]);
    choices
}

fn expand(template: &str, dice: &mut Dice, words: &mut Vec<Vec<u8>>) {
    for piece in pieces(template) {
        let Some(group) = piece.strip_prefix('(') else {
            words.push(fill(piece, dice));
            continue;
        };
        let (inner, times) = match group.as_bytes().last() {
            Some(b'?') => (&group[..group.len() - 2], dice.below(2)),
            Some(b'+') => (&group[..group.len() - 2], 1 + dice.below(4)),
            _ => (&group[..group.len() - 1], 1),
        };
        for _ in 0..times {
            let choice = *dice.pick(&choices(inner));
            expand(choice, dice, words);
        }
    }
}

/// Fill in one word.
fn fill(word: &str, dice: &mut Dice) -> Vec<u8> {
    let (Some(open), Some(close)) = (word.find('{'), word.find('}')) else { return word.into() };
    let mut filled = word.as_bytes()[..open].to_vec();
    filled.extend(value(&word[open + 1..close], dice));
    filled.extend(fill(&word[close + 1..], dice));
    filled
}

fn value(name: &str, dice: &mut Dice) -> Vec<u8> {
    let key = |kind: &str, dice: &mut Dice| {
        // Now and then a key of another type.
        let kinds = ["s", "l", "t", "z", "h", "x", "b", "p", "c", "g"];
        let kind = if dice.below(40) == 0 { *dice.pick(&kinds) } else { kind };
        format!("{kind}:{}", dice.below(4)).into_bytes()
    };
    match name {
        "s" | "l" | "t" | "z" | "h" | "x" | "b" | "p" | "c" | "g" => key(name, dice),
        "zt" => {
            let kind = *dice.pick(&["z", "t"]);
            key(kind, dice)
        }
        "any" => {
            let kind = *dice.pick(&["s", "l", "t", "z", "h", "x", "b", "p", "c", "g"]);
            key(kind, dice)
        }
        "vs" => format!("vs:{}", dice.below(3)).into_bytes(),
        "json" => format!("{{\"year\":{}}}", dice.below(100)).into_bytes(),
        "v" => text(dice),
        "m" => match dice.below(12) {
            0 => text(dice),
            1 => format!("{}", dice.below(9)).into_bytes(),
            _ => format!("m{}", dice.below(12)).into_bytes(),
        },
        "wide" => format!("{}", dice.below(1 << 40)).into_bytes(),
        "hc" => format!("c{}", dice.below(3)).into_bytes(),
        "n" => (1 + dice.below(9)).to_string().into_bytes(),
        "i" => (dice.below(13) as i64 - 6).to_string().into_bytes(),
        "int" => integer(dice).to_string().into_bytes(),
        "f" => float(dice).into_bytes(),
        "score" => match dice.below(10) {
            0 => dice.pick(&["inf", "-inf", "-0", "0", "1e300", "0x1p3"]).as_bytes().to_vec(),
            1..=3 => float(dice).into_bytes(),
            _ => (dice.below(20) as i64 - 8).to_string().into_bytes(),
        },
        "bound" => match dice.below(6) {
            0 => b"-inf".to_vec(),
            1 => b"+inf".to_vec(),
            2 => format!("({}", dice.below(10)).into_bytes(),
            _ => (dice.below(20) as i64 - 8).to_string().into_bytes(),
        },
        "lex" => match dice.below(5) {
            0 => b"-".to_vec(),
            1 => b"+".to_vec(),
            _ => format!("{}m{}", dice.pick(&["[", "("]), dice.below(12)).into_bytes(),
        },
        "bt" => format!("{}{}", dice.pick(&["u", "i"]), 1 + dice.below(64)).into_bytes(),
        "off" => dice.below(300).to_string().into_bytes(),
        "lon" => format!("{}.{}", dice.below(20), dice.below(100_000)).into_bytes(),
        "lat" => format!("{}.{}", 30 + dice.below(15), dice.below(100_000)).into_bytes(),
        "id" => format!("{}-{}", dice.below(30), 1 + dice.below(4)).into_bytes(),
        "grp" => format!("g{}", dice.below(3)).into_bytes(),
        "db" => dice.below(4).to_string().into_bytes(),
        "future" => (4_102_444_800_000 + dice.below(1_000_000_000)).to_string().into_bytes(),
        "futures" => (4_102_444_800 + dice.below(1_000_000)).to_string().into_bytes(),
        "hex" => format!("{:016x}", dice.below(1 << 40)).into_bytes(),
        "lib" => {
            let n = 1 + dice.below(9);
            format!("#!lua name=lib{n}\nredis.register_function('f{n}', function() return 1 end)").into_bytes()
        }
        "lua" => b"redis.call('SET',KEYS[1],ARGV[1]); redis.call('LPUSH',KEYS[2],ARGV[1],'x')".to_vec(),
        other => panic!("no such word: {other}"),
    }
}

fn text(dice: &mut Dice) -> Vec<u8> {
    match dice.below(16) {
        0 => Vec::new(),
        1 => integer(dice).to_string().into_bytes(),
        2 => (0..dice.below(40)).map(|_| dice.below(256) as u8).collect(),
        3 => vec![b'a' + dice.below(26) as u8; usize::try_from(dice.below(200)).unwrap()],
        4 => b"compressible ".repeat(usize::try_from(dice.below(30)).unwrap()),
        5 => format!("0{}", dice.below(100)).into_bytes(),
        _ => format!("v{}", dice.below(8)).into_bytes(),
    }
}

fn integer(dice: &mut Dice) -> i64 {
    match dice.below(12) {
        0 => i64::MAX - dice.below(3) as i64,
        1 => i64::MIN + dice.below(3) as i64,
        2 => dice.below(1 << 40) as i64 - (1 << 39),
        3 => dice.below(70_000) as i64 - 35_000,
        _ => dice.below(200) as i64 - 100,
    }
}

fn float(dice: &mut Dice) -> String {
    let digits = dice.below(1 << 40);
    match dice.below(6) {
        0 => format!("{}e{}", digits, dice.below(40) as i64 - 20),
        1 => format!("-{}.{}", dice.below(1000), digits),
        2 => format!("0.{digits}"),
        3 => format!("{}.5", dice.below(100)),
        _ => format!("{}.{}", dice.below(1000), dice.below(1000)),
    }
}

//! Random commands from templates.
//!
//! A template is words; `(a b|c d)` chooses, `(…)?` may be left out, `(…)+` comes one to four times, `(…)#` so often
//! that a collection outgrows its compact form, and a word such as `{key}` is filled in.

use crate::client::Reply;
use crate::templates::{BLOCKING, RARE, TEMPLATES};
use sha1::{Digest as _, Sha1};

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

    pub(crate) fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// What words are filled in with: mostly what a server said before.
#[derive(Debug, Default)]
struct Stock {
    minus_zero: bool,
    dumps: Vec<Vec<u8>>,
    functions: Vec<Vec<u8>>,
    ids: Vec<Vec<u8>>,
    elements: Vec<Vec<u8>>,
}

/// Makes commands that one server has.
#[derive(Debug)]
pub(crate) struct Generator {
    pub(crate) dice: Dice,
    templates: Vec<&'static str>,
    rare: Vec<&'static str>,
    blocking: Vec<&'static str>,
    stock: Stock,
    made: usize,
}

/// What is kept of each kind.
const KEPT: usize = 32;

impl Generator {
    /// `has` tells which commands there are. `minus_zero` allows scores of -0: which of them are kept depends on
    /// the encoding of a sorted set, and what a live server has as a skiplist its snapshot may make compact.
    pub(crate) fn new(seed: u64, minus_zero: bool, has: impl Fn(&str) -> bool) -> Self {
        let known = |all: &'static [&'static str]| {
            let name = |template: &'static str| template.split(' ').next().unwrap();
            all.iter().copied().filter(|template| template.starts_with('(') || has(name(template))).collect()
        };
        Self {
            dice: Dice::new(seed),
            templates: known(TEMPLATES),
            rare: known(RARE),
            blocking: known(BLOCKING),
            stock: Stock { minus_zero, ..Stock::default() },
            made: 0,
        }
    }

    /// A command: each template once, then any of them.
    pub(crate) fn command(&mut self) -> Vec<Vec<u8>> {
        let first = self.templates.iter().chain(&self.rare).nth(self.made);
        let template = match first {
            Some(template) => template,
            None if self.dice.below(200) == 0 => *self.dice.pick(&self.rare),
            None => *self.dice.pick(&self.templates),
        };
        self.made += 1;
        self.expand(template)
    }

    /// A command that may block.
    pub(crate) fn blocking(&mut self) -> Vec<Vec<u8>> {
        let template = *self.dice.pick(&self.blocking);
        self.expand(template)
    }

    /// A script that calls a few commands; what they did is logged.
    pub(crate) fn script(&mut self) -> Vec<Vec<u8>> {
        let mut words = vec![b"EVAL".to_vec(), CALLS.to_vec(), b"0".to_vec()];
        for _ in 0..1 + self.dice.below(3) {
            words.extend(self.command());
            words.push(b"--".to_vec());
        }
        words
    }

    /// A key of any kind.
    pub(crate) fn key(&mut self) -> Vec<u8> {
        fill("{any}", &mut self.dice, &self.stock)
    }

    fn expand(&mut self, template: &str) -> Vec<Vec<u8>> {
        let mut words = Vec::new();
        expand(template, &mut self.dice, &self.stock, &mut words);
        let new = words.iter().find(|word| word.starts_with(b"e:")).filter(|_| words[0] == b"VADD").cloned();
        if let Some(element) = new {
            keep(&mut self.stock.elements, &Reply::Text(element), &mut self.dice);
        }
        words
    }

    /// The value of a key as the server dumps it.
    pub(crate) fn hear_dump(&mut self, reply: &Reply) {
        keep(&mut self.stock.dumps, reply, &mut self.dice);
    }

    /// All functions as the server dumps them.
    pub(crate) fn hear_functions(&mut self, reply: &Reply) {
        keep(&mut self.stock.functions, reply, &mut self.dice);
    }

    /// The id of an entry of a stream.
    pub(crate) fn hear_id(&mut self, reply: &Reply) {
        keep(&mut self.stock.ids, reply, &mut self.dice);
    }
}

fn keep(kept: &mut Vec<Vec<u8>>, reply: &Reply, dice: &mut Dice) {
    let Reply::Text(bytes) = reply else { return };
    if kept.len() >= KEPT {
        kept.swap_remove(usize::try_from(dice.below(KEPT as u64)).unwrap());
    }
    kept.push(bytes.clone());
}

/// Calls the commands among its arguments, each ended by `--`, whatever comes of them.
const CALLS: &[u8] = b"local c = {} for _, a in ipairs(ARGV) do \
if a == '--' then redis.pcall(unpack(c)) c = {} else c[#c + 1] = a end end";

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

fn expand(template: &str, dice: &mut Dice, stock: &Stock, words: &mut Vec<Vec<u8>>) {
    for piece in pieces(template) {
        let Some(group) = piece.strip_prefix('(') else {
            words.push(fill(piece, dice, stock));
            continue;
        };
        let (inner, times) = match group.as_bytes().last() {
            Some(b'?') => (&group[..group.len() - 2], dice.below(2)),
            Some(b'#') => (&group[..group.len() - 2], 100 + dice.below(100)),
            Some(b'+') => (&group[..group.len() - 2], 1 + dice.below(4)),
            _ => (&group[..group.len() - 1], 1),
        };
        for _ in 0..times {
            let choice = *dice.pick(&choices(inner));
            expand(choice, dice, stock, words);
        }
    }
}

/// Fill in one word.
fn fill(word: &str, dice: &mut Dice, stock: &Stock) -> Vec<u8> {
    let (Some(open), Some(close)) = (word.find('{'), word.find('}')) else { return word.into() };
    let mut filled = word.as_bytes()[..open].to_vec();
    filled.extend(value(&word[open + 1..close], dice, stock));
    filled.extend(fill(&word[close + 1..], dice, stock));
    filled
}

fn value(name: &str, dice: &mut Dice, stock: &Stock) -> Vec<u8> {
    let key = |kind: &str, dice: &mut Dice| {
        // Now and then a key of another type.
        let kinds = ["s", "l", "t", "z", "h", "x", "b", "p", "c", "g"];
        let kind = if dice.below(40) == 0 { *dice.pick(&kinds) } else { kind };
        format!("{kind}:{}", dice.below(4)).into_bytes()
    };
    match name {
        "s" | "l" | "t" | "z" | "h" | "x" | "b" | "p" | "c" | "g" | "vs" => key(name, dice),
        "y" => format!("y:{}", dice.below(3)).into_bytes(),
        "zt" => {
            let kind = *dice.pick(&["z", "t"]);
            key(kind, dice)
        }
        "any" => {
            let kind = *dice.pick(&["s", "l", "t", "z", "h", "x", "b", "p", "c", "g", "vs"]);
            key(kind, dice)
        }
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
        "weight" if stock.minus_zero => value("i", dice, stock),
        "weight" => value("n", dice, stock),
        "score" => match dice.below(10) {
            0 if !stock.minus_zero => dice.pick(&["inf", "-inf", "0", "1e300", "0x1p3"]).as_bytes().to_vec(),
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
            2 => format!("{}{}", dice.pick(&["[", "("]), dice.below(1 << 40)).into_bytes(),
            _ => format!("{}m{}", dice.pick(&["[", "("]), dice.below(12)).into_bytes(),
        },
        "bt" => format!("{}{}", dice.pick(&["u", "i"]), 1 + dice.below(64)).into_bytes(),
        "off" => dice.below(300).to_string().into_bytes(),
        "lon" => format!("{}.{}", dice.below(20), dice.below(100_000)).into_bytes(),
        "lat" => format!("{}.{}", 30 + dice.below(15), dice.below(100_000)).into_bytes(),
        "id" if !stock.ids.is_empty() && dice.below(3) > 0 => dice.pick(&stock.ids).clone(),
        "id" => format!("{}-{}", dice.below(30), 1 + dice.below(4)).into_bytes(),
        "late" => format!("{}-{}", 4_102_444_800_000 + dice.below(1000), dice.below(4)).into_bytes(),
        "dump" if !stock.dumps.is_empty() => dice.pick(&stock.dumps).clone(),
        "functions" if !stock.functions.is_empty() => dice.pick(&stock.functions).clone(),
        "new" => format!("e:{}", dice.below(1 << 40)).into_bytes(),
        "old" if !stock.elements.is_empty() => dice.pick(&stock.elements).clone(),
        "dump" | "functions" | "old" => text(dice),
        "fp32" => (0..3).flat_map(|_| (dice.below(2000) as f32 / 100.0 - 10.0).to_le_bytes()).collect(),
        "grp" => format!("g{}", dice.below(3)).into_bytes(),
        "db" => dice.below(4).to_string().into_bytes(),
        "future" => (4_102_444_800_000 + dice.below(1_000_000_000)).to_string().into_bytes(),
        "futures" => (4_102_444_800 + dice.below(1_000_000)).to_string().into_bytes(),
        "hex" => format!("{:016x}", dice.below(1 << 40)).into_bytes(),
        "lib" => {
            let n = 1 + dice.below(9);
            let body = "return redis.call('SET', keys[1], args[1])";
            format!("#!lua name=lib{n}\nredis.register_function('f{n}', function(keys, args) {body} end)").into_bytes()
        }
        "lua" => LUA.to_vec(),
        "sha" => Sha1::digest(LUA).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes(),
        other => panic!("no such word: {other}"),
    }
}

/// A script of two calls.
const LUA: &[u8] = b"redis.call('SET',KEYS[1],ARGV[1]); redis.call('LPUSH',KEYS[2],ARGV[1],'x')";

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

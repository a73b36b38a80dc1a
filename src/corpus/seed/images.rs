//! RDB images and DUMP payloads.

use super::Seed;
use crate::bytes::crc64::jones;
use crate::rdb::object::ModuleId;
use crate::rdb::opcode::{self, Dialect, ValueType};
use crate::rdb::{length, string};

/// A payload of every value type, in hexadecimal: what servers gave and took.
const PAYLOADS: &str = include_str!("../../rdb/encode/payloads.txt");
/// The first of the versions that Valkey counts for itself.
const VALKEY_VERSIONS: u16 = 80;

/// An image of these records.
fn image(header: &[u8; 9], records: &[u8]) -> Vec<u8> {
    let mut bytes = [header.as_slice(), records, &[opcode::EOF]].concat();
    if header >= b"REDIS0005" {
        let sum = jones(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
    }
    bytes
}

fn key(name: &[u8], value_type: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![value_type];
    string::encode_plain(name, &mut record);
    record.extend_from_slice(body);
    record
}

fn text(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    string::encode_plain(bytes, &mut out);
    out
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| pair.iter().fold(0u8, |byte, &half| byte << 4 | digit(half))).collect()
}

/// Every type that servers dump, as a payload and in an image.
pub(super) fn values() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let lines = PAYLOADS.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_hexdigit()));
    for (number, line) in lines.enumerate() {
        let payload = unhex(line.trim());
        let (Some((&first, _)), Some((value, footer))) =
            (payload.split_first(), payload.split_at_checked(payload.len().saturating_sub(10)))
        else {
            continue;
        };
        let version = footer.first_chunk::<2>().map_or(9, |bytes| u16::from_le_bytes(*bytes));
        let dialect = if version >= VALKEY_VERSIONS { Dialect::Valkey } else { Dialect::Redis };
        let Some(value_type) = ValueType::from_byte(first, dialect) else { continue };
        let body = value.get(1..).unwrap_or_default();
        let header = if dialect == Dialect::Valkey { *b"VALKEY080" } else { header_of(version) };
        let encoding = crate::rdb::ValueRef::new(value_type, body, 0).encoding();
        let name = format!("type-{first}-{encoding}-{number}");
        let covers = format!("value type {first}, {} as {encoding}", value_type.kind().name());
        seeds.push(Seed::new("rdb", format!("{name}.rdb"), covers.clone(), image(&header, &key(b"k", first, body))));
        seeds.push(Seed::new("dump", format!("{name}.dump"), covers, payload));
    }
    seeds
}

fn header_of(version: u16) -> [u8; 9] {
    let mut header = *b"REDIS0000";
    let digits = version.to_string();
    header.iter_mut().rev().zip(digits.bytes().rev()).for_each(|(place, digit)| *place = digit);
    header
}

/// Values of modules: opcode streams as the modules write them.
pub(super) fn modules() -> Vec<Seed> {
    const STREAMS: [(&[u8; 9], u16, &str); 8] = [
        (b"ReJSON-RL", 3, "05077b2261223a317d00"),
        (
            b"MBbloom--",
            4,
            "0203020102050202020a0200047b14ae47e17a843f0400000000000020400207028000000040020605080102030405060708020300",
        ),
        (b"CMSk-TYPE", 0, "02020202020505100000000000000000000000000000000000"),
        (
            b"TopK-TYPE",
            0,
            "02010202020204cdccccccccccec3f0520000000000000000000000000000000000000000000000000000000000000000005180000000000000000000000000000000000000000000000000502610000",
        ),
        (b"TSDB-TYPE", 5, "05016b020002800000008002000200020002000200020000"),
        (b"vectorset", 0, "020302010200020000"),
        (b"unknownmd", 0, "00"),
        (b"every-one", 7, "01030204030000803f04000000000000f03f05017800"),
    ];
    let mut seeds = Vec::new();
    for (name, version, stream) in STREAMS {
        let Some(id) = ModuleId::from_name(name, version) else { continue };
        let mut body = Vec::new();
        length::encode(id.0, &mut body);
        body.extend_from_slice(&unhex(stream));
        let shown = String::from_utf8_lossy(name);
        let (file, covers) = (format!("module-{shown}"), format!("value type 7, a value of the module {shown}"));
        seeds.push(Seed::new("rdb", format!("{file}.rdb"), covers.clone(), image(b"REDIS0009", &key(b"k", 7, &body))));
        let mut payload = [&[7], body.as_slice(), &[9, 0]].concat();
        let sum = jones(&payload);
        payload.extend_from_slice(&sum.to_le_bytes());
        seeds.push(Seed::new("dump", format!("{file}.dump"), covers, payload));
    }
    seeds
}

/// Types that only forks write.
pub(super) fn forks() -> Vec<Seed> {
    let dragonfly = [&[opcode::AUX], text(b"df-ver").as_slice(), &text(b"df-v1.20.0")].concat();
    let keydb = [&[opcode::AUX], text(b"mvcc-tstamp").as_slice(), &text(b"1")].concat();
    let values: [(&str, &[u8], u8, Vec<u8>); 4] = [
        ("json-of-df", &dragonfly, 30, text(b"{\"a\":1}")),
        ("fields-of-df", &dragonfly, 31, [&[1], text(b"f").as_slice(), &text(b"v"), &text(b"-1")].concat()),
        ("members-of-df", &dragonfly, 32, [&[1], text(b"m").as_slice(), &text(b"100")].concat()),
        ("keydb-cron", &keydb, 64, [text(b"return 1").as_slice(), &[0; 16], &[0, 0]].concat()),
    ];
    let seeds = values.into_iter().map(|(name, aux, number, body)| {
        let records = [aux, key(b"k", number, &body).as_slice()].concat();
        let covers = format!("value type {number}, {name}");
        Seed::new("rdb", format!("fork-{name}.rdb"), covers, image(b"REDIS0009", &records))
    });
    seeds.collect()
}

/// Every opcode that stands before, between or behind keys.
pub(super) fn opcodes() -> Vec<Seed> {
    let value = key(b"k", 0, b"\x01v");
    let dragonfly = [&[opcode::AUX], text(b"df-ver").as_slice(), &text(b"df-v1.20.0")].concat();
    let with = |bytes: &[u8]| [bytes, value.as_slice()].concat();
    let aux = |name: &[u8], value: &[u8]| [&[opcode::AUX], text(name).as_slice(), &text(value)].concat();
    let library = text(b"#!lua name=lib\nredis.register_function('f', function() return 1 end)");
    let mut module_aux = vec![opcode::MODULE_AUX];
    length::encode(ModuleId::from_name(b"example-m", 1).map_or(0, |id| id.0), &mut module_aux);
    module_aux.extend_from_slice(&[2, 2, 2, 1, 0]);
    let metadata = [&[opcode::KEY_META, 1], b"\0\0\0\0".as_slice(), &[2, 1, 0]].concat();
    let before = |name: &[u8], bytes: &[u8]| with(&[aux(name, b"1").as_slice(), bytes].concat());
    let templates = [&[opcode::HASH_TEMPLATE, 1, 1], text(b"f").as_slice()].concat();
    let records: [(u8, &str, &[u8; 9], Vec<u8>); 20] = [
        (opcode::SELECTDB, "SELECTDB", b"REDIS0009", with(&[opcode::SELECTDB, 1])),
        (opcode::RESIZEDB, "RESIZEDB", b"REDIS0009", with(&[opcode::SELECTDB, 0, opcode::RESIZEDB, 1, 0])),
        (opcode::AUX, "AUX", b"REDIS0009", with(&aux(b"redis-ver", b"7.0.15"))),
        (opcode::EXPIRETIME, "EXPIRETIME", b"REDIS0009", with(&[opcode::EXPIRETIME, 0, 0, 0, 0x7f])),
        (opcode::EXPIRETIME_MS, "EXPIRETIME_MS", b"REDIS0009", with(&[252, 0, 0xd8, 0xc3, 0x2c, 0xbb, 3, 0, 0])),
        (opcode::IDLE, "IDLE", b"REDIS0009", with(&[opcode::IDLE, 7])),
        (opcode::FREQ, "FREQ", b"REDIS0009", with(&[opcode::FREQ, 7])),
        (opcode::FUNCTION2, "FUNCTION2", b"REDIS0010", with(&[&[opcode::FUNCTION2], library.as_slice()].concat())),
        (
            opcode::FUNCTION_PRE_GA,
            "FUNCTION_PRE_GA",
            b"REDIS0010",
            with(
                &[&[opcode::FUNCTION_PRE_GA], text(b"f").as_slice(), &text(b"LUA"), &[0], &text(b"return 1")].concat(),
            ),
        ),
        (opcode::MODULE_AUX, "MODULE_AUX", b"REDIS0009", with(&module_aux)),
        (opcode::SLOT_INFO, "SLOT_INFO", b"REDIS0012", with(&[opcode::SLOT_INFO, 1, 1, 0])),
        (opcode::KEY_META, "KEY_META", b"REDIS0013", with(&metadata)),
        (opcode::HASH_TEMPLATE, "HASH_TEMPLATE", b"REDIS0014", with(&templates)),
        (
            opcode::SLOT_IMPORT,
            "SLOT_IMPORT",
            b"VALKEY080",
            with(&[&[243], text(b"job").as_slice(), &[1, 0, 1]].concat()),
        ),
        (opcode::RAM_LRU, "RAM_LRU", b"REDIS0009", with(&[opcode::RAM_LRU, 1])),
        (opcode::AUX, "AUX-keydb", b"REDIS0009", before(b"mvcc-tstamp", &[])),
        (
            opcode::DF_FULLSYNC_END,
            "FULLSYNC_END",
            b"REDIS0009",
            [&dragonfly, [200, 0, 0, 0, 0, 0, 0, 0, 0].as_slice()].concat(),
        ),
        (
            opcode::DF_JOURNAL_OFFSET,
            "JOURNAL_OFFSET",
            b"REDIS0009",
            [&dragonfly, [211, 0, 0, 0, 0, 0, 0, 0, 0].as_slice()].concat(),
        ),
        (
            opcode::DF_MASK,
            "DF_MASK",
            b"REDIS0009",
            [dragonfly.as_slice(), &[opcode::DF_MASK, 1, 0, 0, 0], &value].concat(),
        ),
        (opcode::EOF, "EOF", b"REDIS0009", Vec::new()),
    ];
    let seeds = records.into_iter().map(|(byte, name, header, records)| {
        Seed::new("rdb", format!("opcode-{byte}-{name}.rdb"), format!("opcode {byte}, {name}"), image(header, &records))
    });
    seeds.collect()
}

/// Every version that a server ever wrote.
pub(super) fn versions() -> Vec<Seed> {
    let redis = (1..=14).map(|version| (header_of(version), format!("version-{version}.rdb")));
    let valkey = [(*b"VALKEY080", "version-80-valkey.rdb".into()), (*b"VALKEY081", "version-81-valkey.rdb".into())];
    let seeds = redis.chain(valkey).map(|(header, name)| {
        let covers = format!("header {}", String::from_utf8_lossy(&header));
        Seed::new("rdb", name, covers, image(&header, &key(b"k", 0, b"\x01v")))
    });
    seeds.collect()
}

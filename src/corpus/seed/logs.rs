//! Logs and manifests.

use super::Seed;
use crate::aof::writer::{encode, encode_timestamp};
use crate::bytes::crc64::jones;
use crate::replay::table::{self, Command, Flags};
use sha1::{Digest as _, Sha1};

/// A command that does something in each line, behind what it needs, which is set apart by `|`.
const COMMANDS: &str = include_str!("commands.txt");
const LIBRARY: &[u8] = b"#!lua name=lib\nredis.register_function('f', function() return 1 end)";
const SCRIPT: &[u8] = b"return redis.call('SET',KEYS[1],ARGV[1])";

/// One log for every command in the catalogue.
pub(super) fn commands() -> Vec<Seed> {
    table::all()
        .flat_map(|command| if command.subcommands.is_empty() { vec![command] } else { subcommands(command) })
        .map(seed)
        .collect()
}

fn subcommands(container: &'static Command) -> Vec<&'static Command> {
    container.subcommands.iter().collect()
}

fn seed(command: &'static Command) -> Seed {
    let name = command.name.to_ascii_lowercase().replace(' ', "-");
    let covers = format!("command {}", command.name);
    Seed::new("aof", format!("command-{name}.aof"), covers, log_of(command))
}

/// From the list, or, for what changes no data, the name and as many words as it takes at least.
fn log_of(command: &Command) -> Vec<u8> {
    let mut log = Vec::new();
    // A transaction is whole or none.
    let whole = |line: &&str| command.flags.has(Flags::TRANSACTION) && line.split('|').any(|call| calls(call, command));
    let listed = COMMANDS
        .lines()
        .find(whole)
        .or_else(|| COMMANDS.lines().find(|line| line.rsplit('|').next().is_some_and(|last| calls(last, command))));
    if let Some(line) = listed {
        line.split('|').for_each(|call| encode(&words(call), &mut log));
        return log;
    }
    let mut call: Vec<Vec<u8>> = command.name.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    let least = usize::from(command.arity.unsigned_abs());
    call.resize(least.max(call.len()), b"1".to_vec());
    encode(&call, &mut log);
    log
}

fn calls(text: &str, command: &Command) -> bool {
    let words = words(text);
    let mut found = command.name.split(' ').zip(words.iter().map(Vec::as_slice));
    found.all(|(name, word)| word.eq_ignore_ascii_case(name.as_bytes()))
}

/// Words between blanks, or between quotation marks; those with a percent sign stand for something longer.
fn words(text: &str) -> Vec<Vec<u8>> {
    let parts = text.split('"').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        0 => part.split_ascii_whitespace().collect::<Vec<_>>(),
        _ => vec![part],
    });
    words.map(expanded).collect()
}

fn expanded(word: &str) -> Vec<u8> {
    let payload = |body: &[u8], version: u8| {
        let summed = [body, &[version, 0]].concat();
        [summed.as_slice(), &jones(&summed).to_le_bytes()].concat()
    };
    match word {
        "%payload" => payload(b"\x00\x0210", 9),
        "%functions" => {
            let mut body = vec![crate::rdb::opcode::FUNCTION2];
            crate::rdb::string::encode_plain(LIBRARY, &mut body);
            payload(&body, 10)
        }
        "%library" => LIBRARY.to_vec(),
        "%sha" => Sha1::digest(SCRIPT).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        _ => word.as_bytes().to_vec(),
    }
}

/// What stands in a log beside commands.
pub(super) fn lines() -> Vec<Seed> {
    let mut set = Vec::new();
    encode(&[b"SET", b"s".as_slice(), b"10"], &mut set);
    let mut time = Vec::new();
    encode_timestamp(1_700_000_000, &mut time);
    let image = [b"REDIS0009\xfa\x0caof-preamble\xc0\x01\x00\x01k\x01v\xff".as_slice(), &[0; 8]].concat();
    let mut transaction = Vec::new();
    for call in ["MULTI", "SET s 10", "EXEC"] {
        encode(&words(call), &mut transaction);
    }
    let rows: [(&str, &str, Vec<u8>); 5] = [
        ("annotation-time.aof", "the annotation #TS:", [time.as_slice(), &set].concat()),
        ("annotation-other.aof", "an annotation", [b"#note\r\n".as_slice(), &set].concat()),
        ("preamble.aof", "a log behind an RDB preamble", [image.as_slice(), &set].concat()),
        ("preamble-alone.aof", "an RDB preamble and no log", image.clone()),
        ("transaction.aof", "a transaction", transaction),
    ];
    rows.into_iter().map(|(name, covers, bytes)| Seed::new("aof", name, covers, bytes)).collect()
}

/// Lines that servers write and read.
pub(super) fn manifests() -> Vec<Seed> {
    const ROWS: [(&str, &str, &str); 4] = [
        ("base-and-incr", "base and incr", "file a.aof.1.base.rdb seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n"),
        (
            "history",
            "a part that is history",
            "file a.aof.1.base.rdb seq 1 type h\nfile a.aof.2.base.rdb seq 2 type b\n",
        ),
        ("quoted", "a name in quotation marks", "file \"a b.aof.1.incr.aof\" seq 1 type i\n"),
        ("offsets", "the offsets of Redis 8", "file a.aof.1.incr.aof seq 1 type i startoffset 0 endoffset 10\n"),
    ];
    let seed = |(name, covers, text): (&str, &str, &str)| {
        Seed::new("manifest", format!("{name}.manifest"), format!("manifest: {covers}"), text.as_bytes().to_vec())
    };
    ROWS.into_iter().map(seed).collect()
}

/// True of what changes data and can be replayed: the list must have it.
#[cfg(test)]
pub(super) fn is_listed(command: &Command) -> bool {
    !command.flags.has(Flags::WRITE)
        || COMMANDS.lines().any(|line| line.rsplit('|').next().is_some_and(|last| calls(last, command)))
}

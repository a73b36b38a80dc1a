//! Where a log goes on behind damage.
//!
//! | at | and | then |
//! | --- | --- | --- |
//! | `$len` CRLF | a payload of that length ends in CRLF, and something of a log follows | jump over the payload: what is in it is no log |
//! | `#TS:` digits CRLF | a good command, or the end of the file, follows | found |
//! | `*` | a chain of good commands | found when it reaches the end, is two long, stands behind CRLF, or runs into `*` |
//! | `*` | a record that breaks off in an argument that reaches behind the end of the file | found: what is in it is no log |
//! | `*` | a chain that stops at a bare CRLF with something of a log behind it | that was the content of a value: go on behind it |
//!
//! The first rule holds when a length is intact, the last one when it is not: whichever header is hit, one of them
//! keeps a log inside a value from being taken for the log.

use super::{extent, proof};

/// Good commands in a row that are looked at.
const CHAIN: usize = 64;

/// The first offset behind `damage`, where a record is broken, at which the log goes on.
pub(super) fn after(input: &[u8], damage: usize) -> Option<usize> {
    let mut argv = Vec::new();
    let mut at = damage + 1;
    loop {
        let rest = input.get(at..)?;
        at += memchr::memchr3(b'*', b'$', b'#', rest)?;
        at = match input.get(at) {
            Some(b'$') => behind_payload(input, at).unwrap_or(at + 1),
            Some(b'#') if is_time(input, at, &mut argv) => return Some(at),
            Some(b'*') => match chain(input, at, &mut argv) {
                Chain::Log => return Some(at),
                Chain::Value { end } => end,
                Chain::None if extent::is_torn_record(input, at) => return Some(at),
                Chain::None => at + 1,
            },
            _ => at + 1,
        };
    }
}

/// The end of the good commands in a row from `at` on, or the first end behind `limit`.
pub(super) fn run(input: &[u8], at: usize, limit: usize) -> usize {
    let (mut end, mut argv) = (at, Vec::new());
    while end <= limit {
        let Some(next) = proof::record(input, end, &mut argv) else { break };
        end = next;
    }
    end
}

/// The end of an argument whose own length fits.
fn behind_payload(input: &[u8], at: usize) -> Option<usize> {
    let (len, rest) = proof::number(b'$', input.get(at..)?)?;
    let after = rest.get(len..)?.strip_prefix(b"\r\n")?;
    matches!(after, [] | [b'*' | b'$' | b'#', ..]).then_some(input.len() - after.len())
}

fn is_time<'a>(input: &'a [u8], at: usize, argv: &mut Vec<&'a [u8]>) -> bool {
    let Some(end) = proof::annotation(input, at) else { return false };
    let is_time = input.get(at..end).and_then(proof::timestamp).is_some();
    is_time && (end == input.len() || proof::command(input, end, argv).is_some())
}

enum Chain {
    /// The log goes on here.
    Log,
    /// This was in a value, which ends there.
    Value {
        end: usize,
    },
    None,
}

fn chain<'a>(input: &'a [u8], start: usize, argv: &mut Vec<&'a [u8]>) -> Chain {
    let (mut at, mut commands) = (start, 0_usize);
    while commands < CHAIN && at < input.len() {
        if let Some(end) = proof::command(input, at, argv) {
            at = end;
            commands += 1;
        } else if let Some(end) = proof::annotation(input, at).filter(|_| commands > 0) {
            at = end;
        } else {
            break;
        }
    }
    if commands == 0 {
        return Chain::None;
    }
    let rest = input.get(at..).unwrap_or_default();
    if matches!(rest, [b'\r', b'\n'] | [b'\r', b'\n', b'*' | b'$' | b'#', ..]) {
        return Chain::Value { end: at + 2 };
    }
    let behind_line = input.get(..start).is_some_and(|before| before.ends_with(b"\r\n"));
    let proven = rest.is_empty() || commands >= 2 || behind_line || rest.first() == Some(&b'*');
    if proven { Chain::Log } else { Chain::None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aof::writer::encode;

    fn command(argv: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(argv, &mut out);
        out
    }

    #[test]
    fn a_log_in_a_value_does_not_win_when_the_head_is_hit() {
        let inner = command(&[b"SET", b"a", b"1"]).repeat(3);
        let outer = command(&[b"SET", b"backup", &inner]);
        let whole = [&outer[..], &command(&[b"DEL", b"x"])].concat();
        for hit in 0..outer.len() - inner.len() - 2 {
            let mut bad = whole.clone();
            if let Some(byte) = bad.get_mut(hit) {
                *byte ^= 0x15;
            }
            let mut argv = Vec::new();
            if proof::command(&bad, 0, &mut argv).is_none() {
                assert_eq!(after(&bad, 0), Some(outer.len()), "hit at {hit}");
            }
        }
    }

    #[test]
    fn the_next_command_is_found_behind_any_damage() {
        let good = command(&[b"SET", b"a", b"1"]);
        for bad in [&b"\0\0\0\0"[..], b"*3\r\n$3\r\nSET\r\n$7\r\nab", b"*", b"##", b"\xff\r\n"] {
            assert_eq!(after(&[bad, &good, &good].concat(), 0), Some(bad.len()), "{}", bad.escape_ascii());
        }
        assert_eq!(after(b"*3\r\n$3\r\nSE", 0), None);
        assert_eq!(after(&[b"x#TS:17\r\n", &good[..]].concat(), 0), Some(1));
    }
}

//! Keys that lost commands wrote, and that are written on by what is kept: their values may be wrong.
//!
//! A key is said once, at the first command behind the loss that does not replace its whole value.

use super::{proof, sync};
use crate::repair::plan::{Lost, Note};
use crate::replay::table;
use std::collections::BTreeSet;

/// So far behind a loss is looked.
const REACH: usize = 64 << 20;

/// Commands that make their first key anew, whatever it was.
const REPLACE_FIRST: [&str; 16] = [
    "SET",
    "GETSET",
    "SETEX",
    "PSETEX",
    "GETDEL",
    "RESTORE",
    "BITOP",
    "SINTERSTORE",
    "SUNIONSTORE",
    "SDIFFSTORE",
    "ZINTERSTORE",
    "ZUNIONSTORE",
    "ZDIFFSTORE",
    "ZRANGESTORE",
    "GEOSEARCHSTORE",
    "PFMERGE",
];
/// And those that do so with all of their keys.
const REPLACE_ALL: [&str; 3] = ["DEL", "UNLINK", "MSET"];
/// And with every key there is.
const EMPTY: [&str; 2] = ["FLUSHALL", "FLUSHDB"];

/// The notes for a log of which `lost`, in order, is not kept, and nothing from `end` on.
pub(super) fn touched(log: &[u8], lost: &[Lost], end: usize) -> Vec<Note> {
    let offset = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    let mut losses = lost.iter().filter(|lost| !lost.is_asked()).peekable();
    let mut walk = Walk { log, uncertain: BTreeSet::new(), notes: Vec::new() };
    let (mut at, mut limit) = (0, 0);
    loop {
        let next = losses.peek().map_or(end, |lost| offset(lost.offset).min(end));
        if walk.uncertain.is_empty() || at >= limit {
            at = next;
        }
        if at < next {
            at = walk.command(at).unwrap_or(next);
            continue;
        }
        let Some(lost) = losses.next() else { return walk.notes };
        walk.uncertain.extend(lost.keys.iter().map(Vec::as_slice));
        at = at.max(offset(lost.end));
        limit = at.saturating_add(REACH);
    }
}

struct Walk<'a> {
    log: &'a [u8],
    uncertain: BTreeSet<&'a [u8]>,
    notes: Vec<Note>,
}

impl Walk<'_> {
    /// Look at one command; the offset of the next.
    fn command(&mut self, at: usize) -> Option<usize> {
        let mut argv = Vec::new();
        let Some(end) = proof::command(self.log, at, &mut argv) else {
            return proof::annotation(self.log, at).or_else(|| sync::after(self.log, at));
        };
        let is_one_of = |names: &[&str]| argv.first().is_some_and(|name| is_any(name, names));
        if is_one_of(&EMPTY) {
            self.uncertain.clear();
        }
        let keys = table::find(&argv).map(|command| command.keys_of(&argv)).unwrap_or_default();
        let replaced = if is_one_of(&REPLACE_ALL) { keys.len() } else { usize::from(is_one_of(&REPLACE_FIRST)) };
        let mut written = Vec::new();
        for (number, key) in keys.into_iter().enumerate() {
            if self.uncertain.remove(key) && number >= replaced {
                written.push(key.to_vec());
            }
        }
        if !written.is_empty() {
            let code = "aof-touched-after-loss";
            self.notes.push(Note { offset: at as u64, end: end as u64, code, keys: written });
        }
        Some(end)
    }
}

fn is_any(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aof::writer;

    fn said(lines: &[&str]) -> Vec<(usize, String)> {
        let (mut log, mut starts) = (b"lost".to_vec(), Vec::new());
        for line in lines {
            starts.push(log.len() as u64);
            writer::encode(&line.split(' ').collect::<Vec<_>>(), &mut log);
        }
        let lost = Lost { offset: 0, end: 4, code: "aof-torn", keys: vec![b"a".to_vec(), b"b".to_vec()] };
        let notes = touched(&log, &[lost], log.len());
        let line = |note: &Note| starts.iter().position(|&start| start == note.offset).unwrap();
        let keys = |note: &Note| String::from_utf8(note.keys.concat()).unwrap();
        notes.iter().map(|note| (line(note), keys(note))).collect()
    }

    #[test]
    fn a_key_is_said_once_unless_it_is_replaced_before() {
        assert_eq!(said(&["SET c 1", "INCR a", "INCR a", "SET b 1", "INCR b"]), [(1, "a".to_owned())]);
        assert_eq!(said(&["DEL x a b", "INCR a"]), []);
        assert_eq!(said(&["FLUSHALL", "APPEND a x"]), []);
        assert_eq!(said(&["SUNIONSTORE a b c"]), [(0, "b".to_owned())]);
        assert_eq!(said(&[]), []);
    }
}

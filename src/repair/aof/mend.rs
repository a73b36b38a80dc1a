//! Broken commands that can be put right: one wrong byte in a header, a CR that is missing, numbers written sloppily,
//! a block that stands there twice.

use super::proof;
use crate::aof::frame::{self, Tolerated};
use crate::aof::writer;
use std::ops::Range;

/// A change of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// What is replaced.
    pub(super) range: Range<usize>,
    /// By what.
    pub(super) new: Vec<u8>,
}

impl Edit {
    /// What makes the one of the other, without the bytes that are the same. `was` stands at `start`.
    pub(super) fn between(start: usize, was: &[u8], now: &[u8]) -> Self {
        let head = was.iter().zip(now).take_while(|(a, b)| a == b).count();
        let most = was.len().min(now.len()) - head;
        let tail = was.iter().rev().zip(now.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
        let new = now.get(head..now.len() - tail).unwrap_or_default().to_vec();
        Self { range: start + head..start + was.len() - tail, new }
    }
}

/// A command as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mended {
    /// Where its bytes in the input end.
    pub(super) end: usize,
    /// What makes it whole.
    pub(super) edit: Edit,
    /// The whole command.
    pub(super) bytes: Vec<u8>,
    /// Lost bytes would explain the damage as well.
    pub(super) doubtful: bool,
}

/// Wrong bytes are looked for so far into a broken stretch.
const REACH: usize = 400;
/// Stretches longer than this are not tried.
const LONGEST: usize = 256 << 10;
/// Names of commands are shorter.
const LONGEST_NAME: usize = 24;
/// The bytes of which headers are made.
const HEADER_BYTES: &[u8] = b"0123456789*$\r\n";

/// Is the stretch from `start` to `end` exactly one good command, but for one byte of a header? A byte that no header
/// has there, or a count that does not fit, is believed before a length that does not.
pub(super) fn header(input: &[u8], start: usize, end: usize) -> Option<Mended> {
    let mut bytes = input.get(start..end).filter(|bytes| bytes.len() <= LONGEST)?.to_vec();
    let (mut found, mut lengths) = (Vec::new(), Vec::new());
    for at in 0..bytes.len().min(REACH) {
        let was = bytes.get(at).copied()?;
        for &byte in HEADER_BYTES.iter().filter(|&&byte| byte != was) {
            *bytes.get_mut(at)? = byte;
            if is_one_command(&bytes) {
                let is_length = was.is_ascii_digit() && byte.is_ascii_digit() && is_of_a_length(&bytes, at);
                if is_length { lengths.push((at, byte)) } else { found.push((at, byte)) }
            }
        }
        *bytes.get_mut(at)? = was;
    }
    // Where there are two ways, neither is known to be right.
    let (at, byte, doubtful) = match (&found[..], &lengths[..]) {
        (&[(at, byte)], _) => (at, byte, false),
        ([], &[(at, byte)]) => (at, byte, true),
        _ => return None,
    };
    *bytes.get_mut(at)? = byte;
    let edit = Edit { range: start + at..start + at + 1, new: vec![byte] };
    Some(Mended { end, edit, bytes, doubtful })
}

fn is_one_command(bytes: &[u8]) -> bool {
    // Nearly all changes break the first byte or leave what is broken: those end here.
    bytes.first() == Some(&b'*') && proof::command(bytes, 0, &mut Vec::new()) == Some(bytes.len())
}

/// The digits before this one begin with `$`.
fn is_of_a_length(bytes: &[u8], at: usize) -> bool {
    bytes.get(..at).and_then(|before| before.iter().rev().find(|byte| !byte.is_ascii_digit())) == Some(&b'$')
}

/// Is it exactly one good command, but for a CR before an LF?
pub(super) fn line_end(input: &[u8], start: usize, end: usize) -> Option<Mended> {
    let stretch = input.get(start..end).filter(|bytes| bytes.len() <= LONGEST)?;
    let bare = |at: &usize| at.checked_sub(1).and_then(|before| stretch.get(before)) != Some(&b'\r');
    let mut found = None;
    for at in memchr::memchr_iter(b'\n', stretch).filter(bare).take(64) {
        let (before, behind) = stretch.split_at_checked(at)?;
        let bytes = [before, b"\r", behind].concat();
        if is_one_command(&bytes) && found.replace((at, bytes)).is_some() {
            return None;
        }
    }
    let (at, bytes) = found?;
    let edit = Edit { range: start + at..start + at, new: b"\r".to_vec() };
    Some(Mended { end, edit, bytes, doubtful: false })
}

/// A whole frame whose name is one letter away from exactly one command that changes data and takes so many words.
/// Many names are one letter apart, so it is never sure.
pub(super) fn name(input: &[u8], range: Range<usize>, argv: &[&[u8]]) -> Option<Mended> {
    let (first, words) = argv.split_first()?;
    let mut found: Option<Vec<u8>> = None;
    let is_lower = first.iter().filter(|byte| byte.is_ascii_lowercase()).count() * 2 > first.len();
    for at in 0..first.len().min(LONGEST_NAME) {
        for letter in b'A'..=b'Z' {
            let mut name = first.to_vec();
            *name.get_mut(at)? = if is_lower { letter.to_ascii_lowercase() } else { letter };
            let argv: Vec<&[u8]> = [&name[..]].into_iter().chain(words.iter().copied()).collect();
            if name.eq_ignore_ascii_case(first) || !proof::changes_data(&argv) {
                continue;
            }
            if found.replace(name).is_some() {
                return None;
            }
        }
    }
    let name = found?;
    let mut bytes = Vec::new();
    let argv: Vec<&[u8]> = [&name[..]].into_iter().chain(words.iter().copied()).collect();
    writer::encode(&argv, &mut bytes);
    let edit = Edit::between(range.start, input.get(range.clone())?, &bytes);
    Some(Mended { end: range.end, edit, bytes, doubtful: true })
}

/// A command that servers read, though none writes it so: with numbers that are padded, lines that end in LF. What
/// stands behind a number may be the value itself, when the end of the line was hit.
pub(super) fn sloppy(input: &[u8], start: usize) -> Option<Mended> {
    let mut argv = Vec::new();
    let (end, tolerated) = frame::lenient(input, start, &mut argv).ok()?;
    if tolerated.contains(Tolerated::TRAILER)
        || tolerated.contains(Tolerated::JUNK)
        || proof::objection(&argv).is_some()
        || !proof::may_begin(input, end)
    {
        return None;
    }
    let mut bytes = Vec::new();
    writer::encode(&argv, &mut bytes);
    let edit = Edit::between(start, input.get(start..end)?, &bytes);
    Some(Mended { end, edit, bytes, doubtful: false })
}

/// So far behind a broken record a copy of its beginning is looked for.
const COPY: usize = 64 << 10;
/// So many records there are tried.
const CANDIDATES: usize = 4096;

/// A block that stands there twice, the second time inside of the record that is broken at `start`. `next` is where
/// the log goes on.
///
/// Where the record begins anew at `t`, l bytes on, the block is l bytes long; it is one when the bytes around both
/// places are the same for at least l bytes. Which of the two is cut out makes no difference.
pub(super) fn duplicate(input: &[u8], start: usize, next: usize) -> Option<Mended> {
    let mut argv = Vec::new();
    let mut found = None;
    let mut at = next;
    for _ in 0..CANDIDATES {
        let Some(distance) = at.checked_sub(start).filter(|&distance| distance <= COPY) else { break };
        // Of two that fit, the shorter one leaves whole commands of the copy behind.
        found = without_copy(input, start, distance).or(found);
        match proof::record(input, at, &mut argv) {
            Some(end) => at = end,
            None => break,
        }
    }
    found
}

fn without_copy(input: &[u8], start: usize, distance: usize) -> Option<Mended> {
    let (before, behind) = input.split_at_checked(start)?;
    let again = behind.get(distance..)?;
    let same = behind.iter().zip(again).take(distance).take_while(|(a, b)| a == b).count();
    let upstream = input.get(..start + distance)?;
    let wanted = distance - same;
    let earlier = before.iter().rev().zip(upstream.iter().rev()).take(wanted).take_while(|(a, b)| a == b).count();
    if earlier < wanted || distance < 8 {
        return None;
    }
    let cut = start + same..start + same + distance;
    let mut argv = Vec::new();
    // The record that began before the copy goes on behind it: its end tells how much to join.
    let end = proof::command(input, start + distance, &mut argv)?;
    let bytes = [input.get(start..cut.start)?, input.get(cut.end..end)?].concat();
    is_one_command(&bytes).then_some(Mended { end, edit: Edit { range: cut, new: Vec::new() }, bytes, doubtful: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(argv: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        writer::encode(argv, &mut out);
        out
    }

    #[test]
    fn a_wrong_byte_of_a_header_is_put_right() {
        let good = command(&["SET", "key", "a value of some length"]);
        for (at, doubt) in [(0, false), (1, false), (2, false), (4, false), (5, false), (6, false), (7, false)] {
            let mut bad = good.clone();
            bad[at] = b'x';
            let mended = header(&bad, 0, bad.len()).unwrap();
            assert_eq!((mended.bytes, mended.doubtful), (good.clone(), doubt), "at {at}");
            assert_eq!(mended.edit, Edit { range: at..at + 1, new: vec![good[at]] });
        }
        let mut bad = good.clone();
        bad[23] = b'9';
        assert_eq!(good[23], b'2', "a digit of a length");
        assert!(header(&bad, 0, bad.len()).is_some_and(|mended| mended.doubtful));
        assert_eq!(header(&good[..20], 0, 20), None);
    }

    #[test]
    fn a_name_that_is_one_letter_off_is_a_guess() {
        let guess = |words: &str| {
            let words: Vec<&str> = words.split(' ').collect();
            let bytes = command(&words);
            let argv: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            let mended = name(&bytes, 0..bytes.len(), &argv)?;
            assert!(mended.doubtful);
            Some(String::from_utf8(mended.bytes).unwrap().lines().nth(2).unwrap().to_owned())
        };
        assert_eq!(guess("SEX a b"), Some("SET".to_owned()));
        assert_eq!(guess("GET a b"), Some("SET".to_owned()), "a log holds no reading commands");
        assert_eq!(guess("h\0et h f v"), Some("hset".to_owned()));
        assert_eq!(guess("MUL\u{1}I"), Some("MULTI".to_owned()));
        assert_eq!(guess("XPUSH l v"), None, "LPUSH or RPUSH");
        assert_eq!(guess("SEX a"), None, "too few words for SET");
    }

    #[test]
    fn a_missing_cr_is_put_back() {
        let good = command(&["SET", "key", "v\nw"]);
        for at in good.iter().enumerate().filter(|(_, byte)| **byte == b'\r').map(|(at, _)| at) {
            let mut bad = good.clone();
            bad.remove(at);
            assert_eq!(line_end(&bad, 0, bad.len()).unwrap().bytes, good, "at {at}");
        }
    }

    #[test]
    fn sloppy_numbers_are_written_anew() {
        let mended = sloppy(b"*03\r\n$3\r\nSET\r\n$1\r\na\r\n$ 1\r\nb\r\n", 0).unwrap();
        assert_eq!(mended.bytes, command(&["SET", "a", "b"]));
        assert_eq!(sloppy(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nbxx", 0), None);
    }

    #[test]
    fn an_lf_that_was_hit_takes_no_value_along() {
        let value = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$13\r\x0e1234567890123\r\n";
        let bad = [&value[..], &command(&["MULTI"])].concat();
        assert_eq!(sloppy(&bad, 0), None, "that it is followed by 13 bytes is an accident");
        assert_eq!(header(&bad, 0, value.len()).unwrap().bytes, command(&["SET", "a", "1234567890123"]));
    }

    #[test]
    fn a_block_that_is_there_twice_is_cut_out_wherever_it_stands() {
        let log: Vec<u8> = (0..40)
            .flat_map(|i| command(&["RPUSH", &format!("list:{}", i % 7), &format!("value {}", i * i)]))
            .collect();
        let starts: Vec<usize> = {
            let (mut at, mut starts, mut argv) = (0, vec![], vec![]);
            while at < log.len() {
                starts.push(at);
                at = proof::command(&log, at, &mut argv).unwrap();
            }
            starts
        };
        for from in (200..600).step_by(7) {
            for len in [60, 133, 400] {
                let to = from + len;
                let bad = [&log[..to], &log[from..]].concat();
                let start = *starts.iter().rfind(|&&start| start <= to).unwrap();
                // Where the copy begins like what it displaced, the record is whole and nothing is broken here.
                if start <= from || proof::command(&bad, start, &mut Vec::new()).is_some() {
                    continue;
                }
                let next = super::super::sync::after(&bad, start).unwrap();
                let mended = duplicate(&bad, start, next).unwrap();
                let edit = &mended.edit;
                assert_eq!([&bad[..edit.range.start], &bad[edit.range.end..]].concat(), log, "{from} {len}");
            }
        }
    }
}

//! Logs whose line ends were converted as a whole, by an editor or a transfer in text mode.
//!
//! | was | became | back |
//! | --- | --- | --- |
//! | LF | CRLF, so that CRLF is CR CR LF | take the CR before every LF away: exact |
//! | CRLF | LF, in values as well | read with LF as the end of lines; a value that is too short had so many CRLF inside |

use super::proof;
use crate::aof::writer;
use std::ops::Range;

/// A log with its line ends put back.
pub(super) struct Converted {
    /// The log.
    pub(super) bytes: Vec<u8>,
    offsets: Offsets,
    /// Records of which it is not sure which of their line ends were CRLF, in the input.
    pub(super) uncertain: Vec<Range<usize>>,
}

/// How offsets are found again in the input.
enum Offsets {
    /// From this one on there was a CR more for every LF.
    Doubled(usize),
    /// Offsets at which records begin: here, and in the input.
    Records(Vec<(usize, usize)>),
}

impl Converted {
    /// The offset in the input.
    pub(super) fn original(&self, at: u64) -> u64 {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let original = match &self.offsets {
            Offsets::Doubled(start) => {
                let before = self.bytes.get(*start..at.max(*start)).unwrap_or_default();
                at.saturating_add(memchr::memchr_iter(b'\n', before).count())
            }
            Offsets::Records(places) => {
                let index = places.partition_point(|(here, _)| *here <= at).saturating_sub(1);
                let (here, there) = places.get(index).copied().unwrap_or_default();
                there.saturating_add(at.saturating_sub(here))
            }
        };
        original as u64
    }
}

/// Put the line ends back, if that is what is wrong with the log.
pub(super) fn restore(input: &[u8], start: usize) -> Option<Converted> {
    let rest = input.get(start..)?;
    if !rest.starts_with(b"*") && !rest.starts_with(b"#") {
        return None;
    }
    let lf = memchr::memchr(b'\n', rest.get(..64).unwrap_or(rest))?;
    let line = rest.get(..lf)?;
    if line.ends_with(b"\r\r") {
        return Some(collapsed(input, start));
    }
    if line.ends_with(b"\r") { None } else { expanded(input, start) }
}

fn collapsed(input: &[u8], start: usize) -> Converted {
    let (head, rest) = input.split_at_checked(start).unwrap_or((input, &[]));
    let mut bytes = head.to_vec();
    let mut from = 0;
    for lf in memchr::memchr_iter(b'\n', rest) {
        let line = rest.get(from..lf).unwrap_or_default();
        bytes.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        bytes.push(b'\n');
        from = lf + 1;
    }
    bytes.extend_from_slice(rest.get(from..).unwrap_or_default());
    Converted { bytes, offsets: Offsets::Doubled(start), uncertain: Vec::new() }
}

fn expanded(input: &[u8], start: usize) -> Option<Converted> {
    let mut bytes = input.get(..start)?.to_vec();
    let (mut places, mut uncertain) = (vec![(0, 0)], Vec::new());
    let mut at = start;
    while at < input.len() {
        places.push((bytes.len(), at));
        let Some(record) = record(input, at, &mut bytes) else { break };
        if record.is_uncertain {
            uncertain.push(at..record.end);
        }
        at = record.end;
    }
    if at == start {
        return None;
    }
    places.push((bytes.len(), at));
    bytes.extend_from_slice(input.get(at..)?);
    Some(Converted { bytes, offsets: Offsets::Records(places), uncertain })
}

struct Record {
    end: usize,
    is_uncertain: bool,
}

fn record(input: &[u8], at: usize, out: &mut Vec<u8>) -> Option<Record> {
    if input.get(at) == Some(&b'#') {
        let rest = input.get(at..)?;
        let lf = memchr::memchr(b'\n', rest)?;
        out.extend_from_slice(rest.get(..lf)?);
        out.extend_from_slice(b"\r\n");
        return Some(Record { end: at + lf + 1, is_uncertain: false });
    }
    let (count, mut place) = number(b'*', input, at)?;
    let mut argv = Vec::new();
    let mut is_uncertain = false;
    for n in 0..count {
        let (len, start) = number(b'$', input, place)?;
        let is_last = n + 1 == count;
        let (value, end) = value(input, start, len, is_last, &mut is_uncertain)?;
        argv.push(value);
        place = end;
    }
    let words: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
    proof::objection(&words).is_none().then_some(())?;
    writer::encode(&argv, out);
    Some(Record { end: place, is_uncertain })
}

/// A value of `len` bytes, of which CRs may be lost, and the offset behind its line end.
fn value(input: &[u8], start: usize, len: usize, is_last: bool, uncertain: &mut bool) -> Option<(Vec<u8>, usize)> {
    let most = input.get(start..)?;
    let most = most.get(..len).unwrap_or(most);
    let mut inside = memchr::memchr_iter(b'\n', most).count();
    let mut end = start + most.len();
    let mut lost = len - most.len();
    while lost <= inside {
        let follows = input.get(end..).unwrap_or_default();
        let fits = match follows {
            [b'\n'] => is_last,
            [b'\n', b'*' | b'#', ..] => is_last,
            [b'\n', b'$', ..] => !is_last,
            _ => false,
        };
        if fits {
            *uncertain |= lost > 0 && lost < inside;
            return Some((with_crs(input.get(start..end)?, lost), end + 1));
        }
        end = end.checked_sub(1).filter(|&end| end >= start)?;
        inside -= usize::from(input.get(end) == Some(&b'\n'));
        lost += 1;
    }
    None
}

/// The first `lost` line ends become CRLF.
fn with_crs(value: &[u8], mut lost: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + lost);
    for &byte in value {
        if byte == b'\n' && lost > 0 {
            out.push(b'\r');
            lost -= 1;
        }
        out.push(byte);
    }
    out
}

fn number(prefix: u8, input: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = input.get(at..)?.strip_prefix(&[prefix])?;
    let digits = rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let value = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    (rest.get(digits) == Some(&b'\n')).then_some((value, at + digits + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Vec<u8> {
        let mut out = b"#TS:1700000000\r\n".to_vec();
        writer::encode(&["SELECT", "0"], &mut out);
        writer::encode(&["SET", "a", "one\nline"], &mut out);
        writer::encode(&["SET", "b", "two\r\nlines\r\n"], &mut out);
        writer::encode(&["SET", "c", ""], &mut out);
        out
    }

    fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
        String::from_utf8(bytes.to_vec()).unwrap().replace(from, to).into_bytes()
    }

    #[test]
    fn lf_to_crlf_is_undone() {
        let restored = restore(&replaced(&log(), "\n", "\r\n"), 0).unwrap();
        assert_eq!(restored.bytes, log());
        assert!(restored.uncertain.is_empty());
    }

    #[test]
    fn crlf_to_lf_is_undone() {
        let bad = replaced(&log(), "\r\n", "\n");
        let restored = restore(&bad, 0).unwrap();
        assert_eq!(restored.bytes, log());
        assert_eq!(restored.original(restored.bytes.len() as u64), bad.len() as u64);
    }

    #[test]
    fn a_sound_log_is_left_alone() {
        assert!(restore(&log(), 0).is_none());
        assert!(restore(b"*", 0).is_none() && restore(b"", 0).is_none() && restore(b"\n", 0).is_none());
    }

    #[test]
    fn a_value_with_both_line_ends_is_uncertain() {
        let mut out = Vec::new();
        writer::encode(&["SET", "a", "x\ny\r\nz"], &mut out);
        let restored = restore(&replaced(&out, "\r\n", "\n"), 0).unwrap();
        assert_eq!(restored.uncertain.len(), 1);
    }
}

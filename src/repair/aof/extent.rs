//! How far the argument reaches at which a record breaks off.
//!
//! What stands within the announced extent of an argument is its content, whatever it looks like. Where that extent
//! ends behind the end of the file, the tail of the file is torn off inside of the argument, unless it is the length
//! that is wrong: because no server takes one so large, or because one digit more, less or other makes the record
//! end just where the log goes on. Where it ends within the file, but not in CRLF, commands in it are content unless
//! they go on over its end.

use super::{proof, sync};

/// Servers take no longer argument (`proto-max-bulk-len`).
const LONGEST: usize = 512 << 20;

/// An argument whose announced extent does not end in CRLF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfinished {
    /// Where its content begins.
    value: usize,
    /// How long it is said to be.
    len: usize,
    /// So many arguments follow it.
    left: usize,
    /// It is not the name of the command.
    is_named: bool,
}

impl Unfinished {
    /// The argument at which the record breaks off that begins at `start`; nothing when a header is broken.
    pub(super) fn of(input: &[u8], start: usize) -> Option<Self> {
        let (count, mut rest) = proof::number(b'*', input.get(start..)?)?;
        for left in (0..count).rev() {
            let (len, value) = proof::number(b'$', rest)?;
            match behind(value, len) {
                Some(after) => rest = after,
                None => {
                    return Some(Self { value: input.len() - value.len(), len, left, is_named: left + 1 < count });
                }
            }
        }
        None
    }

    /// The file ends inside of it, as far as its length is right.
    fn is_torn(self, input: &[u8]) -> bool {
        self.len.saturating_add(2) > input.len().saturating_sub(self.value)
    }

    /// Is what stands at `next`, like a log though it looks, the content of the argument? It is not when the length
    /// is wrong, nor when commands go on over the announced end, as they do where bytes of the argument are lost.
    pub(super) fn holds(self, input: &[u8], next: usize) -> bool {
        let end = self.value.saturating_add(self.len);
        if next >= end || self.has_wrong_length(input, next) {
            return false;
        }
        if self.is_torn(input) {
            return true;
        }
        let (mut at, mut argv) = (next, Vec::new());
        while at < end {
            match proof::command(input, at, &mut argv).or_else(|| proof::annotation(input, at)) {
                Some(behind) => at = behind,
                None => break,
            }
        }
        at <= end
    }

    /// Where the log goes on behind the announced end.
    pub(super) fn behind(self, input: &[u8]) -> Option<usize> {
        let end = self.value.saturating_add(self.len);
        if self.is_torn(input) { None } else { sync::after(input, end.saturating_sub(1)) }
    }

    /// Is it the length that is wrong, as the log goes on at `next`?
    fn has_wrong_length(self, input: &[u8], next: usize) -> bool {
        self.len > LONGEST || one_digit_off(self.len).any(|len| self.end(input, len) == Some(next))
    }

    /// Where the record ends, if this argument has another length.
    fn end(self, input: &[u8], len: usize) -> Option<usize> {
        let mut rest = behind(input.get(self.value..)?, len)?;
        for _ in 0..self.left {
            let (len, value) = proof::number(b'$', rest)?;
            rest = behind(value, len)?;
        }
        Some(input.len() - rest.len())
    }
}

/// Does a record begin here whose tail is torn off?
pub(super) fn is_torn_record(input: &[u8], start: usize) -> bool {
    let behind_line = input.get(..start).is_some_and(|before| before.is_empty() || before.ends_with(b"\r\n"));
    behind_line
        && Unfinished::of(input, start)
            .is_some_and(|argument| argument.is_named && argument.len <= LONGEST && argument.is_torn(input))
}

fn behind(value: &[u8], len: usize) -> Option<&[u8]> {
    value.get(len..)?.strip_prefix(b"\r\n")
}

/// The numbers that one digit, changed, added or lost, makes of this one.
fn one_digit_off(number: usize) -> impl Iterator<Item = usize> {
    let digits = number.to_string();
    (0..=digits.len()).flat_map(move |at| {
        let (head, tail) = digits.split_at_checked(at).unwrap_or_default();
        let shorter = tail.get(1..);
        let lost = shorter.map(|shorter| format!("{head}{shorter}"));
        let other = (0..=9).flat_map(|digit| [Some(tail), shorter].map(|tail| Some(format!("{head}{digit}{}", tail?))));
        let all: Vec<String> = other.flatten().chain(lost).collect();
        all.into_iter().filter(|text| text.len() == 1 || !text.starts_with('0')).filter_map(|text| text.parse().ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_wrong_when_one_digit_makes_the_record_whole() {
        let record = b"*4\r\n$4\r\nHSET\r\n$1\r\nh\r\n$12\r\nfield*1\r\n$4f\r\n$1\r\nv\r\n";
        let log = |len: &str| {
            let text = String::from_utf8(record.to_vec()).unwrap().replace("$12", len);
            let next = text.len();
            ((text + "*1\r\n$4\r\nEXEC\r\n").into_bytes(), next)
        };
        assert_eq!(Unfinished::of(&log("$12").0, 0), None);
        for (len, wrong) in [("$82", true), ("$912", true), ("$152", true), ("$99", false), ("$999999999", true)] {
            let (log, next) = log(len);
            let argument = Unfinished::of(&log, 0).unwrap();
            assert!(argument.is_torn(&log), "{len}");
            assert_eq!(argument.has_wrong_length(&log, next), wrong, "{len}");
            assert!(argument.len > LONGEST || !argument.has_wrong_length(&log, next - 1), "{len}");
        }
        let argument = Unfinished::of(&log("$13").0, 0).unwrap();
        assert!(!argument.is_torn(&log("$13").0));
        assert!(argument.has_wrong_length(&log("$13").0, log("$13").1));
    }

    #[test]
    fn digits_are_changed_one_at_a_time() {
        let mut all: Vec<usize> = one_digit_off(10).collect();
        all.sort_unstable();
        all.dedup();
        assert!([0, 1, 11, 20, 90, 100, 109, 110, 910].iter().all(|number| all.contains(number)));
        assert!([2, 21, 1000].iter().all(|number| !all.contains(number)));
    }
}

//! Ids as words: `ms-seq`, `ms`, and for new entries `ms-*` and `*`.

use crate::replay::Refusal;
use crate::value::{StreamId, UnixMillis};

const INVALID: Refusal = Refusal::Invalid("invalid stream id");
/// Servers copy an id into a buffer of this size.
const LONGEST: usize = 127;

/// An id; the sequence is 0 where it is left out.
pub(super) fn strict(text: &[u8]) -> Result<StreamId, Refusal> {
    match parts(text)? {
        (ms, None) => Ok(StreamId { ms, seq: 0 }),
        (ms, Some(seq)) => Ok(StreamId { ms, seq: number(seq)? }),
    }
}

fn parts(text: &[u8]) -> Result<(u64, Option<&[u8]>), Refusal> {
    let text = text.split(|&byte| byte == 0).next().filter(|_| text.len() <= LONGEST).ok_or(INVALID)?;
    match text.iter().position(|&byte| byte == b'-').and_then(|at| text.split_at_checked(at)) {
        Some((ms, seq)) => Ok((number(ms)?, seq.get(1..))),
        None => Ok((number(text)?, None)),
    }
}

/// What `strtoull` takes, without a minus sign: blanks, a plus sign, digits.
fn number(text: &[u8]) -> Result<u64, Refusal> {
    let digits = text.trim_ascii_start();
    let digits = digits.strip_prefix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(INVALID);
    }
    let append = |sum: u64, digit: &u8| sum.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')));
    digits.iter().try_fold(0, append).ok_or(INVALID)
}

/// The id that a new entry shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `*`
    Any,
    /// `ms-*`
    NextOf(u64),
    /// This one.
    Exactly(StreamId),
}

impl Wanted {
    pub(super) fn parse(text: &[u8]) -> Result<Self, Refusal> {
        if text == b"*" {
            return Ok(Self::Any);
        }
        match parts(text)? {
            (ms, Some(b"*")) => Ok(Self::NextOf(ms)),
            _ => Ok(Self::Exactly(strict(text)?)),
        }
    }

    /// The id after `last`, when there is one.
    pub(super) fn after(self, last: StreamId, now: UnixMillis) -> Option<StreamId> {
        let at = |ms| if last.ms == ms { next(last).filter(|id| id.ms == ms) } else { Some(StreamId { ms, seq: 0 }) };
        let id = match self {
            Self::Exactly(id) => Some(id),
            Self::NextOf(ms) => at(ms),
            Self::Any => match u64::try_from(now.0) {
                Ok(now) if now > last.ms => Some(StreamId { ms: now, seq: 0 }),
                _ => next(last),
            },
        };
        id.filter(|&id| id > last)
    }
}

fn next(id: StreamId) -> Option<StreamId> {
    match id.seq.checked_add(1) {
        Some(seq) => Some(StreamId { ms: id.ms, seq }),
        None => id.ms.checked_add(1).map(|ms| StreamId { ms, seq: 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// From Redis 6.0 to 8.6 and Valkey.
    #[test]
    fn ids_are_read_as_the_servers_do() {
        let good: [(&[u8], StreamId); 8] = [
            (b"5", id(5, 0)),
            (b"007-1", id(7, 1)),
            (b"+5-1", id(5, 1)),
            (b" 5", id(5, 0)),
            (b"5\0x", id(5, 0)),
            (b"1-+2", id(1, 2)),
            (b"1- 1", id(1, 1)),
            (b"18446744073709551615-18446744073709551615", StreamId::MAX),
        ];
        for (text, id) in good {
            assert_eq!(strict(text), Ok(id), "{}", text.escape_ascii());
        }
        let bad: [&[u8]; 11] =
            [b"", b"-", b"+", b"*", b"-0", b"1-", b"-1", b"1 -1", b"0x5", b"18446744073709551616", b"1-2-3"];
        for text in bad {
            assert_eq!(strict(text), Err(INVALID), "{}", text.escape_ascii());
        }
        assert_eq!(strict(&[b'0'; 200]), Err(INVALID));
    }

    #[test]
    fn new_ids_come_after_the_last() {
        let after = |text: &[u8], last, now| Wanted::parse(text).unwrap().after(last, UnixMillis(now));
        assert_eq!(after(b"5-*", id(5, 7), 0), Some(id(5, 8)));
        assert_eq!(after(b"6-*", id(5, 7), 0), Some(id(6, 0)));
        assert_eq!(after(b"4-*", id(5, 7), 0), None);
        assert_eq!(after(b"5-*", id(5, u64::MAX), 0), None);
        assert_eq!(after(b"0-*", StreamId::MIN, 0), Some(id(0, 1)));
        assert_eq!(after(b"5-7", id(5, 7), 0), None);
        assert_eq!(after(b"5-8", id(5, 7), 0), Some(id(5, 8)));
        assert_eq!(after(b"*", id(5, 7), 9), Some(id(9, 0)));
        assert_eq!(after(b"*", id(5, 7), -9), Some(id(5, 8)));
        assert_eq!(after(b"*", id(5, u64::MAX), 5), Some(id(6, 0)));
        assert_eq!(after(b"*", StreamId::MAX, 5), None);
    }
}

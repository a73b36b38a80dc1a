//! Text made of records by all threads, and its way out in the order of the records.

use std::io::{self, Write};
use std::ops::Range;

use super::walk::{self, Options, Summary, Task};
use crate::bytes::limits::Metered;
use crate::rdb::{self, KeyRecord};
use crate::value::{DbIndex, json};

/// A large record hands its text on when it has become so long.
const SPILL: usize = 256 << 10;
/// How many problems are kept; the rest is counted.
const MAX_PROBLEMS: usize = 1000;

/// The text of a batch of records.
#[derive(Debug, Default)]
pub struct Text {
    /// What is written.
    pub bytes: Vec<u8>,
    keys: u64,
    /// Where the text of each key ends in `bytes`, when there is a limit.
    ends: Vec<usize>,
    problems: Vec<Problem>,
    exhausted: Option<rdb::Error>,
}

/// A key that was left out because its name or value is damaged, or a damaged blob of records.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What and where.
    pub error: rdb::Error,
    /// In which database.
    pub db: Option<DbIndex>,
}

impl Text {
    /// The text of a key is complete. With a limit, it may be cut here.
    #[inline]
    pub fn end_key(&mut self, limit: Option<u64>) {
        self.keys = self.keys.saturating_add(1);
        if limit.is_some() {
            self.ends.push(self.bytes.len());
        }
    }

    /// A value that could not be read. When that was for want of memory, the whole run ends.
    #[cold]
    pub fn problem(&mut self, error: rdb::Error, record: &KeyRecord<'_>) {
        self.note(error.while_doing(rdb::Doing::ReadObjectValue).in_key(&record.key), Some(record.db));
    }

    /// A name or a compressed blob that could not be read.
    #[cold]
    pub fn broken(&mut self, error: rdb::Error) {
        self.note(error, None);
    }

    fn note(&mut self, error: rdb::Error, db: Option<DbIndex>) {
        if error.is_exhausted() {
            self.exhausted.get_or_insert(error);
        } else {
            self.problems.push(Problem { error, db });
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.keys = 0;
    }
}

/// Writes a text, and hands it on when it has become long.
pub struct Pen<'s> {
    text: &'s mut Text,
    spill: &'s mut dyn FnMut(&mut Text),
}

impl std::fmt::Debug for Pen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pen").field("text", &self.text).finish_non_exhaustive()
    }
}

impl<'s> Pen<'s> {
    /// `spill` hands the text on; it may leave it as it is.
    pub fn new(text: &'s mut Text, spill: &'s mut dyn FnMut(&mut Text)) -> Self {
        Self { text, spill }
    }

    /// What is written.
    #[inline]
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.text.bytes
    }

    /// Between two elements, or two pieces of a long one: hand on what has become long.
    #[inline]
    pub fn breathe(&mut self) {
        if self.text.bytes.len() > SPILL {
            (self.spill)(self.text);
        }
    }
}

/// A long text is written in pieces of this size.
const PIECE: usize = 128 << 10;

impl Pen<'_> {
    /// Bytes as JSON, in pieces when they are many.
    #[inline]
    pub fn json(&mut self, bytes: &[u8]) {
        if bytes.len() <= PIECE { json::bytes(bytes, self.bytes()) } else { self.long_json(bytes) }
    }

    #[cold]
    fn long_json(&mut self, bytes: &[u8]) {
        if simdutf8::basic::from_utf8(bytes).is_ok() {
            self.bytes().push(b'"');
            for piece in bytes.chunks(PIECE) {
                json::escape(piece, self.bytes());
                self.breathe();
            }
            self.bytes().push(b'"');
        } else {
            self.bytes().extend_from_slice(b"{\"base64\":\"");
            // A multiple of three, so that no piece but the last is padded.
            for piece in bytes.chunks(PIECE / 4 * 3) {
                json::base64(piece, self.bytes());
                self.breathe();
            }
            self.bytes().extend_from_slice(b"\"}");
        }
    }

    /// Bytes as they are, in pieces when they are many.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            self.bytes().extend_from_slice(piece);
            self.breathe();
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Delivery {
    /// How the walk ended; of nothing, when the limit ended it.
    pub summary: Summary,
    /// Keys written.
    pub keys: u64,
    /// The limit ended it.
    pub is_limited: bool,
    /// Keys left out.
    pub problems: Vec<Problem>,
    /// Keys left out beyond those in the list.
    pub more_problems: u64,
    /// The memory budget ended it.
    pub exhausted: Option<rdb::Error>,
}

/// Walk an image and write the text that the task makes of it, of at most `limit` keys.
///
/// # Errors
/// When the text cannot be written.
pub fn deliver<T: Task<Output = Text>>(
    input: &[u8],
    range: Range<u64>,
    options: &Options,
    task: &T,
    limit: Option<u64>,
    out: &mut dyn Write,
    progress: impl FnMut(u64),
) -> io::Result<Delivery> {
    let out = &mut Metered::new(out, &options.budget);
    let mut taker = Taker { left: limit.unwrap_or(u64::MAX), keys: 0, problems: Vec::new(), more: 0, stopped: None };
    let walked = walk::walk(input, range, options, task, |text| taker.take(text, out), progress);
    let exhausted = match &taker.stopped {
        Some(Stop::Exhausted(error)) => Some(error.clone()),
        _ => None,
    };
    let summary = match walked {
        Err(error) if taker.stopped.is_none() => return Err(error),
        walked => walked.unwrap_or_else(|_| Summary::empty()),
    };
    Ok(Delivery {
        summary,
        keys: taker.keys,
        is_limited: matches!(taker.stopped, Some(Stop::Limit)),
        problems: taker.problems,
        more_problems: taker.more,
        exhausted,
    })
}

enum Stop {
    Limit,
    Exhausted(rdb::Error),
}

struct Taker {
    left: u64,
    keys: u64,
    problems: Vec<Problem>,
    more: u64,
    stopped: Option<Stop>,
}

impl Taker {
    fn take(&mut self, text: &mut Text, out: &mut dyn Write) -> io::Result<()> {
        let keys = text.keys;
        let cut = self.cut(text);
        out.write_all(text.bytes.get(..cut).unwrap_or(&text.bytes))?;
        self.keys = self.keys.saturating_add(keys.min(self.left));
        self.left = self.left.saturating_sub(keys);
        let room = MAX_PROBLEMS.saturating_sub(self.problems.len()).min(text.problems.len());
        self.more = self.more.saturating_add(text.problems.len().saturating_sub(room) as u64);
        self.problems.extend(text.problems.drain(..).take(room));
        text.clear();
        match text.exhausted.take() {
            Some(error) => self.stop(Stop::Exhausted(error)),
            None if self.left == 0 => self.stop(Stop::Limit),
            None => Ok(()),
        }
    }

    /// Where the text of the last key within the limit ends.
    fn cut(&self, text: &Text) -> usize {
        let Some(last) = self.left.checked_sub(1) else { return 0 };
        let end = usize::try_from(last).ok().and_then(|last| text.ends.get(last));
        end.copied().unwrap_or(text.bytes.len())
    }

    fn stop(&mut self, stop: Stop) -> io::Result<()> {
        self.stopped = Some(stop);
        Err(io::ErrorKind::Interrupted.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_written_in_pieces_and_stay_the_same() {
        for bytes in ["häßlich\"\n".repeat(40_000).into_bytes(), [0xff, b'a', b'b'].repeat(150_000)] {
            let (mut text, mut all, mut spills) = (Text::default(), Vec::new(), 0);
            let mut spill = |text: &mut Text| {
                spills += 1;
                all.append(&mut text.bytes);
            };
            Pen::new(&mut text, &mut spill).json(&bytes);
            all.append(&mut text.bytes);
            let mut at_once = Vec::new();
            json::bytes(&bytes, &mut at_once);
            assert!(spills > 0);
            assert!(all == at_once);
        }
    }

    #[test]
    fn a_limit_cuts_between_keys() {
        let mut text = Text::default();
        for key in [&b"one"[..], b"two", b"three"] {
            text.bytes.extend_from_slice(key);
            text.end_key(Some(2));
        }
        let mut taker = Taker { left: 2, keys: 0, problems: Vec::new(), more: 0, stopped: None };
        let mut out = Vec::new();
        assert!(taker.take(&mut text, &mut out).is_err());
        assert_eq!((out.as_slice(), taker.keys, taker.left), (&b"onetwo"[..], 2, 0));
        assert!(matches!(taker.stopped, Some(Stop::Limit)));
    }
}

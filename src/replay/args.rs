//! Words of a command as the numbers and options they stand for.

use super::refusal::Refusal;
use super::state::Args;
use crate::value::number;

/// A 64-bit integer as servers read them: no `+`, no leading zeros, no blanks.
///
/// # Errors
/// [`Refusal::NOT_AN_INTEGER`].
pub fn integer(word: &[u8]) -> Result<i64, Refusal> {
    number::canonical_int(word).ok_or(Refusal::NOT_AN_INTEGER)
}

/// A count or index that is not negative.
///
/// # Errors
/// [`Refusal::NOT_AN_INTEGER`].
pub fn count(word: &[u8]) -> Result<usize, Refusal> {
    usize::try_from(integer(word)?).map_err(|_| Refusal::NOT_AN_INTEGER)
}

/// Is the word this option, in any case?
#[inline]
#[must_use]
pub fn is(word: &[u8], option: &str) -> bool {
    word.eq_ignore_ascii_case(option.as_bytes())
}

/// The word at a position.
///
/// # Errors
/// [`Refusal::SYNTAX`] when there is none.
#[inline]
pub fn word<'a>(args: Args<'_, 'a>, at: usize) -> Result<&'a [u8], Refusal> {
    args.get(at).copied().ok_or(Refusal::SYNTAX)
}

/// All words from a position on.
#[must_use]
pub fn from<'c, 'a>(args: Args<'c, 'a>, at: usize) -> Args<'c, 'a> {
    args.get(at..).unwrap_or_default()
}

/// A number of words that is given by the word before them (`numkeys key …`): them, and what follows.
///
/// # Errors
/// When the number is not positive, or more than there are words.
pub fn counted<'c, 'a>(args: Args<'c, 'a>, at: usize) -> Result<(Args<'c, 'a>, Args<'c, 'a>), Refusal> {
    let wanted = count(word(args, at)?)?;
    if wanted == 0 {
        return Err(Refusal::Invalid("a number of keys must be positive"));
    }
    from(args, at.saturating_add(1)).split_at_checked(wanted).ok_or(Refusal::SYNTAX)
}

/// Words taken one after the other.
#[derive(Clone, Debug)]
pub struct Words<'c, 'a>(Args<'c, 'a>);

impl<'c, 'a> Words<'c, 'a> {
    /// The words from a position on.
    #[must_use]
    pub fn new(args: Args<'c, 'a>, at: usize) -> Self {
        Self(from(args, at))
    }

    /// The next word, which must be there.
    ///
    /// # Errors
    /// [`Refusal::SYNTAX`] at the end.
    pub fn need(&mut self) -> Result<&'a [u8], Refusal> {
        self.next().ok_or(Refusal::SYNTAX)
    }

    /// The next word as an integer.
    ///
    /// # Errors
    /// When there is none or it is not an integer.
    pub fn integer(&mut self) -> Result<i64, Refusal> {
        integer(self.need()?)
    }

    /// Does this option come next? Then it is taken.
    pub fn next_is(&mut self, option: &str) -> bool {
        let found = self.0.first().is_some_and(|word| is(word, option));
        if found {
            self.next();
        }
        found
    }

    /// The words that are left.
    #[must_use]
    pub fn rest(&self) -> Args<'c, 'a> {
        self.0
    }
}

impl<'a> Iterator for Words<'_, 'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }
}

/// The range of positions that `start` and `end` mean in a sequence: both included, negative ones from the end.
#[must_use]
pub fn span(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    let total = i64::try_from(len).unwrap_or(i64::MAX);
    let from_end = |at: i64| if at < 0 { at.saturating_add(total).max(-1) } else { at.min(total) };
    let start = usize::try_from(from_end(start).max(0)).unwrap_or(len);
    let end = usize::try_from(from_end(end).saturating_add(1)).unwrap_or(0).min(len);
    start.min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_from_both_ends_and_are_cut_to_what_is_there() {
        assert_eq!(span(0, -1, 3), 0..3);
        assert_eq!(span(-2, -1, 3), 1..3);
        assert_eq!(span(-100, 100, 3), 0..3);
        assert!(span(2, 1, 3).is_empty() && span(5, 9, 3).is_empty() && span(0, -4, 3).is_empty());
        assert_eq!(span(i64::MIN, i64::MAX, 3), 0..3);
        assert!(span(0, -1, 0).is_empty());
    }

    #[test]
    fn counted_words_are_cut_from_the_rest() {
        let args: &[&[u8]] = &[b"ZUNION", b"2", b"a", b"b", b"WEIGHTS"];
        assert_eq!(counted(args, 1).unwrap(), (&args[2..4], &args[4..]));
        for bad in [&b"0"[..], b"-1", b"9", b"x", b"9223372036854775807"] {
            assert!(counted(&[b"ZUNION", bad, b"a"], 1).is_err());
        }
    }
}

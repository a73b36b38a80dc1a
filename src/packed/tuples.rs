//! What a server's deep check asks of a collection's elements beyond their bytes: whole tuples, no member twice,
//! field expiry in order.
//!
//! | collection | arity | first of each tuple |
//! | --- | --- | --- |
//! | set | 1 | member |
//! | hash | 2 | field |
//! | sorted set | 2 | member |
//! | hash with field expiry | 3 | field |
//!
//! Source: Redis `src/rdb.c`, the deep checks of `rdbLoadObject`. Expiry of types 23 and 25 ascends, fields without
//! one come last; shallow checks let a wrong order pass, and then fields do not expire.

use super::{Element, Error, ErrorKind, listpack, ziplist};
use std::num::NonZeroUsize;

/// The greatest expiry time of a hash field that a server takes.
pub const MAX_FIELD_EXPIRY: i64 = (1 << 48) - 1;

/// A walk that knows where its next element begins.
pub trait Walk<'a>: Iterator<Item = Result<Element<'a>, Error>> {
    /// Offset inside the blob of the next element.
    fn next_offset(&self) -> usize;
}

impl<'a> Walk<'a> for listpack::Iter<'a> {
    fn next_offset(&self) -> usize {
        self.offset()
    }
}

impl<'a> Walk<'a> for ziplist::Iter<'a> {
    fn next_offset(&self) -> usize {
        self.offset()
    }
}

/// Whole tuples of `arity` elements, whose first elements differ as text. Gives the number of tuples.
///
/// # Errors
/// The first thing that is wrong: of the walk, a tuple that is not whole, a member that occurs twice.
pub fn verify_unique<'a>(mut walk: impl Walk<'a>, arity: NonZeroUsize) -> Result<usize, Error> {
    let mut members = hashbrown::HashSet::with_hasher(foldhash::fast::RandomState::default());
    loop {
        let start = walk.next_offset();
        let Some(first) = walk.next() else { return Ok(members.len()) };
        if !members.insert(by_text(first?)) {
            return Err(Error::new(start, ErrorKind::DuplicateMember));
        }
        for _ in 1..arity.get() {
            walk.next().unwrap_or_else(|| Err(Error::new(start, ErrorKind::IncompleteTuple)))?;
        }
    }
}

/// Triples (field, value, expiry): every expiry an integer from 0 to [`MAX_FIELD_EXPIRY`], ascending, those that are
/// 0 (none) last.
///
/// # Errors
/// The first thing that is wrong: of the walk, a triple that is not whole, an expiry.
pub fn verify_expiry<'a>(mut walk: impl Walk<'a>) -> Result<(), Error> {
    let mut last = 1;
    loop {
        let start = walk.next_offset();
        let Some(field) = walk.next() else { return Ok(()) };
        field?;
        let incomplete = || Err(Error::new(start, ErrorKind::IncompleteTuple));
        walk.next().unwrap_or_else(incomplete)?;
        let place = walk.next_offset();
        let expiry = walk.next().unwrap_or_else(incomplete)?;
        let Some(expiry @ 0..=MAX_FIELD_EXPIRY) = expiry.as_int() else {
            return Err(Error::new(place, ErrorKind::BadFieldExpiry));
        };
        if expiry != 0 && (last == 0 || expiry < last) {
            return Err(Error::new(place, ErrorKind::UnsortedFieldExpiry));
        }
        last = expiry;
    }
}

/// The form in which elements of the same text are equal.
fn by_text(element: Element<'_>) -> Element<'_> {
    element.as_int().map_or(element, Element::Int)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements<'e>(texts: impl IntoIterator<Item = &'e str>, raw: bool) -> Vec<u8> {
        let mut builder = listpack::Builder::default();
        for text in texts {
            if raw { builder.push_raw_string(text.as_bytes()) } else { builder.push(text.as_bytes()) }
        }
        builder.finish()
    }

    fn unique(blob: &[u8], arity: usize) -> Result<usize, ErrorKind> {
        let walk = listpack::Listpack::new(blob).unwrap().iter();
        verify_unique(walk, NonZeroUsize::new(arity).unwrap()).map_err(|error| error.kind)
    }

    fn expiry(texts: &[&str]) -> Result<(), ErrorKind> {
        let blob = elements(texts.iter().copied(), false);
        verify_expiry(listpack::Listpack::new(&blob).unwrap().iter()).map_err(|error| error.kind)
    }

    #[test]
    fn a_member_must_not_occur_twice() {
        let blob = elements(["a", "1", "b", "1"], false);
        assert_eq!(unique(&blob, 2), Ok(2));
        assert_eq!(unique(&blob, 1), Err(ErrorKind::DuplicateMember));
        assert_eq!(unique(&blob, 3), Err(ErrorKind::IncompleteTuple));
        assert_eq!(unique(&elements([], false), 2), Ok(0));
    }

    #[test]
    fn an_integer_and_its_text_are_one_member() {
        let mut builder = listpack::Builder::default();
        builder.push_int(12);
        builder.push_raw_string(b"12");
        assert_eq!(unique(&builder.finish(), 1), Err(ErrorKind::DuplicateMember));
        assert_eq!(unique(&elements(["12", "012"], true), 1), Ok(2));
    }

    #[test]
    fn field_expiry_ascends_and_fields_without_come_last() {
        assert_eq!(expiry(&[]), Ok(()));
        assert_eq!(expiry(&["a", "1", "5", "b", "1", "5", "c", "1", "9", "d", "1", "0", "e", "1", "0"]), Ok(()));
        assert_eq!(expiry(&["a", "1", "5", "b", "1", "4"]), Err(ErrorKind::UnsortedFieldExpiry));
        assert_eq!(expiry(&["a", "1", "0", "b", "1", "4"]), Err(ErrorKind::UnsortedFieldExpiry));
        assert_eq!(expiry(&["a", "1", "281474976710655"]), Ok(()));
        assert_eq!(expiry(&["a", "1", "281474976710656"]), Err(ErrorKind::BadFieldExpiry));
        assert_eq!(expiry(&["a", "1", "-1"]), Err(ErrorKind::BadFieldExpiry));
        assert_eq!(expiry(&["a", "1", "x"]), Err(ErrorKind::BadFieldExpiry));
        assert_eq!(expiry(&["a", "1"]), Err(ErrorKind::IncompleteTuple));
        assert_eq!(expiry(&["a"]), Err(ErrorKind::IncompleteTuple));
    }

    #[test]
    fn a_duplicate_is_named_with_its_place() {
        let mut builder = ziplist::Builder::new();
        builder.push(b"a");
        builder.push(b"a");
        let blob = builder.finish();
        let error = verify_unique(ziplist::Ziplist::new(&blob).unwrap().iter(), NonZeroUsize::MIN).unwrap_err();
        assert_eq!((error.offset, error.code()), (13, "packed-duplicate-member"));
    }
}

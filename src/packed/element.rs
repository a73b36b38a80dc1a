//! What stands at one place of a packed blob.

use crate::value::number::canonical_int;

/// An element of a listpack or ziplist: bytes of the blob, or an integer that stands for its decimal text.
///
/// Comparison is by representation: `Bytes(b"12")` is not `Int(12)`, although both mean the text `12`.
/// Compare meanings with [`Element::same_text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element<'a> {
    /// Bytes as they stand in the blob.
    Bytes(&'a [u8]),
    /// An integer; its value is its canonical decimal text.
    Int(i64),
}

impl<'a> Element<'a> {
    /// The text: the bytes themselves, or the integer written into `buffer`.
    #[must_use]
    #[inline]
    pub fn text<'t>(self, buffer: &'t mut itoa::Buffer) -> &'t [u8]
    where
        'a: 't,
    {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Int(value) => buffer.format(value).as_bytes(),
        }
    }

    /// The length of the text, found without writing it.
    #[must_use]
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Int(value) => decimal_len(value),
        }
    }

    /// True when the text is empty.
    #[must_use]
    #[inline]
    pub fn is_empty(self) -> bool {
        matches!(self, Self::Bytes([]))
    }

    /// The integer that the element is, or whose canonical text it holds.
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        match self {
            Self::Bytes(bytes) => canonical_int(bytes),
            Self::Int(value) => Some(value),
        }
    }

    /// True when both mean the same text, however they are stored.
    #[must_use]
    pub fn same_text(self, other: Element<'_>) -> bool {
        match (self, other) {
            (Self::Bytes(a), Element::Bytes(b)) => a == b,
            (Self::Int(a), Element::Int(b)) => a == b,
            (Self::Int(value), Element::Bytes(bytes)) | (Self::Bytes(bytes), Element::Int(value)) => {
                canonical_int(bytes) == Some(value)
            }
        }
    }
}

fn decimal_len(value: i64) -> usize {
    let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log.saturating_add(1));
    usize::try_from(digits).unwrap_or(0).saturating_add(usize::from(value < 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_and_integers_of_one_text_are_the_same_text() {
        assert!(Element::Int(12).same_text(Element::Bytes(b"12")));
        assert!(Element::Bytes(b"-7").same_text(Element::Int(-7)));
        assert!(!Element::Bytes(b"012").same_text(Element::Int(12)));
        assert_ne!(Element::Int(12), Element::Bytes(b"12"));
        assert!(Element::Bytes(b"").is_empty() && !Element::Int(0).is_empty());
        assert_eq!(Element::Bytes(b"12").as_int(), Some(12));
    }

    proptest! {
        #[test]
        fn the_text_of_an_integer_is_canonical_and_its_length_is_known(value: i64, shift in 0_u32..64) {
            let value = value >> shift;
            let mut buffer = itoa::Buffer::new();
            let text = Element::Int(value).text(&mut buffer);
            prop_assert_eq!(canonical_int(text), Some(value));
            prop_assert_eq!(Element::Int(value).len(), text.len());
        }
    }
}

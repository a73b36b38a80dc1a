//! Byte strings that do not copy what they can borrow.

use std::ops::Deref;

/// The longest text kept inside a [`Blob`] itself: every 64-bit integer fits.
const INLINE: usize = 22;

/// A byte string: a slice of the input, a short text kept in place, or bytes of its own. 24 bytes.
#[derive(Clone)]
pub struct Blob<'a>(Repr<'a>);

#[derive(Clone)]
enum Repr<'a> {
    Borrowed(&'a [u8]),
    Owned(Box<[u8]>),
    Inline(u8, [u8; INLINE]),
}

impl<'a> Blob<'a> {
    /// Borrow from the input.
    #[must_use]
    #[inline]
    pub fn borrowed(bytes: &'a [u8]) -> Self {
        Self(Repr::Borrowed(bytes))
    }

    /// Bytes of its own, in place when they are few.
    #[must_use]
    pub fn copied(bytes: &[u8]) -> Self {
        let mut text = [0; INLINE];
        match (text.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(room), Ok(len)) => {
                room.copy_from_slice(bytes);
                Self(Repr::Inline(len, text))
            }
            _ => Self(Repr::Owned(bytes.into())),
        }
    }

    /// Keep a slice of the input: in place when it is short, which spares a look into the input each time
    /// it is compared, else borrowed.
    #[must_use]
    #[inline]
    pub fn near(bytes: &'a [u8]) -> Self {
        if bytes.len() <= INLINE { Self::copied(bytes) } else { Self::borrowed(bytes) }
    }

    /// The decimal text of an integer.
    #[must_use]
    pub fn integer(value: i64) -> Self {
        Self::copied(itoa::Buffer::new().format(value).as_bytes())
    }

    /// The bytes.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Borrowed(bytes) => bytes,
            Repr::Owned(bytes) => bytes,
            Repr::Inline(len, text) => text.get(..usize::from(*len)).unwrap_or_default(),
        }
    }

    /// Are the bytes kept in place?
    #[must_use]
    #[inline]
    pub fn is_inline(&self) -> bool {
        matches!(self.0, Repr::Inline(..))
    }

    /// The slice of the input behind it, when it is one.
    #[must_use]
    pub fn input(&self) -> Option<&'a [u8]> {
        match self.0 {
            Repr::Borrowed(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Bytes on the heap that this blob owns.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Owned(bytes) => bytes.len(),
            _ => 0,
        }
    }

    /// The bytes as a vector, without a copy when they are owned.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Repr::Owned(bytes) => bytes.into_vec(),
            _ => self.as_bytes().to_vec(),
        }
    }
}

impl Default for Blob<'_> {
    fn default() -> Self {
        Self(Repr::Borrowed(&[]))
    }
}

impl From<Vec<u8>> for Blob<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() <= INLINE { Self::copied(&bytes) } else { Self(Repr::Owned(bytes.into())) }
    }
}

impl Deref for Blob<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Blob<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl std::borrow::Borrow<[u8]> for Blob<'_> {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Blob<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Blob<'_> {}

impl PartialOrd for Blob<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Blob<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl std::hash::Hash for Blob<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl std::fmt::Debug for Blob<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.as_bytes().escape_ascii())
    }
}

/// Bytes met while a value is walked: a slice of the input that can be kept, or one of a scratch buffer
/// (decompressed, or an integer's text) that is gone after the next step.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a, 'e> {
    /// A slice of the input.
    Input(&'a [u8]),
    /// A slice of a buffer that will be used again.
    Passing(&'e [u8]),
}

impl<'a> Piece<'a, '_> {
    /// To keep: borrowed where it can be, else copied.
    #[must_use]
    pub fn to_blob(self) -> Blob<'a> {
        match self {
            Self::Input(bytes) => Blob::borrowed(bytes),
            Self::Passing(bytes) => Blob::copied(bytes),
        }
    }
}

impl Deref for Piece<'_, '_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        match *self {
            Self::Input(bytes) => bytes,
            Self::Passing(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_three_words_and_equal_by_content() {
        assert_eq!(size_of::<Blob<'_>>(), 24);
        assert_eq!(Blob::integer(i64::MIN).as_bytes(), b"-9223372036854775808");
        assert_eq!(Blob::integer(7), Blob::borrowed(b"7"));
        assert_eq!(Blob::copied(&[b'x'; 100]).heap_bytes(), 100);
        assert_eq!(Blob::from(b"abc".to_vec()).heap_bytes(), 0);
        assert!(Blob::borrowed(b"a") < Blob::copied(b"ab"));
        assert_eq!(Blob::copied(b"abc").into_vec(), b"abc");
        assert_eq!(Piece::Passing(b"q").to_blob(), Piece::Input(b"q").to_blob());
    }
}

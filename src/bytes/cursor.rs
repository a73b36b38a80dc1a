//! A window of the input that knows where it is.

/// Checked reads from a slice. Never panics, never copies; every window still knows its absolute offset.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    offset: u64,
}

/// The input ended inside something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncated {
    /// Where the read began.
    pub offset: u64,
    /// How many bytes were asked for.
    pub wanted: u64,
    /// How many were left.
    pub available: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor over a whole input.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// A cursor over a part of an input that begins at absolute `offset`.
    #[must_use]
    pub fn at(bytes: &'a [u8], offset: u64) -> Self {
        Self { rest: bytes, offset }
    }

    /// The absolute offset of the next byte.
    #[must_use]
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// All bytes not read yet.
    #[must_use]
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes are left.
    #[must_use]
    #[inline]
    pub fn remaining(&self) -> u64 {
        self.rest.len() as u64
    }

    /// True at the end.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte, left in place.
    #[must_use]
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left; the cursor stays where it was.
    #[inline]
    pub fn take(&mut self, len: u64) -> Result<&'a [u8], Truncated> {
        let split = usize::try_from(len).ok().and_then(|n| self.rest.split_at_checked(n));
        let Some((head, rest)) = split else {
            return Err(self.short_of(len));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(len);
        Ok(head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    #[inline]
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        let Some((&first, rest)) = self.rest.split_first() else {
            return Err(self.short_of(1));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(1);
        Ok(first)
    }

    /// The next `N` bytes as an array, for the integer types' `from_le_bytes` and `from_be_bytes`.
    ///
    /// # Errors
    /// [`Truncated`] when fewer are left.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let Some((head, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.short_of(N as u64));
        };
        self.rest = rest;
        self.offset = self.offset.saturating_add(N as u64);
        Ok(*head)
    }

    /// The bytes read since `earlier`, which must be an older copy of this cursor (else: nothing).
    #[must_use]
    #[inline]
    pub fn since(&self, earlier: &Cursor<'a>) -> &'a [u8] {
        let read = earlier.rest.len().saturating_sub(self.rest.len());
        earlier.rest.get(..read).unwrap_or_default()
    }

    #[cold]
    fn short_of(&self, wanted: u64) -> Truncated {
        Truncated { offset: self.offset, wanted, available: self.remaining() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_read_moves_nothing_and_tells_where() {
        let mut c = Cursor::at(b"abc", 100);
        assert_eq!(c.u8().unwrap(), b'a');
        let before = c;
        assert_eq!(c.take(3), Err(Truncated { offset: 101, wanted: 3, available: 2 }));
        assert_eq!(c.array::<4>(), Err(Truncated { offset: 101, wanted: 4, available: 2 }));
        assert_eq!(c.take(u64::MAX).unwrap_err().wanted, u64::MAX);
        assert_eq!(c.take(2).unwrap(), b"bc");
        assert_eq!(c.since(&before), b"bc");
        assert!(c.is_empty() && c.u8().is_err());
    }
}

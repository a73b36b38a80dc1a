//! Output that is counted, and summed where a trailer wants it.

use std::fmt;
use std::io::{self, Write};

use super::crc64::Jones;

/// The buffer is handed on when it holds this much: a block that the checksum is fast with.
pub(crate) const BLOCK: usize = 256 << 10;

/// Collects bytes in blocks, sums them and hands them on.
///
/// Putting bytes never fails. The first error of the stream behind is kept, what comes after it is dropped, and
/// [`Sink::settle`] and [`Sink::finish`] report it.
pub struct Sink<W> {
    stream: W,
    buffer: Vec<u8>,
    block: usize,
    sum: Option<Jones>,
    handed_on: u64,
    failed: Option<io::Error>,
}

impl<W> fmt::Debug for Sink<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("handed_on", &self.handed_on).field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl<W: Write> Sink<W> {
    /// Bytes that are only counted.
    pub fn new(stream: W) -> Self {
        Self { stream, buffer: Vec::new(), block: BLOCK, sum: None, handed_on: 0, failed: None }
    }

    /// Bytes that are summed as well.
    pub fn summed(stream: W) -> Self {
        Self { sum: Some(Jones::default()), ..Self::new(stream) }
    }

    /// The same with a smaller buffer, for one of very many.
    #[must_use]
    pub fn in_blocks_of(mut self, bytes: usize) -> Self {
        self.block = bytes.clamp(1, BLOCK);
        self
    }

    /// How many bytes were put.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.handed_on.saturating_add(self.buffer.len() as u64)
    }

    /// Add bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        if bytes.len() >= self.block {
            self.hand_on();
            for block in bytes.chunks(BLOCK) {
                self.hand_on_block(block);
            }
            return;
        }
        self.buffer.extend_from_slice(bytes);
        self.hand_on_when_full();
    }

    /// Add bytes by appending them to a vector.
    #[inline]
    pub fn put_with<T>(&mut self, append: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let answer = append(&mut self.buffer);
        self.hand_on_when_full();
        answer
    }

    /// Report the first error, if there was one.
    ///
    /// # Errors
    /// What the stream refused.
    pub fn settle(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// The sum of everything put so far; 0 for a sink that only counts.
    pub fn sum(&mut self) -> u64 {
        self.hand_on();
        self.sum.as_ref().map_or(0, Jones::value)
    }

    /// Hand everything on. Gives the stream back, and the number of bytes.
    ///
    /// # Errors
    /// What the stream refused.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        self.hand_on();
        self.settle()?;
        self.stream.flush()?;
        Ok((self.stream, self.handed_on))
    }

    #[inline]
    fn hand_on_when_full(&mut self) {
        if self.buffer.len() >= self.block {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        let mut full = std::mem::take(&mut self.buffer);
        self.hand_on_block(&full);
        full.clear();
        self.buffer = full;
    }

    fn hand_on_block(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Some(sum) = &mut self.sum {
            sum.update(bytes);
        }
        self.handed_on = self.handed_on.saturating_add(bytes.len() as u64);
        if self.failed.is_none() {
            self.failed = self.stream.write_all(bytes).err();
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test")]
mod tests {
    use super::*;
    use crate::bytes::crc64;

    #[test]
    fn pieces_of_any_size_come_out_in_order_with_their_sum() {
        let mut out = Vec::new();
        let mut sink = Sink::summed(&mut out);
        let mut expected = Vec::new();
        for (n, len) in [1, BLOCK - 1, 5, BLOCK, 3 * BLOCK + 7, 0, 2].into_iter().enumerate() {
            let piece = vec![u8::try_from(n).unwrap(); len];
            sink.put(&piece);
            expected.extend_from_slice(&piece);
            assert_eq!(sink.written(), expected.len() as u64);
        }
        sink.put_with(|buffer| buffer.extend_from_slice(b"tail"));
        expected.extend_from_slice(b"tail");
        assert_eq!(sink.sum(), crc64::jones(&expected));
        assert_eq!(sink.finish().unwrap().1, expected.len() as u64);
        assert_eq!(out, expected);
    }

    #[test]
    fn the_first_error_is_reported_and_nothing_is_written_after_it() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut disk = Full(BLOCK + 10);
        let mut sink = Sink::new(&mut disk);
        sink.put(&vec![0; BLOCK]);
        assert!(sink.settle().is_ok());
        sink.put(&vec![0; 2 * BLOCK]);
        sink.put(b"after");
        assert_eq!(sink.settle().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}

use super::{HEADER, LONG_PREVLEN, TERMINATOR, UNKNOWN};
use crate::packed::Element;
use crate::value::number::canonical_int;

/// Writes a ziplist as Redis 6.2 would: canonical integers as integers, each in its shortest form.
#[derive(Debug, Clone)]
pub struct Builder {
    bytes: Vec<u8>,
    count: usize,
    /// Where the last entry begins.
    tail: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// An empty ziplist.
    #[must_use]
    pub fn new() -> Self {
        Self { bytes: vec![0; HEADER], count: 0, tail: HEADER }
    }

    /// Begin again, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.truncate(HEADER);
        self.count = 0;
        self.tail = HEADER;
    }

    /// Bytes of the ziplist as it stands, header and terminator included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len().saturating_add(1)
    }

    /// Entries so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// True when nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Add an entry: as an integer when the text is one.
    pub fn push(&mut self, text: &[u8]) {
        match canonical_int(text) {
            Some(value) => self.push_int(value),
            None => self.push_raw_string(text),
        }
    }

    /// Add an element of another blob. Text of an integer becomes an integer.
    pub fn push_element(&mut self, element: Element<'_>) {
        match element {
            Element::Bytes(text) => self.push(text),
            Element::Int(value) => self.push_int(value),
        }
    }

    /// Add an integer.
    pub fn push_int(&mut self, value: i64) {
        self.begin_entry();
        if let Ok(immediate @ 0..=12) = u8::try_from(value) {
            self.bytes.push(immediate.saturating_add(0xf1));
        } else if let Ok(byte) = i8::try_from(value) {
            self.push_coded(0xfe, &byte.to_le_bytes());
        } else if let Ok(short) = i16::try_from(value) {
            self.push_coded(0xc0, &short.to_le_bytes());
        } else if let Ok(word) = i32::try_from(value) {
            match word {
                -0x80_0000..=0x7f_ffff => {
                    let [a, b, c, _] = word.to_le_bytes();
                    self.push_coded(0xf0, &[a, b, c]);
                }
                _ => self.push_coded(0xd0, &word.to_le_bytes()),
            }
        } else {
            self.push_coded(0xe0, &value.to_le_bytes());
        }
    }

    /// Add bytes as a string even when they are an integer's text.
    ///
    /// Bytes beyond 4 GiB, which the format cannot hold, are left out.
    pub fn push_raw_string(&mut self, text: &[u8]) {
        let Ok(len) = u32::try_from(text.len()) else { return };
        self.begin_entry();
        let [_, _, high, low] = len.to_be_bytes();
        match len {
            0..=63 => self.bytes.push(low),
            64..=16_383 => self.bytes.extend_from_slice(&[0x40 | high, low]),
            _ => self.push_coded(0x80, &len.to_be_bytes()),
        }
        self.bytes.extend_from_slice(text);
    }

    /// Add an entry as it is encoded elsewhere, without its prevlen.
    pub(crate) fn push_encoded(&mut self, encoded: &[u8]) {
        self.begin_entry();
        self.bytes.extend_from_slice(encoded);
    }

    /// Write the size of the entry before, and note where the new one begins.
    fn begin_entry(&mut self) {
        let start = self.bytes.len();
        let previous = start.saturating_sub(self.tail);
        match u8::try_from(previous) {
            Ok(short) if short < LONG_PREVLEN => self.bytes.push(short),
            _ => self.push_coded(LONG_PREVLEN, &u32::try_from(previous).unwrap_or(u32::MAX).to_le_bytes()),
        }
        self.tail = start;
        self.count = self.count.saturating_add(1);
    }

    fn push_coded(&mut self, code: u8, data: &[u8]) {
        self.bytes.push(code);
        self.bytes.extend_from_slice(data);
    }

    /// The ziplist. The builder keeps what it holds; see [`Builder::clear`].
    #[must_use]
    pub fn finish(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.len());
        self.finish_into(&mut blob);
        blob
    }

    /// Append the ziplist to `out`.
    pub fn finish_into(&self, out: &mut Vec<u8>) {
        let total = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let tail = u32::try_from(self.tail).unwrap_or(u32::MAX);
        let count = u16::try_from(self.count).unwrap_or(UNKNOWN);
        out.extend_from_slice(&total.to_le_bytes());
        out.extend_from_slice(&tail.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(self.bytes.get(HEADER..).unwrap_or_default());
        out.push(TERMINATOR);
    }
}

use super::{Backlen, HEADER, Iter, SHORTEST, TERMINATOR, UNKNOWN};
use crate::packed::Element;
use crate::value::number::canonical_int;

/// Writes a listpack as a server would: canonical integers as integers, each in its shortest form.
#[derive(Debug, Clone)]
pub struct Builder {
    bytes: Vec<u8>,
    count: usize,
    backlen: Backlen,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new(Backlen::default())
    }
}

impl Builder {
    /// An empty listpack for servers that write backlens this way.
    #[must_use]
    pub fn new(backlen: Backlen) -> Self {
        Self { bytes: vec![0; HEADER], count: 0, backlen }
    }

    /// Begin again, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.truncate(HEADER);
        self.count = 0;
    }

    /// Bytes of the listpack as it stands, header and terminator included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len().saturating_add(1)
    }

    /// Elements so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// True when nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Add an element: as an integer when the text is one.
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
        let start = self.bytes.len();
        if let Ok(small @ 0..=127) = u8::try_from(value) {
            self.bytes.push(small);
        } else if let Ok(short @ -4096..=4095) = i16::try_from(value) {
            let [high, low] = short.to_be_bytes();
            self.bytes.extend_from_slice(&[0xc0 | high & 0x1f, low]);
        } else if let Ok(short) = i16::try_from(value) {
            self.push_coded(0xf1, &short.to_le_bytes());
        } else if let Ok(word) = i32::try_from(value) {
            match word {
                -0x80_0000..=0x7f_ffff => {
                    let [a, b, c, _] = word.to_le_bytes();
                    self.push_coded(0xf2, &[a, b, c]);
                }
                _ => self.push_coded(0xf3, &word.to_le_bytes()),
            }
        } else {
            self.push_coded(0xf4, &value.to_le_bytes());
        }
        self.finish_element(start);
    }

    /// Add bytes as a string even when they are an integer's text. Servers read that, but never find it.
    ///
    /// Bytes beyond 4 GiB, which the format cannot hold, are left out; servers stop at 1 GiB.
    pub fn push_raw_string(&mut self, text: &[u8]) {
        let start = self.bytes.len();
        let Ok(len) = u32::try_from(text.len()) else { return };
        match len {
            0..=63 => self.bytes.push(0x80 | len.to_le_bytes()[0]),
            64..=4095 => {
                let [.., high, low] = len.to_be_bytes();
                self.bytes.extend_from_slice(&[0xe0 | high, low]);
            }
            _ => self.push_coded(0xf0, &len.to_le_bytes()),
        }
        self.bytes.extend_from_slice(text);
        self.finish_element(start);
    }

    /// Add an element as it is encoded elsewhere, without its backlen.
    pub(crate) fn push_encoded(&mut self, encoded: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(encoded);
        self.finish_element(start);
    }

    /// The elements pushed so far.
    pub(in crate::packed) fn iter(&self) -> impl Iterator<Item = Element<'_>> {
        let body = self.bytes.get(HEADER..).unwrap_or_default();
        Iter { rest: body, end: self.bytes.len() }.map_while(Result::ok)
    }

    /// Bytes of header and terminator.
    pub(in crate::packed) fn framing(&self) -> usize {
        SHORTEST
    }

    /// Add all elements of `other`, which must write backlens the same way.
    pub(in crate::packed) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(other.bytes.get(HEADER..).unwrap_or_default());
        self.count = self.count.saturating_add(other.count);
    }

    fn push_coded(&mut self, code: u8, data: &[u8]) {
        self.bytes.push(code);
        self.bytes.extend_from_slice(data);
    }

    fn finish_element(&mut self, start: usize) {
        let size = self.bytes.len().saturating_sub(start);
        for group in (0..self.backlen.width(size)).rev() {
            let shift = u32::try_from(group).unwrap_or(0).saturating_mul(7);
            let bits = (size as u64).checked_shr(shift).unwrap_or(0).to_le_bytes()[0] & 127;
            let first = group.saturating_add(1) == self.backlen.width(size);
            self.bytes.push(if first { bits } else { bits | 128 });
        }
        self.count = self.count.saturating_add(1);
    }

    /// The listpack. The builder keeps what it holds; see [`Builder::clear`].
    #[must_use]
    pub fn finish(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.len());
        self.finish_into(&mut blob);
        blob
    }

    /// Append the listpack to `out`.
    pub fn finish_into(&self, out: &mut Vec<u8>) {
        let total = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let count = u16::try_from(self.count).unwrap_or(UNKNOWN);
        out.extend_from_slice(&total.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(self.bytes.get(HEADER..).unwrap_or_default());
        out.push(TERMINATOR);
    }
}

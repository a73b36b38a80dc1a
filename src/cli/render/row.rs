//! A line per key.

use super::{escape, text};
use careen::inspect::keys::Row;
use careen::value::{Kind, json};

/// `db type encoding length bytes ttl key`, between tabs.
#[inline(always)]
pub(crate) fn text(row: &Row<'_>, out: &mut Vec<u8>) {
    let mut front = Front::new(out);
    front.natural(row.db.0.into());
    // Most keys are strings, and a text of known length is copied without a call.
    match (row.kind, row.encoding) {
        (Kind::String, "raw") => front.push(b"\tstring\traw\t"),
        (Kind::String, "int") => front.push(b"\tstring\tint\t"),
        (kind, encoding) => {
            front.push(b"\t");
            front.push(kind.name().as_bytes());
            front.push(b"\t");
            front.push(encoding.as_bytes());
            front.push(b"\t");
        }
    }
    front.natural(row.length);
    front.push(b"\t");
    front.natural(row.bytes);
    front.push(if row.expiry.is_some() { b"\t" } else { b"\t-\t" });
    front.finish();
    if let Some(at) = row.expiry {
        text::push_time(at, out);
        out.push(b'\t');
    }
    name(row, out);
}

/// Room made at once for the front of a line.
const FRONT: usize = 64;

/// The front of a line, put together in room made for it at once: a vector would look for room with each small piece.
struct Front<'o> {
    out: &'o mut Vec<u8>,
    /// Where the next piece goes.
    at: usize,
}

impl<'o> Front<'o> {
    /// The digits of numbers below 100.
    const SMALL: [([u8; 2], u8); 100] = Self::small();

    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "a constant, computed by the compiler"
    )]
    const fn small() -> [([u8; 2], u8); 100] {
        let mut table = [([0; 2], 0); 100];
        let mut value = 0;
        while value < table.len() {
            let (tens, ones) = (b'0' + (value / 10) as u8, b'0' + (value % 10) as u8);
            table[value] = if value < 10 { ([ones, 0], 1) } else { ([tens, ones], 2) };
            value += 1;
        }
        table
    }

    #[inline(always)]
    fn new(out: &'o mut Vec<u8>) -> Self {
        let at = out.len();
        out.resize(at.saturating_add(FRONT), 0);
        Self { out, at }
    }

    #[inline(always)]
    fn push(&mut self, piece: &[u8]) {
        self.place(piece, piece.len());
    }

    /// A count or a length: mostly small, of one or two digits, which no branch should have to guess.
    #[inline(always)]
    fn natural(&mut self, value: u64) {
        match usize::try_from(value).ok().and_then(|value| Self::SMALL.get(value)) {
            Some((digits, len)) => self.place(digits, (*len).into()),
            None => self.push(itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    /// Copy a piece of which the first `len` bytes are wanted.
    #[inline(always)]
    fn place(&mut self, piece: &[u8], len: usize) {
        match self.out.get_mut(self.at..self.at.saturating_add(piece.len())) {
            Some(room) => room.copy_from_slice(piece),
            None => self.outgrow(piece),
        }
        self.at = self.at.saturating_add(len);
    }

    /// The room does not do: what is left of it is given back, and pieces are appended.
    #[cold]
    fn outgrow(&mut self, piece: &[u8]) {
        self.out.truncate(self.at);
        self.out.extend_from_slice(piece);
    }

    #[inline(always)]
    fn finish(self) {
        self.out.truncate(self.at);
    }
}

/// The key alone.
pub(crate) fn name(row: &Row<'_>, out: &mut Vec<u8>) {
    escape::push(row.key, out);
    out.push(b'\n');
}

/// One JSON object per line.
pub(crate) fn jsonl(row: &Row<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"db\":");
    json::integer(row.db.0, out);
    out.extend_from_slice(b",\"key\":");
    json::bytes(row.key, out);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(row.kind.name().as_bytes());
    out.extend_from_slice(b"\",\"encoding\":\"");
    out.extend_from_slice(row.encoding.as_bytes());
    out.extend_from_slice(b"\",\"length\":");
    json::integer(row.length, out);
    out.extend_from_slice(b",\"bytes\":");
    json::integer(row.bytes, out);
    out.extend_from_slice(b",\"expires_at_ms\":");
    json::optional(row.expiry.map(|at| at.0), out);
    out.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use careen::value::{DbIndex, UnixMillis};

    fn shown(db: u32, encoding: &'static str, length: u64, expiry: Option<i64>) -> String {
        let expiry = expiry.map(UnixMillis);
        let row = Row { db: DbIndex(db), key: b"k", kind: Kind::String, encoding, length, bytes: length, expiry };
        let mut out = b"before\n".to_vec();
        text(&row, &mut out);
        String::from_utf8(out.split_off(7)).unwrap()
    }

    #[test]
    fn a_line_is_the_same_whether_there_is_room_for_its_front_or_not() {
        assert_eq!(shown(0, "raw", 0, None), "0\tstring\traw\t0\t0\t-\tk\n");
        assert_eq!(shown(9, "int", 10, None), "9\tstring\tint\t10\t10\t-\tk\n");
        assert_eq!(shown(10, "lzf", 99, Some(0)), "10\tstring\tlzf\t99\t99\t1970-01-01T00:00:00.000Z\tk\n");
        let (max, long) = (u64::MAX, "an-encoding-of-a-very-long-name-that-fills-the-line");
        assert_eq!(shown(100, long, max, None), format!("100\tstring\t{long}\t{max}\t{max}\t-\tk\n"));
    }
}

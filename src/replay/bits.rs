//! Bitmaps: `SETBIT`, `BITOP`, `BITFIELD` on plain bytes. Bit 0 is the most significant bit of byte 0.

use crate::value::number::canonical_int;

/// Set one bit, growing the string with zero bytes.
pub(crate) fn set_bit(bytes: &mut Vec<u8>, offset: u64, on: bool) {
    grow(bytes, offset);
    write_bit(bytes, offset, on);
}

/// How long a string must be to hold a bit.
#[must_use]
pub(crate) fn length_for(offset: u64) -> usize {
    usize::try_from(offset / 8).unwrap_or(usize::MAX).saturating_add(1)
}

fn grow(bytes: &mut Vec<u8>, offset: u64) {
    if bytes.len() < length_for(offset) {
        bytes.resize(length_for(offset), 0);
    }
}

fn place(offset: u64) -> (usize, u8) {
    (usize::try_from(offset / 8).unwrap_or(usize::MAX), 0x80 >> (offset % 8))
}

fn read_bit(bytes: &[u8], offset: u64) -> bool {
    let (at, mask) = place(offset);
    bytes.get(at).is_some_and(|byte| byte & mask != 0)
}

fn write_bit(bytes: &mut [u8], offset: u64, on: bool) {
    let (at, mask) = place(offset);
    if let Some(byte) = bytes.get_mut(at) {
        *byte = if on { *byte | mask } else { *byte & !mask };
    }
}

/// The operation of a `BITOP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BitOp {
    /// Bits set in all sources.
    And,
    /// Bits set in any source.
    Or,
    /// Bits set in an odd number of sources.
    Xor,
    /// Bits not set in the one source.
    Not,
    /// Bits of the first source that no other has (Redis 8.2).
    Diff,
    /// Bits of the others that the first does not have (Redis 8.2).
    Diff1,
    /// Bits of the first that some other has (Redis 8.2).
    AndOr,
    /// Bits set in exactly one source (Redis 8.2).
    One,
}

impl BitOp {
    /// The operation of a name, in any case.
    #[must_use]
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        let known = [
            ("AND", Self::And),
            ("OR", Self::Or),
            ("XOR", Self::Xor),
            ("NOT", Self::Not),
            ("DIFF", Self::Diff),
            ("DIFF1", Self::Diff1),
            ("ANDOR", Self::AndOr),
            ("ONE", Self::One),
        ];
        known.into_iter().find(|(word, _)| name.eq_ignore_ascii_case(word.as_bytes())).map(|(_, op)| op)
    }

    /// Does it take this many sources?
    #[must_use]
    pub(crate) fn takes(self, sources: usize) -> bool {
        match self {
            Self::Not => sources == 1,
            Self::Diff | Self::Diff1 | Self::AndOr => sources >= 2,
            _ => sources >= 1,
        }
    }

    /// The result, as long as the longest source; shorter ones count as followed by zero bytes.
    #[must_use]
    pub(crate) fn apply(self, sources: &[&[u8]]) -> Vec<u8> {
        let Some((first, others)) = sources.split_first() else {
            return Vec::new();
        };
        let longest = sources.iter().map(|source| source.len()).max().unwrap_or(0);
        let mut result = first.to_vec();
        result.resize(longest, 0);
        match self {
            Self::And => others.iter().for_each(|other| combine(&mut result, other, |a, b| a & b)),
            Self::Or => others.iter().for_each(|other| combine(&mut result, other, |a, b| a | b)),
            Self::Xor => others.iter().for_each(|other| combine(&mut result, other, |a, b| a ^ b)),
            Self::Not => result.iter_mut().for_each(|byte| *byte = !*byte),
            Self::Diff => combine(&mut result, &union(others, longest), |x, y| x & !y),
            Self::Diff1 => combine(&mut result, &union(others, longest), |x, y| y & !x),
            Self::AndOr => combine(&mut result, &union(others, longest), |x, y| x & y),
            Self::One => {
                let mut repeated = vec![0; longest];
                for other in others {
                    let seen = result.iter().zip(other.iter().chain(std::iter::repeat(&0)));
                    repeated.iter_mut().zip(seen).for_each(|(twice, (once, new))| *twice |= once & new);
                    combine(&mut result, other, |a, b| a | b);
                }
                combine(&mut result, &repeated, |any, twice| any & !twice);
            }
        }
        result
    }
}

fn union(sources: &[&[u8]], longest: usize) -> Vec<u8> {
    let mut result = vec![0; longest];
    sources.iter().for_each(|source| combine(&mut result, source, |a, b| a | b));
    result
}

fn combine(result: &mut [u8], other: &[u8], op: fn(u8, u8) -> u8) {
    let padded = other.iter().chain(std::iter::repeat(&0));
    result.iter_mut().zip(padded).for_each(|(byte, other)| *byte = op(*byte, *other));
}

/// What happens to a value that does not fit its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Overflow {
    /// The lower bits remain.
    #[default]
    Wrap,
    /// The nearest value that fits.
    Sat,
    /// The field stays as it is.
    Fail,
}

/// Type and place of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    signed: bool,
    bits: u32,
    offset: u64,
}

/// One writing step of a `BITFIELD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldWrite {
    field: Field,
    value: i64,
    increment: bool,
    overflow: Overflow,
}

/// The words of a `BITFIELD` after its key as the writes they ask for; `None` when a server would refuse them.
#[must_use]
pub(crate) fn parse_bitfield(words: &[&[u8]]) -> Option<Vec<FieldWrite>> {
    let mut writes = Vec::new();
    let mut overflow = Overflow::default();
    let mut rest = words;
    loop {
        rest = match rest {
            [] => return Some(writes),
            [name, kind, offset, after @ ..] if name.eq_ignore_ascii_case(b"GET") => {
                Field::parse(kind, offset)?;
                after
            }
            [name, kind, offset, value, after @ ..] if is_write(name) => {
                let (field, value) = (Field::parse(kind, offset)?, canonical_int(value)?);
                let increment = name.eq_ignore_ascii_case(b"INCRBY");
                writes.push(FieldWrite { field, value, increment, overflow });
                after
            }
            [name, how, after @ ..] if name.eq_ignore_ascii_case(b"OVERFLOW") => {
                overflow = parse_overflow(how)?;
                after
            }
            _ => return None,
        }
    }
}

fn is_write(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"SET") || name.eq_ignore_ascii_case(b"INCRBY")
}

fn parse_overflow(word: &[u8]) -> Option<Overflow> {
    let known = [("WRAP", Overflow::Wrap), ("SAT", Overflow::Sat), ("FAIL", Overflow::Fail)];
    known.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes())).map(|(_, how)| how)
}

/// The length that the string grows to before any step is done, also for steps that fail later; `None` without writes.
#[must_use]
pub(crate) fn bitfield_length(writes: &[FieldWrite]) -> Option<usize> {
    writes.iter().map(|write| length_for(write.field.last())).max()
}

/// Do the writes of a `BITFIELD`.
pub(crate) fn bitfield(bytes: &mut Vec<u8>, writes: &[FieldWrite]) {
    let Some(length) = bitfield_length(writes) else { return };
    if bytes.len() < length {
        bytes.resize(length, 0);
    }
    for write in writes {
        if let Some(value) = write.result(write.field.read(bytes)) {
            write.field.store(bytes, value);
        }
    }
}

impl Field {
    fn parse(kind: &[u8], offset: &[u8]) -> Option<Self> {
        let (sign, bits) = kind.split_first()?;
        let bits = u32::try_from(canonical_int(bits)?).ok()?;
        let signed = match sign {
            b'i' if (1..=64).contains(&bits) => true,
            b'u' if (1..=63).contains(&bits) => false,
            _ => return None,
        };
        let offset = match offset.strip_prefix(b"#") {
            Some(count) => canonical_int(count)?.checked_mul(i64::from(bits))?,
            None => canonical_int(offset)?,
        };
        let offset = u64::try_from(offset).ok()?;
        Some(Self { signed, bits, offset })
    }

    /// The offset of its last bit.
    fn last(self) -> u64 {
        self.offset.saturating_add(u64::from(self.bits)).saturating_sub(1)
    }

    /// The bits as they stand, right-aligned, the sign extended.
    fn read(self, bytes: &[u8]) -> u64 {
        let bits = (self.offset..=self.last()).fold(0, |value, bit| value << 1 | u64::from(read_bit(bytes, bit)));
        let unused = 64u32.saturating_sub(self.bits);
        if self.signed { (bits << unused).cast_signed().wrapping_shr(unused).cast_unsigned() } else { bits }
    }

    fn store(self, bytes: &mut [u8], value: u64) {
        for (place, bit) in (self.offset..=self.last()).rev().enumerate() {
            write_bit(bytes, bit, value >> place & 1 == 1);
        }
    }
}

/// On which side of its field a value is.
enum Beyond {
    Max,
    Min,
}

impl FieldWrite {
    /// What to store when the field holds `old`; `None` to leave it.
    fn result(&self, old: u64) -> Option<u64> {
        let (base, increment) = if self.increment { (old, self.value) } else { (self.value.cast_unsigned(), 0) };
        let (beyond, max, min) = if self.field.signed {
            let max = i64::MAX >> 64u32.saturating_sub(self.field.bits);
            (
                signed_overflow(base.cast_signed(), increment, max, self.field.bits),
                max.cast_unsigned(),
                (!max).cast_unsigned(),
            )
        } else {
            let max = u64::MAX >> 64u32.saturating_sub(self.field.bits);
            (unsigned_overflow(base, increment, max), max, 0)
        };
        match (beyond, self.overflow) {
            (None, _) | (_, Overflow::Wrap) => Some(base.wrapping_add(increment.cast_unsigned())),
            (Some(Beyond::Max), Overflow::Sat) => Some(max),
            (Some(Beyond::Min), Overflow::Sat) => Some(min),
            (_, Overflow::Fail) => None,
        }
    }
}

/// `checkUnsignedBitfieldOverflow`: a negative value given to `SET` counts as a huge one.
fn unsigned_overflow(value: u64, increment: i64, max: u64) -> Option<Beyond> {
    let room = max.wrapping_sub(value).cast_signed();
    let depth = value.wrapping_neg().cast_signed();
    if value > max || (increment > 0 && increment > room) {
        Some(Beyond::Max)
    } else if increment < 0 && increment < depth {
        Some(Beyond::Min)
    } else {
        None
    }
}

/// `checkSignedBitfieldOverflow`, with its differences taken modulo 2^64 as there: `SET` of a number near -2^63
/// into a narrow field counts as too large.
fn signed_overflow(value: i64, increment: i64, max: i64, bits: u32) -> Option<Beyond> {
    let min = !max;
    let (room, depth) = (max.wrapping_sub(value), min.wrapping_sub(value));
    let narrow = bits != 64;
    if value > max || (narrow && increment > room) || (value >= 0 && increment > 0 && increment > room) {
        Some(Beyond::Max)
    } else if value < min || (narrow && increment < depth) || (value < 0 && increment < 0 && increment < depth) {
        Some(Beyond::Min)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(start: &[u8], words: &str) -> Option<Vec<u8>> {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let mut bytes = start.to_vec();
        bitfield(&mut bytes, &parse_bitfield(&words)?);
        Some(bytes)
    }

    #[test]
    fn bits_count_from_the_top_of_the_first_byte() {
        let mut bytes = Vec::new();
        set_bit(&mut bytes, 9, true);
        assert_eq!(bytes, [0, 0x40]);
        set_bit(&mut bytes, 0, true);
        set_bit(&mut bytes, 9, false);
        assert_eq!(bytes, [0x80, 0]);
    }

    /// Results of Redis 8.6.
    #[test]
    fn bitop_pads_short_sources_with_zeros() {
        let (x, y, z): (&[u8], &[u8], &[u8]) = (b"\xf0\x0f", b"\x3c", b"\x0f\x01\x80");
        type Case<'t> = (&'t str, &'t [&'t [u8]], &'t [u8]);
        let cases: [Case<'_>; 9] = [
            ("and", &[x, y], &[0x30, 0]),
            ("OR", &[x, y, z], &[0xff, 0x0f, 0x80]),
            ("XOR", &[x, y, z], &[0xc3, 0x0e, 0x80]),
            ("NOT", &[x], &[0x0f, 0xf0]),
            ("DIFF", &[x, y, z], &[0xc0, 0x0e, 0]),
            ("DIFF1", &[x, y, z], &[0x0f, 0, 0x80]),
            ("ANDOR", &[x, y, z], &[0x30, 0x01, 0]),
            ("ONE", &[x, y, z], &[0xc3, 0x0e, 0x80]),
            ("AND", &[&[], &[]], &[]),
        ];
        for (name, sources, expected) in cases {
            let op = BitOp::named(name.as_bytes()).unwrap();
            assert!(op.takes(sources.len()));
            assert_eq!(op.apply(sources), expected, "{name}");
        }
        assert!(!BitOp::Not.takes(2) && !BitOp::Diff.takes(1) && BitOp::named(b"NAND").is_none());
    }

    #[test]
    fn fields_wrap_saturate_or_fail() {
        assert_eq!(after(b"", "SET u8 0 255 INCRBY u8 0 1").unwrap(), [0]);
        assert_eq!(after(b"", "OVERFLOW SAT SET u4 4 -1").unwrap(), [0x0f]);
        assert_eq!(after(b"", "OVERFLOW SAT INCRBY i8 #1 200").unwrap(), [0, 127]);
        assert_eq!(after(b"", "OVERFLOW SAT INCRBY i8 0 -200").unwrap(), [0x80]);
        assert_eq!(after(b"", "OVERFLOW FAIL SET i8 #2 128").unwrap(), [0, 0, 0]);
        assert_eq!(after(b"\x80", "INCRBY i64 0 -1").unwrap(), [0x7f, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(after(b"", "OVERFLOW SAT SET i8 0 -9223372036854775808").unwrap(), [127]);
        assert_eq!(after(b"ab", "GET u8 100").unwrap(), b"ab");
        assert_eq!(after(b"\xff\xff", "SET i5 3 0").unwrap(), [0xe0, 0xff]);
    }

    #[test]
    fn wrong_words_are_refused_before_anything_is_done() {
        let wrong = [
            "SET u64 0 1",
            "SET i65 0 1",
            "SET x8 0 1",
            "SET u8 -1 1",
            "SET u8 0",
            "SET U8 0 1",
            "OVERFLOW x",
            "GET u8",
            "SET u8 #-1 0",
            "SET u8 #9223372036854775807 1",
            "SET u0 0 1",
            "INCRBY u8 0 1.5",
            "FOO u8 0",
        ];
        for words in wrong {
            assert_eq!(after(b"", words), None, "{words}");
        }
    }

    proptest! {
        #[test]
        fn what_fits_a_field_reads_back(signed: bool, bits in 1u32..=63, offset in 0u64..200, value: u64, noise: Vec<u8>) {
            let field = Field { signed, bits, offset };
            let mut bytes = noise.clone();
            bytes.resize(40, 0xaa);
            let before = bytes.clone();
            let value = if signed {
                (value << (64 - bits)).cast_signed().wrapping_shr(64 - bits).cast_unsigned()
            } else {
                value >> (64 - bits)
            };
            field.store(&mut bytes, value);
            prop_assert_eq!(field.read(&bytes), value);
            let outside = |bit: &u64| *bit < offset || *bit > field.last();
            for bit in (0..320).filter(outside) {
                prop_assert_eq!(read_bit(&bytes, bit), read_bit(&before, bit));
            }
        }
    }
}

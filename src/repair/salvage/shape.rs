//! What a key looks like: the part that many keys have in common.

/// A key's shape, hashed: its bytes up to and with the first of `: _ . / -`, or, without one, its first three bytes with
/// all digits alike. A number's shape is what kind of number it is, for scores and members are numbers as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Shape(u64);

impl Shape {
    pub(super) fn of(name: &[u8]) -> Self {
        if let Some(shape) = Self::of_number(name) {
            return shape;
        }
        match name.iter().position(|byte| b":_./-".contains(byte)) {
            Some(at) => Self(name.iter().take(at + 1).fold(FNV_START, |hash, &byte| fnv(hash, byte))),
            None => {
                let alike = |byte: &u8| if byte.is_ascii_digit() { b'0' } else { *byte };
                Self(name.iter().take(3).map(alike).fold(FNV_START ^ 1, fnv))
            }
        }
    }

    /// Integers of one sign and as many digits are alike, and so are all numbers with a fraction or an exponent.
    fn of_number(name: &[u8]) -> Option<Self> {
        let digits = name.strip_prefix(b"-").unwrap_or(name);
        let is_integer = digits.iter().all(u8::is_ascii_digit);
        if is_integer && !digits.is_empty() {
            let len = u8::try_from(name.len()).unwrap_or(u8::MAX);
            return Some(Self(fnv(fnv(FNV_START ^ 2, len), u8::from(digits.len() < name.len()))));
        }
        let is_first = digits.first().is_some_and(u8::is_ascii_digit) || matches!(digits, b"inf" | b"nan");
        let number = is_first.then(|| std::str::from_utf8(name).ok()?.parse::<f64>().ok()).flatten();
        number.map(|_| Self::FRACTION)
    }

    /// Is it a number's that is no integer?
    pub(super) fn is_fraction(self) -> bool {
        self == Self::FRACTION
    }

    const FRACTION: Self = Self(FNV_START ^ 3);

    /// The shape of a name that is an integer.
    pub(super) fn of_int(value: i32) -> Self {
        Self::of(itoa::Buffer::new().format(value).as_bytes())
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// Valid UTF-8 without control characters.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let printable = |byte: &u8| *byte >= 0x20 && *byte != 0x7f || matches!(byte, b'\t' | b'\n' | b'\r');
    bytes.iter().all(printable) && simdutf8::basic::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_kind_have_one_shape() {
        assert_eq!(Shape::of(b"user:1"), Shape::of(b"user:22"));
        assert_ne!(Shape::of(b"user:1"), Shape::of(b"user_1"));
        assert_eq!(Shape::of(b"k12"), Shape::of(b"k9999"));
        assert_ne!(Shape::of(b"k12"), Shape::of(b"m12"));
        assert_eq!(Shape::of_int(123), Shape::of(b"456"));
        assert_ne!(Shape::of(b"12345"), Shape::of(b"200447535516"));
        assert_ne!(Shape::of(b"-7"), Shape::of(b"-1.2164115010451546"));
        assert_eq!(Shape::of(b"3.5e-10"), Shape::of(b"-inf"));
        assert_eq!(Shape::of(b"10.0.0.1"), Shape::of(b"10.8.0.1"));
        assert_ne!(Shape::of(b"10.0.0.1"), Shape::of(b"10.5"));
    }

    #[test]
    fn text_has_no_control_characters() {
        assert!(is_text("grün\n".as_bytes()) && is_text(b""));
        assert!(!is_text(b"a\0b") && !is_text(b"\xff\xfe"));
    }
}

//! The 80-bit `long double` of x86-64, as far as `INCRBYFLOAT` and `HINCRBYFLOAT` need it.
//!
//! | part     | bits | notes                                   |
//! |----------|-----:|-----------------------------------------|
//! | sign     | 1    |                                         |
//! | exponent | 15   | the unit of the smallest is 2^-16445    |
//! | mantissa | 64   | the leading bit is stored               |
//!
//! Values are read from decimal text, added, and written as `%.17Lf` without trailing zeros, each step rounded to
//! nearest, ties to even. Servers on other processors use other formats; their logs carry results, not increments.

use super::natural::Natural;
use super::strtod::{Binary, Prefix, Rounded, scan};

const PRECISION: u32 = 64;
const LOWEST: i64 = -16445;
/// No bit of a finite value stands for 2^16384 or more.
const HIGHEST: i64 = 16383;
/// Digits before the point of the greatest value, and a little more.
const DECIMAL_LIMIT: i64 = 5200;
/// `MAX_LONG_DOUBLE_CHARS`: servers refuse longer text.
const LONGEST: usize = 5 * 1024;

/// A finite 80-bit number: `mantissa * 2^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    mantissa: u64,
    exponent: i64,
}

impl LongDouble {
    /// Zero, which a missing value counts as.
    pub const ZERO: Self = Self { negative: false, mantissa: 0, exponent: LOWEST };

    /// Read an argument or a stored value: the whole text must be a number. `None` also for what the servers read as
    /// infinite, since every sum with that is refused.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let scanned = scan(text, true).filter(|scanned| scanned.len == text.len() && text.len() < LONGEST)?;
        let binary = match scanned.number {
            Prefix::Infinity | Prefix::Nan => return None,
            Prefix::Hex { whole, fraction, exponent } => Binary::from_hex(whole, fraction, exponent),
            Prefix::Decimal { whole, fraction, exponent, .. } => {
                Binary::from_decimal(whole, fraction, exponent, DECIMAL_LIMIT)?
            }
        };
        let rounded = binary.round(PRECISION, LOWEST);
        // Rounding to 0 is out of range.
        (rounded.mantissa != 0 || !rounded.inexact).then(|| Self::finite(scanned.negative, rounded))?
    }

    /// The sum; `None` when it is too large.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (large, small) = if self.top() >= other.top() { (self, other) } else { (other, self) };
        if small.mantissa == 0 {
            return Some(large);
        }
        // The larger one gets 62 bits below its unit: enough to round the sum, with one more that tells of the rest.
        const ROOM: u32 = 62;
        let base = large.exponent.saturating_sub(i64::from(ROOM));
        let large_bits = u128::from(large.mantissa) << ROOM;
        let (small_bits, inexact) = aligned(small, base);
        let (mantissa, negative) = match (large.negative == small.negative, large_bits >= small_bits) {
            (true, _) => (large_bits.wrapping_add(small_bits), large.negative),
            (false, true) => (large_bits.wrapping_sub(small_bits), large.negative),
            (false, false) => (small_bits.wrapping_sub(large_bits), small.negative),
        };
        let mantissa = mantissa | u128::from(inexact);
        Self::finite(negative, Binary { mantissa, exponent: base, inexact: false }.round(PRECISION, LOWEST))
    }

    /// Append the value as `%.17Lf` without trailing zeros.
    pub fn write(self, out: &mut Vec<u8>) {
        let start = out.len();
        if self.negative {
            out.push(b'-');
        }
        match u32::try_from(self.exponent) {
            Ok(up) => {
                let mut whole = Natural::from(self.mantissa);
                whole.shift_left(up);
                whole.write_decimal(out);
            }
            Err(_) => self.write_fraction(out),
        }
        if out.get(start..) == Some(b"-0") {
            out.truncate(start);
            out.push(b'0');
        }
    }

    fn write_fraction(self, out: &mut Vec<u8>) {
        const UNIT: u128 = 100_000_000_000_000_000;
        let scaled = u128::from(self.mantissa).wrapping_mul(UNIT);
        let down = u32::try_from(self.exponent.unsigned_abs()).ok().filter(|&down| down < u128::BITS);
        let units = down.map_or(0, |down| {
            let kept = scaled >> down;
            let (lost, half) = (scaled ^ (kept << down), 1u128 << down.saturating_sub(1));
            kept.wrapping_add(u128::from(lost > half || lost == half && kept & 1 == 1))
        });
        let text = format!("{}.{:017}", units / UNIT, units % UNIT);
        out.extend_from_slice(text.trim_end_matches('0').trim_end_matches('.').as_bytes());
    }

    fn finite(negative: bool, rounded: Rounded) -> Option<Self> {
        let Rounded { mantissa, exponent, .. } = rounded;
        if mantissa == 0 {
            return Some(Self::ZERO);
        }
        let number = Self { negative, mantissa, exponent };
        (number.top() <= HIGHEST).then(|| number.normalised())
    }

    /// With the leading bit set, unless the exponent is at its lowest.
    fn normalised(self) -> Self {
        let room = u32::try_from(self.exponent.saturating_sub(LOWEST)).unwrap_or(0);
        let up = self.mantissa.leading_zeros().min(room);
        Self { mantissa: self.mantissa << up, exponent: self.exponent.saturating_sub(i64::from(up)), ..self }
    }

    /// The power of two of the leading bit.
    fn top(self) -> i64 {
        self.mantissa.checked_ilog2().map_or(i64::MIN, |bit| self.exponent.saturating_add(i64::from(bit)))
    }
}

/// A mantissa counted in units of `2^base`; true when bits below that fell away.
fn aligned(number: LongDouble, base: i64) -> (u128, bool) {
    let mantissa = u128::from(number.mantissa);
    let shift = number.exponent.saturating_sub(base);
    match (u32::try_from(shift), u32::try_from(shift.saturating_neg())) {
        (Ok(up), _) => (mantissa.checked_shl(up).unwrap_or(0), false),
        (_, Ok(down)) => {
            let kept = mantissa.checked_shr(down).unwrap_or(0);
            (kept, kept.checked_shl(down).unwrap_or(0) != mantissa)
        }
        _ => (0, mantissa != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(a: &str, b: &str) -> Option<String> {
        let mut out = Vec::new();
        LongDouble::parse(a.as_bytes())?.checked_add(LongDouble::parse(b.as_bytes())?)?.write(&mut out);
        Some(String::from_utf8(out).unwrap())
    }

    /// Results of `INCRBYFLOAT` on Redis 6.0 to 8.6 and Valkey.
    #[test]
    fn sums_are_the_servers() {
        let cases = [
            ("0.1", "0.2", "0.3"),
            ("0", "1e20", "100000000000000000000"),
            ("0", "9223372036854775807.3", "9223372036854775807.5"),
            ("0", "123456789012345678.123456789", "123456789012345678.125"),
            ("0", "0x1.8", "1.5"),
            ("0", "1e-18", "0"),
            ("0", "-1e-18", "0"),
            ("-0", "-0", "0"),
            ("5.0e3", "-5000", "0"),
            ("3.0", "1.1", "4.1"),
            ("1", "-0.99999999999999999", "0.00000000000000001"),
            ("10.5", "-0.1", "10.4"),
        ];
        for (a, b, expected) in cases {
            assert_eq!(sum(a, b).as_deref(), Some(expected), "{a} + {b}");
        }
        assert!(sum("0", "1e4900").unwrap().starts_with("1000000000000000000027083122306903498332"));
        assert_eq!(sum("0", "1e-4950").as_deref(), Some("0"));
    }

    #[test]
    fn what_is_no_finite_number_is_refused() {
        for text in
            ["", "+", "5e", " 1", "1 ", "1\0", "inf", "-infinity", "nan", "0x", "1e5000", "1e-5000", "1e99999999999"]
        {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(sum("1.1e4932", "1.1e4932"), None);
        assert_eq!(LongDouble::parse(&[b'1'; 6000]), None);
    }

    proptest! {
        #[test]
        fn sums_of_integers_are_exact(a in -(1i64 << 62)..1 << 62, b in -(1i64 << 62)..1 << 62) {
            prop_assert_eq!(sum(&a.to_string(), &b.to_string()), Some((a + b).to_string()));
        }

        #[test]
        fn any_two_numbers_add_without_trouble(a in "-?[0-9]{1,25}(\\.[0-9]{1,25})?(e-?[0-9]{1,4})?", b in "-?[0-9]{1,25}\\.[0-9]{1,25}") {
            if let Some(text) = sum(&a, &b) {
                prop_assert!(LongDouble::parse(text.as_bytes()).is_some());
                prop_assert!(!text.ends_with('.') && text != "-0");
            }
        }
    }
}

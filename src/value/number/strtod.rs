//! Reading numbers as C's `strtod` and `strtold` do: decimal, hexadecimal, `inf`, `nan`.

use super::natural::Natural;

/// The numeric prefix of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix<'t> {
    /// `whole.fraction` times ten to the `exponent`; `text` is all of it, sign included.
    Decimal { text: &'t [u8], whole: &'t [u8], fraction: &'t [u8], exponent: i64 },
    /// As above with digits of base 16 and a power of two.
    Hex { whole: &'t [u8], fraction: &'t [u8], exponent: i64 },
    /// `inf` or `infinity`.
    Infinity,
    /// `nan`, with or without a payload.
    Nan,
}

/// A numeric prefix, its sign and how many bytes it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned<'t> {
    pub(super) negative: bool,
    pub(super) number: Prefix<'t>,
    pub(super) len: usize,
}

/// The longest numeric prefix; `None` where `strtod` would convert nothing. Leading blanks are the caller's.
pub(super) fn scan(text: &[u8], hex: bool) -> Option<Scanned<'_>> {
    let (negative, body) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let found = |number, rest: &[u8]| Some(Scanned { negative, number, len: text.len().saturating_sub(rest.len()) });
    for word in [&b"infinity"[..], b"inf"] {
        if let Some(rest) = strip_word(body, word) {
            return found(Prefix::Infinity, rest);
        }
    }
    if let Some(rest) = strip_word(body, b"nan") {
        return found(Prefix::Nan, nan_payload(rest).unwrap_or(rest));
    }
    if let [b'0', b'x' | b'X', digits @ ..] = body
        && hex
        && let Some((whole, fraction, rest)) = mantissa(digits, |byte| byte.is_ascii_hexdigit())
    {
        let (exponent, rest) = exponent(rest, b'p');
        return found(Prefix::Hex { whole, fraction, exponent }, rest);
    }
    let (whole, fraction, rest) = mantissa(body, |byte| byte.is_ascii_digit())?;
    let (exponent, rest) = exponent(rest, b'e');
    let text = text.get(..text.len().saturating_sub(rest.len()))?;
    found(Prefix::Decimal { text, whole, fraction, exponent }, rest)
}

fn strip_word<'t>(text: &'t [u8], word: &[u8]) -> Option<&'t [u8]> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

fn nan_payload(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"(")?;
    let end = inside.iter().position(|&byte| !byte.is_ascii_alphanumeric() && byte != b'_')?;
    inside.get(end..)?.strip_prefix(b")")
}

/// Digits, a dot, digits: at least one digit in all.
fn mantissa(text: &[u8], digit: fn(u8) -> bool) -> Option<(&[u8], &[u8], &[u8])> {
    let digits = |text: &[u8]| text.iter().position(|&byte| !digit(byte)).unwrap_or(text.len());
    let (whole, rest) = text.split_at_checked(digits(text))?;
    let (fraction, rest) = match rest {
        [b'.', after @ ..] => after.split_at_checked(digits(after))?,
        _ => (&[][..], rest),
    };
    (!whole.is_empty() || !fraction.is_empty()).then_some((whole, fraction, rest))
}

/// An exponent if a complete one follows: `e5`, `e-5`; else nothing is consumed. Huge ones saturate.
fn exponent(text: &[u8], mark: u8) -> (i64, &[u8]) {
    let after = match text {
        [first, after @ ..] if first.eq_ignore_ascii_case(&mark) => after,
        _ => return (0, text),
    };
    let (negative, digits) = match after {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        _ => (false, after),
    };
    let len = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let Some((digits, rest)) = digits.split_at_checked(len).filter(|_| len > 0) else {
        return (0, text);
    };
    let append = |sum: i64, byte: &u8| sum.saturating_mul(10).saturating_add(i64::from(byte.wrapping_sub(b'0')));
    let size = digits.iter().fold(0, append).min(FAR);
    (if negative { -size } else { size }, rest)
}

/// No number that any format here can hold has an exponent as large.
const FAR: i64 = 1 << 40;

/// `(mantissa + something below one, if inexact) * 2^exponent`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binary {
    pub(super) mantissa: u128,
    pub(super) exponent: i64,
    pub(super) inexact: bool,
}

/// A rounded binary number, `mantissa * 2^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rounded {
    pub(super) mantissa: u64,
    pub(super) exponent: i64,
    pub(super) inexact: bool,
}

impl Binary {
    /// Round to nearest, ties to even, keeping `precision` bits (64 at most) and no bit below `2^lowest`.
    pub(super) fn round(self, precision: u32, lowest: i64) -> Rounded {
        let width = i64::from(u128::BITS - self.mantissa.leading_zeros());
        let spare = width.saturating_sub(i64::from(precision));
        let dropped = spare.max(lowest.saturating_sub(self.exponent)).max(0);
        let exponent = self.exponent.saturating_add(dropped);
        let Some(shift) = u32::try_from(dropped).ok().filter(|shift| *shift < u128::BITS) else {
            let inexact = self.inexact || self.mantissa != 0;
            return Rounded { mantissa: 0, exponent, inexact };
        };
        let kept = self.mantissa >> shift;
        let lost = self.mantissa ^ (kept << shift);
        let half = if shift == 0 { 0 } else { 1u128 << (shift - 1) };
        let up = shift > 0 && (lost > half || lost == half && (self.inexact || kept & 1 == 1));
        let kept = kept.wrapping_add(u128::from(up));
        let inexact = self.inexact || lost != 0;
        match u64::try_from(kept) {
            Ok(mantissa) => Rounded { mantissa, exponent, inexact },
            Err(_) => Rounded { mantissa: 1 << 63, exponent: exponent.saturating_add(1), inexact },
        }
    }

    /// The value of hexadecimal digits.
    pub(super) fn from_hex(whole: &[u8], fraction: &[u8], exponent: i64) -> Self {
        let mut binary = Self { mantissa: 0, exponent, inexact: false };
        let moved = |exponent: i64, by| exponent.saturating_add(by);
        for (digit, place) in whole.iter().map(|digit| (digit, 0)).chain(fraction.iter().map(|digit| (digit, -4))) {
            let value = char::from(*digit).to_digit(16).unwrap_or(0);
            binary.exponent = moved(binary.exponent, place);
            if binary.mantissa >> 120 == 0 {
                binary.mantissa = binary.mantissa << 4 | u128::from(value);
            } else {
                binary.inexact |= value != 0;
                binary.exponent = moved(binary.exponent, 4);
            }
        }
        binary
    }

    /// The value of decimal digits, to 66 bits or more. Exponents beyond `limit` either way give 0 or `None` (too large).
    pub(super) fn from_decimal(whole: &[u8], fraction: &[u8], exponent: i64, limit: i64) -> Option<Self> {
        const ZERO: Binary = Binary { mantissa: 0, exponent: 0, inexact: false };
        let digits = Natural::from_decimal(whole.iter().chain(fraction).copied());
        if digits.is_zero() {
            return Some(ZERO);
        }
        let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
        let total = i64::try_from(whole.len()).unwrap_or(i64::MAX).saturating_add(places);
        let exponent = exponent.saturating_sub(places);
        if exponent.saturating_add(total) < -limit {
            return Some(Self { inexact: true, ..ZERO });
        }
        if exponent > limit {
            return None;
        }
        let power = u32::try_from(exponent.unsigned_abs()).ok()?;
        Some(if exponent >= 0 { scaled_up(digits, power) } else { quotient(digits, &Natural::power_of_ten(power)) })
    }
}

fn scaled_up(mut digits: Natural, power: u32) -> Binary {
    digits.scale_by_ten(power);
    let (mantissa, shift, inexact) = digits.top();
    Binary { mantissa, exponent: i64::try_from(shift).unwrap_or(i64::MAX), inexact }
}

/// `dividend / divisor` by long division in base two, to at least 66 bits.
fn quotient(mut dividend: Natural, divisor: &Natural) -> Binary {
    const BITS: u64 = 66;
    let wide = |bits| i64::try_from(bits).unwrap_or(i64::MAX);
    let shift = wide(divisor.bits()).saturating_sub(wide(dividend.bits())).saturating_add(wide(BITS));
    let mut divisor = divisor.clone();
    match u32::try_from(shift) {
        Ok(up) => dividend.shift_left(up),
        Err(_) => divisor.shift_left(u32::try_from(shift.unsigned_abs()).unwrap_or(0)),
    }
    // The quotient is below 2^67: take its bits from the top by comparing with the divisor moved up.
    let steps = 67;
    divisor.shift_left(steps);
    let mut mantissa = 0u128;
    for _ in 0..=steps {
        mantissa = mantissa << 1 | u128::from(dividend.subtract_if_fits(&divisor));
        dividend.shift_left(1);
    }
    Binary { mantissa, exponent: shift.saturating_neg(), inexact: !dividend.is_zero() }
}

//! Natural numbers of any size: just enough arithmetic to round decimal text correctly.

use std::cmp::Ordering;

/// Limbs of 32 bits, the least significant first, no zero limb on top.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Natural(Vec<u32>);

impl From<u64> for Natural {
    fn from(value: u64) -> Self {
        let mut limbs = Self(vec![low(value), low(value >> 32)]);
        limbs.trim();
        limbs
    }
}

impl Natural {
    /// The number that decimal digits write; other bytes are skipped.
    pub(super) fn from_decimal(digits: impl Iterator<Item = u8>) -> Self {
        let mut number = Self::default();
        let (mut group, mut scale) = (0u32, 1u32);
        for digit in digits.filter(u8::is_ascii_digit) {
            group = group.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0')));
            scale = scale.wrapping_mul(10);
            if scale == 1_000_000_000 {
                number.multiply_add(scale, group);
                (group, scale) = (0, 1);
            }
        }
        number.multiply_add(scale, group);
        number
    }

    pub(super) fn power_of_ten(exponent: u32) -> Self {
        let mut number = Self::from(1);
        number.scale_by_ten(exponent);
        number
    }

    /// `self * 10^exponent`
    pub(super) fn scale_by_ten(&mut self, exponent: u32) {
        for _ in 0..exponent / 9 {
            self.multiply_add(1_000_000_000, 0);
        }
        self.multiply_add(10u32.pow(exponent % 9), 0);
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bits(&self) -> u64 {
        let whole = u64::try_from(self.0.len()).unwrap_or(u64::MAX).saturating_mul(32);
        whole.saturating_sub(self.0.last().map_or(0, |top| u64::from(top.leading_zeros())))
    }

    /// `self * factor + addend`
    pub(super) fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.0 {
            let product = u64::from(*limb).wrapping_mul(u64::from(factor)).wrapping_add(carry);
            *limb = low(product);
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(low(carry));
        }
    }

    pub(super) fn shift_left(&mut self, bits: u32) {
        let within = bits % 32;
        if within > 0 {
            self.multiply_add(1 << within, 0);
        }
        if !self.is_zero() {
            let whole = usize::try_from(bits / 32).unwrap_or(0);
            self.0.splice(..0, std::iter::repeat_n(0, whole));
        }
    }

    /// Subtract `other` if it is not greater; tells whether it was done.
    pub(super) fn subtract_if_fits(&mut self, other: &Self) -> bool {
        if (*self).cmp(other) == Ordering::Less {
            return false;
        }
        let mut borrow = false;
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        for (limb, less) in self.0.iter_mut().zip(others) {
            let (once, first) = limb.overflowing_sub(less);
            let (twice, second) = once.overflowing_sub(u32::from(borrow));
            *limb = twice;
            borrow = first | second;
        }
        self.trim();
        true
    }

    /// Divide by `divisor` in place; the remainder. A divisor of 0 leaves the number as it is.
    fn divide(&mut self, divisor: u32) -> u32 {
        let divisor = u64::from(divisor);
        let mut rest = 0;
        for limb in self.0.iter_mut().rev() {
            let part = rest << 32 | u64::from(*limb);
            *limb = low(part.checked_div(divisor).unwrap_or(part));
            rest = part.checked_rem(divisor).unwrap_or(0);
        }
        self.trim();
        low(rest)
    }

    /// The highest 127 bits, how far they were shifted down, and whether lower bits that are set fell away.
    pub(super) fn top(&self) -> (u128, u64, bool) {
        let dropped = self.bits().saturating_sub(127);
        let mut window = 0u128;
        let mut sticky = false;
        for (place, &limb) in (0u64..).map(|limb| limb.saturating_mul(32)).zip(&self.0) {
            let limb = u128::from(limb);
            match (u32::try_from(place.saturating_sub(dropped)), u32::try_from(dropped.saturating_sub(place))) {
                (Ok(up), Ok(0)) => window |= limb.checked_shl(up).unwrap_or(0),
                (_, Ok(down @ 1..32)) => {
                    window |= limb >> down;
                    sticky |= limb & ((1 << down) - 1) != 0;
                }
                _ => sticky |= limb != 0,
            }
        }
        (window, dropped, sticky)
    }

    /// Append the decimal digits.
    pub(super) fn write_decimal(mut self, out: &mut Vec<u8>) {
        let mut groups = Vec::new();
        while !self.is_zero() {
            groups.push(self.divide(1_000_000_000));
        }
        let text = |group: &u32| format!("{group:09}");
        let digits: String = groups.iter().rev().map(text).collect();
        let digits = digits.trim_start_matches('0');
        out.extend_from_slice(if digits.is_empty() { b"0" } else { digits.as_bytes() });
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn low(wide: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    let half = wide as u32;
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_comes_back_and_the_top_bits_are_right() {
        let text = b"340282366920938463463374607431768211457000000000000";
        let number = Natural::from_decimal(text.iter().copied());
        let mut out = Vec::new();
        number.clone().write_decimal(&mut out);
        assert_eq!(out, text);
        let mut shifted = Natural::from(0b1011);
        shifted.shift_left(200);
        assert_eq!(shifted.bits(), 204);
        assert_eq!(shifted.top(), (0b1011 << 123, 77, false));
        shifted.multiply_add(1, 1);
        assert_eq!(shifted.top(), (0b1011 << 123, 77, true));
        assert_eq!(Natural::from(5).top(), (5, 0, false));
        assert!(shifted.subtract_if_fits(&Natural::from(1)) && !Natural::from(3).subtract_if_fits(&shifted));
        let mut zero = Vec::new();
        Natural::default().write_decimal(&mut zero);
        assert_eq!(zero, b"0");
    }
}

//! The score text of Redis from 7.2 and of Valkey: Grisu2 digits, laid out by rules of their own.
//!
//! Grisu2 (Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers", 2010) gives digits that read
//! back as the same double, but not always the shortest nor the nearest ones: `959926189324977.75` is written
//! `959926189324977.7`. `DEBUG DIGEST` hashes this text, so every digit has to be the server's.
//!
//! Source: `deps/fpconv/fpconv_dtoa.c` as described in the notes; layout in `emit_digits`.

use super::printf::{non_finite, small_whole};

/// The text of a score.
pub fn fpconv_text(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        return non_finite(value, out);
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if value == 0.0 {
        return out.push(b'0');
    }
    let mut digits = Digits::default();
    match small_whole(value) {
        // Below 2^52 half a unit in the last place is less than a digit is worth, so the digits are the number's own.
        Some(whole) if whole.unsigned_abs() < 1 << 52 => digits.set_whole(whole.unsigned_abs()),
        _ => digits.generate(value.abs()),
    }
    lay_out(&digits, value.is_sign_negative(), out);
}

/// Decimal digits and the power of ten they are multiplied by.
#[derive(Debug, Default)]
struct Digits {
    text: [u8; 20],
    len: usize,
    exponent: i32,
}

impl Digits {
    fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, digit: u64) {
        if let (Some(place), Ok(digit)) = (self.text.get_mut(self.len), u8::try_from(digit)) {
            *place = b'0'.wrapping_add(digit);
            self.len = self.len.saturating_add(1);
        }
    }

    fn set_whole(&mut self, whole: u64) {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(whole).as_bytes();
        let significant = text.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last.saturating_add(1));
        for (place, &digit) in self.text.iter_mut().zip(text.iter().take(significant)) {
            *place = digit;
        }
        self.len = significant;
        self.exponent = i32::try_from(text.len().saturating_sub(significant)).unwrap_or(0);
    }

    /// Grisu2. All arithmetic is modulo 2^64, as in the servers.
    fn generate(&mut self, value: f64) {
        let (mantissa, exponent) = parts(value);
        let upper = Float { mantissa: mantissa << 1 | 1, exponent: exponent - 1 }.normalised();
        let lower = match mantissa == HIDDEN {
            true => Float { mantissa: (mantissa << 2) - 1, exponent: exponent - 2 },
            false => Float { mantissa: (mantissa << 1) - 1, exponent: exponent - 1 },
        };
        let lower = Float {
            mantissa: lower.mantissa.wrapping_shl(lower.exponent.abs_diff(upper.exponent)),
            exponent: upper.exponent,
        };
        let (power, decimal) = cached_power(upper.exponent);
        let w = Float { mantissa, exponent }.normalised().times(power);
        let mut upper = upper.times(power);
        upper.mantissa = upper.mantissa.wrapping_sub(1);
        let lower = lower.times(power).mantissa.wrapping_add(1);
        self.exponent = decimal;
        self.produce(upper, upper.mantissa.wrapping_sub(lower), upper.mantissa.wrapping_sub(w.mantissa));
    }

    /// The digits of `upper` until what is left is within `delta`, then moved towards the number (`distance` below `upper`).
    fn produce(&mut self, upper: Float, mut delta: u64, distance: u64) {
        let shift = upper.exponent.unsigned_abs();
        let one = 1u64.wrapping_shl(shift);
        let mut whole = upper.mantissa.wrapping_shr(shift);
        let mut fraction = upper.mantissa & one.wrapping_sub(1);
        let mut unit = 1_000_000_000u64;
        for kappa in (0..10).rev() {
            let digit = whole.checked_div(unit).unwrap_or(0);
            whole = whole.wrapping_sub(digit.wrapping_mul(unit));
            if digit != 0 || self.len > 0 {
                self.push(digit);
            }
            let left = whole.wrapping_shl(shift).wrapping_add(fraction);
            if left <= delta {
                self.exponent = self.exponent.saturating_add(kappa);
                return self.approach(delta, left, unit.wrapping_shl(shift), distance);
            }
            unit /= 10;
        }
        let mut unit = 10u64;
        loop {
            fraction = fraction.wrapping_mul(10);
            delta = delta.wrapping_mul(10);
            self.exponent = self.exponent.saturating_sub(1);
            let digit = fraction.wrapping_shr(shift);
            if digit != 0 || self.len > 0 {
                self.push(digit);
            }
            fraction &= one.wrapping_sub(1);
            if fraction < delta || self.len >= self.text.len() {
                return self.approach(delta, fraction, one, distance.wrapping_mul(unit));
            }
            unit = unit.wrapping_mul(10);
        }
    }

    /// Lower the last digit while that comes nearer to the number.
    fn approach(&mut self, delta: u64, mut left: u64, step: u64, distance: u64) {
        let Some(last) = self.len.checked_sub(1).and_then(|last| self.text.get_mut(last)) else {
            return;
        };
        while left < distance
            && delta.wrapping_sub(left) >= step
            && (left.wrapping_add(step) < distance
                || distance.wrapping_sub(left) > left.wrapping_add(step).wrapping_sub(distance))
        {
            *last = last.wrapping_sub(1);
            left = left.wrapping_add(step);
        }
    }
}

const HIDDEN: u64 = 1 << 52;

/// `mantissa * 2^exponent`
#[derive(Debug, Clone, Copy)]
struct Float {
    mantissa: u64,
    exponent: i32,
}

impl Float {
    fn normalised(self) -> Self {
        let zeros = self.mantissa.leading_zeros();
        let exponent = self.exponent.saturating_sub_unsigned(zeros);
        Self { mantissa: self.mantissa.wrapping_shl(zeros), exponent }
    }

    /// The upper half of the product; rounded in its middle as the servers do.
    fn times(self, other: Self) -> Self {
        let half = |value: u64| (value >> 32, value & 0xffff_ffff);
        let ((a, b), (c, d)) = (half(self.mantissa), half(other.mantissa));
        let (ad, bc) = (half(a.wrapping_mul(d)), half(b.wrapping_mul(c)));
        let middle = ad.1.wrapping_add(bc.1).wrapping_add(b.wrapping_mul(d) >> 32).wrapping_add(1 << 31);
        let mantissa = a.wrapping_mul(c).wrapping_add(ad.0).wrapping_add(bc.0).wrapping_add(middle >> 32);
        Self { mantissa, exponent: self.exponent.saturating_add(other.exponent).saturating_add(64) }
    }
}

fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let fraction = bits & (HIDDEN - 1);
    match i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) {
        0 => (fraction, -1074),
        biased => (fraction | HIDDEN, biased.saturating_sub(1075)),
    }
}

/// A power of ten that brings the exponent into -60..=-32, and its decimal exponent negated.
fn cached_power(exponent: i32) -> (Float, i32) {
    const LOG10_OF_2: f64 = 0.301_029_995_663_981_14;
    #[expect(clippy::cast_possible_truncation, reason = "an exponent of a double times 0.3")]
    let approximate = (f64::from(exponent.saturating_add(87).saturating_neg()) * LOG10_OF_2) as i32;
    let mut index = approximate.saturating_add(348) / 8;
    loop {
        let place = usize::try_from(index).unwrap_or(0).min(POWERS.len() - 1);
        let Some(&(mantissa, power)) = POWERS.get(place) else {
            return (Float { mantissa: 1 << 63, exponent: -63 }, 0);
        };
        let sum = exponent.saturating_add(i32::from(power)).saturating_add(64);
        match sum {
            ..-60 if place < POWERS.len() - 1 => index = index.saturating_add(1),
            -31.. if place > 0 => index = index.saturating_sub(1),
            _ => {
                let decimal = index.saturating_mul(8).saturating_sub(348).saturating_neg();
                return (Float { mantissa, exponent: i32::from(power) }, decimal);
            }
        }
    }
}

fn lay_out(digits: &Digits, negative: bool, out: &mut Vec<u8>) {
    let text = digits.as_bytes();
    let len = i32::try_from(text.len()).unwrap_or(0);
    let exponent = digits.exponent;
    let scientific = exponent.saturating_add(len).saturating_sub(1);
    let size = scientific.abs();
    let zeros = |count: i32| std::iter::repeat_n(b'0', usize::try_from(count).unwrap_or(0));
    if exponent >= 0 && size < len.saturating_add(7) {
        out.extend_from_slice(text);
        out.extend(zeros(exponent));
    } else if exponent < 0 && (exponent > -7 || size < 4) {
        match usize::try_from(len.saturating_add(exponent)).ok().and_then(|whole| text.split_at_checked(whole)) {
            Some((whole @ [_, ..], fraction)) => {
                out.extend_from_slice(whole);
                out.push(b'.');
                out.extend_from_slice(fraction);
            }
            _ => {
                out.extend_from_slice(b"0.");
                out.extend(zeros(len.saturating_add(exponent).saturating_neg()));
                out.extend_from_slice(text);
            }
        }
    } else {
        let kept = text.get(..if negative { 17 } else { 18 }).unwrap_or(text);
        if let [first, rest @ ..] = kept {
            out.push(*first);
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest);
            }
        }
        out.extend_from_slice(if scientific < 0 { b"e-" } else { b"e+" });
        out.extend_from_slice(itoa::Buffer::new().format(size).as_bytes());
    }
}

/// 10^(-348 + 8i) as `mantissa * 2^exponent`, rounded to nearest.
const POWERS: [(u64, i16); 87] = [
    (0xfa8fd5a0081c0288, -1220),
    (0xbaaee17fa23ebf76, -1193),
    (0x8b16fb203055ac76, -1166),
    (0xcf42894a5dce35ea, -1140),
    (0x9a6bb0aa55653b2d, -1113),
    (0xe61acf033d1a45df, -1087),
    (0xab70fe17c79ac6ca, -1060),
    (0xff77b1fcbebcdc4f, -1034),
    (0xbe5691ef416bd60c, -1007),
    (0x8dd01fad907ffc3c, -980),
    (0xd3515c2831559a83, -954),
    (0x9d71ac8fada6c9b5, -927),
    (0xea9c227723ee8bcb, -901),
    (0xaecc49914078536d, -874),
    (0x823c12795db6ce57, -847),
    (0xc21094364dfb5637, -821),
    (0x9096ea6f3848984f, -794),
    (0xd77485cb25823ac7, -768),
    (0xa086cfcd97bf97f4, -741),
    (0xef340a98172aace5, -715),
    (0xb23867fb2a35b28e, -688),
    (0x84c8d4dfd2c63f3b, -661),
    (0xc5dd44271ad3cdba, -635),
    (0x936b9fcebb25c996, -608),
    (0xdbac6c247d62a584, -582),
    (0xa3ab66580d5fdaf6, -555),
    (0xf3e2f893dec3f126, -529),
    (0xb5b5ada8aaff80b8, -502),
    (0x87625f056c7c4a8b, -475),
    (0xc9bcff6034c13053, -449),
    (0x964e858c91ba2655, -422),
    (0xdff9772470297ebd, -396),
    (0xa6dfbd9fb8e5b88f, -369),
    (0xf8a95fcf88747d94, -343),
    (0xb94470938fa89bcf, -316),
    (0x8a08f0f8bf0f156b, -289),
    (0xcdb02555653131b6, -263),
    (0x993fe2c6d07b7fac, -236),
    (0xe45c10c42a2b3b06, -210),
    (0xaa242499697392d3, -183),
    (0xfd87b5f28300ca0e, -157),
    (0xbce5086492111aeb, -130),
    (0x8cbccc096f5088cc, -103),
    (0xd1b71758e219652c, -77),
    (0x9c40000000000000, -50),
    (0xe8d4a51000000000, -24),
    (0xad78ebc5ac620000, 3),
    (0x813f3978f8940984, 30),
    (0xc097ce7bc90715b3, 56),
    (0x8f7e32ce7bea5c70, 83),
    (0xd5d238a4abe98068, 109),
    (0x9f4f2726179a2245, 136),
    (0xed63a231d4c4fb27, 162),
    (0xb0de65388cc8ada8, 189),
    (0x83c7088e1aab65db, 216),
    (0xc45d1df942711d9a, 242),
    (0x924d692ca61be758, 269),
    (0xda01ee641a708dea, 295),
    (0xa26da3999aef774a, 322),
    (0xf209787bb47d6b85, 348),
    (0xb454e4a179dd1877, 375),
    (0x865b86925b9bc5c2, 402),
    (0xc83553c5c8965d3d, 428),
    (0x952ab45cfa97a0b3, 455),
    (0xde469fbd99a05fe3, 481),
    (0xa59bc234db398c25, 508),
    (0xf6c69a72a3989f5c, 534),
    (0xb7dcbf5354e9bece, 561),
    (0x88fcf317f22241e2, 588),
    (0xcc20ce9bd35c78a5, 614),
    (0x98165af37b2153df, 641),
    (0xe2a0b5dc971f303a, 667),
    (0xa8d9d1535ce3b396, 694),
    (0xfb9b7cd9a4a7443c, 720),
    (0xbb764c4ca7a44410, 747),
    (0x8bab8eefb6409c1a, 774),
    (0xd01fef10a657842c, 800),
    (0x9b10a4e5e9913129, 827),
    (0xe7109bfba19c0c9d, 853),
    (0xac2820d9623bf429, 880),
    (0x80444b5e7aa7cf85, 907),
    (0xbf21e44003acdd2d, 933),
    (0x8e679c2f5e44ff8f, 960),
    (0xd433179d9c8cb841, 986),
    (0x9e19db92b4e31ba9, 1013),
    (0xeb96bf6ebadf77d9, 1039),
    (0xaf87023b9bf0ee6b, 1066),
];

#[cfg(test)]
mod tests {
    use super::super::strtod::Binary;
    use super::*;
    use proptest::prelude::*;

    fn text(value: f64) -> String {
        let mut out = Vec::new();
        fpconv_text(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_layout_is_the_servers() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (1e7, "10000000"),
            (1e8, "1e+8"),
            (123456789012345680.0, "123456789012345680"),
            (-155766.84883456538, "-1.5576684883456537e+5"),
            (959_926_189_324_977.0 + 0.75, "959926189324977.7"),
            (1e17, "1e+17"),
            (1e-7, "1e-7"),
            (1e300, "1e+300"),
            (5e-324, "5e-324"),
            (1e-310, "1e-310"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (-2.5, "-2.5"),
            (1_700_000_000_000.0, "1.7e+12"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn cached_powers_are_powers_of_ten() {
        for (index, (mantissa, exponent)) in (0i64..).zip(POWERS) {
            let rounded = Binary::from_decimal(b"1", b"", index * 8 - 348, 4000).unwrap().round(64, -9999);
            let zeros = rounded.mantissa.leading_zeros();
            assert_eq!(
                (rounded.mantissa << zeros, rounded.exponent - i64::from(zeros)),
                (mantissa, i64::from(exponent))
            );
        }
    }

    proptest! {
        #[test]
        fn the_digits_read_back_as_the_same_double(bits in any::<u64>()) {
            let value = f64::from_bits(bits & !(1 << 63));
            prop_assume!(value.is_finite());
            prop_assert_eq!(text(value).parse::<f64>().unwrap(), value);
        }

        #[test]
        fn whole_numbers_need_no_grisu(whole in 1u64..1 << 52, shift in 0u32..52) {
            let whole = (whole >> shift).max(1);
            let (mut short, mut long) = (Digits::default(), Digits::default());
            short.set_whole(whole);
            #[expect(clippy::cast_precision_loss, reason = "below 2^52")]
            long.generate(whole as f64);
            prop_assert_eq!((short.as_bytes(), short.exponent), (long.as_bytes(), long.exponent));
        }
    }
}

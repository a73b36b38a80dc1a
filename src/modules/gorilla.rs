//! Samples of a time series compressed as differences.
//!
//! The first sample stands outside. For each further one, bits follow, the lowest of each byte first:
//!
//! | timestamp | difference of differences |
//! | --- | --- |
//! | `0` | 0 |
//! | `10` `110` `1110` `11110` `111110` `111111` | signed, 5, 8, 11, 15, 32, 64 bits |
//!
//! | value | its bits xor those of the one before |
//! | --- | --- |
//! | `0` | 0 |
//! | `10` | a block of the last size at the last place |
//! | `11`, leading zeros (5 bits), size − 1 (6 bits) | a block of that size |
//!
//! Source: RedisTimeSeries `src/gorilla.c`. The widths in its comments are not those in effect.

/// Widths of the difference, by the number of ones before it.
const WIDTHS: [u32; 7] = [0, 5, 8, 11, 15, 32, 64];

/// Reads samples one by one; ends early when the bits do.
#[derive(Debug, Clone)]
pub(super) struct Samples<'c> {
    bits: Bits<'c>,
    left: u64,
    first: bool,
    time: u64,
    delta: i64,
    value: u64,
    /// Place and size of the last explicit block.
    block: Option<(u32, u32)>,
}

impl<'c> Samples<'c> {
    /// `count` samples, the first of which is given.
    pub(super) fn new(count: u64, time: u64, value: u64, data: &'c [u8], bits: u64) -> Self {
        let bits = Bits { data, at: 0, end: bits };
        Self { bits, left: count, first: true, time, delta: 0, value, block: None }
    }

    fn step_time(&mut self) -> Option<()> {
        let mut ones = 0usize;
        while ones < 6 && self.bits.read(1)? == 1 {
            ones = ones.saturating_add(1);
        }
        let width = *WIDTHS.get(ones)?;
        if width > 0 {
            let stored = self.bits.read(width)?;
            let unused = 64u32.saturating_sub(width);
            let change = stored.wrapping_shl(unused).cast_signed().wrapping_shr(unused);
            self.delta = self.delta.wrapping_add(change);
        }
        self.time = self.time.wrapping_add_signed(self.delta);
        Some(())
    }

    fn step_value(&mut self) -> Option<()> {
        if self.bits.read(1)? == 0 {
            return Some(());
        }
        if self.bits.read(1)? == 1 {
            let leading = u32::try_from(self.bits.read(5)?).ok()?;
            let size = u32::try_from(self.bits.read(6)?).ok()?.saturating_add(1);
            let trailing = 64u32.checked_sub(leading)?.checked_sub(size)?;
            self.block = Some((trailing, size));
        }
        let (trailing, size) = self.block?;
        self.value ^= self.bits.read(size)?.wrapping_shl(trailing);
        Some(())
    }
}

impl Iterator for Samples<'_> {
    type Item = (u64, f64);

    fn next(&mut self) -> Option<(u64, f64)> {
        self.left = self.left.checked_sub(1)?;
        if !std::mem::take(&mut self.first) {
            self.step_time()?;
            self.step_value()?;
        }
        Some((self.time, f64::from_bits(self.value)))
    }
}

#[derive(Debug, Clone)]
struct Bits<'c> {
    data: &'c [u8],
    at: u64,
    end: u64,
}

impl Bits<'_> {
    /// The next bits, 1 to 64 of them.
    fn read(&mut self, count: u32) -> Option<u64> {
        let end = self.at.checked_add(count.into()).filter(|&end| end <= self.end)?;
        let first = usize::try_from(self.at / 8).ok()?;
        let mut window = [0u8; 16];
        let bytes = self.data.get(first..)?;
        let len = bytes.len().min(window.len());
        window.get_mut(..len)?.copy_from_slice(bytes.get(..len)?);
        let shifted = u128::from_le_bytes(window) >> (self.at % 8);
        let mask = u128::MAX >> 128u32.saturating_sub(count);
        self.at = end;
        u64::try_from(shifted & mask).ok()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Writes what [`Samples`] reads.
    #[derive(Default)]
    pub(in crate::modules) struct Writer {
        pub(in crate::modules) bytes: Vec<u8>,
        pub(in crate::modules) used: u64,
    }

    impl Writer {
        fn bits(&mut self, value: u64, count: u32) {
            for i in 0..count {
                if self.used.is_multiple_of(8) {
                    self.bytes.push(0);
                }
                *self.bytes.last_mut().unwrap() |= u8::from(value >> i & 1 == 1) << (self.used % 8);
                self.used += 1;
            }
        }

        fn time(&mut self, change: i64) {
            let fits = |width: u32| width == 64 || (-(1i64 << (width - 1))..1i64 << (width - 1)).contains(&change);
            let ones = if change == 0 { 0 } else { (1..7).find(|&i| fits(WIDTHS[i])).unwrap() };
            self.bits((1 << ones) - 1, u32::try_from(ones).unwrap());
            if ones < 6 {
                self.bits(0, 1);
            }
            if ones > 0 {
                self.bits(change.cast_unsigned(), WIDTHS[ones]);
            }
        }

        fn value(&mut self, x: u64, block: &mut Option<(u32, u32)>) {
            if x == 0 {
                return self.bits(0, 1);
            }
            self.bits(1, 1);
            match *block {
                Some((trailing, size))
                    if x.trailing_zeros() >= trailing && x.leading_zeros() >= 64 - trailing - size =>
                {
                    self.bits(0, 1);
                }
                _ => {
                    let leading = x.leading_zeros().min(31);
                    let (trailing, size) = (x.trailing_zeros(), 64 - leading - x.trailing_zeros());
                    *block = Some((trailing, size));
                    self.bits(1, 1);
                    self.bits(leading.into(), 5);
                    self.bits(u64::from(size) - 1, 6);
                }
            }
            let (trailing, size) = block.unwrap();
            self.bits(x >> trailing, size);
        }

        pub(in crate::modules) fn samples(samples: &[(u64, f64)]) -> Self {
            let mut out = Self::default();
            let (mut delta, mut block) = (0i64, None);
            for pair in samples.windows(2) {
                let next = pair[1].0.wrapping_sub(pair[0].0).cast_signed();
                out.time(next.wrapping_sub(delta));
                delta = next;
                out.value(pair[0].1.to_bits() ^ pair[1].1.to_bits(), &mut block);
            }
            while out.bytes.len() % 8 != 0 || out.bytes.is_empty() {
                out.bytes.push(0);
            }
            out
        }
    }

    use proptest::prelude::*;

    proptest! {
        #[test]
        fn samples_read_back(steps in prop::collection::vec((prop_oneof![Just(1000u64), 0..50u64, any::<u64>()], prop_oneof![Just(1.5), -9.0..9.0f64, any::<f64>()]), 1..40)) {
            let mut time = 0u64;
            let samples: Vec<_> = steps.iter().map(|&(step, value)| { time = time.wrapping_add(step); (time, value) }).collect();
            let stored = Writer::samples(&samples);
            let read = Samples::new(samples.len() as u64, samples[0].0, samples[0].1.to_bits(), &stored.bytes, stored.used);
            let same = |a: &[(u64, f64)]| a.iter().map(|(t, v)| (*t, v.to_bits())).collect::<Vec<_>>();
            prop_assert_eq!(same(&read.collect::<Vec<_>>()), same(&samples));
        }
    }

    #[test]
    fn a_block_that_was_never_given_ends_the_samples() {
        // time unchanged, value changed, block reused
        assert_eq!(Samples::new(2, 5, 0, &[0b010, 0, 0, 0, 0, 0, 0, 0], 64).count(), 1);
        assert_eq!(Samples::new(3, 5, 0, &[0; 8], 2).count(), 2);
    }
}

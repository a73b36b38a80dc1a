//! Chance, the same on every machine.

/// A stream of numbers that look random (`SplitMix64`).
#[derive(Debug, Clone, Copy)]
pub struct Dice(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// The stream of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The stream of a seed for one purpose among many.
    #[must_use]
    pub fn of(seed: u64, purpose: u64) -> Self {
        Self(mix(seed ^ mix(purpose.wrapping_add(STEP))))
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number below `end`, each as likely as the others; 0 when `end` is 0.
    #[inline]
    pub fn below(&mut self, end: u32) -> u32 {
        let high = (self.bits() >> 32).wrapping_mul(u64::from(end)) >> 32;
        u32::try_from(high).unwrap_or(0)
    }

    /// True once in `n` times.
    #[inline]
    pub fn once_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    /// A rank below `end`, low ones more often: about as in Zipf's law, each doubling of the rank as likely as
    /// the one before it.
    #[inline]
    pub fn rank(&mut self, end: u32) -> u32 {
        let octaves = u32::BITS.saturating_sub(end.leading_zeros()).max(1);
        loop {
            let low = 1u32.checked_shl(self.below(octaves)).unwrap_or(1);
            let rank = low.saturating_sub(1).saturating_add(self.below(low));
            if rank < end || end == 0 {
                return rank;
            }
        }
    }
}

#[inline]
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_in_range_and_low_ones_frequent() {
        let mut dice = Dice::new(1);
        for end in [1, 2, 3, 100, u32::MAX] {
            assert!((0..1000).all(|_| dice.rank(end) < end), "{end}");
        }
        let low = (0..10_000).filter(|_| dice.rank(1000) < 31).count();
        assert!((4000..7000).contains(&low), "{low}");
        assert_eq!(dice.below(0), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers_everywhere() {
        assert_eq!(Dice::new(0).bits(), 0xe220_a839_7b1d_cdaf);
        assert_ne!(Dice::of(1, 2).bits(), Dice::of(2, 1).bits());
    }
}

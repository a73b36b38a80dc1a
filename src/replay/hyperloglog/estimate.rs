//! How many distinct elements the registers tell of. The estimate is stored in the value, so every version's own counts.

use super::REGISTERS;

/// The estimator of a server version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Estimator {
    /// Redis from 5.0, Valkey: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017.
    #[default]
    Ertl,
    /// Redis 4.0: LogLog-Beta.
    LogLogBeta,
    /// Redis 2.8 and 3.2: linear counting and a bias polynomial.
    Original,
}

/// The number of registers, as it enters the formulas.
const M: f64 = 16384.0;

impl Estimator {
    /// The estimate for these registers.
    #[must_use]
    pub(crate) fn estimate(self, registers: &[u8]) -> u64 {
        let mut histogram = [0f64; 64];
        for &rank in registers.iter().take(REGISTERS) {
            if let Some(count) = histogram.get_mut(usize::from(rank)) {
                *count += 1.0;
            }
        }
        whole(match self {
            Self::Ertl => ertl(&histogram).round(),
            Self::LogLogBeta => beta(&histogram).round(),
            Self::Original => original(&histogram).trunc(),
        })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of doubles saturate")]
fn whole(estimate: f64) -> u64 {
    estimate as u64
}

fn ertl(histogram: &[f64; 64]) -> f64 {
    const ALPHA: f64 = 0.721_347_520_444_481_7;
    let [zero, ..] = histogram;
    let count = |rank: usize| histogram.get(rank).copied().unwrap_or(0.0);
    let mut z = M * tau((M - count(51)) / M);
    for rank in (1..=50).rev() {
        z = (z + count(rank)) * 0.5;
    }
    z += M * sigma(zero / M);
    ALPHA * M * M / z
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if before == z {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if before == z {
            return z / 3.0;
        }
    }
}

/// The sum of 2^-rank over all registers, and the constant that goes with it.
fn harmonic(histogram: &[f64; 64]) -> (f64, f64) {
    let mut weight = 1.0;
    let mut sum = 0.0;
    for count in histogram {
        sum += count * weight;
        weight *= 0.5;
    }
    (sum, 0.7213 / (1.0 + 1.079 / M))
}

fn beta(histogram: &[f64; 64]) -> f64 {
    let [empty, ..] = *histogram;
    let (sum, alpha) = harmonic(histogram);
    let log = (empty + 1.0).ln();
    let beta = -0.370_393_911 * empty
        + 0.070_471_823 * log
        + 0.173_936_86 * log.powi(2)
        + 0.163_398_39 * log.powi(3)
        + -0.092_377_45 * log.powi(4)
        + 0.037_380_27 * log.powi(5)
        + -0.005_384_159 * log.powi(6)
        + 0.000_424_19 * log.powi(7);
    alpha * M * (M - empty) / (sum + beta)
}

fn original(histogram: &[f64; 64]) -> f64 {
    let [empty, ..] = *histogram;
    let (sum, alpha) = harmonic(histogram);
    let estimate = alpha * M * M / sum;
    if estimate < M * 2.5 && empty != 0.0 {
        return M * (M / empty).ln();
    }
    if estimate < 72000.0 {
        let bias = 5.9119e-18 * estimate.powi(4) - 1.4253e-12 * estimate.powi(3) + 1.2940e-7 * estimate.powi(2)
            - 5.2921e-3 * estimate
            + 83.3216;
        return estimate - estimate * (bias / 100.0);
    }
    estimate
}

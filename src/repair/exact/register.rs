//! The CRC-64/Jones register as algebra: steps, steps undone, and jumps.
//!
//! Register r, byte b: `step(r, b) = (r >> 8) ^ T[(r ^ b) & 255]`. With b = 0 this is a linear bijection L of 64-bit
//! words (multiplication by x⁸ modulo the polynomial, bits reflected), and `step(r, b) = L(r ^ b)`.
//! The top bytes of the 256 entries of T are all different, so one look-up undoes a step:
//!
//! ```text
//! INV[T[i] >> 56] = (T[i] << 8) | i
//! L⁻¹(r)          = (r << 8) ^ INV[r >> 56]
//! back(r, b)      = L⁻¹(r) ^ b               the register before byte b, from the register after it
//! ```

/// The polynomial `ad93d23594c935a9` with its bits reflected.
const POLY: u64 = 0x95ac_9329_ac4b_c9b5;
/// The polynomial 1.
const ONE: u64 = 1 << 63;
/// The polynomial x⁸.
const X8: u64 = 1 << 55;

static T: [u64; 256] = forward_table();
static INV: [u64; 256] = inverse_table();

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn forward_table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut r = i as u64;
        let mut bit = 0;
        while bit < 8 {
            r = times_x(r);
            bit += 1;
        }
        table[i] = r;
        i += 1;
    }
    table
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn inverse_table() -> [u64; 256] {
    let forward = forward_table();
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[forward[i].to_le_bytes()[7] as usize] = (forward[i] << 8) | i as u64;
        i += 1;
    }
    table
}

const fn times_x(r: u64) -> u64 {
    if r & 1 == 0 { r >> 1 } else { (r >> 1) ^ POLY }
}

/// The register after byte `b`.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a byte indexes 256 entries")]
pub(super) fn step(r: u64, b: u8) -> u64 {
    let [low, ..] = r.to_le_bytes();
    (r >> 8) ^ T[usize::from(low ^ b)]
}

/// L⁻¹: a step with a zero byte, undone.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a byte indexes 256 entries")]
pub(super) fn undo(r: u64) -> u64 {
    let [.., high] = r.to_le_bytes();
    (r << 8) ^ INV[usize::from(high)]
}

/// The register after `bytes`.
pub(super) fn run(r: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(r, |r, &b| step(r, b))
}

/// Lⁿ(r): n zero bytes at once.
pub(super) fn ahead(r: u64, n: u64) -> u64 {
    multiply(power(X8, n), r)
}

/// L⁻ⁿ(r): n zero bytes undone at once.
pub(super) fn behind(r: u64, n: u64) -> u64 {
    multiply(power(undo(ONE), n), r)
}

/// The product of two polynomials modulo ours.
fn multiply(a: u64, mut b: u64) -> u64 {
    let mut product = 0;
    for bit in (0..64).rev() {
        if a >> bit & 1 == 1 {
            product ^= b;
        }
        b = times_x(b);
    }
    product
}

fn power(mut base: u64, mut n: u64) -> u64 {
    let mut product = ONE;
    while n > 0 {
        if n & 1 == 1 {
            product = multiply(product, base);
        }
        base = multiply(base, base);
        n >>= 1;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::crc64;
    use proptest::prelude::*;

    #[test]
    fn steps_add_up_to_the_checksum() {
        assert_eq!(run(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }

    #[test]
    fn a_message_and_its_sum_leave_nothing() {
        let sum = run(0, b"123456789");
        assert_eq!(run(sum, &sum.to_le_bytes()), 0);
    }

    proptest! {
        #[test]
        fn undoing_returns_to_where_it_was(r: u64, n in 0u64..5000) {
            prop_assert_eq!(undo(step(r, 0)), r);
            prop_assert_eq!(step(undo(r), 0), r);
            prop_assert_eq!(ahead(r, n), (0..n).fold(r, |r, _| step(r, 0)));
            prop_assert_eq!(behind(ahead(r, n), n), r);
        }

        #[test]
        fn two_parts_combine(a: Vec<u8>, b: Vec<u8>) {
            let whole = [a.as_slice(), &b].concat();
            let combined = ahead(crc64::jones(&a), b.len() as u64) ^ crc64::jones(&b);
            prop_assert_eq!(combined, crc64::jones(&whole));
        }
    }
}

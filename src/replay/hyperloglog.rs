//! `HyperLogLog` values: strings that count distinct elements, changed byte for byte as a server changes them.
//!
//! | offset | size | field       | notes                                                             |
//! |-------:|-----:|-------------|-------------------------------------------------------------------|
//! | 0      | 4    | magic       | `HYLL`                                                            |
//! | 4      | 1    | encoding    | 0 dense, 1 sparse                                                 |
//! | 5      | 3    | unused      |                                                                   |
//! | 8      | 8    | cardinality | LE, the last estimate; top bit set: out of date                   |
//! | 16     | …    | registers   | dense: 16384 of 6 bits, LE bit order; sparse: the opcodes below   |
//!
//! | opcode              | meaning                                  |
//! |---------------------|------------------------------------------|
//! | `00nnnnnn`          | ZERO: n+1 registers of 0                 |
//! | `01nnnnnn mmmmmmmm` | XZERO: (n<<8 \| m)+1 registers of 0      |
//! | `1vvvvvnn`          | VAL: n+1 registers of value v+1          |
//!
//! Source: Redis `src/hyperloglog.c`, `hllSparseSet`, `hllMerge`, `hllCount`.

mod estimate;
mod sparse;
#[cfg(test)]
mod tests;

pub(crate) use estimate::Estimator;

const HEADER: usize = 16;
const REGISTERS: usize = 16384;
const DENSE_SIZE: usize = HEADER + REGISTERS * 6 / 8;
/// `hll-sparse-max-bytes`, which nobody is known to change.
const SPARSE_MAX: usize = 3000;
const ENCODING: usize = 4;
const STALE: usize = 15;

/// The string is no `HyperLogLog`, or a damaged one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotHyperLogLog;

/// A new value: no element seen.
#[must_use]
pub(crate) fn empty() -> Vec<u8> {
    let mut bytes = b"HYLL\x01".to_vec();
    bytes.resize(HEADER, 0);
    bytes.extend(sparse::zeros(REGISTERS));
    bytes
}

/// Check what a server checks before it takes a string for a `HyperLogLog`; true when it is dense.
///
/// # Errors
/// [`NotHyperLogLog`]
pub(crate) fn is_dense(bytes: &[u8]) -> Result<bool, NotHyperLogLog> {
    match bytes.get(ENCODING) {
        Some(0) if bytes.starts_with(b"HYLL") && bytes.len() == DENSE_SIZE => Ok(true),
        Some(1) if bytes.starts_with(b"HYLL") && bytes.len() >= HEADER => Ok(false),
        _ => Err(NotHyperLogLog),
    }
}

/// True for a value that is one from its first register to its last.
#[must_use]
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    raise(&mut vec![0; REGISTERS], bytes).is_ok()
}

/// `PFADD`: the value with these elements seen. A value that was just created counts as changed.
///
/// # Errors
/// [`NotHyperLogLog`], perhaps after some of the elements.
pub(crate) fn add<'e>(
    bytes: &mut Vec<u8>,
    created: bool,
    elements: impl IntoIterator<Item = &'e [u8]>,
) -> Result<(), NotHyperLogLog> {
    let mut dense = is_dense(bytes)?;
    let mut changed = created;
    for element in elements {
        let (register, rank) = place(element);
        changed |= set(bytes, &mut dense, register, rank)?;
    }
    if changed {
        invalidate(bytes);
    }
    Ok(())
}

/// `PFMERGE`: the union of `target` and `sources` in `target`. Redis 2.8 and 3.2 make the result dense in any case.
///
/// # Errors
/// [`NotHyperLogLog`] when any of them is none; `target` is unchanged then.
pub(crate) fn merge(target: &mut Vec<u8>, sources: &[&[u8]], always_dense: bool) -> Result<(), NotHyperLogLog> {
    let mut registers = vec![0u8; REGISTERS];
    let mut dense = always_dense;
    for bytes in sources.iter().copied().chain([target.as_slice()]) {
        dense |= is_dense(bytes)?;
        raise(&mut registers, bytes)?;
    }
    if dense {
        to_dense(target)?;
    }
    for (register, rank) in registers.into_iter().enumerate().filter(|(_, rank)| *rank > 0) {
        set(target, &mut dense, register, rank)?;
    }
    invalidate(target);
    Ok(())
}

/// `PFCOUNT` of one key: writes the estimate into a value whose cached one is out of date.
///
/// # Errors
/// [`NotHyperLogLog`]
pub(crate) fn refresh_cardinality(bytes: &mut [u8], estimator: Estimator) -> Result<(), NotHyperLogLog> {
    is_dense(bytes)?;
    if bytes.get(STALE).is_none_or(|byte| byte & 0x80 == 0) {
        return Ok(());
    }
    let mut registers = vec![0u8; REGISTERS];
    raise(&mut registers, bytes)?;
    let cardinality = estimator.estimate(&registers);
    if let Some(field) = bytes.get_mut(8..HEADER) {
        field.copy_from_slice(&cardinality.to_le_bytes());
    }
    Ok(())
}

/// `PFDEBUG TODENSE`: the same registers in dense form.
///
/// # Errors
/// [`NotHyperLogLog`]
pub(crate) fn to_dense(bytes: &mut Vec<u8>) -> Result<(), NotHyperLogLog> {
    if is_dense(bytes)? {
        return Ok(());
    }
    let mut registers = vec![0u8; REGISTERS];
    raise(&mut registers, bytes)?;
    bytes.truncate(HEADER);
    bytes.resize(DENSE_SIZE, 0);
    if let Some(encoding) = bytes.get_mut(ENCODING) {
        *encoding = 0;
    }
    for (register, rank) in registers.into_iter().enumerate() {
        set_dense(bytes, register, rank);
    }
    Ok(())
}

/// Raise one register; tells whether it changed.
fn set(bytes: &mut Vec<u8>, dense: &mut bool, register: usize, rank: u8) -> Result<bool, NotHyperLogLog> {
    if !*dense {
        match sparse::set(bytes, register, rank)? {
            sparse::Outcome::Unchanged => return Ok(false),
            sparse::Outcome::Changed => {
                invalidate(bytes);
                return Ok(true);
            }
            sparse::Outcome::TooSmall => to_dense(bytes)?,
        }
        *dense = true;
    }
    Ok(set_dense(bytes, register, rank))
}

/// The two bytes that a dense register lies in, and its lowest bit there.
fn dense_place(register: usize) -> (usize, u32) {
    let bit = register.saturating_mul(6);
    (HEADER.saturating_add(bit / 8), u32::try_from(bit % 8).unwrap_or(0))
}

fn dense_register(bytes: &[u8], register: usize) -> u8 {
    let (at, shift) = dense_place(register);
    let byte = |at: usize| u16::from(bytes.get(at).copied().unwrap_or(0));
    let both = byte(at) | byte(at.saturating_add(1)) << 8;
    u8::try_from(both >> shift & 0x3f).unwrap_or(0)
}

fn set_dense(bytes: &mut [u8], register: usize, rank: u8) -> bool {
    if dense_register(bytes, register) >= rank {
        return false;
    }
    let (at, shift) = dense_place(register);
    let mask = (0x3fu16 << shift).to_le_bytes();
    let value = (u16::from(rank) << shift).to_le_bytes();
    for (byte, (mask, value)) in bytes.iter_mut().skip(at).zip(mask.into_iter().zip(value)) {
        *byte = *byte & !mask | value;
    }
    true
}

/// Raise registers to those of a value.
fn raise(registers: &mut [u8], bytes: &[u8]) -> Result<(), NotHyperLogLog> {
    if !is_dense(bytes)? {
        return sparse::raise(registers, bytes);
    }
    for (register, rank) in registers.iter_mut().enumerate() {
        *rank = (*rank).max(dense_register(bytes, register));
    }
    Ok(())
}

fn invalidate(bytes: &mut [u8]) {
    if let Some(byte) = bytes.get_mut(STALE) {
        *byte |= 0x80;
    }
}

/// The register of an element and the rank that it raises it to.
fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur(element);
    let register = usize::try_from(hash & 16383).unwrap_or(0);
    let rank = (hash >> 14 | 1 << 50).trailing_zeros().saturating_add(1);
    (register, u8::try_from(rank).unwrap_or(51))
}

/// `MurmurHash64A`, Austin Appleby, on little-endian words, with the seed of `hyperloglog.c`.
fn murmur(bytes: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    const SEED: u64 = 0xadc8_3b19;
    const SHIFT: u32 = 47;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut hash = SEED ^ length.wrapping_mul(MULTIPLIER);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, &byte| tail << 8 | u64::from(byte));
        hash = (hash ^ tail).wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> SHIFT;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ hash >> SHIFT
}

//! Changes that know the formats: what `careen::corpus` does to fields and lengths, with libFuzzer's own changes of bytes inside.

use careen::corpus::mutate;
use careen::corpus::random::Random;
use careen::corpus::tree::Kind;

/// Room that libFuzzer has to make a field longer.
const GROWTH: usize = 32;

/// One change in place; gives the new size.
pub fn change(kind: Kind, data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut random = Random::new(seed.into());
    let mut bytes = |field: &mut Vec<u8>, most: usize| {
        let len = field.len();
        field.resize((len + GROWTH).min(most.max(len)), 0);
        let room = field.len();
        let len = libfuzzer_sys::fuzzer_mutate(field, len, room);
        field.truncate(len);
    };
    let most = most.min(data.len());
    put(&mutate::mutate(kind, &data[..size], most, &mut random, &mut bytes), data)
}

/// The same for a payload without its last ten bytes.
pub fn change_value(data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let version = if seed & 1 == 0 { 12u16 } else { 80 };
    let mut payload = [&data[..size], &version.to_le_bytes(), &[0; 8]].concat();
    payload.resize(most.max(payload.len()) + 10, 0);
    let changed = change(Kind::Payload, &mut payload, size + 10, most + 10, seed);
    put(&payload[..changed.saturating_sub(10)], &mut data[..most])
}

/// Parts of two files; gives the size of what they make.
pub fn cross(kind: Kind, one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    put(&mutate::cross(kind, one, other, &mut Random::new(seed.into())), out)
}

fn put(bytes: &[u8], place: &mut [u8]) -> usize {
    let len = bytes.len().min(place.len());
    place[..len].copy_from_slice(&bytes[..len]);
    len
}

/// A target whose inputs are files of one kind.
#[macro_export]
macro_rules! target {
    ($kind:ident, $body:path) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $body(data));
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            $crate::change(careen::corpus::tree::Kind::$kind, data, size, most, seed)
        });
        libfuzzer_sys::fuzz_crossover!(|one: &[u8], other: &[u8], out: &mut [u8], seed: u32| {
            $crate::cross(careen::corpus::tree::Kind::$kind, one, other, out, seed)
        });
    };
}

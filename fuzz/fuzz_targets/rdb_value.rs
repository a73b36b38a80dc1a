//! See `careen::rdb::attack::value`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::rdb::attack::value(data));
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    careen_fuzz::change_value(data, size, most, seed)
});

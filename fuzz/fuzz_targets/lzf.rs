//! See `careen::packed::attack::lzf`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::packed::attack::lzf(data));

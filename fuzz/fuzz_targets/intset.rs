//! See `careen::packed::attack::intset`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::packed::attack::intset(data));

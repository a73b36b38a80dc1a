//! See `careen::packed::attack::zipmap`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::packed::attack::zipmap(data));

//! See `careen::modules::attack::value`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::modules::attack::value(data));

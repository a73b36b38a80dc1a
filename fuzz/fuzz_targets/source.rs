//! See `careen::export::attack::source`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::export::attack::source(data));

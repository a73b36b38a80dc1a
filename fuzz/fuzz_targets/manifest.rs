//! See `careen::aof::attack::manifest`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::aof::attack::manifest(data));

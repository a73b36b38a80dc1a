//! See `careen::replay::attack::commands`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::replay::attack::commands(data));

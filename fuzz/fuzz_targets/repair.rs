//! See `careen::repair::attack::image`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::repair::attack::image(data));

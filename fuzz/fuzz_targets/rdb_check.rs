//! See `careen::check::attack::rdb`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::check::attack::rdb(data));

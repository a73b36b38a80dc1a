//! See `careen::packed::attack::stream_node`, which says what must hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| careen::packed::attack::stream_node(data));

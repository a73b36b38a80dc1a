//! See `careen::replay::attack::payload`, which says what must hold.
#![no_main]

careen_fuzz::target!(Payload, careen::replay::attack::payload);

//! See `careen::replay::attack::part`, which says what must hold.
#![no_main]

careen_fuzz::target!(Log, careen::replay::attack::part);

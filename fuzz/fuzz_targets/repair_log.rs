//! See `careen::repair::attack::log`, which says what must hold.
#![no_main]

careen_fuzz::target!(Log, careen::repair::attack::log);

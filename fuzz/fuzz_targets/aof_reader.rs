//! See `careen::aof::attack::aof_reader`, which says what must hold.
#![no_main]

careen_fuzz::target!(Log, careen::aof::attack::aof_reader);

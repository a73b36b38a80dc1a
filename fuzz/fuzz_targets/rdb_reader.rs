//! See `careen::rdb::attack::reader`, which says what must hold.
#![no_main]

careen_fuzz::target!(Image, careen::rdb::attack::reader);

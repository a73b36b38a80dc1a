//! See `careen::check::attack::rdb`, which says what must hold.
#![no_main]

careen_fuzz::target!(Image, careen::check::attack::rdb);

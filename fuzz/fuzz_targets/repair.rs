//! See `careen::repair::attack::image`, which says what must hold.
#![no_main]

careen_fuzz::target!(Image, careen::repair::attack::image);

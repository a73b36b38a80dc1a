//! See `careen::corpus::attack::image`, which says what must hold.
#![no_main]

careen_fuzz::target!(Image, careen::corpus::attack::image);

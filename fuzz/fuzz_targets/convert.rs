//! See `careen::convert::attack::image`, which says what must hold.
#![no_main]

careen_fuzz::target!(Image, careen::convert::attack::image);

//! See `careen::export::attack::image`, which says what must hold.
#![no_main]

careen_fuzz::target!(Image, careen::export::attack::image);

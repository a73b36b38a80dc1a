//! Bytes in, bytes out. Nothing here knows of Redis.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`cursor`] | checked reads that know their absolute offset |
//! | [`limits`] | how much an untrusted file may make us allocate, decode and write |
//! | [`source`] | a file as one slice: mapped, read or spooled (the only `unsafe`) |
//! | [`decompress`] | gzip, zstd and LZ4 frames |
//! | [`crc64`] | CRC-64/Jones of RDB trailers, CRC-64/XZ of our own sidecars |
//! | [`lzf`] | the compression inside RDB strings |
//! | [`sink`] | output, counted and summed in blocks |
//! | [`publish`] | a result put in its place, whole or not at all |
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod crc64;
pub(crate) mod cursor;
pub mod decompress;
pub mod limits;
pub mod lzf;
pub mod publish;
pub(crate) mod sink;
pub mod source;

pub use cursor::{Cursor, Truncated};
pub use limits::{Budget, Exhausted, Limits, Resource};

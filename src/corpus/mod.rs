//! Files for fuzzers and from them: made, mended, judged, and made small.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`tree`] | a file as a tree of fields, and any bytes with lengths and checksums made right |
//! | [`mutate`] | changes that reach what lies behind lengths and checksums |
//! | [`random`] | numbers that repeat |
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod attack;
pub mod mutate;
pub mod random;
pub mod tree;

pub use tree::{Kind, fix};

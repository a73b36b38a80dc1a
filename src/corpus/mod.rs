//! Files for fuzzers and from them: made, mended, judged, and made small.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`seed`] | the smallest sound file of everything that the formats have |
//! | [`tree`] | a file as a tree of fields, and any bytes with lengths and checksums made right |
//! | [`mutate`], [`random`] | changes that reach what lies behind lengths and checksums |
//! | [`judge`] | one file through everything that could read it |
//! | [`worker`], [`child`], [`pool`] | the same in bounded children, for many files |
//! | [`signature`], [`report`], [`journal`] | what files did: in a word, grouped, and kept for the next run |
//! | [`minimize`] | smaller files that still do the same |
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod attack;
pub mod child;
pub mod journal;
pub(crate) mod judge;
pub mod minimize;
pub mod mutate;
pub mod pool;
pub mod random;
pub mod report;
pub mod seed;
pub mod signature;
pub mod tree;
pub mod worker;

pub use tree::{Kind, fix};

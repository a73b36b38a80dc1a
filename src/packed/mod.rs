//! Self-contained packed blobs: many small elements in one string, each with its own length.
//!
//! | module | blob | written by |
//! | --- | --- | --- |
//! | [`listpack`] | elements of lists, sets, hashes, sorted sets and stream nodes | Redis 5.0 (streams), 7.0 (the rest) and later |
//! | [`ziplist`] | the same before 7.0 | 2.4 … 6.2 |
//! | [`zipmap`] | small hashes | 2.4 |
//! | [`intset`] | sets of integers | 2.4 and later |
//! | [`stream_node`] | the grammar inside a stream's listpacks | 5.0 and later |
//!
//! Each blob has three levels. `new` looks at the header alone, as a server's shallow check does. `iter` walks the
//! elements and never leaves the blob; it reports the first thing that cannot be walked and ends. `verify` is the
//! server's deep check (`sanitize-dump-payload yes`): what it accepts, `iter` walks without an error.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

#[doc(hidden)]
pub mod attack;
mod element;
mod error;
pub mod intset;
pub mod listpack;
pub mod stream_node;
pub mod ziplist;
pub mod zipmap;

pub use element::Element;
pub use error::{Error, ErrorKind};

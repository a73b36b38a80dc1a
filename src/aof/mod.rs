//! Append-only files: commands in the order in which a server executed them.
//!
//! ```text
//! [ RDB preamble ]  ( command | annotation )*  end of file
//! ```
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`frame`] | one command as spans of the input: strict, and as tolerant as a server's loader |
//! | [`record`], [`reader`] | commands and annotations, one after another |
//! | [`resync`] | where reading can go on after damage |
//! | [`writer`] | the mirror of the reader |
//! | [`rewrite`] | the commands that make a collection or a stream |
//! | [`manifest`] | which files make up a multi-part log, and in which order |
//!
//! There is no header, no checksum and no record number: the end of the file at a record's end is all that says
//! "complete". Source: Redis and Valkey `src/aof.c`, `src/redis-check-aof.c`.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod error;
pub mod frame;
pub mod manifest;
pub mod reader;
pub(crate) mod record;
pub(crate) mod resync;
pub(crate) mod rewrite;
pub mod writer;

pub use error::{Doing, Error, ErrorKind};
pub use frame::Tolerated;
pub use manifest::Manifest;
pub use reader::Reader;
pub use record::{Annotation, Command, Record};
pub use writer::Writer;

/// Bodies for the fuzz targets. Whatever the bytes, they return.
#[doc(hidden)]
pub mod attack;

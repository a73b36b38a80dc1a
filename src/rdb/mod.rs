//! RDB snapshots: bytes to records to values, and back.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`opcode`] | opcodes and value types, per dialect |
//! | [`length`], [`string`] | the frames of everything |
//! | [`record`], [`reader`] | records |
//! | [`object`] | values, one file for each type |
//! | [`whole`] | every record, those compressed or in pieces, too |
//! | [`payload`] | a value on its own, as `DUMP` gives it |
//! | [`target`] | what a server can load |
//! | [`encode`], [`writer`] | values, records and files, written for a target |
//! | [`error`] | what can be wrong |
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

#[doc(hidden)]
pub mod attack;
pub(crate) mod compressed;
pub(crate) mod encode;
pub mod error;
pub mod length;
pub mod object;
pub mod opcode;
pub(crate) mod payload;
pub mod reader;
pub(crate) mod record;
pub mod string;
pub mod target;
mod templates;
pub mod whole;
pub mod writer;

/// The first version with a checksum behind the end.
pub const FIRST_WITH_CHECKSUM: u32 = 5;

pub use compressed::{DRAGONFLY_VERSION, Inflated};
pub use error::{Doing, Error, ErrorKind, Result};
pub use object::{Buffers, Element, ValueRef};
pub use opcode::{Dialect, ValueType};
pub use reader::{Header, Reader};
pub use record::{Attributes, CompressedBlob, Compression, KeyRecord, Record};
pub use string::{Form, Scratch, StringRef};
pub use target::Target;
pub use writer::Writer;

//! careen reads, checks and mends the persistence files of Redis-family databases without a running server.
//!
//! ```text
//! bytes  →  packed → rdb, aof → input, scan  →  keyspace → replay  →  check … chat
//! bytes     frames, records, values             keyspace              answers
//! ```
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`bytes`] | a file as one slice, checked reads, limits, checksums, LZF, safe publishing: nothing of Redis |
//! | [`value`] | plain logical types, byte strings that borrow, numbers as servers write them |
//! | [`packed`] | listpacks, ziplists, intsets, zipmaps, stream nodes |
//! | [`rdb`] | snapshots: records with lazy values, read and written |
//! | [`modules`] | what the values of known modules mean |
//! | [`aof`] | logs: commands, annotations, manifests, read and written |
//! | [`input`] | what a path is: a file, a directory, a set of parts |
//! | [`scan`], [`select`] | every record on all threads, results in order; which keys |
//! | [`keyspace`], [`replay`] | all keys in memory, borrowed from the input; commands that change them; the digest |
//! | [`check`], [`finding`] | everything that is wrong, where, and how bad |
//! | [`inspect`], [`export`] | answers and formats |
//! | [`convert`] | one persistence into another, for a target server |
//! | `chat` | the chat service that is this crate's sample domain (feature `chat`) |
//! | [`corpus`] | files for fuzzers: made, mended, judged, made small |
//! | [`repair`] | what can be restored, what can be kept, and what is lost |
//!
//! To start from: [`rdb::Reader`], [`aof::Reader`], [`input::open`], [`check::rdb::check`], [`replay::Engine`]. Readers
//! borrow from the input and look into a value only when asked; the library prints nothing, never exits and has no
//! global state.
//!
//! ```
//! let image = b"REDIS0009\xfe\x00\x00\x03key\x05value\xff\x00\x00\x00\x00\x00\x00\x00\x00";
//! let report = careen::check::rdb::check(image, 0..image.len() as u64, &Default::default(), |_| {});
//! assert_eq!((report.keys, report.findings.len()), (1, 0));
//! ```
#![allow(rustdoc::private_intra_doc_links, reason = "a module's text leads its readers to its parts")]

pub mod aof;
pub mod bytes;
#[cfg(feature = "chat")]
pub mod chat;
pub mod check;
pub mod convert;
pub mod corpus;
pub mod export;
pub mod finding;
pub mod input;
pub mod inspect;
pub mod keyspace;
pub mod modules;
pub mod packed;
pub mod rdb;
pub mod repair;
pub mod replay;
pub mod scan;
pub mod select;
pub mod value;

/// The example in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

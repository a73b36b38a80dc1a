//! careen reads, checks and mends the persistence files of Redis-family databases without a running server.
#![allow(rustdoc::private_intra_doc_links, reason = "a module's text leads its readers to its parts")]

pub mod aof;
pub mod bytes;
#[cfg(feature = "chat")]
pub mod chat;
pub mod check;
pub mod convert;
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

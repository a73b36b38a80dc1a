//! Commands to keyspace: what each of them does, to the bit.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`engine`] | one command after the other: transactions, errors, stopping early |
//! | [`load`] | whole files into the engine |
//! | [`table`] | which commands exist, their arity, their keys, and what executes them |
//! | [`state`] | what commands work on |
//! | [`until`] | conditions to stop early |
//! | [`whole`] | an input of any kind into one keyspace |
//! | [`report`] | what was met on the way |
//! | `strings`, `lists`, … | one file per group of commands |
//! | [`bits`], [`hyperloglog`], [`geo`] | algorithms on plain bytes and numbers |

pub mod args;
#[doc(hidden)]
pub mod attack;
pub(crate) mod bits;
pub mod engine;
pub(crate) mod geo;
pub(crate) mod hyperloglog;
pub mod load;
pub mod refusal;
pub mod report;
pub(crate) mod state;
pub mod table;
pub mod until;
pub mod whole;

mod bitmaps;
mod catalogue;
mod geo_store;
mod hashes;
mod hyperloglogs;
mod keys;
mod lists;
mod queue;
mod restore;
mod script;
mod scripting;
mod server;
mod sets;
mod sort;
mod streams;
mod strings;
mod times;
pub(crate) mod touched;
mod transaction;
mod vectors;
mod zsets;

pub use engine::{Engine, Watch};
pub use load::Error;
pub use refusal::{Misplaced, Refusal};
pub use report::{Noted, Notes, Place, Report};
pub use state::{Args, Handler, State};
pub use until::Until;

//! Commands to keyspace: what each of them does, to the bit.

pub mod args;
pub mod bits;
pub mod geo;
pub mod hyperloglog;
pub mod refusal;
pub mod state;

pub use refusal::Refusal;
pub use state::{Args, Handler, State};

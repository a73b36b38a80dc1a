//! Commands to keyspace: what each of them does, to the bit.

pub mod args;
pub mod refusal;
pub mod state;

pub use refusal::Refusal;
pub use state::{Args, Handler, State};

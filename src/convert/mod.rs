//! One persistence into another: versions, kinds, filtered, split, merged, anonymised.
//!
//! ```text
//! RDB image ── every key: as it stands, or decoded and encoded for the target ──┐
//! log ── replayed ── keyspace ── every key ─────────────────────────────────────┴→ outputs: RDB, AOF, AOF directory
//! ```
//!
//! | module | what it does |
//! | --- | --- |
//! | [`options`] | what is asked for |
//! | [`report`] | what was done, what was lost, why it was not done |
//! | `prologue` | what stands before the keys of an image |
//! | `rewrite` | one key for the output |
//! | `commands` | a key as commands |
//! | `scrub` | anonymisation |
//! | `outputs` | the files that are written |
//! | `batch` | what threads make of runs of keys |
//! | `inputs` | inputs of any kind |
//! | `images` | RDB images into outputs |
//! | `keyspace`, `logical` | a keyspace into outputs |
//! | `layered` | an image and the log behind it, which touches few of its keys |
//! | `merged` | which of several keys of one name stays |

pub mod attack;
pub(crate) mod batch;
pub(crate) mod commands;
mod images;
mod inputs;
mod keyspace;
mod layered;
mod logical;
mod merged;
pub mod options;
pub(crate) mod outputs;
pub(crate) mod prologue;
pub mod report;
pub(crate) mod rewrite;
pub(crate) mod scrub;
#[cfg(test)]
mod tests;

pub use inputs::convert;
pub use options::{Base, Choice, Kind, OnDuplicate, Options, SplitBy, target_of};
pub use report::{Error, Loss, Losses, Report};

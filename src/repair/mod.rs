//! Getting back what a damaged file still holds.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`plan`] | what a repair is going to do |
//! | [`rdb`] | the plan for an RDB image |
//! | [`aof`] | the plan for a log, with or without an image before it |
//! | [`manifest`] | the parts of a multi-part log, and its manifest |
//! | [`exact`] | small changes that the checksum finds and proves |
//! | [`salvage`] | intact records behind damage |
//! | [`apply`] | writing the output and its quarantine |

pub mod aof;
pub mod apply;
#[doc(hidden)]
pub mod attack;
pub mod exact;
pub mod manifest;
pub mod plan;
pub mod rdb;
pub mod salvage;

pub use plan::{Mode, Plan};

//! Getting back what a damaged file still holds.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`plan`] | what a repair is going to do |
//! | [`rdb`] | the plan for an RDB image |
//! | [`exact`] | small changes that the checksum finds and proves |
//! | [`salvage`] | intact records behind damage |
//! | [`apply`] | writing the output and its quarantine |

pub mod apply;
pub mod exact;
pub mod plan;
pub mod rdb;
pub mod salvage;

pub use plan::{Mode, Plan};

//! Deep verification: everything that is wrong with a file, as findings.

pub mod aof;
mod findings;
pub mod input;
#[doc(hidden)]
pub mod attack;
pub mod rdb;
pub mod redis_check_aof;
pub mod redis_check_rdb;
mod unique;
pub mod value;

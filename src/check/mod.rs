//! Deep verification: everything that is wrong with a file, as findings.

pub mod aof;
#[doc(hidden)]
pub mod attack;
mod findings;
pub mod input;
pub mod rdb;
pub mod redis_check_aof;
pub mod redis_check_rdb;
mod replay;
pub mod value;

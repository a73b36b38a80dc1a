//! Deep verification: everything that is wrong with a file, as findings.

#[doc(hidden)]
pub mod attack;
pub mod rdb;
mod unique;
pub mod value;

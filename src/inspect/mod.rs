//! Read-only answers about an input, as plain structs.
//!
//! | module | question |
//! | --- | --- |
//! | [`info`] | what is this file? |
//! | [`keys`] | which keys are in it? |

pub mod info;
pub mod keys;

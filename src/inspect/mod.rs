//! Read-only answers about an input, as plain structs.
//!
//! | module | question |
//! | --- | --- |
//! | [`info`] | what is this file? |
//! | [`keys`] | which keys are in it? |
//! | [`log`] | what happened, in order? |
//! | [`diff`] | what differs between two inputs? |

pub mod diff;
pub mod entries;
pub mod info;
pub mod keys;
pub mod log;

//! Read-only answers about an input, as plain structs.
//!
//! | module | question |
//! | --- | --- |
//! | [`diff`] | what differs between two inputs? |

pub mod diff;

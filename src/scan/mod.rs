//! Reading a whole image: one thread finds the records and sums the bytes, all threads look into them.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`ordered`](mod@ordered) | batches to workers, results back in order |
//! | [`walk`](mod@walk) | every record of an RDB image to a [`Task`], with the checksum beside it |
//! | [`text`] | text that tasks make, written in the order of the records |
//! | `unique` | finding what occurs twice with 8 bytes an element |

pub mod ordered;
pub mod text;
pub mod threads;
pub(crate) mod unique;
pub mod walk;

pub use text::{Delivery, Pen, Problem, Text, deliver};
pub use walk::{Options, Summary, Task, walk};

//! What real servers wrote, and what they were seen to accept and refuse, against what we read.

mod described;
mod snapshots;
mod vectors;

//! Getting back what a damaged file still holds.
pub mod exact;
pub mod salvage;

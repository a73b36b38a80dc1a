//! What the library answers, as text or as JSON.

pub(super) mod chart;
pub(super) mod diff;
pub(super) mod escape;
pub(super) mod finding;
pub(super) mod info;
pub(super) mod json;
pub(super) mod repair;
pub(super) mod row;
pub(super) mod text;
pub(super) mod value;

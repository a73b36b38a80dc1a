//! Real servers against this crate: a server executes random commands and logs them, we replay its log, and both
//! must hold the same data; we convert its log, and the server must load every kind of result to the same data.
//!
//! `CAREEN_SERVER` names the server binary (default: `redis-server` in the path); `CAREEN_SEEDS` and
//! `CAREEN_COMMANDS` say how much is tried. Without a server the test says that it did nothing, or fails when
//! `CAREEN_REQUIRE_SERVER` is `1`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test says what is wrong by failing"
)]

mod client;
mod generate;
mod process;
mod replay;
mod write;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

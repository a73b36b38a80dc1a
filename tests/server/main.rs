//! Real servers against this crate: a server executes random commands and logs them, we replay its log, and both
//! must hold the same data; we convert its log, and the server must load every kind of result to the same data.
//!
//! `CAREEN_SERVER` names the server binary (default: `redis-server` in the path); `CAREEN_SEEDS`,
//! `CAREEN_FIRST_SEED` and `CAREEN_COMMANDS` say how much is tried. Without a server the tests say that they did
//! nothing. `CAREEN_REQUIRE_SERVER=1` is for the machine that decides: then they fail without one, and try more.

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

mod apart;
mod client;
mod compare;
mod exercise;
mod generate;
mod odd;
mod process;
mod repair;
mod replay;
mod templates;
mod write;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Must there be a server?
fn is_required() -> bool {
    std::env::var("CAREEN_REQUIRE_SERVER").as_deref() == Ok("1")
}

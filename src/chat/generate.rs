//! A service that never was: users, sessions, conversations, as a snapshot, a log, or both.
//!
//! Everything follows from the seed by integer arithmetic, so the same settings give the same bytes on every machine.
//!
//! | file | what it holds |
//! | --- | --- |
//! | [`story`] | what happens: who comes and goes, who writes to whom |
//! | [`dice`] | chance |
//! | [`bodies`] | what people write |
//! | [`log`] | the story as commands |
//! | [`image`] | the state at some moment as a snapshot |

pub(crate) mod bodies;
pub mod dice;
pub mod image;
pub mod log;
pub(crate) mod story;

pub use image::Ledger;
pub use log::Log;
pub use story::{Event, Settings, Story};

use crate::aof::{Manifest, manifest::Entry, manifest::Role};
use std::io::{self, Write};

/// The names of the files in a directory fit to be a server's `appendonlydir`.
pub const MANIFEST: &str = "appendonly.aof.manifest";
/// The snapshot in it.
pub const BASE: &str = "appendonly.aof.1.base.rdb";
/// The log in it.
pub const INCR: &str = "appendonly.aof.1.incr.aof";

/// Write the whole story as a log.
///
/// # Errors
/// What the stream refuses.
pub fn as_log<W: Write>(settings: Settings, out: W, progress: &mut dyn FnMut(u64)) -> io::Result<W> {
    let mut story = Story::new(settings);
    let mut log = Log::new(out, settings);
    story.run(settings.messages, &mut |event| {
        progress(event.number());
        log.event(&event)
    })?;
    log.finish()
}

/// Write the state at its end as a snapshot.
///
/// # Errors
/// What the stream refuses.
pub fn as_image<W: Write>(settings: Settings, out: W, progress: &mut dyn FnMut(u64)) -> io::Result<W> {
    let mut story = Story::new(settings);
    let mut ledger = Ledger::default();
    story.run(settings.messages, &mut |event| {
        ledger.event(&event);
        Ok(())
    })?;
    image::write(&story, &ledger, false, out, progress)
}

/// Write the state in the middle as a snapshot, and what follows as a log.
///
/// # Errors
/// What the streams refuse.
pub fn as_set<B: Write, I: Write>(
    settings: Settings,
    base: B,
    incr: I,
    progress: &mut dyn FnMut(u64),
) -> io::Result<(B, I)> {
    let mut story = Story::new(settings);
    let mut ledger = Ledger::default();
    story.run(settings.messages / 2, &mut |event| {
        ledger.event(&event);
        Ok(())
    })?;
    let base = image::write(&story, &ledger, true, base, &mut |_| {})?;
    drop(ledger);
    let mut log = Log::new(incr, settings);
    story.run(settings.messages, &mut |event| {
        progress(event.number());
        log.event(&event)
    })?;
    Ok((base, log.finish()?))
}

/// The manifest of that set.
///
/// # Errors
/// Never, as its names are plain.
pub fn manifest() -> io::Result<Vec<u8>> {
    let entries = vec![Entry::new(BASE, 1, Role::Base), Entry::new(INCR, 1, Role::Incr)];
    Manifest { entries }.encode().map_err(|problem| io::Error::other(problem.to_string()))
}

#[cfg(test)]
mod tests;

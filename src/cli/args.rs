//! Options that several commands share.

mod replay;
mod select;
mod size;
mod time;
mod write;

pub(super) use replay::{ReplayArgs, no_cut, offset};
pub(super) use select::SelectArgs;
pub(super) use size::Size;
pub(super) use time::Time;
pub(super) use write::{WriteArgs, in_place};

use std::ffi::OsStr;
use std::path::PathBuf;

/// When something is done that suits a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum When {
    /// When it goes to a terminal.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

const GLOBAL: &str = "Global options";

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(super) struct GlobalArgs {
    /// Colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true, help_heading = GLOBAL)]
    pub(super) color: When,
    /// A bar on standard error: auto, always, never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true, help_heading = GLOBAL)]
    pub(super) progress: When,
    /// Only errors
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub(super) quiet: bool,
    /// More than needed
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    pub(super) verbose: u8,
    /// Threads, 0 for as many as there are cores
    #[arg(short = 'j', long, global = true, value_name = "N", default_value_t = 0, help_heading = GLOBAL)]
    pub(super) threads: usize,
    /// Read files instead of mapping them
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(super) no_mmap: bool,
    /// Stop rather than take more memory than this (512M, 2G)
    #[arg(long, global = true, value_name = "SIZE", help_heading = GLOBAL)]
    pub(super) max_memory: Option<Size>,
    /// Overwrite the output
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(super) force: bool,
}

/// The input of most commands.
#[derive(Debug, clap::Args)]
pub(super) struct InputArg {
    /// An RDB, an AOF, a manifest, a directory, or - for standard input
    #[arg(value_name = "INPUT")]
    pub(super) input: PathBuf,
}

/// Bytes of an argument, whatever they are.
pub(super) fn bytes(text: &OsStr) -> Vec<u8> {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec();
    #[cfg(not(unix))]
    return text.to_string_lossy().into_owned().into_bytes();
}

//! Where data goes: standard output, or a file that appears when it is complete.

use super::context::Context;
use super::failure::Failure;
use super::render::escape;
use careen::bytes::publish::{Disk, Existing, Files, Part, Publisher};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The output of commands that write data.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct OutputArg {
    /// Write here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// An open output.
#[derive(Debug)]
pub(super) enum Output {
    Standard(File),
    File { name: String, publisher: Box<Publisher>, part: Part<<Disk as Files>::File> },
}

impl OutputArg {
    /// Open it. What exists is not overwritten without `--force`.
    pub(super) fn open(&self, cx: &Context<'_>) -> Result<Output, Failure> {
        let Some(path) = self.output.as_deref().filter(|path| *path != Path::new("-")) else {
            return Ok(Output::Standard(standard_output()?));
        };
        let existing = Existing { replace: cx.global.force, ..Existing::default() };
        let (publisher, part) = Publisher::file(path, existing)?;
        Ok(Output::File { name: escape::path(path), publisher: Box::new(publisher), part })
    }
}

impl Output {
    /// All is written: the file appears under its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Standard(mut file) => Ok(file.flush()?),
            Self::File { publisher, part, .. } => {
                publisher.close(part)?;
                Ok(publisher.publish()?)
            }
        }
    }

    /// An error of a write as a failure.
    pub(super) fn failure(&self, error: &io::Error) -> Failure {
        match self {
            Self::Standard(_) => Failure::write("standard output", error),
            Self::File { name, .. } => Failure::write(name, error),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(file) => file.write(bytes),
            Self::File { part, .. } => part.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(file) => file.flush(),
            Self::File { part, .. } => part.flush(),
        }
    }
}

/// Standard output without the line buffer that the standard library puts before it.
fn standard_output() -> Result<File, Failure> {
    #[cfg(unix)]
    let handle = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned();
    #[cfg(windows)]
    let handle = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned();
    Ok(File::from(handle?))
}

//! Where data goes: standard output, or a file that appears when it is complete.

use super::context::Context;
use super::failure::Failure;
use super::render::escape;
use careen::bytes::publish::{Disk, Existing, Files, Part, Publisher, What, same};
use careen::input::Input;
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
    /// A pipe or a device.
    Stream {
        name: String,
        file: File,
    },
    File {
        name: String,
        publisher: Box<Publisher>,
        part: Part<<Disk as Files>::File>,
    },
}

impl OutputArg {
    /// Open it, for what is made of `input`.
    pub(super) fn open(&self, cx: &Context<'_>, input: &Input) -> Result<Output, Failure> {
        match self.output.as_deref().filter(|path| !is_standard(path)) {
            Some(path) => {
                refuse_input(path, std::slice::from_ref(input))?;
                Output::at(path, cx)
            }
            None => Ok(Output::Standard(standard_output()?)),
        }
    }
}

/// Refuse an output that would take away what it is made of, or stand among it.
pub(super) fn refuse_input(output: &Path, inputs: &[Input]) -> Result<(), Failure> {
    if inputs.iter().any(|input| input.is_at(output)) {
        return Err(is_input(output));
    }
    if inputs.iter().any(|input| input.has_inside(output)) {
        let line = format!("{}: the output would stand in the input's directory", escape::path(output));
        return Err(Failure::new(line).hint("give a path outside of it: an input is never changed"));
    }
    Ok(())
}

/// The same for an input that is only a path.
pub(super) fn refuse_path(output: &Path, input: &Path) -> Result<(), Failure> {
    if same::would_take_away(output, input) { Err(is_input(output)) } else { Ok(()) }
}

fn is_input(output: &Path) -> Failure {
    let line = format!("{}: the output is the input", escape::path(output));
    Failure::new(line).hint("give another path; some commands replace their input --in-place")
}

impl Output {
    /// Open a path. A file that exists is not overwritten without `--force`; a pipe or a device is written into.
    pub(super) fn at(path: &Path, cx: &Context<'_>) -> Result<Self, Failure> {
        if is_standard(path) {
            return Ok(Self::Standard(standard_output()?));
        }
        let name = escape::path(path);
        if takes_a_stream(path) {
            let opened = File::options().append(true).open(path);
            return match opened {
                Ok(file) => Ok(Self::Stream { name, file }),
                Err(error) => Err(Failure::write(&name, &error)),
            };
        }
        let existing = Existing { replace: cx.global.force, ..Existing::default() };
        let (publisher, part) = Publisher::file(path, existing)?;
        Ok(Self::File { name, publisher: Box::new(publisher), part })
    }

    /// True of standard output.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self, Self::Standard(_))
    }

    /// All is written: the file appears under its name.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Standard(mut file) => Ok(file.flush()?),
            Self::Stream { name, mut file } => file.flush().map_err(|error| Failure::write(&name, &error)),
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
            Self::File { name, .. } | Self::Stream { name, .. } => Failure::write(name, error),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(file) | Self::Stream { file, .. } => file.write(bytes),
            Self::File { part, .. } => part.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(file) | Self::Stream { file, .. } => file.flush(),
            Self::File { part, .. } => part.flush(),
        }
    }
}

/// The names of standard output, one of which every system has as a link that must stay.
fn is_standard(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// True of pipes and of devices that are no disks.
#[cfg(unix)]
fn takes_a_stream(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    let kind = path.metadata().map(|about| about.file_type());
    Disk.what_is(path) == Some(What::Special) && kind.is_ok_and(|kind| !kind.is_block_device() && !kind.is_socket())
}

#[cfg(not(unix))]
fn takes_a_stream(path: &Path) -> bool {
    Disk.what_is(path) == Some(What::Special)
}

/// Standard output without the line buffer that the standard library puts before it.
fn standard_output() -> Result<File, Failure> {
    #[cfg(unix)]
    let handle = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned();
    #[cfg(windows)]
    let handle = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned();
    Ok(File::from(handle?))
}

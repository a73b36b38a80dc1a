//! Where data goes: standard output, or a file that appears when it is complete.

use super::context::Context;
use super::failure::Failure;
use super::render::escape;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

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
    File { path: PathBuf, file: NamedTempFile },
}

impl OutputArg {
    /// Open it. What exists is not overwritten without `--force`.
    pub(super) fn open(&self, cx: &Context<'_>) -> Result<Output, Failure> {
        let Some(path) = self.output.as_deref().filter(|path| *path != Path::new("-")) else {
            return Ok(Output::Standard(standard_output()?));
        };
        if path.symlink_metadata().is_ok() && !cx.global.force {
            let line = format!("{}: it exists already", escape::path(path));
            return Err(Failure::new(line).hint("--force overwrites it"));
        }
        // A temporary file in the same directory, so that it can be renamed.
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file =
            temporary(directory).map_err(|error| Failure::new(format!("{}: create: {error}", escape::path(path))))?;
        Ok(Output::File { path: path.into(), file })
    }
}

impl Output {
    /// All is written.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Standard(mut file) => Ok(file.flush()?),
            Self::File { path, file } => {
                let name = escape::path(&path);
                file.as_file().sync_all().map_err(|error| Failure::write(&name, &error))?;
                file.persist(&path).map_err(|error| Failure::write(&name, &error.error))?;
                Ok(())
            }
        }
    }

    /// An error of a write as a failure.
    pub(super) fn failure(&self, error: &io::Error) -> Failure {
        match self {
            Self::Standard(_) => Failure::write("standard output", error),
            Self::File { path, .. } => Failure::write(&escape::path(path), error),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(file) => file.write(bytes),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(file) => file.flush(),
            Self::File { file, .. } => file.flush(),
        }
    }
}

/// With the permissions of any new file, not those of a secret.
fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(".careen-").tempfile_in(directory)
}

/// Standard output without the line buffer that the standard library puts before it.
fn standard_output() -> Result<File, Failure> {
    #[cfg(unix)]
    let handle = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned();
    #[cfg(windows)]
    let handle = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned();
    Ok(File::from(handle?))
}

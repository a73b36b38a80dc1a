//! Shortening a file in place, with the old one kept beside it.

use crate::bytes::publish::{Existing, Publisher};
use crate::bytes::source::Source;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replace the file by its first `len` bytes. The file as it was is `PATH.bak` then; an older backup, of a run before
/// this one, gets a number behind its name.
pub(super) fn keep(path: &Path, source: &Source, len: u64) -> io::Result<()> {
    if source.compression().is_some() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "the file is compressed; decompress it first"));
    }
    let path = path.canonicalize()?;
    let kept = usize::try_from(len).ok().and_then(|len| source.bytes().get(..len)).unwrap_or(source.bytes());
    number_backup(&path)?;
    let (publisher, mut part) =
        Publisher::file(&path, Existing { replace: false, keep_backup: true }).map_err(io::Error::other)?;
    part.write_all(kept)?;
    publisher.close(part).map_err(io::Error::other)?;
    publisher.publish().map_err(io::Error::other)
}

fn number_backup(path: &Path) -> io::Result<()> {
    let backup = with_suffix(path, ".bak");
    let is_free = |path: &PathBuf| path.symlink_metadata().is_err();
    if is_free(&backup) {
        return Ok(());
    }
    let numbered = (1..1000).map(|n| with_suffix(path, &format!(".bak.{n}"))).find(is_free);
    let taken = || io::Error::new(io::ErrorKind::AlreadyExists, "there are too many backups");
    fs::rename(&backup, numbered.ok_or_else(taken)?)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

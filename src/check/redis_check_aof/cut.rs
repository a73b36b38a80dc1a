//! Shortening a file in place, with the old one kept beside it.

use crate::bytes::source::Source;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replace the file by its first `len` bytes. The file as it was is `PATH.bak` then.
///
/// The new file is complete on the disk before it takes the old one's name, so that a crash leaves either the one or
/// the other under it.
pub(super) fn keep(path: &Path, source: &Source, len: u64) -> io::Result<()> {
    if source.compression().is_some() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "the file is compressed; decompress it first"));
    }
    let path = path.canonicalize()?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let kept = usize::try_from(len).ok().and_then(|len| source.bytes().get(..len)).unwrap_or(source.bytes());
    let mut new = tempfile::NamedTempFile::new_in(directory)?;
    new.write_all(kept)?;
    new.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    new.as_file().sync_all()?;
    fs::hard_link(&path, free_name(&path)?)?;
    new.persist(&path).map_err(|e| e.error)?;
    fs::File::open(directory)?.sync_all()
}

/// `PATH.bak`, or with a number behind it when that is taken: a backup is never overwritten.
fn free_name(path: &Path) -> io::Result<PathBuf> {
    let name = |suffix: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let numbered = (1..1000).map(|n| name(format!(".bak.{n}")));
    let free = |candidate: &PathBuf| candidate.symlink_metadata().is_err();
    let taken = || io::Error::new(io::ErrorKind::AlreadyExists, "there are too many backups");
    std::iter::once(name(".bak".into())).chain(numbered).find(free).ok_or_else(taken)
}

//! The real file system.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::{Durable, Files, What};

/// Files of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

/// A file of the operating system.
#[derive(Debug)]
pub struct File(fs::File);

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Durable for File {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

/// An output may be asked for in a directory that is not there yet.
fn make_parents(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

impl Files for Disk {
    type File = File;

    fn create_file(&self, path: &Path) -> io::Result<File> {
        make_parents(path)?;
        OpenOptions::new().write(true).create_new(true).open(path).map(File)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        make_parents(path)?;
        fs::create_dir(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        match fs::File::open(path).and_then(|dir| dir.sync_all()) {
            // Some file systems have nothing to sync here and say so.
            Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            other => other,
        }
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        match rename_with(from, to, Way::NoReplace) {
            Err(e) if e.kind() == io::ErrorKind::Unsupported => {}
            other => return other,
        }
        if self.what_is(to).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(from, to)
    }

    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        rename_with(one, other, Way::Exchange)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        match fs::hard_link(from, to) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                let mut copy = OpenOptions::new().write(true).create_new(true).open(to)?;
                let copied = io::copy(&mut fs::File::open(from)?, &mut copy).and_then(|_| copy.sync_all());
                if copied.is_err() {
                    let _ = fs::remove_file(to);
                }
                copied
            }
            other => other,
        }
    }

    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::set_permissions(to, fs::metadata(from)?.permissions())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.what_is(path) {
            Some(What::Directory) => fs::remove_dir_all(path),
            _ => fs::remove_file(path),
        }
    }

    fn what_is(&self, path: &Path) -> Option<What> {
        let kind = fs::symlink_metadata(path).ok()?.file_type();
        let behind = if kind.is_symlink() { fs::metadata(path).map_or(kind, |about| about.file_type()) } else { kind };
        Some(match () {
            () if kind.is_dir() => What::Directory,
            () if behind.is_file() || behind.is_dir() || behind.is_symlink() => What::File,
            () => What::Special,
        })
    }
}

enum Way {
    NoReplace,
    Exchange,
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_with(from: &Path, to: &Path, way: Way) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    let flags = match way {
        Way::NoReplace => RenameFlags::NOREPLACE,
        Way::Exchange => RenameFlags::EXCHANGE,
    };
    match renameat_with(CWD, from, CWD, to, flags) {
        Ok(()) => Ok(()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(io::ErrorKind::Unsupported.into()),
        Err(other) => Err(other.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_with(_: &Path, _: &Path, _: Way) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

//! The real file system.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::behind::Stream;
use super::{Durable, Files, What, pending};

/// Files of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

/// A file of the operating system.
#[derive(Debug)]
pub struct File(Stream);

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
        self.0.sync()
    }
}

/// An output may be asked for in a directory that is not there yet.
fn make_parents(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

impl Files for Disk {
    type File = File;

    fn create_file(&self, path: &Path, mode: u32) -> io::Result<File> {
        make_parents(path)?;
        new_file(path, mode).map(|file| File(Stream::new(file)))
    }

    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        make_parents(path)?;
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
        #[cfg(not(unix))]
        let _ = mode;
        builder.create(path)
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
                let mut copy = new_file(to, 0o600)?;
                let copied = io::copy(&mut fs::File::open(from)?, &mut copy)
                    .and_then(|_| self.copy_permissions(from, to))
                    .and_then(|()| copy.sync_all());
                if copied.is_err() {
                    let _ = fs::remove_file(to);
                }
                copied
            }
            other => other,
        }
    }

    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        if to.is_dir() {
            let old: Vec<PathBuf> =
                from.read_dir()?.flatten().map(|entry| entry.path()).filter(|p| p.is_file()).collect();
            // For files of new names: nothing in it was for more than all of the files that were there.
            let narrowest = old.iter().fold(0o777, |mode, path| mode & mode_of(path)) | 0o600;
            for file in to.read_dir()? {
                let new = file?.path();
                match old.iter().find(|old| old.file_name() == new.file_name()) {
                    Some(same) => like(&fs::metadata(same)?, u32::MAX, &new)?,
                    None => old.first().map_or(Ok(()), |any| like(&fs::metadata(any)?, narrowest, &new))?,
                }
            }
        }
        like(&fs::metadata(from)?, u32::MAX, to)
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
            // As `/dev/stdout` is, which every program needs.
            () if kind.is_symlink() && fs::read_link(path).is_ok_and(|to| to.starts_with("/proc")) => What::Special,
            () if behind.is_file() || behind.is_dir() || behind.is_symlink() => What::File,
            () => What::Special,
        })
    }

    fn begun(&self, temporary: &Path) {
        pending::begun(temporary);
    }

    fn ended(&self, temporary: &Path) {
        pending::ended(temporary);
    }
}

fn new_file(path: &Path, mode: u32) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

/// The permissions of a path, for what is made of it. All of them where they cannot be told.
#[cfg(unix)]
pub(super) fn mode_of(path: &Path) -> u32 {
    // A pipe at standard input has permissions, too, which say nothing.
    let about = fs::metadata(path).ok().filter(|about| about.is_file() || about.is_dir());
    about.map_or(0o777, |about| std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777)
}

#[cfg(not(unix))]
pub(super) fn mode_of(_: &Path) -> u32 {
    0o777
}

/// Owner, group and permissions, where they are allowed to be set; never more of the last than `most`.
#[cfg(unix)]
fn like(about: &fs::Metadata, most: u32, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let mut mode = about.mode() & 0o7777 & most;
    let now = fs::metadata(to)?;
    if (now.uid(), now.gid()) != (about.uid(), about.gid()) && chown(to, Some(about.uid()), Some(about.gid())).is_err()
    {
        let same_group = now.gid() == about.gid() || chown(to, None, Some(about.gid())).is_ok();
        // What the group was permitted is not for another one; nor is another's identity for us to lend.
        mode &= if same_group { 0o777 } else { 0o707 | ((mode & 0o007) << 3) };
    }
    fs::set_permissions(to, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn like(about: &fs::Metadata, _: u32, to: &Path) -> io::Result<()> {
    fs::set_permissions(to, about.permissions())
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

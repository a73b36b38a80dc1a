//! Putting a result in its place so that a crash at any moment leaves the old state or the new one, whole.
//!
//! | step | new path | `replace` | `keep_backup` |
//! | --- | --- | --- | --- |
//! | write and sync a temporary beside the target | yes | yes | yes |
//! | make the backup: a file is linked, a directory is renamed after the exchange | | | yes |
//! | put it in place | rename, never over anything | rename over a file, exchange directories | the same |
//! | sync the parent directory, after each step above that changed it | yes | yes | yes |
//! | remove what was there before | | yes | |
//!
//! A directory that is there cannot be renamed over, so the two change places in one step (`RENAME_EXCHANGE`). Where
//! the file system has no such step, the old one is moved aside first; if that is where the power fails, the old
//! directory is found under the temporary's name.
//! A temporary that is not published is removed when its handle is dropped, or by [`abandon`].

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

mod behind;
mod disk;
#[cfg(test)]
mod model;
mod pending;
pub mod same;
#[cfg(test)]
mod tests;

pub use disk::Disk;
pub use pending::abandon;

/// The few file operations that publishing is made of. Anything else than [`Disk`] is there to test with.
pub trait Files {
    /// A file being written.
    type File: Write + Durable;

    /// Make a file that must not exist, with no more permissions than these.
    ///
    /// # Errors
    /// When it exists, or cannot be made.
    fn create_file(&self, path: &Path, mode: u32) -> io::Result<Self::File>;
    /// Make a directory that must not exist, with no more permissions than these.
    ///
    /// # Errors
    /// When it exists, or cannot be made.
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// Make the names in a directory durable.
    ///
    /// # Errors
    /// When the disk refuses.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Rename to a name that must not exist.
    ///
    /// # Errors
    /// When it exists.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Rename a file over another.
    ///
    /// # Errors
    /// When that cannot be done.
    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Let two names change places.
    ///
    /// # Errors
    /// `Unsupported` where there is no such operation.
    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()>;
    /// A second name for a file, or a synced copy where links do not exist. The name must not exist.
    ///
    /// # Errors
    /// When that cannot be done.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Give a file the permissions of another and, where that is allowed, its owner and group. Of a directory, the
    /// files in it get those of the files of the same names.
    ///
    /// # Errors
    /// When that cannot be done.
    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Remove a file, or a directory with everything in it.
    ///
    /// # Errors
    /// When that cannot be done.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// What stands at a path.
    fn what_is(&self, path: &Path) -> Option<What>;
    /// There is a temporary at this path.
    fn begun(&self, _temporary: &Path) {}
    /// It goes to its place, or away.
    fn ended(&self, _temporary: &Path) {}
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A file, or a link.
    File,
    /// A directory.
    Directory,
    /// A device, a pipe or a socket, or a link to one or to what a process has open: never replaced. Who is root and
    /// gives `/dev/null` would take it from the whole system.
    Special,
}

/// A file whose bytes can be made durable.
pub trait Durable {
    /// Make everything written durable.
    ///
    /// # Errors
    /// When the disk refuses.
    fn sync(&mut self) -> io::Result<()>;
}

/// Behind the name of an output: what was there before, where it is kept.
pub const BACKUP: &str = ".bak";

/// What to do with something that is at the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Existing {
    /// Replace it (`--force`).
    pub replace: bool,
    /// Replace it, and keep it under its name with `.bak` behind (`--in-place`). An older backup is replaced only
    /// together with `replace`.
    pub keep_backup: bool,
}

/// Publishing failed; what was at the target is as it was.
#[derive(Debug)]
pub struct Error {
    /// The target, or the backup that is in the way.
    pub path: PathBuf,
    /// What was tried.
    pub doing: Doing,
    /// Why it failed.
    pub cause: io::Error,
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the texts below say it")]
pub enum Doing {
    Refuse,
    RefuseBackup,
    Create,
    Write,
    Sync,
    Backup,
    Place,
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match (self.doing, self.cause.kind()) {
            (Doing::Refuse, io::ErrorKind::AlreadyExists) => Some("give another path, or --force to overwrite it"),
            (Doing::Refuse, io::ErrorKind::Unsupported) => Some("give a path; a file of that name is `./-`"),
            (Doing::Refuse, _) => Some("give another path"),
            (Doing::RefuseBackup, _) => Some("move the older backup away, or --force to overwrite it"),
            (_, cause) => full(cause),
        }
    }
}

/// Advice for a disk that takes no more.
#[must_use]
pub fn full(cause: io::ErrorKind) -> Option<&'static str> {
    match cause {
        io::ErrorKind::StorageFull => Some("the disk is full: make room, or write to another"),
        io::ErrorKind::QuotaExceeded => Some("the quota is used up: make room, or write to another disk"),
        io::ErrorKind::FileTooLarge => Some("a limit on the size of files (ulimit -f) or the file system stops it"),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Some("give a path in a directory that may be written to")
        }
        _ => None,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.doing {
            Doing::Refuse => {
                return f.write_str(match self.cause.kind() {
                    io::ErrorKind::IsADirectory => "is a directory",
                    io::ErrorKind::NotADirectory => "is a file or a link, not a directory",
                    io::ErrorKind::Unsupported => "standard output cannot take it: it appears when it is complete",
                    io::ErrorKind::InvalidInput => "is a device, a pipe or a socket",
                    io::ErrorKind::DirectoryNotEmpty => "is a directory with other things in it",
                    _ => "exists already",
                });
            }
            Doing::RefuseBackup => return f.write_str("a backup of this name exists already"),
            Doing::Create => "cannot make a temporary beside it: ",
            Doing::Write => "cannot write: ",
            Doing::Sync => "cannot make it durable: ",
            Doing::Backup => "cannot keep a backup: ",
            Doing::Place => "cannot put it in place: ",
        })?;
        self.cause.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// A result that is being written beside its target: one file, or a directory of files.
#[derive(Debug)]
pub struct Publisher<F: Files = Disk> {
    files: F,
    target: PathBuf,
    temporary: Option<PathBuf>,
    existing: Existing,
    what: What,
    /// Permissions of files that are made: no more than these.
    mode: u32,
}

/// What a file may have when nothing says otherwise; the process's mask takes some away.
const ANY: u32 = 0o666;
/// Only for the owner: what takes on the permissions of something else at the end.
const OWN: u32 = 0o600;

/// A file of a [`Publisher`] that is being written.
#[derive(Debug)]
pub struct Part<W> {
    file: W,
    path: PathBuf,
}

impl Publisher<Disk> {
    /// Begin to write one file. Gives the file, too.
    ///
    /// # Errors
    /// When something is at the target that must not be replaced, or nothing can be written there.
    pub fn file(target: &Path, existing: Existing) -> Result<(Self, Part<disk::File>), Error> {
        Self::file_on(Disk, target, existing)
    }

    /// Begin to write a directory.
    ///
    /// # Errors
    /// As [`Publisher::file`].
    pub fn directory(target: &Path, existing: Existing) -> Result<Self, Error> {
        Self::directory_on(Disk, target, existing)
    }

    /// As [`Publisher::file`], for a file that nobody may read who cannot read all of `like`.
    ///
    /// # Errors
    /// As [`Publisher::file`].
    pub fn file_like(like: &[&Path], target: &Path, existing: Existing) -> Result<(Self, Part<disk::File>), Error> {
        Self::begin(Disk, target, existing, What::File)?.within(like).with_file()
    }

    /// As [`Publisher::directory`], for a directory that nobody may look into who cannot look into `like`.
    ///
    /// # Errors
    /// As [`Publisher::file`].
    pub fn directory_like(like: &Path, target: &Path, existing: Existing) -> Result<Self, Error> {
        Self::begin(Disk, target, existing, What::Directory)?.within(&[like]).with_directory()
    }

    /// As [`Publisher::part`], for a file that nobody may read who cannot read `like`.
    ///
    /// # Errors
    /// As [`Publisher::part`].
    pub fn part_like(&self, like: &Path, name: &str) -> Result<Part<disk::File>, Error> {
        self.part_within(name, (self.mode & disk::mode_of(like)) | OWN)
    }

    fn within(mut self, like: &[&Path]) -> Self {
        self.mode = like.iter().fold(self.mode, |mode, path| mode & disk::mode_of(path)) | OWN;
        self
    }
}

impl<F: Files> Publisher<F> {
    /// As [`Publisher::file`].
    ///
    /// # Errors
    /// As there.
    pub fn file_on(files: F, target: &Path, existing: Existing) -> Result<(Self, Part<F::File>), Error> {
        Self::begin(files, target, existing, What::File)?.with_file()
    }

    /// As [`Publisher::directory`].
    ///
    /// # Errors
    /// As there.
    pub fn directory_on(files: F, target: &Path, existing: Existing) -> Result<Self, Error> {
        Self::begin(files, target, existing, What::Directory)?.with_directory()
    }

    fn begin(files: F, target: &Path, existing: Existing, what: What) -> Result<Self, Error> {
        let mut publisher = Self { files, target: target.to_owned(), temporary: None, existing, what, mode: ANY };
        publisher.refuse_what_must_stay()?;
        if what == What::File && publisher.files.what_is(target).is_some() {
            publisher.mode = OWN;
        }
        Ok(publisher)
    }

    fn with_file(mut self) -> Result<(Self, Part<F::File>), Error> {
        let (temporary, file) = self.make(|files, path| files.create_file(path, self.mode))?;
        let part = Part { file, path: temporary.clone() };
        self.temporary = Some(temporary);
        Ok((self, part))
    }

    fn with_directory(mut self) -> Result<Self, Error> {
        // Where one is replaced, the new one takes on its permissions at the end.
        let is_there = self.files.what_is(&self.target).is_some();
        let mode = if is_there { 0o700 } else { self.mode | search(self.mode) };
        let (temporary, ()) = self.make(|files, path| files.create_dir(path, mode))?;
        self.temporary = Some(temporary);
        Ok(self)
    }

    /// Make something under a name beside the target that nothing has yet.
    fn make<T>(&self, make: impl Fn(&F, &Path) -> io::Result<T>) -> Result<(PathBuf, T), Error> {
        let mut tried = 0u32;
        loop {
            let path = beside(&self.target, &format!(".{}-{tried}.tmp", std::process::id()));
            match make(&self.files, &path) {
                Ok(made) => {
                    self.files.begun(&path);
                    return Ok((path, made));
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && tried < 1000 => tried = tried.saturating_add(1),
                Err(cause) => return Err(self.error(Doing::Create, cause)),
            }
        }
    }

    /// A file in a directory that is being written.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn part(&self, name: &str) -> Result<Part<F::File>, Error> {
        self.part_within(name, self.mode)
    }

    fn part_within(&self, name: &str, mode: u32) -> Result<Part<F::File>, Error> {
        let path = self.temporary.as_deref().unwrap_or(&self.target).join(name);
        let file = self.files.create_file(&path, mode).map_err(|cause| self.error(Doing::Create, cause))?;
        Ok(Part { file, path })
    }

    /// Close a file: its bytes are durable then.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn close(&self, mut part: Part<F::File>) -> Result<(), Error> {
        part.file.flush().map_err(|cause| self.error(Doing::Write, cause))?;
        part.file.sync().map_err(|cause| self.error(Doing::Sync, cause))
    }

    /// An error of writing a part, as ours.
    #[must_use]
    pub fn write_error(&self, cause: io::Error) -> Error {
        self.error(Doing::Write, cause)
    }

    /// Put the result in its place. All its parts must be closed.
    ///
    /// # Errors
    /// When something got into the way meanwhile, or the disk refuses. What was at the target is there still.
    pub fn publish(mut self) -> Result<(), Error> {
        let Some(temporary) = self.temporary.clone() else { return Ok(()) };
        self.refuse_what_must_stay()?;
        if self.what == What::Directory {
            self.files.sync_dir(&temporary).map_err(|cause| self.error(Doing::Sync, cause))?;
        }
        self.files.ended(&temporary);
        match self.files.what_is(&self.target) {
            None => {
                self.files.rename_new(&temporary, &self.target).map_err(|cause| self.error(Doing::Place, cause))?;
                self.temporary = None;
                self.sync_parent()
            }
            // The one that is special was refused.
            Some(What::File | What::Special) => self.replace_file(&temporary),
            Some(What::Directory) => self.replace_directory(&temporary),
        }
    }

    fn refuse_what_must_stay(&self) -> Result<(), Error> {
        let Existing { replace, keep_backup } = self.existing;
        if self.target == Path::new("-") {
            return Err(self.error(Doing::Refuse, io::ErrorKind::Unsupported.into()));
        }
        let there = self.files.what_is(&self.target);
        if there == Some(What::Special) {
            return Err(self.error(Doing::Refuse, io::ErrorKind::InvalidInput.into()));
        }
        if !replace && !keep_backup && there.is_some() {
            return Err(self.error(Doing::Refuse, io::ErrorKind::AlreadyExists.into()));
        }
        // A file never takes the place of a directory, nor the other way round, whatever was asked for.
        match (there, self.what) {
            (Some(What::Directory), What::File) => {
                return Err(self.error(Doing::Refuse, io::ErrorKind::IsADirectory.into()));
            }
            (Some(What::File), What::Directory) => {
                return Err(self.error(Doing::Refuse, io::ErrorKind::NotADirectory.into()));
            }
            _ => {}
        }
        let backup = self.backup();
        if keep_backup && !replace && self.files.what_is(&backup).is_some() {
            let cause = io::ErrorKind::AlreadyExists.into();
            return Err(Error { path: backup, doing: Doing::RefuseBackup, cause });
        }
        Ok(())
    }

    fn replace_file(&mut self, temporary: &Path) -> Result<(), Error> {
        if self.existing.keep_backup {
            self.back_up_file().map_err(|cause| self.error(Doing::Backup, cause))?;
            self.sync_parent()?;
        }
        let files = &self.files;
        let placed =
            files.copy_permissions(&self.target, temporary).and_then(|()| files.rename_over(temporary, &self.target));
        placed.map_err(|cause| self.error(Doing::Place, cause))?;
        self.temporary = None;
        self.sync_parent()
    }

    /// Both names lead to the old file until the new one takes over the first.
    fn back_up_file(&self) -> io::Result<()> {
        let backup = self.backup();
        if self.files.what_is(&backup).is_none() {
            return self.files.link(&self.target, &backup);
        }
        let link = beside(&self.target, &format!(".{}.bak.tmp", std::process::id()));
        self.files.link(&self.target, &link)?;
        let renamed = self.files.rename_over(&link, &backup);
        if renamed.is_err() {
            let _ = self.files.remove(&link);
        }
        renamed
    }

    /// After the exchange the temporary's name leads to what was at the target.
    fn replace_directory(&mut self, temporary: &Path) -> Result<(), Error> {
        let like = self.files.copy_permissions(&self.target, temporary);
        like.map_err(|cause| self.error(Doing::Place, cause))?;
        self.change_places(temporary).map_err(|cause| self.error(Doing::Place, cause))?;
        // From here on the result is in its place; the old one must not go away with this handle.
        self.temporary = None;
        self.sync_parent()?;
        if !self.existing.keep_backup {
            return self.files.remove(temporary).map_err(|cause| self.error(Doing::Place, cause));
        }
        let backup = self.backup();
        let older = self.files.what_is(&backup).is_some();
        let moved = if older {
            self.change_places_of(temporary, &backup).and_then(|()| self.files.remove(temporary))
        } else {
            self.files.rename_new(temporary, &backup)
        };
        moved.map_err(|cause| self.error(Doing::Backup, cause))?;
        self.sync_parent()
    }

    fn change_places(&self, temporary: &Path) -> io::Result<()> {
        self.change_places_of(temporary, &self.target)
    }

    fn change_places_of(&self, new: &Path, old: &Path) -> io::Result<()> {
        match self.files.exchange(new, old) {
            Err(e) if e.kind() == io::ErrorKind::Unsupported => {}
            other => return other,
        }
        let aside = beside(old, &format!(".{}.old.tmp", std::process::id()));
        self.files.rename_new(old, &aside)?;
        if let Err(e) = self.files.rename_new(new, old) {
            self.files.rename_new(&aside, old)?;
            return Err(e);
        }
        self.files.rename_new(&aside, new)
    }

    fn backup(&self) -> PathBuf {
        let mut name = self.target.clone().into_os_string();
        name.push(BACKUP);
        name.into()
    }

    fn sync_parent(&self) -> Result<(), Error> {
        let parent = self.target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let synced = self.files.sync_dir(parent.unwrap_or(Path::new(".")));
        synced.map_err(|cause| self.error(Doing::Sync, cause))
    }

    fn error(&self, doing: Doing, cause: io::Error) -> Error {
        Error { path: self.target.clone(), doing, cause }
    }
}

impl<F: Files> Drop for Publisher<F> {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            self.files.ended(&temporary);
            let _ = self.files.remove(&temporary);
        }
    }
}

impl<W: Write> Write for Part<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<W> Part<W> {
    /// Where it is written at present.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whoever may read a file of a directory may look into the directory.
fn search(mode: u32) -> u32 {
    (mode & 0o444) >> 2
}

/// A hidden name beside a path.
fn beside(target: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(suffix);
    target.with_file_name(name)
}

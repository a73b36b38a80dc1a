//! Bytes that are read or decompressed: in memory while they are few, then in an unlinked temporary file.

use super::super::limits::Budget;
use super::{BLOCK, Error, Held, Options, map};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};

pub(super) const SPOOL: &str = "write a temporary file";

/// Read to the end. `most` says how many bytes that may be, considering what was read so far.
pub(super) fn spool(
    name: &str,
    doing: &'static str,
    mut input: impl Read,
    options: &Options,
    most: impl Fn() -> u64,
) -> Result<Held, Error> {
    let mut spool = Spool::new(options);
    let mut block = vec![0; BLOCK];
    let mut all = 0u64;
    loop {
        match input.read(&mut block) {
            Ok(0) => return spool.finish().map_err(|e| Error::new(name, SPOOL, e)),
            Ok(got) => {
                all = all.saturating_add(got as u64);
                if all > most() {
                    let why = format!("more than {} bytes come of it", all.saturating_sub(got as u64));
                    return Err(Error::new(name, doing, io::Error::new(io::ErrorKind::FileTooLarge, why)));
                }
                spool.push(block.get(..got).unwrap_or_default()).map_err(|e| Error::new(name, SPOOL, e))?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::new(name, doing, e)),
        }
    }
}

/// An input that counts what is taken from it.
pub(super) struct Counted<'c, R> {
    pub(super) input: R,
    pub(super) read: &'c Cell<u64>,
}

impl<R> Counted<'_, R> {
    fn count(&self, bytes: usize) {
        self.read.set(self.read.get().saturating_add(bytes as u64));
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(buf)?;
        self.count(got);
        Ok(got)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }
    fn consume(&mut self, bytes: usize) {
        self.count(bytes);
        self.input.consume(bytes);
    }
}

/// Bytes gathered in memory, and on disk once they are many.
pub(super) struct Spool<'o> {
    options: &'o Options,
    memory: Charged,
    disk: Option<Temporary>,
}

impl<'o> Spool<'o> {
    pub(super) fn new(options: &'o Options) -> Self {
        let memory = Charged { bytes: Vec::new(), paid: 0, budget: options.budget.clone() };
        Self { options, memory, disk: None }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(disk) = &mut self.disk {
            return disk.push(bytes);
        }
        if self.memory.push(bytes, self.options.spool_above) {
            return Ok(());
        }
        let mut disk = Temporary::new()?;
        disk.push(&self.memory.bytes)?;
        disk.push(bytes)?;
        self.memory = Charged::default();
        self.disk = Some(disk);
        Ok(())
    }

    pub(super) fn finish(self) -> io::Result<Held> {
        match self.disk {
            None => Ok(Held::Owned(self.memory)),
            Some(disk) => map(&disk.file).map(Held::Mapped),
        }
    }
}

/// An unlinked file that leaves room on its disk: a sixteenth of what was free, and no more than a gigabyte.
struct Temporary {
    file: File,
    reserve: u64,
    unchecked: u64,
}

impl Temporary {
    /// So many bytes are written before the disk is asked again.
    const STEP: u64 = 32 << 20;

    fn new() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        let reserve = free(&file).map_or(0, |free| free.checked_div(16).unwrap_or_default()).min(1 << 30);
        Ok(Self { file, reserve, unchecked: 0 })
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.unchecked = self.unchecked.saturating_add(bytes.len() as u64);
        if self.unchecked >= Self::STEP {
            self.unchecked = 0;
            if free(&self.file).is_some_and(|free| free < self.reserve) {
                return Err(io::Error::new(io::ErrorKind::StorageFull, "it would take the last room on the disk"));
            }
        }
        Ok(())
    }
}

/// Bytes that we may still write to the disk of a file, where that can be told.
#[cfg(unix)]
fn free(file: &File) -> Option<u64> {
    let about = rustix::fs::fstatvfs(file).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &File) -> Option<u64> {
    None
}

/// Bytes in memory, and the account to give them back to.
#[derive(Debug, Default)]
pub(super) struct Charged {
    pub(super) bytes: Vec<u8>,
    pub(super) paid: u64,
    pub(super) budget: Budget,
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.budget.refund(self.paid);
    }
}

impl Charged {
    /// Append, if the result is within `limit` and the budget.
    fn push(&mut self, bytes: &[u8], limit: u64) -> bool {
        let len = self.bytes.len().saturating_add(bytes.len());
        if u64::try_from(len).map_or(true, |len| len > limit) {
            return false;
        }
        if len > self.bytes.capacity() {
            let room = len.max(self.bytes.capacity().saturating_mul(2));
            let more = (room as u64).saturating_sub(self.paid);
            if self.budget.charge(more).is_err() {
                return false;
            }
            self.paid = self.paid.saturating_add(more);
            if self.bytes.try_reserve_exact(room.saturating_sub(self.bytes.len())).is_err() {
                return false;
            }
        }
        self.bytes.extend_from_slice(bytes);
        true
    }
}

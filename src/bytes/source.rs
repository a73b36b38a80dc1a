//! A file as one slice: mapped, or read into memory, or spooled to an unlinked temporary file that is mapped.
//!
//! | input                          | how                                                                      |
//! | ------------------------------ | ------------------------------------------------------------------------ |
//! | regular file                   | mapped                                                                   |
//! | regular file, `mmap: false`    | read block by block; an unreadable block becomes a hole of zeros         |
//! | gzip, zstd, LZ4                | decompressed, whatever it came from                                      |
//! | pipe, device, standard input   | read to its end                                                          |
//!
//! What is read or decompressed stays in memory up to [`Options::spool_above`] or until the budget is spent, and
//! goes to the temporary file from there on: no input, and no decompression bomb, can take more memory than that.
//!
//! This is the only module with `unsafe` in it. A mapped file that somebody else shortens while we read it raises a
//! signal (`SIGBUS`) that no program can catch safely; the same goes for a page that the disk cannot deliver. Whoever
//! has to expect that reads without a map.

use super::decompress::{self, Format};
use super::limits::Budget;
use memmap2::{Advice, Mmap};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

/// How inputs are opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Map regular files. Without it they are read, and unreadable blocks become [`Source::holes`].
    pub mmap: bool,
    /// The most bytes of a read or decompressed input that are kept in memory.
    pub spool_above: u64,
    /// What those bytes are charged to.
    pub budget: Budget,
}

impl Default for Options {
    fn default() -> Self {
        Self { mmap: true, spool_above: 64 << 20, budget: Budget::default() }
    }
}

/// An opened input.
#[derive(Debug)]
pub struct Source {
    name: String,
    held: Held,
    holes: Vec<Range<u64>>,
    compression: Option<Format>,
}

#[derive(Debug)]
enum Held {
    Mapped(Mmap),
    Owned(Charged),
}

/// Bytes in memory, and the account to give them back to.
#[derive(Debug, Default)]
struct Charged {
    bytes: Vec<u8>,
    paid: u64,
    budget: Budget,
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.budget.refund(self.paid);
    }
}

/// Pages are given back in multiples of this, which is a multiple of every page size in use.
const GRANULE: u64 = 64 << 10;
/// How much is read at once.
const BLOCK: usize = 1 << 20;
/// The unit in which a block that cannot be read is tried again: what a disk sector and a page are made of.
const SECTOR: usize = 4 << 10;

impl Source {
    /// Open a file, or standard input when the path is `-`.
    ///
    /// # Errors
    /// When it cannot be opened, is a directory, cannot be read, or is a damaged archive.
    pub fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let name = path.display().to_string();
        if path == Path::new("-") {
            return Self::stream("standard input", io::stdin().lock(), options);
        }
        let file = File::open(path).map_err(|e| Error::new(&name, "open", e))?;
        let about = file.metadata().map_err(|e| Error::new(&name, "open", e))?;
        if about.is_dir() {
            return Err(Error::new(&name, "open", io::ErrorKind::IsADirectory.into()));
        }
        // Files of /proc are regular, have a length of 0, and content.
        if !about.is_file() || about.len() == 0 {
            return Self::stream(&name, file, options);
        }
        Self::regular(name, file, about.len(), options)
    }

    /// Take bytes that are in memory already.
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        let held = Held::Owned(Charged { bytes, paid: 0, budget: Budget::default() });
        Self { name: name.into(), held, holes: Vec::new(), compression: None }
    }

    /// Read a stream to its end, through its compression if it has one.
    ///
    /// # Errors
    /// When it cannot be read, or is a damaged archive.
    pub fn stream(name: &str, mut input: impl Read, options: &Options) -> Result<Self, Error> {
        let head = head(&mut input).map_err(|e| Error::new(name, "read", e))?;
        let compression = Format::sniff(&head);
        let whole = BufReader::with_capacity(BLOCK, io::Cursor::new(head).chain(input));
        let held = match compression {
            None => spool(name, "read", whole, options)?,
            Some(format) => unpack(name, format, whole, options)?,
        };
        Ok(Self { name: name.into(), held, holes: Vec::new(), compression })
    }

    fn regular(name: String, mut file: File, len: u64, options: &Options) -> Result<Self, Error> {
        let head = head(&mut file).and_then(|head| file.rewind().map(|()| head));
        let compression = match head {
            Ok(head) => Format::sniff(&head),
            Err(_) if !options.mmap => None,
            Err(e) => return Err(Error::new(&name, "read", e)),
        };
        let mut holes = Vec::new();
        let held = match compression {
            Some(format) => unpack(&name, format, BufReader::with_capacity(BLOCK, file), options)?,
            None => match options.mmap.then(|| map(&file)) {
                Some(Ok(map)) => Held::Mapped(map),
                // Not asked for, or a file system that cannot map.
                _ => read_blocks(&name, &mut file, len, &mut holes, options)?,
            },
        };
        Ok(Self { name, held, holes, compression })
    }

    /// The whole input, decompressed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.held {
            Held::Mapped(map) => map,
            Held::Owned(owned) => &owned.bytes,
        }
    }

    /// Its path, as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The compression that was read through.
    #[must_use]
    pub fn compression(&self) -> Option<Format> {
        self.compression
    }

    /// The ranges that the disk did not deliver. They read as zeros. In order, none touching the next.
    #[must_use]
    pub fn holes(&self) -> &[Range<u64>] {
        &self.holes
    }

    /// Give the memory of a range that was dealt with back to the kernel. It can still be read, from the disk.
    pub fn release(&self, range: Range<u64>) {
        let Some(start) = range.start.checked_next_multiple_of(GRANULE) else { return };
        let end = range.end.min(self.bytes().len() as u64);
        let end = end.saturating_sub(end.checked_rem(GRANULE).unwrap_or_default());
        let Held::Mapped(map) = &self.held else { return };
        let (Ok(at), Ok(len)) = (usize::try_from(start), usize::try_from(end.saturating_sub(start))) else { return };
        if len > 0 {
            drop_pages(map, at, len);
        }
    }

    /// A helper that releases what a scan has left behind.
    #[must_use]
    pub fn trail(&self) -> Trail<'_> {
        Trail { source: self, released: 0, next: Trail::STEP }
    }
}

/// Releases the part of a [`Source`] that a forward scan has passed, a few megabytes at a time.
#[derive(Debug)]
pub struct Trail<'s> {
    source: &'s Source,
    released: u64,
    next: u64,
}

impl Trail<'_> {
    const STEP: u64 = 4 << 20;

    /// Everything before `offset` is dealt with.
    #[inline]
    pub fn reached(&mut self, offset: u64) {
        if offset >= self.next {
            self.release_until(offset);
        }
    }

    #[cold]
    fn release_until(&mut self, offset: u64) {
        self.source.release(self.released..offset);
        self.released = offset.saturating_sub(offset.checked_rem(GRANULE).unwrap_or_default());
        self.next = self.released.saturating_add(Self::STEP);
    }
}

/// The first bytes, fewer when the input is shorter. A pipe may hand them out one at a time.
fn head(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(Format::SNIFF);
    input.take(Format::SNIFF as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// At most so many bytes from the beginning of a file, decompressed: enough to tell what it is.
///
/// # Errors
/// When it cannot be opened, is a directory, cannot be read, or is a damaged archive.
pub fn beginning(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let name = path.display().to_string();
    let mut file = File::open(path).map_err(|e| Error::new(&name, "open", e))?;
    let head = head(&mut file).map_err(|e| Error::new(&name, "read", e))?;
    let compression = Format::sniff(&head);
    let whole = BufReader::new(io::Cursor::new(head).chain(file));
    let mut bytes = Vec::new();
    let read = match compression {
        None => whole.take(most).read_to_end(&mut bytes),
        Some(format) => decompress::reader(format, whole).and_then(|input| input.take(most).read_to_end(&mut bytes)),
    };
    read.map_err(|e| Error::new(&name, compression.map_or("read", doing), e))?;
    Ok(bytes)
}

#[expect(unsafe_code, reason = "mapping is the point of this module")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: The map is read-only and shared, and we never write to the file. What cannot be promised: if another
    // process changes the file, the slice changes under us. No code of this crate but this module is unsafe, and all
    // its reads are bounds-checked against the slice's length, which does not change: altered bytes give wrong
    // answers or errors. If another process *shortens* the file, touching the lost pages raises SIGBUS, which ends
    // this process. `Options::mmap = false` is the way out, and the documentation says so.
    let map = unsafe { Mmap::map(file)? };
    #[cfg(unix)]
    // A hint: a kernel that refuses it reads ahead less.
    let _ = map.advise(Advice::Sequential);
    Ok(map)
}

#[cfg(unix)]
#[expect(unsafe_code, reason = "giving pages back is the point of this module")]
fn drop_pages(map: &Mmap, at: usize, len: usize) {
    // SAFETY: DONTNEED discards private changes; a read-only shared map of a file has none. The next access reads
    // the same bytes from the file again, so slices into the range stay valid.
    let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, at, len) };
}

#[cfg(not(unix))]
fn drop_pages(_: &Mmap, _: usize, _: usize) {}

fn unpack(name: &str, format: Format, input: impl BufRead, options: &Options) -> Result<Held, Error> {
    let input = decompress::reader(format, input).map_err(|e| Error::new(name, doing(format), e))?;
    spool(name, doing(format), input, options)
}

fn doing(format: Format) -> &'static str {
    match format {
        Format::Gzip => "decompress gzip",
        Format::Zstd => "decompress zstd",
        Format::Lz4 => "decompress lz4",
    }
}

fn spool(name: &str, doing: &'static str, mut input: impl Read, options: &Options) -> Result<Held, Error> {
    let mut spool = Spool::new(options);
    let mut block = vec![0; BLOCK];
    loop {
        match input.read(&mut block) {
            Ok(0) => return spool.finish().map_err(|e| Error::new(name, SPOOL, e)),
            Ok(got) => {
                spool.push(block.get(..got).unwrap_or_default()).map_err(|e| Error::new(name, SPOOL, e))?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::new(name, doing, e)),
        }
    }
}

const SPOOL: &str = "write a temporary file";

/// Bytes gathered in memory, and on disk once they are many.
struct Spool<'o> {
    options: &'o Options,
    memory: Charged,
    disk: Option<File>,
}

impl<'o> Spool<'o> {
    fn new(options: &'o Options) -> Self {
        let memory = Charged { bytes: Vec::new(), paid: 0, budget: options.budget.clone() };
        Self { options, memory, disk: None }
    }

    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(disk) = &mut self.disk {
            return disk.write_all(bytes);
        }
        if self.memory.push(bytes, self.options.spool_above) {
            return Ok(());
        }
        let mut disk = tempfile::tempfile()?;
        disk.write_all(&self.memory.bytes)?;
        disk.write_all(bytes)?;
        self.memory = Charged::default();
        self.disk = Some(disk);
        Ok(())
    }

    fn finish(self) -> io::Result<Held> {
        match self.disk {
            None => Ok(Held::Owned(self.memory)),
            Some(disk) => map(&disk).map(Held::Mapped),
        }
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

/// Read `len` bytes in blocks; what the disk refuses becomes zeros and a hole.
fn read_blocks(
    name: &str,
    input: &mut (impl Read + Seek),
    len: u64,
    holes: &mut Vec<Range<u64>>,
    options: &Options,
) -> Result<Held, Error> {
    let mut spool = Spool::new(options);
    let mut block = vec![0; BLOCK];
    let mut at = 0_u64;
    while at < len {
        let want = usize::try_from(len.saturating_sub(at)).unwrap_or(BLOCK).min(BLOCK);
        let window = block.get_mut(..want).unwrap_or_default();
        let got = match read_full(input, at, window) {
            Err(e) if is_bad_medium(&e) => read_sectors(input, at, window, holes),
            other => other,
        };
        let got = got.map_err(|e| Error::new(name, "read", e))?;
        if got == 0 {
            break; // shortened since we asked for its length
        }
        spool.push(window.get(..got).unwrap_or_default()).map_err(|e| Error::new(name, SPOOL, e))?;
        at = at.saturating_add(got as u64);
    }
    spool.finish().map_err(|e| Error::new(name, SPOOL, e))
}

/// The same block again, sector by sector, so that only what is really lost is lost.
fn read_sectors(
    input: &mut (impl Read + Seek),
    start: u64,
    block: &mut [u8],
    holes: &mut Vec<Range<u64>>,
) -> io::Result<usize> {
    let mut done = 0_usize;
    for sector in block.chunks_mut(SECTOR) {
        let at = start.saturating_add(done as u64);
        let got = match read_full(input, at, sector) {
            Ok(got) => got,
            Err(e) if is_bad_medium(&e) => {
                sector.fill(0);
                add_hole(holes, at..at.saturating_add(sector.len() as u64));
                sector.len()
            }
            Err(e) => return Err(e),
        };
        done = done.saturating_add(got);
        if got < sector.len() {
            break;
        }
    }
    Ok(done)
}

fn add_hole(holes: &mut Vec<Range<u64>>, hole: Range<u64>) {
    match holes.last_mut() {
        Some(last) if last.end == hole.start => last.end = hole.end,
        _ => holes.push(hole),
    }
}

/// Fill the window from absolute offset `at`; less only at the end of the file.
fn read_full(input: &mut (impl Read + Seek), at: u64, window: &mut [u8]) -> io::Result<usize> {
    input.seek(SeekFrom::Start(at))?;
    let mut done = 0_usize;
    while let Some(rest) = window.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(got) => done = done.saturating_add(got),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// EIO, and ENODATA which Linux gives for a medium error: this block is lost, the next may not be.
fn is_bad_medium(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(5 | 61))
}

/// Why an input could not be had.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    path: String,
    doing: &'static str,
    cause: io::Error,
}

impl Error {
    #[cold]
    fn new(path: &str, doing: &'static str, cause: io::Error) -> Self {
        Self(Box::new(Inner { path: path.into(), doing, cause }))
    }

    /// The input, as it was named.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The operating system's, or the decoder's, reason.
    #[must_use]
    pub fn cause(&self) -> &io::Error {
        &self.0.cause
    }

    /// Stable, kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match (self.0.doing, self.0.cause.kind()) {
            (_, io::ErrorKind::NotFound) => "input-not-found",
            (_, io::ErrorKind::Unsupported) => "input-unsupported-compression",
            ("open", io::ErrorKind::IsADirectory) => "input-is-a-directory",
            ("open", _) => "input-not-opened",
            ("read", _) => "input-unreadable",
            (SPOOL, _) => "input-not-spooled",
            _ => "input-bad-archive",
        }
    }

    /// What can be done about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self.code() {
            "input-unsupported-compression" => Some("decompress the file first, or use a build with that feature"),
            "input-not-spooled" => Some("set TMPDIR to a directory on a disk with enough room"),
            "input-bad-archive" => Some("the compressed file itself is damaged; take another copy of it"),
            "input-unreadable" => Some("--no-mmap reads around blocks that the disk does not deliver"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.0.path, self.0.doing, self.0.cause)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.cause)
    }
}

#[cfg(test)]
#[cfg(all(feature = "gzip", feature = "zstd", feature = "lz4"))]
mod tests;

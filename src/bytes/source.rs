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
//! Nor can one fill the disk: compressed data comes to [`Options::expand_to`] bytes at most, or to [`EXPANSION`] times
//! of what was read where that is more, and the temporary file leaves room for others. Devices that have no end are
//! no input.
//!
//! This is the only module with `unsafe` in it. A mapped file that somebody else shortens while we read it raises a
//! signal (`SIGBUS`) that no program can catch safely; the same goes for a page that the disk cannot deliver. Whoever
//! has to expect that reads without a map.

mod spool;

use super::decompress::{self, Format};
use super::limits::Budget;
use memmap2::{Advice, Mmap};
use spool::{Charged, Counted, SPOOL, Spool, spool};
use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Seek, SeekFrom};
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
    /// The most bytes that compressed data of any length may come to.
    pub expand_to: u64,
}

/// How many times of its length compressed data may come to. Dumps come to 3 to 20 times, a log of one command
/// over and over to some 200 times; what is made to do harm, to a thousand times and more.
pub const EXPANSION: u64 = 256;

impl Default for Options {
    fn default() -> Self {
        Self { mmap: true, spool_above: 64 << 20, budget: Budget::default(), expand_to: 1 << 30 }
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
            return Self::standard_input(options);
        }
        let file = File::open(path).map_err(|e| Error::new(&name, "open", e))?;
        let about = file.metadata().map_err(|e| Error::new(&name, "open", e))?;
        if about.is_dir() {
            return Err(Error::new(&name, "open", io::ErrorKind::IsADirectory.into()));
        }
        if is_endless(&about) {
            return Self::nothing(&name, file);
        }
        // Files of /proc are regular, have a length of 0, and content.
        if !about.is_file() || about.len() == 0 {
            return Self::stream(&name, file, options);
        }
        Self::regular(name, file, about.len(), options)
    }

    fn standard_input(options: &Options) -> Result<Self, Error> {
        const NAME: &str = "standard input";
        #[cfg(unix)]
        if !io::stdin().is_terminal() {
            let handle = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
            let file = File::from(handle.map_err(|e| Error::new(NAME, "open", e))?);
            if file.metadata().is_ok_and(|about| is_endless(&about)) {
                return Self::nothing(NAME, file);
            }
        }
        Self::stream(NAME, io::stdin().lock(), options)
    }

    /// A device that may have no end: `/dev/null` has one at once.
    fn nothing(name: &str, mut device: impl Read) -> Result<Self, Error> {
        match device.read(&mut [0]) {
            Ok(0) => Ok(Self::from_bytes(name, Vec::new())),
            Ok(_) => {
                let why = io::Error::new(io::ErrorKind::FileTooLarge, "a device that may have no end");
                Err(Error::new(name, "open", why))
            }
            Err(e) => Err(Error::new(name, "read", e)),
        }
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
            None => spool(name, "read", whole, options, || u64::MAX)?,
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

/// A terminal, `/dev/zero` and their like. A disk has an end.
#[cfg(unix)]
fn is_endless(about: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_char_device(&about.file_type())
}

#[cfg(not(unix))]
fn is_endless(_: &std::fs::Metadata) -> bool {
    false
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
    let read = Cell::new(0);
    let input = Counted { input, read: &read };
    let input = decompress::reader(format, input).map_err(|e| Error::new(name, doing(format), e))?;
    spool(name, doing(format), input, options, || read.get().saturating_mul(EXPANSION).max(options.expand_to))
}

fn doing(format: Format) -> &'static str {
    match format {
        Format::Gzip => "decompress gzip",
        Format::Zstd => "decompress zstd",
        Format::Lz4 => "decompress lz4",
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
            (doing, io::ErrorKind::FileTooLarge) if doing != SPOOL => "input-unbounded",
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
            "input-unbounded" => Some("if it is meant, put it into a file, decompressed, and give that"),
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

//! A large file is written by a thread of its own, and made durable by another while it is still being written: so
//! whoever makes its bytes waits for neither, and the last sync finds little to do.
//!
//! An error is told at a later write or at the end, once, and nothing is written after it.

use std::fs;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

/// A file of fewer bytes is not worth a thread.
const LARGE: u64 = 4 << 20;
/// So many bytes are worth a sync.
const PORTION: u64 = 32 << 20;
/// No more than this waits in one block …
const BLOCK: usize = 256 << 10;
/// … and so many of them.
const WAITING: usize = 8;

/// A file being written.
#[derive(Debug)]
pub(super) struct Stream {
    file: fs::File,
    written: u64,
    writer: Option<Writer>,
    /// What was written has a hole.
    failed: bool,
}

impl Stream {
    /// An empty file.
    pub(super) fn new(file: fs::File) -> Self {
        Self { file, written: 0, writer: None, failed: false }
    }

    /// Wait until everything is written and durable.
    ///
    /// # Errors
    /// What the disk refused, now or on the way.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.sync_all()
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.writer.is_none() && self.written >= LARGE {
            // Without another handle, or a thread, it goes on as it began.
            self.writer = self.file.try_clone().and_then(Writer::begin).ok();
            self.written = 0;
        }
        let written = match self.writer.as_mut().map(|writer| writer.write(bytes)) {
            None => self.file.write(bytes)?,
            Some(Ok(taken)) => taken,
            // It says why when it is asked.
            Some(Err(Ended)) => self.flush().and(Err(io::ErrorKind::BrokenPipe.into()))?,
        };
        self.written = self.written.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let finished = self.writer.take().map_or(Ok(()), Writer::finish);
        self.failed = finished.is_err();
        finished
    }
}

/// The thread takes no more.
struct Ended;

/// Writes blocks on a thread of its own.
#[derive(Debug)]
struct Writer {
    blocks: SyncSender<Vec<u8>>,
    /// Blocks that were written, to be filled again.
    spare: Receiver<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
}

impl Writer {
    fn begin(mut file: fs::File) -> io::Result<Self> {
        let (blocks, wanted) = sync_channel::<Vec<u8>>(WAITING);
        let (done, spare) = channel();
        let work = move || {
            let mut syncing = Syncing::default();
            for block in wanted {
                file.write_all(&block)?;
                syncing.wrote(&file, block.len());
                // Nobody takes it any more when the last blocks are written.
                let _ = done.send(block);
            }
            syncing.finish()
        };
        let thread = Builder::new().name("write".into()).spawn(work)?;
        Ok(Self { blocks, spare, thread })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Ended> {
        let bytes = bytes.get(..BLOCK).unwrap_or(bytes);
        let mut block = self.spare.try_recv().unwrap_or_default();
        block.clear();
        block.extend_from_slice(bytes);
        self.blocks.send(block).map_err(|_| Ended)?;
        Ok(bytes.len())
    }

    fn finish(self) -> io::Result<()> {
        drop(self.blocks);
        joined(self.thread)
    }
}

/// Syncs what was written of one file, on a thread that starts with the first portion.
#[derive(Debug, Default)]
struct Syncing {
    waiting: u64,
    thread: Option<(SyncSender<()>, JoinHandle<io::Result<()>>)>,
}

impl Syncing {
    fn wrote(&mut self, file: &fs::File, bytes: usize) {
        self.waiting = self.waiting.saturating_add(bytes as u64);
        if self.waiting < PORTION {
            return;
        }
        self.waiting = 0;
        if self.thread.is_none() {
            // Without another handle, or a thread, all of it is left to the last sync.
            self.thread = file.try_clone().and_then(Self::begin).ok();
        }
        if let Some((portions, _)) = &self.thread {
            // One that has not come round to the portion before will take this one with it.
            let (Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(()))) = portions.try_send(());
        }
    }

    fn begin(file: fs::File) -> io::Result<(SyncSender<()>, JoinHandle<io::Result<()>>)> {
        let (portions, wanted) = sync_channel(1);
        let work = move || wanted.iter().try_for_each(|()| file.sync_data());
        Ok((portions, Builder::new().name("sync".into()).spawn(work)?))
    }

    /// What the disk refused: it tells only once.
    fn finish(self) -> io::Result<()> {
        let Some((portions, thread)) = self.thread else { return Ok(()) };
        drop(portions);
        joined(thread)
    }
}

fn joined(thread: JoinHandle<io::Result<()>>) -> io::Result<()> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread that writes ended early")))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test")]
mod tests {
    use super::*;
    use std::io::{Read, Seek};

    #[test]
    fn what_a_thread_writes_is_what_was_given_to_it() {
        let file = tempfile::tempfile().unwrap();
        let mut stream = Stream::new(file.try_clone().unwrap());
        let mut expected = Vec::new();
        for n in 0..300u32 {
            let piece: Vec<u8> = (0..n * 997).map(|at| (at * n).to_le_bytes()[1]).collect();
            stream.write_all(&piece).unwrap();
            expected.extend_from_slice(&piece);
            if n == 200 {
                assert!(stream.writer.is_some());
                stream.sync().unwrap();
            }
        }
        stream.sync().unwrap();
        assert!(stream.writer.is_none());
        let (mut read, mut file) = (Vec::new(), file);
        file.rewind().unwrap();
        file.read_to_end(&mut read).unwrap();
        assert_eq!((read.len(), read == expected), (expected.len(), true));
    }

    #[cfg(target_os = "linux")]
    mod refused {
        use super::*;

        #[test]
        fn a_full_disk_is_told_at_a_later_write_or_at_the_end() {
            let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
            let mut stream = Stream { written: LARGE, ..Stream::new(full) };
            let mut told = None;
            for _ in 0..100 {
                told = told.or(stream.write_all(&[0; 1000]).err());
            }
            let told = told.or(stream.flush().err()).unwrap();
            assert_eq!(told.kind(), io::ErrorKind::StorageFull);
            assert!(stream.write_all(b"more").is_err() && stream.sync().is_err(), "nothing is written behind a hole");
        }

        #[test]
        fn a_sync_that_fails_on_the_way_is_told_at_the_end() {
            // A pipe cannot be synced.
            let (_reader, writer) = io::pipe().unwrap();
            let pipe = fs::File::from(std::os::fd::OwnedFd::from(writer));
            let mut syncing = Syncing::default();
            syncing.wrote(&pipe, 1 << 20);
            assert!(syncing.thread.is_none());
            syncing.wrote(&pipe, 64 << 20);
            assert_eq!(syncing.finish().unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
    }
}

//! Whole files into the engine: a snapshot, a log, or a log behind its preamble.

use super::engine::{Engine, Watch};
use super::queue::{COMMAND_BYTES, Queue};
use super::refusal::Refusal;
use super::report::Place;
use super::state::{Args, State};
use crate::aof;
use crate::bytes::{Cursor, Exhausted};
use crate::keyspace::{BATCH, Family, Like};
use crate::rdb::whole::{self, Met};
use crate::rdb::{self, Buffers, Header, Record, ValueRef};
use crate::value::Blob;
use std::fmt;

/// Reading a part could not go on. What precedes the place is in the keyspace.
#[derive(Debug, PartialEq)]
pub enum Error {
    /// In an RDB image.
    Rdb(rdb::Error),
    /// In a log.
    Aof(aof::Error),
    /// What follows the offset needs more memory than there may be.
    Memory(u64, Exhausted),
}

impl Error {
    /// What went wrong, in a word.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rdb(error) => error.code(),
            Self::Aof(error) => error.code(),
            Self::Memory(..) => "memory-budget",
        }
    }

    /// The absolute offset in the part.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Self::Rdb(error) => error.offset(),
            Self::Aof(error) => error.offset(),
            Self::Memory(offset, _) => *offset,
        }
    }

    /// True when the input may be sound and only the memory budget is not enough.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        match self {
            Self::Rdb(error) => error.is_exhausted(),
            Self::Aof(_) => false,
            Self::Memory(..) => true,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rdb(error) => error.fmt(f),
            Self::Aof(error) => error.fmt(f),
            Self::Memory(offset, spent) => write!(f, "at offset {offset}: {}", Refusal::Memory(*spent)),
        }
    }
}

impl std::error::Error for Error {}

impl From<rdb::Error> for Error {
    fn from(error: rdb::Error) -> Self {
        Self::Rdb(error)
    }
}

impl From<aof::Error> for Error {
    fn from(error: aof::Error) -> Self {
        Self::Aof(error)
    }
}

impl<'a, W: Watch<'a>> Engine<'a, W> {
    /// Replay one file: an RDB image, if it begins with one, then the commands behind it.
    ///
    /// # Errors
    /// Where the file is damaged or ends early. An open transaction stays open until [`Engine::end_part`].
    pub fn replay_part(&mut self, part: u32, input: &'a [u8]) -> Result<(), Error> {
        self.begin_part();
        let start = if is_rdb(input) { self.load_rdb(input)? } else { 0 };
        let mut reader = aof::Reader::starting_at(input, start);
        let mut batch = Queue::default();
        let mut subjects = Vec::new();
        loop {
            let record = reader.next_record();
            if let Ok(Some(aof::Record::Command(command))) = &record {
                batch.push(Place { part, offset: command.offset, end: command.end }, command.argv);
                if batch.len() < BATCH {
                    continue;
                }
            }
            self.feed_batch(&batch, &mut subjects)?;
            batch.clear();
            match record? {
                Some(aof::Record::Annotation(annotation)) => {
                    if let Some(seconds) = annotation.timestamp() {
                        self.annotate(seconds);
                    }
                }
                Some(aof::Record::Command(_)) => {}
                None => return Ok(()),
            }
            if self.stopped() {
                return Ok(());
            }
        }
    }

    fn feed_batch(&mut self, batch: &Queue<'a>, subjects: &mut Vec<(&'a [u8], &'a [u8])>) -> Result<(), Error> {
        let offset = batch.iter().next().map_or(0, |(place, _)| place.offset);
        self.state_mut().charge(batch.growth()).map_err(|spent| Error::Memory(offset, spent))?;
        let state = self.state();
        if let Some(db) = state.keyspace.db(state.db) {
            subjects.clear();
            subjects.extend(batch.iter().map(|(_, args)| subject(args)));
            db.warm(subjects);
        }
        for (place, args) in batch.iter() {
            self.feed(place, args);
        }
        Ok(())
    }

    /// Load the RDB image at the beginning of a file; the offset behind it.
    ///
    /// # Errors
    /// Where the image is damaged or ends early.
    pub fn load_rdb(&mut self, input: &'a [u8]) -> Result<u64, rdb::Error> {
        let state = self.state_mut();
        let budget = state.budget.clone();
        let mut buffers = Buffers::new(&budget);
        let mut reader = rdb::Reader::new(input)?.with_budget(&budget);
        // Charged from time to time: so the account costs nothing.
        let mut growth = 0usize;
        whole::each(&mut reader, &budget, |met| -> rdb::Result<()> {
            let offset = met.offset();
            growth = growth.saturating_add(COMMAND_BYTES).saturating_add(match met {
                Met::Standing(Record::Key(key)) => {
                    state.keyspace.load(&key, &mut buffers)?;
                    key.key.heap_bytes().saturating_add(size_of::<ValueRef<'_>>())
                }
                Met::Passing(Record::Key(key)) => state.keyspace.load_owned(&key, &mut buffers)?,
                Met::Standing(Record::Function { code, .. }) => {
                    state.keyspace.load_function(code.to_blob(&mut buffers.first)?);
                    code_bytes(code.len())
                }
                Met::Passing(Record::Function { code, .. }) => {
                    state.keyspace.load_function(Blob::copied(&code.read(&mut buffers.first)?));
                    code_bytes(code.len())
                }
                _ => 0,
            });
            if growth > GROWTH {
                charge(state, &mut growth, offset)?;
            }
            Ok(())
        })?;
        charge(state, &mut growth, reader.offset())?;
        Ok(reader.offset())
    }
}

/// What is loaded from an image is charged in portions of this.
const GROWTH: usize = 64 << 10;

fn code_bytes(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

fn charge(state: &mut State<'_>, growth: &mut usize, offset: u64) -> rdb::Result<()> {
    let spent = state.charge(std::mem::take(growth));
    spent.map_err(|spent| rdb::Error::new(offset, rdb::ErrorKind::Exhausted(spent)))
}

/// The key and the member that a command is most likely about.
fn subject<'a>(args: Args<'_, 'a>) -> (&'a [u8], &'a [u8]) {
    match *args {
        [[b'z' | b'Z', ..], key, _, member] => (key, member),
        [_, key, member, ..] => (key, member),
        [_, key] => (key, b""),
        _ => (b"", b""),
    }
}

/// Does a file begin with an RDB image?
#[must_use]
pub fn is_rdb(input: &[u8]) -> bool {
    Header::decode(&mut Cursor::at(input, 0)).is_ok()
}

/// The server that wrote an RDB image, by its AUX fields.
#[must_use]
pub fn producer(input: &[u8]) -> Option<Like> {
    let mut reader = rdb::Reader::new(input).ok()?;
    while let Ok(Some(Record::Aux { name, value, .. })) = reader.next_record() {
        if let Some(like) = named(&name, &value) {
            return Some(like);
        }
    }
    None
}

fn named(name: &Blob<'_>, value: &Blob<'_>) -> Option<Like> {
    let family = match name.as_bytes() {
        b"redis-ver" => Family::Redis,
        b"valkey-ver" => Family::Valkey,
        b"redict-ver" => Family::Redict,
        _ => return None,
    };
    let mut numbers = std::str::from_utf8(value).ok()?.split('.').map(|part| part.parse().ok());
    let (major, minor) = (numbers.next()??, numbers.next().flatten().unwrap_or(0));
    Some(Like { family, major, minor })
}

#[cfg(test)]
#[cfg(feature = "lz4")]
mod tests {
    use super::*;

    #[test]
    fn keys_in_blobs_behind_them_and_in_pieces_land_in_their_database() {
        let image = rdb::compressed::tests::blob_file();
        let mut engine = Engine::new(Like::default());
        engine.load_rdb(&image).unwrap();
        let (keyspace, ..) = engine.finish();
        let keys = keyspace.dbs().flat_map(|(db, keys)| keys.iter().map(move |entry| (db.0, entry.key.to_vec())));
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        assert_eq!(keys, [b"a", b"b", b"c", b"d", b"p"].map(|key| (3, key.to_vec())));
    }
}

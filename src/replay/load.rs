//! Whole files into the engine: a snapshot, a log, or a log behind its preamble.

use super::engine::{Engine, Watch};
use super::queue::{COMMAND_BYTES, Queue};
use super::refusal::Refusal;
use super::report::Place;
use super::state::{Args, State};
use crate::aof;
use crate::bytes::crc64::jones;
use crate::bytes::{Cursor, Exhausted};
use crate::keyspace::load::Loaded;
use crate::keyspace::{BATCH, Family, Like};
use crate::rdb::whole::{self, Met};
use crate::rdb::{self, Buffers, Header, KeyRecord, Record};
use crate::value::{Blob, DbIndex};
use std::fmt;
use std::ops::Range;
use std::thread::{Scope, ScopedJoinHandle};

/// Reading a part could not go on. What precedes the place is in the keyspace.
#[derive(Debug, Clone, PartialEq)]
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
            Self::Memory(_, spent) => spent.code(),
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

    /// True when the input may be sound and only the limits are too low for it.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted().is_some()
    }

    /// The limit that is reached.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self {
            Self::Rdb(error) => error.exhausted(),
            Self::Aof(_) => None,
            Self::Memory(_, spent) => Some(*spent),
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
        let start = if is_rdb(input) { self.load_rdb(part, input)? } else { 0 };
        self.replay_log(part, input, start)
    }

    /// Replay the commands of a file from an offset on.
    ///
    /// # Errors
    /// Where the log is damaged or ends early.
    pub(super) fn replay_log(&mut self, part: u32, input: &'a [u8], start: u64) -> Result<(), Error> {
        let mut reader = aof::Reader::starting_at(input, start).tolerant();
        let mut batch = Queue::default();
        let mut subjects = Vec::new();
        loop {
            let record = reader.next_record();
            if let Ok(Some(aof::Record::Command(command))) = &record {
                if !command.tolerated.is_nothing() {
                    self.tolerate(part, input, command);
                }
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

    /// A command that is not what servers write, and yet what they all load.
    #[cold]
    fn tolerate(&mut self, part: u32, input: &[u8], command: &aof::Command<'a, '_>) {
        let aof::Command { offset, end, tolerated, .. } = *command;
        if tolerated.is_harmless() {
            return self.note_liberty(Place { part, offset, end }, command.name(), tolerated.first());
        }
        if let Err(error) = aof::Reader::starting_at(input, offset).next_record() {
            self.note_flaw(part, error.into());
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

    /// Load the RDB image at the beginning of a file; the offset behind it. What can be read to its end and would still
    /// be refused by servers goes to the report as a flaw.
    ///
    /// # Errors
    /// Where the image is damaged or ends early.
    pub fn load_rdb(&mut self, part: u32, input: &'a [u8]) -> Result<u64, rdb::Error> {
        let mut flaw = None;
        let mut stored = None;
        let end = std::thread::scope(|scope| {
            let ahead = Ahead::new(scope, input);
            let end = self.load_records(input, &mut flaw, &mut stored)?;
            let covered = end.saturating_sub(CHECKSUM as u64);
            if let Some(stored) = stored.filter(|&stored| stored != 0) {
                let computed = ahead.sum(covered);
                if computed != stored {
                    flaw.get_or_insert(rdb::Error::checksum(covered, stored, computed));
                }
            }
            Ok(end)
        });
        if let Some(flaw) = flaw {
            self.note_flaw(part, flaw.into());
        }
        end
    }

    fn load_records(
        &mut self,
        input: &'a [u8],
        flaw: &mut Option<rdb::Error>,
        stored: &mut Option<u64>,
    ) -> Result<u64, rdb::Error> {
        let state = self.state_mut();
        let budget = state.budget.clone();
        let mut buffers = Buffers::new(&budget);
        let mut reader = rdb::Reader::new(input)?.with_budget(&budget);
        // Charged from time to time: so the account costs nothing.
        let mut growth = 0usize;
        whole::each(&mut reader, &budget, |met| -> rdb::Result<()> {
            let offset = met.offset();
            let loaded = match met {
                Met::Standing(Record::Key(key)) => load_key(state, key, &mut buffers)?,
                Met::Passing(Record::Key(key)) => state.keyspace.load_owned(&key, &mut buffers)?,
                Met::Standing(Record::Function { code, .. }) => {
                    state.keyspace.load_function(code.to_blob(&mut buffers.first)?);
                    Loaded { is_new: true, bytes: code_bytes(code.len()) }
                }
                Met::Passing(Record::Function { code, .. }) => {
                    state.keyspace.load_function(Blob::copied(&code.read(&mut buffers.first)?));
                    Loaded { is_new: true, bytes: code_bytes(code.len()) }
                }
                Met::Standing(Record::End { checksum, .. }) => {
                    *stored = checksum;
                    return Ok(());
                }
                _ => return Ok(()),
            };
            if !loaded.is_new {
                flaw.get_or_insert_with(|| rdb::Error::invalid(offset, "rdb-duplicate-key", "the key occurs twice"));
            }
            growth = growth.saturating_add(COMMAND_BYTES).saturating_add(loaded.bytes);
            if growth > GROWTH {
                charge(state, &mut growth, offset)?;
            }
            Ok(())
        })?;
        charge(state, &mut growth, reader.offset())?;
        Ok(reader.offset())
    }

    /// Load single keys of an image.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub(super) fn load_keys(&mut self, keys: &Keys<'a>) -> rdb::Result<()> {
        let state = self.state_mut();
        let budget = state.budget.clone();
        let mut buffers = Buffers::new(&budget);
        let Header { version, dialect } = keys.header;
        let mut growth = 0usize;
        for (db, run) in &keys.places {
            let offset = run.start as u64;
            let record = keys.image.get(run.clone()).unwrap_or_default();
            let mut reader =
                rdb::Reader::resume(Cursor::at(record, offset), version, dialect, *db).with_budget(&budget);
            if let Some(Record::Key(key)) = reader.next_inner()? {
                let loaded = load_key(state, key, &mut buffers)?;
                growth = growth.saturating_add(COMMAND_BYTES).saturating_add(loaded.bytes);
            }
            if growth > GROWTH {
                charge(state, &mut growth, offset)?;
            }
        }
        charge(state, &mut growth, keys.image.len() as u64)
    }
}

/// Some keys of an image, and where they stand in it.
#[derive(Debug)]
pub(crate) struct Keys<'a> {
    pub(crate) image: &'a [u8],
    pub(crate) header: Header,
    pub(crate) places: Vec<(DbIndex, Range<usize>)>,
}

fn load_key<'a>(state: &mut State<'a>, mut key: KeyRecord<'a>, buffers: &mut Buffers) -> rdb::Result<Loaded> {
    // Most servers take an expiry of -1 for none.
    let expires_at_minus_one = state.like.at_least_redis(8, 6);
    key.expiry = key.expiry.filter(|at| at.0 != -1 || expires_at_minus_one);
    state.keyspace.load(&key, buffers)
}

/// Bytes of the checksum behind an image.
const CHECKSUM: usize = 8;

/// The checksum of a large image, taken by a thread of its own while the records are loaded. It goes ahead, so that
/// the pages are there when the records are read.
struct Ahead<'s, 'i> {
    input: &'i [u8],
    of_all: Option<ScopedJoinHandle<'s, u64>>,
}

impl<'s, 'i: 's> Ahead<'s, 'i> {
    /// Below this size a thread costs more than it saves.
    const LEAST: usize = 4 << 20;

    /// The image is supposed to fill the input.
    fn new<'e>(scope: &'s Scope<'s, 'e>, input: &'i [u8]) -> Self {
        let covered = input.split_last_chunk::<CHECKSUM>().map_or(&[][..], |(covered, _)| covered);
        let is_large = input.len() >= Self::LEAST && std::thread::available_parallelism().is_ok_and(|n| n.get() > 1);
        let start = || std::thread::Builder::new().spawn_scoped(scope, move || jones(covered)).ok();
        Self { input, of_all: is_large.then(start).flatten() }
    }

    fn sum(self, covered: u64) -> u64 {
        let covered = usize::try_from(covered).unwrap_or(usize::MAX);
        match self.of_all {
            Some(of_all) if covered.saturating_add(CHECKSUM) == self.input.len() => of_all.join().unwrap_or_default(),
            _ => jones(self.input.get(..covered).unwrap_or_default()),
        }
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
mod tests {
    use super::*;
    use crate::value::UnixMillis;

    fn flaw_of(image: &[u8]) -> Option<&'static str> {
        let mut engine = Engine::new(Like::default());
        engine.load_rdb(3, image).unwrap();
        let (keyspace, report, ()) = engine.finish();
        assert!(keyspace.dbs().next().is_some(), "what can be read is there all the same");
        report.flaw.map(|(part, error)| {
            assert_eq!(part, 3);
            error.code()
        })
    }

    fn with_checksum(body: &[u8]) -> Vec<u8> {
        [body, &jones(body).to_le_bytes()].concat()
    }

    #[test]
    fn what_servers_refuse_of_a_whole_image_is_reported() {
        let sound = with_checksum(b"REDIS0009\x00\x01a\x01b\x00\x01b\x01b\xff");
        assert_eq!(flaw_of(&sound), None);
        let mut wrong = sound.clone();
        wrong[13] ^= 1;
        assert_eq!(flaw_of(&wrong), Some("rdb-checksum-mismatch"));
        let switched_off = [&sound[..sound.len() - 8], &[0; 8]].concat();
        assert_eq!(flaw_of(&switched_off), None);
        assert_eq!(flaw_of(&with_checksum(b"REDIS0009\x00\x01a\x01b\x00\x01a\x01c\xff")), Some("rdb-duplicate-key"));
        assert_eq!(flaw_of(&[&wrong[..], b"*1\r\n$4\r\nPING\r\n"].concat()), Some("rdb-checksum-mismatch"));
    }

    #[test]
    fn what_all_servers_load_is_executed_and_reported() {
        let padded = b"*3\r\n$3\r\nSET\r\n$01\r\na\r\n$1\r\nb\r\n*2\r\n$3\r\nDEL\r\n$1\r\nx\r\n";
        let bare = b"*3\n$3\nSET\r\n$1\na\r\n$1\nb\r\n*2\r\n$3\r\nDEL\r\n$1\r\nx\r\n";
        for (log, remarks, flaw) in [(&padded[..], 1, None), (bare, 0, Some("aof-bad-line-end"))] {
            let mut engine = Engine::new(Like::default());
            engine.replay_part(0, log).unwrap();
            let (keyspace, report, ()) = engine.finish();
            assert_eq!((keyspace.len(), report.commands), (1, 2));
            assert_eq!((report.remarks.total, report.flaw.map(|(_, error)| error.code())), (remarks, flaw));
        }
    }

    #[test]
    fn a_large_image_is_summed_ahead() {
        let mut body = b"REDIS0009".to_vec();
        for number in 0..5u8 {
            let (key, value) = ([b'a' + number], vec![number; 1 << 20]);
            body.extend_from_slice(&[0, 1, key[0], 0x80, 0, 0x10, 0, 0]);
            body.extend_from_slice(&value);
        }
        body.push(0xff);
        let mut image = with_checksum(&body);
        assert!(image.len() > Ahead::LEAST);
        assert_eq!(flaw_of(&image), None);
        image[5 << 19] ^= 1;
        assert_eq!(flaw_of(&image), Some("rdb-checksum-mismatch"));
    }

    #[test]
    fn an_expiry_of_minus_one_is_none_to_most_servers() {
        let image = with_checksum(b"REDIS0009\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01a\x01b\xff");
        for (like, expires) in [(Like::redis(7, 0), None), (Like::redis(8, 6), Some(UnixMillis(-1)))] {
            let mut engine = Engine::new(like);
            engine.load_rdb(0, &image).unwrap();
            let (keyspace, ..) = engine.finish();
            assert_eq!(keyspace.db(DbIndex(0)).unwrap().iter().next().unwrap().expires, expires);
        }
    }

    #[cfg(feature = "lz4")]
    #[test]
    fn keys_in_blobs_behind_them_and_in_pieces_land_in_their_database() {
        let image = rdb::compressed::tests::blob_file();
        let mut engine = Engine::new(Like::default());
        engine.load_rdb(0, &image).unwrap();
        let (keyspace, ..) = engine.finish();
        let keys = keyspace.dbs().flat_map(|(db, keys)| keys.iter().map(move |entry| (db.0, entry.key.to_vec())));
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        assert_eq!(keys, [b"a", b"b", b"c", b"d", b"p"].map(|key| (3, key.to_vec())));
    }
}

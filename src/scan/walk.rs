//! Every record of an RDB image, in order, to a [`Task`].

use std::ops::Range;

use super::ordered::{Filled, Job, ordered};
use crate::bytes::Budget;
use crate::bytes::crc64::Jones;
use crate::rdb::reader::{Mark, Reader, Skipped};
use crate::rdb::whole::{Assembled, Pieces};
use crate::rdb::{self, KeyRecord, Record};
use crate::value::DbIndex;

/// The checksum takes blocks of this size, while they are in the cache.
const SUM_BLOCK: usize = 128 << 10;
/// A batch is full with this many bytes of records …
const BATCH_BYTES: u64 = 256 << 10;
/// … or with this many records.
const BATCH_RECORDS: usize = 2048;
/// A record of more bytes than this is worked on alone, so that what comes of it can be handed on piece by piece.
pub const LARGE_RECORD: u64 = 1 << 20;

/// What is done with each record.
pub trait Task: Sync {
    /// What comes of a batch; cleared by the taker, used again.
    type Output: Default + Send;
    /// What each thread keeps for itself.
    type Local: Send;

    /// What a thread keeps for itself.
    fn local(&self) -> Self::Local;

    /// Look into one key. Keys of compressed blobs come one by one, too. When a record is large, `spill` must be
    /// called from time to time with the output so far, which is handed on and comes back empty.
    fn key(
        &self,
        local: &mut Self::Local,
        record: &KeyRecord<'_>,
        output: &mut Self::Output,
        spill: &mut dyn FnMut(&mut Self::Output),
    );

    /// Look into a record that is not a key's.
    fn other(&self, _local: &mut Self::Local, _record: &Record<'_>, _output: &mut Self::Output) {}

    /// A name or a compressed blob that does not inflate, or what is damaged inside of one.
    fn broken(&self, local: &mut Self::Local, error: rdb::Error, output: &mut Self::Output);
}

/// How a walk is done.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads, the calling one included; at least 1.
    pub threads: usize,
    /// Pays for inflated blobs.
    pub budget: Budget,
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: std::thread::available_parallelism().map_or(1, usize::from), budget: Budget::default() }
    }
}

/// How a walk ended.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The version in the header.
    pub version: u32,
    /// The dialect, as far as the file told.
    pub dialect: rdb::Dialect,
    /// The first byte that is not the image's; where it broke when it did.
    pub end: u64,
    /// Where it broke.
    pub error: Option<rdb::Error>,
    /// The stored checksum; `None` before version 5 and when the end was not reached.
    pub stored_checksum: Option<u64>,
    /// The sum of the bytes it covers; 0 when the end was not reached.
    pub computed_checksum: u64,
}

impl Summary {
    /// Of nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            version: 0,
            dialect: rdb::Dialect::Redis,
            end: 0,
            error: None,
            stored_checksum: None,
            computed_checksum: 0,
        }
    }

    /// True unless a stored checksum differs from the computed one. A stored 0 means that it was switched off.
    #[must_use]
    pub fn checksum_holds(&self) -> bool {
        self.checksum_error().is_none()
    }

    /// What is wrong with the checksum.
    #[must_use]
    pub fn checksum_error(&self) -> Option<rdb::Error> {
        let wrong = self.stored_checksum.filter(|&stored| stored != 0 && stored != self.computed_checksum);
        wrong.map(|stored| rdb::Error::checksum(self.end.saturating_sub(8), stored, self.computed_checksum))
    }
}

struct Work<'t, T> {
    task: &'t T,
    budget: Budget,
}

/// A run of records; the thread that works on it reads them again, which costs less than handing them over.
#[derive(Default)]
struct Batch<'a> {
    section: Option<(Mark<'a>, u64)>,
    assembled: Vec<Assembled>,
}

impl<'t, T: Task> Work<'t, T> {
    fn records(
        &self,
        local: &mut T::Local,
        batch: &Batch<'_>,
        output: &mut T::Output,
        spill: &mut dyn FnMut(&mut T::Output),
    ) {
        if let Some((start, end)) = &batch.section {
            self.run(local, start.reader_until(*end), output, spill);
        }
        for entry in &batch.assembled {
            self.run(local, entry.reader(), output, spill);
        }
    }

    /// A run of whole records.
    fn run(
        &self,
        local: &mut T::Local,
        mut reader: Reader<'_>,
        output: &mut T::Output,
        spill: &mut dyn FnMut(&mut T::Output),
    ) {
        loop {
            // Nearly all records are keys as they are mostly written: those stay in registers.
            while let Some(key) = reader.plain_key() {
                self.task.key(local, &key, output, spill);
            }
            match reader.next_sound(|error| self.task.broken(local, error, output)) {
                Some(Record::Compressed(blob)) => {
                    let db = self.compressed(local, &blob, output, spill);
                    reader.select(db);
                }
                Some(Record::Key(key)) => self.task.key(local, &key, output, spill),
                Some(record) => self.task.other(local, &record, output),
                None => return,
            }
        }
    }

    /// The records of a blob; the database selected behind them.
    fn compressed(
        &self,
        local: &mut T::Local,
        blob: &rdb::CompressedBlob<'_>,
        output: &mut T::Output,
        spill: &mut dyn FnMut(&mut T::Output),
    ) -> DbIndex {
        let inflated = match blob.inflate(&self.budget) {
            Ok(inflated) => inflated,
            Err(error) => {
                self.task.broken(local, error, output);
                return blob.db;
            }
        };
        let mut reader = blob.reader(&inflated);
        // As many as in a run of records outside: a small blob may inflate to any number of them.
        let mut broken = 0;
        while broken <= BATCH_RECORDS {
            let next = reader.next_sound(|error| {
                broken += 1;
                self.task.broken(local, error, output);
            });
            let Some(record) = next else { break };
            match record {
                Record::Key(key) => self.task.key(local, &key, output, spill),
                // A blob in a blob stays as it is.
                other => self.task.other(local, &other, output),
            }
        }
        reader.db()
    }
}

impl<'a, T: Task> Job for (&Work<'_, T>, std::marker::PhantomData<fn(&'a ())>) {
    type Input = Batch<'a>;
    type Output = T::Output;
    type Local = T::Local;
    type Error = std::io::Error;

    fn local(&self) -> T::Local {
        self.0.task.local()
    }

    fn work(&self, local: &mut T::Local, input: &mut Batch<'a>, output: &mut T::Output) {
        self.0.records(local, input, output, &mut |_| {});
    }
}

/// Every record of the image that begins at `range.start` of `input`, to a task; what comes of each batch to `take`.
///
/// A damaged record ends the walk: [`Summary::error`] says where.
///
/// # Errors
/// What `take` returns.
pub fn walk<'a, T: Task>(
    input: &'a [u8],
    range: Range<u64>,
    options: &Options,
    task: &T,
    mut take: impl FnMut(&mut T::Output) -> std::io::Result<()>,
    mut progress: impl FnMut(u64),
) -> std::io::Result<Summary> {
    let bytes = window(input, &range);
    let mut outline = match Outline::new(bytes, range.start, &options.budget) {
        Ok(outline) => outline,
        Err(error) => return Ok(broken_header(range.start, error)),
    };
    let work = Work { task, budget: options.budget.clone() };
    let mut failed = None;
    let take = std::cell::RefCell::new(&mut take);
    ordered(
        &(&work, std::marker::PhantomData),
        options.threads,
        |batch: &mut Batch<'a>| {
            let filled = outline.fill(batch);
            progress(outline.reader.offset());
            Ok(filled)
        },
        |local, batch, output| {
            work.records(local, batch, output, &mut |output| {
                if failed.is_none() {
                    failed = (*take.borrow_mut())(output).err();
                }
            });
            failed.take().map_or(Ok(()), Err)
        },
        |_, output| (*take.borrow_mut())(output),
    )?;
    Ok(outline.finish())
}

fn window<'a>(input: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let start = usize::try_from(range.start).unwrap_or(usize::MAX);
    let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(input.len());
    input.get(start..end).unwrap_or_default()
}

fn broken_header(start: u64, error: rdb::Error) -> Summary {
    Summary { end: start, error: Some(error), ..Summary::empty() }
}

/// The sequential part: where records begin and end, and the sum of all bytes.
struct Outline<'a> {
    bytes: &'a [u8],
    start: u64,
    reader: Reader<'a>,
    summed: usize,
    sum: Jones,
    error: Option<rdb::Error>,
    stored: Option<u64>,
    held: Option<(Mark<'a>, u64)>,
    pieces: Pieces,
    ended: bool,
    budget: Budget,
}

impl<'a> Outline<'a> {
    fn new(bytes: &'a [u8], start: u64, budget: &Budget) -> rdb::Result<Self> {
        Ok(Self {
            bytes,
            start,
            reader: Reader::at(bytes, start)?.with_budget(budget),
            summed: 0,
            sum: Jones::default(),
            error: None,
            stored: None,
            held: None,
            pieces: Pieces::new(budget),
            ended: false,
            budget: budget.clone(),
        })
    }

    fn fill(&mut self, batch: &mut Batch<'a>) -> Filled {
        batch.assembled.clear();
        if let Some(large) = self.held.take() {
            batch.section = Some(large);
            return Filled::Alone;
        }
        let begin = self.reader.mark();
        let mut good = begin.offset();
        let mut records = 0usize;
        while !self.ended && records < BATCH_RECORDS && good.saturating_sub(begin.offset()) < BATCH_BYTES {
            if !self.step() {
                break;
            }
            let end = self.reader.offset();
            if end.saturating_sub(good) > LARGE_RECORD {
                let large = (self.reader.mark().back_at(&begin, good), end);
                batch.section = Some((begin, good));
                return self.large(records, large, batch);
            }
            good = end;
            records = records.saturating_add(1);
        }
        if !self.ended {
            self.sum_up_to(good);
        }
        batch.section = Some((begin, good));
        if self.ended {
            batch.assembled = self.pieces.take().collect();
        }
        if records == 0 { Filled::End } else { Filled::Batch }
    }

    /// A large record is a batch of its own; what was collected before it goes first.
    fn large(&mut self, records_before: usize, large: (Mark<'a>, u64), batch: &mut Batch<'a>) -> Filled {
        if records_before == 0 {
            batch.section = Some(large);
            return Filled::Alone;
        }
        self.held = Some(large);
        Filled::Batch
    }

    /// Step over one record; false at the end and where the image breaks.
    #[inline]
    fn step(&mut self) -> bool {
        match self.reader.skip_record() {
            Ok(Some(Skipped::Record)) => return true,
            Ok(Some(Skipped::Compressed(blob))) => {
                self.reader.select(blob.last_db(&self.budget));
                return true;
            }
            Ok(Some(Skipped::Chunk(stream, payload))) => return self.assemble(stream, payload),
            Ok(Some(Skipped::End(checksum))) => {
                self.ended = true;
                self.stored = checksum;
                return true;
            }
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
        self.ended = true;
        false
    }

    /// Pieces of an entry are put together, and read when no more can come.
    fn assemble(&mut self, stream: u32, payload: &[u8]) -> bool {
        let at = self.reader.offset();
        if let Err(spent) = self.pieces.add(stream, payload, self.reader.db(), at) {
            self.ended = true;
            self.error = Some(spent);
        }
        !self.ended
    }

    /// Take whole blocks into the sum, while they are in the cache.
    fn sum_up_to(&mut self, offset: u64) {
        let reached = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        if reached.saturating_sub(self.summed) < SUM_BLOCK {
            return;
        }
        self.sum_exactly(reached);
    }

    fn sum_exactly(&mut self, reached: usize) {
        if let Some(block) = self.bytes.get(self.summed..reached) {
            self.sum.update(block);
            self.summed = reached;
        }
    }

    fn finish(mut self) -> Summary {
        let end = self.reader.offset();
        let covered = end.saturating_sub(self.start).saturating_sub(if self.stored.is_some() { 8 } else { 0 });
        self.sum_exactly(usize::try_from(covered).unwrap_or(usize::MAX));
        Summary {
            version: self.reader.version(),
            dialect: self.reader.dialect(),
            end,
            computed_checksum: if self.error.is_none() { self.sum.value() } else { 0 },
            error: self.error,
            stored_checksum: self.stored,
        }
    }
}

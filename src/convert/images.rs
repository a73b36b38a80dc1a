//! RDB images into outputs, record by record, on all threads and in constant memory.

use super::batch::{Batch, Place, Taker};
use super::inputs::Begun;
use super::layered::Apart;
use super::merged::Winners;
use super::options::{Choice, Kind, Options};
use super::outputs::{Outputs, refuse_to_destroy};
use super::prologue::{ModuleData, Opening, Prologue};
use super::report::{Error, Loss, Losses, Report, as_io, from_io};
use super::rewrite::{Change, Rewriter};
use super::scrub::Scrubber;
use crate::bytes::Budget;
use crate::bytes::source::Source;
use crate::rdb::{self, Buffers, KeyRecord, Reader, Record, Target, whole};
use crate::replay::touched::Touched;
use crate::scan::walk::LARGE_RECORD;
use crate::scan::{self, Summary};
use crate::select::Candidate;
use crate::value::{DbIndex, UnixMillis};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is read may still be wanted for as long as so much more is read: batches wait for those before them.
const IN_FLIGHT: u64 = 4 << 20;

/// One image to convert.
#[derive(Debug, Clone, Copy)]
pub(super) struct Image<'a> {
    /// Its name, for messages.
    pub(super) name: &'a str,
    /// Where it is, so that it is not overwritten.
    pub(super) path: &'a Path,
    /// Its bytes.
    pub(super) bytes: &'a [u8],
    /// For the pages that were read to be given back.
    pub(super) source: &'a Source,
}

/// Write RDB images as one output. Those of one set have no key in common; others are merged.
pub(super) fn convert(
    images: &[Image<'_>],
    output: &Path,
    options: &Options,
    merged: bool,
    mut progress: impl FnMut(u64),
) -> Result<Report, Error> {
    let paths: Vec<PathBuf> = images.iter().map(|image| image.path.to_owned()).collect();
    refuse_to_destroy(output, &paths, options)?;
    let budget = &options.scan.budget;
    let openings = images.iter().map(|image| open(image, budget)).collect::<Result<Vec<Opening>, Error>>()?;
    let target = choose(&openings, options);
    let winners = if merged { Some(winners(images, options)?) } else { None };
    let mut report = Report::default();
    let prologue = prologue(&openings, &target, options, &mut report.losses);
    let scrubber = options.scrub.then(|| images.first().map(|image| Scrubber::seeded_by(image.bytes))).flatten();
    let change = Change { target, image: options.kind.is_image(), ttl_shift: options.ttl_shift, scrubber };
    let mut outputs = Outputs::open(output, options, target, prologue)?;
    let mut done = 0u64;
    for (index, (image, opening)) in (0u32..).zip(images.iter().zip(&openings)) {
        let one = One {
            image: *image,
            index,
            opening,
            change,
            options,
            winners: winners.as_ref(),
            touched: None,
            sizes_hold: sizes_hold(options, images.len()),
        };
        one.write(&mut outputs, output, &mut report, None, |at| progress(done.saturating_add(at)))?;
        done = done.saturating_add(image.bytes.len() as u64);
    }
    outputs.settle(report, options)
}

fn open(image: &Image<'_>, budget: &Budget) -> Result<Opening, Error> {
    Opening::read(image.bytes, budget).map_err(|error| damaged(image, error))
}

fn damaged(image: &Image<'_>, error: rdb::Error) -> Error {
    Error::Damaged { file: image.name.into(), error }
}

/// The target asked for, or one that loads what all inputs' servers wrote.
pub(super) fn choose(openings: &[Opening], options: &Options) -> Target {
    let same = |opening: &Opening| Target::same_as(opening.header, opening.dialect);
    let newest = openings.iter().map(same).reduce(|one, other| one.at_least(other));
    match (options.target, newest) {
        (Choice::Named(target), _) => target,
        (Choice::Same, None) => crate::rdb::target::PORTABLE,
        (Choice::Same, Some(same)) => fit_for(options.kind, same),
    }
}

/// Older servers than 7.0 have no AOF directories.
pub(crate) fn fit_for(kind: Kind, target: Target) -> Target {
    match (kind, Target::named("redis-7.0")) {
        (Kind::AofDir(_), Some(oldest)) => target.at_least(oldest),
        _ => target,
    }
}

fn prologue(openings: &[Opening], target: &Target, options: &Options, losses: &mut Losses) -> Prologue {
    let mut all = openings.iter().map(|opening| opening.prologue.clone());
    let mut prologue = all.next().unwrap_or_default();
    all.for_each(|other| prologue.merge(other));
    finish_prologue(&mut prologue, target, options, losses);
    prologue
}

/// Make what stands before the keys fit the output.
pub(crate) fn finish_prologue(prologue: &mut Prologue, target: &Target, options: &Options, losses: &mut Losses) {
    prologue.set_server(target);
    prologue.set_base(target, options.kind.is_image() && options.kind != Kind::Rdb);
    prologue.fit(target, losses);
    let mut lose = |what| losses.add(Loss::of_file(what));
    if !prologue.modules.is_empty() && (options.scrub || !options.kind.is_image()) {
        prologue.modules.clear();
        lose("data of modules outside the keys");
    }
    if !prologue.functions.is_empty() && options.scrub {
        prologue.functions.clear();
        lose("function libraries, which cannot be made anonymous");
    }
}

/// Write the keys of one image but for those that a log touches.
pub(super) fn write_others(
    image: Image<'_>,
    opening: &Opening,
    apart: &mut Apart<'_>,
    output: &Path,
    begun: &mut Begun<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let one = One {
        image,
        index: 0,
        opening,
        change: begun.change,
        options: begun.options,
        winners: None,
        touched: Some(apart.touched),
        sizes_hold: false,
    };
    one.write(&mut begun.outputs, output, &mut begun.report, Some(apart), progress)
}

/// The counts in the input are those of the output only if every key comes through, into one file.
fn sizes_hold(options: &Options, images: usize) -> bool {
    images == 1
        && options.split.is_none()
        && options.drop_expired.is_none()
        && options.selection.is_everything()
        && options.selection.limit.is_none()
}

/// The first walk over inputs that are merged.
fn winners(images: &[Image<'_>], options: &Options) -> Result<Winners, Error> {
    let mut winners = Winners::new(&options.scan.budget);
    for (index, image) in (0u32..).zip(images) {
        let mut meet = |record: &Record<'_>| match record {
            Record::Key(key) if options.selection.takes(&Candidate::from(key)) => {
                let exhausted = |spent| rdb::Error::new(key.offset, rdb::ErrorKind::Exhausted(spent));
                winners.pay().map_err(|spent| damaged(image, exhausted(spent)))?;
                let met = winners.meet(index, key, options.on_duplicate);
                met.map_err(|met| Error::Duplicate { file: image.name.into(), db: met.db, key: met.key })
            }
            _ => Ok(()),
        };
        each_record(image, &options.scan.budget, &mut meet)?;
    }
    Ok(winners)
}

fn each_record(
    image: &Image<'_>,
    budget: &Budget,
    visit: &mut impl FnMut(&Record<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = Reader::new(image.bytes).map_err(|error| damaged(image, error))?.with_budget(budget);
    let walked = whole::each(&mut reader, budget, |met| visit(&met.record()).map_err(Stop::Refused));
    walked.map_err(|stop| match stop {
        Stop::Damaged(error) => damaged(image, error),
        Stop::Refused(error) => error,
    })
}

/// Why the first walk over an image ended early.
enum Stop {
    Damaged(rdb::Error),
    Refused(Error),
}

impl From<rdb::Error> for Stop {
    fn from(error: rdb::Error) -> Self {
        Self::Damaged(error)
    }
}

/// One image on its way.
struct One<'i> {
    image: Image<'i>,
    index: u32,
    opening: &'i Opening,
    change: Change,
    options: &'i Options,
    winners: Option<&'i Winners>,
    /// By a log behind the image, which says what becomes of these keys.
    touched: Option<&'i Touched>,
    sizes_hold: bool,
}

impl One<'_> {
    fn write(
        &self,
        outputs: &mut Outputs,
        path: &Path,
        report: &mut Report,
        mut apart: Option<&mut Apart<'_>>,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Error> {
        let mut trail = self.image.source.trail();
        let mut taker = Taker::new(self.image.bytes, self.options.selection.limit);
        let range = 0..self.image.bytes.len() as u64;
        let take = |batch: &mut Batch| match batch.error.take() {
            Some(error) => Err(as_io(damaged(&self.image, error))),
            None => {
                if let Some(apart) = &mut apart {
                    apart.take(batch);
                }
                taker.take(batch, outputs, report)
            }
        };
        let walked = scan::walk(self.image.bytes, range, &self.options.scan, self, take, |at| {
            trail.reached(at.saturating_sub(IN_FLIGHT));
            progress(at);
        });
        let summary = walked.map_err(|e| from_io(e, path))?;
        self.judge(summary)
    }

    fn judge(&self, summary: Summary) -> Result<(), Error> {
        if let Some(error) = summary.error {
            return Err(damaged(&self.image, error));
        }
        match summary.stored_checksum {
            Some(stored) if !summary.checksum_holds() => {
                Err(Error::Checksum { file: self.image.name.into(), stored, computed: summary.computed_checksum })
            }
            _ => Ok(()),
        }
    }

    fn is_wanted(&self, key: &KeyRecord<'_>) -> bool {
        // -1 is none to most servers, and the others drop the key as soon as they see it.
        let expired = |at: UnixMillis| at.0 != -1 && self.options.drop_expired.is_some_and(|now| at < now);
        self.options.selection.takes(&Candidate::from(key))
            && !key.expiry.is_some_and(expired)
            && self.winners.is_none_or(|winners| winners.stays(self.index, key))
    }

    /// Where a record stands in the input; not there when it was inflated.
    fn run_of(&self, key: &KeyRecord<'_>) -> Option<Range<usize>> {
        let start = usize::try_from(key.offset).ok()?;
        let run = start..start.checked_add(key.raw.len())?;
        let stands = self.image.bytes.get(run.clone())?;
        std::ptr::eq(stands, key.raw).then_some(run)
    }

    fn is_apart(&self, touched: &Touched, key: &KeyRecord<'_>, batch: &mut Batch) -> bool {
        batch.hashes.push(touched.hash(key.db, &key.key));
        batch.last_db = batch.last_db.max(key.db);
        if !touched.contains(&key.key) {
            return false;
        }
        match self.run_of(key) {
            Some(run) => batch.apart.push((key.db, run)),
            None => batch.unplaced = true,
        }
        true
    }

    fn convert(
        &self,
        local: &mut Local,
        key: &KeyRecord<'_>,
        batch: &mut Batch,
        spill: &mut dyn FnMut(&mut Batch),
    ) -> rdb::Result<()> {
        if let Some(touched) = self.touched
            && self.is_apart(touched, key, batch)
        {
            return Ok(());
        }
        if !self.is_wanted(key) {
            batch.left_out = batch.left_out.saturating_add(1);
            return Ok(());
        }
        let route = self.options.split.as_ref().and_then(|split| split.route(key.db, &key.key));
        if local.rewriter.copies(key, self.opening.dialect)?
            && let Some(run) = self.run_of(key)
        {
            batch.run(route, key.db, run, self.options.selection.limit.is_none());
            return Ok(());
        }
        let join = self.options.selection.limit.is_none();
        let spill = (key.raw.len() as u64 > LARGE_RECORD).then_some(spill);
        batch.encode(Place { route, db: key.db, key: &key.key, join }, spill, |out| {
            local.rewriter.record(key, self.opening.dialect, out)
        })
    }

    fn lose(&self, batch: &mut Batch, what: &'static str) {
        batch.losses.add(Loss::of_file(what));
    }

    /// Functions and data of modules that do not stand before the keys.
    fn late(&self, local: &mut Local, record: &Record<'_>, batch: &mut Batch) -> rdb::Result<()> {
        match record {
            Record::ModuleAux { when, module, .. } => {
                if self.options.scrub || !self.change.image {
                    self.lose(batch, "data of modules outside the keys");
                    return Ok(());
                }
                batch.modules.push(ModuleData { when: *when, id: module.id, stream: module.raw().to_vec() });
            }
            Record::Function { code, .. } => {
                if self.options.scrub || !self.change.target.accepts_opcode(rdb::opcode::FUNCTION2) {
                    self.lose(batch, "function libraries");
                    return Ok(());
                }
                batch.functions.push(code.to_blob(&mut local.scratch)?.into_vec());
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a thread keeps for itself.
#[derive(Debug)]
struct Local {
    rewriter: Rewriter,
    scratch: rdb::Scratch,
    /// The database selected last in this batch: a size stands right behind that.
    db: Option<DbIndex>,
}

impl scan::Task for One<'_> {
    type Output = Batch;
    type Local = Local;

    fn local(&self) -> Local {
        let buffers = Buffers::new(&self.options.scan.budget);
        let scratch = rdb::Scratch::new(self.options.scan.budget.clone());
        Local { rewriter: Rewriter::new(self.change, buffers), scratch, db: None }
    }

    fn key(&self, local: &mut Local, key: &KeyRecord<'_>, batch: &mut Batch, spill: &mut dyn FnMut(&mut Batch)) {
        if batch.error.is_none() {
            batch.error = self.convert(local, key, batch, spill).map_err(|error| error.in_key(&key.key)).err();
        }
    }

    fn other(&self, local: &mut Local, record: &Record<'_>, batch: &mut Batch) {
        if batch.error.is_some() {
            return;
        }
        let done = match record {
            Record::SelectDb { db, .. } => {
                local.db = Some(*db);
                Ok(())
            }
            Record::ResizeDb { keys, expires, .. } if self.sizes_hold => {
                // Where a batch ends between the two, the size is left out: it is but a hint.
                if let Some(db) = local.db.take() {
                    batch.resize(db, *keys, *expires);
                }
                Ok(())
            }
            other if other.offset() >= self.opening.keys_at => self.late(local, other, batch),
            _ => Ok(()),
        };
        batch.error = done.err();
    }

    fn broken(&self, _: &mut Local, error: rdb::Error, batch: &mut Batch) {
        batch.error.get_or_insert(error);
    }
}

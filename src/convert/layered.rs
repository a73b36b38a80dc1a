//! An image and the log behind it: what the log does not touch goes from the image to the output as it stands.
//!
//! ```text
//! log ── names of the keys it touches ──┐
//! image ── every other key ─────────────┼→ outputs
//!       └─ those keys ── log replayed ──┴→ outputs
//! ```
//!
//! Memory is for the keys that the log touches, and for 8 bytes of every other one: that none comes twice, which no
//! server would load, is seen by its hash.

use super::batch::Batch;
use super::images::{self, Image};
use super::inputs::{Begun, execute};
use super::options::Options;
use super::prologue::Opening;
use super::report::{Error, Report};
use crate::bytes::{Budget, Exhausted};
use crate::input::Input;
use crate::keyspace::Db;
use crate::rdb::{Dialect, Header};
use crate::replay::load::Keys;
use crate::replay::touched::Touched;
use crate::replay::whole::{self, Instead};
use crate::scan::unique::KeyHashes;
use crate::value::DbIndex;
use std::ops::Range;
use std::path::Path;

/// Write the input, if its log touches only what it names. None when it must be replayed as a whole: for that, or
/// because only so can be said what is wrong with it.
pub(super) fn convert(
    input: &Input,
    output: &Path,
    options: &Options,
    replay: &whole::Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Option<Report>, Error> {
    let Some(part) = input.parts.first() else { return Ok(None) };
    let Ok(opening) = Opening::read(part.bytes(), &replay.budget) else { return Ok(None) };
    // Dragonfly's compressed keys stand nowhere, and where a limit cuts is told by the order of all keys.
    if opening.dialect == Dialect::Dragonfly || options.selection.limit.is_some() {
        return Ok(None);
    }
    let Some(touched) = Touched::of(input, &replay.budget) else { return Ok(None) };
    let target = images::choose(std::slice::from_ref(&opening), options);
    let mut begun = Begun::new(input, output, options, target, opening.prologue.clone())?;
    let image = Image { name: &part.name, path: &part.path, bytes: part.bytes(), source: &part.source };
    let mut apart = Apart::new(&touched, &options.scan.budget);
    images::write_others(image, &opening, &mut apart, output, &mut begun, progress)?;
    let last_db = apart.last_db;
    let Some(places) = apart.places(options.scan.threads) else { return Ok(None) };
    let header = Header { dialect: opening.dialect, ..opening.header };
    let keys = Keys { image: image.bytes, header, places };
    let instead = Instead { keys, log_at: touched.log_at };
    let executed = execute(Some(instead), input, options, replay, progress)?;
    // A database comes once in an image, as servers write it; and what no command names is not there a second time.
    let fits = |(db, keys): (DbIndex, &Db<'_>)| {
        keys.is_empty() || (db >= last_db && keys.iter().all(|entry| touched.contains(&entry.key)))
    };
    if !executed.keyspace.dbs().all(fits) {
        return Ok(None);
    }
    begun.write(executed, opening.dialect)?;
    begun.finish().map(Some)
}

/// The keys of an image that a log touches.
#[derive(Debug)]
pub(super) struct Apart<'t> {
    pub(super) touched: &'t Touched,
    hashes: KeyHashes,
    places: Vec<(DbIndex, Range<usize>)>,
    spent: Option<Exhausted>,
    /// The highest database of the image.
    last_db: DbIndex,
    /// Some of them stand nowhere.
    unplaced: bool,
}

impl<'t> Apart<'t> {
    fn new(touched: &'t Touched, budget: &Budget) -> Self {
        Self {
            touched,
            hashes: KeyHashes::charged_to(budget),
            places: Vec::new(),
            spent: None,
            last_db: DbIndex(0),
            unplaced: false,
        }
    }

    /// What a batch met of them.
    pub(super) fn take(&mut self, batch: &mut Batch) {
        if self.spent.is_none() {
            self.spent = self.hashes.extend(&batch.hashes).err();
        }
        batch.hashes.clear();
        self.last_db = self.last_db.max(batch.last_db);
        self.unplaced |= std::mem::take(&mut batch.unplaced);
        self.places.append(&mut batch.apart);
    }

    /// Where they stand; nothing if some key of the image may be there twice, or nobody knows.
    fn places(self, threads: usize) -> Option<Vec<(DbIndex, Range<usize>)>> {
        (self.spent.is_none() && !self.unplaced && self.hashes.repeated(threads).is_empty()).then_some(self.places)
    }
}

#[cfg(test)]
mod tests;

//! Inputs of any kind into outputs: images as they stand, logs through the replay engine.

use super::images::{self, Image, fit_for};
use super::keyspace;
use super::layered;
use super::options::{Choice, Kind, Options, target_of};
use super::outputs::{Outputs, refuse_to_destroy};
use super::prologue::{Opening, Prologue};
use super::report::{Error, Report};
use super::rewrite::Change;
use super::scrub::Scrubber;
use crate::input::{self, Content, Input, Role};
use crate::keyspace::{Keyspace, Like};
use crate::rdb::target::{PORTABLE, TARGETS};
use crate::rdb::{Dialect, Target};
use crate::replay::Refusal;
use crate::replay::report::{Notes, Place};
use crate::replay::whole::{self, Instead, Outcome};
use std::path::{Path, PathBuf};

/// Write inputs as one output: several are merged, and those must be images.
///
/// # Errors
/// When an input is damaged or a log cannot be executed, when the target cannot hold everything, or when the output
/// cannot be written. What was at the path before is there still.
pub fn convert(
    inputs: &[Input],
    output: &Path,
    options: &Options,
    replay: &whole::Options,
    progress: impl FnMut(u64),
) -> Result<Report, Error> {
    if let Choice::Named(target) = options.target
        && target != PORTABLE
        && fit_for(options.kind, target) != target
    {
        return Err(Error::Unsupported("servers before Redis 7.0 have no AOF directories: they load --to aof or rdb"));
    }
    match images_of(inputs, replay) {
        Some(images) => images::convert(&images, output, options, inputs.len() > 1, progress),
        None => match inputs {
            [log] => convert_log(log, output, options, replay, progress),
            _ => Err(Error::Unsupported("only RDB files are merged: convert the logs to RDB first")),
        },
    }
}

/// The images, when there is nothing else and nothing to be executed.
fn images_of<'i>(inputs: &'i [Input], replay: &whole::Options) -> Option<Vec<Image<'i>>> {
    let parts = inputs.iter().flat_map(|input| &input.parts);
    let mut images = Vec::new();
    for part in parts {
        match part.content {
            Content::Rdb => {
                let (bytes, source) = (part.bytes(), &part.source);
                images.push(Image { name: &part.name, path: &part.path, bytes, source });
            }
            Content::DragonflySummary => {}
            // The server's empty log behind its base.
            Content::Empty if part.role == Role::Incr => {}
            _ => return None,
        }
    }
    let whole::Options { time: None, offset: None, commands: None, before: None, .. } = replay else { return None };
    (!images.is_empty()).then_some(images)
}

fn convert_log(
    input: &Input,
    output: &Path,
    options: &Options,
    replay: &whole::Options,
    mut progress: impl FnMut(u64),
) -> Result<Report, Error> {
    let mut paths: Vec<PathBuf> = input.parts.iter().map(|part| part.path.clone()).collect();
    paths.extend(input.directory.clone());
    refuse_to_destroy(output, &paths, options)?;
    if let Some(report) = layered::convert(input, output, options, replay, &mut progress)? {
        return Ok(report);
    }
    let opening = input.parts.iter().find_map(|part| Opening::read(part.bytes(), &replay.budget).ok());
    let executed = execute(None, input, options, replay, &mut progress)?;
    let target = choose(input, opening.as_ref(), &executed.keyspace, options, replay);
    let prologue = prologue(opening.as_ref(), &executed.keyspace);
    let mut begun = Begun::new(input, output, options, target, prologue)?;
    let dialect = opening.map_or(Dialect::Redis, |opening| opening.dialect);
    begun.write(executed, dialect)?;
    begun.finish()
}

/// An output on its way.
pub(super) struct Begun<'i> {
    input: &'i Input,
    path: &'i Path,
    pub(super) options: &'i Options,
    pub(super) change: Change,
    pub(super) outputs: Outputs,
    pub(super) report: Report,
}

impl<'i> Begun<'i> {
    /// Begin to write.
    pub(super) fn new(
        input: &'i Input,
        path: &'i Path,
        options: &'i Options,
        target: Target,
        mut prologue: Prologue,
    ) -> Result<Self, Error> {
        let mut report = Report::default();
        images::finish_prologue(&mut prologue, &target, options, &mut report.losses);
        let scrubber = match (options.scrub, input.parts.last()) {
            (true, Some(part)) => Some(Scrubber::seeded_by(part.bytes())),
            _ => None,
        };
        let change = Change { target, image: options.kind.is_image(), ttl_shift: options.ttl_shift, scrubber };
        let outputs = Outputs::open(path, options, target, prologue)?;
        Ok(Self { input, path, options, change, outputs, report })
    }

    /// Write what the log came to.
    pub(super) fn write(&mut self, executed: Executed<'_>, dialect: Dialect) -> Result<(), Error> {
        let Executed { keyspace, lost, unsound, stopped } = executed;
        let (options, name) = (self.options, &self.input.name);
        let written = keyspace::write(&keyspace, self.change, dialect, options, &mut self.outputs, self.path, name)?;
        self.report.losses.append(written.losses);
        self.report.keys = self.report.keys.saturating_add(written.keys);
        self.report.left_out = self.report.left_out.saturating_add(written.left_out);
        self.report.not_executed = lost;
        self.report.unsound = unsound;
        self.report.stopped = stopped;
        if options.process_ends {
            std::mem::forget(keyspace);
        }
        Ok(())
    }

    /// Put it in its place, unless something was lost that must not be.
    pub(super) fn finish(self) -> Result<Report, Error> {
        self.outputs.settle(self.report, self.options)
    }
}

/// What servers load that are older than all targets.
const OLDEST: Target = TARGETS[0];
/// The last server that logs into a single file: newer ones would lose what it keeps (a score of -0).
const SINGLE_FILE: Like = Like::redis(6, 2);

/// What a log came to.
pub(super) struct Executed<'i> {
    pub(super) keyspace: Keyspace<'i>,
    /// Commands that a server would have executed and we did not.
    lost: u64,
    /// Commands that no server writes.
    unsound: Notes<Refusal>,
    /// A condition to stop was met.
    stopped: bool,
}

pub(super) fn execute<'i>(
    instead: Option<Instead<'i>>,
    input: &'i Input,
    options: &Options,
    replay: &whole::Options,
    progress: &mut dyn FnMut(u64),
) -> Result<Executed<'i>, Error> {
    let fallback = if input.kind == input::Kind::Aof { SINGLE_FILE } else { replay.fallback };
    let outcome = whole::replay_onto(instead, input, &whole::Options { fallback, ..replay.clone() }, (), progress)
        .map_err(|_| Error::Unsupported("the input has no part of that name"))?;
    let lost = lost(&outcome, input, options)?;
    Ok(Executed { keyspace: outcome.keyspace, lost, unsound: outcome.report.unsound, stopped: outcome.stopped })
}

/// How many commands a server would have executed and we did not, if the log is sound and that is allowed.
fn lost(outcome: &Outcome<'_>, input: &Input, options: &Options) -> Result<u64, Error> {
    let name = |part: Option<usize>| {
        let part = part.and_then(|index| input.parts.get(index));
        part.map_or_else(|| input.name.clone(), |part| part.name.clone())
    };
    let name_of = |place: Place| name(usize::try_from(place.part).ok());
    if let Some(damage) = &outcome.damage {
        let (file, offset, why) = (name(Some(damage.part)), damage.error.offset(), damage.error.to_string());
        return Err(match damage.error.exhausted() {
            Some(spent) => Error::Exhausted { file, offset, why, spent },
            None => Error::DamagedLog { file, offset, why },
        });
    }
    let report = &outcome.report;
    for noted in &report.skipped.first {
        if let Refusal::Memory(spent) = noted.why {
            let (file, offset) = (name_of(noted.place), noted.place.offset);
            let why = format!("{}: {spent}", noted.argv0.escape_ascii());
            return Err(Error::Exhausted { file, offset, why, spent });
        }
    }
    let first = report.skipped.first.iter().find(|noted| noted.why.loses_state());
    if let Some(noted) = first.filter(|_| report.lost > 0 && !options.lossy) {
        let (file, offset) = (name_of(noted.place), noted.place.offset);
        return Err(Error::NotExecuted { file, offset, why: format!("{}: {}", noted.argv0.escape_ascii(), noted.why) });
    }
    Ok(if first.is_some() { report.lost } else { 0 })
}

/// The target asked for; else the server that is named; else, for a log that names none, the oldest that holds it all.
fn choose(
    input: &Input,
    opening: Option<&Opening>,
    keyspace: &Keyspace<'_>,
    options: &Options,
    replay: &whole::Options,
) -> Target {
    if let Choice::Named(target) = options.target {
        return target;
    }
    let same = match (replay.like, opening) {
        (_, Some(opening)) => return images::choose(std::slice::from_ref(opening), options),
        (Some(like), None) => target_of(like).unwrap_or(OLDEST),
        (None, None) => oldest_for(input, keyspace),
    };
    fit_for(options.kind, same)
}

fn oldest_for(input: &Input, keyspace: &Keyspace<'_>) -> Target {
    let has_field_expiry = || {
        keyspace.dbs().flat_map(|(_, db)| db.iter()).any(|entry| match &entry.value {
            crate::keyspace::Value::Hash(hash) => hash.has_expiries(),
            _ => false,
        })
    };
    let name = if has_field_expiry() {
        "redis-7.4"
    } else if !keyspace.functions.is_empty() || input.kind == input::Kind::AofDir {
        "redis-7.0"
    } else {
        PORTABLE.name
    };
    Target::named(name).unwrap_or(PORTABLE)
}

/// The AUX fields and module data of the first image; the functions as they are at the end.
fn prologue(opening: Option<&Opening>, keyspace: &Keyspace<'_>) -> Prologue {
    let mut prologue = opening.map(|opening| opening.prologue.clone()).unwrap_or_default();
    prologue.functions = keyspace.functions.iter().map(|(_, code)| code.to_vec()).collect();
    prologue
}

impl Kind {
    /// The kind of an input, to be kept.
    #[must_use]
    pub fn of(input: &Input) -> Self {
        match input.kind {
            input::Kind::AofDir => Self::AofDir(super::Base::Rdb),
            input::Kind::Aof | input::Kind::Empty => Self::Aof,
            _ => Self::Rdb,
        }
    }
}

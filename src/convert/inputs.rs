//! Inputs of any kind into outputs: images as they stand, logs through the replay engine.

use super::images::{self, Image, fit_for};
use super::keyspace;
use super::options::{Choice, Kind, Options};
use super::outputs::{Outputs, refuse_to_destroy};
use super::prologue::{Opening, Prologue};
use super::report::{Error, Report};
use super::rewrite::Change;
use super::scrub::Scrubber;
use crate::input::{self, Content, Input, Role};
use crate::keyspace::{Keyspace, Like};
use crate::rdb::reader::Header;
use crate::rdb::target::PORTABLE;
use crate::rdb::{Dialect, Target};
use crate::replay::{Refusal, whole};
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
    let opening = input.parts.iter().find_map(|part| Opening::read(part.bytes(), &replay.budget).ok());
    let (keyspace, lost) = execute(input, replay, &mut progress)?;
    if let (Some(first), false) = (&lost, options.lossy) {
        return Err(Error::Log { file: first.file.clone(), offset: first.offset, why: first.why.clone() });
    }
    let target = choose(input, opening.as_ref(), &keyspace, options, replay);
    let mut report = Report::default();
    let mut prologue = prologue(opening.as_ref(), &keyspace);
    images::finish_prologue(&mut prologue, &target, options, &mut report.losses);
    let scrubber = match (options.scrub, input.parts.last()) {
        (true, Some(part)) => Some(Scrubber::seeded_by(part.bytes())),
        _ => None,
    };
    let change = Change { target, image: options.kind.is_image(), ttl_shift: options.ttl_shift, scrubber };
    let dialect = opening.map_or(Dialect::Redis, |opening| opening.dialect);
    let mut outputs = Outputs::open(output, options, target, prologue)?;
    let written = keyspace::write(&keyspace, change, dialect, options, &mut outputs, output, &input.name)?;
    report.losses.append(written.losses);
    (report.keys, report.left_out) = (written.keys, written.left_out);
    report.not_executed = lost.map_or(0, |first| first.total);
    if !report.losses.is_empty() && !options.lossy {
        return Err(Error::Unfit { target: target.name, losses: Box::new(report.losses) });
    }
    (report.bytes, report.files) = outputs.finish()?;
    if options.process_ends {
        std::mem::forget(keyspace);
    }
    Ok(report)
}

/// The last server that logs into a single file: newer ones would lose what it keeps (a score of -0).
const SINGLE_FILE: Like = Like::redis(6, 2);

/// The first command that a server would have executed and we did not.
struct Lost {
    file: String,
    offset: u64,
    why: String,
    total: u64,
}

fn execute<'i>(
    input: &'i Input,
    replay: &whole::Options,
    progress: &mut dyn FnMut(u64),
) -> Result<(Keyspace<'i>, Option<Lost>), Error> {
    let like =
        replay.like.or_else(|| whole::producer_of(input)).or((input.kind == input::Kind::Aof).then_some(SINGLE_FILE));
    let outcome = whole::replay(input, &whole::Options { like, ..replay.clone() }, (), progress)
        .map_err(|_| Error::Unsupported("the input has no part of that name"))?;
    let name = |part: Option<usize>| {
        let part = part.and_then(|index| input.parts.get(index));
        part.map_or_else(|| input.name.clone(), |part| part.name.clone())
    };
    if let Some(damage) = outcome.damage {
        let (file, offset, why) = (name(Some(damage.part)), damage.error.offset(), damage.error.to_string());
        return Err(match damage.error.exhausted() {
            Some(spent) => Error::Exhausted { file, offset, why, spent },
            None => Error::Log { file, offset, why },
        });
    }
    let report = outcome.report;
    for noted in &report.skipped.first {
        if let Refusal::Memory(spent) = noted.why {
            let (file, offset) = (name(usize::try_from(noted.place.part).ok()), noted.place.offset);
            let why = format!("{}: {spent}", noted.argv0.escape_ascii());
            return Err(Error::Exhausted { file, offset, why, spent });
        }
    }
    let first = report.skipped.first.iter().find(|noted| noted.why.loses_state());
    let lost = first.filter(|_| report.lost > 0).map(|noted| Lost {
        file: name(usize::try_from(noted.place.part).ok()),
        offset: noted.place.offset,
        why: format!("{}: {}", noted.argv0.escape_ascii(), noted.why),
        total: report.lost,
    });
    Ok((outcome.keyspace, lost))
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
        (_, Some(opening)) => Target::same_as(opening.header, opening.dialect),
        (Some(like), None) => of_server(like),
        (None, None) => oldest_for(input, keyspace),
    };
    fit_for(options.kind, same)
}

fn of_server(like: Like) -> Target {
    let dialect = if like.at_least_valkey(9, 0) { Dialect::Valkey } else { Dialect::Redis };
    let version = match like.as_redis() {
        _ if dialect == Dialect::Valkey => 80,
        (..=3, ..=1) | (..=2, _) => 6,
        (3, _) => 7,
        (4, _) => 8,
        (5 | 6, _) => 9,
        (7, 0 | 1) => 10,
        (7, 2 | 3) => 11,
        (7, _) | (8, ..=5) => 12,
        (8, 6 | 7) => 13,
        _ => 14,
    };
    Target::same_as(Header { version, dialect }, dialect)
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

//! A whole input of any kind into one keyspace.

use super::engine::{Engine, Watch};
use super::load::{self, Keys, producer};
use super::report::Report;
use super::until::{TextGlob, Until};
use crate::bytes::Budget;
use crate::input::{Content, Input, Part};
use crate::keyspace::{Keyspace, Like};
use crate::value::UnixMillis;
use std::fmt;

/// What to replay, and like which server.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which server to behave like, its limits included; by default the one that wrote the input, as far as it tells.
    pub like: Option<Like>,
    /// Which one else. Newer servers may have written into the same log.
    pub fallback: Like,
    /// Leave out what is later than this.
    pub time: Option<UnixMillis>,
    /// Leave out what ends after this offset of the named part (the last one by default), and all later parts.
    pub offset: Option<(Option<String>, u64)>,
    /// Only so many commands.
    pub commands: Option<u64>,
    /// Stop before the first command that matches.
    pub before: Option<TextGlob>,
    /// Stop at the first command that cannot be executed.
    pub strict: bool,
    /// `RESTORE` takes only what the server named would: a log made for a newer one is not read through.
    pub own_versions: bool,
    /// The time for commands that have one relative to the present, where no annotation tells.
    pub now: UnixMillis,
    /// What growth is charged to.
    pub budget: Budget,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome<'a, W = ()> {
    /// All keys.
    pub keyspace: Keyspace<'a>,
    /// What was met on the way.
    pub report: Report<'a>,
    /// Which server was imitated.
    pub like: Like,
    /// Where an image or a log is damaged.
    pub damage: Option<Damage>,
    /// A condition to stop was met: something was left out.
    pub stopped: bool,
    /// Whoever watched.
    pub watch: W,
}

/// Where reading could not go on.
#[derive(Debug)]
pub struct Damage {
    /// The index of the part.
    pub part: usize,
    /// What is wrong.
    pub error: load::Error,
    /// Nothing behind it was executed; else it could be read over: servers would refuse the image, or let it pass.
    pub ends: bool,
}

/// The input has no part of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchPart(pub String);

impl fmt::Display for NoSuchPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the input has no part named {:?}", self.0)
    }
}

impl std::error::Error for NoSuchPart {}

/// The server that wrote an input, as far as its images tell.
#[must_use]
pub fn producer_of(input: &Input) -> Option<Like> {
    input.parts.iter().find_map(|part| producer(part.bytes()))
}

/// Replay all parts of an input, in order. `progress` hears of the bytes done in all parts.
///
/// # Errors
/// When a condition to stop names a part that is not there.
pub fn replay<'a, W: Watch<'a>>(
    input: &'a Input,
    options: &Options,
    watch: W,
    progress: &mut dyn FnMut(u64),
) -> Result<Outcome<'a, W>, NoSuchPart> {
    replay_onto(None, input, options, watch, progress)
}

/// What is loaded in place of the image at the beginning of an input.
#[derive(Debug)]
pub(crate) struct Instead<'a> {
    /// The keys that are wanted of it.
    pub(crate) keys: Keys<'a>,
    /// Where the log begins in its part.
    pub(crate) log_at: Option<u64>,
}

/// As [`replay`], with no more than some keys of the first image.
pub(crate) fn replay_onto<'a, W: Watch<'a>>(
    instead: Option<Instead<'a>>,
    input: &'a Input,
    options: &Options,
    watch: W,
    progress: &mut dyn FnMut(u64),
) -> Result<Outcome<'a, W>, NoSuchPart> {
    let mut instead = instead;
    let like = options.like.or_else(|| producer_of(input)).unwrap_or(options.fallback);
    let mut engine = Engine::watched(like, watch).until(until(input, options)?);
    engine.strict(options.strict);
    let state = engine.state_mut();
    state.now = options.now;
    state.budget = options.budget.clone();
    state.knows_its_versions = options.own_versions && options.like.is_some();
    let (mut damage, mut is_beyond) = (None, false);
    let mut done = 0u64;
    for (index, part) in input.parts.iter().enumerate() {
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        is_beyond = engine.is_beyond(number);
        if engine.stopped() || is_beyond {
            break;
        }
        let replayed = match (instead.take(), part.content) {
            (Some(instead), _) => engine.replay_instead(number, part.bytes(), &instead),
            (None, Content::Empty) => Ok(()),
            // What stands behind an image that no log follows is ignored, as a server does.
            (None, Content::Rdb | Content::DragonflySummary) => {
                engine.load_rdb(number, part.bytes()).map(drop).map_err(Into::into)
            }
            (None, _) => engine.replay_part(number, part.bytes()),
        };
        if let Err(error) = replayed {
            damage = Some(Damage { part: index, error, ends: true });
            break;
        }
        done = done.saturating_add(part.bytes().len() as u64);
        progress(done);
    }
    let stopped = is_beyond || engine.stopped();
    let (keyspace, mut report, watch) = engine.finish();
    let flaw = report.flaw.take().and_then(|(part, error)| Some((usize::try_from(part).ok()?, error)));
    let damage = damage.or(flaw.map(|(part, error)| Damage { part, error, ends: false }));
    Ok(Outcome { keyspace, report, like, damage, stopped, watch })
}

impl<'a, W: Watch<'a>> Engine<'a, W> {
    fn replay_instead(&mut self, number: u32, part: &'a [u8], instead: &Instead<'a>) -> Result<(), load::Error> {
        self.load_keys(&instead.keys)?;
        instead.log_at.map_or(Ok(()), |at| self.replay_log(number, part, at))
    }
}

/// The conditions to stop, with the part's name as its number.
fn until(input: &Input, options: &Options) -> Result<Until, NoSuchPart> {
    let last = input.parts.len().saturating_sub(1);
    let offset = match &options.offset {
        None => None,
        Some((None, offset)) => Some((last, *offset)),
        Some((Some(name), offset)) => {
            let part = input.parts.iter().position(|part| is_named(part, name));
            Some((part.ok_or_else(|| NoSuchPart(name.clone()))?, *offset))
        }
    };
    let offset = offset.map(|(part, offset)| (u32::try_from(part).unwrap_or(u32::MAX), offset));
    Ok(Until { time: options.time, offset, commands: options.commands, before: options.before.clone() })
}

/// By its name as it is shown, or by its file name.
fn is_named(part: &Part, name: &str) -> bool {
    part.name == name || part.path.file_name().is_some_and(|file| file == name)
}

//! Streams: entries. Groups, claims, and what Redis 8 remembers of repeated messages are beside it.

mod claims;
mod groups;
mod idempotence;
mod ids;
mod removal;
#[cfg(test)]
mod tests;

pub(super) use claims::{xautoclaim, xclaim, xreadgroup};
pub(super) use groups::{
    xack, xackdel, xgroup_create, xgroup_createconsumer, xgroup_delconsumer, xgroup_destroy, xgroup_setid,
};
pub(super) use idempotence::{xcfgset, xidmprecord};

use self::idempotence::Producer;
use self::ids::{Wanted, strict};
use self::removal::{References, Trim, delete_by_name};
use super::args::{Words, count, counted, from, is, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use crate::keyspace::{Stream, Typed};
use crate::value::{Blob, StreamId};

type Done = Result<(), Refusal>;

const NO_KEY: Refusal = Refusal::Invalid("there is no such key");

/// The stream of a key, which must be there.
fn stream_of<'s, 'a>(state: &'s mut State<'a>, key: &[u8]) -> Result<&'s mut Stream<'a>, Refusal> {
    let entry = state.db().entry_mut(key).ok_or(NO_KEY)?;
    Stream::of_mut(&mut entry.value).ok_or(Refusal::WrongType)
}

/// What stands between the key and the id of an `XADD`.
struct Options<'a> {
    create: bool,
    trim: Trim,
    producer: Option<Producer<'a>>,
}

impl<'a> Options<'a> {
    /// Takes the words up to the id.
    fn parse(words: &mut Words<'_, 'a>) -> Result<(Self, &'a [u8]), Refusal> {
        let mut options = Self { create: true, trim: Trim::default(), producer: None };
        loop {
            let option = words.need()?;
            match option {
                _ if is(option, "NOMKSTREAM") => options.create = false,
                _ if is(option, "IDMPAUTO") => options.producer = Some(Producer::unnamed(words.need()?)),
                _ if is(option, "IDMP") => options.producer = Some(Producer::named(words.need()?, words.need()?)),
                _ if options.trim.option(option, words)? => {}
                id => return Ok((options, id)),
            }
        }
    }
}

/// `key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [IDMPAUTO p|IDMP p i] [MAXLEN|MINID [=|~] t [LIMIT n]] id field value …`
pub(super) fn xadd<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    let mut words = Words::new(args, 2);
    let (options, id) = Options::parse(&mut words)?;
    options.trim.check(false)?;
    let fields = words.rest();
    if fields.is_empty() || !fields.len().is_multiple_of(2) {
        return Err(Refusal::Arity);
    }
    let wanted = Wanted::parse(id)?;
    if wanted == Wanted::Exactly(StreamId::MIN) {
        return Err(Refusal::Invalid("the id of an entry must be greater than 0-0"));
    }
    if wanted == Wanted::Any && options.producer.is_some() {
        // Redis 8.6 logs a repeated message in this form: it was not added.
        return Ok(());
    }
    let now = state.now;
    let db = state.db();
    if !options.create && db.get::<Stream<'a>>(key)?.is_none() {
        return Ok(());
    }
    let stream: &mut Stream<'a> = db.get_or_create(key)?;
    let id = wanted.after(stream.last_id, now).ok_or(NOT_GREATER)?;
    stream.entries.insert(id, fields.iter().map(|word| Blob::near(word)).collect());
    stream.last_id = id;
    stream.entries_added = stream.entries_added.saturating_add(1);
    if let Some(producer) = options.producer {
        producer.remember(stream, id, fields);
    }
    options.trim.apply(stream);
    if wanted == Wanted::Any {
        state.remark("the log does not say which id the entry got");
    }
    options.trim.remark(state);
    Ok(())
}

const NOT_GREATER: Refusal = Refusal::Invalid("the id is not greater than the last one of the stream");

/// `key MAXLEN|MINID [=|~] threshold [LIMIT n] [KEEPREF|DELREF|ACKED]`
pub(super) fn xtrim<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let mut trim = Trim::default();
    let mut words = Words::new(args, 2);
    while let Some(option) = words.next() {
        if !trim.option(option, &mut words)? {
            return Err(Refusal::SYNTAX);
        }
    }
    trim.check(true)?;
    state.db().edit(word(args, 1)?, |stream: &mut Stream<'a>| trim.apply(stream))?;
    trim.remark(state);
    Ok(())
}

/// Ids that are all read before anything is done.
fn ids(words: Args<'_, '_>) -> Result<Vec<StreamId>, Refusal> {
    words.iter().map(|word| strict(word)).collect()
}

pub(super) fn xdel<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let ids = ids(from(args, 2))?;
    state.db().edit(word(args, 1)?, |stream: &mut Stream<'a>| {
        ids.iter().for_each(|&id| delete_by_name(stream, id, References::Keep));
    })?;
    Ok(())
}

/// `[KEEPREF|DELREF|ACKED] IDS n id …`
fn references_and_ids(args: Args<'_, '_>, mut at: usize) -> Result<(References, Vec<StreamId>), Refusal> {
    let mut references = References::Keep;
    if let Some(named) = References::named(word(args, at)?) {
        references = named;
        at = at.saturating_add(1);
    }
    if !is(word(args, at)?, "IDS") {
        return Err(Refusal::SYNTAX);
    }
    match counted(args, at.saturating_add(1))? {
        (words, []) => Ok((references, ids(words)?)),
        _ => Err(Refusal::SYNTAX),
    }
}

/// `key [KEEPREF|DELREF|ACKED] IDS n id …`
pub(super) fn xdelex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (references, ids) = references_and_ids(args, 2)?;
    state.db().edit(word(args, 1)?, |stream: &mut Stream<'a>| {
        ids.iter().for_each(|&id| delete_by_name(stream, id, references));
    })?;
    Ok(())
}

/// `key id [ENTRIESADDED n] [MAXDELETEDID id]`
pub(super) fn xsetid<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let id = strict(word(args, 2)?)?;
    let mut added = None;
    let mut deleted = StreamId::MIN;
    let mut words = Words::new(args, 3);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "ENTRIESADDED") => added = Some(count(words.need()?)?),
            _ if is(option, "MAXDELETEDID") => deleted = strict(words.need()?)?,
            _ => return Err(Refusal::SYNTAX),
        }
    }
    // 7.0 does not look at what was deleted.
    let heeds_deleted = state.like.at_least_redis(7, 2);
    let stream = stream_of(state, word(args, 1)?)?;
    let top = stream.entries.last_key_value().map_or(StreamId::MIN, |(&id, _)| id);
    if id < top || id < deleted || heeds_deleted && id < stream.max_deleted_id {
        return Err(Refusal::Invalid("the id is smaller than one that the stream had"));
    }
    if added.is_some_and(|added| added < stream.len()) {
        return Err(Refusal::Invalid("fewer entries added than there are"));
    }
    stream.last_id = id;
    if let Some(added) = added {
        stream.entries_added = u64::try_from(added).unwrap_or(u64::MAX);
    }
    if deleted != StreamId::MIN {
        stream.max_deleted_id = deleted;
    }
    Ok(())
}

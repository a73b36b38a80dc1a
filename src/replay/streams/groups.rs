//! Consumer groups: making, moving and removing them, and acknowledging entries.

use super::ids::strict;
use super::removal::delete_by_name;
use super::{Done, NO_KEY, ids, references_and_ids, stream_of};
use crate::keyspace::stream::{Consumer, Group};
use crate::keyspace::{Stream, Typed};
use crate::replay::args::{Words, from, integer, is, word};
use crate::replay::{Args, Refusal, State};
use crate::value::{Blob, StreamId};

pub(super) const NO_GROUP: Refusal = Refusal::Invalid("there is no such consumer group");

/// A group, which must be there with its key.
pub(super) fn group_of<'s, 'a>(
    state: &'s mut State<'a>,
    key: &[u8],
    name: &[u8],
) -> Result<&'s mut Group<'a>, Refusal> {
    stream_of(state, key)?.groups.get_mut(name).ok_or(NO_GROUP)
}

/// What follows the id of `XGROUP CREATE` and `XGROUP SETID`.
#[derive(Default)]
struct Options {
    make: bool,
    entries_read: Option<u64>,
}

impl Options {
    fn parse(args: Args<'_, '_>) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let mut words = Words::new(args, 5);
        while let Some(option) = words.next() {
            match option {
                _ if is(option, "MKSTREAM") => options.make = true,
                _ if is(option, "ENTRIESREAD") => options.entries_read = entries_read(words.need()?)?,
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(options)
    }
}

/// A number of entries, -1 where it is not known.
fn entries_read(text: &[u8]) -> Result<Option<u64>, Refusal> {
    match integer(text)? {
        -1 => Ok(None),
        number => u64::try_from(number).map(Some).map_err(|_| Refusal::Invalid("ENTRIESREAD must be positive or -1")),
    }
}

/// The id of a group: one that is written out, or `$`, the last one of the stream.
fn group_id(text: &[u8], stream: Option<&Stream<'_>>) -> Result<StreamId, Refusal> {
    match text {
        b"$" => Ok(stream.map_or(StreamId::MIN, |stream| stream.last_id)),
        _ => strict(text),
    }
}

/// `XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD n]`
pub(in crate::replay) fn xgroup_create<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, name) = (word(args, 2)?, word(args, 3)?);
    let options = Options::parse(args)?;
    // Redis 8.6 keeps the number within what was ever added, 8.0 and Valkey 9.1 do not.
    let capped = state.like.at_least_redis(8, 2);
    let db = state.db();
    let stream = db.get::<Stream<'a>>(key)?;
    if stream.is_none() && !options.make {
        return Err(NO_KEY);
    }
    if stream.is_some_and(|stream| stream.groups.contains(name)) {
        return Err(Refusal::Invalid("there is such a consumer group already"));
    }
    let last_delivered = group_id(word(args, 4)?, stream)?;
    let stream: &mut Stream<'a> = db.get_or_create(key)?;
    let most = if capped { stream.entries_added } else { u64::MAX };
    let entries_read = options.entries_read.map(|read| read.min(most));
    stream.groups.insert(Blob::near(name), Group { last_delivered, entries_read, ..Group::default() });
    Ok(())
}

/// `XGROUP SETID key group id|$ [ENTRIESREAD n]`
pub(in crate::replay) fn xgroup_setid<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let options = Options::parse(args)?;
    let capped = state.like.at_least_redis(8, 2);
    let stream = stream_of(state, word(args, 2)?)?;
    let id = group_id(word(args, 4)?, Some(stream))?;
    let most = if capped { stream.entries_added } else { u64::MAX };
    let group = stream.groups.get_mut(word(args, 3)?).ok_or(NO_GROUP)?;
    group.last_delivered = id;
    group.entries_read = options.entries_read.map(|read| read.min(most));
    Ok(())
}

/// `XGROUP DESTROY key group`
pub(in crate::replay) fn xgroup_destroy<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    stream_of(state, word(args, 2)?)?.groups.remove(word(args, 3)?);
    Ok(())
}

/// `XGROUP CREATECONSUMER key group consumer`
pub(in crate::replay) fn xgroup_createconsumer<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let now = state.now;
    let group = group_of(state, word(args, 2)?, word(args, 3)?)?;
    let name = word(args, 4)?;
    if !group.consumers.contains(name) {
        group.consumers.push(Blob::near(name), Consumer { seen_at: now, active_at: None });
    }
    Ok(())
}

/// `XGROUP DELCONSUMER key group consumer`: what it holds is pending no more.
pub(in crate::replay) fn xgroup_delconsumer<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let group = group_of(state, word(args, 2)?, word(args, 3)?)?;
    let name = word(args, 4)?;
    if group.consumers.remove(name).is_some() {
        group.pending.retain(|_, pending| pending.consumer.as_bytes() != name);
    }
    Ok(())
}

/// A group if both it and its key are there.
fn group_if_any<'s, 'a>(
    state: &'s mut State<'a>,
    key: &[u8],
    name: &[u8],
) -> Result<Option<&'s mut Group<'a>>, Refusal> {
    let Some(entry) = state.db().entry_mut(key) else { return Ok(None) };
    let stream = Stream::of_mut(&mut entry.value).ok_or(Refusal::WrongType)?;
    Ok(stream.groups.get_mut(name))
}

/// `XACK key group id …`
pub(in crate::replay) fn xack<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let ids = ids(from(args, 3))?;
    if let Some(group) = group_if_any(state, word(args, 1)?, word(args, 2)?)? {
        for id in ids {
            group.pending.remove(&id);
        }
    }
    Ok(())
}

/// `XACKDEL key group [KEEPREF|DELREF|ACKED] IDS n id …`: acknowledges what is pending, and deletes it.
pub(in crate::replay) fn xackdel<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (references, ids) = references_and_ids(args, 3)?;
    let (key, name) = (word(args, 1)?, word(args, 2)?);
    let Some(group) = group_if_any(state, key, name)? else { return Ok(()) };
    let held: Vec<StreamId> = ids.into_iter().filter(|id| group.pending.remove(id).is_some()).collect();
    let stream = stream_of(state, key)?;
    held.into_iter().for_each(|id| delete_by_name(stream, id, references));
    Ok(())
}

//! Commands on keys of any type.

use super::args::{Words, from, integer, is, word};
use super::refusal::Refusal;
use super::server::db_index;
use super::state::{Args, State};
use super::times::{OnlyIf, Unit};
use crate::bytes::Cursor;
use crate::bytes::crc64::jones;
use crate::keyspace::{Entry, Value};
use crate::rdb::object::{Template, skim};
use crate::rdb::{Buffers, Dialect, ValueRef, ValueType};
use crate::value::{Blob, UnixMillis};

type Done = Result<(), Refusal>;

pub(super) fn del<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    for key in from(args, 1) {
        state.db().remove(key);
    }
    Ok(())
}

pub(super) fn expire<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire_in(state, args, Unit::Seconds)
}

pub(super) fn pexpire<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire_in(state, args, Unit::Millis)
}

pub(super) fn expireat<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire_in(state, args, Unit::UnixSeconds)
}

pub(super) fn pexpireat<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire_in(state, args, Unit::UnixMillis)
}

fn expire_in<'a>(state: &mut State<'a>, args: Args<'_, 'a>, unit: Unit) -> Done {
    let mut only_if = OnlyIf::default();
    if !from(args, 3).iter().all(|word| only_if.option(word)) {
        return Err(Refusal::SYNTAX);
    }
    only_if.check()?;
    let at = unit.resolve(integer(word(args, 2)?)?, state)?;
    if let Some(entry) = state.db().entry_mut(word(args, 1)?)
        && only_if.allows(entry.expires, at)
    {
        entry.expires = Some(at);
    }
    Ok(())
}

pub(super) fn persist<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    if let Some(entry) = state.db().entry_mut(word(args, 1)?) {
        entry.expires = None;
    }
    Ok(())
}

pub(super) fn rename<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (old, new) = (word(args, 1)?, word(args, 2)?);
    let db = state.db();
    if !db.contains(old) {
        return Err(Refusal::Invalid("no such key"));
    }
    if old != new
        && let Some(entry) = db.remove(old)
    {
        db.put(Entry { key: Blob::near(new), ..entry });
    }
    Ok(())
}

pub(super) fn renamenx<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    if state.db().contains(word(args, 2)?) && state.db().contains(word(args, 1)?) {
        return Ok(());
    }
    rename(state, args)
}

pub(super) fn move_<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, target) = (word(args, 1)?, db_index(word(args, 2)?)?);
    if target == state.db {
        return Err(Refusal::Invalid("source and destination are the same"));
    }
    if !state.db().contains(key) || state.keyspace.db_mut(target).contains(key) {
        return Ok(());
    }
    if let Some(entry) = state.db().remove(key) {
        state.keyspace.db_mut(target).put(entry);
    }
    Ok(())
}

pub(super) fn copy<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (source, name) = (word(args, 1)?, word(args, 2)?);
    let (mut target, mut replace) = (state.db, false);
    let mut words = Words::new(args, 3);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "DB") => target = db_index(words.need()?)?,
            _ if is(option, "REPLACE") => replace = true,
            _ => return Err(Refusal::SYNTAX),
        }
    }
    if target == state.db && source == name {
        return Err(Refusal::Invalid("source and destination are the same"));
    }
    let Some(entry) = state.db().entry(source) else { return Ok(()) };
    let size = entry.value.heap_bytes();
    if !replace && state.keyspace.db(target).is_some_and(|db| db.contains(name)) {
        return Ok(());
    }
    state.charge(size)?;
    if let Some(entry) = state.db().entry(source).cloned() {
        state.keyspace.db_mut(target).put(Entry { key: Blob::near(name), ..entry });
    }
    Ok(())
}

pub(super) fn restore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, ttl, payload) = (word(args, 1)?, integer(word(args, 2)?)?, word(args, 3)?);
    let (mut replace, mut absolute) = (false, false);
    let mut words = Words::new(args, 4);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "REPLACE") => replace = true,
            _ if is(option, "ABSTTL") => absolute = true,
            _ if is(option, "IDLETIME") || is(option, "FREQ") => drop(words.integer()?),
            _ => return Err(Refusal::SYNTAX),
        }
    }
    if !replace && state.db().contains(key) {
        return Err(Refusal::Invalid("target key name already exists"));
    }
    let expires = match ttl {
        0 => None,
        1.. if absolute => Some(UnixMillis(ttl)),
        1.. => Some(Unit::Millis.resolve(ttl, state)?),
        _ => return Err(Refusal::Invalid("invalid TTL value, must be >= 0")),
    };
    let value = restored(state, payload)?;
    state.db().set(key, value, expires);
    Ok(())
}

const BAD_PAYLOAD: Refusal = Refusal::Invalid("DUMP payload version or checksum are wrong");
const BAD_DATA: Refusal = Refusal::Invalid("bad data format");

/// The first of the versions that Valkey counts for itself.
const VALKEY_VERSIONS: u16 = 80;

/// The value and the footer of a DUMP payload: version and checksum, both little-endian; a checksum of 0 is none.
///
/// # Errors
/// When the checksum does not hold.
pub(super) fn payload(bytes: &[u8]) -> Result<(&[u8], u16), Refusal> {
    let (summed, checksum) = bytes.split_last_chunk::<8>().ok_or(BAD_PAYLOAD)?;
    let (value, version) = summed.split_last_chunk::<2>().ok_or(BAD_PAYLOAD)?;
    let checksum = u64::from_le_bytes(*checksum);
    if checksum != 0 && checksum != jones(summed) {
        return Err(BAD_PAYLOAD);
    }
    Ok((value, u16::from_le_bytes(*version)))
}

fn restored<'a>(state: &mut State<'a>, bytes: &'a [u8]) -> Result<Value<'a>, Refusal> {
    let (body, version) = payload(bytes)?;
    let dialect = if version >= VALKEY_VERSIONS { Dialect::Valkey } else { Dialect::Redis };
    let (&type_byte, body) = body.split_first().ok_or(BAD_PAYLOAD)?;
    let value_type = ValueType::from_byte(type_byte, dialect)
        .ok_or(Refusal::NotReplayable("no value type that we know has this number"))?;
    let mut cursor = Cursor::at(body, 0);
    let start = cursor;
    skim(value_type, &mut cursor, Template::NONE, &state.budget).map_err(|_| BAD_DATA)?;
    let stored = ValueRef::new(value_type, cursor.since(&start), 0);
    let mut buffers = Buffers::new(&state.budget);
    // A server refuses a damaged value, so look into it now.
    crate::keyspace::load::decode(&stored, &mut buffers).map_err(|_| BAD_DATA)?;
    if stored.is_empty_collection(&mut buffers.first) {
        return Err(BAD_DATA);
    }
    state.keyspace.hold(stored, &mut buffers).map_err(|_| BAD_DATA)
}

//! `RESTORE`: a value as `DUMP` gives it.
//!
//! | server | versions it takes | checksum of 0 |
//! | --- | --- | --- |
//! | Redis | up to its own | is none since 8.2 (tried: 8.0.2, 8.6.3), wrong before |
//! | Redict | up to 12 | wrong |
//! | Valkey 8 | up to 11 | wrong |
//! | Valkey 9 | up to 11, and 80 | wrong |
//!
//! Source: Redis `src/cluster.c`, `verifyDumpPayload`; tried on servers.

use super::args::{Words, integer, is, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use super::times::Unit;
use crate::bytes::Cursor;
use crate::keyspace::{Family, Like, Value};
use crate::rdb::object::{Template, skim};
use crate::rdb::payload::Payload;
use crate::rdb::target::{TARGETS, Target};
use crate::rdb::{Buffers, Dialect, ValueRef, ValueType};
use crate::value::UnixMillis;

pub(super) fn restore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Result<(), Refusal> {
    let (key, ttl, payload) = (word(args, 1)?, integer(word(args, 2)?)?, word(args, 3)?);
    let (mut replace, mut absolute) = (false, false);
    let mut words = Words::new(args, 4);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "REPLACE") => replace = true,
            _ if is(option, "ABSTTL") => absolute = true,
            _ if is(option, "IDLETIME") && words.integer()? >= 0 => {}
            _ if is(option, "IDLETIME") => return Err(Refusal::Invalid("invalid IDLETIME value, must be >= 0")),
            _ if is(option, "FREQ") && (0..=255).contains(&words.integer()?) => {}
            _ if is(option, "FREQ") => return Err(Refusal::Invalid("invalid FREQ value, must be >= 0 and <= 255")),
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
/// The last of those that it shares with Redis.
const SHARED_VERSIONS: u16 = 11;

/// What stands before the footer of a DUMP payload, and the version.
///
/// # Errors
/// When the checksum does not hold, or the version is none that the server takes, if it is known.
pub(super) fn payload<'a>(state: &State<'_>, bytes: &'a [u8]) -> Result<(&'a [u8], u16), Refusal> {
    let payload = Payload::decode(bytes).ok_or(BAD_PAYLOAD)?;
    let like = state.knows_its_versions.then_some(state.like);
    let is_summed = payload.checksum != 0 || like.is_some_and(|like| !like.at_least_redis(8, 2));
    if is_summed && !payload.holds() || like.is_some_and(|like| !takes_version(like, payload.version)) {
        return Err(BAD_PAYLOAD);
    }
    Ok((payload.body, payload.version))
}

fn takes_version(like: Like, version: u16) -> bool {
    let newest = target_of(like).map_or(u32::MAX, |target| target.version);
    match like.family {
        Family::Redis => u32::from(version) <= newest,
        Family::Valkey => version <= SHARED_VERSIONS || (VALKEY_VERSIONS.into()..=newest).contains(&version.into()),
        // It is of Redis 7.2 and yet takes what 7.4 writes, but for the types that it does not know.
        Family::Redict => version <= 12,
        Family::KeyDb => version <= 9,
    }
}

/// What a server can load; nothing for one that is newer than all that we know, or has types of its own.
fn target_of(like: Like) -> Option<Target> {
    let (family, wanted) = match like.family {
        Family::Redis | Family::Redict => (Family::Redis, like.as_redis()),
        // Its targets stand for all minor versions.
        Family::Valkey => (Family::Valkey, (like.major, 0)),
        Family::KeyDb => return None,
    };
    let named = |target: Target| Some((target.name.parse::<Like>().ok()?, target));
    let of_family = TARGETS.into_iter().filter_map(named).filter(|(known, _)| known.family == family);
    let versions = of_family.map(|(known, target)| ((known.major, known.minor), target));
    let newest = versions.clone().map(|(version, _)| version).max();
    let (before, behind): (Vec<_>, Vec<_>) = versions.partition(|(version, _)| *version <= wanted);
    let found = before.last().or(behind.first()).map(|(_, target)| *target);
    found.filter(|_| newest >= Some(wanted))
}

fn restored<'a>(state: &mut State<'a>, bytes: &'a [u8]) -> Result<Value<'a>, Refusal> {
    let (body, version) = payload(state, bytes)?;
    let target = if state.knows_its_versions { target_of(state.like) } else { None };
    let of_version = if version >= VALKEY_VERSIONS { Dialect::Valkey } else { Dialect::Redis };
    let dialect = target.map_or(of_version, |target| target.dialect);
    let (&type_byte, body) = body.split_first().ok_or(BAD_PAYLOAD)?;
    let value_type = ValueType::from_byte(type_byte, dialect)
        .ok_or(Refusal::NotReplayable("no value type that we know has this number"))?;
    if target.is_some_and(|target| !target.accepts(value_type)) {
        return Err(BAD_DATA);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::payload::encode;
    use crate::replay::{Engine, Place};

    fn payload_of(body: &[u8], version: u32) -> Vec<u8> {
        encode(body[0], &body[1..], version)
    }

    /// Does a server take the payload, so named with `--like`?
    fn takes(like: &str, payload: &[u8], options: &[&[u8]]) -> bool {
        let mut engine: Engine<'_> = Engine::new(like.parse().unwrap());
        engine.state_mut().knows_its_versions = true;
        engine.feed(Place::default(), &[&[&b"RESTORE"[..], b"k", b"0", payload], options].concat());
        assert_eq!(engine.report().lost, 0, "a server answers with an error");
        engine.report().skipped.total == 0
    }

    /// Whom each version was tried on.
    #[test]
    fn payloads_of_versions_that_a_server_does_not_know_are_refused() {
        let versions = [5, 9, 10, 11, 12, 13, 14, 79, 80, 81];
        let cases: [(&str, &[u32]); 7] = [
            ("redis-6.0", &[5, 9]),
            ("redis-7.0", &[5, 9, 10]),
            ("redict-7.3", &[5, 9, 10, 11, 12]),
            ("redis-8.0", &[5, 9, 10, 11, 12]),
            ("redis-8.6", &[5, 9, 10, 11, 12, 13]),
            ("valkey-8.1", &[5, 9, 10, 11]),
            ("valkey-9.1", &[5, 9, 10, 11, 80]),
        ];
        for (like, known) in cases {
            let taken = |version: &u32| takes(like, &payload_of(b"\0\x01v", *version), &[]);
            let taken: Vec<u32> = versions.into_iter().filter(taken).collect();
            assert_eq!(taken, known, "{like}");
        }
    }

    #[test]
    fn types_that_a_server_does_not_know_are_refused_whatever_the_version() {
        let set = payload_of(b"\x14\x09\x09\0\0\0\x01\0\x01\x01\xff", 9);
        let fields = payload_of(b"\x18\0\0\0\0\0\0\0\0\x01\0\x01f\x01v", 9);
        let valkeys = payload_of(b"\x16\x01\x01f\x01v\0\x10\0\0\0\0\0\0", 9);
        let takers = |payload: &[u8]| {
            let servers = ["redis-6.0", "redis-7.0", "redict-7.3", "redis-8.0", "valkey-8.1", "valkey-9.1"];
            servers.into_iter().filter(|like| takes(like, payload, &[])).collect::<Vec<_>>()
        };
        assert_eq!(takers(&set), ["redict-7.3", "redis-8.0", "valkey-8.1", "valkey-9.1"]);
        assert_eq!(takers(&fields), ["redis-8.0"]);
        assert_eq!(takers(&valkeys), ["valkey-9.1"]);
    }

    #[test]
    fn without_a_server_named_whatever_can_be_read_is_taken() {
        for version in [9, 14, 81, 9999] {
            let payload = payload_of(b"\0\x01v", version);
            let mut engine: Engine<'_> = Engine::new(Like::redis(6, 0));
            engine.feed(Place::default(), &[b"RESTORE", b"k", b"0", &payload]);
            assert_eq!(engine.report().skipped.total, 0, "{version}");
        }
    }

    #[test]
    fn a_checksum_of_zero_is_none_to_new_servers_only() {
        let payload = [&b"\0\x01v\x06\0"[..], &[0; 8]].concat();
        assert!(takes("redis-8.6", &payload, &[]) && !takes("redis-8.0", &payload, &[]));
        assert!(!takes("valkey-9.1", &payload, &[]) && !takes("redis-6.0", &payload, &[]));
    }

    #[test]
    fn idle_times_and_frequencies_out_of_range_are_refused() {
        let payload = payload_of(b"\0\x01v", 9);
        for (option, value, is_taken) in
            [("IDLETIME", "5", true), ("IDLETIME", "-5", false), ("FREQ", "255", true), ("FREQ", "300", false)]
        {
            assert_eq!(
                takes("redis-7.0", &payload, &[option.as_bytes(), value.as_bytes()]),
                is_taken,
                "{option} {value}"
            );
        }
    }
}

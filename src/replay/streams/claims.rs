//! Entries change hands: `XCLAIM`, in which form servers log every delivery, and the commands behind it.

use super::groups::{NO_GROUP, group_of};
use super::ids::strict;
use super::{Done, stream_of};
use crate::keyspace::stream::{Consumer, Entry, Group, Pending};
use crate::keyspace::{Like, Stream};
use crate::replay::args::{Words, count, from, integer, is, word};
use crate::replay::{Args, Refusal, State};
use crate::value::{Blob, StreamId, UnixMillis};
use std::collections::BTreeMap;
use std::ops::Bound;

/// What follows the ids of an `XCLAIM`.
#[derive(Default)]
struct Claim {
    /// Only entries that have not been delivered for so long.
    min_idle: i64,
    delivered_at: UnixMillis,
    retry_count: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl Claim {
    fn parse(mut words: Words<'_, '_>, min_idle: &[u8], now: UnixMillis) -> Result<Self, Refusal> {
        let mut claim = Self { min_idle: integer(min_idle)?.max(0), delivered_at: now, ..Self::default() };
        while let Some(option) = words.next() {
            match option {
                _ if is(option, "FORCE") => claim.force = true,
                _ if is(option, "JUSTID") => claim.just_id = true,
                _ if is(option, "IDLE") => claim.delivered_at = UnixMillis(now.0.saturating_sub(words.integer()?)),
                _ if is(option, "TIME") => claim.delivered_at = UnixMillis(words.integer()?),
                _ if is(option, "RETRYCOUNT") => claim.retry_count = u64::try_from(words.integer()?).ok(),
                _ if is(option, "LASTID") => claim.last_id = strict(words.need()?)?,
                _ => return Err(Refusal::SYNTAX),
            }
        }
        // Servers also replace times that lie in their future. When the log was written they did not.
        if claim.delivered_at.0 < 0 {
            claim.delivered_at = now;
        }
        Ok(claim)
    }
}

/// `key group consumer min-idle id … [IDLE ms] [TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id]`
pub(in crate::replay) fn xclaim<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, group, name) = (word(args, 1)?, word(args, 2)?, word(args, 3)?);
    group_of(state, key, group)?;
    let ids: Vec<StreamId> = from(args, 5).iter().map_while(|text| strict(text).ok()).collect();
    let claim = Claim::parse(Words::new(args, ids.len().saturating_add(5)), word(args, 4)?, state.now)?;
    let now = state.now;
    // Up to 6.2 a pending entry outlives its stream entry.
    let dangling_stay = !state.like.at_least_redis(7, 0);
    let eager = state.like.at_least_redis(7, 2);
    let stream = stream_of(state, key)?;
    let group = stream.groups.get_mut(group).ok_or(NO_GROUP)?;
    group.last_delivered = group.last_delivered.max(claim.last_id);
    // Up to 7.0 a consumer is not made before it gets something.
    if eager {
        seen(group, name, claim.delivered_at, false);
    }
    for id in ids {
        let claimable = stream.entries.contains_key(&id) || dangling_stay && group.pending.contains_key(&id);
        if !claimable {
            group.pending.remove(&id);
            continue;
        }
        if claim_one(&mut group.pending, id, &claim, now, name) {
            seen(group, name, claim.delivered_at, true);
        }
    }
    Ok(())
}

/// Hand one entry to a consumer; true when that was done.
fn claim_one<'a>(
    pending: &mut BTreeMap<StreamId, Pending<'a>>,
    id: StreamId,
    claim: &Claim,
    now: UnixMillis,
    name: &'a [u8],
) -> bool {
    let fresh = || Pending { consumer: Blob::near(name), delivered_at: now, deliveries: 1 };
    // Without a minimum even an entry that was delivered after `now`, as far as the log tells it, changes hands.
    let idle_enough =
        |held: &Pending<'_>| claim.min_idle == 0 || now.0.saturating_sub(held.delivered_at.0) >= claim.min_idle;
    let held = match pending.get_mut(&id) {
        Some(held) if !idle_enough(held) => return false,
        Some(held) => held,
        None if claim.force => pending.entry(id).or_insert_with(fresh),
        None => return false,
    };
    held.consumer = Blob::near(name);
    held.delivered_at = claim.delivered_at;
    held.deliveries = match claim.retry_count {
        Some(count) => count,
        None => held.deliveries.saturating_add(u64::from(!claim.just_id)),
    };
    true
}

/// A consumer was there at a time, and perhaps got something; it is made when it is new.
fn seen<'a>(group: &mut Group<'a>, name: &'a [u8], at: UnixMillis, active: bool) {
    let position = match group.consumers.find(name) {
        Some(position) => position,
        None => group.consumers.push(Blob::near(name), Consumer { seen_at: at, active_at: None }),
    };
    if let Some(consumer) = group.consumers.at_mut(position) {
        consumer.seen_at = consumer.seen_at.max(at);
        if active {
            consumer.active_at = consumer.active_at.max(Some(at));
        }
    }
}

/// The start of an `XAUTOCLAIM`: an id, exclusive with a `(` before it.
fn start_of(text: &[u8]) -> Result<Bound<StreamId>, Refusal> {
    match text {
        b"-" => Ok(Bound::Unbounded),
        [b'(', id @ ..] => strict(id).map(Bound::Excluded),
        id => strict(id).map(Bound::Included),
    }
}

/// `key group consumer min-idle start [COUNT n] [JUSTID]`. Servers log what it did, as `XCLAIM`; where it stands in a
/// log all the same, entries are taken by the time of the log.
pub(in crate::replay) fn xautoclaim<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, group, name) = (word(args, 1)?, word(args, 2)?, word(args, 3)?);
    let mut claim = Claim::parse(Words::new(&[], 0), word(args, 4)?, state.now)?;
    let start = start_of(word(args, 5)?)?;
    let mut left = 100;
    let mut words = Words::new(args, 6);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "COUNT") => left = count(words.need()?)?,
            _ if is(option, "JUSTID") => claim.just_id = true,
            _ => return Err(Refusal::SYNTAX),
        }
    }
    if left == 0 {
        return Err(Refusal::Invalid("COUNT must be positive"));
    }
    let now = state.now;
    let (dangling_stay, eager) = (!state.like.at_least_redis(7, 0), state.like.at_least_redis(7, 2));
    let Stream { entries, groups, .. } = stream_of(state, key)?;
    let group = groups.get_mut(group).ok_or(NO_GROUP)?;
    if eager {
        seen(group, name, now, false);
    }
    // So many entries are looked at for each that is taken.
    let looked_at = group.pending.range((start, Bound::Unbounded)).take(left.saturating_mul(10));
    let ids: Vec<StreamId> = looked_at.map(|(&id, _)| id).collect();
    for id in ids {
        if left == 0 {
            break;
        }
        let is_there = entries.contains_key(&id);
        let taken = if is_there || dangling_stay {
            claim_one(&mut group.pending, id, &claim, now, name)
        } else {
            group.pending.remove(&id).is_some()
        };
        left = left.saturating_sub(usize::from(taken));
        if taken && (is_there || dangling_stay) {
            seen(group, name, now, true);
        }
    }
    state.remark("servers log what XAUTOCLAIM took, not the command: times may differ");
    Ok(())
}

/// What an `XREADGROUP` asks for.
struct Read<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    count: usize,
    acknowledged: bool,
    like: Like,
}

/// `GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key … id …`. Servers log what it did; where it stands in
/// a log all the same, new entries are delivered at the time of the log.
pub(in crate::replay) fn xreadgroup<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let mut words = Words::new(args, 1);
    if !words.next_is("GROUP") {
        return Err(Refusal::SYNTAX);
    }
    let (group, consumer) = (words.need()?, words.need()?);
    let mut read = Read { group, consumer, count: usize::MAX, acknowledged: false, like: state.like };
    loop {
        let option = words.need()?;
        match option {
            _ if is(option, "STREAMS") => break,
            // Nothing or a negative number means all.
            _ if is(option, "COUNT") => {
                read.count = usize::try_from(words.integer()?).ok().filter(|&count| count > 0).unwrap_or(usize::MAX);
            }
            _ if is(option, "BLOCK") => drop(count(words.need()?)?),
            _ if is(option, "NOACK") => read.acknowledged = true,
            _ => return Err(Refusal::SYNTAX),
        }
    }
    let rest = words.rest();
    let (keys, ids) =
        rest.split_at_checked(rest.len() / 2).filter(|(keys, ids)| keys.len() == ids.len()).ok_or(Refusal::SYNTAX)?;
    for key in keys {
        group_of(state, key, group)?;
    }
    for key in keys.iter().zip(ids).filter(|(_, id)| **id == b">").map(|(key, _)| key) {
        let now = state.now;
        deliver(stream_of(state, key)?, &read, now)?;
    }
    state.remark("servers log what XREADGROUP delivered, not the command: times may differ");
    Ok(())
}

fn deliver<'a>(stream: &mut Stream<'a>, read: &Read<'a>, now: UnixMillis) -> Done {
    let Stream { entries, groups, last_id, max_deleted_id, entries_added, .. } = stream;
    let group = groups.get_mut(read.group).ok_or(NO_GROUP)?;
    let after = (Bound::Excluded(group.last_delivered), Bound::Unbounded);
    let ids: Vec<StreamId> = entries.range(after).map(|(&id, _)| id).take(read.count).collect();
    // Up to 7.0 a consumer is not made before it gets something.
    let eager = read.like.at_least_redis(7, 2);
    if eager || !ids.is_empty() {
        seen(group, read.consumer, now, !ids.is_empty());
    }
    let first = entries.first_key_value().map_or(StreamId::MIN, |(&id, _)| id);
    for id in ids {
        // Deletions from here on make the count a guess.
        let from = if eager { group.last_delivered } else { id };
        let untouched = *max_deleted_id < from || *max_deleted_id < first;
        let complete = untouched && (group.last_delivered >= first || !eager);
        group.last_delivered = id;
        group.entries_read = match group.entries_read {
            Some(number) if complete => Some(number.saturating_add(1)),
            _ => ever_read(entries, id, *last_id, *max_deleted_id, *entries_added),
        };
        if !read.acknowledged {
            let pending = Pending { consumer: Blob::near(read.consumer), delivered_at: now, deliveries: 1 };
            group.pending.insert(id, pending);
        }
    }
    Ok(())
}

/// How many entries were ever added up to this one, where that can be told
/// (`streamEstimateDistanceFromFirstEverEntry`).
fn ever_read(
    entries: &BTreeMap<StreamId, Entry<'_>>,
    id: StreamId,
    last_id: StreamId,
    max_deleted_id: StreamId,
    entries_added: u64,
) -> Option<u64> {
    let (&first, _) = entries.first_key_value()?;
    let present = u64::try_from(entries.len()).ok()?;
    if id == last_id {
        return Some(entries_added);
    }
    (id == first && max_deleted_id < first).then(|| entries_added.saturating_sub(present).saturating_add(1))
}

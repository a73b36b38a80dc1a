//! What Redis from 8.6 on remembers of messages that carry an id of their producer's: `XADD … IDMP`, `XCFGSET`,
//! `XIDMPRECORD`.

use super::ids::strict;
use super::{Done, stream_of};
use crate::keyspace::Stream;
use crate::keyspace::stream::Idempotency;
use crate::replay::args::{Words, is, word};
use crate::replay::{Args, Refusal, State};
use crate::value::{Blob, StreamId};
use xxhash_rust::xxh3::xxh3_128;

/// `idmp-duration` and `idmp-maxsize` of a stream that was never told others.
const DEFAULTS: (u64, u64) = (100, 100);
const LONGEST_DURATION: u64 = 86_400;
const LARGEST_SIZE: u64 = 10_000;

/// Who sends a message, and the id it gives to it.
pub(super) struct Producer<'a> {
    name: &'a [u8],
    /// `None`: made from the content (`IDMPAUTO`).
    id: Option<&'a [u8]>,
}

impl<'a> Producer<'a> {
    pub(super) fn unnamed(name: &'a [u8]) -> Self {
        Self { name, id: None }
    }

    pub(super) fn named(name: &'a [u8], id: &'a [u8]) -> Self {
        Self { name, id: Some(id) }
    }

    /// An entry was added under this id.
    pub(super) fn remember(&self, stream: &mut Stream<'a>, entry: StreamId, fields: &[&[u8]]) {
        let id = self.id.map_or_else(|| Blob::copied(&content_id(fields)), Blob::near);
        remember(of(stream), self.name, id, entry);
    }
}

fn of<'s, 'a>(stream: &'s mut Stream<'a>) -> &'s mut Idempotency<'a> {
    let (duration, max_size) = DEFAULTS;
    stream.idempotency.get_or_insert_with(|| Box::new(Idempotency { duration, max_size, ..Idempotency::default() }))
}

/// Note an id, and forget the oldest when there are too many. None is forgotten because of its age during a replay.
fn remember<'a>(state: &mut Idempotency<'a>, producer: &'a [u8], id: Blob<'a>, entry: StreamId) {
    if !state.producers.contains(producer) {
        state.producers.push(Blob::near(producer), std::collections::VecDeque::new());
    }
    let Some(ids) = state.producers.get_mut(producer) else { return };
    ids.retain(|(other, _)| *other != id);
    ids.push_back((id, entry));
    state.added = state.added.saturating_add(1);
    while u64::try_from(ids.len()).is_ok_and(|len| len > state.max_size) {
        ids.pop_front();
    }
}

/// The id that `IDMPAUTO` makes: the same for the same fields and values in any order.
fn content_id(fields: &[&[u8]]) -> [u8; 16] {
    let (pairs, _) = fields.as_chunks::<2>();
    let mut sums = (0u64, 0u64);
    let mut mixed = (0u64, 0u64);
    let mut text = Vec::new();
    for [field, value] in pairs {
        text.clear();
        text.extend_from_slice(field);
        text.extend_from_slice(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_le_bytes());
        text.extend_from_slice(value);
        let [low, high] = halves(xxh3_128(&text));
        sums = (sums.0.wrapping_add(low), sums.1.wrapping_add(high));
        mixed = (mixed.0 ^ low, mixed.1 ^ high);
    }
    let low = sums.0 ^ mixed.1.rotate_left(1);
    let high = sums.1 ^ mixed.0.rotate_left(1);
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}

fn halves(hash: u128) -> [u64; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of a u128")]
    [hash as u64, (hash >> 64) as u64]
}

/// `key [IDMP-DURATION seconds] [IDMP-MAXSIZE n]`: a change forgets all ids.
pub(in crate::replay) fn xcfgset<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (mut duration, mut max_size) = (None, None);
    let mut words = Words::new(args, 2);
    while let Some(option) = words.next() {
        match option {
            _ if is(option, "IDMP-DURATION") => duration = Some(within(words.integer()?, LONGEST_DURATION)?),
            _ if is(option, "IDMP-MAXSIZE") => max_size = Some(within(words.integer()?, LARGEST_SIZE)?),
            _ => return Err(Refusal::SYNTAX),
        }
    }
    if duration.is_none() && max_size.is_none() {
        return Err(Refusal::SYNTAX);
    }
    let state = of(stream_of(state, word(args, 1)?)?);
    let new = (duration.unwrap_or(state.duration), max_size.unwrap_or(state.max_size));
    if new != (state.duration, state.max_size) {
        (state.duration, state.max_size) = new;
        state.producers.clear();
    }
    Ok(())
}

fn within(number: i64, most: u64) -> Result<u64, Refusal> {
    let number = u64::try_from(number).ok().filter(|number| (1..=most).contains(number));
    number.ok_or(Refusal::Invalid("the number is out of range"))
}

/// `key producer iid id`: how a rewritten log tells of a remembered id.
pub(in crate::replay) fn xidmprecord<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (producer, id, entry) = (word(args, 2)?, word(args, 3)?, strict(word(args, 4)?)?);
    let stream = stream_of(state, word(args, 1)?)?;
    if !stream.entries.contains_key(&entry) {
        return Err(Refusal::Invalid("there is no such entry"));
    }
    let state = of(stream);
    let known = state.producers.get(producer).and_then(|ids| ids.iter().find(|(known, _)| known.as_bytes() == id));
    match known {
        Some((_, other)) if *other != entry => Err(Refusal::Invalid("the id belongs to another entry")),
        Some(_) => Ok(()),
        None => {
            remember(state, producer, Blob::near(id), entry);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The id that Redis 8.6.3 stored for `XADD x IDMPAUTO q * field value f2 v2`.
    #[test]
    fn content_ids_are_those_of_the_server_in_any_order() {
        let stored = 0x9127_58d3_5465_f78d_d73f_c951_e3b6_24a2u128.to_be_bytes();
        assert_eq!(content_id(&[b"field", b"value", b"f2", b"v2"]), stored);
        assert_eq!(content_id(&[b"f2", b"v2", b"field", b"value"]), stored);
        assert_ne!(content_id(&[b"f2", b"field", b"v2", b"value"]), stored);
    }
}

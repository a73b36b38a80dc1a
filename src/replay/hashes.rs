//! Hashes, and the expiry of their fields.

use super::args::{Words, from, integer, is, word};
use super::refusal::Refusal;
use super::state::{Args, State};
use super::strings::{OVERFLOW, float_sum};
use super::times::{OnlyIf, Ttl, Unit};
use crate::keyspace::Hash;
use crate::value::Blob;

type Done = Result<(), Refusal>;

pub(super) fn hset<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (pairs, []) = from(args, 2).as_chunks::<2>() else { return Err(Refusal::Arity) };
    let hash: &mut Hash<'a> = state.db().get_or_create(word(args, 1)?)?;
    for &[field, value] in pairs {
        hash.persist(field);
        hash.set(Blob::near(field), Blob::near(value));
    }
    Ok(())
}

pub(super) fn hsetnx<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (field, value) = (word(args, 2)?, word(args, 3)?);
    let hash: &mut Hash<'a> = state.db().get_or_create(word(args, 1)?)?;
    if !hash.contains(field) {
        hash.set(Blob::near(field), Blob::near(value));
    }
    Ok(())
}

pub(super) fn hdel<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    remove(state, word(args, 1)?, from(args, 2))
}

fn remove<'a>(state: &mut State<'a>, key: &'a [u8], fields: Args<'_, 'a>) -> Done {
    state.db().edit(key, |hash: &mut Hash<'a>| {
        for field in fields {
            hash.remove(field);
        }
    })?;
    Ok(())
}

pub(super) fn hincrby<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, field, by) = (word(args, 1)?, word(args, 2)?, integer(word(args, 3)?)?);
    let hash = state.db().get::<Hash<'a>>(key)?;
    let value = match hash.and_then(|hash| hash.get(field)) {
        None => 0,
        Some(text) => integer(text).map_err(|_| Refusal::Invalid("hash value is not an integer"))?,
    };
    let sum = value.checked_add(by).ok_or(OVERFLOW)?;
    state.db().get_or_create::<Hash<'a>>(key)?.set(Blob::near(field), Blob::integer(sum));
    Ok(())
}

pub(super) fn hincrbyfloat<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, field) = (word(args, 1)?, word(args, 2)?);
    let hash = state.db().get::<Hash<'a>>(key)?;
    let sum = float_sum(hash.and_then(|hash| hash.get(field)).map(Blob::as_bytes), word(args, 3)?)?;
    state.db().get_or_create::<Hash<'a>>(key)?.set(Blob::near(field), sum);
    Ok(())
}

/// The `FIELDS n …` block of the commands on field expiry, and the options around it.
struct FieldWords<'c, 'a> {
    fields: Args<'c, 'a>,
    ttl: Ttl,
    only_if: OnlyIf,
    key_exists: Option<bool>,
    fields_exist: Option<bool>,
}

impl<'c, 'a> FieldWords<'c, 'a> {
    /// Read the words from `at` on; each field takes `width` words. Since 8.4 the block may come before options.
    fn parse(state: &mut State<'a>, args: Args<'c, 'a>, at: usize, width: usize) -> Result<Self, Refusal> {
        let mut parsed =
            Self { fields: &[], ttl: Ttl::default(), only_if: OnlyIf::default(), key_exists: None, fields_exist: None };
        let mut words = Words::new(args, at);
        while let Some(word) = words.next() {
            match word.to_ascii_uppercase().as_slice() {
                b"FIELDS" | b"FVS" => parsed.fields = block(&mut words, width)?,
                b"FNX" => parsed.fields_exist = Some(false),
                b"FXX" => parsed.fields_exist = Some(true),
                b"NX" | b"XX" | b"GT" | b"LT" => {
                    parsed.only_if.option(word);
                    parsed.key_exists = Some(is(word, "XX"));
                }
                _ if parsed.ttl.option(word, &mut words, state)? => {}
                _ => return Err(Refusal::SYNTAX),
            }
        }
        if parsed.fields.is_empty() {
            return Err(Refusal::Invalid("FIELDS is missing"));
        }
        Ok(parsed)
    }
}

fn block<'c, 'a>(words: &mut Words<'c, 'a>, width: usize) -> Result<Args<'c, 'a>, Refusal> {
    let count = super::args::count(words.need()?)?.checked_mul(width).filter(|&count| count > 0);
    let count = count.ok_or(Refusal::Invalid("the number of fields must be positive"))?;
    let (fields, rest) = words.rest().split_at_checked(count).ok_or(Refusal::Arity)?;
    *words = Words::new(rest, 0);
    Ok(fields)
}

pub(super) fn hsetex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    let parsed = FieldWords::parse(state, args, 2, 2)?;
    if parsed.ttl == Ttl::Persist {
        return Err(Refusal::SYNTAX);
    }
    let (pairs, _) = parsed.fields.as_chunks::<2>();
    let hash = state.db().get::<Hash<'a>>(key)?;
    let there = |field: &[u8]| hash.is_some_and(|hash| hash.contains(field));
    let fields_fit = match parsed.fields_exist {
        None => true,
        Some(wanted) => pairs.iter().all(|&[field, _]| there(field) == wanted),
    };
    if !fields_fit || parsed.key_exists.is_some_and(|wanted| wanted != hash.is_some()) {
        return Ok(());
    }
    let hash: &mut Hash<'a> = state.db().get_or_create(key)?;
    for &[field, value] in pairs {
        hash.set(Blob::near(field), Blob::near(value));
        match parsed.ttl {
            Ttl::Keep => {}
            Ttl::At(at) => hash.expire(field, at),
            Ttl::Unsaid | Ttl::Persist => drop(hash.persist(field)),
        }
    }
    Ok(())
}

pub(super) fn hgetex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let parsed = FieldWords::parse(state, args, 2, 1)?;
    state.db().edit(word(args, 1)?, |hash: &mut Hash<'a>| {
        for field in parsed.fields {
            match parsed.ttl {
                Ttl::At(at) => hash.expire(field, at),
                Ttl::Persist => drop(hash.persist(field)),
                Ttl::Unsaid | Ttl::Keep => {}
            }
        }
    })?;
    Ok(())
}

pub(super) fn hgetdel<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let parsed = FieldWords::parse(state, args, 2, 1)?;
    remove(state, word(args, 1)?, parsed.fields)
}

pub(super) fn hpersist<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let parsed = FieldWords::parse(state, args, 2, 1)?;
    state.db().edit(word(args, 1)?, |hash: &mut Hash<'a>| {
        for field in parsed.fields {
            hash.persist(field);
        }
    })?;
    Ok(())
}

pub(super) fn hexpire<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire(state, args, Unit::Seconds)
}

pub(super) fn hpexpire<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire(state, args, Unit::Millis)
}

pub(super) fn hexpireat<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire(state, args, Unit::UnixSeconds)
}

pub(super) fn hpexpireat<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    expire(state, args, Unit::UnixMillis)
}

fn expire<'a>(state: &mut State<'a>, args: Args<'_, 'a>, unit: Unit) -> Done {
    let number = integer(word(args, 2)?)?;
    let parsed = FieldWords::parse(state, args, 3, 1)?;
    parsed.only_if.check()?;
    let at = unit.resolve(number, state)?;
    state.db().edit(word(args, 1)?, |hash: &mut Hash<'a>| {
        for field in parsed.fields {
            if parsed.only_if.allows(hash.expiry(field), at) {
                hash.expire(field, at);
            }
        }
    })?;
    Ok(())
}

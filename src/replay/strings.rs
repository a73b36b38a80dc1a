//! Strings.

use super::args::{Words, from, integer, is, word};
use super::refusal::Refusal;
use super::state::{Args, MAX_BULK, State};
use super::times::{Ttl, Unit, positive};
use crate::keyspace::Value;
use crate::value::Blob;
use crate::value::number::LongDouble;
use xxhash_rust::xxh3::xxh3_64;

type Done = Result<(), Refusal>;

const TOO_LONG: Refusal = Refusal::Invalid("the string would exceed the greatest allowed length");

/// A condition on the value that is there: `IFEQ` and its kin.
#[derive(Clone, Copy, Debug)]
enum Condition<'a> {
    Equal(&'a [u8]),
    Differs(&'a [u8]),
    DigestEqual(&'a [u8]),
    DigestDiffers(&'a [u8]),
}

impl<'a> Condition<'a> {
    fn named(option: &[u8], operand: &'a [u8]) -> Option<Self> {
        Some(match option.to_ascii_uppercase().as_slice() {
            b"IFEQ" => Self::Equal(operand),
            b"IFNE" => Self::Differs(operand),
            b"IFDEQ" => Self::DigestEqual(operand),
            b"IFDNE" => Self::DigestDiffers(operand),
            _ => return None,
        })
    }

    /// Does it hold of the value of a key, if the key is there? A missing key differs from everything.
    fn holds(self, value: Option<&[u8]>) -> bool {
        let digest = |value: &[u8]| format!("{:016x}", xxh3_64(value));
        match self {
            Self::Equal(wanted) => value == Some(wanted),
            Self::Differs(other) => value != Some(other),
            Self::DigestEqual(wanted) => value.is_some_and(|value| is(wanted, &digest(value))),
            Self::DigestDiffers(other) => !value.is_some_and(|value| is(other, &digest(value))),
        }
    }
}

#[derive(Default)]
struct SetOptions<'a> {
    ttl: Ttl,
    absent: bool,
    present: bool,
    get: bool,
    condition: Option<Condition<'a>>,
}

impl<'a> SetOptions<'a> {
    fn parse(state: &mut State<'a>, args: Args<'_, 'a>) -> Result<Self, Refusal> {
        let mut options = Self::default();
        let mut words = Words::new(args, 3);
        while let Some(word) = words.next() {
            match word.to_ascii_uppercase().as_slice() {
                b"NX" => options.absent = true,
                b"XX" => options.present = true,
                b"GET" => options.get = true,
                b"PERSIST" => return Err(Refusal::SYNTAX),
                b"IFEQ" | b"IFNE" | b"IFDEQ" | b"IFDNE" => match words.next() {
                    Some(operand) => options.condition = Condition::named(word, operand),
                    // Servers log such a write without its operand when it has happened.
                    None => state.remark("the condition has no operand: taken as fulfilled"),
                },
                _ if options.ttl.option(word, &mut words, state)? => {}
                _ => return Err(Refusal::SYNTAX),
            }
        }
        if options.absent && options.present {
            return Err(Refusal::SYNTAX);
        }
        Ok(options)
    }

    fn is_plain(&self) -> bool {
        !self.absent && !self.present && !self.get && self.condition.is_none() && self.ttl != Ttl::Keep
    }
}

pub(super) fn set<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, value) = (word(args, 1)?, word(args, 2)?);
    if args.len() == 3 {
        state.db().set(key, Value::String(Blob::near(value)), None);
        return Ok(());
    }
    let options = SetOptions::parse(state, args)?;
    let mut expires = options.ttl.of_replaced(None);
    if !options.is_plain() {
        // Most of these commands do not look at what is there, so it may be as a snapshot stored it.
        state.touch(key)?;
        let db = state.db();
        let old = db.entry(key);
        if options.get || options.condition.is_some() {
            let text = db.string(key)?;
            if options.condition.is_some_and(|condition| !condition.holds(text)) {
                return Ok(());
            }
        }
        if options.absent && old.is_some() || options.present && old.is_none() {
            return Ok(());
        }
        expires = options.ttl.of_replaced(old.and_then(|old| old.expires));
    }
    state.db().set(key, Value::String(Blob::near(value)), expires);
    Ok(())
}

pub(super) fn setnx<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, value) = (word(args, 1)?, word(args, 2)?);
    if !state.db().contains(key) {
        state.db().set(key, Value::String(Blob::near(value)), None);
    }
    Ok(())
}

pub(super) fn setex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    set_for(state, args, Unit::Seconds)
}

pub(super) fn psetex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    set_for(state, args, Unit::Millis)
}

fn set_for<'a>(state: &mut State<'a>, args: Args<'_, 'a>, unit: Unit) -> Done {
    let (key, time, value) = (word(args, 1)?, word(args, 2)?, word(args, 3)?);
    let at = positive(unit, time, state)?;
    state.db().set(key, Value::String(Blob::near(value)), Some(at));
    Ok(())
}

pub(super) fn getset<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, value) = (word(args, 1)?, word(args, 2)?);
    state.db().string(key)?;
    state.db().set(key, Value::String(Blob::near(value)), None);
    Ok(())
}

pub(super) fn getdel<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    state.db().string(key)?;
    state.db().remove(key);
    Ok(())
}

pub(super) fn getex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    let mut words = Words::new(args, 2);
    let mut ttl = Ttl::default();
    while let Some(word) = words.next() {
        if !ttl.option(word, &mut words, state)? || ttl == Ttl::Keep {
            return Err(Refusal::SYNTAX);
        }
    }
    state.db().string(key)?;
    if let Some(entry) = state.db().entry_mut(key) {
        match ttl {
            Ttl::At(at) => entry.expires = Some(at),
            Ttl::Persist => entry.expires = None,
            Ttl::Unsaid | Ttl::Keep => {}
        }
    }
    Ok(())
}

pub(super) fn delex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    match *from(args, 2) {
        [] => {}
        [option, operand] => {
            let condition = Condition::named(option, operand).ok_or(Refusal::SYNTAX)?;
            if !condition.holds(state.db().string(key)?) {
                return Ok(());
            }
        }
        _ => return Err(Refusal::SYNTAX),
    }
    state.db().remove(key);
    Ok(())
}

pub(super) fn delifeq<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, wanted) = (word(args, 1)?, word(args, 2)?);
    if state.db().string(key)? == Some(wanted) {
        state.db().remove(key);
    }
    Ok(())
}

/// Keys and values in turn.
fn pairs<'c, 'a>(words: Args<'c, 'a>) -> Result<impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone + 'c, Refusal>
where
    'a: 'c,
{
    let (pairs, []) = words.as_chunks::<2>() else { return Err(Refusal::Arity) };
    Ok(pairs.iter().map(|&[key, value]| (key, value)))
}

pub(super) fn mset<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    for (key, value) in pairs(from(args, 1))? {
        state.db().set(key, Value::String(Blob::near(value)), None);
    }
    Ok(())
}

pub(super) fn msetnx<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let mut all = pairs(from(args, 1))?;
    if all.clone().any(|(key, _)| state.db().contains(key)) {
        return Ok(());
    }
    all.try_for_each(|(key, value)| {
        state.db().set(key, Value::String(Blob::near(value)), None);
        Ok(())
    })
}

pub(super) fn msetex<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let count = super::args::count(word(args, 1)?)?;
    let words = count.checked_mul(2).filter(|&words| words > 0).ok_or(Refusal::NOT_AN_INTEGER)?;
    let (all, options) = from(args, 2).split_at_checked(words).ok_or(Refusal::Arity)?;
    let (mut ttl, mut absent, mut present) = (Ttl::default(), false, false);
    let mut options = Words::new(options, 0);
    while let Some(option) = options.next() {
        match option {
            _ if is(option, "NX") => absent = true,
            _ if is(option, "XX") => present = true,
            _ if is(option, "PERSIST") => return Err(Refusal::SYNTAX),
            _ if ttl.option(option, &mut options, state)? => {}
            _ => return Err(Refusal::SYNTAX),
        }
    }
    if absent && present {
        return Err(Refusal::SYNTAX);
    }
    let all = pairs(all)?;
    let there = |(key, _): (&[u8], _)| state.db().contains(key);
    let (any, every) = (all.clone().any(there), all.clone().all(|(key, _)| state.db().contains(key)));
    if absent && any || present && !every {
        return Ok(());
    }
    for (key, value) in all {
        let old = state.db().entry(key).and_then(|entry| entry.expires);
        state.db().set(key, Value::String(Blob::near(value)), ttl.of_replaced(old));
    }
    Ok(())
}

/// The bytes of a string key, to change and to grow by `growth`; an empty string where there is none.
///
/// # Errors
/// When the key is no string, the result is too long, or memory does not suffice.
pub(super) fn buffer<'s, 'a>(
    state: &'s mut State<'a>,
    key: &'a [u8],
    length: impl FnOnce(usize) -> Option<usize>,
) -> Result<&'s mut Vec<u8>, Refusal> {
    let db = state.keyspace.db_mut(state.db);
    let (present, in_place) = match db.entry(key).map(|entry| &entry.value) {
        None => (0, false),
        Some(value) => (value.as_string().ok_or(Refusal::WrongType)?.len(), matches!(value, Value::Buffer(_))),
    };
    let wanted = length(present).filter(|&wanted| wanted <= state.longest_string).ok_or(TOO_LONG)?;
    if wanted > LONGEST_UNASKED && state.budget.is_unlimited() {
        return Err(Refusal::NotReplayable("a string of more than 4 GiB is built only where --max-memory allows it"));
    }
    state.charge(if in_place { wanted.saturating_sub(present) } else { wanted })?;
    let reserved = |text: &mut Vec<u8>| text.try_reserve_exact(wanted.saturating_sub(text.len())).is_ok();
    if wanted > MAX_BULK && !reserved(&mut Vec::new()) {
        return Err(NO_MEMORY);
    }
    let entry = state.db().entry_or_insert_with(key, || Value::String(Blob::default()));
    let text = entry.and_then(|entry| entry.value.as_buffer()).ok_or(Refusal::WrongType)?;
    if wanted <= MAX_BULK || reserved(text) { Ok(text) } else { Err(NO_MEMORY) }
}

const NO_MEMORY: Refusal = Refusal::NotReplayable("the system does not have the memory for a string of this length");

/// A few bytes of a log ask for a string of any length. Where nobody said how much memory there is, no longer one is built.
const LONGEST_UNASKED: usize = 4 << 30;

pub(super) fn append<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, more) = (word(args, 1)?, word(args, 2)?);
    if !state.db().contains(key) {
        state.db().set(key, Value::String(Blob::near(more)), None);
        return Ok(());
    }
    buffer(state, key, |len| len.checked_add(more.len()))?.extend_from_slice(more);
    Ok(())
}

pub(super) fn setrange<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (key, offset, bytes) = (word(args, 1)?, integer(word(args, 2)?)?, word(args, 3)?);
    let start = usize::try_from(offset).map_err(|_| Refusal::Invalid("offset is out of range"))?;
    if bytes.is_empty() {
        return Ok(());
    }
    let end = start.checked_add(bytes.len()).ok_or(TOO_LONG)?;
    let text = buffer(state, key, |len| Some(len.max(end)))?;
    if text.len() < end {
        text.resize(end, 0);
    }
    if let Some(place) = text.get_mut(start..end) {
        place.copy_from_slice(bytes);
    }
    Ok(())
}

pub(super) fn incr<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    add(state, word(args, 1)?, 1)
}

pub(super) fn decr<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    add(state, word(args, 1)?, -1)
}

pub(super) fn incrby<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    add(state, word(args, 1)?, integer(word(args, 2)?)?)
}

pub(super) fn decrby<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let by = integer(word(args, 2)?)?;
    // Up to 6.2 servers negate the number without a look, and the least one stays what it is.
    if by == i64::MIN && state.like.at_least_redis(7, 0) {
        return Err(Refusal::Invalid("decrement would overflow"));
    }
    add(state, word(args, 1)?, by.wrapping_neg())
}

/// Sums that leave 64 bits are refused.
pub(super) const OVERFLOW: Refusal = Refusal::Invalid("increment or decrement would overflow");

fn add<'a>(state: &mut State<'a>, key: &'a [u8], by: i64) -> Done {
    // 2.8 reads a value as C does, up to the first NUL byte; later ones want exactly an integer.
    let old_rules = !state.like.at_least_redis(3, 0);
    let sum = |text: &[u8]| counter(text, old_rules)?.checked_add(by).ok_or(OVERFLOW);
    let fresh = || Value::String(Blob::integer(0));
    let entry = state.db().entry_or_insert_with(key, fresh).ok_or(Refusal::WrongType)?;
    let sum = sum(entry.value.as_string().ok_or(Refusal::WrongType)?)?;
    entry.value = Value::String(Blob::integer(sum));
    Ok(())
}

fn counter(text: &[u8], up_to_nul: bool) -> Result<i64, Refusal> {
    let text = match text.iter().position(|&byte| byte == 0) {
        Some(0) if up_to_nul => b"0",
        Some(end) if up_to_nul => text.get(..end).unwrap_or_default(),
        _ => text,
    };
    integer(text).map_err(|_| Refusal::Invalid("the value is not an integer or out of range"))
}

pub(super) fn incrbyfloat<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let key = word(args, 1)?;
    let sum = float_sum(state.db().string(key)?, word(args, 2)?)?;
    let entry = state.db().entry_or_insert_with(key, || Value::String(Blob::default()));
    if let Some(entry) = entry {
        entry.value = Value::String(sum);
    }
    Ok(())
}

/// `INCRBYFLOAT` and `HINCRBYFLOAT`: the text of a sum in 80 bits.
///
/// # Errors
/// When one of them is no number, or the sum is infinite.
pub(super) fn float_sum(value: Option<&[u8]>, by: &[u8]) -> Result<Blob<'static>, Refusal> {
    let parse = |text| LongDouble::parse(text).ok_or(Refusal::NOT_A_FLOAT);
    let value = value.map_or(Ok(LongDouble::ZERO), parse)?;
    let sum = value.checked_add(parse(by)?).ok_or(Refusal::Invalid("increment would produce NaN or Infinity"))?;
    let mut text = Vec::new();
    sum.write(&mut text);
    Ok(Blob::from(text))
}

#[cfg(test)]
mod tests {
    use crate::bytes::Budget;
    use crate::replay::{Engine, Place, Refusal};

    /// Runs commands; true when the last one was executed.
    fn run(engine: &mut Engine<'static>, commands: &[&[&'static [u8]]]) -> bool {
        let mut refused = 0;
        for command in commands {
            refused = engine.report().skipped.total;
            engine.feed(Place::default(), command);
        }
        engine.report().skipped.total == refused
    }

    #[test]
    fn a_condition_looks_into_a_string_as_it_was_stored() {
        let stored = b"\x00\xc3\x05\x04\x03abcd\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00";
        for options in [&[&b"GET"[..]][..], &[b"IFEQ", b"abcd"], &[b"IFNE", b"x"]] {
            let mut engine = Engine::new("redis-8.6".parse().unwrap());
            assert!(run(&mut engine, &[&[b"RESTORE", b"k", b"0", stored]]));
            assert!(run(&mut engine, &[&[&[&b"SET"[..], b"k", b"new"], options].concat()]), "{options:?}");
            assert_eq!(engine.state_mut().db().string(b"k"), Ok(Some(&b"new"[..])));
        }
    }

    /// The length of the string that a command builds.
    fn length_of(like: &str, command: &[&'static [u8]]) -> usize {
        let mut engine = Engine::new(like.parse().unwrap());
        run(&mut engine, &[command]);
        let text = engine.state_mut().db().string(b"k").unwrap();
        text.map_or(0, <[u8]>::len)
    }

    #[test]
    fn strings_over_512_mib_are_built_as_servers_build_them_when_they_load() {
        let cases: [(&[&[u8]], usize); 2] = [
            (&[b"SETRANGE", b"k", b"536870912", b"x"], 536_870_913),
            (&[b"SETBIT", b"k", b"4294967296", b"1"], 536_870_913),
        ];
        for (command, length) in cases {
            assert_eq!(length_of("redis-6.2", command), 0);
            assert_eq!(length_of("redis-7.0", command), length);
        }
    }

    #[test]
    fn a_string_that_no_system_has_memory_for_is_refused() {
        let far = b"9223372036854775000";
        for command in [&[&b"SETRANGE"[..], b"k", far, b"x"], &[b"SETBIT", b"k", far, b"1"]] {
            let mut engine = Engine::new("redis-7.0".parse().unwrap());
            // A bit is an eighth of that, and more than there is as well.
            assert!(!run(&mut engine, &[command]));
            assert!(engine.state().keyspace.is_empty() && engine.report().lost == 1);
        }
        let mut engine = Engine::new("redis-7.0".parse().unwrap());
        engine.state_mut().budget = Budget::new(1 << 20);
        assert!(!run(&mut engine, &[&[b"SETRANGE", b"k", b"600000000", b"x"]]));
        assert!(matches!(engine.report().skipped.first[0].why, Refusal::Memory(_)));
    }

    #[test]
    fn the_least_integer_is_subtracted_up_to_6_2_only() {
        for (like, expected) in [("redis-6.0", "-9223372036854775650"), ("redis-7.0", "158")] {
            let mut engine = Engine::new(like.parse().unwrap());
            let done = run(&mut engine, &[&[b"SET", b"c", b"158"], &[b"DECRBY", b"c", b"-9223372036854775808"]]);
            assert_eq!(done, like == "redis-6.0");
            assert_eq!(engine.state_mut().db().string(b"c"), Ok(Some(expected.as_bytes())));
        }
    }
}

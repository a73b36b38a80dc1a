//! Bitmaps: strings as arrays of bits.

use super::args::{from, integer, word};
use super::bits::{BitOp, bitfield as write_fields, bitfield_length, length_for, parse_bitfield, set_bit};
use super::refusal::Refusal;
use super::state::{Args, State};
use super::strings::buffer;
use crate::keyspace::Value;

type Done = Result<(), Refusal>;

const BAD_OFFSET: Refusal = Refusal::Invalid("bit offset is not an integer or out of range");

pub(super) fn setbit<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let offset = u64::try_from(integer(word(args, 2)?)?).map_err(|_| BAD_OFFSET)?;
    let on = match word(args, 3)? {
        b"0" => false,
        b"1" => true,
        _ => return Err(Refusal::Invalid("bit is not an integer or out of range")),
    };
    let wanted = length_for(offset);
    if wanted > state.longest_string {
        return Err(BAD_OFFSET);
    }
    set_bit(buffer(state, word(args, 1)?, |len| Some(len.max(wanted)))?, offset, on);
    Ok(())
}

pub(super) fn bitfield<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let writes = parse_bitfield(from(args, 2)).ok_or(Refusal::SYNTAX)?;
    let Some(wanted) = bitfield_length(&writes) else { return Ok(()) };
    write_fields(buffer(state, word(args, 1)?, |len| Some(len.max(wanted)))?, &writes);
    Ok(())
}

pub(super) fn bitop<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let operation = BitOp::named(word(args, 1)?).ok_or(Refusal::SYNTAX)?;
    let (target, keys) = (word(args, 2)?, from(args, 3));
    if !operation.takes(keys.len()) {
        return Err(Refusal::Invalid("BITOP of this kind takes another number of keys"));
    }
    let db = state.db();
    let sources = keys.iter().map(|key| Ok(db.string(key)?.unwrap_or_default()));
    let sources = sources.collect::<Result<Vec<&[u8]>, Refusal>>()?;
    let longest = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    if longest == 0 {
        state.db().remove(target);
        return Ok(());
    }
    state.charge(longest)?;
    let db = state.db();
    let sources: Vec<&[u8]> = keys.iter().map(|key| db.string(key).ok().flatten().unwrap_or_default()).collect();
    let result = operation.apply(&sources);
    state.db().set(target, Value::from(result), None);
    Ok(())
}

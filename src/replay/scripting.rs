//! Functions and scripts.
//!
//! Servers log what functions and scripts did. Only those before 5.0 logged the scripts themselves, as `EVAL` and
//! `EVALSHA`; those whose body is a plain sequence of calls are expanded here ([`super::script`]).

use super::args::{from, is, word};
use super::refusal::Refusal;
use super::restore::payload;
use super::script;
use super::state::{Args, State};
use crate::bytes::Cursor;
use crate::keyspace::Map;
use crate::keyspace::load::library_name;
use crate::rdb::{Scratch, opcode, string};
use crate::value::Blob;
use sha1::{Digest as _, Sha1};

type Done = Result<(), Refusal>;

const EXISTS: Refusal = Refusal::Invalid("a library of this name exists already");
const BAD_PAYLOAD: Refusal = Refusal::Invalid("payload version or checksum are wrong");

pub(super) fn function_load<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let (replace, code) = match *from(args, 2) {
        [code] => (false, code),
        [option, code] if is(option, "REPLACE") => (true, code),
        _ => return Err(Refusal::SYNTAX),
    };
    let name = library_name(code).ok_or(Refusal::Invalid("missing library metadata"))?;
    if !replace && state.keyspace.functions.contains(name) {
        return Err(EXISTS);
    }
    state.keyspace.functions.insert(Blob::near(name), Blob::borrowed(code));
    Ok(())
}

pub(super) fn function_delete<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let gone = state.keyspace.functions.remove(word(args, 2)?);
    gone.map(drop).ok_or(Refusal::Invalid("library not found"))
}

pub(super) fn function_flush<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    match *from(args, 2) {
        [] => {}
        [mode] if is(mode, "ASYNC") || is(mode, "SYNC") => {}
        _ => return Err(Refusal::SYNTAX),
    }
    state.keyspace.functions.clear();
    Ok(())
}

pub(super) fn function_restore<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let libraries = libraries(state, word(args, 2)?)?;
    let policy = args.get(3).copied().unwrap_or(b"APPEND");
    let clash = || libraries.keys().any(|name| state.keyspace.functions.contains(name));
    match policy {
        _ if is(policy, "FLUSH") => state.keyspace.functions.clear(),
        _ if is(policy, "REPLACE") => {}
        _ if !is(policy, "APPEND") => return Err(Refusal::SYNTAX),
        _ if clash() => return Err(EXISTS),
        _ => {}
    }
    for (name, code) in libraries {
        state.keyspace.functions.insert(name, code);
    }
    Ok(())
}

/// The payload of `FUNCTION DUMP`: libraries as in an RDB file, then version and checksum.
fn libraries<'a>(state: &State<'_>, bytes: &'a [u8]) -> Result<Map<'a, Blob<'a>>, Refusal> {
    let (body, _) = payload(state, bytes)?;
    let mut cursor = Cursor::at(body, 0);
    let mut scratch = Scratch::default();
    let mut libraries = Map::default();
    while let Ok(byte) = cursor.u8() {
        if byte != opcode::FUNCTION2 {
            return Err(Refusal::Invalid("the payload holds something else than functions"));
        }
        let code = string::decode(&mut cursor).map_err(|_| BAD_PAYLOAD)?;
        let code = code.to_blob(&mut scratch).map_err(|_| BAD_PAYLOAD)?;
        let name = library_name(&code).map(Blob::copied).ok_or(BAD_PAYLOAD)?;
        libraries.insert(name, code);
    }
    Ok(libraries)
}

/// The 40 hex digits by which a script is called.
fn script_id(body: &[u8]) -> Blob<'static> {
    let hex: String = Sha1::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    Blob::from(hex.into_bytes())
}

pub(super) fn script_load<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let body = word(args, 2)?;
    state.keyspace.scripts.insert(script_id(body), Blob::borrowed(body));
    Ok(())
}

pub(super) fn script_flush<'a>(state: &mut State<'a>, _args: Args<'_, 'a>) -> Done {
    state.keyspace.scripts.clear();
    Ok(())
}

pub(super) fn eval<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let body = word(args, 1)?;
    state.keyspace.scripts.insert(script_id(body), Blob::borrowed(body));
    script::run(state, body, from(args, 2))
}

pub(super) fn evalsha<'a>(state: &mut State<'a>, args: Args<'_, 'a>) -> Done {
    let id = word(args, 1)?.to_ascii_lowercase();
    let body = state.keyspace.scripts.get(&id).and_then(Blob::input);
    script::run(state, body.ok_or(Refusal::NotReplayable("the script is not in the log"))?, from(args, 2))
}

pub(super) fn fcall<'a>(_state: &mut State<'a>, _args: Args<'_, 'a>) -> Done {
    Err(Refusal::NotReplayable("functions are not executed"))
}

//! Lua scripts that are nothing but calls, one after the other.
//!
//! ```text
//! script    = { call [";"] }
//! call      = ["return"] ("redis.call" | "redis.pcall") "(" argument { "," argument } ")"
//! argument  = string | number | "KEYS[" n "]" | "ARGV[" n "]"
//! ```
//!
//! Such a script does the same whatever Lua it runs in, so its calls are executed as commands. Anything else is
//! not guessed at. Literals must be free of escapes, so that they are slices of the script.

use super::args::counted;
use super::refusal::Refusal;
use super::state::{Args, State};
use super::table::{self, Flags};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, multispace0, multispace1, u32 as number};
use nom::combinator::{all_consuming, map, opt, recognize, verify};
use nom::multi::{many1, separated_list1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

const NOT_PLAIN: Refusal = Refusal::NotReplayable("Lua scripts are not executed, except plain sequences of calls");

/// A word of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Argument<'a> {
    Literal(&'a [u8]),
    Key(u32),
    Argv(u32),
}

/// Execute a script with `numkeys key… arg…`.
///
/// # Errors
/// When it is more than a sequence of calls, or a call fails: those before it stand.
pub(super) fn run<'a>(state: &mut State<'a>, body: &'a [u8], words: Args<'_, 'a>) -> Result<(), Refusal> {
    let (keys, argv) = match words {
        [count, rest @ ..] if *count == b"0" => (&[][..], rest),
        _ => counted(words, 0)?,
    };
    let (_, calls) = script(body).map_err(|_| NOT_PLAIN)?;
    let db = state.db;
    let resolve = |argument: &Argument<'a>| match *argument {
        Argument::Literal(text) => Some(text),
        Argument::Key(n) => nth(keys, n),
        Argument::Argv(n) => nth(argv, n),
    };
    let calls = calls.iter().map(|call| call.iter().map(resolve).collect::<Option<Vec<_>>>());
    let calls = calls.collect::<Option<Vec<_>>>().ok_or(NOT_PLAIN)?;
    let done = calls.iter().try_for_each(|call| execute(state, call));
    // A script selects a database for itself only.
    state.db = db;
    done
}

fn nth<'a>(words: Args<'_, 'a>, n: u32) -> Option<&'a [u8]> {
    words.get(usize::try_from(n.checked_sub(1)?).ok()?).copied()
}

fn execute<'a>(state: &mut State<'a>, call: Args<'_, 'a>) -> Result<(), Refusal> {
    let command = table::find(call).ok_or(Refusal::UnknownCommand)?;
    if !command.takes(call.len()) {
        return Err(Refusal::Arity);
    }
    if matches!(command.name, "EVAL" | "EVALSHA") || !command.is_replayable() {
        return Err(NOT_PLAIN);
    }
    let Some(run) = command.run else { return Ok(()) };
    if !command.flags.has(Flags::WHOLE) {
        command.keys_of(call).into_iter().try_for_each(|key| state.touch(key))?;
    }
    run(state, call)
}

fn script(body: &[u8]) -> IResult<&[u8], Vec<Vec<Argument<'_>>>> {
    all_consuming(delimited(
        multispace0,
        many1(terminated(call, (multispace0, opt(char(';')), multispace0))),
        multispace0,
    ))
    .parse(body)
}

fn call(text: &[u8]) -> IResult<&[u8], Vec<Argument<'_>>> {
    let open =
        (opt((tag("return"), multispace1)), alt((tag("redis.call"), tag("redis.pcall"))), multispace0, char('('));
    let comma = delimited(multispace0, char(','), multispace0);
    delimited((open, multispace0), separated_list1(comma, argument), (multispace0, char(')'))).parse(text)
}

fn argument(text: &[u8]) -> IResult<&[u8], Argument<'_>> {
    alt((
        map(delimited(char('\''), plain_text(b'\''), char('\'')), Argument::Literal),
        map(delimited(char('"'), plain_text(b'"'), char('"')), Argument::Literal),
        map(tag("''"), |_| Argument::Literal(b"")),
        map(delimited(tag("KEYS["), number, char(']')), Argument::Key),
        map(delimited(tag("ARGV["), number, char(']')), Argument::Argv),
        map(plain_integer, Argument::Literal),
    ))
    .parse(text)
}

fn plain_text<'t>(quote: u8) -> impl Parser<&'t [u8], Output = &'t [u8], Error = nom::error::Error<&'t [u8]>> {
    take_while1(move |byte: u8| byte != quote && byte != b'\\' && byte != b'\n')
}

/// A number that Lua 5.1 hands on as it is written: an integer of up to 14 digits without leading zeros.
fn plain_integer(text: &[u8]) -> IResult<&[u8], &[u8]> {
    let digits = take_while1(|byte: u8| byte.is_ascii_digit());
    let digits = verify(digits, |digits: &[u8]| digits.len() <= 14 && (digits == b"0" || !digits.starts_with(b"0")));
    recognize(preceded(opt(char('-')), digits)).parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{Like, List};

    #[test]
    fn a_sequence_of_calls_is_executed() {
        let mut state = State::new(Like::redis(2, 8));
        let body = b"redis.call('SET',KEYS[1],ARGV[1]); redis.call('INCRBY','cnt:1',2); return redis.call(\"LPUSH\", KEYS[2], ARGV[1], KEYS[1])";
        run(&mut state, body, &[b"2", b"a", b"l", b"value"]).unwrap();
        assert_eq!(state.db().string(b"a"), Ok(Some(&b"value"[..])));
        assert_eq!(state.db().string(b"cnt:1"), Ok(Some(&b"2"[..])));
        assert_eq!(state.db().get::<List<'_>>(b"l").unwrap().unwrap().0.len(), 2);
        run(&mut state, b" redis.call('SELECT', 3) redis.call('SET','x',-5) ", &[b"0"]).unwrap();
        assert_eq!(state.db.0, 0);
        assert_eq!(state.keyspace.db(crate::value::DbIndex(3)).unwrap().string(b"x"), Ok(Some(&b"-5"[..])));
    }

    #[test]
    fn everything_else_is_left_alone() {
        for body in [
            &b"if true then redis.call('SET','a',1) end"[..],
            b"redis.call('SET',KEYS[1],tonumber(ARGV[1]) + 1)",
            b"redis.call('SET','a\\n',1)",
            b"redis.call('SET','a',1.5)",
            b"redis.call('SET',KEYS[2],1)",
            b"redis.call('EVAL','x',0)",
            b"return 1",
            b"",
        ] {
            let mut state = State::new(Like::redis(2, 8));
            assert_eq!(run(&mut state, body, &[b"1", b"k"]), Err(NOT_PLAIN), "{}", body.escape_ascii());
            assert!(state.keyspace.is_empty());
        }
    }
}

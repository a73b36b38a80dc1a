//! What proves itself: a command in exactly the form that servers write, with a name and a number of words that a log
//! can hold.

use crate::aof::frame::{self, LINE_MAX};
use crate::replay::Misplaced;
use crate::replay::table::{self, Flags, Group};

/// Why a command whose frame is whole cannot be one of a log; nothing when it can.
pub(super) fn objection(argv: &[&[u8]]) -> Option<&'static str> {
    let Some(command) = table::find(argv) else {
        return (!is_of_a_module(argv)).then_some("aof-unknown-command");
    };
    if command.name == "WATCH" {
        return Some(Misplaced::Watch.code());
    }
    if !command.takes(argv.len()) {
        return Some("aof-wrong-arity");
    }
    let logged = [Flags::WRITE, Flags::TRANSACTION, Flags::PUBLISH].into_iter().any(|flag| command.flags.has(flag));
    // Servers write no reading commands: such a name is what damage made of another.
    let harmless = matches!(
        command.group,
        Group::Connection | Group::Scripting | Group::Server | Group::Cluster | Group::Transactions
    );
    (!logged && !harmless).then_some("aof-read-command")
}

/// Is it a known command, with as many words as it takes, that changes what a log is about?
pub(super) fn changes_data(argv: &[&[u8]]) -> bool {
    let is_frame = |flags: Flags| flags.has(Flags::WRITE) || flags.has(Flags::TRANSACTION);
    table::find(argv).is_some_and(|command| {
        command.takes(argv.len()) && (is_frame(command.flags) || command.name.eq_ignore_ascii_case("SELECT"))
    })
}

/// `MODULE.NAME`: what those are called nobody can know.
fn is_of_a_module(argv: &[&[u8]]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    argv.first().is_some_and(|name| name.len() <= 64 && name.contains(&b'.') && name.iter().all(plain))
}

/// The end of the good command that begins here. `argv` then holds its words.
pub(super) fn command<'a>(input: &'a [u8], at: usize, argv: &mut Vec<&'a [u8]>) -> Option<usize> {
    argv.clear();
    if !may_be_named(input.get(at..)?) {
        return None;
    }
    let end = frame::strict(input, at, argv).ok()?;
    objection(argv).is_none().then_some(end)
}

/// A cheap look at the first word, so that no long command is read in vain.
fn may_be_named(rest: &[u8]) -> bool {
    let Some((_, rest)) = number(b'*', rest) else { return false };
    let Some((len, rest)) = number(b'$', rest) else { return false };
    let name = rest.get(..len).filter(|_| (1..=64).contains(&len)).unwrap_or_default();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// A header line as servers write it: its number and what follows.
pub(super) fn number(prefix: u8, input: &[u8]) -> Option<(usize, &[u8])> {
    let rest = input.strip_prefix(&[prefix])?;
    let digits = rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = rest.split_at_checked(digits)?;
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with(b"0")) {
        return None;
    }
    let value = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((value, after.strip_prefix(b"\r\n")?))
}

/// The end of the `#` line that begins here.
pub(super) fn annotation(input: &[u8], at: usize) -> Option<usize> {
    let rest = input.get(at..)?;
    let window = rest.get(..LINE_MAX).unwrap_or(rest);
    let lf = memchr::memchr(b'\n', window)?;
    (rest.first() == Some(&b'#') && rest.get(..lf)?.ends_with(b"\r")).then_some(at + lf + 1)
}

/// The end of the good command or the `#` line that begins here.
pub(super) fn record<'a>(input: &'a [u8], at: usize, argv: &mut Vec<&'a [u8]>) -> Option<usize> {
    command(input, at, argv).or_else(|| annotation(input, at))
}

/// The time of a `#TS:` line.
pub(super) fn timestamp(line: &[u8]) -> Option<i64> {
    std::str::from_utf8(line.strip_prefix(b"#TS:")?.strip_suffix(b"\r\n")?).ok()?.parse().ok()
}

/// A record begins here, or the log ends.
pub(super) fn may_begin(input: &[u8], at: usize) -> bool {
    matches!(input.get(at..), Some([] | [b'*' | b'#', ..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&[u8]> {
        text.split(' ').map(str::as_bytes).collect()
    }

    #[test]
    fn a_log_holds_commands_that_write() {
        for fine in
            ["SET a b", "select 1", "MULTI", "EXEC", "EVAL x 0", "PUBLISH a b", "JSON.SET a b c", "PING", "UNWATCH"]
        {
            assert_eq!(objection(&words(fine)), None, "{fine}");
        }
        assert_eq!(objection(&words("GET a")), Some("aof-read-command"));
        assert_eq!(objection(&words("WATCH a")), Some("aof-watch"));
        assert_eq!(objection(&words("SEU a b")), Some("aof-unknown-command"));
        assert_eq!(objection(&words("SET a")), Some("aof-wrong-arity"));
        assert_eq!(objection(&words("a.\0 b")), Some("aof-unknown-command"));
    }

    #[test]
    fn header_lines_are_as_servers_write_them() {
        assert_eq!(number(b'*', b"*12\r\nx"), Some((12, &b"x"[..])));
        assert_eq!(number(b'$', b"$0\r\n"), Some((0, &b""[..])));
        for bad in [&b"*012\r\n"[..], b"*\r\n", b"*1\n", b"$1\r\n", b"*99999999999999999999999\r\n", b""] {
            assert_eq!(number(b'*', bad), None, "{}", bad.escape_ascii());
        }
    }
}

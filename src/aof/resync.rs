//! Where reading can go on after damage.
//!
//! A place is believed when what begins there proves itself: [`PROOF`] whole commands in a row, or fewer that reach
//! the end of the file. A command is taken as whole only in the exact form that servers write, and the first has to
//! have a name that a command can have. A value may hold such bytes, too (somebody stored a log in a key), so a place
//! that the damaged record itself points at goes first: its frame may be intact but for the bytes behind a payload.

use super::frame::{self, Tolerated};
use super::reader::Reader;
use super::record::Record;

/// Commands in a row that prove a place.
pub(crate) const PROOF: usize = 3;
/// So many arguments in a row prove it as well; without this a command of a million arguments would be read once for
/// each place inside it.
const PROOF_ARGS: usize = 64;

/// The offset behind a damaged record at which reading can go on; nothing when there is none up to the end.
#[must_use]
pub(crate) fn after(input: &[u8], record: u64) -> Option<u64> {
    behind_record(input, record).or_else(|| next_chain(input, record.saturating_add(1)))
}

/// The end of the record as its own lengths have it, when commands follow there.
fn behind_record(input: &[u8], record: u64) -> Option<u64> {
    let mut argv = Vec::new();
    let (end, tolerated) = frame::lenient(input, usize::try_from(record).ok()?, &mut argv).ok()?;
    (tolerated.contains(Tolerated::TRAILER) && is_chain(input, end)).then_some(end as u64)
}

/// The first offset from `from` on at which a chain of commands begins.
#[must_use]
pub(crate) fn next_chain(input: &[u8], from: u64) -> Option<u64> {
    let start = usize::try_from(from).ok()?;
    let window = input.get(start..)?;
    let mut places = memchr::memchr2_iter(b'*', b'#', window).map(|at| start.saturating_add(at));
    places.find(|&at| is_chain(input, at)).map(|at| at as u64)
}

/// True when commands that prove themselves begin here.
pub(crate) fn is_chain(input: &[u8], at: usize) -> bool {
    if !matches!(input.get(at..), Some([b'*', b'1'..=b'9', ..] | [b'#', b'T', b'S', b':', ..])) {
        return false;
    }
    if is_long_command(input, at) {
        return true;
    }
    let mut reader = Reader::starting_at(input, at as u64);
    let mut commands = 0_usize;
    while commands < PROOF {
        match reader.next_record() {
            Ok(Some(Record::Command(command))) if commands > 0 || is_name(command.name()) => {
                commands = commands.saturating_add(1);
            }
            Ok(Some(Record::Annotation(note))) if note.timestamp().is_some() => {}
            Ok(Some(_)) => return false,
            Ok(None) => return commands > 0,
            Err(_) => return false,
        }
        if is_long_command(input, usize::try_from(reader.offset()).unwrap_or(usize::MAX)) {
            return true;
        }
    }
    true
}

/// A command of which so many arguments are well formed that the rest need not be looked at.
fn is_long_command(input: &[u8], at: usize) -> bool {
    let Some(head) = input.get(at..) else { return false };
    frame::starts_with_arguments(head, PROOF_ARGS)
}

/// What a command can be called.
fn is_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'|' | b'-');
    (1..=64).contains(&name.len()) && name.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aof::writer::encode;

    fn command(argv: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(argv, &mut out);
        out
    }

    fn log(n: usize) -> Vec<u8> {
        (0..n).flat_map(|i| command(&["SET", &format!("key:{i}"), "value"])).collect()
    }

    #[test]
    fn the_first_whole_command_behind_the_damage_is_found() {
        let good = log(5);
        for damage in [&b"\0\0\0\0"[..], b"*3\r\n$3\r\nSET\r\n$7\r\nab", b"*", b"#", b"**##*1\r\n", b"*1\r\n$9\r\nP"] {
            let input = [damage, &good].concat();
            assert_eq!(after(&input, 0), Some(damage.len() as u64), "{}", damage.escape_ascii());
        }
    }

    #[test]
    fn one_command_is_proof_only_at_the_end() {
        assert_eq!(next_chain(&[b"xx", &log(1)[..]].concat(), 0), Some(2));
        assert_eq!(next_chain(&[b"xx", &log(1)[..], b"xx"].concat(), 0), None);
        assert_eq!(next_chain(&[b"xx", &log(2)[..], b"xx"].concat(), 0), None);
        assert_eq!(next_chain(&[b"xx", &log(3)[..], b"xx"].concat(), 0), Some(2));
        assert_eq!(next_chain(b"", 0), None);
        assert_eq!(next_chain(b"xx", 9), None);
        assert_eq!(next_chain(b"x#TS:1\r\n", 0), None);
    }

    #[test]
    fn a_time_in_front_belongs_to_the_chain() {
        let input = [b"\0\0#TS:17\r\n", &log(3)[..]].concat();
        assert_eq!(next_chain(&input, 0), Some(2));
        let input = [b"\0\0#junk\r\n", &log(3)[..]].concat();
        assert_eq!(next_chain(&input, 0), Some(9));
        let input = [b"\0\0#TS:x\r\n", &log(3)[..]].concat();
        assert_eq!(next_chain(&input, 0), Some(9));
    }

    #[test]
    fn a_log_inside_a_value_does_not_win_over_the_record_s_own_end() {
        let inner = String::from_utf8(log(5)).unwrap();
        let mut record = command(&["SET", "backup", &inner]);
        let end = record.len();
        record[end - 1] = b'X';
        let input = [&record[..], &log(4)].concat();
        assert_eq!(after(&input, 0), Some(end as u64));
    }

    #[test]
    fn many_arguments_are_proof_enough() {
        let words = vec!["x"; 5000];
        let whole = command(&words);
        let input = [b"zz", &whole[..whole.len() - 1]].concat();
        assert_eq!(next_chain(&input, 0), Some(2), "the command is cut, and was begun all right");
        assert_eq!(next_chain(&[b"zz", &command(&["x"; 40])[..200]].concat(), 0), None);
    }

    #[test]
    fn names_are_names() {
        assert!(is_name(b"JSON.SET") && is_name(b"set") && is_name(b"a-b_c|d"));
        assert!(!is_name(b"") && !is_name(b"a b") && !is_name(&[b'x'; 65]) && !is_name(b"s\0t"));
    }

    #[test]
    fn hostile_nesting_takes_linear_time() {
        let nested = b"*99999\r\n$0\r\n\r\n".repeat(60_000);
        assert_eq!(next_chain(&nested, 0), None);
        let start = std::time::Instant::now();
        let one = [b"*999999\r\n".to_vec(), b"$3\r\n*1\r\r\n".repeat(200_000)].concat();
        let _ = next_chain(&one, 0);
        assert!(start.elapsed().as_secs() < 20, "took {:?}", start.elapsed());
    }
}

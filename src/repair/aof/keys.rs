//! Which keys lost bytes speak of.

use super::proof;
use crate::replay::table;
use std::collections::BTreeSet;

/// Keys named for each range.
const MOST: usize = 100;

/// The keys of the commands in these bytes, as far as they can be read: whole ones, and the beginning of a broken one.
pub(super) fn of(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = BTreeSet::new();
    let (mut at, mut argv) = (0, Vec::new());
    while keys.len() < MOST && at < bytes.len() {
        match proof::command(bytes, at, &mut argv).or_else(|| proof::annotation(bytes, at)) {
            Some(end) => at = end,
            None => {
                argv = beginning(bytes.get(at..).unwrap_or_default());
                at = bytes.len();
            }
        }
        let found = table::find(&argv).map(|command| command.keys_of(&argv)).unwrap_or_default();
        keys.extend(found.into_iter().map(<[u8]>::to_vec));
        argv.clear();
    }
    keys.into_iter().take(MOST).collect()
}

/// The words of a broken command that are whole.
fn beginning(bytes: &[u8]) -> Vec<&[u8]> {
    let mut argv = Vec::new();
    let Some((count, mut rest)) = proof::number(b'*', bytes) else { return argv };
    while argv.len() < count.min(MOST) {
        let word = proof::number(b'$', rest).and_then(|(len, rest)| rest.split_at_checked(len));
        let Some((word, after)) = word else { break };
        let Some(after) = after.strip_prefix(b"\r\n") else { break };
        argv.push(word);
        rest = after;
    }
    argv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_far_as_that_is_possible() {
        assert_eq!(of(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$9\r\nbroken"), [b"a"]);
        assert_eq!(of(b"*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n"), [b"a", b"b"]);
        assert!(of(b"*3\r\n$3\r\nSET\r\n").is_empty() && of(b"\0\0\0").is_empty());
    }
}

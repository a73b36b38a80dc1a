//! Images whose first bytes are gone, or that stand behind others.
//!
//! | what is left | then |
//! | --- | --- |
//! | `fa 09` `redis-ver`, `fa 0a` `valkey-ver` | the first record; digits before it are the version |
//! | `fe` db `fb`, and `ff` nine bytes before the end | the first database; nothing is known of the version |

use super::Start;
use crate::rdb::{Dialect, opcode};
use memchr::memmem;

/// So far into a file its first record is looked for.
const SEARCH: usize = 64 << 10;
/// The newest that is supposed where nothing tells the version.
const SUPPOSED: u32 = 12;
const SUPPOSED_VALKEY: u32 = 80;

/// Where the records of an image begin that has no header.
pub(super) fn start(image: &[u8]) -> Option<Start> {
    let searched = image.get(..SEARCH).unwrap_or(image);
    let fields = [&b"\xfa\x09redis-ver"[..], b"\xfa\x0avalkey-ver"];
    let field = fields.iter().filter_map(|field| memmem::find(searched, field)).min();
    let records = field.or_else(|| first_database(image, searched))?;
    let before = image.get(..records).unwrap_or_default();
    let (version, dialect) = match version(before) {
        Some(read) => return Some(of(read, true, records)),
        None if is_of_valkey_9(image.get(records..)?) => (SUPPOSED_VALKEY, Dialect::Valkey),
        None => (SUPPOSED, Dialect::Redis),
    };
    Some(of((version, dialect), false, records))
}

fn of((version, dialect): (u32, Dialect), is_versioned: bool, records: usize) -> Start {
    Start { version, dialect, is_whole: false, is_versioned, records }
}

/// The digits at the end of a header, after what is left of its magic.
fn version(before: &[u8]) -> Option<(u32, Dialect)> {
    let digits = before.iter().rev().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let (magic, digits) = before.split_at_checked(before.len().checked_sub(digits)?)?;
    let version = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match digits.len() {
        4 if (1..=SUPPOSED + 8).contains(&version) => Some((version, Dialect::Redis)),
        3 if magic.ends_with(b"Y") && version >= SUPPOSED_VALKEY => Some((version, Dialect::Valkey)),
        _ => None,
    }
}

/// Valkey has a magic of its own since its version 9.
fn is_of_valkey_9(records: &[u8]) -> bool {
    let value = records.strip_prefix(b"\xfa\x0avalkey-ver");
    value.and_then(|value| value.get(1)).is_some_and(|major| !matches!(major, b'7' | b'8'))
}

fn first_database(image: &[u8], searched: &[u8]) -> Option<usize> {
    let mark = image.len().checked_sub(9)?;
    if image.get(mark) != Some(&opcode::EOF) {
        return None;
    }
    searched.windows(3).position(|bytes| matches!(bytes, [opcode::SELECTDB, 0..16, opcode::RESIZEDB]))
}

//! `RESTORE`, for values that no command can build.

use crate::aof::rewrite::Log;
use crate::export::Head;
use crate::rdb::object::nan_score;
use crate::rdb::{self, ValueType, payload};

/// The first version with module values that can be read without the module. A server refuses payloads of versions
/// newer than its own, and does not look at the number otherwise.
const MODULE_VERSION: u32 = 8;

/// Make the key.
pub(super) fn restore(head: &Head<'_>, version: u32, out: &mut Vec<u8>) {
    if let Some(payload) = payload(head, version) {
        out.command(&[b"RESTORE", head.key, b"0", &payload]);
    }
}

/// Make the key anew, of which commands before made a part.
///
/// # Errors
/// When there are no bytes to make it of: commands have changed the value.
pub(super) fn replace(head: &Head<'_>, version: u32, out: &mut Vec<u8>) -> rdb::Result<()> {
    let payload = payload(head, version).ok_or_else(|| nan_score(0))?;
    out.command(&[b"RESTORE", head.key, b"0", &payload, b"REPLACE"]);
    Ok(())
}

fn payload(head: &Head<'_>, version: u32) -> Option<Vec<u8>> {
    let value = head.stored?;
    let version = if value.value_type == ValueType::Module2 { MODULE_VERSION } else { version };
    Some(payload::encode(value.value_type.byte(), value.raw(), version))
}

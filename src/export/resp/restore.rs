//! `RESTORE`, for values that no command can build.
//!
//! ```text
//! type (1 byte)   body   RDB version (u16 LE)   CRC-64/Jones of all before it (u64 LE)
//! ```
//!
//! Source: Redis `src/cluster.c`, `createDumpPayload`, `verifyDumpPayload`.

use super::words::Words;
use crate::bytes::crc64;
use crate::export::Head;
use crate::rdb::object::nan_score;
use crate::rdb::{self, ValueType};

/// The first version with module values that can be read without the module. A server refuses payloads of versions
/// newer than its own, and does not look at the number otherwise.
const MODULE_VERSION: u32 = 8;

/// Make the key.
pub(super) fn restore(head: &Head<'_>, version: u32, out: &mut Vec<u8>) {
    if let Some(payload) = payload(head, version) {
        out.words(&[b"RESTORE", head.key, b"0", &payload]);
    }
}

/// Make the key anew, of which commands before made a part.
///
/// # Errors
/// When there are no bytes to make it of: commands have changed the value.
pub(super) fn replace(head: &Head<'_>, version: u32, out: &mut Vec<u8>) -> rdb::Result<()> {
    let payload = payload(head, version).ok_or_else(|| nan_score(0))?;
    out.words(&[b"RESTORE", head.key, b"0", &payload, b"REPLACE"]);
    Ok(())
}

fn payload(head: &Head<'_>, version: u32) -> Option<Vec<u8>> {
    let value = head.stored?;
    let version = if value.value_type == ValueType::Module2 { MODULE_VERSION } else { version };
    let mut payload = Vec::with_capacity(value.raw().len().saturating_add(11));
    payload.push(value.value_type.byte());
    payload.extend_from_slice(value.raw());
    payload.extend_from_slice(&u16::try_from(version).unwrap_or(u16::MAX).to_le_bytes());
    payload.extend_from_slice(&crc64::jones(&payload).to_le_bytes());
    Some(payload)
}

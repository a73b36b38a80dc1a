//! What `DUMP` gives and `RESTORE` takes: a value on its own.
//!
//! ```text
//! type (1 byte)   body   RDB version (u16 LE)   CRC-64/Jones of all before it (u64 LE)
//! ```
//!
//! Source: Redis `src/cluster.c`, `createDumpPayload`, `verifyDumpPayload`.

use crate::bytes::crc64::jones;

/// A payload in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payload<'a> {
    /// Type and body; of functions, their records.
    pub(crate) body: &'a [u8],
    /// The RDB version.
    pub(crate) version: u16,
    /// The checksum that stands there.
    pub(crate) checksum: u64,
    summed: &'a [u8],
}

impl<'a> Payload<'a> {
    /// Take a payload apart; nothing when it is too short.
    pub(crate) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (summed, checksum) = bytes.split_last_chunk::<8>()?;
        let (body, version) = summed.split_last_chunk::<2>()?;
        let (version, checksum) = (u16::from_le_bytes(*version), u64::from_le_bytes(*checksum));
        Some(Self { body, version, checksum, summed })
    }

    /// Does the checksum fit the bytes?
    pub(crate) fn holds(&self) -> bool {
        self.checksum == jones(self.summed)
    }
}

/// Put a payload together.
pub(crate) fn encode(value_type: u8, body: &[u8], version: u32) -> Vec<u8> {
    let mut payload = Vec::with_capacity(body.len().saturating_add(11));
    payload.push(value_type);
    payload.extend_from_slice(body);
    payload.extend_from_slice(&u16::try_from(version).unwrap_or(u16::MAX).to_le_bytes());
    let sum = jones(&payload);
    payload.extend_from_slice(&sum.to_le_bytes());
    payload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_taken_apart_as_it_was_put_together() {
        // As Redis 7.0.15 dumps a string of 10.
        let mut payload = encode(0, b"\xc0\x0a", 10);
        assert_eq!(payload, b"\x00\xc0\x0a\x0a\x00n\x9fWE\x0e\xaec\xbb");
        let parts = Payload::decode(&payload).unwrap();
        assert_eq!((parts.body, parts.version, parts.holds()), (&b"\x00\xc0\x0a"[..], 10, true));
        payload[1] ^= 1;
        assert!(!Payload::decode(&payload).unwrap().holds());
        assert_eq!(Payload::decode(&payload[..9]), None);
    }
}

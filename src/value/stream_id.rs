use std::fmt;

/// The id of a stream entry, `ms-seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId {
    /// Milliseconds, by the clock of the server that made it.
    pub ms: u64,
    /// Counts entries of one millisecond.
    pub seq: u64,
}

impl StreamId {
    /// `0-0`
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The greatest id.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// From the 16 bytes of a stream node's key or a pending entry: both halves big-endian.
    #[must_use]
    pub fn from_be_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of a u128")]
        Self { ms: (both >> 64) as u64, seq: both as u64 }
    }

    /// The mirror of [`StreamId::from_be_bytes`].
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_order_by_time_then_sequence_and_keep_their_bytes() {
        let id = StreamId { ms: 1, seq: u64::MAX };
        assert!(id < StreamId { ms: 2, seq: 0 });
        assert_eq!(StreamId::from_be_bytes(id.to_be_bytes()), id);
        assert_eq!(id.to_string(), "1-18446744073709551615");
    }
}

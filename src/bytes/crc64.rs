//! The two checksums.
//!
//! | name | polynomial | reflected | init/xorout | of "123456789" | used for |
//! | --- | --- | --- | --- | --- | --- |
//! | CRC-64/Jones | `ad93d23594c935a9` | yes | 0 / 0 | `e9c6d914c4b8d9ca` | RDB trailers, DUMP payloads |
//! | CRC-64/XZ | `42f0e1eba9ea3693` | yes | all ones | `995dc9bbdf1939fa` | our own sidecars and reports |
//!
//! Source: Redis `src/crc64.c`; the XZ file format specification.

/// Running CRC-64/Jones. Feed blocks of 64 KiB or more: small pieces are an order of magnitude slower.
#[derive(Debug, Clone)]
pub struct Jones(crc_fast::Digest);

impl Default for Jones {
    fn default() -> Self {
        Self(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Redis))
    }
}

impl Jones {
    /// Take in the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of everything so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.finalize()
    }
}

/// CRC-64/Jones of one slice.
#[must_use]
pub fn jones(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Redis, bytes)
}

/// CRC-64/XZ of one slice: a fingerprint for reports and sidecars, never an RDB trailer.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> u64 {
    let mut digest = crc64fast::Digest::new();
    digest.write(bytes);
    digest.sum64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_of_both_sums() {
        assert_eq!(jones(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(fingerprint(b"123456789"), 0x995d_c9bb_df19_39fa);
        let mut running = Jones::default();
        running.update(b"1234");
        running.update(b"56789");
        assert_eq!(running.value(), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(Jones::default().value(), 0);
    }
}

//! The smallest sound file of everything that the formats have: what a fuzzer should begin with.
//!
//! | folder | one file for each |
//! | --- | --- |
//! | `rdb` | value type and stored form, opcode, version and dialect |
//! | `dump` | value type and stored form, as a DUMP payload |
//! | `aof` | command, and what else stands in a log |
//! | `manifest` | form of line |

mod images;
mod logs;
#[cfg(test)]
mod tests;

/// A file, and what it is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// `rdb`, `dump`, `aof`, `manifest`.
    pub folder: &'static str,
    /// The file's name in it.
    pub name: String,
    /// What it covers, in the words of the format.
    pub covers: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Seed {
    fn new(folder: &'static str, name: impl Into<String>, covers: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { folder, name: name.into(), covers: covers.into(), bytes }
    }
}

/// The file beside seeds that says what each of them covers. It is none itself.
pub const INDEX: &str = "SEEDS.tsv";

/// All seeds, in a fixed order.
#[must_use]
pub fn all() -> Vec<Seed> {
    let mut seeds = images::values();
    seeds.extend(images::modules());
    seeds.extend(images::forks());
    seeds.extend(images::opcodes());
    seeds.extend(images::versions());
    seeds.extend(logs::commands());
    seeds.extend(logs::lines());
    seeds.extend(logs::manifests());
    seeds
}

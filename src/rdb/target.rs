//! What a server can load: versions, types, opcodes, and the forms and limits it would choose itself.
//!
//! | target | header | list | zset | small set | hash with field expiry | stream | backlen |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | redis-2.8 | `REDIS0006` | 10, 1 | 12, 3 | 2 | – | – | |
//! | redis-3.2 | `REDIS0007` | 14 | 12, 3 | 2 | – | – | |
//! | redis-4.0 | `REDIS0008` | 14 | 12, 5 | 2 | – | – | |
//! | redis-5.0, redis-6.2, portable | `REDIS0009` | 14 | 12, 5 | 2 | – | 15 | Redis |
//! | redis-7.0 | `REDIS0010` | 18 | 17, 5 | 2 | – | 19 | Redis |
//! | redis-7.2, valkey-8 | `REDIS0011` | 18 | 17, 5 | 20 | – | 21 | Redis |
//! | redis-7.4, redis-8.0 | `REDIS0012` | 18 | 17, 5 | 20 | 25, 24 | 21 | Redis |
//! | redis-8.6 | `REDIS0013` | 18 | 17, 5 | 20 | 25, 24 | 26 | Redis |
//! | redis-8.8 | `REDIS0014` | 18 | 17, 5 | 20 | 25, 24 | 27 | Redis |
//! | valkey-9 | `VALKEY080` | 18 | 17, 5 | 20 | 22 | 21 | Valkey 9 |
//!
//! Sets of integers are type 11 everywhere, strings 0, hashes without expiry 13 or 16 and 4.
//! Source: Redis `src/rdb.c`, `rdbSaveObjectType` of each release; Valkey 9 `src/rdb.c`; loading was tried on servers.

use super::object::ModuleId;
use super::opcode::{self, Dialect, ValueType};
use super::reader::Header;
use crate::packed::listpack::Backlen;
use crate::value::number::ScoreText;

/// A server, or a family of servers, to write for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The name on the command line.
    pub name: &'static str,
    /// Whose numbers are used.
    pub dialect: Dialect,
    /// The number in the header.
    pub version: u32,
    /// The server version that AUX fields name; empty where those of the input are kept.
    pub server: &'static str,
    /// List elements of more bytes than this are nodes of their own.
    pub plain_above: usize,
    /// Whose versions the AUX field counts.
    pub family: Family,
    /// Vector sets are a type of the server's own.
    pub vector_sets: bool,
}

/// Whose server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Redis, or a fork that names its version as Redis does.
    Redis,
    /// Valkey.
    Valkey,
}

/// The default limits up to which servers keep collections packed. The same in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedLimits {
    /// Pairs of a hash, and elements of a list before 3.2.
    pub hash_entries: u64,
    /// Members of a sorted set.
    pub zset_entries: u64,
    /// Members of a set that are not all integers.
    pub set_entries: u64,
    /// Members of a set of integers.
    pub intset_entries: u64,
    /// Bytes of any one element.
    pub element_bytes: usize,
    /// Bytes of a list node.
    pub list_node_bytes: usize,
    /// Bytes of a stream node.
    pub stream_node_bytes: usize,
    /// Entries of a stream node.
    pub stream_node_entries: u64,
}

/// See [`PackedLimits`].
pub const LIMITS: PackedLimits = PackedLimits {
    hash_entries: 512,
    zset_entries: 128,
    set_entries: 128,
    intset_entries: 512,
    element_bytes: 64,
    list_node_bytes: 8192,
    stream_node_bytes: 4096,
    stream_node_entries: 100,
};

/// The blobs that small collections are packed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Before Redis 7.0.
    Ziplist,
    /// Since.
    Listpack,
}

/// How a hash with field expiry is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldExpiry {
    /// Not at all.
    Unknown,
    /// Types 25 and 24.
    Redis,
    /// Type 22 of Valkey.
    Valkey,
}

/// The node limit of Redis 7.0 and 7.2 for plain list nodes.
const ONE_GIB: usize = 1 << 30;

/// Redis 8.0 writes the same version as 7.4, which has none.
const FIRST_WITH_VECTOR_SETS: u32 = 12;

const fn redis(name: &'static str, version: u32, server: &'static str, plain_above: usize) -> Target {
    let vector_sets = version >= FIRST_WITH_VECTOR_SETS;
    Target { name, dialect: Dialect::Redis, version, server, plain_above, family: Family::Redis, vector_sets }
}

/// Every target with a name of its own, oldest first.
pub const TARGETS: [Target; 13] = [
    redis("redis-2.8", 6, "2.8.24", ONE_GIB),
    redis("redis-3.2", 7, "3.2.13", ONE_GIB),
    redis("redis-4.0", 8, "4.0.14", ONE_GIB),
    redis("redis-5.0", 9, "5.0.14", ONE_GIB),
    redis("redis-6.2", 9, "6.2.16", ONE_GIB),
    redis("redis-7.0", 10, "7.0.15", ONE_GIB),
    redis("redis-7.2", 11, "7.2.6", ONE_GIB),
    Target { vector_sets: false, ..redis("redis-7.4", 12, "7.4.1", LIMITS.list_node_bytes) },
    redis("redis-8.0", 12, "8.0.2", LIMITS.list_node_bytes),
    redis("redis-8.6", 13, "8.6.3", LIMITS.list_node_bytes),
    redis("redis-8.8", 14, "8.8.0", LIMITS.list_node_bytes),
    Target {
        name: "valkey-8",
        dialect: Dialect::Redis,
        version: 11,
        server: "8.1.1",
        plain_above: LIMITS.list_node_bytes,
        family: Family::Valkey,
        vector_sets: false,
    },
    Target {
        name: "valkey-9",
        dialect: Dialect::Valkey,
        version: 80,
        server: "9.1.2",
        plain_above: LIMITS.list_node_bytes,
        family: Family::Valkey,
        vector_sets: false,
    },
];

/// Loads on every server from Redis 5.0 on.
pub const PORTABLE: Target = redis("portable", 9, "", ONE_GIB);

impl Target {
    /// The target of a name, `portable` included. `same` needs an input: see [`Target::same_as`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name == PORTABLE.name {
            return Some(PORTABLE);
        }
        TARGETS.into_iter().find(|target| target.name == name)
    }

    /// What the server can load that wrote an input with this header, and whose dialect is known by now.
    #[must_use]
    pub fn same_as(header: Header, dialect: Dialect) -> Self {
        let plain_above = if header.version >= 12 { LIMITS.list_node_bytes } else { ONE_GIB };
        // Nothing was ever written that only older servers than 2.8 could load.
        let vector_sets = dialect == Dialect::Redis && header.version >= FIRST_WITH_VECTOR_SETS;
        let family = if dialect == Dialect::Valkey { Family::Valkey } else { Family::Redis };
        let version = header.version.max(6);
        Self { name: "same", dialect, version, server: "", plain_above, family, vector_sets }
    }

    /// The same, but at least as new as this: types of both can be loaded by servers of the newer.
    #[must_use]
    pub fn at_least(self, oldest: Self) -> Self {
        if self.level() < oldest.level() && self.dialect == Dialect::Redis { oldest } else { self }
    }

    /// The nine bytes that begin a file.
    #[must_use]
    pub fn header(&self) -> [u8; 9] {
        let mut header = *b"REDIS0000";
        let mut digits = 4;
        if self.dialect == Dialect::Valkey && self.version >= 80 {
            header = *b"VALKEY000";
            digits = 3;
        }
        let mut rest = self.version;
        for place in header.iter_mut().rev().take(digits) {
            *place = b'0'.saturating_add(u8::try_from(rest.checked_rem(10).unwrap_or(0)).unwrap_or(0));
            rest = rest.checked_div(10).unwrap_or(0);
        }
        header
    }

    /// The version of the Redis whose forms this target shares.
    fn level(&self) -> u32 {
        match self.dialect {
            Dialect::Valkey | Dialect::Dragonfly => 11,
            Dialect::Redis | Dialect::KeyDb | Dialect::RedisEnterprise => self.version,
        }
    }

    /// True where a value of this stored form can be loaded as it is.
    #[must_use]
    pub fn accepts(&self, value_type: ValueType) -> bool {
        use ValueType as T;
        match value_type {
            // Hash templates live in records of their own that other files do not have: always written out.
            T::HashTemplateListpack | T::HashTemplateListpackRef => false,
            T::HashTemplateArray | T::HashTemplateArrayRef => false,
            T::ValkeyHash2 => self.dialect == Dialect::Valkey,
            T::KeyDbCron => self.dialect == Dialect::KeyDb,
            T::ModulePreGa => false,
            T::DragonflyJson
            | T::DragonflyHashExpiry
            | T::DragonflySetExpiry
            | T::DragonflySbf
            | T::DragonflySbf2
            | T::DragonflyCms
            | T::DragonflyTopk
            | T::DragonflyCuckoo => self.dialect == Dialect::Dragonfly,
            _ => self.level() >= value_type.first_version(),
        }
    }

    /// True where values of this module can be loaded, given that the server has the module. Vector sets come with
    /// Redis 8 and cannot be added to any other server.
    #[must_use]
    pub fn accepts_module(&self, module: ModuleId) -> bool {
        module.name() != "vectorset" || self.vector_sets
    }

    /// True where a record of this opcode can be loaded. Key metadata and slot imports share a number: only the former
    /// is ever written.
    #[must_use]
    pub fn accepts_opcode(&self, opcode: u8) -> bool {
        let level = self.level();
        match opcode {
            opcode::EOF | opcode::SELECTDB | opcode::EXPIRETIME | opcode::EXPIRETIME_MS => true,
            opcode::RESIZEDB | opcode::AUX => level >= 7,
            opcode::FREQ | opcode::IDLE | opcode::MODULE_AUX => level >= 9,
            opcode::FUNCTION2 => level >= 10 && self.dialect != Dialect::Dragonfly,
            opcode::SLOT_INFO => level >= 12,
            opcode::KEY_META => level >= 13,
            _ => false,
        }
    }

    /// True for [`PORTABLE`].
    #[must_use]
    pub fn is_portable(&self) -> bool {
        *self == PORTABLE
    }

    /// How small collections are packed.
    #[must_use]
    pub fn packing(&self) -> Packing {
        if self.level() >= 10 { Packing::Listpack } else { Packing::Ziplist }
    }

    /// The form of lists.
    #[must_use]
    pub fn list(&self) -> ValueType {
        match self.level() {
            ..=6 => ValueType::ListZiplist,
            7..=9 => ValueType::ListQuicklist,
            _ => ValueType::ListQuicklist2,
        }
    }

    /// The form of sorted sets that are not packed.
    #[must_use]
    pub fn zset(&self) -> ValueType {
        if self.level() >= 8 { ValueType::Zset2 } else { ValueType::Zset }
    }

    /// True where small sets are packed even when they hold more than integers.
    #[must_use]
    pub fn packs_sets(&self) -> bool {
        self.accepts(ValueType::SetListpack)
    }

    /// The form of streams, the newest that is known.
    #[must_use]
    pub fn stream(&self) -> Option<ValueType> {
        Some(match self.level() {
            ..=8 => return None,
            9 => ValueType::StreamListpacks,
            10 => ValueType::StreamListpacks2,
            11 | 12 => ValueType::StreamListpacks3,
            13 => ValueType::StreamListpacks4,
            _ => ValueType::StreamListpacks5,
        })
    }

    /// The form of hashes with field expiry.
    #[must_use]
    pub fn field_expiry(&self) -> FieldExpiry {
        match self.dialect {
            Dialect::Valkey => FieldExpiry::Valkey,
            Dialect::Redis | Dialect::RedisEnterprise if self.level() >= 12 => FieldExpiry::Redis,
            _ => FieldExpiry::Unknown,
        }
    }

    /// How backlens of contested widths are written.
    #[must_use]
    pub fn backlen(&self) -> Backlen {
        if self.dialect == Dialect::Valkey { Backlen::Valkey9 } else { Backlen::Redis }
    }

    /// How scores are written as text.
    #[must_use]
    pub fn score_text(&self) -> ScoreText {
        if self.level() >= 11 { ScoreText::Fpconv } else { ScoreText::Printf17 }
    }

    /// True where integral scores are packed as integers whatever their text would be (and a -0 becomes a 0).
    #[must_use]
    pub fn packs_integral_scores(&self) -> bool {
        self.packing() == Packing::Listpack
    }

    /// The AUX field that names the producer.
    #[must_use]
    pub fn version_aux(&self) -> &'static str {
        match self.family {
            Family::Redis => "redis-ver",
            Family::Valkey => "valkey-ver",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As loaded by servers: which of the numbers 0 … 28 load (`#`), which do not (`.`), per target.
    const MATRIX: [(&str, &str, &str); 14] = [
        ("redis-2.8", "REDIS0006", "#####....#####..............."),
        ("redis-3.2", "REDIS0007", "#####....######.............."),
        ("redis-4.0", "REDIS0008", "######.#.######.............."),
        ("redis-5.0", "REDIS0009", "######.#.#######............."),
        ("redis-6.2", "REDIS0009", "######.#.#######............."),
        ("portable", "REDIS0009", "######.#.#######............."),
        ("redis-7.0", "REDIS0010", "######.#.###########........."),
        ("redis-7.2", "REDIS0011", "######.#.#############......."),
        ("redis-7.4", "REDIS0012", "######.#.#################..."),
        ("redis-8.0", "REDIS0012", "######.#.#################..."),
        ("redis-8.6", "REDIS0013", "######.#.##################.."),
        ("redis-8.8", "REDIS0014", "######.#.####################"),
        ("valkey-8", "REDIS0011", "######.#.#############......."),
        ("valkey-9", "VALKEY080", "######.#.##############......"),
    ];

    #[test]
    fn the_table_is_the_load_matrix() {
        for (name, header, loads) in MATRIX {
            let target = Target::named(name).unwrap();
            assert_eq!(target.header(), header.as_bytes());
            let ours: String = (0..29)
                .map(|byte| ValueType::from_byte(byte, target.dialect).is_some_and(|t| target.accepts(t)))
                .map(|loads| if loads { '#' } else { '.' })
                .collect();
            assert_eq!(ours, loads, "{name}");
        }
        assert_eq!(MATRIX.len(), TARGETS.len() + 1);
    }

    #[test]
    fn opcodes_are_those_of_the_load_matrix() {
        let loads = |name, opcode| Target::named(name).unwrap().accepts_opcode(opcode);
        for (opcode, refused, accepted) in [
            (opcode::AUX, "redis-2.8", "redis-3.2"),
            (opcode::RESIZEDB, "redis-2.8", "redis-3.2"),
            (opcode::IDLE, "redis-4.0", "redis-5.0"),
            (opcode::FUNCTION2, "redis-6.2", "redis-7.0"),
            (opcode::SLOT_INFO, "redis-7.2", "redis-7.4"),
            (opcode::SLOT_INFO, "valkey-8", "redis-8.0"),
            (opcode::KEY_META, "redis-8.0", "redis-8.6"),
            (opcode::KEY_META, "valkey-9", "redis-8.8"),
        ] {
            assert!(!loads(refused, opcode) && loads(accepted, opcode), "{opcode} {refused} {accepted}");
        }
    }

    #[test]
    fn vector_sets_load_in_redis_8_alone() {
        let vectors = ModuleId::from_name(b"vectorset", 0).unwrap();
        let json = ModuleId::from_name(b"ReJSON-RL", 3).unwrap();
        let loads: Vec<&str> =
            TARGETS.iter().filter(|target| target.accepts_module(vectors)).map(|target| target.name).collect();
        assert_eq!(loads, ["redis-8.0", "redis-8.6", "redis-8.8"]);
        assert!(TARGETS.iter().all(|target| target.accepts_module(json)));
    }

    #[test]
    fn every_form_that_a_target_chooses_is_one_that_it_loads() {
        for target in TARGETS.into_iter().chain([PORTABLE]) {
            let chosen = [Some(target.list()), Some(target.zset()), target.stream()];
            assert!(chosen.into_iter().flatten().all(|form| target.accepts(form)), "{}", target.name);
        }
    }

    #[test]
    fn the_target_of_an_input_loads_what_its_server_wrote() {
        let header = |version, dialect| Header { version, dialect };
        let same = |version, dialect| Target::same_as(header(version, dialect), dialect);
        assert_eq!(same(1, Dialect::Redis).header(), *b"REDIS0006");
        assert_eq!(same(80, Dialect::Valkey).header(), *b"VALKEY080");
        assert!(same(13, Dialect::Redis).accepts(ValueType::StreamListpacks4));
        let base = Target::named("redis-7.0").unwrap();
        assert_eq!(same(9, Dialect::Redis).at_least(base), base);
        assert_eq!(same(12, Dialect::Redis).at_least(base).version, 12);
    }
}

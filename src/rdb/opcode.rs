//! Opcodes and value types: what the byte between records can be, per dialect.
//!
//! A key record is `[expiry] [idle | freq] [metadata] type key value`; every other byte is an opcode with a body of its own.
//! Two numbers mean different things to different servers, and the header (or an AUX field near it) decides:
//! type 22 and opcode 243 (Redis or Valkey 9), and everything from 30 to 37 and from 200 to 224 (Dragonfly).
//!
//! Source: Redis `src/rdb.h`; Valkey 9 `src/rdb.h`; Dragonfly `src/server/rdb_extensions.h`; KeyDB `src/rdb.h`.

use crate::value::Kind;

/// Redis Enterprise, Auto Tiering: the LRU value of the next key.
pub const RAM_LRU: u8 = 107;
/// Dragonfly: end of a full synchronisation, eight bytes.
pub const DF_FULLSYNC_END: u8 = 200;
/// Dragonfly: a zstd frame that holds records.
pub const DF_ZSTD_BLOB: u8 = 201;
/// Dragonfly: an LZ4 frame that holds records.
pub const DF_LZ4_BLOB: u8 = 202;
/// Dragonfly: the end of a decompressed blob.
pub const DF_BLOB_END: u8 = 203;
/// Dragonfly: journal entries.
pub const DF_JOURNAL_BLOB: u8 = 210;
/// Dragonfly: an offset in the journal.
pub const DF_JOURNAL_OFFSET: u8 = 211;
/// Dragonfly: flags of the next key.
pub const DF_MASK: u8 = 220;
/// Dragonfly: the graph of a vector index.
pub const DF_VECTOR_INDEX: u8 = 222;
/// Dragonfly: document ids of a search index.
pub const DF_SHARD_DOC_INDEX: u8 = 223;
/// Dragonfly: a piece of an entry.
pub const DF_TAGGED_CHUNK: u8 = 224;
/// Redis 8.10: a hash template.
pub const HASH_TEMPLATE: u8 = 242;
/// Redis 8.6: module metadata of the next key. Valkey 9: [`SLOT_IMPORT`].
pub const KEY_META: u8 = 243;
/// Valkey 9: slot imports in progress.
pub const SLOT_IMPORT: u8 = 243;
/// Redis 7.4: how many keys a slot has.
pub const SLOT_INFO: u8 = 244;
/// A function library.
pub const FUNCTION2: u8 = 245;
/// A function of the first release candidates of 7.0.
pub const FUNCTION_PRE_GA: u8 = 246;
/// A module's data outside the keys.
pub const MODULE_AUX: u8 = 247;
/// LRU idle time of the next key.
pub const IDLE: u8 = 248;
/// LFU counter of the next key.
pub const FREQ: u8 = 249;
/// A named value about the file or its server.
pub const AUX: u8 = 250;
/// How many keys a database has.
pub const RESIZEDB: u8 = 251;
/// Expiry of the next key in milliseconds.
pub const EXPIRETIME_MS: u8 = 252;
/// Expiry of the next key in seconds.
pub const EXPIRETIME: u8 = 253;
/// The database of the keys that follow.
pub const SELECTDB: u8 = 254;
/// The last byte before the checksum.
pub const EOF: u8 = 255;

/// The first RDB version of Redis whose servers know an opcode. A server ends where it meets one that it does not know.
#[must_use]
pub fn first_version(opcode: u8) -> u32 {
    match opcode {
        AUX | RESIZEDB => 7,
        IDLE | FREQ | MODULE_AUX => 9,
        FUNCTION2 | FUNCTION_PRE_GA => 10,
        SLOT_INFO => 12,
        KEY_META => 13,
        HASH_TEMPLATE => 15,
        _ => 1,
    }
}

/// Whose numbers a file uses, and who wrote it as far as it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Redis, Redict, Valkey up to 8, and everything that keeps to their numbers.
    #[default]
    Redis,
    /// Valkey 9 and later: the magic is `VALKEY`.
    Valkey,
    /// KeyDB: Redis' numbers, and AUX fields that belong to keys.
    KeyDb,
    /// Redis Enterprise: Redis' numbers and opcode 107.
    RedisEnterprise,
    /// Dragonfly: its own types from 30 and opcodes from 200.
    Dragonfly,
}

impl Dialect {
    /// The name shown by `info`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Valkey => "valkey",
            Self::KeyDb => "keydb",
            Self::RedisEnterprise => "redis-enterprise",
            Self::Dragonfly => "dragonfly",
        }
    }
}

/// The stored form of a value. The number in the file depends on the dialect, this does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "the names are those of the format; the table in `ValueType::from_byte` gives the numbers"
)]
pub enum ValueType {
    String,
    List,
    Set,
    Zset,
    Hash,
    Zset2,
    ModulePreGa,
    Module2,
    HashZipmap,
    ListZiplist,
    SetIntset,
    ZsetZiplist,
    HashZiplist,
    ListQuicklist,
    StreamListpacks,
    HashListpack,
    ZsetListpack,
    ListQuicklist2,
    StreamListpacks2,
    SetListpack,
    StreamListpacks3,
    HashMetadataPreGa,
    HashListpackExPreGa,
    HashMetadata,
    HashListpackEx,
    StreamListpacks4,
    StreamListpacks5,
    Array,
    HashTemplateListpack,
    HashTemplateListpackRef,
    HashTemplateArray,
    HashTemplateArrayRef,
    Gcra,
    ValkeyHash2,
    DragonflyJson,
    DragonflyHashExpiry,
    DragonflySetExpiry,
    DragonflySbf,
    DragonflySbf2,
    DragonflyCms,
    DragonflyTopk,
    DragonflyCuckoo,
    KeyDbCron,
}

impl ValueType {
    /// What the number means in a dialect.
    #[must_use]
    #[inline(always)]
    pub fn from_byte(byte: u8, dialect: Dialect) -> Option<Self> {
        if byte == 0 {
            return Some(Self::String);
        }
        Self::other_from_byte(byte, dialect)
    }

    /// Apart, so that the most frequent type costs no jump through a table.
    fn other_from_byte(byte: u8, dialect: Dialect) -> Option<Self> {
        Some(match byte {
            0 => Self::String,
            1 => Self::List,
            2 => Self::Set,
            3 => Self::Zset,
            4 => Self::Hash,
            5 => Self::Zset2,
            6 => Self::ModulePreGa,
            7 => Self::Module2,
            9 => Self::HashZipmap,
            10 => Self::ListZiplist,
            11 => Self::SetIntset,
            12 => Self::ZsetZiplist,
            13 => Self::HashZiplist,
            14 => Self::ListQuicklist,
            15 => Self::StreamListpacks,
            16 => Self::HashListpack,
            17 => Self::ZsetListpack,
            18 => Self::ListQuicklist2,
            19 => Self::StreamListpacks2,
            20 => Self::SetListpack,
            21 => Self::StreamListpacks3,
            22 if dialect == Dialect::Valkey => Self::ValkeyHash2,
            22 => Self::HashMetadataPreGa,
            30..=37 if dialect == Dialect::Dragonfly => Self::dragonfly(byte)?,
            23 => Self::HashListpackExPreGa,
            24 => Self::HashMetadata,
            25 => Self::HashListpackEx,
            26 => Self::StreamListpacks4,
            27 => Self::StreamListpacks5,
            28 => Self::Array,
            29 => Self::HashTemplateListpack,
            30 => Self::HashTemplateListpackRef,
            31 => Self::HashTemplateArray,
            32 => Self::HashTemplateArrayRef,
            33 => Self::Gcra,
            64 => Self::KeyDbCron,
            _ => return None,
        })
    }

    /// The first RDB version of Redis whose servers know this type. A server goes by the number of a type alone and
    /// loads it behind any version; but none writes a type that its own version does not have.
    #[must_use]
    pub fn first_version(self) -> u32 {
        match self {
            Self::ListQuicklist => 7,
            Self::Zset2 | Self::Module2 => 8,
            Self::StreamListpacks => 9,
            Self::HashListpack | Self::ZsetListpack | Self::ListQuicklist2 | Self::StreamListpacks2 => 10,
            Self::SetListpack | Self::StreamListpacks3 => 11,
            Self::HashMetadataPreGa | Self::HashListpackExPreGa | Self::HashMetadata | Self::HashListpackEx => 12,
            Self::StreamListpacks4 => 13,
            Self::StreamListpacks5 | Self::Array => 14,
            Self::HashTemplateListpack
            | Self::HashTemplateListpackRef
            | Self::HashTemplateArray
            | Self::HashTemplateArrayRef
            | Self::Gcra => 15,
            _ => 1,
        }
    }

    fn dragonfly(byte: u8) -> Option<Self> {
        Some(match byte {
            30 => Self::DragonflyJson,
            31 => Self::DragonflyHashExpiry,
            32 => Self::DragonflySetExpiry,
            33 => Self::DragonflySbf,
            34 => Self::DragonflySbf2,
            35 => Self::DragonflyCms,
            36 => Self::DragonflyTopk,
            37 => Self::DragonflyCuckoo,
            _ => return None,
        })
    }

    /// The number in a file: the mirror of [`ValueType::from_byte`].
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::String => 0,
            Self::List => 1,
            Self::Set => 2,
            Self::Zset => 3,
            Self::Hash => 4,
            Self::Zset2 => 5,
            Self::ModulePreGa => 6,
            Self::Module2 => 7,
            Self::HashZipmap => 9,
            Self::ListZiplist => 10,
            Self::SetIntset => 11,
            Self::ZsetZiplist => 12,
            Self::HashZiplist => 13,
            Self::ListQuicklist => 14,
            Self::StreamListpacks => 15,
            Self::HashListpack => 16,
            Self::ZsetListpack => 17,
            Self::ListQuicklist2 => 18,
            Self::StreamListpacks2 => 19,
            Self::SetListpack => 20,
            Self::StreamListpacks3 => 21,
            Self::HashMetadataPreGa | Self::ValkeyHash2 => 22,
            Self::HashListpackExPreGa => 23,
            Self::HashMetadata => 24,
            Self::HashListpackEx => 25,
            Self::StreamListpacks4 => 26,
            Self::StreamListpacks5 => 27,
            Self::Array => 28,
            Self::HashTemplateListpack => 29,
            Self::HashTemplateListpackRef | Self::DragonflyJson => 30,
            Self::HashTemplateArray | Self::DragonflyHashExpiry => 31,
            Self::HashTemplateArrayRef | Self::DragonflySetExpiry => 32,
            Self::Gcra | Self::DragonflySbf => 33,
            Self::DragonflySbf2 => 34,
            Self::DragonflyCms => 35,
            Self::DragonflyTopk => 36,
            Self::DragonflyCuckoo => 37,
            Self::KeyDbCron => 64,
        }
    }

    /// The logical type.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::String => Kind::String,
            Self::List | Self::ListZiplist | Self::ListQuicklist | Self::ListQuicklist2 => Kind::List,
            Self::Set | Self::SetIntset | Self::SetListpack | Self::DragonflySetExpiry => Kind::Set,
            Self::Zset | Self::Zset2 | Self::ZsetZiplist | Self::ZsetListpack => Kind::Zset,
            Self::Hash
            | Self::HashZipmap
            | Self::HashZiplist
            | Self::HashListpack
            | Self::HashMetadataPreGa
            | Self::HashListpackExPreGa
            | Self::HashMetadata
            | Self::HashListpackEx
            | Self::ValkeyHash2
            | Self::HashTemplateListpack
            | Self::HashTemplateListpackRef
            | Self::HashTemplateArray
            | Self::HashTemplateArrayRef
            | Self::DragonflyHashExpiry => Kind::Hash,
            Self::StreamListpacks
            | Self::StreamListpacks2
            | Self::StreamListpacks3
            | Self::StreamListpacks4
            | Self::StreamListpacks5 => Kind::Stream,
            Self::Array => Kind::Array,
            Self::ModulePreGa
            | Self::Module2
            | Self::Gcra
            | Self::DragonflyJson
            | Self::DragonflySbf
            | Self::DragonflySbf2
            | Self::DragonflyCms
            | Self::DragonflyTopk
            | Self::DragonflyCuckoo
            | Self::KeyDbCron => Kind::Module,
        }
    }

    /// The encoding as our output names it. Strings have three more specific ones, see `ValueRef::encoding`.
    #[must_use]
    pub fn encoding(self) -> &'static str {
        match self {
            Self::String => "raw",
            Self::List => "linkedlist",
            Self::Set | Self::Hash | Self::HashMetadataPreGa | Self::HashMetadata | Self::ValkeyHash2 => "hashtable",
            Self::DragonflyHashExpiry | Self::DragonflySetExpiry => "hashtable",
            Self::Zset | Self::Zset2 => "skiplist",
            Self::ModulePreGa => "module-pre-ga",
            Self::Module2 => "module",
            Self::HashZipmap => "zipmap",
            Self::ListZiplist | Self::ZsetZiplist | Self::HashZiplist => "ziplist",
            Self::SetIntset => "intset",
            Self::ListQuicklist => "quicklist",
            Self::ListQuicklist2 => "quicklist2",
            Self::StreamListpacks => "stream-listpacks",
            Self::StreamListpacks2 => "stream-listpacks-2",
            Self::StreamListpacks3 => "stream-listpacks-3",
            Self::StreamListpacks4 => "stream-listpacks-4",
            Self::StreamListpacks5 => "stream-listpacks-5",
            Self::HashListpack | Self::ZsetListpack | Self::SetListpack => "listpack",
            Self::HashListpackExPreGa | Self::HashListpackEx => "listpackex",
            Self::Array => "array",
            Self::HashTemplateListpack | Self::HashTemplateListpackRef => "listpack-template",
            Self::HashTemplateArray | Self::HashTemplateArrayRef => "hashtable-template",
            Self::Gcra => "gcra",
            Self::DragonflyJson => "json",
            Self::DragonflySbf | Self::DragonflySbf2 => "sbf",
            Self::DragonflyCms => "cms",
            Self::DragonflyTopk => "topk",
            Self::DragonflyCuckoo => "cuckoo",
            Self::KeyDbCron => "cron",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_types_mirror_each_other_in_every_dialect() {
        for dialect in [Dialect::Redis, Dialect::Valkey, Dialect::Dragonfly, Dialect::KeyDb] {
            for byte in 0..=255 {
                if let Some(value_type) = ValueType::from_byte(byte, dialect) {
                    assert_eq!(value_type.byte(), byte, "{value_type:?}");
                }
            }
        }
        assert_eq!(ValueType::from_byte(22, Dialect::Redis), Some(ValueType::HashMetadataPreGa));
        assert_eq!(ValueType::from_byte(22, Dialect::Valkey), Some(ValueType::ValkeyHash2));
        assert_eq!(ValueType::from_byte(30, Dialect::Dragonfly), Some(ValueType::DragonflyJson));
        assert_eq!(ValueType::from_byte(8, Dialect::Redis), None);
    }
}

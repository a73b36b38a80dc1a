//! What an RDB file is made of.

use super::object::{MemberExpiries, ModuleRef, Template, ValueRef};
use super::opcode::{Dialect, ValueType};
use super::string::StringRef;
use crate::value::{Blob, DbIndex, UnixMillis};

/// One record.
#[derive(Debug, Clone)]
pub enum Record<'a> {
    /// A named value about the file or its server.
    Aux {
        /// Where the record begins.
        offset: u64,
        /// Its name.
        name: Blob<'a>,
        /// Its value.
        value: Blob<'a>,
    },
    /// The database of the keys that follow.
    SelectDb {
        /// Where the record begins.
        offset: u64,
        /// The database.
        db: DbIndex,
    },
    /// How many keys the database has, and how many of them expire.
    ResizeDb {
        /// Where the record begins.
        offset: u64,
        /// All keys.
        keys: u64,
        /// Those with an expiry.
        expires: u64,
    },
    /// A key.
    Key(KeyRecord<'a>),
    /// A function library's source.
    Function {
        /// Where the record begins.
        offset: u64,
        /// The source text, `#!lua name=…` first.
        code: StringRef<'a>,
    },
    /// A module's data outside the keys.
    ModuleAux {
        /// Where the record begins.
        offset: u64,
        /// 1 before the keys, 2 behind them.
        when: u64,
        /// Whose data it is.
        module: ModuleRef<'a>,
    },
    /// How many keys the slot of the keys that follow has (Redis 7.4).
    SlotInfo {
        /// Where the record begins.
        offset: u64,
        /// The slot.
        slot: u64,
        /// Its keys.
        keys: u64,
        /// Those with an expiry.
        expires: u64,
    },
    /// Field names that hashes further down refer to by number (Redis 8.10).
    HashTemplate {
        /// Where the record begins.
        offset: u64,
        /// The number.
        id: u64,
        /// The names.
        template: Template<'a>,
    },
    /// Compressed records (Dragonfly): inflate them and read them as records that stand here.
    Compressed(CompressedBlob<'a>),
    /// A piece of an entry (Dragonfly): pieces of one stream id, put together, are one record.
    Chunk {
        /// Where the record begins.
        offset: u64,
        /// Which entry.
        stream: u32,
        /// The piece.
        payload: &'a [u8],
    },
    /// A record that matters only to the server that wrote it, stepped over.
    Other {
        /// Where the record begins.
        offset: u64,
        /// Its opcode.
        opcode: u8,
        /// Its body.
        body: &'a [u8],
    },
    /// The end: what stands behind belongs to something else.
    End {
        /// Where the opcode stands.
        offset: u64,
        /// The stored checksum, 0 when it was switched off, absent before version 5.
        checksum: Option<u64>,
    },
}

/// A key, its attributes and its value.
///
/// Kept small (it is moved about by the million): what few keys have is read from [`KeyRecord::raw`] when asked for.
#[derive(Debug, Clone)]
pub struct KeyRecord<'a> {
    /// Where the record begins, with the opcodes that belong to the key.
    pub offset: u64,
    /// The whole record as stored, with those opcodes, and with the AUX fields behind it that belong to the key (KeyDB).
    pub raw: &'a [u8],
    /// The database.
    pub db: DbIndex,
    /// The key.
    pub key: Blob<'a>,
    /// When it expires.
    pub expiry: Option<UnixMillis>,
    /// The value.
    pub value: ValueRef<'a>,
}

/// What the opcodes before a key say about it, besides its expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes<'a> {
    /// LRU: seconds since it was last used.
    pub idle_seconds: Option<u64>,
    /// LFU: the logarithmic counter.
    pub freq: Option<u8>,
    /// Module metadata (Redis 8.6): a count and classes, as stored; empty when there is none.
    pub metadata: &'a [u8],
}

impl<'a> KeyRecord<'a> {
    /// Where the record ends.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.raw.len() as u64)
    }

    /// The attributes, which few keys have.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        match self.raw.first() {
            Some(&first) if ValueType::from_byte(first, Dialect::Dragonfly).is_none() => {
                super::reader::attributes_of(self.raw, self.offset)
            }
            _ => Attributes::default(),
        }
    }

    /// KeyDB's expiry of members.
    #[must_use]
    pub fn member_expiries(&self) -> MemberExpiries<'a> {
        let behind = self.value.end().saturating_sub(self.offset);
        let rest = usize::try_from(behind).ok().and_then(|at| self.raw.get(at..)).unwrap_or_default();
        MemberExpiries::new(rest, self.value.end())
    }
}

/// How a blob of records is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// A zstd frame.
    Zstd,
    /// An LZ4 frame.
    Lz4,
}

/// Compressed records.
#[derive(Debug, Clone, Copy)]
pub struct CompressedBlob<'a> {
    /// Where the record begins.
    pub offset: u64,
    /// The database selected before it.
    pub db: DbIndex,
    /// How it is compressed.
    pub compression: Compression,
    /// The frame.
    pub frame: &'a [u8],
}

impl Record<'_> {
    /// Where the record begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self {
            Self::Aux { offset, .. }
            | Self::SelectDb { offset, .. }
            | Self::ResizeDb { offset, .. }
            | Self::Function { offset, .. }
            | Self::ModuleAux { offset, .. }
            | Self::SlotInfo { offset, .. }
            | Self::HashTemplate { offset, .. }
            | Self::Chunk { offset, .. }
            | Self::Other { offset, .. }
            | Self::End { offset, .. } => *offset,
            Self::Key(key) => key.offset,
            Self::Compressed(blob) => blob.offset,
        }
    }
}

//! A file as a tree of fields: read from any bytes at all, written with every length, count and checksum right.
//!
//! Reading never fails. Where a length promises more than there is, it is cut; where a byte means nothing, it is passed over.
//! So `write(read(x))` is the nearest well-formed file that this module can think of, and a change of the tree in
//! between reaches what lies behind the outer checks.
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`shape`] | which fields a record has |
//! | [`read`], [`write`] | fields from bytes and back |
//! | [`packed`] | the elements of packed blobs |
//! | [`image`], [`payload`], [`log`] | an RDB image, a DUMP payload, a log |

mod image;
mod log;
mod packed;
mod payload;
mod read;
mod shape;
#[cfg(test)]
mod tests;
mod write;

pub use image::{Image, Record};
pub use log::{Entry, Log};
pub use payload::Payload;
pub use shape::Packing;

/// How a string is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Raw,
    /// As a binary integer of 1, 2 or 4 bytes.
    Integer,
    /// Compressed.
    Lzf,
}

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// So many bytes, whatever the field is made to be.
    Fixed {
        /// Its bytes.
        bytes: Vec<u8>,
        /// How many are written.
        len: usize,
    },
    /// A number in the length encoding.
    Number(u64),
    /// A string.
    Text {
        /// Its text, or the bytes of its integer.
        bytes: Vec<u8>,
        /// How it is stored.
        form: Form,
    },
    /// A string that holds a packed blob.
    Blob {
        /// How it is packed.
        packing: Packing,
        /// Elements come in groups of so many.
        arity: usize,
        /// How the string is stored.
        form: Form,
        /// The elements: encoding and data, without what says how long they are from behind.
        items: Vec<Vec<u8>>,
    },
    /// A decimal score.
    Score(Vec<u8>),
    /// Groups of fields.
    Many {
        /// The groups.
        groups: Vec<Vec<Node>>,
        /// True when a count stands before them, false when a zero ends them.
        counted: bool,
    },
    /// What is not looked into.
    Opaque(Vec<u8>),
}

/// What the bytes of a file are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An RDB image, with or without a log behind it.
    Image,
    /// What `DUMP` gives and `RESTORE` takes.
    Payload,
    /// RESP commands.
    Log,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// An RDB image.
    Image(Image),
    /// A DUMP payload.
    Payload(Payload),
    /// A log.
    Log(Log),
}

impl Kind {
    /// What bytes look most like.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"REDIS") || bytes.starts_with(b"VALKEY") {
            Self::Image
        } else if matches!(bytes.first(), Some(b'*' | b'#')) {
            Self::Log
        } else {
            Self::Payload
        }
    }
}

impl Tree {
    /// The tree of any bytes.
    #[must_use]
    pub fn read(kind: Kind, bytes: &[u8]) -> Self {
        match kind {
            Kind::Image => Self::Image(Image::read(bytes)),
            Kind::Payload => Self::Payload(Payload::read(bytes)),
            Kind::Log => Self::Log(Log::read(bytes)),
        }
    }

    /// The bytes, lengths and checksums right.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Image(image) => image.write(),
            Self::Payload(payload) => payload.write(),
            Self::Log(log) => log.write(),
        }
    }
}

/// Any bytes with their lengths, counts and checksums made right: what is damaged beyond that is still damaged.
#[must_use]
pub fn fix(kind: Kind, bytes: &[u8]) -> Vec<u8> {
    Tree::read(kind, bytes).write()
}

/// An RDB image or a DUMP payload as it is, but for the checksum.
#[must_use]
pub fn fix_checksum(kind: Kind, bytes: &[u8]) -> Vec<u8> {
    let mut fixed = bytes.to_vec();
    let whole = match kind {
        Kind::Image => bytes.len() > 17,
        Kind::Payload => bytes.len() > 10,
        Kind::Log => false,
    };
    if whole {
        fixed.truncate(bytes.len().saturating_sub(8));
        let sum = crate::bytes::crc64::jones(&fixed);
        fixed.extend_from_slice(&sum.to_le_bytes());
    }
    fixed
}

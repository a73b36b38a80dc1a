//! What can be wrong with an RDB image, and where.

use std::fmt;

use crate::bytes::{Exhausted, Truncated, lzf};
use crate::packed;

/// The result of reading RDB bytes.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Reading could not go on. One word wide; the details are behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    offset: u64,
    doing: Option<Doing>,
    kind: ErrorKind,
    key: Option<Box<[u8]>>,
}

/// What was being read, in the words of redis-check-rdb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// The nine bytes of the header.
    Start,
    /// The byte that says what follows.
    ReadType,
    /// An expiry time.
    ReadExpire,
    /// A key's name.
    ReadKey,
    /// A key's value.
    ReadObjectValue,
    /// A length, or the body of an opcode.
    ReadLength,
    /// An AUX field.
    ReadAux,
    /// A module's AUX record.
    ReadModuleAux,
    /// A function library.
    ReadFunction,
    /// The trailer.
    CheckSum,
}

impl Doing {
    /// As redis-check-rdb prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::ReadType => "read-type",
            Self::ReadExpire => "read-expire",
            Self::ReadKey => "read-key",
            Self::ReadObjectValue => "read-object-value",
            Self::ReadLength => "read-len",
            Self::ReadAux => "read-aux",
            Self::ReadModuleAux => "read-module-aux",
            Self::ReadFunction => "read-function",
            Self::CheckSum => "check-sum",
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The input ended inside something.
    Truncated {
        /// Bytes needed.
        wanted: u64,
        /// Bytes left.
        available: u64,
    },
    /// Not an RDB file.
    BadMagic,
    /// The version is not a number, or not one that this magic can carry.
    BadVersion,
    /// The first byte of a length that is none.
    BadLength(u8),
    /// The first byte of a string that is none.
    BadStringEncoding(u8),
    /// No value type and no opcode has this number.
    UnknownType(u8),
    /// LZF data that does not decompress.
    Lzf(lzf::Error),
    /// A nested blob that is damaged; the error's own offset is inside the blob.
    Packed(packed::Error),
    /// The checksum at the end is not that of the bytes before it.
    Checksum {
        /// The one that is stored.
        stored: u64,
        /// The one that the bytes add up to.
        computed: u64,
    },
    /// Some other rule of the format is broken.
    Invalid {
        /// Stable code.
        code: &'static str,
        /// What is wrong, as a clause.
        what: &'static str,
    },
    /// A limit is reached: of memory, mostly.
    Exhausted(Exhausted),
}

impl Error {
    /// An error of this kind at an absolute offset.
    #[cold]
    #[must_use]
    pub fn new(offset: u64, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { offset, doing: None, kind, key: None }))
    }

    /// A broken rule.
    #[cold]
    #[must_use]
    pub fn invalid(offset: u64, code: &'static str, what: &'static str) -> Self {
        Self::new(offset, ErrorKind::Invalid { code, what })
    }

    /// A checksum at `offset` that is not that of the bytes before it.
    #[cold]
    #[must_use]
    pub fn checksum(offset: u64, stored: u64, computed: u64) -> Self {
        Self::new(offset, ErrorKind::Checksum { stored, computed }).while_doing(Doing::CheckSum)
    }

    /// A damaged nested blob that begins at `offset`.
    #[cold]
    #[must_use]
    pub fn packed(offset: u64, error: packed::Error) -> Self {
        Self::new(offset, ErrorKind::Packed(error))
    }

    /// LZF data at `offset` that does not decompress.
    #[cold]
    #[must_use]
    pub fn lzf(offset: u64, error: lzf::Error) -> Self {
        Self::new(offset, ErrorKind::Lzf(error))
    }

    /// A value that commands made and that cannot be written as a server would store it.
    #[cold]
    #[must_use]
    pub fn without_stored_form() -> Self {
        Self::invalid(0, "module-without-stored-form", "a module's value that commands made has no stored form")
    }

    /// Say what was being read, unless somebody who knew better already did.
    #[cold]
    #[must_use]
    pub fn while_doing(mut self, doing: Doing) -> Self {
        self.0.doing.get_or_insert(doing);
        self
    }

    /// Say in which key it happened.
    #[cold]
    #[must_use]
    pub fn in_key(mut self, key: &[u8]) -> Self {
        self.0.key.get_or_insert_with(|| key.into());
        self
    }

    /// Absolute offset in the input.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// What was being read.
    #[must_use]
    pub fn doing(&self) -> Option<Doing> {
        self.0.doing
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The key whose record is concerned, when its name could be read.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.0.key.as_deref()
    }

    /// True when the input ended inside something, which is not the same as damage.
    #[must_use]
    pub fn is_torn(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Truncated { .. })
    }

    /// True when the file may be sound and only our limits are too low for it.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Exhausted(_))
    }

    /// The limit that is reached.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self.0.kind {
            ErrorKind::Exhausted(spent) => Some(spent),
            _ => None,
        }
    }

    /// Stable, kebab-case; listed in `docs/codes.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.0.kind {
            ErrorKind::Truncated { .. } => "rdb-truncated",
            ErrorKind::BadMagic => "rdb-bad-magic",
            ErrorKind::BadVersion => "rdb-bad-version",
            ErrorKind::BadLength(_) => "rdb-bad-length",
            ErrorKind::BadStringEncoding(_) => "rdb-bad-string-encoding",
            ErrorKind::UnknownType(_) => "rdb-unknown-type",
            ErrorKind::Lzf(error) => error.code(),
            ErrorKind::Packed(error) => error.code(),
            ErrorKind::Checksum { .. } => "rdb-checksum-mismatch",
            ErrorKind::Invalid { code, .. } => code,
            ErrorKind::Exhausted(spent) => spent.code(),
        }
    }

    /// What the reader of the message can do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match &self.0.kind {
            ErrorKind::Truncated { .. } => "the file is incomplete; `careen repair` keeps every whole record",
            ErrorKind::BadMagic => "the first bytes are not those of an RDB file; is it an AOF, or another file?",
            ErrorKind::BadVersion => "no server writes this version number",
            ErrorKind::Checksum { .. } => "some byte is damaged; `careen repair` may find which one",
            ErrorKind::Exhausted(spent) => spent.hint(),
            ErrorKind::UnknownType(_) => "damage, or a file from a newer server; `careen repair` keeps what is intact",
            _ => "`careen repair` keeps what is intact",
        })
    }

    /// The clause after "offset N:", without key and hint.
    #[must_use]
    pub fn why(&self) -> String {
        match &self.0.kind {
            ErrorKind::Truncated { wanted, available } => {
                format!("the input ends: {wanted} bytes expected, {available} left")
            }
            ErrorKind::BadMagic => "no RDB header (REDIS or VALKEY and a version)".into(),
            ErrorKind::BadVersion => "the version in the header is not one".into(),
            ErrorKind::BadLength(byte) => format!("byte 0x{byte:02x} begins no length"),
            ErrorKind::BadStringEncoding(byte) => format!("byte 0x{byte:02x} begins no string"),
            ErrorKind::UnknownType(byte) => format!("no value type or opcode has the number {byte}"),
            ErrorKind::Lzf(error) => format!("compressed string: {error}"),
            ErrorKind::Packed(error) => format!("nested blob, byte {}: {error}", error.offset),
            ErrorKind::Checksum { stored, computed } => {
                format!("the checksum is {stored:016x}, the bytes add up to {computed:016x}")
            }
            ErrorKind::Invalid { what, .. } => (*what).into(),
            ErrorKind::Exhausted(spent) => spent.to_string(),
        }
    }
}

impl From<Truncated> for Error {
    #[cold]
    fn from(t: Truncated) -> Self {
        Self::new(t.offset, ErrorKind::Truncated { wanted: t.wanted, available: t.available })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(doing) = self.0.doing {
            write!(f, "{} ", doing.name())?;
        }
        write!(f, "at offset {}: {}", self.0.offset, self.why())?;
        if let Some(key) = &self.0.key {
            write!(f, " (key \"{}\")", key.escape_ascii())?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

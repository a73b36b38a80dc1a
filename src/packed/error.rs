//! What can be wrong with a packed blob.

use std::fmt;

/// Something in a blob is not as a server writes it, with the place inside the blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// Offset inside the blob (after decompression, where it was compressed).
    pub offset: u64,
    /// What is wrong there.
    pub kind: ErrorKind,
}

/// The kinds of damage. Match on these, never on the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Fewer bytes than header and terminator take.
    ListpackTooShort,
    /// The header's total is not the length of the blob.
    ListpackSizeMismatch {
        /// The header's total.
        claimed: u32,
        /// The length of the blob.
        actual: u64,
    },
    /// The last byte is not `ff`.
    ListpackMissingTerminator,
    /// `f5` … `fe` begin no element.
    ListpackUnknownEncoding(u8),
    /// An element or its backlen goes past the terminator.
    ListpackTruncatedElement,
    /// The backlen after an element does not tell the element's size.
    ListpackBadBacklen {
        /// The size of the element.
        size: u64,
    },
    /// `ff` stands where an element should, before the end.
    ListpackEarlyTerminator,
    /// The header's count is not the number of elements.
    ListpackCountMismatch {
        /// The header's count.
        claimed: u16,
        /// The elements there are.
        counted: u64,
    },
    /// Fewer bytes than header and terminator take.
    ZiplistTooShort,
    /// The header's total is not the length of the blob.
    ZiplistSizeMismatch {
        /// The header's total.
        claimed: u32,
        /// The length of the blob.
        actual: u64,
    },
    /// The last byte is not `ff`.
    ZiplistMissingTerminator,
    /// The header's offset of the last entry lies outside or is not where the last entry begins.
    ZiplistBadTail {
        /// The header's offset.
        claimed: u32,
    },
    /// No entry begins with this byte.
    ZiplistUnknownEncoding(u8),
    /// An entry goes past the terminator.
    ZiplistTruncatedEntry,
    /// An entry does not tell the size of the one before it.
    ZiplistBadPrevlen {
        /// The size it tells.
        claimed: u32,
        /// The size there is.
        actual: u64,
    },
    /// `ff` stands where an entry should, before the end.
    ZiplistEarlyTerminator,
    /// The header's count is not the number of entries.
    ZiplistCountMismatch {
        /// The header's count.
        claimed: u16,
        /// The entries there are.
        counted: u64,
    },
    /// Fewer bytes than count and terminator take.
    ZipmapTooShort,
    /// The last byte is not `ff`.
    ZipmapMissingTerminator,
    /// A key or value goes past the terminator.
    ZipmapTruncatedPair,
    /// A length below 254 stands in the five-byte form.
    ZipmapLongLength {
        /// The length.
        len: u32,
    },
    /// A key occurs twice.
    ZipmapDuplicateKey,
    /// The count is not the number of pairs.
    ZipmapCountMismatch {
        /// The count byte.
        claimed: u8,
        /// The pairs there are.
        counted: u64,
    },
    /// There is no pair.
    ZipmapEmpty,
    /// Fewer bytes than the header takes.
    IntsetTooShort,
    /// The width is not 2, 4 or 8.
    IntsetBadWidth(u32),
    /// Width times count is not the number of bytes present.
    IntsetSizeMismatch {
        /// The bytes that width and count ask for, header included.
        claimed: u64,
        /// The length of the blob.
        actual: u64,
    },
    /// There is no integer.
    IntsetEmpty,
    /// An integer is not greater than the one before it.
    IntsetUnsorted,
    /// An element that must be an integer is not one.
    StreamExpectedInteger,
    /// The listpack ends inside the master entry or an entry.
    StreamTruncatedEntry,
    /// The master entry does not end with 0.
    StreamBadMasterEnd,
    /// A negative number of entries or fields.
    StreamBadCount(i64),
    /// The master entry's numbers of live and deleted entries are not those of the listpack.
    StreamCountMismatch {
        /// Live and deleted entries by the master entry.
        claimed: (u64, u64),
        /// Live and deleted entries there are.
        counted: (u64, u64),
    },
    /// An entry's element count is not the number of its elements.
    StreamBadEntryLength {
        /// The number it ends with.
        claimed: i64,
        /// The elements it has.
        counted: u64,
    },
}

impl Error {
    #[cold]
    pub(super) fn new(offset: usize, kind: ErrorKind) -> Self {
        Self { offset: offset as u64, kind }
    }

    /// A stable name, as listed in `docs/codes.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl ErrorKind {
    /// A stable name, as listed in `docs/codes.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ListpackTooShort => "listpack-too-short",
            Self::ListpackSizeMismatch { .. } => "listpack-size-mismatch",
            Self::ListpackMissingTerminator => "listpack-missing-terminator",
            Self::ListpackUnknownEncoding(_) => "listpack-unknown-encoding",
            Self::ListpackTruncatedElement => "listpack-truncated-element",
            Self::ListpackBadBacklen { .. } => "listpack-bad-backlen",
            Self::ListpackEarlyTerminator => "listpack-early-terminator",
            Self::ListpackCountMismatch { .. } => "listpack-count-mismatch",
            Self::ZiplistTooShort => "ziplist-too-short",
            Self::ZiplistSizeMismatch { .. } => "ziplist-size-mismatch",
            Self::ZiplistMissingTerminator => "ziplist-missing-terminator",
            Self::ZiplistBadTail { .. } => "ziplist-bad-tail",
            Self::ZiplistUnknownEncoding(_) => "ziplist-unknown-encoding",
            Self::ZiplistTruncatedEntry => "ziplist-truncated-entry",
            Self::ZiplistBadPrevlen { .. } => "ziplist-bad-prevlen",
            Self::ZiplistEarlyTerminator => "ziplist-early-terminator",
            Self::ZiplistCountMismatch { .. } => "ziplist-count-mismatch",
            Self::ZipmapTooShort => "zipmap-too-short",
            Self::ZipmapMissingTerminator => "zipmap-missing-terminator",
            Self::ZipmapTruncatedPair => "zipmap-truncated-pair",
            Self::ZipmapLongLength { .. } => "zipmap-long-length",
            Self::ZipmapDuplicateKey => "zipmap-duplicate-key",
            Self::ZipmapCountMismatch { .. } => "zipmap-count-mismatch",
            Self::ZipmapEmpty => "zipmap-empty",
            Self::IntsetTooShort => "intset-too-short",
            Self::IntsetBadWidth(_) => "intset-bad-width",
            Self::IntsetSizeMismatch { .. } => "intset-size-mismatch",
            Self::IntsetEmpty => "intset-empty",
            Self::IntsetUnsorted => "intset-unsorted",
            Self::StreamExpectedInteger => "stream-expected-integer",
            Self::StreamTruncatedEntry => "stream-truncated-entry",
            Self::StreamBadMasterEnd => "stream-bad-master-end",
            Self::StreamBadCount(_) => "stream-bad-count",
            Self::StreamCountMismatch { .. } => "stream-count-mismatch",
            Self::StreamBadEntryLength { .. } => "stream-bad-entry-length",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ListpackTooShort => f.write_str("a listpack has at least 7 bytes"),
            Self::ListpackSizeMismatch { claimed, actual } => {
                write!(f, "the listpack says that it has {claimed} bytes, it has {actual}")
            }
            Self::ListpackMissingTerminator => f.write_str("a listpack ends with ff"),
            Self::ListpackUnknownEncoding(byte) => write!(f, "no listpack element begins with {byte:02x}"),
            Self::ListpackTruncatedElement => f.write_str("the listpack ends inside an element"),
            Self::ListpackBadBacklen { size } => write!(f, "the backlen should say {size}"),
            Self::ListpackEarlyTerminator => f.write_str("ff stands before the end of the listpack"),
            Self::ListpackCountMismatch { claimed, counted } => {
                write!(f, "the listpack says that it has {claimed} elements, it has {counted}")
            }
            Self::ZiplistTooShort => f.write_str("a ziplist has at least 11 bytes"),
            Self::ZiplistSizeMismatch { claimed, actual } => {
                write!(f, "the ziplist says that it has {claimed} bytes, it has {actual}")
            }
            Self::ZiplistMissingTerminator => f.write_str("a ziplist ends with ff"),
            Self::ZiplistBadTail { claimed } => {
                write!(f, "the last entry does not begin at {claimed} as the header says")
            }
            Self::ZiplistUnknownEncoding(byte) => write!(f, "no ziplist entry has the encoding {byte:02x}"),
            Self::ZiplistTruncatedEntry => f.write_str("the ziplist ends inside an entry"),
            Self::ZiplistBadPrevlen { claimed, actual } => {
                write!(f, "the entry says that the one before it has {claimed} bytes, it has {actual}")
            }
            Self::ZiplistEarlyTerminator => f.write_str("ff stands before the end of the ziplist"),
            Self::ZiplistCountMismatch { claimed, counted } => {
                write!(f, "the ziplist says that it has {claimed} entries, it has {counted}")
            }
            Self::ZipmapTooShort => f.write_str("a zipmap has at least 2 bytes"),
            Self::ZipmapMissingTerminator => f.write_str("a zipmap ends with ff"),
            Self::ZipmapTruncatedPair => f.write_str("the zipmap ends inside a pair"),
            Self::ZipmapLongLength { len } => write!(f, "the length {len} should stand in one byte"),
            Self::ZipmapDuplicateKey => f.write_str("the key occurs before in this zipmap"),
            Self::ZipmapCountMismatch { claimed, counted } => {
                write!(f, "the zipmap says that it has {claimed} pairs, it has {counted}")
            }
            Self::ZipmapEmpty => f.write_str("a zipmap has at least one pair"),
            Self::IntsetTooShort => f.write_str("an intset has at least 8 bytes"),
            Self::IntsetBadWidth(width) => write!(f, "an intset's integers take 2, 4 or 8 bytes, not {width}"),
            Self::IntsetSizeMismatch { claimed, actual } => {
                write!(f, "the intset's header asks for {claimed} bytes, it has {actual}")
            }
            Self::IntsetEmpty => f.write_str("an intset has at least one integer"),
            Self::IntsetUnsorted => f.write_str("an intset's integers ascend, this one does not"),
            Self::StreamExpectedInteger => f.write_str("this element of a stream node should be an integer"),
            Self::StreamTruncatedEntry => f.write_str("the stream node ends inside an entry"),
            Self::StreamBadMasterEnd => f.write_str("a stream node's master entry ends with 0"),
            Self::StreamBadCount(count) => write!(f, "a stream node has no {count} entries or fields"),
            Self::StreamCountMismatch { claimed: (live, deleted), counted } => write!(
                f,
                "the stream node says {live} live and {deleted} deleted entries, it has {} and {}",
                counted.0, counted.1
            ),
            Self::StreamBadEntryLength { claimed, counted } => {
                write!(f, "the stream entry says that it has {claimed} elements, it has {counted}")
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {} in the blob)", self.kind, self.offset)
    }
}

impl std::error::Error for Error {}

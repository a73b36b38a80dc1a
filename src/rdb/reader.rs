//! Bytes to records.
//!
//! ```text
//! magic and version (9 bytes)   { record }*   ff   [crc64 u64 LE, since version 5]
//! ```
//!
//! Source: Redis `src/rdb.c`, `rdbLoadRioWithLoadingCtx`.

use super::error::{Doing, Error, ErrorKind, Result};
use super::length;
use super::object::{self, MemberExpiries, ModuleId, ModuleRef, Template, ValueRef};
use super::opcode::{self, Dialect, ValueType};
use super::record::{CompressedBlob, Compression, KeyRecord, Record};
use super::string::{self, Form, Scratch};
use crate::bytes::Cursor;
use crate::value::{Blob, DbIndex, UnixMillis};

/// The first version with a checksum behind it.
const FIRST_WITH_CHECKSUM: u32 = 5;

/// Pulls records from an RDB image. After its first error it returns `None` forever.
#[derive(Debug)]
pub struct Reader<'a> {
    c: Cursor<'a>,
    version: u32,
    dialect: Dialect,
    db: DbIndex,
    next_key: Attributes<'a>,
    templates: Vec<(u64, Template<'a>)>,
    done: bool,
    scratch: Scratch,
}

/// What the opcodes before a key said about it.
#[derive(Debug, Clone, Copy, Default)]
struct Attributes<'a> {
    start: Option<u64>,
    expiry: Option<UnixMillis>,
    idle_seconds: Option<u64>,
    freq: Option<u8>,
    metadata: &'a [u8],
}

/// Magic and version of an RDB image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The number behind the magic.
    pub version: u32,
    /// Redis or Valkey, by the magic.
    pub dialect: Dialect,
}

impl Header {
    /// Length of every header.
    pub const LEN: u64 = 9;

    /// Read the nine bytes.
    ///
    /// # Errors
    /// When they are no header.
    pub fn decode(c: &mut Cursor<'_>) -> Result<Self> {
        let at = c.offset();
        let bytes = match c.array::<9>() {
            Ok(bytes) => bytes,
            Err(_) if !looks_like_magic(c.rest()) => return Err(Error::new(at, ErrorKind::BadMagic)),
            Err(torn) => return Err(torn.into()),
        };
        let (dialect, digits) = match &bytes {
            [b'R', b'E', b'D', b'I', b'S', digits @ ..] => (Dialect::Redis, digits.as_slice()),
            [b'V', b'A', b'L', b'K', b'E', b'Y', digits @ ..] => (Dialect::Valkey, digits.as_slice()),
            _ => return Err(Error::new(at, ErrorKind::BadMagic)),
        };
        let version = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
        match version.and_then(|text| text.parse().ok()) {
            Some(version @ 1..) => Ok(Self { version, dialect }),
            _ => Err(Error::new(at, ErrorKind::BadVersion)),
        }
    }
}

fn looks_like_magic(start: &[u8]) -> bool {
    !start.is_empty()
        && (b"REDIS".starts_with(start.get(..5).unwrap_or(start))
            || b"VALKEY".starts_with(start.get(..6).unwrap_or(start)))
}

impl<'a> Reader<'a> {
    /// Read the header of an image that begins the input.
    ///
    /// # Errors
    /// When the input does not begin with a header.
    pub fn new(input: &'a [u8]) -> Result<Self> {
        Self::at(input, 0)
    }

    /// The same for an image whose first byte has an absolute offset.
    ///
    /// # Errors
    /// When the input does not begin with a header.
    pub fn at(input: &'a [u8], offset: u64) -> Result<Self> {
        let mut c = Cursor::at(input, offset);
        let header = Header::decode(&mut c).map_err(|e| e.while_doing(Doing::Start))?;
        Ok(Self::resume(c, header.version, header.dialect, DbIndex(0)))
    }

    /// Go on in the middle of an image, at the beginning of a record.
    #[must_use]
    pub fn resume(c: Cursor<'a>, version: u32, dialect: Dialect, db: DbIndex) -> Self {
        Self {
            c,
            version,
            dialect,
            db,
            next_key: Attributes::default(),
            templates: Vec::new(),
            done: false,
            scratch: Scratch::default(),
        }
    }

    /// The version in the header.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// By the header, and by the AUX fields read so far.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The database that the next key belongs to.
    #[must_use]
    pub fn db(&self) -> DbIndex {
        self.db
    }

    /// Absolute offset of the next byte; behind [`Record::End`], that of the first byte which is not the image's.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.c.offset()
    }

    /// The next record, or `None` behind the last and after an error.
    ///
    /// # Errors
    /// Where the image is damaged or ends early.
    #[inline]
    pub fn next_record(&mut self) -> Result<Option<Record<'a>>> {
        if self.done {
            return Ok(None);
        }
        let record = self.read_record();
        if !matches!(record, Ok(Some(ref record)) if !matches!(record, Record::End { .. })) {
            self.done = true;
        }
        record
    }

    /// The next record of a run of records that has no end mark (a compressed blob): `None` at the end of the input.
    ///
    /// # Errors
    /// As [`Reader::next_record`].
    pub fn next_inner(&mut self) -> Result<Option<Record<'a>>> {
        while self.c.peek() == Some(opcode::DF_BLOB_END) {
            self.c.u8()?;
        }
        if self.c.is_empty() && self.next_key.start.is_none() {
            return Ok(None);
        }
        self.next_record()
    }

    /// Go on in another database.
    pub fn select(&mut self, db: DbIndex) {
        self.db = db;
    }

    fn read_record(&mut self) -> Result<Option<Record<'a>>> {
        loop {
            let start = self.c.offset();
            let byte = self.c.u8().map_err(|e| Error::from(e).while_doing(Doing::ReadType))?;
            if let Some(value_type) = ValueType::from_byte(byte, self.dialect) {
                return self.key(value_type, start).map(|key| Some(Record::Key(key)));
            }
            if byte == opcode::DF_BLOB_END && self.dialect == Dialect::Dragonfly {
                continue;
            }
            if self.attribute(byte, start)? {
                self.next_key.start.get_or_insert(start);
                continue;
            }
            return self.opcode(byte, start).map(Some);
        }
    }

    /// Opcodes that say something about the next key.
    fn attribute(&mut self, byte: u8, start: u64) -> Result<bool> {
        let c = &mut self.c;
        let read = |e: Error| e.while_doing(Doing::ReadExpire);
        match byte {
            opcode::EXPIRETIME_MS => {
                self.next_key.expiry = Some(UnixMillis(i64::from_le_bytes(c.array().map_err(|e| read(e.into()))?)));
            }
            opcode::EXPIRETIME => {
                let seconds = i32::from_le_bytes(c.array().map_err(|e| read(e.into()))?);
                self.next_key.expiry = Some(UnixMillis(i64::from(seconds).saturating_mul(1000)));
            }
            opcode::IDLE => self.next_key.idle_seconds = Some(length::decode(c)?),
            opcode::FREQ => self.next_key.freq = Some(c.u8().map_err(Error::from)?),
            opcode::RAM_LRU => {
                length::decode(c)?;
                self.dialect = Dialect::RedisEnterprise;
            }
            opcode::KEY_META if self.dialect != Dialect::Valkey => self.next_key.metadata = key_metadata(c, start)?,
            opcode::DF_MASK if self.dialect == Dialect::Dragonfly => {
                let flags = u32::from_le_bytes(c.array().map_err(Error::from)?);
                if flags & 2 != 0 {
                    c.array::<4>()?;
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    #[inline]
    fn key(&mut self, value_type: ValueType, start: u64) -> Result<KeyRecord<'a>> {
        let attributes = std::mem::take(&mut self.next_key);
        let stored = string::decode(&mut self.c).map_err(|e| e.while_doing(Doing::ReadKey))?;
        let key = match stored.form {
            Form::Raw(bytes) => Blob::borrowed(bytes),
            _ => stored.to_blob(&mut self.scratch).map_err(|e| e.while_doing(Doing::ReadKey))?,
        };
        let template = if self.templates.is_empty() { Template::NONE } else { self.template(value_type) };
        let body = self.c;
        if let Err(error) = object::skim(value_type, &mut self.c, template) {
            return Err(error.while_doing(Doing::ReadObjectValue).in_key(&key));
        }
        let value = ValueRef::new(value_type, self.c.since(&body), body.offset()).with_template(template);
        Ok(KeyRecord {
            offset: attributes.start.unwrap_or(start),
            db: self.db,
            key,
            expiry: attributes.expiry,
            idle_seconds: attributes.idle_seconds,
            freq: attributes.freq,
            metadata: attributes.metadata,
            member_expiries: MemberExpiries::after_key(&mut self.c),
            end: self.c.offset(),
            value,
        })
    }

    fn opcode(&mut self, byte: u8, offset: u64) -> Result<Record<'a>> {
        match byte {
            opcode::EOF => self.end(offset).map_err(|e| e.while_doing(Doing::CheckSum)),
            opcode::SELECTDB => self.select_db(offset).map_err(|e| e.while_doing(Doing::ReadLength)),
            opcode::RESIZEDB => self.resize_db(offset).map_err(|e| e.while_doing(Doing::ReadLength)),
            opcode::AUX => self.aux(offset).map_err(|e| e.while_doing(Doing::ReadAux)),
            opcode::MODULE_AUX => self.module_aux(offset).map_err(|e| e.while_doing(Doing::ReadModuleAux)),
            opcode::FUNCTION2 => {
                let code = string::decode(&mut self.c).map_err(|e| e.while_doing(Doing::ReadFunction))?;
                Ok(Record::Function { offset, code })
            }
            opcode::FUNCTION_PRE_GA => self.function_pre_ga(offset).map_err(|e| e.while_doing(Doing::ReadFunction)),
            opcode::SLOT_INFO => {
                let c = &mut self.c;
                let slot = length::decode(c)?;
                Ok(Record::SlotInfo { offset, slot, keys: length::decode(c)?, expires: length::decode(c)? })
            }
            opcode::SLOT_IMPORT if self.dialect == Dialect::Valkey => self.other(byte, offset, |c| {
                string::skip(c)?;
                for _ in 0..length::decode(c)? {
                    length::decode(c)?;
                    length::decode(c)?;
                }
                Ok(())
            }),
            opcode::HASH_TEMPLATE if self.dialect == Dialect::Redis => self.hash_template(offset),
            opcode::DF_FULLSYNC_END..=opcode::DF_TAGGED_CHUNK if self.dialect == Dialect::Dragonfly => {
                self.dragonfly(byte, offset)
            }
            other => Err(Error::new(offset, ErrorKind::UnknownType(other)).while_doing(Doing::ReadType)),
        }
    }

    fn end(&mut self, offset: u64) -> Result<Record<'a>> {
        let checksum =
            if self.version >= FIRST_WITH_CHECKSUM { Some(u64::from_le_bytes(self.c.array()?)) } else { None };
        Ok(Record::End { offset, checksum })
    }

    fn select_db(&mut self, offset: u64) -> Result<Record<'a>> {
        let db = u32::try_from(length::decode(&mut self.c)?).ok().filter(|&db| i32::try_from(db).is_ok());
        self.db = DbIndex(db.ok_or_else(|| Error::invalid(offset, "rdb-bad-db", "no server has that many databases"))?);
        Ok(Record::SelectDb { offset, db: self.db })
    }

    fn resize_db(&mut self, offset: u64) -> Result<Record<'a>> {
        let keys = length::decode(&mut self.c)?;
        Ok(Record::ResizeDb { offset, keys, expires: length::decode(&mut self.c)? })
    }

    fn aux(&mut self, offset: u64) -> Result<Record<'a>> {
        let name = string::decode(&mut self.c)?.to_blob(&mut self.scratch)?;
        let value = string::decode(&mut self.c)?.to_blob(&mut self.scratch)?;
        if self.dialect == Dialect::Redis {
            self.dialect = dialect_of_aux(&name);
        }
        Ok(Record::Aux { offset, name, value })
    }

    fn module_aux(&mut self, offset: u64) -> Result<Record<'a>> {
        let id = ModuleId(length::decode(&mut self.c)?);
        let at = self.c.offset();
        if length::decode(&mut self.c)? != 2 {
            return Err(Error::invalid(
                at,
                "module-aux-bad-when",
                "a module's AUX record does not say when it was saved",
            ));
        }
        let when = length::decode(&mut self.c)?;
        Ok(Record::ModuleAux { offset, when, module: ModuleRef::stream_of(id, &mut self.c)? })
    }

    fn function_pre_ga(&mut self, offset: u64) -> Result<Record<'a>> {
        let c = &mut self.c;
        string::skip(c)?;
        string::skip(c)?;
        if length::decode(c)? != 0 {
            string::skip(c)?;
        }
        Ok(Record::Function { offset, code: string::decode(c)? })
    }

    fn hash_template(&mut self, offset: u64) -> Result<Record<'a>> {
        let id = length::decode(&mut self.c)?;
        let template = Template::decode(&mut self.c)?;
        self.templates.push((id, template));
        Ok(Record::HashTemplate { offset, id, template })
    }

    /// The template that a value about to be read refers to: types 30 and 32 name it by number.
    fn template(&mut self, value_type: ValueType) -> Template<'a> {
        let mut c = self.c;
        let id = match value_type {
            ValueType::HashTemplateArrayRef => length::decode(&mut c).ok(),
            ValueType::HashTemplateListpackRef => object::template_id(&mut c, &mut self.scratch),
            _ => None,
        };
        let found = self.templates.iter().find(|(known, _)| Some(*known) == id);
        found.map_or(Template::NONE, |(_, template)| *template)
    }

    fn dragonfly(&mut self, byte: u8, offset: u64) -> Result<Record<'a>> {
        match byte {
            opcode::DF_ZSTD_BLOB | opcode::DF_LZ4_BLOB => {
                let len = length::decode(&mut self.c)?;
                let frame = self.c.take(len)?;
                let compression = if byte == opcode::DF_LZ4_BLOB { Compression::Lz4 } else { Compression::Zstd };
                Ok(Record::Compressed(CompressedBlob { offset, compression, frame }))
            }
            opcode::DF_TAGGED_CHUNK => {
                let stream = u32::from_le_bytes(self.c.array()?);
                let len = u32::from_le_bytes(self.c.array()?);
                Ok(Record::Chunk { offset, stream, payload: self.c.take(len.into())? })
            }
            opcode::DF_FULLSYNC_END | opcode::DF_JOURNAL_OFFSET => self.other(byte, offset, |c| {
                c.array::<8>()?;
                Ok(())
            }),
            opcode::DF_JOURNAL_BLOB => self.other(byte, offset, |c| {
                length::decode(c)?;
                string::skip(c)
            }),
            opcode::DF_VECTOR_INDEX => self.other(byte, offset, skip_vector_index),
            opcode::DF_SHARD_DOC_INDEX => self.other(byte, offset, |c| {
                length::decode(c)?;
                string::skip(c)?;
                for _ in 0..length::decode(c)? {
                    string::skip(c)?;
                    length::decode(c)?;
                }
                Ok(())
            }),
            other => Err(Error::new(offset, ErrorKind::UnknownType(other)).while_doing(Doing::ReadType)),
        }
    }

    fn other(
        &mut self,
        opcode: u8,
        offset: u64,
        skip: impl FnOnce(&mut Cursor<'a>) -> Result<()>,
    ) -> Result<Record<'a>> {
        let start = self.c;
        skip(&mut self.c)?;
        Ok(Record::Other { offset, opcode, body: self.c.since(&start) })
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Record<'a>>;
    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

/// AUX fields that only one fork writes.
fn dialect_of_aux(name: &[u8]) -> Dialect {
    match name {
        b"df-ver" | b"snapshot-id" | b"shard-count" | b"shard-id" => Dialect::Dragonfly,
        b"mvcc-tstamp" | b"repl-masters" => Dialect::KeyDb,
        _ if name.starts_with(b"bigdb-") || name.starts_with(b"big-") => Dialect::RedisEnterprise,
        _ => Dialect::Redis,
    }
}

/// Module metadata of a key: a count of classes, each with a specification and an opcode stream.
fn key_metadata<'a>(c: &mut Cursor<'a>, at: u64) -> Result<&'a [u8]> {
    let start = *c;
    let classes = length::decode(c)?;
    if classes > 7 {
        return Err(Error::invalid(at, "key-meta-too-many", "a key has more classes of metadata than a server knows"));
    }
    for _ in 0..classes {
        c.array::<4>()?;
        object::skip_module_stream(c)?;
    }
    Ok(c.since(&start))
}

fn skip_vector_index(c: &mut Cursor<'_>) -> Result<()> {
    string::skip(c)?;
    length::decode(c)?;
    for _ in 0..length::decode(c)? {
        c.array::<12>()?;
        let level = u32::from_le_bytes(c.array()?);
        for _ in 0..=level {
            let links = u32::from_le_bytes(c.array()?);
            c.take(u64::from(links).saturating_mul(4))?;
        }
    }
    Ok(())
}

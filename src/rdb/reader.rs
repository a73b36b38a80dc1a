//! Bytes to records.
//!
//! ```text
//! magic and version (9 bytes)   { record }*   ff   [crc64 u64 LE, since version 5]
//! ```
//!
//! Source: Redis `src/rdb.c`, `rdbLoadRioWithLoadingCtx`.

use super::FIRST_WITH_CHECKSUM;
use super::error::{Doing, Error, ErrorKind, Result};
use super::length;
use super::object::{self, MemberExpiries, ModuleId, ModuleRef, Template, ValueRef};
use super::opcode::{self, Dialect, ValueType};
use super::record::{Attributes, CompressedBlob, Compression, KeyRecord, Record};
use super::string::{self, Form, Scratch};
use super::templates::Templates;
use crate::bytes::{Budget, Cursor};
use crate::value::{Blob, DbIndex, UnixMillis};

/// Pulls records from an RDB image. After its first error it returns `None` forever.
#[derive(Debug)]
pub struct Reader<'a> {
    c: Cursor<'a>,
    version: u32,
    dialect: Dialect,
    db: DbIndex,
    next_key: Option<Prefix<'a>>,
    templates: Templates<'a>,
    done: bool,
    scratch: Scratch,
}

/// What [`Reader::skip_record`] stepped over.
#[derive(Debug, Clone, Copy)]
pub enum Skipped<'a> {
    /// A key, or any record but the following.
    Record,
    /// Compressed records.
    Compressed(CompressedBlob<'a>),
    /// A piece of an entry, and which one.
    Chunk(u32, &'a [u8]),
    /// The end, with the stored checksum.
    End(Option<u64>),
}

/// A place between two records.
#[derive(Debug, Clone)]
pub struct Mark<'a> {
    c: Cursor<'a>,
    version: u32,
    dialect: Dialect,
    db: DbIndex,
    templates: Templates<'a>,
    budget: Budget,
}

impl<'a> Mark<'a> {
    /// Absolute offset of the place.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.c.offset()
    }

    /// The account that its readers charge.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What is known here, but at an absolute offset at or behind `earlier`.
    #[must_use]
    pub fn back_at(mut self, earlier: &Self, offset: u64) -> Self {
        self.c = earlier.c;
        let _ = self.c.take(offset.saturating_sub(earlier.offset()));
        self
    }

    /// A reader of its own for the records from here to the absolute offset `end`, which must be between records, too;
    /// [`Reader::next_inner`] ends there.
    #[must_use]
    pub fn reader_until(&self, end: u64) -> Reader<'a> {
        let mut window = self.c;
        let records = window.take(end.saturating_sub(self.c.offset())).unwrap_or_default();
        let reader = Reader::resume(Cursor::at(records, self.c.offset()), self.version, self.dialect, self.db);
        let mut reader = reader.with_budget(&self.budget);
        reader.templates.clone_from(&self.templates);
        reader
    }
}

/// What the opcodes before a key said about it, as far as every reader wants to know.
#[derive(Debug, Clone, Copy)]
struct Prefix<'a> {
    start: Cursor<'a>,
    expiry: Option<UnixMillis>,
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

/// Step over a value. Most are strings, and the cursor stays in registers for them.
#[inline(always)]
fn skim<'a>(value_type: ValueType, c: &mut Cursor<'a>, template: Template<'a>, budget: &Budget) -> Result<()> {
    if value_type == ValueType::String {
        return string::skip(c);
    }
    let mut copy = *c;
    let result = object::skim(value_type, &mut copy, template, budget);
    *c = copy;
    result
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
            next_key: None,
            templates: Templates::default(),
            done: false,
            scratch: Scratch::default(),
        }
    }

    /// Charge what is decompressed while reading (names, AUX fields), and what must be remembered, to an account.
    #[must_use]
    pub fn with_budget(mut self, budget: &Budget) -> Self {
        self.scratch = Scratch::new(budget.clone());
        self
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
        while self.dialect == Dialect::Dragonfly && self.c.peek() == Some(opcode::DF_BLOB_END) {
            self.c.u8()?;
        }
        if self.c.is_empty() && self.next_key.is_none() {
            return Ok(None);
        }
        self.next_record()
    }

    /// The next record of a run without an end mark that can be read. What cannot goes to `broken`; when it can be
    /// stepped over, as a key whose name does not inflate, the run goes on behind it.
    pub fn next_sound(&mut self, mut broken: impl FnMut(Error)) -> Option<Record<'a>> {
        loop {
            let start = self.c;
            let error = match self.next_inner() {
                Ok(record) => return record,
                Err(error) => error,
            };
            let is_exhausted = error.is_exhausted();
            broken(error);
            if is_exhausted {
                return None;
            }
            (self.c, self.next_key, self.done) = (start, None, false);
            if !matches!(self.skip_record(), Ok(Some(_))) {
                return None;
            }
        }
    }

    /// Step over the next record: the same as [`Reader::next_record`], but a key is not looked into.
    ///
    /// # Errors
    /// As [`Reader::next_record`].
    // Into the loop that finds the records of an image: apart from it, a check of small keys takes 5 % more.
    #[inline(always)]
    pub fn skip_record(&mut self) -> Result<Option<Skipped<'a>>> {
        if self.done {
            return Ok(None);
        }
        let skipped = self.skip();
        self.done = matches!(skipped, Err(_) | Ok(Skipped::End(_)));
        skipped.map(Some)
    }

    #[inline(always)]
    fn skip(&mut self) -> Result<Skipped<'a>> {
        loop {
            let start = self.c;
            let mut c = start;
            let byte = c.u8().map_err(|e| Error::from(e).while_doing(Doing::ReadType))?;
            if let Some(value_type) = ValueType::from_byte(byte, self.dialect) {
                // Whatever is unusual about a key is left to the one who reads it whole, above all its errors.
                let key = c;
                let budget = &self.scratch.budget;
                let skimmed = string::skip(&mut c).and_then(|()| skim(value_type, &mut c, Template::NONE, budget));
                if skimmed.is_err() || !self.templates.is_empty() {
                    self.c = key;
                    self.key(value_type, start)?;
                } else {
                    self.next_key = None;
                    self.c = if c.peek() == Some(opcode::AUX) { MemberExpiries::behind_key(c) } else { c };
                }
                return Ok(Skipped::Record);
            }
            self.c = c;
            if !self.prefix(byte, start)? {
                return Ok(match self.opcode(byte, start.offset())? {
                    Record::Compressed(blob) => Skipped::Compressed(blob),
                    Record::Chunk { stream, payload, .. } => Skipped::Chunk(stream, payload),
                    Record::End { checksum, .. } => Skipped::End(checksum),
                    _ => Skipped::Record,
                });
            }
        }
    }

    /// Where this reader is and what it knows.
    #[must_use]
    pub fn mark(&self) -> Mark<'a> {
        let (templates, budget) = (self.templates.clone(), self.scratch.budget.clone());
        Mark { c: self.c, version: self.version, dialect: self.dialect, db: self.db, templates, budget }
    }

    /// Go on in another database.
    pub fn select(&mut self, db: DbIndex) {
        self.db = db;
    }

    #[inline]
    fn read_record(&mut self) -> Result<Option<Record<'a>>> {
        loop {
            let start = self.c;
            let byte = self.c.u8().map_err(|e| Error::from(e).while_doing(Doing::ReadType))?;
            if let Some(value_type) = ValueType::from_byte(byte, self.dialect) {
                return self.key(value_type, start).map(|key| Some(Record::Key(key)));
            }
            if !self.prefix(byte, start)? {
                return self.opcode(byte, start.offset()).map(Some);
            }
        }
    }

    /// Opcodes that belong to the next key.
    fn prefix(&mut self, byte: u8, start: Cursor<'a>) -> Result<bool> {
        let read = |e: Error| e.while_doing(Doing::ReadExpire);
        let Some(opcode) = attribute(byte, &mut self.c, self.dialect).map_err(read)? else {
            return Ok(byte == opcode::DF_BLOB_END && self.dialect == Dialect::Dragonfly);
        };
        if byte == opcode::RAM_LRU && self.dialect == Dialect::Redis {
            self.dialect = Dialect::RedisEnterprise;
        }
        let prefix = self.next_key.get_or_insert(Prefix { start, expiry: None });
        if let Attribute::Expiry(expiry) = opcode {
            prefix.expiry = Some(expiry);
        }
        Ok(true)
    }

    /// The next record when it is a key with nothing unusual about it: no opcodes before it, a short name stored as it
    /// is. Anything else is left to [`Reader::next_record`], above all its errors.
    #[inline(always)]
    pub(crate) fn plain_key(&mut self) -> Option<KeyRecord<'a>> {
        if self.done || self.next_key.is_some() || !self.templates.is_empty() {
            return None;
        }
        let start = self.c;
        let mut c = start;
        let value_type = ValueType::from_byte(c.u8().ok()?, self.dialect)?;
        let key = string::short(&mut c)?;
        let body = c;
        skim(value_type, &mut c, Template::NONE, &self.scratch.budget).ok()?;
        let value = ValueRef::new(value_type, c.since(&body), body.offset());
        if c.peek() == Some(opcode::AUX) {
            return None;
        }
        self.c = c;
        let (offset, raw) = (start.offset(), c.since(&start));
        Some(KeyRecord { offset, raw, db: self.db, key: Blob::borrowed(key), expiry: None, value })
    }

    #[inline]
    fn key(&mut self, value_type: ValueType, start: Cursor<'a>) -> Result<KeyRecord<'a>> {
        let prefix = self.next_key.take().unwrap_or(Prefix { start, expiry: None });
        // Of its own, so that it stays in registers.
        let mut c = self.c;
        let stored = match string::decode(&mut c) {
            Ok(stored) => stored,
            Err(error) => return Err(self.broken_at(c, error).while_doing(Doing::ReadKey)),
        };
        let key = match stored.form {
            Form::Raw(bytes) => Blob::borrowed(bytes),
            _ => stored.to_blob(&mut self.scratch).map_err(|e| self.broken_at(c, e).while_doing(Doing::ReadKey))?,
        };
        let template = if self.templates.is_empty() { Template::NONE } else { self.template(value_type) };
        let body = c;
        if let Err(error) = skim(value_type, &mut c, template, &self.scratch.budget) {
            return Err(self.broken_at(c, error).while_doing(Doing::ReadObjectValue).in_key(&key));
        }
        let value = ValueRef::new(value_type, c.since(&body), body.offset()).with_template(template);
        if c.peek() == Some(opcode::AUX) {
            c = MemberExpiries::behind_key(c);
        }
        self.c = c;
        Ok(KeyRecord {
            offset: prefix.start.offset(),
            raw: c.since(&prefix.start),
            db: self.db,
            key,
            expiry: prefix.expiry,
            value,
        })
    }

    /// An error leaves the reader where reading stopped.
    #[cold]
    fn broken_at(&mut self, c: Cursor<'a>, error: Error) -> Error {
        self.c = c;
        error
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
        let template = Template::decode(&mut self.c, &self.scratch.budget)?;
        self.templates.add(id, template, &self.scratch.budget, offset)?;
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
        id.and_then(|id| self.templates.get(id)).unwrap_or(Template::NONE)
    }

    fn dragonfly(&mut self, byte: u8, offset: u64) -> Result<Record<'a>> {
        match byte {
            opcode::DF_ZSTD_BLOB | opcode::DF_LZ4_BLOB => {
                let len = length::decode(&mut self.c)?;
                let frame = self.c.take(len)?;
                let compression = if byte == opcode::DF_LZ4_BLOB { Compression::Lz4 } else { Compression::Zstd };
                Ok(Record::Compressed(CompressedBlob { offset, db: self.db, compression, frame }))
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

/// An opcode that belongs to the next key.
enum Attribute<'a> {
    Expiry(UnixMillis),
    Idle(u64),
    Freq(u8),
    Metadata(&'a [u8]),
    Ignored,
}

/// Read the body of an opcode that belongs to the next key; `None` when `byte` is another one.
fn attribute<'a>(byte: u8, c: &mut Cursor<'a>, dialect: Dialect) -> Result<Option<Attribute<'a>>> {
    Ok(Some(match byte {
        opcode::EXPIRETIME_MS => Attribute::Expiry(UnixMillis(i64::from_le_bytes(c.array()?))),
        opcode::EXPIRETIME => {
            Attribute::Expiry(UnixMillis(i64::from(i32::from_le_bytes(c.array()?)).saturating_mul(1000)))
        }
        opcode::IDLE => Attribute::Idle(length::decode(c)?),
        opcode::FREQ => Attribute::Freq(c.u8()?),
        opcode::RAM_LRU => {
            length::decode(c)?;
            Attribute::Ignored
        }
        opcode::KEY_META if dialect != Dialect::Valkey => Attribute::Metadata(key_metadata(c)?),
        opcode::DF_MASK if dialect == Dialect::Dragonfly => {
            let flags = u32::from_le_bytes(c.array()?);
            if flags & 2 != 0 {
                c.array::<4>()?;
            }
            Attribute::Ignored
        }
        _ => return Ok(None),
    }))
}

/// Read the opcodes before a key once more, for what few ask for. AUX fields may stand between them.
pub(super) fn attributes_of(raw: &[u8], offset: u64) -> Attributes<'_> {
    let mut c = Cursor::at(raw, offset);
    let mut all = Attributes::default();
    loop {
        let found = match c.u8() {
            Ok(opcode::AUX) => {
                string::skip(&mut c).and_then(|()| string::skip(&mut c)).map(|()| Some(Attribute::Ignored))
            }
            Ok(byte) => attribute(byte, &mut c, Dialect::Redis),
            Err(_) => return all,
        };
        match found {
            Ok(Some(Attribute::Idle(seconds))) => all.idle_seconds = Some(seconds),
            Ok(Some(Attribute::Freq(counter))) => all.freq = Some(counter),
            Ok(Some(Attribute::Metadata(stored))) => all.metadata = stored,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return all,
        }
    }
}

/// AUX fields that only one fork writes: what follows them is read as its own.
pub(crate) fn dialect_of_aux(name: &[u8]) -> Dialect {
    match name {
        b"df-ver" | b"snapshot-id" | b"shard-count" | b"shard-id" => Dialect::Dragonfly,
        b"mvcc-tstamp" | b"repl-masters" => Dialect::KeyDb,
        _ if name.starts_with(b"bigdb-") || name.starts_with(b"big-") => Dialect::RedisEnterprise,
        _ => Dialect::Redis,
    }
}

/// Module metadata of a key: a count of classes, each with a specification and an opcode stream.
fn key_metadata<'a>(c: &mut Cursor<'a>) -> Result<&'a [u8]> {
    let start = *c;
    let at = c.offset();
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

#[cfg(test)]
mod tests;

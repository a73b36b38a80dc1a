//! Values that only forks write.
//!
//! | type | fork | body |
//! | --- | --- | --- |
//! | 31 | Dragonfly | count, then field, value, expiry as strings |
//! | 32 | Dragonfly | count, then member, expiry as strings |
//! | 33, 34 | Dragonfly | scalable Bloom filter |
//! | 35, 36, 37 | Dragonfly | count-min sketch, top-k, cuckoo filter |
//! | 64 | KeyDB | cron: script, start (i64 LE), interval (i64 LE), keys, arguments |
//!
//! Dragonfly's expiry is decimal text: -1 none, else seconds since 2023-02-01T00:00:00Z.
//! KeyDB writes the expiry of a set's or hash's member in AUX records right behind the key.
//! Source: Dragonfly `src/server/rdb_load.cc`, `rdb_save.cc`; KeyDB `src/rdb.cpp`.

use super::{Buffers, Element, Visit};
use crate::bytes::{Budget, Cursor};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::opcode::{AUX, ValueType};
use crate::rdb::string::{self, Form, Scratch, StringRef};
use crate::value::number::canonical_int;
use crate::value::{Blob, UnixMillis};

/// 2023-02-01T00:00:00Z.
const DRAGONFLY_EPOCH_SECONDS: i64 = 1_675_209_600;

pub(super) fn hash_with_expiry<'a>(
    c: &mut Cursor<'a>,
    buffers: &mut Buffers,
    visit: &mut impl Visit<'a>,
) -> Result<()> {
    for _ in 0..length::decode(c)? {
        let field = string::decode(c)?.read(&mut buffers.first)?;
        let value = string::decode(c)?.read(&mut buffers.second)?;
        let expiry = member_expiry(&string::decode(c)?)?;
        visit(Element::Field { field, value, expiry })?;
    }
    Ok(())
}

pub(super) fn set_with_expiry<'a>(c: &mut Cursor<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    for _ in 0..length::decode(c)? {
        let member = string::decode(c)?.read(&mut buffers.first)?;
        let expiry = member_expiry(&string::decode(c)?)?;
        visit(Element::Member(member, expiry))?;
    }
    Ok(())
}

fn member_expiry(text: &StringRef<'_>) -> Result<Option<UnixMillis>> {
    let seconds = match text.form {
        Form::Int(seconds) => Some(i64::from(seconds)),
        Form::Raw(bytes) => canonical_int(bytes),
        Form::Lzf { .. } => None,
    };
    match seconds {
        Some(-1) => Ok(None),
        Some(seconds @ 0..) => {
            Ok(Some(UnixMillis(seconds.saturating_add(DRAGONFLY_EPOCH_SECONDS).saturating_mul(1000))))
        }
        _ => Err(Error::invalid(text.offset, "dragonfly-bad-expiry", "a member's expiry is not a number of seconds")),
    }
}

/// Step over a value of a fork.
pub(super) fn skip(value_type: ValueType, c: &mut Cursor<'_>, budget: &Budget) -> Result<()> {
    match value_type {
        ValueType::KeyDbCron => skip_cron(c, budget),
        ValueType::DragonflySbf => bloom(c, string::skip),
        ValueType::DragonflySbf2 => bloom(c, skip_chunks),
        ValueType::DragonflyCms => {
            let at = c.offset();
            let (width, depth) = (length::decode(c)?, length::decode(c)?);
            length::decode(c)?;
            let bytes = width.checked_mul(depth).and_then(|cells| cells.checked_mul(8));
            c.take(bytes.ok_or_else(|| too_large(at))?)?;
            Ok(())
        }
        ValueType::DragonflyTopk => {
            for _ in 0..4 {
                length::decode(c)?;
            }
            c.array::<8>()?;
            for _ in 0..length::decode(c)? {
                string::skip(c)?;
                length::decode(c)?;
            }
            let bytes = length::decode(c)?;
            c.take(bytes)?;
            Ok(())
        }
        _ => {
            for _ in 0..6 {
                length::decode(c)?;
            }
            for _ in 0..length::decode(c)? {
                skip_chunks(c)?;
            }
            Ok(())
        }
    }
}

fn bloom<'a>(c: &mut Cursor<'a>, mut skip_bits: impl FnMut(&mut Cursor<'a>) -> Result<()>) -> Result<()> {
    length::decode(c)?;
    c.array::<16>()?;
    for _ in 0..3 {
        length::decode(c)?;
    }
    for _ in 0..length::decode(c)? {
        length::decode(c)?;
        skip_bits(c)?;
    }
    Ok(())
}

/// A total, then chunks with a length each until the total is reached.
fn skip_chunks(c: &mut Cursor<'_>) -> Result<()> {
    let mut left = length::decode(c)?;
    while left > 0 {
        let at = c.offset();
        let chunk = length::decode(c)?;
        left = left.checked_sub(chunk).filter(|_| chunk > 0).ok_or_else(|| too_large(at))?;
        c.take(chunk)?;
    }
    Ok(())
}

#[cold]
fn too_large(at: u64) -> Error {
    Error::invalid(at, "dragonfly-bad-size", "the parts of a value do not add up to its size")
}

/// A KeyDB cron job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron<'a> {
    /// The Lua script.
    pub script: Blob<'a>,
    /// First run.
    pub start: UnixMillis,
    /// Milliseconds between runs.
    pub interval_ms: i64,
    /// KEYS of the script.
    pub keys: Vec<Blob<'a>>,
    /// ARGV of the script.
    pub args: Vec<Blob<'a>>,
}

impl<'a> Cron<'a> {
    /// Read a cron value's body.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn decode(raw: &'a [u8], offset: u64, scratch: &mut Scratch) -> Result<Self> {
        cron(&mut Cursor::at(raw, offset), scratch)
    }
}

fn skip_cron(c: &mut Cursor<'_>, budget: &Budget) -> Result<()> {
    string::skip(c)?;
    c.array::<16>()?;
    for _ in 0..2 {
        super::repeat(c, budget, string::skip)?;
    }
    Ok(())
}

fn cron<'a>(c: &mut Cursor<'a>, scratch: &mut Scratch) -> Result<Cron<'a>> {
    let script = string::decode(c)?.to_blob(scratch)?;
    let start = UnixMillis(i64::from_le_bytes(c.array()?));
    let interval_ms = i64::from_le_bytes(c.array()?);
    let mut strings =
        || -> Result<Vec<Blob<'a>>> { (0..length::decode(c)?).map(|_| string::decode(c)?.to_blob(scratch)).collect() };
    let keys = strings()?;
    let args = strings()?;
    Ok(Cron { script, start, interval_ms, keys, args })
}

/// Expiry of single members, which KeyDB writes in pairs of AUX records behind the key they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberExpiries<'a> {
    records: &'a [u8],
    offset: u64,
}

impl<'a> MemberExpiries<'a> {
    /// The AUX records behind a key.
    pub(in crate::rdb) fn new(records: &'a [u8], offset: u64) -> Self {
        Self { records, offset }
    }

    /// Step over the AUX records that belong to the key just read, if there are any.
    #[cold]
    pub(in crate::rdb) fn behind_key(mut c: Cursor<'a>) -> Cursor<'a> {
        while let Some((_, _, next)) = pair(c) {
            c = next;
        }
        c
    }

    /// Member and expiry. An error is that of a name that does not decompress, or that the budget does not hold.
    pub fn iter<'s>(
        &self,
        scratch: &'s mut Scratch,
    ) -> impl Iterator<Item = Result<(Blob<'a>, UnixMillis)>> + use<'a, 's> {
        let mut c = Cursor::at(self.records, self.offset);
        std::iter::from_fn(move || {
            let (member, when, next) = pair(c)?;
            c = next;
            Some(member.to_blob(scratch).map(|member| (member, when)))
        })
    }

    /// True for every key that is not KeyDB's.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// A member, its expiry, and what follows them.
fn pair(mut c: Cursor<'_>) -> Option<(StringRef<'_>, UnixMillis, Cursor<'_>)> {
    let mut aux = |name: &[u8]| {
        (c.u8().ok()? == AUX).then_some(())?;
        let stored = string::decode(&mut c).ok()?;
        matches!(stored.form, Form::Raw(bytes) if bytes == name).then_some(())?;
        string::decode(&mut c).ok()
    };
    let member = aux(b"keydb-subexpire-key")?;
    let when = match aux(b"keydb-subexpire-when")?.form {
        Form::Raw(digits) => canonical_int(digits)?,
        Form::Int(when) => when.into(),
        // So few digits are never compressed.
        Form::Lzf { .. } => return None,
    };
    Some((member, UnixMillis(when), c))
}

//! A unit: one opcode record, or one key record with its prefixes, read as a writer writes it.

use super::KeptKind;
use super::body;
use super::shape::{Shape, is_text};
use super::strict::{Strict, Text};
use crate::bytes::lzf;
use crate::check::value::Inspector;
use crate::keyspace::load::library_name;
use crate::rdb::reader::dialect_of_aux;
use crate::rdb::{Dialect, ValueType, opcode};

/// Where a unit stands and what it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: What,
    /// What speaks for it, in bits, whatever the other keys look like.
    pub(super) bits: f64,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Key(Key),
    Select(u32),
    Resize {
        keys: u64,
    },
    /// Any other opcode record.
    Other(u8),
    End,
}

/// What is remembered about a key record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// The type byte.
    pub(super) value_type: u8,
    /// A hash of the name.
    pub(super) name: u64,
    pub(super) shape: Shape,
    pub(super) empty: bool,
    /// Its name is no text.
    pub(super) binary: bool,
    /// It has an expiry.
    pub(super) expires: bool,
    /// It has an idle time or a frequency.
    pub(super) usage: bool,
    /// Bits that come from nested blobs.
    pub(super) blob: f64,
    /// Bits that come from elements stored one by one.
    pub(super) elements: f64,
}

impl Unit {
    pub(super) fn key(&self) -> Option<&Key> {
        match &self.what {
            What::Key(key) => Some(key),
            _ => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }
}

/// What every guess needs.
pub(super) struct Reading<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) version: u32,
    pub(super) dialect: Dialect,
    /// Types that came with later versions are none here.
    pub(super) newest: u32,
    pub(super) inspector: Inspector,
    pub(super) scratch: Vec<u8>,
}

/// 1973 in milliseconds; no expiry lies before it.
const FIRST_MILLIS: u64 = 94_694_400_000;
/// The version of Redis 2.4; 2.6 writes milliseconds.
const LAST_WITH_SECONDS: u32 = 3;
/// About 2190.
const LAST_MILLIS: u64 = 6_942_672_000_000;

/// The AUX fields that servers write.
const AUX_NAMES: [&[u8]; 16] = [
    b"redis-ver",
    b"redis-bits",
    b"ctime",
    b"used-mem",
    b"aof-preamble",
    b"aof-base",
    b"repl-stream-db",
    b"repl-id",
    b"repl-offset",
    b"lua",
    b"valkey-ver",
    b"redict-ver",
    b"mvcc-tstamp",
    b"keydb-subexpire-key",
    b"keydb-subexpire-when",
    b"df-ver",
];

impl<'a> Reading<'a> {
    /// The unit that begins at an offset, if a writer may have written one there.
    pub(super) fn unit(&mut self, at: usize, steps: u32) -> Option<Unit> {
        let first = *self.bytes.get(at)?;
        let mut s = Strict::new(self.bytes, at, steps);
        let (what, bits) = match first {
            opcode::EXPIRETIME | opcode::EXPIRETIME_MS | opcode::IDLE | opcode::FREQ => self.key(&mut s)?,
            opcode::KEY_META if self.dialect == Dialect::Redis && self.version >= 13 => self.key(&mut s)?,
            _ if ValueType::from_byte(first, self.dialect).is_some() => self.key(&mut s)?,
            _ if !self.has_opcode(first) => return None,
            _ => {
                s.u8()?;
                self.opcode(first, &mut s)?
            }
        };
        Some(Unit { start: at, end: s.at(), what, bits })
    }

    fn opcode(&mut self, first: u8, s: &mut Strict<'a>) -> Option<(What, f64)> {
        Some(match first {
            opcode::SELECTDB => {
                let db = u32::try_from(s.length()?).ok().filter(|&db| db <= 1024)?;
                (What::Select(db), if db < 16 { 9.0 } else { 3.0 })
            }
            opcode::RESIZEDB => {
                let (keys, expires) = (s.length()?, s.length()?);
                let room = u64::try_from(s.remaining()).ok()?;
                (keys > 0 && expires <= keys && keys <= room).then_some((What::Resize { keys }, 6.0))?
            }
            opcode::AUX => {
                let name = s.string()?;
                let known = name.plain().is_some_and(|name| AUX_NAMES.contains(&name) && self.agrees(name));
                let value = s.string()?;
                // Readers look into the value: it may tell whose dialect this is.
                self.reads(&value)?;
                known.then_some((What::Other(first), 40.0))?
            }
            opcode::FUNCTION2 => {
                let code = s.string()?;
                self.reads(&code)?;
                let text = match code {
                    Text::Plain(text) => text,
                    Text::Lzf { .. } => &self.scratch,
                    Text::Int(_) => return None,
                };
                library_name(text).map(|_| (What::Other(first), 40.0))?
            }
            opcode::MODULE_AUX => {
                s.length().filter(|&id| id > u64::from(u32::MAX))?;
                s.length().filter(|&unsigned| unsigned == 2)?;
                s.length().filter(|when| matches!(when, 1 | 2))?;
                body::module_stream(s)?;
                (What::Other(first), 30.0)
            }
            opcode::SLOT_INFO => {
                let (slot, keys, expires) = (s.length()?, s.length()?, s.length()?);
                (slot < 16384 && keys > 0 && expires <= keys).then_some((What::Other(first), 6.0))?
            }
            opcode::EOF => {
                let trailer = if self.version >= crate::rdb::FIRST_WITH_CHECKSUM { 8 } else { 0 };
                s.take(trailer)?;
                (s.remaining() == 0).then_some((What::End, 40.0))?
            }
            _ => return None,
        })
    }

    /// A field of another fork would have all that follows it read as that fork's.
    fn agrees(&self, aux: &[u8]) -> bool {
        let told = dialect_of_aux(aux);
        told == Dialect::Redis || told == self.dialect
    }

    /// A text that can be had whole.
    fn reads(&mut self, text: &Text<'a>) -> Option<()> {
        if let Text::Lzf { compressed, len } = *text {
            self.scratch.clear();
            lzf::decompress(compressed, len, &mut self.scratch).ok()?;
        }
        Some(())
    }

    /// Does the image's version have this type? KeyDB's own has no version of Redis.
    pub(super) fn has(&self, value_type: ValueType) -> bool {
        let is_known = self.newest != u32::MAX;
        value_type.first_version() <= self.newest && !(is_known && value_type == ValueType::KeyDbCron)
    }

    /// Does the image's version have this opcode?
    pub(super) fn has_opcode(&self, opcode: u8) -> bool {
        opcode::first_version(opcode) <= self.newest
    }

    fn key(&mut self, s: &mut Strict<'a>) -> Option<(What, f64)> {
        let prefix = prefixes(s, self.version, self.dialect)?;
        let byte = s.u8()?;
        let value_type = ValueType::from_byte(byte, self.dialect).filter(|&found| self.has(found))?;
        let name = s.string()?;
        if name.is_blob() {
            return None;
        }
        let mut key = self.facts(byte, &name)?;
        let at_value = s.at();
        let evidence = body::read(s, value_type, &mut self.inspector)?;
        // That is what a zeroed block looks like.
        if key.empty && byte == 0 && s.since(at_value) == [0] {
            return None;
        }
        key.expires = prefix.expires;
        key.usage = prefix.usage;
        key.blob = evidence.blob;
        key.elements = evidence.elements;
        Some((What::Key(key), self.key_bits(&name, &key) + prefix.bits + evidence.bits))
    }

    /// The name of a key.
    fn facts(&mut self, value_type: u8, name: &Text<'a>) -> Option<Key> {
        let facts = |bytes: &[u8]| Key {
            value_type,
            name: xxhash_rust::xxh3::xxh3_64(bytes),
            shape: Shape::of(bytes),
            empty: bytes.is_empty(),
            binary: !is_text(bytes),
            expires: false,
            usage: false,
            blob: 0.0,
            elements: 0.0,
        };
        Some(match *name {
            Text::Plain(bytes) => facts(bytes),
            Text::Int(value) => facts(itoa::Buffer::new().format(value).as_bytes()),
            Text::Lzf { compressed, len } => {
                self.scratch.clear();
                lzf::decompress(compressed, len, &mut self.scratch).ok()?;
                facts(&self.scratch)
            }
        })
    }

    fn key_bits(&self, name: &Text<'_>, key: &Key) -> f64 {
        let text = match *name {
            Text::Plain(bytes) => bytes,
            Text::Int(_) => return 1.4 - 4.0,
            Text::Lzf { .. } => &self.scratch,
        };
        if key.empty {
            return -12.0;
        }
        let long = if text.len() > 256 { -6.0 } else { 0.0 };
        let printable = f64::from(u32::try_from(text.len().min(18)).unwrap_or(18)) * 0.7;
        long + if is_text(text) { printable.min(12.0) } else { -6.0 }
    }
}

struct Prefixes {
    expires: bool,
    usage: bool,
    bits: f64,
}

/// Expiry, idle time or frequency, metadata, in the order of the writers.
fn prefixes(s: &mut Strict<'_>, version: u32, dialect: Dialect) -> Option<Prefixes> {
    let mut prefix = Prefixes { expires: false, usage: false, bits: 0.0 };
    match s.peek()? {
        opcode::EXPIRETIME_MS => {
            s.u8()?;
            let plausible = (FIRST_MILLIS..LAST_MILLIS).contains(&u64::from_le_bytes(s.array()?));
            prefix.bits += plausible.then_some(20.0)?;
            prefix.expires = true;
        }
        // Servers before 2.6 wrote seconds.
        opcode::EXPIRETIME if version <= LAST_WITH_SECONDS => {
            s.u8()?;
            let seconds = i32::from_le_bytes(s.array()?);
            let plausible = u64::try_from(seconds).is_ok_and(|seconds| seconds > FIRST_MILLIS / 1000);
            prefix.bits += plausible.then_some(2.0)?;
            prefix.expires = true;
        }
        _ => {}
    }
    match s.peek()? {
        opcode::IDLE => {
            s.u8()?;
            s.length().filter(|&seconds| seconds < u64::from(u32::MAX))?;
            prefix.usage = true;
        }
        opcode::FREQ => {
            s.take(2)?;
            prefix.usage = true;
        }
        _ => {}
    }
    if s.peek()? == opcode::KEY_META && dialect != Dialect::Valkey {
        s.u8()?;
        for _ in 0..s.length().filter(|&classes| classes <= 7)? {
            s.take(4)?;
            body::module_stream(s)?;
        }
    }
    Some(prefix)
}

impl What {
    /// What stands in an output for it.
    pub(super) fn kept(&self) -> KeptKind {
        match self {
            Self::Key(key) => KeptKind::Keys { count: 1, expires: u64::from(key.expires) },
            Self::Select(_) => KeptKind::Select,
            Self::Resize { .. } => KeptKind::Resize,
            Self::Other(opcode) => KeptKind::Other(*opcode),
            Self::End => KeptKind::End,
        }
    }
}

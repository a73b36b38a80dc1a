//! One key for the output: as it stands where the target takes it so, else decoded and encoded.

use super::commands::{Commands, Lost};
use super::scrub::{Scrubbed, Scrubber};
use crate::keyspace::vectors::Vectors;
use crate::rdb::encode::{Encoder, KeyParts, Out, Outcome, Stored, Unfit, Walk};
use crate::rdb::object::MemberExpiries;
use crate::rdb::opcode::{EXPIRETIME_MS, KEY_META};
use crate::rdb::{self, Attributes, Buffers, Dialect, Element, KeyRecord, Target, ValueRef};
use crate::value::{Blob, Kind, Piece, UnixMillis};
use std::collections::HashMap;

/// What is done to every key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) target: Target,
    /// As an RDB record; else as commands.
    pub(crate) image: bool,
    pub(crate) ttl_shift: i64,
    pub(crate) scrubber: Option<Scrubber>,
}

impl Change {
    fn is_none(&self) -> bool {
        self.ttl_shift == 0 && self.scrubber.is_none()
    }
}

/// Does it, with buffers of its own.
#[derive(Debug)]
pub(crate) struct Rewriter {
    change: Change,
    encoder: Encoder,
    commands: Commands,
    pub(crate) buffers: Buffers,
}

/// Any value with other expiries: shifted ones, or those that KeyDB keeps beside the value.
struct Expiring<'w, 'a> {
    inner: &'w mut dyn Walk<'a>,
    shift: i64,
    members: HashMap<Blob<'a>, UnixMillis>,
}

impl<'a> Walk<'a> for Expiring<'_, 'a> {
    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    fn walk(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> rdb::Result<()>) -> rdb::Result<()> {
        let Self { inner, shift, members } = self;
        let moved = |at: UnixMillis| UnixMillis(at.0.saturating_add(*shift).max(1));
        let of = |name: &Piece<'a, '_>, own: Option<UnixMillis>| own.or(members.get(&**name).copied()).map(moved);
        inner.walk(&mut |element| match element {
            Element::Member(member, own) => visit(Element::Member(member, of(&member, own))),
            Element::Field { field, value, expiry } => {
                visit(Element::Field { field, value, expiry: of(&field, expiry) })
            }
            other => visit(other),
        })
    }
}

impl Rewriter {
    pub(crate) fn new(change: Change, buffers: Buffers) -> Self {
        Self { change, encoder: Encoder::new(change.target, true), commands: Commands::new(change.target), buffers }
    }

    /// True when a record can be copied byte for byte, with the opcodes before it and all.
    pub(crate) fn copies(&mut self, record: &KeyRecord<'_>, dialect: Dialect) -> rdb::Result<bool> {
        let plain = self.change.image && self.change.is_none() && record.value.end() == record.end();
        Ok(plain && has_plain_head(record) && self.takes(&record.value, dialect)?)
    }

    fn takes(&mut self, value: &ValueRef<'_>, dialect: Dialect) -> rdb::Result<bool> {
        self.encoder.takes_as_stored(value, dialect, &mut self.buffers)
    }

    /// Write a record of an image. Gives what is missing from it.
    pub(crate) fn record<'a>(&mut self, record: &KeyRecord<'a>, dialect: Dialect, out: &mut Out<'_>) -> Outcome<Lost> {
        let members = members(record.member_expiries(), &mut self.buffers.first)?;
        self.stored(&record.key, record.expiry, record.attributes(), record.value, members, dialect, out)
    }

    /// Write a key whose value stands in an image.
    pub(crate) fn held<'a>(
        &mut self,
        key: &[u8],
        expiry: Option<UnixMillis>,
        value: ValueRef<'a>,
        dialect: Dialect,
        out: &mut Out<'_>,
    ) -> Outcome<Lost> {
        self.stored(key, expiry, Attributes::default(), value, HashMap::new(), dialect, out)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a record")]
    fn stored<'a>(
        &mut self,
        key: &[u8],
        expiry: Option<UnixMillis>,
        attributes: Attributes<'_>,
        value: ValueRef<'a>,
        members: HashMap<Blob<'a>, UnixMillis>,
        dialect: Dialect,
        out: &mut Out<'_>,
    ) -> Outcome<Lost> {
        let takes = self.change.scrubber.is_none() && members.is_empty() && self.takes(&value, dialect)?;
        let shifts_fields = self.change.ttl_shift != 0 && value.kind() == Kind::Hash;
        if takes && !shifts_fields && (self.change.image || !is_written_as_commands(&value)) {
            return Ok(self.raw(key, expiry, attributes, &value, out));
        }
        // The buffers are lent to the walk; the encoder does not use them meanwhile.
        let mut buffers = std::mem::take(&mut self.buffers);
        let mut stored = Stored { value, buffers: &mut buffers };
        let done = self.value(key, expiry, attributes, members, &mut stored, out);
        self.buffers = buffers;
        done
    }

    /// Write a key from its value's elements.
    pub(crate) fn elements<'a>(
        &mut self,
        key: &[u8],
        expiry: Option<UnixMillis>,
        value: &mut dyn Walk<'a>,
        out: &mut Out<'_>,
    ) -> Outcome<Lost> {
        self.value(key, expiry, Attributes::default(), HashMap::new(), value, out)
    }

    /// Write a vector set of which only the vectors are known, as logs tell them.
    pub(crate) fn vectors(
        &mut self,
        key: &[u8],
        expiry: Option<UnixMillis>,
        vectors: &Vectors<'_>,
        out: &mut Out<'_>,
    ) -> Outcome<Lost> {
        if self.change.scrubber.is_some() {
            return Err(Unfit("a vector set, which cannot be made anonymous").into());
        }
        if self.change.image {
            return Err(Unfit("a vector set made by commands (AOF targets take it: --to aof, --base aof)").into());
        }
        let parts = self.parts(key, expiry, Attributes::default());
        Ok(self.commands.vectors(&parts, vectors, out))
    }

    fn value<'a>(
        &mut self,
        key: &[u8],
        expiry: Option<UnixMillis>,
        attributes: Attributes<'_>,
        members: HashMap<Blob<'a>, UnixMillis>,
        value: &mut dyn Walk<'a>,
        out: &mut Out<'_>,
    ) -> Outcome<Lost> {
        if self.change.ttl_shift == 0 && members.is_empty() {
            return self.scrubbed(key, expiry, attributes, value, out);
        }
        let mut expiring = Expiring { inner: value, shift: self.change.ttl_shift, members };
        self.scrubbed(key, expiry, attributes, &mut expiring, out)
    }

    fn scrubbed<'a>(
        &mut self,
        key: &[u8],
        expiry: Option<UnixMillis>,
        attributes: Attributes<'_>,
        value: &mut dyn Walk<'a>,
        out: &mut Out<'_>,
    ) -> Outcome<Lost> {
        let Some(scrubber) = self.change.scrubber else {
            return self.write(&self.parts(key, expiry, attributes), value, out);
        };
        if value.kind() == Kind::Module || !attributes.metadata.is_empty() {
            return Err(Unfit("data of a module, which cannot be made anonymous").into());
        }
        let other = scrubber.text(key);
        self.write(&self.parts(&other, expiry, attributes), &mut Scrubbed { inner: value, scrubber }, out)
    }

    fn parts<'k>(&self, key: &'k [u8], expiry: Option<UnixMillis>, attributes: Attributes<'k>) -> KeyParts<'k> {
        KeyParts { key, expiry: shifted(expiry, self.change.ttl_shift), attributes }
    }

    fn write<'a>(&mut self, parts: &KeyParts<'_>, value: &mut dyn Walk<'a>, out: &mut Out<'_>) -> Outcome<Lost> {
        let lost = self.lost_attributes(&parts.attributes);
        if !self.change.image {
            return Ok(self.commands.key(parts, value, out)?.or(lost));
        }
        let plan = self.encoder.plan(value)?;
        self.encoder.head(parts, plan.value_type, out.bytes);
        self.encoder.value(&plan, value, out)?;
        Ok(plan.lost.or(lost))
    }

    fn raw(
        &mut self,
        key: &[u8],
        expiry: Option<UnixMillis>,
        attributes: Attributes<'_>,
        value: &ValueRef<'_>,
        out: &mut Out<'_>,
    ) -> Lost {
        let parts = self.parts(key, expiry, attributes);
        let lost = self.lost_attributes(&attributes);
        if self.change.image {
            self.encoder.head(&parts, value.value_type, out.bytes);
            out.bytes.extend_from_slice(value.raw());
            out.settle();
        } else {
            self.commands.stored(&parts, value, out);
        }
        lost
    }

    fn lost_attributes(&self, attributes: &Attributes<'_>) -> Lost {
        let kept = self.change.image && self.change.target.accepts_opcode(KEY_META);
        (!attributes.metadata.is_empty() && !kept).then_some("module metadata of keys")
    }
}

/// False for what has no commands, or none that all servers know: it is restored as it is stored.
fn is_written_as_commands(value: &ValueRef<'_>) -> bool {
    !matches!(value.kind(), Kind::Module | Kind::Array)
}

/// Nothing before the type byte but an expiry in milliseconds: what every target takes as it is. An expiry of -1 is
/// none to most servers and one that has passed to Redis 8.6: it is left out, which the raw bytes cannot do.
fn has_plain_head(record: &KeyRecord<'_>) -> bool {
    const EXPIRY: usize = 9;
    let is_type = |byte: Option<&u8>| byte == Some(&record.value.value_type.byte());
    match record.raw.first() {
        Some(&EXPIRETIME_MS) => record.expiry != Some(UnixMillis(-1)) && is_type(record.raw.get(EXPIRY)),
        first => is_type(first),
    }
}

fn shifted(expiry: Option<UnixMillis>, shift: i64) -> Option<UnixMillis> {
    expiry.filter(|at| at.0 != -1).map(|UnixMillis(at)| told(UnixMillis(at.saturating_add(shift))))
}

/// An image has -1 for keys that do not expire: who expired then has expired a millisecond before as well.
pub(super) fn told(expiry: UnixMillis) -> UnixMillis {
    if expiry.0 == -1 { UnixMillis(-2) } else { expiry }
}

fn members<'a>(all: MemberExpiries<'a>, scratch: &mut rdb::Scratch) -> rdb::Result<HashMap<Blob<'a>, UnixMillis>> {
    if all.is_empty() { Ok(HashMap::new()) } else { all.iter(scratch).collect() }
}

//! Values and keys to bytes, for a [`Target`].
//!
//! A value is gone through twice: a first walk surveys it and plans its form, the second writes it. So a value of any
//! size is written in constant memory, counts first as the format wants them. What a target cannot hold is known
//! before a byte is written.

use super::error::{Error, Result};
use super::length;
use super::object::{self, Buffers, Element, ValueRef};
use super::opcode::{self, Dialect, ValueType};
use super::record::Attributes;
use super::string;
use super::target::{Packing, Target};
use crate::bytes::sink::BLOCK;
use crate::packed::{listpack, stream_node, ziplist};
use crate::value::number::canonical_int;
use crate::value::{Kind, StreamId, UnixMillis};

#[cfg(test)]
mod tests;

/// A value that can be gone through more than once, with the same elements each time. A stream's tail comes last.
pub(crate) trait Walk<'a> {
    /// The logical type.
    fn kind(&self) -> Kind;

    /// Every element.
    ///
    /// # Errors
    /// When the value is damaged, or what `visit` returned.
    fn walk(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> Result<()>) -> Result<()>;

    /// Every element, in the order that costs least.
    ///
    /// # Errors
    /// As [`Walk::walk`].
    fn walk_in_any_order(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> Result<()>) -> Result<()> {
        self.walk(visit)
    }
}

/// A stored value, decoded as it is walked.
#[derive(Debug)]
pub(crate) struct Stored<'a, 'b> {
    /// The value.
    pub value: ValueRef<'a>,
    /// What it is decoded with.
    pub buffers: &'b mut Buffers,
}

impl<'a> Walk<'a> for Stored<'a, '_> {
    fn kind(&self) -> Kind {
        self.value.kind()
    }
    fn walk(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> Result<()>) -> Result<()> {
        self.value.elements(self.buffers, &mut |element| visit(element))
    }
}

/// Where encoded bytes go: a vector that is handed on when it has grown.
pub(crate) struct Out<'s> {
    /// The bytes so far.
    pub bytes: &'s mut Vec<u8>,
    /// Takes what is in the vector and leaves it empty.
    pub spill: &'s mut dyn FnMut(&mut Vec<u8>),
}

impl std::fmt::Debug for Out<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Out<'_> {
    /// Hand the bytes on if they are many. Called between elements.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if self.bytes.len() >= BLOCK {
            (self.spill)(self.bytes);
        }
    }
}

/// The target has no form for this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfit(pub &'static str);

/// Why a value was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It is damaged.
    Damaged(Error),
    /// The target has no form for it.
    Unfit(Unfit),
}

/// The result of encoding.
pub(crate) type Outcome<T> = std::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Damaged(error)
    }
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

/// How a value will be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// In which form.
    pub value_type: ValueType,
    /// What will be missing from it.
    pub lost: Option<&'static str>,
    /// Elements, or nodes where it consists of nodes.
    pub(super) count: u64,
    /// Of a hash: the soonest field expiry.
    pub(super) smallest_expiry: i64,
    /// Of a stream: live entries.
    pub(super) entries: u64,
    /// Of a stream: the first of them.
    pub(super) first_id: StreamId,
}

impl Plan {
    pub(super) fn new(value_type: ValueType, count: u64) -> Self {
        Self { value_type, lost: None, count, smallest_expiry: 0, entries: 0, first_id: StreamId::MIN }
    }
}

/// What a first walk learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) count: u64,
    /// Bytes of the longest member, field or value.
    pub(super) longest: usize,
    pub(super) all_integers: bool,
    pub(super) smallest_expiry: Option<i64>,
    pub(super) largest_expiry: i64,
    pub(super) negative_zero: bool,
    /// Scores that are not a number.
    pub(super) nans: u64,
}

impl Survey {
    fn of<'a>(value: &mut dyn Walk<'a>) -> Result<Self> {
        let mut survey = Self {
            count: 0,
            longest: 0,
            all_integers: true,
            smallest_expiry: None,
            largest_expiry: i64::MIN,
            negative_zero: false,
            nans: 0,
        };
        value.walk_in_any_order(&mut |element| {
            survey.take(&element);
            if let Element::Json(_) = element { Err(Error::without_stored_form()) } else { Ok(()) }
        })?;
        Ok(survey)
    }

    #[inline]
    fn take(&mut self, element: &Element<'_, '_>) {
        self.count = self.count.saturating_add(1);
        match element {
            Element::Item(text) | Element::Slot(_, text) => self.longest = self.longest.max(text.len()),
            Element::Member(member, expiry) => {
                self.longest = self.longest.max(member.len());
                self.all_integers &= canonical_int(member).is_some();
                self.expires(*expiry);
            }
            Element::Field { field, value, expiry } => {
                self.longest = self.longest.max(field.len()).max(value.len());
                self.expires(*expiry);
            }
            Element::Scored(member, score) => {
                self.longest = self.longest.max(member.len());
                self.negative_zero |= *score == 0.0 && score.is_sign_negative();
                self.nans = self.nans.saturating_add(u64::from(score.is_nan()));
            }
            Element::Entry(..) | Element::Tail(_) | Element::Module(_) | Element::Opaque(_) | Element::Json(_) => {}
        }
    }

    fn expires(&mut self, expiry: Option<UnixMillis>) {
        if let Some(UnixMillis(at)) = expiry {
            self.smallest_expiry = Some(self.smallest_expiry.map_or(at, |smallest| smallest.min(at)));
            self.largest_expiry = self.largest_expiry.max(at);
        }
    }
}

/// Writes ziplists or listpacks, whichever the target has.
#[derive(Debug, Clone)]
pub(super) struct Packer {
    packing: Packing,
    ziplist: ziplist::Builder,
    listpack: listpack::Builder,
    blob: Vec<u8>,
}

impl Packer {
    fn new(target: &Target) -> Self {
        Self {
            packing: target.packing(),
            ziplist: ziplist::Builder::new(),
            listpack: listpack::Builder::new(target.backlen()),
            blob: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        match self.packing {
            Packing::Ziplist => self.ziplist.clear(),
            Packing::Listpack => self.listpack.clear(),
        }
    }

    pub(super) fn push(&mut self, text: &[u8]) {
        match self.packing {
            Packing::Ziplist => self.ziplist.push(text),
            Packing::Listpack => self.listpack.push(text),
        }
    }

    pub(super) fn push_int(&mut self, value: i64) {
        match self.packing {
            Packing::Ziplist => self.ziplist.push_int(value),
            Packing::Listpack => self.listpack.push_int(value),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self.packing {
            Packing::Ziplist => self.ziplist.len(),
            Packing::Listpack => self.listpack.len(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self.packing {
            Packing::Ziplist => self.ziplist.is_empty(),
            Packing::Listpack => self.listpack.is_empty(),
        }
    }

    /// What was pushed, as a blob.
    pub(super) fn blob(&mut self) -> &[u8] {
        self.blob.clear();
        match self.packing {
            Packing::Ziplist => self.ziplist.finish_into(&mut self.blob),
            Packing::Listpack => self.listpack.finish_into(&mut self.blob),
        }
        &self.blob
    }
}

/// A key with everything but its value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KeyParts<'k> {
    /// The key.
    pub key: &'k [u8],
    /// When it expires.
    pub expiry: Option<UnixMillis>,
    /// What eviction and modules know about it.
    pub attributes: Attributes<'k>,
}

/// Encodes for one target. Keeps its buffers from value to value.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    pub(super) target: Target,
    pub(super) strings: string::Encoder,
    pub(super) packer: Packer,
    pub(super) node: stream_node::Builder,
}

impl Encoder {
    /// With or without compression of strings.
    #[must_use]
    pub(crate) fn new(target: Target, compress: bool) -> Self {
        Self {
            target,
            strings: string::Encoder::new(compress),
            packer: Packer::new(&target),
            node: stream_node::Builder::new(target.backlen()),
        }
    }

    /// What it encodes for.
    #[must_use]
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// True when the target loads a stored value as it stands. `dialect` is that of the file it stands in.
    ///
    /// # Errors
    /// When the value must be looked into and is damaged.
    pub(crate) fn takes_as_stored(
        &self,
        value: &ValueRef<'_>,
        dialect: Dialect,
        buffers: &mut Buffers,
    ) -> Result<bool> {
        if !self.target.accepts(value.value_type) || !value.module().is_none_or(|id| self.target.accepts_module(id)) {
            return Ok(false);
        }
        let crosses = (dialect == Dialect::Valkey) != (self.target.dialect == Dialect::Valkey);
        if !crosses && !self.target.is_portable() {
            return Ok(true);
        }
        Ok(object::contested_backlen(value, &mut buffers.first)?
            .is_none_or(|found| found == self.target.backlen() && !self.target.is_portable()))
    }

    /// Decide how a value is written.
    ///
    /// # Errors
    /// When it is damaged, or the target has no form for it.
    pub(crate) fn plan<'a>(&mut self, value: &mut dyn Walk<'a>) -> Outcome<Plan> {
        let target = self.target;
        match value.kind() {
            Kind::String => Ok(Plan::new(ValueType::String, 1)),
            Kind::List => {
                let survey = Survey::of(value)?;
                object::list::plan(&survey, &target, &mut self.packer, value)
            }
            Kind::Set => Ok(object::set::plan(&Survey::of(value)?, &target)),
            Kind::Zset => object::zset::plan(&Survey::of(value)?, &target),
            Kind::Hash => Ok(object::hash::plan(&Survey::of(value)?, &target)),
            Kind::Stream => object::stream::encode::plan(&target, &mut self.node, value),
            Kind::Array if target.accepts(ValueType::Array) => {
                Ok(Plan::new(ValueType::Array, Survey::of(value)?.count))
            }
            Kind::Array => Err(Unfit("arrays").into()),
            Kind::Module => Err(Unfit("values of this module or fork").into()),
        }
    }

    /// Write a value's body as planned.
    ///
    /// # Errors
    /// When it is damaged.
    pub(crate) fn value<'a>(&mut self, plan: &Plan, value: &mut dyn Walk<'a>, out: &mut Out<'_>) -> Outcome<()> {
        match plan.value_type.kind() {
            Kind::List => object::list::encode(plan, self, value, out),
            Kind::Set => object::set::encode(plan, self, value, out),
            Kind::Zset => object::zset::encode(plan, self, value, out),
            Kind::Hash => object::hash::encode(plan, self, value, out),
            Kind::Stream => object::stream::encode::encode(plan, self, value, out),
            Kind::Array => object::array::encode(plan, self, value, out),
            Kind::String | Kind::Module => Ok(value.walk(&mut |element| {
                if let Element::Item(text) = element {
                    self.strings.encode(&text, out.bytes);
                }
                Ok(())
            })?),
        }
    }

    /// Write what stands before a value: the opcodes that belong to the key, the type, the key.
    pub(crate) fn head(&mut self, parts: &KeyParts<'_>, value_type: ValueType, out: &mut Vec<u8>) {
        if let Some(UnixMillis(at)) = parts.expiry {
            out.push(opcode::EXPIRETIME_MS);
            out.extend_from_slice(&at.to_le_bytes());
        }
        let Attributes { idle_seconds, freq, metadata } = parts.attributes;
        if let Some(seconds) = idle_seconds.filter(|_| self.target.accepts_opcode(opcode::IDLE)) {
            out.push(opcode::IDLE);
            length::encode(seconds, out);
        }
        if let Some(counter) = freq.filter(|_| self.target.accepts_opcode(opcode::FREQ)) {
            out.extend_from_slice(&[opcode::FREQ, counter]);
        }
        if !metadata.is_empty() && self.target.accepts_opcode(opcode::KEY_META) {
            out.push(opcode::KEY_META);
            out.extend_from_slice(metadata);
        }
        out.push(value_type.byte());
        self.strings.encode(parts.key, out);
    }

    /// Write a string.
    pub(crate) fn string(&mut self, text: &[u8], out: &mut Vec<u8>) {
        self.strings.encode(text, out);
    }
}

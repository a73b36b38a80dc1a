//! Values: the body that follows a type byte and a key.
//!
//! Three levels of meaning: [`ValueRef::raw`] (the stored bytes, enough to copy the value), [`ValueRef::count`]
//! (headers only) and [`ValueRef::elements`] (every logical element). [`skim`] finds where a value ends and does nothing else.

pub(super) mod array;
mod blobs;
mod fork;
pub(super) mod hash;
pub(crate) mod list;
mod module;
pub(super) mod set;
pub(crate) mod stream;
pub(super) mod zset;

pub(super) use blobs::contested_backlen;
pub use fork::{Cron, MemberExpiries};
pub use hash::Template;
pub(super) use hash::template_id;
pub(super) use module::skip_stream as skip_module_stream;
pub use module::{ModuleId, ModuleItem, ModuleItems, ModuleRef};
pub use stream::{Consumer, Group, Idempotence, Pending, Producer, Tail};
pub(crate) use zset::{NAN_MEMBERS, nan_score};

use super::error::{Error, ErrorKind, Result};
use super::length;
use super::opcode::ValueType;
use super::string::{self, Form, Scratch, StringRef};
use crate::bytes::{Budget, Cursor, Exhausted};
use crate::packed;
use crate::value::{Kind, Piece, StreamId, UnixMillis};

/// A value whose span is known and whose body is not decoded. Cheap to copy, and it may go to another thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueRef<'a> {
    /// The stored form.
    pub value_type: ValueType,
    /// Absolute offset of the body's first byte.
    pub offset: u64,
    body: &'a [u8],
    template: Template<'a>,
}

/// One logical element of a value, in stored order.
#[derive(Debug, Clone, Copy)]
pub enum Element<'a, 'e> {
    /// The text of a string, an element of a list.
    Item(Piece<'a, 'e>),
    /// A member of a set.
    Member(Piece<'a, 'e>, Option<UnixMillis>),
    /// A field of a hash.
    Field {
        /// Its name.
        field: Piece<'a, 'e>,
        /// Its value.
        value: Piece<'a, 'e>,
        /// When it expires.
        expiry: Option<UnixMillis>,
    },
    /// A member of a sorted set.
    Scored(Piece<'a, 'e>, f64),
    /// A live entry of a stream: field, value, field, value …
    Entry(StreamId, &'e [packed::Element<'e>]),
    /// What a stream is besides its entries; comes after the last of them.
    Tail(&'e Tail<'a>),
    /// A used slot of an array.
    Slot(u64, Piece<'a, 'e>),
    /// A module's value.
    Module(ModuleRef<'a>),
    /// A value of a fork that has no counterpart elsewhere, as it is stored.
    Opaque(&'a [u8]),
    /// A module's value that commands made and that has no stored form: JSON text, for people and exports.
    Json(&'e [u8]),
}

/// Buffers for decoding: a value may be read while its field is still looked at.
#[derive(Debug, Default)]
pub struct Buffers {
    /// For keys, fields, nodes.
    pub first: Scratch,
    /// For values.
    pub second: Scratch,
}

impl Buffers {
    /// Buffers charged to one account.
    #[must_use]
    pub fn new(budget: &Budget) -> Self {
        Self { first: Scratch::new(budget.clone()), second: Scratch::new(budget.clone()) }
    }
}

/// What [`ValueRef::elements`] calls for each element; an error stops the walk.
pub trait Visit<'a>: FnMut(Element<'a, '_>) -> Result<()> {}
impl<'a, F: FnMut(Element<'a, '_>) -> Result<()>> Visit<'a> for F {}

impl<'a> ValueRef<'a> {
    /// A value that was stored elsewhere (a DUMP payload). `skim` must have found `body` to be one whole value.
    #[must_use]
    pub fn new(value_type: ValueType, body: &'a [u8], offset: u64) -> Self {
        Self { value_type, offset, body, template: Template::NONE }
    }

    pub(super) fn with_template(mut self, template: Template<'a>) -> Self {
        self.template = template;
        self
    }

    /// The stored bytes, without the type byte.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.body
    }

    /// The logical type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.value_type.kind()
    }

    /// Where the body ends.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.body.len() as u64)
    }

    fn cursor(&self) -> Cursor<'a> {
        Cursor::at(self.body, self.offset)
    }

    /// The encoding as our output names it.
    #[must_use]
    #[inline(always)]
    pub fn encoding(&self) -> &'static str {
        if self.value_type == ValueType::String {
            return match self.body.first() {
                Some(0xc0..=0xc2) => "int",
                Some(0xc3) => "lzf",
                _ => "raw",
            };
        }
        self.value_type.encoding()
    }

    /// True for a string that is stored as it is, neither compressed nor as an integer.
    #[must_use]
    #[inline]
    pub fn is_plain_string(&self) -> bool {
        self.value_type == ValueType::String && self.body.first().is_some_and(|&first| first < 0xc0)
    }

    /// The string itself, for values of that type.
    #[must_use]
    pub fn string(&self) -> Option<StringRef<'a>> {
        if self.value_type != ValueType::String {
            return None;
        }
        string::decode(&mut self.cursor()).ok()
    }

    /// Whose value it is, for those of modules.
    #[must_use]
    pub fn module(&self) -> Option<ModuleId> {
        if self.value_type != ValueType::Module2 {
            return None;
        }
        length::decode(&mut self.cursor()).ok().map(ModuleId)
    }

    /// How many elements there are (bytes of a string), from headers where they tell.
    ///
    /// # Errors
    /// When the value is damaged.
    #[inline(always)]
    pub fn count(&self, scratch: &mut Scratch) -> Result<u64> {
        match (self.value_type, self.body.first()) {
            (ValueType::String, Some(&short @ ..0x40)) => Ok(short.into()),
            _ => self.count_other(scratch),
        }
    }

    #[inline(never)]
    fn count_other(&self, scratch: &mut Scratch) -> Result<u64> {
        let mut c = self.cursor();
        match self.value_type {
            ValueType::String | ValueType::DragonflyJson => Ok(string::decode(&mut c)?.len()),
            ValueType::List
            | ValueType::Set
            | ValueType::Zset
            | ValueType::Hash
            | ValueType::Zset2
            | ValueType::HashMetadataPreGa
            | ValueType::ValkeyHash2
            | ValueType::Array
            | ValueType::DragonflyHashExpiry
            | ValueType::DragonflySetExpiry => length::decode(&mut c),
            ValueType::HashMetadata => {
                c.array::<8>()?;
                length::decode(&mut c)
            }
            ValueType::HashListpackEx => {
                c.array::<8>()?;
                Ok(listpack_count(&string::decode(&mut c)?, scratch)? / 3)
            }
            ValueType::HashListpackExPreGa => Ok(listpack_count(&string::decode(&mut c)?, scratch)? / 3),
            ValueType::HashListpack | ValueType::ZsetListpack => {
                Ok(listpack_count(&string::decode(&mut c)?, scratch)? / 2)
            }
            ValueType::SetListpack => listpack_count(&string::decode(&mut c)?, scratch),
            ValueType::ZsetZiplist | ValueType::HashZiplist => {
                Ok(ziplist_count(&string::decode(&mut c)?, scratch)? / 2)
            }
            ValueType::ListZiplist => ziplist_count(&string::decode(&mut c)?, scratch),
            ValueType::HashZipmap => hash::zipmap_count(&string::decode(&mut c)?, scratch),
            ValueType::SetIntset => set::intset_count(&string::decode(&mut c)?, scratch),
            ValueType::ListQuicklist | ValueType::ListQuicklist2 => list::count(self, scratch),
            ValueType::StreamListpacks
            | ValueType::StreamListpacks2
            | ValueType::StreamListpacks3
            | ValueType::StreamListpacks4
            | ValueType::StreamListpacks5 => stream::count(self, &scratch.budget),
            ValueType::HashTemplateListpack
            | ValueType::HashTemplateListpackRef
            | ValueType::HashTemplateArray
            | ValueType::HashTemplateArrayRef => hash::template_count(self, scratch),
            ValueType::ModulePreGa
            | ValueType::Module2
            | ValueType::Gcra
            | ValueType::DragonflySbf
            | ValueType::DragonflySbf2
            | ValueType::DragonflyCms
            | ValueType::DragonflyTopk
            | ValueType::DragonflyCuckoo
            | ValueType::KeyDbCron => Ok(1),
        }
    }

    /// True for a collection without elements, which servers since 6.2 pass over when they load an image, and do not
    /// restore. (Without elements an intset, a zipmap and an array are damaged, and a stream is sound.)
    #[must_use]
    pub fn is_empty_collection(&self, scratch: &mut Scratch) -> bool {
        /// The longest body of a collection whose header can say that it is empty.
        const LONGEST: usize = 32;
        use ValueType as T;
        match self.value_type {
            T::SetIntset | T::HashZipmap => false,
            T::ListQuicklist | T::ListQuicklist2 => list::may_be_empty(self) && self.count(scratch) == Ok(0),
            _ if !matches!(self.kind(), Kind::List | Kind::Set | Kind::Hash | Kind::Zset) => false,
            _ => self.body.len() <= LONGEST && self.count(scratch) == Ok(0),
        }
    }

    /// Every element, in stored order.
    ///
    /// # Errors
    /// When the value is damaged or has more elements than the budget's limits allow, with what precedes that already
    /// visited; or what `visit` returned.
    #[inline]
    pub fn elements(&self, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
        let most = buffers.first.budget.limits().elements;
        let mut left = most;
        let visit = &mut |element: Element<'a, '_>| {
            left = left.checked_sub(1).ok_or_else(|| too_many_elements(self.offset, most))?;
            visit(element)
        };
        let c = &mut self.cursor();
        match self.value_type {
            ValueType::String => visit(Element::Item(string::decode(c)?.read(&mut buffers.first)?)),
            ValueType::List => list::plain(c, buffers, visit),
            ValueType::ListZiplist => list::ziplist(c, buffers, visit),
            ValueType::ListQuicklist => list::quicklist(c, buffers, visit),
            ValueType::ListQuicklist2 => list::quicklist2(c, buffers, visit),
            ValueType::Set => set::plain(c, buffers, visit),
            ValueType::SetIntset => set::intset(c, buffers, visit),
            ValueType::SetListpack => set::listpack(c, buffers, visit),
            ValueType::Zset => zset::ascii(c, buffers, visit),
            ValueType::Zset2 => zset::binary(c, buffers, visit),
            ValueType::ZsetZiplist => zset::ziplist(c, buffers, visit),
            ValueType::ZsetListpack => zset::listpack(c, buffers, visit),
            ValueType::Hash => hash::plain(c, buffers, visit),
            ValueType::HashZipmap => hash::zipmap(c, buffers, visit),
            ValueType::HashZiplist => hash::ziplist(c, buffers, visit),
            ValueType::HashListpack => hash::listpack(c, buffers, visit),
            ValueType::HashMetadataPreGa => hash::metadata_pre_ga(c, buffers, visit),
            ValueType::HashListpackExPreGa => hash::listpack_ex(c, buffers, visit),
            ValueType::HashMetadata => hash::metadata(c, buffers, visit),
            ValueType::HashListpackEx => {
                c.array::<8>()?;
                hash::listpack_ex(c, buffers, visit)
            }
            ValueType::ValkeyHash2 => hash::valkey(c, buffers, visit),
            ValueType::HashTemplateListpack
            | ValueType::HashTemplateListpackRef
            | ValueType::HashTemplateArray
            | ValueType::HashTemplateArrayRef => hash::template(self, buffers, visit),
            ValueType::StreamListpacks
            | ValueType::StreamListpacks2
            | ValueType::StreamListpacks3
            | ValueType::StreamListpacks4
            | ValueType::StreamListpacks5 => stream::elements(self, buffers, visit),
            ValueType::Array => array::elements(c, buffers, visit),
            ValueType::Module2 => visit(Element::Module(ModuleRef::decode(c)?)),
            ValueType::DragonflyHashExpiry => fork::hash_with_expiry(c, buffers, visit),
            ValueType::DragonflySetExpiry => fork::set_with_expiry(c, buffers, visit),
            ValueType::DragonflyJson => visit(Element::Item(string::decode(c)?.read(&mut buffers.first)?)),
            ValueType::ModulePreGa
            | ValueType::Gcra
            | ValueType::DragonflySbf
            | ValueType::DragonflySbf2
            | ValueType::DragonflyCms
            | ValueType::DragonflyTopk
            | ValueType::DragonflyCuckoo
            | ValueType::KeyDbCron => visit(Element::Opaque(self.body)),
        }
    }

    /// What a stream is besides its entries; `None` for other values.
    ///
    /// # Errors
    /// When the value is damaged.
    pub fn stream_tail(&self, buffers: &mut Buffers) -> Result<Option<Tail<'a>>> {
        if self.kind() == Kind::Stream { stream::tail(self, buffers).map(Some) } else { Ok(None) }
    }
}

/// Step over a value's body.
///
/// # Errors
/// At the end of input or where the structure breaks; nested blobs are not looked into, except where they tell how
/// much follows them, which the budget pays for.
#[inline]
pub fn skim<'a>(value_type: ValueType, c: &mut Cursor<'a>, template: Template<'a>, budget: &Budget) -> Result<()> {
    match value_type {
        ValueType::String
        | ValueType::HashZipmap
        | ValueType::ListZiplist
        | ValueType::SetIntset
        | ValueType::ZsetZiplist
        | ValueType::HashZiplist
        | ValueType::HashListpack
        | ValueType::ZsetListpack
        | ValueType::SetListpack
        | ValueType::HashListpackExPreGa
        | ValueType::HashTemplateListpackRef
        | ValueType::DragonflyJson => string::skip(c),
        ValueType::List | ValueType::Set | ValueType::ListQuicklist => repeat(c, budget, string::skip),
        ValueType::Hash | ValueType::DragonflySetExpiry => repeat(c, budget, |c| {
            string::skip(c)?;
            string::skip(c)
        }),
        ValueType::DragonflyHashExpiry => repeat(c, budget, |c| {
            string::skip(c)?;
            string::skip(c)?;
            string::skip(c)
        }),
        ValueType::Zset => repeat(c, budget, |c| {
            string::skip(c)?;
            zset::skip_ascii_score(c)
        }),
        ValueType::Zset2 => repeat(c, budget, |c| {
            string::skip(c)?;
            c.array::<8>()?;
            Ok(())
        }),
        ValueType::ListQuicklist2 => repeat(c, budget, |c| {
            length::decode(c)?;
            string::skip(c)
        }),
        ValueType::HashMetadataPreGa => repeat(c, budget, hash::skip_metadata_field),
        ValueType::HashMetadata => {
            c.array::<8>()?;
            repeat(c, budget, hash::skip_metadata_field)
        }
        ValueType::HashListpackEx => {
            c.array::<8>()?;
            string::skip(c)
        }
        ValueType::ValkeyHash2 => repeat(c, budget, |c| {
            string::skip(c)?;
            string::skip(c)?;
            c.array::<8>()?;
            Ok(())
        }),
        ValueType::HashTemplateListpack | ValueType::HashTemplateArray | ValueType::HashTemplateArrayRef => {
            hash::skip_template(value_type, c, template, budget)
        }
        ValueType::StreamListpacks
        | ValueType::StreamListpacks2
        | ValueType::StreamListpacks3
        | ValueType::StreamListpacks4
        | ValueType::StreamListpacks5 => stream::skip(value_type, c, budget),
        ValueType::Array => array::skip(c, budget),
        ValueType::Module2 => module::skip(c),
        ValueType::ModulePreGa => Err(Error::invalid(
            c.offset(),
            "rdb-module-pre-ga",
            "a module value of the first release candidates of 4.0, which has no end mark",
        )),
        ValueType::Gcra => length::decode(c).map(|_| ()),
        ValueType::DragonflySbf
        | ValueType::DragonflySbf2
        | ValueType::DragonflyCms
        | ValueType::DragonflyTopk
        | ValueType::DragonflyCuckoo
        | ValueType::KeyDbCron => fork::skip(value_type, c, budget),
    }
}

/// A count, then that many of something.
#[inline]
fn repeat<'a>(c: &mut Cursor<'a>, budget: &Budget, each: impl FnMut(&mut Cursor<'a>) -> Result<()>) -> Result<()> {
    let at = c.offset();
    let count = length::decode(c)?;
    repeated(count, at, c, budget, each)
}

/// So many of something, as claimed at an offset. More than a value may have are refused when that many were there:
/// before, the claim may be damage, and the end of input is what is wrong.
#[inline]
fn repeated<'a>(
    count: u64,
    at: u64,
    c: &mut Cursor<'a>,
    budget: &Budget,
    mut each: impl FnMut(&mut Cursor<'a>) -> Result<()>,
) -> Result<()> {
    let most = budget.limits().elements;
    for _ in 0..count.min(most) {
        each(c)?;
    }
    if count > most { Err(too_many_elements(at, most)) } else { Ok(()) }
}

#[cold]
fn too_many_elements(at: u64, most: u64) -> Error {
    Error::new(at, ErrorKind::Exhausted(Exhausted::of_elements(most)))
}

/// Where the text of a nested blob begins, for the offsets of its errors: inside the file when it is stored raw.
pub(crate) fn blob_offset(string: &StringRef<'_>) -> u64 {
    match string.form {
        Form::Raw(bytes) => {
            let header = match bytes.len() {
                0..=0x3f => 1,
                0x40..=0x3fff => 2,
                _ => 5,
            };
            string.offset.saturating_add(header)
        }
        _ => string.offset,
    }
}

fn listpack_count(string: &StringRef<'_>, scratch: &mut Scratch) -> Result<u64> {
    let at = blob_offset(string);
    if let Some(count) = packed::listpack::claimed_len_of_prefix(&string.prefix(6, scratch)?) {
        return Ok(count.into());
    }
    let blob = string.read(scratch)?;
    walked(packed::listpack::Listpack::new(&blob).map_err(|e| Error::packed(at, e))?.iter(), at)
}

fn ziplist_count(string: &StringRef<'_>, scratch: &mut Scratch) -> Result<u64> {
    let at = blob_offset(string);
    if let Some(count) = packed::ziplist::claimed_len_of_prefix(&string.prefix(10, scratch)?) {
        return Ok(count.into());
    }
    let blob = string.read(scratch)?;
    walked(packed::ziplist::Ziplist::new(&blob).map_err(|e| Error::packed(at, e))?.iter(), at)
}

/// Count what a header does not tell as the elements are walked: no stricter, so that whatever can be walked is counted.
fn walked<T>(mut entries: impl Iterator<Item = std::result::Result<T, packed::Error>>, at: u64) -> Result<u64> {
    entries.try_fold(0u64, |count, entry| entry.map(|_| count.saturating_add(1))).map_err(|e| Error::packed(at, e))
}

/// Run one piece of code over a blob, whether it is a slice of the input or of a scratch buffer, with the constructor
/// that makes pieces of its slices.
macro_rules! with_blob {
    ($piece:expr, $blob:ident, $wrap:ident => $body:expr) => {
        match $piece {
            Piece::Input($blob) => {
                let $wrap = Piece::Input;
                $body
            }
            Piece::Passing($blob) => {
                let $wrap = Piece::Passing;
                $body
            }
        }
    };
}
use with_blob;

/// An iterator over a listpack or a ziplist.
trait Packed<'x>: Iterator<Item = Result<packed::Element<'x>, packed::Error>> {}
impl<'x, I: Iterator<Item = Result<packed::Element<'x>, packed::Error>>> Packed<'x> for I {}

/// The next element of a blob that begins at `at`, as a piece; integers are written to `text`.
#[inline]
fn next_piece<'a, 'x, 'w: 't, 't>(
    iter: &mut impl Packed<'x>,
    at: u64,
    wrap: impl Fn(&'x [u8]) -> Piece<'a, 'w>,
    text: &'t mut itoa::Buffer,
) -> Result<Option<Piece<'a, 't>>> {
    match iter.next() {
        None => Ok(None),
        Some(Ok(packed::Element::Bytes(bytes))) => Ok(Some(wrap(bytes))),
        Some(Ok(packed::Element::Int(value))) => Ok(Some(Piece::Passing(text.format(value).as_bytes()))),
        Some(Err(error)) => Err(Error::packed(at, error)),
    }
}

/// A blob whose elements do not come in pairs or triples.
#[cold]
fn odd_count(at: u64) -> Error {
    Error::invalid(at, "packed-odd-count", "the number of elements is not a multiple of what belongs together")
}

//! What stands in a record, field by field, as data: one table for all value types and opcodes.
//!
//! What is not in the table (Dragonfly's blobs, templates, sketches) is [`Shape::Opaque`]: it is kept as it stands.
//! Source: the tables at the heads of `rdb::object` and `rdb::reader`.

use crate::rdb::opcode::{self, ValueType};

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many bytes.
    Fixed(usize),
    /// A length that counts nothing in the file.
    Number,
    /// A string.
    Text,
    /// A string that holds a packed blob, whose elements belong together in groups of so many.
    Blob(Packing, usize),
    /// The decimal score of type 3.
    Score,
    /// A count, then so many groups of these fields.
    Many(&'static [Shape]),
    /// A node of type 18: how it is packed, then the node.
    QuicklistNode,
    /// A module's opcodes, up to the one that ends them.
    Opcodes,
    /// A value of a form that is not described here.
    Opaque(ValueType),
}

/// How a blob is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Redis 7.0 and later.
    Listpack,
    /// A listpack that is a node of a stream.
    StreamNode,
    /// Redis 2.4 to 6.2.
    Ziplist,
    /// Redis 2.4.
    Zipmap,
    /// Sorted integers.
    Intset,
}

use Packing::{Intset, Listpack, StreamNode, Ziplist, Zipmap};
use Shape::{Blob, Fixed, Many, Number, Opaque, Opcodes, QuicklistNode, Score, Text};

const NODES: Shape = Many(&[Text, Blob(StreamNode, 1)]);
const PENDING: Shape = Many(&[Fixed(16), Fixed(8), Number]);
const OWNED: Shape = Many(&[Fixed(16)]);
const CONSUMERS: Shape = Many(&[Text, Fixed(8), Fixed(8), OWNED]);
const GROUPS: Shape = Many(&[Text, Number, Number, Number, PENDING, CONSUMERS]);
const PRODUCERS: Shape = Many(&[Text, Many(&[Text, Number, Number])]);
const N: Shape = Number;

/// The fields of a value's body.
pub(super) fn of_value(value_type: ValueType) -> &'static [Shape] {
    use ValueType as T;
    match value_type {
        T::String | T::DragonflyJson => &[Text],
        T::List | T::Set => &[Many(&[Text])],
        T::Hash | T::DragonflySetExpiry => &[Many(&[Text, Text])],
        T::Zset => &[Many(&[Text, Score])],
        T::Zset2 => &[Many(&[Text, Fixed(8)])],
        T::DragonflyHashExpiry => &[Many(&[Text, Text, Text])],
        T::HashZipmap => &[Blob(Zipmap, 2)],
        T::ListZiplist => &[Blob(Ziplist, 1)],
        T::ZsetZiplist | T::HashZiplist => &[Blob(Ziplist, 2)],
        T::SetIntset => &[Blob(Intset, 1)],
        T::SetListpack => &[Blob(Listpack, 1)],
        T::HashListpack | T::ZsetListpack => &[Blob(Listpack, 2)],
        T::HashListpackExPreGa => &[Blob(Listpack, 3)],
        T::HashListpackEx => &[Fixed(8), Blob(Listpack, 3)],
        T::HashMetadataPreGa => &[Many(&[Number, Text, Text])],
        T::HashMetadata => &[Fixed(8), Many(&[Number, Text, Text])],
        T::ValkeyHash2 => &[Many(&[Text, Text, Fixed(8)])],
        T::ListQuicklist => &[Many(&[Blob(Ziplist, 1)])],
        T::ListQuicklist2 => &[Many(&[QuicklistNode])],
        T::StreamListpacks => &[NODES, N, N, N, Many(&[Text, Number, Number, PENDING, Many(&[Text, Fixed(8), OWNED])])],
        T::StreamListpacks2 => {
            &[NODES, N, N, N, N, N, N, N, N, Many(&[Text, N, N, N, PENDING, Many(&[Text, Fixed(8), OWNED])])]
        }
        T::StreamListpacks3 => &[NODES, N, N, N, N, N, N, N, N, GROUPS],
        T::StreamListpacks4 => &[NODES, N, N, N, N, N, N, N, N, GROUPS, N, N, PRODUCERS, N, N],
        T::StreamListpacks5 => {
            const NACKED: Shape = Many(&[Text, Number, Number, Number, PENDING, CONSUMERS, OWNED]);
            &[NODES, N, N, N, N, N, N, N, N, NACKED, N, N, PRODUCERS, N, N]
        }
        T::Module2 => &[Number, Opcodes],
        T::Gcra => &[Number],
        T::ModulePreGa => &[Opaque(T::ModulePreGa)],
        T::Array => &[Opaque(T::Array)],
        T::HashTemplateListpack => &[Opaque(T::HashTemplateListpack)],
        T::HashTemplateListpackRef => &[Opaque(T::HashTemplateListpackRef)],
        T::HashTemplateArray => &[Opaque(T::HashTemplateArray)],
        T::HashTemplateArrayRef => &[Opaque(T::HashTemplateArrayRef)],
        T::DragonflySbf => &[Opaque(T::DragonflySbf)],
        T::DragonflySbf2 => &[Opaque(T::DragonflySbf2)],
        T::DragonflyCms => &[Opaque(T::DragonflyCms)],
        T::DragonflyTopk => &[Opaque(T::DragonflyTopk)],
        T::DragonflyCuckoo => &[Opaque(T::DragonflyCuckoo)],
        T::KeyDbCron => &[Opaque(T::KeyDbCron)],
    }
}

/// The fields behind an opcode that begins no key; nothing where they are not described here.
pub(super) fn of_opcode(byte: u8) -> Option<&'static [Shape]> {
    Some(match byte {
        opcode::SELECTDB | opcode::IDLE => &[Number],
        opcode::RESIZEDB => &[Number, Number],
        opcode::AUX => &[Text, Text],
        opcode::EXPIRETIME_MS => &[Fixed(8)],
        opcode::EXPIRETIME => &[Fixed(4)],
        opcode::FREQ => &[Fixed(1)],
        opcode::FUNCTION2 => &[Text],
        opcode::SLOT_INFO => &[Number, Number, Number],
        opcode::MODULE_AUX => &[Number, Number, Number, Opcodes],
        _ => return None,
    })
}

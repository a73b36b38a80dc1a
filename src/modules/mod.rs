//! Values of known modules, decoded into plain data.
//!
//! | type name | versions | module | file |
//! | --- | --- | --- | --- |
//! | `ReJSON-RL` | 0, 2, 3, 4 | RedisJSON | `json`, `cbor` |
//! | `MBbloom--`, `MBbloomCF` | 0 to 4 | RedisBloom filters | `bloom` |
//! | `CMSk-TYPE`, `TopK-TYPE`, `TDIS-TYPE` | 0 | RedisBloom sketches | `sketch` |
//! | `TSDB-TYPE` | 0 to 9 | RedisTimeSeries | `timeseries`, `gorilla` |
//! | `vectorset` | 0 | vector sets of Redis 8 | [`vectorset`] |
//! | Dragonfly's JSON, filters and sketches, KeyDB's cron jobs | | | `fork` |
//!
//! Any other value, and one that does not follow its module's layout, is shown as the items it is stored as
//! ([`raw_json`]). RediSearch keeps only definitions outside the keys, in a layout that changes with each version.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

#[doc(hidden)]
pub mod attack;
mod bloom;
mod cbor;
mod fields;
mod fork;
mod gorilla;
mod json;
mod json_text;
mod packed_numbers;
mod sketch;
mod timeseries;
mod tree;
pub(crate) mod vectorset;

pub use fork::decode_fork;
pub use json_text::JsonText;
pub use packed_numbers::{Number, NumberKind, PackedNumbers};
pub use timeseries::Chunk;
pub use tree::Tree;

use crate::rdb::Scratch;
use crate::rdb::object::{ModuleItem, ModuleRef};
use crate::value::json::{bytes, integer, number};
use fields::Fields;

/// The value of a known module; `None` for others, for layouts we do not know, and beyond the limits of the scratch
/// buffers' budget.
#[must_use]
pub fn decode<'a>(module: &ModuleRef<'a>, scratch: &mut Scratch) -> Option<Tree<'a>> {
    let version = module.id.version();
    let mut fields = Fields::new(module, scratch);
    let tree = match module.id.name().as_str() {
        "ReJSON-RL" => json::decode(version, &mut fields)?,
        "MBbloom--" if version <= 4 => bloom::bloom(version, &mut fields)?,
        "MBbloomCF" if version <= 4 => bloom::cuckoo(version, &mut fields)?,
        "CMSk-TYPE" if version == 0 => sketch::count_min(&mut fields)?,
        "TopK-TYPE" if version == 0 => sketch::top_k(&mut fields)?,
        "TDIS-TYPE" if version == 0 => sketch::t_digest(&mut fields)?,
        "TSDB-TYPE" if version <= 9 => timeseries::decode(version, &mut fields)?,
        "vectorset" if version == 0 => vectorset::decode(&mut fields)?,
        _ => return None,
    };
    fields.all_read(tree)
}

/// Write a module's value as one JSON object: `module`, `version`, and `value` when it can be decoded, else `raw`.
pub fn write_json(module: &ModuleRef<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"module\":");
    bytes(module.id.name().as_bytes(), out);
    out.extend_from_slice(b",\"version\":");
    integer(module.id.version(), out);
    if let Some(tree) = decode(module, scratch) {
        out.extend_from_slice(b",\"value\":");
        tree.write_json(out);
    } else {
        out.extend_from_slice(b",\"raw\":");
        raw_json(module, scratch, out);
    }
    out.push(b'}');
}

/// Write a module's value as the items it is stored as: `[{"uint":3},{"string":"…"}]`. The names are those of the
/// opcodes. A string that does not decompress is `null`.
pub fn raw_json(module: &ModuleRef<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
    out.push(b'[');
    tree::separated(module.items(), out, |item, out| {
        let name: &[u8] = match item {
            ModuleItem::Signed(_) => b"{\"sint\":",
            ModuleItem::Unsigned(_) => b"{\"uint\":",
            ModuleItem::Float(_) => b"{\"float\":",
            ModuleItem::Double(_) => b"{\"double\":",
            ModuleItem::Bytes(_) => b"{\"string\":",
        };
        out.extend_from_slice(name);
        match item {
            ModuleItem::Signed(value) => integer(value, out),
            ModuleItem::Unsigned(value) => integer(value, out),
            ModuleItem::Float(value) => packed_numbers::write_single(value, out),
            ModuleItem::Double(value) => number(value, out),
            ModuleItem::Bytes(string) => match string.read(scratch) {
                Ok(text) => bytes(&text, out),
                Err(_) => out.extend_from_slice(b"null"),
            },
        }
        out.push(b'}');
    });
    out.push(b']');
}

#[cfg(test)]
mod tests;

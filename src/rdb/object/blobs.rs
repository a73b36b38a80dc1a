//! The listpacks inside a stored value.

use super::{ValueRef, blob_offset, list, stream};
use crate::bytes::Cursor;
use crate::packed::listpack::{Backlen, Listpack};
use crate::rdb::error::{Error, Result};
use crate::rdb::length;
use crate::rdb::opcode::ValueType;
use crate::rdb::string::{self, Scratch, StringRef};

/// Shorter listpacks hold no element whose backlen is contested.
const SHORTEST: u64 = 16_383;
/// The most that LZF makes of one byte.
const EXPANSION: u64 = 264;

/// How the writer of a value wrote backlens, where that can be seen: in few values.
///
/// # Errors
/// When the value is damaged.
pub(in crate::rdb) fn contested_backlen(value: &ValueRef<'_>, scratch: &mut Scratch) -> Result<Option<Backlen>> {
    if (value.raw().len() as u64).saturating_mul(EXPANSION) < SHORTEST {
        return Ok(None);
    }
    let mut c = value.cursor();
    match value.value_type {
        ValueType::HashListpack | ValueType::ZsetListpack | ValueType::SetListpack | ValueType::HashListpackExPreGa => {
            of_listpack(&string::decode(&mut c)?, scratch)
        }
        ValueType::HashListpackEx => {
            c.array::<8>()?;
            of_listpack(&string::decode(&mut c)?, scratch)
        }
        ValueType::ListQuicklist2 => of_nodes(&mut c, scratch, |c, _| {
            let (container, node) = list::quicklist2_node(c)?;
            Ok((container == list::PACKED).then_some(node))
        }),
        ValueType::StreamListpacks
        | ValueType::StreamListpacks2
        | ValueType::StreamListpacks3
        | ValueType::StreamListpacks4
        | ValueType::StreamListpacks5 => of_nodes(&mut c, scratch, |c, scratch| Ok(Some(stream::node(c, scratch)?.1))),
        _ => Ok(None),
    }
}

fn of_nodes<'a>(
    c: &mut Cursor<'a>,
    scratch: &mut Scratch,
    next: impl Fn(&mut Cursor<'a>, &mut Scratch) -> Result<Option<StringRef<'a>>>,
) -> Result<Option<Backlen>> {
    for _ in 0..length::decode(c)? {
        if let Some(node) = next(c, scratch)?
            && let Some(found) = of_listpack(&node, scratch)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn of_listpack(node: &StringRef<'_>, scratch: &mut Scratch) -> Result<Option<Backlen>> {
    if node.len() < SHORTEST {
        return Ok(None);
    }
    let at = blob_offset(node);
    let blob = node.read(scratch)?;
    Listpack::new(&blob).and_then(|listpack| listpack.backlen()).map_err(|e| Error::packed(at, e))
}

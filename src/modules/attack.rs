//! What must hold of the data of known modules, whatever it is: the body of a fuzz target, also run by `cargo test`.
//!
//! It panics when something does not hold; that is its purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::write_json;
use crate::bytes::{Budget, Cursor};
use crate::rdb::object::{ModuleId, Template, skim};
use crate::rdb::{Buffers, Element, Scratch, ValueRef, ValueType, length};

/// Whose data is decoded.
const NAMES: [&[u8; 9]; 8] =
    [b"ReJSON-RL", b"MBbloom--", b"MBbloomCF", b"CMSk-TYPE", b"TopK-TYPE", b"TDIS-TYPE", b"TSDB-TYPE", b"vectorset"];

/// The first two bytes choose a module and a version, the rest is its opcode stream: what is made of it is text.
pub fn value(data: &[u8]) {
    let Some((&[which, version], stream)) = data.split_first_chunk::<2>() else { return };
    let name = NAMES.iter().cycle().nth(usize::from(which)).copied().unwrap_or(b"vectorset");
    let Some(id) = ModuleId::from_name(name, u16::from(version)) else { return };
    let mut body = Vec::new();
    length::encode(id.0, &mut body);
    body.extend_from_slice(stream);
    let mut c = Cursor::new(&body);
    let start = c;
    if skim(ValueType::Module2, &mut c, Template::NONE, &Budget::default()).is_err() {
        return;
    }
    let value = ValueRef::new(ValueType::Module2, c.since(&start), 0);
    let budget = Budget::new(64 << 20);
    let walked = value.elements(&mut Buffers::new(&budget), &mut |element| {
        if let Element::Module(module) = element {
            let mut json = Vec::new();
            write_json(&module, &mut Scratch::new(budget.clone()), &mut json);
            if std::str::from_utf8(&json).is_err() || !json.ends_with(b"}") {
                panic!("the JSON of a module is none");
            }
        }
        Ok(())
    });
    if walked.is_err() {
        panic!("a module is skimmed that does not walk");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sound_value_holds() {
        super::value(b"\x00\x03\x05\x07{\"a\":1}\x00");
        super::value(b"\x07\x00\x02\x01\x00");
        super::value(b"\x00\x03\x05\x07{\"a\":1");
    }
}

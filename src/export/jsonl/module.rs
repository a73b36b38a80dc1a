//! Module values: as what they mean where the module is known, else as the items they are stored as.

use crate::export::Head;
use crate::modules;
use crate::rdb::Scratch;
use crate::rdb::object::ModuleRef;
use crate::scan::Pen;
use crate::value::json;

/// `{"module":"…","version":N,"value":…}`, or `"raw":[…]`.
pub(super) fn value(module: &ModuleRef<'_>, head: &Head<'_>, pen: &mut Pen<'_>) {
    modules::write_json(module, &mut Scratch::new(head.budget.clone()), pen.bytes());
}

/// The same for a value that only a fork has, named by its encoding.
pub(super) fn of_fork(head: &Head<'_>, stored: &[u8], pen: &mut Pen<'_>) {
    let out = pen.bytes();
    out.extend_from_slice(b"{\"module\":");
    json::string(head.encoding.unwrap_or_default(), out);
    out.extend_from_slice(b",\"version\":0");
    let scratch = &mut Scratch::new(head.budget.clone());
    let tree = head.stored.as_ref().and_then(|value| modules::decode_fork(value, scratch));
    if let Some(tree) = tree {
        out.extend_from_slice(b",\"value\":");
        tree.write_json(out);
    } else {
        out.extend_from_slice(b",\"raw\":[");
        pen.json(stored);
        pen.bytes().push(b']');
    }
    pen.bytes().push(b'}');
}

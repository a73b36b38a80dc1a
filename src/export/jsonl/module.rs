//! Module values: as what they mean where the module is known, else as the items they are stored as.

use crate::bytes::Limits;
use crate::export::Head;
use crate::modules;
use crate::rdb::Scratch;
use crate::rdb::object::ModuleRef;
use crate::scan::Pen;
use crate::value::json;

/// The most that the decoded form of one value may take; a larger one is shown as it is stored.
const LIMITS: Limits = Limits { memory: 256 << 20, depth: 128 };

/// The same, and no more than the budget has left.
fn limits(head: &Head<'_>) -> Limits {
    Limits { memory: LIMITS.memory.min(head.budget.left()), ..LIMITS }
}

/// `{"module":"…","version":N,"value":…}`, or `"raw":[…]`.
pub(super) fn value(module: &ModuleRef<'_>, head: &Head<'_>, pen: &mut Pen<'_>) {
    modules::write_json(module, &mut Scratch::new(head.budget.clone()), &limits(head), pen.bytes());
}

/// The same for a value that only a fork has, named by its encoding.
pub(super) fn of_fork(head: &Head<'_>, stored: &[u8], pen: &mut Pen<'_>) {
    let out = pen.bytes();
    out.extend_from_slice(b"{\"module\":");
    json::string(head.encoding.unwrap_or_default(), out);
    out.extend_from_slice(b",\"version\":0");
    let tree = head.stored.as_ref().and_then(|value| {
        let scratch = &mut Scratch::new(head.budget.clone());
        modules::decode_fork(value, scratch, &limits(head))
    });
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

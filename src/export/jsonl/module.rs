//! Module values: as what they mean where the module is known, else as the items they are stored as.

use crate::bytes::Limits;
use crate::export::Head;
use crate::modules;
use crate::rdb::Scratch;
use crate::rdb::object::ModuleRef;
use crate::scan::Sink;
use crate::value::json;

/// The most that the decoded form of one value may take; a larger one is shown as it is stored.
const LIMITS: Limits = Limits { memory: 256 << 20, depth: 128, string: 1 << 32 };

/// `{"module":"…","version":N,"value":…}`, or `"raw":[…]`.
pub(super) fn value(module: &ModuleRef<'_>, sink: &mut Sink<'_>) {
    modules::write_json(module, &mut Scratch::default(), &LIMITS, sink.bytes());
}

/// The same for a value that only a fork has, named by its encoding.
pub(super) fn of_fork(head: &Head<'_>, stored: &[u8], sink: &mut Sink<'_>) {
    let out = sink.bytes();
    out.extend_from_slice(b"{\"module\":");
    json::string(head.encoding.unwrap_or_default(), out);
    out.extend_from_slice(b",\"version\":0");
    let tree = head.stored.as_ref().and_then(|value| modules::decode_fork(value, &mut Scratch::default(), &LIMITS));
    if let Some(tree) = tree {
        out.extend_from_slice(b",\"value\":");
        tree.write_json(out);
    } else {
        out.extend_from_slice(b",\"raw\":[");
        sink.json(stored);
        sink.bytes().push(b']');
    }
    sink.bytes().push(b'}');
}

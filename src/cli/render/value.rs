//! A value for a person, in the manner of `redis-cli`.

use super::{escape, text};
use careen::export::{Format, Head};
use careen::packed;
use careen::rdb::object::{ModuleItem, Tail};
use careen::rdb::{self, Element, Scratch};
use careen::scan::Pen;
use careen::value::{Kind, StreamId};

/// A heading, then a line per element.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    count: u64,
}

impl Format for Person {
    fn open(&mut self, head: &Head<'_>, out: &mut Vec<u8>) {
        self.count = 0;
        let encoding = head.encoding.map(|encoding| format!(", {encoding}")).unwrap_or_default();
        let expiry = head.expiry.map_or_else(|| "no expiry".into(), |at| format!("expires {}", text::time(at)));
        escape::push(head.key, out);
        out.extend_from_slice(format!("  ({}{encoding}, db {}, {expiry})\n", head.kind.name(), head.db.0).as_bytes());
    }

    fn element(&mut self, head: &Head<'_>, element: Element<'_, '_>, pen: &mut Pen<'_>) -> rdb::Result<()> {
        let out = pen.bytes();
        match element {
            Element::Item(text) if head.kind != Kind::List => quoted(&text, out),
            Element::Item(text) | Element::Member(text, None) => {
                self.number(out);
                quoted(&text, out);
            }
            Element::Member(member, Some(at)) => {
                self.number(out);
                quoted(&member, out);
                out.extend_from_slice(format!("  (expires {})", text::time(at)).as_bytes());
            }
            Element::Field { field, value, expiry } => {
                self.number(out);
                quoted(&field, out);
                out.extend_from_slice(b" => ");
                quoted(&value, out);
                if let Some(at) = expiry {
                    out.extend_from_slice(format!("  (expires {})", text::time(at)).as_bytes());
                }
            }
            Element::Scored(member, score) => {
                self.number(out);
                careen::value::number::shortest_text(score, out);
                out.push(b' ');
                quoted(&member, out);
            }
            Element::Slot(index, value) => {
                out.extend_from_slice(format!("[{index}] ").as_bytes());
                quoted(&value, out);
            }
            Element::Entry(id, fields) => entry(id, fields, out),
            Element::Tail(tail) => return stream(tail, out),
            Element::Module(module) => {
                out.extend_from_slice(
                    format!("module {}, version {}\n", module.id.name(), module.id.version()).as_bytes(),
                );
                for item in module.items() {
                    self.number(pen.bytes());
                    module_item(item, pen.bytes())?;
                    pen.bytes().push(b'\n');
                    pen.breathe();
                }
                return Ok(());
            }
            Element::Opaque(stored) => quoted(stored, out),
            Element::Json(text) => out.extend_from_slice(text),
        }
        pen.bytes().push(b'\n');
        Ok(())
    }

    fn close(&mut self, _: &Head<'_>, _: &mut Pen<'_>) {}
}

impl Person {
    fn number(&mut self, out: &mut Vec<u8>) {
        self.count = self.count.saturating_add(1);
        out.extend_from_slice(format!("{}) ", self.count).as_bytes());
    }
}

fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for (i, piece) in text.split(|&byte| byte == b'"').enumerate() {
        if i > 0 {
            out.extend_from_slice(b"\\\"");
        }
        escape::push(piece, out);
    }
    out.push(b'"');
}

fn entry(id: StreamId, fields: &[packed::Element<'_>], out: &mut Vec<u8>) {
    out.extend_from_slice(id.to_string().as_bytes());
    let mut buffer = itoa::Buffer::new();
    for pair in fields.chunks(2) {
        for (i, part) in pair.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b"  " } else { b" => " });
            quoted(part.text(&mut buffer), out);
        }
    }
}

fn stream(tail: &Tail<'_>, out: &mut Vec<u8>) -> rdb::Result<()> {
    out.extend_from_slice(format!("last id {}", tail.last_id).as_bytes());
    if let Some(added) = tail.entries_added {
        out.extend_from_slice(format!(", {added} entries ever added").as_bytes());
    }
    if let Some(deleted) = tail.max_deleted_id.filter(|&id| id != StreamId::MIN) {
        out.extend_from_slice(format!(", greatest deleted id {deleted}").as_bytes());
    }
    out.push(b'\n');
    for group in &tail.groups {
        out.extend_from_slice(b"group ");
        quoted(&group.name, out);
        let (pending, consumers) = (group.pending.len() as u64, group.consumers.len() as u64);
        let rest =
            format!("  last id {}, {pending} pending, {}\n", group.last_id, text::counted(consumers, "consumer"));
        out.extend_from_slice(rest.as_bytes());
    }
    Ok(())
}

fn module_item(item: ModuleItem<'_>, out: &mut Vec<u8>) -> rdb::Result<()> {
    match item {
        ModuleItem::Signed(value) => out.extend_from_slice(value.to_string().as_bytes()),
        ModuleItem::Unsigned(value) => out.extend_from_slice(value.to_string().as_bytes()),
        ModuleItem::Float(value) => out.extend_from_slice(value.to_string().as_bytes()),
        ModuleItem::Double(value) => out.extend_from_slice(value.to_string().as_bytes()),
        ModuleItem::Bytes(text) => quoted(&text.read(&mut Scratch::default())?, out),
    }
    Ok(())
}

/// The bytes of a string and nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw;

impl Format for Raw {
    fn open(&mut self, _: &Head<'_>, _: &mut Vec<u8>) {}

    fn element(&mut self, _: &Head<'_>, element: Element<'_, '_>, pen: &mut Pen<'_>) -> rdb::Result<()> {
        if let Element::Item(text) = element {
            pen.raw(&text);
        }
        Ok(())
    }

    fn close(&mut self, _: &Head<'_>, _: &mut Pen<'_>) {}
}

//! Values as elements, the form in which every output takes them: the mirror of `load`.

use super::nearly;
use super::stream::{Group, Stream};
use super::value::Value;
use super::vectors::Vectors;
use crate::packed;
use crate::rdb::object::{Consumer, Idempotence, Pending, Producer, Tail, Visit};
use crate::rdb::{Buffers, Element, Result};
use crate::value::{Blob, Piece, UnixMillis, json};

/// Every element of a value, in the order that a snapshot would have. Sorted sets come by score.
///
/// # Errors
/// When a stored value is damaged, or what `visit` returned.
pub fn elements<'a>(value: &Value<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    match value {
        Value::String(text) => visit(Element::Item(piece(text))),
        Value::Buffer(text) => visit(Element::Item(Piece::Passing(&text.0))),
        Value::List(list) => list.0.iter().try_for_each(|item| visit(Element::Item(piece(item)))),
        Value::Set(set) => set.0.keys().try_for_each(|member| visit(Element::Member(piece(member), None))),
        Value::Hash(hash) => hash.iter().try_for_each(|(field, value)| {
            let expiry = hash.expiry(field);
            visit(Element::Field { field: piece(field), value: piece(value), expiry })
        }),
        Value::Zset(zset) => {
            let order = |a: &(&Blob<'a>, f64), b: &(&Blob<'a>, f64)| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(b.0));
            let members = nearly::sorted(zset.iter().collect(), order);
            members.into_iter().try_for_each(|(member, score)| visit(Element::Scored(piece(member), score)))
        }
        Value::Stream(stream) => entries(stream, visit),
        Value::Vectors(vectors) => visit(Element::Json(&vectors_json(vectors))),
        Value::Stored(stored) => stored.elements(buffers, visit),
    }
}

/// Every element of a value, in the order that costs least.
///
/// # Errors
/// As [`elements`].
pub fn in_any_order<'a>(value: &Value<'a>, buffers: &mut Buffers, visit: &mut impl Visit<'a>) -> Result<()> {
    match value {
        Value::Zset(zset) => zset.iter().try_for_each(|(member, score)| visit(Element::Scored(piece(member), score))),
        other => elements(other, buffers, visit),
    }
}

/// How many elements a value has (bytes of a string).
///
/// # Errors
/// When a stored value is damaged.
pub fn count(value: &Value<'_>, buffers: &mut Buffers) -> Result<u64> {
    Ok(match value {
        Value::String(text) => text.len() as u64,
        Value::Buffer(text) => text.0.len() as u64,
        Value::List(list) => list.0.len() as u64,
        Value::Set(set) => set.0.len() as u64,
        Value::Hash(hash) => hash.len() as u64,
        Value::Zset(zset) => zset.len() as u64,
        Value::Stream(stream) => stream.len() as u64,
        Value::Vectors(vectors) => vectors.elements.len() as u64,
        Value::Stored(stored) => return stored.count(&mut buffers.first),
    })
}

/// A vector set made by commands. It has no graph, so it is nothing that a server could load.
fn vectors_json(vectors: &Vectors<'_>) -> Vec<u8> {
    let mut out = b"{\"module\":\"vectorset\",\"version\":0,\"value\":{\"dimension\":".to_vec();
    json::integer(vectors.dimension, &mut out);
    out.extend_from_slice(b",\"quantization\":\"");
    out.extend_from_slice(vectors.quantisation.name().as_bytes());
    out.extend_from_slice(b"\",\"elements\":[");
    for (index, (element, vector)) in vectors.elements.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"element\":" } else { b",{\"element\":" });
        json::bytes(element, &mut out);
        out.extend_from_slice(b",\"stored\":");
        json::bytes(&vector.stored, &mut out);
        if !vector.attributes.is_empty() {
            out.extend_from_slice(b",\"attributes\":");
            json::bytes(&vector.attributes, &mut out);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}}");
    out
}

fn piece<'a, 'e>(blob: &'e Blob<'a>) -> Piece<'a, 'e> {
    blob.input().map_or(Piece::Passing(blob), Piece::Input)
}

fn entries<'a>(stream: &Stream<'a>, visit: &mut impl Visit<'a>) -> Result<()> {
    let mut fields = Vec::new();
    for (&id, entry) in &stream.entries {
        fields.clear();
        fields.extend(entry.iter().map(|text| packed::Element::Bytes(text)));
        visit(Element::Entry(id, &fields))?;
    }
    visit(Element::Tail(&tail(stream)))
}

/// What a stream is besides its entries.
#[must_use]
pub fn tail<'a>(stream: &Stream<'a>) -> Tail<'a> {
    Tail {
        length: stream.len() as u64,
        last_id: stream.last_id,
        first_id: Some(stream.first_id()),
        max_deleted_id: Some(stream.max_deleted_id),
        entries_added: Some(stream.entries_added),
        groups: stream.groups.iter().map(|(name, of)| group(name, of)).collect(),
        idempotence: stream.idempotency.as_ref().map(|state| Idempotence {
            seconds: state.duration,
            max_entries: state.max_size,
            producers: state
                .producers
                .iter()
                .map(|(id, ids)| Producer { id: id.clone(), ids: ids.iter().cloned().collect() })
                .collect(),
            added: state.added,
            duplicates: state.duplicates,
        }),
    }
}

fn group<'a>(name: &Blob<'a>, group: &Group<'a>) -> crate::rdb::object::Group<'a> {
    let owner = |pending: &super::stream::Pending<'a>| {
        group.consumers.find(&pending.consumer).and_then(|index| u32::try_from(index).ok())
    };
    crate::rdb::object::Group {
        name: name.clone(),
        last_id: group.last_delivered,
        entries_read: group.entries_read,
        pending: group
            .pending
            .iter()
            .map(|(&id, pending)| Pending {
                id,
                delivered: pending.delivered_at,
                deliveries: pending.deliveries,
                consumer: owner(pending),
            })
            .collect(),
        consumers: group
            .consumers
            .iter()
            .map(|(name, times)| Consumer {
                name: name.clone(),
                seen: times.seen_at,
                active: Some(times.active_at.unwrap_or(UnixMillis(-1))),
            })
            .collect(),
        nacked: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::decode;
    use super::*;
    use crate::rdb::{Reader, Record};

    /// What a value shows of itself, as text.
    fn shown(visit_all: impl FnOnce(&mut dyn FnMut(Element<'_, '_>))) -> Vec<String> {
        let mut lines = Vec::new();
        visit_all(&mut |element| {
            lines.push(match element {
                Element::Item(text) | Element::Member(text, _) => text.escape_ascii().to_string(),
                Element::Field { field, value, expiry } => {
                    format!("{}={} {expiry:?}", field.escape_ascii(), value.escape_ascii())
                }
                Element::Scored(member, score) => format!("{} {score}", member.escape_ascii()),
                Element::Entry(id, fields) => {
                    let mut digits = itoa::Buffer::new();
                    let texts = fields.iter().map(|f| f.text(&mut digits).escape_ascii().to_string());
                    format!("{id} {:?}", texts.collect::<Vec<_>>())
                }
                Element::Tail(tail) => format!("{} {} {:?}", tail.last_id, tail.length, tail.groups),
                _ => String::new(),
            });
        });
        lines
    }

    #[test]
    fn a_loaded_value_shows_the_elements_that_its_stored_form_shows() {
        let file = std::fs::read("testdata/rdb/everything-redis_v13.rdb").unwrap();
        let mut reader = Reader::new(&file).unwrap();
        let mut buffers = Buffers::default();
        let mut compared = 0;
        while let Some(record) = reader.next_record().unwrap() {
            let Record::Key(key) = record else { continue };
            let Some(value) = decode(&key.value, &mut buffers).unwrap() else { continue };
            let mut stored = shown(|show| {
                key.value
                    .elements(&mut Buffers::default(), &mut |element: Element<'_, '_>| {
                        show(element);
                        Ok(())
                    })
                    .unwrap();
            });
            let mut loaded = shown(|show| {
                elements(&value, &mut buffers, &mut |element: Element<'_, '_>| {
                    show(element);
                    Ok(())
                })
                .unwrap();
            });
            if matches!(value, Value::Zset(_)) {
                stored.sort_unstable();
                loaded.sort_unstable();
            }
            assert_eq!(loaded, stored, "{:?}", key.key);
            assert_eq!(count(&value, &mut buffers).unwrap(), key.value.count(&mut buffers.first).unwrap());
            compared += 1;
        }
        assert!(compared > 10, "{compared} keys");
    }
}

//! What an RDB image holds, in the shape of the JSON in `testdata/`: the words of the server that wrote it.

use careen::rdb::object::Tail;
use careen::rdb::{Buffers, Element, KeyRecord, Reader, Record, Result, ValueRef};
use serde_json::{Value, json};

/// Bytes as JSON: text, or what is no text in base64.
pub(crate) fn text(bytes: &[u8]) -> Value {
    use base64::Engine as _;
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    }
}

/// The keys of an image, ordered by database and name.
pub(crate) fn image(data: &[u8]) -> Result<Vec<Value>> {
    let mut reader = Reader::new(data)?;
    let mut keys = Vec::new();
    while let Some(record) = reader.next_record()? {
        if let Record::Key(record) = record {
            keys.push((record.db, record.key.to_vec(), key(&record)?));
        }
    }
    keys.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    Ok(keys.into_iter().map(|(_, _, key)| key).collect())
}

fn key(record: &KeyRecord<'_>) -> Result<Value> {
    Ok(json!({
        "db": record.db.0,
        "key": text(&record.key),
        "type": record.value.kind().name(),
        "expires_at_ms": record.expiry.map(|at| at.0),
        "value": value(&record.value)?,
    }))
}

/// A value; sets and hashes are sorted, sorted sets in the order of their scores.
pub(crate) fn value(value: &ValueRef<'_>) -> Result<Value> {
    let (mut items, mut unordered, mut scored) = (Vec::new(), Vec::new(), Vec::new());
    let (mut entries, mut rest) = (Vec::new(), Value::Null);
    value.elements(&mut Buffers::default(), &mut |element| {
        match element {
            Element::Item(item) => items.push(text(&item)),
            Element::Member(member, _) => unordered.push((member.to_vec(), text(&member))),
            Element::Field { field, value, expiry } => {
                let mut shown = json!({ "field": text(&field), "value": text(&value) });
                if let Some(at) = expiry {
                    shown["expires_at_ms"] = json!(at.0);
                }
                unordered.push((field.to_vec(), shown));
            }
            Element::Scored(member, score) => {
                let shown = json!({ "member": text(&member), "score": score_text(score) });
                scored.push((score, member.to_vec(), shown));
            }
            Element::Entry(id, pairs) => entries.push(json!({ "id": id.to_string(), "fields": fields(pairs) })),
            Element::Tail(tail) => rest = tail_of(tail),
            Element::Slot(at, item) => items.push(json!([at, text(&item)])),
            Element::Module(module) => rest = json!({ "bytes": module.raw().len() }),
            Element::Opaque(bytes) | Element::Json(bytes) => rest = json!({ "bytes": bytes.len() }),
        }
        Ok(())
    })?;
    scored.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap().then_with(|| a.1.cmp(&b.1)));
    items.extend(scored.into_iter().map(|(_, _, shown)| shown));
    unordered.sort_by(|a, b| a.0.cmp(&b.0));
    items.extend(unordered.into_iter().map(|(_, shown)| shown));
    if rest.get("groups").is_some() {
        rest["entries"] = Value::Array(entries);
    }
    Ok(match (value.kind().name(), rest.is_null()) {
        (_, false) => rest,
        ("string", _) => items.pop().unwrap_or_default(),
        _ => Value::Array(items),
    })
}

fn score_text(score: f64) -> String {
    match score {
        f64::INFINITY => "inf".into(),
        f64::NEG_INFINITY => "-inf".into(),
        _ => score.to_string(),
    }
}

fn fields(pairs: &[careen::packed::Element<'_>]) -> Vec<Value> {
    let shown = |element: careen::packed::Element<'_>| text(element.text(&mut itoa::Buffer::new()));
    pairs.chunks_exact(2).map(|pair| json!([shown(pair[0]), shown(pair[1])])).collect()
}

fn tail_of(tail: &Tail<'_>) -> Value {
    let groups = tail.groups.iter().map(|group| {
        let pending: Vec<_> = group.pending.iter().map(|pending| pending.id.to_string()).collect();
        let consumers: Vec<_> = group.consumers.iter().map(|consumer| text(&consumer.name)).collect();
        json!({ "name": text(&group.name), "last_id": group.last_id.to_string(), "pending": pending, "consumers": consumers })
    });
    json!({ "last_id": tail.last_id.to_string(), "groups": groups.collect::<Vec<_>>() })
}

//! What must hold for any bytes at all: bodies of fuzz targets, also run by `cargo test`.
//!
//! Each function panics when it does not hold; that is its purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::object::{Template, skim};
use super::whole::{self, Met};
use super::{Buffers, Dialect, KeyRecord, Reader, Record, Result, ValueRef, ValueType};
use crate::bytes::{Budget, Cursor};

/// What a fuzzer's input may make us allocate, expanded strings and inflated blobs together.
const MEMORY: u64 = 64 << 20;

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

/// Any bytes as an RDB image: records stand without gaps, each reads the same alone, and outlining finds the same ends.
pub fn reader(data: &[u8]) {
    let (Ok(mut reader), Ok(mut outline)) = (Reader::new(data), Reader::new(data)) else { return };
    let Some(header) = data.get(..HEADER) else { return };
    let budget = Budget::new(MEMORY);
    let mut buffers = Buffers::new(&budget);
    let mut end = reader.offset();
    let outcome = loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                // An AUX field may stand between a key's expiry and the key, inside the key's record.
                let apart = record.offset() >= end || matches!(record, Record::Key(_));
                must(apart, "a record begins before the last one ended");
                look(header, &record, &mut buffers);
                end = reader.offset();
                let done = matches!(record, Record::End { .. });
                must(outline_to(&mut outline, end), "an outline steps over something else");
                if done {
                    break Ok(());
                }
            }
            Ok(None) => panic!("a reader that saw neither the end nor an error has no more records"),
            Err(error) => break Err(error),
        }
    };
    must(matches!(reader.next_record(), Ok(None)), "a reader goes on behind its end");
    must(end <= data.len() as u64, "a record ends behind the input");
    look_inside(header, data, &mut buffers);
    if outcome.is_err() {
        must(!outline_to(&mut outline, u64::MAX), "an outline does not see an error");
    }
}

/// Step over one record: true when the reader then stands at `end`.
fn outline_to(outline: &mut Reader<'_>, end: u64) -> bool {
    matches!(outline.skip_record(), Ok(Some(_))) && outline.offset() == end
}

fn look(header: &[u8], record: &Record<'_>, buffers: &mut Buffers) {
    match record {
        Record::Key(key) => look_at_key(header, key, buffers),
        Record::ModuleAux { module, .. } => module.items().for_each(drop),
        _ => {}
    }
}

/// What is compressed or in pieces.
fn look_inside(header: &[u8], data: &[u8], buffers: &mut Buffers) {
    let Ok(mut reader) = Reader::new(data) else { return };
    // Where reading stops was seen before.
    let _ = whole::each(&mut reader, &Budget::new(MEMORY), |met| -> Result<()> {
        if let Met::Passing(Record::Key(key)) = met {
            look_at_key(header, &key, buffers);
        }
        Ok(())
    });
}

fn look_at_key(header: &[u8], record: &KeyRecord<'_>, buffers: &mut Buffers) {
    must(record.value.end() <= record.end(), "a value ends behind its record");
    must(record.attributes().metadata.len() <= record.raw.len(), "metadata is longer than its record");
    if let Ok(mut alone) = Reader::at(&[header, record.raw, &[0xff; 9]].concat(), 0) {
        // What a template says is told outside the record.
        if let Ok(Some(Record::Key(again))) = alone.next_record() {
            must(again.key == record.key && again.expiry == record.expiry, "a record reads otherwise alone");
        }
    }
    look_at_value(&record.value, buffers);
}

/// Bytes of magic and version, which say what the numbers of types mean.
const HEADER: usize = 9;

/// The first byte is a value type, the rest its body, as in a DUMP payload without its last ten bytes.
pub fn value(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else { return };
    for dialect in [Dialect::Redis, Dialect::Valkey, Dialect::Dragonfly] {
        let Some(value_type) = ValueType::from_byte(first, dialect) else { continue };
        let mut c = Cursor::new(body);
        let start = c;
        if skim(value_type, &mut c, Template::NONE, &Budget::new(MEMORY)).is_ok() {
            let value = ValueRef::new(value_type, c.since(&start), 0);
            look_at_value(&value, &mut Buffers::new(&Budget::new(MEMORY)));
        }
    }
}

/// The elements are as many as the count says, and whatever is skimmed is skimmed to the same end again.
fn look_at_value(value: &ValueRef<'_>, buffers: &mut Buffers) {
    let mut again = Cursor::at(value.raw(), value.offset);
    if value.kind() != crate::value::Kind::Hash {
        let budget = &buffers.first.budget;
        let same = skim(value.value_type, &mut again, Template::NONE, budget).is_ok() && again.is_empty();
        must(same, "a value alone has another end");
    }
    let mut elements = 0u64;
    let walked = value.elements(buffers, &mut |_| {
        elements = elements.saturating_add(1);
        Ok(())
    });
    let counted = value.count(&mut buffers.first);
    let tail = value.stream_tail(buffers);
    if walked.is_ok() {
        must(counted.is_ok(), "elements are walked that cannot be counted");
        must(tail.is_ok(), "a stream is walked whose tail cannot be read");
    }
    if let (Ok(()), Ok(counted), true) = (walked, counted, count_is_exact(value.value_type)) {
        must(counted == elements, "there are more or fewer elements than counted");
    }
}

/// Types whose count stands before the elements and is the reader's own; elsewhere a header may lie.
fn count_is_exact(value_type: ValueType) -> bool {
    use ValueType as T;
    matches!(value_type, T::List | T::Set | T::Zset | T::Zset2 | T::Hash | T::HashMetadata | T::ValkeyHash2)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sound_image_holds() {
        super::reader(include_bytes!("../../testdata/rdb/everything-redis_v13.rdb"));
        super::reader(include_bytes!("../../testdata/rdb/hash-field-expiry_v80.rdb"));
        super::value(b"\x01\x02\x01a\x01b");
    }
}

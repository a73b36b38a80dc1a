//! What is left of one damaged collection: its head, the elements before the damage, and those behind it.
//!
//! | stored as | what is kept |
//! | --- | --- |
//! | elements one by one, list nodes | from the front up to the damage, and the stretch that ends where the record ends |
//! | one listpack | its elements from the front up to the damage |
//!
//! Streams are not kept in part: their groups refer to what is lost. LZF blobs are not either: behind a damage nothing
//! tells which of their bytes are right.

use std::ops::Range;

use super::Image;
use super::body;
use super::open::{self, Head};
use super::strict::{Strict, Text};
use crate::bytes::{Budget, Cursor};
use crate::check::value::Inspector;
use crate::packed::listpack::{self, Backlen, Listpack};
use crate::rdb::{Dialect, Reader, Record, ValueType, length};
use crate::value::DbIndex;

/// A record made of what is left of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// The record, with the type, key and prefixes of the damaged one.
    pub record: Vec<u8>,
    /// Its key.
    pub key: Vec<u8>,
    /// It has an expiry.
    pub expires: bool,
    /// How many elements it has.
    pub kept: u64,
    /// How many the damaged one claims; nothing when its blob does not tell.
    pub claimed: Option<u64>,
}

/// Strings read in one record.
const STEPS: u32 = 1 << 22;

/// The damaged record that fills a gap, as far as it can be kept.
#[must_use]
pub fn partial(image: &Image<'_>, gap: Range<usize>, budget: &Budget) -> Option<Partial> {
    let bytes = image.bytes.get(..gap.end)?;
    let (record, kept, claimed) =
        match open::head_in(bytes, gap.start, image.dialect).filter(|head| !is_stream(head.value_type)) {
            Some(head) => of_elements(bytes, &head, gap.end)?,
            None => of_listpack(bytes, gap.start, image.dialect)?,
        };
    sound(image, record, kept, claimed, budget)
}

fn is_stream(value_type: ValueType) -> bool {
    matches!(value_type, ValueType::StreamListpacks | ValueType::StreamListpacks2 | ValueType::StreamListpacks3)
}

type Rebuilt = (Vec<u8>, u64, Option<u64>);

fn of_elements(bytes: &[u8], head: &Head, end: usize) -> Option<Rebuilt> {
    let (front, front_end) = run(bytes, head, head.elements, head.count);
    let left = head.count.saturating_sub(front);
    let fewest = if open::is_nodes(head.value_type) { 1 } else { 3 };
    let tail = (front_end..end).find_map(|from| {
        let (count, reached) = run(bytes, head, from, left);
        (reached == end && count >= fewest).then_some((from, count))
    });
    let (from, tail) = tail.unwrap_or((end, 0));
    let kept = front.checked_add(tail).filter(|&kept| kept > 0)?;
    let mut record = bytes.get(head.start..head.count_at)?.to_vec();
    length::encode(kept, &mut record);
    record.extend_from_slice(bytes.get(head.elements..front_end)?);
    record.extend_from_slice(bytes.get(from..end)?);
    Some((record, kept, Some(head.count)))
}

/// How many elements read from a place, at most `most`, and where they end.
fn run(bytes: &[u8], head: &Head, from: usize, most: u64) -> (u64, usize) {
    let mut s = Strict::new(bytes, from, STEPS);
    let mut count = 0;
    while count < most {
        let before = s;
        if body::element(&mut s, head.value_type).is_none() {
            return (count, before.at());
        }
        count += 1;
    }
    (count, s.at())
}

fn of_listpack(bytes: &[u8], start: usize, dialect: Dialect) -> Option<Rebuilt> {
    let mut s = Strict::new(bytes, start, STEPS);
    let value_type = open::type_and_key(&mut s, dialect)?;
    let tuple = match value_type {
        ValueType::SetListpack => 1,
        ValueType::HashListpack | ValueType::ZsetListpack => 2,
        _ => return None,
    };
    let body_at = s.at();
    let Text::Plain(blob) = s.string()? else { return None };
    let mut elements = Vec::new();
    for element in Listpack::new(blob).ok()?.iter() {
        let Ok(element) = element else { break };
        elements.push(element);
    }
    elements.truncate(elements.len() / tuple * tuple);
    let mut rebuilt = listpack::Builder::new(Backlen::default());
    elements.iter().for_each(|element| rebuilt.push_element(*element));
    let blob = rebuilt.finish();
    let mut record = bytes.get(start..body_at)?.to_vec();
    length::encode(blob.len() as u64, &mut record);
    record.extend_from_slice(&blob);
    let kept = u64::try_from(elements.len() / tuple).ok().filter(|&kept| kept > 0)?;
    Some((record, kept, None))
}

/// The record, when it reads and is sound inside.
fn sound(image: &Image<'_>, record: Vec<u8>, kept: u64, claimed: Option<u64>, budget: &Budget) -> Option<Partial> {
    let mut reader = Reader::resume(Cursor::new(&record), image.version, image.dialect, DbIndex(0)).with_budget(budget);
    let Ok(Some(Record::Key(read))) = reader.next_record() else { return None };
    let is_sound = read.raw.len() == record.len() && Inspector::new(budget).first_error(&read.value).is_none();
    let (key, expires) = (read.key.to_vec(), read.expiry.is_some());
    is_sound.then_some(Partial { record, key, expires, kept, claimed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(record: &[u8]) -> (Vec<u8>, Range<usize>) {
        ([b"REDIS0011".as_slice(), record].concat(), 9..9 + record.len())
    }

    fn left_of(record: &[u8]) -> Option<Partial> {
        let (bytes, gap) = image(record);
        partial(&Image { bytes: &bytes, from: 9, version: 11, dialect: Dialect::Redis }, gap, &Budget::default())
    }

    #[test]
    fn elements_before_and_behind_a_damage_are_kept() {
        // A set of eight members; the third has a length that is none.
        let left = left_of(b"\x02\x03key\x08\x02aa\x02bb\xf7cc\x02dd\x02ee\x02ff\x02gg\x02hh").unwrap();
        assert_eq!((left.key.as_slice(), left.kept, left.claimed), (&b"key"[..], 7, Some(8)));
        assert_eq!(left.record, b"\x02\x03key\x07\x02aa\x02bb\x02dd\x02ee\x02ff\x02gg\x02hh");
    }

    #[test]
    fn a_listpack_is_kept_up_to_its_damage() {
        let mut pack = listpack::Builder::new(Backlen::default());
        ["f1", "v1", "f2", "v2", "f3", "v3"].iter().for_each(|text| pack.push(text.as_bytes()));
        let mut blob = pack.finish();
        blob[18] = 0xee; // the second value claims more bytes than there are
        let mut record = b"\x10\x03key".to_vec();
        length::encode(blob.len() as u64, &mut record);
        record.extend_from_slice(&blob);
        let left = left_of(&record).unwrap();
        assert_eq!((left.kept, left.claimed), (1, None));
    }

    #[test]
    fn nothing_is_left_of_a_string() {
        assert_eq!(left_of(b"\x00\x03key\x07abc"), None);
    }
}

#![expect(clippy::arithmetic_side_effects, reason = "numbers of the test's own")]

use super::*;
use crate::packed::attack;
use crate::packed::listpack::Backlen;
use proptest::prelude::*;

const MASTER: StreamId = StreamId { ms: 1, seq: 1 };

/// 1-1 {f:v}, 1-2 {f:w}, from a server.
const TWO: &[u8] = b"\x28\0\0\0\x0f\0\x02\x01\0\x01\x01\x01\x81\x66\x02\0\x01\
    \x02\x01\0\x01\0\x01\x81\x76\x02\x04\x01\x02\x01\0\x01\x01\x01\x81\x77\x02\x04\x01\xff";

/// 1-1 {f:v, f:w} deleted, 5-0 {a:b}, 6-0 {q:1}, from Redis 6.2.14.
const MIXED: &[u8] = b"\x44\0\0\0\x1a\0\x02\x01\x01\x01\x02\x01\x81\x66\x02\x81\x66\x02\0\x01\
    \x03\x01\0\x01\0\x01\x81\x76\x02\x81\x77\x02\x05\x01\
    \0\x01\x04\x01\xdf\xff\x02\x01\x01\x81\x61\x02\x81\x62\x02\x06\x01\
    \0\x01\x05\x01\xdf\xff\x02\x01\x01\x81\x71\x02\x01\x01\x06\x01\xff";

/// Id, deleted, fields and values.
type ReadEntry = (String, bool, Vec<(String, String)>);

fn entries(node: &StreamNode<'_>) -> Vec<ReadEntry> {
    let text = |element: Element<'_>| String::from_utf8(element.text(&mut itoa::Buffer::new()).to_vec()).unwrap();
    node.entries()
        .map(Result::unwrap)
        .map(|e| (e.id.to_string(), e.deleted, e.pairs().map(|(f, v)| (text(f), text(v))).collect()))
        .collect()
}

/// A listpack of these elements.
fn node(elements: &[Element<'_>]) -> Vec<u8> {
    let mut builder = listpack::Builder::default();
    elements.iter().for_each(|&element| builder.push_element(element));
    builder.finish()
}

fn ints(values: &[i64]) -> Vec<u8> {
    node(&values.iter().map(|&value| Element::Int(value)).collect::<Vec<_>>())
}

#[test]
fn nodes_of_servers_are_read() {
    let two = StreamNode::new(MASTER, TWO).unwrap();
    assert_eq!((two.live(), two.deleted()), (2, 0));
    let pair = |f: &str, v: &str| (f.to_owned(), v.to_owned());
    let read = entries(&two);
    assert_eq!(read[0], ("1-1".into(), false, vec![pair("f", "v")]));
    assert_eq!(read[1], ("1-2".into(), false, vec![pair("f", "w")]));
    assert_eq!(verify(TWO), Ok((2, 0)));

    let read = entries(&StreamNode::new(MASTER, MIXED).unwrap());
    assert_eq!(read[0], ("1-1".into(), true, vec![pair("f", "v"), pair("f", "w")]));
    assert_eq!(read[1], ("5-0".into(), false, vec![pair("a", "b")]));
    assert_eq!(read[2], ("6-0".into(), false, vec![pair("q", "1")]));
    assert_eq!(verify(MIXED), Ok((2, 1)));
}

#[test]
fn nodes_are_written_as_servers_write_them() {
    for blob in [TWO, MIXED] {
        let mut builder = Builder::default();
        for entry in StreamNode::new(MASTER, blob).unwrap().entries() {
            let entry = entry.unwrap();
            builder.push(entry.id, entry.deleted, entry.pairs());
        }
        assert_eq!(builder.finish(), Some((MASTER, blob.to_vec())));
        assert!(builder.len().abs_diff(blob.len()) <= 2);
    }
}

#[test]
fn a_node_without_live_entries_is_not_written() {
    let mut builder = Builder::new(Backlen::Valkey9);
    assert_eq!(builder.finish(), None);
    builder.push(MASTER, true, [(Element::Int(1), Element::Int(2))].into_iter());
    assert_eq!((builder.finish(), builder.entries()), (None, 1));
    builder.clear();
    assert!(builder.is_empty() && builder.master().is_none());
}

#[test]
fn ids_wrap_around_like_the_servers() {
    let mut builder = Builder::default();
    let none = std::iter::empty();
    builder.push(StreamId { ms: 5, seq: u64::MAX }, false, none.clone());
    builder.push(StreamId { ms: u64::MAX, seq: 0 }, false, none);
    let (master, blob) = builder.finish().unwrap();
    let read = entries(&StreamNode::new(master, &blob).unwrap());
    assert_eq!(read[1].0, "18446744073709551615-0");
    assert_eq!(verify(&blob), Ok((2, 0)));
}

#[test]
fn damage_is_named_with_its_place() {
    let kind = |blob: &[u8]| verify(blob).unwrap_err().kind;
    let text = |at: usize, values: &[i64]| {
        let mut elements: Vec<_> = values.iter().map(|&value| Element::Int(value)).collect();
        elements[at] = Element::Bytes(b"x");
        kind(&node(&elements))
    };
    let good = [1, 0, 1, 7, 0, 2, 0, 0, 8, 4];
    assert_eq!(verify(&ints(&good)), Ok((1, 0)));
    for at in [0, 1, 2, 4, 5, 6, 7, 9] {
        assert_eq!(text(at, &good), ErrorKind::StreamExpectedInteger, "{at}");
    }
    for cut in (0..4).chain(6..10) {
        assert_eq!(kind(&ints(&good[..cut])), ErrorKind::StreamTruncatedEntry, "{cut}");
    }
    assert_eq!(kind(&ints(&[-1, 0, 0, 0])), ErrorKind::StreamBadCount(-1));
    assert_eq!(kind(&ints(&[1, 0, i64::MAX, 0])), ErrorKind::StreamTruncatedEntry);
    assert_eq!(kind(&ints(&[1, 0, 1, 7, 1, 2, 0, 0, 8, 4])), ErrorKind::StreamBadMasterEnd);
    let length = |claimed, counted| ErrorKind::StreamBadEntryLength { claimed, counted };
    assert_eq!(kind(&ints(&[1, 0, 1, 7, 0, 2, 0, 0, 8, 5])), length(5, 4));
    assert_eq!(kind(&ints(&[1, 0, 1, 7, 0, 0, 0, 0, 1, 7, 8, 5])), length(5, 6));
    let counts = |claimed, counted| ErrorKind::StreamCountMismatch { claimed, counted };
    assert_eq!(kind(&ints(&[0, 1, 1, 7, 0, 2, 0, 0, 8, 4])), counts((0, 1), (1, 0)));
    assert_eq!(kind(&ints(&[2, 0, 1, 7, 0, 2, 0, 0, 8, 4])), counts((2, 0), (1, 0)));
    let mut blob = ints(&good);
    blob[4] = 9;
    assert_eq!(kind(&blob), ErrorKind::ListpackCountMismatch { claimed: 9, counted: 10 });
    assert!(StreamNode::new(MASTER, &blob).unwrap().entries().all(|entry| entry.is_ok()));
}

#[test]
fn integers_stored_as_text_are_integers() {
    let mut builder = listpack::Builder::default();
    for value in ["1", "0", "1", "7", "0", "2", "0", "0", "8", "4"] {
        builder.push_raw_string(value.as_bytes());
    }
    assert_eq!(verify(&builder.finish()), Ok((1, 0)));
}

#[test]
fn every_byte_changed_and_every_cut_is_survived() {
    for blob in [TWO, MIXED] {
        attack::each_damage(blob, attack::stream_node);
    }
}

type NewEntry = (StreamId, bool, Vec<(Vec<u8>, Vec<u8>)>);

fn stream() -> impl Strategy<Value = Vec<NewEntry>> {
    let text = || prop_oneof!["[a-c]{0,2}", "-?[0-9]{1,9}"].prop_map(String::into_bytes);
    let id = (any::<u64>(), any::<u64>(), 0_u32..64).prop_map(|(ms, seq, shift)| StreamId { ms: ms >> shift, seq });
    prop::collection::vec((id, any::<bool>(), prop::collection::vec((text(), text()), 0..4)), 1..150)
}

proptest! {
    #[test]
    #[cfg_attr(miri, ignore = "takes an interpreter too long")]
    fn what_is_built_is_read_again(stream in stream()) {
        let mut builder = Builder::default();
        for (id, deleted, pairs) in &stream {
            builder.push(*id, *deleted, pairs.iter().map(|(f, v)| (Element::Bytes(f), Element::Bytes(v))));
        }
        let live = stream.iter().filter(|(_, deleted, _)| !deleted).count() as u64;
        let Some((master, blob)) = builder.finish() else { prop_assert_eq!(live, 0); return Ok(()) };
        prop_assert!(builder.len().abs_diff(blob.len()) <= 4);
        prop_assert_eq!(verify(&blob), Ok((live, stream.len() as u64 - live)));
        let node = StreamNode::new(master, &blob).unwrap();
        for (read, (id, deleted, pairs)) in node.entries().zip(&stream) {
            let read = read.unwrap();
            prop_assert_eq!((read.id, read.deleted), (*id, *deleted));
            prop_assert_eq!(read.field_count(), pairs.len() as u64);
            for ((field, value), (f, v)) in read.pairs().zip(pairs) {
                prop_assert!(field.same_text(Element::Bytes(f)) && value.same_text(Element::Bytes(v)));
            }
        }
        prop_assert_eq!(node.entries().count(), stream.len());
    }
}

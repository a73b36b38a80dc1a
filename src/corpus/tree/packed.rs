//! The elements of packed blobs, out of whatever is in the place of one, and into a blob that is right.

use super::shape::Packing;
use crate::packed::{intset, listpack, stream_node, ziplist, zipmap};
use crate::value::StreamId;

const LISTPACK_HEADER: usize = 6;
const ZIPLIST_HEADER: usize = 10;
const INTSET_HEADER: usize = 8;
const TERMINATOR: u8 = 0xff;
/// A prevlen of this first byte has four more.
const LONG_PREVLEN: u8 = 0xfe;

/// The elements that can be told apart; what is left when one cannot be measured is one more.
pub(super) fn items(packing: Packing, blob: &[u8]) -> Vec<Vec<u8>> {
    match packing {
        Packing::Listpack | Packing::StreamNode => {
            split(body(blob, LISTPACK_HEADER), 0, listpack::size_of_first, |size| {
                listpack::Backlen::default().width(size)
            })
        }
        Packing::Ziplist => {
            let body = body(blob, ZIPLIST_HEADER);
            let mut items = Vec::new();
            let mut rest = body;
            while let Some(&first) = rest.first() {
                let prevlen = if first == LONG_PREVLEN { 5 } else { 1 };
                let encoded = rest.get(prevlen..).unwrap_or_default();
                rest = cut(encoded, ziplist::size_of_first(encoded), 0, &mut items);
            }
            items
        }
        Packing::Zipmap => {
            let whole = [blob.strip_suffix(&[TERMINATOR]).unwrap_or(blob), &[TERMINATOR]].concat();
            let Ok(zipmap) = zipmap::Zipmap::new(&whole) else { return Vec::new() };
            zipmap.iter().map_while(Result::ok).flat_map(|(key, value)| [key.to_vec(), value.to_vec()]).collect()
        }
        Packing::Intset => {
            let width = match blob.first() {
                Some(4) => 4,
                Some(8) => 8,
                _ => 2,
            };
            let bytes = blob.get(INTSET_HEADER..).unwrap_or_default();
            bytes.chunks_exact(width).map(|chunk| integer(chunk).to_le_bytes().to_vec()).collect()
        }
    }
}

/// What lies between a header and the terminator, if there is one.
fn body(blob: &[u8], header: usize) -> &[u8] {
    let body = blob.get(header..).unwrap_or_default();
    body.strip_suffix(&[TERMINATOR]).unwrap_or(body)
}

fn split(
    mut rest: &[u8],
    before: usize,
    measure: impl Fn(&[u8]) -> Option<usize>,
    behind: impl Fn(usize) -> usize,
) -> Vec<Vec<u8>> {
    let mut items = Vec::new();
    while !rest.is_empty() {
        let encoded = rest.get(before..).unwrap_or_default();
        let size = measure(encoded);
        rest = cut(encoded, size, size.map_or(0, &behind), &mut items);
    }
    items
}

/// Take an element of `size` bytes, or all that is left, and step over `behind` bytes more.
fn cut<'b>(encoded: &'b [u8], size: Option<usize>, behind: usize, items: &mut Vec<Vec<u8>>) -> &'b [u8] {
    let (item, rest) = size.and_then(|size| encoded.split_at_checked(size)).unwrap_or((encoded, &[]));
    if !item.is_empty() {
        items.push(item.to_vec());
    }
    rest.get(behind..).unwrap_or_default()
}

/// Little-endian, of 2, 4 or 8 bytes.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|&last| last >= 0x80);
    let mut wide = if negative { [0xff; 8] } else { [0; 8] };
    wide.iter_mut().zip(bytes).for_each(|(place, &byte)| *place = byte);
    i64::from_le_bytes(wide)
}

/// A blob of these elements. Those that are no encoding of an element become text; a group that is not whole is left out.
pub(super) fn pack(packing: Packing, arity: usize, items: &[Vec<u8>]) -> Vec<u8> {
    let spare = items.len().checked_rem(arity).unwrap_or(0);
    let items = items.get(..items.len().saturating_sub(spare)).unwrap_or_default();
    match packing {
        Packing::Listpack => listpack_of(items),
        Packing::StreamNode => node_of(listpack_of(items)),
        Packing::Ziplist => {
            let mut builder = ziplist::Builder::new();
            for item in items {
                if ziplist::size_of_first(item) == Some(item.len()) {
                    builder.push_encoded(item);
                } else {
                    builder.push(item);
                }
            }
            builder.finish()
        }
        Packing::Zipmap => {
            let mut builder = zipmap::Builder::new();
            for pair in items.chunks_exact(2) {
                if let [key, value] = pair {
                    builder.push(key, value);
                }
            }
            builder.finish()
        }
        Packing::Intset => {
            let mut values: Vec<i64> = items.iter().map(|item| integer(item.get(..8).unwrap_or(item))).collect();
            values.sort_unstable();
            values.dedup();
            let mut builder = intset::Builder::new();
            values.into_iter().for_each(|value| builder.push(value));
            builder.finish()
        }
    }
}

fn listpack_of(items: &[Vec<u8>]) -> Vec<u8> {
    let mut builder = listpack::Builder::default();
    for item in items {
        if listpack::size_of_first(item) == Some(item.len()) {
            builder.push_encoded(item);
        } else {
            builder.push(item);
        }
    }
    builder.finish()
}

/// A node whose counts are those of its entries; a listpack that holds no entry stays as it is.
fn node_of(listpack: Vec<u8>) -> Vec<u8> {
    if stream_node::verify(&listpack).is_ok() {
        return listpack;
    }
    let Ok(node) = stream_node::StreamNode::new(StreamId::MIN, &listpack) else { return listpack };
    let mut builder = stream_node::Builder::default();
    for entry in node.entries().map_while(Result::ok) {
        builder.push(entry.id, entry.deleted, entry.pairs());
    }
    // The master id is not in the node; ids count from it, so nothing is lost by another.
    let rebuilt = builder.finish();
    rebuilt.map_or(listpack, |(_, blob)| blob)
}

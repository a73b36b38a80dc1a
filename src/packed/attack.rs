//! What must hold for any bytes at all: bodies of the fuzz targets, also run by `cargo test`.
//!
//! Whatever `verify` accepts, `iter` walks without an error and to the same count, and what is walked can be written
//! again and reads the same. Each function panics when that is not so; that is its purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::{Element, Error};

/// Walk to the first error.
fn walk<'a>(iter: impl Iterator<Item = Result<Element<'a>, Error>>) -> (Vec<Element<'a>>, Option<Error>) {
    let mut error = None;
    let elements = iter.map_while(|step| step.map_err(|stop| error = Some(stop)).ok()).collect();
    (elements, error)
}

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

/// Any bytes as a listpack.
pub fn listpack(data: &[u8]) {
    use super::listpack::{Builder, Listpack, verify};
    let verdict = verify(data);
    let Ok(listpack) = Listpack::new(data) else {
        return must(verdict.is_err(), "a listpack is verified that cannot be opened");
    };
    let (elements, error) = walk(listpack.iter());
    if let Ok(count) = verdict {
        must(error.is_none() && elements.len() == count, "a verified listpack walks to another count");
    }
    let mut builder = Builder::default();
    elements.iter().for_each(|&element| builder.push_element(element));
    let again = builder.finish();
    must(verify(&again) == Ok(elements.len()), "a written listpack is not verified");
    let same = Listpack::new(&again)
        .is_ok_and(|again| again.iter().zip(&elements).all(|(new, &old)| new.is_ok_and(|new| new.same_text(old))));
    must(same, "a written listpack holds something else");
}

/// Any bytes as a ziplist.
pub fn ziplist(data: &[u8]) {
    use super::ziplist::{Builder, Ziplist, verify};
    let verdict = verify(data);
    let Ok(ziplist) = Ziplist::new(data) else {
        return must(verdict.is_err(), "a ziplist is verified that cannot be opened");
    };
    let (elements, error) = walk(ziplist.iter());
    if let Ok(count) = verdict {
        must(error.is_none() && elements.len() == count, "a verified ziplist walks to another count");
    }
    let mut builder = Builder::new();
    elements.iter().for_each(|&element| builder.push_element(element));
    let again = builder.finish();
    must(verify(&again) == Ok(elements.len()), "a written ziplist is not verified");
    let same = Ziplist::new(&again)
        .is_ok_and(|again| again.iter().zip(&elements).all(|(new, &old)| new.is_ok_and(|new| new.same_text(old))));
    must(same, "a written ziplist holds something else");
}

/// Any bytes as a zipmap.
pub fn zipmap(data: &[u8]) {
    use super::zipmap::{Builder, Zipmap, verify};
    let verdict = verify(data);
    let Ok(zipmap) = Zipmap::new(data) else {
        return must(verdict.is_err(), "a zipmap is verified that cannot be opened");
    };
    let pairs: Vec<_> = zipmap.iter().map_while(Result::ok).collect();
    if let Ok(count) = verdict {
        must(
            zipmap.iter().all(|pair| pair.is_ok()) && pairs.len() == count,
            "a verified zipmap walks to another count",
        );
    }
    let mut builder = Builder::new();
    pairs.iter().for_each(|(key, value)| builder.push(key, value));
    let again = builder.finish();
    let same = Zipmap::new(&again).is_ok_and(|again| again.iter().map_while(Result::ok).eq(pairs.iter().copied()));
    must(same, "a written zipmap holds something else");
    must(verdict.is_err() || verify(&again) == verdict, "a written zipmap is not verified");
}

/// Any bytes as an intset.
pub fn intset(data: &[u8]) {
    use super::intset::{Builder, Intset, verify};
    let verdict = verify(data);
    let Ok(intset) = Intset::new(data) else {
        return must(verdict.is_err(), "an intset is verified that cannot be opened");
    };
    must(intset.iter().count() == intset.len(), "an intset walks to another count");
    must(verdict.is_ok() == intset.iter().is_sorted_by(|a, b| a < b), "an intset is verified that is not sorted");
    let mut builder = Builder::new();
    intset.iter().for_each(|value| builder.push(value));
    let again = builder.finish();
    let same = Intset::new(&again).is_ok_and(|again| again.iter().eq(intset.iter()));
    must(verdict.is_err() || same, "a written intset holds something else");
    must(verify(&again).is_ok(), "a written intset is not verified");
}

/// Any bytes as a stream node.
pub fn stream_node(data: &[u8]) {
    use super::stream_node::{Builder, StreamNode, verify};
    use crate::value::StreamId;
    let verdict = verify(data);
    let Ok(node) = StreamNode::new(StreamId::MIN, data) else {
        return must(verdict.is_err(), "a node is verified that cannot be opened");
    };
    let entries: Vec<_> = node.entries().map_while(Result::ok).collect();
    let mut builder = Builder::default();
    for entry in &entries {
        must(entry.pairs().count() as u64 == entry.field_count(), "an entry has another number of pairs");
        builder.push(entry.id, entry.deleted, entry.pairs());
    }
    let deleted = entries.iter().filter(|entry| entry.deleted).count() as u64;
    let live = (entries.len() as u64).saturating_sub(deleted);
    if let Ok(counts) = verdict {
        must(node.entries().all(|entry| entry.is_ok()), "a verified node does not walk");
        must(counts == (live, deleted), "a verified node walks to other counts");
    }
    let Some((master, again)) = builder.finish() else { return must(live == 0, "live entries are not written") };
    must(verify(&again) == Ok((live, deleted)), "a written node is not verified");
    let same = StreamNode::new(master, &again).is_ok_and(|again| {
        again.entries().zip(&entries).all(|(new, old)| {
            new.is_ok_and(|new| {
                let pairs = new.pairs().zip(old.pairs()).all(|(a, b)| a.0.same_text(b.0) && a.1.same_text(b.1));
                pairs && new.id == old.id && new.deleted == old.deleted
            })
        })
    });
    must(same, "a written node holds something else");
}

/// Every cut of a blob, and every change of one of its bytes; a few of them where an interpreter runs the tests.
#[cfg(test)]
pub(super) fn each_damage(blob: &[u8], attack: fn(&[u8])) {
    let (places, bytes) = if cfg!(miri) { (11, 255) } else { (1, 1) };
    for at in (0..blob.len()).step_by(places) {
        attack(&blob[..at]);
        for byte in (0..=255).step_by(bytes) {
            let mut changed = blob.to_vec();
            changed[at] = byte;
            attack(&changed);
        }
    }
}

/// Any bytes as LZF, both ways. The first two bytes are the length to expect.
pub fn lzf(data: &[u8]) {
    use crate::bytes::lzf::{compress, decompress, decompress_prefix};
    let Some((&len, input)) = data.split_first_chunk::<2>() else { return };
    let len = u64::from(u16::from_le_bytes(len));
    let mut out = Vec::new();
    if decompress(input, len, &mut out).is_ok() {
        must(out.len() as u64 == len, "another length than announced");
        let mut prefix = Vec::new();
        let half = out.len() / 2;
        let there = decompress_prefix(input, half, &mut prefix);
        must(there == Ok(half) && out.starts_with(&prefix), "a prefix differs from the whole");
    } else {
        must(out.is_empty(), "output is left behind by an error");
    }
    let mut packed = Vec::new();
    if compress(input, &mut packed).is_some() {
        let mut again = Vec::new();
        let unpacked = decompress(&packed, input.len() as u64, &mut again);
        must(unpacked.is_ok() && again == input, "what was compressed does not come back");
    }
}

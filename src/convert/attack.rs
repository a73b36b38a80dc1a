//! What must hold of the conversion of any bytes at all: bodies of fuzz targets, also run by `cargo test`.
//!
//! They panic when something does not hold; that is their purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::rewrite::{Change, Rewriter};
use crate::bytes::Budget;
use crate::check::value::Inspector;
use crate::keyspace::{Like, digest, load};
use crate::rdb::encode::Out;
use crate::rdb::opcode::EXPIRETIME_MS;
use crate::rdb::{self, Buffers, Dialect, Reader, Record, Target, ValueType};
use crate::replay::Engine;
use crate::value::{DbIndex, Kind};

const MEMORY: u64 = 64 << 20;

/// Targets and the servers by whose rules what is written for them is read.
const TARGETS: [(&str, &str); 4] =
    [("redis-5.0", "redis-7.0"), ("redis-7.2", "redis-7.2"), ("redis-8.6", "redis-8.6"), ("valkey-9", "valkey-9.1")];

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

/// Any bytes as an RDB image: every value that a target takes is written, and what is written has the same digest.
pub fn image(data: &[u8]) {
    for (target, like) in TARGETS {
        let (Some(target), Ok(like)) = (Target::named(target), like.parse::<Like>()) else { continue };
        for image in [true, false] {
            let Some((before, after)) = rewrite(data, target, image, is_sound) else { continue };
            let (before, after) = (keyspace(&before, like), keyspace(&after, like));
            must(before.is_some(), "a copy of sound records cannot be loaded");
            must(after.is_some(), "what was written cannot be loaded");
            must(before == after, "what was written has another digest");
        }
    }
}

/// An image of the keys that could be written as they stood, and what was written of them; nothing when there is none.
fn rewrite(
    data: &[u8],
    target: Target,
    image: bool,
    takes: impl Fn(&rdb::KeyRecord<'_>) -> bool,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut reader = Reader::new(data).ok()?;
    let change = Change { target, image, ttl_shift: 0, scrubber: None };
    let mut rewriter = Rewriter::new(change, Buffers::new(&Budget::new(MEMORY)));
    let mut before = data.get(..9)?.to_vec();
    let mut writer = rdb::Writer::new(Vec::new(), target);
    let mut log = Vec::new();
    let mut seen = std::collections::HashSet::new();
    while let Ok(Some(record)) = reader.next_record() {
        let Record::Key(key) = record else { continue };
        // Expiries beside a value and templates belong to other records, and a digest knows no name twice.
        let alone = key.value.end() == key.end() && matches!(reader.dialect(), Dialect::Redis | Dialect::Valkey);
        if !alone || is_template(key.value.value_type) || !takes(&key) || !seen.insert(key.key.to_vec()) {
            continue;
        }
        let mut written = Vec::new();
        let mut spilled = Vec::new();
        let mut spill = |bytes: &mut Vec<u8>| spilled.append(bytes);
        let outcome = rewriter.record(&key, reader.dialect(), &mut Out { bytes: &mut written, spill: &mut spill });
        spilled.append(&mut written);
        // What does not fit or loses something is another matter; so is an expiry of -1, which is none.
        if !matches!(outcome, Ok(None)) || key.expiry.is_some_and(|at| at.0 <= 0) {
            continue;
        }
        if let Some(at) = key.expiry {
            before.push(EXPIRETIME_MS);
            before.extend_from_slice(&at.0.to_le_bytes());
        }
        // Not as it stands: a record of another kind may stand between an expiry and its key.
        before.push(key.value.value_type.byte());
        rdb::string::encode_plain(&key.key, &mut before);
        before.extend_from_slice(key.value.raw());
        if image {
            writer.raw(DbIndex(0), &spilled);
        } else {
            log.extend_from_slice(&spilled);
        }
    }
    before.push(0xff);
    before.resize(before.len().saturating_add(if reader.version() < 5 { 0 } else { 8 }), 0);
    let after = if image { writer.finish().ok()?.0 } else { log };
    Some((before, after))
}

/// What names its fields in another record.
fn is_template(value_type: ValueType) -> bool {
    use ValueType as T;
    matches!(value_type, T::HashTemplateListpackRef | T::HashTemplateArrayRef)
}

/// A sound value that commands can make. Of an unsound one servers make what they like.
fn is_sound(key: &rdb::KeyRecord<'_>) -> bool {
    let budget = Budget::new(MEMORY);
    let mut sound = true;
    Inspector::new(&budget).inspect(&key.value, &mut |_| sound = false);
    sound
        && !matches!(key.value.kind(), Kind::Module | Kind::Array)
        && load::decode(&key.value, &mut Buffers::new(&budget)).is_ok()
}

/// The digest of a file, when all of it can be loaded and executed.
fn keyspace(bytes: &[u8], like: Like) -> Option<digest::Digest> {
    let mut engine: Engine<'_> = Engine::new(like);
    engine.state_mut().budget = Budget::new(MEMORY);
    engine.replay_part(0, bytes).ok()?;
    engine.end_part();
    let (keyspace, report, _) = engine.finish();
    (report.lost == 0).then(|| digest::of_keyspace(&keyspace, like))
}

#[cfg(test)]
mod tests {
    use crate::packed::stream_node::Builder;
    use crate::rdb::length;
    use crate::value::StreamId;

    /// An image of one stream, whose entries have the ids `ms`-0 in this order.
    fn stream(ms: &[u64], last: u64) -> Vec<u8> {
        let mut builder = Builder::default();
        for &ms in ms {
            builder.push(StreamId { ms, seq: 0 }, false, std::iter::empty());
        }
        let (master, blob) = builder.finish().unwrap();
        let mut image = b"REDIS0009\x0f\x01s\x01\x10".to_vec();
        image.extend_from_slice(&master.ms.to_be_bytes());
        image.extend_from_slice(&master.seq.to_be_bytes());
        length::encode(blob.len() as u64, &mut image);
        image.extend_from_slice(&blob);
        for number in [ms.len() as u64, last, 0, 0] {
            length::encode(number, &mut image);
        }
        image.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
        image
    }

    #[test]
    fn streams_out_of_order_are_restored_and_not_added_to() {
        for (ms, last) in [(&[3, 5][..], 5), (&[5, 3], 9), (&[3, 5], 4)] {
            let image = stream(ms, last);
            let kind = careen_log(&image);
            assert_eq!(kind.contains("RESTORE"), ms == [5, 3] || last == 4, "{kind}");
        }
    }

    fn careen_log(image: &[u8]) -> String {
        let target = crate::rdb::Target::named("redis-7.2").unwrap();
        let (_, log) = super::rewrite(image, target, false, |_| true).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }

    #[test]
    fn sound_images_hold() {
        super::image(include_bytes!("../../testdata/rdb/everything-redis_v13.rdb"));
        super::image(include_bytes!("../../testdata/rdb/everything-redis_v10.rdb"));
        super::image(include_bytes!("../../testdata/rdb/everything-valkey_v80.rdb"));
        super::image(include_bytes!("../../testdata/rdb/expires_v9.rdb"));
    }
}

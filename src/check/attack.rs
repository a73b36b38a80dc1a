//! What must hold for any bytes at all: the body of a fuzz target, also run by `cargo test`.
//!
//! It panics when something does not hold; that is its purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::rdb::{Options, check};
use super::value::Inspector;
use crate::bytes::Budget;
use crate::rdb::{Buffers, Error, Reader, Record};
use crate::scan::walk;

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

/// Any bytes as an RDB image: what is sound to the inspector walks without an error, and a check agrees with a reader.
pub fn rdb(data: &[u8]) {
    let budget = Budget::new(64 << 20);
    let (keys, error) = inspect(data, &budget);
    let options = Options { walk: walk::Options { threads: 1, budget }, max_findings: 100 };
    let report = check(data, 0..data.len() as u64, &options, |_| {});
    must(error.is_none() || !report.findings.is_empty(), "a check finds nothing where a reader stops");
    if let Some(keys) = keys {
        // Behind a name that does not inflate there may be more.
        let may_be = if error.is_some() { keys..=u64::MAX } else { keys..=keys };
        must(may_be.contains(&report.keys), "a check sees another number of keys");
    }
    let inside = |at: u64| at <= data.len() as u64;
    must(report.findings.iter().all(|finding| inside(finding.offset)), "a finding is about what is behind the input");
}

/// How many keys there are (unknown with compressed records and keys in pieces), and where reading stopped.
fn inspect(data: &[u8], budget: &Budget) -> (Option<u64>, Option<Error>) {
    let mut reader = match Reader::new(data) {
        Ok(reader) => reader,
        Err(error) => return (None, Some(error)),
    };
    let (mut inspector, mut buffers) = (Inspector::new(budget), Buffers::new(budget));
    let mut keys = Some(0u64);
    loop {
        match reader.next_record() {
            Ok(Some(Record::Key(record))) => {
                keys = keys.map(|keys| keys.saturating_add(1));
                let mut sound = true;
                inspector.inspect(&record.value, &mut |_| sound = false);
                let walked = record.value.elements(&mut buffers, &mut |_| Ok(()));
                must(!sound || walked.is_ok(), "a sound value does not walk");
            }
            Ok(Some(Record::Compressed(_) | Record::Chunk { .. })) => keys = None,
            Ok(Some(_)) => {}
            Ok(None) => return (keys, None),
            Err(error) => return (keys, Some(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sound_image_holds() {
        super::rdb(include_bytes!("../../testdata/rdb/everything-redis_v13.rdb"));
        super::rdb(include_bytes!("../../testdata/rdb/everything-valkey_v80.rdb"));
        super::rdb(b"REDIS0009\x00\x01a");
    }
}

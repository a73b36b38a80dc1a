//! What must hold of any bytes that are made a file again: the body of a fuzz target, also run by `cargo test`.
//!
//! It panics when something does not hold; that is its purpose.
#![expect(clippy::panic, reason = "a fuzz target speaks by panicking")]

use super::tree::{Kind, fix};

fn must(holds: bool, what: &str) {
    if !holds {
        panic!("{what}");
    }
}

/// Any bytes as anything: what was fixed has nothing more to be fixed.
pub fn image(data: &[u8]) {
    for kind in [Kind::Image, Kind::Payload, Kind::Log] {
        // An integer or a score that is cut in the first round is read as another one in the second.
        let fixed = fix(kind, &fix(kind, data));
        must(fix(kind, &fixed) == fixed, "what is fixed is not right yet");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sound_and_damaged_files_hold() {
        super::image(include_bytes!("../../testdata/rdb/everything-redis_v13.rdb"));
        super::image(include_bytes!("../../testdata/damaged/cut.rdb"));
        super::image(include_bytes!("../../testdata/damaged/torn.aof"));
        super::image(b"");
    }
}

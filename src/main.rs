//! The command-line tool.
#![allow(clippy::print_stdout, clippy::indexing_slicing, reason = "scaffold")]
fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let source = careen::bytes::source::Source::open(std::path::Path::new(&path), &Default::default()).ok();
    let Some(source) = source else { return };
    let len = source.bytes().len() as u64;
    let mut trail = source.trail();
    let report = careen::check::rdb::check(source.bytes(), 0..len, &Default::default(), |o| trail.reached(o));
    for f in report.findings.iter().take(20) {
        println!("{f:?}");
    }
    println!("{} keys {:?}", report.keys, report.summary);
}

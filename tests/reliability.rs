//! Every test that `docs/reliability.md` names is there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test says what is wrong by failing"
)]

use std::path::Path;

#[test]
fn every_promise_is_held_by_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let (mut promises, mut tests) = (0, 0);
    for row in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise")) {
        let Some((_, held)) = row.trim_end_matches(" |").rsplit_once(" | ") else { panic!("{row}") };
        if held.starts_with("---") {
            continue;
        }
        promises += 1;
        let mut source = None;
        let before = tests;
        for name in held.split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                source = Some(std::fs::read_to_string(root.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")));
            } else if name.ends_with('/') {
                assert!(root.join(name).is_dir() || !root.join(".ci").is_dir(), "{name}");
            } else {
                tests += 1;
                let source = source.as_deref().unwrap_or_default();
                assert!(
                    source.contains(&format!("#[test]\nfn {name}()"))
                        || source.contains(&format!("#[test]\n    fn {name}()")),
                    "{name}: {row}"
                );
            }
        }
        assert!(tests > before, "nothing holds {row}");
    }
    assert!(promises > 15 && tests > promises, "{promises} promises, {tests} tests");
}

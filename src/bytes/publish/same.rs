//! Whether two paths lead to one thing, by whatever names: links, hard links, `sub/../name`.

use std::fs;
use std::path::{Path, PathBuf};

/// True when something else at `output` would take away what is at `input`: both are one file, or `input` lies in
/// the directory `output`.
#[must_use]
pub fn would_take_away(output: &Path, input: &Path) -> bool {
    let (Ok(there), Ok(needed)) = (output.canonicalize(), input.canonicalize()) else { return false };
    needed.starts_with(&there) || is_one_file(&there, &needed)
}

/// True when `path` is `place` or lies below it, whether or not anything is there yet.
#[must_use]
pub fn is_at_or_below(path: &Path, place: &Path) -> bool {
    let (path, place) = (resolved(path), resolved(place));
    path.starts_with(&place) || is_one_file(&path, &place)
}

/// What a path leads to. Of one that leads to nothing yet, what is there is resolved.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(there) = path.canonicalize() {
        return there;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if parent.as_os_str().is_empty() => resolved(Path::new(".")).join(name),
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(unix)]
fn is_one_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| fs::metadata(path).map(|about| (about.dev(), about.ino())).ok();
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

#[cfg(not(unix))]
fn is_one_file(one: &Path, other: &Path) -> bool {
    fs::metadata(one).is_ok() && one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_to_one_file_are_one() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/file"), "x").unwrap();
        fs::hard_link(at("sub/file"), at("hard")).unwrap();
        for output in ["sub/file", "sub/../sub/file", "hard", "sub", "."] {
            assert!(would_take_away(&at(output), &at("sub/file")), "{output}");
        }
        assert!(!would_take_away(&at("new"), &at("sub/file")));
        assert!(!would_take_away(&at("sub/file"), &at("sub")));
        assert!(is_at_or_below(&at("new"), &at("sub/../new")) && is_at_or_below(&at("new/report"), &at("new")));
        assert!(!is_at_or_below(&at("newer"), &at("new")) && !is_at_or_below(&at("new"), &at("new.lost")));
    }
}

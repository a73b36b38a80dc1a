#![allow(clippy::arithmetic_side_effects, reason = "a test")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use super::model::{Model, Stop};
use super::*;

const OLD: &str = "the old text";
const NEW: &str = "the new text, which is longer";

/// What a reader finds at the target: the texts of a file (name "") or of a directory's files.
fn at(state: &BTreeMap<String, String>, target: &str) -> BTreeMap<String, String> {
    let inside = |path: &String| {
        let rest = path.strip_prefix(target)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
    };
    state.iter().filter_map(|(path, text)| Some((inside(path)?, text.clone()))).collect()
}

fn texts(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// One way of publishing.
struct Case {
    name: &'static str,
    target: &'static str,
    disk: &'static [(&'static str, &'static str)],
    old: BTreeMap<String, String>,
    new: BTreeMap<String, String>,
    existing: Existing,
    run: fn(&Model, Existing) -> Result<(), Error>,
}

fn write_file(model: &Model, existing: Existing) -> Result<(), Error> {
    let (publisher, mut part) = Publisher::file_on(model.clone(), Path::new("/d/out"), existing)?;
    for piece in NEW.as_bytes().chunks(7) {
        part.write_all(piece).map_err(|e| publisher.write_error(e))?;
    }
    publisher.close(part)?;
    publisher.publish()
}

fn write_dir(model: &Model, existing: Existing) -> Result<(), Error> {
    let publisher = Publisher::directory_on(model.clone(), Path::new("/d/out"), existing)?;
    for name in ["base", "manifest"] {
        let mut part = publisher.part(name)?;
        part.write_all(NEW.as_bytes()).map_err(|e| publisher.write_error(e))?;
        publisher.close(part)?;
    }
    publisher.publish()
}

fn cases() -> Vec<Case> {
    let replace = Existing { replace: true, keep_backup: false };
    let in_place = Existing { replace: false, keep_backup: true };
    let both = Existing { replace: true, keep_backup: true };
    let new_dir = texts(&[("/base", NEW), ("/manifest", NEW)]);
    let old_dir = texts(&[("/base", OLD), ("/incr", OLD)]);
    let file = |name, disk, old, existing| Case {
        name,
        target: "/d/out",
        disk,
        old,
        new: texts(&[("", NEW)]),
        existing,
        run: write_file,
    };
    let old_file: &[(&str, &str)] = &[("/d/out", OLD)];
    let with_backup: &[(&str, &str)] = &[("/d/out", OLD), ("/d/out.bak", "older")];
    let dir = |name, disk, old, existing| Case {
        name,
        run: write_dir,
        new: new_dir.clone(),
        ..file(name, disk, old, existing)
    };
    let dir_disk: &[(&str, &str)] = &[("/d/out/base", OLD), ("/d/out/incr", OLD)];
    vec![
        file("new file", &[], texts(&[]), Existing::default()),
        file("file replaced", old_file, texts(&[("", OLD)]), replace),
        file("file in place", old_file, texts(&[("", OLD)]), in_place),
        file("file in place, older backup", with_backup, texts(&[("", OLD)]), both),
        dir("new directory", &[], texts(&[]), Existing::default()),
        dir("directory replaced", dir_disk, old_dir.clone(), replace),
        dir("directory in place", dir_disk, old_dir, in_place),
    ]
}

impl Case {
    fn old_is_kept(&self, state: &BTreeMap<String, String>) -> bool {
        !self.existing.keep_backup
            || at(state, self.target) == self.old
            || self
                .old
                .iter()
                .all(|(name, text)| state.iter().any(|(path, kept)| path.ends_with(name.as_str()) && kept == text))
    }
}

#[test]
fn publishing_gives_the_new_state_the_backup_and_no_litter() {
    for case in cases() {
        let model = Model::with(case.disk);
        (case.run)(&model, case.existing).unwrap();
        let state = model.now();
        assert_eq!(at(&state, case.target), case.new, "{}", case.name);
        assert_eq!(state.keys().filter(|path| path.contains(".tmp")).count(), 0, "{}: {state:?}", case.name);
        if case.existing.keep_backup {
            assert_eq!(at(&state, "/d/out.bak"), case.old, "{}", case.name);
        }
        for crashed in model.after_crash() {
            assert_eq!(at(&crashed, case.target), case.new, "{}: published means durable", case.name);
        }
    }
}

#[test]
fn a_power_failure_at_any_step_leaves_the_old_state_or_the_new_one() {
    let mut crashes = 0;
    for case in cases() {
        let whole = Model::with(case.disk);
        (case.run)(&whole, case.existing).unwrap();
        for step in 0..whole.steps() {
            let model = Model::with(case.disk);
            model.stop(Stop::Power(step));
            let _ = (case.run)(&model, case.existing);
            for state in model.after_crash() {
                crashes += 1;
                let found = at(&state, case.target);
                assert!(found == case.old || found == case.new, "{} at {step}: {state:?}", case.name);
                assert!(case.old_is_kept(&state), "{} at {step}: the old one is lost: {state:?}", case.name);
            }
        }
    }
    assert!(crashes > 300, "{crashes}");
}

#[test]
fn a_full_disk_at_any_step_leaves_the_target_whole_and_no_temporary() {
    for case in cases() {
        let whole = Model::with(case.disk);
        (case.run)(&whole, case.existing).unwrap();
        for step in 0..whole.steps() {
            let model = Model::with(case.disk);
            model.stop(Stop::Fail(step));
            let outcome = (case.run)(&model, case.existing);
            let state = model.now();
            let found = at(&state, case.target);
            assert!(found == case.old || found == case.new, "{} at {step}: {state:?}", case.name);
            assert!(outcome.is_err() || found == case.new, "{} at {step}", case.name);
            assert!(case.old_is_kept(&state), "{} at {step}: {state:?}", case.name);
        }
    }
}

#[test]
fn without_exchange_the_old_directory_is_never_lost() {
    for case in cases().into_iter().filter(|case| case.disk.len() == 2 && case.name.starts_with("directory")) {
        let mut whole = Model::with(case.disk);
        whole.no_exchange = true;
        (case.run)(&whole, case.existing).unwrap();
        assert_eq!(at(&whole.now(), case.target), case.new);
        for step in 0..whole.steps() {
            let mut model = Model::with(case.disk);
            model.no_exchange = true;
            model.stop(Stop::Fail(step));
            let _ = (case.run)(&model, case.existing);
            let state = model.now();
            let found = at(&state, case.target);
            assert!(found == case.old || found == case.new, "{} at {step}: {state:?}", case.name);
        }
    }
}

#[test]
fn what_exists_is_refused_without_being_told_to_replace_it() {
    let model = Model::with(&[("/d/out", OLD)]);
    let error = write_file(&model, Existing::default()).unwrap_err();
    assert_eq!((error.doing, error.hint().is_some()), (Doing::Refuse, true));
    assert_eq!(model.now(), texts(&[("/d/out", OLD)]));

    let model = Model::with(&[("/d/out", OLD), ("/d/out.bak", "older")]);
    let error = write_file(&model, Existing { keep_backup: true, replace: false }).unwrap_err();
    assert_eq!(error.doing, Doing::RefuseBackup);
    assert_eq!(error.path, Path::new("/d/out.bak"));
}

#[test]
fn a_file_and_a_directory_never_replace_each_other() {
    let replace = Existing { replace: true, keep_backup: true };
    let model = Model::with(&[("/d/out/base", OLD)]);
    let error = write_file(&model, replace).unwrap_err();
    assert_eq!((error.doing, error.to_string().as_str()), (Doing::Refuse, "is a directory"));
    assert_eq!(model.now(), texts(&[("/d/out/base", OLD)]));
    let model = Model::with(&[("/d/out", OLD)]);
    assert_eq!(write_dir(&model, replace).unwrap_err().to_string(), "is a file or a link, not a directory");
    assert_eq!(model.now(), texts(&[("/d/out", OLD)]));
}

#[test]
fn the_real_disk_does_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out");
    let publish_file = |existing, text: &str| {
        let (publisher, mut part) = Publisher::file(&target, existing)?;
        part.write_all(text.as_bytes()).unwrap();
        publisher.close(part)?;
        publisher.publish()
    };
    let listing = || {
        let mut names: Vec<String> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    publish_file(Existing::default(), "one").unwrap();
    assert_eq!(publish_file(Existing::default(), "two").unwrap_err().doing, Doing::Refuse);
    publish_file(Existing { keep_backup: true, replace: false }, "two").unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"two");
    assert_eq!(std::fs::read(dir.path().join("out.bak")).unwrap(), b"one");
    publish_file(Existing { replace: true, keep_backup: false }, "three").unwrap();
    assert_eq!(listing(), ["out", "out.bak"]);

    std::fs::remove_file(&target).unwrap();
    std::fs::remove_file(dir.path().join("out.bak")).unwrap();
    for existing in [Existing::default(), Existing { keep_backup: true, replace: false }] {
        let publisher = Publisher::directory(&target, existing).unwrap();
        let part = publisher.part("base").unwrap();
        publisher.close(part).unwrap();
        publisher.publish().unwrap();
    }
    assert!(target.join("base").exists() && dir.path().join("out.bak/base").exists());
    drop(Publisher::directory(&target, Existing { replace: true, keep_backup: false }).unwrap());
    assert_eq!(listing(), ["out", "out.bak"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (socket, link) = (dir.path().join("socket"), dir.path().join("link"));
    let _held = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::os::unix::fs::symlink(&socket, &link).unwrap();
    for target in [&socket, &link] {
        for existing in [Existing::default(), Existing { replace: true, keep_backup: true }] {
            let error = Publisher::file(target, existing).unwrap_err();
            assert!(error.to_string().contains("is a device, a pipe or a socket"), "{error}");
        }
    }
    assert_eq!(Disk.what_is(&socket), Some(What::Special));
    assert_eq!(dir.path().read_dir().unwrap().count(), 2, "no temporary");
}

use super::*;
use std::time::Duration;

/// A worker that does what the names of its files say.
const WORKER: &str = r#"
while IFS= read -r -d '' path; do
    echo Sread
    case $path in
        *panics*) echo "thread 'main' panicked at src/x.rs:12:3:" >&2; exit 101 ;;
        *hangs*) echo Scheck; while :; do :; done ;;
        *swells*) echo "memory allocation of 99 bytes failed" >&2; kill -ABRT $$ ;;
        *faults*) kill -SEGV $$ ;;
        *rambles*) head -c 1000000 /dev/zero >&2; echo Vok@rdb:empty ;;
        *limits*) echo "Vok@$(ulimit -v)" ;;
        *) echo Vok@rdb:empty ;;
    esac
done
"#;

fn limits() -> Limits {
    let arguments = ["-c".into(), WORKER.into()].into();
    Limits { program: "bash".into(), arguments, timeout: Duration::from_millis(500), memory: 1 << 30 }
}

fn judged(names: &[&str], children: usize) -> Vec<(String, String)> {
    let paths: Vec<PathBuf> = names.iter().map(Into::into).collect();
    let mut all = Vec::new();
    let mut each = |one: Judged| {
        all.push((one.path.display().to_string(), one.signature));
        true
    };
    run(&paths, children, &limits(), &mut each).unwrap();
    all.sort();
    all
}

#[test]
fn what_kills_a_child_is_the_verdict_on_the_file_it_died_of() {
    let names = ["a", "b-panics", "c", "d-hangs", "e", "f-swells", "g", "h-faults", "i", "j-rambles", "k"];
    let expected = [
        ("a", "ok@rdb:empty"),
        ("b-panics", "crash@src/x.rs:12"),
        ("c", "ok@rdb:empty"),
        ("d-hangs", "timeout@check"),
        ("e", "ok@rdb:empty"),
        ("f-swells", "oom"),
        ("g", "ok@rdb:empty"),
        ("h-faults", "crash@signal-11"),
        ("i", "ok@rdb:empty"),
        ("j-rambles", "ok@rdb:empty"),
        ("k", "ok@rdb:empty"),
    ];
    let expected: Vec<_> = expected.iter().map(|&(name, verdict)| (name.to_owned(), verdict.to_owned())).collect();
    assert_eq!(judged(&names, 1), expected);
    assert_eq!(judged(&names, 3), expected);
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_has_its_limits_before_its_first_file() {
    assert_eq!(judged(&["limits"], 1), [("limits".into(), format!("ok@{}", (1u64 << 30) / 1024))]);
}

#[test]
fn a_child_that_cannot_be_started_ends_the_run() {
    let limits = Limits { program: "/nonexistent".into(), ..limits() };
    assert!(run(&["a".into()], 2, &limits, &mut |_| true).is_err());
}

#[test]
fn files_are_found_in_folders_of_folders_in_order() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("b")).unwrap();
    for name in ["c", "a", "b/x"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    std::os::unix::fs::symlink("a", folder.path().join("link")).unwrap();
    let names: Vec<PathBuf> = ["a", "b/x", "c"].iter().map(|name| folder.path().join(name)).collect();
    assert_eq!(files(folder.path()).unwrap(), names);
}

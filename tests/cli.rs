//! The command line as a contract: what each command prints, on which stream, and its exit status.
//!
//! A case is three files in `tests/cli/`: `NAME.case` (arguments, one line; further lines are explained below),
//! `NAME.stdout` and `NAME.stderr` (absent when empty). `BLESS=1 cargo test --test cli` writes the last two anew.
//!
//! | line of a case | meaning |
//! | --- | --- |
//! | first | the arguments, parted by spaces |
//! | `status N` | the exit status, 0 unless it is given |
//! | `as NAME` | the program is called by this name |
//! | `stdin FILE` | standard input is this file |
//! | `# …` | a remark |
//!
//! All run in `testdata/`, two snapshots of which are damaged first: `@cut` is a snapshot without its last 40 bytes,
//! `@flip` one with a byte of a value changed. `@empty` is empty, `@unknown` is a line of text, `@fails` a sound log of which
//! commands fail, `@open` one whose last transaction is never executed, `@torn` one that ends within a command, `@short` a
//! snapshot without one byte of a value, `@hurt` one of a damaged value under a checksum that fits, `@unvouched` the same without one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test says what is wrong by failing"
)]
#![cfg(feature = "cli")]

use careen::bytes::crc64::jones;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

struct Case {
    args: Vec<String>,
    status: i32,
    called: Option<String>,
    stdin: Option<String>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let args = lines.next().expect("a line of arguments").split(' ').filter(|arg| !arg.is_empty());
        let mut case = Self { args: args.map(Into::into).collect(), status: 0, called: None, stdin: None };
        for line in lines {
            match line.split_once(' ') {
                Some(("status", status)) => case.status = status.parse().unwrap(),
                Some(("as", name)) => case.called = Some(name.into()),
                Some(("stdin", file)) => case.stdin = Some(file.into()),
                _ => panic!("{}: {line}", path.display()),
            }
        }
        case
    }
}

/// A list, a string command for it, a script that looks at what it does, a transaction that is never executed, an `EXEC`.
const FAILS: &str = "*3 $5 RPUSH $1 l $1 a *2 $4 INCR $1 l *3 $4 EVAL $9 return(1) $1 0 *3 $3 SET $1 k $1 v *1 $4 EXEC \
    *3 $6 RENAME $2 no $1 k *1 $5 MULTI *2 $4 INCR $1 k ";

/// A string, and a transaction without its end.
const OPEN: &str = "*3 $3 SET $1 a $1 1 *1 $5 MULTI *3 $3 SET $1 b $1 2 ";

/// A string, and a hash in a listpack whose only field has no value.
const HURT: &[u8] = b"REDIS0010\xfe\x00\x00\x01s\x01v\x10\x01h\x0a\x0a\0\0\0\x01\0\x81f\x02\xff\xff";

/// A directory with the files that cases damage, removed at the end.
struct Bench {
    root: PathBuf,
    testdata: PathBuf,
    scratch: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let testdata = root.join("testdata");
        let scratch = tempfile::tempdir().unwrap();
        let whole = fs::read(testdata.join("rdb/everything-redis_v10.rdb")).unwrap();
        fs::write(scratch.path().join("cut"), &whole[..whole.len() - 40]).unwrap();
        let mut flipped = fs::read(testdata.join("rdb/quicklist2_v10.rdb")).unwrap();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0x80;
        fs::write(scratch.path().join("flip"), flipped).unwrap();
        fs::write(scratch.path().join("empty"), "").unwrap();
        fs::write(scratch.path().join("fails"), FAILS.replace(' ', "\r\n")).unwrap();
        let mut short = whole.clone();
        short.remove(middle);
        fs::write(scratch.path().join("short"), short).unwrap();
        let open = OPEN.replace(' ', "\r\n");
        fs::write(scratch.path().join("torn"), &open[..open.len() - 3]).unwrap();
        fs::write(scratch.path().join("open"), open).unwrap();
        let summed = fs::write(scratch.path().join("hurt"), [HURT, &jones(HURT).to_le_bytes()].concat());
        summed.and_then(|()| fs::write(scratch.path().join("unvouched"), [HURT, &[0; 8]].concat())).unwrap();
        fs::write(scratch.path().join("unknown"), "neither a snapshot nor a log\n").unwrap();
        Self { root, testdata, scratch }
    }

    fn command(&self, case: &Case) -> Command {
        let careen = PathBuf::from(env!("CARGO_BIN_EXE_careen"));
        let program = match &case.called {
            None => careen,
            Some(name) => {
                let link = self.scratch.path().join(name);
                if !link.exists() {
                    // A copy where the system has no links.
                    fs::hard_link(&careen, &link).or_else(|_| fs::copy(&careen, &link).map(|_| ())).unwrap();
                }
                link
            }
        };
        let mut command = Command::new(program);
        for arg in &case.args {
            match arg.strip_prefix('@') {
                Some(name) => command.arg(self.scratch.path().join(name)),
                None => command.arg(arg),
            };
        }
        let stdin = case
            .stdin
            .as_ref()
            .map_or_else(Stdio::null, |file| Stdio::from(fs::File::open(self.testdata.join(file)).unwrap()));
        command.current_dir(&self.testdata).env("NO_COLOR", "1").env_remove("COLUMNS").stdin(stdin);
        command
    }

    /// As text, without paths of this machine and run, which do not belong into expectations.
    fn stable(&self, output: &[u8]) -> String {
        let chunks = output.utf8_chunks();
        let text: String = chunks.map(|chunk| format!("{}{}", chunk.valid(), chunk.invalid().escape_ascii())).collect();
        text.replace(&format!("{}/", self.scratch.path().display()), "@")
            .replace(&self.root.display().to_string(), "ROOT")
    }
}

#[test]
fn commands_print_what_they_printed() {
    let bench = Bench::new();
    let mut cases: Vec<PathBuf> =
        fs::read_dir(bench.root.join("tests/cli")).unwrap().map(|e| e.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "case"));
    cases.sort();
    assert!(cases.len() > 20, "the cases are gone");
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for path in &cases {
        let case = Case::read(path);
        let output = bench.command(&case).output().unwrap();
        let got = [bench.stable(&output.stdout), bench.stable(&output.stderr)];
        for (text, stream) in got.iter().zip(["stdout", "stderr"]) {
            let file = path.with_extension(stream);
            let expected = fs::read_to_string(&file).unwrap_or_default();
            if *text == expected {
                continue;
            }
            if bless && text.is_empty() {
                fs::remove_file(&file).unwrap();
            } else if bless {
                fs::write(&file, text).unwrap();
            } else {
                wrong.push(format!("{}:\n--- expected\n{expected}\n--- got\n{text}", file.display()));
            }
        }
        if output.status.code() != Some(case.status) {
            wrong.push(format!("{}: status {:?}, not {}", path.display(), output.status.code(), case.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

//! What no command may take away: its own input, devices, files that nobody said could go, and who may read them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by failing"
)]
#![cfg(all(unix, feature = "cli"))]

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A directory with a sound snapshot, a damaged one and a multi-part AOF in it.
struct Bench(tempfile::TempDir);

/// The log of the set: one command.
const LOG: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
const SET: [&str; 3] = ["aof/a.aof.1.base.aof", "aof/a.aof.1.incr.aof", "aof/a.aof.manifest"];

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb");
        fs::copy(testdata.join("everything-redis_v10.rdb"), bench.at("sound.rdb")).unwrap();
        let mut bytes = fs::read(testdata.join("everything-redis_v10.rdb")).unwrap();
        bytes.truncate(bytes.len() - 40);
        fs::write(bench.at("damaged.rdb"), bytes).unwrap();
        fs::create_dir(bench.at("aof")).unwrap();
        fs::write(bench.at(SET[0]), LOG).unwrap();
        fs::write(bench.at(SET[1]), [LOG, b"*3\r\n$3\r\nSE"].concat()).unwrap();
        let manifest = "file a.aof.1.base.aof seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n";
        fs::write(bench.at(SET[2]), manifest).unwrap();
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.at(name)).unwrap_or_else(|e| panic!("{name}: {e}")).permissions().mode() & 0o777
    }

    fn make(&self, name: &str, mode: u32) {
        fs::set_permissions(self.at(name), Permissions::from_mode(mode)).unwrap();
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
        command.args(args.split(' ')).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// The status, and what was said on standard error.
    fn run(&self, args: &str) -> (i32, String) {
        let Output { status, stderr, .. } = self.command(args).output().unwrap();
        (status.code().unwrap_or(-1), String::from_utf8_lossy(&stderr).into_owned())
    }

    /// Refused with this text, and nothing in the directory has changed.
    fn refuses(&self, args: &str, why: &str) {
        let before = self.state();
        let (status, said) = self.run(args);
        assert_eq!(status, 2, "careen {args}: {said}");
        assert!(said.contains(why), "careen {args}: {said}");
        assert!(self.state() == before, "careen {args}: something has changed");
    }

    /// Every path below, and the bytes of the files.
    fn state(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let mut found = Vec::new();
        let mut open = vec![self.0.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in directory.read_dir().unwrap().flatten() {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    open.push(entry.path());
                }
                found.push((entry.path(), kind.is_file().then(|| fs::read(entry.path()).unwrap())));
            }
        }
        found.sort();
        found
    }
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A command that reads no pipe by mistake ends; one that does would wait for ever.
fn ends(command: &mut Command) -> i32 {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap_or(-1);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("{command:?} does not end");
}

#[test]
fn data_flows_into_pipes_and_devices() {
    let bench = Bench::new();
    pipe(&bench.at("pipe"));
    for (args, same) in [
        ("export sound.rdb", "export sound.rdb -o pipe"),
        ("keys sound.rdb", "keys sound.rdb -o pipe --force"),
        ("get sound.rdb sl", "get sound.rdb sl -o pipe"),
        ("log aof/a.aof.1.base.aof", "log aof/a.aof.1.base.aof -o pipe --force"),
    ] {
        let expected = bench.command(args).output().unwrap();
        let mut child = bench.command(same).stdout(Stdio::null()).spawn().unwrap();
        let mut got = Vec::new();
        fs::File::open(bench.at("pipe")).unwrap().read_to_end(&mut got).unwrap();
        assert_eq!(child.wait().unwrap().code(), expected.status.code(), "careen {same}");
        assert!(got == expected.stdout, "careen {same}");
        assert!(fs::metadata(bench.at("pipe")).unwrap().file_type().is_fifo());
    }
    assert_eq!(bench.run("export sound.rdb -o /dev/null --force").0, 0);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let got = bench.command("keys sound.rdb -o /dev/stdout --force").output().unwrap().stdout;
    assert!(got == bench.command("keys sound.rdb").output().unwrap().stdout);
}

#[test]
fn what_appears_when_it_is_complete_is_no_pipe() {
    let bench = Bench::new();
    pipe(&bench.at("pipe"));
    for args in [
        "convert sound.rdb --to aof -o pipe --force",
        "compact aof/a.aof.1.base.aof -o pipe --force",
        "repair damaged.rdb -o pipe --force",
    ] {
        bench.refuses(args, "is a device, a pipe or a socket");
    }
    for args in ["convert sound.rdb --to aof -o -", "repair damaged.rdb -o -", "compact aof/a.aof.1.base.aof -o -"] {
        bench.refuses(args, "standard output");
    }
}

#[test]
fn no_output_takes_the_place_of_its_input() {
    let bench = Bench::new();
    fs::create_dir(bench.at("sub")).unwrap();
    fs::hard_link(bench.at("damaged.rdb"), bench.at("hard.rdb")).unwrap();
    symlink("damaged.rdb", bench.at("link.rdb")).unwrap();
    symlink("aof", bench.at("linked")).unwrap();
    for command in ["repair", "export", "keys", "convert"] {
        for output in ["damaged.rdb", "./sub/../damaged.rdb", "hard.rdb", "link.rdb"] {
            bench.refuses(&format!("{command} damaged.rdb -o {output} --force"), "the output is the input");
        }
    }
    bench.refuses("get damaged.rdb a -o damaged.rdb --force", "the output is the input");
    for command in ["repair aof", "convert aof/a.aof.manifest", "compact aof"] {
        for output in ["aof", "sub/../aof", "linked"] {
            bench.refuses(&format!("{command} -o {output} --force"), "the output is the input");
        }
    }
    for command in ["repair aof -o aof/out", "convert aof -o linked/new.rdb", "export aof/a.aof.manifest -o aof/new"] {
        bench.refuses(command, "in the input's directory");
    }
    bench.refuses("log aof/a.aof.1.base.aof -o aof/a.aof.1.base.aof --force", "the output is the input");
    for part in SET {
        bench.refuses(&format!("export aof -o {part} --force"), "the output is the input");
        bench.refuses(&format!("compact aof --to rdb -o {part} --force"), "the output is the input");
    }
    bench.refuses("corpus fix damaged.rdb -o sub/../damaged.rdb --force", "the output is the input");
    let before = bench.read("sound.rdb");
    let input = fs::File::open(bench.at("sound.rdb")).unwrap();
    let status = bench.command("export - -o sound.rdb --force").stdin(input).status().unwrap();
    assert_eq!((status.code(), bench.read("sound.rdb") == before), (Some(2), true));
}

#[test]
fn a_report_replaces_nothing_that_is_needed() {
    let bench = Bench::new();
    fs::write(bench.at("other"), "something else").unwrap();
    bench.refuses("repair damaged.rdb -o out.rdb --report other", "exists already");
    for force in ["", " --force"] {
        for report in ["damaged.rdb", "out.rdb", "./out.rdb", "out.rdb.lost", "out.rdb.lost.map"] {
            bench.refuses(&format!("repair damaged.rdb -o out.rdb --report {report}{force}"), "--report");
        }
        for report in ["damaged.rdb.bak", "damaged.rdb.lost"] {
            bench.refuses(&format!("repair damaged.rdb --in-place --report {report}{force}"), "--report");
        }
        for report in [SET[0], SET[2], "aof/report", "out", "out/report"] {
            bench.refuses(&format!("repair aof -o out --report {report}{force}"), "--report");
        }
        bench.refuses(&format!("repair damaged.rdb --dry-run --report damaged.rdb{force}"), "--report");
    }
    assert_eq!(bench.run("repair damaged.rdb -o out.rdb --report other --force").0, 1);
    assert!(bench.read("other").starts_with(b"{"));
    assert_eq!(bench.run("repair damaged.rdb -o out2.rdb --report /dev/null").0, 1);
    let said = bench.command("repair damaged.rdb --dry-run --quiet --report -").output().unwrap().stdout;
    assert!(said.starts_with(b"{"));
}

#[test]
fn quarantine_of_an_earlier_repair_is_kept_or_replaced_as_asked() {
    let bench = Bench::new();
    for name in ["out.rdb.lost", "out.rdb.lost.map"] {
        fs::write(bench.at(name), "older").unwrap();
        bench.refuses("repair damaged.rdb -o out.rdb", "exists already");
        bench.refuses("repair sound.rdb -o out.rdb", "exists already");
        assert_eq!(bench.run("repair damaged.rdb -o out.rdb --force").0, 1);
        assert!(bench.read("out.rdb.lost") != b"older" && bench.read("out.rdb.lost.map").starts_with(b"# "));
        assert_eq!(bench.run("repair sound.rdb -o out.rdb --force").0, 0);
        assert!(!bench.at("out.rdb.lost").exists() && !bench.at("out.rdb.lost.map").exists());
        fs::remove_file(bench.at("out.rdb")).unwrap();
    }
    fs::write(bench.at("out.lost"), "older").unwrap();
    bench.refuses("repair aof -o out", "exists already");
    assert_eq!(bench.run("repair aof -o out --force").0, 1);
    assert_eq!(bench.read("out.lost"), b"*3\r\n$3\r\nSE");
    // An input that is called like the quarantine is not taken away either.
    fs::rename(bench.at("damaged.rdb"), bench.at("x.lost")).unwrap();
    bench.refuses("repair x.lost -o x --force", "the output is the input");
}

#[test]
fn in_place_works_on_what_a_link_leads_to() {
    let bench = Bench::new();
    fs::create_dir(bench.at("sub")).unwrap();
    let damaged = bench.read("damaged.rdb");
    fs::rename(bench.at("damaged.rdb"), bench.at("sub/real.rdb")).unwrap();
    symlink("sub/real.rdb", bench.at("link.rdb")).unwrap();
    symlink("aof", bench.at("linked")).unwrap();
    assert_eq!(bench.run("repair link.rdb --in-place").0, 1);
    assert!(fs::symlink_metadata(bench.at("link.rdb")).unwrap().is_symlink());
    assert!(bench.read("link.rdb") != damaged && bench.read("sub/real.rdb.bak") == damaged);
    assert_eq!(bench.run("check link.rdb").0, 0);
    assert_eq!(bench.run("repair linked --in-place").0, 1);
    assert!(fs::symlink_metadata(bench.at("linked")).unwrap().is_symlink() && bench.at("aof.bak").is_dir());
    assert_eq!(bench.run("compact linked --in-place --force").0, 0);
    assert!(fs::symlink_metadata(bench.at("linked")).unwrap().is_symlink());
}

#[test]
fn who_could_not_read_the_input_cannot_read_what_comes_of_it() {
    let bench = Bench::new();
    bench.make("damaged.rdb", 0o600);
    assert_eq!(bench.run("repair damaged.rdb -o out.rdb").0, 1);
    for name in ["out.rdb", "out.rdb.lost", "out.rdb.lost.map"] {
        assert_eq!(bench.mode(name), 0o600, "{name}");
    }
    bench.make("damaged.rdb", 0o660);
    assert_eq!(bench.run("repair damaged.rdb --in-place").0, 1);
    assert_eq!((bench.mode("damaged.rdb"), bench.mode("damaged.rdb.bak")), (0o660, 0o660));
    assert_eq!(bench.mode("damaged.rdb.lost") & !0o660, 0);

    bench.make("aof", 0o750);
    bench.make(SET[0], 0o640);
    bench.make(SET[1], 0o600);
    bench.make(SET[2], 0o644);
    assert_eq!(bench.run("repair aof -o out").0, 1);
    for name in ["out/a.aof.1.incr.aof", "out.lost", "out.lost.map"] {
        assert_eq!(bench.mode(name), 0o600, "{name}");
    }
    assert_eq!(bench.mode("out") & !0o750, 0);
    assert_eq!(bench.run("repair aof --in-place").0, 1);
    let modes = ["aof", SET[0], SET[1], SET[2]].map(|name| bench.mode(name));
    assert_eq!(modes, [0o750, 0o640, 0o600, 0o644]);
    bench.make(SET[2], 0o600);
    bench.make(SET[0], 0o600);
    assert_eq!(bench.run("compact aof --in-place --force").0, 0);
    assert_eq!(bench.mode("aof"), 0o750);
    for file in bench.at("aof").read_dir().unwrap().flatten() {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn what_is_replaced_in_place_keeps_its_owner() {
    use std::os::unix::fs::{MetadataExt, chown};
    let bench = Bench::new();
    // Only root may give files away.
    let give = |name: &str| chown(bench.at(name), Some(4711), Some(4712)).is_ok();
    if !["damaged.rdb", "aof", SET[0], SET[1], SET[2]].into_iter().all(give) {
        return;
    }
    let owner = |path: &Path| fs::metadata(path).map(|about| (about.uid(), about.gid())).unwrap();
    assert_eq!(bench.run("repair damaged.rdb --in-place").0, 1);
    assert_eq!(bench.run("compact aof/a.aof.1.base.aof --in-place").0, 0);
    assert_eq!(bench.run("repair aof --in-place").0, 1);
    assert_eq!(bench.run("compact aof --in-place --force").0, 0);
    let files = bench.at("aof").read_dir().unwrap().flatten().map(|file| file.path());
    for path in files.chain([bench.at("damaged.rdb"), bench.at("damaged.rdb.bak"), bench.at("aof")]) {
        assert_eq!(owner(&path), (4711, 4712), "{}", path.display());
    }
}

#[test]
fn any_number_of_threads_is_taken() {
    let bench = Bench::new();
    for threads in ["20000", "18446744073709551615"] {
        for command in ["check", "export", "repair --dry-run", "info"] {
            let (status, said) = bench.run(&format!("{command} sound.rdb -j {threads}"));
            assert_eq!(status, 0, "{command}: {said}");
        }
    }
}

#[test]
fn a_pipe_in_place_of_a_part_is_told_and_not_read() {
    for part in &SET[..2] {
        let bench = Bench::new();
        fs::remove_file(bench.at(part)).unwrap();
        pipe(&bench.at(part));
        for (command, status) in
            [("check", 1), ("export", 2), ("replay", 2), ("compact -o out", 2), ("repair -o out2", 1)]
        {
            for input in ["aof", "aof/a.aof.manifest"] {
                let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
                let args = format!("{name} {input} {rest}");
                let mut command = bench.command(args.trim_end());
                if name == "repair" {
                    command.arg("--force");
                }
                assert_eq!(ends(&mut command), status, "careen {args}");
            }
        }
        assert_eq!(ends(&mut bench.command("info aof")), ends(&mut bench.command("info aof --format json")));
        let mut tool = Command::new(env!("CARGO_BIN_EXE_careen"));
        std::os::unix::process::CommandExt::arg0(&mut tool, "redis-check-aof");
        assert_eq!(ends(tool.arg(bench.at("aof/a.aof.manifest")).stdin(Stdio::null())), 1);
        let found = bench.command("check aof").output().unwrap().stdout;
        assert!(String::from_utf8_lossy(&found).contains("aof-part-not-a-file"));
        assert!(fs::metadata(bench.at(part)).unwrap().file_type().is_fifo());
    }
}

#[test]
fn a_device_without_an_end_is_no_input() {
    let bench = Bench::new();
    assert_eq!(ends(&mut bench.command("check /dev/zero")), 2);
    let zeros = fs::File::open("/dev/zero").unwrap();
    assert_eq!(ends(bench.command("check -").stdin(zeros)), 2);
    assert_eq!(bench.run("check /dev/null").0, bench.run("check -").0);
}

#[test]
fn manual_pages_go_into_a_directory_that_is_not_there_yet() {
    let bench = Bench::new();
    assert_eq!(bench.run("man -o some/where").0, 0);
    assert!(bench.at("some/where/careen.1").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_no_success() {
    let bench = Bench::new();
    for args in ["--help", "--version", "check --help", "man", "export sound.rdb"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        assert_eq!(bench.command(args).stdout(full).status().unwrap().code(), Some(2), "careen {args}");
    }
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let said = bench.command("export sound.rdb").stdout(full).output().unwrap().stderr;
    assert!(String::from_utf8_lossy(&said).contains("hint: "));
}

#[test]
fn an_interrupted_command_leaves_no_temporary() {
    let bench = Bench::new();
    pipe(&bench.at("pipe"));
    for signal in ["TERM", "INT"] {
        let names = || bench.0.path().read_dir().unwrap().count();
        let (before, quiet) = (bench.state(), names());
        let mut child = bench.command("chat generate -o new.rdb --users 1000 --messages 1000000000").spawn().unwrap();
        while names() == quiet {
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), None, "it ends by the signal");
        assert!(bench.state() == before, "{signal}: something is left");
    }
}

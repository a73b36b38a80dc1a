//! `--max-memory` is honoured by every command: what does not fit is refused with status 2 and a hint, and no process dies.

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

use careen::bytes::{Budget, Exhausted, Limits, Resource, crc64, lzf};
use careen::export::{self, jsonl::Jsonl};
use careen::rdb::{self, Buffers, Reader, Record, length};
use careen::scan;
use careen::select::Selection;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Strings of this many bytes, which take a hundredth of it.
const LONG: usize = 8 << 20;

fn compressed(text: &[u8], out: &mut Vec<u8>) {
    let mut bytes = Vec::new();
    lzf::compress(text, &mut bytes).unwrap();
    out.push(0xc3);
    length::encode(bytes.len() as u64, out);
    length::encode(text.len() as u64, out);
    out.extend_from_slice(&bytes);
}

/// A list and a hash of compressed strings.
fn image() -> Vec<u8> {
    let text = vec![b'x'; LONG];
    let mut image = b"REDIS0009\x01\x01l\x01".to_vec();
    compressed(&text, &mut image);
    image.extend_from_slice(b"\x04\x01h\x01\x01f");
    compressed(&text, &mut image);
    image.push(0xff);
    let sum = crc64::jones(&image);
    image.extend_from_slice(&sum.to_le_bytes());
    image
}

/// Commands that make a key a thousand times the size of the log.
fn log() -> Vec<u8> {
    let mut log = Vec::new();
    careen::aof::writer::encode(&[b"SETRANGE".as_slice(), b"k", b"100000000", b"x"], &mut log);
    log
}

fn many_keys(count: usize) -> Vec<u8> {
    let mut image = b"REDIS0009".to_vec();
    for n in 0..count {
        image.extend_from_slice(format!("\0\x06k{n:05}\x01v").as_bytes());
    }
    image.push(0xff);
    let sum = crc64::jones(&image);
    image.extend_from_slice(&sum.to_le_bytes());
    image
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("image"), image()).unwrap();
        std::fs::write(folder.path().join("log"), log()).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &str, memory: &str, stdin: Option<&Path>) -> Output {
        let stdin = stdin.map_or_else(Stdio::null, |path| std::fs::File::open(path).unwrap().into());
        let mut command = Command::new(env!("CARGO_BIN_EXE_careen"));
        command.args(arguments.split(' ')).args(["--max-memory", memory, "--force"]);
        command.current_dir(self.0.path()).stdin(stdin).output().unwrap()
    }

    /// What is wrong with how a command refuses, if anything.
    fn refuses(&self, arguments: &str, memory: &str, stdin: Option<&Path>) -> Option<String> {
        let output = self.run(arguments, memory, stdin);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let right = output.status.code() == Some(2) && said.contains("--max-memory");
        (!right).then(|| format!("{arguments}: status {:?}, {said}", output.status.code()))
    }
}

const OF_IMAGES: [&str; 10] = [
    "check",
    "info",
    "keys",
    "get IN l",
    "export",
    "replay --digest",
    "diff IN image",
    "compact IN -o out",
    "convert IN -o out",
    "repair IN -o out",
];

/// No thread gets a stack of this size, which is how a system looks that has no more threads.
const NO_STACK: &str = "140737488355328";

#[cfg(target_os = "linux")]
#[test]
fn where_no_thread_starts_every_command_answers_the_same() {
    let bench = Bench::new();
    std::fs::write(bench.path("image"), many_keys(30_000)).unwrap();
    let mut damaged = many_keys(1000);
    damaged[5000] ^= 1;
    std::fs::write(bench.path("damaged"), damaged).unwrap();
    let commands = ["check image", "export image", "keys image", "replay image --digest", "repair damaged --dry-run"];
    for command in commands {
        let run = |stack: Option<&str>| {
            let mut process = Command::new(env!("CARGO_BIN_EXE_careen"));
            process.args(command.split(' ')).args(["--threads", "4"]).current_dir(bench.0.path());
            process.envs(stack.map(|stack| ("RUST_MIN_STACK", stack)));
            let output = process.output().unwrap();
            (output.status.code(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let usual = run(None);
        assert!(matches!(usual.0, Some(0 | 1)), "{command}: {}", usual.2);
        assert_eq!(run(Some(NO_STACK)), usual, "{command}");
    }
}

fn on(command: &str, input: &str) -> String {
    if command.contains("IN") { command.replace("IN", input) } else { format!("{command} {input}") }
}

/// What is read from a pipe goes to an unlinked file where memory does not hold it: little memory is enough, or there is
/// a refusal.
#[test]
fn no_command_dies_of_too_little_memory() {
    let bench = Bench::new();
    let (image, log) = (bench.path("image"), bench.path("log"));
    let commands = OF_IMAGES.iter().map(|command| (on(command, "-"), &image));
    let more = [("log -".into(), &log), ("chat verify -".into(), &image), ("corpus fix image -o out".into(), &image)];
    for (command, stdin) in commands.chain(more) {
        let output = bench.run(&command, "1K", Some(stdin));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0 | 1) => {}
            Some(2) => assert!(said.contains("--max-memory"), "{command}: {said}"),
            other => panic!("{command}: {other:?} {said}"),
        }
    }
}

/// All of them come across this field. (`log` steps over images and holds nothing; others read no data.)
#[test]
fn every_command_that_reads_is_bounded() {
    let bench = Bench::new();
    let mut image = b"REDIS0009\xfa\x04note".to_vec();
    compressed(&vec![b'x'; LONG], &mut image);
    image.extend_from_slice(b"\0\x01k\x01v\xff\0\0\0\0\0\0\0\0");
    std::fs::create_dir(bench.path("folder")).unwrap();
    std::fs::write(bench.path("folder/aux"), image).unwrap();
    let more = [
        "chat verify",
        "chat history IN ann",
        "chat online",
        "chat timeline",
        "corpus fix IN -o out",
        "compact IN -o out",
        "diff image IN",
    ];
    let commands = OF_IMAGES.iter().chain(&more).map(|command| on(command, "folder/aux"));
    let wrong: Vec<_> = commands.filter_map(|command| bench.refuses(&command, "512K", None)).collect();
    assert_eq!(wrong, [""; 0]);
    for (memory, verdict) in [("1M", "rejected:memory-budget@rdb"), ("32M", "ok@rdb")] {
        let said = bench.run("corpus run folder", memory, None).stdout;
        assert!(String::from_utf8_lossy(&said).contains(verdict), "{memory}");
    }
}

#[test]
fn what_is_decompressed_has_to_fit() {
    let bench = Bench::new();
    let decoding = [
        "check",
        "get IN l",
        "export",
        "replay --digest",
        "diff IN log",
        "repair IN -o out",
        "compact IN -o out --target redis-7.2 --to aof",
    ];
    let wrong: Vec<_> =
        decoding.iter().filter_map(|command| bench.refuses(&on(command, "image"), "1M", None)).collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn what_commands_make_grow_has_to_fit() {
    let bench = Bench::new();
    let growing = ["replay --digest", "export", "keys", "compact IN -o out", "convert IN -o out --to rdb"];
    let wrong: Vec<_> = growing.iter().filter_map(|command| bench.refuses(&on(command, "log"), "1M", None)).collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn what_fits_is_done() {
    let bench = Bench::new();
    for command in OF_IMAGES {
        let output = bench.run(&on(command, "image"), "64M", None);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{command}: {said}");
    }
}

#[test]
fn what_many_small_commands_or_keys_add_has_to_fit() {
    let bench = Bench::new();
    let (mut log, image) = (Vec::new(), many_keys(100_000));
    for n in 0..100_000 {
        careen::aof::writer::encode(&[b"SET".as_slice(), format!("k{n:05}").as_bytes(), b"v"], &mut log);
    }
    std::fs::write(bench.path("many.aof"), &log).unwrap();
    std::fs::write(bench.path("many.rdb"), &image).unwrap();
    std::fs::copy(bench.path("many.rdb"), bench.path("again.rdb")).unwrap();
    let commands = [
        "replay many.aof",
        "replay many.rdb",
        "export many.aof",
        "diff many.aof many.rdb",
        "chat online many.aof",
        "convert many.aof -o out --to rdb",
        "convert many.aof -o out --to rdb --lossy",
        "convert many.rdb --merge again.rdb --on-duplicate first -o out",
        "check many.rdb",
    ];
    let wrong: Vec<_> = commands.iter().filter_map(|command| bench.refuses(command, "1M", None)).collect();
    assert_eq!(wrong, [""; 0]);
    for command in commands {
        let output = bench.run(command, "60M", None);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

const LIST: &[u8] = b"REDIS0011\x01\x01l\x03\x01a\x01b\x01c\xff\0\0\0\0\0\0\0\0";
const INTSET: &[u8] = b"REDIS0011\x0b\x01s\x0e\x02\0\0\0\x03\0\0\0\x01\0\x02\0\x03\0\xff\0\0\0\0\0\0\0\0";

fn reading(image: &[u8], limits: Limits) -> rdb::Result<u64> {
    let budget = Budget::within(limits);
    let (mut reader, mut buffers) = (Reader::new(image)?.with_budget(&budget), Buffers::new(&budget));
    let mut elements = 0;
    loop {
        match reader.next_record()? {
            Some(Record::Key(key)) => key.value.elements(&mut buffers, &mut |_| {
                elements += 1;
                Ok(())
            })?,
            Some(Record::End { .. }) => return Ok(elements),
            _ => {}
        }
    }
}

/// Of plain collections a reader sees it, of packed ones whoever decodes them.
#[test]
fn a_value_of_too_many_elements_is_refused_with_its_place() {
    let most = |elements| Limits { elements, ..Limits::default() };
    for (image, whose) in [(LIST, Some(b"l".as_slice())), (INTSET, None)] {
        assert_eq!(reading(image, most(3)), Ok(3));
        let error = reading(image, most(2)).unwrap_err();
        assert_eq!((error.offset(), error.key()), (12, whose));
        assert_eq!((error.code(), error.exhausted()), ("more-elements-than-allowed", Some(Exhausted::of_elements(2))));
        assert!(error.hint().is_some_and(|hint| hint.contains("more elements")));
    }
    let mut torn = LIST[..19].to_vec();
    torn[12] = 60;
    assert!(reading(&torn, most(4)).is_err_and(|error| error.is_torn()), "a claim is not believed");
}

#[test]
fn more_output_than_allowed_is_refused_before_it_is_written() {
    let export = |output| {
        let options = scan::Options { threads: 2, budget: Budget::within(Limits { output, ..Limits::default() }) };
        let (format, mut out) = (Jsonl::default(), Vec::new());
        let done = export::image(&format, LIST, 0..28, &options, &Selection::default(), &mut out, |_| {});
        (done.map_err(|error| error.downcast::<Exhausted>().unwrap()).map(|delivery| delivery.keys), out.len() as u64)
    };
    let (keys, len) = export(u64::MAX);
    assert_eq!((keys.unwrap(), export(len).0.unwrap()), (1, 1));
    let (refused, written) = export(len - 1);
    assert_eq!((refused.unwrap_err().resource, written), (Resource::Output, 0));
}

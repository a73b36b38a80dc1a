//! Files of real servers, cut at every byte and with every byte changed: an error or a value comes of it, never a
//! panic, and memory and time stay within what the bytes present can justify.

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

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The system's allocator, counting.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator is nothing else; this one counts and passes on")]
// SAFETY: every call goes to the system's allocator with the arguments that came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed).saturating_add(layout.size());
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: see above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time, or they would count each other's memory.
static ALONE: Mutex<()> = Mutex::new(());

/// LZF makes at most 264 bytes of 3; what we keep beside them, and what a thread needs in any case, is the rest.
fn bound(len: usize) -> usize {
    len * 300 + (8 << 20)
}

/// No small input may keep us busy for so long, even on a machine that has better to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to do with a byte to change it: one bit, another bit, all of them, and one up, as lengths go.
const CHANGES: [fn(u8) -> u8; 5] = [|b| b ^ 1, |b| b ^ 0x40, |b| b ^ 0x80, |b| !b, |b| b.wrapping_add(1)];

/// Every way to cut a file short, and to change one of its bytes.
fn damaged(whole: &[u8]) -> impl Iterator<Item = (String, Vec<u8>)> {
    let cuts = (0..whole.len()).map(|at| (format!("cut at {at}"), whole[..at].to_vec()));
    let changes = (0..whole.len()).flat_map(move |at| {
        CHANGES.iter().enumerate().map(move |(which, change)| {
            let mut bytes = whole.to_vec();
            bytes[at] = change(bytes[at]);
            (format!("change {which} at {at}"), bytes)
        })
    });
    cuts.chain(changes)
}

fn survive(name: &str, data: &[u8], reader: &dyn Fn(&[u8])) {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let began = Instant::now();
    let panicked = catch_unwind(AssertUnwindSafe(|| reader(data))).is_err();
    let took = PEAK.load(Relaxed).saturating_sub(before);
    assert!(!panicked, "{name}");
    assert!(took <= bound(data.len()), "{name}: {took} bytes of memory for {} bytes", data.len());
    assert!(began.elapsed() < PATIENCE, "{name}: took {:?}", began.elapsed());
}

/// The files of a folder of `testdata/` that end so, in order.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    assert!(!paths.is_empty(), "no .{extension} in {}", folder.display());
    paths
}

/// Damage every file in every way and read what is left of it in each of several ways.
fn survive_all(folder: &str, extension: &str, readers: &[fn(&[u8])]) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for path in files(folder, extension) {
        let whole = std::fs::read(&path).unwrap();
        for (what, data) in damaged(&whole) {
            let name = format!("{}, {what}", path.display());
            readers.iter().for_each(|reader| survive(&name, &data, reader));
        }
    }
}

#[test]
fn damaged_snapshots_are_read_to_an_error_or_a_value() {
    survive_all("rdb", "rdb", &[careen::rdb::attack::reader, careen::check::attack::rdb]);
}

#[test]
fn damaged_snapshots_are_replayed_to_an_error_or_a_value() {
    survive_all("rdb", "rdb", &[careen::replay::attack::part]);
}

#[test]
fn damaged_logs_are_read_to_an_error_or_a_value() {
    for folder in ["aof", "aof/chat_redis-7.0", "aof/chat-timestamps_redis-7.0"] {
        survive_all(folder, "aof", &[careen::aof::attack::aof_reader, careen::replay::attack::part]);
    }
}

#[test]
fn damaged_manifests_are_read_to_an_error_or_a_value() {
    survive_all("aof/chat_redis-8.6", "manifest", &[careen::aof::attack::manifest]);
}

/// Lengths of every size in place of every byte: what asks for memory before it looks asks for too much here.
#[test]
fn impossible_lengths_cost_no_memory() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let lengths: [&[u8]; 4] =
        [&[0x80, 0x7f, 0xff, 0xff, 0xff], &[0x81, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x81, 0xff], &[0xff; 9]];
    for name in ["everything-redis_v13.rdb", "hash-field-expiry_v80.rdb", "skiplist_v9.rdb", "quicklist_v9.rdb"] {
        let whole = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb").join(name)).unwrap();
        for (at, length) in (9..whole.len()).flat_map(|at| lengths.iter().map(move |length| (at, length))) {
            let mut data = whole.clone();
            data.splice(at..=at, length.iter().copied());
            survive(&format!("{name}, length at {at}"), &data, &|data| careen::rdb::attack::reader(data));
            survive(&format!("{name}, length at {at}"), &data, &|data| careen::check::attack::rdb(data));
        }
    }
}

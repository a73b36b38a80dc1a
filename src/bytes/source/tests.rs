use super::*;
use std::io::Write;
use std::path::PathBuf;

fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input");
    std::fs::write(&path, content).unwrap();
    (dir, path)
}

fn options(mmap: bool, spool_above: u64, budget: u64) -> Options {
    Options { mmap, spool_above, budget: Budget::new(budget), ..Options::default() }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(data).unwrap();
    gz.finish().unwrap()
}

fn is_mapped(source: &Source) -> bool {
    matches!(source.held, Held::Mapped(_))
}

#[test]
fn mapped_read_and_spooled_give_the_same_bytes() {
    let data: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (_dir, path) = file(&data);
    for (mmap, spool_above, mapped) in [(true, 0, true), (false, u64::MAX, false), (false, 1 << 20, true)] {
        let source = Source::open(&path, &options(mmap, spool_above, u64::MAX)).unwrap();
        assert!(source.bytes() == data, "mmap {mmap} spool above {spool_above}");
        assert_eq!(is_mapped(&source), mapped);
        assert!(source.holes().is_empty());
    }
}

#[test]
fn released_pages_read_the_same_again() {
    let data: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (_dir, path) = file(&data);
    let source = Source::open(&path, &Options::default()).unwrap();
    assert!(source.bytes() == data);
    let mut trail = source.trail();
    for offset in (0..12_000_000).step_by(100_000) {
        trail.reached(offset);
    }
    source.release(0..u64::MAX);
    source.release(u64::MAX - 1..u64::MAX);
    assert!(source.bytes() == data);
}

#[test]
fn owned_bytes_are_charged_and_given_back() {
    let (_dir, path) = file(&[7; 100_000]);
    let options = options(false, u64::MAX, 1 << 30);
    let source = Source::open(&path, &options).unwrap();
    assert!((100_000..300_000).contains(&options.budget.spent()));
    drop(source);
    assert_eq!(options.budget.spent(), 0);
}

#[test]
fn a_decompression_bomb_goes_to_disk_not_to_memory() {
    let bomb = gzip(&vec![0; 20 << 20]);
    let (_dir, path) = file(&bomb);
    for options in [options(true, 1 << 20, u64::MAX), options(true, u64::MAX, 3 << 20)] {
        let source = Source::open(&path, &options).unwrap();
        assert_eq!(source.bytes().len(), 20 << 20);
        assert!(is_mapped(&source));
        assert_eq!(source.compression(), Some(Format::Gzip));
        assert_eq!(options.budget.spent(), 0);
    }
}

#[test]
fn a_stream_is_read_through_its_compression() {
    struct Drip(io::Cursor<Vec<u8>>);
    impl Read for Drip {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(buf.get_mut(..1).unwrap_or_default())
        }
    }
    let source = Source::stream("-", Drip(io::Cursor::new(gzip(b"hello"))), &Options::default()).unwrap();
    assert_eq!(source.bytes(), b"hello");
    let source = Source::stream("-", &b""[..], &Options::default()).unwrap();
    assert_eq!(source.bytes(), b"");
}

#[test]
fn the_beginning_of_a_file_is_read_through_its_compression() {
    let data = vec![7; 100_000];
    for content in [data.clone(), gzip(&data)] {
        let (_dir, path) = file(&content);
        assert_eq!(beginning(&path, 10).unwrap(), [7; 10]);
        assert_eq!(beginning(&path, u64::MAX).unwrap(), data);
    }
    let (_dir, path) = file(&gzip(&data)[..20]);
    assert_eq!(beginning(&path, u64::MAX).unwrap_err().code(), "input-bad-archive");
    assert!(beginning(path.parent().unwrap(), 10).is_err());
}

#[test]
fn what_cannot_be_opened_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Source::open(&dir.path().join("nothing"), &Options::default()).unwrap_err();
    assert_eq!(missing.code(), "input-not-found");
    assert!(missing.to_string().contains("nothing"));
    assert_eq!(Source::open(dir.path(), &Options::default()).unwrap_err().code(), "input-is-a-directory");
    let cut = gzip(&[1; 1000]);
    let (_dir, path) = file(&cut[..cut.len() - 9]);
    let bad = Source::open(&path, &Options::default()).unwrap_err();
    assert_eq!(bad.code(), "input-bad-archive");
    assert!(bad.hint().is_some());
}

#[test]
fn an_empty_file_is_an_empty_slice() {
    let (_dir, path) = file(b"");
    for mmap in [true, false] {
        assert!(Source::open(&path, &options(mmap, 0, 0)).unwrap().bytes().is_empty());
    }
}

/// A disk on which some bytes cannot be read.
struct BadDisk {
    data: io::Cursor<Vec<u8>>,
    bad: Vec<Range<u64>>,
    errno: i32,
}

impl Read for BadDisk {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let at = self.data.position();
        let end = at.saturating_add(buf.len() as u64);
        if self.bad.iter().any(|bad| bad.start < end && at < bad.end) {
            return Err(io::Error::from_raw_os_error(self.errno));
        }
        self.data.read(buf)
    }
}

impl Seek for BadDisk {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.data.seek(pos)
    }
}

#[test]
fn unreadable_sectors_become_holes_of_zeros() {
    let len = 2_500_000_u64;
    let sector = SECTOR as u64;
    let bad = vec![5 * sector..7 * sector, 300 * sector + 9..300 * sector + 10, len - 1..len];
    let mut disk = BadDisk { data: io::Cursor::new(vec![1; 2_500_000]), bad, errno: 5 };
    let mut holes = Vec::new();
    let held = read_blocks("disk", &mut disk, len, &mut holes, &Options::default()).unwrap();
    let Held::Owned(owned) = held else { panic!("small inputs stay in memory") };
    let last = len / sector * sector;
    assert_eq!(holes, vec![5 * sector..7 * sector, 300 * sector..301 * sector, last..len]);
    for (at, &byte) in owned.bytes.iter().enumerate() {
        assert_eq!(byte, u8::from(!holes.iter().any(|hole| hole.contains(&(at as u64)))), "at {at}");
    }
    assert_eq!(owned.bytes.len() as u64, len);
}

#[test]
fn other_read_errors_are_errors() {
    let mut disk = BadDisk { data: io::Cursor::new(vec![1; 100]), bad: vec![3..4; 1], errno: 13 };
    let error = read_blocks("disk", &mut disk, 100, &mut Vec::new(), &Options::default()).unwrap_err();
    assert_eq!(error.code(), "input-unreadable");
}

#[test]
fn a_file_that_got_shorter_ends_where_it_ends() {
    let mut disk = BadDisk { data: io::Cursor::new(vec![1; 5000]), bad: vec![0..1; 1], errno: 5 };
    let mut holes = Vec::new();
    let Held::Owned(owned) = read_blocks("disk", &mut disk, 9000, &mut holes, &Options::default()).unwrap() else {
        panic!("small inputs stay in memory")
    };
    assert_eq!((owned.bytes.len(), holes), (5000, vec![0..4096; 1]));
}

#[test]
fn an_archive_expands_to_a_share_of_its_length_and_no_further() {
    let bomb = |len: usize| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(&vec![b'x'; len]).unwrap();
        gz.finish().unwrap()
    };
    let options = Options { expand_to: 1 << 20, ..options(true, u64::MAX, u64::MAX) };
    let packed = bomb(64 << 20);
    let (dir, path) = file(&packed);
    let error = Source::open(&path, &options).unwrap_err();
    assert_eq!(error.code(), "input-unbounded");
    assert!(error.hint().is_some_and(|hint| hint.contains("decompressed")));
    assert_eq!(Source::stream("pipe", &packed[..], &options).unwrap_err().code(), "input-unbounded");
    drop(dir);
    // Few bytes may expand at any rate; many when their share is as usual.
    assert_eq!(Source::stream("pipe", &bomb(1 << 20)[..], &options).unwrap().bytes().len(), 1 << 20);
    let text: Vec<u8> = (0..1_000_000u32).flat_map(|n| n.to_string().into_bytes()).collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&text).unwrap();
    assert!(Source::stream("pipe", &gz.finish().unwrap()[..], &options).unwrap().bytes() == text);
}

#[cfg(unix)]
#[test]
fn a_device_is_an_input_when_it_ends_at_once() {
    assert_eq!(Source::open(Path::new("/dev/zero"), &Options::default()).unwrap_err().code(), "input-unbounded");
    assert!(Source::open(Path::new("/dev/null"), &Options::default()).unwrap().bytes().is_empty());
}

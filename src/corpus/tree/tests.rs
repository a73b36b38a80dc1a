use super::*;
use crate::bytes::Budget;
use crate::check;
use crate::corpus::mutate::{mutate, scramble};
use crate::corpus::random::Random;
use crate::scan::walk;

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let is_data = |path: &std::path::PathBuf| path.is_file() && path.extension().is_none_or(|end| end != "json");
    files.into_iter().filter(is_data).map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

fn errors(image: &[u8]) -> Vec<&'static str> {
    let walk = walk::Options { threads: 1, budget: Budget::new(64 << 20) };
    let options = check::rdb::Options { walk, ..check::rdb::Options::default() };
    let report = check::rdb::check(image, 0..image.len() as u64, &options, |_| {});
    let errors = report.findings.iter().filter(|finding| finding.severity == crate::finding::Severity::Error);
    errors.map(|finding| finding.code).collect()
}

#[test]
fn what_servers_wrote_stays_as_it_is() {
    for (name, bytes) in files("testdata/rdb") {
        let fixed = fix(Kind::Image, &bytes);
        if errors(&bytes).is_empty() {
            assert_eq!(errors(&fixed), [""; 0], "{name}");
        }
        // Compressed strings may be compressed otherwise; a second time nothing changes.
        assert_eq!(fix(Kind::Image, &fixed), fixed, "{name}");
    }
    let plain = include_bytes!("../../../testdata/rdb/expires_v9.rdb");
    assert!(fix(Kind::Image, plain) == plain, "an image without compressed strings is the same to the byte");
}

#[test]
fn logs_stay_as_they_are() {
    for (name, bytes) in files("testdata/aof").into_iter().filter(|(name, _)| name.ends_with(".aof")) {
        let kind = Kind::of(&bytes);
        assert!(fix(kind, &bytes) == bytes, "{name}");
    }
}

#[test]
fn lengths_counts_and_the_checksum_are_made_right() {
    // A list that promises three elements and has two, whose second promises nine bytes and has one.
    let broken = b"REDIS0009\x01\x01k\x03\x01a\x09b";
    let fixed = fix(Kind::Image, broken);
    assert_eq!(errors(&fixed), [""; 0]);
    assert_eq!(fixed.get(..17), Some(b"REDIS0009\x01\x01k\x02\x01a\x01b".as_slice()));
}

#[test]
fn listpacks_and_ziplists_are_made_right() {
    let mut listpack = b"\x01k\x0d\x00\x00\x00\x00\x09\x00\x81a\x02\x81b\x02\xff".to_vec();
    listpack[2] = 13;
    let mut image = b"REDIS0011\x14".to_vec();
    image.extend_from_slice(&listpack);
    assert_eq!(errors(&fix(Kind::Image, &image)), [""; 0]);
    let ziplist = b"REDIS0009\x0a\x01k\x11\x00\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x01a\x09\x01b\xff";
    assert_eq!(errors(&fix(Kind::Image, ziplist)), [""; 0]);
}

#[test]
fn a_payload_keeps_its_version_and_gets_its_checksum() {
    let fixed = fix(Kind::Payload, b"\x00\x05hel\x0a\x00........");
    let (summed, sum) = fixed.split_last_chunk::<8>().unwrap();
    assert!(summed.ends_with(&[10, 0]));
    assert_eq!(u64::from_le_bytes(*sum), crate::bytes::crc64::jones(summed));
}

#[test]
fn commands_are_cut_to_what_is_there() {
    let log = fix(Kind::Log, b"#TS:1\r\n*3\r\n$3\r\nSET\r\n$900\r\nab\r\nrubbish*1\r\n$4\r\nPING\r\n");
    let mut reader = crate::aof::Reader::new(&log);
    let mut records = 0;
    while reader.next_record().unwrap().is_some() {
        records += 1;
    }
    assert_eq!((records, reader.offset()), (2, log.len() as u64));
    assert_eq!(fix(Kind::Log, &log), log);
}

#[test]
fn whatever_is_fixed_is_read_to_its_end_and_fixed_for_good() {
    let mut random = Random::new(1);
    for (name, bytes) in files("testdata/rdb").into_iter().filter(|(_, bytes)| bytes.len() < 5000) {
        for _ in 0..40 {
            let mut damaged = bytes.clone();
            for _ in 0..4 {
                scramble(&mut random, &mut damaged, 8192);
            }
            let fixed = fix(Kind::Image, &damaged);
            let again = fix(Kind::Image, &fixed);
            assert!(fix(Kind::Image, &again) == again, "{name}");
            let sum = crate::bytes::crc64::jones(&fixed[..fixed.len() - 8]);
            let log = Image::read(&fixed).log.entries.is_empty();
            assert!(!log || fixed.ends_with(&sum.to_le_bytes()) || &fixed[..9] < b"REDIS0005".as_slice(), "{name}");
        }
    }
}

#[test]
fn most_changes_of_the_tree_reach_behind_the_checks() {
    let seed = include_bytes!("../../../testdata/rdb/everything-redis_v13.rdb");
    let mut random = Random::new(2);
    let (mut read, mut changed) = (0, 0);
    for _ in 0..200 {
        let mut inner = Random::new(random.number());
        let data =
            mutate(Kind::Image, seed, 1 << 20, &mut random, &mut |bytes, most| scramble(&mut inner, bytes, most));
        changed += usize::from(data != seed);
        read += usize::from(crate::input::sniff::image_end(&data).is_ok());
    }
    assert!(changed > 150 && read > 120, "{changed} of 200 are other files, {read} are read to their end");
}

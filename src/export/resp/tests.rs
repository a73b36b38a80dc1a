use super::*;
use crate::aof::{Reader, Record};
use crate::export::image;
use crate::keyspace::{Like, digest};
use crate::replay::Engine;
use crate::select::Selection;
use crate::{rdb::Reader as Image, scan};
use std::path::Path;

fn commands(bytes: &[u8]) -> Vec<u8> {
    let (mut out, options, selection) = (Vec::new(), scan::Options::default(), Selection::default());
    let format = Resp::new(Image::new(bytes).unwrap().version());
    image(&format, bytes, 0..bytes.len() as u64, &options, &selection, &mut out, |_| {}).unwrap();
    out
}

fn digest_of(bytes: &[u8]) -> (String, usize) {
    let like = Like::default();
    let mut engine = Engine::new(like);
    engine.replay_part(0, bytes).unwrap();
    let (keyspace, report, ()) = engine.finish();
    assert_eq!(report.skipped.total, 0, "{report:?}");
    (digest::of_keyspace(&keyspace, like).to_string(), keyspace.len())
}

#[test]
fn the_commands_rebuild_what_real_servers_saved() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rdb");
    let mut files = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rdb") {
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(digest_of(&commands(&bytes)), digest_of(&bytes), "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 20);
}

/// A listpack of 70 members, the last of which has a score that is not a number.
fn with_a_score_of_nan() -> Vec<u8> {
    let mut listpack = crate::packed::listpack::Builder::new(crate::packed::listpack::Backlen::Redis);
    for member in 0..69 {
        listpack.push_int(member);
        listpack.push_int(1);
    }
    listpack.push(b"last");
    listpack.push(b"nan");
    let mut image = b"REDIS0010\x11\x01z".to_vec();
    crate::rdb::string::encode_plain(&listpack.finish(), &mut image);
    image.push(0xff);
    image.extend_from_slice(&[0; 8]);
    image
}

/// A command with such a score fails as a whole.
#[test]
fn a_sorted_set_with_a_score_of_nan_is_restored_as_it_is_stored() {
    let image = with_a_score_of_nan();
    assert_eq!(digest_of(&commands(&image)), digest_of(&image));
}

#[test]
fn collections_are_cut_into_commands_of_64_elements() {
    let mut bytes = b"REDIS0003\x02\x01s\x40\x82".to_vec();
    (0..130u8).for_each(|i| bytes.extend_from_slice(&[0xc0, i.wrapping_sub(100) & 0x7f]));
    bytes.push(0xff);
    let out = commands(&bytes);
    let mut reader = Reader::new(&out);
    let mut words = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        let Record::Command(command) = record else { panic!() };
        assert!(command.is("SADD"));
        words.push(command.argv.len());
    }
    assert_eq!(words, [66, 66, 4]);
}

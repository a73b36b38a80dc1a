use super::*;
use crate::bytes::crc64;
use crate::repair::apply;

fn golden() -> Vec<u8> {
    std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/rdb/everything-redis_v13.rdb")).unwrap()
}

fn repaired(image: &[u8], options: &Options) -> (Plan, Vec<u8>) {
    let plan = plan(image, options, &mut |_| {}).unwrap();
    let mut out = Vec::new();
    apply::write(&plan, image, &mut out).unwrap();
    (plan, out)
}

fn is_sound(image: &[u8]) -> bool {
    look(image, &Options::default()).is_sound
}

#[test]
fn a_sound_image_is_copied() {
    let image = golden();
    let (plan, out) = repaired(&image, &Options::default());
    assert!(plan.proven && plan.is_whole() && out == image);
}

#[test]
fn without_a_checksum_nothing_is_proven() {
    let mut image = golden();
    let end = image.len();
    image[end - 8..].fill(0);
    let (plan, out) = repaired(&image, &Options::default());
    assert!(!plan.proven && plan.is_whole() && out == image);
}

#[test]
fn bytes_behind_the_end_are_left_out() {
    let image = golden();
    let (plan, out) = repaired(&[image.as_slice(), b"garbage"].concat(), &Options::default());
    assert_eq!(out, image);
    assert_eq!(plan.lost.iter().map(|lost| lost.code).collect::<Vec<_>>(), ["rdb-trailing-bytes"]);
}

#[test]
fn a_flipped_bit_is_put_right_and_proven() {
    let image = golden();
    for at in (0..image.len()).step_by(97) {
        let mut bad = image.clone();
        bad[at] ^= 0x10;
        if start_of(&bad).is_none() {
            continue;
        }
        let (plan, out) = repaired(&bad, &Options::default());
        assert!(plan.proven && out == image, "byte {at}");
        assert_eq!(plan.corrected[0].offset, at as u64);
        assert!(plan.is_whole());
    }
}

#[test]
fn salvage_gives_a_sound_image_wherever_it_is_hit() {
    let image = golden();
    let all = look(&image, &Options::default()).keys;
    for at in (9..image.len() - 64).step_by(131) {
        let mut bad = image.clone();
        bad[at..at + 40].fill(0xa5);
        let (plan, out) = repaired(&bad, &Options { no_exact: true, ..Options::default() });
        assert!(is_sound(&out), "hit at {at}");
        assert!(plan.kept.keys + 6 >= all, "hit at {at}: {} of {all} keys", plan.kept.keys);
    }
}

#[test]
fn a_function_library_that_no_server_loads_is_left_out() {
    let keys = b"\xfe\x00\x00\x03key\x05value\x00\x03two\x05value\xff";
    for library in [&b"\xf5\xc3\x04\x14\x20\x05\xff\xff"[..], b"\xf5\x10#!lua naGe=mylib"] {
        let image = [&b"REDIS0010\xfa\x09redis-ver\x067.0.15"[..], library, keys, &[1; 8]].concat();
        let (plan, out) = repaired(&image, &Options { no_exact: true, ..Options::default() });
        assert_eq!((plan.kept.keys, plan.lost.len()), (2, 1));
        assert!(!out.contains(&crate::rdb::opcode::FUNCTION2) && is_sound(&out));
    }
}

#[test]
fn truncating_keeps_what_stands_before_the_damage() {
    let image = golden();
    let mut bad = image.clone();
    let at = image.len() / 2;
    bad[at..at + 200].fill(0xa5);
    let truncate = Options { mode: Mode::Truncate, ..Options::default() };
    let (truncated, out) = repaired(&bad, &truncate);
    let (salvaged, _) = repaired(&bad, &Options::default());
    assert!(is_sound(&out));
    assert!(truncated.kept.keys < salvaged.kept.keys);
    assert_eq!(truncated.lost.last().unwrap().end, bad.len() as u64);
}

#[test]
fn exact_mode_refuses_what_is_not_proven() {
    let mut bad = golden();
    let at = bad.len() / 2;
    bad[at..at + 200].fill(0xa5);
    let exact = Options { mode: Mode::Exact, ..Options::default() };
    assert_eq!(plan(&bad, &exact, &mut |_| {}), Err(Refusal::NotProven));
    assert_eq!(plan(b"REDI", &exact, &mut |_| {}), Err(Refusal::NoHeader));
}

#[test]
fn a_wrong_sum_over_a_sound_structure_keeps_everything_and_says_so() {
    let mut image = golden();
    let end = image.len();
    image[end - 8..].copy_from_slice(b"\x11\x22\x33\x44\x55\x66\x77\x88");
    let (plan, out) = repaired(&image, &Options::default());
    assert_eq!(plan.notes[0].code, "checksum-mismatch-structure-intact");
    assert!(!plan.is_whole() && plan.lost.is_empty());
    assert_eq!(out[..end - 8], image[..end - 8]);
    assert_eq!(out[end - 8..], crc64::jones(&out[..end - 8]).to_le_bytes());
}

#[test]
fn an_unreadable_version_is_taken_from_the_records() {
    let mut image = golden();
    for digits in [b"0\xff\xff3", b"9999"] {
        image[5..9].copy_from_slice(digits);
        let (plan, out) = repaired(&image, &Options { no_exact: true, ..Options::default() });
        assert!(is_sound(&out));
        assert_eq!(plan.lost[0].code, "rdb-bad-version");
    }
}

#[test]
fn keys_of_a_lost_database_mark_are_kept_once() {
    let mut body = b"REDIS0009\xfe\x00\xfb\x02\x00".to_vec();
    body.extend_from_slice(b"\x00\x06user:1\x03one\x00\x06user:2\x03two");
    let select = body.len();
    body.extend_from_slice(b"\xfe\x01\xfb\x02\x00\x00\x06user:1\x05uno!!\x00\x06user:2\x05dos!!\xff");
    body.extend_from_slice(&[0; 8]);
    body[select] = 0xf1;
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out));
    assert_eq!(plan.kept.keys, 4);
    assert!(plan.notes.iter().any(|note| note.code == "db-uncertain"));
}

/// Twelve short strings.
fn users(from: u8) -> Vec<u8> {
    (from..from + 12).flat_map(|n| [b"\x00\x07user:".as_slice(), &[n, n], b"\x05hello"].concat()).collect()
}

/// Forty keys, a hash whose 400 fields read like strings, one behind the other, forty keys more; and where the fields are.
fn with_a_long_hash() -> (Vec<u8>, std::ops::Range<usize>) {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let key = |n: u32| [vec![0], text(&format!("user:{n}")), text(&format!("value {}", n * n))].concat();
    let mut body = b"REDIS0012\xfe\x00\xfb\x40\x51\x00".to_vec();
    body.extend((0..40).flat_map(key));
    body.extend_from_slice(b"\x18\x04hash\0\0\0\0\0\0\0\0\x41\x90");
    let start = body.len();
    body.extend((0..400).flat_map(|n| [vec![0], text(&format!("f{n}")), text(&"word".repeat(n % 5))].concat()));
    let fields = start..body.len();
    body.extend((40..80).flat_map(key));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    (body, fields)
}

#[test]
fn damage_in_a_long_hash_makes_no_keys_up() {
    let (image, fields) = with_a_long_hash();
    assert!(is_sound(&image));
    // Behind damage to the last of them too few are left to tell that they are none.
    for at in (fields.start..fields.end - 64).step_by(463) {
        for len in [16, 100, 300] {
            let mut bad = image.clone();
            bad[at..(at + len).min(fields.end)].fill(0);
            let (plan, out) = repaired(&bad, &Options::default());
            let mut reader = Reader::new(&out).unwrap();
            let mut users = 0;
            while let Some(record) = reader.next_record().unwrap() {
                let Record::Key(key) = record else { continue };
                assert!(key.key.starts_with(b"user:") || *key.key == *b"hash", "{len} at {at}: {:?}", key.key);
                users += u32::from(key.key.starts_with(b"user:"));
            }
            // Where zeros make fewer fields of many, the next keys are read as fields, and nothing is broken.
            assert!(users == 80 || plan.lost.is_empty(), "{len} at {at}: {users}");
        }
    }
}

#[test]
fn a_damaged_hash_is_kept_in_part_when_asked_for() {
    let mut body = b"REDIS0009\xfe\x00\xfb\x19\x00".to_vec();
    body.extend(users(b'a'));
    body.extend_from_slice(b"\x04\x04hash\x06");
    let elements = body.len();
    body.extend_from_slice(b"\x02f1\x02v1\x02f2\x02v2\x02f3\x02v3\x02f4\x02v4\x02f5\x02v5\x02f6\x02v6");
    body.extend(users(b'm'));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    body[elements + 6] = 0xf7;
    let (without, _) = repaired(&body, &Options::default());
    let (with, out) = repaired(&body, &Options { partial: true, ..Options::default() });
    assert!(is_sound(&out));
    assert_eq!((without.kept.keys, with.kept.keys), (24, 25));
    assert_eq!((with.partial[0].kept, with.partial[0].claimed), (5, Some(6)));
    assert_eq!(with.lost, without.lost);
}

#[test]
fn a_type_that_the_version_does_not_have_is_not_salvaged() {
    let mut image = b"REDIS0010\xfa\x09redis-ver\x067.0.15".to_vec();
    let set = b"\x14\x03set\x0b\x0b\0\0\0\x01\0\x82ab\x03\xff";
    for record in [&b"\0\x05first\x03one"[..], set, b"\0\x06second\x03two", b"\0\x05third\x05three"] {
        image.extend_from_slice(record);
    }
    image.extend_from_slice(b"\xff\0\0\0\0\0\0\0\x01");
    let found = |image: &[u8]| {
        let (plan, out) = repaired(image, &Options { keep_doubtful: true, ..Options::default() });
        assert!(is_sound(&out));
        (plan.kept.keys, memchr::memmem::find(&out, b"\x14\x03set").is_some())
    };
    assert_eq!(found(&image), (3, false));
    image[8] = b'1';
    assert_eq!(found(&image), (4, true));
    image[8] = b'0';
    image.splice(9..9, *b"\xfa\x06df-ver\x011");
    assert_eq!(found(&image), (4, true), "another server writes it so");
}

#[test]
fn an_image_whose_first_bytes_are_gone_is_found_further_in() {
    let sound = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/rdb/everything-redis_v10.rdb")).unwrap();
    let keys = look(&sound, &Options::default()).keys;
    let mut zeroed = sound.clone();
    zeroed[..5].fill(0);
    let database = memchr::memmem::find(&sound, b"\xfe\0\xfb").unwrap();
    let (digits, fields) = (sound[5..].to_vec(), sound[9..].to_vec());
    let fronts = [zeroed, sound[1..].to_vec(), digits, fields, sound[database..].to_vec()];
    let behind = [b"\r\n".to_vec(), vec![0; 512]].map(|front| [front, sound.clone()].concat());
    for bad in fronts.iter().chain(&behind) {
        for no_exact in [false, true] {
            let (plan, out) = repaired(bad, &Options { no_exact, ..Options::default() });
            assert_eq!(plan.is_whole(), plan.proven);
            let found = look(&out, &Options::default());
            assert!(found.is_sound, "{} {no_exact} {:?} {plan:?}", bad[..20].escape_ascii(), found.failure);
            assert_eq!(plan.kept.keys, keys, "{}", bad[..20].escape_ascii());
        }
    }
    assert_eq!(plan(&[0; 5000], &Options::default(), &mut |_| {}).err(), Some(Refusal::NoHeader));
}

#[test]
fn no_database_is_supposed_that_servers_do_not_have() {
    let select_of = |db: u8| {
        let mut body =
            [&b"REDIS0009\xfe"[..], &[db], b"\xfb\x02\x00\x00\x06user:1\x03one\x00\x06user:2\x03two"].concat();
        let select = body.len();
        body.extend_from_slice(
            b"\xfe\x01\xfb\x02\x00\x00\x06user:1\x05uno!!\x00\x06user:2\x05dos!!\xff\0\0\0\0\0\0\0\0",
        );
        body[select] = 0xf1;
        let (plan, out) = repaired(&body, &Options::default());
        assert!(is_sound(&out));
        (plan.kept.keys, memchr::memmem::find_iter(&out, b"\xfe").map(|at| out[at + 1]).max())
    };
    assert_eq!(select_of(14), (4, Some(15)));
    assert_eq!(select_of(15), (2, Some(15)));
}

#[test]
fn a_copy_of_a_database_s_beginning_moves_no_keys() {
    let mut body = b"REDIS0009\xfe\x00\xfb\x18\x00".to_vec();
    body.extend(users(b'a'));
    // Over damage, the size of the next database and one of its keys.
    body.extend_from_slice(b"\xa5\xa5\xa5\xa5\xfb\x0c\x00\0\x07user:BB\x05other\xa5\xa5\xa5\xa5");
    body.extend(users(b'm'));
    body.extend_from_slice(b"\xfe\x01\xfb\x0d\x00\0\x07user:BB\x05other");
    body.extend(users(b'M'));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out));
    assert_eq!(plan.kept.keys, 37);
    let second = memchr::memmem::find(&out, b"\xfe\x01\xfb\x0d").unwrap();
    assert!(memchr::memmem::find(&out, b"user:mm").unwrap() < second);
    assert!(memchr::memmem::find(&out, b"user:BB").unwrap() > second);
}

#[test]
fn a_length_that_reaches_just_to_the_end_of_another_record_swallows_nothing() {
    let mut body = b"REDIS0009\xfe\x00\xfb\x31\x00".to_vec();
    body.extend(users(b'a'));
    let string = body.len();
    body.extend_from_slice(b"\0\x07user:ZZ\x40\x64");
    body.extend([b'x'; 100]);
    body.extend(users(b'm'));
    body.extend(users(b'A'));
    body.extend(users(b'M'));
    body.extend_from_slice(b"\xff\x11\x22\x33\x44\x55\x66\x77\x88");
    // Ten records of fifteen bytes more.
    let long = u8::try_from(100 + 10 * 15).unwrap();
    body[string + 10] = long;
    assert_eq!(look(&body, &Options::default()).keys, 39);
    let (plan, out) = repaired(&body, &Options { no_exact: true, ..Options::default() });
    assert!(is_sound(&out));
    assert_eq!((plan.kept.keys, plan.lost[0].code), (48, "rdb-swallowed-records"));
}

#[test]
fn a_copy_that_stands_before_the_original_is_left_out() {
    let copied = b"\0\x07user:00\x05first\0\x07user:11\x06second\0\x07user:22\x05third";
    let mut body = b"REDIS0006\xfe\x00".to_vec();
    body.extend(users(b'a'));
    body.extend_from_slice(b"\xa5\xa5\xa5\xa5");
    body.extend_from_slice(copied);
    body.extend(users(b'm'));
    // The block was copied without the expiry of its first record.
    body.extend_from_slice(b"\xfe\x01\xfc\x00\x10\xa5\xd4\xe8\x00\x00\x00");
    body.extend_from_slice(copied);
    body.extend(users(b'M'));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out));
    assert_eq!(plan.kept.keys, 39);
    let second = memchr::memmem::find(&out, b"\xfe\x01").unwrap();
    assert!(memchr::memmem::find(&out, b"user:00").unwrap() > second);
}

#[test]
fn of_two_marks_of_a_database_the_one_that_fits_the_counts_is_true() {
    let mut body = b"REDIS0009\xfe\x00\xfb\x01\x00\0\x07user:99\x05hello\xfe\x01\xfb\x18\x00".to_vec();
    body.extend(users(b'a'));
    // A copy of the next database's mark, cut off in its first key.
    body.extend_from_slice(b"\xfe\x02\xfb\x0c\x00\0\x07us\xa5\xa5\xa5\xa5");
    body.extend(users(b'm'));
    body.extend_from_slice(b"\xfe\x02\xfb\x0c\x00");
    body.extend(users(b'A'));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out));
    assert_eq!(plan.kept.keys, 37);
    let second = memchr::memmem::find(&out, b"\xfe\x02").unwrap();
    assert!(memchr::memmem::find(&out, b"user:mm").unwrap() < second);
    assert!(memchr::memmem::find(&out, b"user:AA").unwrap() > second);
}

/// The codes of what is doubtful where a record of this name is the first behind a gap.
fn doubts_behind_a_gap(before: &[u8], lead: &[u8]) -> Vec<&'static str> {
    let key = |name: &[u8]| [&[0, u8::try_from(name.len()).unwrap()], name, b"\x05hello"].concat();
    let mut body = b"REDIS0009\xfe\x00\xfb\x0e\x00".to_vec();
    body.extend(key(before));
    body.extend((b'a'..=b'f').flat_map(|n| key(&[b'u', b':', n])));
    body.extend([0xa5; 40]);
    body.extend(key(lead));
    body.extend((b'g'..=b'l').flat_map(|n| key(&[b'u', b':', n])));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out) && plan.kept.keys >= 13);
    plan.doubtful.iter().map(|doubtful| doubtful.code).collect()
}

#[test]
fn behind_a_gap_a_number_or_no_text_is_a_key_only_where_there_are_such_keys() {
    let (score, other_score, binary) = (b"-584090.94402157469", b"1.5", b"\x80\x01\xff\x03\x9a\xc0\xb1\xee");
    assert_eq!(doubts_behind_a_gap(b"u:x", score), ["unknown-key-after-gap"]);
    assert_eq!(doubts_behind_a_gap(other_score, score), [""; 0]);
    assert_eq!(doubts_behind_a_gap(b"u:x", binary).len(), 1);
    assert_eq!(doubts_behind_a_gap(b"u:x", b"u:z"), [""; 0]);
}

#[test]
fn a_list_that_lost_bytes_takes_no_record_behind_it_along() {
    let mut body = b"REDIS0010\xfe\x00\xfb\x1b\x00".to_vec();
    body.extend(users(b'a'));
    let mut node = crate::packed::listpack::Builder::new(crate::packed::listpack::Backlen::default());
    (0..6).for_each(|n| node.push(format!("element {n}").as_bytes()));
    let node = node.finish();
    body.extend_from_slice(b"\x12\x05queue\x01\x02");
    body.push(u8::try_from(node.len()).unwrap());
    let elements = body.len();
    body.extend_from_slice(&node);
    body.drain(elements + 20..elements + 30);
    // Behind it a key of a known kind, and one of another.
    body.extend_from_slice(b"\0\x07user:99\x05hello\x02\x06online\x03\x02u1\x02u2\x02u3");
    body.extend(users(b'm'));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out));
    assert_eq!(plan.kept.keys, 26, "{:?}", plan.lost);
}

#[test]
fn an_expiry_that_another_record_swallowed_comes_back() {
    let mut body = b"REDIS0009\xfe\x00\xfb\x1b\x00".to_vec();
    body.extend(users(b'a'));
    // A copy of a record, whose last byte is the first of the expiry behind it.
    body.extend_from_slice(b"\0\x07user:aa\x06hello");
    body.extend_from_slice(b"\xfc\x00\x10\xa5\xd4\xe8\x00\x00\x00\0\x07user:99\x05hello");
    body.extend(users(b'm'));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out));
    assert_eq!(plan.kept.keys, 25);
    assert!(memchr::memmem::find(&out, b"\xe8\x00\x00\x00\0\x07user:99").is_some());
}

#[test]
fn a_block_of_another_database_at_the_end_of_a_file_is_left_out() {
    let key = |name: &str, value: &str| {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    };
    let keys =
        |db: &str| -> Vec<u8> { (0..20).flat_map(|n| key(&format!("user:{n}"), &format!("{db} {n}"))).collect() };
    let database = |db: u8, name: &str| [&[0xfe, db, 0xfb, 20, 0], &keys(name)[..]].concat();
    let (first, second, third) = (database(0, "first"), database(1, "second"), database(2, "third one"));
    let mut body = [b"REDIS0009".as_slice(), &first, &second, &third].concat();
    // The end of the first database and the beginning of the second, over the end of the third.
    let block = body[9 + first.len() - 60..9 + first.len() + 80].to_vec();
    let end = body.len() - block.len();
    body.truncate(end);
    let cut = memchr::memmem::rfind(&block, b"\0\x06user:").or(memchr::memmem::rfind(&block, b"\0\x07user:")).unwrap();
    body.extend_from_slice(&block[..cut]);
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out));
    let mut reader = Reader::new(&out).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        let Record::Key(key) = record else { continue };
        let raw = key.raw.escape_ascii().to_string();
        assert!(key.db.0 != 2 || raw.contains("thir"), "{raw} is in database 2: {:?}", plan.lost);
    }
    assert!(plan.kept.keys >= 50, "{}", plan.kept.keys);
}

#[test]
fn keys_stay_in_a_database_that_is_selected_again() {
    let key = |name: &str, value: &str| {
        let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        [vec![0], text(name), text(value)].concat()
    };
    let keys = |file: u8, db: u8| -> Vec<u8> {
        (0..20).flat_map(|n| key(&format!("user:{}", u32::from(file) * 1000 + n), &format!("in {db}, {n}"))).collect()
    };
    let parts = [(1, 0), (1, 1), (2, 0), (2, 1), (3, 1), (3, 5)];
    for (part, size) in (0..parts.len()).flat_map(|part| [(part, &b""[..]), (part, b"\xfb\x14\x00")]) {
        let database = |file: u8, db: u8| [&[0xfe, db], size, &keys(file, db)[..]].concat();
        let parts: Vec<Vec<u8>> = parts.iter().map(|(file, db)| database(*file, *db)).collect();
        let mut body = [b"REDIS0009".as_slice(), &parts.concat(), b"\xff\0\0\0\0\0\0\0\0"].concat();
        let begin = 9 + parts[..part].iter().map(Vec::len).sum::<usize>();
        body[begin + 200..begin + 210].fill(0xa5);
        let (plan, out) = repaired(&body, &Options::default());
        assert!(is_sound(&out));
        let mut reader = Reader::new(&out).unwrap();
        while let Some(record) = reader.next_record().unwrap() {
            let Record::Key(key) = record else { continue };
            let (db, raw) = (key.db.0, key.raw.escape_ascii().to_string());
            assert!(raw.contains(&format!("in {db},")), "part {part}: {raw} is in {db}");
        }
        assert!(plan.kept.keys >= 118, "part {part}: {} {:?}", plan.kept.keys, plan.lost);
    }
}

#[test]
fn with_less_memory_a_repair_is_the_same_or_refused() {
    let sound = golden();
    let mut bad = sound.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 0x10;
    let broken = [&bad[..middle], &[0xa5; 50], &bad[middle + 300..]].concat();
    let whole = repaired(&broken, &Options::default()).1;
    // A compressed string that says it is longer than it is: damage that asks for memory.
    let compressed = sound.windows(2).position(|pair| pair[0] == 0xc3 && pair[1] < 0x40).unwrap();
    let mut bomb = sound.clone();
    bomb[compressed + 2] |= 0x40;
    assert!(bomb != sound && repaired(&bomb, &Options::default()).0.proven);
    let mut refused = 0;
    for memory in (0..24).map(|power| 1u64 << power) {
        let budget = Budget::new(memory);
        let walk = walk::Options { budget, threads: 1 };
        let options = Options { walk, ..Options::default() };
        for (image, expected) in [(&sound, &sound), (&bad, &sound), (&broken, &whole), (&bomb, &sound)] {
            match plan(image, &options, &mut |_| {}) {
                Ok(plan) => {
                    let mut out = Vec::new();
                    apply::write(&plan, image, &mut out).unwrap();
                    assert!(out == *expected, "{memory} bytes of memory: {:?} {:?}", plan.lost, plan.notes);
                }
                Err(refusal) => {
                    assert!(matches!(refusal, Refusal::Exhausted(_)), "{memory} bytes of memory: {refusal:?}");
                    refused += 1;
                }
            }
        }
    }
    assert!((1..96).contains(&refused), "{refused} of 96 are refused");
}

#[test]
fn marks_without_end_cost_no_more_than_they_are() {
    let begun = std::time::Instant::now();
    let resizes: Vec<u8> = b"\xfb\x01\x00".repeat(50_000);
    let selects: Vec<u8> = (0..50_000u32).flat_map(|n| [0xfe, u8::from(n % 2 == 0)]).collect();
    for marks in [resizes, selects] {
        let mut body = b"REDIS0009\xfe\x00\xfb\x0c\x00".to_vec();
        body.extend(users(b'a'));
        body.extend(&marks);
        body.extend_from_slice(&[0xa5; 40]);
        body.extend(users(b'm'));
        body.extend(marks);
        body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
        let (plan, out) = repaired(&body, &Options { no_exact: true, ..Options::default() });
        assert!(is_sound(&out) && plan.kept.keys >= 12);
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn a_mark_is_believed_with_one_key_between_it_and_the_damage() {
    let key = |name: &str| [&[0, u8::try_from(name.len()).unwrap()], name.as_bytes(), b"\x05hello"].concat();
    let keys =
        |from: u32, count: u32| -> Vec<u8> { (from..from + count).flat_map(|n| key(&format!("key:{n}"))).collect() };
    let mut body = b"REDIS0011\xfe\x01\xfb\x04\x00".to_vec();
    body.extend(keys(10, 4));
    body.extend_from_slice(b"\xfe\x00\xfb\x0e\x00");
    body.extend(keys(20, 1));
    let damaged = body.len();
    body.extend(keys(21, 13));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    body[damaged..damaged + 8].fill(0);
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out) && plan.kept.keys >= 16, "{:?}", plan.lost);
    let mut reader = Reader::new(&out).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        let Record::Key(key) = record else { continue };
        let first = key.raw.windows(5).any(|part| part == b"key:1");
        assert_eq!(key.db.0, u32::from(first), "{}", key.raw.escape_ascii());
    }
}

#[test]
fn an_island_begins_a_database_that_has_just_the_keys_that_its_mark_tells() {
    let key = |n: u32| [&[0, 6], format!("key:{n}").as_bytes(), b"\x05hello"].concat();
    let keys = |from: u32, count: u32| -> Vec<u8> { (from..from + count).flat_map(key).collect() };
    // The first database loses its last key, the third its first; the second stands between them, whole.
    let mut body = b"REDIS0011\xfe\x00\xfb\x0a\x00".to_vec();
    body.extend(keys(10, 9));
    let first = body.len();
    body.extend(keys(19, 1));
    body.extend_from_slice(b"\xfe\x01\xfb\x01\x00");
    body.extend(keys(20, 1));
    body.extend_from_slice(b"\xfe\x02\xfb\x0a\x00");
    let second = body.len();
    body.extend(keys(30, 10));
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    body[first..first + 8].fill(0xa5);
    body[second..second + 8].fill(0xa5);
    let (plan, out) = repaired(&body, &Options::default());
    assert!(is_sound(&out) && plan.kept.keys >= 19, "{:?}", plan.lost);
    let mut reader = Reader::new(&out).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        let Record::Key(key) = record else { continue };
        let number = key.key.to_vec()[4] - b'1';
        assert_eq!(key.db.0, u32::from(number), "{}", key.raw.escape_ascii());
    }
}

#[test]
fn databases_that_hold_the_same_are_no_copies_of_one_another() {
    let key = |n: u8| [&[0, 6], format!("key:{n}").as_bytes(), b"\x12some value of it ", &[n]].concat();
    let mut body = b"REDIS0011".to_vec();
    let mut starts = Vec::new();
    for db in 0..3u8 {
        body.extend([0xfe, db, 0xfb, 60, 0]);
        for n in 0..60 {
            starts.push(body.len());
            body.extend(key(10 + n));
        }
    }
    body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    for place in [0, 1, 30, 58, 59, 60, 61, 90, 118, 119, 120, 150] {
        let mut bad = body.clone();
        bad[starts[place] + 3..starts[place] + 23].fill(0xa5);
        bad[starts[place]] = 0xf0;
        let (plan, out) = repaired(&bad, &Options::default());
        assert!(is_sound(&out) && plan.kept.keys >= 176, "{place}: {} {:?}", plan.kept.keys, plan.lost);
        let mut counts = [0; 3];
        let mut reader = Reader::new(&out).unwrap();
        while let Some(record) = reader.next_record().unwrap() {
            if let Record::Key(key) = record {
                counts[key.db.0 as usize] += 1;
            }
        }
        assert!(counts.iter().all(|&count| (56..=60).contains(&count)), "{place}: {counts:?}");
    }
}

#[test]
fn databases_of_one_key_stay_where_they_are_when_the_file_comes_back_to_them() {
    let key = |db: u8, n: u8| [&[0, 7], format!("key:{db}:{n}").as_bytes(), b"\x05hello"].concat();
    let broken = [b"\0\x07key:0:9\x7f\xff".as_slice(), &[b'x'; 40]].concat();
    for order in [[5, 3, 1], [0, 2, 1]] {
        let mut body = b"REDIS0011".to_vec();
        for (place, (db, keys)) in order.into_iter().zip([4, 2, 1]).enumerate() {
            body.extend([0xfe, db, 0xfb, keys, 0]);
            let whole = if place == 0 { keys - 1 } else { keys };
            (0..whole).for_each(|n| body.extend(key(db, n)));
            body.extend_from_slice(if place == 0 { &broken } else { &[] });
        }
        body.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
        let (plan, out) = repaired(&body, &Options::default());
        assert!(is_sound(&out) && plan.kept.keys == 6, "{order:?}: {:?}", plan.lost);
        let mut reader = Reader::new(&out).unwrap();
        while let Some(record) = reader.next_record().unwrap() {
            let Record::Key(key) = record else { continue };
            assert_eq!(key.db.0, u32::from(key.key.to_vec()[4] - b'0'), "{order:?}");
        }
    }
}

#[test]
fn no_record_is_kept_that_the_server_of_the_image_does_not_know() {
    let key = |n: u8| format!("\0\x08user:0:{n}\x18some value number {n} in 0").into_bytes();
    let keys = |range: std::ops::Range<u8>| range.flat_map(key).collect::<Vec<_>>();
    let head = b"REDIS0010\xfa\x09redis-ver\x067.0.15\xfe\x00\xfb\x09\x00";
    // A sorted set without its head: the last byte of a score is the number of KeyDB's own type.
    let set = b"@\x07byaalgq\0\0\0\0\0\xc0Z@\x07pmkcbrp\0\0\0\0\0\x80\\@\x05cdgxx\0\0\0\0\0@^@\x05lorem\0\0\0\0\0\0`@\
        \x05ipsum\0\0\0\0\0\xe0`@\x05dolor\0\0\0\0\0\xc0a@\x07sitamet\0\0\0\0\0\xa0b@";
    // One bit of an expiry's opcode: then it is that of a slot, which came with version 12.
    let slot = [&b"\xf4\x05\x03\x02\xf0\xbb\x01\0\0"[..], &key(4)].concat();
    for (what, damaged) in [("set", &set[..]), ("slot", &slot)] {
        let body = [&head[..], &keys(0..4), damaged, &keys(5..9), b"\xff\0\0\0\0\0\0\0\0"].concat();
        let (plan, out) = repaired(&body, &Options::default());
        assert!(is_sound(&out) && plan.kept.keys >= 8, "{what}: {} {:?}", plan.kept.keys, plan.lost);
        let mut reader = Reader::new(&out).unwrap();
        while let Some(record) = reader.next_record().unwrap() {
            let is_known = match &record {
                Record::Key(key) => key.value.value_type == crate::rdb::ValueType::String,
                record => opcode::first_version(out[usize::try_from(record.offset()).unwrap()]) <= 10,
            };
            assert!(is_known, "{what}: {record:?}");
        }
    }
}

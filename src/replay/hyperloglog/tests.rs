use super::*;
use proptest::prelude::*;

fn words(range: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    range.map(|n| format!("element:{n}").into_bytes()).collect()
}

fn with(range: std::ops::Range<u32>) -> Vec<u8> {
    let mut hll = empty();
    add(&mut hll, true, words(range).iter().map(Vec::as_slice)).unwrap();
    hll
}

fn registers(bytes: &[u8]) -> Vec<u8> {
    let mut registers = vec![0; REGISTERS];
    raise(&mut registers, bytes).unwrap();
    registers
}

#[test]
fn a_new_value_is_eighteen_bytes_with_a_valid_count_of_zero() {
    assert_eq!(empty(), *b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
    let mut created = empty();
    add(&mut created, true, []).unwrap();
    assert_eq!(created[STALE], 0x80);
    refresh_cardinality(&mut created, Estimator::Ertl).unwrap();
    assert_eq!(created, empty());
}

/// `PFADD h a b c` on Redis 7.0.15, before and after `PFCOUNT h`.
#[test]
fn three_elements_give_the_bytes_of_a_server() {
    let mut hll = empty();
    add(&mut hll, true, [&b"a"[..], b"b", b"c"]).unwrap();
    assert_eq!(hll, *b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x60\xf3\x80\x50\xb1\x84\x4b\xfb\x80\x42\x5a");
    refresh_cardinality(&mut hll, Estimator::Ertl).unwrap();
    assert_eq!(hll[8..16], [3, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_value_turns_dense_when_it_outgrows_the_sparse_form() {
    let mut hll = empty();
    let mut dense = false;
    for word in words(0..5000) {
        let before = hll.len();
        add(&mut hll, false, [word.as_slice()]).unwrap();
        assert!(hll.len() <= SPARSE_MAX || hll.len() == DENSE_SIZE);
        assert!(!dense || hll.len() == before);
        dense = hll.len() == DENSE_SIZE;
    }
    assert!(dense && is_dense(&hll) == Ok(true));
}

#[test]
fn the_estimators_agree_within_two_percent() {
    let mut hll = with(0..20000);
    let registers = registers(&hll);
    for estimator in [Estimator::Ertl, Estimator::LogLogBeta, Estimator::Original] {
        let estimate = estimator.estimate(&registers);
        assert!((19600..20400).contains(&estimate), "{estimator:?}: {estimate}");
    }
    refresh_cardinality(&mut hll, Estimator::Ertl).unwrap();
    let known = hll.clone();
    refresh_cardinality(&mut hll, Estimator::Original).unwrap();
    assert_eq!(hll, known);
}

#[test]
fn strings_that_are_no_hyperloglog_are_refused() {
    let mut long = empty();
    long.push(0);
    let mut dense_but_short = empty();
    dense_but_short[ENCODING] = 0;
    let mut short = empty();
    short.pop();
    for bytes in [b"".to_vec(), b"HYLL".to_vec(), vec![0; DENSE_SIZE], dense_but_short, b"HYLL\x02".to_vec()] {
        assert_eq!(is_dense(&bytes), Err(NotHyperLogLog));
        assert_eq!(add(&mut bytes.clone(), false, []), Err(NotHyperLogLog));
    }
    assert!(is_whole(&empty()));
    for mut bytes in [long, short] {
        assert!(!is_whole(&bytes));
        assert_eq!(to_dense(&mut bytes), Err(NotHyperLogLog));
        assert_eq!(merge(&mut empty(), &[&bytes], false), Err(NotHyperLogLog));
    }
}

proptest! {
    #[test]
    fn a_merge_is_what_adding_everything_gives(split in 0u32..3000, all in 0u32..3000) {
        let split = split.min(all);
        let (mut first, second, whole) = (with(0..split), with(split..all), with(0..all));
        merge(&mut first, &[&second], false).unwrap();
        prop_assert_eq!(registers(&first), registers(&whole));
        let mut dense = whole.clone();
        to_dense(&mut dense).unwrap();
        prop_assert_eq!(registers(&dense), registers(&whole));
    }

    #[test]
    fn damaged_sparse_bodies_do_no_harm(body in prop::collection::vec(any::<u8>(), 0..40), element in any::<u64>()) {
        let mut bytes = empty();
        bytes.truncate(HEADER);
        bytes.extend(body);
        let _ = add(&mut bytes, false, [&element.to_le_bytes()[..]]);
        let _ = refresh_cardinality(&mut bytes, Estimator::Ertl);
        let _ = merge(&mut bytes.clone(), &[&bytes], true);
        let _ = to_dense(&mut bytes);
    }
}

use super::*;
use crate::bytes::crc64;
use proptest::prelude::*;

/// Like an image, it does not begin with zero: zeros before a codeword leave its sum as it is.
fn sound_image(len: u32) -> Vec<u8> {
    let body: Vec<u8> = (1..=len).map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    [body.as_slice(), &crc64::jones(&body).to_le_bytes()].concat()
}

fn mend(bad: &[u8], good: &[u8], failure: Option<u64>) -> Option<Repair> {
    let options = Options { failure, threads: 2 };
    repair(bad, &options, &mut |patch| patch.pieces(bad).concat() == good, &mut |_| {})
}

#[test]
fn an_image_with_a_right_sum_needs_no_repair() {
    let good = sound_image(1000);
    assert_eq!(mend(&good, &good, None), None);
}

#[test]
fn damage_in_the_sum_itself_is_no_special_case() {
    let good = sound_image(1000);
    let mut bad = good.clone();
    bad[1003] ^= 0x40;
    let mended = mend(&bad, &good, None).unwrap();
    assert!(mended.proven);
    assert_eq!((mended.patch.at, mended.patch.was(&bad).len()), (1003, 1));
}

#[test]
fn a_cut_of_three_bytes_in_the_sum_is_mended() {
    let good = sound_image(1000);
    let mended = mend(&good[..good.len() - 3], &good, Some(1000)).unwrap();
    assert!(mended.proven);
}

#[test]
fn a_solution_that_the_structure_refuses_is_not_used() {
    let good = sound_image(1000);
    let mut bad = good.clone();
    bad[500] ^= 1;
    let options = Options { failure: None, threads: 1 };
    assert_eq!(repair(&bad, &options, &mut |_| false, &mut |_| {}), None);
}

#[test]
fn near_the_failure_four_bytes_are_proven_and_five_are_likely() {
    let good = sound_image(3000);
    for (len, proven) in [(4, true), (5, false)] {
        let mut bad = good.clone();
        for byte in &mut bad[700..700 + len] {
            *byte ^= 0x55;
        }
        let mended = mend(&bad, &good, Some(720)).unwrap();
        assert_eq!(mended.proven, proven, "{len} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn up_to_three_wrong_bytes_are_proven(at in 0usize..5000, errors in proptest::collection::vec(1u8.., 1..=3)) {
        let good = sound_image(5000);
        let mut bad = good.clone();
        for (byte, error) in bad[at..].iter_mut().zip(&errors) {
            *byte ^= error;
        }
        prop_assert!(mend(&bad, &good, None).unwrap().proven);
    }

    #[test]
    fn up_to_three_lost_bytes_are_proven(at in 0usize..5000, k in 1usize..=3) {
        let good = sound_image(5000);
        let bad = [&good[..at], &good[at + k..]].concat();
        prop_assert!(mend(&bad, &good, Some(at as u64)).unwrap().proven);
    }

    #[test]
    fn inserted_and_duplicated_runs_are_proven(at in 0usize..5000, len in 1usize..2000, duplicate: bool) {
        let good = sound_image(5000);
        let noise = sound_image(9000);
        let run = if duplicate { &good[at..(at + len).min(good.len())] } else { &noise[7000..7000 + len] };
        let bad = [&good[..at], run, &good[at..]].concat();
        prop_assert!(mend(&bad, &good, Some(at as u64)).unwrap().proven);
    }
}

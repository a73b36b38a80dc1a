use super::*;
use crate::packed::attack;
use proptest::prelude::*;

/// {-5, 1, 2}
const NARROW: &[u8] = b"\x02\0\0\0\x03\0\0\0\xfb\xff\x01\0\x02\0";
/// {-5, 1, 1099511627776}
const WIDE: &[u8] = b"\x08\0\0\0\x03\0\0\0\xfb\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0";

fn built(values: &[i64]) -> Vec<u8> {
    let mut builder = Builder::new();
    values.iter().for_each(|&value| builder.push(value));
    builder.finish()
}

#[test]
fn intsets_of_a_server_are_read_and_written_alike() {
    for (blob, values) in [(NARROW, [-5, 1, 2]), (WIDE, [-5, 1, 1_099_511_627_776])] {
        let intset = Intset::new(blob).unwrap();
        assert!(intset.iter().eq(values));
        assert_eq!(intset.len(), 3);
        assert_eq!(verify(blob), Ok(3));
        assert_eq!(built(&values), blob);
        assert_eq!(claimed_len_of_prefix(&blob[..8]), Some(3));
    }
}

#[test]
fn what_is_pushed_out_of_order_is_sorted() {
    assert_eq!(built(&[2, -5, 1, 2, -5]), NARROW);
}

#[test]
fn the_width_is_the_least_that_holds_both_ends() {
    for (values, width) in [
        ([-32_768, 32_767], 2),
        ([-32_769, 0], 4),
        ([0, 32_768], 4),
        ([-2_147_483_648, 2_147_483_647], 4),
        ([-2_147_483_649, 0], 8),
        ([0, 2_147_483_648], 8),
        ([i64::MIN, i64::MAX], 8),
    ] {
        let blob = built(&values);
        assert_eq!(blob[0], width, "{values:?}");
        assert!(Intset::new(&blob).unwrap().iter().eq(values));
    }
}

#[test]
fn wider_than_needed_is_accepted() {
    assert_eq!(verify(b"\x04\0\0\0\x01\0\0\0\x01\0\0\0"), Ok(1));
}

#[test]
fn damage_is_named_with_its_place() {
    let open = |blob: &[u8]| Intset::new(blob).unwrap_err();
    assert_eq!(open(&NARROW[..7]), Error::new(0, ErrorKind::IntsetTooShort));
    assert_eq!(open(b"\x03\0\0\0\0\0\0\0"), Error::new(0, ErrorKind::IntsetBadWidth(3)));
    assert_eq!(open(b"\x02\0\0\0\0\0\0\0"), Error::new(4, ErrorKind::IntsetEmpty));
    let kind = ErrorKind::IntsetSizeMismatch { claimed: 14, actual: 13 };
    assert_eq!(open(&NARROW[..13]), Error::new(4, kind));
    let kind = ErrorKind::IntsetSizeMismatch { claimed: 8 + 8 * 0xffff_ffff, actual: 8 };
    assert_eq!(open(b"\x08\0\0\0\xff\xff\xff\xff"), Error::new(4, kind));
    let unsorted = b"\x02\0\0\0\x02\0\0\0\x01\0\xff\xff";
    assert!(Intset::new(unsorted).unwrap().iter().eq([1, -1]));
    assert_eq!(verify(unsorted), Err(Error::new(10, ErrorKind::IntsetUnsorted)));
    let twice = b"\x02\0\0\0\x02\0\0\0\x01\0\x01\0";
    assert_eq!(verify(twice).unwrap_err().code(), "intset-unsorted");
}

#[test]
fn every_byte_changed_and_every_cut_is_survived() {
    for blob in [NARROW, WIDE] {
        attack::each_damage(blob, attack::intset);
    }
}

proptest! {
    #[test]
    fn what_is_built_is_read_again(set in prop::collection::btree_set((any::<i64>(), 0_u32..64).prop_map(|(v, s)| v >> s), 1..50)) {
        let values: Vec<_> = set.iter().copied().rev().collect();
        let blob = built(&values);
        prop_assert_eq!(verify(&blob), Ok(set.len()));
        prop_assert!(Intset::new(&blob).unwrap().iter().eq(set));
    }
}

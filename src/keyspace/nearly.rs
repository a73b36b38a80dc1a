//! Sorting what is nearly in order: the members of a sorted set as a snapshot has them, some with another score since.

use std::cmp::Ordering;

/// With more strays than one in so many, sorting all of it is as good.
const STRAYS: usize = 8;
/// An element that comes after so many larger ones is out of place itself.
const BACK: usize = 8;

/// Sort. Elements out of place are picked out, sorted by themselves and merged; the others, ascending or descending,
/// are compared with their neighbours only.
pub(super) fn sorted<T: Copy>(mut all: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    if descends(&all, &compare) {
        all.reverse();
    }
    let Some((kept, mut strays)) = apart(&all, &compare) else {
        all.sort_unstable_by(compare);
        return all;
    };
    strays.sort_unstable_by(&compare);
    all.clear();
    let mut strays = strays.into_iter().peekable();
    for element in kept {
        while let Some(stray) = strays.next_if(|stray| compare(stray, &element).is_lt()) {
            all.push(stray);
        }
        all.push(element);
    }
    all.extend(strays);
    all
}

/// Do most samples come after larger ones?
fn descends<T>(all: &[T], compare: impl Fn(&T, &T) -> Ordering) -> bool {
    const SAMPLES: usize = 33;
    let samples: Vec<&T> = all.iter().step_by((all.len() / SAMPLES).max(1)).collect();
    let falls = samples.iter().zip(samples.iter().skip(1)).filter(|(one, next)| compare(one, next).is_gt()).count();
    falls > samples.len() / 2
}

/// What ascends, and what is out of place in it; None when that is too much.
fn apart<T: Copy>(all: &[T], compare: impl Fn(&T, &T) -> Ordering) -> Option<(Vec<T>, Vec<T>)> {
    let mut kept: Vec<T> = Vec::with_capacity(all.len());
    let mut strays = Vec::new();
    for &element in all {
        let back = kept.iter().rev().take(BACK).take_while(|last| compare(last, &element).is_gt()).count();
        if back == BACK {
            strays.push(element);
            continue;
        }
        // It is those before it that are out of place.
        strays.extend(kept.drain(kept.len().saturating_sub(back)..));
        kept.push(element);
        if strays.len() > all.len() / STRAYS {
            return None;
        }
    }
    Some((kept, strays))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_sorted(mut all in prop::collection::vec(0u16..500, 0..200)) {
            let made = sorted(all.clone(), u16::cmp);
            all.sort_unstable();
            prop_assert_eq!(made, all);
        }

        #[test]
        fn what_is_nearly_in_order_is_sorted_by_moving_the_strays(
            len in 1000u32..2000,
            strays in prop::collection::vec((any::<prop::sample::Index>(), 0u32..3000), 0..10),
            descending: bool,
        ) {
            let mut all: Vec<u32> = (0..len).collect();
            if descending {
                all.reverse();
            }
            for (at, value) in strays {
                let at = at.index(all.len());
                all[at] = value;
            }
            let made = sorted(all.clone(), u32::cmp);
            if descending {
                all.reverse();
            }
            prop_assert!(apart(&all, u32::cmp).is_some());
            all.sort_unstable();
            prop_assert_eq!(made, all);
        }
    }
}

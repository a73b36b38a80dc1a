//! The two encodings of a sorted set, as far as they show: from Redis 7.0 on the compact one stores whole scores as
//! integers, so that a score of -0 becomes 0. `DEBUG DIGEST` sees that.
//!
//! A set starts compact and turns into a skiplist, for good, with more than [`MEMBERS`] members or one longer than
//! [`MEMBER_BYTES`]; the results of `…STORE` commands are judged as a whole, but for those of `ZRANGESTORE`, to which
//! members are added in the order of the range.

use crate::keyspace::{Like, Zset};
use crate::value::Blob;

/// `zset-max-listpack-entries`
const MEMBERS: usize = 128;
/// `zset-max-listpack-value`
const MEMBER_BYTES: usize = 64;

fn is_long(member: &[u8]) -> bool {
    member.len() > MEMBER_BYTES
}

/// A set is about to get these members. From 7.2 on servers look at their number first, Valkey from 8.0 also at the
/// length of each; what else does not fit they find out member by member.
pub(super) fn prepare(zset: &mut Zset<'_>, like: Like, pairs: &[(f64, &[u8])]) {
    let many = like.at_least_redis(7, 2) && pairs.len() > MEMBERS;
    let long = || like.at_least_valkey(8, 0) && pairs.iter().any(|(_, member)| is_long(member));
    zset.skiplist = zset.skiplist || many || long();
}

/// A set to which members are about to be added, with their number where that is known.
pub(super) fn empty<'a>(expected: Option<usize>) -> Zset<'a> {
    let mut zset = Zset::default();
    zset.skiplist = expected.is_some_and(|members| members > MEMBERS);
    zset
}

/// A member was added.
#[inline]
pub(super) fn grown(zset: &mut Zset<'_>, member: &[u8]) {
    zset.skiplist |= zset.len() > MEMBERS || is_long(member);
}

/// Add a member that is not there. The set is converted before a member is added that it cannot hold.
pub(super) fn insert<'a>(zset: &mut Zset<'a>, like: Like, member: Blob<'a>, score: f64) {
    zset.skiplist |= zset.len() >= MEMBERS || is_long(&member);
    let stored = stored(zset, like, score);
    zset.set(member, stored);
}

/// A score as the present encoding of a set keeps it.
pub(super) fn stored(zset: &Zset<'_>, like: Like, score: f64) -> f64 {
    if score == 0.0 && !zset.skiplist && like.at_least_redis(7, 0) { 0.0 } else { score }
}

/// Choose the encoding of a set that was made as a whole.
pub(in crate::replay) fn settle(zset: &mut Zset<'_>, like: Like) {
    zset.skiplist = zset.len() > MEMBERS || zset.iter().any(|(member, _)| is_long(member));
    if zset.skiplist || !like.at_least_redis(7, 0) {
        return;
    }
    let negative_zero = |score: f64| score == 0.0 && score.is_sign_negative();
    let found = zset.iter().filter(|(_, score)| negative_zero(*score));
    let members: Vec<_> = found.map(|(member, _)| member.clone()).collect();
    for member in members {
        zset.set(member, 0.0);
    }
}

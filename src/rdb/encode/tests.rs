#![allow(clippy::arithmetic_side_effects, reason = "a test")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::bytes::Budget;
use crate::bytes::Cursor;
use crate::packed;
use crate::rdb::object::{Consumer, Group, Idempotence, NAN_MEMBERS, Pending, Producer, Tail, Template, skim};
use crate::rdb::target::{PORTABLE, TARGETS};
use crate::value::{Blob, Piece};

type Bytes = Vec<u8>;

/// A value as one thinks of it.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    String(Bytes),
    List(Vec<Bytes>),
    Set(BTreeMap<Bytes, Option<i64>>),
    Hash(BTreeMap<Bytes, (Bytes, Option<i64>)>),
    Zset(BTreeMap<Bytes, u64>),
    Stream(Vec<(StreamId, Vec<Bytes>)>, Box<Tail<'static>>),
    Array(BTreeMap<u64, Bytes>),
}

impl Walk<'static> for Value {
    fn kind(&self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::List(_) => Kind::List,
            Self::Set(_) => Kind::Set,
            Self::Hash(_) => Kind::Hash,
            Self::Zset(_) => Kind::Zset,
            Self::Stream(..) => Kind::Stream,
            Self::Array(_) => Kind::Array,
        }
    }

    fn walk(&mut self, visit: &mut dyn FnMut(Element<'static, '_>) -> Result<()>) -> Result<()> {
        match self {
            Self::String(text) => visit(Element::Item(Piece::Passing(text))),
            Self::List(items) => items.iter().try_for_each(|item| visit(Element::Item(Piece::Passing(item)))),
            Self::Set(members) => members.iter().try_for_each(|(member, expiry)| {
                visit(Element::Member(Piece::Passing(member), expiry.map(UnixMillis)))
            }),
            Self::Hash(fields) => fields.iter().try_for_each(|(field, (value, expiry))| {
                let (field, value) = (Piece::Passing(field), Piece::Passing(value));
                visit(Element::Field { field, value, expiry: expiry.map(UnixMillis) })
            }),
            Self::Zset(members) => members
                .iter()
                .try_for_each(|(member, score)| visit(Element::Scored(Piece::Passing(member), f64::from_bits(*score)))),
            Self::Stream(entries, tail) => {
                for (id, fields) in entries {
                    let fields: Vec<_> = fields.iter().map(|text| packed::Element::Bytes(text)).collect();
                    visit(Element::Entry(*id, &fields))?;
                }
                visit(Element::Tail(tail))
            }
            Self::Array(slots) => {
                slots.iter().try_for_each(|(index, text)| visit(Element::Slot(*index, Piece::Passing(text))))
            }
        }
    }
}

/// Bytes for a target, by plan.
fn encode<'a>(target: Target, value: &mut dyn Walk<'a>) -> Outcome<(Plan, Bytes)> {
    let mut encoder = Encoder::new(target, true);
    let plan = encoder.plan(value)?;
    let mut whole = Vec::new();
    let mut buffer = Vec::new();
    let mut out = Out { bytes: &mut buffer, spill: &mut |bytes| whole.append(bytes) };
    encoder.value(&plan, value, &mut out)?;
    whole.append(&mut buffer);
    Ok((plan, whole))
}

/// The value that bytes mean.
fn decode(value_type: ValueType, body: &[u8]) -> Value {
    let mut c = Cursor::new(body);
    skim(value_type, &mut c, Template::NONE, &Budget::default()).unwrap();
    assert!(c.is_empty(), "{value_type:?} is longer than its value");
    let mut buffers = Buffers::default();
    meaning(&mut Stored { value: ValueRef::new(value_type, body, 0), buffers: &mut buffers })
}

fn meaning<'a>(value: &mut dyn Walk<'a>) -> Value {
    let mut all = match value.kind() {
        Kind::String => Value::String(Vec::new()),
        Kind::List => Value::List(Vec::new()),
        Kind::Set => Value::Set(BTreeMap::new()),
        Kind::Hash => Value::Hash(BTreeMap::new()),
        Kind::Zset => Value::Zset(BTreeMap::new()),
        Kind::Array => Value::Array(BTreeMap::new()),
        _ => Value::Stream(Vec::new(), Box::default()),
    };
    value
        .walk(&mut |element| {
            match (&mut all, element) {
                (Value::String(text), Element::Item(item)) => *text = item.to_vec(),
                (Value::List(items), Element::Item(item)) => items.push(item.to_vec()),
                (Value::Set(members), Element::Member(member, expiry)) => {
                    assert!(members.insert(member.to_vec(), expiry.map(|at| at.0)).is_none());
                }
                (Value::Hash(fields), Element::Field { field, value, expiry }) => {
                    assert!(fields.insert(field.to_vec(), (value.to_vec(), expiry.map(|at| at.0))).is_none());
                }
                (Value::Zset(members), Element::Scored(member, score)) => {
                    assert!(members.insert(member.to_vec(), score.to_bits()).is_none());
                }
                (Value::Stream(entries, _), Element::Entry(id, fields)) => {
                    let text = |element: &packed::Element<'_>| element.text(&mut itoa::Buffer::new()).to_vec();
                    entries.push((id, fields.iter().map(text).collect()));
                }
                (Value::Stream(_, tail), Element::Tail(found)) => **tail = owned(found),
                (Value::Array(slots), Element::Slot(index, text)) => drop(slots.insert(index, text.to_vec())),
                (all, element) => panic!("{element:?} in {all:?}"),
            }
            Ok(())
        })
        .unwrap();
    all
}

fn owned(tail: &Tail<'_>) -> Tail<'static> {
    let blob = |blob: &Blob<'_>| Blob::copied(blob);
    let group = |group: &Group<'_>| Group {
        name: blob(&group.name),
        last_id: group.last_id,
        entries_read: group.entries_read,
        pending: group.pending.clone(),
        consumers: group.consumers.iter().map(|c| Consumer { name: blob(&c.name), ..*c }).collect(),
        nacked: group.nacked.clone(),
    };
    let producer = |producer: &Producer<'_>| Producer {
        id: blob(&producer.id),
        ids: producer.ids.iter().map(|(iid, id)| (blob(iid), *id)).collect(),
    };
    Tail {
        groups: tail.groups.iter().map(group).collect(),
        idempotence: tail
            .idempotence
            .as_ref()
            .map(|state| Idempotence { producers: state.producers.iter().map(producer).collect(), ..*state }),
        ..*tail
    }
}

/// What a target keeps of a value.
fn as_kept(value: &Value, plan: &Plan, target: &Target) -> Value {
    let mut kept = value.clone();
    match &mut kept {
        Value::Set(members) => members.values_mut().for_each(|expiry| *expiry = None),
        Value::Hash(fields) if plan.lost.is_some() => fields.values_mut().for_each(|(_, expiry)| *expiry = None),
        Value::Stream(entries, tail) => keep_tail(entries, tail, target),
        _ => {}
    }
    kept
}

fn keep_tail(entries: &[(StreamId, Vec<Bytes>)], tail: &mut Tail<'_>, target: &Target) {
    let stream = target.stream().unwrap();
    let first = entries.first().map_or(StreamId::MIN, |(id, _)| *id);
    tail.first_id = (stream != ValueType::StreamListpacks).then_some(first);
    if stream == ValueType::StreamListpacks {
        (tail.max_deleted_id, tail.entries_added) = (None, None);
    }
    for group in &mut tail.groups {
        if stream == ValueType::StreamListpacks {
            group.entries_read = None;
        }
        if stream != ValueType::StreamListpacks5 {
            group.pending.retain(|pending| pending.consumer.is_some());
            group.nacked.clear();
        }
        let has_active = !matches!(stream, ValueType::StreamListpacks | ValueType::StreamListpacks2);
        group.consumers.iter_mut().for_each(|c| c.active = c.active.filter(|_| has_active));
    }
    if !matches!(stream, ValueType::StreamListpacks4 | ValueType::StreamListpacks5) {
        tail.idempotence = None;
    }
}

fn text() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..12),
        2 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        2 => (-5000_i64..5000).prop_map(|n| n.to_string().into_bytes()),
        1 => (0u8.., 60_usize..70).prop_map(|(byte, len)| vec![byte; len]),
        1 => prop::collection::vec(any::<u8>(), 4080..4100),
    ]
}

fn score() -> impl Strategy<Value = u64> {
    let score = prop_oneof![
        any::<f64>(),
        (-100_i32..100).prop_map(f64::from),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(-0.0),
        Just(4_611_686_018_427_387_904.0),
        Just(4_611_686_018_427_389_952.0),
        Just(1e17),
        Just(5e-324),
    ];
    score.prop_filter_map("NaN is no score", |score| (!score.is_nan()).then(|| score.to_bits()))
}

fn id() -> impl Strategy<Value = StreamId> {
    (prop_oneof![0..5_u64, any::<u64>()], 0..4_u64).prop_map(|(ms, seq)| StreamId { ms, seq })
}

fn group() -> impl Strategy<Value = Group<'static>> {
    let pending = prop::collection::btree_map(id(), (any::<i64>(), 0..9_u64, prop::option::of(0..3_u32)), 0..6);
    let consumers = prop::collection::vec((any::<i64>(), any::<i64>()), 3);
    (text(), id(), prop::option::of(0..9_u64), pending, consumers).prop_map(|(name, last_id, read, pending, times)| {
        let mut nacked: Vec<StreamId> =
            pending.iter().filter(|(_, (.., consumer))| consumer.is_none()).map(|(id, _)| *id).collect();
        nacked.reverse();
        let pending = pending.into_iter().map(|(id, (at, deliveries, consumer))| Pending {
            id,
            delivered: UnixMillis(at),
            deliveries,
            consumer,
        });
        let consumer = |(n, (seen, active)): (usize, (i64, i64))| Consumer {
            name: Blob::integer(i64::try_from(n).unwrap()),
            seen: UnixMillis(seen),
            active: Some(UnixMillis(active)),
        };
        Group {
            name: Blob::from(name),
            last_id,
            entries_read: read,
            pending: pending.collect(),
            consumers: times.into_iter().enumerate().map(consumer).collect(),
            nacked,
        }
    })
}

fn tail() -> impl Strategy<Value = Tail<'static>> {
    let groups = prop::collection::vec(group(), 0..3);
    let ids = prop::collection::vec((text().prop_map(Blob::from), id()), 0..3);
    let producers = prop::collection::vec((text().prop_map(Blob::from), ids), 0..3);
    let idempotence = (1..86400_u64, 1..10000_u64, producers, any::<u64>(), any::<u64>());
    (id(), id(), any::<u32>(), groups, idempotence).prop_map(|(last_id, deleted, added, groups, idempotence)| {
        let (seconds, max_entries, producers, added_ids, duplicates) = idempotence;
        let producers = producers.into_iter().map(|(id, ids)| Producer { id, ids }).collect();
        Tail {
            last_id,
            max_deleted_id: Some(deleted),
            entries_added: Some(added.into()),
            groups,
            idempotence: Some(Idempotence { seconds, max_entries, producers, added: added_ids, duplicates }),
            ..Tail::default()
        }
    })
}

fn entries() -> impl Strategy<Value = Vec<(StreamId, Vec<Bytes>)>> {
    let same = prop::collection::vec(text(), 2)
        .prop_map(|values| vec![b"name".to_vec(), values[0].clone(), b"7".to_vec(), values[1].clone()]);
    let other = prop::collection::vec(text(), 1..4)
        .prop_map(|texts| texts.iter().flat_map(|t| [t.clone(), t.clone()]).collect());
    prop::collection::btree_map(id(), prop_oneof![3 => same, 1 => other], 0..30)
        .prop_map(|map| map.into_iter().collect())
}

fn value() -> impl Strategy<Value = Value> {
    let few_or_many = prop_oneof![4 => 1..10_usize, 1 => 100..600_usize];
    let integers = few_or_many.clone().prop_flat_map(|n| prop::collection::btree_map(any::<i64>(), Just(None), 1..=n));
    let expiry = prop_oneof![3 => Just(None), 1 => (1..=(1_i64 << 48) - 1).prop_map(Some)];
    let fields = (few_or_many.clone(), prop_oneof![Just(0u8), Just(1)]).prop_flat_map(move |(n, with_expiry)| {
        let expiry = expiry.clone().prop_map(move |at| at.filter(|_| with_expiry == 1));
        prop::collection::btree_map(text(), (text(), expiry), 1..=n)
    });
    prop_oneof![
        text().prop_map(Value::String),
        prop::collection::vec(text(), 1..20).prop_map(Value::List),
        (0..20_usize, 8180..8200_usize).prop_map(|(n, len)| Value::List(vec![vec![b'x'; len - n]; n + 1])),
        integers.prop_map(|set| Value::Set(set.into_iter().map(|(n, at)| (n.to_string().into_bytes(), at)).collect())),
        prop::collection::btree_map(text(), Just(None), 1..140).prop_map(Value::Set),
        fields.prop_map(Value::Hash),
        prop::collection::btree_map(text(), score(), 1..140).prop_map(Value::Zset),
        (entries(), tail()).prop_map(|(mut entries, mut tail)| {
            tail.length = entries.len() as u64;
            entries.truncate(30);
            Value::Stream(entries, Box::new(tail))
        }),
        prop::collection::btree_map(0..u64::MAX - 1, text(), 1..20).prop_map(Value::Array),
    ]
}

fn targets() -> impl Iterator<Item = Target> {
    TARGETS.into_iter().chain([PORTABLE])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_target_reads_back_what_was_written_for_it(mut value in value()) {
        for target in targets() {
            let (plan, body) = match encode(target, &mut value) {
                Ok(encoded) => encoded,
                Err(failure) => {
                    let too_old = matches!(value, Value::Stream(..) | Value::Array(_));
                    prop_assert!(too_old && matches!(failure, Failure::Unfit(_)), "{failure:?}");
                    continue;
                }
            };
            prop_assert!(target.accepts(plan.value_type), "{} does not load {:?}", target.name, plan.value_type);
            prop_assert_eq!(decode(plan.value_type, &body), as_kept(&value, &plan, &target), "for {}", target.name);
            prop_assert_eq!(encode(target, &mut value).unwrap().1, body, "the same bytes again");
        }
    }
}

/// DUMP payloads made by servers: every stored form is read and written anew for every target.
#[test]
fn stored_values_keep_their_meaning_in_every_form_they_are_written_anew_in() {
    let mut tried = 0;
    for hex in include_str!("payloads.txt").lines() {
        let payload = unhex(hex);
        let (dialect, value_type) = match payload[payload.len() - 10] {
            80 => (Dialect::Valkey, payload[0]),
            _ => (Dialect::Redis, payload[0]),
        };
        let value_type = ValueType::from_byte(value_type, dialect).unwrap();
        let body = &payload[1..payload.len() - 10];
        let before = decode(value_type, body);
        for target in targets() {
            let mut buffers = Buffers::default();
            let mut stored = Stored { value: ValueRef::new(value_type, body, 0), buffers: &mut buffers };
            let Ok((plan, again)) = encode(target, &mut stored) else { continue };
            let after = decode(plan.value_type, &again);
            match (&before, &after) {
                (Value::Stream(before, _), Value::Stream(after, _)) => assert_eq!(before, after),
                _ if plan.lost.is_some() => {}
                _ => assert_eq!(before, after, "{value_type:?} for {}", target.name),
            }
            tried += 1;
        }
    }
    assert!(tried > 300, "{tried}");
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn form(target: &str, value: &mut Value) -> ValueType {
    encode(Target::named(target).unwrap(), value).unwrap().0.value_type
}

#[test]
fn forms_change_at_the_limits_of_servers() {
    let set = |texts: Vec<String>| Value::Set(texts.into_iter().map(|text| (text.into_bytes(), None)).collect());
    let numbers = |n: usize| set((0..n).map(|n| n.to_string()).collect());
    let names = |n: usize| set((0..n).map(|n| format!("m{n}")).collect());
    let hash = |n: usize, len: usize| {
        Value::Hash((0..n).map(|i| (format!("{i:0len$}").into_bytes(), (b"v".to_vec(), None))).collect())
    };
    assert_eq!(form("redis-7.0", &mut numbers(512)), ValueType::SetIntset);
    assert_eq!(form("redis-8.0", &mut numbers(513)), ValueType::Set);
    assert_eq!(form("redis-7.2", &mut names(128)), ValueType::SetListpack);
    assert_eq!(form("redis-7.2", &mut names(129)), ValueType::Set);
    assert_eq!(form("redis-7.0", &mut names(2)), ValueType::Set);
    assert_eq!(form("redis-6.2", &mut hash(512, 64)), ValueType::HashZiplist);
    assert_eq!(form("redis-7.0", &mut hash(512, 64)), ValueType::HashListpack);
    assert_eq!(form("redis-7.0", &mut hash(513, 5)), ValueType::Hash);
    assert_eq!(form("redis-7.0", &mut hash(1, 65)), ValueType::Hash);
    let mut zero = Value::Zset([(b"m".to_vec(), (-0.0_f64).to_bits())].into());
    assert_eq!(form("redis-6.2", &mut zero), ValueType::ZsetZiplist);
    assert_eq!(form("redis-7.0", &mut zero), ValueType::Zset2);
    assert_eq!(form("redis-2.8", &mut Value::List(vec![b"x".to_vec()])), ValueType::ListZiplist);
    assert_eq!(form("redis-2.8", &mut Value::List(vec![vec![b'x'; 65]])), ValueType::List);
}

#[test]
fn a_large_list_element_is_a_node_of_its_own_where_servers_do_so() {
    let mut list = Value::List(vec![b"a".to_vec(), vec![b'x'; 8193], b"b".to_vec()]);
    for (target, containers) in [("redis-7.0", [2, 2, 2]), ("redis-8.0", [2, 1, 2]), ("valkey-8", [2, 1, 2])] {
        let (_, body) = encode(Target::named(target).unwrap(), &mut list).unwrap();
        let mut c = Cursor::new(&body);
        assert_eq!(length::decode(&mut c).unwrap(), 3);
        let found = [(); 3].map(|()| object::list::quicklist2_node(&mut c).unwrap().0);
        assert_eq!(found, containers, "{target}");
    }
}

#[test]
fn what_a_target_cannot_hold_is_known_before_a_byte_is_written() {
    let mut hash = Value::Hash([(b"f".to_vec(), (b"v".to_vec(), Some(5)))].into());
    let lost = |target: &str, value: &mut Value| encode(Target::named(target).unwrap(), value).unwrap().0.lost;
    assert_eq!(lost("redis-7.2", &mut hash), Some("the expiry of hash fields"));
    assert_eq!(lost("redis-7.4", &mut hash), None);
    assert_eq!(lost("valkey-9", &mut hash), None);
    let mut far = Value::Hash([(b"f".to_vec(), (b"v".to_vec(), Some(1 << 48)))].into());
    assert!(lost("redis-8.0", &mut far).is_some() && lost("valkey-9", &mut far).is_none());
    let mut stream = Value::Stream(Vec::new(), Box::default());
    let refused = encode(Target::named("redis-4.0").unwrap(), &mut stream).unwrap_err();
    assert_eq!(refused, Failure::Unfit(Unfit("streams")));
}

#[test]
fn members_with_a_score_of_nan_are_left_out_and_said_to_be() {
    let score = |n: u32| if n.is_multiple_of(2) { f64::NAN } else { f64::from(n) };
    let zset = |len: u32| Value::Zset((0..len).map(|n| (n.to_be_bytes().to_vec(), score(n).to_bits())).collect());
    for target in targets() {
        for len in [100, 400] {
            let (plan, body) = encode(target, &mut zset(len)).unwrap();
            let Value::Zset(left) = decode(plan.value_type, &body) else { panic!("a sorted set") };
            assert_eq!((left.len(), plan.lost), (len as usize / 2, Some(NAN_MEMBERS)), "{}", target.name);
        }
        assert_eq!(encode(target, &mut zset(1)).unwrap_err(), Failure::Unfit(Unfit(NAN_MEMBERS)));
    }
}

#[test]
fn an_expiry_of_zero_stays_an_expiry_and_an_empty_set_is_no_intset() {
    let mut hash = Value::Hash([(b"f".to_vec(), (b"v".to_vec(), Some(0)))].into());
    for target in ["redis-8.0", "valkey-9"] {
        let (plan, body) = encode(Target::named(target).unwrap(), &mut hash).unwrap();
        let Value::Hash(fields) = decode(plan.value_type, &body) else { panic!("a hash") };
        assert!(fields[&b"f"[..]].1.is_some(), "{target}");
    }
    let mut long = Value::Hash([(vec![b'f'; 100], (b"v".to_vec(), Some(0)))].into());
    let (plan, body) = encode(Target::named("redis-8.0").unwrap(), &mut long).unwrap();
    assert_eq!(plan.value_type, ValueType::HashMetadata);
    let Value::Hash(fields) = decode(plan.value_type, &body) else { panic!("a hash") };
    assert_eq!(fields[&vec![b'f'; 100]].1, Some(1));
    assert_ne!(form("redis-7.0", &mut Value::Set(BTreeMap::new())), ValueType::SetIntset);
}

#[test]
fn the_contested_backlen_is_written_as_the_target_reads_it_and_noticed_when_it_crosses() {
    let mut list = Value::List(vec![vec![b'x'; 16_378]]);
    let (redis, valkey) = (Target::named("redis-7.0").unwrap(), Target::named("valkey-9").unwrap());
    let (plan, body) = encode(redis, &mut list).unwrap();
    let value = ValueRef::new(plan.value_type, &body, 0);
    let takes = |target: Target| {
        Encoder::new(target, true).takes_as_stored(&value, Dialect::Redis, &mut Buffers::default()).unwrap()
    };
    assert!(takes(redis) && !takes(valkey));
    let (plan, body) = encode(Target { plain_above: usize::MAX, ..valkey }, &mut list).unwrap();
    assert_eq!(decode(plan.value_type, &body), list);
}

#[test]
fn the_head_of_a_key_is_that_of_a_server() {
    let parts = KeyParts {
        key: b"k",
        expiry: Some(UnixMillis(4_102_444_800_000)),
        attributes: Attributes { idle_seconds: Some(70), freq: Some(5), metadata: b"" },
    };
    let mut out = Vec::new();
    Encoder::new(Target::named("redis-6.2").unwrap(), true).head(&parts, ValueType::Set, &mut out);
    assert_eq!(out, b"\xfc\x00\xd8\xc3\x2c\xbb\x03\x00\x00\xf8\x40\x46\xf9\x05\x02\x01k");
    out.clear();
    Encoder::new(Target::named("redis-3.2").unwrap(), true).head(&parts, ValueType::Set, &mut out);
    assert_eq!(out, b"\xfc\x00\xd8\xc3\x2c\xbb\x03\x00\x00\x02\x01k");
}

//! Each family by hand-built payloads, a real server's example, and damage everywhere.

use super::gorilla::tests::Writer;
use super::*;
use crate::bytes::{Budget, Limits};
use crate::rdb::object::{Buffers, Element, ModuleId};
use crate::rdb::{ValueRef, ValueType, length};

/// A body of type 7, written item by item.
#[derive(Clone, Default)]
struct Body(Vec<u8>);

impl Body {
    fn new(name: &[u8; 9], version: u16) -> Self {
        let mut body = Self::default();
        length::encode(ModuleId::from_name(name, version).unwrap().0, &mut body.0);
        body
    }

    fn uints(mut self, values: &[u64]) -> Self {
        for &value in values {
            self.0.push(2);
            length::encode(value, &mut self.0);
        }
        self
    }

    fn sint(mut self, value: i64) -> Self {
        self.0.push(1);
        length::encode(value.cast_unsigned(), &mut self.0);
        self
    }

    fn doubles(mut self, values: &[f64]) -> Self {
        for value in values {
            self.0.push(4);
            self.0.extend(value.to_le_bytes());
        }
        self
    }

    fn text(mut self, text: &[u8]) -> Self {
        self.0.push(5);
        length::encode(text.len() as u64, &mut self.0);
        self.0.extend(text);
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.0.push(0);
        self.0
    }

    fn json(self) -> String {
        json_of(&self.end())
    }
}

fn with_module(body: &[u8], visit: &mut impl FnMut(ModuleRef<'_>)) {
    let value = ValueRef::new(ValueType::Module2, body, 0);
    let _ = value.elements(&mut Buffers::default(), &mut |element| {
        if let Element::Module(module) = element {
            visit(module);
        }
        Ok(())
    });
}

fn json_of(body: &[u8]) -> String {
    let mut out = Vec::new();
    with_module(body, &mut |module| write_json(&module, &mut Scratch::default(), &mut out));
    String::from_utf8(out).unwrap()
}

/// `VADD k VALUES 3 1 0 0 a` on Redis 8.6.3, as DUMP gives it.
const VECTOR_SET: &[u8] = b"\x81\xbd\xe7\x2d\xa2\xbb\x1e\xb4\x00\x02\x03\x02\x01\x02\x50\x01\x02\x00\x05\x01\x61\x05\x03\x7f\x00\x00\x02\x06\x02\x01\x02\x80\x01\x00\x00\x00\x02\x00\x02\x20\x02\x00\x02\x81\x3f\x80\x00\x00\x3f\x80\x00\x00\x00";

#[test]
fn a_vector_set_of_a_real_server_is_decoded() {
    assert_eq!(
        json_of(VECTOR_SET),
        r#"{"module":"vectorset","version":0,"value":{"dim":3,"quantization":"int8","m":16,"projection":null,"elements":[{"element":"a","attributes":null,"vector":[1.0,0.0,0.0],"l2":1.0,"id":1,"level":0}]}}"#
    );
}

#[test]
fn the_digest_of_a_vector_set_takes_count_dimension_and_elements() {
    let mut parts = Vec::new();
    with_module(VECTOR_SET, &mut |module| {
        vectorset::digest_parts(&module, &mut Scratch::default(), &mut |sequence| {
            parts.push(sequence.iter().map(|part| part.to_vec()).collect::<Vec<_>>());
        })
        .unwrap();
    });
    assert_eq!(parts, [vec![b"1".to_vec(), b"3".to_vec()], vec![vec![127, 0, 0], b"a".to_vec()]]);
    let other = json_v3().end();
    with_module(&other, &mut |module| {
        assert!(vectorset::digest_parts(&module, &mut Scratch::default(), &mut |_| {}).is_none());
    });
}

/// Two dimensions of one bit, a projection, attributes.
fn reduced_vector_set() -> Body {
    Body::new(b"vectorset", 0)
        .uints(&[2, 1, 0x402, 3, 1])
        .text(&1f32.to_le_bytes().repeat(2))
        .text(b"e")
        .text(b"[1]")
        .text(b"\x02\0\0\0\0\0\0\0")
        .uints(&[3, 9, 0x0100_0001, 0x4000_0000])
}

#[test]
fn a_projected_binary_vector_set_shows_signs_and_attributes() {
    assert_eq!(
        reduced_vector_set().json(),
        r#"{"module":"vectorset","version":0,"value":{"dim":2,"quantization":"bin","m":4,"projection":{"input_dim":1,"matrix":[1.0,1.0]},"elements":[{"element":"e","attributes":[1],"vector":[-1,1],"l2":2.0,"id":9,"level":1}]}}"#
    );
}

fn json_v3() -> Body {
    Body::new(b"ReJSON-RL", 3).text(b"{\"a\":[1,2.0,null]}")
}

fn json_v0() -> Body {
    Body::new(b"ReJSON-RL", 0)
        .uints(&[0x20, 2, 0x80])
        .text(b"a")
        .uints(&[0x40, 5, 1, 0x10])
        .text(b"1")
        .uints(&[0x10])
        .text(b"0")
        .uints(&[8])
        .sint(-7)
        .uints(&[4])
        .doubles(&[1.0])
        .uints(&[0x80])
        .text(b"b")
        .uints(&[2])
        .text(b"\xff")
}

#[test]
fn documents_of_every_version_are_json() {
    let value = |json: String| json.split_once("\"value\":").unwrap().1.strip_suffix('}').unwrap().to_owned();
    assert_eq!(value(json_v3().json()), r#"{"a":[1,2.0,null]}"#);
    assert_eq!(value(json_v0().json()), r#"{"a":[null,true,false,-7,1.0],"b":{"base64":"/w=="}}"#);
    let v2 = Body::new(b"ReJSON-RL", 2).text(b"[]");
    assert_eq!(value(v2.clone().uints(&[0]).json()), "[]");
    assert_eq!(value(v2.uints(&[1]).text(b"i").text(b"p").json()), "[]");
    assert_eq!(value(Body::new(b"ReJSON-RL", 4).text(b"\xa1\x61a\x01").json()), r#"{"a":1}"#);
}

#[test]
fn what_does_not_follow_the_layout_is_shown_raw() {
    assert_eq!(
        Body::new(b"ReJSON-RL", 3).text(b"{").json(),
        r#"{"module":"ReJSON-RL","version":3,"raw":[{"string":"{"}]}"#
    );
    assert_eq!(
        json_v3().uints(&[1]).json(),
        r#"{"module":"ReJSON-RL","version":3,"raw":[{"string":"{\"a\":[1,2.0,null]}"},{"uint":1}]}"#
    );
    let unknown = Body::new(b"ASNFZ4mrz", 1).sint(-1).uints(&[u64::MAX]).doubles(&[0.5, f64::INFINITY]).text(b"\xff");
    let unknown = Body([unknown.0, [b"\x03".as_slice(), &0.1f32.to_le_bytes()].concat()].concat());
    assert_eq!(
        unknown.json(),
        r#"{"module":"ASNFZ4mrz","version":1,"raw":[{"sint":-1},{"uint":18446744073709551615},{"double":0.5},{"double":"inf"},{"string":{"base64":"/w=="}},{"float":0.1}]}"#
    );
}

fn nested(depth: usize) -> Body {
    (0..depth).fold(Body::new(b"ReJSON-RL", 0), |body, _| body.uints(&[0x40, 1])).uints(&[1])
}

#[test]
fn depth_and_memory_are_bounded() {
    assert!(nested(128).json().contains("\"value\""));
    assert!(nested(129).json().contains("\"raw\""));
    assert!(nested(100_000).json().contains("\"raw\""));
    let body = json_v0().end();
    with_module(&body, &mut |module| {
        assert!(decode(&module, &mut Scratch::default()).is_some());
        assert!(decode(&module, &mut Scratch::new(Budget::new(200))).is_none());
    });
    with_module(&nested(3).end(), &mut |module| {
        for (depth, decodes) in [(3, true), (2, false)] {
            let budget = Budget::within(Limits { depth, ..Limits::default() });
            assert_eq!(decode(&module, &mut Scratch::new(budget)).is_some(), decodes);
        }
    });
}

fn bloom_v4() -> Body {
    Body::new(b"MBbloom--", 4)
        .uints(&[1, 1, 5, 2, 100])
        .doubles(&[0.01])
        .uints(&[7])
        .doubles(&[9.5])
        .uints(&[16, 4])
        .text(b"ab")
        .uints(&[1])
}

fn cuckoo_v4() -> Body {
    Body::new(b"MBbloomCF", 4).uints(&[1, 4, 1, 0, 2, 20, 1, 4]).text(b"\x07\0\0\0\0\0\0\0")
}

#[test]
fn filters_of_old_and_new_versions_are_decoded() {
    assert_eq!(
        bloom_v4().json(),
        r#"{"module":"MBbloom--","version":4,"value":{"size":1,"options":5,"growth":2,"filters":[{"capacity":100,"error_rate":0.01,"hashes":7,"bits_per_entry":9.5,"bits":16,"bitmap":"ab","size":1}]}}"#
    );
    let v0 = Body::new(b"MBbloom--", 0)
        .uints(&[1, 1, 100])
        .doubles(&[0.01])
        .uints(&[7])
        .doubles(&[9.5])
        .text(b"ab")
        .uints(&[1]);
    assert!(v0.json().contains(r#""value":{"size":1,"options":0,"growth":2,"#));
    let short = Body::new(b"MBbloom--", 4).uints(&[1, 1, 5, 2, 100]).doubles(&[0.01]).uints(&[7]).doubles(&[9.5]);
    assert!(short.uints(&[17, 0]).text(b"ab").uints(&[1]).json().contains("\"raw\""));
    assert_eq!(
        cuckoo_v4().json(),
        r#"{"module":"MBbloomCF","version":4,"value":{"buckets":4,"items":1,"deletes":0,"bucket_size":2,"max_iterations":20,"expansion":1,"filters":[{"buckets":4,"data":"\u0007\u0000\u0000\u0000\u0000\u0000\u0000\u0000"}]}}"#
    );
    let v3 = Body::new(b"MBbloomCF", 3).uints(&[1, 4, 1]).text(b"\x07\0");
    assert!(v3.json().contains(r#""expansion":null,"filters":[{"buckets":4,"data":"\u0007\u0000"}]"#));
}

fn count_min() -> Body {
    Body::new(b"CMSk-TYPE", 0).uints(&[2, 1, 3]).text(b"\x01\0\0\0\x02\0\0\0")
}

fn top_k() -> Body {
    let slot = |fingerprint: u8, count: u8| {
        [vec![fingerprint, 0, 0, 0], vec![9; 12], vec![count, 0, 0, 0], vec![0; 4]].concat()
    };
    Body::new(b"TopK-TYPE", 0)
        .uints(&[2, 1, 1])
        .doubles(&[0.9])
        .text(b"\x05\0\0\0\x06\0\0\0")
        .text(&[slot(5, 6), slot(0, 0)].concat())
        .text(b"it\0")
        .text(b"\0")
}

fn t_digest() -> Body {
    Body::new(b"TDIS-TYPE", 0)
        .doubles(&[100.0, 1.0, 2.0])
        .sint(610)
        .sint(2)
        .sint(0)
        .sint(1)
        .doubles(&[2.0, 0.0, 1.0, 2.0, 1.0, 1.0])
}

#[test]
fn sketches_are_decoded() {
    assert!(count_min().json().ends_with(r#""value":{"width":2,"depth":1,"count":3,"counters":[1,2]}}"#));
    assert!(top_k().json().ends_with(
        r#""value":{"k":2,"width":1,"depth":1,"decay":0.9,"items":[{"item":"it","count":6,"fingerprint":5}],"buckets":[5,6]}}"#
    ));
    assert!(t_digest().json().ends_with(
        r#""value":{"compression":100.0,"min":1.0,"max":2.0,"capacity":610,"unmerged":0,"compressions":1,"merged_weight":2.0,"unmerged_weight":0.0,"centroids":[{"mean":1.0,"weight":1.0},{"mean":2.0,"weight":1.0}]}}"#
    ));
}

/// Two labels, one rule, chunks of 64 bytes.
fn series_head(options: u64) -> Body {
    Body::new(b"TSDB-TYPE", 9)
        .text(b"k")
        .uints(&[0, 64, options, 1010])
        .doubles(&[2.5])
        .uints(&[2, 2, 0, 0])
        .doubles(&[0.0])
        .uints(&[1])
        .text(b"city")
        .text(b"Oslo")
        .uints(&[1])
        .text(b"dst")
        .uints(&[60_000, 0, 13, 5, 1])
        .doubles(&[0.0])
        .uints(&[1])
        .doubles(&[1.0])
        .uints(&[1, 2, 3, 4, 5, 6, 7])
        .uints(&[1])
}

const SAMPLES: [(u64, f64); 3] = [(1000, 1.5), (1010, 2.5), (1020, 2.5)];

fn compressed_series() -> Body {
    let stored = Writer::samples(&SAMPLES);
    series_head(2)
        .uints(&[stored.bytes.len() as u64, 3, stored.used, SAMPLES[0].1.to_bits(), 1000, 1020, 10, 0, 0, 0])
        .text(&stored.bytes)
}

fn plain_series() -> Body {
    let mut bytes: Vec<u8> = SAMPLES.iter().flat_map(|(t, v)| [t.to_le_bytes(), v.to_le_bytes()].concat()).collect();
    bytes.resize(64, 0);
    series_head(1).uints(&[1000, 3, 64]).text(&bytes)
}

#[test]
fn both_forms_of_chunks_give_the_same_samples() {
    for body in [compressed_series(), plain_series()] {
        let json = body.json();
        assert!(json.contains(r#""labels":[{"name":"city","value":"Oslo"}],"rules":[{"destination":"dst","bucket_ms":60000,"alignment":0,"aggregation":"twa","current_bucket":5}],"chunks":[[[1000,1.5],[1010,2.5],[1020,2.5]]]"#), "{json}");
    }
    let v1 =
        Body::new(b"TSDB-TYPE", 1).text(b"k").uints(&[0, 4, 1, 0, 0, 2, 7]).doubles(&[0.5]).uints(&[8]).doubles(&[1.0]);
    assert!(v1.json().contains(r#""chunks":[[[7,0.5],[8,1]]]"#));
}

#[test]
fn every_aggregation_has_its_context() {
    for (version, aggregation, doubles, uints, text) in [
        (9, 1, 2, 0, 0),
        (5, 8, 2, 0, 1),
        (9, 3, 1, 0, 0),
        (5, 7, 1, 1, 0),
        (9, 6, 1, 1, 0),
        (9, 4, 2, 1, 0),
        (3, 4, 2, 0, 0),
        (9, 12, 2, 1, 0),
    ] {
        let mut body =
            Body::new(b"TSDB-TYPE", version).text(b"k").uints(&[0, 64, 2, 0]).doubles(&[0.0]).uints(&[0, 0, 0]);
        if version >= 8 {
            body = body.uints(&[0]).doubles(&[0.0]);
        }
        body = body.uints(&[0, 1]).text(b"d").uints(&[1]);
        if version >= 6 {
            body = body.uints(&[0]);
        }
        body = body.uints(&[aggregation, 0]).uints(if version >= 9 { &[0] } else { &[] });
        body = body.doubles(&vec![0.0; doubles]).uints(&vec![0; uints]);
        body = (0..text).fold(body, |body, _| body.text(b"x"));
        assert!(body.uints(&[0]).json().contains("\"value\""), "version {version}, aggregation {aggregation}");
    }
}

#[test]
fn a_sample_count_that_the_bits_cannot_hold_is_refused() {
    let body = |count, bits| series_head(2).uints(&[8, count, bits, 0, 0, 0, 0, 0, 0, 0]).text(&[0; 8]).json();
    assert!(body(33, 64).contains("\"value\""));
    for (count, bits) in [(34, 64), (u64::MAX, 64), (33, 63), (2, 65)] {
        assert!(body(count, bits).contains("\"raw\""), "{count} {bits}");
    }
}

/// One body of each family.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        json_v0(),
        json_v3(),
        Body::new(b"ReJSON-RL", 4).text(b"\xa2\x61a\xf9\x3c\x00\x61b\x82\xd8\x40\x43\x01\x02\xff\x20"),
        bloom_v4(),
        cuckoo_v4(),
        count_min(),
        top_k(),
        t_digest(),
        compressed_series(),
        plain_series(),
        reduced_vector_set(),
    ]
    .map(Body::end)
    .into();
    seeds.push(VECTOR_SET.to_vec());
    seeds
}

#[test]
fn damage_gives_valid_json_and_no_panic() {
    for seed in seeds() {
        assert!(json_of(&seed).contains("\"value\""));
        for i in 0..seed.len() {
            assert_sound(&seed[..i]);
            for change in [1, 0x40, 0x80, 0xff, seed[i]] {
                let mut damaged = seed.clone();
                damaged[i] ^= change;
                assert_sound(&damaged);
            }
        }
    }
}

fn assert_sound(body: &[u8]) {
    let json = json_of(body);
    if !json.is_empty() {
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
    }
    with_module(body, &mut |module| {
        let _ = vectorset::digest_parts(&module, &mut Scratch::default(), &mut |_| {});
    });
}

mod forks {
    use super::*;

    fn json(value_type: ValueType, body: &[u8]) -> Option<String> {
        let mut out = Vec::new();
        let value = ValueRef::new(value_type, body, 0);
        decode_fork(&value, &mut Scratch::default())?.write_json(&mut out);
        serde_json::from_slice::<serde_json::Value>(&out).unwrap();
        Some(String::from_utf8(out).unwrap())
    }

    fn seeds() -> [(ValueType, Vec<u8>, &'static str); 7] {
        let (half, ten) = (0.5f64.to_le_bytes(), 10i64.to_le_bytes());
        let bloom = |bits: &[u8]| [b"\0".as_slice(), &half, &half, b"\x01\x02\x03\x01\x07", bits].concat();
        let bloom_json = r#"{"options":0,"growth":0.5,"error_rate":0.5,"previous_size":1,"current_size":2,"capacity":3,"filters":[{"hashes":7,"bitmap":"abc"}]}"#;
        [
            (ValueType::DragonflyJson, b"\x02[]".to_vec(), "[]"),
            (ValueType::DragonflySbf, bloom(b"\x03abc"), bloom_json),
            (ValueType::DragonflySbf2, bloom(b"\x03\x02ab\x01c"), bloom_json),
            (
                ValueType::DragonflyCms,
                [b"\x01\x01\x05".as_slice(), &ten].concat(),
                r#"{"width":1,"depth":1,"count":5,"counters":[10]}"#,
            ),
            (
                ValueType::DragonflyTopk,
                [b"\0\x01\x01\x01".as_slice(), &half, b"\x01\x01a\x09\x04\x01\0\0\0"].concat(),
                r#"{"options":0,"k":1,"width":1,"depth":1,"decay":0.5,"items":[{"item":"a","count":9}],"buckets":[1]}"#,
            ),
            (
                ValueType::DragonflyCuckoo,
                b"\x02\x14\x01\x04\x01\0\x01\x03\x03abc".to_vec(),
                r#"{"bucket_size":2,"max_iterations":20,"expansion":1,"buckets":4,"items":1,"deletes":0,"filters":["abc"]}"#,
            ),
            (
                ValueType::KeyDbCron,
                [b"\x01s".as_slice(), &ten, &ten, b"\x01\x01k\0"].concat(),
                r#"{"script":"s","start_ms":10,"interval_ms":10,"keys":["k"],"args":[]}"#,
            ),
        ]
    }

    #[test]
    fn values_of_forks_are_decoded() {
        for (value_type, body, expected) in seeds() {
            assert_eq!(json(value_type, &body).as_deref(), Some(expected));
        }
        assert!(json(ValueType::Gcra, b"\x01").is_none());
    }

    #[test]
    fn damaged_values_of_forks_do_no_harm() {
        for (value_type, body, _) in seeds() {
            for i in 0..body.len() {
                json(value_type, &body[..i]);
                for change in [1, 0x40, 0x80, 0xff, body[i]] {
                    let mut damaged = body.clone();
                    damaged[i] ^= change;
                    json(value_type, &damaged);
                }
            }
        }
    }
}

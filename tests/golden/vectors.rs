//! Payloads and files that real servers were seen to accept or to refuse, and what is in them.
//!
//! Accepted by `RESTORE`, or loaded, by Redis 6.2, 7.0, 8.0, 8.6 and Valkey 8.1, 9.1, as far as each knows the type;
//! types 27 and 28 are built by the source of Redis 8.8.

use crate::described;
use careen::bytes::Budget;
use careen::bytes::{Cursor, crc64};
use careen::rdb::object::{Template, skim};
use careen::rdb::{Dialect, ValueRef, ValueType};
use serde_json::Value;

/// Case, DUMP payload (type, body, version, checksum), value.
const PAYLOADS: &[(&str, &str, &str)] = &[
    ("string raw", "000568656c6c6f0900b3808eba31b243bb", r#""hello""#),
    ("string i8", "00c09c09002f85f27b322bbd55", r#""-100""#),
    ("string i16", "00c1e803090059231642ee42d4d5", r#""1000""#),
    ("string i32", "00c200000080090017bdd6f267d3e236", r#""-2147483648""#),
    (
        "string lzf",
        "00c3094064016161e0570001616109003851e4cbe4eb91c0",
        r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa""#,
    ),
    ("string non-minimal len", "00400568656c6c6f0900a251d5c834f244b5", r#""hello""#),
    ("1 list", "01030161c07f01620900753c4a05312d9d1d", r#"["a","127","b"]"#),
    ("2 set", "02020161016209002e9670e9bf855ebc", r#"["a","b"]"#),
    (
        "3 zset ascii",
        "0304016103312e350162fe0163ff0164022d370900dcea584727d57a54",
        r#"[{"member": "c", "score": "-inf"}, {"member": "d", "score": "-7"}, {"member": "a", "score": "1.5"}, {"member": "b", "score": "inf"}]"#,
    ),
    ("4 hash", "04010166017609007d00129ae5006d4d", r#"[{"field": "f", "value": "v"}]"#),
    ("5 zset2", "05010161000000000000f83f09009551f943106f3a6b", r#"[{"member": "a", "score": "1.5"}]"#),
    (
        "9 zipmap",
        "090d020166010076016b02003132ff09007949436aca2514d7",
        r#"[{"field": "f", "value": "v"}, {"field": "k", "value": "12"}]"#,
    ),
    (
        "10 list ziplist",
        "0a2c2c00000021000000070000016103f602fe9c03c0e80304f070110105d0ffffff7f06e00000000000010000ff09008865d8374fadbf7a",
        r#"["a","5","-100","1000","70000","2147483647","1099511627776"]"#,
    ),
    (
        "10 ziplist i24/imm",
        "0a1c1c00000019000000050000f0ffff7f05f000008005fd02fe0d03f1ff0900101e28548270fd47",
        r#"["8388607","-8388608","12","13","0"]"#,
    ),
    ("11 intset w2", "0b0e0200000003000000fbff01000200090099dcbca29481ef5e", r#"["-5","1","2"]"#),
    (
        "11 intset w8",
        "0b200800000003000000fbffffffffffffff0100000000000000000000000001000009009ff8a1462f0b2441",
        r#"["-5","1","1099511627776"]"#,
    ),
    (
        "12 zset ziplist",
        "0c18180000001500000004000001610303312e3505016203f3ff0900fe4e6c2927858ec3",
        r#"[{"member": "a", "score": "1.5"}, {"member": "b", "score": "2"}]"#,
    ),
    (
        "13 hash ziplist",
        "0d161600000013000000040000016603017603016b03fdff0900db443c4ee90fa638",
        r#"[{"field": "f", "value": "v"}, {"field": "k", "value": "12"}]"#,
    ),
    (
        "14 quicklist",
        "0e0210100000000d000000020000016103f2ff0e0e0000000a0000000100000162ff0900b391888cc94e4065",
        r#"["a","1","b"]"#,
    ),
    (
        "15 stream v1",
        "0f01100000000000000001000000000000000128280000000f00020100010101816602000102010001000181760204010201000101018177020401ff020102010167010101000000000000000100000000000000010068e5cf8b010000010101630068e5cf8b010000010000000000000001000000000000000109007f4cc166f7ef195b",
        r#"{"entries": [{"id": "1-1", "fields": [["f", "v"]]}, {"id": "1-2", "fields": [["f", "w"]]}], "last_id": "1-2", "groups": [{"name": "g", "last_id": "1-1", "pending": ["1-1"], "consumers": ["c"]}]}"#,
    ),
    ("16 hash listpack", "100d0d0000000200816602817602ff0a0020f13d442354089d", r#"[{"field": "f", "value": "v"}]"#),
    (
        "17 zset listpack",
        "111414000000040081610283312e35048162020201ff0a00fa02b425af188763",
        r#"[{"member": "a", "score": "1.5"}, {"member": "b", "score": "2"}]"#,
    ),
    (
        "18 quicklist2",
        "1202024046460000000e008161020101dfff027f01c08002cfff02d00002f1001003f1ff7f03f2ff7fff04f2ffff7f04f30000800005f4000000800000000009f4000000000000004009ff0105706c61696e0a0048fb9368d0247c36",
        r#"["a", "1", "-1", "127", "128", "4095", "-4096", "4096", "32767", "-32769", "8388607", "8388608", "2147483648", "4611686018427387904", "plain"]"#,
    ),
    (
        "19 stream v2",
        "1301100000000000000001000000000000000128280000000f00020100010101816602000102010001000181760204010201000101018177020401ff020102010100000201016701010101000000000000000100000000000000010068e5cf8b010000010101630068e5cf8b01000001000000000000000100000000000000010a00f3e4bd9ff7400ad8",
        r#"{"entries": [{"id": "1-1", "fields": [["f", "v"]]}, {"id": "1-2", "fields": [["f", "w"]]}], "last_id": "1-2", "groups": [{"name": "g", "last_id": "1-1", "pending": ["1-1"], "consumers": ["c"]}]}"#,
    ),
    ("20 set listpack", "140c0c00000002008161020501ff0b0098347b5d798dab9c", r#"["5","a"]"#),
    (
        "21 stream v3",
        "1501100000000000000001000000000000000128280000000f00020100010101816602000102010001000181760204010201000101018177020401ff020102010100000201016701010101000000000000000100000000000000010068e5cf8b010000010101630068e5cf8b010000ffffffffffffffff01000000000000000100000000000000010b0056d049b516d7d51a",
        r#"{"entries": [{"id": "1-1", "fields": [["f", "v"]]}, {"id": "1-2", "fields": [["f", "w"]]}], "last_id": "1-2", "groups": [{"name": "g", "last_id": "1-1", "pending": ["1-1"], "consumers": ["c"]}]}"#,
    ),
    (
        "22 hash pre-GA (Redis)",
        "160281000003bb2cc3d80001610231780001620232780c002bc110bde20db601",
        r#"[{"field": "a", "value": "1x", "expires_at_ms": 4102444800000}, {"field": "b", "value": "2x"}]"#,
    ),
    (
        "23 hash lp-ex pre-GA",
        "172121000000060081610282317803f400d8c32cbb03000009816202823278030001ff0c005dd4d9b600193073",
        r#"[{"field": "a", "value": "1x", "expires_at_ms": 4102444800000}, {"field": "b", "value": "2x"}]"#,
    ),
    (
        "24 hash metadata",
        "1800d8c32cbb0300000301016102317800016202327843e901630233780c007c81afb48d0c475d",
        r#"[{"field": "a", "value": "1x", "expires_at_ms": 4102444800000}, {"field": "b", "value": "2x"}, {"field": "c", "value": "3x", "expires_at_ms": 4102444801000}]"#,
    ),
    (
        "25 hash lp-ex",
        "1900d8c32cbb0300003232000000090081610282317803f400d8c32cbb0300000981620282327803f405d8c32cbb03000009816302823378030001ff0c0017981f0e78f19bae",
        r#"[{"field": "a", "value": "1x", "expires_at_ms": 4102444800000}, {"field": "b", "value": "2x", "expires_at_ms": 4102444800005}, {"field": "c", "value": "3x"}]"#,
    ),
    (
        "26 stream v4",
        "1a01100000000000000001000000000000000128280000000f00020100010101816602000102010001000181760204010201000101018177020401ff020102010100000201016701010101000000000000000100000000000000010068e5cf8b010000010101630068e5cf8b010000ffffffffffffffff0100000000000000010000000000000001406440640101700103696964010201000d00fa13d1598bcaa17c",
        r#"{"entries": [{"id": "1-1", "fields": [["f", "v"]]}, {"id": "1-2", "fields": [["f", "w"]]}], "last_id": "1-2", "groups": [{"name": "g", "last_id": "1-1", "pending": ["1-1"], "consumers": ["c"]}]}"#,
    ),
    (
        "22 HASH_2 (Valkey)",
        "1602016102317800d8c32cbb0300000162023278ffffffffffffffff5000cae7ac07eaca3fef",
        r#"[{"field": "a", "value": "1x", "expires_at_ms": 4102444800000}, {"field": "b", "value": "2x"}]"#,
    ),
    (
        "27 stream v5",
        "1b01100000000000000001000000000000000128280000000f00020100010101816602000102010001000181760204010201000101018177020401ff020102010100000201016701010101000000000000000100000000000000010068e5cf8b010000010101630068e5cf8b010000ffffffffffffffff010000000000000001000000000000000100406440640000000e009c10a9f0033c3df5",
        r#"{"entries": [{"id": "1-1", "fields": [["f", "v"]]}, {"id": "1-2", "fields": [["f", "w"]]}], "last_id": "1-2", "groups": [{"name": "g", "last_id": "1-1", "pending": ["1-1"], "consumers": ["c"]}]}"#,
    ),
    (
        "28 array",
        "1c0401090001fbffffffffffffff0102000000000000f83f05030361626308000f61206c6f6e67657220737472696e670e00b53972f5838aa0db",
        r#"[[0,"-5"],[1,"1.5"],[5,"abc"],[8,"a longer string"]]"#,
    ),
    (
        "a ziplist in LZF, scores of 17 digits (Redis 6.2)",
        "0cc34046405904590000003f2003130c0000016603042d696e660601630313302e3130e0050018311501610303312e3505016203f302f802f40201640317312ee00526073031652b333030ff090078dcd19ed3637b76",
        r#"[{"member": "f", "score": "-inf"}, {"member": "c", "score": "0.1"}, {"member": "a", "score": "1.5"}, {"member": "b", "score": "2"}, {"member": "7", "score": "3"}, {"member": "d", "score": "1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"}]"#,
    ),
    (
        "a stream with a deleted entry in front of others (Redis 6.2)",
        "0f0110000000000000000100000000000000014044440000001a000201010102018166028166020001030100010001817602817702050100010401dfff020101816102816202060100010501dfff02010181710201010601ff020600000900631fc615367667a8",
        r#"{"entries": [{"id": "5-0", "fields": [["a", "b"]]}, {"id": "6-0", "fields": [["q", "1"]]}], "last_id": "6-0", "groups": []}"#,
    ),
    (
        "a hash with field expiries (Redis 8.6)",
        "1900d8c32cbb0300002c2c00000009008162020201f400d8c32cbb030000098161020101f405d8c32cbb0300000981630203010001ff0d0066c5a87214d6ba69",
        r#"[{"field": "a", "value": "1", "expires_at_ms": 4102444800005}, {"field": "b", "value": "2", "expires_at_ms": 4102444800000}, {"field": "c", "value": "3"}]"#,
    ),
    (
        "a hash table whose field lost its expiry (Redis 8.6)",
        "1800d8c32cbb03000003010162c002000163c003000161c3094041017878e034000178780d0010e5c4aa4c853359",
        r#"[{"field": "a", "value": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, {"field": "b", "value": "2", "expires_at_ms": 4102444800000}, {"field": "c", "value": "3"}]"#,
    ),
    (
        "the same as Valkey's type 22 (Valkey 9.1)",
        "16030161c00105d8c32cbb0300000162c00200d8c32cbb0300000163c003ffffffffffffffff50009f47cb81b05d2cb5",
        r#"[{"field": "a", "value": "1", "expires_at_ms": 4102444800005}, {"field": "b", "value": "2", "expires_at_ms": 4102444800000}, {"field": "c", "value": "3"}]"#,
    ),
    (
        "a stream with two groups (Redis 8.0)",
        "150110000000000000000100000000000000013e3e00000018000201010101018166020001020100010001817602040101010001010102018167028177028168020101080102010401dfff02817a020401ff020500010101020302026731000081ffffffffffffffff0001026331c7a87c01a2010000ffffffffffffffff00026732050081ffffffffffffffff00000c0069d9c4c29816442d",
        r#"{"entries": [{"id": "1-1", "fields": [["f", "v"]]}, {"id": "5-0", "fields": [["f", "z"]]}], "last_id": "5-0", "groups": [{"name": "g1", "last_id": "0-0", "pending": [], "consumers": ["c1"]}, {"name": "g2", "last_id": "5-0", "pending": [], "consumers": []}]}"#,
    ),
    (
        "the same with an empty idempotence state (Redis 8.6)",
        "1a0110000000000000000100000000000000013e3e00000018000201010101018166020001020100010001817602040101010001010102018167028177028168020101080102010401dfff02817a020401ff020500010101020302026731000081ffffffffffffffff0001026331c9a87c01a2010000ffffffffffffffff00026732050081ffffffffffffffff0000406440640000000d00842a3adb0161a588",
        r#"{"entries": [{"id": "1-1", "fields": [["f", "v"]]}, {"id": "5-0", "fields": [["f", "z"]]}], "last_id": "5-0", "groups": [{"name": "g1", "last_id": "0-0", "pending": [], "consumers": ["c1"]}, {"name": "g2", "last_id": "5-0", "pending": [], "consumers": []}]}"#,
    ),
];

/// Case, file, its keys.
const FILES: &[(&str, &str, &str)] = &[
    (
        "v1 minimal",
        "524544495330303031fe00000161023178ff",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":null,"value":"1x"}]"#,
    ),
    (
        "v5 with crc",
        "524544495330303035fe00000161023178ffbefabcebd1eb61d4",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":null,"value":"1x"}]"#,
    ),
    (
        "v9, crc disabled",
        "524544495330303039fe00000161023178ff0000000000000000",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":null,"value":"1x"}]"#,
    ),
    (
        "v9 ttl seconds",
        "524544495330303039fe00fd00943577000161023178ff7d366b941baf4f60",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":2000000000000,"value":"1x"}]"#,
    ),
    (
        "v9 ttl ms + AUX between",
        "524544495330303039fe00fc00d8c32cbb030000fa03666f6f03626172000161023178ff30e92fcc168877a9",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":4102444800000,"value":"1x"}]"#,
    ),
    (
        "v9 expired dropped on master",
        "524544495330303039fe00fce803000000000000000161023178000162023278ff06b7c81cef55ca7f",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":1000,"value":"1x"},{"db":0,"key":"b","type":"string","expires_at_ms":null,"value":"2x"}]"#,
    ),
    (
        "v9 FREQ+IDLE",
        "524544495330303039fe00f905f80a000161023178ff6896541d57346f81",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":null,"value":"1x"}]"#,
    ),
    (
        "v12 SLOT_INFO",
        "524544495330303132fe00f4000100000161023178ffea164b8d45295651",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":null,"value":"1x"}]"#,
    ),
    (
        "v13 KEY_META ignorable",
        "524544495330303133fe00f30101000000020500000161023178ffbcb464f5972d1f20",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":null,"value":"1x"}]"#,
    ),
    (
        "VALKEY080",
        "56414c4b4559303830fe00000161023178ff36f3d3eda7d04a81",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":null,"value":"1x"}]"#,
    ),
    (
        "no SELECTDB",
        "524544495330303039000161023178ff66b83fcbda479e22",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":null,"value":"1x"}]"#,
    ),
    (
        "SAVE by redis 6.2.14",
        "524544495330303039fa0972656469732d76657206362e322e3134fa0a72656469732d62697473c040fa056374696d65c2a16d026bfa08757365642d6d656dc248500e00fa0c616f662d707265616d626c65c000fe00fb02010e016c010e0e0000000a0000000100000178fffc00d8c32cbb030000000161c001fe03fb01000b01730a02000000010000000100ff5696fedf9e073e5f",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":4102444800000,"value":"1"},{"db":0,"key":"l","type":"list","expires_at_ms":null,"value":["x"]},{"db":3,"key":"s","type":"set","expires_at_ms":null,"value":["1"]}]"#,
    ),
    (
        "SAVE by redis 7.0.15",
        "524544495330303130fa0972656469732d76657206372e302e3135fa0a72656469732d62697473c040fa056374696d65c26969026bfa08757365642d6d656dc2a8011800fa08616f662d62617365c000fe00fb0201fc00d8c32cbb030000000161c00112016c01020a0a0000000100817802fffe03fb01000b01730a02000000010000000100ffef62776f3a60f0ba",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":4102444800000,"value":"1"},{"db":0,"key":"l","type":"list","expires_at_ms":null,"value":["x"]},{"db":3,"key":"s","type":"set","expires_at_ms":null,"value":["1"]}]"#,
    ),
    (
        "SAVE by redis 8.6.3",
        "524544495330303133fa0972656469732d76657205382e362e33fa0a72656469732d62697473c040fa056374696d65c26969026bfa08757365642d6d656dc2384a1700fa08616f662d62617365c000fe00fb020112016c01020a0a0000000100817802fffc00d8c32cbb030000000161c001fe03fb01000b01730a02000000010000000100ff046b9a2aa04c0572",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":4102444800000,"value":"1"},{"db":0,"key":"l","type":"list","expires_at_ms":null,"value":["x"]},{"db":3,"key":"s","type":"set","expires_at_ms":null,"value":["1"]}]"#,
    ),
    (
        "SAVE by valkey 8.1.1",
        "524544495330303131fa0a76616c6b65792d76657205382e312e31fa0a72656469732d62697473c040fa056374696d65c26969026bfa08757365642d6d656dc250101800fa08616f662d62617365c000fe00fb0201fc00d8c32cbb030000000161c00112016c01020a0a0000000100817802fffe03fb01000b01730a02000000010000000100ff85f56371fefd3a2e",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":4102444800000,"value":"1"},{"db":0,"key":"l","type":"list","expires_at_ms":null,"value":["x"]},{"db":3,"key":"s","type":"set","expires_at_ms":null,"value":["1"]}]"#,
    ),
    (
        "SAVE by valkey 9.1.2",
        "56414c4b4559303830fa0a76616c6b65792d76657205392e312e32fa0a72656469732d62697473c040fa056374696d65c26969026bfa08757365642d6d656dc2580a1900fa08616f662d62617365c000fe00fb0201fc00d8c32cbb030000000161c00112016c01020a0a0000000100817802fffe03fb01000b01730a02000000010000000100ff983471575c4f76dc",
        r#"[{"db":0,"key":"a","type":"string","expires_at_ms":4102444800000,"value":"1"},{"db":0,"key":"l","type":"list","expires_at_ms":null,"value":["x"]},{"db":3,"key":"s","type":"set","expires_at_ms":null,"value":["1"]}]"#,
    ),
];

/// Case, file, the code of the first finding; none where a server's reasons lie outside the file.
const UNLOADED: &[(&str, &str, &str)] = &[
    ("v9 empty list skipped", "524544495330303039fe0001016c00000161023178ff802051fc978a6cd3", "rdb-empty-value"),
    ("bad crc", "524544495330303039fe00000161023178ff0101010101010101", "rdb-checksum-mismatch"),
    ("unknown opcode 240", "524544495330303039fe00f0000161023178ffd8578db3968471d3", "rdb-unknown-type"),
    ("type 8", "524544495330303039fe0008017800ff39efb379713dcf79", "rdb-unknown-type"),
    ("duplicate key", "524544495330303039fe00000161023178000161023178ff945f768807ff6fca", "rdb-duplicate-key"),
    ("empty intset", "524544495330303039fe000b016c080200000000000000000161023178ff41595bb3ae317ba9", "intset-empty"),
    (
        "VALKEY080 all fields expired",
        "56414c4b4559303830fe00160168010161023178e803000000000000000161023178ff6a3b4737ff5db17b",
        "",
    ),
    ("db 16", "524544495330303039fe10000161023178ff02de19ed802b693a", ""),
    (
        "module aux unknown ASNFZ4mrz",
        "524544495330303130f7810123456789abcdef0202020100fe00000161023178ffe8a77daf265957f8",
        "",
    ),
    ("module2 unknown", "524544495330303130fe0007016d810123456789abcdef020100000161023178ffc4260b35afa6c6c2", ""),
];

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap();
    (0..hexadecimal.len()).step_by(2).map(digit).collect()
}

#[test]
fn payloads_hold_what_servers_restored_from_them() {
    for (case, payload, expected) in PAYLOADS {
        let payload = bytes(payload);
        let (covered, sum) = payload.split_last_chunk::<8>().unwrap();
        assert_eq!(crc64::jones(covered), u64::from_le_bytes(*sum), "{case}");
        let (&[first, ref body @ ..], version) = covered.split_last_chunk::<2>().unwrap() else { panic!("{case}") };
        // Valkey counts its versions from 80.
        let dialect = if version[0] >= 80 { Dialect::Valkey } else { Dialect::Redis };
        let value_type = ValueType::from_byte(first, dialect).unwrap();
        let mut c = Cursor::new(body);
        skim(value_type, &mut c, Template::NONE, &Budget::default()).unwrap_or_else(|e| panic!("{case}: {e}"));
        assert!(c.is_empty(), "{case}: {} bytes left", c.rest().len());
        let value = ValueRef::new(value_type, body, 1);
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(described::value(&value).unwrap(), expected, "{case}");
        let mut problems = Vec::new();
        careen::check::value::Inspector::default().inspect(&value, &mut |problem| problems.push(problem));
        assert!(problems.is_empty(), "{case}: {problems:?}");
    }
}

#[test]
fn files_hold_what_servers_loaded_from_them() {
    for (case, file, expected) in FILES {
        let expected: Vec<Value> = serde_json::from_str(expected).unwrap();
        assert_eq!(described::image(&bytes(file)).unwrap(), expected, "{case}");
        assert_eq!(findings(&bytes(file)), Vec::<&str>::new(), "{case}");
    }
}

#[test]
fn what_servers_refuse_or_leave_out_is_found() {
    for (case, file, expected) in UNLOADED {
        assert_eq!(findings(&bytes(file)).first().copied().unwrap_or_default(), *expected, "{case}");
    }
}

fn findings(file: &[u8]) -> Vec<&'static str> {
    let report = careen::check::rdb::check(file, 0..file.len() as u64, &Default::default(), |_| {});
    report.findings.iter().map(|finding| finding.code).collect()
}

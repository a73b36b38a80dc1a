//! Snapshots and logs of the sample application, made of nothing but numbers: the same bytes at each run.

use careen::bytes::{crc64, lzf};
use careen::packed::listpack::Builder;
use careen::rdb::length;

/// How many messages a list node holds.
const IN_NODE: usize = 40;

/// Messages of a user's history.
pub(crate) fn history(user: usize, messages: usize) -> Vec<Vec<u8>> {
    let words = ["tide", "hull", "keel", "sail", "rope", "mast", "deck", "harbour", "careen", "barnacle"];
    let message = |n: usize| {
        let text: Vec<&str> =
            (0..4 + (user + n) % 9).map(|w| words[(user * 7 + n * 13 + w * w) % words.len()]).collect();
        format!(
            "{{\"from\":\"u{user:06}\",\"to\":\"u{:06}\",\"at\":{},\"text\":\"{}\"}}",
            n % 97,
            1_700_000_000 + n,
            text.join(" ")
        )
    };
    (0..messages).map(|n| message(n).into_bytes()).collect()
}

/// A listpack of these texts.
pub(crate) fn listpack_of(texts: &[Vec<u8>]) -> Vec<u8> {
    let mut builder = Builder::default();
    texts.iter().for_each(|text| builder.push(text));
    builder.finish()
}

/// Many small strings, every third of them an integer, every tenth with an expiry.
pub(crate) fn small(keys: usize) -> Vec<u8> {
    let mut image = Image::new(false);
    for n in 0..keys {
        if n % 10 == 0 {
            image.out.push(0xfc);
            image.out.extend_from_slice(&4_102_444_800_000u64.to_le_bytes());
        }
        image.key(0, &format!("key:{n:08}"));
        if n % 3 == 0 {
            image.out.push(0xc1);
            image.out.extend_from_slice(&u16::try_from(n % 32_768).unwrap().to_le_bytes());
        } else {
            image.string(format!("value of key {n}").as_bytes());
        }
    }
    image.finish()
}

/// Chats: per user a list of messages; and who is online, and since when.
pub(crate) fn chat(users: usize, pack: bool) -> Vec<u8> {
    let mut image = Image::new(pack);
    for user in 0..users {
        let messages = history(user, 20 + user % 100);
        image.key(18, &format!("chat_history:u{user:06}"));
        length::encode(messages.chunks(IN_NODE).count() as u64, &mut image.out);
        for node in messages.chunks(IN_NODE) {
            length::encode(2, &mut image.out);
            image.string(&listpack_of(node));
        }
        image.key(17, &format!("user_status:{user:06}"));
        let scores = (0..30).flat_map(|n| [format!("u{n:06}").into_bytes(), n.to_string().into_bytes()]);
        image.string(&listpack_of(&scores.collect::<Vec<_>>()));
    }
    image.key(2, "online_users");
    length::encode(users as u64, &mut image.out);
    (0..users).for_each(|user| image.string(format!("u{user:06}").as_bytes()));
    image.finish()
}

/// The same chats as a log.
pub(crate) fn log(users: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for user in 0..users {
        let name = format!("u{user:06}");
        careen::aof::writer::encode(&["SADD", "online_users", &name], &mut out);
        let list = format!("chat_history:{name}");
        for message in history(user, 20 + user % 100) {
            careen::aof::writer::encode(&[b"RPUSH", list.as_bytes(), &message], &mut out);
        }
        careen::aof::writer::encode(&["ZADD", "user_status", "1", &name], &mut out);
    }
    out
}

/// An image in the making.
struct Image {
    out: Vec<u8>,
    pack: bool,
}

impl Image {
    fn new(pack: bool) -> Self {
        Self { out: b"REDIS0011\xfe\x00".to_vec(), pack }
    }

    fn key(&mut self, value_type: u8, key: &str) {
        self.out.push(value_type);
        self.raw(key.as_bytes());
    }

    fn raw(&mut self, text: &[u8]) {
        length::encode(text.len() as u64, &mut self.out);
        self.out.extend_from_slice(text);
    }

    /// As a server with or without `rdbcompression` stores it.
    fn string(&mut self, text: &[u8]) {
        let mut packed = Vec::new();
        if self.pack && text.len() > 20 && lzf::compress(text, &mut packed).is_some() {
            self.out.push(0xc3);
            length::encode(packed.len() as u64, &mut self.out);
            length::encode(text.len() as u64, &mut self.out);
            self.out.extend_from_slice(&packed);
        } else {
            self.raw(text);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.out.push(0xff);
        let sum = crc64::jones(&self.out);
        self.out.extend_from_slice(&sum.to_le_bytes());
        self.out
    }
}

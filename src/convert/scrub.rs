//! Anonymisation, so that a dump can be sent with a bug report.
//!
//! Text is taken apart into tokens, runs of letters and digits. Each token becomes another one of the same length and
//! of the same kinds of characters; everything between tokens stays, so keys keep their shape, JSON stays JSON, hash
//! tags stay tags. The same token becomes the same everywhere, and different ones stay different: within a token, each
//! character is moved on within its kind by a number that depends on the characters before it, which can be undone by
//! one who knows the seed. The seed is made of the input itself, which the reader of the result does not have.
//!
//! Numbers that servers store as integers stay such, of the same width. Scores, times, ids and counters are kept.

use crate::packed;
use crate::rdb::encode::Walk;
use crate::rdb::object::{Consumer, Group, Idempotence, Producer, Tail};
use crate::rdb::{Element, Result};
use crate::value::number::canonical_int;
use crate::value::{Blob, Kind, Piece};

/// Replaces text by other text of the same shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scrubber {
    seed: u64,
}

/// The head of a `HyperLogLog`, which holds nothing that needs hiding.
const HLL_MAGIC: &[u8] = b"HYLL";
/// Words of JSON.
const LITERALS: [&[u8]; 3] = [b"true", b"false", b"null"];

impl Scrubber {
    /// Seeded by an input: its length and its last bytes, which hold the checksum.
    pub(crate) fn seeded_by(input: &[u8]) -> Self {
        const SAMPLE: usize = 1 << 20;
        let (head, tail) = (input.get(..SAMPLE), input.get(input.len().saturating_sub(SAMPLE)..));
        let head = xxhash_rust::xxh3::xxh3_64_with_seed(head.unwrap_or(input), input.len() as u64);
        Self { seed: xxhash_rust::xxh3::xxh3_64_with_seed(tail.unwrap_or(input), head) }
    }

    /// The other text.
    pub(crate) fn text(&self, text: &[u8]) -> Vec<u8> {
        if is_number(text) {
            return self.number(text);
        }
        if text.starts_with(HLL_MAGIC) {
            return text.to_vec();
        }
        let mut other = text.to_vec();
        for token in other.chunk_by_mut(|&a, &b| is_token(a) == is_token(b)) {
            if token.first().copied().is_some_and(is_token) && !LITERALS.contains(&&*token) {
                self.token(token);
                while LITERALS.contains(&&*token) {
                    self.token(token);
                }
            }
        }
        keep_escapes(text, &mut other);
        other
    }

    /// Another number with as many digits, an integer of the same stored width if this is one.
    fn number(&self, number: &[u8]) -> Vec<u8> {
        let kind = |text: &[u8]| canonical_int(text).map(width);
        let digits = usize::from(number.first() == Some(&b'-'));
        let mut other = number.to_vec();
        loop {
            self.token(other.get_mut(digits..).unwrap_or_default());
            // The digits go round in a circle that the number itself lies on, so this ends.
            if kind(&other) == kind(number) {
                return other;
            }
        }
    }

    fn token(&self, token: &mut [u8]) {
        let (mut state, mut before) = (self.seed, None);
        for byte in token {
            state = mix(state);
            let moved = moved_on(*byte, state, before);
            state ^= u64::from(*byte);
            before = Some(std::mem::replace(byte, moved));
        }
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Which of the widths of integers (LZF aside) a number takes: immediate, 8, 16, 24, 32, 64 bits.
fn width(number: i64) -> u8 {
    match number {
        0..=12 => 0,
        -128..=127 => 1,
        -4096..=4095 => 2,
        -0x8000..=0x7fff => 3,
        -0x80_0000..=0x7f_ffff => 4,
        -0x8000_0000..=0x7fff_ffff => 5,
        _ => 6,
    }
}

fn mix(state: u64) -> u64 {
    let state = (state ^ state >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (state ^ state >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93) ^ state >> 29
}

/// The byte so many places on among those of its kind. A leading digit that is not 0 stays so, and between digits an
/// `e`, which may be that of an exponent.
fn moved_on(byte: u8, by: u64, before: Option<u8>) -> u8 {
    let behind_digit = before.is_some_and(|before| before.is_ascii_digit());
    let (first, count): (u8, u64) = match byte {
        b'0' if before.is_none() => return byte,
        b'1'..=b'9' if before.is_none() => (b'1', 9),
        b'0'..=b'9' => (b'0', 10),
        b'e' | b'E' if behind_digit => return byte,
        b'a'..=b'z' => (b'a', 26),
        b'A'..=b'Z' => (b'A', 26),
        0x80..=0xbf => (0x80, 64),
        // What begins a character of UTF-8 says how long it is.
        _ => return byte,
    };
    // Behind a digit there is no `e` to become: the letters after it close up.
    let gap = behind_digit && byte.is_ascii_alphabetic();
    let e = 4u64;
    let count = if gap { count - 1 } else { count };
    let place = u64::from(byte.saturating_sub(first));
    let place = if gap && place > e { place.saturating_sub(1) } else { place };
    let moved = place.saturating_add(by.checked_rem(count).unwrap_or(0)).checked_rem(count).unwrap_or(0);
    let moved = if gap && moved >= e { moved.saturating_add(1) } else { moved };
    first.saturating_add(u8::try_from(moved).unwrap_or(0))
}

/// What must not change lest text stop being what it is: the characters behind a backslash, and the second byte of
/// those characters of UTF-8 for which not every byte will do.
fn keep_escapes(text: &[u8], other: &mut [u8]) {
    for (at, pair) in text.windows(2).enumerate() {
        let [before, byte] = *pair else { continue };
        if matches!(before, b'\\' | 0xe0 | 0xed | 0xf0 | 0xf4)
            && let Some(place) = other.get_mut(at.saturating_add(1))
        {
            *place = byte;
        }
        if (before, byte) == (b'\\', b'u') {
            let digits = at.saturating_add(2)..at.saturating_add(6);
            if let (Some(kept), Some(places)) = (text.get(digits.clone()), other.get_mut(digits)) {
                places.copy_from_slice(kept);
            }
        }
    }
}

/// A value with other text in the same places.
pub(crate) struct Scrubbed<'w, 'a> {
    pub(crate) inner: &'w mut dyn Walk<'a>,
    pub(crate) scrubber: Scrubber,
}

impl<'a> Walk<'a> for Scrubbed<'_, 'a> {
    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    fn walk(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> Result<()>) -> Result<()> {
        let scrubber = self.scrubber;
        self.inner.walk(&mut |element| match element {
            Element::Item(text) => visit(Element::Item(Piece::Passing(&scrubber.text(&text)))),
            Element::Member(text, expiry) => visit(Element::Member(Piece::Passing(&scrubber.text(&text)), expiry)),
            Element::Scored(text, score) => visit(Element::Scored(Piece::Passing(&scrubber.text(&text)), score)),
            Element::Slot(index, text) => visit(Element::Slot(index, Piece::Passing(&scrubber.text(&text)))),
            Element::Field { field, value, expiry } => {
                let (field, value) = (scrubber.text(&field), scrubber.text(&value));
                visit(Element::Field { field: Piece::Passing(&field), value: Piece::Passing(&value), expiry })
            }
            Element::Entry(id, fields) => {
                let text = |element: &packed::Element<'_>| scrubber.text(element.text(&mut itoa::Buffer::new()));
                let texts: Vec<Vec<u8>> = fields.iter().map(text).collect();
                let fields: Vec<packed::Element<'_>> = texts.iter().map(|text| packed::Element::Bytes(text)).collect();
                visit(Element::Entry(id, &fields))
            }
            Element::Tail(tail) => visit(Element::Tail(&scrubber.tail(tail))),
            other @ (Element::Module(_) | Element::Opaque(_) | Element::Json(_)) => visit(other),
        })
    }
}

impl Scrubber {
    fn tail<'t>(&self, tail: &Tail<'_>) -> Tail<'t> {
        let blob = |text: &Blob<'_>| Blob::from(self.text(text));
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
        let idempotence = |state: &Idempotence<'_>| Idempotence {
            producers: state.producers.iter().map(producer).collect(),
            ..*state
        };
        Tail {
            groups: tail.groups.iter().map(group).collect(),
            idempotence: tail.idempotence.as_ref().map(idempotence),
            ..*tail
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const SCRUBBER: Scrubber = Scrubber { seed: 0x1234_5678_9abc_def0 };

    fn scrubbed(text: &str) -> String {
        String::from_utf8(SCRUBBER.text(text.as_bytes())).unwrap()
    }

    #[test]
    fn the_shape_stays_and_the_words_do_not() {
        let text = r#"{"from":"alice","n":17,"ok":true,"x":1.5e3,"at":"2026-01-02","nl":"a\nb\u00e9"}"#;
        let other = scrubbed(text);
        assert_eq!(other.len(), text.len());
        let before: serde_json::Value = serde_json::from_str(text).unwrap();
        let after: serde_json::Value = serde_json::from_str(&other).unwrap();
        assert_eq!(before.as_object().unwrap().len(), after.as_object().unwrap().len());
        assert!(!other.contains("alice") && !other.contains("from") && other.contains("true"), "{other}");
    }

    #[test]
    fn the_same_word_is_the_same_everywhere() {
        let key = scrubbed("chat_history:alice");
        let member = scrubbed("alice");
        assert!(key.ends_with(&format!(":{member}")), "{key} {member}");
        let tagged = scrubbed("{alice}:inbox");
        assert!(tagged.starts_with(&format!("{{{member}}}:")));
    }

    #[test]
    fn text_stays_text_and_letters_of_other_scripts_change() {
        let other = scrubbed("Привет, мир! 你好 🎉");
        assert_ne!(other, "Привет, мир! 你好 🎉");
        assert_eq!(SCRUBBER.text(b"HYLL\x01abc"), b"HYLL\x01abc");
        assert_eq!(scrubbed("0"), "0");
    }

    proptest! {
        #[test]
        fn integers_stay_integers_of_the_same_width(number: i64, shift in 0..64u32) {
            let number = number >> shift;
            let text = SCRUBBER.text(number.to_string().as_bytes());
            let other = canonical_int(&text).unwrap();
            prop_assert_eq!(width(other), width(number));
            prop_assert_eq!(text.len(), number.to_string().len());
        }

        #[test]
        fn different_texts_stay_different(texts in prop::collection::hash_set("[a-c0-2:]{1,3}", 1..60)) {
            let mut seen: HashMap<Vec<u8>, String> = HashMap::new();
            for text in texts {
                let other = SCRUBBER.text(text.as_bytes());
                prop_assert_eq!(other.len(), text.len());
                if let Some(twin) = seen.insert(other, text.clone()) {
                    prop_assert!(false, "{} and {} became the same", twin, text);
                }
            }
        }

        #[test]
        fn utf8_stays_utf8(text: String) {
            prop_assert!(String::from_utf8(SCRUBBER.text(text.as_bytes())).is_ok());
        }
    }
}

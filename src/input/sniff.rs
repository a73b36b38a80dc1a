//! What a file is, by its content.
//!
//! | content       | begins with                                                                             |
//! | ------------- | --------------------------------------------------------------------------------------- |
//! | RDB           | `REDIS` or `VALKEY` and digits to the ninth byte                                        |
//! | AOF, preamble | the same, with the AUX field `aof-preamble` 1, or with records behind the image's end   |
//! | AOF           | `*` and a number, or `#`                                                                |
//! | manifest      | after `#` lines, a line of pairs with a `file` among them                               |
//!
//! A file whose beginning is damaged is still told: by a magic of which a few bytes are wrong, or by commands further in.
//! A damaged image is a preamble when commands stand where an image can end.

use crate::aof::Manifest;
use crate::aof::resync::is_chain;
use crate::bytes::Budget;
use crate::rdb;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Nothing at all.
    Empty,
    /// An RDB image.
    Rdb,
    /// The RDB image of a Dragonfly set that holds no keys.
    DragonflySummary,
    /// Commands, possibly behind an RDB image.
    Aof {
        /// True when an RDB image comes first.
        preamble: bool,
    },
    /// The manifest of a multi-part AOF.
    Manifest,
    /// Nothing we know.
    Unknown,
}

/// How far into a file of unknown beginning commands are looked for.
const SEARCH: usize = 1 << 20;

/// The most that names and AUX fields may take while we look what a file is.
pub(super) const NAMES: u64 = 1 << 20;

/// A name that takes more when decompressed is no genuine one.
const LONGEST_NAME: u64 = 64 << 20;

/// What a file holds.
#[must_use]
pub fn sniff(bytes: &[u8]) -> Content {
    match bytes.first() {
        None => Content::Empty,
        _ if rdb::Reader::new(bytes).is_ok() => image(bytes),
        Some(b'*') if is_count(bytes) => Content::Aof { preamble: false },
        _ if looks_like_manifest(bytes) => Content::Manifest,
        Some(b'#') => Content::Aof { preamble: false },
        _ if is_damaged_magic(bytes) && !follows_an_image(bytes) => Content::Rdb,
        _ if has_commands(bytes) => Content::Aof { preamble: has_fields(bytes) && follows_an_image(bytes) },
        _ if is_damaged_magic(bytes) => Content::Aof { preamble: true },
        _ => Content::Unknown,
    }
}

/// Where the RDB image that begins the file ends, its checksum included.
///
/// # Errors
/// Where the image is damaged.
pub fn image_end(bytes: &[u8]) -> rdb::error::Result<u64> {
    let mut reader = rdb::Reader::new(bytes)?.with_budget(&Budget::new(LONGEST_NAME));
    while reader.next_record()?.is_some() {}
    Ok(reader.offset())
}

/// A bare image, or the preamble of a log?
fn image(bytes: &[u8]) -> Content {
    let mut preamble = false;
    let (mut dragonfly, mut shards) = (false, false);
    if let Ok(reader) = rdb::Reader::new(bytes) {
        let mut reader = reader.with_budget(&Budget::new(NAMES));
        while let Ok(Some(rdb::Record::Aux { name, value, .. })) = reader.next_record() {
            match &*name {
                b"aof-preamble" => preamble = &*value == b"1",
                b"df-ver" => dragonfly = true,
                b"shard-count" => shards = true,
                _ => {}
            }
        }
    }
    if dragonfly && shards && is_bare(bytes) && !has_keys(bytes) {
        return Content::DragonflySummary;
    }
    // Only a file that does not end like an image is worth finding the end of the image for.
    if preamble || (!is_bare(bytes) && has_tail(bytes)) { Content::Aof { preamble: true } } else { Content::Rdb }
}

/// The opcode of the end where it has to be: before a checksum, or last in files without one.
fn is_bare(bytes: &[u8]) -> bool {
    let at = |back: usize| bytes.len().checked_sub(back).and_then(|at| bytes.get(at)).copied();
    at(9) == Some(0xff) || at(1) == Some(0xff)
}

fn has_keys(bytes: &[u8]) -> bool {
    let Ok(reader) = rdb::Reader::new(bytes) else { return false };
    let mut reader = reader.with_budget(&Budget::new(NAMES));
    loop {
        match reader.next_record() {
            Ok(Some(rdb::Record::Key(_) | rdb::Record::Compressed(_) | rdb::Record::Chunk { .. })) => return true,
            Ok(Some(_)) => {}
            _ => return false,
        }
    }
}

/// Commands or annotations behind the image's end.
fn has_tail(bytes: &[u8]) -> bool {
    match image_end(bytes) {
        Ok(end) => {
            let behind = usize::try_from(end).ok().and_then(|end| bytes.get(end..));
            matches!(behind, Some([b'*' | b'#', ..]))
        }
        Err(_) => follows_an_image(bytes),
    }
}

/// Commands that stand where an image can end: behind an end mark and a checksum.
fn follows_an_image(bytes: &[u8]) -> bool {
    let is_marked = |&at: &usize| at.checked_sub(IMAGE_TAIL).and_then(|mark| bytes.get(mark)) == Some(&0xff);
    memchr::memchr2_iter(b'*', b'#', bytes).filter(is_marked).any(|at| is_chain(bytes, at))
}

/// The end mark and the checksum.
const IMAGE_TAIL: usize = 9;

/// A field that servers write at the beginning of every image.
fn has_fields(bytes: &[u8]) -> bool {
    let front = bytes.get(..FIELDS).unwrap_or(bytes);
    FRONT_FIELDS.iter().any(|name| memchr::memmem::find(front, name).is_some())
}

const FIELDS: usize = 1024;
const FRONT_FIELDS: [&[u8]; 4] = [b"aof-preamble", b"redis-ver", b"valkey-ver", b"redis-bits"];

/// `*` and what a loader takes for a number, however sloppy.
fn is_count(bytes: &[u8]) -> bool {
    matches!(bytes, [b'*'] | [b'*', b'0'..=b'9' | b'+' | b'-' | b' ', ..])
}

fn looks_like_manifest(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let Some(first) = first.filter(|line| line.len() < 2048) else { return false };
    let starts = |word: &[u8]| {
        let rest = first.get(..word.len()).filter(|head| head.eq_ignore_ascii_case(word));
        rest.is_some() && first.get(word.len()).is_some_and(u8::is_ascii_whitespace)
    };
    if starts(b"file") {
        return true;
    }
    (starts(b"seq") || starts(b"type")) && !Manifest::scan(&[first, b"\n"].concat()).0.entries.is_empty()
}

/// Six of the nine bytes of a header are as they should be.
fn is_damaged_magic(bytes: &[u8]) -> bool {
    let Some(head) = bytes.first_chunk::<9>() else { return false };
    let right = |magic: &[u8]| {
        let letters = head.iter().zip(magic).filter(|(byte, letter)| byte == letter).count();
        let digits = head.iter().skip(magic.len()).filter(|byte| byte.is_ascii_digit()).count();
        letters.saturating_add(digits)
    };
    right(b"REDIS") >= 6 || right(b"VALKEY") >= 6
}

/// A few whole commands in a row somewhere near the beginning.
fn has_commands(bytes: &[u8]) -> bool {
    let window = bytes.get(..SEARCH).unwrap_or(bytes);
    memchr::memchr_iter(b'*', window).any(|at| is_chain(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AOF: Content = Content::Aof { preamble: false };

    /// Header, optional AUX, end, no checksum: version 4 has none.
    fn image_of(aux: &[(&str, &str)]) -> Vec<u8> {
        let mut image = b"REDIS0004".to_vec();
        for (name, value) in aux {
            image.push(0xfa);
            for text in [name, value] {
                image.push(u8::try_from(text.len()).unwrap());
                image.extend_from_slice(text.as_bytes());
            }
        }
        image.push(0xff);
        image
    }

    /// Each of these might be the first of a log, and reading it leads to the end: read one by one, they took minutes.
    #[test]
    fn ends_of_images_by_the_thousand_take_no_time() {
        let beginning: &[u8] = b"$16\r\n\xff12345678*999999\r\n";
        let bytes = [b"REDIX0009".as_slice(), &beginning.repeat(100_000)].concat();
        let begun = std::time::Instant::now();
        assert_ne!(sniff(&bytes), Content::Empty);
        assert_ne!(sniff(&[b"unknown", &bytes[..]].concat()), Content::Empty);
        assert!(begun.elapsed().as_secs() < 20);
    }

    #[test]
    fn files_are_told_by_their_content() {
        for (bytes, content) in [
            (&b""[..], Content::Empty),
            (b"*", AOF),
            (b"*2\r\n$6\r\n", AOF),
            (b"* 3\r\n", AOF),
            (b"#TS:1\r\n", AOF),
            (b"#TS:1\r\n*1\r\n$4\r\nPING\r\n", AOF),
            (b"file a seq 1 type b\n", Content::Manifest),
            (b"# note\n FILE a seq 1 type b\r\n", Content::Manifest),
            (b"seq 1 file a type b\n", Content::Manifest),
            (b"seq 1\n", Content::Unknown),
            (b"filename\n", Content::Unknown),
            (b"*bold* text", Content::Unknown),
            (b"hello", Content::Unknown),
            (b"REDIS", Content::Unknown),
            (b"REDIS0011", Content::Rdb),
            (b"VALKEY080", Content::Rdb),
            (b"RED\0S0011\xfa", Content::Rdb),
            (b"RXDXS0x11\xfa", Content::Rdb),
            (&[0; 100], Content::Unknown),
        ] {
            assert_eq!(sniff(bytes), content, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn an_image_with_commands_behind_it_is_a_log() {
        let bare = image_of(&[("aof-base", "1")]);
        assert_eq!(sniff(&bare), Content::Rdb);
        assert_eq!(image_end(&bare).unwrap(), bare.len() as u64);
        let tail = b"*1\r\n$4\r\nPING\r\n";
        assert_eq!(sniff(&[&bare[..], tail].concat()), Content::Aof { preamble: true });
        assert_eq!(sniff(&[&bare[..], b"garbage"].concat()), Content::Rdb);
        assert_eq!(sniff(&image_of(&[("aof-preamble", "1")])), Content::Aof { preamble: true });
        assert_eq!(sniff(&image_of(&[("aof-preamble", "0")])), Content::Rdb);
    }

    #[test]
    fn a_preamble_is_told_wherever_it_is_damaged() {
        let mut image = b"REDIS0009\xfa\x09redis-ver\x057.2.0\xfa\x0caof-preamble\xc0\x01".to_vec();
        image.extend_from_slice(b"\xfe\0\xfb\x01\0\0\x03key\x05value\xff12345678");
        let log = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
        for hit in 0..image.len() - 9 {
            for len in [1, 9] {
                let mut bad = image.clone();
                bad.iter_mut().take(image.len() - 9).skip(hit).take(len).for_each(|byte| *byte ^= 0x41);
                let content = sniff(&[&bad[..], log].concat());
                assert_eq!(content, Content::Aof { preamble: true }, "{len} at {hit}");
            }
        }
        assert_eq!(sniff(&[&image[..20], &[0; 30], log].concat()), Content::Rdb, "no image ends there");
        assert_eq!(sniff(&[b"xx", &log[..]].concat()), AOF);
    }

    #[test]
    fn a_dragonfly_summary_is_told_from_a_shard() {
        assert_eq!(sniff(&image_of(&[("df-ver", "1"), ("shard-count", "2")])), Content::DragonflySummary);
        assert_eq!(sniff(&image_of(&[("df-ver", "1")])), Content::Rdb);
    }

    #[test]
    fn a_log_with_a_damaged_beginning_is_still_a_log() {
        let commands = b"*1\r\n$4\r\nPING\r\n".repeat(4);
        for garbage in [&b"\xfe\x00*garbage"[..], &[0; 4096], b"1\r\n$4\r\nPING\r\n"] {
            assert_eq!(sniff(&[garbage, &commands].concat()), AOF);
        }
        assert_eq!(sniff(b"xx*1\r\n$4\r\nPING\r\nxx"), Content::Unknown);
    }
}

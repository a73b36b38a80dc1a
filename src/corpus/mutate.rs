//! Changes that fuzzers make: to the bytes, to the bytes with what guards them made right again, and to the fields.
//!
//! A change of bytes alone is caught by the checksum, and one of a count by the next length. So most changes are made
//! to the tree of a file ([`super::tree`]), which is written with all that right, and some of the others are put right
//! as `corpus fix` does it.

use super::random::Random;
use super::tree::{self, Entry, Image, Kind, Log, Node, Record, Tree};

/// Changes some bytes in place, so that at most so many are left.
pub type Bytes<'m> = dyn FnMut(&mut Vec<u8>, usize) + 'm;

/// A changed field grows no longer than this.
const LONGEST_FIELD: usize = 512;

/// One change to a file of `kind`.
#[must_use]
pub fn mutate(kind: Kind, data: &[u8], most: usize, random: &mut Random, bytes: &mut Bytes<'_>) -> Vec<u8> {
    let choice = random.below(8);
    let mut changed = match choice {
        0..=2 => {
            let mut changed = data.to_vec();
            bytes(&mut changed, most);
            match choice {
                0 => changed,
                1 => tree::fix_checksum(kind, &changed),
                _ => tree::fix(kind, &changed),
            }
        }
        _ => {
            let mut tree = Tree::read(kind, data);
            for _ in 0..=random.below(3) {
                change(&mut tree, random, bytes);
            }
            tree.write()
        }
    };
    changed.truncate(most);
    changed
}

/// Parts of one file and parts of another.
#[must_use]
pub fn cross(kind: Kind, one: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    match (Tree::read(kind, one), Tree::read(kind, other)) {
        (Tree::Image(mut image), Tree::Image(other)) => {
            splice(&mut image.records, &other.records, random);
            image.write()
        }
        (Tree::Log(mut log), Tree::Log(other)) => {
            splice(&mut log.entries, &other.entries, random);
            log.write()
        }
        (Tree::Payload(mut payload), Tree::Payload(other)) => {
            payload.value_type = other.value_type;
            splice(&mut payload.fields, &other.fields, random);
            payload.write()
        }
        (tree, _) => tree.write(),
    }
}

/// Put a run of `other` somewhere into `list`.
fn splice<T: Clone>(list: &mut Vec<T>, other: &[T], random: &mut Random) {
    let at = random.below(list.len().saturating_add(1));
    let from = random.below(other.len());
    let run = other.get(from..).unwrap_or_default();
    let len = random.below(run.len().min(8)).saturating_add(1).min(run.len());
    list.splice(at..at, run.iter().take(len).cloned());
}

fn change(tree: &mut Tree, random: &mut Random, bytes: &mut Bytes<'_>) {
    match tree {
        Tree::Image(image) => change_image(image, random, bytes),
        Tree::Payload(payload) => match random.below(16) {
            0 => payload.value_type = random.byte() % 34,
            1 => payload.version = u16::from(random.byte() % 90),
            _ => change_fields(&mut payload.fields, random, bytes),
        },
        Tree::Log(log) => change_log(log, random, bytes),
    }
}

fn change_image(image: &mut Image, random: &mut Random, bytes: &mut Bytes<'_>) {
    match random.below(12) {
        0 => rearrange(&mut image.records, random),
        1 => change_log(&mut image.log, random, bytes),
        2 => {
            let opcode = random.byte();
            let at = random.below(image.records.len());
            if let Some(record) = image.records.get_mut(at) {
                record.opcode = opcode;
            }
        }
        3 => {
            let versions = [*b"REDIS0003", *b"REDIS0006", *b"REDIS0009", *b"REDIS0012", *b"REDIS0014", *b"VALKEY080"];
            image.header = versions.get(random.below(versions.len())).copied().unwrap_or(image.header);
        }
        _ => {
            let at = random.below(image.records.len());
            if let Some(Record { fields, .. }) = image.records.get_mut(at) {
                change_fields(fields, random, bytes);
            }
        }
    }
}

fn change_log(log: &mut Log, random: &mut Random, bytes: &mut Bytes<'_>) {
    if random.once_in(4) {
        return rearrange(&mut log.entries, random);
    }
    let at = random.below(log.entries.len());
    match log.entries.get_mut(at) {
        Some(Entry::Command(words)) => {
            if random.once_in(4) {
                return rearrange(words, random);
            }
            let which = random.below(words.len());
            if let Some(word) = words.get_mut(which) {
                bytes(word, LONGEST_FIELD);
            }
        }
        Some(Entry::Line(line)) => {
            bytes(line, LONGEST_FIELD);
            // A line is one line and begins as one.
            line.retain(|&byte| byte != b'\n');
            line.splice(0..0, (!line.starts_with(b"#")).then_some(b'#'));
        }
        None => {}
    }
}

/// Repeat, leave out, or exchange something of a list.
fn rearrange<T: Clone>(list: &mut Vec<T>, random: &mut Random) {
    let (one, other) = (random.below(list.len()), random.below(list.len()));
    let Some(item) = list.get(one).cloned() else { return };
    match random.below(4) {
        0 => drop(list.remove(one)),
        1 => list.swap(one, other),
        _ => list.insert(other, item),
    }
}

/// Numbers at which formats change their mind.
const NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    0x3f,
    0x40,
    0x7f,
    0x80,
    0xff,
    0x3fff,
    0x4000,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 32,
    1 << 63,
    u64::MAX,
];

/// Change one field, wherever it is nested.
fn change_fields(fields: &mut [Node], random: &mut Random, bytes: &mut Bytes<'_>) {
    let at = random.below(fields.len());
    let Some(field) = fields.get_mut(at) else { return };
    match field {
        Node::Number(number) => match random.below(3) {
            0 => *number = NUMBERS.get(random.below(NUMBERS.len())).copied().unwrap_or(0),
            1 => *number = number.wrapping_add(1),
            _ => *number = number.wrapping_sub(1),
        },
        Node::Fixed { bytes: field, .. } | Node::Opaque(field) | Node::Score(field) => bytes(field, LONGEST_FIELD),
        Node::Text { bytes: field, form } => {
            if random.once_in(8) {
                *form = other_form(*form);
            } else {
                bytes(field, LONGEST_FIELD);
            }
        }
        Node::Blob { items, form, .. } => match random.below(8) {
            0 => *form = other_form(*form),
            1..=3 => rearrange(items, random),
            _ => {
                let at = random.below(items.len());
                match items.get_mut(at) {
                    Some(item) => bytes(item, LONGEST_FIELD),
                    None => items.push(vec![random.byte()]),
                }
            }
        },
        Node::Many { groups, .. } => {
            if random.once_in(3) {
                return rearrange(groups, random);
            }
            let at = random.below(groups.len());
            if let Some(group) = groups.get_mut(at) {
                change_fields(group, random, bytes);
            }
        }
    }
}

fn other_form(form: tree::Form) -> tree::Form {
    match form {
        tree::Form::Raw => tree::Form::Lzf,
        tree::Form::Lzf => tree::Form::Integer,
        tree::Form::Integer => tree::Form::Raw,
    }
}

/// Changes of bytes as fuzzers make them, for where there is no fuzzer.
pub fn scramble(random: &mut Random, data: &mut Vec<u8>, most: usize) {
    let at = random.below(data.len());
    let len = random.below(data.len().saturating_sub(at).min(32));
    let end = at.saturating_add(len);
    match random.below(8) {
        0 | 1 => {
            let bit = 1u8 << random.below(8);
            data.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit);
        }
        2 => {
            let new = random.byte();
            data.iter_mut().skip(at).take(1).for_each(|byte| *byte = new);
        }
        3 => data.truncate(at),
        4 => data.insert(at, random.byte()),
        5 => drop(data.drain(at..end)),
        6 => {
            let block = data.get(at..end).unwrap_or_default().to_vec();
            data.splice(at..at, block);
        }
        _ => {
            let number = NUMBERS.get(random.below(NUMBERS.len())).copied().unwrap_or(0);
            let width = 1usize << random.below(4);
            let bytes = if random.once_in(2) { number.to_le_bytes() } else { number.rotate_left(32).to_be_bytes() };
            data.iter_mut().skip(at).zip(bytes.iter().take(width)).for_each(|(place, &byte)| *place = byte);
        }
    }
    data.truncate(most);
}

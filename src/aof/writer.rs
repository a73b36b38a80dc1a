//! The mirror of the reader: commands and annotations, byte for byte as servers write them.

use crate::value::json::natural;
use std::io::{self, Write};

/// Append a command. A command without arguments does not exist; nothing is appended for one.
pub fn encode(argv: &[impl AsRef<[u8]>], out: &mut Vec<u8>) {
    if argv.is_empty() {
        return;
    }
    count(argv.len(), out);
    argv.iter().for_each(|argument| word(argument.as_ref(), out));
}

/// Append the beginning of a command: how many words follow.
#[inline]
pub(crate) fn count(words: usize, out: &mut Vec<u8>) {
    out.push(b'*');
    natural(words as u64, out);
    out.extend_from_slice(b"\r\n");
}

/// Append one word of a command.
#[inline]
pub(crate) fn word(text: &[u8], out: &mut Vec<u8>) {
    length(text.len(), out);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

/// Append what stands before the bytes of a word.
#[inline]
pub(crate) fn length(len: usize, out: &mut Vec<u8>) {
    out.push(b'$');
    natural(len as u64, out);
    out.extend_from_slice(b"\r\n");
}

/// Append the annotation that tells the time, in Unix seconds.
pub fn encode_timestamp(seconds: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"#TS:");
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes a log to a stream.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    scratch: Vec<u8>,
    written: u64,
}

impl<W: Write> Writer<W> {
    /// A writer on a stream, which should have a buffer: there is one write per record.
    pub fn new(out: W) -> Self {
        Self { out, scratch: Vec::new(), written: 0 }
    }

    /// How many bytes were written: the offset of the next record, for a stream that began empty.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Write a command.
    ///
    /// # Errors
    /// When the stream refuses it, or when `argv` is empty.
    pub fn command(&mut self, argv: &[impl AsRef<[u8]>]) -> io::Result<()> {
        if argv.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a command has a name"));
        }
        encode(argv, &mut self.scratch);
        self.flush_scratch()
    }

    /// Write the annotation that tells the time, in Unix seconds.
    ///
    /// # Errors
    /// When the stream refuses it.
    pub fn timestamp(&mut self, seconds: i64) -> io::Result<()> {
        encode_timestamp(seconds, &mut self.scratch);
        self.flush_scratch()
    }

    /// Write an annotation: what follows the `#` of its line.
    ///
    /// # Errors
    /// When the stream refuses it, or when it is longer than a line that servers read or has a line end in it.
    pub fn annotation(&mut self, text: &[u8]) -> io::Result<()> {
        let room = super::frame::LINE_MAX.saturating_sub(3);
        if text.len() > room || text.contains(&b'\n') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an annotation is one line of at most 1023 bytes"));
        }
        self.scratch.push(b'#');
        self.scratch.extend_from_slice(text);
        self.scratch.extend_from_slice(b"\r\n");
        self.flush_scratch()
    }

    /// Copy records as they stand.
    ///
    /// # Errors
    /// When the stream refuses them.
    pub fn raw(&mut self, records: &[u8]) -> io::Result<()> {
        self.out.write_all(records)?;
        self.written = self.written.saturating_add(records.len() as u64);
        Ok(())
    }

    /// The stream, after everything is in it.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn flush_scratch(&mut self) -> io::Result<()> {
        let done = self.out.write_all(&self.scratch);
        if done.is_ok() {
            self.written = self.written.saturating_add(self.scratch.len() as u64);
        }
        self.scratch.clear();
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aof::{Reader, Record};
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Entry {
        Command(Vec<Vec<u8>>),
        Annotation(Vec<u8>),
        Time(i64),
    }

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let argument = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..30),
            (0..1200_usize).prop_map(|len| vec![b'x'; len]),
            Just(b"\r\n*1\r\n$4\r\nPING\r\n".to_vec()),
        ];
        let entry = prop_oneof![
            8 => prop::collection::vec(argument, 1..14).prop_map(Entry::Command),
            1 => "[^\n]{0,200}".prop_map(|text| Entry::Annotation(text.into_bytes())),
            1 => any::<i64>().prop_map(Entry::Time),
        ];
        prop::collection::vec(entry, 0..12)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(entries in entries()) {
            let mut writer = Writer::new(Vec::new());
            let mut offsets = Vec::new();
            for entry in &entries {
                offsets.push(writer.written());
                match entry {
                    Entry::Command(argv) => writer.command(argv).unwrap(),
                    Entry::Annotation(text) => writer.annotation(text).unwrap(),
                    Entry::Time(seconds) => writer.timestamp(*seconds).unwrap(),
                }
            }
            let log = writer.into_inner();
            for mut reader in [Reader::new(&log), Reader::new(&log).lenient()] {
                for (entry, &offset) in entries.iter().zip(&offsets) {
                    match (entry, reader.next_record().unwrap().unwrap()) {
                        (Entry::Command(argv), Record::Command(read)) => {
                            prop_assert_eq!(argv, &read.argv.to_vec());
                            prop_assert_eq!(read.offset, offset);
                            prop_assert!(read.tolerated.is_nothing());
                        }
                        (Entry::Annotation(text), Record::Annotation(read)) => prop_assert_eq!(text, read.text),
                        (Entry::Time(time), Record::Annotation(read)) => prop_assert_eq!(read.timestamp(), Some(*time)),
                        other => prop_assert!(false, "{:?}", other),
                    }
                }
                prop_assert_eq!(reader.next_record().unwrap(), None);
                prop_assert_eq!(reader.offset(), log.len() as u64);
            }
        }
    }

    #[test]
    fn what_cannot_be_read_back_is_not_written() {
        let mut writer = Writer::new(Vec::new());
        assert!(writer.command(&[] as &[&[u8]]).is_err());
        assert!(writer.annotation(b"two\nlines").is_err());
        assert!(writer.annotation(&[b'x'; 1021]).is_err());
        assert_eq!(writer.written(), 0);
        writer.annotation(&[b'x'; 1020]).unwrap();
        let log = writer.into_inner();
        assert!(matches!(Reader::new(&log).next_record(), Ok(Some(Record::Annotation(a))) if a.text.len() == 1020));
        let mut out = Vec::new();
        encode(&[] as &[&[u8]], &mut out);
        assert!(out.is_empty());
    }
}

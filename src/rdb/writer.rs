//! Records to a file: the mirror of the reader.
//!
//! Records that stand before the keys (AUX fields, functions, module data) may be written at any time, as the reader
//! takes them anywhere; servers write them first. A database is selected when the first record of it comes.

use std::io;

use super::FIRST_WITH_CHECKSUM;
use super::encode::Encoder;
use super::length;
use super::object::ModuleId;
use super::opcode;
use super::reader::Header;
use super::target::Target;
use crate::bytes::sink::Sink;
use crate::value::DbIndex;

/// Writes one RDB image.
#[derive(Debug)]
pub struct Writer<W> {
    sink: Sink<W>,
    encoder: Encoder,
    db: Option<DbIndex>,
}

impl<W: io::Write> Writer<W> {
    /// Write the header of an image for a target.
    pub fn new(stream: W, target: Target) -> Self {
        Self::on(Sink::summed(stream), target)
    }

    /// The same through a sink that sums.
    pub fn on(mut sink: Sink<W>, target: Target) -> Self {
        sink.put(&target.header());
        Self { sink, encoder: Encoder::new(target, true), db: None }
    }

    /// What it is written for.
    #[must_use]
    pub fn target(&self) -> &Target {
        self.encoder.target()
    }

    /// Write a named value about the file, where the target has such records.
    pub fn aux(&mut self, name: &[u8], value: &[u8]) {
        if !self.target().accepts_opcode(opcode::AUX) {
            return;
        }
        let encoder = &mut self.encoder;
        self.sink.put_with(|out| {
            out.push(opcode::AUX);
            encoder.string(name, out);
            encoder.string(value, out);
        });
    }

    /// Write a function library's source.
    pub fn function(&mut self, code: &[u8]) {
        let encoder = &mut self.encoder;
        self.sink.put_with(|out| {
            out.push(opcode::FUNCTION2);
            encoder.string(code, out);
        });
    }

    /// Write a module's data outside the keys: its stream of opcodes, end mark included. `when` is 1 before the keys,
    /// 2 behind them.
    pub fn module_aux(&mut self, when: u64, id: ModuleId, stream: &[u8]) {
        self.sink.put_with(|out| {
            out.push(opcode::MODULE_AUX);
            length::encode(id.0, out);
            length::encode(2, out);
            length::encode(when, out);
        });
        self.sink.put(stream);
    }

    /// Select a database, unless it is selected.
    #[inline]
    pub fn select(&mut self, db: DbIndex) {
        if self.db != Some(db) {
            self.db = Some(db);
            self.sink.put_with(|out| {
                out.push(opcode::SELECTDB);
                length::encode(db.0.into(), out);
            });
        }
    }

    /// Say how many keys the selected database has, where the target has such records.
    pub fn resize(&mut self, keys: u64, expires: u64) {
        if self.target().accepts_opcode(opcode::RESIZEDB) {
            self.sink.put_with(|out| {
                out.push(opcode::RESIZEDB);
                length::encode(keys, out);
                length::encode(expires, out);
            });
        }
    }

    /// Write records of keys, or a piece of one, as they are.
    #[inline]
    pub fn raw(&mut self, db: DbIndex, records: &[u8]) {
        self.select(db);
        self.sink.put(records);
    }

    /// Bytes so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.sink.written()
    }

    /// Report an error of the stream, if there was one.
    ///
    /// # Errors
    /// What the stream refused first.
    pub fn settle(&mut self) -> io::Result<()> {
        self.sink.settle()
    }

    /// Write the end mark and the checksum. Gives the stream back, and the length of the image.
    ///
    /// # Errors
    /// What the stream refused first.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        self.sink.put(&[opcode::EOF]);
        if self.target().version >= FIRST_WITH_CHECKSUM {
            let sum = self.sink.sum();
            self.sink.put(&sum.to_le_bytes());
        }
        self.sink.finish()
    }
}

const _: () = assert!(Header::LEN == 9);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rdb::{Reader, Record};

    #[test]
    fn an_image_is_that_of_a_server_to_the_byte() {
        // SAVE by redis 7.0.15: db 0 `a` = 1 (expires 4102444800000), `l` = [x]; db 3 `s` = {1}.
        let saved = unhex(
            "524544495330303130fa0972656469732d76657206372e302e3135fa0a72656469732d62697473c040fa056374696d65c2696902\
             6bfa08757365642d6d656dc2a8011800fa08616f662d62617365c000fe00fb0201fc00d8c32cbb030000000161c00112016c0102\
             0a0a0000000100817802fffe03fb01000b01730a02000000010000000100ffef62776f3a60f0ba",
        );
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, Target::named("redis-7.0").unwrap());
        let mut reader = Reader::new(&saved).unwrap();
        while let Some(record) = reader.next_record().unwrap() {
            match record {
                Record::Aux { name, value, .. } => writer.aux(&name, &value),
                Record::SelectDb { db, .. } => writer.select(db),
                Record::ResizeDb { keys, expires, .. } => writer.resize(keys, expires),
                Record::Key(key) => writer.raw(key.db, key.raw),
                _ => {}
            }
        }
        assert_eq!(writer.finish().unwrap().1, saved.len() as u64);
        assert_eq!(out, saved);
    }

    #[test]
    fn an_empty_image_is_header_end_and_checksum() {
        let mut out = Vec::new();
        Writer::new(&mut out, Target::named("valkey-9").unwrap()).finish().unwrap();
        assert_eq!(out.len(), 9 + 1 + 8);
        assert_eq!(&out[..10], b"VALKEY080\xff");
    }

    fn unhex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }
}

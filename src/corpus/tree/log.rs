//! RESP commands and annotations.

use super::payload::Payload;
use crate::aof;

/// One thing in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A command and its arguments.
    Command(Vec<Vec<u8>>),
    /// A line that begins with `#`, without its end.
    Line(Vec<u8>),
}

/// A log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// What is in it, in order.
    pub entries: Vec<Entry>,
}

impl Log {
    /// The commands of any bytes.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut rest = Rest(bytes);
        let mut entries = Vec::new();
        while let Some(&first) = rest.0.first() {
            match first {
                b'*' => entries.extend(rest.command().map(Entry::Command)),
                b'#' => entries.push(Entry::Line(rest.line().to_vec())),
                _ => rest.resume(),
            }
        }
        Self { entries }
    }

    /// The log. What is restored in it has its checksum made right, too.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for entry in &self.entries {
            match entry {
                Entry::Line(line) => {
                    out.extend_from_slice(line);
                    out.extend_from_slice(b"\r\n");
                }
                Entry::Command(words) => match words.as_slice() {
                    [name, _, _, payload, ..] if name.eq_ignore_ascii_case(b"RESTORE") => {
                        let mut words = words.clone();
                        let payload = Payload::read(payload).write();
                        words.iter_mut().skip(3).take(1).for_each(|word| word.clone_from(&payload));
                        aof::writer::encode(&words, &mut out);
                    }
                    _ => aof::writer::encode(words, &mut out),
                },
            }
        }
        out
    }
}

struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    /// Up to the end of the line, which is stepped over.
    fn line(&mut self) -> &'b [u8] {
        let end = memchr::memchr(b'\n', self.0).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at_checked(end).unwrap_or((self.0, &[]));
        self.0 = rest.get(1..).unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// To the next byte that may begin something.
    fn resume(&mut self) {
        let behind = self.0.get(1..).unwrap_or_default();
        let next = memchr::memchr2(b'*', b'#', behind).unwrap_or(behind.len());
        self.0 = behind.get(next..).unwrap_or_default();
    }

    /// As many arguments as there are of those announced.
    fn command(&mut self) -> Option<Vec<Vec<u8>>> {
        let announced = digits(self.line());
        let mut words = Vec::new();
        while self.0.first() == Some(&b'$') && (words.len() as u64) < announced {
            let len = digits(self.line());
            let len = usize::try_from(len).unwrap_or(usize::MAX).min(self.0.len());
            let (word, rest) = self.0.split_at_checked(len).unwrap_or((self.0, &[]));
            words.push(word.to_vec());
            self.0 = rest.strip_prefix(b"\r\n").unwrap_or(rest);
        }
        (!words.is_empty()).then_some(words)
    }
}

/// The number behind the first byte of a line, as far as it is one.
fn digits(line: &[u8]) -> u64 {
    let number = line.iter().skip(1).take_while(|byte| byte.is_ascii_digit());
    number.fold(0u64, |sum, &digit| sum.saturating_mul(10).saturating_add(u64::from(digit.saturating_sub(b'0'))))
}

//! Verdicts in a file, so that a run that was interrupted goes on where it was.
//!
//! A line for each file: `size TAB modified TAB signature TAB path`. A file that has changed since, and a line that was
//! cut, count for nothing.

use super::pool::Judged;
use super::worker::message;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    known: HashMap<Vec<u8>, (u64, u128, String)>,
}

impl Journal {
    /// Read what there is, and go on behind it.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at.saturating_add(1));
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        let known = bytes.get(..whole).unwrap_or_default().split(|&byte| byte == b'\n').filter_map(line).collect();
        Ok(Self { file, known })
    }

    /// What is known of a file as it is now.
    #[must_use]
    pub fn verdict(&self, path: &Path) -> Option<Judged> {
        let (size, modified, signature) = self.known.get(&name(path))?;
        let now = stamp(path)?;
        (now == (*size, *modified)).then(|| Judged { path: path.into(), bytes: *size, signature: signature.clone() })
    }

    /// Add a verdict.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, judged: &Judged) -> io::Result<()> {
        let name = name(&judged.path);
        // A name with a line feed in it has no place here, and is judged again.
        let Some((size, modified)) = stamp(&judged.path).filter(|_| !name.contains(&b'\n')) else { return Ok(()) };
        let mut line = format!("{size}\t{modified}\t{}\t", judged.signature).into_bytes();
        line.extend_from_slice(&name);
        line.push(b'\n');
        self.file.write_all(&line)
    }
}

fn name(path: &Path) -> Vec<u8> {
    let mut name = message(path);
    name.pop();
    name
}

fn stamp(path: &Path) -> Option<(u64, u128)> {
    let metadata = path.metadata().ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Some((metadata.len(), modified))
}

fn line(line: &[u8]) -> Option<(Vec<u8>, (u64, u128, String))> {
    let mut parts = line.splitn(4, |&byte| byte == b'\t');
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    let (size, modified, signature) = (text()?.parse().ok()?, text()?.parse().ok()?, text()?.to_owned());
    Some((parts.next()?.to_vec(), (size, modified, signature)))
}

/// Files that a journal does not know, and the verdicts on those that it does.
#[must_use]
pub fn known(journal: &Journal, files: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<Judged>) {
    let mut judged = Vec::new();
    let unknown = files.into_iter().filter(|path| match journal.verdict(path) {
        Some(verdict) => {
            judged.push(verdict);
            false
        }
        None => true,
    });
    let unknown = unknown.collect();
    (unknown, judged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_known_until_the_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path().join("journal"), folder.path().join("a\tb"));
        std::fs::write(&file, b"12345").unwrap();
        let judged = Judged { path: file.clone(), bytes: 5, signature: "ok@aof:commands".into() };
        Journal::open(&path).unwrap().add(&judged).unwrap();
        // A run that was killed leaves half a line.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"5\t1").unwrap();
        let other = folder.path().join("other");
        let journal = Journal::open(&path).unwrap();
        assert_eq!(known(&journal, vec![file.clone(), other.clone()]), (vec![other], vec![judged.clone()]));
        std::fs::write(&file, b"123456").unwrap();
        assert_eq!(journal.verdict(&file), None);
        drop(journal);
        Journal::open(&path).unwrap().add(&judged).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().lines().all(|line| line.ends_with("a\tb")));
    }
}

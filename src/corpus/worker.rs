//! The child's side: paths come in, verdicts go out, and what a file does to the process stays in it.
//!
//! | direction | message |
//! | --- | --- |
//! | in | a path, ended by a zero byte |
//! | out | `S` and what is about to be done, ended by a line feed |
//! | out | `V` and the signature; the next path may come |

use super::judge;
use crate::bytes::Budget;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

/// Judge the files named by `input` until it ends. Nothing is done before the first path comes, so that the parent
/// has time to set limits.
///
/// # Errors
/// When the parent is gone.
pub fn serve(mut input: impl BufRead, mut output: impl Write, memory: u64) -> io::Result<()> {
    let mut path = Vec::new();
    loop {
        path.clear();
        if input.read_until(0, &mut path)? == 0 {
            return Ok(());
        }
        if path.last() == Some(&0) {
            path.pop();
        }
        let budget = Budget::new(memory);
        let mut said = Ok(());
        let verdict = judge::file(&path_of(&path), &budget, &mut |stage| {
            said = writeln!(output, "S{stage}").and_then(|()| output.flush());
        });
        said?;
        let signature = verdict.unwrap_or_else(|error| format!("rejected:{}@unreadable", error.code()));
        writeln!(output, "V{signature}")?;
        output.flush()?;
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    PathBuf::from(name)
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// A path as the child takes it.
#[must_use]
pub fn message(path: &std::path::Path) -> Vec<u8> {
    #[cfg(unix)]
    let mut bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec();
    #[cfg(not(unix))]
    let mut bytes = path.to_string_lossy().into_owned().into_bytes();
    bytes.push(0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_gets_a_verdict_behind_its_stages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a log");
        std::fs::write(&path, b"*1\r\n$4\r\nPING\r\n").unwrap();
        let asked = [message(&path), message(&folder.path().join("missing"))].concat();
        let mut said = Vec::new();
        serve(asked.as_slice(), &mut said, 1 << 20).unwrap();
        let said = String::from_utf8(said).unwrap();
        let verdicts: Vec<&str> = said.lines().filter(|line| line.starts_with('V')).collect();
        assert_eq!(verdicts.len(), 2);
        assert_eq!(verdicts[0], "Vok@aof:commands");
        assert!(verdicts[1].starts_with("Vrejected:") && verdicts[1].ends_with("@unreadable"), "{verdicts:?}");
        assert!(said.starts_with("Sread\nScheck\nSreplay\n"));
    }
}

//! Many files through a few children.
//!
//! A child judges file after file; when one kills it, or takes too long, that is the file's verdict, and another child
//! goes on with the next. So a file costs no process, and no file can spoil another's verdict.

use super::child::{Ending, Limits, Worker};
use super::seed::INDEX;
use super::signature::Outcome;
use crate::scan::threads;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// After so many files a child is replaced: what one leaks is bounded.
const FILES_PER_CHILD: usize = 20_000;

/// A file and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it did; see [`super::signature`].
    pub signature: String,
}

impl Judged {
    /// Which of the five.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::of(&self.signature)
    }
}

/// Every file in a folder and the folders in it, by name. Links are not followed.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name() != INDEX {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Judge files with so many children at a time. `each` hears of every file, in no order; a false ends the work. Gives
/// the most memory that a child had.
///
/// # Errors
/// When no child can be started.
pub fn run(
    files: &[PathBuf],
    children: usize,
    limits: &Limits,
    each: &mut (dyn FnMut(Judged) -> bool + Send),
) -> io::Result<u64> {
    let (next, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let each = Mutex::new(each);
    let hear = |judged| {
        let Ok(mut each) = each.lock() else { return };
        if !each(judged) {
            done.store(true, Ordering::Relaxed);
        }
    };
    let take = || files.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !done.load(Ordering::Relaxed));
    let peaks = threads::share(children.clamp(1, files.len().max(1)), || lane(&take, &hear, limits));
    peaks.into_iter().try_fold(0, |peak, one| Ok(peak.max(one?)))
}

fn lane<'f>(take: &dyn Fn() -> Option<&'f PathBuf>, hear: &dyn Fn(Judged), limits: &Limits) -> io::Result<u64> {
    let mut worker: Option<Worker> = None;
    let (mut peak, mut judged) = (0, 0usize);
    while let Some(path) = take() {
        let mut current = match worker.take() {
            Some(worker) => worker,
            None => Worker::start(limits)?,
        };
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        let ending = current.judge(path, limits.timeout);
        judged = judged.saturating_add(1);
        let signature = match ending {
            Ending::Judged(signature) => {
                if judged.checked_rem(FILES_PER_CHILD) == Some(0) {
                    current.measure();
                    peak = peak.max(current.peak);
                } else {
                    worker = Some(current);
                }
                signature
            }
            Ending::Died(signature) => {
                peak = peak.max(current.peak);
                signature
            }
        };
        hear(Judged { path: path.clone(), bytes, signature });
    }
    if let Some(mut worker) = worker {
        worker.measure();
        peak = peak.max(worker.peak);
    }
    Ok(peak)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;

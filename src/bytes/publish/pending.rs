//! The temporaries of this process, for who has to end it before they are published.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Disk, Files};

static PENDING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn pending() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn begun(path: &Path) {
    pending().insert(path.to_owned());
}

/// From here on the path may lead to what was at the target before.
pub(super) fn ended(path: &Path) {
    pending().remove(path);
}

/// Remove all temporaries. Call it only to end the process right after: nothing is published any more, and who tries
/// waits for ever.
pub fn abandon() {
    let pending = pending();
    for path in pending.iter() {
        // Files that are begun in a directory while it is removed keep it there: another time, then.
        let _ = (0..3).any(|_| Disk.remove(path).is_ok());
    }
    std::mem::forget(pending);
}

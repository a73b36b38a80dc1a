//! The same work on several threads.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};

/// Run `work` on so many threads, the calling one among them, and give what each returns. They have to take from a
/// shared list: where the system has no more threads, fewer of them do all of it.
pub fn share<T: Send>(threads: usize, work: impl Fn() -> T + Sync) -> Vec<T> {
    scope(|scope| {
        let others: Vec<_> = (1..threads).map_while(|_| Builder::new().spawn_scoped(scope, &work).ok()).collect();
        let mut results = vec![work()];
        results.extend(others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))));
        results
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn any_number_of_threads_does_all_of_it_once() {
        for threads in [0, 1, 5] {
            let next = AtomicU64::new(0);
            let work = || std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&n| n < 1000)).sum();
            let sums: Vec<u64> = share(threads, work);
            assert_eq!((sums.len(), sums.iter().sum::<u64>()), (threads.max(1), 999 * 500));
        }
    }
}

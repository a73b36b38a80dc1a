//! The same work on several threads, or two works on one each.

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

/// Run `beside` on a thread of its own while the calling one runs `own`; where the system has no more threads, one
/// after the other.
pub fn both<A: Send, B>(beside: impl Fn() -> A + Sync, own: impl FnOnce() -> B) -> (A, B) {
    scope(|scope| {
        let thread = Builder::new().spawn_scoped(scope, &beside);
        let own = own();
        let beside =
            thread.map_or_else(|_| beside(), |thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (beside, own)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[test]
    fn both_works_are_done() {
        let (sender, receiver) = std::sync::mpsc::channel();
        // What is done here waits for what is done beside it: so they run at once.
        let (beside, own) = both(|| sender.send(7).map(|()| 1), || receiver.recv_timeout(Duration::from_secs(60)));
        assert_eq!((beside, own), (Ok(1), Ok(7)));
    }

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

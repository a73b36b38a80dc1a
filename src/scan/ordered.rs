//! Batches to workers, results back in order.
//!
//! The calling thread fills batches and takes results; whenever all batches are under way it works on one itself.
//! So `threads` = 1 runs the same code without another thread, and memory is bounded by the number of batches.

use std::collections::BTreeMap;
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// What filling a batch gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// A batch for any thread.
    Batch,
    /// A batch that the calling thread works on by itself, when all before it are done.
    Alone,
    /// Nothing: the input is at its end.
    End,
}

/// The four steps of a job.
pub trait Job: Sync {
    /// What is worked on.
    type Input: Default + Send;
    /// What comes of it; used again for later batches.
    type Output: Default + Send;
    /// What each thread keeps for itself.
    type Local: Send;
    /// Why the whole job stopped.
    type Error;

    /// What a thread keeps for itself.
    fn local(&self) -> Self::Local;
    /// Work on one batch.
    fn work(&self, local: &mut Self::Local, input: &mut Self::Input, output: &mut Self::Output);
}

struct Slot<I, O> {
    number: u64,
    input: I,
    output: O,
}

/// Run a job: `fill` makes batches, `alone` works on those that are to be worked on in place, `take` gets each batch's
/// result in the order in which the batches were made.
///
/// # Errors
/// What `fill`, `alone` or `take` return; the job ends then.
pub fn ordered<J: Job>(
    job: &J,
    threads: usize,
    mut fill: impl FnMut(&mut J::Input) -> Result<Filled, J::Error>,
    mut alone: impl FnMut(&mut J::Local, &mut J::Input, &mut J::Output) -> Result<(), J::Error>,
    mut take: impl FnMut(&mut J::Input, &mut J::Output) -> Result<(), J::Error>,
) -> Result<(), J::Error> {
    let (todo, queue) = unbounded::<Slot<J::Input, J::Output>>();
    let (finished, results) = unbounded::<Finished<J>>();
    std::thread::scope(|scope| {
        // Where the system has no more threads, those that there are do the work.
        let start = |_: &usize| {
            let (queue, finished) = (queue.clone(), finished.clone());
            Builder::new().spawn_scoped(scope, move || work_through(job, &queue, &finished)).is_ok()
        };
        let workers = (1..threads).take_while(start).count();
        drop(finished);
        let waiting = BTreeMap::new();
        let mut conductor =
            Conductor { job, local: job.local(), queue: &queue, results: &results, waiting, panicked: false };
        let outcome = conductor.run(&todo, workers, &mut fill, &mut alone, &mut take);
        // Workers end when nobody can send to them any more; what they still hold is dropped with the channels.
        while queue.try_recv().is_ok() {}
        drop(todo);
        outcome
    })
}

fn work_through<J: Job>(job: &J, queue: &Receiver<Slot<J::Input, J::Output>>, finished: &Sender<Finished<J>>) {
    let _alarm = Alarm::<J>(finished);
    let mut local = job.local();
    while let Ok(mut slot) = queue.recv() {
        job.work(&mut local, &mut slot.input, &mut slot.output);
        if finished.send(Ok(slot)).is_err() {
            return;
        }
    }
}

/// A batch that is done; an error when the worker that had it panicked.
type Finished<J> = Result<Slot<<J as Job>::Input, <J as Job>::Output>, Panicked>;

/// A worker is gone, and its batch with it.
struct Panicked;

/// Tells the conductor when its worker panics: it would wait for that batch forever.
struct Alarm<'f, J: Job>(&'f Sender<Finished<J>>);

impl<J: Job> Drop for Alarm<'_, J> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody listens when the job has ended already.
            let _ = self.0.send(Err(Panicked));
        }
    }
}

struct Conductor<'j, J: Job> {
    job: &'j J,
    local: J::Local,
    queue: &'j Receiver<Slot<J::Input, J::Output>>,
    results: &'j Receiver<Finished<J>>,
    waiting: BTreeMap<u64, Slot<J::Input, J::Output>>,
    /// A worker is gone: the job ends, and the scope goes on with the panic.
    panicked: bool,
}

impl<J: Job> Conductor<'_, J> {
    fn run(
        &mut self,
        todo: &Sender<Slot<J::Input, J::Output>>,
        workers: usize,
        fill: &mut impl FnMut(&mut J::Input) -> Result<Filled, J::Error>,
        alone: &mut impl FnMut(&mut J::Local, &mut J::Input, &mut J::Output) -> Result<(), J::Error>,
        take: &mut impl FnMut(&mut J::Input, &mut J::Output) -> Result<(), J::Error>,
    ) -> Result<(), J::Error> {
        let mut free: Vec<(J::Input, J::Output)> = Vec::new();
        let slots = workers.saturating_mul(3).saturating_add(1);
        free.resize_with(slots, Default::default);
        let (mut made, mut taken, mut at_end) = (0u64, 0u64, false);
        loop {
            while let Ok(finished) = self.results.try_recv() {
                self.keep(finished);
            }
            if self.panicked {
                return Ok(());
            }
            while let Some(mut slot) = self.waiting.remove(&taken) {
                take(&mut slot.input, &mut slot.output)?;
                taken = taken.saturating_add(1);
                free.push((slot.input, slot.output));
            }
            if at_end && taken == made {
                return Ok(());
            }
            if let (false, Some((mut input, output))) = (at_end, free.pop()) {
                let filled = fill(&mut input)?;
                let mut slot = Slot { number: made, input, output };
                match filled {
                    Filled::End => at_end = true,
                    Filled::Batch if workers > 0 => {
                        made = made.saturating_add(1);
                        // The receiving end lives as long as this function's caller: sending cannot fail.
                        let _ = todo.send(slot);
                    }
                    Filled::Batch => {
                        made = made.saturating_add(1);
                        self.job.work(&mut self.local, &mut slot.input, &mut slot.output);
                        self.waiting.insert(slot.number, slot);
                    }
                    Filled::Alone => {
                        while taken < made && !self.panicked {
                            self.step();
                            while let Some(mut slot) = self.waiting.remove(&taken) {
                                take(&mut slot.input, &mut slot.output)?;
                                taken = taken.saturating_add(1);
                                free.push((slot.input, slot.output));
                            }
                        }
                        if self.panicked {
                            return Ok(());
                        }
                        alone(&mut self.local, &mut slot.input, &mut slot.output)?;
                        take(&mut slot.input, &mut slot.output)?;
                        free.push((slot.input, slot.output));
                    }
                }
                continue;
            }
            self.step();
        }
    }

    /// Get one batch done: work on one that nobody has begun, else wait for one under way.
    fn step(&mut self) {
        let finished = match self.queue.try_recv() {
            Ok(mut slot) => {
                self.job.work(&mut self.local, &mut slot.input, &mut slot.output);
                Ok(slot)
            }
            Err(_) => self.results.recv().unwrap_or(Err(Panicked)),
        };
        self.keep(finished);
    }

    fn keep(&mut self, finished: Finished<J>) {
        match finished {
            Ok(slot) => drop(self.waiting.insert(slot.number, slot)),
            Err(Panicked) => self.panicked = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Double;
    impl Job for Double {
        type Input = Vec<u64>;
        type Output = Vec<u64>;
        type Local = ();
        type Error = &'static str;
        fn local(&self) {}
        fn work(&self, (): &mut (), input: &mut Vec<u64>, output: &mut Vec<u64>) {
            output.clear();
            output.extend(input.iter().map(|n| n * 2));
        }
    }

    fn run(threads: usize, stop_at: u64) -> Result<Vec<u64>, &'static str> {
        let (mut next, mut got) = (0, Vec::new());
        ordered(
            &Double,
            threads,
            |input| {
                if next == 1000 {
                    return Ok(Filled::End);
                }
                input.clear();
                input.extend([next, next + 1]);
                next += 2;
                Ok(if next % 50 == 0 { Filled::Alone } else { Filled::Batch })
            },
            |(), input, output| {
                Double.work(&mut (), input, output);
                Ok(())
            },
            |_, output| {
                got.extend_from_slice(output);
                if got.len() as u64 > stop_at { Err("enough") } else { Ok(()) }
            },
        )?;
        Ok(got)
    }

    #[test]
    fn results_come_in_the_order_of_their_batches_with_any_number_of_threads() {
        let expected: Vec<u64> = (0..1000).map(|n| n * 2).collect();
        for threads in 1..6 {
            assert_eq!(run(threads, u64::MAX).unwrap(), expected);
        }
    }

    /// Panics on the threads that are not the caller's.
    struct Treacherous(std::thread::ThreadId);
    impl Job for Treacherous {
        type Input = u64;
        type Output = ();
        type Local = ();
        type Error = ();
        fn local(&self) {}
        fn work(&self, (): &mut (), input: &mut u64, (): &mut ()) {
            // Each worker gets some batches done before.
            assert!(*input < 20 || std::thread::current().id() == self.0, "as ordered");
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
    }

    #[test]
    fn a_panic_of_a_worker_ends_the_job_with_a_panic() {
        for threads in [2, 4] {
            let job = Treacherous(std::thread::current().id());
            let mut next = 0;
            let run = std::panic::AssertUnwindSafe(|| {
                ordered(
                    &job,
                    threads,
                    |input| {
                        next += 1;
                        *input = next;
                        Ok(if next == 100_000 { Filled::End } else { Filled::Batch })
                    },
                    |(), _, ()| Ok(()),
                    |_, ()| Ok(()),
                )
            });
            assert!(std::panic::catch_unwind(run).is_err());
        }
    }

    #[test]
    fn an_error_ends_the_job() {
        for threads in 1..4 {
            assert_eq!(run(threads, 500), Err("enough"));
        }
    }
}

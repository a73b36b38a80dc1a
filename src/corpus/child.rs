//! The parent's side of one child: files in, verdicts out, whatever becomes of the child.

use super::signature;
use super::worker::message;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// What a child is started as, and what it may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The program.
    pub program: PathBuf,
    /// What makes it a worker ([`super::worker::serve`]).
    pub arguments: Vec<OsString>,
    /// How long one file may take.
    pub timeout: Duration,
    /// How much address space the child may have.
    pub memory: u64,
}

/// More than this of what a child says on standard error is not kept.
const MOST_WORDS: u64 = 64 << 10;
/// A process that is given no processor is waited for this many times as long.
const PATIENCE: u32 = 20;

/// A child that judges files.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    words: Option<JoinHandle<Vec<u8>>>,
    /// The most memory it was seen to have, in bytes.
    pub(super) peak: u64,
}

/// How a file ended.
pub(super) enum Ending {
    /// The child said so, and can be given the next one.
    Judged(String),
    /// The child did not survive it.
    Died(String),
}

impl Worker {
    /// Start a child. It waits for a path, and has its limits before it gets one.
    pub(super) fn start(limits: &Limits) -> io::Result<Self> {
        let mut child = Command::new(&limits.program)
            .args(&limits.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env("RUST_BACKTRACE", "0")
            .spawn()?;
        bound(&child, limits.memory)?;
        let (say, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            Builder::new().spawn(move || {
                for line in BufReader::new(stdout).lines() {
                    let Ok(line) = line else { break };
                    if say.send(line).is_err() {
                        break;
                    }
                }
            })?;
        }
        let words = child.stderr.take().map(|mut stderr| {
            Builder::new().spawn(move || {
                let mut kept = Vec::new();
                let _ = (&mut stderr).take(MOST_WORDS).read_to_end(&mut kept);
                // The rest is read and forgotten, so that the child does not wait for us.
                let _ = io::copy(&mut stderr, &mut io::sink());
                kept
            })
        });
        let words = words.transpose()?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, lines, words, peak: 0 })
    }

    /// Have one file judged.
    pub(super) fn judge(&mut self, path: &Path, timeout: Duration) -> Ending {
        let sent = self.stdin.as_mut().is_some_and(|stdin| stdin.write_all(&message(path)).is_ok());
        let heard = if sent { self.hear(timeout) } else { None };
        heard.unwrap_or_else(|| {
            let (words, status) = self.stop();
            Ending::Died(signature::of_death(&words, status))
        })
    }

    /// Wait for the verdict; `None` when the child has ended instead.
    fn hear(&mut self, timeout: Duration) -> Option<Ending> {
        let mut stage = String::from("start");
        let mut waits = 0;
        let mut deadline = Instant::now().checked_add(timeout);
        let mut used = None;
        loop {
            let left = deadline.map_or(timeout, |at| at.saturating_duration_since(Instant::now()));
            match self.lines.recv_timeout(left) {
                Ok(line) => match line.split_at_checked(1) {
                    Some(("S", what)) => stage = what.into(),
                    Some(("V", signature)) => return Some(Ending::Judged(signature.into())),
                    _ => {}
                },
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    let now = processor_time(&self.child);
                    let spent = now.zip(used.replace(now).flatten()).map(|(now, before)| now.saturating_sub(before));
                    // Busy for half of the time or more: it is not the machine that is slow.
                    let is_busy = now.is_none() || spent.is_some_and(|spent| spent.saturating_mul(2) >= timeout);
                    waits = u32::saturating_add(waits, 1);
                    if is_busy || waits > PATIENCE {
                        self.stop();
                        return Some(Ending::Died(format!("timeout@{stage}")));
                    }
                    deadline = Instant::now().checked_add(timeout);
                }
            }
        }
    }

    /// Note how much memory it has had.
    pub(super) fn measure(&mut self) {
        self.peak = self.peak.max(peak_memory(&self.child).unwrap_or(0));
    }

    /// End it, and hear what it had to say.
    fn stop(&mut self) -> (Vec<u8>, Option<std::process::ExitStatus>) {
        self.measure();
        self.stdin = None;
        // One that ended by itself has an exit status of its own: ask for that first.
        let ended = self.ended_soon();
        if ended.is_none() {
            let _ = self.child.kill();
        }
        let status = ended.or_else(|| self.child.wait().ok());
        let words = self.words.take().and_then(|words| words.join().ok()).unwrap_or_default();
        (words, status)
    }

    fn ended_soon(&mut self) -> Option<std::process::ExitStatus> {
        for _ in 0..50 {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if matches!(self.lines.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty)) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

/// Judges bytes, one candidate after the other, in a child.
#[derive(Debug)]
pub struct Judge {
    limits: Limits,
    worker: Option<Worker>,
    candidate: tempfile::NamedTempFile,
}

impl Judge {
    /// A judge with these limits.
    ///
    /// # Errors
    /// When there is no place for a temporary file.
    pub fn new(limits: Limits) -> io::Result<Self> {
        Ok(Self { limits, worker: None, candidate: tempfile::NamedTempFile::new()? })
    }

    /// The signature of these bytes.
    ///
    /// # Errors
    /// When the candidate cannot be written, or no child started.
    pub fn judge(&mut self, bytes: &[u8]) -> io::Result<String> {
        std::fs::write(self.candidate.path(), bytes)?;
        let mut worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(&self.limits)?,
        };
        Ok(match worker.judge(self.candidate.path(), self.limits.timeout) {
            Ending::Judged(signature) => {
                self.worker = Some(worker);
                signature
            }
            Ending::Died(signature) => signature,
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Address space, no core dump, no file written.
#[cfg(target_os = "linux")]
fn bound(child: &Child, memory: u64) -> io::Result<()> {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let most = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    prlimit(pid, Resource::As, most(memory))?;
    prlimit(pid, Resource::Core, most(0))?;
    prlimit(pid, Resource::Fsize, most(0))?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn bound(_child: &Child, _memory: u64) -> io::Result<()> {
    Ok(())
}

/// Processor time that a child has used.
#[cfg(target_os = "linux")]
fn processor_time(child: &Child) -> Option<Duration> {
    /// Ticks of `/proc` in a second, on all of Linux that there is.
    const MILLIS_PER_TICK: u64 = 10;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    // The name stands in parentheses and may hold anything; the numbers follow the last one.
    let mut numbers = stat.rsplit(')').next()?.split_ascii_whitespace().skip(11);
    let mut ticks = || numbers.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(ticks()?.saturating_add(ticks()?).saturating_mul(MILLIS_PER_TICK)))
}

#[cfg(not(target_os = "linux"))]
fn processor_time(_child: &Child) -> Option<Duration> {
    None
}

#[cfg(target_os = "linux")]
fn peak_memory(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok().map(|kilobytes| kilobytes.saturating_mul(1024))
}

#[cfg(not(target_os = "linux"))]
fn peak_memory(_child: &Child) -> Option<u64> {
    None
}

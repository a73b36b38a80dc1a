//! What a running command works with.

use super::Exit;
use super::args::{GlobalArgs, When};
use super::failure::Failure;
use super::progress::Progress;
use super::render::escape;
use careen::bytes::{Budget, source};
use careen::input::{self, Input, Part};
use careen::scan::{self, Delivery};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// What a running command works with.
#[derive(Debug)]
pub(super) struct Context<'g> {
    pub(super) global: &'g GlobalArgs,
    pub(super) budget: Budget,
}

/// More threads than this for so many cores gain nothing, and a system that has no more of them ends the program.
fn most_threads(cores: usize) -> usize {
    cores.saturating_mul(4).clamp(8, 256)
}

impl<'g> Context<'g> {
    pub(super) fn new(global: &'g GlobalArgs) -> Self {
        Self { global, budget: global.max_memory.map_or_else(Budget::default, |size| Budget::new(size.0)) }
    }

    /// Open what a path leads to.
    pub(super) fn open(&self, path: &Path) -> Result<Input, Failure> {
        Ok(input::open(path, &self.source_options())?)
    }

    /// How files are opened.
    pub(super) fn source_options(&self) -> source::Options {
        source::Options { mmap: !self.global.no_mmap, budget: self.budget.clone(), ..source::Options::default() }
    }

    /// The same, refusing what cannot be loaded as it is.
    pub(super) fn open_sound(&self, path: &Path) -> Result<Input, Failure> {
        let input = self.open(path)?;
        input.require_sound()?;
        if let Some((part, hole)) = input.parts.iter().find_map(|part| Some((part, part.source.holes().first()?))) {
            let line = format!("{}: read at offset {}: the disk does not deliver the bytes", part.name, hole.start);
            return Err(Failure::new(line).hint("`careen check` and `careen repair` work around the hole"));
        }
        Ok(input)
    }

    /// How images are walked.
    pub(super) fn scan_options(&self) -> scan::Options {
        let mut options = scan::Options { budget: self.budget.clone(), ..scan::Options::default() };
        if self.global.threads > 0 {
            options.threads = self.global.threads.min(most_threads(options.threads));
        }
        options
    }

    /// A bar for so many bytes. A command that writes to the terminal as it goes has none there.
    pub(super) fn progress(&self, total: u64, writes: bool) -> Progress {
        let free = !(writes && io::stdout().is_terminal());
        Progress::new(total, if self.global.quiet || !free { When::Never } else { self.global.progress })
    }

    /// Whether standard output gets colours.
    pub(super) fn is_colored(&self) -> bool {
        match self.global.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        }
    }

    /// A line on standard error, with advice.
    pub(super) fn complain(&self, line: &str, hint: Option<&str>) {
        let mut err = io::stderr().lock();
        // Where standard error cannot be written, there is nowhere left to say so.
        let _ = writeln!(err, "careen: {line}");
        if let Some(hint) = hint {
            let _ = writeln!(err, "hint: {hint}");
        }
    }

    /// Say what was left out of an output, and what that means for the exit status.
    pub(super) fn settle(&self, part: &Part, delivery: &Delivery) -> Result<Exit, Failure> {
        let file = escape::text(part.name.as_bytes());
        if let Some(error) = &delivery.exhausted {
            return Err(Failure::exhausted(&file, &error.to_string()));
        }
        let mut said = Vec::new();
        for problem in &delivery.problems {
            let hint = problem.error.hint().filter(|hint| !said.contains(hint));
            said.extend(hint);
            let db = problem.db.map(|db| format!(", db {}", db.0)).unwrap_or_default();
            self.complain(&format!("{file}: {}{db}; left out", problem.error), hint);
        }
        if delivery.more_problems > 0 {
            self.complain(&format!("{file}: {} more values left out", delivery.more_problems), None);
        }
        let summary = &delivery.summary;
        if let Some(error) = &summary.error {
            if error.is_exhausted() {
                return Err(Failure::exhausted(&file, &error.to_string()));
            }
            self.complain(&format!("{file}: {error}"), error.hint());
        }
        if !summary.checksum_holds() {
            let at = summary.end.saturating_sub(8);
            let line = format!("{file}: check-sum at offset {at}: the checksum does not fit: some byte is damaged");
            self.complain(&line, Some("`careen repair --mode exact` may find which one"));
        }
        let clean = delivery.problems.is_empty() && summary.error.is_none() && summary.checksum_holds();
        Ok(if clean { Exit::Clean } else { Exit::Findings })
    }
}

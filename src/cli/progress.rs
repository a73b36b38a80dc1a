//! A bar on standard error, once the work has lasted half a second.

use super::args::When;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_millis(500);

/// How far the work is.
#[derive(Debug)]
pub(super) struct Progress {
    total: u64,
    begun: Instant,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Nothing,
    /// A bar, once it is time.
    Bar(Option<ProgressBar>),
    /// Lines, where there is no terminal: the last tenth that was told.
    Lines(u64),
}

impl Progress {
    pub(super) fn new(total: u64, when: When) -> Self {
        let shown = match (when, io::stderr().is_terminal()) {
            (When::Never, _) | (When::Auto, false) => Shown::Nothing,
            (When::Auto | When::Always, true) => Shown::Bar(None),
            (When::Always, false) => Shown::Lines(0),
        };
        Self { total, begun: Instant::now(), shown }
    }

    /// So many bytes are done.
    pub(super) fn reached(&mut self, done: u64) {
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(Some(bar)) => bar.set_position(done),
            Shown::Bar(bar @ None) => {
                if self.begun.elapsed() >= PATIENCE {
                    bar.insert(new_bar(self.total)).set_position(done);
                }
            }
            Shown::Lines(told) => {
                let tenth = done.saturating_mul(10).checked_div(self.total).unwrap_or(10);
                if tenth > *told {
                    *told = tenth;
                    let _ = writeln!(io::stderr(), "careen: {} %", tenth.saturating_mul(10));
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Shown::Bar(Some(bar)) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let template = "{bar:30} {percent:>3} %  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

//! `corpus minimize`.

use super::{Bounds, files};
use crate::cli::Exit;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::refuse_path;
use crate::cli::render::escape;
use crate::cli::render::text::{counted, size};
use careen::bytes::publish::{Existing, Publisher};
use careen::corpus::child::Judge;
use careen::corpus::minimize::{one_of_each, shrink};
use careen::corpus::pool;
use careen::corpus::report::Report;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// One file of each signature, or the smallest file that still has one
#[derive(Debug, clap::Args)]
pub(super) struct Minimize {
    /// A folder; with --signature, a file
    #[arg(value_name = "INPUT")]
    input: PathBuf,
    /// Where the result appears: a folder; with --signature, a file
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// What the file must still do, as `corpus run` says it
    #[arg(long, value_name = "SIGNATURE")]
    signature: Option<String>,
    /// Try at most so many smaller files
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    tries: usize,
    #[command(flatten)]
    bounds: Bounds,
}

impl Minimize {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        refuse_path(&self.output, &self.input)?;
        match &self.signature {
            Some(signature) => self.file(signature, cx),
            None => self.folder(cx),
        }
    }

    fn folder(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let all = files(&self.input)?;
        let publisher = Publisher::directory(&self.output, existing(cx))?;
        let mut report = Report::default();
        let limits = self.bounds.limits(cx)?;
        let mut bar = cx.progress(all.len() as u64, false);
        let mut done = 0u64;
        let judged = pool::run(&all, cx.children(), &limits, &mut |one| {
            report.add(&one);
            done = done.saturating_add(1);
            bar.reached(done);
            true
        });
        drop(bar);
        judged.map_err(|error| Failure::new(format!("corpus: {error}")))?;
        for (name, path) in one_of_each(&report) {
            let bytes = read(path)?;
            let mut part = publisher.part(&name)?;
            part.write_all(&bytes).map_err(|error| publisher.write_error(error))?;
            publisher.close(part)?;
        }
        publisher.publish()?;
        if !cx.global.quiet {
            let (from, to) = (counted(report.files(), "file"), report.groups.len());
            writeln!(io::stdout().lock(), "{from}: {to} kept, one of each signature")?;
        }
        Ok(Exit::Clean)
    }

    fn file(&self, signature: &str, cx: &Context<'_>) -> Result<Exit, Failure> {
        let bytes = read(&self.input)?;
        let failed = |error: io::Error| Failure::new(format!("corpus: {error}"));
        let mut judge = Judge::new(self.bounds.limits(cx)?).map_err(failed)?;
        let does = judge.judge(&bytes).map_err(failed)?;
        if does != signature {
            let line = format!("{}: it does not do that", escape::path(&self.input));
            return Err(Failure::new(line).hint(format!("it does: {}", escape::text(does.as_bytes()))));
        }
        let (publisher, mut part) = Publisher::file(&self.output, existing(cx))?;
        let small = shrink(&bytes, self.tries, &mut |candidate: &[u8]| Ok(judge.judge(candidate)? == signature));
        let small = small.map_err(failed)?;
        part.write_all(&small).map_err(|error| publisher.write_error(error))?;
        publisher.close(part)?;
        publisher.publish()?;
        if !cx.global.quiet {
            let (from, to) = (size(bytes.len() as u64), size(small.len() as u64));
            writeln!(io::stdout().lock(), "{from} to {to}")?;
        }
        Ok(Exit::Clean)
    }
}

fn existing(cx: &Context<'_>) -> Existing {
    Existing { replace: cx.global.force, ..Existing::default() }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new(format!("{}: {error}", escape::path(path))))
}

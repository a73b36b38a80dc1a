//! `chat generate`: a service that never was.

use crate::cli::Exit;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use careen::bytes::publish::{Existing, Publisher};
use careen::chat::generate::{BASE, INCR, MANIFEST, Settings, as_image, as_log, as_set, manifest};
use std::io::Write;
use std::path::PathBuf;

/// Write a made-up chat service: the same arguments give the same bytes
///
/// Users of whom few are popular, sessions, conversations in many scripts, logouts without logins, trimmed histories.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen chat generate -o demo.rdb --users 100 --messages 5000 --seed 1
  careen chat generate -o appendonlydir --to aof-dir --users 1000 --messages 50000 --seed 1
  careen chat generate -o capture.aof --to aof --pushes --users 10 --messages 100 --seed 1

Exit status:
  0  done
  2  not done")]
pub(super) struct Generate {
    /// Where to
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// How many users
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..))]
    users: u32,
    /// How many messages they send
    #[arg(long, value_name = "M", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(..=u64::from(u32::MAX)))]
    messages: u64,
    /// What all chance follows from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// rdb, aof, or aof-dir: a snapshot of the first half and a log of the second
    #[arg(long, value_name = "KIND", default_value = "rdb", hide_possible_values = true)]
    to: To,
    /// The log has the pushes, too, as a capture of a replication stream has them
    #[arg(long)]
    pushes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum To {
    Rdb,
    Aof,
    AofDir,
}

impl Generate {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        if self.pushes && self.to == To::Rdb {
            return Err(Failure::new("a snapshot holds no pushes").hint("--to aof"));
        }
        let settings = Settings { users: self.users, messages: self.messages, seed: self.seed, pushes: self.pushes };
        let existing = Existing { replace: cx.global.force, ..Existing::default() };
        let mut bar = cx.progress(self.messages, false);
        let mut progress = |done: u64| bar.reached(done);
        if self.to == To::AofDir {
            let publisher = Publisher::directory(&self.output, existing)?;
            let (base, incr) = (publisher.part(BASE)?, publisher.part(INCR)?);
            let written = as_set(settings, base, incr, &mut progress);
            let (base, incr) = written.map_err(|error| publisher.write_error(error))?;
            publisher.close(base)?;
            publisher.close(incr)?;
            let mut list = publisher.part(MANIFEST)?;
            let written = manifest().and_then(|text| list.write_all(&text));
            written.map_err(|error| publisher.write_error(error))?;
            publisher.close(list)?;
            publisher.publish()?;
            return Ok(Exit::Clean);
        }
        let (publisher, part) = Publisher::file(&self.output, existing)?;
        let written = match self.to {
            To::Aof => as_log(settings, part, &mut progress),
            _ => as_image(settings, part, &mut progress),
        };
        publisher.close(written.map_err(|error| publisher.write_error(error))?)?;
        publisher.publish()?;
        Ok(Exit::Clean)
    }
}

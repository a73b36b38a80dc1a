//! `corpus seed`.

use crate::cli::Exit;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render::text::counted;
use careen::bytes::publish::{Existing, Publisher};
use careen::corpus::seed::{self, INDEX};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// The smallest sound file of every type, encoding, opcode, version, dialect and command
///
/// SEEDS.tsv in the folder says what each file covers.
#[derive(Debug, clap::Args)]
pub(super) struct Seed {
    /// The folder that appears when it is complete
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl Seed {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        let existing = Existing { replace: cx.global.force, ..Existing::default() };
        let publisher = Publisher::directory(&self.output, existing)?;
        let write = |name: &str, bytes: &[u8]| -> Result<(), Failure> {
            let mut part = publisher.part(name)?;
            part.write_all(bytes).map_err(|error| publisher.write_error(error))?;
            Ok(publisher.close(part)?)
        };
        let (mut index, mut counts) = (String::new(), BTreeMap::<&str, u64>::new());
        for seed in seed::all() {
            write(&seed.name, &seed.bytes)?;
            let _ = writeln!(index, "{}\t{}", seed.name, seed.covers);
            let count = counts.entry(seed.folder).or_default();
            *count = count.saturating_add(1);
        }
        write(INDEX, index.as_bytes())?;
        publisher.publish()?;
        if !cx.global.quiet {
            let mut out = io::stdout().lock();
            for (kind, count) in counts {
                writeln!(out, "{kind}: {}", counted(count, "seed"))?;
            }
        }
        Ok(Exit::Clean)
    }
}

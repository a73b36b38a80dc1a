//! `corpus fix`.

use crate::cli::Exit;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::refuse_path;
use careen::bytes::publish::{Existing, Publisher};
use careen::bytes::source::Source;
use careen::corpus::tree::{Kind, fix, fix_checksum};
use std::io::Write as _;
use std::path::PathBuf;

/// Lengths, counts and checksum of a mutated file made right again
///
/// Strings, packed blobs (listpacks, ziplists, zipmaps, intsets), collections and the commands of logs get the lengths
/// that they have. What else is wrong stays, so that a server fuzzed with the file gets to see it.
#[derive(Debug, clap::Args)]
pub(super) struct Fix {
    /// A mutated RDB file, DUMP payload or log
    #[arg(value_name = "FILE")]
    input: PathBuf,
    /// Where the result appears
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// rdb, dump or aof [default: what the file looks like]
    #[arg(long = "as", value_name = "KIND", hide_possible_values = true)]
    kind: Option<As>,
    /// Only the checksum
    #[arg(long)]
    checksum: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum As {
    Rdb,
    Dump,
    Aof,
}

impl Fix {
    pub(super) fn run(&self, cx: &Context<'_>) -> Result<Exit, Failure> {
        refuse_path(&self.output, &self.input)?;
        let source = Source::open(&self.input, &cx.source_options()).map_err(careen::input::Error::from)?;
        let kind = match self.kind {
            Some(As::Rdb) => Kind::Image,
            Some(As::Dump) => Kind::Payload,
            Some(As::Aof) => Kind::Log,
            None => Kind::of(source.bytes()),
        };
        // A tree takes several times the bytes of its file.
        const TREE: u64 = 8;
        let need = (source.bytes().len() as u64).saturating_mul(TREE);
        if let Err(error) = cx.budget.charge(need) {
            let file = crate::cli::render::escape::path(&self.input);
            return Err(Failure::exhausted(&file, &format!("{need} bytes of {} are needed", error.limit)));
        }
        let fixed = if self.checksum { fix_checksum(kind, source.bytes()) } else { fix(kind, source.bytes()) };
        let existing = Existing { replace: cx.global.force, ..Existing::default() };
        let (publisher, mut part) = Publisher::file(&self.output, existing)?;
        part.write_all(&fixed).map_err(|error| publisher.write_error(error))?;
        publisher.close(part)?;
        publisher.publish()?;
        Ok(Exit::Clean)
    }
}

//! `man`: manual pages.

use super::failure::Failure;
use super::render::escape;
use super::{Cli, Exit};
use clap::CommandFactory;
use std::io::{self, Write};
use std::path::PathBuf;

/// Manual pages
///
/// The main page to standard output, or a page for each command to a directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen man | man -l -
  careen man -o /usr/local/share/man/man1

Exit status:
  0  done
  2  not done")]
pub(super) struct Man {
    /// Write careen.1, careen-check.1, … into this directory
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let mut command = Cli::command();
        command.build();
        let Some(directory) = &self.output else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            io::stdout().lock().write_all(&page)?;
            return Ok(Exit::Clean);
        };
        std::fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(command, directory))
            .map_err(|error| Failure::write(&escape::path(directory), &error))?;
        Ok(Exit::Clean)
    }
}

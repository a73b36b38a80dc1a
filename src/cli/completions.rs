//! `completions`: for a shell.

use super::failure::Failure;
use super::{Cli, Exit};
use clap::CommandFactory;
use std::io::{self, Write};

/// Shell completions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  careen completions bash > /etc/bash_completion.d/careen
  careen completions zsh > ~/.zfunc/_careen

Exit status:
  0  done
  2  not done")]
pub(super) struct Completions {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "careen", &mut text);
        io::stdout().lock().write_all(&text)?;
        Ok(Exit::Clean)
    }
}

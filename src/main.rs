//! The command-line tool: parses arguments, calls the library, renders what it answers.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run(std::env::args_os())
}

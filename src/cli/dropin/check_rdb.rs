//! redis-check-rdb, valkey-check-rdb: one file, lines on standard output, status 0 or 1.

use crate::cli::args::Time;
use careen::bytes::{Budget, source};
use careen::check::redis_check_rdb;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(name: &str, args: &[OsString]) -> ExitCode {
    let [file] = args else {
        let _ = writeln!(io::stderr(), "Usage: {name} <rdb-file-name>");
        return ExitCode::FAILURE;
    };
    if file == "-v" || file == "--version" {
        let _ = writeln!(io::stdout(), "{name} (careen {})", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    match check(Path::new(file)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check(path: &Path) -> Result<bool, Box<dyn std::error::Error>> {
    let name = path.display().to_string();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let source = match source::Source::open(path, &source::Options::default()) {
        Ok(source) => source,
        Err(error) => {
            writeln!(out, "[offset 0] Checking RDB file {name}")?;
            out.flush()?;
            return Err(error.into());
        }
    };
    let fine = redis_check_rdb::run(&name, source.bytes(), Time::now().0, &Budget::default(), &mut out)?;
    out.flush()?;
    Ok(fine)
}

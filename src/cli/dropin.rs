//! The tools that careen stands in for when it is called by their names.

use super::args::Time;
use careen::check::{redis_check_aof, redis_check_rdb};
use std::ffi::{OsStr, OsString};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

/// A tool that comes with a server.
#[derive(Debug, Clone)]
pub(super) struct Tool {
    /// The name it was called by.
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    CheckRdb,
    CheckAof,
}

impl Tool {
    /// The tool that a program name stands for.
    pub(super) fn named(program: &OsStr) -> Option<Self> {
        let name = Path::new(program).file_stem()?.to_str()?;
        let kind = match name {
            "redis-check-rdb" | "valkey-check-rdb" | "redict-check-rdb" => Kind::CheckRdb,
            "redis-check-aof" | "valkey-check-aof" | "redict-check-aof" => Kind::CheckAof,
            _ => return None,
        };
        Some(Self { name: name.into(), kind })
    }

    /// Do what the tool does with these arguments, and end as it does: with 0 or 1.
    pub(super) fn run(&self, args: &[OsString]) -> ExitCode {
        let mut out = BufWriter::new(io::stdout().lock());
        let now = Time::now().0;
        let status = match self.kind {
            Kind::CheckRdb => redis_check_rdb::run(&self.name, args, now, &mut out),
            Kind::CheckAof => redis_check_aof::run(&self.name, args, now, &mut out, &mut answer),
        };
        match status.and_then(|status| out.flush().map(|()| status)) {
            Ok(status) => ExitCode::from(status),
            // Nobody reads the lines any more.
            Err(_) => ExitCode::FAILURE,
        }
    }
}

/// Whether the user says yes to a question that was just asked.
fn answer() -> bool {
    let mut line = String::new();
    io::stdin().read_line(&mut line).is_ok() && line.starts_with(['y', 'Y'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_known_by_the_last_part_of_a_path() {
        let tool = |name: &str| Tool::named(OsStr::new(name)).map(|tool| tool.kind);
        assert_eq!(tool("/usr/bin/redis-check-rdb"), Some(Kind::CheckRdb));
        assert_eq!(tool("valkey-check-aof.exe"), Some(Kind::CheckAof));
        assert_eq!(tool("careen"), None);
    }
}

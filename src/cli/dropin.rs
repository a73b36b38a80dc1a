//! The tools that careen stands in for when it is called by their names.

mod check_rdb;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

/// A tool of a server's own.
#[derive(Debug, Clone)]
pub(super) struct Tool {
    /// The name it was called by.
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    CheckRdb,
}

impl Tool {
    /// The tool that a program name stands for.
    pub(super) fn named(program: &OsStr) -> Option<Self> {
        let name = Path::new(program).file_stem()?.to_str()?;
        let kind = match name {
            "redis-check-rdb" | "valkey-check-rdb" | "redict-check-rdb" => Kind::CheckRdb,
            _ => return None,
        };
        Some(Self { name: name.into(), kind })
    }

    /// Do what the tool does with these arguments.
    pub(super) fn run(&self, args: &[OsString]) -> ExitCode {
        match self.kind {
            Kind::CheckRdb => check_rdb::run(&self.name, args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_known_by_the_last_part_of_a_path() {
        let tool = |name: &str| Tool::named(OsStr::new(name)).map(|tool| tool.name);
        assert_eq!(tool("/usr/bin/redis-check-rdb").as_deref(), Some("redis-check-rdb"));
        assert_eq!(tool("valkey-check-rdb.exe").as_deref(), Some("valkey-check-rdb"));
        assert_eq!(tool("careen"), None);
    }
}

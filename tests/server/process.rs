//! A server of our own: its own directory, its own socket, gone when we are.

use crate::client::Client;
use careen::keyspace::Like;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    dir: tempfile::TempDir,
    pub(crate) client: Client,
    pub(crate) like: Like,
}

/// The server binary, or nothing with the reason on standard error.
pub(crate) fn binary() -> Option<PathBuf> {
    let binary = std::env::var_os("CAREEN_SERVER").map_or_else(|| PathBuf::from("redis-server"), PathBuf::from);
    let works =
        Command::new(&binary).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if works {
        return Some(binary);
    }
    assert!(std::env::var("CAREEN_REQUIRE_SERVER").as_deref() != Ok("1"), "no server: {}", binary.display());
    eprintln!("skipped: no server ({})", binary.display());
    None
}

impl Server {
    /// Start one that logs every command, and wait until it answers.
    pub(crate) fn start(binary: &Path, options: &[&str]) -> Self {
        Self::start_on(binary, options, |_| {})
    }

    /// The same in a directory where something is put first.
    pub(crate) fn start_on(binary: &Path, options: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let socket = dir.path().join("socket");
        let mut command = Command::new(binary);
        command.args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "no"]);
        command.args(["--aof-use-rdb-preamble", "no", "--databases", "4"]).args(options);
        command.arg("--unixsocket").arg(&socket).arg("--dir").arg(dir.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        for _ in 0..200 {
            if let Ok(mut client) = Client::connect(&socket) {
                let info = client.call(&["INFO", "server"]).text();
                return Self { child, dir, like: like(&info), client };
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the server does not start");
    }

    /// Rewrite the log and wait for the end of it.
    pub(crate) fn rewrite(&mut self, preamble: bool) {
        let preamble = if preamble { "yes" } else { "no" };
        self.client.call(&["CONFIG", "SET", "aof-use-rdb-preamble", preamble]);
        self.client.call(&["BGREWRITEAOF"]);
        while self.client.call(&["INFO", "persistence"]).text().contains("aof_rewrite_in_progress:1") {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// True of servers whose log is a directory.
    pub(crate) fn has_directories(&self) -> bool {
        self.dir.path().join("appendonlydir").exists()
    }

    /// The files of its log in the order of replay.
    pub(crate) fn log(&self) -> Vec<Vec<u8>> {
        let parts = self.dir.path().join("appendonlydir");
        let Ok(manifest) = std::fs::read_to_string(parts.join("appendonly.aof.manifest")) else {
            return vec![std::fs::read(self.dir.path().join("appendonly.aof")).unwrap()];
        };
        let lines = manifest.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        lines.filter(|words| words[5] != "h").map(|words| std::fs::read(parts.join(words[1])).unwrap()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn like(info: &str) -> Like {
    let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let server = match (value("valkey_version:"), value("redict_version:"), value("redis_version:")) {
        (Some(version), ..) => format!("valkey-{version}"),
        (_, Some(version), _) => format!("redict-{version}"),
        (.., version) => format!("redis-{}", version.unwrap()),
    };
    server.parse().unwrap()
}

//! A server of our own: its own directory, its own socket, gone when we are.

use crate::client::{Client, Reply};
use crate::is_required;
use careen::keyspace::Like;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    dir: tempfile::TempDir,
    socket: PathBuf,
    pub(crate) client: Client,
    pub(crate) like: Like,
    /// What there is, in capitals, and whether it writes; sub-commands (`XGROUP CREATE`) from 7.0 on.
    pub(crate) commands: BTreeMap<String, bool>,
}

/// The server binary, or nothing with the reason on standard error.
pub(crate) fn binary() -> Option<PathBuf> {
    let binary = std::env::var_os("CAREEN_SERVER").map_or_else(|| PathBuf::from("redis-server"), PathBuf::from);
    let works =
        Command::new(&binary).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if works {
        return Some(binary);
    }
    assert!(!is_required(), "no server: {}", binary.display());
    eprintln!("skipped: no server ({})", binary.display());
    None
}

impl Server {
    /// Start one that logs every command, and wait until it answers.
    pub(crate) fn start(binary: &Path, options: &[&str]) -> Self {
        Self::start_on(binary, options, |_| {})
    }

    /// The same in a directory where something is put first, which the server has loaded then.
    pub(crate) fn start_on(binary: &Path, options: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let socket = dir.path().join("socket");
        let mut command = Command::new(binary);
        command.args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "no"]);
        // A blocked client's time is up when the server looks at the clock.
        command.args(["--aof-use-rdb-preamble", "no", "--databases", "4", "--hz", "500"]);
        if needs_leave_to_debug(binary) {
            command.args(["--enable-debug-command", "yes"]);
        }
        command
            .args(["--logfile", "server.log"])
            .args(options)
            .arg("--unixsocket")
            .arg(&socket)
            .arg("--dir")
            .arg(dir.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        for _ in 0..400 {
            if let Ok(mut client) = Client::connect(&socket) {
                let info = client.call(&["INFO"]).text();
                // A server answers before it has loaded everything.
                if info.contains("\nloading:0") {
                    let commands = commands(&mut client);
                    return Self { child, dir, socket, like: like(&info), client, commands };
                }
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let log = std::fs::read_to_string(dir.path().join("server.log")).unwrap_or_default();
        panic!("the server does not start: {}", log.lines().rev().take(12).collect::<Vec<_>>().join("\n"));
    }

    /// Another connection.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.socket).unwrap()
    }

    /// Start to rewrite the log. Redis 8 has no commands to write vector sets as, and its rewrite dies of them.
    pub(crate) fn begin_rewrite(&mut self, preamble: bool) {
        let preamble = if preamble || self.knows("VADD") { "yes" } else { "no" };
        self.client.call(&["CONFIG", "SET", "aof-use-rdb-preamble", preamble]);
        self.client.call(&["BGREWRITEAOF"]);
    }

    /// Wait for the end of it.
    pub(crate) fn end_rewrite(&mut self) {
        for _ in 0..4000 {
            let info = self.client.call(&["INFO", "persistence"]).text();
            if info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0") {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the server does not finish its rewrite");
    }

    /// Does it have a command?
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.commands.contains_key(name)
    }

    /// True of servers whose log is a directory.
    pub(crate) fn has_directories(&self) -> bool {
        self.dir.path().join("appendonlydir").exists()
    }

    /// The snapshot that it saved.
    pub(crate) fn dump(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join("dump.rdb")).unwrap()
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

fn commands(client: &mut Client) -> BTreeMap<String, bool> {
    let all = client.call(&["COMMAND"]);
    let subcommands = all.many().iter().flat_map(|row| row.many().get(9).map_or(&[][..], Reply::many));
    let named = |row: &Reply| {
        let [name, _, flags, ..] = row.many() else { return None };
        let writes = flags.many().iter().any(|flag| flag.bytes() == b"write");
        Some((name.text().to_uppercase().replace('|', " "), writes))
    };
    all.many().iter().chain(subcommands).filter_map(named).collect()
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

/// From 7.0 on, and in all of Valkey, `DEBUG` must be allowed.
fn needs_leave_to_debug(binary: &Path) -> bool {
    let output = Command::new(binary).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let major = text.split("v=").nth(1).and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    major.is_none_or(|major| major >= 7)
}

//! The commands in `README.md` print what the README says.
//!
//! `BLESS=1` writes down what they print instead: read the difference before you commit it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test says what is wrong by failing"
)]

use std::path::Path;
use std::process::Command;

/// A line of the file, and whether it is a command, output of one, or neither.
enum Line<'t> {
    Text(&'t str),
    Command { indent: &'t str, text: &'t str },
    Output(&'t str),
}

/// Lines of `console` blocks are commands behind `$ ` and their output; a block may be indented.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut block = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indent = &line[..line.len() - trimmed.len()];
        lines.push(match block {
            None if trimmed == "```console" => {
                block = Some(indent);
                Line::Text(line)
            }
            None => Line::Text(line),
            Some(start) if indent == start && trimmed == "```" => {
                block = None;
                Line::Text(line)
            }
            Some(start) => {
                let inside = line.strip_prefix(start).unwrap_or(trimmed);
                match inside.strip_prefix("$ ") {
                    Some(text) => Line::Command { indent: start, text },
                    None => Line::Output(inside),
                }
            }
        });
    }
    lines
}

/// What a command prints, standard error included, with careen on the path.
fn run(command: &str, folder: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_careen")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let script = format!("exec 2>&1\n{command}");
    let output = Command::new("sh").args(["-c", &script]).env("PATH", path).current_dir(folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn the_commands_in_the_readme_print_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root.join("testdata"), folder.path().join("testdata")).unwrap();
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let (mut blessed, mut said, mut printed, mut commands) = (String::new(), String::new(), String::new(), 0);
    for line in lines(&text) {
        match line {
            Line::Text(text) => blessed += &format!("{text}\n"),
            Line::Output(text) => said += &format!("{text}\n"),
            Line::Command { indent, text } => {
                commands += 1;
                let output = run(text, folder.path());
                blessed += &format!("{indent}$ {text}\n");
                output.lines().for_each(|line| blessed += &format!("{}\n", format!("{indent}{line}").trim_end()));
                printed += &output;
            }
        }
    }
    assert!(commands > 3, "the README shows hardly any command");
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(root.join("README.md"), blessed).unwrap();
    }
    assert_eq!(said, printed);
}

//! The parts of a multi-part log whose manifest may be damaged, and the manifest of the repaired set.
//!
//! | damage | what is taken |
//! | --- | --- |
//! | no usable manifest | what the names of the files say: the newest base, all incremental files |
//! | a line that is cut, or has a path before the name | the one file that is there and not listed, and whose name fits |
//! | lines twice, in any order, between lines of text | each once: the base, then incremental files by their numbers |
//! | a listed file is not there | the others |
//!
//! Files that only lie there are never added, and files of the history are not copied.

use crate::aof::Manifest;
use crate::aof::manifest::{Entry, Problem, Role};
use crate::bytes::source::{self, Source};
use crate::input::discover::manifest_of_names;
use crate::input::{self, Content, Input, Part, sniff};
use std::path::Path;

/// Bring the parts of a set into the order in which they are loaded, and add those that a damaged manifest should list.
///
/// # Errors
/// When a part cannot be read.
pub fn complete(input: &mut Input, options: &source::Options) -> Result<(), input::Error> {
    let Some(directory) = input.directory.clone() else { return Ok(()) };
    let names = names(&directory);
    let missing = match &input.manifest {
        Some(file) if input.parts.is_empty() && file.manifest.entries.is_empty() => manifest_of_names(&names).entries,
        Some(file) => {
            let (_, problems) = Manifest::scan(&file.text);
            let unlisted = |name: &&String| !file.manifest.entries.iter().any(|entry| entry.name == name.as_bytes());
            meant(&problems, &names.iter().filter(unlisted).collect::<Vec<_>>())
        }
        None => Vec::new(),
    };
    for entry in missing {
        input.parts.push(open(&directory, entry, options)?);
    }
    input.parts.sort_by_key(|part| (part.role != input::Role::Base, part.seq));
    input
        .parts
        .dedup_by(|part, before| part.role == before.role && (part.seq == before.seq || part.name == before.name));
    // Of two bases the last one counts; there is one in any set that a server wrote.
    let bases = input.parts.iter().filter(|part| part.role == input::Role::Base).count();
    input.parts.drain(..bases.saturating_sub(1));
    Ok(())
}

/// The manifest of a set that is made of these parts.
///
/// # Errors
/// When a name is one that no manifest can hold.
pub fn of(input: &Input) -> Result<Vec<u8>, Problem> {
    let entries = input.parts.iter().filter_map(|part| part.entry.clone());
    Manifest { entries: entries.map(|entry| Entry { unknown: Vec::new(), ..entry }).collect() }.encode()
}

/// What the manifest of a set is called.
#[must_use]
pub fn name(input: &Input) -> String {
    if let Some(file) = &input.manifest {
        return file.name.clone();
    }
    let first = input.parts.first().map_or("appendonly.aof", |part| part.name.as_str());
    let prefix = first.rsplitn(4, '.').nth(3).unwrap_or("appendonly.aof");
    format!("{prefix}.manifest")
}

/// The names of the parts in a directory.
fn names(directory: &Path) -> Vec<String> {
    let files = directory.read_dir().into_iter().flatten().flatten();
    let plain = files.filter(|file| file.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<String> = plain.filter_map(|file| file.file_name().into_string().ok()).collect();
    names.retain(|name| !manifest_of_names(std::slice::from_ref(name)).entries.is_empty());
    names.sort_unstable();
    names
}

/// Files that lines with a problem are about.
fn meant(problems: &[Problem], unlisted: &[&String]) -> Vec<Entry> {
    let mut found: Vec<Entry> = Vec::new();
    for problem in problems {
        let text = String::from_utf8_lossy(&problem.text);
        let fits: Vec<&&String> = unlisted.iter().filter(|name| is_about(&text, name)).collect();
        if let [name] = fits[..] {
            found.extend(manifest_of_names(std::slice::from_ref(*name)).entries);
        }
    }
    found
}

/// Does a line name this file, or what is left of it the beginning of its name?
fn is_about(line: &str, name: &str) -> bool {
    let word = line.split_ascii_whitespace().nth(1).filter(|_| line.starts_with("file ")).unwrap_or_default();
    let word = word.rsplit(['/', '\\']).next().unwrap_or_default();
    // A beginning says which file only when it has the number.
    let has_number = || word.bytes().filter(|&byte| byte == b'.').count() >= 2;
    word == name || (name.starts_with(word) && line.ends_with(word) && has_number())
}

fn open(directory: &Path, entry: Entry, options: &source::Options) -> Result<Part, input::Error> {
    let name = String::from_utf8_lossy(&entry.name).into_owned();
    let path = directory.join(&name);
    let source = Source::open(&path, options)?;
    let role = if entry.role == Role::Base { input::Role::Base } else { input::Role::Incr };
    let content = match sniff::sniff(source.bytes()) {
        Content::Unknown | Content::Manifest => Content::Aof { preamble: false },
        content => content,
    };
    Ok(Part { name, path, role, seq: entry.seq, content, source, entry: Some(entry) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_line_still_tells_its_file() {
        assert!(is_about("file ../a.aof.4.incr.aof seq 4 type i", "a.aof.4.incr.aof"));
        assert!(is_about("file a.aof.4.in", "a.aof.4.incr.aof"));
        assert!(!is_about("file a.aof.3.in", "a.aof.4.incr.aof"));
        assert!(!is_about("file a", "a.aof.4.incr.aof"));
        assert!(!is_about("some text", "a.aof.4.incr.aof"));
    }

    #[test]
    fn a_set_without_a_usable_manifest_gets_one() {
        let directory = tempfile::tempdir().unwrap();
        let command = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
        for name in ["a.aof.1.base.aof", "a.aof.1.incr.aof", "a.aof.2.incr.aof"] {
            std::fs::write(directory.path().join(name), command).unwrap();
        }
        let lines = "file a.aof.1.base.aof seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\n";
        let whole = format!("{lines}file a.aof.2.incr.aof seq 2 type i\n");
        for text in ["", &format!("{lines}file a.aof.2.inc"), &whole, &format!("{whole}some text\n")] {
            std::fs::write(directory.path().join("a.aof.manifest"), text).unwrap();
            let mut input = input::open(directory.path(), &source::Options::default()).unwrap();
            complete(&mut input, &source::Options::default()).unwrap();
            assert_eq!(String::from_utf8(of(&input).unwrap()).unwrap(), whole, "{text}");
            assert_eq!(name(&input), "a.aof.manifest");
        }
        std::fs::remove_file(directory.path().join("a.aof.manifest")).unwrap();
        let mut input = input::open(directory.path(), &source::Options::default()).unwrap();
        complete(&mut input, &source::Options::default()).unwrap();
        assert_eq!((of(&input).unwrap(), name(&input)), (whole.into_bytes(), "a.aof.manifest".to_owned()));
    }
}

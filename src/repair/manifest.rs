//! The parts of a multi-part log whose manifest may be damaged, and the manifest of the repaired set.
//!
//! | damage | what is taken |
//! | --- | --- |
//! | no usable manifest | what the files and their names say (`choice`) |
//! | a line that is cut, or has a path before the name | the one file that is there and not listed, and whose name fits |
//! | lines twice, in any order, between lines of text | each once: the base, then incremental files by their numbers |
//! | the listed base is not there, a newer one is: the copy was torn by a rewrite | the newer one, and the files that were begun with it or since |
//! | the listed base is not there, the whole history is | the history and what follows |
//! | another listed file is not there | the others |
//!
//! Files that only lie there are never added otherwise, and files of the history are not copied.

mod choice;
mod digest;

use crate::aof::Manifest;
use crate::aof::manifest::{Entry, Problem, Role};
use crate::bytes::source::{self, Source};
use crate::input::discover::manifest_of_names;
use crate::input::{self, Content, Input, Part, sniff};
use choice::{Choice, Files};
use std::path::Path;

/// The code of a set of which nothing tells for sure which files are its own.
const UNCERTAIN: &str = "aof-parts-uncertain";

/// Is it a guess which files belong to the set?
#[must_use]
pub fn is_a_guess(input: &Input) -> bool {
    input.findings.iter().any(|finding| finding.code == UNCERTAIN)
}

/// Bring the parts of a set into the order in which they are loaded, and add those that a damaged manifest should list.
///
/// # Errors
/// When a part cannot be read.
pub fn complete(input: &mut Input, options: &source::Options) -> Result<(), input::Error> {
    let Some(directory) = input.directory.clone() else { return Ok(()) };
    let names = names(&directory, &name(input));
    match input.manifest.clone().filter(|file| !file.manifest.entries.is_empty()) {
        Some(file) => {
            let (_, problems) = Manifest::scan(&file.text);
            let unlisted = |name: &&String| !file.manifest.entries.iter().any(|entry| entry.name == name.as_bytes());
            for entry in meant(&problems, &names.iter().filter(unlisted).collect::<Vec<_>>()) {
                input.parts.push(open(&directory, entry, options)?);
            }
            if let Some(choice) = without_base(&file.manifest, &directory, &names, options)? {
                input.parts = choice.parts;
                input.findings.extend(choice.findings);
            }
        }
        None => {
            let choice = choice::of_names(&directory, &names, options)?;
            input.parts = choice.parts;
            input.findings.extend(choice.findings);
        }
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

/// The parts of a set whose manifest lists a base that is not there, where they are known.
fn without_base(
    manifest: &Manifest,
    directory: &Path,
    names: &[String],
    options: &source::Options,
) -> Result<Option<Choice>, input::Error> {
    let is_there = |entry: &Entry| names.iter().any(|name| name.as_bytes() == entry.name);
    let Some(lost) = manifest.base().filter(|base| !is_there(base)) else { return Ok(None) };
    let Files { mut bases, mut incrs } = Files::open(directory, names, options)?;
    let last = manifest.incrs().map(|entry| entry.seq).max().unwrap_or(0);
    if let Some(newer) = bases.iter().rposition(|base| base.seq > lost.seq && choice::reads_to_end(base)) {
        // A rewrite begins its file first: it is one that the manifest does not list yet, or the last that it lists.
        let is_newer = incrs.iter().any(|part| part.seq > last);
        incrs.retain(|part| if is_newer { part.seq > last } else { part.seq == last });
        return Ok(Some(Choice::instead(lost, bases.swap_remove(newer), choice::contiguous(incrs))));
    }
    let history: Vec<&Entry> = manifest.history().chain(manifest.incrs()).collect();
    let is_of_history = |part: &Part| history.iter().any(|entry| entry.name == part.name.as_bytes());
    bases.retain(is_of_history);
    incrs.retain(is_of_history);
    let is_whole = history.iter().all(|entry| is_there(entry)) && incrs.windows(2).all(choice::are_neighbours);
    Ok(match <[Part; 1]>::try_from(bases) {
        Ok([base]) if is_whole => Some(Choice::instead(lost, base, incrs)),
        _ => None,
    })
}

/// The names of the parts of a set in a directory.
fn names(directory: &Path, manifest: &str) -> Vec<String> {
    let files = directory.read_dir().into_iter().flatten().flatten();
    let plain = files.filter(|file| file.file_type().is_ok_and(|kind| kind.is_file()));
    let mut names: Vec<String> = plain.filter_map(|file| file.file_name().into_string().ok()).collect();
    let prefix = manifest.strip_suffix("manifest").unwrap_or_default();
    names.retain(|name| name.starts_with(prefix) && !manifest_of_names(std::slice::from_ref(name)).entries.is_empty());
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

    fn put(directory: &Path, name: &str, content: &[u8]) {
        std::fs::write(directory.join(name), content).unwrap();
    }

    fn commands(lines: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        lines.iter().for_each(|line| crate::aof::writer::encode(&line.split(' ').collect::<Vec<_>>(), &mut out));
        out
    }

    fn chosen(directory: &Path) -> (Vec<String>, Vec<&'static str>) {
        let mut input = input::open(directory, &source::Options::default()).unwrap();
        complete(&mut input, &source::Options::default()).unwrap();
        let codes = input.findings.iter().map(|finding| finding.code).collect();
        (input.parts.into_iter().map(|part| part.name.replace("a.aof.", "")).collect(), codes)
    }

    #[test]
    fn a_file_with_a_lower_number_than_the_base_is_history() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a.aof.3.base.aof", "a.aof.1.incr.aof", "a.aof.2.incr.aof", "a.aof.3.incr.aof"] {
            put(directory.path(), name, &commands(&["RPUSH l a"]));
        }
        assert_eq!(chosen(directory.path()).0, ["3.base.aof", "3.incr.aof"]);
    }

    #[test]
    fn what_is_before_a_hole_is_a_left_over() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a.aof.2.base.aof", "a.aof.1.incr.aof", "a.aof.3.incr.aof", "a.aof.4.incr.aof"] {
            put(directory.path(), name, &commands(&["SET a 1"]));
        }
        put(directory.path(), "a.aof.3.base.aof", b"*3\r\n$3\r\nSE");
        let (parts, codes) = chosen(directory.path());
        assert_eq!(parts, ["2.base.aof", "3.incr.aof", "4.incr.aof"]);
        assert!(codes.contains(&"aof-parts-uncertain"));
    }

    #[test]
    fn what_makes_the_newest_base_of_an_older_one_is_history() {
        let directory = tempfile::tempdir().unwrap();
        for (name, lines) in [
            ("a.aof.1.base.aof", &["SET a 1"][..]),
            ("a.aof.1.incr.aof", &["INCR a", "SET b x"]),
            ("a.aof.2.incr.aof", &["INCR a"]),
            ("a.aof.2.base.aof", &["SET b x", "SET a 3"]),
            ("a.aof.3.incr.aof", &["INCR a"]),
        ] {
            put(directory.path(), name, &commands(lines));
        }
        let (parts, codes) = chosen(directory.path());
        assert_eq!(parts, ["2.base.aof", "3.incr.aof"]);
        assert!(codes.contains(&"aof-part-older") && !codes.contains(&"aof-parts-uncertain"));
    }

    #[test]
    fn what_was_begun_before_the_base_is_history() {
        let directory = tempfile::tempdir().unwrap();
        let mut image = b"REDIS0009\xfa\x05ctime\xc2".to_vec();
        image.extend_from_slice(&1_700_000_000_u32.to_le_bytes());
        image.extend_from_slice(&[0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
        put(directory.path(), "a.aof.2.base.rdb", &image);
        for (name, time) in [("a.aof.1.incr.aof", 1_699_990_000), ("a.aof.2.incr.aof", 1_700_000_000)] {
            let content = [format!("#TS:{time}\r\n").into_bytes(), commands(&["INCR a"])].concat();
            put(directory.path(), name, &content);
        }
        let (parts, codes) = chosen(directory.path());
        assert_eq!(parts, ["2.base.rdb", "2.incr.aof"]);
        assert!(!codes.contains(&"aof-parts-uncertain"));
    }

    #[test]
    fn a_lost_base_is_replaced_by_a_newer_one_or_by_the_history() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        let manifest = "file a.aof.2.base.aof seq 2 type b\nfile a.aof.1.base.aof seq 1 type h\n\
            file a.aof.1.incr.aof seq 1 type h\nfile a.aof.2.incr.aof seq 2 type i\n";
        put(here, "a.aof.manifest", manifest.as_bytes());
        for name in ["a.aof.1.base.aof", "a.aof.1.incr.aof", "a.aof.2.incr.aof"] {
            put(here, name, &commands(&["INCR a"]));
        }
        let (parts, codes) = chosen(here);
        assert_eq!(parts, ["1.base.aof", "1.incr.aof", "2.incr.aof"]);
        assert!(codes.contains(&"aof-other-base"));

        std::fs::remove_file(here.join("a.aof.1.incr.aof")).unwrap();
        assert_eq!(chosen(here).0, ["2.incr.aof"], "what is left of the history is no set");

        put(here, "a.aof.3.base.aof", &commands(&["SET a 3"]));
        assert_eq!(chosen(here).0, ["3.base.aof", "2.incr.aof"], "the last that is listed was begun with the base");
        put(here, "a.aof.3.incr.aof", &commands(&["INCR a"]));
        assert_eq!(chosen(here).0, ["3.base.aof", "3.incr.aof"]);
    }
}

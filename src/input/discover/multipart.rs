//! A multi-part AOF: the manifest's files, in loading order.

use super::super::error::Error;
use super::super::sniff::{self, Content};
use super::super::{Input, Kind, ManifestFile, Part, Role};
use super::{Reach, reach};
use crate::aof::Manifest;
use crate::aof::manifest::{self, Entry};
use crate::bytes::source::{Options, Source};
use crate::finding::Finding;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Open the set of a manifest. `input` is the path that the user gave, the manifest's or its directory's.
pub(super) fn open(path: &Path, text: &Source, input: String, options: &Options) -> Result<Input, Error> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let (manifest, problems) = Manifest::scan(text.bytes());
    let mut findings: Vec<_> = problems.iter().map(|problem| problem.to_finding(&name)).collect();
    let parts = parts(&directory, &manifest, options, &mut findings)?;
    superfluous(&directory, &name, &manifest, &mut findings);
    let file = ManifestFile { name, path: path.into(), text: text.bytes().to_vec(), manifest };
    Ok(Input { name: input, kind: Kind::AofDir, directory: Some(directory), manifest: Some(file), parts, findings })
}

/// Open the set of a directory whose manifest is lost, from what the names of its files say.
pub(super) fn without_manifest(directory: &Path, names: &[String], options: &Options) -> Result<Input, Error> {
    let manifest = manifest_of_names(names);
    let mut findings = vec![
        Finding::error("aof-manifest-missing", 0, "the directory has parts of an AOF, and no manifest that lists them")
            .in_file(directory.display().to_string())
            .hint("a server starts empty here; `careen repair` writes a manifest"),
    ];
    let parts = parts(directory, &manifest, options, &mut findings)?;
    let name = directory.display().to_string();
    Ok(Input { name, kind: Kind::AofDir, directory: Some(directory.into()), manifest: None, parts, findings })
}

/// What the names of files say: the newest base, and all incremental files.
#[must_use]
pub(crate) fn manifest_of_names(names: &[String]) -> Manifest {
    let mut entries: Vec<_> = names.iter().filter_map(|name| part_name(name)).map(|named| named.to_entry()).collect();
    entries.sort_by_key(|entry| (entry.role == manifest::Role::Incr, entry.seq, entry.name.clone()));
    let newest = entries.iter().rposition(|entry| entry.role == manifest::Role::Base);
    let mut at = 0_usize;
    entries.retain(|entry| {
        let keep = entry.role != manifest::Role::Base || Some(at) == newest;
        at = at.saturating_add(1);
        keep
    });
    Manifest { entries }
}

/// What the name of a part says: `PREFIX.SEQ.base.rdb`, `PREFIX.SEQ.base.aof`, `PREFIX.SEQ.incr.aof`.
pub(super) struct PartName<'n> {
    pub(super) prefix: &'n str,
    name: &'n str,
    seq: i64,
    role: manifest::Role,
}

impl PartName<'_> {
    fn to_entry(&self) -> Entry {
        Entry::new(self.name.as_bytes(), self.seq, self.role)
    }
}

pub(super) fn part_name(name: &str) -> Option<PartName<'_>> {
    let (rest, role) =
        [(".base.rdb", manifest::Role::Base), (".base.aof", manifest::Role::Base), (".incr.aof", manifest::Role::Incr)]
            .into_iter()
            .find_map(|(suffix, role)| name.strip_suffix(suffix).map(|rest| (rest, role)))?;
    let (prefix, seq) = rest.rsplit_once('.')?;
    let seq = seq.parse().ok().filter(|&seq| seq > 0)?;
    (!prefix.is_empty() && !prefix.starts_with("temp-")).then_some(PartName { prefix, name, seq, role })
}

fn parts(
    directory: &Path,
    manifest: &Manifest,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    let mut listed: Vec<&Entry> = manifest.entries.iter().filter(|e| e.role != manifest::Role::History).collect();
    // The base first, wherever it stands; of several, which is an error anyway, all.
    listed.sort_by_key(|entry| entry.role != manifest::Role::Base);
    for entry in listed {
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        match reach(directory, Path::new(&os_name(&entry.name))) {
            Reach::Inside(path) => parts.push(part(name, path, entry, options)?),
            Reach::Missing => findings.push(
                Finding::error(
                    "aof-part-missing",
                    0,
                    format!("the manifest lists `{}`, which does not exist", name.escape_default()),
                )
                .in_file(name)
                .hint("no server starts with this set; `careen repair` makes one of the parts that are there"),
            ),
            Reach::Outside(target) => findings.push(
                Finding::error(
                    "aof-part-outside",
                    0,
                    format!("a link leads out of the directory, to {}", target.display()),
                )
                .in_file(name)
                .hint("it is not followed; put the file itself into the directory"),
            ),
            Reach::NotAFile => {
                findings.push(
                    Finding::error("aof-part-not-a-file", 0, "the manifest lists what is not a file").in_file(name),
                );
            }
        }
    }
    Ok(parts)
}

fn part(name: String, path: PathBuf, entry: &Entry, options: &Options) -> Result<Part, Error> {
    let source = Source::open(&path, options)?;
    let role = if entry.role == manifest::Role::Base { Role::Base } else { Role::Incr };
    // A part is a part by its line: what looks like nothing is a damaged log.
    let content = match sniff::sniff(source.bytes()) {
        Content::Unknown | Content::Manifest => Content::Aof { preamble: false },
        Content::DragonflySummary => Content::Rdb,
        content => content,
    };
    Ok(Part { name, path, role, seq: entry.seq, content, source, entry: Some(entry.clone()) })
}

#[cfg(unix)]
fn os_name(name: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(name).to_owned()
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> OsString {
    String::from_utf8_lossy(name).into_owned().into()
}

/// Files that are named like parts of this log and that the manifest does not list.
fn superfluous(directory: &Path, manifest_name: &str, manifest: &Manifest, findings: &mut Vec<Finding>) {
    let Ok(files) = directory.read_dir() else { return };
    let prefix = manifest_name.strip_suffix(".manifest").unwrap_or(manifest_name);
    let mut names: Vec<_> = files.flatten().filter_map(|file| file.file_name().into_string().ok()).collect();
    names.sort_unstable();
    for name in names {
        let listed = || manifest.entries.iter().any(|entry| entry.name == name.as_bytes());
        if part_name(&name).is_some_and(|part| part.prefix == prefix) && !listed() {
            findings.push(
                Finding::warning(
                    "aof-part-unlisted",
                    0,
                    "the file is named like a part, and the manifest does not list it",
                )
                .in_file(name)
                .hint("servers neither load nor delete it"),
            );
        }
    }
}

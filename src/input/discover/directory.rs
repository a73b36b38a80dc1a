//! A directory: the one input that is in it.

use super::super::Input;
use super::super::error::Error;
use super::super::sniff::{self, Content};
use super::{Reach, multipart, reach, shards};
use crate::bytes::source::{self, Options, Source};
use crate::finding::Finding;
use std::path::{Path, PathBuf};

pub(super) fn open(path: &Path, options: &Options) -> Result<Input, Error> {
    let name = path.display().to_string();
    let listing = Listing::of(path)?;
    if let Some(set) = listing.set(path)? {
        return set.open(name, options);
    }
    let mut below = Vec::new();
    for directory in &listing.directories {
        let inner = path.join(directory);
        // A directory that we may not list holds nothing for us.
        let Ok(listing) = Listing::of(&inner) else { continue };
        below.extend(listing.set(&inner)?);
    }
    let found = (below.pop(), below.is_empty(), listing.files.as_slice());
    match found {
        (Some(set), true, files) => {
            let beside = files.first().cloned();
            let mut input = set.open(name, options)?;
            // What a server with `appendonly yes` does.
            input.findings.extend(beside.map(|file| {
                Finding::info(
                    "input-beside-aof",
                    0,
                    "the file lies beside a multi-part AOF, which was taken instead of it",
                )
                .in_file(file)
                .hint("a server with `appendonly no` loads it instead: name it to have it looked at")
            }));
            Ok(input)
        }
        (Some(last), false, files) => {
            let mut candidates: Vec<_> = below.iter().chain([&last]).map(Set::describe).collect();
            candidates.extend(files.iter().map(|file| path.join(file).display().to_string()));
            candidates.sort_unstable();
            Err(Error::several(&name, candidates))
        }
        (None, _, [only]) => super::open(&path.join(only), options),
        (None, _, []) => Err(Error::nothing(&name)),
        (None, _, several) => Err(Error::several(&name, several.to_vec())),
    }
}

/// What is in a directory, sorted.
struct Listing {
    directories: Vec<PathBuf>,
    manifests: Vec<String>,
    /// Files named like parts of a multi-part AOF.
    parts: Vec<String>,
    /// RDB and AOF files, and summaries of Dragonfly sets, that are no such parts.
    files: Vec<String>,
}

/// A multi-part AOF that was found.
enum Set {
    Manifest(PathBuf),
    Parts(PathBuf, Vec<String>),
}

impl Listing {
    fn of(path: &Path) -> Result<Self, Error> {
        let failed = |e| Error::directory(&path.display().to_string(), e);
        let mut found = Self { directories: vec![], manifests: vec![], parts: vec![], files: vec![] };
        let mut names = Vec::new();
        for entry in path.read_dir().map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        names.sort_unstable();
        for name in names {
            match (reach(path, Path::new(&name)), name.to_str()) {
                (Reach::Inside(file), Some(text)) => found.file(&file, text),
                (Reach::NotAFile, _) => found.directories.push(name.into()),
                _ => {}
            }
        }
        Ok(found)
    }

    fn file(&mut self, path: &Path, name: &str) {
        if name.starts_with("temp-") {
            return; // what a server was writing when it died
        }
        if multipart::part_name(name).is_some() {
            return self.parts.push(name.to_owned());
        }
        // An emptied manifest can only be told by its name.
        if name.ends_with(".manifest") {
            return self.manifests.push(name.to_owned());
        }
        match content(path) {
            Content::Manifest => self.manifests.push(name.to_owned()),
            Content::Rdb if shards::is_shard_name(name) => {}
            Content::Rdb | Content::Aof { .. } | Content::DragonflySummary => self.files.push(name.to_owned()),
            Content::Empty | Content::Unknown => {}
        }
    }

    /// The multi-part AOF in this directory itself.
    fn set(&self, path: &Path) -> Result<Option<Set>, Error> {
        match (self.manifests.as_slice(), self.parts.first()) {
            ([], None) => Ok(None),
            ([manifest], _) => Ok(Some(Set::Manifest(path.join(manifest)))),
            ([], Some(first)) => {
                let prefix = |name: &str| multipart::part_name(name).map(|part| part.prefix.to_owned());
                if self.parts.iter().any(|part| prefix(part) != prefix(first)) {
                    return Err(Error::several(&path.display().to_string(), self.parts.clone()));
                }
                Ok(Some(Set::Parts(path.into(), self.parts.clone())))
            }
            (several, _) => Err(Error::several(&path.display().to_string(), several.to_vec())),
        }
    }
}

impl Set {
    fn open(self, input: String, options: &Options) -> Result<Input, Error> {
        let found = match self {
            Self::Manifest(path) => {
                let text = Source::open(&path, options)?;
                multipart::open(&path, &text, input.clone(), options)?
            }
            Self::Parts(directory, names) => multipart::without_manifest(&directory, &names, options)?,
        };
        Ok(Input { name: input, ..found })
    }

    fn describe(&self) -> String {
        match self {
            Self::Manifest(path) => path.display().to_string(),
            Self::Parts(directory, _) => directory.display().to_string(),
        }
    }
}

/// How much of a file is looked at to tell whether it is an input.
const HEAD: u64 = 64 << 10;

/// What a file seems to hold. Pipes and devices in a directory are not ours to read.
fn content(path: &Path) -> Content {
    if !path.metadata().is_ok_and(|about| about.is_file()) {
        return Content::Unknown;
    }
    source::beginning(path, HEAD).map_or(Content::Unknown, |head| sniff::sniff(&head))
}

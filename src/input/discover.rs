//! A path → ordered, opened parts.
//!
//! | the path is                        | what is opened                                                        |
//! | ---------------------------------- | --------------------------------------------------------------------- |
//! | `-`                                | standard input                                                        |
//! | an RDB, an AOF                     | that file                                                             |
//! | a manifest                         | the base and the incremental files that it lists, from its directory  |
//! | a Dragonfly summary                | it and the shards beside it                                           |
//! | a directory with one manifest      | as that manifest                                                      |
//! | one whose manifest is lost         | the files whose names say that they are parts, with a finding         |
//! | a data directory                   | the one `appendonlydir` in it, else the one RDB or AOF                |
//!
//! A name from a manifest is never a path, and a link that leads out of the directory is not followed.

mod directory;
mod multipart;
mod shards;

pub(crate) use multipart::manifest_of_names;

use super::error::Error;
use super::sniff::{self, Content};
use super::{Input, Kind, Part, Role};
use crate::bytes::source::{Options, Source};
use crate::finding::Finding;
use std::path::{Path, PathBuf};

/// Open what a path leads to.
///
/// # Errors
/// When it cannot be read, or when nothing or several things are there. Parts that are missing are findings.
pub fn open(path: &Path, options: &Options) -> Result<Input, Error> {
    if path != Path::new("-") && path.is_dir() {
        return directory::open(path, options);
    }
    let source = Source::open(path, options)?;
    file(path, source, options)
}

/// Take bytes that are in memory already: one file of any kind but a manifest.
///
/// # Errors
/// When they are a manifest.
pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Input, Error> {
    file(Path::new("-"), Source::from_bytes(name, bytes), &Options::default())
}

fn file(path: &Path, source: Source, options: &Options) -> Result<Input, Error> {
    let content = sniff::sniff(source.bytes());
    let kind = match content {
        Content::Manifest if path == Path::new("-") => return Err(Error::loose_manifest(source.name())),
        Content::Manifest => return multipart::open(path, &source, path.display().to_string(), options),
        Content::DragonflySummary if path != Path::new("-") => return shards::open(path, source, options),
        Content::DragonflySummary | Content::Rdb => Kind::Rdb,
        Content::Aof { .. } => Kind::Aof,
        Content::Empty => Kind::Empty,
        Content::Unknown => Kind::Unknown,
    };
    let name = source.name().to_owned();
    let findings = nothing_known(kind, &name);
    let part = Part { name: name.clone(), path: path.into(), role: Role::Single, seq: 0, content, source, entry: None };
    Ok(Input { name, kind, directory: None, manifest: None, findings, parts: vec![part] })
}

fn nothing_known(kind: Kind, name: &str) -> Vec<Finding> {
    match kind {
        // An empty log is sound: commands other than `check` take an empty file for an empty keyspace.
        Kind::Unknown => vec![
            Finding::error("input-unknown-format", 0, "the file is neither an RDB, nor an AOF, nor a manifest")
                .in_file(name)
                .hint("if it should be one, its beginning is damaged: `careen repair` looks for records further in"),
        ],
        _ => Vec::new(),
    }
}

/// How a file in a directory can be used.
enum Reach {
    Inside(PathBuf),
    Missing,
    /// Through a link, to something outside of the directory.
    Outside(PathBuf),
    NotAFile,
}

/// Look for a file in a directory without being led out of it.
fn reach(directory: &Path, name: &Path) -> Reach {
    let path = directory.join(name);
    if name.components().count() != 1 || name.file_name() != Some(name.as_os_str()) {
        return Reach::NotAFile;
    }
    let Ok(about) = path.symlink_metadata() else { return Reach::Missing };
    if about.is_symlink() {
        match (path.canonicalize(), directory.canonicalize()) {
            (Ok(target), Ok(home)) if !target.starts_with(&home) => return Reach::Outside(target),
            (Ok(_), Ok(_)) => {}
            _ => return Reach::Missing,
        }
    }
    match path.metadata() {
        // Nor are a pipe and a device: who opens a pipe waits for a writer.
        Ok(about) if about.is_file() => Reach::Inside(path),
        Ok(_) => Reach::NotAFile,
        Err(_) => Reach::Missing,
    }
}

#[cfg(test)]
mod tests;

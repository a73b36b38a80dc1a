//! The files that are written: one, a server's AOF directory, or many in a directory.

use super::commands::Commands;
use super::options::{Base, Kind, Options, SplitBy};
use super::prologue::{ModuleData, Prologue};
use super::report::{Error, Report};
use crate::aof::manifest::{Entry, Manifest, Role};
use crate::bytes::Budget;
use crate::bytes::publish::{self, Disk, Files, Part, Publisher};
use crate::bytes::sink::Sink;
use crate::rdb::{self, Target};
use crate::value::{DbIndex, SLOTS, key_slot};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// More outputs than this are taken for a mistake: a split by a prefix that every key has its own of.
const MOST_FILES: usize = 16384;
/// The buffer of one of many files.
const SMALL_BLOCK: usize = 16 << 10;

/// A file being written: held open, or, where there are many, opened for each block.
#[derive(Debug)]
pub(crate) enum OutFile {
    Open(Part<<Disk as Files>::File>),
    Reopened(PathBuf),
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(part) => part.write(bytes),
            Self::Reopened(path) => OpenOptions::new().append(true).open(path)?.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(part) => part.flush(),
            Self::Reopened(_) => Ok(()),
        }
    }
}

/// Keys on their way into one file.
#[derive(Debug)]
enum Body {
    Image(Box<rdb::Writer<OutFile>>),
    Log(Box<Log>),
}

/// Commands of keys on their way into one file.
#[derive(Debug)]
struct Log {
    sink: Sink<OutFile>,
    db: Option<DbIndex>,
}

impl Body {
    fn begin(file: OutFile, block: usize, image: bool, target: Target, prologue: &Prologue) -> Self {
        if !image {
            let mut sink = Sink::new(file).in_blocks_of(block);
            for function in &prologue.functions {
                sink.put_with(|out| Commands::function(function, out));
            }
            return Self::Log(Box::new(Log { sink, db: None }));
        }
        let mut writer = rdb::Writer::on(Sink::summed(file).in_blocks_of(block), target);
        for (name, value) in &prologue.aux {
            writer.aux(name, value);
        }
        for function in &prologue.functions {
            writer.function(function);
        }
        put_modules(&mut writer, &prologue.modules);
        Self::Image(Box::new(writer))
    }

    #[inline]
    fn keys(&mut self, db: DbIndex, bytes: &[u8]) {
        match self {
            Self::Image(writer) => writer.raw(db, bytes),
            Self::Log(log) => {
                if log.db != Some(db) {
                    log.db = Some(db);
                    log.sink.put_with(|out| Commands::select(db.0, out));
                }
                log.sink.put(bytes);
            }
        }
    }

    fn settle(&mut self) -> io::Result<()> {
        match self {
            Self::Image(writer) => writer.settle(),
            Self::Log(log) => log.sink.settle(),
        }
    }

    fn finish(self, epilogue: &[ModuleData], functions: &[Vec<u8>]) -> io::Result<(OutFile, u64)> {
        match self {
            Self::Image(mut writer) => {
                functions.iter().for_each(|function| writer.function(function));
                put_modules(&mut writer, epilogue);
                writer.finish()
            }
            Self::Log(log) => {
                let mut sink = log.sink;
                functions.iter().for_each(|function| sink.put_with(|out| Commands::function(function, out)));
                sink.finish()
            }
        }
    }
}

fn put_modules<W: Write>(writer: &mut rdb::Writer<W>, modules: &[ModuleData]) {
    for ModuleData { when, id, stream } in modules {
        writer.module_aux(*when, *id, stream);
    }
}

/// Which file a key goes to. Cheap for the usual one file.
pub(crate) type Route = Option<Box<str>>;

impl SplitBy {
    /// The file of a key, its name without the ending.
    pub(crate) fn route(&self, db: DbIndex, key: &[u8]) -> Route {
        let name = match self {
            Self::Db => format!("db-{}", db.0),
            Self::Slot(ranges) => {
                let ranges = u32::from((*ranges).clamp(1, SLOTS));
                let range = u32::from(key_slot(key)).saturating_mul(ranges).checked_div(u32::from(SLOTS)).unwrap_or(0);
                // The first slot of which the above is true.
                let first = |range: u32| range.saturating_mul(u32::from(SLOTS)).div_ceil(ranges);
                let (from, to) = (first(range), first(range.saturating_add(1)).saturating_sub(1));
                if from == to { format!("slot-{from}") } else { format!("slots-{from}-{to}") }
            }
            Self::Prefix(separator) => match find(key, separator) {
                Some(at) => format!("prefix-{}", file_name(key.get(..at).unwrap_or_default())),
                None => "no-prefix".into(),
            },
        };
        Some(name.into())
    }
}

fn find(key: &[u8], separator: &[u8]) -> Option<usize> {
    memchr::memmem::find(key, separator).filter(|_| !separator.is_empty())
}

/// Bytes as a name for a file: what is not plain becomes `%` and two hexadecimal digits, what is long is cut.
fn file_name(bytes: &[u8]) -> String {
    const LONGEST: usize = 60;
    let mut name = String::new();
    for &byte in bytes.iter().take(LONGEST) {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    if bytes.len() > LONGEST {
        name.push_str(&format!("~{:016x}", crate::bytes::crc64::fingerprint(bytes)));
    }
    name
}

/// All files of an output.
#[derive(Debug)]
pub(crate) struct Outputs {
    budget: Budget,
    publisher: Publisher,
    kind: Kind,
    name: String,
    target: Target,
    prologue: Prologue,
    epilogue: Vec<ModuleData>,
    late_functions: Vec<Vec<u8>>,
    /// The one file, or the files by their names.
    single: Option<Body>,
    many: BTreeMap<Box<str>, Body>,
}

impl Outputs {
    /// Begin to write. What is at the path already stays until everything is written.
    pub(crate) fn open(path: &Path, options: &Options, target: Target, prologue: Prologue) -> Result<Self, Error> {
        let image = options.kind.is_image();
        let (existing, is_dir) = (options.existing, matches!(options.kind, Kind::AofDir(_)));
        if is_dir && options.split.is_some() {
            return Err(Error::Unsupported("--split-by writes several RDB or AOF files, not an AOF directory"));
        }
        let (publisher, file) = if options.split.is_some() {
            (Publisher::directory(path, existing)?, None)
        } else if is_dir {
            let publisher = Publisher::directory(path, existing)?;
            let base = publisher.part(&base_name(options))?;
            (publisher, Some(base))
        } else {
            let (publisher, part) = Publisher::file(path, existing)?;
            (publisher, Some(part))
        };
        let single =
            file.map(|part| Body::begin(OutFile::Open(part), crate::bytes::sink::BLOCK, image, target, &prologue));
        Ok(Self {
            budget: options.scan.budget.clone(),
            publisher,
            kind: options.kind,
            name: options.name.clone(),
            target,
            prologue,
            epilogue: Vec::new(),
            late_functions: Vec::new(),
            single,
            many: BTreeMap::new(),
        })
    }

    /// Records or commands of keys of one database.
    #[inline]
    pub(crate) fn keys(&mut self, route: &Route, db: DbIndex, bytes: &[u8]) -> io::Result<()> {
        self.budget.write(bytes.len() as u64)?;
        match (route, &mut self.single) {
            (None, Some(body)) => {
                body.keys(db, bytes);
                body.settle()
            }
            (None, None) => Ok(()),
            (Some(name), _) => {
                let body = self.routed(name)?;
                body.keys(db, bytes);
                body.settle()
            }
        }
    }

    fn routed(&mut self, name: &str) -> io::Result<&mut Body> {
        if !self.many.contains_key(name) {
            if self.many.len() >= MOST_FILES {
                let what = "--split-by would make more than 16384 files";
                return Err(super::report::as_io(Error::Unsupported(what)));
            }
            let ending = if self.kind.is_image() { "rdb" } else { "aof" };
            let part = self.publisher.part(&format!("{name}.{ending}")).map_err(|e| super::report::as_io(e.into()))?;
            let file = OutFile::Reopened(part.path().to_owned());
            let body = Body::begin(file, SMALL_BLOCK, self.kind.is_image(), self.target, &self.prologue);
            self.many.insert(name.into(), body);
        }
        self.many.get_mut(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// How many keys a database has, where there is one file.
    pub(crate) fn resize(&mut self, db: DbIndex, keys: u64, expires: u64) {
        if let Some(Body::Image(writer)) = &mut self.single {
            writer.select(db);
            writer.resize(keys, expires);
        }
    }

    /// Data of modules, and functions, that stand behind keys.
    pub(crate) fn behind_keys(&mut self, modules: &mut Vec<ModuleData>, functions: &mut Vec<Vec<u8>>) {
        self.epilogue.append(modules);
        self.late_functions.append(functions);
    }

    /// Put the output in its place, unless something was lost that must not be.
    pub(crate) fn settle(self, mut report: Report, options: &Options) -> Result<Report, Error> {
        if !report.losses.is_empty() && !options.lossy {
            return Err(Error::Unfit { target: self.target.name, losses: Box::new(report.losses) });
        }
        (report.bytes, report.files) = self.finish()?;
        Ok(report)
    }

    /// End every file and put the output in its place. Gives its bytes and the number of its files.
    fn finish(mut self) -> Result<(u64, u64), Error> {
        let (mut bytes, mut files) = (0u64, 0u64);
        let bodies = self.single.take().into_iter().chain(std::mem::take(&mut self.many).into_values());
        for body in bodies {
            let (file, written) =
                body.finish(&self.epilogue, &self.late_functions).map_err(|e| self.publisher.write_error(e))?;
            match file {
                OutFile::Open(part) => self.publisher.close(part)?,
                OutFile::Reopened(path) => sync(&path).map_err(|e| self.publisher.write_error(e))?,
            }
            bytes = bytes.saturating_add(written);
            files = files.saturating_add(1);
        }
        if let Kind::AofDir(base) = self.kind {
            self.rest_of_directory(base)?;
            files = files.saturating_add(2);
        }
        self.publisher.publish()?;
        Ok((bytes, files))
    }

    /// An empty incremental file for the server to go on with, and the manifest.
    fn rest_of_directory(&self, base: Base) -> Result<(), Error> {
        let incr = format!("{}.1.incr.aof", self.name);
        let manifest = Manifest {
            entries: vec![
                Entry::new(base_name_of(&self.name, base), 1, Role::Base),
                Entry::new(incr.as_str(), 1, Role::Incr),
            ],
        };
        let text =
            manifest.encode().map_err(|_| Error::Unsupported("--name cannot be the name of a file in a manifest"))?;
        for (name, text) in [(incr, Vec::new()), (format!("{}.manifest", self.name), text)] {
            let mut part = self.publisher.part(&name)?;
            part.write_all(&text).map_err(|e| self.publisher.write_error(e))?;
            self.publisher.close(part)?;
        }
        Ok(())
    }
}

fn base_name(options: &Options) -> String {
    let base = if options.kind == Kind::AofDir(Base::Aof) { Base::Aof } else { Base::Rdb };
    base_name_of(&options.name, base)
}

fn base_name_of(name: &str, base: Base) -> String {
    let ending = if base == Base::Rdb { "rdb" } else { "aof" };
    format!("{name}.1.base.{ending}")
}

fn sync(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.sync_all()
}

/// Refuse an output that would destroy its own input, or with a directory things that no one asked to replace.
pub(crate) fn refuse_to_destroy(path: &Path, inputs: &[PathBuf], options: &Options) -> Result<(), Error> {
    let Ok(output) = path.canonicalize() else { return Ok(()) };
    if options.existing.keep_backup {
        return Ok(());
    }
    let refused = |kind: io::ErrorKind| {
        Error::from(publish::Error { path: path.to_owned(), doing: publish::Doing::Refuse, cause: kind.into() })
    };
    if inputs.iter().any(|input| publish::same::would_take_away(&output, input)) {
        return Err(Error::Unsupported("the output is the input: --in-place replaces it and keeps a backup"));
    }
    let foreign = |entry: io::Result<std::fs::DirEntry>| entry.map_or(true, |entry| !is_output(&entry));
    if std::fs::read_dir(&output).is_ok_and(|mut entries| entries.any(foreign)) {
        return Err(refused(io::ErrorKind::DirectoryNotEmpty));
    }
    Ok(())
}

/// True of what an earlier output, or a server's AOF directory, consists of.
fn is_output(entry: &std::fs::DirEntry) -> bool {
    let name = entry.file_name();
    let ours = [".rdb", ".aof", ".manifest"].iter().any(|ending| name.as_encoded_bytes().ends_with(ending.as_bytes()));
    ours && entry.file_type().is_ok_and(|kind| kind.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_slots_cover_all_of_them_without_gaps() {
        for ranges in [1, 3, 7, 1000, SLOTS] {
            let mut names: Vec<String> = Vec::new();
            for n in 0..200_000 {
                let name = SplitBy::Slot(ranges).route(DbIndex(0), format!("{n}").as_bytes()).unwrap();
                names.push(name.into());
            }
            names.sort();
            names.dedup();
            assert_eq!(names.len(), usize::from(ranges), "{ranges}");
        }
        let route = |key: &str| SplitBy::Slot(3).route(DbIndex(0), key.as_bytes()).unwrap();
        assert_eq!(&*route("foo"), "slots-10923-16383");
        assert_eq!(&*SplitBy::Slot(SLOTS).route(DbIndex(0), b"foo").unwrap(), "slot-12182");
    }

    #[test]
    fn prefixes_become_names_of_files() {
        let route = |key: &[u8]| SplitBy::Prefix(b":".to_vec()).route(DbIndex(0), key).unwrap().into_string();
        assert_eq!(route(b"user:1:x"), "prefix-user");
        assert_eq!(route(b"../etc:1"), "prefix-%2E%2E%2Fetc");
        assert_eq!(route(b"plain"), "no-prefix");
        assert_eq!(route(&[&[b'a'; 300][..], b":"].concat()).len(), "prefix-".len() + 60 + 17);
    }
}

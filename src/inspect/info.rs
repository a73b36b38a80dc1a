//! What is this file? Counts by database, type and encoding; AUX fields; functions; modules.

use crate::aof;
use crate::bytes::{Budget, Cursor};
use crate::input::{self, Content, Input};
use crate::keyspace::load::library_name;
use crate::rdb::object::ModuleId;
use crate::rdb::{self, KeyRecord, Record, Scratch, ValueRef, ValueType, length};
use crate::scan::{self, Summary, walk};
use crate::value::{DbIndex, Kind};
use std::collections::BTreeMap;
use std::ops::Range;

/// All that can be told of an image without its values.
#[derive(Debug, Clone, Default)]
pub struct Info {
    /// AUX fields, in file order.
    pub aux: Vec<(Vec<u8>, Vec<u8>)>,
    /// By database.
    pub databases: BTreeMap<DbIndex, Database>,
    /// By type.
    pub types: BTreeMap<Kind, Count>,
    /// By stored form: type and encoding.
    pub encodings: BTreeMap<(Kind, &'static str), Count>,
    /// Names of function libraries.
    pub functions: Vec<Vec<u8>>,
    /// Module types with values or data in the file.
    pub modules: BTreeMap<(String, u16), u64>,
    /// The earliest and the latest expiry.
    pub expiries: Option<(i64, i64)>,
    /// Values that could not be read, and the first reason.
    pub damaged: Option<(u64, rdb::Error)>,
}

/// All that can be told of an input.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// The version of the first image.
    pub version: Option<u32>,
    /// Its dialect.
    pub dialect: Option<rdb::Dialect>,
    /// What is in the images.
    pub info: Info,
    /// File by file.
    pub parts: Vec<PartInfo>,
    /// The earliest time that an annotation of the log tells, Unix seconds.
    pub from: Option<i64>,
    /// The latest.
    pub to: Option<i64>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct PartInfo {
    /// Its name.
    pub name: String,
    /// Its place in the set.
    pub role: input::Role,
    /// What it holds.
    pub content: input::Content,
    /// Its size.
    pub bytes: u64,
    /// Keys of its image.
    pub keys: Option<u64>,
    /// Commands of its log.
    pub commands: Option<u64>,
    /// What kept us from reading all of it.
    pub damage: Vec<Damage>,
}

/// Something that could not be read.
#[derive(Debug, Clone)]
pub struct Damage {
    /// `<what> at offset <n>: <why>`
    pub what: String,
    /// What can be done about it.
    pub hint: Option<String>,
    /// Only our memory was not enough.
    pub is_exhausted: bool,
}

/// Keys of a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Database {
    /// All.
    pub keys: u64,
    /// Those with an expiry.
    pub expires: u64,
}

/// Keys of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub keys: u64,
    /// Their elements; bytes of strings.
    pub elements: u64,
    /// The bytes of their records.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.keys = self.keys.saturating_add(other.keys);
        self.elements = self.elements.saturating_add(other.elements);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Info {
    /// All keys.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.databases.values().fold(0, |sum, db| sum.saturating_add(db.keys))
    }

    /// An AUX field.
    #[must_use]
    pub fn aux(&self, name: &[u8]) -> Option<&[u8]> {
        self.aux.iter().find(|(aux, _)| aux == name).map(|(_, value)| value.as_slice())
    }

    /// Who wrote the image, from its AUX fields: `redis 7.0.15`.
    #[must_use]
    pub fn producer(&self) -> Option<String> {
        let named = [(&b"valkey-ver"[..], "valkey"), (b"redict-ver", "redict"), (b"df-ver", "dragonfly")];
        let (name, version) = named
            .iter()
            .chain(&[(&b"redis-ver"[..], "redis")])
            .find_map(|(aux, name)| self.aux(aux).map(|version| (*name, version)))?;
        Some(format!("{name} {}", version.escape_ascii()))
    }

    /// Add what was found in another image.
    pub fn merge(&mut self, other: Self) {
        self.aux.extend(other.aux);
        for (db, counts) in other.databases {
            let own = self.databases.entry(db).or_default();
            own.keys = own.keys.saturating_add(counts.keys);
            own.expires = own.expires.saturating_add(counts.expires);
        }
        for (kind, count) in other.types {
            self.types.entry(kind).or_default().add(count);
        }
        for (form, count) in other.encodings {
            self.encodings.entry(form).or_default().add(count);
        }
        self.functions.extend(other.functions);
        for (module, keys) in other.modules {
            let own = self.modules.entry(module).or_default();
            *own = own.saturating_add(keys);
        }
        self.expiries = match (self.expiries, other.expiries) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (own, others) => own.or(others),
        };
        self.damaged = match (self.damaged.take(), other.damaged) {
            (Some((own, error)), Some((others, _))) => Some((own.saturating_add(others), error)),
            (own, others) => own.or(others),
        };
    }
}

/// Look at an input of any kind.
#[must_use]
pub fn input(input: &Input, options: &walk::Options, progress: &mut dyn FnMut(u64)) -> Overview {
    let mut overview = Overview::default();
    let mut before = 0u64;
    for part in &input.parts {
        let mut one = PartInfo {
            name: part.name.clone(),
            role: part.role,
            content: part.content,
            bytes: part.bytes().len() as u64,
            keys: None,
            commands: None,
            damage: Vec::new(),
        };
        let mut trail = part.source.trail();
        let mut passed = |offset| {
            trail.reached(offset);
            progress(before.saturating_add(offset));
        };
        let log = match part.content {
            Content::Rdb | Content::DragonflySummary | Content::Aof { preamble: true } => {
                overview.image(part.bytes(), &mut one, options, &mut passed)
            }
            Content::Aof { preamble: false } => Some(0),
            Content::Empty | Content::Manifest | Content::Unknown => None,
        };
        let is_log = matches!(part.content, Content::Aof { .. }) || part.role == input::Role::Incr;
        if let Some(start) = log.filter(|_| is_log) {
            overview.log(part.bytes(), start, &mut one, &mut passed);
        }
        before = before.saturating_add(one.bytes);
        overview.parts.push(one);
    }
    overview
}

impl Overview {
    /// Look at an image. Gives its end.
    fn image(
        &mut self,
        bytes: &[u8],
        part: &mut PartInfo,
        options: &walk::Options,
        progress: &mut dyn FnMut(u64),
    ) -> Option<u64> {
        let (info, summary) = image(bytes, 0..part.bytes, options, progress);
        self.version = self.version.or(Some(summary.version).filter(|&version| version > 0));
        self.dialect = self.dialect.or(Some(summary.dialect));
        part.keys = Some(info.keys());
        let errors = info.damaged.iter().map(|(_, error)| error).chain(&summary.error);
        part.damage.extend(errors.map(|error| Damage {
            what: error.to_string(),
            hint: error.hint().map(Into::into),
            is_exhausted: error.is_exhausted(),
        }));
        if !summary.checksum_holds() {
            let at = summary.end.saturating_sub(8);
            part.damage.push(Damage {
                what: format!("check-sum at offset {at}: the checksum does not fit: some byte is damaged"),
                hint: Some("`careen check` tells more".into()),
                is_exhausted: false,
            });
        }
        self.info.merge(info);
        summary.error.is_none().then_some(summary.end)
    }

    /// Count the commands of a log.
    fn log(&mut self, bytes: &[u8], start: u64, part: &mut PartInfo, progress: &mut dyn FnMut(u64)) {
        let mut reader = aof::Reader::starting_at(bytes, start).tolerant();
        let mut commands = 0u64;
        loop {
            match reader.next_record() {
                Ok(Some(aof::Record::Command(_))) => commands = commands.saturating_add(1),
                Ok(Some(aof::Record::Annotation(annotation))) => {
                    if let Some(at) = annotation.timestamp() {
                        self.from = Some(self.from.map_or(at, |from| from.min(at)));
                        self.to = Some(self.to.map_or(at, |to| to.max(at)));
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let hint = error.hint().map(Into::into);
                    part.damage.push(Damage { what: error.to_string(), hint, is_exhausted: false });
                    break;
                }
            }
            if commands & 0xfff == 0 {
                progress(reader.offset());
            }
        }
        part.commands = Some(commands);
    }
}

/// Look at the image that begins at `range.start` of `input`.
#[must_use]
pub fn image(input: &[u8], range: Range<u64>, options: &walk::Options, progress: impl FnMut(u64)) -> (Info, Summary) {
    let mut info = Info::default();
    let task = Collect { budget: &options.budget };
    let take = |tally: &mut Tally| {
        let part = std::mem::take(&mut tally.info);
        for form in tally.forms.drain(..) {
            info.types.entry(form.kind).or_default().add(form.count);
            info.encodings.entry((form.kind, form.encoding)).or_default().add(form.count);
        }
        if let Some((db, counts)) = tally.db.take() {
            let own = info.databases.entry(db).or_default();
            own.keys = own.keys.saturating_add(counts.keys);
            own.expires = own.expires.saturating_add(counts.expires);
        }
        info.merge(part);
        Ok(())
    };
    let walked = scan::walk(input, range, options, &task, take, progress);
    // `take` returns no error, so there is none here.
    (info, walked.unwrap_or_else(|_| Summary::empty()))
}

/// What a batch of records amounts to. The common things are kept in small arrays, the rare ones in [`Info`].
#[derive(Debug, Default)]
struct Tally {
    forms: Vec<Form>,
    db: Option<(DbIndex, Database)>,
    info: Info,
}

#[derive(Debug)]
struct Form {
    kind: Kind,
    encoding: &'static str,
    count: Count,
}

impl Tally {
    fn count(&mut self, kind: Kind, encoding: &'static str, one: Count) {
        match self.forms.iter_mut().find(|form| form.kind == kind && std::ptr::eq(form.encoding, encoding)) {
            Some(form) => form.count.add(one),
            None => self.forms.push(Form { kind, encoding, count: one }),
        }
    }

    fn in_db(&mut self, db: DbIndex, expires: bool) {
        if self.db.as_ref().is_none_or(|(current, _)| *current != db)
            && let Some((old, counts)) = self.db.replace((db, Database::default()))
        {
            let own = self.info.databases.entry(old).or_default();
            own.keys = own.keys.saturating_add(counts.keys);
            own.expires = own.expires.saturating_add(counts.expires);
        }
        if let Some((_, counts)) = &mut self.db {
            counts.keys = counts.keys.saturating_add(1);
            counts.expires = counts.expires.saturating_add(u64::from(expires));
        }
    }

    fn expires_at(&mut self, at: i64) {
        let (first, last) = self.info.expiries.unwrap_or((at, at));
        self.info.expiries = Some((first.min(at), last.max(at)));
    }

    fn module(&mut self, id: ModuleId) {
        let keys = self.info.modules.entry((id.name(), id.version())).or_default();
        *keys = keys.saturating_add(1);
    }
}

struct Collect<'b> {
    budget: &'b Budget,
}

impl scan::Task for Collect<'_> {
    type Output = Tally;
    type Local = Scratch;

    fn local(&self) -> Scratch {
        Scratch::new(self.budget.clone())
    }

    fn key(&self, scratch: &mut Scratch, key: &KeyRecord<'_>, tally: &mut Tally, _: &mut dyn FnMut(&mut Tally)) {
        let elements = key.value.count(scratch).unwrap_or_else(|error| {
            note(tally, error.in_key(&key.key));
            0
        });
        let bytes = key.raw.len() as u64;
        tally.count(key.value.kind(), key.value.encoding(), Count { keys: 1, elements, bytes });
        tally.in_db(key.db, key.expiry.is_some());
        if let Some(at) = key.expiry {
            tally.expires_at(at.0);
        }
        if let Some(id) = module_id(&key.value) {
            tally.module(id);
        }
    }

    fn other(&self, scratch: &mut Scratch, record: &Record<'_>, tally: &mut Tally) {
        match record {
            Record::Aux { name, value, .. } => tally.info.aux.push((name.to_vec(), value.to_vec())),
            Record::Function { code, .. } => match code.read(scratch) {
                Ok(code) => tally.info.functions.push(library_name(&code).unwrap_or_default().to_vec()),
                Err(error) => note(tally, error),
            },
            Record::ModuleAux { module, .. } => {
                tally.info.modules.entry((module.id.name(), module.id.version())).or_default();
            }
            _ => {}
        }
    }

    fn broken(&self, _: &mut Scratch, error: rdb::Error, tally: &mut Tally) {
        note(tally, error);
    }
}

fn module_id(value: &ValueRef<'_>) -> Option<ModuleId> {
    let is_module = value.value_type == ValueType::Module2;
    is_module.then(|| length::decode(&mut Cursor::new(value.raw())).ok().map(ModuleId)).flatten()
}

#[cold]
fn note(tally: &mut Tally, error: rdb::Error) {
    let (count, first) = tally.info.damaged.take().unwrap_or((0, error));
    tally.info.damaged = Some((count.saturating_add(1), first));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted_by_database_type_and_encoding() {
        let image =
            b"REDIS0003\xfe\x00\x00\x01a\x01b\xfc\x10\0\0\0\0\0\0\0\x00\x01b\xc0\x05\xfe\x07\x01\x01l\x01\x01x\xff";
        let (info, summary) = image_info(image);
        assert!(summary.error.is_none(), "{:?}", summary.error);
        assert_eq!(info.keys(), 3);
        assert_eq!(info.databases[&DbIndex(0)], Database { keys: 2, expires: 1 });
        assert_eq!(info.databases[&DbIndex(7)], Database { keys: 1, expires: 0 });
        assert_eq!(info.types[&Kind::List], Count { keys: 1, elements: 1, bytes: 6 });
        assert_eq!(info.encodings[&(Kind::String, "int")].keys, 1);
        assert_eq!(info.expiries, Some((16, 16)));
        let mut twice = info.clone();
        twice.merge(info);
        assert_eq!(twice.keys(), 6);
    }

    fn image_info(image: &[u8]) -> (Info, Summary) {
        super::image(image, 0..image.len() as u64, &walk::Options::default(), |_| {})
    }
}

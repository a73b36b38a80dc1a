//! Planning the repair of one RDB image.
//!
//! 1. A sound image is kept as it is.
//! 2. The checksum finds small changes and surplus runs, and proves them ([`exact`]).
//! 3. Where that does not help, everything intact is salvaged ([`salvage`]), and the image is put together anew: the
//!    records as they stand, SELECTDB where the database changes, RESIZEDB with the true numbers, and a new checksum.

mod front;

use std::io::Read;
use std::ops::Range;

use super::exact::{self, Patch};
use super::plan::{Correction, Lost, Mode, Note, Part, Piece, Plan};
use super::salvage::{self, Kept, KeptKind, Salvaged};
use crate::bytes::source::{self, Source};
use crate::bytes::{Budget, Cursor, Exhausted};
use crate::check;
use crate::finding::{Finding, Severity};
use crate::rdb::{Dialect, Header, Reader, Record, length, opcode};
use crate::scan::walk;
use crate::value::DbIndex;

/// How an image is repaired.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How far to go.
    pub mode: Mode,
    /// Do not try the checksum.
    pub no_exact: bool,
    /// Put doubtful records into the output.
    pub keep_doubtful: bool,
    /// Keep what is left of damaged collections.
    pub partial: bool,
    /// Keys whose expiry may be lost are doubtful.
    pub strict_ttl: bool,
    /// Threads and budget.
    pub walk: walk::Options,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing is proven, and only that was wanted.
    NotProven,
    /// The image does not begin like one.
    NoHeader,
    /// With so little memory sound values would be given up as lost.
    Exhausted(Exhausted),
}

/// Magic and version, or what is left of them.
#[derive(Debug, Clone, Copy)]
struct Start {
    version: u32,
    dialect: Dialect,
    is_whole: bool,
    /// The version was read, not guessed.
    is_versioned: bool,
    /// Where the first record begins.
    records: usize,
}

impl Start {
    fn salvaged_from(self, image: &[u8]) -> salvage::Image<'_> {
        salvage::Image { bytes: image, from: self.records, version: self.version, dialect: self.dialect }
    }
}

/// Plan the repair of an image. `progress` gets the share done, 0 to 1.
///
/// # Errors
/// When there is nothing to plan; see [`Refusal`].
pub fn plan(image: &[u8], options: &Options, progress: &mut dyn FnMut(f64)) -> Result<Plan, Refusal> {
    let start = start_of(image).ok_or(Refusal::NoHeader)?;
    // What a look has no memory for it takes for damage: its account tells.
    let budget = options.walk.budget.rest();
    let accounted =
        Options { walk: walk::Options { budget: budget.clone(), ..options.walk.clone() }, ..options.clone() };
    let enough = || budget.refused().map_or(Ok(()), |spent| Err(Refusal::Exhausted(spent)));
    let found = look(image, &accounted);
    if found.is_sound {
        return Ok(untouched(image, &found));
    }
    let image = image.get(..found.end).unwrap_or(image);
    let exact = options.mode != Mode::Truncate && !options.no_exact && can_be_exact(image, start);
    if let Some(plan) = exact.then(|| by_checksum(image, &found, &accounted, progress)).flatten() {
        return Ok(plan);
    }
    enough()?;
    if options.mode == Mode::Exact {
        return Err(Refusal::NotProven);
    }
    let budget = options.walk.budget.rest();
    let salvaged = salvage::salvage(&start.salvaged_from(image), &budget);
    let rebuild = Rebuild { image, start, options, budget: budget.clone(), plan: Plan::default(), rebuilt: Vec::new() };
    let plan = rebuild.from(salvaged);
    budget.refused().map_or(Ok(plan), |spent| Err(Refusal::Exhausted(spent)))
}

/// The oldest version that is supposed where nothing tells it: that of Redis 2.8.
const OLDEST: u32 = 6;
/// No AUX field needs so much memory.
const FIELDS: u64 = 1 << 20;
/// Bytes of the header.
const HEADER: usize = 9;

fn start_of(image: &[u8]) -> Option<Start> {
    let header = Header::decode(&mut Cursor::new(image)).ok();
    if let Some(Header { version, dialect, .. }) =
        header.filter(|header| !check::rdb::is_damaged_version(header.version, header.dialect))
    {
        let dialect = dialect_of_fields(image).unwrap_or(dialect);
        return Some(Start { version, dialect, is_whole: true, is_versioned: true, records: HEADER });
    }
    damaged_magic(image).or_else(|| front::start(image))
}

/// Forks tell in the first AUX fields that the records behind them are theirs.
fn dialect_of_fields(image: &[u8]) -> Option<Dialect> {
    let budget = Budget::new(FIELDS);
    let mut reader = Reader::new(image).ok()?.with_budget(&budget);
    while let Ok(Some(Record::Aux { .. })) = reader.next_record() {}
    Some(reader.dialect())
}

fn damaged_magic(image: &[u8]) -> Option<Start> {
    let head = image.get(..HEADER)?;
    let wrong = |magic: &[u8]| head.iter().zip(magic).filter(|(a, b)| a != b).count();
    let (dialect, version) = match (wrong(b"REDIS00"), wrong(b"VALKEY0")) {
        (0..=2, _) => (Dialect::Redis, 12),
        (_, 0..=2) => (Dialect::Valkey, 80),
        _ => return None,
    };
    Some(Start { version, dialect, is_whole: false, is_versioned: false, records: HEADER })
}

/// What a check says before anything is tried.
struct Found {
    is_sound: bool,
    /// There is a checksum, and it holds.
    is_summed: bool,
    keys: u64,
    /// Where the image ends: before bytes that a server does not look at.
    end: usize,
    /// Where the structure breaks.
    failure: Option<u64>,
}

fn look(image: &[u8], options: &Options) -> Found {
    let check = check::rdb::Options { walk: options.walk.clone(), ..check::rdb::Options::default() };
    let report = check::rdb::check(image, 0..image.len() as u64, &check, |_| {});
    let errors = |finding: &&Finding| finding.severity == Severity::Error;
    let broken = report.findings.iter().find(|finding| errors(finding) && finding.code != "rdb-checksum-mismatch");
    let summed = report.summary.stored_checksum.is_some_and(|stored| stored != 0);
    let is_whole = report.summary.error.is_none() && report.summary.checksum_holds();
    // Only a sum that holds proves that the end mark is one.
    let end = if is_whole && summed { report.summary.end } else { image.len() as u64 };
    let reaches_end = report.summary.end == image.len() as u64 || is_whole && summed;
    Found {
        is_summed: is_whole && summed,
        is_sound: is_whole && broken.is_none() && reaches_end,
        keys: report.keys,
        end: usize::try_from(end).unwrap_or(image.len()),
        failure: broken.map(|finding| finding.offset).or((!reaches_end).then_some(report.summary.end)),
    }
}

fn untouched(image: &[u8], found: &Found) -> Plan {
    let mut plan = Plan { proven: found.is_summed, ..Plan::default() };
    plan.kept.keys = found.keys;
    plan.keep(0..found.end as u64);
    if found.end < image.len() {
        let end = image.len() as u64;
        plan.lost.push(Lost { offset: found.end as u64, end, code: "rdb-trailing-bytes", keys: Vec::new() });
    }
    plan
}

/// There is a sum, it was not switched off, and the image was not cut before it.
fn can_be_exact(image: &[u8], start: Start) -> bool {
    start.version >= crate::rdb::FIRST_WITH_CHECKSUM && image.last_chunk::<8>().is_some_and(|sum| *sum != [0; 8])
}

fn by_checksum(image: &[u8], found: &Found, options: &Options, progress: &mut dyn FnMut(f64)) -> Option<Plan> {
    let search = exact::Options { failure: found.failure, threads: options.walk.threads };
    let mut keys = 0;
    let mut sound = |patch: &Patch| {
        let found = patched(image, patch, options);
        keys = found.as_ref().map_or(keys, |found| found.keys);
        found.is_some_and(|found| found.is_sound)
    };
    let repair = exact::repair(image, &search, &mut sound, progress)?;
    if options.mode == Mode::Exact && !repair.proven {
        return None;
    }
    let patch = repair.patch;
    let mut plan = Plan { proven: repair.proven, ..Plan::default() };
    plan.kept.keys = keys;
    plan.keep(0..patch.at);
    if !patch.inserted.is_empty() {
        plan.pieces.push(Piece::Bytes(patch.inserted.clone()));
    }
    plan.keep(patch.at.saturating_add(patch.removed)..image.len() as u64);
    let was = patch.was(image).to_vec();
    plan.corrected.push(Correction { offset: patch.at, was, now: patch.inserted });
    Some(plan)
}

/// Check a patched image as deep as any other.
fn patched(image: &[u8], patch: &Patch, options: &Options) -> Option<Found> {
    // Far less than there is, as what the budget refuses goes to disk, and a refusal counts as being short of memory.
    let (budget, usual) = (options.walk.budget.clone(), source::Options::default());
    let spool = source::Options { spool_above: usual.spool_above.min(budget.left() / 4), budget, ..usual };
    // The chain of slices begins with the image's own header, so it is never taken for an archive.
    let source = Source::stream("patched image", patch.read(image).take(u64::MAX), &spool).ok()?;
    let found = look(source.bytes(), options);
    (found.end == source.bytes().len()).then_some(found)
}

/// The image, put together anew.
struct Rebuild<'a> {
    image: &'a [u8],
    start: Start,
    options: &'a Options,
    budget: Budget,
    plan: Plan,
    /// Records made of what is left of damaged ones.
    rebuilt: Vec<Vec<u8>>,
}

/// Keys of one database that follow one another in the output.
struct Section<'r> {
    db: u32,
    keys: u64,
    expires: u64,
    records: &'r [Kept],
}

impl Rebuild<'_> {
    fn from(mut self, salvaged: Salvaged) -> Plan {
        let failure = salvaged.failure.as_ref().map(|(at, error)| (*at, error.code()));
        let mut records = salvaged.records;
        if self.options.mode == Mode::Truncate {
            let end = failure.map_or(usize::MAX, |(at, _)| at);
            records.retain(|record| record.range.end <= end && record.doubt.is_none());
        }
        self.doubtful(&mut records);
        self.lost(&records, &salvaged.dropped, failure);
        self.notes(&records, &salvaged.db_uncertain, failure.is_none());
        records.retain(|record| record.doubt.is_none() || self.options.keep_doubtful);
        if self.options.partial {
            self.partial(&mut records);
        }
        self.header(&records);
        for section in sections(&records) {
            self.section(&section);
        }
        self.plan.pieces.push(Piece::Bytes(vec![opcode::EOF]));
        if self.start.version >= crate::rdb::FIRST_WITH_CHECKSUM {
            self.plan.pieces.push(Piece::Checksum);
        }
        self.plan
    }

    fn doubtful(&mut self, records: &mut [Kept]) {
        for record in records.iter_mut() {
            if record.expiry_unknown && self.options.strict_ttl {
                record.doubt.get_or_insert("expiry-unknown");
            }
            let Some(code) = record.doubt else { continue };
            let keys = self.names(&record.range);
            let (offset, end) = (record.range.start as u64, record.range.end as u64);
            self.plan.doubtful.push(Lost { offset, end, code, keys });
        }
        self.plan.doubtful_is_kept = self.options.keep_doubtful;
    }

    /// Everything between the records.
    fn lost(
        &mut self,
        records: &[Kept],
        dropped: &[(Range<usize>, &'static str)],
        failure: Option<(usize, &'static str)>,
    ) {
        let mut at = self.start.records;
        let end = Kept {
            range: self.image.len()..self.image.len(),
            kind: KeptKind::End,
            db: 0,
            doubt: None,
            expiry_unknown: false,
        };
        for record in records.iter().chain([&end]) {
            if record.range.start > at {
                let gap = at..record.range.start;
                let known = failure.filter(|(failed, _)| gap.contains(failed)).map(|(_, code)| code);
                self.lost_range(gap, dropped, known);
            }
            at = at.max(record.range.end);
        }
        if records.last().is_none_or(|last| last.kind != KeptKind::End) && self.plan.lost.is_empty() {
            // Cut right between two records: no byte is lost, but those that never were there are.
            let end = self.image.len() as u64;
            self.plan.lost.push(Lost { offset: end, end, code: "rdb-truncated", keys: Vec::new() });
        }
    }

    fn lost_range(&mut self, gap: Range<usize>, dropped: &[(Range<usize>, &'static str)], code: Option<&'static str>) {
        let before = |at: usize| dropped.partition_point(|(range, _)| range.start < at);
        let inside = dropped.get(before(gap.start)..before(gap.end)).unwrap_or_default();
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for (range, _) in inside {
            keys.extend(self.names(range));
        }
        let (at_start, name) = self.what_fails(gap.start);
        keys.extend(name.filter(|name| !name.is_empty()));
        keys.sort();
        keys.dedup();
        let bytes = self.image.get(gap.clone()).unwrap_or_default();
        let dropped_code = inside.first().map(|(_, why)| *why);
        let code = match (code, dropped_code) {
            _ if bytes.len() >= 8 && bytes.iter().all(|&byte| byte == 0) => "zero-block",
            (Some(code), _) => code,
            (None, Some(why)) => why,
            (None, None) => at_start.unwrap_or("rdb-unreadable-bytes"),
        };
        self.plan.lost.push(Lost { offset: gap.start as u64, end: gap.end as u64, code, keys });
    }

    /// Put what is left of damaged collections between the records.
    fn partial(&mut self, records: &mut Vec<Kept>) {
        let parts = self.start.salvaged_from(self.image);
        let gaps: Vec<Range<u64>> = self.plan.lost.iter().map(|lost| lost.offset..lost.end).collect();
        for gap in gaps {
            let (Ok(start), Ok(end)) = (usize::try_from(gap.start), usize::try_from(gap.end)) else { continue };
            let Some(part) = salvage::partial(&parts, start..end, &self.budget) else { continue };
            let at = records.partition_point(|record| record.range.start < start);
            let db = at.checked_sub(1).and_then(|before| records.get(before)).map_or(0, |before| before.db);
            if self.has_key(records, db, &part.key) {
                continue;
            }
            let kind = KeptKind::Rebuilt { index: self.rebuilt.len(), expires: part.expires };
            records.insert(at, Kept { range: start..start, kind, db, doubt: None, expiry_unknown: false });
            let (kept, claimed) = (part.kept, part.claimed);
            self.plan.partial.push(Part { offset: gap.start, db, key: part.key, kept, claimed });
            self.rebuilt.push(part.record);
        }
    }

    /// True when the output has a key of this name.
    fn has_key(&self, records: &[Kept], db: u32, name: &[u8]) -> bool {
        let of_db = records.iter().filter(|record| record.db == db && matches!(record.kind, KeptKind::Keys { .. }));
        let in_records = of_db.map(|record| &record.range).any(|range| {
            let bytes = self.image.get(range.clone()).unwrap_or_default();
            let c = Cursor::at(bytes, range.start as u64);
            let mut reader =
                Reader::resume(c, self.start.version, self.start.dialect, DbIndex(db)).with_budget(&self.budget);
            while let Ok(Some(Record::Key(record))) = reader.next_inner() {
                if *record.key == *name {
                    return true;
                }
            }
            false
        });
        in_records || self.plan.partial.iter().any(|part| part.db == db && part.key == name)
    }

    /// What a reader says at an offset, and the key that it read.
    fn what_fails(&self, at: usize) -> (Option<&'static str>, Option<Vec<u8>>) {
        match self.reader(at).next_record() {
            Err(error) => (Some(error.code()), error.key().map(<[u8]>::to_vec)),
            Ok(Some(Record::Key(record))) => (None, Some(record.key.to_vec())),
            Ok(_) => (None, None),
        }
    }

    fn reader(&self, at: usize) -> Reader<'_> {
        let rest = self.image.get(at..).unwrap_or_default();
        Reader::resume(Cursor::at(rest, at as u64), self.start.version, self.start.dialect, DbIndex(0))
            .with_budget(&self.budget)
    }

    /// The key of a record.
    fn names(&self, range: &Range<usize>) -> Vec<Vec<u8>> {
        match self.reader(range.start).next_record() {
            Ok(Some(Record::Key(record))) => vec![record.key.to_vec()],
            _ => Vec::new(),
        }
    }

    fn notes(&mut self, records: &[Kept], db_uncertain: &[Range<usize>], structure_is_sound: bool) {
        if structure_is_sound {
            let end = self.image.len() as u64;
            let code = "checksum-mismatch-structure-intact";
            self.plan.notes.push(Note { offset: 0, end, code, keys: Vec::new() });
        }
        let note = |range: &Range<usize>, code| Note {
            offset: range.start as u64,
            end: range.end as u64,
            code,
            keys: Vec::new(),
        };
        self.plan.notes.extend(db_uncertain.iter().map(|range| note(range, "db-uncertain")));
        let expiry = records.iter().filter(|record| record.expiry_unknown && record.doubt.is_none());
        self.plan.notes.extend(expiry.map(|record| note(&record.range, "expiry-unknown")));
    }

    fn header(&mut self, records: &[Kept]) {
        if self.start.is_whole {
            return self.plan.keep(0..HEADER as u64);
        }
        let version = records.iter().map(|record| self.needs_version(record)).max().unwrap_or(0).max(OLDEST);
        if !self.start.is_versioned {
            self.start.version = if self.start.dialect == Dialect::Valkey { 80 } else { version };
        }
        let magic = if self.start.dialect == Dialect::Valkey { "VALKEY" } else { "REDIS" };
        let digits = HEADER.saturating_sub(magic.len());
        let header = format!("{magic}{:0digits$}", self.start.version);
        self.plan.pieces.push(Piece::Bytes(header.into_bytes()));
        self.plan.lost.push(Lost {
            offset: 0,
            end: self.start.records as u64,
            code: "rdb-bad-version",
            keys: Vec::new(),
        });
        self.plan.lost.rotate_right(1);
    }

    /// The smallest RDB version that has a record's type or opcode.
    fn needs_version(&self, record: &Kept) -> u32 {
        match record.kind {
            KeptKind::Keys { .. } => match self.reader(record.range.start).next_record() {
                Ok(Some(Record::Key(key))) => key.value.value_type.first_version(),
                _ => OLDEST,
            },
            KeptKind::Other(opcode) => opcode::first_version(opcode),
            _ => OLDEST,
        }
    }

    fn section(&mut self, section: &Section<'_>) {
        let mut opened = false;
        for record in section.records {
            let in_database = keyed(record) || record.kind == KeptKind::Other(opcode::SLOT_INFO);
            if in_database && !opened {
                opened = true;
                self.open_database(section);
            }
            if let KeptKind::Rebuilt { index, .. } = record.kind {
                self.plan.pieces.extend(self.rebuilt.get(index).cloned().map(Piece::Bytes));
            } else if in_database || matches!(record.kind, KeptKind::Other(_)) {
                self.plan.keep(record.range.start as u64..record.range.end as u64);
            }
        }
        self.plan.kept.keys = self.plan.kept.keys.saturating_add(section.keys);
    }

    fn open_database(&mut self, section: &Section<'_>) {
        let mut bytes = vec![opcode::SELECTDB];
        length::encode(section.db.into(), &mut bytes);
        if self.start.version >= 7 {
            bytes.push(opcode::RESIZEDB);
            length::encode(section.keys, &mut bytes);
            length::encode(section.expires, &mut bytes);
        }
        self.plan.pieces.push(Piece::Bytes(bytes));
    }
}

/// Keys, which belong to a database.
fn keyed(record: &Kept) -> bool {
    matches!(record.kind, KeptKind::Keys { .. } | KeptKind::Rebuilt { .. })
}

/// Cut records where the database changes.
fn sections(records: &[Kept]) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let mut rest = records;
    while !rest.is_empty() {
        let db = rest.iter().find(|record| keyed(record)).map_or(0, |record| record.db);
        let len = rest.iter().position(|record| keyed(record) && record.db != db).unwrap_or(rest.len());
        // The records between the last key and the next database's first belong to the next.
        let len = rest
            .get(..len)
            .and_then(|part| part.iter().rposition(keyed))
            .map_or(rest.len(), |last| if len == rest.len() { len } else { last + 1 });
        let (records, behind) = rest.split_at(len);
        let (mut keys, mut expires) = (0u64, 0u64);
        for record in records {
            let (count, with) = match record.kind {
                KeptKind::Keys { count, expires } => (count, expires),
                KeptKind::Rebuilt { expires, .. } => (1, u64::from(expires)),
                _ => (0, 0),
            };
            keys = keys.saturating_add(count);
            expires = expires.saturating_add(with);
        }
        sections.push(Section { db, keys, expires, records });
        rest = behind;
    }
    sections
}

#[cfg(test)]
mod tests;

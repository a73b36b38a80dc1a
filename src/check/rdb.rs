//! RDB images: structure, checksum, every value in depth, duplicate keys.

use std::ops::Range;

use super::findings::{Findings, Kept};
use super::value::{Inspector, Problem};
use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Exhausted};
use crate::finding::{Finding, Severity};
use crate::rdb::{self, KeyRecord, Record};
use crate::scan::unique::{Hashing, KeyHashes};
use crate::scan::{self, Summary, walk};

/// What a check found.
#[derive(Debug, Clone)]
pub struct Report {
    /// How the image begins and where it ends.
    pub summary: Summary,
    /// Keys seen.
    pub keys: u64,
    /// Everything that is wrong, in file order.
    pub findings: Vec<Finding>,
    /// Findings beyond the limit, counted only.
    pub more_findings: u64,
    /// The worst of them all, counted ones included.
    pub worst: Option<Severity>,
}

/// How deep and how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads and budget.
    pub walk: walk::Options,
    /// How many findings are kept; the rest is counted.
    pub max_findings: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { walk: walk::Options::default(), max_findings: 1000 }
    }
}

#[derive(Default)]
struct Output {
    keys: u64,
    hashes: Vec<u64>,
    findings: Vec<Finding>,
    newest: Option<Newest>,
}

/// The first key whose type came with the latest version of all.
struct Newest {
    version: u32,
    offset: u64,
    db: u32,
    key: Vec<u8>,
}

impl Newest {
    /// Put what came with a later version in the place of what is there.
    fn raise(newest: &mut Option<Self>, version: u32, other: impl FnOnce() -> Self) {
        if newest.as_ref().is_none_or(|newest| newest.version < version) {
            *newest = Some(other());
        }
    }

    fn of(record: &KeyRecord<'_>, version: u32) -> Self {
        Self { version, offset: record.offset, db: record.db.0, key: record.key.to_vec() }
    }

    /// Servers go by the type's number alone and load it; but one of the header's version did not write it.
    fn finding(self, summary: &Summary) -> Option<Finding> {
        // Other servers put newer types behind an older version.
        if self.version <= summary.version || summary.dialect != rdb::Dialect::Redis {
            return None;
        }
        let message = format!("a type that came with version {}; the header says {}", self.version, summary.version);
        let finding = Finding::warning("rdb-newer-type", self.offset, message).in_db(self.db).about_key(self.key);
        Some(finding.hint("newer servers load it all the same; no server of that version wrote it"))
    }
}

struct Check {
    hashing: Hashing,
    budget: Budget,
}

impl scan::Task for Check {
    type Output = Output;
    type Local = Inspector;

    fn local(&self) -> Inspector {
        Inspector::new(&self.budget)
    }

    #[inline]
    fn key(
        &self,
        inspector: &mut Inspector,
        record: &KeyRecord<'_>,
        output: &mut Output,
        _spill: &mut dyn FnMut(&mut Output),
    ) {
        output.keys = output.keys.saturating_add(1);
        output.hashes.push(self.key_hash(record));
        let version = record.value.value_type.first_version();
        Newest::raise(&mut output.newest, version, || Newest::of(record, version));
        inspector.inspect(&record.value, &mut |problem| {
            let finding = finding_of(&problem.error, problem.severity);
            output.findings.push(finding.until(record.end()).in_db(record.db.0).about_key(record.key.to_vec()));
        });
    }

    fn other(&self, inspector: &mut Inspector, record: &Record<'_>, output: &mut Output) {
        // Release candidates of 7.0 wrote other fields before the text, and had no header in it.
        if let Record::Function { offset, code } = record
            && code.offset == offset.saturating_add(1)
        {
            let report = |problem: Problem| output.findings.push(finding_of(&problem.error, problem.severity));
            inspector.function(code, &mut { report });
        }
    }

    fn broken(&self, _: &mut Inspector, error: rdb::Error, output: &mut Output) {
        output.findings.push(finding_of(&error, Severity::Error));
    }
}

impl Check {
    fn key_hash(&self, record: &KeyRecord<'_>) -> u64 {
        self.hashing.hash_key(record.db, &record.key)
    }
}

/// An error as a finding.
#[must_use]
pub fn finding_of(error: &rdb::Error, severity: Severity) -> Finding {
    let doing = error.doing().map(|doing| format!("{}: ", doing.name())).unwrap_or_default();
    let mut finding = Finding::new(severity, error.code(), error.offset(), format!("{doing}{}", error.why()));
    if let Some(key) = error.key() {
        finding = finding.about_key(key);
    }
    match error.hint() {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

/// Check the image that begins at `range.start`.
#[must_use]
pub fn check(input: &[u8], range: Range<u64>, options: &Options, progress: impl FnMut(u64)) -> Report {
    let task = Check { hashing: Hashing::default(), budget: options.walk.budget.clone() };
    let mut hashes = KeyHashes::charged_to(&options.walk.budget);
    let (mut keys, mut kept, mut spent, mut newest) = (0u64, Kept::default(), None, None);
    let mut findings = Findings { kept: &mut kept, file: "", limit: options.max_findings };
    let walked = scan::walk(
        input,
        range.clone(),
        &options.walk,
        &task,
        |output| {
            keys = keys.saturating_add(output.keys);
            output.keys = 0;
            if spent.is_none() {
                spent = hashes.extend(&output.hashes).err();
            }
            output.hashes.clear();
            if let Some(found) = output.newest.take() {
                Newest::raise(&mut newest, found.version, || found);
            }
            output.findings.drain(..).for_each(|finding| findings.push(finding));
            Ok(())
        },
        progress,
    );
    // `take` above returns no error, so there is none here.
    let summary = walked.unwrap_or_else(|_| Summary::empty());
    let repeated = hashes.repeated(options.walk.threads);
    if !repeated.is_empty()
        && let Err(exhausted) = duplicate_keys(input, range.clone(), &task, &repeated, &mut findings)
    {
        spent.get_or_insert(exhausted);
    }
    let mut whole = image_findings(&summary, range.start);
    whole.extend(newest.and_then(|newest| newest.finding(&summary)));
    if let Some(exhausted) = spent {
        let error = rdb::Error::new(summary.end, rdb::ErrorKind::Exhausted(exhausted));
        whole.push(finding_of(&error, Severity::Error));
    }
    // Few and telling: they are kept whatever the limit.
    findings.limit = usize::MAX;
    whole.into_iter().for_each(|finding| findings.push(finding));
    kept.findings.sort_by_key(|finding| finding.offset);
    Report { summary, keys, findings: kept.findings, more_findings: kept.more, worst: kept.worst }
}

/// The newest versions that servers write, by the header's magic.
const NEWEST: [(&str, u32); 2] = [("REDIS", 15), ("VALKEY", 80)];
/// A version that is newer by more than this is damage rather than the future.
const FUTURE: u32 = 20;

/// The magic of a dialect, and the newest version behind it.
fn newest(dialect: rdb::Dialect) -> (&'static str, u32) {
    let [redis, valkey] = NEWEST;
    if dialect == rdb::Dialect::Valkey { valkey } else { redis }
}

/// True for a version that is damage: no server will write it for many years.
pub(crate) fn is_damaged_version(version: u32, dialect: rdb::Dialect) -> bool {
    version.saturating_sub(newest(dialect).1) > FUTURE
}

/// A version that no server has written yet.
fn version_finding(summary: &Summary, start: u64) -> Option<Finding> {
    let (magic, newest) = newest(summary.dialect);
    if summary.version <= newest {
        return None;
    }
    let message = format!("version {} behind {magic}; the newest known is {newest}", summary.version);
    Some(if is_damaged_version(summary.version, summary.dialect) {
        let finding = Finding::error("rdb-unknown-version", start, message);
        finding.hint("no server loads it: the digits of the header are damaged")
    } else {
        Finding::warning("rdb-newer-version", start, message).hint("read as far as its types are known")
    })
}

/// What is wrong with the image as a whole.
fn image_findings(summary: &Summary, start: u64) -> Vec<Finding> {
    let mut findings: Vec<Finding> = version_finding(summary, start).into_iter().collect();
    if let Some(error) = &summary.error {
        findings.push(finding_of(error, Severity::Error));
    }
    if let Some(error) = summary.checksum_error() {
        findings.push(finding_of(&error, Severity::Error).until(summary.end));
    }
    findings
}

/// What a name costs to remember, besides its bytes.
const NAME_BYTES: u64 = 96;

/// Look at the names behind hashes that came twice.
fn duplicate_keys(
    input: &[u8],
    range: Range<u64>,
    task: &Check,
    repeated: &[u64],
    findings: &mut Findings<'_>,
) -> Result<(), Exhausted> {
    let mut first: std::collections::HashMap<(u32, Vec<u8>), u64> = std::collections::HashMap::new();
    let mut charge = Charge::new(&task.budget);
    let start = usize::try_from(range.start).unwrap_or(usize::MAX);
    let Ok(reader) = rdb::Reader::at(input.get(start..).unwrap_or_default(), range.start) else { return Ok(()) };
    let mut reader = reader.with_budget(&task.budget);
    // What is broken was found before.
    while let Some(record) = reader.next_sound(drop) {
        let Record::Key(record) = record else { continue };
        if repeated.binary_search(&task.key_hash(&record)).is_err() {
            continue;
        }
        match first.entry((record.db.0, record.key.to_vec())) {
            std::collections::hash_map::Entry::Vacant(slot) => {
                charge.add((record.key.len() as u64).saturating_add(NAME_BYTES))?;
                slot.insert(record.offset);
            }
            std::collections::hash_map::Entry::Occupied(earlier) => {
                let message = format!("the key occurs twice; first at offset {}", earlier.get());
                let finding = Finding::error("rdb-duplicate-key", record.offset, message).until(record.end());
                findings
                    .push(finding.in_db(record.db.0).about_key(record.key.to_vec()).hint("a server dies loading this"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(names: impl Iterator<Item = String>) -> Vec<u8> {
        let mut image = b"REDIS0009".to_vec();
        for name in names {
            image.extend([0, u8::try_from(name.len()).unwrap()]);
            image.extend_from_slice(name.as_bytes());
            image.extend_from_slice(b"\x01v");
        }
        image.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
        image
    }

    fn checked(image: &[u8], options: &Options) -> Report {
        check(image, 0..image.len() as u64, options, |_| {})
    }

    #[test]
    fn duplicate_keys_beyond_the_limit_are_counted_only() {
        let image = image((0..100).map(|n| format!("k{}", n % 10)));
        let report = checked(&image, &Options { max_findings: 7, ..Options::default() });
        assert_eq!((report.findings.len(), report.more_findings), (7, 83));
        assert_eq!(report.worst, Some(Severity::Error));
    }

    #[test]
    fn a_name_that_does_not_inflate_hides_no_other() {
        let broken = b"\x00\xc3\x05\x40\x64\x00a\xe0Z\x26\x01x";
        let keys = |names: &str| names.bytes().flat_map(|name| [0, 1, name, 1, b'v']).collect::<Vec<u8>>();
        let image = [b"REDIS0009", &keys("ab")[..], broken, &keys("c"), broken, &keys("da"), b"\xff\0\0\0\0\0\0\0\0"];
        let report = checked(&image.concat(), &Options::default());
        let found: Vec<_> = report.findings.iter().map(|finding| (finding.code, finding.offset)).collect();
        assert_eq!(report.keys, 5);
        assert_eq!(found, [("lzf-bad-reference", 20), ("lzf-bad-reference", 37), ("rdb-duplicate-key", 53)]);
    }

    /// Looked through one by one, these took minutes.
    #[test]
    fn a_hundred_thousand_names_that_all_come_twice_take_no_time() {
        let image = image((0..200_000).map(|n| format!("{:05x}", n / 2)));
        let begun = std::time::Instant::now();
        let report = checked(&image, &Options::default());
        assert_eq!(report.findings.len() as u64 + report.more_findings, 100_000);
        assert!(begun.elapsed().as_secs() < 60);
    }

    #[test]
    fn a_budget_too_small_for_the_names_is_said() {
        let image = image((0..1000).map(|n| n.to_string()));
        let walk = walk::Options { budget: Budget::new(4 << 10), ..walk::Options::default() };
        let report = checked(&image, &Options { walk, ..Options::default() });
        assert!(report.findings.iter().any(|finding| finding.code == "memory-budget"), "{:?}", report.findings);
    }

    #[test]
    fn a_type_newer_than_the_version_is_a_warning_for_servers_load_it() {
        let hash = |key| [b"\x10\x01".as_slice(), key, b"\x0d\x0d\0\0\0\x02\0\x81f\x02\x81v\x02\xff"].concat();
        let newer = |version: u8, front: &[u8]| {
            let mut image = [&b"REDIS000"[..], &[version], front].concat();
            image.extend_from_slice(b"\0\x01a\x01b");
            image.extend_from_slice(&hash(b"h"));
            image.extend_from_slice(&hash(b"i"));
            image.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
            let report = checked(&image, &Options::default());
            let found = report.findings.iter().map(|finding| (finding.code, finding.severity, finding.key.clone()));
            found.collect::<Vec<_>>()
        };
        assert_eq!(newer(b'9', b""), [("rdb-newer-type", Severity::Warning, Some(b"h".to_vec()))]);
        assert_eq!(newer(b'9', b"\xfa\x06df-ver\x011"), [], "another server writes it so");
    }

    #[test]
    fn functions_have_a_name_and_streams_without_nodes_no_length() {
        let codes = |body: &[u8]| {
            let image = [&b"REDIS0010"[..], body, b"\xff\0\0\0\0\0\0\0\0"].concat();
            let report = check(&image, 0..image.len() as u64, &Options::default(), |_| {});
            report.findings.iter().map(|finding| (finding.code, finding.severity)).collect::<Vec<_>>()
        };
        assert_eq!(codes(b"\xf5\x10#!lua name=mylib"), []);
        assert_eq!(codes(b"\xf5\x10#!lua naGe=mylib"), [("rdb-function-unnamed", Severity::Warning)]);
        assert_eq!(codes(b"\xf5\xc3\x02\x10\xff\xff").len(), 1);
        // No node, a length of 1, last id 0-0, no group.
        assert_eq!(codes(b"\x0f\x01x\x00\x01\x00\x00\x00"), [("stream-length-mismatch", Severity::Error)]);
    }
}

//! The manifest of a multi-part log: which files belong to it, and in which order they are loaded.
//!
//! ```text
//! file NAME seq N type b|h|i [startoffset N [endoffset N]] LF
//! ```
//!
//! | rule | source: Redis 7.0 `src/aof.c`, `aofLoadManifestFromFile` |
//! | --- | --- |
//! | lines | at most 1024 bytes with their LF, which the last one has too; `#` begins a comment; none is blank |
//! | words | `sdssplitargs`: bare, `"…"` with `\n \r \t \a \b \xHH`, `'…'` with `\'` |
//! | pairs | at least three, in any order, keys without case, unknown ones ignored, of repeated ones the last counts |
//! | `file` | no `/` and no `\` |
//! | `seq` | as C's `atoll` reads it, and not 0 |
//! | `type` | its first byte: base, history, incremental |
//! | order | at most one base, wherever it stands; each `i` has a greater seq than the `i` before it |
//!
//! [`Manifest::scan`] reads on after a problem and reports all of them, also what servers let pass;
//! [`Manifest::parse`] stops where a server stops. [`Manifest::encode`] writes what a server would write.

mod line;
mod problem;

pub use problem::{Problem, ProblemKind};

use std::collections::HashSet;

/// The longest line, LF included (`MANIFEST_MAX_LINE`).
const LINE_MAX: usize = 1024;

/// The role of a file in a multi-part log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Where loading begins: a snapshot, as RDB or as commands.
    Base,
    /// What was logged before the base was written. Never loaded.
    History,
    /// What was logged since.
    Incr,
}

impl Role {
    /// The letter in the manifest.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Base => 'b',
            Self::History => 'h',
            Self::Incr => 'i',
        }
    }

    fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'b' => Some(Self::Base),
            b'h' => Some(Self::History),
            b'i' => Some(Self::Incr),
            _ => None,
        }
    }
}

/// One line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file's name, without any path.
    pub name: Vec<u8>,
    /// Its sequence number. Bases and incremental files are counted apart.
    pub seq: i64,
    /// What it is.
    pub role: Role,
    /// The replication offset at which it began (Redis 8.0).
    pub start_offset: Option<i64>,
    /// The replication offset at which it ended (Redis 8.0).
    pub end_offset: Option<i64>,
    /// Pairs that no server known to us writes, kept for the ones that do.
    pub unknown: Vec<(Vec<u8>, Vec<u8>)>,
    /// The number of its line, from 1; 0 when it was not read from a manifest.
    pub line: u32,
}

impl Entry {
    /// A line with the three fields that each line has.
    #[must_use]
    pub fn new(name: impl Into<Vec<u8>>, seq: i64, role: Role) -> Self {
        let name = name.into();
        Self { name, seq, role, start_offset: None, end_offset: None, unknown: Vec::new(), line: 0 }
    }
}

/// The files of a multi-part log, in the manifest's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// One per line, comments left out.
    pub entries: Vec<Entry>,
}

impl Manifest {
    /// Read a manifest as a server does.
    ///
    /// # Errors
    /// The first thing in it that a server refuses.
    pub fn parse(text: &[u8]) -> Result<Self, Problem> {
        let (manifest, problems) = Self::scan(text);
        match problems.into_iter().find(Problem::is_refused) {
            Some(problem) => Err(problem),
            None => Ok(manifest),
        }
    }

    /// Read what can be read of a manifest, and tell all that is wrong with it.
    #[must_use]
    pub fn scan(text: &[u8]) -> (Self, Vec<Problem>) {
        let mut scan = Scan::default();
        if text.is_empty() {
            scan.problems.push(Problem { line: 0, offset: 0, text: Vec::new(), kind: ProblemKind::Empty });
        }
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = line::cut(rest);
            scan.lines = scan.lines.saturating_add(1);
            scan.offset = text.len().saturating_sub(rest.len()) as u64;
            scan.line(line);
            rest = after;
        }
        (scan.manifest, scan.problems)
    }

    /// The base, if there is one.
    #[must_use]
    pub fn base(&self) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.role == Role::Base)
    }

    /// The incremental files, in order.
    pub fn incrs(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.role == Role::Incr)
    }

    /// The files that were part of the log once.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.role == Role::History)
    }

    /// What is loaded, in the order in which it is loaded: the base first, wherever its line stands.
    pub fn loaded(&self) -> impl Iterator<Item = &Entry> {
        self.base().into_iter().chain(self.incrs())
    }

    /// The text that a server would write: base, history, incremental files.
    ///
    /// # Errors
    /// When a line gets longer than servers read, or is one that they refuse.
    pub fn encode(&self) -> Result<Vec<u8>, Problem> {
        let mut out = Vec::new();
        for entry in self.base().into_iter().chain(self.history()).chain(self.incrs()) {
            line::encode(entry, &mut out);
        }
        // A manifest of nothing but comments is how a set of no files is told from a lost manifest.
        if out.is_empty() {
            out.extend_from_slice(b"# no files\n");
        }
        Self::parse(&out).map(|_| out)
    }
}

/// Reading in progress.
#[derive(Default)]
struct Scan {
    manifest: Manifest,
    problems: Vec<Problem>,
    lines: u32,
    offset: u64,
    last_incr: i64,
    has_base: bool,
    names: HashSet<Vec<u8>>,
}

impl Scan {
    fn problem(&mut self, line: &[u8], kind: ProblemKind) {
        let text = line::trim(line).to_vec();
        self.problems.push(Problem { line: self.lines, offset: self.offset, text, kind });
    }

    fn line(&mut self, line: &[u8]) {
        if line.starts_with(b"#") {
            return;
        }
        if let Err(kind) = line::ends_well(line) {
            self.problem(line, kind);
            if kind != ProblemKind::NoNewline {
                return;
            }
        }
        if line::trim(line).is_empty() {
            return self.problem(line, ProblemKind::BlankLine);
        }
        match line::words(line::trim(line)) {
            None => self.problem(line, ProblemKind::BadQuotes),
            Some(words) if words.len() < 6 || !words.len().is_multiple_of(2) => {
                self.problem(line, ProblemKind::BadPairs { words: words.len() });
            }
            Some(words) => self.pairs(line, words),
        }
    }

    fn pairs(&mut self, line: &[u8], words: Vec<Vec<u8>>) {
        let fields = line::Fields::gather(words);
        for kind in &fields.sloppy {
            self.problem(line, *kind);
        }
        let name = fields.name.unwrap_or_default();
        if name.iter().any(|byte| matches!(byte, b'/' | b'\\')) {
            return self.problem(line, ProblemKind::PathInName);
        }
        if !fields.has_name || fields.seq.is_none() || fields.letter.is_none() {
            return self.problem(line, ProblemKind::MissingField);
        }
        let (seq, letter) = (fields.seq.unwrap_or_default(), fields.letter.unwrap_or_default());
        let Some(role) = Role::from_letter(letter) else {
            return self.problem(line, ProblemKind::UnknownType { found: letter });
        };
        self.check_name(line, &name);
        self.check_order(line, role, seq);
        let (start_offset, end_offset, unknown) = (fields.start_offset, fields.end_offset, fields.unknown);
        let line = self.lines;
        self.manifest.entries.push(Entry { name, seq, role, start_offset, end_offset, unknown, line });
    }

    fn check_name(&mut self, line: &[u8], name: &[u8]) {
        if matches!(name, b"" | b"." | b"..") {
            self.problem(line, ProblemKind::NotAFileName);
        }
        if let Some(&byte) = name.iter().find(|byte| byte.is_ascii_control()) {
            self.problem(line, ProblemKind::ControlInName { byte });
        }
        if !self.names.insert(name.to_vec()) {
            self.problem(line, ProblemKind::DuplicateName);
        }
    }

    fn check_order(&mut self, line: &[u8], role: Role, seq: i64) {
        match role {
            Role::Base if self.has_base => self.problem(line, ProblemKind::DuplicateBase),
            Role::Base => self.has_base = true,
            Role::Incr if seq <= self.last_incr => {
                self.problem(line, ProblemKind::SequenceNotIncreasing { previous: self.last_incr });
            }
            Role::Incr => self.last_incr = seq,
            Role::History => {}
        }
    }
}

#[cfg(test)]
mod tests;

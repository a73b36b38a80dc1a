//! One value, as deep as a server with `sanitize-dump-payload yes` looks, and then some.

use crate::bytes::limits::Charge;
use crate::bytes::{Budget, Cursor};
use crate::finding::Severity;
use crate::keyspace::load::library_name;
use crate::packed::{self, intset, listpack, stream_node, ziplist, zipmap};
use crate::rdb::object::{blob_offset, list, stream};
use crate::rdb::{Buffers, Element, Error, ErrorKind, Result, StringRef, ValueRef, ValueType, length, string};
use crate::scan::unique::Seen;

/// What looking into values needs, used again from value to value.
#[derive(Debug, Default)]
pub struct Inspector {
    buffers: Buffers,
    seen: Seen,
}

/// Something wrong with a value.
#[derive(Debug)]
pub struct Problem {
    /// What and where.
    pub error: Error,
    /// How bad.
    pub severity: Severity,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { error, severity: Severity::Error }
    }
}

fn warning(error: Error) -> Problem {
    Problem { error, severity: Severity::Warning }
}

impl Inspector {
    /// An inspector that charges its buffers to an account.
    #[must_use]
    pub fn new(budget: &Budget) -> Self {
        Self { buffers: Buffers::new(budget), seen: Seen::charged_to(budget) }
    }

    /// The account.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.buffers.first.budget
    }

    /// Report everything that is wrong with a value.
    #[inline]
    pub fn inspect(&mut self, value: &ValueRef<'_>, report: &mut dyn FnMut(Problem)) {
        if value.is_plain_string() {
            return;
        }
        if let Err(error) = self.look(value, report) {
            report(error.into());
        }
    }

    /// The first thing wrong with a value that makes it unsound.
    pub(crate) fn first_error(&mut self, value: &ValueRef<'_>) -> Option<Error> {
        let mut first = None;
        self.inspect(value, &mut |problem| {
            if problem.severity == Severity::Error {
                first.get_or_insert(problem.error);
            }
        });
        first
    }

    /// Report a function library that cannot be read, or has no name. Servers do not start with one; that the file is
    /// what its writer wrote may be proven all the same.
    pub(super) fn function(&mut self, code: &StringRef<'_>, report: &mut dyn FnMut(Problem)) {
        match code.read(&mut self.buffers.first) {
            Err(error) => report(warning(error)),
            Ok(text) if library_name(&text).is_none() => {
                let what = "a function library does not begin with `#!ENGINE name=NAME`";
                report(warning(Error::invalid(code.offset, "rdb-function-unnamed", what)));
            }
            Ok(_) => {}
        }
    }

    /// What keeps servers from starting with a function library.
    pub(crate) fn error_of_function(&mut self, code: &StringRef<'_>) -> Option<Error> {
        let mut found = None;
        self.function(code, &mut |problem| found = Some(problem.error));
        found
    }

    fn look(&mut self, value: &ValueRef<'_>, report: &mut dyn FnMut(Problem)) -> Result<()> {
        let c = &mut Cursor::at(value.raw(), value.offset);
        match value.value_type {
            ValueType::String | ValueType::DragonflyJson => self.string(&string::decode(c)?),
            ValueType::ListZiplist => self.packed_list(&string::decode(c)?, ziplist::verify),
            ValueType::ListQuicklist => self.quicklist(c),
            ValueType::ListQuicklist2 => self.quicklist2(c),
            ValueType::SetIntset => self.verified(&string::decode(c)?, intset::verify).map(|_| ()),
            ValueType::SetListpack => self.tuples(value, &string::decode(c)?, listpack::verify, 1, report),
            ValueType::HashZipmap => self.tuples(value, &string::decode(c)?, zipmap::verify, 1, report),
            ValueType::HashZiplist | ValueType::ZsetZiplist => {
                self.tuples(value, &string::decode(c)?, ziplist::verify, 2, report)
            }
            ValueType::HashListpack | ValueType::ZsetListpack => {
                self.tuples(value, &string::decode(c)?, listpack::verify, 2, report)
            }
            ValueType::HashListpackExPreGa => self.tuples(value, &string::decode(c)?, listpack::verify, 3, report),
            ValueType::HashListpackEx => {
                c.array::<8>()?;
                self.tuples(value, &string::decode(c)?, listpack::verify, 3, report)
            }
            ValueType::StreamListpacks
            | ValueType::StreamListpacks2
            | ValueType::StreamListpacks3
            | ValueType::StreamListpacks4
            | ValueType::StreamListpacks5 => self.stream(value, report),
            _ => self.unique_elements(value, report),
        }
    }

    /// A string that is stored as it is has nothing to look into.
    fn string(&mut self, string: &StringRef<'_>) -> Result<()> {
        string.read(&mut self.buffers.first).map(|_| ())
    }

    fn verified(
        &mut self,
        blob: &StringRef<'_>,
        verify: impl Fn(&[u8]) -> Result<usize, packed::Error>,
    ) -> Result<usize> {
        let text = blob.read(&mut self.buffers.first)?;
        verify(&text).map_err(|error| Error::packed(blob_offset(blob), error))
    }

    fn packed_list(
        &mut self,
        blob: &StringRef<'_>,
        verify: impl Fn(&[u8]) -> Result<usize, packed::Error>,
    ) -> Result<()> {
        if self.verified(blob, verify)? == 0 { Err(empty(blob.offset)) } else { Ok(()) }
    }

    fn quicklist(&mut self, c: &mut Cursor<'_>) -> Result<()> {
        let start = c.offset();
        let mut elements = 0usize;
        for _ in 0..length::decode(c)? {
            elements = elements.saturating_add(self.verified(&string::decode(c)?, ziplist::verify)?);
        }
        if elements == 0 { Err(empty(start)) } else { Ok(()) }
    }

    fn quicklist2(&mut self, c: &mut Cursor<'_>) -> Result<()> {
        let start = c.offset();
        let mut elements = 0usize;
        for _ in 0..length::decode(c)? {
            let (container, node) = list::quicklist2_node(c)?;
            let in_node = if container == list::PLAIN {
                self.string(&node)?;
                if node.is_empty() {
                    return Err(Error::invalid(node.offset, "quicklist-empty-plain", "a plain list node is empty"));
                }
                1
            } else {
                self.verified(&node, listpack::verify)?
            };
            elements = elements.saturating_add(in_node);
        }
        if elements == 0 { Err(empty(start)) } else { Ok(()) }
    }

    fn tuples(
        &mut self,
        value: &ValueRef<'_>,
        blob: &StringRef<'_>,
        verify: impl Fn(&[u8]) -> Result<usize, packed::Error>,
        tuple: usize,
        report: &mut dyn FnMut(Problem),
    ) -> Result<()> {
        match self.verified(blob, verify)? {
            0 => return Err(empty(blob.offset)),
            count if count % tuple != 0 => {
                return Err(Error::invalid(
                    blob.offset,
                    "packed-odd-count",
                    "the number of elements is not a multiple of what belongs together",
                ));
            }
            _ => {}
        }
        self.unique_elements(value, report)
    }

    /// Walk all elements, and see that members and fields are unique, scores in order, expiries in order.
    fn unique_elements(&mut self, value: &ValueRef<'_>, report: &mut dyn FnMut(Problem)) -> Result<()> {
        let Self { buffers, seen } = self;
        let spent = |spent| Error::new(value.offset, ErrorKind::Exhausted(spent));
        seen.clear();
        let mut count = 0u64;
        let mut order = Order::of(value.value_type);
        value.elements(buffers, &mut |element| {
            count = count.saturating_add(1);
            match element {
                Element::Member(member, _) => seen.note(&member).map_err(spent)?,
                Element::Scored(member, score) => {
                    seen.note(&member).map_err(spent)?;
                    order.score(score, &member);
                }
                Element::Field { field, expiry, .. } => {
                    seen.note(&field).map_err(spent)?;
                    order.expiry(expiry.map(|e| e.0));
                }
                _ => {}
            }
            Ok(())
        })?;
        if count == 0 {
            return Err(empty(value.offset));
        }
        if seen.perhaps().map_err(spent)? && has_duplicates(value, buffers, seen)? {
            report(Error::invalid(value.offset, "value-duplicate-element", "a member or field occurs twice").into());
        }
        order.report(value.offset, report);
        Ok(())
    }

    fn stream(&mut self, value: &ValueRef<'_>, report: &mut dyn FnMut(Problem)) -> Result<()> {
        let c = &mut Cursor::at(value.raw(), value.offset);
        let mut live = 0u64;
        let (mut previous, mut last, mut is_ascending) = (None, None, true);
        let nodes = length::decode(c)?;
        for _ in 0..nodes {
            let at = c.offset();
            let (master, listpack) = stream::node(c, &mut self.buffers.first)?;
            if previous.replace(master).is_some_and(|previous| previous >= master) {
                report(Error::invalid(at, "stream-nodes-unordered", "the nodes of a stream are not in order").into());
            }
            let blob = listpack.read(&mut self.buffers.first)?;
            let node = stream_node::verify_behind(last, master, &blob);
            let node = node.map_err(|e| Error::packed(blob_offset(&listpack), e))?;
            live = live.saturating_add(node.counted.0);
            last = node.last;
            is_ascending &= node.is_ascending;
        }
        let tail = stream::tail(value, &mut self.buffers)?;
        if !is_ascending || last.is_some_and(|last| last > tail.last_id) {
            let text = "the ids of a stream's entries do not ascend, or go beyond the stream's last id";
            report(warning(Error::invalid(value.offset, "stream-entries-unordered", text)));
        }
        if tail.length != live {
            let text = "the stream's length is not the number of its live entries";
            // Servers let it pass, but not that a stream without a node claims to have entries.
            let severity = if nodes == 0 { Severity::Error } else { Severity::Warning };
            report(Problem { error: Error::invalid(value.offset, "stream-length-mismatch", text), severity });
        }
        for group in &tail.groups {
            self.group(value, group, report)?;
        }
        self.unique_names(value, tail.groups.iter().map(|group| &*group.name), report)
    }

    fn group(
        &mut self,
        value: &ValueRef<'_>,
        group: &crate::rdb::object::Group<'_>,
        report: &mut dyn FnMut(Problem),
    ) -> Result<()> {
        self.unique_names(value, group.consumers.iter().map(|consumer| &*consumer.name), report)?;
        if group.pending.windows(2).any(|pair| matches!(pair, [a, b] if a.id == b.id)) {
            let text = "an entry is pending twice in one group";
            report(Error::invalid(value.offset, "stream-duplicate-pending", text).into());
        }
        let unowned = group.pending.iter().filter(|p| p.consumer.is_none() && !group.nacked.contains(&p.id)).count();
        if unowned > 0 {
            let text = "a pending entry belongs to no consumer";
            report(Error::invalid(value.offset, "stream-pending-without-consumer", text).into());
        }
        Ok(())
    }

    fn unique_names<'n>(
        &mut self,
        value: &ValueRef<'_>,
        names: impl Iterator<Item = &'n [u8]> + Clone,
        report: &mut dyn FnMut(Problem),
    ) -> Result<()> {
        let spent = |spent| Error::new(value.offset, ErrorKind::Exhausted(spent));
        self.seen.clear();
        names.clone().try_for_each(|name| self.seen.note(name)).map_err(spent)?;
        if !self.seen.perhaps().map_err(spent)? {
            return Ok(());
        }
        let mut suspects: Vec<&[u8]> = names.filter(|name| self.seen.is_suspect(name)).collect();
        suspects.sort_unstable();
        if suspects.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            let text = "two groups, or two consumers of a group, have the same name";
            report(Error::invalid(value.offset, "stream-duplicate-name", text).into());
        }
        Ok(())
    }
}

/// A value without elements: a server skips the key, redis-check-rdb refuses the file.
#[cold]
fn empty(at: u64) -> Error {
    Error::invalid(at, "rdb-empty-value", "the value has no elements")
}

/// What a suspect takes besides its bytes, in a list that may be half empty.
const SUSPECT_BYTES: u64 = 2 * size_of::<Vec<u8>>() as u64;

/// Look at the bytes behind hashes that came twice.
fn has_duplicates(value: &ValueRef<'_>, buffers: &mut Buffers, seen: &Seen) -> Result<bool> {
    let mut suspects: Vec<Vec<u8>> = Vec::new();
    let mut charge = Charge::new(&buffers.first.budget);
    value.elements(buffers, &mut |element| {
        if let Element::Member(name, _) | Element::Scored(name, _) | Element::Field { field: name, .. } = element
            && seen.is_suspect(&name)
        {
            let bytes = (name.len() as u64).saturating_add(SUSPECT_BYTES);
            charge.add(bytes).map_err(|spent| Error::new(value.offset, ErrorKind::Exhausted(spent)))?;
            suspects.push(name.to_vec());
        }
        Ok(())
    })?;
    suspects.sort_unstable();
    Ok(suspects.windows(2).any(|pair| matches!(pair, [a, b] if a == b)))
}

/// Orders that servers rely on and do not check.
struct Order {
    scores: bool,
    expiries: bool,
    last_score: f64,
    last_member: Vec<u8>,
    last_expiry: i64,
    scores_unordered: bool,
    score_is_nan: bool,
    expiries_unordered: bool,
}

impl Order {
    fn of(value_type: ValueType) -> Self {
        Self {
            scores: matches!(value_type, ValueType::ZsetListpack | ValueType::ZsetZiplist),
            expiries: matches!(value_type, ValueType::HashListpackEx | ValueType::HashListpackExPreGa),
            last_score: f64::NEG_INFINITY,
            last_member: Vec::new(),
            last_expiry: 0,
            scores_unordered: false,
            score_is_nan: false,
            expiries_unordered: false,
        }
    }

    #[expect(clippy::float_cmp, reason = "members of equal scores are ordered by their bytes")]
    fn score(&mut self, score: f64, member: &[u8]) {
        if !self.scores {
            return;
        }
        self.score_is_nan |= score.is_nan();
        let out_of_order = score < self.last_score || (score == self.last_score && *member < *self.last_member);
        self.scores_unordered |= out_of_order;
        self.last_score = score;
        self.last_member.clear();
        self.last_member.extend_from_slice(member);
    }

    fn expiry(&mut self, expiry: Option<i64>) {
        if !self.expiries {
            return;
        }
        let this = expiry.unwrap_or(i64::MAX);
        self.expiries_unordered |= this < self.last_expiry;
        self.last_expiry = this;
    }

    fn report(&self, at: u64, report: &mut dyn FnMut(Problem)) {
        if self.expiries_unordered {
            report(
                Error::invalid(at, "hash-expiry-unordered", "the fields are not in the order of their expiry").into(),
            );
        }
        if self.scores_unordered {
            let text = "the members are not in the order of their scores: servers load this and then answer wrongly";
            report(warning(Error::invalid(at, "zset-unordered", text)));
        }
        if self.score_is_nan {
            report(warning(Error::invalid(at, "zset-nan-score", "a score is not a number (NaN)")));
        }
    }
}

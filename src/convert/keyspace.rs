//! A keyspace into outputs: what a log came to, key by key, on all threads.

use super::batch::{Batch, Place, Taker};
use super::logical::Logical;
use super::options::Options;
use super::outputs::Outputs;
use super::report::Error;
use super::report::{Report, as_io, from_io};
use super::rewrite::{Change, Rewriter, told};
use crate::keyspace::{Entry, Keyspace, Value};
use crate::rdb::encode::Out;
use crate::rdb::{Buffers, Dialect};
use crate::scan::ordered::{Filled, Job, ordered};
use crate::select::Candidate;
use crate::value::{DbIndex, UnixMillis};
use std::cell::RefCell;
use std::io;
use std::path::Path;

/// Keys of a batch.
const BATCH: usize = 1024;
/// Values with more elements, or bytes, than this are worked on alone, so that they are handed on piece by piece.
const LARGE: usize = 1 << 16;

/// The keys of a keyspace on their way.
struct All<'k, 'a> {
    options: &'k Options,
    change: Change,
    dialect: Dialect,
    keys: std::marker::PhantomData<fn(&'k Entry<'a>)>,
}

/// What a thread keeps for itself.
struct Local {
    rewriter: Rewriter,
    buffers: Buffers,
}

/// Write a keyspace. `dialect` is that of the images whose values are in it as they were stored.
///
/// # Errors
/// When a stored value is damaged, or the output cannot be written.
pub(crate) fn write(
    keyspace: &Keyspace<'_>,
    change: Change,
    dialect: Dialect,
    options: &Options,
    outputs: &mut Outputs,
    path: &Path,
    name: &str,
) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut taker = Taker::new(&[], options.selection.limit);
    let all = All { options, change, dialect, keys: std::marker::PhantomData };
    let mut entries = keyspace.dbs().flat_map(|(db, keys)| keys.iter().map(move |entry| (db, entry))).peekable();
    let taking = RefCell::new(|batch: &mut Batch| match batch.error.take() {
        Some(error) => Err(as_io(Error::Damaged { file: name.into(), error })),
        None => taker.take(batch, outputs, &mut report),
    });
    let done = ordered(
        &all,
        options.scan.threads,
        |batch: &mut Vec<(DbIndex, &Entry<'_>)>| {
            batch.clear();
            if let Some(large) = entries.next_if(|(_, entry)| is_large(&entry.value)) {
                batch.push(large);
                return Ok(Filled::Alone);
            }
            while batch.len() < BATCH
                && let Some(entry) = entries.next_if(|(_, entry)| !is_large(&entry.value))
            {
                batch.push(entry);
            }
            Ok(if batch.is_empty() { Filled::End } else { Filled::Batch })
        },
        |local, entries, batch| {
            let mut failed = None;
            all.each(local, entries, batch, &mut |batch| {
                if failed.is_none() {
                    failed = (taking.borrow_mut())(batch).err();
                }
            });
            failed.map_or(Ok(()), Err)
        },
        |_, batch| (taking.borrow_mut())(batch),
    );
    done.map_err(|e: io::Error| from_io(e, path))?;
    Ok(report)
}

fn is_large(value: &Value<'_>) -> bool {
    let size = match value {
        Value::String(text) => text.len(),
        Value::Buffer(buffer) => buffer.0.len(),
        Value::List(list) => list.0.len(),
        Value::Set(set) => set.0.len(),
        Value::Hash(hash) => hash.len(),
        Value::Zset(zset) => zset.len(),
        Value::Stream(stream) => stream.len(),
        Value::Vectors(vectors) => vectors.elements.len(),
        Value::Stored(stored) => stored.raw().len(),
    };
    size > LARGE
}

impl<'k, 'a> Job for All<'k, 'a> {
    type Input = Vec<(DbIndex, &'k Entry<'a>)>;
    type Output = Batch;
    type Local = Local;
    type Error = io::Error;

    fn local(&self) -> Local {
        let budget = &self.options.scan.budget;
        let rewriter = Rewriter::new(self.change, Buffers::new(budget));
        Local { rewriter, buffers: Buffers::new(budget) }
    }

    fn work(&self, local: &mut Local, entries: &mut Self::Input, batch: &mut Batch) {
        self.each(local, entries, batch, &mut |_| {});
    }
}

impl<'a> All<'_, 'a> {
    fn each(
        &self,
        local: &mut Local,
        entries: &[(DbIndex, &Entry<'a>)],
        batch: &mut Batch,
        spill: &mut dyn FnMut(&mut Batch),
    ) {
        for (db, entry) in entries {
            if !self.is_wanted(*db, entry) {
                batch.left_out = batch.left_out.saturating_add(1);
                continue;
            }
            let route = self.options.split.as_ref().and_then(|split| split.route(*db, &entry.key));
            let Local { rewriter, buffers } = local;
            let expires = entry.expires.map(told);
            let place = Place { route, db: *db, key: &entry.key, join: self.options.selection.limit.is_none() };
            let spill: Option<&mut dyn FnMut(&mut Batch)> =
                if is_large(&entry.value) { Some(&mut *spill) } else { None };
            let done = batch.encode(place, spill, |out: &mut Out<'_>| match &entry.value {
                Value::Stored(stored) => rewriter.held(&entry.key, expires, **stored, self.dialect, out),
                Value::Vectors(vectors) => rewriter.vectors(&entry.key, expires, vectors, out),
                value => rewriter.elements(&entry.key, expires, &mut Logical { value, buffers }, out),
            });
            if let Err(error) = done {
                batch.error = Some(error.in_key(&entry.key));
                return;
            }
        }
    }

    fn is_wanted(&self, db: DbIndex, entry: &Entry<'_>) -> bool {
        let expired = |at: UnixMillis| self.options.drop_expired.is_some_and(|now| at < now);
        let selection = &self.options.selection;
        let measured = || entry.value.text_bytes().saturating_add(entry.key.len() as u64);
        let bytes = if selection.min_bytes.is_some() { measured() } else { 0 };
        let candidate = Candidate { db, key: &entry.key, kind: entry.value.kind(), expiry: entry.expires, bytes };
        !entry.expires.is_some_and(expired) && selection.takes(&candidate)
    }
}

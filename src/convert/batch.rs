//! What threads make of runs of keys, and what becomes of it in order.

use super::commands::Lost;
use super::outputs::{Outputs, Route};
use super::prologue::ModuleData;
use super::report::{Loss, Losses, Report};
use crate::rdb;
use crate::rdb::encode::{Failure, Out, Outcome, Unfit};
use crate::value::DbIndex;
use std::io;
use std::ops::Range;

/// What comes of a batch of keys, in their order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pieces: Vec<Piece>,
    /// What the pieces that were encoded consist of.
    bytes: Vec<u8>,
    pub(crate) modules: Vec<ModuleData>,
    pub(crate) functions: Vec<Vec<u8>>,
    pub(crate) losses: Losses,
    pub(crate) left_out: u64,
    pub(crate) error: Option<rdb::Error>,
    /// Where keys stand that are left to a log.
    pub(crate) apart: Vec<(DbIndex, Range<usize>)>,
    /// The highest database of all keys, where a log stands behind them.
    pub(crate) last_db: DbIndex,
    /// One of these keys stands nowhere.
    pub(crate) unplaced: bool,
    /// Of all keys, where a log stands behind them.
    pub(crate) hashes: Vec<u64>,
}

#[derive(Debug)]
struct Piece {
    route: Route,
    db: DbIndex,
    /// Keys that begin in it; 0 for the rest of one.
    keys: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A run of the input, record for record.
    Run(Range<usize>),
    /// So many of the bytes that were encoded.
    Encoded(usize),
    /// Numbers of keys.
    Resize(u64, u64),
}

/// Which key it is, and where it goes.
#[derive(Debug)]
pub(crate) struct Place<'k> {
    pub(crate) route: Route,
    pub(crate) db: DbIndex,
    pub(crate) key: &'k [u8],
    /// It need not be told apart from the key before it, since no limit cuts between them.
    pub(crate) join: bool,
}

impl Batch {
    /// A record as it stands; joined to the one before it if that stands right there.
    #[inline]
    pub(crate) fn run(&mut self, route: Route, db: DbIndex, run: Range<usize>, join: bool) {
        if let Some(Piece { route: before, db: same_db, keys, what: What::Run(longer) }) = self.pieces.last_mut()
            && join
            && longer.end == run.start
            && *same_db == db
            && *before == route
        {
            longer.end = run.end;
            *keys = keys.saturating_add(1);
            return;
        }
        self.pieces.push(Piece { route, db, keys: 1, what: What::Run(run) });
    }

    /// The last bytes are a key; joined to the one before it like a run.
    fn encoded(&mut self, route: Route, db: DbIndex, len: usize, join: bool) {
        if let Some(Piece { route: before, db: same_db, keys, what: What::Encoded(longer) }) = self.pieces.last_mut()
            && join
            && *same_db == db
            && *before == route
        {
            *longer = longer.saturating_add(len);
            *keys = keys.saturating_add(1);
            return;
        }
        self.pieces.push(Piece { route, db, keys: 1, what: What::Encoded(len) });
    }

    fn encode_in_pieces(
        &mut self,
        route: &Route,
        db: DbIndex,
        spill: &mut dyn FnMut(&mut Self),
        encode: impl FnOnce(&mut Out<'_>) -> Outcome<Lost>,
    ) -> Outcome<Lost> {
        let mut buffer = Vec::new();
        let mut keys = 1;
        let mut hand_on = |bytes: &mut Vec<u8>| {
            self.bytes.extend_from_slice(bytes);
            let what = What::Encoded(bytes.len());
            bytes.clear();
            self.pieces.push(Piece { route: route.clone(), db, keys: std::mem::take(&mut keys), what });
            spill(self);
        };
        let done = encode(&mut Out { bytes: &mut buffer, spill: &mut hand_on });
        if !buffer.is_empty() {
            hand_on(&mut buffer);
        }
        done
    }

    /// Numbers of keys of a database.
    pub(crate) fn resize(&mut self, db: DbIndex, keys: u64, expires: u64) {
        self.pieces.push(Piece { route: None, db, keys: 0, what: What::Resize(keys, expires) });
    }

    /// A key that is encoded; a large one is handed on in pieces.
    ///
    /// # Errors
    /// When its value is damaged. That the target has no form for it is a loss.
    pub(crate) fn encode(
        &mut self,
        place: Place<'_>,
        spill: Option<&mut dyn FnMut(&mut Self)>,
        encode: impl FnOnce(&mut Out<'_>) -> Outcome<Lost>,
    ) -> rdb::Result<()> {
        let Place { route, db, key, join } = place;
        let done = match spill {
            Some(spill) => self.encode_in_pieces(&route, db, spill, encode),
            None => {
                let begin = self.bytes.len();
                let done = encode(&mut Out { bytes: &mut self.bytes, spill: &mut |_| {} });
                let len = self.bytes.len().saturating_sub(begin);
                if len > 0 {
                    self.encoded(route, db, len, join);
                }
                done
            }
        };
        let mut lose = |what, whole| self.losses.add(Loss { key: Some((db, key.to_vec())), what, whole });
        match done {
            Ok(lost) => lost.into_iter().for_each(|what| lose(what, false)),
            Err(Failure::Unfit(Unfit(what))) => lose(what, true),
            Err(Failure::Damaged(error)) => return Err(error),
        }
        Ok(())
    }
}

/// Writes batches to outputs.
#[derive(Debug)]
pub(crate) struct Taker<'i> {
    input: &'i [u8],
    /// Keys that may still be written.
    room: u64,
    /// The key that the last piece belongs to is written.
    writing: bool,
}

impl<'i> Taker<'i> {
    /// For batches with runs of this input.
    pub(crate) fn new(input: &'i [u8], limit: Option<u64>) -> Self {
        Self { input, room: limit.unwrap_or(u64::MAX), writing: false }
    }

    /// Write what came of a batch, which is empty then.
    pub(crate) fn take(&mut self, batch: &mut Batch, outputs: &mut Outputs, report: &mut Report) -> io::Result<()> {
        let mut encoded = batch.bytes.as_slice();
        for Piece { route, db, keys, what } in batch.pieces.drain(..) {
            if keys > 0 {
                self.writing = self.room >= keys;
            }
            if self.writing {
                self.room = self.room.saturating_sub(keys);
                report.keys = report.keys.saturating_add(keys);
            } else {
                report.left_out = report.left_out.saturating_add(keys);
            }
            match what {
                What::Run(run) if self.writing => {
                    report.copied = report.copied.saturating_add(keys);
                    outputs.keys(&route, db, self.input.get(run).unwrap_or_default())?;
                }
                What::Encoded(len) => {
                    let (piece, rest) = encoded.split_at_checked(len).unwrap_or((encoded, &[]));
                    if self.writing {
                        outputs.keys(&route, db, piece)?;
                    }
                    encoded = rest;
                }
                What::Resize(keys, expires) => outputs.resize(db, keys, expires),
                What::Run(_) => {}
            }
        }
        batch.bytes.clear();
        outputs.behind_keys(&mut batch.modules, &mut batch.functions);
        report.losses.append(std::mem::take(&mut batch.losses));
        report.left_out = report.left_out.saturating_add(std::mem::take(&mut batch.left_out));
        Ok(())
    }
}

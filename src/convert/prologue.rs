//! What stands before the keys of an image: who wrote it, functions, data of modules.

use super::report::{Loss, Losses};
use crate::bytes::Budget;
use crate::bytes::limits::Charge;
use crate::rdb::object::ModuleId;
use crate::rdb::reader::Header;
use crate::rdb::{self, Dialect, ErrorKind, Reader, Record, Scratch, Target};
use std::sync::Arc;

/// A module's data outside the keys, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleData {
    pub(crate) when: u64,
    pub(crate) id: ModuleId,
    pub(crate) stream: Vec<u8>,
}

/// What stands before the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prologue {
    /// AUX fields worth keeping, in order.
    pub(crate) aux: Vec<(Vec<u8>, Vec<u8>)>,
    /// Function libraries, as source.
    pub(crate) functions: Vec<Vec<u8>>,
    /// Data of modules.
    pub(crate) modules: Vec<ModuleData>,
}

/// The beginning of an image, read up to its first key.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) header: Header,
    pub(crate) dialect: Dialect,
    pub(crate) prologue: Prologue,
    /// Where what belongs to the keys begins.
    pub(crate) keys_at: u64,
    /// Pays for the prologue.
    _charge: Arc<Charge>,
}

/// What keeping a string takes besides its bytes, in a list that may be half empty.
const ENTRY: u64 = 2 * size_of::<ModuleData>() as u64;

/// AUX fields that are about the file rather than its data, or about a moment that has passed.
fn is_kept(name: &[u8]) -> bool {
    let dropped: [&[u8]; 12] = [
        b"aof-base",
        b"aof-preamble",
        b"repl-stream-db",
        b"repl-id",
        b"repl-offset",
        b"repl-masters",
        b"mvcc-tstamp",
        b"cluster-asm-task",
        b"slot-info",
        b"keydb-subexpire-key",
        b"keydb-subexpire-when",
        b"lua",
    ];
    !dropped.iter().any(|other| name.eq_ignore_ascii_case(other))
}

impl Opening {
    /// Read it.
    ///
    /// # Errors
    /// When it is damaged.
    pub(crate) fn read(input: &[u8], budget: &Budget) -> rdb::Result<Self> {
        let mut reader = Reader::new(input)?.with_budget(budget);
        let header = Header { version: reader.version(), dialect: reader.dialect() };
        let mut prologue = Prologue::default();
        let mut scratch = Scratch::new(budget.clone());
        let mut charge = Charge::new(budget);
        let mut keys_at = reader.offset();
        while let Some(record) = reader.next_record()? {
            let offset = record.offset();
            let mut keep = |bytes: &[u8]| -> rdb::Result<Vec<u8>> {
                let room = (bytes.len() as u64).saturating_add(ENTRY);
                charge.add(room).map_err(|spent| rdb::Error::new(offset, ErrorKind::Exhausted(spent)))?;
                Ok(bytes.to_vec())
            };
            match record {
                Record::Aux { name, value, .. } if is_kept(&name) => {
                    prologue.aux.push((keep(&name)?, keep(&value)?));
                }
                Record::Aux { .. } => {}
                Record::Function { code, .. } => prologue.functions.push(keep(&code.read(&mut scratch)?)?),
                Record::ModuleAux { when, module, .. } => {
                    prologue.modules.push(ModuleData { when, id: module.id, stream: keep(module.raw())? })
                }
                _ => break,
            }
            keys_at = reader.offset();
        }
        Ok(Self { header, dialect: reader.dialect(), prologue, keys_at, _charge: Arc::new(charge) })
    }
}

impl Prologue {
    /// Name the target's server instead of the input's, where it is another.
    pub(crate) fn set_server(&mut self, target: &Target) {
        if target.server.is_empty() {
            return;
        }
        let is_version = |name: &[u8]| name == b"redis-ver" || name == b"valkey-ver";
        self.aux.retain(|(name, _)| !is_version(name));
        self.aux.insert(0, (target.version_aux().into(), target.server.into()));
    }

    /// Say what the file is to a log, as servers do.
    pub(crate) fn set_base(&mut self, target: &Target, is_base: bool) {
        let name = match target.version {
            ..=7 => return,
            8 | 9 => "aof-preamble",
            _ => "aof-base",
        };
        self.aux.push((name.into(), if is_base { "1" } else { "0" }.into()));
    }

    /// Leave out what the target cannot hold.
    pub(crate) fn fit(&mut self, target: &Target, losses: &mut Losses) {
        let mut lose = |what| losses.add(Loss::of_file(what));
        if !self.functions.is_empty() && !target.accepts_opcode(rdb::opcode::FUNCTION2) {
            self.functions.clear();
            lose("function libraries");
        }
        if !self.modules.is_empty() && !target.accepts_opcode(rdb::opcode::MODULE_AUX) {
            self.modules.clear();
            lose("data of modules outside the keys");
        }
    }

    /// Add the functions and module data of another input, each once.
    pub(crate) fn merge(&mut self, other: Self) {
        for function in other.functions {
            if !self.functions.contains(&function) {
                self.functions.push(function);
            }
        }
        for module in other.modules {
            if !self.modules.iter().any(|known| (known.id, known.when) == (module.id, module.when)) {
                self.modules.push(module);
            }
        }
    }
}

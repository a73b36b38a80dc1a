use super::{DELETED, SAME_FIELDS};
use crate::packed::Element;
use crate::packed::listpack::{self, Backlen};
use crate::value::StreamId;

/// Writes a node as a server would. When a node is full is the caller's to say.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    /// The id of the first entry, which is the node's key.
    master: Option<StreamId>,
    /// The first entry's fields.
    fields: listpack::Builder,
    entries: listpack::Builder,
    live: u64,
    deleted: u64,
    /// The master entry is put together here.
    whole: listpack::Builder,
}

impl Builder {
    /// A node without entries, for servers that write backlens this way.
    #[must_use]
    pub fn new(backlen: Backlen) -> Self {
        let empty = listpack::Builder::new(backlen);
        Self { fields: empty.clone(), entries: empty.clone(), whole: empty, ..Self::default() }
    }

    /// Begin again, keeping the memory.
    pub fn clear(&mut self) {
        self.master = None;
        self.fields.clear();
        self.entries.clear();
        (self.live, self.deleted) = (0, 0);
    }

    /// The id of the first entry: the node's key.
    #[must_use]
    pub fn master(&self) -> Option<StreamId> {
        self.master
    }

    /// Bytes of the listpack, within a few: the counts are written last.
    #[must_use]
    pub fn len(&self) -> usize {
        const COUNTS_AND_END: usize = 8;
        let framing = self.fields.framing();
        self.fields.len().saturating_add(self.entries.len()).saturating_add(COUNTS_AND_END).saturating_sub(framing)
    }

    /// Entries so far, deleted ones too.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.live.saturating_add(self.deleted)
    }

    /// True when nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.master.is_none()
    }

    /// Add an entry. Its pairs are gone through more than once.
    pub fn push<'e, P>(&mut self, id: StreamId, deleted: bool, pairs: P)
    where
        P: Iterator<Item = (Element<'e>, Element<'e>)> + Clone,
    {
        let master = *self.master.get_or_insert_with(|| {
            pairs.clone().for_each(|(field, _)| self.fields.push_element(field));
            id
        });
        let same_fields = self.has_same_fields(pairs.clone());
        let before = self.entries.count();
        let flags = if deleted { DELETED } else { 0 } | if same_fields { SAME_FIELDS } else { 0 };
        self.entries.push_int(flags);
        self.entries.push_int(id.ms.wrapping_sub(master.ms).cast_signed());
        self.entries.push_int(id.seq.wrapping_sub(master.seq).cast_signed());
        if !same_fields {
            self.entries.push_int(i64::try_from(pairs.clone().count()).unwrap_or(i64::MAX));
        }
        for (field, value) in pairs {
            if !same_fields {
                self.entries.push_element(field);
            }
            self.entries.push_element(value);
        }
        let elements = self.entries.count().saturating_sub(before);
        self.entries.push_int(i64::try_from(elements).unwrap_or(i64::MAX));
        let kind = if deleted { &mut self.deleted } else { &mut self.live };
        *kind = kind.saturating_add(1);
    }

    /// True when the entry's fields are the master's, in their order.
    fn has_same_fields<'e>(&self, pairs: impl Iterator<Item = (Element<'e>, Element<'e>)>) -> bool {
        let mut fields = self.fields.iter();
        let all = pairs.into_iter().all(|(field, _)| fields.next().is_some_and(|master| master.same_text(field)));
        all && fields.next().is_none()
    }

    /// The node's key and listpack; `None` when no entry is live: such a node must not be written.
    #[must_use]
    pub fn finish(&mut self) -> Option<(StreamId, Vec<u8>)> {
        let master = self.master.filter(|_| self.live > 0)?;
        self.whole.clear();
        for count in [self.live, self.deleted, self.fields.count() as u64] {
            self.whole.push_int(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.whole.append(&self.fields);
        self.whole.push_int(0);
        self.whole.append(&self.entries);
        Some((master, self.whole.finish()))
    }
}

//! Typed reads from a module's opcode stream: what a module asks for in order, as its loader does.

use crate::bytes::{Budget, Limits};
use crate::rdb::Scratch;
use crate::rdb::object::{ModuleItem, ModuleItems, ModuleRef};
use crate::value::Blob;

use super::tree::Tree;

/// What a node of a tree takes, counted twice because vectors grow by doubling.
const NODE: u64 = 2 * size_of::<(std::borrow::Cow<'static, str>, Tree<'static>)>() as u64;

/// The most that the decoded form of one value may take; a larger one is shown as it is stored.
const LARGEST: u64 = 256 << 20;

/// A stream that is read with a module's layout in mind. Every read gives `None` when the next item is of another
/// type: the value is shown raw then.
#[derive(Debug)]
pub(super) struct Fields<'a, 's> {
    items: ModuleItems<'a>,
    scratch: &'s mut Scratch,
    charges: Charges,
}

/// What a tree has taken from its limits.
#[derive(Debug)]
pub(super) struct Charges {
    left: u64,
    /// Deepest nesting that is decoded.
    pub(super) depth: u32,
}

impl Charges {
    /// For what is kept: what the budget has left, and no more than one value should take.
    pub(super) fn within(budget: &Budget) -> Self {
        Self { left: LARGEST.min(budget.left()), ..Self::passing(budget) }
    }

    /// For what is looked at and dropped.
    fn passing(budget: &Budget) -> Self {
        Self { left: u64::MAX, depth: budget.limits().depth.min(Limits::DEEPEST) }
    }

    /// Pay for a node.
    pub(super) fn node(&mut self) -> Option<()> {
        self.bytes(NODE)
    }

    /// Pay for bytes that a blob owns.
    pub(super) fn blob<'a>(&mut self, blob: Blob<'a>) -> Option<Blob<'a>> {
        self.bytes(blob.heap_bytes() as u64)?;
        Some(blob)
    }

    fn bytes(&mut self, wanted: u64) -> Option<()> {
        self.left = self.left.checked_sub(wanted)?;
        Some(())
    }
}

impl<'a, 's> Fields<'a, 's> {
    pub(super) fn new(module: &ModuleRef<'a>, scratch: &'s mut Scratch) -> Self {
        let charges = Charges::within(&scratch.budget);
        Self { items: module.items(), scratch, charges }
    }

    /// The same, when nothing of it is kept.
    pub(super) fn passing(module: &ModuleRef<'a>, scratch: &'s mut Scratch) -> Self {
        let charges = Charges::passing(&scratch.budget);
        Self { items: module.items(), scratch, charges }
    }

    /// `LoadUnsigned`
    pub(super) fn uint(&mut self) -> Option<u64> {
        match self.items.next()? {
            ModuleItem::Unsigned(value) => Some(value),
            _ => None,
        }
    }

    /// `LoadSigned`
    pub(super) fn int(&mut self) -> Option<i64> {
        match self.items.next()? {
            ModuleItem::Signed(value) => Some(value),
            _ => None,
        }
    }

    /// `LoadDouble`
    pub(super) fn double(&mut self) -> Option<f64> {
        match self.items.next()? {
            ModuleItem::Double(value) => Some(value),
            _ => None,
        }
    }

    /// `LoadString`, `LoadStringBuffer`
    pub(super) fn text(&mut self) -> Option<Blob<'a>> {
        match self.items.next()? {
            ModuleItem::Bytes(string) => self.charges.blob(string.to_blob(self.scratch).ok()?),
            _ => None,
        }
    }

    pub(super) fn uint_tree(&mut self) -> Option<Tree<'a>> {
        self.uint().map(Tree::UInt)
    }

    pub(super) fn double_tree(&mut self) -> Option<Tree<'a>> {
        self.double().map(Tree::Float)
    }

    pub(super) fn text_tree(&mut self) -> Option<Tree<'a>> {
        self.text().map(Tree::Text)
    }

    /// As many as claimed. Each must read at least one item, so the claim cannot outgrow the bytes.
    pub(super) fn list<T>(&mut self, count: u64, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        for _ in 0..count {
            self.charges.node()?;
            items.push(each(self)?);
        }
        Some(items)
    }

    pub(super) fn charges(&mut self) -> &mut Charges {
        &mut self.charges
    }

    /// The value, if nothing follows it.
    pub(super) fn all_read<T>(mut self, value: T) -> Option<T> {
        self.items.next().is_none().then_some(value)
    }
}

//! Values of the keyspace, walked like stored ones.

use crate::keyspace::{Value, elements};
use crate::rdb::encode::Walk;
use crate::rdb::{Buffers, Element, Result};
use crate::value::Kind;

/// A value of the keyspace.
#[derive(Debug)]
pub(crate) struct Logical<'v, 'a> {
    pub(crate) value: &'v Value<'a>,
    /// Only stored values need them.
    pub(crate) buffers: &'v mut Buffers,
}

impl<'a> Walk<'a> for Logical<'_, 'a> {
    fn kind(&self) -> Kind {
        self.value.kind()
    }

    fn walk(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> Result<()>) -> Result<()> {
        elements::elements(self.value, self.buffers, &mut |element: Element<'a, '_>| visit(element))
    }

    fn walk_in_any_order(&mut self, visit: &mut dyn FnMut(Element<'a, '_>) -> Result<()>) -> Result<()> {
        elements::in_any_order(self.value, self.buffers, &mut |element: Element<'a, '_>| visit(element))
    }
}

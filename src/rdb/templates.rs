//! The hash templates met so far, by number (Redis 8.10): shared by readers and marks, so that these stay cheap.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::{Error, ErrorKind, Result};
use super::object::Template;
use crate::bytes::Budget;
use crate::bytes::limits::Charge;

/// More of them than any file has: one is made for each shape of hash that is frequent.
const MOST: usize = 1 << 16;
/// What one takes in a map that may be half empty.
const ENTRY: u64 = 2 * size_of::<(u64, Template<'_>)>() as u64;

/// Templates by number. Most files have none.
#[derive(Debug, Clone, Default)]
pub(super) struct Templates<'a>(Option<Arc<Known<'a>>>);

#[derive(Debug)]
struct Known<'a> {
    by_id: HashMap<u64, Template<'a>>,
    charge: Charge,
}

impl<'a> Templates<'a> {
    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn get(&self, id: u64) -> Option<Template<'a>> {
        self.0.as_ref()?.by_id.get(&id).copied()
    }

    /// Add the template of the record at `offset`. Of one number the first counts.
    pub(super) fn add(&mut self, id: u64, template: Template<'a>, budget: &Budget, offset: u64) -> Result<()> {
        let mut known = match self.0.take() {
            None => Arc::new(Known { by_id: HashMap::new(), charge: Charge::new(budget) }),
            Some(known) => known,
        };
        if Arc::get_mut(&mut known).is_none() {
            known = Arc::new(known.copy(budget, offset)?);
        }
        if let Some(own) = Arc::get_mut(&mut known) {
            own.add(id, template, offset)?;
        }
        self.0 = Some(known);
        Ok(())
    }
}

impl<'a> Known<'a> {
    fn copy(&self, budget: &Budget, offset: u64) -> Result<Self> {
        let mut charge = Charge::new(budget);
        pay(&mut charge, self.by_id.len(), offset)?;
        Ok(Self { by_id: self.by_id.clone(), charge })
    }

    fn add(&mut self, id: u64, template: Template<'a>, offset: u64) -> Result<()> {
        if self.by_id.len() >= MOST {
            return Err(Error::invalid(offset, "hash-too-many-templates", "no file has so many hash templates"));
        }
        pay(&mut self.charge, 1, offset)?;
        self.by_id.entry(id).or_insert(template);
        Ok(())
    }
}

fn pay(charge: &mut Charge, entries: usize, offset: u64) -> Result<()> {
    let bytes = (entries as u64).saturating_mul(ENTRY);
    charge.add(bytes).map_err(|spent| Error::new(offset, ErrorKind::Exhausted(spent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Cursor;

    fn template(stored: &[u8]) -> Template<'_> {
        Template::decode(&mut Cursor::new(stored), &Budget::default()).unwrap()
    }

    #[test]
    fn what_is_added_to_a_copy_is_not_in_the_original() {
        let (budget, one, two) = (Budget::default(), template(b"\x01\x01a"), template(b"\x01\x01b"));
        let mut templates = Templates::default();
        assert!(templates.is_empty());
        templates.add(7, one, &budget, 0).unwrap();
        let before = templates.clone();
        templates.add(8, two, &budget, 0).unwrap();
        templates.add(7, two, &budget, 0).unwrap();
        assert_eq!((templates.get(7), templates.get(8)), (Some(one), Some(two)));
        assert_eq!((before.get(7), before.get(8)), (Some(one), None));
    }

    #[test]
    fn templates_are_bounded_and_paid_for() {
        let (budget, one) = (Budget::new(1 << 20), template(b"\x00"));
        let mut templates = Templates::default();
        let spent = (0..).find_map(|id| templates.add(id, one, &budget, 0).err()).unwrap();
        assert!(spent.is_exhausted());
        drop(templates);
        assert_eq!(budget.spent(), 0);
        let mut templates = Templates::default();
        let refused = (0..).find_map(|id| templates.add(id, one, &Budget::default(), 0).err()).unwrap();
        assert_eq!(refused.code(), "hash-too-many-templates");
    }
}

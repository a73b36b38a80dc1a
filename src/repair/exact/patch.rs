//! A change to a file: some bytes at one place replaced by others.

use std::io::{self, Read};

/// Replace `removed` bytes at `at` by `inserted`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Patch {
    /// Offset of the first byte that changes.
    pub at: u64,
    /// How many bytes go.
    pub removed: u64,
    /// What comes in their place.
    pub inserted: Vec<u8>,
}

impl Patch {
    /// The same change where it stands first: a run inserted or removed inside a repetition has many places, which give
    /// the same bytes.
    #[must_use]
    pub fn leftmost(mut self, image: &[u8]) -> Self {
        let byte = |at: u64| usize::try_from(at).ok().and_then(|at| image.get(at)).copied();
        while let Some(before) = self.at.checked_sub(1) {
            let last = match (self.removed, self.inserted.last()) {
                (0, Some(&last)) => Some(last),
                (removed @ 1.., None) => byte(before.saturating_add(removed)),
                _ => return self,
            };
            if last.is_none() || byte(before) != last {
                return self;
            }
            let turn = self.inserted.len().min(1);
            self.inserted.rotate_right(turn);
            self.at = before;
        }
        self
    }

    /// What stands there now.
    #[must_use]
    pub fn was<'a>(&self, image: &'a [u8]) -> &'a [u8] {
        let [_, was, _] = self.parts(image);
        was
    }

    /// Before, inside and behind the bytes that go.
    fn parts<'a>(&self, image: &'a [u8]) -> [&'a [u8]; 3] {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX).min(image.len());
        let (before, rest) = image.split_at(at);
        let (was, behind) = rest.split_at(usize::try_from(self.removed).unwrap_or(usize::MAX).min(rest.len()));
        [before, was, behind]
    }

    /// The three pieces of the changed image, in order.
    #[must_use]
    pub fn pieces<'a>(&'a self, image: &'a [u8]) -> [&'a [u8]; 3] {
        let [before, _, behind] = self.parts(image);
        [before, &self.inserted, behind]
    }

    /// The changed image, as a stream.
    pub fn read<'a>(&'a self, image: &'a [u8]) -> impl Read + 'a {
        let [before, new, behind] = self.pieces(image);
        io::Read::chain(before, io::Read::chain(new, behind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(patch: &Patch, image: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        patch.read(image).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn places_that_give_the_same_bytes_become_one() {
        let image = b"xabababy";
        let removal = Patch { at: 3, removed: 2, inserted: vec![] };
        let first = removal.clone().leftmost(image);
        assert_eq!(first, Patch { at: 1, removed: 2, inserted: vec![] });
        assert_eq!(applied(&removal, image), applied(&first, image));

        let insertion = Patch { at: 7, removed: 0, inserted: b"ab".to_vec() };
        let first = insertion.clone().leftmost(image);
        assert_eq!((first.at, first.inserted.as_slice()), (1, &b"ab"[..]));
        assert_eq!(applied(&insertion, image), applied(&first, image));
    }

    #[test]
    fn an_overwritten_byte_has_only_one_place() {
        let patch = Patch { at: 2, removed: 1, inserted: b"a".to_vec() };
        assert_eq!(patch.clone().leftmost(b"aaaa"), patch);
        assert_eq!(patch.was(b"abcd"), b"c");
        assert_eq!(applied(&patch, b"abcd"), b"abad");
    }
}

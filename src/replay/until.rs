//! Conditions to stop a replay early: point-in-time recovery.

use super::report::Place;
use super::state::Args;
use crate::select::glob::Glob;
use crate::value::UnixMillis;

/// When to stop. Without any condition: at the end of the log.
#[derive(Clone, Debug, Default)]
pub struct Until {
    /// Leave out what is later than this, by the annotations.
    pub time: Option<UnixMillis>,
    /// Leave out what ends after this offset of this part, and all later parts.
    pub offset: Option<(u32, u64)>,
    /// Only so many commands.
    pub commands: Option<u64>,
    /// Stop before the first command that matches.
    pub before: Option<TextGlob>,
}

impl Until {
    /// Is a time beyond the last one wanted?
    #[must_use]
    pub fn is_later(&self, now: UnixMillis) -> bool {
        self.time.is_some_and(|last| now > last)
    }

    /// Is this command, with so many before it, beyond the last one wanted?
    #[must_use]
    #[inline]
    pub fn is_reached(&self, place: Place, commands_before: u64, args: Args<'_, '_>) -> bool {
        self.offset.is_some_and(|(part, offset)| (place.part, place.end) > (part, offset))
            || self.commands.is_some_and(|most| commands_before >= most)
            || self.before.as_ref().is_some_and(|glob| glob.matches(args))
    }
}

/// A glob over the whole text of a command: its words joined by one space, the name compared without case.
///
/// `*` any bytes, `?` one byte, `[a-c]` and `[^a-c]` sets, `\` takes the next byte as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextGlob {
    glob: Glob,
    first: Option<u8>,
}

impl TextGlob {
    /// From the text of the pattern. The part before its first space is the one for the command's name.
    #[must_use]
    pub fn new(pattern: &[u8]) -> Self {
        let mut pattern = pattern.to_vec();
        pattern.iter_mut().take_while(|byte| **byte != b' ').for_each(|byte| byte.make_ascii_uppercase());
        Self { glob: Glob::new(&pattern), first: pattern.first().copied() }
    }

    /// Does a command match?
    #[must_use]
    pub fn matches(&self, args: Args<'_, '_>) -> bool {
        let Some((name, rest)) = args.split_first() else { return false };
        if !self.may_begin(name) {
            return false;
        }
        let mut text = name.to_ascii_uppercase();
        for word in rest {
            text.push(b' ');
            text.extend_from_slice(word);
        }
        self.glob.matches(&text)
    }

    /// Could a command of this name match? Nearly all cannot, and need not be put together as one text.
    fn may_begin(&self, name: &[u8]) -> bool {
        match (self.first, name.first()) {
            (Some(b'*' | b'?' | b'[' | b'\\'), _) => true,
            (Some(wanted), Some(first)) => wanted == first.to_ascii_uppercase(),
            (wanted, first) => wanted.is_none() == first.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_matched_as_one_text_and_its_name_in_any_case() {
        let flush: &[&[u8]] = &[b"flushall"];
        let del: &[&[u8]] = &[b"Del", b"user:1", b"x"];
        assert!(TextGlob::new(b"FLUSHALL*").matches(flush));
        assert!(TextGlob::new(b"flushall").matches(flush));
        assert!(TextGlob::new(b"DEL user:*").matches(del));
        assert!(TextGlob::new(b"del * x").matches(del));
        assert!(!TextGlob::new(b"DEL USER:*").matches(del));
    }

    #[test]
    fn conditions_leave_out_what_lies_beyond_them() {
        let args: &[&[u8]] = &[b"PING"];
        let at = |part, end| Place { part, offset: 0, end };
        let until = Until { offset: Some((1, 50)), ..Until::default() };
        assert!(!until.is_reached(at(0, 900), 5, args) && !until.is_reached(at(1, 50), 5, args));
        assert!(until.is_reached(at(1, 51), 5, args) && until.is_reached(at(2, 1), 5, args));
        let until = Until { commands: Some(2), ..Until::default() };
        assert!(!until.is_reached(at(0, 0), 1, args) && until.is_reached(at(0, 0), 2, args));
        let until = Until { time: Some(UnixMillis(5000)), ..Until::default() };
        assert!(!until.is_later(UnixMillis(5000)) && until.is_later(UnixMillis(6000)));
    }
}

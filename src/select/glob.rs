//! Redis' globs: `*`, `?`, `[abc]`, `[a-c]`, `[^a]`, `\` before a byte that is meant as it is.
//!
//! Source: Redis `src/util.c`, `stringmatchlen`. The oddities are kept: a range may be upside down, a class without
//! its `]` ends with the pattern, `[]` matches nothing and `[^]` any byte. One is not: `*` matches the empty name, too.

/// A compiled glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    AnyByte,
    AnyBytes,
    Class { not: bool, ranges: Vec<(u8, u8)> },
}

impl Glob {
    /// Compile. Every text is a glob.
    #[must_use]
    pub fn new(pattern: &[u8]) -> Self {
        let mut rest = pattern;
        let mut tokens = Vec::new();
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            let token = match (first, after) {
                (b'*', _) if tokens.last() == Some(&Token::AnyBytes) => continue,
                (b'*', _) => Token::AnyBytes,
                (b'?', _) => Token::AnyByte,
                (b'[', _) => class(&mut rest),
                (b'\\', [escaped, after @ ..]) => {
                    rest = after;
                    Token::Byte(*escaped)
                }
                (byte, _) => Token::Byte(byte),
            };
            tokens.push(token);
        }
        Self { tokens }
    }

    /// A glob that matches this text only.
    #[must_use]
    pub fn literal(text: &[u8]) -> Self {
        Self { tokens: text.iter().copied().map(Token::Byte).collect() }
    }

    /// Match a whole text. Takes at most its length times that of the pattern.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        let (mut tokens, mut text) = (self.tokens.as_slice(), text);
        // Where to go on when the last `*` has to take one byte more.
        let mut retry: Option<(&[Token], &[u8])> = None;
        loop {
            match (tokens.split_first(), text.split_first()) {
                (None, None) => return true,
                (Some((Token::AnyBytes, more)), _) => {
                    retry = Some((more, text));
                    tokens = more;
                    continue;
                }
                (Some((token, more)), Some((&byte, after))) if token.takes(byte) => {
                    (tokens, text) = (more, after);
                    continue;
                }
                _ => {}
            }
            let Some((after_star, [_, shorter @ ..])) = retry else { return false };
            retry = Some((after_star, shorter));
            (tokens, text) = (after_star, shorter);
        }
    }
}

impl Token {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(wanted) => *wanted == byte,
            Self::AnyByte => true,
            Self::AnyBytes => false,
            Self::Class { not, ranges } => ranges.iter().any(|&(low, high)| (low..=high).contains(&byte)) != *not,
        }
    }
}

/// What stands between brackets.
fn class(rest: &mut &[u8]) -> Token {
    let not = rest.first() == Some(&b'^');
    if let (true, [_, after @ ..]) = (not, *rest) {
        *rest = after;
    }
    let mut ranges = Vec::new();
    loop {
        let (range, after) = match *rest {
            [] => break,
            [b'\\', byte, after @ ..] => ((*byte, *byte), after),
            [b']', after @ ..] => {
                *rest = after;
                break;
            }
            [from, b'-', to, after @ ..] => ((*from.min(to), *from.max(to)), after),
            [byte, after @ ..] => ((*byte, *byte), after),
        };
        ranges.push(range);
        *rest = after;
    }
    Token::Class { not, ranges }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Glob::new(pattern.as_bytes()).matches(text.as_bytes())
    }

    #[test]
    fn globs_match_as_in_redis() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "anything"),
            ("h?llo", "hello"),
            ("h*llo", "hllo"),
            ("h[ae]llo", "hallo"),
            ("h[^e]llo", "hbllo"),
            ("h[a-b]llo", "hbllo"),
            ("h[b-a]llo", "hallo"),
            ("a\\*c", "a*c"),
            ("a[\\]]c", "a]c"),
            ("[abc", "c"),
            ("[^]", "x"),
            ("a**b*c", "axxbyyc"),
            ("*a*b", "aXaXb"),
            ("\\", "\\"),
            ("[a-", "-"),
            ("", ""),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("h?llo", "hllo"),
            ("h[^e]llo", "hello"),
            ("a\\*c", "abc"),
            ("[]", "]"),
            ("a", ""),
            ("?", ""),
            ("a*b", "ac"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = "a*".repeat(1000) + "b";
        assert!(!matches(&pattern, &"a".repeat(10_000)));
    }

    proptest! {
        #[test]
        fn an_escaped_text_matches_itself_only(text: Vec<u8>, other: Vec<u8>) {
            let pattern: Vec<u8> = text.iter().flat_map(|&byte| [b'\\', byte]).collect();
            let glob = Glob::new(&pattern);
            prop_assert_eq!(&glob, &Glob::literal(&text));
            prop_assert!(glob.matches(&text));
            prop_assert_eq!(glob.matches(&other), text == other);
        }
    }
}

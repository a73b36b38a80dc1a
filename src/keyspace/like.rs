//! Which server to behave like.

use std::fmt;
use std::str::FromStr;

/// A line of descent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Redis.
    Redis,
    /// Valkey, from Redis 7.2.
    Valkey,
    /// Redict, from Redis 7.2; its versions start at 7.3.
    Redict,
    /// `KeyDB`, from Redis 6.
    KeyDb,
}

/// A server family with major and minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Like {
    /// Whose line.
    pub family: Family,
    /// Major version.
    pub major: u16,
    /// Minor version.
    pub minor: u16,
}

impl Default for Like {
    /// The newest Redis.
    fn default() -> Self {
        Self::redis(8, 8)
    }
}

impl Like {
    /// A Redis version.
    #[must_use]
    pub const fn redis(major: u16, minor: u16) -> Self {
        Self { family: Family::Redis, major, minor }
    }

    /// A Valkey version.
    #[must_use]
    pub const fn valkey(major: u16, minor: u16) -> Self {
        Self { family: Family::Valkey, major, minor }
    }

    /// The version of Redis that has all this server took over from Redis.
    #[must_use]
    pub fn as_redis(self) -> (u16, u16) {
        match self.family {
            Family::Redis => (self.major, self.minor),
            Family::Valkey | Family::Redict => (7, 2),
            Family::KeyDb => (6, 2),
        }
    }

    /// Is this Redis of at least that version, or a fork of one?
    #[must_use]
    pub fn at_least_redis(self, major: u16, minor: u16) -> bool {
        self.as_redis() >= (major, minor)
    }

    /// Is this Valkey of at least that version?
    #[must_use]
    pub fn at_least_valkey(self, major: u16, minor: u16) -> bool {
        self.family == Family::Valkey && (self.major, self.minor) >= (major, minor)
    }
}

impl fmt::Display for Like {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Redis => "redis",
            Family::Valkey => "valkey",
            Family::Redict => "redict",
            Family::KeyDb => "keydb",
        };
        write!(f, "{family}-{}.{}", self.major, self.minor)
    }
}

/// The text is not `FAMILY-MAJOR[.MINOR[.PATCH]]` of a known family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownServer;

impl fmt::Display for UnknownServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a server is named like redis-7.0, valkey-8.1, redict-7.3 or keydb-6.3")
    }
}

impl std::error::Error for UnknownServer {}

impl FromStr for Like {
    type Err = UnknownServer;

    fn from_str(text: &str) -> Result<Self, UnknownServer> {
        let (family, version) = text.split_once('-').ok_or(UnknownServer)?;
        let family = match family.to_ascii_lowercase().as_str() {
            "redis" => Family::Redis,
            "valkey" => Family::Valkey,
            "redict" => Family::Redict,
            "keydb" => Family::KeyDb,
            _ => return Err(UnknownServer),
        };
        let mut numbers = version.split('.').map(|part| part.parse().map_err(|_| UnknownServer));
        let major = numbers.next().unwrap_or(Err(UnknownServer))?;
        let minor = numbers.next().unwrap_or(Ok(0))?;
        numbers.try_for_each(|patch| patch.map(drop))?;
        Ok(Self { family, major, minor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_written_alike() {
        for text in ["redis-7.0", "valkey-8.1", "redict-7.3", "keydb-6.3"] {
            assert_eq!(text.parse::<Like>().unwrap().to_string(), text);
        }
        assert_eq!("redis-7.0.15".parse(), Ok(Like::redis(7, 0)));
        assert_eq!("redis-8".parse(), Ok(Like::redis(8, 0)));
        for text in ["redis", "redis-", "redis-x", "redis-7.x", "mysql-8.0", "redis-7.0.x"] {
            assert_eq!(text.parse::<Like>(), Err(UnknownServer), "{text}");
        }
    }

    #[test]
    fn forks_are_as_old_as_their_branch() {
        assert!(Like::valkey(9, 1).at_least_redis(7, 2) && !Like::valkey(9, 1).at_least_redis(7, 4));
        assert!(!"redict-7.3".parse::<Like>().unwrap().at_least_redis(7, 4));
        assert!(Like::valkey(9, 1).at_least_valkey(9, 0) && !Like::redis(9, 1).at_least_valkey(8, 0));
    }
}

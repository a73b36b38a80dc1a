//! Options of every command that replays a log.

use super::{Time, bytes};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render::escape;
use careen::keyspace::Like;
use careen::replay::until::TextGlob;
use careen::replay::whole;
use std::ffi::OsString;

/// How far to replay, and like which server.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ReplayArgs {
    /// Behave like this server (redis-7.0, valkey-8.1, redict-7.3) where they differ
    #[arg(long, value_name = "SERVER")]
    pub(crate) like: Option<Like>,
    /// Leave out what is known to be later (RFC 3339, Unix seconds or milliseconds)
    #[arg(long, value_name = "TIME")]
    pub(crate) until_time: Option<Time>,
    /// Execute what ends at or before this offset of PART, by default the last part
    #[arg(long, value_name = "[PART:]N", value_parser = offset)]
    pub(crate) until_offset: Option<(Option<String>, u64)>,
    /// Only the first N commands
    #[arg(long, value_name = "N")]
    pub(crate) until_command: Option<u64>,
    /// Stop before the first command whose text matches, as in 'FLUSHALL*' or 'DEL user:*'
    #[arg(long, value_name = "GLOB")]
    pub(crate) before: Option<OsString>,
}

/// `N` or `PART:N`.
pub(crate) fn offset(text: &str) -> Result<(Option<String>, u64), String> {
    let (part, number) = match text.rsplit_once(':') {
        Some((part, number)) => (Some(part.to_owned()), number),
        None => (None, text),
    };
    let number = number.parse().map_err(|_| "expected an offset, or a file name, a colon and an offset".to_owned())?;
    Ok((part, number))
}

impl ReplayArgs {
    /// As the library takes them. `as_of` is the present, for commands with a relative time.
    pub(crate) fn options(&self, cx: &Context<'_>, as_of: Option<Time>) -> whole::Options {
        whole::Options {
            like: self.like,
            fallback: Like::default(),
            time: self.until_time.map(|time| time.0),
            offset: self.until_offset.clone(),
            commands: self.until_command,
            before: self.before.as_deref().map(|glob| TextGlob::new(&bytes(glob))),
            strict: false,
            own_versions: false,
            now: as_of.unwrap_or_else(Time::now).0,
            budget: cx.budget.clone(),
        }
    }
}

/// Why nothing was left out of a log though that was asked for.
pub(crate) mod no_cut {
    use careen::replay::whole;

    pub(crate) const BEFORE: &str = "no command matches --before";
    pub(crate) const DROP: &str = "no command matches --drop";
    pub(crate) const TIME: &str = "no annotated time (aof-timestamp-enabled) is later than --until-time";
    pub(crate) const PLACE: &str = "the log ends before";

    /// What is asked of a replay, with the reason why it had no effect if it had none.
    pub(crate) fn of(asked: &whole::Options) -> [(bool, &'static str); 3] {
        let place = asked.offset.is_some() || asked.commands.is_some();
        [(asked.before.is_some(), BEFORE), (asked.time.is_some(), TIME), (place, PLACE)]
    }
}

impl Context<'_> {
    /// Who mistypes a pattern must not take all of a log for the moment before. Says the reason of what was asked for first.
    pub(crate) fn complain_of_no_cut(&self, input: &str, asked: &[(bool, &str)]) {
        if let Some((_, why)) = asked.iter().find(|(asked, _)| *asked) {
            self.complain(&format!("{}: nothing was left out: {why}", escape::text(input.as_bytes())), None);
        }
    }
}

impl From<whole::NoSuchPart> for Failure {
    fn from(error: whole::NoSuchPart) -> Self {
        Self::new(error.to_string()).hint("`careen info` lists the parts of a set")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_may_name_its_part() {
        assert_eq!(offset("10"), Ok((None, 10)));
        assert_eq!(offset("a.aof.1.incr.aof:7"), Ok((Some("a.aof.1.incr.aof".into()), 7)));
        assert!(offset("a:b").is_err() && offset("").is_err() && offset("-1").is_err());
    }
}

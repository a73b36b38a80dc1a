//! The keyspace of a chat service: who is online, who said what to whom, and whether anything is missing.
//!
//! | key | type | what it holds |
//! | --- | --- | --- |
//! | `online_users` | set | users who are logged in |
//! | `user_status` | sorted set | a user's state as a number: 1 online, 0 offline, others as the schema says |
//! | `chat_history:{user_id}` | list | one message per element, oldest first, in the lists of both sides |
//!
//! Messages are pushed with `PUBLISH` on the channel `chat` or on that of a room. Servers never log that; logs made
//! from a replication stream or from `MONITOR` have it. Other names come from a [`Schema`].
//!
//! | module | what it owns |
//! | --- | --- |
//! | [`schema`] | which keys, fields, states and channels |
//! | [`message`] | one element of a history, read |
//! | [`recorder`] | what only the log tells: pushes, trims, presence over time |
//! | [`view`] | the rebuilt keyspace in the words of the service |
//! | [`verify`] | what is wrong |
//! | [`against`] | what one source has and another lacks |
//! | [`online`] | who was online at a moment |
//! | [`timeline`] | messages and users online over time |
//! | [`generate`] | a service that never was, for tests, benchmarks and demonstrations |

pub mod against;
pub mod generate;
pub mod message;
pub mod online;
pub(crate) mod recorder;
pub mod schema;
pub mod timeline;
pub mod verify;
pub mod view;

pub use message::{Fields, Parsed};
pub use recorder::{Presence, Push, Recorder};
pub use schema::Schema;
pub use view::{History, View};

use crate::input::Input;
use crate::replay::load;
use crate::replay::whole::{self, Damage, NoSuchPart, Options, Outcome};
use crate::value::UnixMillis;

/// An input replayed by somebody who listens for the chat service.
pub type Rebuilt<'s, 'a> = Outcome<'a, Recorder<'s, 'a>>;

/// Replay an input of any kind. Presence is remembered as it was at `at`, when that is asked for.
///
/// # Errors
/// When a condition to stop names a part that is not there.
pub fn rebuild<'s, 'a>(
    input: &'a Input,
    schema: &'s Schema,
    options: &Options,
    at: Option<UnixMillis>,
    progress: &mut dyn FnMut(u64),
) -> Result<Rebuilt<'s, 'a>, NoSuchPart> {
    let mut outcome =
        whole::replay(input, options, Recorder::new(schema, options.now, at).with_budget(&options.budget), progress)?;
    if let Err(spent) = outcome.watch.end(&outcome.keyspace) {
        let part = input.parts.len().saturating_sub(1);
        let offset = input.parts.last().map_or(0, |part| part.bytes().len() as u64);
        outcome.damage.get_or_insert(Damage { part, error: load::Error::Memory(offset, spent), ends: true });
    }
    Ok(outcome)
}

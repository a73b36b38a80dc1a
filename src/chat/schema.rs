//! Which keys, fields, states and channels a chat service uses.
//!
//! ```toml
//! db = 0
//! history_limit = 1000                # histories are trimmed to this length; 0: never
//! both_sides = true                   # sender and recipient both hold a message
//! plain_text = true                   # a message may be plain text instead of a JSON object
//!
//! [keys]
//! online = "online_users"
//! status = "user_status"
//! history = "chat_history:{user_id}"
//!
//! [states]                            # scores by name, as many as the service has
//! offline = 0
//! online = 1
//! present = ["online"]                # those whose users are in the set of users online
//!
//! [fields]
//! sender = "sender"
//! recipient = "recipient"
//! body = "body"
//! time = "time"
//!
//! [channels]
//! all = "chat"
//! rooms = ["room:*"]
//! ```
//!
//! Every line may be left out; what stands here is what counts then.

use crate::select::glob::Glob;
use crate::value::DbIndex;
use std::fmt;
use toml::{Table, Value};

/// The place of the user in the name of a history.
const USER: &str = "{user_id}";

/// The names of the fields of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldNames {
    /// Who wrote it.
    pub sender: String,
    /// To whom.
    pub recipient: String,
    /// What.
    pub body: String,
    /// When.
    pub time: String,
}

/// A state that a user can be in.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// What people call it.
    pub name: String,
    /// The score that stands for it.
    pub score: f64,
    /// Whether users in this state are in the set of users online.
    pub present: bool,
}

/// Names and rules. See the module for the file that gives them.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The database.
    pub db: DbIndex,
    /// The key of the set of users online.
    pub online: String,
    /// The key of the sorted set of states.
    pub status: String,
    /// What stands before the user in the key of a history.
    pub history_prefix: String,
    /// What stands behind the user.
    pub history_suffix: String,
    /// Histories are trimmed to so many messages; 0 for never.
    pub history_limit: u64,
    /// Both sides of a conversation hold its messages.
    pub both_sides: bool,
    /// A message may be plain text.
    pub plain_text: bool,
    /// All states.
    pub states: Vec<State>,
    /// Fields of a message.
    pub fields: FieldNames,
    /// The channel of all messages.
    pub channel: String,
    /// Channels of rooms, which are recipients, too.
    pub rooms: Vec<Glob>,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

impl Default for Schema {
    fn default() -> Self {
        let state = |name: &str, score, present| State { name: name.into(), score, present };
        Self {
            db: DbIndex(0),
            online: "online_users".into(),
            status: "user_status".into(),
            history_prefix: "chat_history:".into(),
            history_suffix: String::new(),
            history_limit: 1000,
            both_sides: true,
            plain_text: true,
            states: vec![state("offline", 0.0, false), state("online", 1.0, true)],
            fields: FieldNames {
                sender: "sender".into(),
                recipient: "recipient".into(),
                body: "body".into(),
                time: "time".into(),
            },
            channel: "chat".into(),
            rooms: vec![Glob::new(b"room:*")],
        }
    }
}

impl Schema {
    /// Read a schema file.
    ///
    /// # Errors
    /// When it is no TOML, has a line that we do not know, or a value of the wrong kind.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let table: Table =
            text.parse().map_err(|error: toml::de::Error| Invalid(error.to_string().trim_end().into()))?;
        let mut schema = Self::default();
        for (name, value) in &table {
            match name.as_str() {
                "db" => schema.db = DbIndex(whole(name, value)?),
                "history_limit" => schema.history_limit = whole(name, value)?,
                "both_sides" => schema.both_sides = truth(name, value)?,
                "plain_text" => schema.plain_text = truth(name, value)?,
                "keys" => schema.read_keys(section(name, value)?)?,
                "states" => schema.read_states(section(name, value)?)?,
                "fields" => schema.read_fields(section(name, value)?)?,
                "channels" => schema.read_channels(section(name, value)?)?,
                _ => return Err(unknown(name)),
            }
        }
        Ok(schema)
    }

    fn read_keys(&mut self, table: &Table) -> Result<(), Invalid> {
        for (name, value) in table {
            let key = text(name, value)?;
            match name.as_str() {
                "online" => self.online = key,
                "status" => self.status = key,
                "history" => {
                    let Some((prefix, suffix)) = key.split_once(USER) else {
                        return Err(Invalid(format!("keys.history needs {USER} where the user stands")));
                    };
                    (self.history_prefix, self.history_suffix) = (prefix.into(), suffix.into());
                }
                _ => return Err(unknown(name)),
            }
        }
        Ok(())
    }

    fn read_states(&mut self, table: &Table) -> Result<(), Invalid> {
        let present = match table.get("present") {
            Some(value) => texts("present", value)?,
            None => vec!["online".into()],
        };
        self.states.clear();
        for (name, value) in table.iter().filter(|(name, _)| *name != "present") {
            let score =
                value.as_float().or_else(|| value.as_integer().and_then(|n| i32::try_from(n).ok().map(f64::from)));
            let score = score.ok_or_else(|| Invalid(format!("states.{name} is a score: a number")))?;
            self.states.push(State { name: name.clone(), score, present: present.contains(name) });
        }
        match present.iter().find(|name| !table.contains_key(*name)) {
            Some(name) => Err(Invalid(format!("states.present names {name:?}, which has no score"))),
            None => Ok(()),
        }
    }

    fn read_fields(&mut self, table: &Table) -> Result<(), Invalid> {
        for (name, value) in table {
            let place = match name.as_str() {
                "sender" => &mut self.fields.sender,
                "recipient" => &mut self.fields.recipient,
                "body" => &mut self.fields.body,
                "time" => &mut self.fields.time,
                _ => return Err(unknown(name)),
            };
            *place = text(name, value)?;
        }
        Ok(())
    }

    fn read_channels(&mut self, table: &Table) -> Result<(), Invalid> {
        for (name, value) in table {
            match name.as_str() {
                "all" => self.channel = text(name, value)?,
                "rooms" => self.rooms = texts(name, value)?.iter().map(|glob| Glob::new(glob.as_bytes())).collect(),
                _ => return Err(unknown(name)),
            }
        }
        Ok(())
    }

    /// The user whose history a key is.
    #[must_use]
    #[inline]
    pub fn owner<'k>(&self, key: &'k [u8]) -> Option<&'k [u8]> {
        key.strip_prefix(self.history_prefix.as_bytes())?.strip_suffix(self.history_suffix.as_bytes())
    }

    /// The key of a user's history.
    #[must_use]
    pub fn history(&self, user: &[u8]) -> Vec<u8> {
        [self.history_prefix.as_bytes(), user, self.history_suffix.as_bytes()].concat()
    }

    /// The state that a score stands for.
    #[must_use]
    pub fn state(&self, score: f64) -> Option<&State> {
        self.states.iter().find(|state| state.score == score)
    }

    /// Is this the name of a room, or of the channel that everybody reads?
    #[must_use]
    pub fn is_room(&self, name: &[u8]) -> bool {
        name == self.channel.as_bytes() || self.rooms.iter().any(|room| room.matches(name))
    }
}

fn unknown(name: &str) -> Invalid {
    Invalid(format!("there is no setting {name:?}"))
}

fn section<'t>(name: &str, value: &'t Value) -> Result<&'t Table, Invalid> {
    value.as_table().ok_or_else(|| Invalid(format!("{name} is a section: [{name}]")))
}

fn text(name: &str, value: &Value) -> Result<String, Invalid> {
    value.as_str().map(Into::into).ok_or_else(|| Invalid(format!("{name} is a text in quotes")))
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>, Invalid> {
    let wrong = || Invalid(format!("{name} is a list of texts"));
    value.as_array().ok_or_else(wrong)?.iter().map(|one| one.as_str().map(Into::into).ok_or_else(wrong)).collect()
}

fn truth(name: &str, value: &Value) -> Result<bool, Invalid> {
    value.as_bool().ok_or_else(|| Invalid(format!("{name} is true or false")))
}

fn whole<T: TryFrom<i64>>(name: &str, value: &Value) -> Result<T, Invalid> {
    let number = value.as_integer().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| Invalid(format!("{name} is a whole number, not negative")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_file_is_the_default() {
        let documented = include_str!("schema.rs").lines().filter_map(|line| line.strip_prefix("//!"));
        let toml: Vec<&str> =
            documented.skip_while(|line| *line != " ```toml").skip(1).take_while(|line| *line != " ```").collect();
        let schema = Schema::parse(&toml.join("\n")).unwrap();
        assert_eq!(format!("{schema:?}"), format!("{:?}", Schema::default()));
    }

    #[test]
    fn a_file_changes_what_it_names() {
        let schema = Schema::parse(
            "both_sides = false\n[keys]\nhistory = 'h:{user_id}:log'\n[states]\noff = 0\non = 1\nbusy = 2.5\npresent = ['on', 'busy']\n[channels]\nrooms = ['r/*']",
        )
        .unwrap();
        assert_eq!(schema.owner(b"h:42:log"), Some(&b"42"[..]));
        assert_eq!(schema.owner(b"chat_history:42"), None);
        assert_eq!(schema.history(b"\xff"), b"h:\xff:log");
        assert!(schema.state(2.5).unwrap().present && !schema.state(0.0).unwrap().present);
        assert!(schema.state(f64::NAN).is_none());
        assert!(schema.is_room(b"r/1") && schema.is_room(b"chat") && !schema.is_room(b"room:1"));
        assert!(!schema.both_sides);
    }

    #[test]
    fn a_mistake_is_told() {
        for (text, told) in [
            ("x = 1", "there is no setting \"x\""),
            ("db = -1", "db is a whole number"),
            ("both_sides = 1", "true or false"),
            ("keys = 1", "[keys]"),
            ("[keys]\nhistory = 'h'", "{user_id}"),
            ("[keys]\nother = 'h'", "\"other\""),
            ("[states]\noff = 'x'", "states.off is a score"),
            ("[states]\non = 1", "\"online\", which has no score"),
            ("[fields]\nsender = 1", "sender is a text"),
            ("[channels]\nrooms = 'x'", "rooms is a list"),
            ("a =", "TOML parse error"),
        ] {
            let error = Schema::parse(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text:?}: {error}");
        }
    }
}

//! One element of a history, read.

use super::schema::Schema;
use crate::value::UnixMillis;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What an element of a history is.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed<'m> {
    /// A JSON object.
    Fields(Fields<'m>),
    /// Plain text, which has no fields.
    Text(&'m str),
    /// It begins like a JSON object and is none.
    Broken(String),
    /// It is no text at all.
    Binary,
}

/// The fields of a message, as far as it has them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields<'m> {
    /// Who wrote it.
    pub sender: Option<Cow<'m, str>>,
    /// To whom.
    pub recipient: Option<Cow<'m, str>>,
    /// What.
    pub body: Option<Cow<'m, str>>,
    /// When.
    pub time: Option<UnixMillis>,
}

impl<'m> Parsed<'m> {
    /// Read an element.
    #[must_use]
    pub fn of(schema: &Schema, element: &'m [u8]) -> Self {
        let begin = element.iter().position(|byte| !byte.is_ascii_whitespace());
        if begin.and_then(|at| element.get(at)) != Some(&b'{') {
            return std::str::from_utf8(element).map_or(Self::Binary, Self::Text);
        }
        let mut json = serde_json::Deserializer::from_slice(element);
        match Object(schema).deserialize(&mut json).and_then(|fields| json.end().map(|()| fields)) {
            Ok(fields) => Self::Fields(fields),
            Err(error) => Self::Broken(error.to_string()),
        }
    }

    /// The fields, when there are any.
    #[must_use]
    pub fn fields(&self) -> Option<&Fields<'m>> {
        match self {
            Self::Fields(fields) => Some(fields),
            _ => None,
        }
    }
}

impl Fields<'_> {
    /// Did this user write it?
    #[must_use]
    pub fn is_from(&self, user: &[u8]) -> bool {
        self.sender.as_deref().is_some_and(|sender| sender.as_bytes() == user)
    }

    /// Was it sent to this user?
    #[must_use]
    pub fn is_to(&self, user: &[u8]) -> bool {
        self.recipient.as_deref().is_some_and(|recipient| recipient.as_bytes() == user)
    }

    /// Whom this user has it with: the recipient of what he wrote, the sender of all else.
    #[must_use]
    pub fn peer(&self, user: &[u8]) -> Option<&str> {
        if self.is_from(user) { self.recipient.as_deref() } else { self.sender.as_deref() }
    }
}

/// A time as services write it: a number of seconds, milliseconds or less since 1970, or RFC 3339.
#[must_use]
pub fn time(value: &Scalar<'_>) -> Option<UnixMillis> {
    match value {
        Scalar::Integer(number) => Some(UnixMillis(to_millis(*number))),
        Scalar::Float(number) => float_to_millis(*number),
        Scalar::Text(text) => {
            let number = || text.parse().ok().map(|number| UnixMillis(to_millis(number)));
            let moment = || text.parse::<jiff::Timestamp>().ok().map(|at| UnixMillis(at.as_millisecond()));
            // Without a zone, as `datetime.isoformat` of Python leaves it: in UTC.
            let civil = || format!("{text}Z").parse::<jiff::Timestamp>().ok().map(|at| UnixMillis(at.as_millisecond()));
            number().or_else(moment).or_else(civil).or_else(|| float_to_millis(text.parse().ok()?))
        }
        Scalar::Other => None,
    }
}

/// Below this, a number is one of seconds; times a thousand, of milliseconds; and so on.
const SECONDS_BELOW: u64 = 100_000_000_000;

fn to_millis(number: i64) -> i64 {
    match number.unsigned_abs() {
        n if n < SECONDS_BELOW => number.saturating_mul(1000),
        n if n < SECONDS_BELOW * 1000 => number,
        n if n < SECONDS_BELOW * 1_000_000 => number / 1000,
        _ => number / 1_000_000,
    }
}

fn float_to_millis(number: f64) -> Option<UnixMillis> {
    const LARGEST: f64 = 9e15;
    if !number.is_finite() || number.abs() >= LARGEST {
        return None;
    }
    let millis = if number.abs() < 1e11 { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "finite and below 9e15, so it fits")]
    let rounded = millis.round() as i64;
    Some(UnixMillis(rounded))
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar<'m> {
    /// A string.
    Text(Cow<'m, str>),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// What is no string and no number.
    Other,
}

impl<'m> Scalar<'m> {
    /// As text: users may be numbers.
    fn into_text(self) -> Option<Cow<'m, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Float(number) => Some(number.to_string().into()),
            Self::Other => None,
        }
    }
}

/// Reads an object, with the names of a schema.
struct Object<'s>(&'s Schema);

impl<'m> DeserializeSeed<'m> for Object<'_> {
    type Value = Fields<'m>;
    fn deserialize<D: Deserializer<'m>>(self, json: D) -> Result<Fields<'m>, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'m> Visitor<'m> for Object<'_> {
    type Value = Fields<'m>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'m>>(self, mut map: A) -> Result<Fields<'m>, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key_seed(Name(self.0))? {
            match name {
                Field::Sender => fields.sender = map.next_value_seed(Any)?.into_text(),
                Field::Recipient => fields.recipient = map.next_value_seed(Any)?.into_text(),
                Field::Body => fields.body = map.next_value_seed(Any)?.into_text(),
                Field::Time => fields.time = time(&map.next_value_seed(Any)?),
                Field::Unknown => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(fields)
    }
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Sender,
    Recipient,
    Body,
    Time,
    Unknown,
}

/// Reads the name of a field.
struct Name<'s>(&'s Schema);

impl<'m> DeserializeSeed<'m> for Name<'_> {
    type Value = Field;
    fn deserialize<D: Deserializer<'m>>(self, json: D) -> Result<Field, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Field, E> {
        let names = &self.0.fields;
        Ok(match name {
            name if name == names.sender => Field::Sender,
            name if name == names.recipient => Field::Recipient,
            name if name == names.body => Field::Body,
            name if name == names.time => Field::Time,
            _ => Field::Unknown,
        })
    }
}

/// Reads any value.
struct Any;

impl<'m> DeserializeSeed<'m> for Any {
    type Value = Scalar<'m>;
    fn deserialize<D: Deserializer<'m>>(self, json: D) -> Result<Scalar<'m>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'m> Visitor<'m> for Any {
    type Value = Scalar<'m>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_borrowed_str<E>(self, text: &'m str) -> Result<Scalar<'m>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Scalar<'m>, E> {
        Ok(Scalar::Text(Cow::Owned(text.into())))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'m>, E> {
        Ok(Scalar::Integer(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'m>, E> {
        Ok(i64::try_from(number).map_or_else(|_| Scalar::Text(number.to_string().into()), Scalar::Integer))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'m>, E> {
        Ok(Scalar::Float(number))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Scalar<'m>, E> {
        Ok(Scalar::Other)
    }
    fn visit_unit<E>(self) -> Result<Scalar<'m>, E> {
        Ok(Scalar::Other)
    }
    fn visit_seq<A: SeqAccess<'m>>(self, mut list: A) -> Result<Scalar<'m>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
    fn visit_map<A: MapAccess<'m>>(self, mut map: A) -> Result<Scalar<'m>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> (Option<String>, Option<String>, Option<String>, Option<i64>) {
        let schema = Schema::default();
        let parsed = Parsed::of(&schema, text.as_bytes());
        let fields = parsed.fields().unwrap_or_else(|| panic!("{parsed:?}")).clone();
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        (owned(fields.sender), owned(fields.recipient), owned(fields.body), fields.time.map(|at| at.0))
    }

    #[test]
    fn an_object_has_fields_and_may_have_more() {
        let read = fields(r#" {"x":[1,{"time":2}],"sender":"42","recipient":77,"body":"a\né","time":1700000000.25}"#);
        assert_eq!(read, (Some("42".into()), Some("77".into()), Some("a\né".into()), Some(1_700_000_000_250)));
        assert_eq!(fields(r#"{"sender":null,"body":[1],"time":true}"#), (None, None, None, None));
    }

    #[test]
    fn times_are_read_as_services_write_them() {
        for (text, millis) in [
            ("1700000000", 1_700_000_000_000),
            ("1700000000123", 1_700_000_000_123),
            ("1700000000123456", 1_700_000_000_123),
            ("1700000000123456789", 1_700_000_000_123),
            ("\"2023-11-14T22:13:20Z\"", 1_700_000_000_000),
            ("\"2023-11-14T23:13:20.5+01:00\"", 1_700_000_000_500),
            ("\"2023-11-14T22:13:20.123456\"", 1_700_000_000_123),
            ("\"2023-11-14 22:13:20\"", 1_700_000_000_000),
            ("\"1700000000.5\"", 1_700_000_000_500),
            ("\"-7\"", -7000),
        ] {
            assert_eq!(fields(&format!("{{\"time\":{text}}}")).3, Some(millis), "{text}");
        }
        for text in ["1e300", "\"NaN\"", "\"yesterday\"", "18446744073709551615e9"] {
            assert_eq!(fields(&format!("{{\"time\":{text}}}")).3, None, "{text}");
        }
        assert!(fields("{\"time\":-9223372036854775808}").3.is_some());
    }

    #[test]
    fn what_is_no_object_is_text_or_broken_or_binary() {
        let schema = Schema::default();
        assert_eq!(Parsed::of(&schema, b"hello"), Parsed::Text("hello"));
        assert_eq!(Parsed::of(&schema, b""), Parsed::Text(""));
        assert_eq!(Parsed::of(&schema, b"\xff"), Parsed::Binary);
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        for broken in ["{", "{}x", "{\"sender\":\"\\ud800\"}", &deep] {
            assert!(matches!(Parsed::of(&schema, broken.as_bytes()), Parsed::Broken(_)), "{}", broken.len());
        }
        assert!(matches!(Parsed::of(&schema, b"{\"body\":\"\xff\"}"), Parsed::Broken(_)));
    }
}

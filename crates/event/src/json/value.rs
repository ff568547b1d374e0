//! Request and response bodies: borrowed JSON, read leniently.
//!
//! Clients can send any body, so a field of the wrong type is treated as absent; it never invalidates the event.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::column::{Map, Text};

/// A JSON value whose strings are borrowed from the text if possible.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// An integer; `None` for another number.
    Number(Option<i64>),
    Text(Text<'a>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Text<'a>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Returns the value of a member that is not null.
    pub(crate) fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.member(key).filter(|value| **value != Json::Null)
    }

    /// Returns the value of a member, which a patch may set to null.
    pub(crate) fn member(&self, key: &str) -> Option<&Json<'a>> {
        let Json::Object(members) = self else { return None };
        // As in the API server, the last value of a duplicate key counts.
        members.iter().rfind(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// Returns the value at a path of member names.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Json<'a>> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    pub(crate) fn as_text(&self) -> Option<Text<'a>> {
        match self {
            Json::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(crate) fn into_text(self) -> Option<Text<'a>> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Json::Number(value) => *value,
            _ => None,
        }
    }

    pub(crate) fn elements(&self) -> Option<&[Json<'a>]> {
        match self {
            Json::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<Text<'a>> {
        self.get(key)?.as_text()
    }

    pub(crate) fn bool(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn int(&self, key: &str) -> Option<i64> {
        self.get(key)?.as_int()
    }

    /// Returns the elements of a list member; empty if there is none.
    pub(crate) fn list(&self, key: &str) -> &[Json<'a>] {
        self.get(key).and_then(Json::elements).unwrap_or_default()
    }

    /// Returns a list member of strings.
    pub(crate) fn texts(&self, key: &str) -> Option<Vec<Text<'a>>> {
        Some(self.get(key)?.elements()?.iter().filter_map(Json::as_text).collect())
    }

    /// Returns a member that maps strings to strings; other scalars are converted to strings, as in resource
    /// quantities.
    pub(crate) fn text_map(&self, key: &str) -> Option<Map<'a, Text<'a>>> {
        let Json::Object(members) = self.get(key)? else { return None };
        let entry = |(key, value): &(Text<'a>, Json<'a>)| {
            let value = match value {
                Json::Text(text) => text.clone(),
                Json::Number(Some(number)) => Text::from(number.to_string()),
                Json::Bool(value) => Text::from(value.to_string()),
                _ => return None,
            };
            Some((key.clone(), value))
        };
        Some(Map(members.iter().filter_map(entry).collect()))
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct JsonVisitor;

        impl<'de> Visitor<'de> for JsonVisitor {
            type Value = Json<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Json::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Json::Number(Some(value)))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Json::Number(i64::try_from(value).ok()))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Json::Number(None))
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Json::Text(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Json::Text(value.to_owned().into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element()? {
                    elements.push(element);
                }
                Ok(Json::Array(elements))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Json::Object(members))
            }
        }

        deserializer.deserialize_any(JsonVisitor)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null | Json::Number(None) => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(Some(number)) => serializer.serialize_i64(*number),
            Json::Text(text) => serializer.serialize_str(text),
            Json::Array(elements) => serializer.collect_seq(elements),
            Json::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (&**name, value)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(value.into())
            }

            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(value.to_owned().into())
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

//! Request and response bodies: borrowed JSON, read leniently.
//!
//! A body is whatever a client sent, so a field of the wrong type is a field that is not there; it never costs the event.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::column::{Map, Text};

/// A JSON value whose strings are borrowed from the text where they can be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// An integer; `None` is another number.
    Number(Option<i64>),
    Text(Text<'a>),
    Array(Vec<Json<'a>>),
    Object(Vec<(Text<'a>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// The value of a member that is not null.
    pub(crate) fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.member(key).filter(|value| **value != Json::Null)
    }

    /// The value of a member, which a patch may set to null.
    pub(crate) fn member(&self, key: &str) -> Option<&Json<'a>> {
        let Json::Object(members) = self else { return None };
        members.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// The value at the end of a path of member names.
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

    /// The elements of a list member; empty where there is none.
    pub(crate) fn list(&self, key: &str) -> &[Json<'a>] {
        self.get(key).and_then(Json::elements).unwrap_or_default()
    }

    /// A list member of strings.
    pub(crate) fn texts(&self, key: &str) -> Option<Vec<Text<'a>>> {
        Some(self.get(key)?.elements()?.iter().filter_map(Json::as_text).collect())
    }

    /// A member that maps strings to strings; other scalars are written as strings, as in resource quantities.
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

/// More operations than these the API server refuses (`maxJSONPatchOperations` of kubernetes/apiserver).
const MAX_PATCH_OPERATIONS: usize = 10_000;

/// How many names and indices are compared for one patch, so that its cost stays in line with its length.
const MAX_PATCH_WORK: usize = 10_000_000;

/// No object is nested deeper: JSON of more levels is not read at all.
const MAX_POINTER_LENGTH: usize = 128;

/// What the operations of a JSON Patch (RFC 6902) say about the object, as a partial object.
///
/// `add` and `replace` set a value; `remove` sets null. `move` and `copy` set the scalar that the patch itself put at their
/// source, else an empty object, which stands for a value that only the object knows. `test` says nothing.
/// Positions in lists are not known without the object: elements keep the order in which the patch names them.
pub(crate) fn object_of_json_patch<'a>(operations: &[Json<'a>]) -> Json<'a> {
    let mut root = Partial::Members(Vec::new());
    let mut work = MAX_PATCH_WORK;
    for operation in operations.iter().take(MAX_PATCH_OPERATIONS) {
        let Some(path) = pointer(operation, "path") else { continue };
        let value = match operation.text("op").as_deref() {
            Some("add" | "replace") => operation.member("value").cloned().unwrap_or(Json::Null),
            Some("remove") => Json::Null,
            Some(op @ ("move" | "copy")) => {
                let Some(from) = pointer(operation, "from") else { continue };
                let value = root.scalar(&from, &mut work).unwrap_or(Json::Object(Vec::new()));
                if op == "move" {
                    root.set(&from, Json::Null, &mut work);
                }
                value
            }
            _ => continue,
        };
        root.set(&path, value, &mut work);
    }
    root.into_json()
}

/// The reference tokens of a JSON Pointer (RFC 6901) in a member.
fn pointer<'a>(operation: &Json<'a>, key: &str) -> Option<Vec<Text<'a>>> {
    let Some(Json::Text(path)) = operation.member(key) else { return None };
    let tokens: Vec<_> =
        path.split('/').skip(1).take(MAX_POINTER_LENGTH + 1).map(unescape_pointer).collect();
    (tokens.len() <= MAX_POINTER_LENGTH).then_some(tokens)
}

/// A reference token of a JSON Pointer (RFC 6901).
fn unescape_pointer<'a>(token: &str) -> Text<'a> {
    token.replace("~1", "/").replace("~0", "~").into()
}

/// A partial object under construction; list elements are found again by their index.
enum Partial<'a> {
    Value(Json<'a>),
    Members(Vec<(Text<'a>, Partial<'a>)>),
    Elements(Vec<(Option<usize>, Partial<'a>)>),
}

impl<'a> Partial<'a> {
    fn set(&mut self, path: &[Text<'a>], value: Json<'a>, work: &mut usize) {
        let Some((first, rest)) = path.split_first() else {
            *self = Partial::Value(value);
            return;
        };
        self.open(first);
        if !self.affords_search(work) {
            return;
        }
        let child = match self {
            Partial::Elements(elements) => {
                let index = first.parse::<usize>().ok();
                let known = elements.iter().position(|(at, _)| at.is_some() && *at == index);
                let position = known.unwrap_or_else(|| {
                    elements.push((index, Partial::Members(Vec::new())));
                    elements.len() - 1
                });
                elements.get_mut(position).map(|(_, child)| child)
            }
            Partial::Members(members) => {
                let position =
                    members.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
                        members.push((first.clone(), Partial::Members(Vec::new())));
                        members.len() - 1
                    });
                members.get_mut(position).map(|(_, child)| child)
            }
            Partial::Value(_) => None,
        };
        if let Some(child) = child {
            child.set(rest, value, work);
        }
    }

    /// The scalar at a path, where the patch has put one.
    ///
    /// Copies of anything larger could grow without bound, each doubling the one before.
    fn scalar(&self, path: &[Text<'a>], work: &mut usize) -> Option<Json<'a>> {
        const LONGEST: usize = 1024;
        let Some((first, rest)) = path.split_first() else {
            return match self {
                Partial::Value(Json::Text(text)) if text.len() > LONGEST => None,
                Partial::Value(Json::Array(_) | Json::Object(_)) => None,
                Partial::Value(scalar) => Some(scalar.clone()),
                _ => None,
            };
        };
        match self {
            _ if !self.affords_search(work) => None,
            Partial::Value(_) => None,
            Partial::Members(members) => {
                members.iter().find(|(name, _)| name == first)?.1.scalar(rest, work)
            }
            Partial::Elements(elements) => {
                let index = first.parse::<usize>().ok()?;
                elements.iter().find(|(at, _)| *at == Some(index))?.1.scalar(rest, work)
            }
        }
    }

    /// Whether a search of all children is still affordable; takes its price.
    fn affords_search(&self, work: &mut usize) -> bool {
        let price = match self {
            Partial::Value(_) => 0,
            Partial::Members(members) => members.len(),
            Partial::Elements(elements) => elements.len(),
        };
        match work.checked_sub(price) {
            Some(rest) => {
                *work = rest;
                true
            }
            None => false,
        }
    }

    /// Makes room for a child called `token`.
    fn open(&mut self, token: &str) {
        let is_index = token == "-" || token.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Partial::Members(members) if members.is_empty() && is_index => {
                *self = Partial::Elements(Vec::new());
            }
            Partial::Value(Json::Object(members)) => {
                let members = std::mem::take(members);
                *self = Partial::Members(
                    members
                        .into_iter()
                        .map(|(name, value)| (name, Partial::Value(value)))
                        .collect(),
                );
            }
            Partial::Value(Json::Array(elements)) => {
                let elements = std::mem::take(elements).into_iter().enumerate();
                *self = Partial::Elements(
                    elements.map(|(index, value)| (Some(index), Partial::Value(value))).collect(),
                );
            }
            Partial::Value(_) => *self = Partial::Members(Vec::new()),
            _ => {}
        }
    }

    fn into_json(self) -> Json<'a> {
        match self {
            Partial::Value(value) => value,
            Partial::Members(members) => Json::Object(
                members.into_iter().map(|(name, child)| (name, child.into_json())).collect(),
            ),
            Partial::Elements(elements) => {
                Json::Array(elements.into_iter().map(|(_, child)| child.into_json()).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_patch_shows_what_it_sets() {
        let patch = r#"[
            {"op":"test","path":"/metadata/name","value":"x"},
            {"op":"add","path":"/spec/containers/-","value":{"name":"a","image":"b"}},
            {"op":"replace","path":"/spec/containers/0/image","value":"c"},
            {"op":"add","path":"/spec/containers/0/securityContext","value":{}},
            {"op":"add","path":"/spec/containers/0/securityContext/privileged","value":true},
            {"op":"remove","path":"/spec/hostPID"},
            {"op":"add","path":"/metadata/annotations/a~1b","value":"1"}
        ]"#;
        let Json::Array(operations) = serde_json::from_str(patch).unwrap() else { unreachable!() };
        let expected = r#"{
            "spec":{
                "containers":[
                    {"name":"a","image":"b"},
                    {"image":"c","securityContext":{"privileged":true}}
                ],
                "hostPID":null
            },
            "metadata":{"annotations":{"a/b":"1"}}
        }"#;
        let expected: Json<'_> = serde_json::from_str(expected).unwrap();
        assert_eq!(object_of_json_patch(&operations), expected);
    }

    #[test]
    fn what_a_patch_copies_is_what_it_put_there_or_unknown() {
        let patch = r#"[
            {"op":"add","path":"/metadata/annotations/x","value":"evil"},
            {"op":"copy","from":"/metadata/annotations/x","path":"/spec/a"},
            {"op":"move","from":"/metadata/annotations/x","path":"/spec/b"},
            {"op":"copy","from":"/spec/known/to/the/object","path":"/spec/c"},
            {"op":"copy","path":"/spec/d"}
        ]"#;
        let Json::Array(operations) = serde_json::from_str(patch).unwrap() else { unreachable!() };
        let expected = r#"{
            "metadata":{"annotations":{"x":null}},
            "spec":{"a":"evil","b":"evil","c":{}}
        }"#;
        let expected: Json<'_> = serde_json::from_str(expected).unwrap();
        assert_eq!(object_of_json_patch(&operations), expected);
    }

    #[test]
    fn a_patch_is_read_as_far_as_the_api_server_would_take_it() {
        let operations: Vec<_> = (0..=MAX_PATCH_OPERATIONS)
            .map(|i| format!(r#"{{"op":"add","path":"/p{}/n{i}","value":{i}}}"#, i % 100))
            .collect();
        let patch = format!("[{}]", operations.join(","));
        let Json::Array(operations) = serde_json::from_str(&patch).unwrap() else { unreachable!() };
        let object = object_of_json_patch(&operations);
        assert_eq!(object.at(&["p99", "n9999"]), Some(&Json::Number(Some(9999))));
        assert_eq!(object.at(&["p0", "n10000"]), None);
    }

    #[test]
    fn a_patch_that_costs_too_much_is_read_in_part() {
        let many: Vec<_> = (0..20_000).map(|i| format!(r#""m{i}":1"#)).collect();
        let mut operations =
            vec![format!(r#"{{"op":"add","path":"/labels","value":{{{}}}}}"#, many.join(","))];
        operations.extend(
            (0..1000).map(|i| format!(r#"{{"op":"add","path":"/labels/n{i}","value":2}}"#)),
        );
        let patch = format!("[{}]", operations.join(","));
        let Json::Array(operations) = serde_json::from_str(&patch).unwrap() else { unreachable!() };
        let object = object_of_json_patch(&operations);
        assert!(object.at(&["labels", "n0"]).is_some());
        assert_eq!(object.at(&["labels", "n999"]), None);
    }

    #[test]
    fn a_hostile_pointer_is_not_followed() {
        let deep = format!(r#"[{{"op":"add","path":"{}","value":1}}]"#, "/a".repeat(200_000));
        let Json::Array(operations) = serde_json::from_str(&deep).unwrap() else { unreachable!() };
        assert_eq!(object_of_json_patch(&operations), Json::Object(Vec::new()));
    }
}

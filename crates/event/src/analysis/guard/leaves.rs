//! An object as a map from paths to scalar values, and a patch as the object that it sets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Maximum depth; deeper values are ignored.
const MAX_DEPTH: usize = 64;

/// Returns the values that a patch sets, as an object. Of a JSON Patch, the targets of its operations, with null if an
/// operation removes a value or copies an unknown one.
pub(super) fn partial(patch: &Value) -> Value {
    let Some(operations) = patch.as_array() else { return patch.clone() };
    let mut object = Value::Object(Map::new());
    for operation in operations.iter().take(1000) {
        let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
        let value = match text("op") {
            "add" | "replace" => operation.get("value").cloned().unwrap_or(Value::Null),
            "remove" => Value::Null,
            "copy" => Value::String(format!("(copied from {})", text("from"))),
            "move" => {
                set(&mut object, text("from"), Value::Null);
                Value::String(format!("(moved from {})", text("from")))
            }
            _ => continue,
        };
        set(&mut object, text("path"), value);
    }
    object
}

/// Sets the value at a JSON Pointer; list positions become members named by their number.
fn set(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for token in reference_tokens(pointer).take(MAX_DEPTH) {
        if !at.is_object() {
            *at = match at.take() {
                Value::Array(elements) => {
                    let numbered = elements.into_iter().enumerate();
                    Value::Object(numbered.map(|(at, v)| (at.to_string(), v)).collect())
                }
                _ => Value::Object(Map::new()),
            };
        }
        let Some(members) = at.as_object_mut() else { return };
        at = members.entry(token).or_insert(Value::Null);
    }
    *at = value;
}

/// Returns every scalar, empty list and empty object of a value, by its path.
pub(super) fn leaves(value: &Value) -> BTreeMap<String, &Value> {
    fn walk<'v>(
        value: &'v Value,
        path: &str,
        depth: usize,
        leaves: &mut BTreeMap<String, &'v Value>,
    ) {
        match value {
            _ if depth > MAX_DEPTH => {}
            Value::Object(members) if !members.is_empty() => {
                for (key, value) in members {
                    walk(value, &join(path, key), depth + 1, leaves);
                }
            }
            Value::Array(elements) if !elements.is_empty() => {
                for (at, element) in elements.iter().enumerate() {
                    let name = match element {
                        // A set: the order of its elements is irrelevant.
                        Value::String(text) => format!("[{text}]"),
                        Value::Object(members) => members
                            .get("name")
                            .and_then(Value::as_str)
                            .map_or_else(|| format!("[{at}]"), |name| format!("[{name}]")),
                        other => format!("[{other}]"),
                    };
                    walk(element, &format!("{path}{name}"), depth + 1, leaves);
                }
            }
            leaf => {
                leaves.insert(path.to_owned(), leaf);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(value, "", 0, &mut found);
    found
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Returns the member names of a path.
pub(super) fn keys(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('.').map(|part| part.split('[').next().unwrap_or_default())
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().all(is_empty),
        Value::Array(elements) => elements.iter().all(is_empty),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
use crate::json::pointer::reference_tokens;

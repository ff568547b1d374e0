//! Equivalent JSON texts.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Returns JSON text without white space, members sorted by key, strings decoded if they are valid, numbers as written.
/// Members with the same key keep their order.
pub fn canonical(json: &str) -> String {
    match json.as_bytes()[0] {
        b'{' => {
            let members = members(json).into_iter();
            let mut members: Vec<_> =
                members.map(|(key, value)| (string(key), canonical(value))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
            format!("{{{}}}", members.join(","))
        }
        b'[' => {
            let elements: Vec<_> = elements(json).into_iter().map(canonical).collect();
            format!("[{}]", elements.join(","))
        }
        b'"' => string(json),
        _ => json.to_owned(),
    }
}

/// Returns the same value with the members of its objects in another order, and with other white space.
pub fn reordered(json: &str) -> String {
    match json.as_bytes()[0] {
        b'{' => {
            let mut members = members(json);
            members.sort_by_key(|(key, _)| std::cmp::Reverse(string(key)));
            let members: Vec<_> = members
                .into_iter()
                .map(|(key, value)| format!("{key} : {}", reordered(value)))
                .collect();
            format!("{{ {} }}", members.join(",\n"))
        }
        b'[' => {
            let elements: Vec<_> = elements(json).into_iter().map(reordered).collect();
            format!("[ {} ]", elements.join(" , "))
        }
        _ => json.to_owned(),
    }
}

/// A string with a lone surrogate is invalid.
fn string(literal: &str) -> String {
    serde_json::from_str::<String>(literal).map_or(literal.to_owned(), |text| format!("{text:?}"))
}

fn elements(json: &str) -> Vec<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).expect("an array");
    elements.into_iter().map(RawValue::get).collect()
}

fn members(json: &str) -> Vec<(&str, &str)> {
    serde_json::from_str::<Members<'_>>(json).expect("an object").0
}

/// Members as written, keys included: as literals.
struct Members<'a>(Vec<(&'a str, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((key.get(), value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

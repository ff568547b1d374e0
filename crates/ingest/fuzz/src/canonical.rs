//! JSON texts that say the same.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// JSON text without white space, members sorted by key, strings decoded where they have a meaning, numbers as written.
/// Members of the same key stay in their order.
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

/// The same value with the members of its objects in another order, and with other white space.
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

/// A string with a lone surrogate has no meaning.
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

/// Members as they stand, keys too: as literals.
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

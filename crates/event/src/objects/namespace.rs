//! The labels of Namespaces that requests write, which include Pod Security levels.

use crate::column::{Map, Text};
use crate::json::value::Json;
use crate::objects::bodies::Bodies;

/// Returns the labels of a Namespace after a write; for a patch without a response, the labels that it sets. A label
/// that a patch removes has no value. `None` if the log does not show them, or a patch leaves them unchanged.
pub(crate) fn labels<'a>(bodies: &Bodies<'a, '_>) -> Option<Map<'a, Option<Text<'a>>>> {
    let labels_of =
        |json: &Json<'a>| json.get("metadata").and_then(|m| m.member("labels")).cloned();
    let patched = bodies.patch().map(labels_of);
    if let Some(None) = patched {
        return None;
    }
    let body = bodies.object("Namespace", &["metadata", "spec", "status"])?;
    let labels = labels_of(body.json).unwrap_or(Json::Null);
    let mut entries = entries(&labels, |_| true);
    if body.source == "response"
        && let Some(Some(patched)) = &patched
    {
        let is_removed = |value: &Json<'_>| *value == Json::Null;
        entries.extend(self::entries(patched, is_removed));
    }
    Some(Map(entries))
}

fn entries<'a>(
    labels: &Json<'a>,
    is_wanted: impl Fn(&Json<'a>) -> bool,
) -> Vec<(Text<'a>, Option<Text<'a>>)> {
    let Json::Object(members) = labels else { return Vec::new() };
    let wanted = members.iter().filter(|(_, value)| is_wanted(value));
    wanted.map(|(key, value)| (key.clone(), value.as_text())).collect()
}

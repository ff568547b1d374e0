//! What patches, mutations of policies and chart parameters set, as the objects that they would give.

use super::embedded_text::filled;
use crate::column::Text;
use crate::json::value::Json;
use crate::patch::json_patch;

/// Maximum number of steps of a location.
const MAX_STEPS: usize = 128;

/// Returns what the operations of a JSON Patch set, if the list is one. A policy variable may replace an index.
pub(super) fn patched<'a>(elements: &[Json<'a>]) -> Option<Json<'a>> {
    const OPERATIONS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];
    let is_operation = |json: &Json<'a>| {
        json.text("op").is_some_and(|op| OPERATIONS.contains(&&*op))
            && json.text("path").is_some_and(|path| path.starts_with('/'))
    };
    if elements.is_empty() || !elements.iter().all(is_operation) {
        return None;
    }
    let plain = |json: &Json<'a>| {
        let Json::Object(members) = json else { return json.clone() };
        let member = |(key, value): &(Text<'a>, Json<'a>)| match value {
            Json::Text(path) if matches!(&**key, "path" | "from") => {
                let path = filled(path, "0").into_owned();
                (key.clone(), Json::Text(path.into()))
            }
            other => (key.clone(), other.clone()),
        };
        Json::Object(members.iter().map(member).collect())
    };
    Some(json_patch::of_unknown(elements.iter().map(plain).collect()).node.into_tree())
}

/// Returns what a mutation of Gatekeeper sets: a location such as `spec.containers[name:*].securityContext.privileged`,
/// and a value.
pub(super) fn assigned<'a>(json: &Json<'a>) -> Option<Json<'a>> {
    let location = json.text("location")?;
    let assign =
        json.at(&["parameters", "assign"]).or_else(|| json.at(&["parameters", "values"]))?;
    let value = assign.get("value").or_else(|| assign.get("fromList")).unwrap_or(assign).clone();
    let steps: Vec<&str> = location.split('.').take(MAX_STEPS).collect();
    Some(steps.into_iter().rev().fold(value, |value, step| {
        let (name, value) = match step.split_once('[') {
            Some((name, _)) => (name, Json::Array(vec![value])),
            None => (step, value),
        };
        Json::Object(vec![(name.trim_matches('"').to_owned().into(), value)])
    }))
}

/// Returns what a chart parameter sets by a path: `{"name": "podSpec.hostPID", "value": "true"}`.
pub(super) fn parameter<'a>(json: &Json<'a>) -> Option<Json<'a>> {
    let name = json.text("name")?;
    if name.contains('.') { set_by_path(&name, json.get("value")?) } else { None }
}

/// Returns what a dotted name sets, if its last part is a name that gives pods access to the node.
pub(super) fn set_by_path<'a>(path: &str, value: &Json<'a>) -> Option<Json<'a>> {
    let (above, flag) = path.rsplit_once('.')?;
    let is_true = match value {
        Json::Bool(value) => *value,
        Json::Text(value) => &**value == "true",
        _ => false,
    };
    let set = |name: &str| Json::Object(vec![(name.to_owned().into(), Json::Bool(true))]);
    match flag {
        "hostPID" | "hostIPC" | "hostNetwork" if is_true => Some(set(flag)),
        "privileged" if is_true && above.ends_with("ecurityContext") => {
            Some(Json::Object(vec![("securityContext".into(), set(flag))]))
        }
        _ => None,
    }
}

/// Returns the members of a Kyverno policy without anchors: `+(image)`, `(name)`, `=(hostPID)`.
pub(super) fn without_anchors<'a>(json: &Json<'a>) -> Json<'a> {
    match json {
        Json::Object(members) => Json::Object(
            members
                .iter()
                .map(|(key, value)| {
                    let name = key.trim_start_matches(['+', '=', '<', '^', '~']);
                    let name = name.strip_prefix('(').and_then(|name| name.strip_suffix(')'));
                    let key = name.map_or_else(|| key.clone(), |name| name.to_owned().into());
                    (key, without_anchors(value))
                })
                .collect(),
        ),
        Json::Array(elements) => Json::Array(elements.iter().map(without_anchors).collect()),
        other => other.clone(),
    }
}

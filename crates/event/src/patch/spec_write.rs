//! Detection of writes that change the `spec` of an object.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::patch::json_patch::written_paths;

/// Returns whether a create, update or patch writes the spec of an object, other than its number of replicas.
///
/// A patch shows it directly. An update contains the whole object; it leaves the spec unchanged if
/// `metadata.generation`, which the API server increments with every change of the spec, is equal in request and
/// response. If the log does not show enough, the result is true.
///
/// ```
/// # use podtrail_event::writes_spec;
/// assert!(writes_spec("patch", Some(r#"{"spec": {"template": {}}}"#), None));
/// assert!(!writes_spec("patch", Some(r#"{"metadata": {"labels": {"a": "b"}}}"#), None));
/// assert!(!writes_spec("patch", Some(r#"[{"op": "replace", "path": "/spec/replicas", "value": 3}]"#), None));
/// ```
pub fn writes_spec(verb: &str, request: Option<&str>, response: Option<&str>) -> bool {
    match verb {
        "create" => true,
        "patch" => request.is_none_or(patches_spec),
        "update" => {
            let before = request.and_then(generation);
            before.is_none() || before != response.and_then(generation)
        }
        _ => false,
    }
}

#[derive(Deserialize)]
struct Object {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    generation: Option<i64>,
}

fn generation(object: &str) -> Option<i64> {
    serde_json::from_str::<Object>(object).ok()?.metadata?.generation
}

fn patches_spec(patch: &str) -> bool {
    if let Some(paths) = written_paths(patch) {
        return paths.iter().any(|path| match path.first().map(String::as_str) {
            None | Some("template") => true,
            Some("spec") => path.len() != 2 || path[1] != "replicas",
            Some(_) => false,
        });
    }
    let Ok(object) = serde_json::from_str::<BTreeMap<String, &RawValue>>(patch) else {
        return true;
    };
    let Some(spec) = object.get("spec") else { return false };
    // Keys such as `$setElementOrder/containers` belong to the target of a strategic merge patch.
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(spec.get()) else {
        return true;
    };
    members.keys().any(|key| key != "replicas")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_without_spec_changes_are_recognized() {
        for (verb, request, response, writes) in [
            ("create", None, None, true),
            ("delete", None, None, false),
            ("patch", None, None, true),
            ("patch", Some(r#"{"metadata": {}}"#), None, false),
            ("patch", Some(r#"{"spec": {"replicas": 2}}"#), None, false),
            ("patch", Some(r#"{"spec": {"replicas": 2, "template": {}}}"#), None, true),
            ("patch", Some(r#"{"spec": null}"#), None, true),
            ("patch", Some("cut off {"), None, true),
            (
                "patch",
                Some(r#"[{"op": "add", "path": "/metadata/labels/a", "value": "b"}]"#),
                None,
                false,
            ),
            (
                "patch",
                Some(r#"[{"op": "test", "path": "/spec/paused", "value": true}]"#),
                None,
                false,
            ),
            (
                "patch",
                Some(r#"[{"op": "remove", "path": "/spec/template/spec/volumes"}]"#),
                None,
                true,
            ),
            ("patch", Some(r#"[{"op": "replace", "path": "", "value": {}}]"#), None, true),
            ("update", None, None, true),
            ("update", Some(r#"{"metadata": {"generation": 4}}"#), None, true),
            (
                "update",
                Some(r#"{"metadata": {"generation": 4}}"#),
                Some(r#"{"metadata": {"generation": 4}}"#),
                false,
            ),
            (
                "update",
                Some(r#"{"metadata": {"generation": 4}}"#),
                Some(r#"{"metadata": {"generation": 5}}"#),
                true,
            ),
            (
                "update",
                Some(r#"{"metadata": {}}"#),
                Some(r#"{"metadata": {"generation": 5}}"#),
                true,
            ),
        ] {
            assert_eq!(
                writes_spec(verb, request, response),
                writes,
                "{verb} {request:?} {response:?}"
            );
        }
    }
}

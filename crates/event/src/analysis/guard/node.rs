//! Changes of a namespace or a node by a write.

use serde_json::Value;

use super::guard_change::Found;

/// Labels and taints of the nodes that hold the keys of the cluster.
const CONTROL_PLANE_ROLES: [&str; 4] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "node-role.kubernetes.io/controlplane",
    "node-role.kubernetes.io/etcd",
];

/// Compares labels and annotations of a namespace, or labels, taints and schedulability of a node.
///
/// `after` is the whole object, or what a patch sets of it; `whole_after` is the response to such a patch, if it shows
/// the object.
pub(super) fn metadata(
    found: &mut Found,
    before: Option<&Value>,
    after: &Value,
    is_whole: bool,
    whole_after: Option<&Value>,
) {
    for (change, key) in [("label", "labels"), ("annotation", "annotations")] {
        let members = |object: Option<&Value>| {
            object.and_then(|object| {
                object.pointer(&format!("/metadata/{key}"))?.as_object().cloned()
            })
        };
        let (old, new) =
            (members(before).unwrap_or_default(), members(Some(after)).unwrap_or_default());
        for (name, value) in &new {
            let is_noise = name == "kubectl.kubernetes.io/last-applied-configuration"
                || name == "kubernetes.io/metadata.name";
            if !is_noise && old.get(name) != Some(value) {
                let value = (!value.is_null()).then_some(value);
                found.push(change, name, old.get(name), value);
            }
        }
        if is_whole {
            for (name, value) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
                found.push(change, name, Some(value), None);
            }
        }
    }
    let taints = |object: &Value| -> Vec<Value> {
        object.pointer("/spec/taints").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let repels = |taint: &&Value| {
        matches!(taint.get("effect").and_then(Value::as_str), Some("NoSchedule" | "NoExecute"))
    };
    let name =
        |taint: &Value| taint.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(before) = before {
        let new = taints(after);
        for taint in taints(before).iter().filter(repels).filter(|taint| !new.contains(taint)) {
            found.push("taint removed", &name(taint), Some(taint), None);
        }
    } else if !is_whole && let Some(spec) = after.get("spec").and_then(Value::as_object) {
        match spec.get("taints") {
            None => {}
            Some(Value::Array(elements))
                if elements.iter().any(|element| element.get("$patch").is_none()) =>
            {
                // A list replaces the previous one: missing elements may have been in it.
                found.push("taints replaced", "", None, spec.get("taints"));
            }
            Some(Value::Array(elements)) if !elements.is_empty() => {
                for element in elements {
                    found.push("taint removed", &name(element), None, None);
                }
            }
            Some(Value::Object(members)) => {
                for (place, value) in members.iter().filter(|(_, value)| value.is_null()) {
                    found.push("taint removed", place, None, Some(value));
                }
            }
            Some(_) => found.push("taint removed", "", None, None),
        }
    }
    let is_role = |name: &str| CONTROL_PLANE_ROLES.contains(&name);
    let labels =
        |object: &Value| object.pointer("/metadata/labels").and_then(Value::as_object).cloned();
    let roles = [before.and_then(labels), labels(after), whole_after.and_then(labels)];
    let is_control_plane =
        roles.iter().flatten().any(|labels| labels.keys().any(|name| is_role(name)));
    if is_control_plane
        && found
            .rows
            .iter()
            .any(|row| row.change.as_deref().is_some_and(|change| change.starts_with("taint")))
    {
        let left = taints(whole_after.unwrap_or(after));
        let is_open = !left.iter().filter(repels).any(|taint| is_role(&name(taint)));
        if is_open {
            found.push("control plane opened", "spec.taints", None, None);
        }
    }
    let closed = |object: &Value| {
        object.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true)
    };
    let was_closed = before.is_some_and(closed);
    if closed(after) && !was_closed {
        found.push("cordoned", "spec.unschedulable", None, None);
    } else {
        let is_set =
            before.is_none() && !is_whole && after.pointer("/spec/unschedulable").is_some();
        if !closed(after) && (was_closed || is_set) {
            found.push("uncordoned", "spec.unschedulable", None, None);
        }
    }
}

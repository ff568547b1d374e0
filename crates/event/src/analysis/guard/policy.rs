//! What a version of a policy permits that the previous one did not.
//!
//! A value in a version counts as a requirement, unless it is under a name that permits something: then it is a gap.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::guard_change::{Found, Kind, payload};
use super::leaves::{is_empty, keys, leaves};
use crate::analysis::expression::is_constant;

/// Returns whether values under this name exempt objects that would be checked.
fn exempts(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("exclu")
        || key.starts_with("exempt")
        || key.starts_with("exception")
        || key.starts_with("skip")
        || key.starts_with("ignore")
}

fn selects(key: &str) -> bool {
    key.ends_with("elector")
}

/// Returns whether values under this name are conditions for a guard to check anything.
fn conditions(key: &str) -> bool {
    matches!(key, "matchConditions" | "celPreconditions" | "preconditions")
}

/// Returns whether values under this name are permitted.
fn permits(kind: &Kind, key: &str) -> bool {
    matches!(kind, Kind::Exemption)
        || (matches!(kind, Kind::Network) && matches!(key, "ingress" | "egress"))
}

/// Returns whether values under this name are descriptive text, which no guard evaluates.
fn is_talk(key: &str) -> bool {
    matches!(
        key,
        "message"
            | "messageExpression"
            | "reason"
            | "description"
            | "auditAnnotations"
            | "title"
            | "reinvocationPolicy"
            | "admissionReviewVersions"
            | "sideEffects"
            | "emitWarning"
            | "creationTimestamp"
            | "useServerSideApply"
            | "schemaValidation"
            | "webhookTimeoutSeconds"
            | "generateExisting"
            | "mutateExistingOnPolicyUpdate"
            | "generation"
    )
}

/// Returns whether a value under this name makes violations inconsequential.
fn is_lenient(key: &str, value: &Value) -> bool {
    let text = value.as_str().map(str::to_ascii_lowercase);
    match (key, text.as_deref(), value) {
        ("failurePolicy", Some(text), _) => text == "ignore",
        (
            "validationFailureAction" | "failureAction" | "validationFailureActionOverrides",
            Some(text),
            _,
        ) => text == "audit",
        ("enforcementAction" | "action", Some(text), _) => {
            matches!(text, "dryrun" | "warn" | "audit" | "allow" | "log" | "pass")
        }
        ("mode", Some(text), _) => {
            matches!(text, "monitor" | "warn" | "permissive" | "disable" | "audit")
        }
        ("matchPolicy", Some(text), _) => text == "exact",
        ("scope", Some(text), _) => text != "*",
        ("parameterNotFoundAction", Some(text), _) => text == "allow",
        (
            "enabled" | "admission" | "enforce" | "verify" | "required" | "verifyDigest",
            _,
            Value::Bool(value),
        ) => !value,
        ("disabled" | "suspend" | "paused" | "dryRun" | "skip", _, Value::Bool(value)) => *value,
        _ => false,
    }
}

/// Reports what a version requires less than the previous one, and what it additionally permits.
pub(super) fn compare(found: &mut Found, kind: &Kind, before: &Value, after: &Value) {
    collected(found, Some(before), after);
    let nothing = Value::Object(Map::new());
    let before = payload(before).unwrap_or_else(|| nothing.clone());
    let after = payload(after).unwrap_or(nothing);
    if before == after {
        return;
    }
    let (old, new) = (leaves(&before), leaves(&after));
    for (path, value) in &old {
        let changed = new.get(path).copied();
        if changed == Some(*value) || keys(path).any(is_talk) {
            continue;
        }
        let key = keys(path).next_back().unwrap_or_default();
        // The removed value permitted something: no protection is lost.
        let was_open = is_lenient(key, value)
            || keys(path).any(|key| exempts(key) || conditions(key) || permits(kind, key))
            || (value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(Map::is_empty));
        if was_open && changed.is_none() {
            continue;
        }
        if keys(path).any(selects) {
            // Without a selector everything is checked.
            let root = selector_of(&after, path);
            if root.is_none_or(is_empty) && !matches!(kind, Kind::Network) {
                continue;
            }
            found.push("narrowed", path, Some(value), changed);
        } else if was_open {
            // Evaluated below, as a new value.
        } else if let Some(change) = lost(kind, path, key, value, changed) {
            found.push(change, path, Some(value), changed);
        }
    }
    for (path, value) in &new {
        if old.get(path) == Some(value) {
            continue;
        }
        let key = keys(path).next_back().unwrap_or_default();
        let is_permitted = keys(path).any(|key| permits(kind, key));
        if let Some(change) = gap(kind, path, key, value)
            && (is_permitted || !is_addition(&old, path))
        {
            found.push(change, path, old.get(path).copied(), Some(value));
        }
    }
    // A new list of checked objects excludes all others.
    for (path, _) in new.iter().filter(|(path, _)| !old.contains_key(*path)) {
        let key = keys(path).next_back().unwrap_or_default();
        let list = path.rsplit_once('[').map_or(path.as_str(), |(list, _)| list);
        let is_new_list = !old.keys().any(|path| path.starts_with(list));
        if matches!(
            key,
            "namespaces"
                | "names"
                | "resourceNames"
                | "operations"
                | "kinds"
                | "subjects"
                | "roles"
        ) && is_new_list
            && !is_addition(&old, list)
            && !keys(path).any(|key| exempts(key) || permits(kind, key))
        {
            found.push("narrowed", path, None, new.get(path).copied());
        }
    }
    emptied(found, &after);
}

/// Returns whether a path is new because everything around it is: a new webhook, rule or policy removes no protection.
fn is_addition(old: &BTreeMap<String, &Value>, path: &str) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    let is_special = |part: &&str| {
        let key = keys(part).next().unwrap_or_default();
        selects(key) || conditions(key) || exempts(key)
    };
    let length = parts.iter().position(is_special).unwrap_or(parts.len() - 1);
    let holder = parts[..length].join(".");
    !holder.is_empty() && !old.keys().any(|path| path.starts_with(&holder))
}

fn selector_of<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut at = value;
    for part in path.split('.') {
        let (key, element) =
            part.split_once('[').map_or((part, None), |(key, rest)| (key, Some(rest)));
        at = at.get(key)?;
        if selects(key) {
            return Some(at);
        }
        if let Some(element) = element {
            let name = element.split(']').next().unwrap_or_default();
            let elements = at.as_array()?;
            let named =
                |element: &&Value| element.get("name").and_then(Value::as_str) == Some(name);
            at = elements
                .iter()
                .find(named)
                .or_else(|| elements.get(name.parse::<usize>().ok()?))?;
        }
    }
    None
}

/// Returns the change if a value is removed or replaced; `None` if it weakens nothing.
fn lost(
    kind: &Kind,
    path: &str,
    key: &str,
    before: &Value,
    after: Option<&Value>,
) -> Option<&'static str> {
    if key == "caBundle" {
        return Some("certificate");
    }
    if keys(path).any(|key| key == "clientConfig") {
        return Some("redirected");
    }
    if let Some(after) = after {
        if is_lenient(key, after) {
            return Some("not enforced");
        }
        if let (Some(before), Some(after)) = (before.as_i64(), after.as_i64())
            && after >= before
        {
            return None;
        }
    }
    if matches!(kind, Kind::Network) {
        return Some("opened");
    }
    if keys(path).any(|key| key == "validationActions") {
        // The other values of a list remain in force.
        return (before == "Deny").then_some("not enforced");
    }
    if matches!(key, "expression" | "rego" | "cel")
        || keys(path).any(|key| matches!(key, "variables" | "paramRef"))
    {
        return Some("condition");
    }
    let narrows = |key: &str| {
        matches!(
            key,
            "rules"
                | "resourceRules"
                | "operations"
                | "resources"
                | "apiGroups"
                | "apiVersions"
                | "scope"
                | "match"
                | "kinds"
                | "namespaces"
                | "policyTypes"
                | "matchConstraints"
                | "matchResources"
        )
    };
    Some(if keys(path).any(narrows) { "narrowed" } else { "weakened" })
}

/// Returns what a value alone permits.
fn gap(kind: &Kind, path: &str, key: &str, value: &Value) -> Option<&'static str> {
    if keys(path).any(is_talk) || (value.is_null() && !matches!(kind, Kind::Network)) {
        return None;
    }
    if is_lenient(key, value) {
        return Some("not enforced");
    }
    if keys(path).any(|key| permits(kind, key)) {
        return Some(if matches!(kind, Kind::Network) { "opened" } else { "exempted" });
    }
    if is_empty(value) {
        return None;
    }
    if keys(path).any(exempts) {
        return Some("exempted");
    }
    if keys(path).any(|key| selects(key) || conditions(key)) {
        return Some("narrowed");
    }
    let is_expression = matches!(key, "expression" | "rego");
    if is_expression && value.as_str().is_some_and(is_constant) {
        return Some("condition");
    }
    None
}

/// Reports the gaps of a version, or of a part of it, without a comparison.
pub(super) fn gaps(found: &mut Found, kind: &Kind, shown: &Value, is_whole: bool) {
    for (path, value) in leaves(shown) {
        let key = keys(&path).next_back().unwrap_or_default();
        if let Some(change) = gap(kind, &path, key, value) {
            found.push(change, &path, None, Some(value));
        } else if !is_whole
            && is_empty(value)
            && !keys(&path)
                .any(|key| is_talk(key) || selects(key) || exempts(key) || conditions(key))
        {
            found.push("emptied", &path, None, Some(value));
        }
    }
    if is_whole {
        emptied(found, shown);
    } else if let Some(actions) = list(shown, "validationActions")
        && !actions.iter().any(|action| action == "Deny")
    {
        found.push("not enforced", "validationActions", None, None);
    }
}

fn list<'v>(value: &'v Value, key: &str) -> Option<&'v Vec<Value>> {
    value.get("spec").unwrap_or(value).get(key)?.as_array()
}

/// Reports a whole object that has none of the content of its kind.
fn emptied(found: &mut Found, after: &Value) {
    const LISTS: [&str; 9] = [
        "webhooks",
        "rules",
        "validations",
        "mutations",
        "targets",
        "images",
        "authorities",
        "resourceRules",
        "operations",
    ];
    for (path, value) in leaves(after) {
        let key = keys(&path).next_back().unwrap_or_default();
        if LISTS.contains(&key) && is_empty(value) {
            found.push("emptied", &path, None, Some(value));
        }
    }
    let spec = after.get("spec").unwrap_or(after);
    if is_empty(after) || (is_empty(spec) && after.get("webhooks").is_none()) {
        found.push("emptied", "", None, Some(after));
    }
    if let Some(actions) = list(after, "validationActions")
        && !actions.iter().any(|action| action == "Deny")
        && !found.rows.iter().any(|row| row.change.as_deref() == Some("not enforced"))
        && !found.compared
    {
        found.push("not enforced", "validationActions", None, Some(&Value::Array(actions.clone())));
    }
}

/// Reports an object whose new owner does not exist: a controller collects it as garbage.
pub(super) fn collected(found: &mut Found, before: Option<&Value>, after: &Value) {
    let owners = |object: &Value| {
        object.pointer("/metadata/ownerReferences").filter(|owners| !is_empty(owners)).cloned()
    };
    let (old, new) = (before.and_then(owners), owners(after));
    if new.is_some() && new != old {
        found.push("collected", "metadata.ownerReferences", old.as_ref(), new.as_ref());
    }
}

/// Returns whether a patch of a webhook configuration sets only certificates, as injectors do.
pub(super) fn only_certificates(partial: &Value) -> bool {
    let Some(payload) = payload(partial) else { return false };
    let leaves = leaves(&payload);
    leaves.keys().any(|path| keys(path).next_back() == Some("caBundle"))
        && leaves.iter().all(|(path, value)| match keys(path).next_back() {
            Some("caBundle") => value.as_str().is_some_and(|text| !text.is_empty()),
            // The merge key of webhooks.
            Some("name") => keys(path).count() == 2,
            _ => false,
        })
}

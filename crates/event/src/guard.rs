//! What a write takes away from a guard: an admission policy, its binding or webhook, an exemption of one, a namespace, a
//! network policy, a node, or the workload of a security agent.
//!
//! The kinds are many and most are custom resources, so their versions are compared as JSON, whatever the kind: what a
//! version no longer says is lost, and what it says anew is a gap where it stands under a name that lets something
//! pass. Where the version before is not in the log, the new one is judged by itself, and where the log shows a patch
//! alone, the patch.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::column::Text;
use crate::expression::is_constant;
use crate::history::Write;
use crate::kinds::{WorkloadKind, workload_kind};
use crate::patch::{PatchHints, PatchType};
use crate::row;

row! {
    /// One thing that a write of a guard takes away, or opens.
    pub struct GuardChange<'a> builds GuardChangeBuilder {
        /// What it is.
        ///
        /// Of a policy: `removed`, `emptied`, `not enforced`, `exempted`, `narrowed`, `redirected`, `certificate`,
        /// `condition`, `opened`, `weakened`, `collected` (it was given an owner, or an end) or `unseen`. Of a namespace or
        /// node: `label`, `annotation`, `taint removed`, `taints replaced`,
        /// `control plane opened` (none of its taints is left), `cordoned`, `uncordoned`. Of a workload: `removed`, `stopped`, `spec`.
        pub change: Option<Text<'a>>,
        /// Where in the object; elements of lists by their names, else by their places.
        pub field: Option<Text<'a>>,
        /// The value before, as JSON; null where there was none, or the log does not show the version before.
        pub before: Option<Text<'a>>,
        /// The value after, as JSON; null where there is none.
        pub after: Option<Text<'a>>,
        /// Whether the version before is known.
        pub compared: Option<bool>,
    }
}

/// What is known of one guard of one name, after the writes so far.
#[derive(Debug)]
pub struct GuardHistory {
    kind: Kind,
    built_in: bool,
    uid: Option<String>,
    version: Option<Value>,
}

#[derive(Debug)]
enum Kind {
    Policy,
    /// An object that is an exemption: all that it says lets something pass.
    Exemption,
    /// What it permits is written, the rest is refused.
    Network,
    Namespace,
    Node,
    Workload(WorkloadKind),
}

impl Kind {
    fn of(api_group: &str, resource: &str) -> Self {
        match (api_group, resource) {
            ("", "namespaces") => Self::Namespace,
            ("", "nodes") => Self::Node,
            (_, resource) if resource.ends_with("networkpolicies") => Self::Network,
            (_, "policyexceptions") | ("config.gatekeeper.sh", _) => Self::Exemption,
            _ => workload_kind(api_group, resource).map_or(Self::Policy, Self::Workload),
        }
    }
}

/// A version grows no larger than this in memory; what is larger is not compared.
const MAX_LENGTH: usize = 4 << 20;
/// More than these say nothing more.
const MAX_CHANGES: usize = 64;
const MAX_DEPTH: usize = 64;
/// Labels and taints of the nodes that hold the keys of the cluster.
const CONTROL_PLANE_ROLES: [&str; 4] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "node-role.kubernetes.io/controlplane",
    "node-role.kubernetes.io/etcd",
];
/// Values are shown up to here.
const MAX_SHOWN: usize = 400;

impl GuardHistory {
    /// The history of an object of which no write was seen yet.
    pub fn new(api_group: &str, resource: &str) -> Self {
        let built_in = matches!(
            api_group,
            "" | "apps"
                | "extensions"
                | "batch"
                | "admissionregistration.k8s.io"
                | "networking.k8s.io"
        );
        Self { kind: Kind::of(api_group, resource), built_in, uid: None, version: None }
    }

    /// What `write` takes away. Writes must come in the order in which they happened.
    pub fn write(&mut self, write: &Write<'_>) -> Vec<GuardChange<'static>> {
        if write.outcome != "allowed" || !matches!(write.subresource, "" | "finalize") {
            return Vec::new();
        }
        let mut found = match write.verb {
            // The version stays: who makes the object anew is measured by it.
            "delete" | "deletecollection" => {
                self.uid = None;
                let mut found = Found::new(self.version.is_some());
                found.push("removed", "", None, None);
                found
            }
            "create" => {
                let after = whole(write);
                let before = std::mem::replace(&mut self.version, after);
                self.uid = write.object_uid.map(str::to_owned);
                self.created(before.as_ref())
            }
            "update" | "patch" => self.rewritten(write),
            _ => Found::new(false),
        };
        found.rows.truncate(MAX_CHANGES);
        found.rows
    }

    fn created(&self, before: Option<&Value>) -> Found {
        let mut found = Found::new(before.is_some());
        let Some(after) = &self.version else { return found };
        match (&self.kind, before) {
            (Kind::Namespace | Kind::Node, _) => metadata(&mut found, None, after, true, None),
            (Kind::Exemption, None) => found.push("exempted", "", None, payload(after).as_ref()),
            (Kind::Workload(_), _) | (_, None) => {}
            (kind, Some(before)) => compare(&mut found, kind, before, after),
        }
        found
    }

    fn rewritten(&mut self, write: &Write<'_>) -> Found {
        if let Some(uid) = write.object_uid {
            if self.uid.as_deref().is_some_and(|known| known != uid) {
                self.version = None;
            }
            self.uid = Some(uid.to_owned());
        }
        let before = self.version.take();
        let patch = (write.verb == "patch").then(|| parse(write.request_object)).flatten();
        let answered = whole(write);
        // A version that does not fit the patch is not the one that was there.
        let (before, after) = match (before, answered) {
            (before, Some(after)) => (before, Some(after)),
            (Some(before), None) => match self.patched(&before, patch.as_ref(), write) {
                Some(after) => (Some(before), Some(after)),
                None => (None, None),
            },
            (None, None) => (None, None),
        };
        let mut found = Found::new(before.is_some());
        match (&before, &after) {
            (Some(before), Some(after)) => match &self.kind {
                Kind::Namespace | Kind::Node => metadata(&mut found, Some(before), after, true, None),
                Kind::Workload(kind) => workload(&mut found, kind, Some(before), after),
                kind => compare(&mut found, kind, before, after),
            },
            _ => {
                let partial = patch.as_ref().map(partial);
                self.seen(&mut found, partial.as_ref(), after.as_ref(), patch.is_some(), write);
            }
        }
        self.version = after;
        found
    }

    fn patched(&self, before: &Value, patch: Option<&Value>, write: &Write<'_>) -> Option<Value> {
        let patch = patch?;
        let hints = PatchHints {
            built_in: self.built_in,
            field_manager: write.field_manager,
            force: write.force,
        };
        let mut after = before.clone();
        PatchType::of(patch, hints).apply(&mut after, patch).ok()?;
        Some(after)
    }

    /// What a write shows by itself, where the version before is not known.
    fn seen(
        &self,
        found: &mut Found,
        partial: Option<&Value>,
        after: Option<&Value>,
        is_patch: bool,
        write: &Write<'_>,
    ) {
        match &self.kind {
            Kind::Namespace | Kind::Node => match (partial, after) {
                (Some(partial), _) => metadata(found, None, partial, false, after),
                (None, Some(after)) => metadata(found, None, after, true, None),
                (None, None) => found.push("unseen", "", None, None),
            },
            Kind::Workload(kind) => {
                if let Some(shown) = partial.or(after.filter(|_| is_patch)) {
                    workload(found, kind, None, shown);
                }
            }
            kind => {
                if let Some(partial) = partial {
                    collected(found, None, partial);
                    // Labels and annotations of a policy are nobody's guard.
                    if payload(partial).is_none() {
                        return;
                    }
                }
                let whole = after.and_then(payload);
                let Some(shown) = whole.or_else(|| partial.and_then(payload)) else {
                    found.push("unseen", "", None, None);
                    return;
                };
                if let Some(partial) = partial
                    && only_certificates(partial)
                {
                    found.push("certificate", "", None, None);
                    return;
                }
                gaps(found, kind, &shown, after.is_some());
                if after.is_none() || write.request_object.is_none() {
                    found.push("unseen", "", None, Some(&shown));
                } else {
                    found.push("weakened", "", None, None);
                }
            }
        }
    }
}

/// What was found so far.
struct Found {
    rows: Vec<GuardChange<'static>>,
    compared: bool,
}

impl Found {
    fn new(compared: bool) -> Self {
        Self { rows: Vec::new(), compared }
    }

    fn push(
        &mut self,
        change: &'static str,
        field: &str,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        if self.rows.len() >= MAX_CHANGES {
            return;
        }
        self.rows.push(GuardChange {
            change: Some(change.into()),
            field: Some(field.to_owned().into()),
            before: before.map(shown),
            after: after.map(shown),
            compared: Some(self.compared),
        });
    }
}

fn shown(value: &Value) -> Text<'static> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(MAX_SHOWN).collect::<String>().into()
}

fn parse(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text.filter(|text| text.len() <= MAX_LENGTH)?).ok()
}

/// The whole object that a write leaves, where the log shows it.
fn whole(write: &Write<'_>) -> Option<Value> {
    let is_object = |body: &Value| {
        let kind = body.get("kind").and_then(Value::as_str).unwrap_or_default();
        let is_other =
            matches!(kind, "Status" | "Table" | "PartialObjectMetadata") || kind.ends_with("List");
        !is_other && body.is_object() && (body.get("metadata").is_some() || payload(body).is_some())
    };
    let request = write.request_object.filter(|_| write.verb != "patch");
    [write.response_object, request].into_iter().find_map(|text| parse(text).filter(is_object))
}

/// What an object says, without who and what it is.
fn payload(object: &Value) -> Option<Value> {
    let members = object.as_object()?;
    let said = members
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status"))
        .map(|(key, value)| (key.clone(), value.clone()));
    let said: Map<String, Value> = said.collect();
    (!said.is_empty()).then_some(Value::Object(said))
}

/// What a patch sets, as an object: of a JSON Patch what its operations name, and null where they take away, or bring
/// what only the object knows.
fn partial(patch: &Value) -> Value {
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

/// Sets the value at a JSON Pointer; places in lists are members, by their numbers.
fn set(object: &mut Value, pointer: &str, value: Value) {
    let tokens: Vec<String> = pointer
        .split('/')
        .skip(1)
        .take(MAX_DEPTH)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect();
    let mut at = object;
    for token in tokens {
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

/// Every scalar, empty list and empty object of a value, by its path.
fn leaves(value: &Value) -> BTreeMap<String, &Value> {
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
                        // A set: the order of its elements says nothing.
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

/// The names of the members on a path.
fn keys(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('.').map(|part| part.split('[').next().unwrap_or_default())
}

/// What stands under these lets objects pass that were looked at.
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

/// What stands under these must hold before a guard looks at all.
fn conditions(key: &str) -> bool {
    matches!(key, "matchConditions" | "celPreconditions" | "preconditions")
}

/// What stands under these is permitted.
fn permits(kind: &Kind, key: &str) -> bool {
    matches!(kind, Kind::Exemption)
        || (matches!(kind, Kind::Network) && matches!(key, "ingress" | "egress"))
}

/// Words of texts alone: no guard goes by them.
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

/// Whether a value under this name means that what is found has no consequence.
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

/// What a version has less than the one before, and what it lets pass that the other did not.
fn compare(found: &mut Found, kind: &Kind, before: &Value, after: &Value) {
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
        // What let something pass is gone: nothing is lost.
        let was_open = is_lenient(key, value)
            || keys(path).any(|key| exempts(key) || conditions(key) || permits(kind, key))
            || (value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(Map::is_empty));
        if was_open && changed.is_none() {
            continue;
        }
        if keys(path).any(selects) {
            // Without any selector all is looked at.
            let root = selector_of(&after, path);
            if root.is_none_or(is_empty) && !matches!(kind, Kind::Network) {
                continue;
            }
            found.push("narrowed", path, Some(value), changed);
        } else if was_open {
            // Judged below, as a new value.
        } else {
            if let Some(change) = lost(kind, path, key, value, changed) {
                found.push(change, path, Some(value), changed);
            }
        }
    }
    for (path, value) in &new {
        if old.get(path) == Some(value) {
            continue;
        }
        let key = keys(path).next_back().unwrap_or_default();
        if let Some(change) = gap(kind, path, key, value) {
            // What lies below a new webhook or rule is no loss.
            let is_addition =
                change == "narrowed" && !old.contains_key(path) && !has_sibling(&old, path);
            if !is_addition {
                found.push(change, path, old.get(path).copied(), Some(value));
            }
        }
    }
    // A list of what is looked at, where there was none, leaves the rest out.
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
            && has_sibling(&old, list)
            && !keys(path).any(|key| exempts(key) || permits(kind, key))
        {
            found.push("narrowed", path, None, new.get(path).copied());
        }
    }
    emptied(found, &after);
}

/// Whether the object that holds a path was there before.
fn has_sibling(old: &BTreeMap<String, &Value>, path: &str) -> bool {
    let holder = path.rsplit_once('.').map_or("", |(holder, _)| holder);
    // A selector or condition is held by what holds its root.
    let mut holder = holder.to_owned();
    while let Some(last) = keys(&holder).next_back()
        && !holder.is_empty()
        && (selects(last) || conditions(last) || matches!(last, "matchLabels" | "matchExpressions"))
    {
        holder = holder.rsplit_once('.').map_or(String::new(), |(holder, _)| holder.to_owned());
    }
    holder.is_empty() || old.keys().any(|path| path.starts_with(&holder))
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

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().all(is_empty),
        Value::Array(elements) => elements.iter().all(is_empty),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// What it means that a value is lost or another; nothing where it means no less.
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
        // Of a list of words the others stay.
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

/// What a value lets pass by itself.
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

/// The gaps of a version, or of a part of it, that is not compared.
fn gaps(found: &mut Found, kind: &Kind, shown: &Value, is_whole: bool) {
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

/// Whether a whole object has none of what its kind is made of.
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

/// An object that is given an owner which does not exist is collected as garbage, by a controller.
fn collected(found: &mut Found, before: Option<&Value>, after: &Value) {
    let owners = |object: &Value| {
        object.pointer("/metadata/ownerReferences").filter(|owners| !is_empty(owners)).cloned()
    };
    let (old, new) = (before.and_then(owners), owners(after));
    if new.is_some() && new != old {
        found.push("collected", "metadata.ownerReferences", old.as_ref(), new.as_ref());
    }
}

/// Whether a patch of a webhook configuration sets certificates alone, as injectors do.
fn only_certificates(partial: &Value) -> bool {
    let Some(payload) = payload(partial) else { return false };
    let leaves = leaves(&payload);
    leaves.keys().any(|path| keys(path).next_back() == Some("caBundle"))
        && leaves.iter().all(|(path, value)| match keys(path).next_back() {
            Some("caBundle") => value.as_str().is_some_and(|text| !text.is_empty()),
            // By which webhooks are merged.
            Some("name") => keys(path).count() == 2,
            _ => false,
        })
}

/// Labels and annotations of a namespace; of a node its labels and taints, and whether pods are put on it.
///
/// `after` is the whole object, or what a patch sets of it; `whole_after` the answer to such a patch, where it shows the object.
fn metadata(
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
                // A list replaces the one before: what it lacks may have been there.
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
    let labels = |object: &Value| object.pointer("/metadata/labels").and_then(Value::as_object).cloned();
    let roles = [before.and_then(labels), labels(after), whole_after.and_then(labels)];
    let is_control_plane = roles.iter().flatten().any(|labels| labels.keys().any(|name| is_role(name)));
    if is_control_plane && found.rows.iter().any(|row| row.change.as_deref().is_some_and(|change| change.starts_with("taint"))) {
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
    } else if was_closed && !closed(after) {
        found.push("uncordoned", "spec.unschedulable", None, None);
    } else if before.is_none() && !is_whole && after.pointer("/spec/unschedulable").is_some() {
        found.push("uncordoned", "spec.unschedulable", None, None);
    }
}

/// What keeps the pods of a workload from running, or from seeing.
fn workload(found: &mut Found, kind: &WorkloadKind, before: Option<&Value>, after: &Value) {
    collected(found, before, after);
    let old = before.map(leaves);
    let new = leaves(after);
    let spec_of =
        kind.templates.first().map(|template| template.spec.join(".")).unwrap_or_default();
    let in_spec = |path: &str| {
        path.strip_prefix(spec_of.as_str()).map(|rest| rest.trim_start_matches('.').to_owned())
    };
    for (path, value) in &new {
        let was = old.as_ref().and_then(|old| old.get(path).copied());
        if was == Some(*value) {
            continue;
        }
        if matches!(path.as_str(), "spec.replicas" | "spec.parallelism") {
            if value.as_i64() == Some(0) {
                found.push("stopped", path, was, Some(value));
            }
        } else if path == "spec.suspend" {
            if value.as_bool() == Some(true) {
                found.push("stopped", path, was, Some(value));
            }
        } else if let Some(inside) = in_spec(path) {
            if let Some(change) = stop(&inside, was, Some(value)) {
                found.push(change, path, was, Some(value));
            }
        } else if path.starts_with("spec.updateStrategy") || path.starts_with("spec.strategy") {
            found.push("spec", path, was, Some(value));
        }
    }
    let Some(old) = old else { return };
    for (path, value) in old.iter().filter(|(path, _)| !new.contains_key(*path)) {
        let Some(inside) = in_spec(path) else { continue };
        if let Some(change) = stop(&inside, Some(value), None) {
            found.push(change, path, Some(value), None);
        }
    }
}

/// What a change of a pod spec means for its pods; nothing for what leaves them running as they were.
fn stop(path: &str, before: Option<&Value>, after: Option<&Value>) -> Option<&'static str> {
    let first = keys(path).next().unwrap_or_default();
    let last = keys(path).next_back().unwrap_or_default();
    let text = after.and_then(Value::as_str).unwrap_or_default();
    let is_default = after.is_none_or(is_empty);
    match first {
        // By these no node fits, or other hands start the pod.
        "nodeSelector" => {
            let is_platform =
                matches!(path, "nodeSelector.kubernetes.io/os" | "nodeSelector.kubernetes.io/arch");
            (!is_default && !(is_platform && matches!(text, "linux" | "amd64" | "arm64")))
                .then_some("stopped")
        }
        "affinity" | "topologySpreadConstraints" => {
            let is_preferred =
                keys(path).any(|key| key.starts_with("preferred")) || last == "weight";
            (!is_default && !is_preferred).then_some("stopped")
        }
        "tolerations" => (after.is_none_or(is_empty)).then_some("stopped"),
        "schedulerName" => (!matches!(text, "" | "default-scheduler")).then_some("stopped"),
        "schedulingGates"
        | "runtimeClassName"
        | "nodeName"
        | "activeDeadlineSeconds"
        | "resourceClaims"
        | "os"
        | "overhead" => (!is_default).then_some("stopped"),
        "serviceAccountName"
        | "serviceAccount"
        | "hostPID"
        | "automountServiceAccountToken"
        | "hostNetwork"
        | "hostIPC"
        | "securityContext" => Some("spec"),
        "initContainers" => (!is_default && last != "image").then_some("spec"),
        "volumes" => Some("spec"),
        "containers" | "$setElementOrder/containers" => container_stop(path, last, before, after),
        _ => None,
    }
}

fn container_stop(
    path: &str,
    last: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Option<&'static str> {
    let text = after.and_then(Value::as_str).unwrap_or_default();
    let under = |name: &str| keys(path).any(|key| key == name);
    // A number of a resource, in units that no node has, or that nothing can run with.
    if under("requests") || under("limits") {
        let amount = after.map(shown).unwrap_or_default();
        return match last {
            "cpu" => {
                (cpus(&amount).is_some_and(|cpus| cpus >= 64.0 || cpus < 0.01)).then_some("stopped")
            }
            "memory" => (bytes(&amount)
                .is_some_and(|bytes| !(16.0 * 1024.0 * 1024.0..=256e9).contains(&bytes)))
            .then_some("stopped"),
            "ephemeral-storage" => {
                (bytes(&amount).is_some_and(|bytes| bytes >= 1e12)).then_some("stopped")
            }
            // Such as example.com/device.
            _ if path.contains('/') && after.is_some() => Some("stopped"),
            _ => None,
        };
    }
    if under("command") || under("args") {
        let is_idle = matches!(
            text.rsplit('/').next().unwrap_or_default(),
            "sleep" | "tail" | "true" | "false" | "pause" | "cat" | "echo" | "exit"
        ) || text.contains("sleep ")
            || text.contains("exit ")
            || text.contains("/dev/null");
        return Some(if under("command") || is_idle { "stopped" } else { "spec" });
    }
    if under("env") || under("envFrom") {
        let name = path.to_ascii_uppercase();
        let is_off = matches!(
            text.to_ascii_lowercase().as_str(),
            "false" | "0" | "off" | "no" | "none" | "disabled"
        ) || (["DISABL", "SKIP", "BYPASS"].iter().any(|word| name.contains(word))
            && !text.is_empty()
            && last == "value");
        return is_off.then_some("spec");
    }
    match last {
        "image" => {
            let repository = |value: Option<&Value>| {
                value.and_then(Value::as_str).map(|image| {
                    let parts = crate::image::ImageReference::split(image);
                    (parts.registry.to_owned(), parts.repository().into_owned())
                })
            };
            (before.is_some() && repository(before) != repository(after)).then_some("stopped")
        }
        "imagePullPolicy" => (text == "Never").then_some("stopped"),
        _ if under("livenessProbe") || under("startupProbe") || under("lifecycle") => {
            (after.is_some() && (under("exec") || before.is_none() && last != "name"))
                .then_some("spec")
        }
        _ if under("volumeMounts") => (after.is_none() || last == "$patch").then_some("spec"),
        _ if under("securityContext") => Some("spec"),
        "$patch" => Some("spec"),
        "name" => (after.is_none() && !under("ports")).then_some("spec"),
        _ => None,
    }
}

/// The processors of a quantity such as `500m` or `2`.
fn cpus(quantity: &str) -> Option<f64> {
    match quantity.strip_suffix('m') {
        Some(milli) => milli.parse::<f64>().ok().map(|milli| milli / 1000.0),
        None => scaled(quantity),
    }
}

/// The bytes of a quantity such as `128Mi`.
fn bytes(quantity: &str) -> Option<f64> {
    match quantity.strip_suffix('m') {
        Some(milli) => milli.parse::<f64>().ok().map(|milli| milli / 1000.0),
        None => scaled(quantity),
    }
}

fn scaled(quantity: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 12] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    for (unit, factor) in UNITS {
        if let Some(number) = quantity.strip_suffix(unit) {
            return number.parse::<f64>().ok().map(|number| number * factor);
        }
    }
    quantity.parse().ok()
}

//! The versions of one object, told by the requests that wrote it, and what each changed against the one before.
//!
//! A whole body replaces the version: the response, else the request of a create or update. A patch whose response is
//! not logged is applied to the version before. Where that one is not known, a patch still shows what it sets.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::changes::{Change, changes_of_patch, changes_of_texts};
use crate::kinds::{Template, WorkloadKind, holder_kind};
use crate::patch::{PatchHints, PatchType};

/// One request on an object, as a row of `events` shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Write<'a> {
    /// The column `verb`.
    pub verb: &'a str,
    /// The column `subresource`; empty is the object itself.
    pub subresource: &'a str,
    /// The column `outcome`: only what was allowed changes an object.
    pub outcome: &'a str,
    /// The column `object_uid`.
    pub object_uid: Option<&'a str>,
    /// The column `field_manager`.
    pub field_manager: Option<&'a str>,
    /// The column `force`.
    pub force: Option<bool>,
    /// The column `request_object`.
    pub request_object: Option<&'a str>,
    /// The column `response_object`.
    pub response_object: Option<&'a str>,
}

/// What is known of one object of one name, after the writes so far.
#[derive(Debug)]
pub struct History {
    kind: WorkloadKind,
    built_in: bool,
    uid: Option<String>,
    version: Version,
}

/// The last version of an object.
#[derive(Debug)]
enum Version {
    Unknown,
    /// As logged; most versions are never compared with another, so none is parsed before it has to be.
    Logged(String),
    /// As a patch left it.
    Patched(Value),
}

impl Version {
    fn text(&self) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Logged(text) => Some(text.clone()),
            Self::Patched(value) => Some(value.to_string()),
        }
    }

    fn take(&mut self) -> Option<Value> {
        match std::mem::replace(self, Self::Unknown) {
            Self::Unknown => None,
            Self::Logged(text) => serde_json::from_str(&text).ok(),
            Self::Patched(value) => Some(value),
        }
    }
}

impl History {
    /// The history of an object of which no write was seen yet; `None` for a resource that makes no pods.
    pub fn new(api_group: &str, resource: &str) -> Option<Self> {
        let built_in =
            matches!(api_group, "" | "apps" | "extensions" | "batch" | "apps.openshift.io");
        let kind = holder_kind(api_group, resource)?;
        Some(Self { kind, built_in, uid: None, version: Version::Unknown })
    }

    /// What `write` changed. Writes must come in the order in which they happened.
    ///
    /// A create changes nothing: there was nothing before it. Neither does an update where the version before is not
    /// known. `before` is null in what a patch of an unknown version shows.
    pub fn write(&mut self, write: &Write<'_>) -> Vec<Change<'static>> {
        if write.outcome != "allowed" {
            return Vec::new();
        }
        match (write.verb, write.subresource) {
            ("create", "") => {
                self.forget();
                self.uid = write.object_uid.map(str::to_owned);
                self.version = self.whole_body(write).unwrap_or(Version::Unknown);
                Vec::new()
            }
            ("delete", "") => {
                self.forget();
                Vec::new()
            }
            ("update" | "patch", "" | "resize" | "ephemeralcontainers") => {
                self.meet(write.object_uid);
                self.rewrite(write)
            }
            ("update" | "patch", "scale") => self.scale(write),
            _ => Vec::new(),
        }
    }

    fn forget(&mut self) {
        self.uid = None;
        self.version = Version::Unknown;
    }

    /// Another uid is another object, whose creation the log does not show.
    fn meet(&mut self, uid: Option<&str>) {
        let Some(uid) = uid else { return };
        if self.uid.as_deref().is_some_and(|known| known != uid) {
            self.version = Version::Unknown;
        }
        self.uid = Some(uid.to_owned());
    }

    fn rewrite(&mut self, write: &Write<'_>) -> Vec<Change<'static>> {
        let before = self.version.text();
        let after = match self.whole_body(write) {
            Some(version) => version,
            None => self.patched(write).map_or(Version::Unknown, Version::Patched),
        };
        let changes = match (&before, after.text()) {
            (Some(before), Some(after)) => changes_of_texts(&self.kind, before, &after),
            _ if write.verb == "patch" => self.shown(write),
            _ => Vec::new(),
        };
        self.version = after;
        changes
    }

    /// The body that shows the whole object, where there is one.
    fn whole_body(&self, write: &Write<'_>) -> Option<Version> {
        let request = write.request_object.filter(|_| write.verb != "patch");
        let is_object = |text: &&str| {
            let body = serde_json::from_str::<Value>(text);
            // Where a pod spec may stand anywhere, an object is what is no answer about one.
            let is_any = |body: &Value| {
                let kind = body.get("kind").and_then(Value::as_str).unwrap_or_default();
                let is_answer = matches!(kind, "Status" | "Table") || kind.starts_with("Partial");
                self.kind.templates.is_empty() && body.is_object() && !is_answer
            };
            body.is_ok_and(|body| {
                is_any(&body) || self.kind.templates.iter().any(|t| has_template(&body, t))
            })
        };
        let body = [write.response_object, request].into_iter().flatten().find(is_object)?;
        Some(Version::Logged(body.to_owned()))
    }

    /// The version before with the request applied to it.
    fn patched(&mut self, write: &Write<'_>) -> Option<Value> {
        let mut object = self.version.take()?;
        let request = request_body(write)?;
        if write.verb == "patch" {
            self.patch_type(&request, write).apply(&mut object, &request).ok()?;
        } else {
            // An update that shows no whole object is one of `ephemeralcontainers` before Kubernetes 1.22.
            let containers = request.pointer("/spec/ephemeralContainers")?.clone();
            object
                .get_mut("spec")?
                .as_object_mut()?
                .insert("ephemeralContainers".into(), containers);
        }
        Some(object)
    }

    fn patch_type(&self, patch: &Value, write: &Write<'_>) -> PatchType {
        let Write { field_manager, force, .. } = *write;
        PatchType::of(patch, PatchHints { built_in: self.built_in, field_manager, force })
    }

    /// What a patch sets, where the version before is not known.
    fn shown(&self, write: &Write<'_>) -> Vec<Change<'static>> {
        let Some(patch) = write.request_object else { return Vec::new() };
        let added = serde_json::from_str(patch).map(|patch| added_containers(&patch));
        let ephemeral = write.subresource == "ephemeralcontainers";
        changes_of_patch(&self.kind, ephemeral, patch, added.unwrap_or_default())
    }

    fn scale(&mut self, write: &Write<'_>) -> Vec<Change<'static>> {
        let replicas = |text: Option<&str>| {
            let body: Value = serde_json::from_str(text?).ok()?;
            body.pointer("/spec/replicas").and_then(Value::as_i64).or_else(|| {
                let operations = body.as_array()?.iter().rev();
                let set = |operation: &&Value| {
                    operation.get("path").and_then(Value::as_str) == Some("/spec/replicas")
                };
                operations.filter(set).find_map(|operation| operation.get("value")?.as_i64())
            })
        };
        let Some(after) =
            replicas(write.response_object).or_else(|| replicas(write.request_object))
        else {
            return Vec::new();
        };
        let object = self.version.take();
        let before = object.as_ref().and_then(|object| object.pointer("/spec/replicas")?.as_i64());
        if let Some(mut object) = object {
            if let Some(Value::Object(spec)) = object.get_mut("spec") {
                spec.insert("replicas".into(), after.into());
            }
            self.version = Version::Patched(object);
        }
        if before == Some(after) {
            Vec::new()
        } else {
            vec![Change::of_replicas(&self.kind, before, after)]
        }
    }
}

/// The request as it would stand on the object itself.
fn request_body(write: &Write<'_>) -> Option<Value> {
    let request: Value = serde_json::from_str(write.request_object?).ok()?;
    // Until Kubernetes 1.22 the body was a kind of its own, with the list at the top.
    match request.get("ephemeralContainers") {
        Some(list) if write.subresource == "ephemeralcontainers" => {
            Some(json!({"spec": {"ephemeralContainers": list}}))
        }
        _ => Some(request),
    }
}

/// Whether an object has a pod spec where a template of its kind stands.
fn has_template(object: &Value, template: &Template) -> bool {
    fn has(value: &Value, path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else { return !value.is_null() };
        match (*first, value) {
            ("*", Value::Array(elements)) => elements.iter().any(|element| has(element, rest)),
            ("*", Value::Object(members)) => members.values().any(|member| has(member, rest)),
            (key, value) => value.get(key).is_some_and(|value| has(value, rest)),
        }
    }
    has(object, template.spec)
}

/// The names of the containers that a JSON Patch adds: a list takes an element with `add` only.
fn added_containers(json_patch: &Value) -> HashSet<String> {
    let operations = json_patch.as_array().into_iter().flatten();
    let adds_element = |operation: &&Value| {
        let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
        let mut tokens = path.rsplit('/');
        let is_position =
            |token: &str| token == "-" || token.bytes().all(|byte| byte.is_ascii_digit());
        operation.get("op").and_then(Value::as_str) == Some("add")
            && tokens.next().is_some_and(is_position)
            && matches!(tokens.next(), Some("containers" | "initContainers"))
    };
    operations
        .filter(adds_element)
        .filter_map(|operation| Some(operation.get("value")?.get("name")?.as_str()?.to_owned()))
        .collect()
}

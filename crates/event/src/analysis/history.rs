//! The versions of one object, reconstructed from the requests that wrote it, and the changes between them.
//!
//! A whole body replaces the version: the response, else the request of a create or update. A patch whose response does
//! not show the object is applied to the previous version. If that is unknown, a patch still shows what it sets. Reads
//! and writes of the status also show the version.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::analysis::change::Change;
use crate::analysis::changes::{changes_of_patch, changes_of_texts};
use crate::json::value::Json;
use crate::objects::bodies::Bodies;
use crate::objects::extract;
use crate::objects::kinds::{WorkloadKind, holder_kind, rbac_kind};
use crate::objects::rbac::{self, Rbac};
use crate::objects::workload::{CopiedField, Workload};
use crate::patch::json_patch::Copied;
use crate::patch::{PatchHints, PatchType, apply_json_patch};

/// One request on an object, as a row of `events`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Write<'a> {
    /// The column `verb`.
    pub verb: &'a str,
    /// The column `subresource`; empty for the object itself.
    pub subresource: &'a str,
    /// The column `outcome`: only allowed requests change an object.
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

/// The known state of one object of one name, after the writes so far.
#[derive(Debug)]
pub struct History {
    kind: Kind,
    namespace: Option<String>,
    name: Option<String>,
    built_in: bool,
    uid: Option<String>,
    version: Version,
}

/// The kinds of objects for which a history is kept.
#[derive(Debug)]
enum Kind {
    Workload(WorkloadKind),
    /// A role or binding.
    Rbac(&'static str),
}

impl Kind {
    /// Returns whether a body is such an object as a whole, not a `Table` or a `Status`.
    fn is_object(&self, body: &Json<'_>) -> bool {
        match self {
            // If a pod spec may be anywhere, every body that is not a status or table is the object.
            Self::Workload(kind) if kind.templates.is_empty() => {
                let kind = body.text("kind");
                let kind = kind.as_deref().unwrap_or_default();
                let is_answer = matches!(kind, "Status" | "Table") || kind.starts_with("Partial");
                matches!(body, Json::Object(_)) && !is_answer
            }
            Self::Workload(kind) => extract::has_template(kind, body),
            Self::Rbac(kind) => rbac::is_object(kind, body),
        }
    }
}

/// The previous version with a patch applied, if the response does not show it.
#[derive(Debug)]
pub struct PatchedObject<'h> {
    kind: &'h Kind,
    name: Option<&'h str>,
    object: String,
    copied: Vec<Copied>,
}

impl PatchedObject<'_> {
    const SOURCE: &'static str = "version";

    fn copied(&self) -> Option<Vec<CopiedField<'_>>> {
        (!self.copied.is_empty()).then(|| self.copied.iter().map(CopiedField::of).collect())
    }

    /// Returns the resulting workload.
    pub fn workload(&self) -> Option<Workload<'_>> {
        let Kind::Workload(kind) = self.kind else { return None };
        let mut workload = extract::workload(kind, &Bodies::of_object(&self.object))?;
        workload.body_source = Some(Self::SOURCE.into());
        workload.copied = self.copied();
        Some(workload)
    }

    /// Returns the resulting role or binding.
    pub fn rbac(&self) -> Option<Rbac<'_>> {
        let Kind::Rbac(kind) = self.kind else { return None };
        let mut rbac = rbac::rbac(kind, self.name, &Bodies::of_object(&self.object))?;
        rbac.body_source = Some(Self::SOURCE.into());
        rbac.copied = self.copied();
        Some(rbac)
    }
}

/// The last version of an object.
#[derive(Debug)]
enum Version {
    Unknown,
    /// As logged. Most versions are never compared, so they are parsed only when needed.
    Logged(String),
    /// The result of a patch.
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
    /// Creates the history of an object without any writes; `None` for a resource that neither creates pods nor grants
    /// rights.
    pub fn new(
        api_group: &str,
        resource: &str,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Option<Self> {
        let built_in = matches!(
            api_group,
            "" | "apps"
                | "extensions"
                | "batch"
                | "apps.openshift.io"
                | "rbac.authorization.k8s.io"
        );
        let kind = holder_kind(api_group, resource)
            .map(Kind::Workload)
            .or_else(|| rbac_kind(api_group, resource).map(Kind::Rbac))?;
        let [namespace, name] = [namespace, name].map(|text| text.map(str::to_owned));
        Some(Self { kind, namespace, name, built_in, uid: None, version: Version::Unknown })
    }

    /// Returns the changes of `write`. Writes must be given in chronological order.
    ///
    /// A create has no changes, and neither has an update if the previous version is unknown. `before` is null in the changes of a patch of an unknown version.
    pub fn write(&mut self, write: &Write<'_>) -> Vec<Change<'static>> {
        if write.outcome != "allowed" {
            return Vec::new();
        }
        match (write.verb, write.subresource) {
            ("update" | "patch", "" | "resize" | "ephemeralcontainers") => {
                self.meet(write.object_uid);
                self.rewrite(write)
            }
            ("update" | "patch", "scale") => self.scale(write),
            _ => {
                self.learn(write);
                Vec::new()
            }
        }
    }

    /// Returns the result of a patch on the previous version, if that is known and the response does not show it.
    /// `None` for a patch that does not change pods or rights. Writes must be given in chronological order.
    pub fn patch(&mut self, write: &Write<'_>) -> Option<PatchedObject<'_>> {
        if write.outcome != "allowed" {
            return None;
        }
        match (write.verb, write.subresource) {
            ("update" | "patch", "" | "resize" | "ephemeralcontainers") => {
                self.meet(write.object_uid);
                if let Some(version) = self.whole_body(write) {
                    self.version = version;
                    return None;
                }
                let (object, copied) = self.patched(write).unzip();
                self.version = object.map_or(Version::Unknown, Version::Patched);
                let is_shown = write.subresource.is_empty() && self.touches(write);
                let object = self.version.text().filter(|_| is_shown)?;
                let copied = copied.unwrap_or_default();
                Some(PatchedObject { kind: &self.kind, name: self.name.as_deref(), object, copied })
            }
            ("update" | "patch", "scale") => {
                self.scale(write);
                None
            }
            _ => {
                self.learn(write);
                None
            }
        }
    }

    /// Takes in requests that show an existing object without changing it.
    fn learn(&mut self, write: &Write<'_>) {
        match (write.verb, write.subresource) {
            ("create", "") => {
                self.forget();
                self.uid = write.object_uid.map(str::to_owned);
                self.version = self.whole_body(write).unwrap_or(Version::Unknown);
            }
            ("delete", "") => self.forget(),
            // A visible object exists, regardless of its writer.
            ("get", "") | ("update" | "patch", "status") => {
                let response = Write { request_object: None, ..*write };
                if let Some(version) = self.whole_body(&response) {
                    self.meet(write.object_uid);
                    self.version = version;
                }
            }
            ("list", "") => {
                if let Some(version) = write.response_object.and_then(|list| self.item_of(list)) {
                    self.version = Version::Logged(version);
                }
            }
            _ => {}
        }
    }

    /// Returns the object in a list.
    fn item_of(&self, list: &str) -> Option<String> {
        // Most lists are not parsed: names are unescaped in JSON.
        let name = self.name.as_deref().filter(|name| list.contains(name))?;
        let mut list: Value = serde_json::from_str(list).ok()?;
        let Value::Array(items) = list.get_mut("items")?.take() else { return None };
        let text = |item: &Value, key: &str| {
            item.pointer("/metadata")?.get(key)?.as_str().map(str::to_owned)
        };
        let item = items.into_iter().find(|item| {
            text(item, "name").as_deref() == Some(name) && text(item, "namespace") == self.namespace
        })?;
        self.object_in(&item.to_string())
    }

    /// Returns whether a patch writes members that create pods or grant rights.
    fn touches(&self, write: &Write<'_>) -> bool {
        let Some(patch) = write.request_object else { return false };
        let bodies = Bodies::of_request("patch", patch);
        match &self.kind {
            Kind::Workload(kind) => {
                let holds = |patch: &Json<'_>| {
                    kind.templates.is_empty() || extract::has_template(kind, patch)
                };
                bodies.request().is_some_and(holds)
            }
            Kind::Rbac(_) => !rbac::leaves_alone(&bodies),
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
        let after = if let Some(version) = self.whole_body(write) {
            version
        } else {
            let patched = self.patched(write);
            patched.map_or(Version::Unknown, |(object, _)| Version::Patched(object))
        };
        let Kind::Workload(kind) = &self.kind else {
            self.version = after;
            return Vec::new();
        };
        let changes = match (&before, after.text()) {
            (Some(before), Some(after)) => changes_of_texts(kind, before, &after),
            _ if write.verb == "patch" => self.shown(write),
            _ => Vec::new(),
        };
        self.version = after;
        changes
    }

    /// Returns the body that shows the whole object, if any.
    fn whole_body(&self, write: &Write<'_>) -> Option<Version> {
        let request = write.request_object.filter(|_| write.verb != "patch");
        let body = write.response_object.and_then(|body| self.object_in(body));
        body.or_else(|| self.object_in(request?)).map(Version::Logged)
    }

    /// Returns the object in a body.
    fn object_in(&self, body: &str) -> Option<String> {
        let bodies = Bodies::of_object(body);
        if self.kind.is_object(bodies.response()?) {
            return bodies.text_of_response();
        }
        None
    }

    /// Returns the previous version with the request applied, and what a JSON Patch copied within it.
    fn patched(&mut self, write: &Write<'_>) -> Option<(Value, Vec<Copied>)> {
        let mut object = self.version.take()?;
        let request = request_body(write)?;
        let mut copied = Vec::new();
        if write.verb == "patch" {
            match self.patch_type(&request, write) {
                PatchType::Json => copied = apply_json_patch(&mut object, &request).ok()?,
                other => other.apply(&mut object, &request).ok()?,
            }
        } else {
            // An update without a whole object is one of `ephemeralcontainers` before Kubernetes 1.22.
            let containers = request.pointer("/spec/ephemeralContainers")?.clone();
            object
                .get_mut("spec")?
                .as_object_mut()?
                .insert("ephemeralContainers".into(), containers);
        }
        Some((object, copied))
    }

    fn patch_type(&self, patch: &Value, write: &Write<'_>) -> PatchType {
        let Write { field_manager, force, .. } = *write;
        PatchType::of(patch, PatchHints { built_in: self.built_in, field_manager, force })
    }

    /// Returns what a patch sets if the previous version is unknown.
    fn shown(&self, write: &Write<'_>) -> Vec<Change<'static>> {
        let (Kind::Workload(kind), Some(patch)) = (&self.kind, write.request_object) else {
            return Vec::new();
        };
        let added = serde_json::from_str(patch).map(|patch| added_containers(&patch));
        let ephemeral = write.subresource == "ephemeralcontainers";
        changes_of_patch(kind, ephemeral, patch, added.unwrap_or_default())
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
        match &self.kind {
            Kind::Workload(kind) if before != Some(after) => {
                vec![Change::of_replicas(kind, before, after)]
            }
            _ => Vec::new(),
        }
    }
}

/// Returns the request in the form of the object itself.
fn request_body(write: &Write<'_>) -> Option<Value> {
    let request: Value = serde_json::from_str(write.request_object?).ok()?;
    // Until Kubernetes 1.22 the body was a separate kind with the list at the top.
    match request.get("ephemeralContainers") {
        Some(list) if write.subresource == "ephemeralcontainers" => {
            Some(json!({"spec": {"ephemeralContainers": list}}))
        }
        _ => Some(request),
    }
}

/// Returns the names of the containers that a JSON Patch adds: only `add` inserts a list element.
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

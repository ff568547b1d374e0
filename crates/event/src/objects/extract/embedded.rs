//! Pod specs, containers, host paths, roles and bindings anywhere in an object of another kind.
//!
//! A right on a custom resource may allow the creation of pods, and policies for pods see only what a controller
//! creates from the resource. Posture that is found here is that of the object. The search is bounded in nodes, depth
//! and text.

use std::borrow::Cow;
use std::io::Read;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};
use flate2::read::MultiGzDecoder;

use super::container::{container, has_containers};
use super::volume::volume;
use super::workload::{add_image_volumes, join, known_specs, merge, object_fields, template_row};
use super::{Bodies, Body};
use crate::analysis::pod_security;
use crate::json::value::Json;
use crate::objects::embedded::Embedded;
use crate::objects::kinds::WorkloadKind;
use crate::objects::rbac::{self, Rbac};
use crate::objects::workload::{Container, Volume, Workload};
use crate::patch::json_patch;
use crate::tables::column::Text;

/// Strings of which every pod spec, container, host path, role and binding contains one. In a text, escapes may hide
/// any of them.
const SIGNS: [&str; 16] = [
    "ontainers",
    "ecurityContext",
    "hostPath",
    "hostPID",
    "hostIPC",
    "hostNetwork",
    "hostDisk",
    "hostDevices",
    "privileged",
    "roleRef",
    "verbs",
    "adminAccess",
    "opaque",
    "volumeMounts",
    "\\u00",
    "\\x",
];

/// The members that name what an object fetches.
const SOURCES: [&str; 11] = [
    "repoURL",
    "url",
    "repo",
    "repository",
    "endpoint",
    "package",
    "chart",
    "image",
    "bucketName",
    "userData",
    "sourceRepos",
];

/// What makes a body worth reading: a sign, a source, a file or unit of a node, or a text of several lines; also
/// potential Base64 (`has_encoded_run`).
static WORTH_READING: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let others = [
        "ignition",
        "\"files\"",
        "\"units\"",
        "HostDisk",
        "resolver",
        "exposeDocker",
        "\\n",
        "\\r",
    ];
    AhoCorasick::new(SIGNS.iter().chain(&SOURCES).chain(&others)).ok()
});

static IN_TEXT: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(SIGNS).ok());

/// Base64 of a relevant pod spec or role is longer on one line; a `uid` is shorter.
const ENCODED_RUN: usize = 40;

/// Bounds of one search. Anything beyond them is ignored.
const MAX_NODES: usize = 200_000;
const MAX_TEXT: usize = 2 << 20;
const MAX_DEPTH: usize = 128;
/// The manifest of a Helm release is YAML in JSON in gzip in Base64 in Base64.
const MAX_TEXTS_IN_TEXTS: usize = 4;
const MAX_FOUND: usize = 20;
/// Each further pod spec that is merged costs its length again.
const MAX_SPECS: usize = 200;
const MAX_SOURCE: usize = 512;

/// Members of a pod spec or a container that were read with it.
const READ_WITH_A_SPEC: [&str; 12] = [
    "containers",
    "initContainers",
    "ephemeralContainers",
    "sidecars",
    "container",
    "script",
    "stepTemplate",
    "containerSet",
    "volumes",
    "securityContext",
    "volumeMounts",
    "env",
];

/// Members that describe what is denied or selected: nothing is created from them.
const CONDITIONS: [&str; 6] =
    ["validate", "match", "exclude", "preconditions", "verifyImages", "matchConstraints"];

/// Returns the embedded content of an object of another kind; `kind` is given for a custom resource with known
/// templates.
pub(crate) fn embedded<'a>(
    kind: Option<&WorkloadKind>,
    group: &str,
    resource: &str,
    bodies: &Bodies<'a, '_>,
) -> (Option<Workload<'a>>, Option<Embedded<'a>>) {
    let Some(signs) = WORTH_READING.as_ref() else { return (None, None) };
    let is_worth_reading = Family::of(group, resource) == Family::SecurityContextConstraints
        || bodies.any(|body| signs.is_match(body) || has_encoded_run(body));
    if !is_worth_reading {
        return (None, None);
    }
    let is_object = |json: &&Json<'a>| {
        let named = json.text("kind");
        let is_answer = matches!(named.as_deref(), Some("Status" | "Table"))
            || named.is_some_and(|named| named.starts_with("PartialObjectMetadata"));
        matches!(json, Json::Object(_)) && !is_answer
    };
    let search = |json, source, whole| {
        Search::of(kind, group, resource, &Body { json, source, whole }).found()
    };
    let response = bodies.response().filter(is_object);
    if let Some(patch) = bodies.patch() {
        let found = search(patch, "patch", false);
        return match (found.0, response) {
            // A patch is not responsible for what it leaves unchanged.
            (None, _) => (None, found.1),
            (Some(patched), None) => (Some(patched), found.1),
            (Some(patched), Some(response)) => {
                let (whole, _) = search(response, "response", true);
                (whole.or(Some(patched)), found.1)
            }
        };
    }
    let request = bodies.request().filter(is_object).map(|json| search(json, "request", true));
    match response.map(|json| search(json, "response", true)) {
        Some(found) if found.0.is_some() || found.1.is_some() => found,
        _ => request.unwrap_or_default(),
    }
}

/// Returns the powers over nodes or the cluster that manifests in a Secret give to a controller that applies them;
/// never its values.
pub(crate) fn powers_in_secret(bodies: &Bodies<'_, '_>) -> Option<Embedded<'static>> {
    let (workload, found) = embedded(None, "", "secrets", bodies);
    let found = found.unwrap_or_default();
    let workload = workload.unwrap_or_default();
    let containers = workload.containers.unwrap_or_default();
    let volumes = workload.volumes.unwrap_or_default();
    let is_true = |flag: Option<bool>| flag == Some(true);
    let shares = [workload.host_pid, workload.host_ipc, workload.host_network];
    let posture = [
        (containers.iter().any(|container| is_true(container.privileged)), "privileged container"),
        (shares.into_iter().any(is_true), "host namespaces"),
        (volumes.iter().any(|volume| volume.host_path.is_some()), "host path"),
        (found.rbac.is_some(), "roles"),
    ];
    let posture = posture.into_iter().filter(|(has, _)| *has).map(|(_, power)| power.into());
    let powers = found.powers.into_iter().flatten().map(|power| power.0.into_owned().into());
    let powers: Vec<Text<'static>> = powers.chain(posture).collect();
    (!powers.is_empty()).then(|| Embedded { powers: Some(powers), ..Embedded::default() })
}

/// Kinds whose members have a special meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Kyverno,
    /// Dynamic resource allocation.
    Devices,
    SecurityContextConstraints,
    Other,
}

impl Family {
    fn of(group: &str, resource: &str) -> Self {
        match group {
            "resource.k8s.io" => Self::Devices,
            "security.openshift.io" if resource == "securitycontextconstraints" => {
                Self::SecurityContextConstraints
            }
            group if group == "kyverno.io" || group.ends_with(".kyverno.io") => Self::Kyverno,
            _ => Self::Other,
        }
    }
}

struct Search<'a> {
    family: Family,
    whole: bool,
    nodes: usize,
    text: usize,
    specs: usize,
    /// Addresses of the specs in the kind's own templates.
    known: Vec<*const ()>,
    place: String,
    rows: Option<Workload<'a>>,
    found: Embedded<'a>,
    /// The workload of the embedded specs; the kind's own templates are already in the row.
    outer: Workload<'a>,
}

impl<'a> Search<'a> {
    fn of(kind: Option<&WorkloadKind>, group: &str, resource: &str, body: &Body<'_, 'a>) -> Self {
        let mut outer = Workload {
            kind: Some(body.json.text("kind").unwrap_or_else(|| resource.to_owned().into())),
            body_source: Some(body.source.into()),
            ..Workload::default()
        };
        object_fields(&mut outer, body.json);
        let known = kind.map(|kind| known_specs(kind, body.json)).unwrap_or_default();
        let mut search = Self {
            family: Family::of(group, resource),
            whole: body.whole,
            nodes: MAX_NODES,
            text: MAX_TEXT,
            specs: MAX_SPECS,
            known,
            place: String::new(),
            rows: None,
            found: Embedded::default(),
            outer,
        };
        search.visit(body.json, None, 0, 0);
        search
    }

    fn found(self) -> (Option<Workload<'a>>, Option<Embedded<'a>>) {
        let embedded = (self.found != Embedded::default()).then_some(self.found);
        let workload = self.rows.map(|rows| {
            let mut workload = self.outer;
            merge(&mut workload, rows);
            pod_security::conclude(&mut workload);
            add_image_volumes(&mut workload);
            workload
        });
        (workload, embedded)
    }

    fn member(
        &mut self,
        key: &str,
        value: &Json<'a>,
        kind: Option<&Text<'a>>,
        depth: usize,
        texts: usize,
    ) {
        let length = self.place.len();
        self.place.push('/');
        self.place.push_str(key);
        self.visit(value, kind, depth, texts);
        self.place.truncate(length);
    }

    fn visit(&mut self, json: &Json<'a>, kind: Option<&Text<'a>>, depth: usize, texts: usize) {
        let Some(nodes) = self.nodes.checked_sub(1).filter(|_| depth <= MAX_DEPTH) else { return };
        self.nodes = nodes;
        match json {
            Json::Object(members) => self.object(json, members, kind, depth, texts),
            Json::Array(elements) => {
                if let Some(patched) = patched(elements) {
                    self.visit(&patched, kind, depth + 1, texts);
                    self.beside_operations(elements, kind, depth, texts);
                    return;
                }
                for (index, element) in elements.iter().enumerate() {
                    let length = self.place.len();
                    self.place.push('/');
                    self.place.push_str(&index.to_string());
                    self.visit(element, kind, depth + 1, texts);
                    self.place.truncate(length);
                }
            }
            Json::Text(text) => self.text(text, kind, depth, texts),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// Searches members of JSON Patch operations other than their own: another program may read them.
    fn beside_operations(
        &mut self,
        operations: &[Json<'a>],
        kind: Option<&Text<'a>>,
        depth: usize,
        texts: usize,
    ) {
        for operation in operations {
            let Json::Object(members) = operation else { continue };
            for (key, value) in members {
                if !matches!(&**key, "op" | "path" | "from" | "value") {
                    self.member(key, value, kind, depth + 2, texts);
                }
            }
        }
    }

    fn object(
        &mut self,
        json: &Json<'a>,
        members: &[(Text<'a>, Json<'a>)],
        kind: Option<&Text<'a>>,
        depth: usize,
        texts: usize,
    ) {
        let own_kind = json.text("kind");
        let kind = own_kind.as_ref().or(kind);
        let is_known = self.known.contains(&address(json));
        let is_spec = !is_known && is_pod_spec(json);
        let is_container = !is_known && !is_spec && is_container(json);
        if is_spec {
            let whole = self.whole && has_containers(json);
            let mut row = template_row(json, whole);
            row.pod_security_violations = Some(pod_security::violations(&row, whole));
            self.add(row);
        } else if is_container {
            self.add_container(container(json, "container", self.whole));
        }
        // The volumes of a spec are read with it.
        if json.list("volumes").iter().any(|volume| volume.get("hostDisk").is_some()) {
            self.power("host disk");
        }
        self.grants(json, kind);
        if depth == 0 && self.family == Family::SecurityContextConstraints {
            self.constraints(json);
        }
        if let Some(set) = parameter(json) {
            self.visit(&set, kind, depth + 1, texts);
        }
        if let Some(assigned) = assigned(json) {
            self.visit(&assigned, kind, depth + 1, texts);
        }
        for (key, value) in members {
            let is_condition = self.family == Family::Kyverno && CONDITIONS.contains(&&**key);
            // Of the object's own metadata only annotations can contain anything; managedFields repeats names without
            // values.
            let is_outer = depth == 0 && matches!(&**key, "status" | "metadata");
            if depth == 0
                && &**key == "metadata"
                && let Some(annotations) = value.get("annotations")
            {
                self.member("metadata/annotations", annotations, kind, 2, texts);
            }
            if is_condition || is_outer {
                continue;
            }
            let is_read = is_known || is_spec || is_container;
            if is_read && READ_WITH_A_SPEC.contains(&&**key) {
                continue;
            }
            self.fact(key, value);
            // Such as `securityContext.privileged` among the values of a chart.
            if let Some(set) = set_by_path(key, value) {
                self.visit(&set, kind, depth + 1, texts);
            }
            if !is_read && is_dangerous_context(key, value) {
                let context = Json::Object(vec![("securityContext".into(), value.clone())]);
                self.add_container(container(&context, "container", false));
            }
            if matches!(&**key, "hostPath" | "hostDisk") && host_path_of(value).is_some() {
                self.add_volume(json, key, value);
                continue;
            }
            if self.family == Family::Kyverno && matches!(&**key, "mutate" | "generate") {
                let plain = without_anchors(value);
                self.member(key, &plain, kind, depth + 1, texts);
                continue;
            }
            self.member(key, value, kind, depth + 1, texts);
        }
    }

    /// Adds the role or binding that an object is.
    fn grants(&mut self, json: &Json<'a>, kind: Option<&Text<'a>>) {
        let is_binding = json.get("roleRef").is_some_and(|role| role.text("name").is_some())
            && json.get("subjects").and_then(Json::elements).is_some();
        let allows = |rule: &Json<'a>| {
            let has = |key: &str| rule.texts(key).is_some_and(|texts| !texts.is_empty());
            has("verbs") && (has("resources") || has("nonResourceURLs"))
        };
        let is_role = json.list("rules").iter().any(allows);
        if !is_binding && !is_role {
            return;
        }
        let found = self.found.rbac.get_or_insert_default();
        if found.len() < MAX_FOUND {
            let mut row = Rbac { kind: kind.cloned(), ..Rbac::default() };
            rbac::read(&mut row, json);
            if !found.contains(&row) {
                found.push(row);
            }
        }
    }

    /// Adds what `SecurityContextConstraints` allow, and whether they allow it to everybody. A patch that only adds
    /// everybody does not show what it grants.
    fn constraints(&mut self, json: &Json<'a>) {
        const FLAGS: [&str; 4] = [
            "allowPrivilegedContainer",
            "allowHostDirVolumePlugin",
            "allowHostPID",
            "allowHostIPC",
        ];
        const ALL: [&str; 4] = ["*", "ALL", "SYS_ADMIN", "SYS_PTRACE"];
        const EVERYBODY: [&str; 5] = [
            "system:authenticated",
            "system:authenticated:oauth",
            "system:unauthenticated",
            "system:serviceaccounts",
            "system:anonymous",
        ];
        let has = |key: &str, words: &[&str]| {
            json.list(key).iter().filter_map(Json::as_text).any(|text| words.contains(&&*text))
        };
        let allows = FLAGS.iter().any(|flag| json.bool(flag) == Some(true))
            || has("allowedCapabilities", &ALL);
        let for_everybody = has("groups", &EVERYBODY) || has("users", &EVERYBODY);
        match (allows || !self.whole, for_everybody) {
            (true, true) => self.power("privileged pods for everybody"),
            (true, false) if allows => self.power("privileged pods"),
            _ => {}
        }
    }

    /// Adds powers over nodes, and what the object fetches.
    fn fact(&mut self, key: &str, value: &Json<'a>) {
        let power = match (key, value) {
            ("adminAccess", Json::Bool(true)) => "admin access",
            ("opaque", Json::Object(_)) if self.family == Family::Devices => "device configuration",
            ("hostDevices", Json::Array(devices)) if !devices.is_empty() => "host device",
            ("hostDisk", Json::Object(_)) => "host disk",
            ("userData", Json::Text(data)) if !data.is_empty() => "user data",
            ("files" | "write_files" | "storage", Json::Array(files))
                if files.iter().any(is_node_file) =>
            {
                "node file"
            }
            ("units", Json::Array(units)) if !units.is_empty() => "node unit",
            // Tekton runs what it fetches; the local resolver is `cluster`.
            ("resolver", Json::Text(resolver)) if &**resolver != "cluster" => "remote task",
            ("exposeDockerSocket", Json::Bool(true)) => "runtime socket",
            ("featureGates", Json::Array(gates))
                if gates.iter().any(|gate| gate.as_text().as_deref() == Some("HostDisk")) =>
            {
                "host disk"
            }
            _ => "",
        };
        if !power.is_empty() {
            self.power(power);
        }
        if SOURCES.contains(&key) && key != "userData" {
            match value {
                Json::Text(source) => self.source(source),
                Json::Array(sources) => {
                    sources
                        .iter()
                        .filter_map(Json::as_text)
                        .for_each(|source| self.source(&source));
                }
                _ => {}
            }
        }
    }

    fn power(&mut self, power: &'static str) {
        let powers = self.found.powers.get_or_insert_default();
        if !powers.iter().any(|known| &**known == power) {
            powers.push(power.into());
        }
    }

    fn source(&mut self, source: &Text<'a>) {
        let sources = self.found.sources.get_or_insert_default();
        let fits = !source.is_empty() && source.len() <= MAX_SOURCE && sources.len() < MAX_FOUND;
        if fits && !sources.contains(source) {
            sources.push(source.clone());
        }
    }

    fn add_container(&mut self, container: Container<'a>) {
        let mut row = Workload { containers: Some(vec![container]), ..Workload::default() };
        row.pod_security_violations = Some(pod_security::violations(&row, false));
        self.add(row);
    }

    /// Adds a standalone host path, such as in a PersistentVolume of a manifest or the values of a chart.
    fn add_volume(&mut self, json: &Json<'a>, key: &str, value: &Json<'a>) {
        let source = match value {
            Json::Text(path) => Json::Object(vec![("path".into(), Json::Text(path.clone()))]),
            other => other.clone(),
        };
        let mut members = vec![(key.to_owned().into(), source)];
        if let Some(name) = json.text("name") {
            members.push(("name".into(), Json::Text(name)));
        }
        let volume: Volume<'a> = volume(&Json::Object(members));
        let mut row = Workload { volumes: Some(vec![volume]), ..Workload::default() };
        row.pod_security_violations = Some(pod_security::violations(&row, false));
        self.add(row);
    }

    fn add(&mut self, row: Workload<'a>) {
        let Some(specs) = self.specs.checked_sub(1) else { return };
        self.specs = specs;
        let places = self.found.places.get_or_insert_default();
        if places.len() < MAX_FOUND {
            places.push(self.place.clone().into());
        }
        match &mut self.rows {
            Some(rows) => merge(rows, row),
            None => self.rows = Some(row),
        }
    }

    /// Searches a text: JSON, YAML, or a text that shows posture without being either, such as an expression or a
    /// template; also in Base64, with or without gzip.
    fn text(&mut self, text: &str, kind: Option<&Text<'a>>, depth: usize, texts: usize) {
        if texts >= MAX_TEXTS_IN_TEXTS {
            return;
        }
        if let Some(decoded) = decoded(text, self.text) {
            self.text = self.text.saturating_sub(decoded.len());
            let length = self.place.len();
            self.place.push('#');
            self.text(&decoded, kind, depth + 1, texts + 1);
            self.place.truncate(length);
        }
        if !IN_TEXT.as_ref().is_some_and(|signs| signs.is_match(text)) {
            return;
        }
        let Some(rest) = self.text.checked_sub(text.len()) else {
            self.scan(text.get(..text.floor_char_boundary(self.text)).unwrap_or_default());
            self.text = 0;
            return;
        };
        self.text = rest;
        let length = self.place.len();
        self.place.push('#');
        let before = (self.specs, self.found.rbac.as_ref().map(Vec::len));
        for document in documents(text) {
            self.visit(&document, kind, depth + 1, texts + 1);
        }
        if before == (self.specs, self.found.rbac.as_ref().map(Vec::len)) {
            self.scan(text);
        }
        self.place.truncate(length);
    }

    /// Adds posture that a text sets which is neither JSON nor YAML.
    fn scan(&mut self, text: &str) {
        let sets = |key| sets_true(text, key).then_some(true);
        let host_path = host_path_in(text);
        let mut row = Workload {
            host_pid: sets("hostPID"),
            host_ipc: sets("hostIPC"),
            host_network: sets("hostNetwork"),
            ..Workload::default()
        };
        if sets("privileged").is_some() {
            row.containers = Some(vec![Container {
                role: Some("container".into()),
                privileged: Some(true),
                ..Container::default()
            }]);
        }
        if let Some(path) = host_path {
            let path = Json::Object(vec![("path".into(), Json::Text(path.to_owned().into()))]);
            row.volumes = Some(vec![volume(&Json::Object(vec![("hostPath".into(), path)]))]);
        }
        if row != Workload::default() {
            row.pod_security_violations = Some(pod_security::violations(&row, false));
            self.add(row);
        }
    }
}

/// Merges the content of a kind's templates with other content of the object.
pub(super) fn joined<'a>(
    workload: Option<Workload<'a>>,
    more: Option<Workload<'a>>,
) -> Option<Workload<'a>> {
    let (Some(mut workload), more) = (workload, more) else { return None };
    if let Some(mut more) = more {
        // The owners are those of the same object.
        more.owners = None;
        join(&mut workload.pod_security_violations, more.pod_security_violations.take());
        merge(&mut workload, more);
        pod_security::conclude(&mut workload);
    }
    Some(workload)
}

pub(super) fn address(json: &Json<'_>) -> *const () {
    std::ptr::from_ref(json).cast()
}

/// Returns whether an object is a pod spec, or a part of one that a patch or a policy sets.
fn is_pod_spec(json: &Json<'_>) -> bool {
    const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
    const FLAGS: [&str; 3] = ["hostPID", "hostIPC", "hostNetwork"];
    let is_volume = |volume: &Json<'_>| {
        ["hostPath", "hostDisk"].iter().any(|key| volume.get(key).and_then(host_path_of).is_some())
            || ["flexVolume", "gitRepo", "nfs", "iscsi"]
                .iter()
                .any(|key| matches!(volume.get(key), Some(Json::Object(_))))
    };
    LISTS.iter().any(|list| json.list(list).iter().any(is_part_of_a_container))
        || FLAGS.iter().any(|flag| json.bool(flag) == Some(true))
        || json.list("volumes").iter().any(is_volume)
}

/// Returns whether a list element is a container: it has an image, or sets members that only containers have.
fn is_part_of_a_container(json: &Json<'_>) -> bool {
    json.text("image").is_some() || has_what_containers_have(json)
}

/// Returns whether an object is a standalone container.
fn is_container(json: &Json<'_>) -> bool {
    json.text("image").is_some() && has_what_containers_have(json)
}

fn has_what_containers_have(json: &Json<'_>) -> bool {
    const LISTS: [&str; 5] = ["command", "args", "volumeMounts", "volumeDevices", "envFrom"];
    LISTS.iter().any(|list| !json.list(list).is_empty())
        || matches!(json.get("securityContext"), Some(Json::Object(context)) if !context.is_empty())
        || json.text("imagePullPolicy").is_some()
}

/// Returns whether a member is a security context that requests dangerous settings; charts use many names for them.
fn is_dangerous_context(key: &str, value: &Json<'_>) -> bool {
    key.ends_with("ecurityContext")
        && (value.bool("privileged") == Some(true)
            || value.get("capabilities").is_some_and(|added| !added.list("add").is_empty())
            || value.at(&["windowsOptions", "hostProcess"]) == Some(&Json::Bool(true)))
}

fn host_path_of<'a>(source: &Json<'a>) -> Option<Text<'a>> {
    let path = source.as_text().or_else(|| source.text("path"))?;
    path.starts_with('/').then_some(path)
}

/// Returns whether an object is a file of Ignition or cloud-init.
fn is_node_file(file: &Json<'_>) -> bool {
    file.text("path").is_some() && (file.get("contents").is_some() || file.get("content").is_some())
}

/// Returns what the operations of a JSON Patch set, if the list is one. A policy variable may replace an index.
fn patched<'a>(elements: &[Json<'a>]) -> Option<Json<'a>> {
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
fn assigned<'a>(json: &Json<'a>) -> Option<Json<'a>> {
    let location = json.text("location")?;
    let assign =
        json.at(&["parameters", "assign"]).or_else(|| json.at(&["parameters", "values"]))?;
    let value = assign.get("value").or_else(|| assign.get("fromList")).unwrap_or(assign).clone();
    let steps: Vec<&str> = location.split('.').take(MAX_DEPTH).collect();
    Some(steps.into_iter().rev().fold(value, |value, step| {
        let (name, value) = match step.split_once('[') {
            Some((name, _)) => (name, Json::Array(vec![value])),
            None => (step, value),
        };
        Json::Object(vec![(name.trim_matches('"').to_owned().into(), value)])
    }))
}

/// Returns what a chart parameter sets by a path: `{"name": "podSpec.hostPID", "value": "true"}`.
fn parameter<'a>(json: &Json<'a>) -> Option<Json<'a>> {
    let name = json.text("name")?;
    if name.contains('.') { set_by_path(&name, json.get("value")?) } else { None }
}

/// Returns what a dotted name sets, if its last part is a name that gives pods access to the node.
fn set_by_path<'a>(path: &str, value: &Json<'a>) -> Option<Json<'a>> {
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
fn without_anchors<'a>(json: &Json<'a>) -> Json<'a> {
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

/// Returns whether a text has a run of Base64 characters that is long enough for a manifest.
fn has_encoded_run(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut from = 0;
    // Skips text that cannot belong to a run with its last character.
    while let Some(run) = bytes.get(from..from + ENCODED_RUN) {
        match run.iter().rposition(|byte| !is_base64(*byte)) {
            None => return true,
            Some(at) => from += at + 1,
        }
    }
    false
}

/// Returns whether a byte is Base64, in the standard or URL alphabet.
fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Decodes Base64, also compressed by gzip, to at most `limit` bytes.
///
/// Fleet, Helm, Cluster API, Ignition and cloud-init carry manifests and node files in this form. Other encodings of
/// other controllers are not guessed.
fn decoded(text: &str, limit: usize) -> Option<String> {
    // A data URL.
    let text = text.split_once(";base64,").map_or(text, |(_, data)| data);
    let mut plain = Vec::with_capacity(text.len().min(limit));
    for byte in text.bytes().take(limit) {
        match byte {
            b'-' => plain.push(b'+'),
            b'_' => plain.push(b'/'),
            byte if is_base64(byte) => plain.push(byte),
            // Decoders skip line breaks, which `base64` writes.
            b'\r' | b'\n' | b' ' | b'=' => {}
            _ => return None,
        }
    }
    if plain.len() < ENCODED_RUN {
        return None;
    }
    let bytes = BASE64.decode(plain).ok()?;
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut expanded = Vec::new();
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        // The beginning of a damaged or longer stream is searched all the same.
        let _end = MultiGzDecoder::new(&*bytes).take(limit).read_to_end(&mut expanded);
        expanded
    } else {
        bytes
    };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Base64 without padding, whose last character may have unused bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Returns the objects and lists in a text of JSON or YAML, as written or, if that fails, with template directives
/// removed.
fn documents(text: &str) -> Vec<Json<'static>> {
    parsed(text).unwrap_or_else(|| match without_directives(text) {
        Cow::Borrowed(_) => Vec::new(),
        Cow::Owned(text) => parsed(&text).unwrap_or_default(),
    })
}

/// Returns the objects and lists in a text; `None` if it is neither JSON nor YAML.
fn parsed(text: &str) -> Option<Vec<Json<'static>>> {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '['])
        && let Ok(json) = serde_json::from_str::<Json<'_>>(trimmed)
    {
        return Some(vec![owned(json)]);
    }
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_events: MAX_NODES,
            max_aliases: 1000,
            max_anchors: 1000,
            max_recorded_anchor_events: MAX_NODES,
        },
    };
    let documents: Vec<Json<'_>> = serde_saphyr::from_multiple_with_options(text, options).ok()?;
    let is_structured = |json: &Json<'_>| matches!(json, Json::Object(_) | Json::Array(_));
    Some(documents.into_iter().filter(is_structured).map(owned).collect())
}

/// Returns a text without the directives of a template engine or workflow, which a YAML parser rejects: lines that
/// consist of a directive are removed, other `{{…}}` are replaced by a word.
fn without_directives(text: &str) -> Cow<'_, str> {
    if !text.contains("{{") {
        return Cow::Borrowed(text);
    }
    let is_directive = |line: &str| {
        let line = line.trim();
        line.starts_with("{{") && line.ends_with("}}")
    };
    let lines: Vec<&str> = text.lines().filter(|line| !is_directive(line)).collect();
    Cow::Owned(filled(&lines.join("\n"), "x").into_owned())
}

/// Returns a text with `word` in place of each `{{…}}`.
fn filled<'t>(text: &'t str, word: &str) -> Cow<'t, str> {
    let Some((first, mut rest)) = text.split_once("{{") else { return Cow::Borrowed(text) };
    let mut plain = first.to_owned();
    while let Some((_, after)) = rest.split_once("}}") {
        plain.push_str(word);
        if let Some((between, next)) = after.split_once("{{") {
            plain.push_str(between);
            rest = next;
        } else {
            plain.push_str(after);
            return Cow::Owned(plain);
        }
    }
    Cow::Owned(plain)
}

/// Returns a value that borrows nothing. `yes` and similar words become booleans where the API has one, because tools
/// read YAML 1.1.
fn owned(json: Json<'_>) -> Json<'static> {
    const FLAGS: [&str; 5] = ["hostPID", "hostIPC", "hostNetwork", "privileged", "adminAccess"];
    const YES: [&str; 10] = ["yes", "Yes", "YES", "on", "On", "ON", "y", "Y", "True", "TRUE"];
    match json {
        Json::Null => Json::Null,
        Json::Bool(value) => Json::Bool(value),
        Json::Number(value) => Json::Number(value),
        Json::Text(text) => Json::Text(text.0.into_owned().into()),
        Json::Array(elements) => Json::Array(elements.into_iter().map(owned).collect()),
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .map(|(key, value)| {
                    let is_yes = |text: &Text<'_>| YES.contains(&&**text);
                    let value = match value {
                        Json::Text(text) if FLAGS.contains(&&*key) && is_yes(&text) => {
                            Json::Bool(true)
                        }
                        other => owned(other),
                    };
                    (key.0.into_owned().into(), value)
                })
                .collect(),
        ),
    }
}

/// Returns whether a text sets a name to true: `hostPID: true`, `"hostPID": true`, or a patch of a path that ends in
/// it.
fn sets_true(text: &str, key: &str) -> bool {
    /// Maximum distance of a value after its path.
    const NEAR: usize = 80;
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let punctuation = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ')' | ']');
    memchr::memmem::find_iter(text.as_bytes(), key.as_bytes()).any(|at| {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + key.len()..)) else {
            return false;
        };
        if before.as_bytes().last().is_some_and(is_word) {
            return false;
        }
        let after = after.trim_start_matches(punctuation);
        let is_true = |value: &str| value.trim_start_matches(punctuation).starts_with("true");
        if let Some(value) = after.strip_prefix(':') {
            return is_true(value);
        }
        let near = after.get(..after.floor_char_boundary(NEAR)).unwrap_or_default();
        before.ends_with('/')
            && near
                .split_once("value")
                .and_then(|(_, value)| value.trim_start_matches(punctuation).strip_prefix(':'))
                .is_some_and(is_true)
    })
}

/// Returns the first host path in a text.
fn host_path_in(text: &str) -> Option<&str> {
    /// Maximum distance of a path after `hostPath`.
    const NEAR: usize = 120;
    memchr::memmem::find_iter(text.as_bytes(), b"hostPath").find_map(|at| {
        let after = text.get(at + "hostPath".len()..)?;
        let near = after.get(..after.floor_char_boundary(NEAR))?;
        let (_, value) = near.split_once("path")?;
        let value = value.trim_start_matches(['"', '\'', '\\', ':', ' ', '\t']);
        let end = value.find(['"', '\'', '\\', ',', '}', ' ', '\n', '\r']).unwrap_or(value.len());
        value.get(..end).filter(|path| path.starts_with('/'))
    })
}

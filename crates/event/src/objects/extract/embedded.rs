//! Pod specs, containers, host paths, roles and bindings anywhere in an object of another kind.
//!
//! A right on a custom resource may allow the creation of pods, and policies for pods see only what a controller
//! creates from the resource. Posture that is found here is that of the object. The search is bounded in nodes, depth
//! and text.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::container::{container, has_containers};
use super::embedded_text::{
    MAX_NODES, decoded, documents, has_encoded_run, host_path_in, sets_true,
};
use super::pod_spec_shapes::{
    host_path_of, is_container, is_dangerous_context, is_node_file, is_pod_spec,
};
use super::set_values::{assigned, parameter, patched, set_by_path, without_anchors};
use super::volume::volume;
use super::workload::{
    add_image_volumes, address, join, known_specs, merge, object_fields, template_row,
};
use crate::column::Text;
use crate::json::value::Json;
use crate::objects::bodies::{Bodies, Body};
use crate::objects::embedded::Embedded;
use crate::objects::kinds::WorkloadKind;
use crate::objects::pod_security;
use crate::objects::rbac::{self, Rbac};
use crate::objects::workload::{Container, Volume, Workload};

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

/// Bounds of one search. Anything beyond them is ignored.
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
pub(crate) fn joined<'a>(
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

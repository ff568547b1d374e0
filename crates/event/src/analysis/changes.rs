//! Differences between two versions of a workload, one row for each, without a verdict.
//!
//! Lists are compared by name, so their order does not matter. Values of environment variables are not repeated: they
//! may be secrets.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use serde_json::Value;

use crate::analysis::change::{Change, Rows};
use crate::analysis::field_changes::field_changes;
use crate::column::Text;
use crate::objects::bodies::Bodies;
use crate::objects::extract;
use crate::objects::kinds::{WorkloadKind, holder_kind};
use crate::objects::workload::{Container, EnvVar, Toleration, Volume, Workload};

impl Change<'static> {
    /// Returns a change of `spec.replicas`.
    pub(crate) fn of_replicas(kind: &WorkloadKind, before: Option<i64>, after: i64) -> Self {
        Self {
            kind: Some(kind.kind.into()),
            change: Some("replicas".into()),
            container: None,
            field: Some("replicas".into()),
            before: number(before).map(Text::from),
            after: Some(after.to_string().into()),
        }
    }
}

/// Returns the changes between two whole objects; empty for a resource that creates no pods.
pub fn changes(
    api_group: &str,
    resource: &str,
    before: &Value,
    after: &Value,
) -> Vec<Change<'static>> {
    let Some(kind) = holder_kind(api_group, resource) else { return Vec::new() };
    let (before, after) = (before.to_string(), after.to_string());
    changes_of_texts(&kind, &before, &after)
}

/// Returns the changes between two whole objects, as JSON text.
pub(crate) fn changes_of_texts(
    kind: &WorkloadKind,
    before: &str,
    after: &str,
) -> Vec<Change<'static>> {
    let [before, after] = [before, after].map(|text| Bodies::of_request("update", text));
    let (Some(old), Some(new)) =
        (extract::workload(kind, &before), extract::workload(kind, &after))
    else {
        return Vec::new();
    };
    let mut rows = compare(&Before::Version(&old), &new);
    if let (Some(before), Some(after)) = (before.request(), after.request()) {
        field_changes(&mut rows, kind, Some(before), after);
    }
    rows.of(kind)
}

/// Returns the changes that a patch, as JSON text, certainly makes to an unknown previous version.
///
/// `added` contains the names of containers that the patch certainly adds.
pub(crate) fn changes_of_patch(
    kind: &WorkloadKind,
    ephemeral: bool,
    patch: &str,
    added: HashSet<String>,
) -> Vec<Change<'static>> {
    let bodies = Bodies::of_request("patch", patch);
    let workload = if ephemeral {
        Some(extract::ephemeral_containers(&bodies))
    } else {
        extract::workload(kind, &bodies)
    };
    let Some(workload) = workload else { return Vec::new() };
    let mut rows = compare(&Before::Unknown { added }, &workload);
    if !ephemeral && let Some(patch) = bodies.request() {
        field_changes(&mut rows, kind, None, patch);
    }
    rows.of(kind)
}

/// The version to compare with.
enum Before<'b, 'a> {
    Version(&'b Workload<'a>),
    Unknown { added: HashSet<String> },
}

fn compare(before: &Before<'_, '_>, after: &Workload<'_>) -> Rows {
    let nothing = Workload::default();
    let mut rows = Rows::default();
    match before {
        Before::Version(before) => {
            settings(&mut rows, before, after);
            volumes(&mut rows, before, after);
            containers(&mut rows, before, after);
            checks(&mut rows, before, after);
            pod_security(&mut rows, before, after);
        }
        Before::Unknown { added } => {
            settings(&mut rows, &nothing, after);
            for volume in after.volumes.iter().flatten() {
                rows.push("volume", None, name(volume.name.as_ref()), None, source(volume));
            }
            for container in after.containers.iter().flatten() {
                let is_added = container.name.as_deref().is_some_and(|name| added.contains(name));
                shown_container(&mut rows, container, is_added);
            }
            checks(&mut rows, &nothing, after);
            shown_pod_security(&mut rows, after);
        }
    }
    rows
}

fn name<'b>(name: Option<&'b Text<'_>>) -> Option<&'b str> {
    name.map(|name| &**name)
}

fn text(value: Option<&Text<'_>>) -> Option<String> {
    value.map(|text| (**text).to_owned())
}

fn number(value: Option<i64>) -> Option<String> {
    value.map(|number| number.to_string())
}

fn flag(value: Option<bool>) -> Option<String> {
    value.map(|flag| flag.to_string())
}

/// Returns a list of strings as JSON, which preserves the element boundaries.
fn list(values: Option<&Vec<Text<'_>>>) -> Option<String> {
    let values: Vec<&str> = values?.iter().map(|value| &**value).collect();
    serde_json::to_string(&values).ok()
}

fn sorted(mut lines: Vec<String>) -> Option<String> {
    lines.sort();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// Compares settings that occur once in a workload or its pod template.
fn settings(rows: &mut Rows, before: &Workload<'_>, after: &Workload<'_>) {
    let mut both = |change, field: &str, of: &dyn Fn(&Workload<'_>) -> Option<String>| {
        rows.value(change, None, field, of(before), of(after));
    };
    both("replicas", "replicas", &|w| number(w.replicas));
    both("schedule", "schedule", &|w| text(w.schedule.as_ref()));
    both("time zone", "timeZone", &|w| text(w.time_zone.as_ref()));
    both("suspend", "suspend", &|w| flag(w.suspend));
    both("service account", "serviceAccountName", &|w| text(w.service_account_name.as_ref()));
    both("node name", "nodeName", &|w| text(w.node_name.as_ref()));
    both("node selector", "nodeSelector", &|w| {
        let labels = w.node_selector.iter().flat_map(|labels| &labels.0);
        sorted(labels.map(|(key, value)| format!("{}={}", &**key, &**value)).collect())
    });
    both("node affinity", "nodeAffinity", &|w| {
        let requirements = w.node_affinity.iter().flatten().map(|requirement| {
            let part = |part: &Option<Text<'_>>| text(part.as_ref()).unwrap_or_default();
            let values = list(requirement.values.as_ref()).unwrap_or_default();
            format!("{} {} {values}", part(&requirement.key), part(&requirement.operator))
        });
        sorted(requirements.collect())
    });
    both("tolerations", "tolerations", &|w| {
        sorted(w.tolerations.iter().flatten().map(toleration).collect())
    });
    both("image pull secrets", "imagePullSecrets", &|w| {
        sorted(w.image_pull_secrets.iter().flatten().map(|name| (**name).to_owned()).collect())
    });
}

/// Returns a toleration in the taint syntax of `kubectl taint`: `key=value:effect`; `*` is every key or effect.
fn toleration(toleration: &Toleration<'_>) -> String {
    let mut line = text(toleration.key.as_ref()).unwrap_or_else(|| "*".to_owned());
    if let Some(value) = name(toleration.value.as_ref()) {
        line.push('=');
        line.push_str(value);
    }
    line.push(':');
    line.push_str(name(toleration.effect.as_ref()).unwrap_or("*"));
    line
}

/// Indexes elements by a key that identifies them, and repeated keys by their position.
fn keyed<K: Hash + Eq + Clone, T>(
    elements: Option<&Vec<T>>,
    key: impl Fn(&T) -> K,
) -> Vec<((K, usize), &T)> {
    let mut seen = HashMap::new();
    let mut nth = |key: K| {
        let count = seen.entry(key.clone()).or_insert(0_usize);
        *count += 1;
        (key, *count)
    };
    elements.into_iter().flatten().map(|element| (nth(key(element)), element)).collect()
}

/// Pairs the elements of two lists: those of `after` in their order, then the removed ones.
fn pairs<'b, K: Hash + Eq + Clone, T>(
    before: Option<&'b Vec<T>>,
    after: Option<&'b Vec<T>>,
    key: impl Fn(&T) -> K,
) -> Vec<(Option<&'b T>, Option<&'b T>)> {
    let before = keyed(before, &key);
    let after = keyed(after, &key);
    let old: HashMap<_, _> = before.iter().map(|(key, element)| (key, *element)).collect();
    let new: HashSet<_> = after.iter().map(|(key, _)| key).collect();
    let kept = after.iter().map(|(key, element)| (old.get(key).copied(), Some(*element)));
    let gone = before.iter().filter(|(key, _)| !new.contains(key));
    kept.chain(gone.map(|(_, element)| (Some(*element), None))).collect()
}

/// Returns the source of a volume: its type and the object it names.
fn source(volume: &Volume<'_>) -> Option<String> {
    let r#type = volume.r#type.as_deref()?;
    let sources = [
        &volume.host_path,
        &volume.secret_name,
        &volume.config_map_name,
        &volume.claim_name,
        &volume.driver,
        &volume.image_reference,
    ];
    let mut names: Vec<&str> = sources.into_iter().flatten().map(|name| &**name).collect();
    names.extend(volume.projected_secrets.iter().flatten().map(|name| &**name));
    let tokens = volume.projected_tokens.iter().flatten();
    names.extend(tokens.filter_map(|token| token.audience.as_deref()));
    Some([&[r#type], names.as_slice()].concat().join(" "))
}

fn volumes(rows: &mut Rows, before: &Workload<'_>, after: &Workload<'_>) {
    let by_name = |volume: &Volume<'_>| text(volume.name.as_ref());
    for pair in pairs(before.volumes.as_ref(), after.volumes.as_ref(), by_name) {
        match pair {
            (None, Some(new)) => {
                rows.push("volume added", None, name(new.name.as_ref()), None, source(new));
            }
            (Some(old), None) => {
                rows.push("volume removed", None, name(old.name.as_ref()), source(old), None);
            }
            (Some(old), Some(new)) => {
                let field = name(new.name.as_ref()).unwrap_or_default();
                rows.value("volume", None, field, source(old), source(new));
            }
            (None, None) => {}
        }
    }
}

fn containers(rows: &mut Rows, before: &Workload<'_>, after: &Workload<'_>) {
    let by_role_and_name =
        |container: &Container<'_>| (text(container.role.as_ref()), text(container.name.as_ref()));
    for pair in pairs(before.containers.as_ref(), after.containers.as_ref(), by_role_and_name) {
        match pair {
            (None, Some(new)) => shown_container(rows, new, true),
            (Some(old), None) => {
                let image = text(old.image.as_ref());
                let role = name(old.role.as_ref());
                rows.push("container removed", name(old.name.as_ref()), role, image, None);
            }
            (Some(old), Some(new)) => {
                let container = name(new.name.as_ref());
                rows.value(
                    "image",
                    container,
                    "image",
                    text(old.image.as_ref()),
                    text(new.image.as_ref()),
                );
                commands(rows, old, new);
                env(rows, old, new);
                for (fact, field) in CONTAINER_FACTS {
                    rows.fact(container, field, &fact(before, old), &fact(after, new));
                }
                capabilities(rows, old, new);
                host_ports(rows, old, new);
            }
            (None, None) => {}
        }
    }
}

/// Adds rows for a container that is new, or whose previous version is unknown.
fn shown_container(rows: &mut Rows, container: &Container<'_>, is_added: bool) {
    let nothing = Container::default();
    let container_name = name(container.name.as_ref());
    let image = text(container.image.as_ref());
    // Ephemeral containers are immutable, so a patch that names one adds it.
    if is_added || container.role.as_deref() == Some("ephemeral") {
        let role = name(container.role.as_ref());
        rows.push("container added", container_name, role, None, image);
    } else {
        rows.value("image", container_name, "image", None, image);
        commands(rows, &nothing, container);
        env(rows, &nothing, container);
    }
    let alone = Workload::default();
    for (fact, field) in CONTAINER_FACTS {
        rows.shown_fact(container_name, field, &fact(&alone, container));
    }
    let adds_only = Container { capabilities_drop: None, ..container.clone() };
    capabilities(rows, &nothing, &adds_only);
    host_ports(rows, &nothing, container);
}

/// Compares what a container runs: its command line and its handlers.
fn commands(rows: &mut Rows, before: &Container<'_>, after: &Container<'_>) {
    let container = name(after.name.as_ref());
    let mut both = |field: &str, of: &dyn Fn(&Container<'_>) -> Option<String>| {
        rows.value("command", container, field, of(before), of(after));
    };
    both("command", &|c| list(c.command.as_ref()));
    both("args", &|c| list(c.args.as_ref()));
    both("workingDir", &|c| text(c.working_dir.as_ref()));
    for handler in ["postStart", "preStop", "livenessProbe", "readinessProbe", "startupProbe"] {
        let of = |container: &Container<'_>| {
            let mut handlers = container.handlers.iter().flatten();
            let handler = handlers.find(|h| h.name.as_deref() == Some(handler))?;
            list(handler.command.as_ref())
                .or_else(|| handler.host.as_deref().map(|host| format!("host {host}")))
        };
        rows.value("handler", container, handler, of(before), of(after));
    }
}

fn env(rows: &mut Rows, before: &Container<'_>, after: &Container<'_>) {
    let container = name(after.name.as_ref());
    let secret = |variable: &EnvVar<'_>| {
        let secret = name(variable.secret_name.as_ref())?;
        Some(format!("secret {secret}/{}", name(variable.secret_key.as_ref()).unwrap_or_default()))
    };
    let by_name = |variable: &EnvVar<'_>| text(variable.name.as_ref());
    for pair in pairs(before.env.as_ref(), after.env.as_ref(), by_name) {
        match pair {
            (None, Some(new)) => {
                rows.push("env added", container, name(new.name.as_ref()), None, secret(new));
            }
            (Some(old), None) => {
                rows.push("env removed", container, name(old.name.as_ref()), secret(old), None);
            }
            (Some(old), Some(new)) if old != new => {
                rows.push("env", container, name(new.name.as_ref()), secret(old), secret(new));
            }
            _ => {}
        }
    }
    let whole = |name: &Text<'_>| format!("secret {}", &**name);
    let sources = |container: &Container<'_>| {
        container.env_from_secrets.iter().flatten().map(whole).collect()
    };
    for (change, name) in added_and_removed(&sources(before), &sources(after)) {
        match change {
            Presence::Added => rows.push("env added", container, Some("envFrom"), None, Some(name)),
            Presence::Removed => {
                rows.push("env removed", container, Some("envFrom"), Some(name), None);
            }
        }
    }
}

enum Presence {
    Added,
    Removed,
}

/// Adds rows for elements that are in only one of two sets.
fn added_and_removed(before: &Vec<String>, after: &Vec<String>) -> Vec<(Presence, String)> {
    let identity = |value: &String| value.clone();
    let pairs = pairs(Some(before), Some(after), identity);
    let only_one = |pair: (Option<&String>, Option<&String>)| match pair {
        (None, Some(new)) => Some((Presence::Added, new.clone())),
        (Some(old), None) => Some((Presence::Removed, old.clone())),
        _ => None,
    };
    pairs.into_iter().filter_map(only_one).collect()
}

/// A setting that makes a container or pod more or less secure.
struct Fact {
    value: Option<String>,
    risk: Risk,
}

/// The risk of a setting compared with the others of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Risk {
    Low,
    /// Riskier than the safest setting, and safer than the riskiest.
    Medium,
    High,
}

impl Rows {
    fn fact(&mut self, container: Option<&str>, field: &str, before: &Fact, after: &Fact) {
        let change = match before.risk.cmp(&after.risk) {
            std::cmp::Ordering::Less => "security weakened",
            std::cmp::Ordering::Greater => "security strengthened",
            std::cmp::Ordering::Equal => return,
        };
        self.push(change, container, Some(field), before.value.clone(), after.value.clone());
    }

    /// Adds a row for a setting whose previous value is unknown: only the riskiest value certainly weakens, or equals,
    /// the previous one.
    fn shown_fact(&mut self, container: Option<&str>, field: &str, after: &Fact) {
        if after.value.is_some() && after.risk == Risk::High {
            self.push("security weakened", container, Some(field), None, after.value.clone());
        }
    }
}

/// Returns the risk of a flag that is dangerous if set.
fn danger(value: Option<bool>) -> Fact {
    Fact { value: flag(value), risk: if value == Some(true) { Risk::High } else { Risk::Low } }
}

/// Returns the risk of a flag that protects with one value, and not if it is unset.
fn protection(value: Option<bool>, protecting: bool) -> Fact {
    Fact {
        value: flag(value),
        risk: if value == Some(protecting) { Risk::Low } else { Risk::High },
    }
}

fn user(value: Option<i64>) -> Fact {
    Fact { value: number(value), risk: if value == Some(0) { Risk::High } else { Risk::Low } }
}

/// Returns the risk of a seccomp or AppArmor profile.
fn profile(value: Option<&Text<'_>>) -> Fact {
    let risk = match value.map(|profile| &**profile) {
        Some("Unconfined") => Risk::High,
        Some(_) => Risk::Low,
        None => Risk::Medium,
    };
    Fact { value: text(value), risk }
}

type ContainerFact = (fn(&Workload<'_>, &Container<'_>) -> Fact, &'static str);

/// The settings of a container; the pod's settings apply if it has none of its own.
const CONTAINER_FACTS: &[ContainerFact] = &[
    (|_, c| danger(c.privileged), "privileged"),
    (|_, c| protection(c.allow_privilege_escalation, false), "allowPrivilegeEscalation"),
    (|_, c| protection(c.read_only_root_filesystem, true), "readOnlyRootFilesystem"),
    (|w, c| protection(c.run_as_non_root.or(w.run_as_non_root), true), "runAsNonRoot"),
    (|w, c| user(c.run_as_user.or(w.run_as_user)), "runAsUser"),
    (|w, c| danger(c.host_process.or(w.host_process)), "hostProcess"),
    (|w, c| profile(c.seccomp_profile.as_ref().or(w.seccomp_profile.as_ref())), "seccompProfile"),
    (
        |w, c| profile(c.app_armor_profile.as_ref().or(w.app_armor_profile.as_ref())),
        "appArmorProfile",
    ),
    (
        |_, c| Fact {
            value: text(c.proc_mount.as_ref()),
            risk: match c.proc_mount.as_deref() {
                None | Some("Default") => Risk::Low,
                Some(_) => Risk::High,
            },
        },
        "procMount",
    ),
];

type PodFact = (fn(&Workload<'_>) -> Fact, &'static str);

const POD_FACTS: &[PodFact] = &[
    (|w| danger(w.host_pid), "hostPID"),
    (|w| danger(w.host_ipc), "hostIPC"),
    (|w| danger(w.host_network), "hostNetwork"),
    (|w| danger(w.share_process_namespace), "shareProcessNamespace"),
    (|w| protection(w.host_users, false), "hostUsers"),
    (|w| protection(w.automount_service_account_token, false), "automountServiceAccountToken"),
];

/// The pod's settings, which apply to containers that have none of their own.
const POD_DEFAULTS: &[PodFact] = &[
    (|w| protection(w.run_as_non_root, true), "runAsNonRoot"),
    (|w| user(w.run_as_user), "runAsUser"),
    (|w| danger(w.host_process), "hostProcess"),
    (|w| profile(w.seccomp_profile.as_ref()), "seccompProfile"),
    (|w| profile(w.app_armor_profile.as_ref()), "appArmorProfile"),
];

fn capabilities(rows: &mut Rows, before: &Container<'_>, after: &Container<'_>) {
    let container = name(after.name.as_ref());
    let owned = |names: &Option<Vec<Text<'_>>>| {
        names.iter().flatten().map(|name| (**name).to_owned()).collect()
    };
    let lists = [
        ("capabilities.add", &before.capabilities_add, &after.capabilities_add, true),
        ("capabilities.drop", &before.capabilities_drop, &after.capabilities_drop, false),
    ];
    for (field, before, after, grants) in lists {
        for (presence, capability) in added_and_removed(&owned(before), &owned(after)) {
            let is_added = matches!(presence, Presence::Added);
            let weaker = is_added == grants;
            let change = if weaker { "security weakened" } else { "security strengthened" };
            let (old, new) =
                if is_added { (None, Some(capability)) } else { (Some(capability), None) };
            rows.push(change, container, Some(field), old, new);
        }
    }
}

fn host_ports(rows: &mut Rows, before: &Container<'_>, after: &Container<'_>) {
    let container = name(after.name.as_ref());
    let ports = |container: &Container<'_>| {
        let ports = container.ports.iter().flatten().filter_map(|port| port.host_port);
        ports.filter(|port| *port != 0).map(|port| port.to_string()).collect()
    };
    presence(rows, container, "hostPort", &ports(before), &ports(after));
}

/// Adds rows for elements whose presence weakens security.
fn presence(
    rows: &mut Rows,
    container: Option<&str>,
    field: &str,
    before: &Vec<String>,
    after: &Vec<String>,
) {
    for (presence, value) in added_and_removed(before, after) {
        match presence {
            Presence::Added => {
                rows.push("security weakened", container, Some(field), None, Some(value));
            }
            Presence::Removed => {
                rows.push("security strengthened", container, Some(field), Some(value), None);
            }
        }
    }
}

fn pod_security(rows: &mut Rows, before: &Workload<'_>, after: &Workload<'_>) {
    for (fact, field) in POD_FACTS {
        rows.fact(None, field, &fact(before), &fact(after));
    }
    presence(rows, None, "hostPath", &host_paths(before), &host_paths(after));
}

fn shown_pod_security(rows: &mut Rows, after: &Workload<'_>) {
    for (fact, field) in POD_FACTS.iter().chain(POD_DEFAULTS) {
        rows.shown_fact(None, field, &fact(after));
    }
    presence(rows, None, "hostPath", &Vec::new(), &host_paths(after));
}

/// Returns the host paths of the volumes, without duplicates.
fn host_paths(workload: &Workload<'_>) -> Vec<String> {
    let paths = workload.volumes.iter().flatten().filter_map(|volume| volume.host_path.as_deref());
    let mut paths: Vec<String> = paths.map(str::to_owned).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Adds rows for the Pod Security checks that failed before and pass now, or vice versa.
fn checks(rows: &mut Rows, before: &Workload<'_>, after: &Workload<'_>) {
    let failed = |workload: &Workload<'_>| {
        let checks = workload.pod_security_failed.iter().flatten();
        checks.map(|check| (**check).to_owned()).collect()
    };
    let known = before.containers.is_some();
    let passes = || known.then(|| "passes".to_owned());
    let fails = || Some("fails".to_owned());
    for (presence, check) in added_and_removed(&failed(before), &failed(after)) {
        match presence {
            Presence::Added => {
                rows.push("security weakened", None, Some(&check), passes(), fails());
            }
            Presence::Removed => {
                rows.push("security strengthened", None, Some(&check), fails(), passes());
            }
        }
    }
}

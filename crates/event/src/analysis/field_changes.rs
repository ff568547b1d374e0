//! Differences between two versions of a workload in fields that `changes` does not compare individually.
//!
//! Every field is compared, including unknown ones: a field without a name in these lists is a change of a `field`. So
//! an update whose changes all have harmless names contains no other change.

use crate::analysis::change::Rows;
use crate::json::value::Json;
use crate::objects::kinds::{Template, WorkloadKind};

/// Maximum length of a value in a row, in bytes.
const MAX_VALUE: usize = 1000;

/// Fields of a pod spec that are compared individually.
const POD_SETTINGS: &[&str] = &[
    "containers",
    "initContainers",
    "ephemeralContainers",
    "volumes",
    "serviceAccountName",
    "serviceAccount",
    "nodeName",
    "nodeSelector",
    "tolerations",
    "imagePullSecrets",
    "hostPID",
    "hostIPC",
    "hostNetwork",
    "shareProcessNamespace",
    "hostUsers",
    "automountServiceAccountToken",
    "securityContext",
];

/// Fields of a container that are compared individually.
const CONTAINER_SETTINGS: &[&str] =
    &["name", "image", "command", "args", "workingDir", "securityContext", "env"];

/// Members of a security context for which every change is a separate row.
const SECURITY_SETTINGS: &[&str] = &[
    "privileged",
    "allowPrivilegeEscalation",
    "readOnlyRootFilesystem",
    "runAsNonRoot",
    "capabilities",
    "procMount",
];

/// Returns the kind of change for a field of a pod spec or container.
fn change_of(field: &str) -> &'static str {
    match field {
        "affinity" | "topologySpreadConstraints" => "affinity",
        "dnsPolicy" | "dnsConfig" | "setHostnameAsFQDN" => "dns",
        "hostAliases" => "host aliases",
        "priorityClassName" | "priority" | "preemptionPolicy" => "priority",
        "runtimeClassName" => "runtime class",
        "schedulerName" | "schedulingGates" => "scheduler",
        "resourceClaims" => "resource claims",
        "volumeMounts" => "volume mounts",
        "volumeDevices" => "devices",
        "envFrom" => "env from",
        "livenessProbe" | "readinessProbe" | "startupProbe" => "probe",
        "lifecycle" => "lifecycle",
        "ports" => "ports",
        "resources" => "resources",
        "imagePullPolicy" => "pull policy",
        _ => "field",
    }
}

/// Members of a spec besides the template.
const SETTINGS: [&str; 5] = ["replicas", "schedule", "timeZone", "suspend", "template"];

/// Adds the differences. `before` is `None` if the previous version is unknown; `after` is then what a patch sets.
pub(crate) fn field_changes(
    rows: &mut Rows,
    kind: &WorkloadKind,
    before: Option<&Json<'_>>,
    after: &Json<'_>,
) {
    let nothing = Json::Null;
    let before = before.unwrap_or(&nothing);
    metadata(rows, before, after, &["metadata"], "labels", "annotations");
    let mut roots: Vec<&str> = Vec::new();
    for template in kind.templates {
        roots.extend(template.spec.get(1));
        if !is_single(template) {
            continue;
        }
        pods(
            rows,
            before.at(template.spec).unwrap_or(&nothing),
            after.at(template.spec).unwrap_or(&nothing),
        );
        if template.metadata != ["metadata"] {
            metadata(rows, before, after, template.metadata, "pod labels", "pod annotations");
        }
    }
    // The spec of a Pod is the template; other kinds contain one.
    if roots.is_empty() {
        return;
    }
    let is_single = kind.templates.iter().all(is_single);
    let (old, new) =
        (before.get("spec").unwrap_or(&nothing), after.get("spec").unwrap_or(&nothing));
    for (name, old, new) in differing(old, new) {
        match name {
            _ if SETTINGS.contains(&name) => {}
            // A Job within a CronJob.
            "jobTemplate" => {
                let (old, new) = (member(old, "spec"), member(new, "spec"));
                let (old, new) = (old.unwrap_or(&nothing), new.unwrap_or(&nothing));
                for (name, old, new) in differing(old, new).filter(|(name, ..)| *name != "template")
                {
                    row(rows, "field", None, name, old, new);
                }
            }
            // Several templates are not distinguished.
            _ if is_single || !roots.contains(&name) => row(rows, "field", None, name, old, new),
            _ => rows.push("field", None, Some(name), None, None),
        }
    }
}

fn is_single(template: &Template) -> bool {
    !template.spec.contains(&"*")
}

fn metadata(
    rows: &mut Rows,
    before: &Json<'_>,
    after: &Json<'_>,
    path: &[&str],
    labels: &'static str,
    annotations: &'static str,
) {
    let nothing = Json::Null;
    for (member, change) in [("labels", labels), ("annotations", annotations)] {
        let of = |object| Json::at(object, path).and_then(|metadata| metadata.get(member));
        let (old, new) = (of(before).unwrap_or(&nothing), of(after).unwrap_or(&nothing));
        for (name, old, new) in differing(old, new) {
            // Copies of the object, and counters of controllers.
            let is_bookkeeping = matches!(
                name,
                "kubectl.kubernetes.io/last-applied-configuration"
                    | "deployment.kubernetes.io/revision"
            );
            if !is_bookkeeping {
                row(rows, change, None, name, old, new);
            }
        }
    }
}

fn pods(rows: &mut Rows, before: &Json<'_>, after: &Json<'_>) {
    for (name, old, new) in differing(before, after) {
        if !POD_SETTINGS.contains(&name) {
            row(rows, change_of(name), None, name, old, new);
        }
    }
    pod_context(rows, before, after);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for (name, old, new) in elements(before.list(list), after.list(list)) {
            // A container that is added or removed is one row.
            if let (Some(old), Some(new)) = (old, new) {
                container(rows, name, (old, before), (new, after));
            }
        }
    }
    for (name, old, new) in elements(before.list("volumes"), after.list("volumes")) {
        if let (Some(old), Some(new)) = (old, new)
            && !same(old, new)
        {
            row(rows, "volume settings", None, name, Some(old), Some(new));
        }
    }
}

/// Compares a container of a pod before and after.
fn container(
    rows: &mut Rows,
    container: &str,
    (before, pod_before): (&Json<'_>, &Json<'_>),
    (after, pod_after): (&Json<'_>, &Json<'_>),
) {
    for (name, old, new) in differing(before, after) {
        let handlers: &[&str] =
            if name == "lifecycle" { &["postStart", "preStop"] } else { &[name] };
        // The command or target of a handler is already a row.
        if !CONTAINER_SETTINGS.contains(&name) && !rows.has("handler", container, handlers) {
            row(rows, change_of(name), Some(container), name, old, new);
        }
    }
    container_context(rows, container, (before, pod_before), (after, pod_after));
    for (name, old, new) in elements(before.list("env"), after.list("env")) {
        let differ = match (old, new) {
            (Some(old), Some(new)) => !same(old, new),
            _ => true,
        };
        if differ && loads_code(name) {
            let (old, new) = (member(old, "value"), member(new, "value"));
            row(rows, "env loads code", Some(container), name, old, new);
        } else if differ && (source(old) || source(new)) {
            rows.push("env source", Some(container), Some(name), None, None);
        }
    }
}

fn member<'b, 'a>(value: Option<&'b Json<'a>>, name: &str) -> Option<&'b Json<'a>> {
    value?.get(name)
}

/// Returns whether a variable takes its value from a source other than a Secret, which the variable's row would not
/// show.
fn source(variable: Option<&Json<'_>>) -> bool {
    let from = variable.and_then(|variable| variable.get("valueFrom"));
    from.is_some_and(|from| from.get("secretKeyRef").is_none())
}

/// Returns whether a program loads code named by this variable: the loader, shells and interpreters.
pub(crate) fn loads_code(variable: &str) -> bool {
    variable.starts_with("LD_")
        || variable.starts_with("BASH_FUNC_")
        || variable.starts_with("GIT_CONFIG_")
        || variable.starts_with("COR_")
        || variable.starts_with("CORECLR_")
        || matches!(
            variable,
            "PATH"
                | "ENV"
                | "BASH_ENV"
                | "PROMPT_COMMAND"
                | "SHELLOPTS"
                | "BASHOPTS"
                | "PS4"
                | "IFS"
                | "SHELL"
                | "GCONV_PATH"
                | "GLIBC_TUNABLES"
                | "LOCPATH"
                | "NODE_OPTIONS"
                | "NODE_PATH"
                | "PYTHONPATH"
                | "PYTHONSTARTUP"
                | "PYTHONHOME"
                | "PYTHONINSPECT"
                | "PYTHONUSERBASE"
                | "PYTHONWARNINGS"
                | "PERL5OPT"
                | "PERL5LIB"
                | "PERL5DB"
                | "RUBYOPT"
                | "RUBYLIB"
                | "JAVA_TOOL_OPTIONS"
                | "_JAVA_OPTIONS"
                | "JDK_JAVA_OPTIONS"
                | "JAVA_OPTS"
                | "CLASSPATH"
                | "LUA_INIT"
                | "PHPRC"
                | "PHP_INI_SCAN_DIR"
                | "DOTNET_STARTUP_HOOKS"
                | "EDITOR"
                | "VISUAL"
                | "PAGER"
                | "LESSOPEN"
                | "GIT_SSH_COMMAND"
                | "GIT_SSH"
                | "GIT_EXTERNAL_DIFF"
                | "GIT_PAGER"
                | "GIT_EDITOR"
                | "OPENSSL_CONF"
                | "OPENSSL_MODULES"
                | "KUBECONFIG"
                | "HOME"
                | "ZDOTDIR"
                | "http_proxy"
                | "https_proxy"
                | "HTTP_PROXY"
                | "HTTPS_PROXY"
                | "ALL_PROXY"
                | "all_proxy"
        )
}

/// Settings of a pod that apply to containers that have none of their own.
const INHERITED: &[&str] = &[
    "runAsUser",
    "runAsGroup",
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "windowsOptions",
];

fn context<'b, 'a>(holder: &'b Json<'a>) -> Option<&'b Json<'a>> {
    holder.get("securityContext")
}

/// Compares what a pod's security context sets for the pod itself.
fn pod_context(rows: &mut Rows, before: &Json<'_>, after: &Json<'_>) {
    let nothing = Json::Null;
    let has_containers = !after.list("containers").is_empty();
    let (old, new) = (context(before).unwrap_or(&nothing), context(after).unwrap_or(&nothing));
    for (name, old, new) in differing(old, new) {
        let is_inherited = has_containers && INHERITED.contains(&name);
        if !is_inherited && !SECURITY_SETTINGS.contains(&name) {
            row(rows, "security context", None, name, old, new);
        }
    }
}

/// Compares what the security context of a container, or that of its pod, sets for the container.
fn container_context(
    rows: &mut Rows,
    container: &str,
    (before, pod_before): (&Json<'_>, &Json<'_>),
    (after, pod_after): (&Json<'_>, &Json<'_>),
) {
    let nothing = Json::Null;
    for name in INHERITED {
        let old = member(context(before), name).or_else(|| member(context(pod_before), name));
        let new = member(context(after), name).or_else(|| member(context(pod_after), name));
        let is_same = same(old.unwrap_or(&nothing), new.unwrap_or(&nothing));
        let is_row = rows.has("security weakened", container, &[name])
            || rows.has("security strengthened", container, &[name]);
        if !is_same && !is_row {
            row(rows, "security context", Some(container), name, old, new);
        }
    }
    let (old, new) = (context(before).unwrap_or(&nothing), context(after).unwrap_or(&nothing));
    for (name, old, new) in differing(old, new) {
        if !INHERITED.contains(&name) && !SECURITY_SETTINGS.contains(&name) {
            row(rows, "security context", Some(container), name, old, new);
        }
    }
}

fn row(
    rows: &mut Rows,
    change: &'static str,
    container: Option<&str>,
    field: &str,
    old: Option<&Json<'_>>,
    new: Option<&Json<'_>>,
) {
    rows.push(change, container, Some(field), old.and_then(text), new.and_then(text));
}

fn text(value: &Json<'_>) -> Option<String> {
    let mut text = match value {
        Json::Text(text) => text.to_string(),
        other => serde_json::to_string(other).ok()?,
    };
    if text.len() > MAX_VALUE {
        text.truncate(text.floor_char_boundary(MAX_VALUE));
        text.push('…');
    }
    Some(text)
}

/// Returns the members that differ between two objects, without patch directives.
fn differing<'b, 'a>(
    before: &'b Json<'a>,
    after: &'b Json<'a>,
) -> impl Iterator<Item = (&'b str, Option<&'b Json<'a>>, Option<&'b Json<'a>>)> {
    fn members<'b, 'a>(value: &'b Json<'a>) -> impl Iterator<Item = (&'b str, &'b Json<'a>)> {
        let members = match value {
            Json::Object(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, value)| (&**name, value))
    }
    let kept = members(after).map(|(name, new)| (name, before.get(name), Some(new)));
    let gone = members(before).filter(|(name, _)| after.member(name).is_none());
    let gone = gone.map(|(name, old)| (name, Some(old), None));
    let both = kept.chain(gone);
    both.filter(|(name, old, new)| {
        let differ = match (old, new) {
            (Some(old), Some(new)) => !same(old, new),
            (Some(one), None) | (None, Some(one)) => !is_unset(one),
            (None, None) => false,
        };
        differ && !name.starts_with('$')
    })
}

/// Pairs the elements of two lists by name.
fn elements<'b, 'a>(
    before: &'b [Json<'a>],
    after: &'b [Json<'a>],
) -> impl Iterator<Item = (&'b str, Option<&'b Json<'a>>, Option<&'b Json<'a>>)> {
    fn name<'b>(element: &'b Json<'_>) -> &'b str {
        match element.get("name") {
            Some(Json::Text(name)) => name,
            _ => "",
        }
    }
    fn find<'b, 'a>(list: &'b [Json<'a>], wanted: &str) -> Option<&'b Json<'a>> {
        list.iter().find(|element| name(element) == wanted)
    }
    let kept = after.iter().map(|new| (name(new), find(before, name(new)), Some(new)));
    let gone = before.iter().filter(|old| find(after, name(old)).is_none());
    kept.chain(gone.map(|old| (name(old), Some(old), None)))
}

/// Returns whether a value equals an omitted one: the API server writes some values that a client omits.
fn is_unset(value: &Json<'_>) -> bool {
    match value {
        Json::Null => true,
        Json::Array(elements) => elements.is_empty(),
        Json::Object(members) => members.iter().all(|(_, value)| is_unset(value)),
        _ => false,
    }
}

/// Returns whether two values are equal, regardless of the order of their members.
fn same(one: &Json<'_>, other: &Json<'_>) -> bool {
    match (one, other) {
        (Json::Object(_), Json::Object(_)) => differing(one, other).next().is_none(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (one, other) => one == other || (is_unset(one) && is_unset(other)),
    }
}

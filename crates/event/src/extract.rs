//! From bodies to the workload or RBAC object that a request writes.

use crate::body::{Json, object_of_json_patch};
use crate::column::{Map, Text};
use crate::document::Value;
use crate::image::ImageReference;
use crate::kinds::{Template, WorkloadKind};
use crate::path::normalize_host_path;
use crate::pod_security;
use crate::rbac::{PolicyRule, Rbac, Subject};
use crate::workload::{
    Container, ContainerPort, EnvVar, Handler, NameValue, NodeSelectorRequirement, Owner,
    ProjectedToken, SeLinuxOptions, Toleration, Volume, VolumeMount, Workload,
};

/// The two bodies of an event, parsed.
pub(crate) struct Bodies<'a> {
    pub(crate) verb_is_patch: bool,
    pub(crate) request: Option<Json<'a>>,
    pub(crate) response: Option<Json<'a>>,
}

/// A body from which rows are read.
struct Body<'b, 'a> {
    json: &'b Json<'a>,
    source: &'static str,
    /// Whether the whole object is there, so that an absent field is known to be unset.
    whole: bool,
}

impl<'a> Bodies<'a> {
    /// Parses the bodies of a write. A JSON Patch becomes the partial object that it describes.
    pub(crate) fn parse(
        verb: &str,
        request: Option<Value<'a, '_>>,
        response: Option<Value<'a, '_>>,
    ) -> Self {
        let request = match request.and_then(Value::read) {
            Some(Json::Array(operations)) => Some(object_of_json_patch(&operations)),
            other => other,
        };
        Self { verb_is_patch: verb == "patch", request, response: response.and_then(Value::read) }
    }

    /// The body that shows the object best: the response where `is_object` holds for it, else the request.
    fn best(&self, is_object: impl Fn(&Json<'a>) -> bool) -> Option<Body<'_, 'a>> {
        if let Some(json) = self.response.as_ref().filter(|json| is_object(json)) {
            return Some(Body { json, source: "response", whole: true });
        }
        let json = self.request.as_ref().filter(|json| is_object(json))?;
        let source = if self.verb_is_patch { "patch" } else { "request" };
        Some(Body { json, source, whole: !self.verb_is_patch })
    }

    /// The patch, where the request is a patch that the log shows.
    fn patch(&self) -> Option<&Json<'a>> {
        self.request.as_ref().filter(|_| self.verb_is_patch)
    }
}

/// The workload written through the main resource; `None` for a patch that leaves the pod template alone.
pub(crate) fn workload<'a>(kind: &WorkloadKind, bodies: &Bodies<'a>) -> Option<Workload<'a>> {
    let has_template = |json: &Json<'a>| {
        kind.templates.iter().any(|template| !nodes(json, template.spec).is_empty())
    };
    if let Some(patch) = bodies.patch()
        && !has_template(patch)
    {
        patch.get("spec")?;
        return Some(rows(kind, &Body { json: patch, source: "patch", whole: false }));
    }
    let Some(body) = bodies.best(has_template) else {
        return Some(Workload {
            kind: Some(kind.kind.into()),
            body_source: Some("none".into()),
            ..Workload::default()
        });
    };
    Some(rows(kind, &body))
}

/// The workload written through `pods/ephemeralcontainers`: only the ephemeral containers are written.
pub(crate) fn ephemeral_containers<'a>(bodies: &Bodies<'a>) -> Workload<'a> {
    fn holder<'b, 'a>(json: &'b Json<'a>) -> Option<&'b Json<'a>> {
        // Until 1.22 the body was a kind of its own, with the list at the top.
        let holders = [json.get("spec"), Some(json)];
        holders.into_iter().flatten().find(|spec| spec.get("ephemeralContainers").is_some())
    }
    let mut workload = Workload { kind: Some("Pod".into()), ..Workload::default() };
    let Some(body) = bodies.best(|json| holder(json).is_some()) else {
        workload.body_source = Some("none".into());
        return workload;
    };
    workload.body_source = Some(body.source.into());
    workload.containers = holder(body.json)
        .map(|spec| containers(spec, "ephemeralContainers", "ephemeral", body.whole));
    workload
}

/// The role or binding that a request writes; `None` for a patch that leaves what it grants alone.
pub(crate) fn rbac<'a>(kind: &'static str, bodies: &Bodies<'a>) -> Option<Rbac<'a>> {
    let mut rbac = Rbac { kind: Some(kind.into()), ..Rbac::default() };
    let is_object = |json: &Json<'a>| {
        ["rules", "roleRef", "subjects", "aggregationRule"]
            .iter()
            .any(|key| json.get(key).is_some())
    };
    if bodies.patch().is_some_and(|patch| !is_object(patch)) {
        return None;
    }
    let Some(body) = bodies.best(is_object) else {
        rbac.body_source = Some("none".into());
        return Some(rbac);
    };
    rbac.body_source = Some(body.source.into());
    if let Some(role) = body.json.get("roleRef") {
        rbac.role_kind = role.text("kind");
        rbac.role_name = role.text("name");
    }
    rbac.subjects = list_of(body.json, "subjects", |subject| Subject {
        kind: subject.text("kind"),
        name: subject.text("name"),
        namespace: subject.text("namespace"),
    });
    rbac.rules = list_of(body.json, "rules", |rule| PolicyRule {
        api_groups: rule.texts("apiGroups"),
        resources: rule.texts("resources"),
        resource_names: rule.texts("resourceNames"),
        verbs: rule.texts("verbs"),
        non_resource_urls: rule.texts("nonResourceURLs"),
    });
    Some(rbac)
}

fn list_of<'a, T>(json: &Json<'a>, key: &str, row: impl Fn(&Json<'a>) -> T) -> Option<Vec<T>> {
    let elements = json.get(key)?.elements()?;
    Some(elements.iter().filter(|element| **element != Json::Null).map(row).collect())
}

/// All values at a path, where `*` steps into every element or member.
fn nodes<'b, 'a>(json: &'b Json<'a>, path: &[&str]) -> Vec<&'b Json<'a>> {
    let Some((first, rest)) = path.split_first() else { return vec![json] };
    match (*first, json) {
        ("*", Json::Array(elements)) => elements.iter().flat_map(|e| nodes(e, rest)).collect(),
        ("*", Json::Object(members)) => members.iter().flat_map(|(_, m)| nodes(m, rest)).collect(),
        (key, json) => json.get(key).map(|child| nodes(child, rest)).unwrap_or_default(),
    }
}

/// A boolean whose default is `false`: three-valued, because a partial body does not show what it leaves alone.
fn posture(json: Option<&Json<'_>>, key: &str, whole: bool) -> Option<bool> {
    match json.and_then(|json| json.member(key)) {
        Some(Json::Bool(value)) => Some(*value),
        Some(Json::Null) => Some(false),
        Some(_) => None,
        None => whole.then_some(false),
    }
}

fn rows<'a>(kind: &WorkloadKind, body: &Body<'_, 'a>) -> Workload<'a> {
    let json = body.json;
    let metadata = json.get("metadata");
    let mut workload = Workload {
        kind: Some(kind.kind.into()),
        body_source: Some(body.source.into()),
        generate_name: metadata.and_then(|metadata| metadata.text("generateName")),
        owner: metadata.and_then(owner),
        labels: metadata.and_then(|metadata| metadata.text_map("labels")),
        annotations: metadata.and_then(annotations),
        ..Workload::default()
    };
    if let Some(spec) = json.get("spec") {
        workload.replicas = spec.int("replicas");
        workload.parallelism = spec.int("parallelism");
        workload.completions = spec.int("completions");
        workload.schedule = spec.text("schedule");
        workload.time_zone = spec.text("timeZone");
        workload.suspend = spec.bool("suspend");
    }
    for template in kind.templates {
        template_rows(&mut workload, body, template);
    }
    pod_security::evaluate(&mut workload, body.whole);
    workload
}

fn owner<'a>(metadata: &Json<'a>) -> Option<Owner<'a>> {
    let owners = metadata.list("ownerReferences");
    let controls = |owner: &&Json<'a>| owner.bool("controller") == Some(true);
    let owner = owners.iter().find(controls).or(owners.first())?;
    Some(Owner {
        kind: owner.text("kind"),
        name: owner.text("name"),
        uid: owner.text("uid"),
        controller: owner.bool("controller"),
    })
}

fn annotations<'a>(metadata: &Json<'a>) -> Option<Map<'a, Text<'a>>> {
    // A copy of the whole object, which is in the body already.
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let mut annotations = metadata.text_map("annotations")?;
    annotations.0.retain(|(key, _)| &**key != LAST_APPLIED);
    Some(annotations)
}

/// Adds one pod template. Most kinds have one; of several, booleans are true if one of them is.
fn template_rows<'a>(workload: &mut Workload<'a>, body: &Body<'_, 'a>, template: &Template) {
    let whole = body.whole;
    if let Some(metadata) = nodes(body.json, template.metadata).first() {
        workload.pod_labels = metadata.text_map("labels");
        workload.pod_annotations = annotations(metadata);
    }
    for spec in nodes(body.json, template.spec) {
        let any = |old: Option<bool>, key| match (old, posture(Some(spec), key, whole)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (old, new) => new.or(old),
        };
        workload.host_pid = any(workload.host_pid, "hostPID");
        workload.host_ipc = any(workload.host_ipc, "hostIPC");
        workload.host_network = any(workload.host_network, "hostNetwork");
        workload.share_process_namespace =
            any(workload.share_process_namespace, "shareProcessNamespace");
        workload.host_users = spec.bool("hostUsers");
        workload.os = spec.get("os").and_then(|os| os.text("name"));
        workload.service_account_name =
            spec.text("serviceAccountName").or_else(|| spec.text("serviceAccount"));
        workload.automount_service_account_token = spec.bool("automountServiceAccountToken");
        workload.node_name = spec.text("nodeName");
        workload.node_selector = spec.text_map("nodeSelector");
        workload.node_affinity = node_affinity(spec);
        workload.tolerations = list_of(spec, "tolerations", |toleration| Toleration {
            key: toleration.text("key"),
            operator: toleration.text("operator"),
            value: toleration.text("value"),
            effect: toleration.text("effect"),
        });
        workload.priority_class_name = spec.text("priorityClassName");
        workload.runtime_class_name = spec.text("runtimeClassName");
        workload.scheduler_name = spec.text("schedulerName");
        workload.image_pull_secrets = names(spec, "imagePullSecrets");
        workload.host_aliases = host_aliases(spec);
        workload.dns_policy = spec.text("dnsPolicy");
        workload.dns_nameservers = spec.get("dnsConfig").and_then(|dns| dns.texts("nameservers"));
        if let Some(context) = spec.get("securityContext") {
            pod_security_context(workload, context);
        }
        if let Some(volumes) = list_of(spec, "volumes", volume) {
            workload.volumes.get_or_insert_default().extend(volumes);
        }
        let lists = [
            ("initContainers", "init"),
            ("containers", "container"),
            ("ephemeralContainers", "ephemeral"),
            // Argo Workflows and Tekton.
            ("sidecars", "container"),
            ("steps", "container"),
        ];
        for (key, role) in lists {
            let rows = containers(spec, key, role, whole);
            if !rows.is_empty() {
                workload.containers.get_or_insert_default().extend(rows);
            }
        }
        for key in ["container", "script"] {
            if let Some(json @ Json::Object(_)) = spec.get(key) {
                let row = container(json, "container", whole);
                workload.containers.get_or_insert_default().push(row);
            }
        }
    }
}

fn names<'a>(json: &Json<'a>, key: &str) -> Option<Vec<Text<'a>>> {
    Some(json.get(key)?.elements()?.iter().filter_map(|element| element.text("name")).collect())
}

fn node_affinity<'a>(spec: &Json<'a>) -> Option<Vec<NodeSelectorRequirement<'a>>> {
    const REQUIRED: [&str; 3] =
        ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    let terms = spec.at(&REQUIRED)?.list("nodeSelectorTerms").iter();
    let requirements = terms
        .flat_map(|term| term.list("matchExpressions").iter().chain(term.list("matchFields")))
        .map(|requirement| NodeSelectorRequirement {
            key: requirement.text("key"),
            operator: requirement.text("operator"),
            values: requirement.texts("values"),
        });
    Some(requirements.collect())
}

fn host_aliases<'a>(spec: &Json<'a>) -> Option<Vec<Text<'a>>> {
    list_of(spec, "hostAliases", |alias| {
        let mut line = alias.text("ip").unwrap_or_default().to_string();
        for name in alias.texts("hostnames").unwrap_or_default() {
            line.push(' ');
            line.push_str(&name);
        }
        Text::from(line)
    })
}

fn pod_security_context<'a>(workload: &mut Workload<'a>, context: &Json<'a>) {
    workload.run_as_user = context.int("runAsUser");
    workload.run_as_group = context.int("runAsGroup");
    workload.run_as_non_root = context.bool("runAsNonRoot");
    workload.fs_group = context.int("fsGroup");
    workload.supplemental_groups =
        context.get("supplementalGroups").and_then(Json::elements).map(|groups| {
            groups
                .iter()
                .filter_map(|group| match group {
                    Json::Number(number) => *number,
                    _ => None,
                })
                .collect()
        });
    workload.sysctls = list_of(context, "sysctls", |sysctl| NameValue {
        name: sysctl.text("name"),
        value: sysctl.text("value"),
    });
    workload.seccomp_profile = profile(context, "seccompProfile");
    workload.app_armor_profile = profile(context, "appArmorProfile");
    workload.se_linux_options = se_linux_options(context);
    workload.host_process = host_process(context);
}

fn profile<'a>(context: &Json<'a>, key: &str) -> Option<Text<'a>> {
    context.get(key)?.text("type")
}

fn host_process(context: &Json<'_>) -> Option<bool> {
    context.get("windowsOptions")?.bool("hostProcess")
}

fn se_linux_options<'a>(context: &Json<'a>) -> Option<SeLinuxOptions<'a>> {
    let options = context.get("seLinuxOptions")?;
    Some(SeLinuxOptions {
        r#type: options.text("type"),
        user: options.text("user"),
        role: options.text("role"),
        level: options.text("level"),
    })
}

fn volume<'a>(json: &Json<'a>) -> Volume<'a> {
    let source = |key: &str, field: &str| json.get(key).and_then(|source| source.text(field));
    let host_path_raw = source("hostPath", "path");
    let r#type = match json {
        Json::Object(members) => members
            .iter()
            .find(|(key, value)| &**key != "name" && matches!(value, Json::Object(_)))
            .map(|(key, _)| key.clone()),
        _ => None,
    };
    let projections = json.get("projected").map(|projected| projected.list("sources"));
    Volume {
        name: json.text("name"),
        r#type,
        host_path: host_path_raw.as_deref().map(|path| normalize_host_path(path).into()),
        host_path_raw,
        host_path_type: source("hostPath", "type"),
        secret_name: source("secret", "secretName"),
        config_map_name: source("configMap", "name"),
        claim_name: source("persistentVolumeClaim", "claimName"),
        driver: source("csi", "driver").or_else(|| source("flexVolume", "driver")),
        image_reference: source("image", "reference"),
        projected_secrets: projections
            .map(|sources| sources.iter().filter_map(|s| s.get("secret")?.text("name")).collect()),
        projected_tokens: projections.map(|sources| {
            let tokens = sources.iter().filter_map(|source| source.get("serviceAccountToken"));
            tokens
                .map(|token| ProjectedToken {
                    audience: token.text("audience"),
                    expiration_seconds: token.int("expirationSeconds"),
                    path: token.text("path"),
                })
                .collect()
        }),
    }
}

fn containers<'a>(
    spec: &Json<'a>,
    key: &str,
    role: &'static str,
    whole: bool,
) -> Vec<Container<'a>> {
    let is_object = |json: &&Json<'a>| matches!(json, Json::Object(_));
    spec.list(key).iter().filter(is_object).map(|json| container(json, role, whole)).collect()
}

fn container<'a>(json: &Json<'a>, role: &'static str, whole: bool) -> Container<'a> {
    let image = json.text("image");
    let parts = image.as_deref().map(ImageReference::split);
    let owned = |part: &str| Text::from(part.to_owned());
    let context = json.get("securityContext");
    let bool = |key| context.and_then(|context| context.bool(key));
    let int = |key| context.and_then(|context| context.int(key));
    let capabilities = |key| {
        let names = context?.get("capabilities")?.texts(key)?;
        Some(names.into_iter().map(capability).collect())
    };
    let resources = |key| json.get("resources").and_then(|resources| resources.text_map(key));
    Container {
        role: Some(role.into()),
        name: json.text("name"),
        registry: parts.map(|parts| owned(parts.registry)),
        repository: parts.map(|parts| owned(&parts.repository())),
        tag: parts.and_then(|parts| parts.tag).map(owned),
        digest: parts.and_then(|parts| parts.digest).map(owned),
        image_pull_policy: json.text("imagePullPolicy"),
        command: json.texts("command"),
        args: json.texts("args"),
        working_dir: json.text("workingDir"),
        handlers: handlers(json),
        stdin: posture(Some(json), "stdin", whole),
        tty: posture(Some(json), "tty", whole),
        privileged: posture(context, "privileged", whole),
        allow_privilege_escalation: bool("allowPrivilegeEscalation"),
        capabilities_add: capabilities("add"),
        capabilities_drop: capabilities("drop"),
        run_as_user: int("runAsUser"),
        run_as_group: int("runAsGroup"),
        run_as_non_root: bool("runAsNonRoot"),
        read_only_root_filesystem: bool("readOnlyRootFilesystem"),
        proc_mount: context.and_then(|context| context.text("procMount")),
        seccomp_profile: context.and_then(|context| profile(context, "seccompProfile")),
        app_armor_profile: context.and_then(|context| profile(context, "appArmorProfile")),
        se_linux_options: context.and_then(se_linux_options),
        host_process: context.and_then(host_process),
        ports: list_of(json, "ports", |port| ContainerPort {
            container_port: port.int("containerPort"),
            host_port: port.int("hostPort"),
            host_ip: port.text("hostIP"),
            protocol: port.text("protocol"),
        }),
        volume_mounts: list_of(json, "volumeMounts", |mount| VolumeMount {
            name: mount.text("name"),
            mount_path: mount.text("mountPath"),
            sub_path: mount.text("subPath"),
            read_only: posture(Some(mount), "readOnly", whole),
            mount_propagation: mount.text("mountPropagation"),
        }),
        env: list_of(json, "env", |env| {
            let secret = env.at(&["valueFrom", "secretKeyRef"]);
            EnvVar {
                name: env.text("name"),
                value: env.text("value"),
                secret_name: secret.and_then(|secret| secret.text("name")),
                secret_key: secret.and_then(|secret| secret.text("key")),
            }
        }),
        env_from_secrets: json.get("envFrom").and_then(Json::elements).map(|sources| {
            sources.iter().filter_map(|source| source.get("secretRef")?.text("name")).collect()
        }),
        limits: resources("limits"),
        requests: resources("requests"),
        target_container_name: json.text("targetContainerName"),
        image,
    }
}

/// A capability name in the form of the kernel's headers, without `CAP_`.
fn capability(name: Text<'_>) -> Text<'_> {
    let is_normal = |byte: u8| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit();
    if name.bytes().all(is_normal) && !name.starts_with("CAP_") {
        return name;
    }
    let upper = name.to_ascii_uppercase();
    upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned().into()
}

fn handlers<'a>(container: &Json<'a>) -> Option<Vec<Handler<'a>>> {
    let lifecycle = container.get("lifecycle");
    let hooks = ["postStart", "preStop"].map(|name| (name, lifecycle));
    let probes = ["livenessProbe", "readinessProbe", "startupProbe"];
    let probes = probes.map(|name| (name, Some(container)));
    let rows: Vec<_> = hooks
        .into_iter()
        .chain(probes)
        .filter_map(|(name, holder)| {
            let handler = holder?.get(name)?;
            let host = |key| handler.get(key).and_then(|action| action.text("host"));
            Some(Handler {
                name: Some(name.into()),
                command: handler.get("exec").and_then(|exec| exec.texts("command")),
                host: host("httpGet").or_else(|| host("tcpSocket")),
            })
        })
        .collect();
    (!rows.is_empty()).then_some(rows)
}

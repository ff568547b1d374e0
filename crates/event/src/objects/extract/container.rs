//! The containers of a pod template.

use crate::column::Text;
use crate::json::value::Json;
use crate::objects::fields::{is_removed, list_of, posture};
use crate::objects::image::ImageReference;
use crate::objects::workload::{
    Container, ContainerPort, EnvVar, Handler, SeLinuxOptions, Volume, VolumeDevice, VolumeMount,
};

/// The container lists of a pod spec, with the role of their containers.
const LISTS: [(&str, &str); 5] = [
    ("initContainers", "init"),
    ("containers", "container"),
    ("ephemeralContainers", "ephemeral"),
    // Argo Workflows and Tekton.
    ("sidecars", "container"),
    ("steps", "container"),
];

/// The member with several main containers in an Argo Workflows template.
const CONTAINER_SET: &str = "containerSet";

/// Single containers: those of an Argo Workflows template, and the defaults of Tekton steps.
const SINGLE: [&str; 3] = ["container", "script", "stepTemplate"];

/// Returns all containers of a pod spec; `None` if it has none.
pub(super) fn containers<'a>(spec: &Json<'a>, whole: bool) -> Option<Vec<Container<'a>>> {
    let mut rows = Vec::new();
    for (key, role) in LISTS {
        rows.extend(containers_of(spec, key, role, whole));
    }
    if let Some(set) = spec.get(CONTAINER_SET) {
        rows.extend(containers_of(set, "containers", "container", whole));
    }
    for key in SINGLE {
        if let Some(json @ Json::Object(_)) = spec.get(key) {
            rows.push(container(json, "container", whole));
        }
    }
    (!rows.is_empty()).then_some(rows)
}

/// Returns whether a pod spec shows any container: a whole pod spec has at least one.
pub(super) fn has_containers(spec: &Json<'_>) -> bool {
    LISTS.iter().any(|(key, _)| !spec.list(key).is_empty())
        || spec.get(CONTAINER_SET).is_some()
        || SINGLE.iter().any(|key| matches!(spec.get(key), Some(Json::Object(_))))
}

/// Returns the containers of one list.
pub(super) fn containers_of<'a>(
    spec: &Json<'a>,
    key: &str,
    role: &'static str,
    whole: bool,
) -> Vec<Container<'a>> {
    let is_container = |json: &&Json<'a>| matches!(json, Json::Object(_)) && !is_removed(json);
    spec.list(key).iter().filter(is_container).map(|json| container(json, role, whole)).collect()
}

pub(super) fn container<'a>(json: &Json<'a>, role: &'static str, whole: bool) -> Container<'a> {
    let image = json.text("image");
    let parts = image.as_deref().map(ImageReference::split);
    let owned = |part: &str| Text::from(part.to_owned());
    let context = json.get("securityContext");
    let bool = |key| context.and_then(|context| context.bool(key));
    let int = |key| context.and_then(|context| context.int(key));
    let capabilities = |key| context?.get("capabilities")?.texts(key);
    let capabilities_add_raw = capabilities("add");
    let capabilities_drop_raw = capabilities("drop");
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
        capabilities_add: capabilities_add_raw.clone().map(normal_capabilities),
        capabilities_add_raw,
        capabilities_drop: capabilities_drop_raw.clone().map(normal_capabilities),
        capabilities_drop_raw,
        run_as_user: int("runAsUser"),
        run_as_group: int("runAsGroup"),
        run_as_non_root: bool("runAsNonRoot"),
        read_only_root_filesystem: bool("readOnlyRootFilesystem"),
        proc_mount: context.and_then(|context| context.text("procMount")),
        seccomp_profile: profile(context, "seccompProfile", "type"),
        seccomp_localhost_profile: profile(context, "seccompProfile", "localhostProfile"),
        app_armor_profile: profile(context, "appArmorProfile", "type"),
        app_armor_localhost_profile: profile(context, "appArmorProfile", "localhostProfile"),
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
        volume_devices: list_of(json, "volumeDevices", |device| VolumeDevice {
            name: device.text("name"),
            device_path: device.text("devicePath"),
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
        env_from_secrets: list_of(json, "envFrom", |source| source.get("secretRef")?.text("name"))
            .map(|names| names.into_iter().flatten().collect()),
        limits: resources("limits"),
        requests: resources("requests"),
        target_container_name: json.text("targetContainerName"),
        image,
    }
}

/// Returns the row of an image volume, which shares only the image with a container.
pub(super) fn image_container<'a>(volume: &Volume<'a>) -> Option<Container<'a>> {
    let image = volume.image_reference.as_ref()?;
    let parts = ImageReference::split(image);
    let owned = |part: &str| Text::from(part.to_owned());
    let name = volume.name.as_deref().unwrap_or_default();
    Some(Container {
        role: Some("volume".into()),
        name: Some(format!("volumes/{name}").into()),
        registry: Some(owned(parts.registry)),
        repository: Some(owned(&parts.repository())),
        tag: parts.tag.map(owned),
        digest: parts.digest.map(owned),
        image: Some(image.clone()),
        ..Container::default()
    })
}

/// Returns a member of a seccomp or AppArmor profile.
pub(super) fn profile<'a>(context: Option<&Json<'a>>, key: &str, member: &str) -> Option<Text<'a>> {
    context?.get(key)?.text(member)
}

pub(super) fn host_process(context: &Json<'_>) -> Option<bool> {
    context.get("windowsOptions")?.bool("hostProcess")
}

pub(super) fn se_linux_options<'a>(context: &Json<'a>) -> Option<SeLinuxOptions<'a>> {
    let options = context.get("seLinuxOptions")?;
    Some(SeLinuxOptions {
        r#type: options.text("type"),
        user: options.text("user"),
        role: options.text("role"),
        level: options.text("level"),
    })
}

/// Returns capability names as in the kernel's headers, without `CAP_`.
fn normal_capabilities(names: Vec<Text<'_>>) -> Vec<Text<'_>> {
    names.into_iter().map(normal_capability).collect()
}

fn normal_capability(name: Text<'_>) -> Text<'_> {
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
            let host = |key| {
                let host = handler.get(key).and_then(|action| action.text("host"));
                host.filter(|host| !host.is_empty())
            };
            Some(Handler {
                name: Some(name.into()),
                command: handler.get("exec").and_then(|exec| exec.texts("command")),
                host: host("httpGet").or_else(|| host("tcpSocket")),
            })
        })
        .collect();
    (!rows.is_empty()).then_some(rows)
}

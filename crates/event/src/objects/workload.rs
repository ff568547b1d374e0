//! What a request writes when it writes pods: the pod template of every kind that carries one.
//!
//! Posture is three-valued. Where a whole object is visible, an absent field has the API's default, `false`.
//! Where only a patch is visible, an absent field is null: not visible in this log, never "safe".

use crate::analysis::posture::PostureFact;
use crate::patch::json_patch::Copied;
use crate::row;
use crate::tables::column::{Map, Text};

row! {
    /// The workload that a request writes.
    pub struct Workload<'a> builds WorkloadBuilder {
        /// The API kind, such as `Pod`, `Deployment` or `CronJob`.
        pub kind: Option<Text<'a>>,
        /// `metadata.generateName`.
        pub generate_name: Option<Text<'a>>,
        /// Which body the row shows: `response`, `request`, `patch` or `none`; in the views also `version`, what a patch makes of the version before.
        pub body_source: Option<Text<'a>>,
        /// The controlling owner reference, else the first one.
        pub owner: Option<Owner<'a>>,
        /// All owner references.
        pub owners: Option<Vec<Owner<'a>>>,
        /// `metadata.labels`.
        pub labels: Option<Map<'a, Text<'a>>>,
        /// `metadata.annotations`, without `kubectl.kubernetes.io/last-applied-configuration`.
        pub annotations: Option<Map<'a, Text<'a>>>,
        /// `metadata.managedFields[].manager`, each once: who has set fields of the object. Many clusters do not log it.
        pub field_managers: Option<Vec<Text<'a>>>,
        /// Labels of the pod template; of the pod itself where the kind is `Pod`.
        pub pod_labels: Option<Map<'a, Text<'a>>>,
        /// Annotations of the pod template; of the pod itself where the kind is `Pod`.
        pub pod_annotations: Option<Map<'a, Text<'a>>>,
        /// `hostPID`.
        pub host_pid: Option<bool>,
        /// `hostIPC`.
        pub host_ipc: Option<bool>,
        /// `hostNetwork`.
        pub host_network: Option<bool>,
        /// `hostUsers`; null where unset, which means `true`.
        pub host_users: Option<bool>,
        /// `os.name`: `linux` or `windows`; null where unset.
        pub os: Option<Text<'a>>,
        /// `shareProcessNamespace`.
        pub share_process_namespace: Option<bool>,
        /// `serviceAccountName`, else the older `serviceAccount`.
        pub service_account_name: Option<Text<'a>>,
        /// `automountServiceAccountToken`; null where unset.
        pub automount_service_account_token: Option<bool>,
        /// `nodeName`: the pod skips the scheduler.
        pub node_name: Option<Text<'a>>,
        /// `nodeSelector`.
        pub node_selector: Option<Map<'a, Text<'a>>>,
        /// `affinity.nodeAffinity`, required terms: every key with its operator and values.
        pub node_affinity: Option<Vec<NodeSelectorRequirement<'a>>>,
        /// `affinity.nodeAffinity`, preferred terms, likewise.
        pub preferred_node_affinity: Option<Vec<NodeSelectorRequirement<'a>>>,
        /// `tolerations`.
        pub tolerations: Option<Vec<Toleration<'a>>>,
        /// `priorityClassName`.
        pub priority_class_name: Option<Text<'a>>,
        /// `runtimeClassName`.
        pub runtime_class_name: Option<Text<'a>>,
        /// `schedulerName`.
        pub scheduler_name: Option<Text<'a>>,
        /// `securityContext.runAsUser` of the pod.
        pub run_as_user: Option<i64>,
        /// `securityContext.runAsGroup` of the pod.
        pub run_as_group: Option<i64>,
        /// `securityContext.runAsNonRoot` of the pod; null where unset.
        pub run_as_non_root: Option<bool>,
        /// `securityContext.fsGroup`.
        pub fs_group: Option<i64>,
        /// `securityContext.supplementalGroups`.
        pub supplemental_groups: Option<Vec<i64>>,
        /// `securityContext.sysctls`.
        pub sysctls: Option<Vec<NameValue<'a>>>,
        /// `securityContext.seccompProfile.type` of the pod.
        pub seccomp_profile: Option<Text<'a>>,
        /// `securityContext.seccompProfile.localhostProfile` of the pod.
        pub seccomp_localhost_profile: Option<Text<'a>>,
        /// `securityContext.appArmorProfile.type` of the pod.
        pub app_armor_profile: Option<Text<'a>>,
        /// `securityContext.appArmorProfile.localhostProfile` of the pod.
        pub app_armor_localhost_profile: Option<Text<'a>>,
        /// `securityContext.seLinuxOptions` of the pod.
        pub se_linux_options: Option<SeLinuxOptions<'a>>,
        /// `securityContext.windowsOptions.hostProcess` of the pod.
        pub host_process: Option<bool>,
        /// `imagePullSecrets`, by name.
        pub image_pull_secrets: Option<Vec<Text<'a>>>,
        /// `hostAliases`, as `IP name name …`.
        pub host_aliases: Option<Vec<Text<'a>>>,
        /// `dnsPolicy`.
        pub dns_policy: Option<Text<'a>>,
        /// `dnsConfig.nameservers`.
        pub dns_nameservers: Option<Vec<Text<'a>>>,
        /// `dnsConfig.searches`.
        pub dns_searches: Option<Vec<Text<'a>>>,
        /// `dnsConfig.options`.
        pub dns_options: Option<Vec<NameValue<'a>>>,
        /// `spec.replicas`.
        pub replicas: Option<i64>,
        /// `spec.parallelism` of a Job, or of the jobs of a CronJob.
        pub parallelism: Option<i64>,
        /// `spec.completions` of a Job, or of the jobs of a CronJob.
        pub completions: Option<i64>,
        /// `spec.schedule` of a CronJob.
        pub schedule: Option<Text<'a>>,
        /// `spec.timeZone` of a CronJob.
        pub time_zone: Option<Text<'a>>,
        /// `spec.suspend` of a CronJob or Job; null where unset.
        pub suspend: Option<bool>,
        /// The volumes.
        pub volumes: Option<Vec<Volume<'a>>>,
        /// The containers of all three roles. On `pods/ephemeralcontainers` only the ephemeral ones: the request writes no others.
        pub containers: Option<Vec<Container<'a>>>,
        /// The Pod Security level that the pod template reaches, latest version: `privileged`, `baseline` or `restricted`. Null where the body does not decide it.
        pub pod_security_level: Option<Text<'a>>,
        /// Ids of the Pod Security checks of the latest version that are seen to fail, such as `hostNamespaces`.
        pub pod_security_failed: Option<Vec<Text<'a>>>,
        /// Every Pod Security check that is seen to fail in some version of the standards. A last element of nulls says
        /// that the body does not decide the other checks.
        pub pod_security_violations: Option<Vec<PodSecurityViolation<'a>>>,
        /// The fields to which a JSON Patch copies or moves a value.
        pub copied: Option<Vec<CopiedField<'a>>>,
        /// A digest of what the pod template may do and runs: privileges, host namespaces and paths, account, images, commands. Equal for an owner and what its controller makes from it. Of what a controller writes it is that of the request, before admission. Null where no whole template is visible.
        pub posture: Option<Text<'a>>,
        /// Of what a controller creates: what the stored object may do or runs beyond the request, put there by a webhook or policy on the way. Null where one of the two bodies is not visible.
        pub added_by_admission: Option<Vec<PostureFact<'a>>>,
        /// `spec.volumeClaimTemplates` of a StatefulSet.
        pub claim_templates: Option<Vec<ClaimTemplate<'a>>>,
    }
}

row! {
    /// A field to which a JSON Patch copies or moves a value.
    pub struct CopiedField<'a> builds CopiedFieldBuilder {
        /// The names on the way to the field, without positions in lists, such as `spec.template.spec.containers.image`. Empty is the whole object: the patch does more than can be followed.
        pub field: Option<Text<'a>>,
        /// The value, as JSON text; null where it comes from a version of the object that is not in the log.
        pub value: Option<Text<'a>>,
    }
}

impl CopiedField<'_> {
    pub(crate) fn of(copied: &Copied) -> Self {
        Self {
            field: Some(copied.field.clone().into()),
            value: copied.value.clone().map(Text::from),
        }
    }
}

row! {
    /// A claim of which each pod of a StatefulSet gets its own.
    pub struct ClaimTemplate<'a> builds ClaimTemplateBuilder {
        /// `metadata.name`.
        pub name: Option<Text<'a>>,
        /// `spec.storageClassName`.
        pub storage_class: Option<Text<'a>>,
        /// `spec.volumeName`: the PersistentVolume that is asked for.
        pub volume_name: Option<Text<'a>>,
    }
}

row! {
    /// A Pod Security check that fails.
    pub struct PodSecurityViolation<'a> builds PodSecurityViolationBuilder {
        /// The check's id, such as `hostNamespaces`.
        pub check: Option<Text<'a>>,
        /// The level that asks for it: `baseline` or `restricted`.
        pub level: Option<Text<'a>>,
        /// The first minor version 1.x of the standards in which it fails.
        pub since: Option<i32>,
        /// The last minor version in which it fails; null where it still does.
        pub until: Option<i32>,
    }
}

row! {
    /// An owner reference.
    pub struct Owner<'a> builds OwnerBuilder {
        /// The owner's kind.
        pub kind: Option<Text<'a>>,
        /// The owner's name.
        pub name: Option<Text<'a>>,
        /// The owner's uid.
        pub uid: Option<Text<'a>>,
        /// Whether the owner is the managing controller.
        pub controller: Option<bool>,
    }
}

row! {
    /// One requirement of a required node affinity term.
    pub struct NodeSelectorRequirement<'a> builds NodeSelectorRequirementBuilder {
        /// The label or field key.
        pub key: Option<Text<'a>>,
        /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
        pub operator: Option<Text<'a>>,
        /// The values.
        pub values: Option<Vec<Text<'a>>>,
    }
}

row! {
    /// A toleration of a taint.
    pub struct Toleration<'a> builds TolerationBuilder {
        /// The taint key; null with `Exists` tolerates every taint.
        pub key: Option<Text<'a>>,
        /// `Exists` or `Equal`.
        pub operator: Option<Text<'a>>,
        /// The taint value.
        pub value: Option<Text<'a>>,
        /// The taint effect; null is every effect.
        pub effect: Option<Text<'a>>,
    }
}

row! {
    /// A name with a value.
    pub struct NameValue<'a> builds NameValueBuilder {
        /// The name.
        pub name: Option<Text<'a>>,
        /// The value.
        pub value: Option<Text<'a>>,
    }
}

row! {
    /// `seLinuxOptions`.
    pub struct SeLinuxOptions<'a> builds SeLinuxOptionsBuilder {
        /// `type`.
        pub r#type: Option<Text<'a>>,
        /// `user`.
        pub user: Option<Text<'a>>,
        /// `role`.
        pub role: Option<Text<'a>>,
        /// `level`.
        pub level: Option<Text<'a>>,
    }
}

row! {
    /// A volume of the pod template.
    pub struct Volume<'a> builds VolumeBuilder {
        /// The volume's name.
        pub name: Option<Text<'a>>,
        /// The type key of the volume source, such as `hostPath`, `secret` or `emptyDir`.
        pub r#type: Option<Text<'a>>,
        /// `hostPath.path`, normalised: no `//`, `.`, `..` or trailing `/`, and `/var/run` as `/run`.
        pub host_path: Option<Text<'a>>,
        /// `hostPath.path` as written.
        pub host_path_raw: Option<Text<'a>>,
        /// `hostPath.type`.
        pub host_path_type: Option<Text<'a>>,
        /// `secret.secretName`.
        pub secret_name: Option<Text<'a>>,
        /// `configMap.name`.
        pub config_map_name: Option<Text<'a>>,
        /// `persistentVolumeClaim.claimName`.
        pub claim_name: Option<Text<'a>>,
        /// `csi.driver` or `flexVolume.driver`.
        pub driver: Option<Text<'a>>,
        /// `image.reference`.
        pub image_reference: Option<Text<'a>>,
        /// `projected.sources[].secret.name`.
        pub projected_secrets: Option<Vec<Text<'a>>>,
        /// `projected.sources[].serviceAccountToken`.
        pub projected_tokens: Option<Vec<ProjectedToken<'a>>>,
        /// The server, repository or share from which the volume comes, where it names one: `nfs.server`, `iscsi.targetPortal`, `gitRepo.repository`, the first monitor of Ceph, `server` among the attributes of a CSI driver.
        pub source: Option<Text<'a>>,
        /// `gitRepo.directory`.
        pub git_directory: Option<Text<'a>>,
        /// `ephemeral.volumeClaimTemplate.spec.storageClassName`.
        pub claim_storage_class: Option<Text<'a>>,
    }
}

row! {
    /// A projected service account token.
    pub struct ProjectedToken<'a> builds ProjectedTokenBuilder {
        /// The audience; null is the API server.
        pub audience: Option<Text<'a>>,
        /// Lifetime, in seconds.
        pub expiration_seconds: Option<i64>,
        /// The path inside the volume.
        pub path: Option<Text<'a>>,
    }
}

row! {
    /// A container of the pod template.
    pub struct Container<'a> builds ContainerBuilder {
        /// `container`, `init` or `ephemeral`; `volume` for an image that is a volume, of which only the image is shown.
        pub role: Option<Text<'a>>,
        /// The container's name; `volumes/` and the volume's for an image that is one.
        pub name: Option<Text<'a>>,
        /// The image as written.
        pub image: Option<Text<'a>>,
        /// The registry host; `docker.io` where the reference names none.
        pub registry: Option<Text<'a>>,
        /// The repository inside the registry; `library/` is added to Docker Hub's one-part names.
        pub repository: Option<Text<'a>>,
        /// The tag; null where there is none (the runtime then takes `latest`).
        pub tag: Option<Text<'a>>,
        /// The digest, such as `sha256:…`.
        pub digest: Option<Text<'a>>,
        /// `imagePullPolicy`.
        pub image_pull_policy: Option<Text<'a>>,
        /// `command`.
        pub command: Option<Vec<Text<'a>>>,
        /// `args`.
        pub args: Option<Vec<Text<'a>>>,
        /// `workingDir`.
        pub working_dir: Option<Text<'a>>,
        /// Commands and hosts of `lifecycle` hooks and probes.
        pub handlers: Option<Vec<Handler<'a>>>,
        /// `stdin`.
        pub stdin: Option<bool>,
        /// `tty`.
        pub tty: Option<bool>,
        /// `securityContext.privileged`.
        pub privileged: Option<bool>,
        /// `securityContext.allowPrivilegeEscalation`; null where unset.
        pub allow_privilege_escalation: Option<bool>,
        /// `securityContext.capabilities.add`, upper-case, without `CAP_`.
        pub capabilities_add: Option<Vec<Text<'a>>>,
        /// `securityContext.capabilities.add` as written.
        pub capabilities_add_raw: Option<Vec<Text<'a>>>,
        /// `securityContext.capabilities.drop`, upper-case, without `CAP_`.
        pub capabilities_drop: Option<Vec<Text<'a>>>,
        /// `securityContext.capabilities.drop` as written.
        pub capabilities_drop_raw: Option<Vec<Text<'a>>>,
        /// `securityContext.runAsUser`.
        pub run_as_user: Option<i64>,
        /// `securityContext.runAsGroup`.
        pub run_as_group: Option<i64>,
        /// `securityContext.runAsNonRoot`; null where unset.
        pub run_as_non_root: Option<bool>,
        /// `securityContext.readOnlyRootFilesystem`; null where unset.
        pub read_only_root_filesystem: Option<bool>,
        /// `securityContext.procMount`.
        pub proc_mount: Option<Text<'a>>,
        /// `securityContext.seccompProfile.type`.
        pub seccomp_profile: Option<Text<'a>>,
        /// `securityContext.seccompProfile.localhostProfile`.
        pub seccomp_localhost_profile: Option<Text<'a>>,
        /// `securityContext.appArmorProfile.type`.
        pub app_armor_profile: Option<Text<'a>>,
        /// `securityContext.appArmorProfile.localhostProfile`.
        pub app_armor_localhost_profile: Option<Text<'a>>,
        /// `securityContext.seLinuxOptions`.
        pub se_linux_options: Option<SeLinuxOptions<'a>>,
        /// `securityContext.windowsOptions.hostProcess`.
        pub host_process: Option<bool>,
        /// `ports`.
        pub ports: Option<Vec<ContainerPort<'a>>>,
        /// `volumeMounts`.
        pub volume_mounts: Option<Vec<VolumeMount<'a>>>,
        /// `volumeDevices`.
        pub volume_devices: Option<Vec<VolumeDevice<'a>>>,
        /// `env`.
        pub env: Option<Vec<EnvVar<'a>>>,
        /// `envFrom[].secretRef.name`.
        pub env_from_secrets: Option<Vec<Text<'a>>>,
        /// `resources.limits`.
        pub limits: Option<Map<'a, Text<'a>>>,
        /// `resources.requests`.
        pub requests: Option<Map<'a, Text<'a>>>,
        /// `targetContainerName` of an ephemeral container.
        pub target_container_name: Option<Text<'a>>,
    }
}

row! {
    /// A lifecycle hook or probe.
    pub struct Handler<'a> builds HandlerBuilder {
        /// `postStart`, `preStop`, `livenessProbe`, `readinessProbe` or `startupProbe`.
        pub name: Option<Text<'a>>,
        /// `exec.command`.
        pub command: Option<Vec<Text<'a>>>,
        /// `httpGet.host` or `tcpSocket.host`; null is the pod itself.
        pub host: Option<Text<'a>>,
    }
}

row! {
    /// A container port.
    pub struct ContainerPort<'a> builds ContainerPortBuilder {
        /// `containerPort`.
        pub container_port: Option<i64>,
        /// `hostPort`; null where unset.
        pub host_port: Option<i64>,
        /// `hostIP`.
        pub host_ip: Option<Text<'a>>,
        /// `protocol`.
        pub protocol: Option<Text<'a>>,
    }
}

row! {
    /// A volume mount.
    pub struct VolumeMount<'a> builds VolumeMountBuilder {
        /// The volume's name.
        pub name: Option<Text<'a>>,
        /// Where it is mounted in the container.
        pub mount_path: Option<Text<'a>>,
        /// `subPath`.
        pub sub_path: Option<Text<'a>>,
        /// `readOnly`.
        pub read_only: Option<bool>,
        /// `mountPropagation`.
        pub mount_propagation: Option<Text<'a>>,
    }
}

row! {
    /// A raw block device.
    pub struct VolumeDevice<'a> builds VolumeDeviceBuilder {
        /// The volume's name.
        pub name: Option<Text<'a>>,
        /// Where the device is in the container.
        pub device_path: Option<Text<'a>>,
    }
}

row! {
    /// An environment variable.
    pub struct EnvVar<'a> builds EnvVarBuilder {
        /// The variable's name.
        pub name: Option<Text<'a>>,
        /// Its literal value.
        pub value: Option<Text<'a>>,
        /// `valueFrom.secretKeyRef.name`.
        pub secret_name: Option<Text<'a>>,
        /// `valueFrom.secretKeyRef.key`.
        pub secret_key: Option<Text<'a>>,
    }
}

//! Workloads that requests write: the pod template of every kind that has one.
//!
//! Posture is three-valued. In a whole object, an absent field has the API's default, `false`. In a patch, an absent
//! field is null: not visible in this log, rather than "safe".

use crate::column::{Map, Text};
use crate::patch::json_patch::Copied;
use crate::row;

row! {
    /// Workload that a request writes.
    pub struct Workload<'a> builds WorkloadBuilder {
        /// API kind, such as `Pod`, `Deployment` or `CronJob`.
        pub kind: Option<Text<'a>>,
        /// `metadata.generateName`.
        pub generate_name: Option<Text<'a>>,
        /// Body that the row shows: `response`, `request`, `patch` or `none`; in the views also `version`, the previous
        /// version with the patch applied.
        pub body_source: Option<Text<'a>>,
        /// Controlling owner reference, else the first one. Null if there is none.
        pub owner: Option<Owner<'a>>,
        /// All owner references.
        pub owners: Option<Vec<Owner<'a>>>,
        /// `metadata.labels`.
        pub labels: Option<Map<'a, Text<'a>>>,
        /// `metadata.annotations`, without `kubectl.kubernetes.io/last-applied-configuration`.
        pub annotations: Option<Map<'a, Text<'a>>>,
        /// `metadata.managedFields[].manager`, without duplicates: the managers that have set fields of the object.
        /// Many clusters do not log it.
        pub field_managers: Option<Vec<Text<'a>>>,
        /// Labels of the pod template, or of the pod itself for kind `Pod`.
        pub pod_labels: Option<Map<'a, Text<'a>>>,
        /// Annotations of the pod template, or of the pod itself for kind `Pod`.
        pub pod_annotations: Option<Map<'a, Text<'a>>>,
        /// `hostPID`.
        pub host_pid: Option<bool>,
        /// `hostIPC`.
        pub host_ipc: Option<bool>,
        /// `hostNetwork`.
        pub host_network: Option<bool>,
        /// `hostUsers`. Null if unset, which means `true`.
        pub host_users: Option<bool>,
        /// `os.name`: `linux` or `windows`. Null if unset.
        pub os: Option<Text<'a>>,
        /// `shareProcessNamespace`.
        pub share_process_namespace: Option<bool>,
        /// `serviceAccountName`, else the deprecated `serviceAccount`.
        pub service_account_name: Option<Text<'a>>,
        /// `automountServiceAccountToken`. Null if unset.
        pub automount_service_account_token: Option<bool>,
        /// `nodeName`: the pod bypasses the scheduler.
        pub node_name: Option<Text<'a>>,
        /// `nodeSelector`.
        pub node_selector: Option<Map<'a, Text<'a>>>,
        /// `affinity.nodeAffinity`, required terms: every key with its operator and values.
        pub node_affinity: Option<Vec<NodeSelectorRequirement<'a>>>,
        /// `affinity.nodeAffinity`, preferred terms: every key with its operator and values.
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
        /// `securityContext.runAsNonRoot` of the pod. Null if unset.
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
        /// `spec.suspend` of a CronJob or Job. Null if unset.
        pub suspend: Option<bool>,
        /// Volumes.
        pub volumes: Option<Vec<Volume<'a>>>,
        /// Containers of all roles. For `pods/ephemeralcontainers` only the ephemeral ones, because the request writes
        /// no others.
        pub containers: Option<Vec<Container<'a>>>,
        /// Pod Security level that the pod template reaches in the latest version: `privileged`, `baseline` or
        /// `restricted`. Null if the body does not determine it.
        pub pod_security_level: Option<Text<'a>>,
        /// Ids of the Pod Security checks of the latest version that certainly fail, such as `hostNamespaces`.
        pub pod_security_failed: Option<Vec<Text<'a>>>,
        /// Every Pod Security check that certainly fails in some version of the standards. A last element of nulls
        /// means that the body does not determine the other checks.
        pub pod_security_violations: Option<Vec<PodSecurityViolation<'a>>>,
        /// Fields to which a JSON Patch copies or moves a value.
        pub copied: Option<Vec<CopiedField<'a>>>,
        /// Digest of the capabilities and programs of the pod template: privileges, host namespaces and paths, account,
        /// images, commands. Equal for an owner and the objects that its controller creates from it. For a controller's
        /// write it is computed from the request, before admission. Null if no whole template is visible.
        pub posture: Option<Text<'a>>,
        /// For an object that a controller creates: posture of the stored object beyond the request, added by an
        /// admission webhook or policy. Null if one of the two bodies is not visible.
        pub added_by_admission: Option<Vec<PostureFact<'a>>>,
        /// `spec.volumeClaimTemplates` of a StatefulSet.
        pub claim_templates: Option<Vec<ClaimTemplate<'a>>>,
    }
}

row! {
    /// Fact of a posture: one thing that a pod may do, or runs.
    pub struct PostureFact<'a> builds PostureFactBuilder {
        /// Kind of the fact: `host pid`, `host ipc`, `host network`, `host process`, `host path`, `service account`,
        /// `sysctl`, `container`, `image`, `command`, `args`, `handler`, `privileged`, `capability`, `user`, `privilege
        /// escalation`, `proc mount` or `writable host path`.
        pub fact: Option<Text<'a>>,
        /// Name of the container. Null for a fact of the pod.
        pub container: Option<Text<'a>>,
        /// Value of the fact, such as the path, the image or the command line. Null if `fact` is complete without one.
        pub value: Option<Text<'a>>,
    }
}

row! {
    /// Field to which a JSON Patch copies or moves a value.
    pub struct CopiedField<'a> builds CopiedFieldBuilder {
        /// Names on the path to the field, without list positions, such as `spec.template.spec.containers.image`. Empty
        /// for the whole object: the patch does more than podtrail can follow.
        pub field: Option<Text<'a>>,
        /// Value as JSON text. Null if it comes from a version of the object that is not in the log.
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
    /// Claim template of a StatefulSet, from which each pod gets its own claim.
    pub struct ClaimTemplate<'a> builds ClaimTemplateBuilder {
        /// `metadata.name`.
        pub name: Option<Text<'a>>,
        /// `spec.storageClassName`.
        pub storage_class: Option<Text<'a>>,
        /// `spec.volumeName`: the requested PersistentVolume.
        pub volume_name: Option<Text<'a>>,
    }
}

row! {
    /// Pod Security check that fails.
    pub struct PodSecurityViolation<'a> builds PodSecurityViolationBuilder {
        /// Id of the check, such as `hostNamespaces`.
        pub check: Option<Text<'a>>,
        /// Level that requires it: `baseline` or `restricted`.
        pub level: Option<Text<'a>>,
        /// First minor version 1.x of the standards in which it fails.
        pub since: Option<i32>,
        /// Last minor version in which it fails. Null if it still fails.
        pub until: Option<i32>,
    }
}

row! {
    /// Owner reference.
    pub struct Owner<'a> builds OwnerBuilder {
        /// Kind of the owner.
        pub kind: Option<Text<'a>>,
        /// Name of the owner.
        pub name: Option<Text<'a>>,
        /// Uid of the owner.
        pub uid: Option<Text<'a>>,
        /// Whether the owner is the managing controller.
        pub controller: Option<bool>,
    }
}

row! {
    /// Requirement of a node affinity term.
    pub struct NodeSelectorRequirement<'a> builds NodeSelectorRequirementBuilder {
        /// Label or field key.
        pub key: Option<Text<'a>>,
        /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
        pub operator: Option<Text<'a>>,
        /// Values.
        pub values: Option<Vec<Text<'a>>>,
    }
}

row! {
    /// Toleration of a taint.
    pub struct Toleration<'a> builds TolerationBuilder {
        /// Taint key. Null with `Exists` tolerates every taint.
        pub key: Option<Text<'a>>,
        /// `Exists` or `Equal`.
        pub operator: Option<Text<'a>>,
        /// Taint value.
        pub value: Option<Text<'a>>,
        /// Taint effect. Null for every effect.
        pub effect: Option<Text<'a>>,
    }
}

row! {
    /// Pair of name and value.
    pub struct NameValue<'a> builds NameValueBuilder {
        /// Name.
        pub name: Option<Text<'a>>,
        /// Value.
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
    /// Volume of the pod template.
    pub struct Volume<'a> builds VolumeBuilder {
        /// Name of the volume.
        pub name: Option<Text<'a>>,
        /// Type key of the volume source, such as `hostPath`, `secret` or `emptyDir`.
        pub r#type: Option<Text<'a>>,
        /// `hostPath.path`, normalized: no `//`, `.`, `..` or trailing `/`, and `/var/run` as `/run`.
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
        /// Server, repository or share of the volume: `nfs.server`, `iscsi.targetPortal`, `gitRepo.repository`, the
        /// first Ceph monitor, or the `server` attribute of a CSI driver. Null if the volume names none.
        pub source: Option<Text<'a>>,
        /// `gitRepo.directory`.
        pub git_directory: Option<Text<'a>>,
        /// `ephemeral.volumeClaimTemplate.spec.storageClassName`.
        pub claim_storage_class: Option<Text<'a>>,
    }
}

row! {
    /// Projected service account token.
    pub struct ProjectedToken<'a> builds ProjectedTokenBuilder {
        /// Audience. Null for the API server.
        pub audience: Option<Text<'a>>,
        /// Lifetime in seconds.
        pub expiration_seconds: Option<i64>,
        /// Path inside the volume.
        pub path: Option<Text<'a>>,
    }
}

row! {
    /// Container of the pod template.
    pub struct Container<'a> builds ContainerBuilder {
        /// Role: `container`, `init` or `ephemeral`; `volume` for an image volume, for which only the image is shown.
        pub role: Option<Text<'a>>,
        /// Name of the container; `volumes/` and the volume's name for an image volume.
        pub name: Option<Text<'a>>,
        /// Image as written.
        pub image: Option<Text<'a>>,
        /// Registry host; `docker.io` if the reference names none.
        pub registry: Option<Text<'a>>,
        /// Repository inside the registry, with `library/` added to one-part names of Docker Hub.
        pub repository: Option<Text<'a>>,
        /// Tag. Null if there is none (the runtime then uses `latest`).
        pub tag: Option<Text<'a>>,
        /// Digest, such as `sha256:…`. Null if there is none.
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
        /// `securityContext.allowPrivilegeEscalation`. Null if unset.
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
        /// `securityContext.runAsNonRoot`. Null if unset.
        pub run_as_non_root: Option<bool>,
        /// `securityContext.readOnlyRootFilesystem`. Null if unset.
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
    /// Lifecycle hook or probe.
    pub struct Handler<'a> builds HandlerBuilder {
        /// `postStart`, `preStop`, `livenessProbe`, `readinessProbe` or `startupProbe`.
        pub name: Option<Text<'a>>,
        /// `exec.command`.
        pub command: Option<Vec<Text<'a>>>,
        /// `httpGet.host` or `tcpSocket.host`. Null for the pod itself.
        pub host: Option<Text<'a>>,
    }
}

row! {
    /// Container port.
    pub struct ContainerPort<'a> builds ContainerPortBuilder {
        /// `containerPort`.
        pub container_port: Option<i64>,
        /// `hostPort`. Null if unset.
        pub host_port: Option<i64>,
        /// `hostIP`.
        pub host_ip: Option<Text<'a>>,
        /// `protocol`.
        pub protocol: Option<Text<'a>>,
    }
}

row! {
    /// Volume mount.
    pub struct VolumeMount<'a> builds VolumeMountBuilder {
        /// Name of the volume.
        pub name: Option<Text<'a>>,
        /// Mount path in the container.
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
    /// Raw block device.
    pub struct VolumeDevice<'a> builds VolumeDeviceBuilder {
        /// Name of the volume.
        pub name: Option<Text<'a>>,
        /// Path of the device in the container.
        pub device_path: Option<Text<'a>>,
    }
}

row! {
    /// Environment variable.
    pub struct EnvVar<'a> builds EnvVarBuilder {
        /// Name of the variable.
        pub name: Option<Text<'a>>,
        /// Literal value. Null if it comes from elsewhere.
        pub value: Option<Text<'a>>,
        /// `valueFrom.secretKeyRef.name`.
        pub secret_name: Option<Text<'a>>,
        /// `valueFrom.secretKeyRef.key`.
        pub secret_key: Option<Text<'a>>,
    }
}

//! The Pod Security Standards, latest version: which checks a pod template is seen to fail, and the level it reaches.
//!
//! The checks and their ids are those of `k8s.io/pod-security-admission/policy`. Every container check visits init,
//! main and ephemeral containers. `hostUsers: false` relaxes three of them since Kubernetes 1.35.

use crate::column::Text;
use crate::workload::{Container, SeLinuxOptions, Workload};

const BASELINE_CAPABILITIES: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

const SAFE_SYSCTLS: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

const SE_LINUX_TYPES: &[&str] =
    &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

const RESTRICTED_VOLUMES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// Fills `pod_security_level` and `pod_security_failed` from the rest of the row.
///
/// `whole` says that the row shows the whole pod template. A partial one can prove that a check fails, never that it
/// passes.
pub(crate) fn evaluate(workload: &mut Workload<'_>, whole: bool) {
    let baseline = failed_baseline(workload);
    let level = match (baseline.is_empty(), whole && workload.containers.is_some()) {
        (false, _) => Some("privileged"),
        (true, false) => None,
        (true, true) if failed_restricted(workload).is_empty() => Some("restricted"),
        (true, true) => Some("baseline"),
    };
    let mut failed = baseline;
    if whole && workload.containers.is_some() {
        failed.extend(failed_restricted(workload));
    }
    workload.pod_security_level = level.map(Text::from);
    workload.pod_security_failed =
        workload.containers.is_some().then(|| failed.into_iter().map(Text::from).collect());
}

fn failed_baseline(workload: &Workload<'_>) -> Vec<&'static str> {
    let containers = workload.containers.as_deref().unwrap_or_default();
    let any = |fails: &dyn Fn(&Container<'_>) -> bool| containers.iter().any(fails);
    let on = |flag: Option<bool>| flag == Some(true);
    let outside = |value: &Option<Text<'_>>, allowed: &[&str]| {
        value.as_deref().is_some_and(|value| !allowed.contains(&value))
    };
    let user_namespace = workload.host_users == Some(false);

    let host_namespaces =
        on(workload.host_network) || on(workload.host_pid) || on(workload.host_ipc);
    let privileged = any(&|c| on(c.privileged));
    let capabilities = any(&|c| adds_other_than(c, BASELINE_CAPABILITIES));
    let host_path = workload.volumes.iter().flatten().any(|v| v.host_path.is_some());
    let host_ports =
        any(&|c| c.ports.iter().flatten().any(|port| port.host_port.unwrap_or(0) != 0));
    let probe_hosts = any(&|c| {
        c.handlers.iter().flatten().any(|h| h.host.as_deref().is_some_and(|host| !host.is_empty()))
    });
    let profiles = ["RuntimeDefault", "Localhost"];
    let app_armor = outside(&workload.app_armor_profile, &profiles)
        || any(&|c| outside(&c.app_armor_profile, &profiles))
        || app_armor_annotation(workload);
    let se_linux = workload.se_linux_options.as_ref().is_some_and(se_linux_fails)
        || any(&|c| c.se_linux_options.as_ref().is_some_and(se_linux_fails));
    let proc_mount = !user_namespace && any(&|c| outside(&c.proc_mount, &["Default"]));
    let seccomp = outside(&workload.seccomp_profile, &profiles)
        || any(&|c| outside(&c.seccomp_profile, &profiles));
    let sysctls = workload.sysctls.iter().flatten().any(|s| outside(&s.name, SAFE_SYSCTLS));
    let host_process = on(workload.host_process) || any(&|c| on(c.host_process));

    [
        ("hostNamespaces", host_namespaces),
        ("privileged", privileged),
        ("capabilities_baseline", capabilities),
        ("hostPathVolumes", host_path),
        ("hostPorts", host_ports),
        ("hostProbesAndHostLifecycle", probe_hosts),
        ("appArmorProfile", app_armor),
        ("seLinuxOptions", se_linux),
        ("procMount", proc_mount),
        ("seccompProfile_baseline", seccomp),
        ("sysctls", sysctls),
        ("windowsHostProcess", host_process),
    ]
    .into_iter()
    .filter_map(|(check, fails)| fails.then_some(check))
    .collect()
}

fn failed_restricted(workload: &Workload<'_>) -> Vec<&'static str> {
    let containers = workload.containers.as_deref().unwrap_or_default();
    let any = |fails: &dyn Fn(&Container<'_>) -> bool| containers.iter().any(fails);
    let windows = workload.os.as_deref() == Some("windows");
    let user_namespace = workload.host_users == Some(false);

    let volumes = workload.volumes.iter().flatten().any(|volume| {
        volume.r#type.as_deref().is_some_and(|r#type| !RESTRICTED_VOLUMES.contains(&r#type))
    });
    let escalation = any(&|c| c.allow_privilege_escalation != Some(false));
    let root_allowed = any(&|c| c.run_as_non_root.or(workload.run_as_non_root) != Some(true));
    let root = workload.run_as_user == Some(0) || any(&|c| c.run_as_user == Some(0));
    let has_profile = |profile: &Option<Text<'_>>| {
        matches!(profile.as_deref(), Some("RuntimeDefault" | "Localhost"))
    };
    let seccomp =
        !has_profile(&workload.seccomp_profile) && any(&|c| !has_profile(&c.seccomp_profile));
    let capabilities = any(&|c| {
        let drops_all = c.capabilities_drop.iter().flatten().any(|name| &**name == "ALL");
        !drops_all || adds_other_than(c, &["NET_BIND_SERVICE"])
    });
    let proc_mount =
        any(&|c| c.proc_mount.as_deref().is_some_and(|proc_mount| proc_mount != "Default"));

    [
        ("restrictedVolumes", volumes),
        ("allowPrivilegeEscalation", !windows && escalation),
        ("runAsNonRoot", !user_namespace && root_allowed),
        ("runAsUser", !user_namespace && root),
        ("seccompProfile_restricted", !windows && seccomp),
        ("capabilities_restricted", !windows && capabilities),
        ("procMount_restricted", proc_mount),
    ]
    .into_iter()
    .filter_map(|(check, fails)| fails.then_some(check))
    .collect()
}

fn adds_other_than(container: &Container<'_>, allowed: &[&str]) -> bool {
    container.capabilities_add.iter().flatten().any(|name| !allowed.contains(&&**name))
}

fn se_linux_fails(options: &SeLinuxOptions<'_>) -> bool {
    let set = |value: &Option<Text<'_>>| value.as_deref().is_some_and(|value| !value.is_empty());
    options.r#type.as_deref().is_some_and(|r#type| !SE_LINUX_TYPES.contains(&r#type))
        || set(&options.user)
        || set(&options.role)
}

/// The annotation that named an AppArmor profile before the field did (Kubernetes 1.30).
fn app_armor_annotation(workload: &Workload<'_>) -> bool {
    const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
    workload.pod_annotations.iter().flat_map(|annotations| &annotations.0).any(|(key, profile)| {
        key.starts_with(PREFIX)
            && !matches!(&**profile, "" | "runtime/default")
            && !profile.starts_with("localhost/")
    })
}

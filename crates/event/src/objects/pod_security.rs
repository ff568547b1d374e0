//! The Pod Security Standards: which checks a pod template certainly fails, in which versions, and its level.
//!
//! The checks, their ids and their versions are those of `k8s.io/pod-security-admission/policy`. Every container check
//! visits init, main and ephemeral containers, and compares values as written. A version is a minor version of
//! Kubernetes, `29` for 1.29; a namespace that enforces `latest` uses the newest version of its server.

use std::collections::{BTreeMap, HashSet};

use crate::column::Text;
use crate::objects::workload::{Container, PodSecurityViolation, SeLinuxOptions, Workload};

/// A level of the Pod Security Standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Unrestricted.
    Privileged,
    /// Prevents known privilege escalations.
    Baseline,
    /// Enforces pod hardening.
    Restricted,
}

impl Level {
    /// Returns the name used in columns and in the labels of namespaces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

/// Returns the level that a pod template reaches in version 1.`minor` of the standards.
///
/// `violations` are the elements of `pod_security_violations`: level, since and until. Returns `None` if an element
/// without a level shows that some checks are undecided, and the decided ones leave the level open.
///
/// ```
/// # use podtrail_event::pod_security::{Level, level_at};
/// let violations = [(Some("baseline"), Some(0), Some(28)), (Some("restricted"), Some(8), None)];
/// assert_eq!(level_at(violations, 28), Some(Level::Privileged));
/// assert_eq!(level_at(violations, 29), Some(Level::Baseline));
/// assert_eq!(level_at([(None, None, None)], 29), None);
/// ```
pub fn level_at<'a>(
    violations: impl IntoIterator<Item = (Option<&'a str>, Option<i32>, Option<i32>)>,
    minor: i32,
) -> Option<Level> {
    let mut reached = Level::Restricted;
    let mut is_decided = true;
    for (level, since, until) in violations {
        let is_in_force =
            since.is_none_or(|since| since <= minor) && until.is_none_or(|until| minor <= until);
        match level {
            None => is_decided = false,
            Some("baseline") if is_in_force => return Some(Level::Privileged),
            Some("restricted") if is_in_force => reached = Level::Baseline,
            Some(_) => {}
        }
    }
    is_decided.then_some(reached)
}

/// Newer than every version that has changed a check.
const LATEST: i32 = i32::MAX;

/// A check: its id, and the level that requires it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Check(Level, &'static str);

const HOST_NAMESPACES: Check = Check(Level::Baseline, "hostNamespaces");
const PRIVILEGED: Check = Check(Level::Baseline, "privileged");
const CAPABILITIES_BASELINE: Check = Check(Level::Baseline, "capabilities_baseline");
const HOST_PATH_VOLUMES: Check = Check(Level::Baseline, "hostPathVolumes");
const HOST_PORTS: Check = Check(Level::Baseline, "hostPorts");
const HOST_PROBES: Check = Check(Level::Baseline, "hostProbesAndHostLifecycle");
const APP_ARMOR_PROFILE: Check = Check(Level::Baseline, "appArmorProfile");
const SE_LINUX_OPTIONS: Check = Check(Level::Baseline, "seLinuxOptions");
const PROC_MOUNT: Check = Check(Level::Baseline, "procMount");
const SECCOMP_BASELINE: Check = Check(Level::Baseline, "seccompProfile_baseline");
const SYSCTLS: Check = Check(Level::Baseline, "sysctls");
const WINDOWS_HOST_PROCESS: Check = Check(Level::Baseline, "windowsHostProcess");
const RESTRICTED_VOLUMES: Check = Check(Level::Restricted, "restrictedVolumes");
const PRIVILEGE_ESCALATION: Check = Check(Level::Restricted, "allowPrivilegeEscalation");
const RUN_AS_NON_ROOT: Check = Check(Level::Restricted, "runAsNonRoot");
const RUN_AS_USER: Check = Check(Level::Restricted, "runAsUser");
const SECCOMP_RESTRICTED: Check = Check(Level::Restricted, "seccompProfile_restricted");
const CAPABILITIES_RESTRICTED: Check = Check(Level::Restricted, "capabilities_restricted");
const PROC_MOUNT_RESTRICTED: Check = Check(Level::Restricted, "procMount_restricted");

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

/// Safe sysctls, with the version since which they are safe.
const SAFE_SYSCTLS: &[(&str, i32)] = &[
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_notsent_lowat", 37),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
];

/// SELinux types that a pod may request, with the version since which they are allowed.
const SE_LINUX_TYPES: &[(&str, i32)] = &[
    ("", 0),
    ("container_t", 0),
    ("container_init_t", 0),
    ("container_kvm_t", 0),
    ("container_engine_t", 31),
];

const RESTRICTED_VOLUME_TYPES: &[&str] = &[
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

/// Since this version `hostUsers: false` relaxes three checks.
const USER_NAMESPACES: i32 = 35;

/// Since this version Windows pods are exempt from checks of Linux features.
const WINDOWS_EXEMPT: i32 = 25;

/// The versions in which a check fails: from a minor version, to a last one if it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Versions(i32, Option<i32>);

impl Versions {
    fn since(minor: i32) -> Self {
        Self(minor, None)
    }

    /// Returns the part before a version.
    fn before(self, minor: i32) -> Option<Self> {
        let last = minor - 1;
        (self.0 <= last).then(|| Self(self.0, Some(self.1.map_or(last, |until| until.min(last)))))
    }

    /// Returns the part before a version if a condition holds.
    fn before_if(self, condition: bool, minor: i32) -> Option<Self> {
        if condition { self.before(minor) } else { Some(self) }
    }
}

/// Returns the checks that one pod template certainly fails.
///
/// `whole` is set if the row shows the whole pod template, so that an absent field is known to be unset. A partial
/// template can prove that a check fails, never that it passes: the last element then has no check.
pub(crate) fn violations<'a>(
    template: &Workload<'_>,
    whole: bool,
) -> Vec<PodSecurityViolation<'a>> {
    let pod =
        Pod { template, containers: template.containers.as_deref().unwrap_or_default(), whole };
    let mut rows: Vec<_> = pod.failures().into_iter().map(violation).collect();
    if !whole {
        rows.push(PodSecurityViolation::default());
    }
    rows
}

fn violation<'a>((Check(level, id), versions): (Check, Versions)) -> PodSecurityViolation<'a> {
    PodSecurityViolation {
        check: Some(id.into()),
        level: Some(level.as_str().into()),
        since: Some(versions.0),
        until: versions.1,
    }
}

/// Merges the violations of all templates, and derives the result for the latest version.
pub(crate) fn conclude(workload: &mut Workload<'_>) {
    let Some(violations) = &mut workload.pod_security_violations else { return };
    join(violations);
    let is_latest = |violation: &&PodSecurityViolation<'_>| violation.until.is_none();
    let failed = violations.iter().filter(is_latest).filter_map(|v| v.check.clone());
    let failed: Vec<_> = failed.collect();
    let all = violations.iter().map(|v| (v.level.as_deref(), v.since, v.until));
    let level = level_at(all, LATEST);
    workload.pod_security_failed = Some(failed);
    workload.pod_security_level = level.map(|level| level.as_str().into());
}

/// Merges violations of the same check in overlapping or adjacent versions, in the order of their first occurrence,
/// with an element without a check last.
fn join(violations: &mut Vec<PodSecurityViolation<'_>>) {
    let is_undecided = violations.iter().any(|violation| violation.check.is_none());
    violations.retain(|violation| violation.check.is_some());
    let mut places: BTreeMap<Text<'_>, usize> = BTreeMap::new();
    for (index, violation) in violations.iter().enumerate() {
        let check = violation.check.clone().unwrap_or_default();
        places.entry(check).or_insert(index);
    }
    violations.sort_by_key(|violation| {
        let place = violation.check.as_ref().and_then(|check| places.get(check)).copied();
        (place, violation.since)
    });
    violations.dedup_by(|next, kept| {
        let follows =
            kept.until.is_none_or(|until| next.since.is_none_or(|since| since <= until + 1));
        let joins = next.check == kept.check && follows;
        if joins {
            kept.until = kept.until.zip(next.until).map(|(one, other)| one.max(other));
        }
        joins
    });
    if is_undecided {
        violations.push(PodSecurityViolation::default());
    }
}

/// A pod template that is checked.
struct Pod<'t, 'a> {
    template: &'t Workload<'a>,
    containers: &'t [Container<'a>],
    whole: bool,
}

impl Pod<'_, '_> {
    fn failures(&self) -> Vec<(Check, Versions)> {
        let fails = |check: Check, since: i32, fails: bool| {
            fails.then_some((check, Versions::since(since)))
        };
        let pod = self.template;
        let user_namespace = pod.host_users == Some(false);
        let windows = pod.os.as_deref() == Some("windows");
        let relaxed = |failure: Option<(Check, Versions)>, condition: bool, minor: i32| {
            let (check, versions) = failure?;
            Some((check, versions.before_if(condition, minor)?))
        };
        let failures = [
            fails(HOST_NAMESPACES, 0, self.shares_host_namespaces()),
            fails(PRIVILEGED, 0, self.any(|c| on(c.privileged))),
            fails(CAPABILITIES_BASELINE, 0, self.any(|c| adds_beyond(c, BASELINE_CAPABILITIES))),
            fails(HOST_PATH_VOLUMES, 0, self.has_host_path()),
            fails(HOST_PORTS, 0, self.any(has_host_port)),
            fails(HOST_PROBES, 34, self.any(calls_another_host)),
            fails(APP_ARMOR_PROFILE, 0, self.has_bad_app_armor()),
            self.se_linux_failure(),
            relaxed(fails(PROC_MOUNT, 0, self.any(unmasks_proc)), user_namespace, USER_NAMESPACES),
            self.legacy_seccomp_failure(),
            fails(SECCOMP_BASELINE, 19, self.sets_bad_seccomp()),
            self.sysctl_failure(),
            fails(WINDOWS_HOST_PROCESS, 0, self.runs_host_process()),
            fails(RESTRICTED_VOLUMES, 0, self.has_restricted_volume()),
            relaxed(
                fails(PRIVILEGE_ESCALATION, 8, self.any(|c| self.may_escalate(c))),
                windows,
                WINDOWS_EXEMPT,
            ),
            relaxed(
                fails(RUN_AS_NON_ROOT, 0, self.may_run_as_root()),
                user_namespace,
                USER_NAMESPACES,
            ),
            relaxed(fails(RUN_AS_USER, 23, self.runs_as_root()), user_namespace, USER_NAMESPACES),
            relaxed(fails(SECCOMP_RESTRICTED, 19, self.lacks_seccomp()), windows, WINDOWS_EXEMPT),
            relaxed(
                fails(CAPABILITIES_RESTRICTED, 22, self.any(|c| self.keeps_capabilities(c))),
                windows,
                WINDOWS_EXEMPT,
            ),
            fails(PROC_MOUNT_RESTRICTED, 35, self.any(unmasks_proc)),
        ];
        failures.into_iter().flatten().collect()
    }

    fn any(&self, fails: impl Fn(&Container<'_>) -> bool) -> bool {
        self.containers.iter().any(fails)
    }

    fn shares_host_namespaces(&self) -> bool {
        let pod = self.template;
        on(pod.host_network) || on(pod.host_pid) || on(pod.host_ipc)
    }

    fn has_host_path(&self) -> bool {
        self.template.volumes.iter().flatten().any(|volume| {
            volume.host_path_raw.is_some() || volume.r#type.as_deref() == Some("hostPath")
        })
    }

    /// Annotations named AppArmor profiles before the field existed (Kubernetes 1.30); both are checked.
    fn has_bad_app_armor(&self) -> bool {
        const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
        let mut annotations =
            self.template.pod_annotations.iter().flat_map(|annotations| &annotations.0);
        is_bad_profile(self.template.app_armor_profile.as_deref())
            || self.any(|c| is_bad_profile(c.app_armor_profile.as_deref()))
            || annotations.any(|(key, profile)| {
                key.starts_with(PREFIX)
                    && !matches!(&**profile, "" | "runtime/default")
                    && !profile.starts_with("localhost/")
            })
    }

    fn se_linux_failure(&self) -> Option<(Check, Versions)> {
        let pod = self.template.se_linux_options.iter();
        let containers = self.containers.iter().filter_map(|c| c.se_linux_options.as_ref());
        longest(SE_LINUX_OPTIONS, pod.chain(containers).filter_map(se_linux_versions))
    }

    fn sysctl_failure(&self) -> Option<(Check, Versions)> {
        let names = self.template.sysctls.iter().flatten().filter_map(|s| s.name.as_deref());
        longest(SYSCTLS, names.filter_map(|name| versions_without(name, SAFE_SYSCTLS)))
    }

    /// Until 1.18 annotations named seccomp profiles.
    fn legacy_seccomp_failure(&self) -> Option<(Check, Versions)> {
        const POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
        const CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
        let is_bad = |profile: &str| {
            !matches!(profile, "runtime/default" | "docker/default")
                && !profile.starts_with("localhost/")
        };
        let mut names: Option<HashSet<&str>> = None;
        let mut names_container = |name: &str| {
            let of_all = || self.containers.iter().filter_map(|c| c.name.as_deref()).collect();
            names.get_or_insert_with(of_all).contains(name)
        };
        let mut annotations =
            self.template.pod_annotations.iter().flat_map(|annotations| &annotations.0);
        let fails = annotations.any(|(key, profile)| {
            is_bad(profile)
                && (&**key == POD || key.strip_prefix(CONTAINER).is_some_and(&mut names_container))
        });
        fails.then_some((SECCOMP_BASELINE, Versions(0, Some(18))))
    }

    fn sets_bad_seccomp(&self) -> bool {
        is_bad_profile(self.template.seccomp_profile.as_deref())
            || self.any(|c| is_bad_profile(c.seccomp_profile.as_deref()))
    }

    fn lacks_seccomp(&self) -> bool {
        let is_unset = self.template.seccomp_profile.is_none();
        self.sets_bad_seccomp()
            || (self.whole && is_unset && self.any(|c| c.seccomp_profile.is_none()))
    }

    fn runs_host_process(&self) -> bool {
        on(self.template.host_process) || self.any(|c| on(c.host_process))
    }

    fn has_restricted_volume(&self) -> bool {
        let types =
            self.template.volumes.iter().flatten().filter_map(|volume| volume.r#type.as_deref());
        // A volume without a source becomes an `emptyDir`.
        self.has_host_path() || types.into_iter().any(|t| !RESTRICTED_VOLUME_TYPES.contains(&t))
    }

    fn may_escalate(&self, container: &Container<'_>) -> bool {
        match container.allow_privilege_escalation {
            Some(allowed) => allowed,
            None => self.whole,
        }
    }

    fn may_run_as_root(&self) -> bool {
        let pod = self.template.run_as_non_root;
        pod == Some(false)
            || self.any(|c| match c.run_as_non_root {
                Some(non_root) => !non_root,
                None => self.whole && pod.is_none(),
            })
    }

    fn runs_as_root(&self) -> bool {
        self.template.run_as_user == Some(0) || self.any(|c| c.run_as_user == Some(0))
    }

    fn keeps_capabilities(&self, container: &Container<'_>) -> bool {
        let drops_all = container.capabilities_drop_raw.iter().flatten().any(|c| &**c == "ALL");
        (self.whole && !drops_all) || adds_beyond(container, &["NET_BIND_SERVICE"])
    }
}

fn on(flag: Option<bool>) -> bool {
    flag == Some(true)
}

fn adds_beyond(container: &Container<'_>, allowed: &[&str]) -> bool {
    container.capabilities_add_raw.iter().flatten().any(|name| !allowed.contains(&&**name))
}

fn has_host_port(container: &Container<'_>) -> bool {
    container.ports.iter().flatten().any(|port| port.host_port.is_some_and(|port| port != 0))
}

fn calls_another_host(container: &Container<'_>) -> bool {
    container.handlers.iter().flatten().any(|handler| handler.host.is_some())
}

fn unmasks_proc(container: &Container<'_>) -> bool {
    container.proc_mount.as_deref().is_some_and(|proc_mount| proc_mount != "Default")
}

/// Returns whether the type of a seccomp or AppArmor profile is one that no level allows.
fn is_bad_profile(profile: Option<&str>) -> bool {
    profile.is_some_and(|profile| !matches!(profile, "RuntimeDefault" | "Localhost"))
}

fn se_linux_versions(options: &SeLinuxOptions<'_>) -> Option<Versions> {
    let is_set = |value: &Option<Text<'_>>| value.as_deref().is_some_and(|value| !value.is_empty());
    if is_set(&options.user) || is_set(&options.role) {
        return Some(Versions::since(0));
    }
    versions_without(options.r#type.as_deref().unwrap_or_default(), SE_LINUX_TYPES)
}

/// Returns the versions in which a value is not allowed.
fn versions_without(value: &str, allowed: &[(&str, i32)]) -> Option<Versions> {
    let always = Versions::since(0);
    match allowed.iter().find(|(allowed, _)| *allowed == value) {
        Some((_, since)) => always.before(*since),
        None => Some(always),
    }
}

/// Returns the longest of several failures that begin together.
fn longest(check: Check, versions: impl Iterator<Item = Versions>) -> Option<(Check, Versions)> {
    let versions = versions.max_by_key(|versions| versions.1.unwrap_or(LATEST))?;
    Some((check, versions))
}

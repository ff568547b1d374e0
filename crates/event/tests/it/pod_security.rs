//! The Pod Security checks, one field at a time, in every container role and by version of the standards.

use podtrail_event::Workload;
use podtrail_event::pod_security::{Level, level_at};
use serde_json::{Value, json};

use crate::{event, row};

/// Check, level, since, until; a check of `None` means that others are undecided.
type Violation = (Option<String>, Option<String>, Option<i32>, Option<i32>);

/// The Pod Security columns of a workload.
#[derive(Debug, Clone, PartialEq)]
struct Verdict {
    level: Option<String>,
    failed: Vec<String>,
    violations: Vec<Violation>,
}

impl Verdict {
    fn of(workload: &Workload<'_>) -> Self {
        let owned = |text: &podtrail_event::Text<'_>| (**text).to_owned();
        Self {
            level: workload.pod_security_level.as_ref().map(owned),
            failed: workload.pod_security_failed.iter().flatten().map(owned).collect(),
            violations: workload
                .pod_security_violations
                .iter()
                .flatten()
                .map(|v| {
                    (v.check.as_ref().map(owned), v.level.as_ref().map(owned), v.since, v.until)
                })
                .collect(),
        }
    }

    fn level_at(&self, minor: i32) -> Option<&'static str> {
        let violations = self
            .violations
            .iter()
            .map(|(_, level, since, until)| (level.as_deref(), *since, *until));
        level_at(violations, minor).map(Level::as_str)
    }

    /// Returns the versions in which a check fails; empty if it never does.
    fn versions(&self, check: &str) -> Vec<(i32, Option<i32>)> {
        let of_check = self.violations.iter().filter(|v| v.0.as_deref() == Some(check));
        of_check.map(|(_, _, since, until)| (since.unwrap(), *until)).collect()
    }
}

fn verdict(pod: Value) -> Verdict {
    let json = event("create", "", "pods", json!({"requestObject": pod}));
    Verdict::of(&row(&json).workload.unwrap())
}

/// A pod that meets the restricted level, with a container of every role.
fn restricted() -> Value {
    let context = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    let container = |name: &str| json!({"name": name, "image": "a", "securityContext": context});
    json!({
        "metadata": {"annotations": {"a": "b"}},
        "spec": {
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [{"name": "c", "configMap": {"name": "c"}}],
            "containers": [container("main")],
            "initContainers": [container("init")],
            "ephemeralContainers": [container("debug")],
        },
    })
}

/// The restricted pod with a value at a JSON Pointer.
fn with(pointer: &str, value: &Value) -> Value {
    let mut pod = restricted();
    let mut place = &mut pod;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/");
        place = match place {
            Value::Array(elements) => &mut elements[token.parse::<usize>().unwrap()],
            other => {
                if other.is_null() {
                    *other = json!({});
                }
                other.as_object_mut().unwrap().entry(token).or_insert(Value::Null)
            }
        };
    }
    *place = value.clone();
    pod
}

#[test]
fn a_restricted_pod_fails_nothing() {
    let verdict = verdict(restricted());
    assert_eq!(verdict.level.as_deref(), Some("restricted"));
    assert_eq!((verdict.failed.len(), verdict.violations.len()), (0, 0));
    assert_eq!(verdict.level_at(0), Some("restricted"));
}

const ALWAYS: &[(i32, Option<i32>)] = &[(0, None)];
const NEVER: &[(i32, Option<i32>)] = &[];

/// The place of a value in the pod, the check that it affects, and the versions in which that fails.
type Case = (&'static str, Value, &'static str, &'static [(i32, Option<i32>)]);

const SECCOMP_POD: &str = "/metadata/annotations/seccomp.security.alpha.kubernetes.io~1pod";
const SECCOMP_MAIN: &str =
    "/metadata/annotations/container.seccomp.security.alpha.kubernetes.io~1main";
const APP_ARMOR: &str =
    "/metadata/annotations/container.apparmor.security.beta.kubernetes.io~1main";

fn pod_cases() -> Vec<Case> {
    let sysctl = |name: &str| json!([{"name": name, "value": "1"}]);
    let volume = |source: Value| {
        let mut volume = source;
        volume["name"] = json!("v");
        json!([volume])
    };
    vec![
        ("/spec/hostPID", json!(true), "hostNamespaces", ALWAYS),
        ("/spec/hostIPC", json!(true), "hostNamespaces", ALWAYS),
        ("/spec/hostNetwork", json!(true), "hostNamespaces", ALWAYS),
        ("/spec/hostNetwork", json!(false), "hostNamespaces", NEVER),
        ("/spec/volumes", volume(json!({"hostPath": {"path": "/x"}})), "hostPathVolumes", ALWAYS),
        ("/spec/volumes", volume(json!({"hostPath": {}})), "hostPathVolumes", ALWAYS),
        ("/spec/volumes", volume(json!({"emptyDir": {}})), "hostPathVolumes", NEVER),
        ("/spec/volumes", volume(json!({"hostPath": {"path": "/x"}})), "restrictedVolumes", ALWAYS),
        ("/spec/volumes", volume(json!({"nfs": {"server": "x"}})), "restrictedVolumes", ALWAYS),
        ("/spec/volumes", volume(json!({"image": {"reference": "x"}})), "restrictedVolumes", NEVER),
        ("/spec/volumes", volume(json!({"csi": {"driver": "x"}})), "restrictedVolumes", NEVER),
        ("/spec/volumes", volume(json!({})), "restrictedVolumes", NEVER),
        (
            "/spec/securityContext/appArmorProfile/type",
            json!("Unconfined"),
            "appArmorProfile",
            ALWAYS,
        ),
        (
            "/spec/securityContext/appArmorProfile/type",
            json!("Localhost"),
            "appArmorProfile",
            NEVER,
        ),
        (APP_ARMOR, json!("unconfined"), "appArmorProfile", ALWAYS),
        (APP_ARMOR, json!("runtime/default"), "appArmorProfile", NEVER),
        (APP_ARMOR, json!("localhost/p"), "appArmorProfile", NEVER),
        (APP_ARMOR, json!(""), "appArmorProfile", NEVER),
        (SECCOMP_POD, json!("unconfined"), "seccompProfile_baseline", &[(0, Some(18))]),
        (SECCOMP_POD, json!("docker/default"), "seccompProfile_baseline", NEVER),
        (SECCOMP_MAIN, json!("unconfined"), "seccompProfile_baseline", &[(0, Some(18))]),
        (SECCOMP_MAIN, json!("localhost/x"), "seccompProfile_baseline", NEVER),
        (
            "/metadata/annotations/container.seccomp.security.alpha.kubernetes.io~1nobody",
            json!("unconfined"),
            "seccompProfile_baseline",
            NEVER,
        ),
        (
            "/spec/securityContext/seccompProfile/type",
            json!("Unconfined"),
            "seccompProfile_baseline",
            &[(19, None)],
        ),
        (
            "/spec/securityContext/seccompProfile/type",
            json!("Unconfined"),
            "seccompProfile_restricted",
            &[(19, None)],
        ),
        (
            "/spec/securityContext/seccompProfile",
            json!(null),
            "seccompProfile_restricted",
            &[(19, None)],
        ),
        ("/spec/securityContext/seccompProfile", json!(null), "seccompProfile_baseline", NEVER),
        (
            "/spec/securityContext/seLinuxOptions",
            json!({"type": "spc_t"}),
            "seLinuxOptions",
            ALWAYS,
        ),
        (
            "/spec/securityContext/seLinuxOptions",
            json!({"type": "container_t", "level": "s0"}),
            "seLinuxOptions",
            NEVER,
        ),
        ("/spec/securityContext/seLinuxOptions", json!({"type": ""}), "seLinuxOptions", NEVER),
        (
            "/spec/securityContext/seLinuxOptions",
            json!({"type": "container_engine_t"}),
            "seLinuxOptions",
            &[(0, Some(30))],
        ),
        ("/spec/securityContext/seLinuxOptions", json!({"user": "u"}), "seLinuxOptions", ALWAYS),
        ("/spec/securityContext/seLinuxOptions", json!({"role": "r"}), "seLinuxOptions", ALWAYS),
        (
            "/spec/securityContext/seLinuxOptions",
            json!({"user": "", "role": ""}),
            "seLinuxOptions",
            NEVER,
        ),
        ("/spec/securityContext/sysctls", sysctl("kernel.core_pattern"), "sysctls", ALWAYS),
        ("/spec/securityContext/sysctls", sysctl("net.ipv4.tcp_syncookies"), "sysctls", NEVER),
        (
            "/spec/securityContext/sysctls",
            sysctl("net.ipv4.ip_local_reserved_ports"),
            "sysctls",
            &[(0, Some(26))],
        ),
        (
            "/spec/securityContext/sysctls",
            sysctl("net.ipv4.tcp_keepalive_time"),
            "sysctls",
            &[(0, Some(28))],
        ),
        ("/spec/securityContext/sysctls", sysctl("net.ipv4.tcp_rmem"), "sysctls", &[(0, Some(31))]),
        (
            "/spec/securityContext/sysctls",
            sysctl("net.ipv4.tcp_notsent_lowat"),
            "sysctls",
            &[(0, Some(36))],
        ),
        (
            "/spec/securityContext/windowsOptions",
            json!({"hostProcess": true}),
            "windowsHostProcess",
            ALWAYS,
        ),
        (
            "/spec/securityContext/windowsOptions",
            json!({"hostProcess": false}),
            "windowsHostProcess",
            NEVER,
        ),
        ("/spec/securityContext/runAsNonRoot", json!(false), "runAsNonRoot", ALWAYS),
        ("/spec/securityContext/runAsNonRoot", json!(null), "runAsNonRoot", ALWAYS),
        ("/spec/securityContext/runAsUser", json!(0), "runAsUser", &[(23, None)]),
        ("/spec/securityContext/runAsUser", json!(1), "runAsUser", NEVER),
    ]
}

/// Cases for one container; the pointer is relative to it.
fn container_cases() -> Vec<Case> {
    let drop_all = |add: Value| json!({"drop": ["ALL"], "add": add});
    vec![
        ("/securityContext/privileged", json!(true), "privileged", ALWAYS),
        ("/securityContext/privileged", json!(false), "privileged", NEVER),
        (
            "/securityContext/capabilities",
            drop_all(json!(["SYS_ADMIN"])),
            "capabilities_baseline",
            ALWAYS,
        ),
        (
            "/securityContext/capabilities",
            drop_all(json!(["ALL"])),
            "capabilities_baseline",
            ALWAYS,
        ),
        (
            "/securityContext/capabilities",
            drop_all(json!(["CHOWN", "MKNOD"])),
            "capabilities_baseline",
            NEVER,
        ),
        // In another spelling it is another capability to this check, if not to the container runtime.
        (
            "/securityContext/capabilities",
            drop_all(json!(["CAP_CHOWN"])),
            "capabilities_baseline",
            ALWAYS,
        ),
        (
            "/securityContext/capabilities",
            drop_all(json!(["chown"])),
            "capabilities_baseline",
            ALWAYS,
        ),
        (
            "/securityContext/capabilities",
            drop_all(json!(["CHOWN"])),
            "capabilities_restricted",
            &[(22, None)],
        ),
        (
            "/securityContext/capabilities",
            drop_all(json!(["NET_BIND_SERVICE"])),
            "capabilities_restricted",
            NEVER,
        ),
        (
            "/securityContext/capabilities",
            json!({"drop": ["NET_RAW"]}),
            "capabilities_restricted",
            &[(22, None)],
        ),
        (
            "/securityContext/capabilities",
            json!({"drop": ["all"]}),
            "capabilities_restricted",
            &[(22, None)],
        ),
        (
            "/securityContext/capabilities",
            json!({"drop": ["NET_RAW", "ALL"]}),
            "capabilities_restricted",
            NEVER,
        ),
        ("/securityContext/capabilities", json!(null), "capabilities_restricted", &[(22, None)]),
        (
            "/ports",
            json!([{"containerPort": 1}, {"containerPort": 2, "hostPort": 2}]),
            "hostPorts",
            ALWAYS,
        ),
        ("/ports", json!([{"containerPort": 1, "hostPort": 0}]), "hostPorts", NEVER),
        (
            "/livenessProbe",
            json!({"httpGet": {"host": "10.0.0.1"}}),
            "hostProbesAndHostLifecycle",
            &[(34, None)],
        ),
        (
            "/readinessProbe",
            json!({"tcpSocket": {"host": "10.0.0.1"}}),
            "hostProbesAndHostLifecycle",
            &[(34, None)],
        ),
        (
            "/startupProbe",
            json!({"httpGet": {"host": ""}, "tcpSocket": {"host": "x"}}),
            "hostProbesAndHostLifecycle",
            &[(34, None)],
        ),
        (
            "/livenessProbe",
            json!({"httpGet": {"host": "", "port": 1}}),
            "hostProbesAndHostLifecycle",
            NEVER,
        ),
        (
            "/lifecycle",
            json!({"postStart": {"httpGet": {"host": "x"}}}),
            "hostProbesAndHostLifecycle",
            &[(34, None)],
        ),
        (
            "/lifecycle",
            json!({"preStop": {"tcpSocket": {"host": "x"}}}),
            "hostProbesAndHostLifecycle",
            &[(34, None)],
        ),
        (
            "/lifecycle",
            json!({"preStop": {"exec": {"command": ["x"]}}}),
            "hostProbesAndHostLifecycle",
            NEVER,
        ),
        (
            "/securityContext/appArmorProfile",
            json!({"type": "Unconfined"}),
            "appArmorProfile",
            ALWAYS,
        ),
        (
            "/securityContext/appArmorProfile",
            json!({"type": "RuntimeDefault"}),
            "appArmorProfile",
            NEVER,
        ),
        ("/securityContext/seLinuxOptions", json!({"type": "spc_t"}), "seLinuxOptions", ALWAYS),
        (
            "/securityContext/seLinuxOptions",
            json!({"type": "container_kvm_t"}),
            "seLinuxOptions",
            NEVER,
        ),
        ("/securityContext/procMount", json!("Unmasked"), "procMount", ALWAYS),
        ("/securityContext/procMount", json!("Default"), "procMount", NEVER),
        ("/securityContext/procMount", json!("Unmasked"), "procMount_restricted", &[(35, None)]),
        (
            "/securityContext/seccompProfile",
            json!({"type": "Unconfined"}),
            "seccompProfile_baseline",
            &[(19, None)],
        ),
        (
            "/securityContext/seccompProfile",
            json!({"type": "Unconfined"}),
            "seccompProfile_restricted",
            &[(19, None)],
        ),
        (
            "/securityContext/seccompProfile",
            json!({"type": "Localhost"}),
            "seccompProfile_restricted",
            NEVER,
        ),
        (
            "/securityContext/windowsOptions",
            json!({"hostProcess": true}),
            "windowsHostProcess",
            ALWAYS,
        ),
        (
            "/securityContext/allowPrivilegeEscalation",
            json!(true),
            "allowPrivilegeEscalation",
            &[(8, None)],
        ),
        (
            "/securityContext/allowPrivilegeEscalation",
            json!(null),
            "allowPrivilegeEscalation",
            &[(8, None)],
        ),
        ("/securityContext/runAsNonRoot", json!(false), "runAsNonRoot", ALWAYS),
        ("/securityContext/runAsNonRoot", json!(true), "runAsNonRoot", NEVER),
        ("/securityContext/runAsUser", json!(0), "runAsUser", &[(23, None)]),
        ("/securityContext/runAsUser", json!(7), "runAsUser", NEVER),
    ]
}

const BASELINE: [&str; 12] = [
    "hostNamespaces",
    "privileged",
    "capabilities_baseline",
    "hostPathVolumes",
    "hostPorts",
    "hostProbesAndHostLifecycle",
    "appArmorProfile",
    "seLinuxOptions",
    "procMount",
    "seccompProfile_baseline",
    "sysctls",
    "windowsHostProcess",
];

fn check(pod: Value, check: &str, versions: &[(i32, Option<i32>)], what: &str) {
    let verdict = verdict(pod);
    assert_eq!(verdict.versions(check), versions, "{check} of {what}");
    let is_latest = versions.iter().any(|(_, until)| until.is_none());
    assert_eq!(verdict.failed.iter().any(|id| id == check), is_latest, "{check} of {what}");
    let (level, at_most) = if BASELINE.contains(&check) {
        ("baseline", "privileged")
    } else {
        ("restricted", "baseline")
    };
    for (since, until) in versions {
        let violation = (Some(check.to_owned()), Some(level.to_owned()), Some(*since), *until);
        assert!(verdict.violations.contains(&violation), "{check} of {what}");
        let reached = verdict.level_at(*since).unwrap();
        assert!(reached == at_most || reached == "privileged", "{check} of {what}: {reached}");
    }
    assert_eq!(verdict.level.as_deref(), verdict.level_at(100), "{what}");
}

#[test]
fn each_field_fails_its_own_check_in_its_own_versions() {
    for (pointer, value, id, versions) in pod_cases() {
        check(with(pointer, &value), id, versions, &format!("{pointer} {value}"));
    }
}

#[test]
fn every_role_of_container_is_checked() {
    for (pointer, value, id, versions) in container_cases() {
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            let pointer = format!("/spec/{list}/0{pointer}");
            check(with(&pointer, &value), id, versions, &format!("{pointer} {value}"));
        }
    }
}

#[test]
fn a_user_namespace_relaxes_three_checks_since_1_35() {
    for (pointer, value, check, level, versions) in [
        (
            "/spec/containers/0/securityContext/procMount",
            json!("Unmasked"),
            "procMount",
            "baseline",
            (0, Some(34)),
        ),
        (
            "/spec/securityContext/runAsNonRoot",
            json!(null),
            "runAsNonRoot",
            "restricted",
            (0, Some(34)),
        ),
        ("/spec/securityContext/runAsUser", json!(0), "runAsUser", "restricted", (23, Some(34))),
    ] {
        let mut pod = with(pointer, &value);
        pod["spec"]["hostUsers"] = json!(false);
        let verdict = verdict(pod.clone());
        assert_eq!(verdict.versions(check), [versions], "{check}");
        let before = if level == "baseline" { "privileged" } else { "baseline" };
        assert_eq!(verdict.level_at(34), Some(before), "{check}");
        pod["spec"]["hostUsers"] = json!(true);
        assert_eq!(self::verdict(pod).versions(check), [(versions.0, None)], "{check}");
    }
    let mut pod = with("/spec/containers/0/securityContext/procMount", &json!("Unmasked"));
    pod["spec"]["hostUsers"] = json!(false);
    let verdict = verdict(pod);
    assert_eq!(verdict.versions("procMount_restricted"), [(35, None)]);
    assert_eq!(verdict.level_at(35), Some("baseline"));
}

#[test]
fn windows_is_exempt_from_linux_checks_since_1_25() {
    let container = "/spec/containers/0/securityContext";
    for (pointer, check, since) in [
        (format!("{container}/allowPrivilegeEscalation"), "allowPrivilegeEscalation", 8),
        (format!("{container}/capabilities"), "capabilities_restricted", 22),
        ("/spec/securityContext/seccompProfile".to_owned(), "seccompProfile_restricted", 19),
    ] {
        let mut pod = with(&pointer, &json!(null));
        for (os, until) in [("windows", Some(24)), ("linux", None)] {
            pod["spec"]["os"] = json!({"name": os});
            let verdict = verdict(pod.clone());
            assert_eq!(verdict.versions(check), [(since, until)], "{check} on {os}");
            assert_eq!(verdict.level_at(24), Some("baseline"), "{check} on {os}");
            let latest = if os == "windows" { "restricted" } else { "baseline" };
            assert_eq!(verdict.level_at(25), Some(latest), "{check} on {os}");
        }
    }
}

#[test]
fn the_worst_sysctl_decides() {
    let sysctls = json!([
        {"name": "net.ipv4.ip_local_reserved_ports", "value": "1"},
        {"name": "net.ipv4.tcp_wmem", "value": "1"},
        {"name": "net.ipv4.ping_group_range", "value": "1"},
    ]);
    let verdict = verdict(with("/spec/securityContext/sysctls", &sysctls));
    assert_eq!(verdict.versions("sysctls"), [(0, Some(31))]);
    assert_eq!(
        (verdict.level_at(31), verdict.level_at(32)),
        (Some("privileged"), Some("restricted"))
    );
    assert_eq!(verdict.level.as_deref(), Some("restricted"));
    assert_eq!(verdict.failed, [""; 0]);
}

#[test]
fn annotation_and_field_fail_one_check_in_all_versions() {
    let mut pod = with("/spec/securityContext/seccompProfile/type", &json!("Unconfined"));
    pod["metadata"]["annotations"]["seccomp.security.alpha.kubernetes.io/pod"] =
        json!("unconfined");
    assert_eq!(verdict(pod).versions("seccompProfile_baseline"), [(0, None)]);
}

#[test]
fn a_failing_pod_setting_is_not_offset_by_its_containers() {
    let mut pod = with("/spec/securityContext/runAsNonRoot", &json!(false));
    let spec = pod["spec"].as_object_mut().unwrap();
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        spec[list][0]["securityContext"]["runAsNonRoot"] = json!(true);
    }
    assert_eq!(verdict(pod.clone()).versions("runAsNonRoot"), [(0, None)]);
    pod["spec"]["securityContext"].as_object_mut().unwrap().remove("runAsNonRoot");
    assert_eq!(verdict(pod).versions("runAsNonRoot"), []);
}

#[test]
fn each_of_several_templates_is_judged_separately() {
    let good = restricted()["spec"].clone();
    let mut root = with("/spec/securityContext/runAsNonRoot", &json!(false))["spec"].clone();
    root["hostUsers"] = json!(false);
    let mut windows =
        with("/spec/containers/0/securityContext/allowPrivilegeEscalation", &json!(true))["spec"]
            .clone();
    windows["os"] = json!({"name": "windows"});
    let cluster = json!({"spec": {
        "headGroupSpec": {"template": {"spec": good}},
        "workerGroupSpecs": [{"template": {"spec": root}}, {"template": {"spec": windows}}],
    }});
    let json = event("create", "ray.io", "rayclusters", json!({"requestObject": cluster}));
    let verdict = Verdict::of(&row(&json).workload.unwrap());
    // A passing template does not make the others pass, and a relaxation of one does not apply to
    // all.
    assert_eq!(verdict.versions("runAsNonRoot"), [(0, Some(34))]);
    assert_eq!(verdict.versions("allowPrivilegeEscalation"), [(8, Some(24))]);
    assert_eq!(verdict.level.as_deref(), Some("restricted"));
}

fn patched(spec: Value) -> Verdict {
    let body = json!({"spec": {"template": {"spec": spec}}});
    let json = event("patch", "apps", "deployments", json!({"requestObject": body}));
    Verdict::of(&row(&json).workload.unwrap())
}

#[test]
fn a_patch_can_prove_a_failure_but_not_a_pass() {
    let restricted = patched(restricted()["spec"].clone());
    assert_eq!((restricted.level.clone(), restricted.level_at(29)), (None, None));
    assert_eq!(restricted.violations, [(None, None, None, None)]);

    let host = patched(json!({"hostPID": true}));
    assert_eq!(
        (host.level.as_deref(), host.level_at(29)),
        (Some("privileged"), Some("privileged"))
    );
    assert_eq!(host.failed, ["hostNamespaces"]);

    let probe = json!({"livenessProbe": {"httpGet": {"host": "x"}}});
    let probe = patched(json!({"containers": [probe]}));
    assert_eq!((probe.level_at(34), probe.level_at(33)), (Some("privileged"), None));

    let escalation =
        patched(json!({"containers": [{"securityContext": {"allowPrivilegeEscalation": true}}]}));
    assert_eq!(escalation.level, None);
    assert_eq!(escalation.failed, ["allowPrivilegeEscalation"]);

    let image = patched(json!({"containers": [{"name": "a", "image": "b"}]}));
    assert_eq!((image.level, image.failed), (None, vec![]));
}

#[test]
fn an_ephemeral_container_is_judged_without_its_pod() {
    let reference = json!({"resource": "pods", "namespace": "web", "name": "app", "subresource": "ephemeralcontainers"});
    let debug = json!({"name": "debug", "securityContext": {"privileged": true, "capabilities": {"add": ["SYS_PTRACE"]}}});
    let body = json!({"kind": "Pod", "spec": {"hostPID": true, "ephemeralContainers": [debug]}});
    let json = event("patch", "", "pods", json!({"objectRef": reference, "responseObject": body}));
    let verdict = Verdict::of(&row(&json).workload.unwrap());
    assert_eq!(verdict.level.as_deref(), Some("privileged"));
    assert_eq!(verdict.failed, ["privileged", "capabilities_baseline", "capabilities_restricted"]);
}

#[test]
fn a_missing_body_leaves_every_check_undecided() {
    let json = event("create", "", "pods", json!({}));
    let workload = row(&json).workload.unwrap();
    assert_eq!(workload.pod_security_violations, None);
    assert_eq!(workload.pod_security_level, None);
}

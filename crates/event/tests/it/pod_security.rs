//! The Pod Security checks, one failing field at a time.

use serde_json::{Value, json};

use crate::{event, row};

fn level_and_failed(spec: Value) -> (String, Vec<String>) {
    let json = event("create", "", "pods", json!({"requestObject": {"spec": spec}}));
    let workload = row(&json).workload.unwrap();
    let failed = workload.pod_security_failed.unwrap();
    let level = workload.pod_security_level.as_deref().unwrap();
    (level.to_owned(), failed.iter().map(|id| (**id).to_owned()).collect())
}

/// A pod that meets the restricted level.
fn restricted() -> Value {
    json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "c", "configMap": {"name": "c"}}],
        "containers": [{"name": "a", "image": "a", "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
        }}],
    })
}

#[test]
fn a_restricted_pod_fails_nothing() {
    assert_eq!(level_and_failed(restricted()), ("restricted".to_owned(), vec![]));
}

#[test]
fn each_field_fails_its_own_check() {
    let container = "/containers/0/securityContext";
    for (pointer, field, value, level, check) in [
        ("", "hostPID", json!(true), "privileged", "hostNamespaces"),
        ("", "hostNetwork", json!(true), "privileged", "hostNamespaces"),
        (container, "privileged", json!(true), "privileged", "privileged"),
        (
            container,
            "capabilities",
            json!({"add": ["SYS_ADMIN"], "drop": ["ALL"]}),
            "privileged",
            "capabilities_baseline",
        ),
        (
            container,
            "capabilities",
            json!({"add": ["CHOWN"], "drop": ["ALL"]}),
            "baseline",
            "capabilities_restricted",
        ),
        (
            "",
            "volumes",
            json!([{"name": "h", "hostPath": {"path": "/x"}}]),
            "privileged",
            "hostPathVolumes",
        ),
        (
            "",
            "volumes",
            json!([{"name": "n", "nfs": {"server": "x"}}]),
            "baseline",
            "restrictedVolumes",
        ),
        (
            "/containers/0",
            "ports",
            json!([{"containerPort": 1, "hostPort": 1}]),
            "privileged",
            "hostPorts",
        ),
        (
            "/containers/0",
            "livenessProbe",
            json!({"httpGet": {"host": "10.0.0.1"}}),
            "privileged",
            "hostProbesAndHostLifecycle",
        ),
        (
            "/securityContext",
            "appArmorProfile",
            json!({"type": "Unconfined"}),
            "privileged",
            "appArmorProfile",
        ),
        (container, "seLinuxOptions", json!({"type": "spc_t"}), "privileged", "seLinuxOptions"),
        (container, "procMount", json!("Unmasked"), "privileged", "procMount"),
        (
            container,
            "seccompProfile",
            json!({"type": "Unconfined"}),
            "privileged",
            "seccompProfile_baseline",
        ),
        (
            "/securityContext",
            "sysctls",
            json!([{"name": "kernel.core_pattern", "value": "|x"}]),
            "privileged",
            "sysctls",
        ),
        (
            "/securityContext",
            "windowsOptions",
            json!({"hostProcess": true}),
            "privileged",
            "windowsHostProcess",
        ),
        (
            container,
            "allowPrivilegeEscalation",
            json!(true),
            "baseline",
            "allowPrivilegeEscalation",
        ),
        (
            container,
            "allowPrivilegeEscalation",
            json!(null),
            "baseline",
            "allowPrivilegeEscalation",
        ),
        (container, "runAsNonRoot", json!(false), "baseline", "runAsNonRoot"),
        (container, "runAsUser", json!(0), "baseline", "runAsUser"),
        (
            "/securityContext",
            "seccompProfile",
            json!(null),
            "baseline",
            "seccompProfile_restricted",
        ),
    ] {
        let mut spec = restricted();
        spec.pointer_mut(pointer).unwrap()[field] = value;
        let (reached, failed) = level_and_failed(spec);
        assert_eq!(reached, level, "{pointer} {field}");
        assert!(failed.iter().any(|id| id == check), "{pointer} {field}: {failed:?}");
    }
}

#[test]
fn what_is_allowed_passes() {
    for (pointer, field, value) in [
        (
            "/containers/0/securityContext",
            "capabilities",
            json!({"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}),
        ),
        ("/containers/0", "ports", json!([{"containerPort": 80, "hostPort": 0}])),
        ("/securityContext", "sysctls", json!([{"name": "net.ipv4.tcp_syncookies", "value": "1"}])),
        ("/securityContext", "seLinuxOptions", json!({"type": "container_t", "level": "s0"})),
    ] {
        let mut spec = restricted();
        spec.pointer_mut(pointer).unwrap()[field] = value;
        assert_eq!(level_and_failed(spec).0, "restricted", "{pointer} {field}");
    }
}

#[test]
fn a_patch_can_prove_a_failure_but_no_pass() {
    let patch = |spec: Value| {
        let body = json!({"spec": {"template": {"spec": spec}}});
        let json = event("patch", "apps", "deployments", json!({"requestObject": body}));
        row(&json).workload.unwrap().pod_security_level.map(|level| (*level).to_owned())
    };
    assert_eq!(patch(restricted()), None);
    assert_eq!(patch(json!({"hostPID": true})).as_deref(), Some("privileged"));
}

//! Differences between two versions of a workload.

use podtrail_event::{Change, Text, changes};
use serde_json::{Value, json};

/// Rows as one line each: change, container, field, before and after; `-` is null.
pub(crate) fn lines(rows: &[Change<'_>]) -> Vec<String> {
    let text = |text: &Option<Text<'_>>| text.as_deref().unwrap_or("-").to_owned();
    let line = |row: &Change<'_>| {
        [&row.change, &row.container, &row.field, &row.before, &row.after].map(text).join(" | ")
    };
    rows.iter().map(line).collect()
}

fn deployment(spec: Value) -> Value {
    json!({"kind": "Deployment", "spec": {"replicas": 1, "template": {"spec": spec}}})
}

/// A template that fails no Pod Security check.
fn restricted() -> Value {
    json!({
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "app", "image": "web:1", "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
        }}],
    })
}

fn container(fields: Value) -> Value {
    let mut spec = restricted();
    for (name, value) in fields.as_object().unwrap() {
        spec["containers"][0][name] = value.clone();
    }
    spec
}

fn pod(fields: Value) -> Value {
    let mut spec = restricted();
    for (name, value) in fields.as_object().unwrap() {
        spec[name] = value.clone();
    }
    spec
}

/// Returns the rows from a restricted deployment to one with another template.
fn from_restricted(spec: &Value) -> Vec<String> {
    lines(&changes("apps", "deployments", &deployment(restricted()), &deployment(spec.clone())))
}

fn context(name: &str, value: Value) -> Value {
    let mut context = restricted()["containers"][0]["securityContext"].clone();
    context[name] = value;
    container(json!({"securityContext": context}))
}

#[test]
fn every_change_is_a_row() {
    for (spec, expected) in [
        (restricted(), vec![]),
        (container(json!({"image": "web:2"})), vec!["image | app | image | web:1 | web:2"]),
        (
            container(json!({"command": ["sh", "-c", "x y"], "args": []})),
            vec![
                "command | app | command | - | [\"sh\",\"-c\",\"x y\"]",
                "command | app | args | - | []",
            ],
        ),
        (
            container(json!({"livenessProbe": {"exec": {"command": ["id"]}}})),
            vec!["handler | app | livenessProbe | - | [\"id\"]"],
        ),
        (
            container(json!({"env": [
                {"name": "PASSWORD", "value": "hunter2"},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "db", "key": "token"}}},
            ], "envFrom": [{"secretRef": {"name": "all"}}]})),
            vec![
                "env added | app | PASSWORD | - | -",
                "env added | app | TOKEN | - | secret db/token",
                "env added | app | envFrom | - | secret all",
                "env from | app | envFrom | - | [{\"secretRef\":{\"name\":\"all\"}}]",
            ],
        ),
        (
            pod(
                json!({"volumes": [{"name": "cache", "emptyDir": {}}, {"name": "db", "secret": {"secretName": "db"}}]}),
            ),
            vec![
                "volume added | - | cache | - | emptyDir",
                "volume added | - | db | - | secret db",
            ],
        ),
        (
            pod(json!({"volumes": [{"name": "root", "hostPath": {"path": "/etc/.."}}]})),
            vec![
                "volume added | - | root | - | hostPath /",
                "security weakened | - | hostPathVolumes | passes | fails",
                "security weakened | - | restrictedVolumes | passes | fails",
                "security weakened | - | hostPath | - | /",
            ],
        ),
        (
            pod(json!({
                "serviceAccountName": "admin",
                "nodeName": "node-1",
                "nodeSelector": {"b": "2", "a": "1"},
                "tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b", "effect": "NoSchedule"}],
                "imagePullSecrets": [{"name": "registry"}],
            })),
            vec![
                "service account | - | serviceAccountName | - | admin",
                "node name | - | nodeName | - | node-1",
                "node selector | - | nodeSelector | - | a=1, b=2",
                "tolerations | - | tolerations | - | *:*, a=b:NoSchedule",
                "image pull secrets | - | imagePullSecrets | - | registry",
            ],
        ),
        (
            context("privileged", json!(true)),
            vec![
                "security weakened | app | privileged | false | true",
                "security weakened | - | privileged | passes | fails",
            ],
        ),
        (
            context("capabilities", json!({"add": ["SYS_ADMIN"]})),
            vec![
                "security weakened | app | capabilities.add | - | SYS_ADMIN",
                "security weakened | app | capabilities.drop | ALL | -",
                "security weakened | - | capabilities_baseline | passes | fails",
                "security weakened | - | capabilities_restricted | passes | fails",
            ],
        ),
        (
            context("runAsNonRoot", json!(false)),
            vec![
                "security weakened | app | runAsNonRoot | true | false",
                "security weakened | - | runAsNonRoot | passes | fails",
            ],
        ),
        (
            context("seccompProfile", json!({"type": "Unconfined"})),
            vec![
                "security weakened | app | seccompProfile | RuntimeDefault | Unconfined",
                "security weakened | - | seccompProfile_baseline | passes | fails",
                "security weakened | - | seccompProfile_restricted | passes | fails",
            ],
        ),
        (
            context("readOnlyRootFilesystem", json!(true)),
            vec!["security strengthened | app | readOnlyRootFilesystem | - | true"],
        ),
        (
            pod(json!({"hostPID": true, "hostNetwork": true})),
            vec![
                "security weakened | - | hostNamespaces | passes | fails",
                "security weakened | - | hostPID | false | true",
                "security weakened | - | hostNetwork | false | true",
            ],
        ),
        (
            container(json!({"ports": [{"containerPort": 80, "hostPort": 80}]})),
            vec![
                "security weakened | app | hostPort | - | 80",
                "security weakened | - | hostPorts | passes | fails",
                "ports | app | ports | - | [{\"containerPort\":80,\"hostPort\":80}]",
            ],
        ),
        (
            container(json!({
                "env": [
                    {"name": "LD_PRELOAD", "value": "/x.so"},
                    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                "envFrom": [{"configMapRef": {"name": "all"}}],
            })),
            vec![
                "env added | app | LD_PRELOAD | - | -",
                "env added | app | IP | - | -",
                "env from | app | envFrom | - | [{\"configMapRef\":{\"name\":\"all\"}}]",
                "env loads code | app | LD_PRELOAD | - | /x.so",
                "env source | app | IP | - | -",
            ],
        ),
        (
            container(json!({
                "imagePullPolicy": "Never",
                "volumeMounts": [{"name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional"}],
                "readinessProbe": {"httpGet": {"port": 1}},
                "resources": {"claims": [{"name": "gpu"}]},
                "restartPolicy": "Always",
            })),
            vec![
                "pull policy | app | imagePullPolicy | - | Never",
                "probe | app | readinessProbe | - | {\"httpGet\":{\"port\":1}}",
                "resources | app | resources | - | {\"claims\":[{\"name\":\"gpu\"}]}",
                "field | app | restartPolicy | - | Always",
                "volume mounts | app | volumeMounts | - | [{\"mountPath\":\"/v\",\"mountPropagation\":\"Bidirectional\",\"name\":\"v\"}]",
            ],
        ),
        (
            pod(json!({
                "dnsConfig": {"nameservers": ["203.0.113.9"]},
                "hostAliases": [{"ip": "203.0.113.9", "hostnames": ["a"]}],
                "priorityClassName": "p",
                "runtimeClassName": "r",
                "schedulerName": "s",
                "securityContext": {
                    "runAsNonRoot": true,
                    "seccompProfile": {"type": "RuntimeDefault"},
                    "fsGroup": 0,
                    "runAsGroup": 0,
                },
                "somethingNew": 1,
            })),
            vec![
                "dns | - | dnsConfig | - | {\"nameservers\":[\"203.0.113.9\"]}",
                "host aliases | - | hostAliases | - | [{\"hostnames\":[\"a\"],\"ip\":\"203.0.113.9\"}]",
                "priority | - | priorityClassName | - | p",
                "runtime class | - | runtimeClassName | - | r",
                "scheduler | - | schedulerName | - | s",
                "field | - | somethingNew | - | 1",
                "security context | - | fsGroup | - | 0",
                "security context | app | runAsGroup | - | 0",
            ],
        ),
    ] {
        assert_eq!(from_restricted(&spec), expected, "{spec}");
    }
}

#[test]
fn the_reverse_change_is_reported_too() {
    let spec =
        pod(json!({"hostPID": true, "volumes": [{"name": "root", "hostPath": {"path": "/"}}]}));
    let rows = changes("apps", "deployments", &deployment(spec), &deployment(restricted()));
    assert_eq!(
        lines(&rows),
        [
            "volume removed | - | root | hostPath / | -",
            "security strengthened | - | hostNamespaces | fails | passes",
            "security strengthened | - | hostPathVolumes | fails | passes",
            "security strengthened | - | restrictedVolumes | fails | passes",
            "security strengthened | - | hostPID | true | false",
            "security strengthened | - | hostPath | / | -",
        ]
    );
}

#[test]
fn containers_are_added_and_removed_by_role() {
    let mut spec = restricted();
    spec["containers"] = json!([{"name": "miner", "image": "evil:1", "securityContext": {
        "privileged": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
    }}]);
    spec["initContainers"] = json!([{"name": "app", "image": "web:1", "securityContext": {
        "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
    }}]);
    assert_eq!(
        from_restricted(&spec),
        [
            "container added | app | init | - | web:1",
            "container added | miner | container | - | evil:1",
            "security weakened | miner | privileged | - | true",
            "container removed | app | container | web:1 | -",
            "security weakened | - | privileged | passes | fails",
        ]
    );
}

#[test]
fn settings_of_the_pod_can_move_into_its_containers() {
    let mut spec = restricted();
    spec["securityContext"] = json!({});
    let context = &mut spec["containers"][0]["securityContext"];
    context["runAsNonRoot"] = json!(true);
    context["seccompProfile"] = json!({"type": "RuntimeDefault"});
    assert_eq!(from_restricted(&spec), [""; 0]);
}

#[test]
fn a_different_order_is_not_a_change() {
    let spec = |reverse: bool| {
        let list = |names: [&str; 2], element: &dyn Fn(&str) -> Value| {
            let mut list: Vec<Value> = names.iter().map(|name| element(name)).collect();
            if reverse {
                list.reverse();
            }
            list
        };
        let container = |name: &str| json!({"name": name, "image": name, "env": list(["a", "b"], &|n| json!({"name": n, "value": n}))});
        deployment(json!({
            "containers": list(["c", "d"], &container),
            "volumes": list(["v", "w"], &|n| json!({"name": n, "emptyDir": {}})),
            "tolerations": list(["t", "u"], &|n| json!({"key": n})),
        }))
    };
    assert_eq!(changes("apps", "deployments", &spec(false), &spec(true)), []);
}

#[test]
fn other_kinds_have_other_settings() {
    let cron = |schedule: &str, suspend: bool| {
        let template = json!({"spec": {"template": {"spec": restricted()}}});
        json!({"spec": {"schedule": schedule, "suspend": suspend, "jobTemplate": template}})
    };
    let rows = changes("batch", "cronjobs", &cron("0 3 * * *", true), &cron("* * * * *", false));
    assert_eq!(
        lines(&rows),
        ["schedule | - | schedule | 0 3 * * * | * * * * *", "suspend | - | suspend | true | false"]
    );
    assert_eq!(changes("", "configmaps", &json!({"data": {"a": "1"}}), &json!({})), []);
}

#[test]
fn only_mutable_fields_of_a_pod_change() {
    // As stored, compared with the request: admission added an account, a volume and a mount; the scheduler set a node.
    let sent = json!({"spec": {"containers": [{"name": "app", "image": "web:1"}]}});
    let stored = json!({"spec": {
        "serviceAccountName": "default",
        "nodeName": "node-1",
        "volumes": [{"name": "kube-api-access-x", "projected": {"sources": []}}],
        "containers": [{"name": "app", "image": "web:2"}],
        "ephemeralContainers": [{"name": "debug", "image": "busybox"}],
    }});
    assert_eq!(
        lines(&changes("", "pods", &sent, &stored)),
        [
            "image | app | image | web:1 | web:2",
            "container added | debug | ephemeral | - | busybox"
        ]
    );
}

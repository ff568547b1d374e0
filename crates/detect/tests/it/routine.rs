//! Routine events, and look-alikes that are not routine.

use podtrail_detect::{Finding, Pack, Severity, hunt};
use podtrail_query::{Scope, Session};
use serde_json::{Value, json};

use crate::support::{log, session_over, session_with_scope};

/// Returns an allowed request, `second` seconds after ten o'clock.
fn event(
    second: u32,
    user: &str,
    verb: &str,
    resource: &str,
    namespace: Option<&str>,
    body: Value,
) -> Value {
    let at = format!("2026-11-24T10:{:02}:{:02}.000000Z", second / 60, second % 60);
    let groups = match user {
        "system:apiserver" | "kubernetes-admin" => vec!["system:masters", "system:authenticated"],
        _ => vec!["system:authenticated"],
    };
    let name = body["metadata"]["name"].clone();
    let group = match resource {
        "daemonsets" | "deployments" => json!("apps"),
        "clusterroles" | "clusterrolebindings" => json!("rbac.authorization.k8s.io"),
        _ => Value::Null,
    };
    let code = if verb == "create" { 201 } else { 200 };
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
        "auditID": format!("{second} {user} {verb} {resource} {name}"), "stage": "ResponseComplete",
        "requestURI": "/", "verb": verb, "user": {"username": user, "groups": groups},
        "sourceIPs": [if user == "system:apiserver" { "127.0.0.1" } else { "10.0.0.4" }],
        "userAgent": "kubeadm/v1.36.2",
        "objectRef": {"resource": resource, "namespace": namespace, "name": name, "apiGroup": group, "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": code},
        "requestObject": body.clone(), "responseObject": body,
        "requestReceivedTimestamp": at, "stageTimestamp": at,
        "annotations": {"authorization.k8s.io/decision": "allow"},
    })
}

/// A change of a body.
type Change = fn(&mut Value);

/// Returns the objects that an API server creates in an empty store.
fn birth() -> Vec<Value> {
    let of = |resource, name| {
        event(0, "system:apiserver", "create", resource, None, json!({"metadata": {"name": name}}))
    };
    vec![
        of("namespaces", "kube-system"),
        of("namespaces", "default"),
        of("clusterroles", "cluster-admin"),
        of("clusterrolebindings", "cluster-admin"),
    ]
}

/// Returns the DaemonSet of kube-proxy, as kubeadm writes it.
fn kube_proxy() -> Value {
    json!({
        "kind": "DaemonSet", "apiVersion": "apps/v1",
        "metadata": {"name": "kube-proxy", "namespace": "kube-system"},
        "spec": {"template": {"spec": {
            "hostNetwork": true,
            "volumes": [
                {"name": "lock", "hostPath": {"path": "/run/xtables.lock"}},
                {"name": "modules", "hostPath": {"path": "/lib/modules"}},
                {"name": "config", "configMap": {"name": "kube-proxy"}},
            ],
            "containers": [{
                "name": "kube-proxy", "image": "registry.k8s.io/kube-proxy:v1.36.2",
                "command": ["/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf"],
                "securityContext": {"privileged": true},
                "volumeMounts": [
                    {"name": "lock", "mountPath": "/run/xtables.lock"},
                    {"name": "modules", "mountPath": "/lib/modules", "readOnly": true},
                    {"name": "config", "mountPath": "/var/lib/kube-proxy"},
                ],
            }],
        }}},
    })
}

fn container(body: &mut Value) -> &mut Value {
    &mut body["spec"]["template"]["spec"]["containers"][0]
}

/// Returns the last finding of privileged-container, without exceptions.
async fn privileged(events: &[Value]) -> Option<Finding> {
    privileged_in(&session_over(log(events))).await
}

async fn privileged_in(session: &Session) -> Option<Finding> {
    let pack = Pack::built_in().unwrap().only("privileged-container");
    let hunt = hunt(session, &pack, None, chrono::Utc::now()).await.unwrap();
    assert!(hunt.failures.is_empty(), "{:?}", hunt.failures);
    hunt.findings.into_iter().next_back()
}

async fn is_routine(events: &[Value]) -> bool {
    let finding = privileged(events).await.unwrap();
    assert_eq!(finding.severity == Severity::Low, finding.lowered.is_some());
    finding.severity == Severity::Low
}

fn installed(second: u32, user: &str, change: impl Fn(&mut Value)) -> Value {
    let mut body = kube_proxy();
    change(&mut body);
    event(second, user, "create", "daemonsets", Some("kube-system"), body)
}

const ADMIN: &str = "kubernetes-admin";
const ADDONS: &str = "system:serviceaccount:kube-system:addon-manager";

#[tokio::test]
async fn a_published_agent_is_routine_only_for_its_installers() {
    let born = |event: Value| [birth(), vec![event]].concat();
    assert!(is_routine(&born(installed(30, ADMIN, |_| ()))).await);
    assert!(is_routine(&[installed(30, ADDONS, |_| ())]).await);
    // Not without the creation event, not later, and not by another identity or from another address.
    assert!(!is_routine(&[installed(30, ADMIN, |_| ())]).await);
    assert!(!is_routine(&born(installed(1_000, ADMIN, |_| ()))).await);
    assert!(!is_routine(&born(installed(30, "mallory", |_| ()))).await);
    let setup =
        event(10, ADMIN, "create", "namespaces", None, json!({"metadata": {"name": "web"}}));
    let mut elsewhere = installed(30, ADMIN, |_| ());
    elsewhere["sourceIPs"] = json!(["203.0.113.9"]);
    assert!(!is_routine(&[birth(), vec![setup, elsewhere]].concat()).await);
    for account in ["default", "replicaset-controller"] {
        let user = format!("system:serviceaccount:kube-system:{account}");
        assert!(!is_routine(&[installed(30, &user, |_| ())]).await, "{account}");
    }
}

#[tokio::test]
async fn the_creation_of_a_cluster_cannot_be_forged_later() {
    let earlier =
        event(0, "alice", "create", "namespaces", None, json!({"metadata": {"name": "web"}}));
    let later = |mut event: Value| {
        let time = event["requestReceivedTimestamp"].as_str().unwrap().replace("T10", "T11");
        event["requestReceivedTimestamp"] = json!(time);
        event["stageTimestamp"] = json!(time);
        event
    };
    let mut events = vec![earlier];
    events.extend(birth().into_iter().map(later));
    events.push(later(installed(30, ADMIN, |_| ())));
    assert!(!is_routine(&events).await);
    // A client with a certificate in that name does not connect from the API server's own host.
    let mut forged = birth();
    for event in &mut forged {
        event["sourceIPs"] = json!(["10.0.0.4"]);
    }
    forged.push(installed(30, ADMIN, |_| ()));
    assert!(!is_routine(&forged).await);
}

#[tokio::test]
async fn an_agent_with_more_privileges_than_published_is_not_routine() {
    let changes: [(&str, Change); 11] = [
        ("another image", |b| container(b)["image"] = json!("evil.example/kube-proxy:v1")),
        ("an image of the same registry", |b| {
            container(b)["image"] = json!("registry.k8s.io/e2e-test-images/busybox:1");
        }),
        ("another program", |b| container(b)["command"] = json!(["/bin/sh", "-c", "sleep 1"])),
        ("a hook", |b| {
            container(b)["lifecycle"] = json!({"postStart": {"exec": {"command": ["/bin/sh"]}}});
        }),
        ("a probe", |b| container(b)["livenessProbe"] = json!({"exec": {"command": ["/x"]}})),
        ("a variable", |b| {
            container(b)["env"] = json!([{"name": "LD_PRELOAD", "value": "/var/x.so"}]);
        }),
        ("the node's root", |b| {
            b["spec"]["template"]["spec"]["volumes"][0] =
                json!({"name": "lock", "hostPath": {"path": "/"}});
        }),
        ("a file over its program", |b| {
            container(b)["volumeMounts"][2] =
                json!({"name": "config", "mountPath": "/usr/local/bin/kube-proxy", "subPath": "x"});
        }),
        ("a file that the loader reads", |b| {
            container(b)["volumeMounts"][2] =
                json!({"name": "config", "mountPath": "/etc/ld.so.preload", "subPath": "x"});
        }),
        ("the node's processes", |b| b["spec"]["template"]["spec"]["hostPID"] = json!(true)),
        ("a second container", |b| {
            b["spec"]["template"]["spec"]["initContainers"] =
                json!([{"name": "i", "image": "evil.example/x"}]);
        }),
    ];
    for (what, change) in changes {
        assert!(!is_routine(&[installed(30, ADDONS, change)]).await, "{what}");
        let set_up = [birth(), vec![installed(30, ADMIN, change)]].concat();
        assert!(!is_routine(&set_up).await, "{what}");
    }
}

fn updated(second: u32, user: &str, change: impl Fn(&mut Value)) -> Value {
    let mut body = kube_proxy();
    change(&mut body);
    event(second, user, "update", "daemonsets", Some("web"), body)
}

/// Returns whether `update` is routine three days after `creation`, which is then in the look-back.
async fn is_routine_days_later(creation: Value, mut update: Value) -> bool {
    for time in ["requestReceivedTimestamp", "stageTimestamp"] {
        update[time] = json!(update[time].as_str().unwrap().replace("11-24", "11-27"));
    }
    let scope = Scope { from: Some("2026-11-27T00:00:00Z".parse().unwrap()), ..Scope::default() };
    let session = session_with_scope(log(&[creation, update]), scope);
    let finding = privileged_in(&session).await.unwrap();
    assert_eq!(finding.count, 1);
    finding.severity == Severity::Low
}

#[tokio::test]
async fn only_harmless_updates_are_routine() {
    let created = |user: &str| event(0, user, "create", "daemonsets", Some("web"), kube_proxy());
    let version =
        |b: &mut Value| container(b)["image"] = json!("registry.k8s.io/kube-proxy:v1.36.3");
    let digest = |b: &mut Value| {
        container(b)["image"] =
            json!(format!("registry.k8s.io/kube-proxy@sha256:{}", "b".repeat(64)));
    };
    let deployer = "system:serviceaccount:ci:deployer";
    // Another tag by the creator of the workload. Days lie between the two, because the finding on the creation,
    // which is not routine, includes an update that follows it.
    assert!(is_routine_days_later(created(deployer), updated(60, deployer, version)).await);
    assert!(!is_routine_days_later(created(deployer), updated(60, "mallory", version)).await);
    // Or by an identity that has changed it before, which was reported.
    assert!(
        is_routine_days_later(updated(0, deployer, |_| ()), updated(60, deployer, version)).await
    );
    // An identity that did not create it changes what it runs.
    assert!(!is_routine(&[created(deployer), updated(60, "mallory", version)]).await);
    assert!(!is_routine(&[created(deployer), updated(60, "mallory", digest)]).await);
    assert!(!is_routine(&[updated(30, deployer, |_| ()), updated(60, deployer, version)]).await);
    let changes: [(&str, Change); 4] = [
        ("env", |b| container(b)["env"] = json!([{"name": "X", "value": "1"}])),
        ("command", |b| container(b)["command"] = json!(["/bin/sh"])),
        ("repository", |b| container(b)["image"] = json!("registry.k8s.io/kube-proxy/x:1")),
        ("registry", |b| {
            container(b)["image"] = json!("registry.k8s.io.evil.example/kube-proxy:1");
        }),
    ];
    for (what, change) in changes {
        assert!(!is_routine(&[created(deployer), updated(60, deployer, change)]).await, "{what}");
    }
}

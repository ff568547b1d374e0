//! Routine events, and look-alikes that are not routine.

use podtrail_detect::{Finding, Pack, Severity, hunt};
use podtrail_query::{Scope, Session};
use serde_json::{Value, json};

use crate::support::{log, scoped, session_of_clusters};

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

/// Returns the findings of privileged-container, without exceptions.
async fn privileged(session: &Session) -> Vec<Finding> {
    let pack = Pack::built_in().unwrap().only("privileged-container");
    let hunt = hunt(session, &pack, None, chrono::Utc::now()).await.unwrap();
    assert!(hunt.failures.is_empty(), "{:?}", hunt.failures);
    hunt.findings
}

/// A description, a log, and whether its last finding is routine.
type Case = (String, Vec<Value>, bool);

fn case(what: &str, log: impl Into<Vec<Value>>, is_routine: bool) -> Case {
    (what.to_owned(), log.into(), is_routine)
}

/// Checks all cases in one hunt, each as the log of a cluster of its own.
async fn check(cases: &[Case]) {
    let found = privileged(&session_of_clusters(cases.iter().map(|(_, log, _)| &log[..]))).await;
    for (number, (what, _, is_routine)) in cases.iter().enumerate() {
        let number = number.to_string();
        let mut of_cluster =
            found.iter().filter(|finding| finding.cluster.as_deref() == Some(&number));
        let finding = of_cluster.next_back().unwrap_or_else(|| panic!("{what}: no finding"));
        assert_eq!(finding.severity == Severity::Low, *is_routine, "{what}");
        assert_eq!(finding.lowered.is_some(), *is_routine, "{what}");
    }
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
    let setup =
        event(10, ADMIN, "create", "namespaces", None, json!({"metadata": {"name": "web"}}));
    let mut elsewhere = installed(30, ADMIN, |_| ());
    elsewhere["sourceIPs"] = json!(["203.0.113.9"]);
    let account =
        |name: &str| installed(30, &format!("system:serviceaccount:kube-system:{name}"), |_| ());
    check(&[
        case("while the cluster is created", born(installed(30, ADMIN, |_| ())), true),
        case("by the addon manager", [installed(30, ADDONS, |_| ())], true),
        case("without the creation of the cluster", [installed(30, ADMIN, |_| ())], false),
        case("later", born(installed(1_000, ADMIN, |_| ())), false),
        case("by another identity", born(installed(30, "mallory", |_| ())), false),
        case("from another address", [birth(), vec![setup, elsewhere]].concat(), false),
        case("by the default account", [account("default")], false),
        case("by a controller", [account("replicaset-controller")], false),
    ])
    .await;
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
    // A client with a certificate in that name does not connect from the API server's own host.
    let mut forged = birth();
    for event in &mut forged {
        event["sourceIPs"] = json!(["10.0.0.4"]);
    }
    forged.push(installed(30, ADMIN, |_| ()));
    check(&[case("later", events, false), case("from elsewhere", forged, false)]).await;
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
    let cases = changes.into_iter().flat_map(|(what, change)| {
        let set_up = [birth(), vec![installed(30, ADMIN, change)]].concat();
        [case(what, [installed(30, ADDONS, change)], false), case(what, set_up, false)]
    });
    check(&cases.collect::<Vec<_>>()).await;
}

fn updated(second: u32, user: &str, change: impl Fn(&mut Value)) -> Value {
    let mut body = kube_proxy();
    change(&mut body);
    event(second, user, "update", "daemonsets", Some("web"), body)
}

/// Checks cases with a creation and an update three days later; the creation is then in the look-back.
async fn check_days_later(mut cases: Vec<Case>) {
    for (_, log, _) in &mut cases {
        for time in ["requestReceivedTimestamp", "stageTimestamp"] {
            log[1][time] = json!(log[1][time].as_str().unwrap().replace("11-24", "11-27"));
        }
    }
    let scope = Scope { from: Some("2026-11-27T00:00:00Z".parse().unwrap()), ..Scope::default() };
    let logs = cases.iter().enumerate();
    let logs: Vec<_> =
        logs.map(|(number, (_, events, _))| (number.to_string(), log(events))).collect();
    let found = privileged(&scoped(&logs, scope)).await;
    for (number, (what, _, is_routine)) in cases.iter().enumerate() {
        let number = number.to_string();
        let of_cluster: Vec<_> =
            found.iter().filter(|finding| finding.cluster.as_deref() == Some(&number)).collect();
        assert_eq!((of_cluster.len(), of_cluster[0].count), (1, 1), "{what}");
        assert_eq!(of_cluster[0].severity == Severity::Low, *is_routine, "{what}");
    }
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
    // Days lie between the two, because the finding on the creation, which is not routine, includes an update that
    // follows it.
    check_days_later(vec![
        case(
            "another tag by the creator",
            [created(deployer), updated(60, deployer, version)],
            true,
        ),
        case("by another", [created(deployer), updated(60, "mallory", version)], false),
        case(
            "by an identity that has changed it before, which was reported",
            [updated(0, deployer, |_| ()), updated(60, deployer, version)],
            true,
        ),
    ])
    .await;
    let changes: [(&str, Change); 4] = [
        ("env", |b| container(b)["env"] = json!([{"name": "X", "value": "1"}])),
        ("command", |b| container(b)["command"] = json!(["/bin/sh"])),
        ("repository", |b| container(b)["image"] = json!("registry.k8s.io/kube-proxy/x:1")),
        ("registry", |b| {
            container(b)["image"] = json!("registry.k8s.io.evil.example/kube-proxy:1");
        }),
    ];
    let changes = changes.into_iter().map(|(what, change)| {
        case(what, [created(deployer), updated(60, deployer, change)], false)
    });
    let by_another = [
        case("a tag by another", [created(deployer), updated(60, "mallory", version)], false),
        case("a digest by another", [created(deployer), updated(60, "mallory", digest)], false),
        case(
            "after an update",
            [updated(30, deployer, |_| ()), updated(60, deployer, version)],
            false,
        ),
    ];
    check(&changes.chain(by_another).collect::<Vec<_>>()).await;
}

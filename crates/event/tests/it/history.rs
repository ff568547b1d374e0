//! The changes of each write of an object against the previous version.

use podtrail_event::{History, Write};
use serde_json::{Value, json};

use crate::changes::lines;

/// An allowed write, with its bodies.
fn write(history: &mut History, verb: &str, request: Value, response: Value) -> Vec<String> {
    write_as(history, Write { verb, outcome: "allowed", ..Write::default() }, &request, &response)
}

fn write_as(
    history: &mut History,
    write: Write<'_>,
    request: &Value,
    response: &Value,
) -> Vec<String> {
    let text = |body: &Value| (!body.is_null()).then(|| body.to_string());
    let (request, response) = (text(request), text(response));
    lines(&history.write(&Write {
        request_object: request.as_deref(),
        response_object: response.as_deref(),
        ..write
    }))
}

fn deployments() -> History {
    History::new("apps", "deployments", Some("web"), Some("app")).unwrap()
}

fn deployment(image: &str) -> Value {
    json!({"kind": "Deployment", "spec": {"replicas": 1, "template": {"spec": {
        "containers": [{"name": "app", "image": image}],
    }}}})
}

fn image_patch(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})
}

const NOTHING: [&str; 0] = [];
const NULL: Value = Value::Null;

#[test]
fn a_patch_is_compared_with_the_previous_version_with_or_without_a_response() {
    for shows_response in [true, false] {
        let response = |body: Value| if shows_response { body } else { NULL };
        let mut history = deployments();
        let created = write(&mut history, "create", deployment("a:1"), response(deployment("a:1")));
        assert_eq!(created, NOTHING);
        assert_eq!(
            write(&mut history, "patch", image_patch("a:2"), response(deployment("a:2"))),
            ["image | app | image | a:1 | a:2"]
        );
        let json_patch = json!([
            {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "a:3"},
        ]);
        assert_eq!(
            write(&mut history, "patch", json_patch, response(deployment("a:3"))),
            ["image | app | image | a:2 | a:3"]
        );
        assert_eq!(
            write(&mut history, "update", deployment("a:4"), response(deployment("a:4"))),
            ["image | app | image | a:3 | a:4"]
        );
        let label = json!({"metadata": {"labels": {"a": "b"}}});
        let mut labelled = deployment("a:4");
        labelled["metadata"] = json!({"labels": {"a": "b"}});
        assert_eq!(
            write(&mut history, "patch", label, response(labelled)),
            ["labels | - | a | - | b"]
        );
    }
}

#[test]
fn without_a_previous_version_a_patch_shows_the_fields_that_it_sets() {
    let strategic = json!({"spec": {"template": {"spec": {"hostPID": true, "containers": [
        {"name": "app", "image": "a:2", "securityContext": {"privileged": true, "runAsNonRoot": true}},
    ]}}}});
    let expected = [
        "image | app | image | - | a:2",
        "security weakened | app | privileged | - | true",
        "security weakened | - | hostNamespaces | - | fails",
        "security weakened | - | privileged | - | fails",
        "security weakened | - | hostPID | - | true",
    ];
    assert_eq!(write(&mut deployments(), "patch", strategic.clone(), NULL), expected);
    // A response shows the new version, not the previous one.
    let mut history = deployments();
    assert_eq!(write(&mut history, "patch", strategic, deployment("a:2")), expected);
    assert_eq!(
        write(&mut history, "patch", image_patch("a:3"), NULL),
        ["image | app | image | a:2 | a:3"]
    );
    // An update repeats the whole object, changed or not.
    assert_eq!(write(&mut deployments(), "update", deployment("a:2"), NULL), NOTHING);
    // JSON Patch has a separate operation for new values.
    let added = json!([{
        "op": "add",
        "path": "/spec/template/spec/containers/-",
        "value": {"name": "miner", "image": "evil:1"},
    }]);
    assert_eq!(
        write(&mut deployments(), "patch", added, NULL),
        ["container added | miner | container | - | evil:1"]
    );
}

#[test]
fn a_missing_body_makes_the_version_unknown() {
    let unseen = |verb: &'static str, request: Value| {
        let mut history = deployments();
        write(&mut history, "create", deployment("a:1"), NULL);
        write(&mut history, verb, request, NULL);
        write(&mut history, "patch", image_patch("a:3"), NULL)
    };
    let unknown = ["image | app | image | - | a:3"];
    assert_eq!(unseen("patch", NULL), unknown);
    assert_eq!(unseen("update", NULL), unknown);
    assert_eq!(unseen("create", NULL), unknown);
    // A patch that does not apply shows that an earlier write is missing from the log.
    assert_eq!(unseen("patch", json!([{"op": "remove", "path": "/spec/x"}])), unknown);
}

#[test]
fn requests_that_store_nothing_change_nothing() {
    let mut history = deployments();
    write(&mut history, "create", deployment("a:1"), NULL);
    for outcome in ["dry_run", "denied_authz", "denied_admission", "invalid", "conflict", "unknown"]
    {
        let refused = Write { verb: "patch", outcome, ..Write::default() };
        assert_eq!(write_as(&mut history, refused, &image_patch("a:2"), &NULL), NOTHING);
    }
    let status =
        Write { verb: "patch", subresource: "status", outcome: "allowed", ..Write::default() };
    assert_eq!(write_as(&mut history, status, &image_patch("a:2"), &NULL), NOTHING);
    assert_eq!(
        write(&mut history, "patch", image_patch("a:3"), NULL),
        ["image | app | image | a:1 | a:3"]
    );
}

#[test]
fn a_name_is_not_an_object() {
    let unknown = ["image | app | image | - | a:2"];
    let mut history = deployments();
    write(&mut history, "create", deployment("a:1"), NULL);
    write(&mut history, "delete", NULL, deployment("a:1"));
    assert_eq!(write(&mut history, "patch", image_patch("a:2"), NULL), unknown);

    let uid =
        |verb, uid| Write { verb, outcome: "allowed", object_uid: Some(uid), ..Write::default() };
    let mut history = deployments();
    write_as(&mut history, uid("create", "1"), &NULL, &deployment("a:1"));
    assert_eq!(write_as(&mut history, uid("patch", "2"), &image_patch("a:2"), &NULL), unknown);
}

#[test]
fn a_scale_changes_the_replicas() {
    let scale =
        Write { verb: "patch", subresource: "scale", outcome: "allowed", ..Write::default() };
    let body = |replicas: u32| json!({"kind": "Scale", "spec": {"replicas": replicas}});
    let mut history = deployments();
    assert_eq!(write_as(&mut history, scale, &body(3), &NULL), ["replicas | - | replicas | - | 3"]);
    write(&mut history, "create", deployment("a:1"), NULL);
    let json_patch = json!([{"op": "replace", "path": "/spec/replicas", "value": 5}]);
    assert_eq!(
        write_as(&mut history, scale, &json_patch, &NULL),
        ["replicas | - | replicas | 1 | 5"]
    );
    assert_eq!(write_as(&mut history, scale, &body(5), &body(5)), NOTHING);
    let patch = json!({"spec": {"replicas": 6}});
    assert_eq!(write(&mut history, "patch", patch, NULL), ["replicas | - | replicas | 5 | 6"]);
}

#[test]
fn ephemeral_containers_are_added() {
    let subresource = |verb| Write {
        verb,
        subresource: "ephemeralcontainers",
        outcome: "allowed",
        ..Write::default()
    };
    // As `kubectl debug` sends it.
    let debug = json!([{
        "image": "docker.io/nicolaka/netshoot:latest",
        "name": "debugger-hmr2t",
        "resources": {},
        "securityContext": {"privileged": true},
        "targetContainerName": "app",
        "terminationMessagePolicy": "File",
    }]);
    let added =
        "container added | debugger-hmr2t | ephemeral | - | docker.io/nicolaka/netshoot:latest";
    let weakened = "security weakened | debugger-hmr2t | privileged | - | true";
    let check = "security weakened | - | privileged | passes | fails";
    let pod = json!({"kind": "Pod", "spec": {"containers": [{"name": "app", "image": "a"}]}});
    let patch = json!({"spec": {"ephemeralContainers": debug}});
    // Until Kubernetes 1.22.
    let old = json!({"kind": "EphemeralContainers", "ephemeralContainers": debug});
    for (verb, request) in [("patch", &patch), ("update", &old), ("patch", &old)] {
        let mut history = History::new("", "pods", None, None).unwrap();
        write(&mut history, "create", pod.clone(), NULL);
        let rows = write_as(&mut history, subresource(verb), request, &NULL);
        assert_eq!(rows, [added, weakened, check], "{request}");
    }
    let mut unknown = History::new("", "pods", None, None).unwrap();
    // The previous state is unknown; the current one fails.
    let check = "security weakened | - | privileged | - | fails";
    let rows = write_as(&mut unknown, subresource("patch"), &patch, &NULL);
    assert_eq!(rows, [added, weakened, check]);
}

#[test]
fn custom_resources_are_merged_without_keys() {
    let mut history = History::new("argoproj.io", "rollouts", None, None).unwrap();
    write(&mut history, "create", deployment("a:1"), NULL);
    let other =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "other", "image": "b"}]}}}});
    assert_eq!(
        write(&mut history, "patch", other, NULL),
        [
            "container added | other | container | - | b",
            "container removed | app | container | a:1 | -"
        ]
    );
}

#[test]
fn only_workloads_and_rbac_objects_have_a_history() {
    assert!(History::new("", "services", None, None).is_none());
    assert!(History::new("", "configmaps", None, None).is_some());
}

#[test]
fn malformed_bodies_affect_only_their_event() {
    let texts = [
        "",
        "nonsense",
        "null",
        "[]",
        "[1]",
        "{}",
        "{\"spec\":1}",
        "{\"spec\":{\"template\":{\"spec\":[]}}}",
    ];
    for subresource in ["", "scale", "ephemeralcontainers"] {
        for request in texts {
            for verb in ["create", "patch", "update", "delete"] {
                let mut history = deployments();
                write(&mut history, "create", deployment("a:1"), NULL);
                let odd = Write {
                    verb,
                    subresource,
                    outcome: "allowed",
                    request_object: Some(request),
                    response_object: Some(request),
                    ..Write::default()
                };
                history.write(&odd);
                write(&mut history, "patch", image_patch("a:2"), NULL);
            }
        }
    }
}

#[test]
fn a_patch_is_resolved_against_the_previous_version_in_the_log() {
    let whole = |image: &str| {
        let mut object = deployment(image);
        object["metadata"] = json!({"name": "app", "namespace": "web"});
        object
    };
    let patch = json!([
        {"op": "copy", "from": "/spec/replicas", "path": "/spec/template/spec/priority"},
        {"op": "add", "path": "/spec/template/spec/containers/-1/securityContext", "value": {"privileged": true}},
    ])
    .to_string();
    let list = json!({"kind": "DeploymentList", "items": [whole("other:1"), whole("app:1")]});
    let mut other = whole("other:1");
    other["metadata"]["namespace"] = json!("other");
    let list_of_all = json!({"kind": "DeploymentList", "items": [other, whole("app:1")]});
    for (verb, subresource, response) in [
        ("create", "", whole("app:1")),
        ("get", "", whole("app:1")),
        ("update", "status", whole("app:1")),
        ("list", "", list_of_all),
        ("patch", "", json!({"kind": "Table", "rows": [{"object": whole("app:1")}]})),
    ] {
        let mut history = deployments();
        let response = response.to_string();
        let known = Write {
            verb,
            subresource,
            outcome: "allowed",
            response_object: Some(&response),
            ..Write::default()
        };
        assert!(history.patch(&known).is_none());
        let write = Write {
            verb: "patch",
            outcome: "allowed",
            request_object: Some(&patch),
            response_object: Some(r#"{"kind": "Table", "rows": []}"#),
            ..Write::default()
        };
        let patched = history.patch(&write).unwrap();
        let workload = patched.workload().unwrap();
        assert_eq!(workload.body_source.as_deref(), Some("version"));
        let containers = workload.containers.unwrap();
        assert_eq!(containers[0].image.as_deref(), Some("app:1"), "{verb}");
        assert_eq!(containers[0].privileged, Some(true));
        assert_eq!(workload.copied.unwrap()[0].value.as_deref(), Some("1"));
    }
    let mut unknown = deployments();
    let list = list.to_string();
    let elsewhere = Write {
        verb: "list",
        outcome: "allowed",
        response_object: Some(&list),
        ..Write::default()
    };
    assert!(unknown.patch(&elsewhere).is_none());
    let write = Write {
        verb: "patch",
        outcome: "allowed",
        request_object: Some(r#"{"metadata": {"labels": {"a": "b"}}}"#),
        ..Write::default()
    };
    // It leaves the pods unchanged.
    assert!(unknown.patch(&write).is_none());
}

#[test]
fn a_binding_is_resolved_too() {
    let mut history =
        History::new("rbac.authorization.k8s.io", "clusterrolebindings", None, Some("ops"))
            .unwrap();
    let binding = json!({
        "kind": "ClusterRoleBinding",
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "alice"}],
    })
    .to_string();
    let create = Write {
        verb: "create",
        outcome: "allowed",
        request_object: Some(&binding),
        ..Write::default()
    };
    assert!(history.patch(&create).is_none());
    let patch =
        r#"[{"op": "add", "path": "/subjects/-", "value": {"kind": "User", "name": "bob"}}]"#;
    let write = Write {
        verb: "patch",
        outcome: "allowed",
        request_object: Some(patch),
        ..Write::default()
    };
    let patched = history.patch(&write).unwrap();
    let rbac = patched.rbac().unwrap();
    assert_eq!(rbac.role_name.as_deref(), Some("cluster-admin"));
    assert_eq!(rbac.subjects.map(|subjects| subjects.len()), Some(2));
}

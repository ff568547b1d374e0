//! Which body a workload is read from, and what an absent field then means.

use podtrail_event::{Container, Workload};
use serde_json::{Value, json};

use crate::{event, row};

/// The workload of one event, with the facts most tests ask for.
#[derive(Debug, PartialEq)]
struct Facts {
    source: String,
    host_pid: Option<bool>,
    containers: Vec<(String, String, Option<bool>)>,
}

fn facts(workload: &Workload<'_>) -> Facts {
    let text = |text: &Option<podtrail_event::Text<'_>>| text.as_deref().unwrap_or("").to_owned();
    let container = |c: &Container<'_>| (text(&c.role), text(&c.image), c.privileged);
    Facts {
        source: text(&workload.body_source),
        host_pid: workload.host_pid,
        containers: workload.containers.iter().flatten().map(container).collect(),
    }
}

fn workload(verb: &str, group: &str, resource: &str, members: Value) -> Option<Facts> {
    let json = event(verb, group, resource, members);
    row(&json).workload.as_ref().map(facts)
}

fn expect(
    source: &str,
    host_pid: Option<bool>,
    containers: &[(&str, &str, Option<bool>)],
) -> Option<Facts> {
    Some(Facts {
        source: source.to_owned(),
        host_pid,
        containers: containers
            .iter()
            .map(|(role, image, privileged)| ((*role).to_owned(), (*image).to_owned(), *privileged))
            .collect(),
    })
}

const TRUE: Option<bool> = Some(true);
const FALSE: Option<bool> = Some(false);

fn pod_spec() -> Value {
    json!({
        "hostPID": true,
        "initContainers": [{"name": "i", "image": "init:1"}],
        "containers": [{"name": "a", "image": "main:1", "securityContext": {"privileged": true}}],
    })
}

#[test]
fn every_kind_that_makes_pods_is_read() {
    let spec = pod_spec();
    let template = json!({"spec": {"template": {"metadata": {}, "spec": spec}}});
    for (group, resource, body) in [
        ("", "pods", json!({"spec": spec})),
        ("", "podtemplates", json!({"template": {"spec": spec}})),
        ("", "replicationcontrollers", template.clone()),
        ("apps", "deployments", template.clone()),
        ("apps", "daemonsets", template.clone()),
        ("apps", "statefulsets", template.clone()),
        ("apps", "replicasets", template.clone()),
        ("batch", "jobs", template.clone()),
        ("batch", "cronjobs", json!({"spec": {"jobTemplate": template}})),
        ("apps.openshift.io", "deploymentconfigs", template.clone()),
        ("serving.knative.dev", "services", template.clone()),
        ("kubeflow.org", "notebooks", template.clone()),
        (
            "ray.io",
            "rayclusters",
            json!({"spec": {"workerGroupSpecs": [{"template": {"spec": spec}}]}}),
        ),
    ] {
        assert_eq!(
            workload("create", group, resource, json!({"requestObject": body})),
            expect("request", TRUE, &[("init", "init:1", FALSE), ("container", "main:1", TRUE)]),
            "{resource}"
        );
    }
    let argo = json!({"spec": {"templates": [{"name": "x", "container": {"image": "w:1", "securityContext": {"privileged": true}}}]}});
    assert_eq!(
        workload("create", "argoproj.io", "workflows", json!({"requestObject": argo})),
        expect("request", FALSE, &[("container", "w:1", TRUE)])
    );
}

#[test]
fn the_response_wins_where_it_is_the_object() {
    let request = json!({"spec": {"containers": [{"image": "a"}]}});
    let injected =
        json!({"kind": "Pod", "spec": {"containers": [{"image": "a"}, {"image": "sidecar"}]}});
    assert_eq!(
        workload(
            "create",
            "",
            "pods",
            json!({"requestObject": request, "responseObject": injected})
        ),
        expect("response", FALSE, &[("container", "a", FALSE), ("container", "sidecar", FALSE)])
    );
    let status = json!({"kind": "Status", "status": "Failure", "code": 403});
    assert_eq!(
        workload("create", "", "pods", json!({"requestObject": request, "responseObject": status})),
        expect("request", FALSE, &[("container", "a", FALSE)])
    );
}

#[test]
fn no_body_is_unknown_not_safe() {
    assert_eq!(workload("create", "", "pods", json!({})), expect("none", None, &[]));
    assert_eq!(workload("delete", "", "pods", json!({})), None);
    assert_eq!(workload("get", "", "pods", json!({})), None);
}

#[test]
fn a_patch_shows_only_what_it_sets() {
    let container = json!({"name": "a", "securityContext": {"privileged": true}});
    let strategic = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    assert_eq!(
        workload("patch", "apps", "deployments", json!({"requestObject": strategic})),
        expect("patch", None, &[("container", "", TRUE)])
    );
    let json_patch = json!([
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "evil"},
        {"op": "add", "path": "/spec/template/spec/hostPID", "value": true},
    ]);
    assert_eq!(
        workload("patch", "apps", "deployments", json!({"requestObject": json_patch})),
        expect("patch", TRUE, &[("container", "evil", None)])
    );
    let removal = json!({"spec": {"template": {"spec": {"hostPID": null}}}});
    assert_eq!(
        workload("patch", "apps", "deployments", json!({"requestObject": removal})),
        expect("patch", FALSE, &[])
    );
}

#[test]
fn a_patch_that_leaves_the_template_alone_writes_no_workload() {
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let response = json!({"spec": pod_spec()});
    let members = json!({"requestObject": label, "responseObject": response});
    assert_eq!(workload("patch", "", "pods", members), None);

    let suspend = json!({"spec": {"suspend": false}});
    let json = event("patch", "batch", "cronjobs", json!({"requestObject": suspend}));
    let workload = row(&json).workload.unwrap();
    assert_eq!((workload.suspend, workload.host_pid), (FALSE, None));
}

#[test]
fn ephemeral_containers_are_what_that_request_writes() {
    let object = json!({"resource": "pods", "namespace": "web", "name": "app", "subresource": "ephemeralcontainers"});
    let debug =
        json!([{"name": "debug", "image": "busybox", "securityContext": {"privileged": true}}]);
    let pod = json!({"kind": "Pod", "spec": {"containers": [{"image": "main"}], "hostPID": true, "ephemeralContainers": debug}});
    assert_eq!(
        workload("patch", "", "pods", json!({"objectRef": object, "responseObject": pod})),
        expect("response", None, &[("ephemeral", "busybox", TRUE)])
    );
    let old = json!({"kind": "EphemeralContainers", "ephemeralContainers": debug});
    assert_eq!(
        workload("update", "", "pods", json!({"objectRef": object, "requestObject": old})),
        expect("request", None, &[("ephemeral", "busybox", TRUE)])
    );
}

#[test]
fn odd_types_in_a_body_cost_only_themselves() {
    let odd = json!({"spec": {"hostPID": "yes", "containers": [{"image": 7, "securityContext": {"privileged": true}}, "x", null]}});
    assert_eq!(
        workload("create", "", "pods", json!({"requestObject": odd})),
        expect("request", None, &[("container", "", TRUE)])
    );
    for odd in [json!(null), json!("x"), json!([1, {"path": 3}]), json!({"spec": []})] {
        workload("create", "", "pods", json!({"requestObject": odd}));
        workload("patch", "apps", "deployments", json!({"requestObject": odd}));
    }
}

#[test]
fn volumes_and_capabilities_are_normalised() {
    let body = json!({"spec": {
        "volumes": [{"name": "s", "hostPath": {"path": "/var/run//docker.sock", "type": "Socket"}}],
        "containers": [{"securityContext": {"capabilities": {"add": ["cap_sys_admin", "NET_RAW"]}}}],
    }});
    let json = event("create", "", "pods", json!({"requestObject": body}));
    let workload = row(&json).workload.unwrap();
    let volume = &workload.volumes.unwrap()[0];
    assert_eq!(volume.host_path.as_deref(), Some("/run/docker.sock"));
    assert_eq!(volume.host_path_raw.as_deref(), Some("/var/run//docker.sock"));
    assert_eq!(volume.r#type.as_deref(), Some("hostPath"));
    let added = workload.containers.unwrap()[0].capabilities_add.clone().unwrap();
    let added: Vec<&str> = added.iter().map(|name| &**name).collect();
    assert_eq!(added, ["SYS_ADMIN", "NET_RAW"]);
}

#[test]
fn rbac_keeps_rules_and_subjects_together() {
    let binding = json!({
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "web"}],
    });
    let json = event(
        "create",
        "rbac.authorization.k8s.io",
        "rolebindings",
        json!({"requestObject": binding}),
    );
    let rbac = row(&json).rbac.unwrap();
    assert_eq!(rbac.kind.as_deref(), Some("RoleBinding"));
    assert_eq!(rbac.role_name.as_deref(), Some("cluster-admin"));
    assert_eq!(rbac.subjects.unwrap()[0].namespace.as_deref(), Some("web"));

    let patch = json!([{"op": "add", "path": "/rules/-", "value": {"verbs": ["*"], "resources": ["secrets"], "apiGroups": [""]}}]);
    let json = event(
        "patch",
        "rbac.authorization.k8s.io",
        "clusterroles",
        json!({"requestObject": patch}),
    );
    let rbac = row(&json).rbac.unwrap();
    assert_eq!(rbac.body_source.as_deref(), Some("patch"));
    assert_eq!(rbac.rules.unwrap()[0].verbs.as_ref().unwrap()[0], "*".into());

    // A label on a binding grants nothing.
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let members = json!({"requestObject": label, "responseObject": binding});
    let json = event("patch", "rbac.authorization.k8s.io", "rolebindings", members);
    assert_eq!(row(&json).rbac, None);
}

//! The body from which a workload is read, and the meaning of an absent field.

use podtrail_event::{Container, Workload};
use serde_json::{Value, json};

use crate::{event, row};

/// The workload of one event, with the facts that most tests use.
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
fn every_kind_that_creates_pods_is_read() {
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
fn settings_for_all_pods_of_a_workflow_are_read() {
    let step = json!({"image": "s:1"});
    let task = json!({"steps": [step]});
    let host = json!({"hostNetwork": true, "volumes": [{"name": "v", "hostPath": {"path": "/"}}]});
    let argo = json!({"spec": {
        "hostNetwork": true,
        "volumes": host["volumes"],
        "serviceAccountName": "deployer",
        "templates": [{"container": step}, {"containerSet": {"containers": [step]}}],
    }});
    let pipeline_run = |template: Value| {
        json!({"spec": {
            "pipelineSpec": {"tasks": [{"taskSpec": task}], "finally": [{"taskSpec": task}]},
            "taskRunTemplate": {"serviceAccountName": "deployer", "podTemplate": template},
        }})
    };
    let task_run = json!({"spec": {
        "taskSpec": task, "podTemplate": host, "serviceAccountName": "deployer",
    }});
    for (group, resource, body, images) in [
        ("argoproj.io", "workflows", argo.clone(), 2),
        ("argoproj.io", "cronworkflows", json!({"spec": {"workflowSpec": argo["spec"]}}), 2),
        ("tekton.dev", "taskruns", task_run, 1),
        ("tekton.dev", "pipelineruns", pipeline_run(host.clone()), 2),
    ] {
        let json = event("create", group, resource, json!({"requestObject": body}));
        let workload = row(&json).workload.unwrap();
        let host_paths = workload.volumes.iter().flatten().map(|v| v.host_path.as_deref());
        assert_eq!(workload.host_network, TRUE, "{resource}");
        assert_eq!(workload.service_account_name.as_deref(), Some("deployer"), "{resource}");
        assert_eq!(host_paths.collect::<Vec<_>>(), [Some("/")], "{resource}");
        assert_eq!(workload.containers.map(|containers| containers.len()), Some(images));
        assert_eq!(workload.pod_security_level.as_deref(), Some("privileged"), "{resource}");
    }

    let referring = json!({"spec": {"taskRef": {"name": "build"}, "podTemplate": host}});
    let json = event("create", "tekton.dev", "taskruns", json!({"requestObject": referring}));
    let workload = row(&json).workload.unwrap();
    assert_eq!((workload.host_network, workload.pod_security_level), (TRUE, None));
}

#[test]
fn settings_for_every_step_are_read_as_a_container() {
    let privileged = json!({"securityContext": {"privileged": true}});
    let task = json!({"spec": {"stepTemplate": privileged, "steps": [{"image": "s:1"}]}});
    assert_eq!(
        workload("create", "tekton.dev", "tasks", json!({"requestObject": task})),
        expect("request", FALSE, &[("container", "s:1", FALSE), ("container", "", TRUE)])
    );
}

#[test]
fn the_response_is_preferred_if_it_is_the_object() {
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
fn a_missing_body_is_unknown_not_safe() {
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
fn a_patch_without_template_changes_is_not_a_workload_write() {
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
fn an_ephemeral_container_request_writes_only_ephemeral_containers() {
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
fn unexpected_types_in_a_body_affect_only_their_fields() {
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

#[test]
fn a_response_without_the_object_leaves_the_request() {
    let request = json!({"spec": {"hostPID": true, "containers": [{"image": "a"}]}});
    for response in [
        json!({"kind": "PartialObjectMetadata", "metadata": {"name": "x", "uid": "u"}}),
        json!({"kind": "Table", "rows": [{"object": {"spec": {}}}]}),
        json!({"kind": "Status", "status": "Success"}),
        json!({"kind": "Pod", "metadata": {"name": "x"}}),
        json!(null),
    ] {
        let members = json!({"requestObject": request, "responseObject": response});
        assert_eq!(
            workload("create", "", "pods", members),
            expect("request", TRUE, &[("container", "a", FALSE)]),
            "{response}"
        );
    }
}

#[test]
fn a_pod_without_containers_is_incomplete() {
    for (verb, spec) in
        [("create", json!({})), ("update", json!({"nodeName": "n", "containers": []}))]
    {
        for body in ["requestObject", "responseObject"] {
            let found = workload(verb, "", "pods", json!({body: {"kind": "Pod", "spec": spec}}));
            assert_eq!(found.unwrap().host_pid, None, "{verb} {spec}");
        }
    }
}

#[test]
fn an_apply_is_a_patch_unless_the_response_shows_the_object() {
    let applied = json!({"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "a"}]}}}});
    assert_eq!(
        workload("patch", "apps", "deployments", json!({"requestObject": applied})),
        expect("patch", None, &[("container", "a", None)])
    );
    let members = json!({"requestObject": applied, "responseObject": applied});
    assert_eq!(
        workload("patch", "apps", "deployments", members),
        expect("response", FALSE, &[("container", "a", FALSE)])
    );
}

#[test]
fn a_list_or_a_deletion_is_not_a_workload_write() {
    let pod = json!({"kind": "Pod", "spec": pod_spec()});
    let options = json!({"kind": "DeleteOptions", "propagationPolicy": "Background"});
    for (verb, response) in [
        ("delete", pod.clone()),
        ("delete", json!({"kind": "Status"})),
        ("deletecollection", json!({"kind": "PodList", "items": [pod]})),
        ("list", json!({"kind": "PodList", "items": [pod]})),
        ("get", pod.clone()),
    ] {
        let members = json!({"requestObject": options, "responseObject": response});
        assert_eq!(workload(verb, "", "pods", members), None, "{verb}");
    }
}

#[test]
fn values_that_a_strategic_patch_removes_are_absent() {
    let spec = json!({
        "$setElementOrder/containers": [{"name": "new"}],
        "containers": [
            {"name": "old", "$patch": "delete"},
            {"$patch": "replace"},
            {"name": "new", "image": "new"},
        ],
        "volumes": [{"name": "v", "$patch": "delete"}, null],
    });
    let body = json!({"spec": {"template": {"spec": spec}}});
    let json = event("patch", "apps", "deployments", json!({"requestObject": body}));
    let workload = row(&json).workload.unwrap();
    assert_eq!(facts(&workload).containers, [("container".into(), "new".into(), None)]);
    assert_eq!(workload.volumes.map(|volumes| volumes.len()), Some(0));
}

#[test]
fn a_json_patch_that_copies_into_the_template_is_a_workload_write() {
    let image = "/spec/template/spec/containers/0/image";
    let shown = json!([
        {"op": "add", "path": "/metadata/annotations/x", "value": "evil"},
        {"op": "move", "from": "/metadata/annotations/x", "path": image},
    ]);
    assert_eq!(
        workload("patch", "apps", "deployments", json!({"requestObject": shown})),
        expect("patch", None, &[("container", "evil", None)])
    );
    let hidden = json!([{"op": "copy", "from": "/metadata/annotations/x", "path": image}]);
    assert_eq!(
        workload("patch", "apps", "deployments", json!({"requestObject": hidden})),
        expect("patch", None, &[("container", "", None)])
    );
    let posture =
        json!([{"op": "copy", "from": "/metadata/x", "path": "/spec/template/spec/hostPID"}]);
    assert_eq!(
        workload("patch", "apps", "deployments", json!({"requestObject": posture})),
        expect("patch", None, &[])
    );
}

#[test]
fn several_templates_are_combined_in_one_row() {
    let head = json!({
        "hostPID": false,
        "serviceAccountName": "head",
        "tolerations": [{"key": "a"}],
        "containers": [{"name": "head", "image": "head"}],
    });
    let worker = json!({
        "hostPID": true,
        "serviceAccountName": "worker",
        "nodeName": "n",
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "worker", "image": "worker"}],
    });
    let spec = json!({
        "headGroupSpec": {"template": {"spec": head}},
        "workerGroupSpecs": [{"template": {"spec": worker}}],
    });
    let json = event("create", "ray.io", "rayclusters", json!({"requestObject": {"spec": spec}}));
    let workload = row(&json).workload.unwrap();
    assert_eq!(workload.host_pid, TRUE);
    assert_eq!(workload.host_network, FALSE);
    assert_eq!(workload.service_account_name.as_deref(), Some("head"));
    assert_eq!(workload.node_name.as_deref(), Some("n"));
    assert_eq!(workload.tolerations.map(|tolerations| tolerations.len()), Some(2));
    assert_eq!(workload.containers.map(|containers| containers.len()), Some(2));

    // The other templates do not decide a check that one template leaves undecided.
    let patch = json!({"spec": {"headGroupSpec": {"template": {"spec": {"hostPID": false}}}, "workerGroupSpecs": [{"template": {"spec": {"nodeName": "n"}}}]}});
    let json = event("patch", "ray.io", "rayclusters", json!({"requestObject": patch}));
    assert_eq!(row(&json).workload.unwrap().host_pid, None);
}

#[test]
fn raw_values_are_kept_with_the_normalised_ones() {
    let body = json!({
        "metadata": {
            "ownerReferences": [{"kind": "A", "name": "a"}, {"kind": "B", "name": "b", "uid": "u", "controller": true}],
            "managedFields": [{"manager": "kubectl"}, {"manager": "helm"}, {"manager": "kubectl"}],
        },
        "spec": {
            "securityContext": {
                "seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"},
                "appArmorProfile": {"type": "Localhost", "localhostProfile": "q"},
            },
            "dnsConfig": {"nameservers": ["203.0.113.1"], "searches": ["x"], "options": [{"name": "ndots", "value": "1"}]},
            "affinity": {"nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "r", "operator": "Exists"}]}]},
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {"matchExpressions": [{"key": "p", "operator": "In", "values": ["v"]}]}}],
            }},
            "containers": [{
                "name": "a",
                "securityContext": {
                    "capabilities": {"add": ["cap_sys_admin"], "drop": ["all"]},
                    "seccompProfile": {"type": "Localhost", "localhostProfile": "c.json"},
                    "appArmorProfile": {"type": "Localhost", "localhostProfile": "d"},
                },
                "volumeDevices": [{"name": "disk", "devicePath": "/dev/xvda"}],
            }],
        },
    });
    let json = event("create", "", "pods", json!({"requestObject": body}));
    let workload = row(&json).workload.unwrap();
    let texts = |list: Option<&Vec<podtrail_event::Text<'_>>>| -> Vec<String> {
        list.into_iter().flatten().map(|text| (**text).to_owned()).collect()
    };
    assert_eq!(workload.owner.as_ref().unwrap().kind.as_deref(), Some("B"));
    assert_eq!(workload.owners.as_ref().map(Vec::len), Some(2));
    assert_eq!(texts(workload.field_managers.as_ref()), ["kubectl", "helm"]);
    assert_eq!(workload.seccomp_localhost_profile.as_deref(), Some("p.json"));
    assert_eq!(workload.app_armor_localhost_profile.as_deref(), Some("q"));
    assert_eq!(texts(workload.dns_searches.as_ref()), ["x"]);
    assert_eq!(workload.dns_options.unwrap()[0].name.as_deref(), Some("ndots"));
    assert_eq!(workload.node_affinity.unwrap()[0].key.as_deref(), Some("r"));
    assert_eq!(workload.preferred_node_affinity.unwrap()[0].key.as_deref(), Some("p"));
    let container = &workload.containers.unwrap()[0];
    assert_eq!(texts(container.capabilities_add.as_ref()), ["SYS_ADMIN"]);
    assert_eq!(texts(container.capabilities_add_raw.as_ref()), ["cap_sys_admin"]);
    assert_eq!(texts(container.capabilities_drop.as_ref()), ["ALL"]);
    assert_eq!(texts(container.capabilities_drop_raw.as_ref()), ["all"]);
    assert_eq!(container.seccomp_localhost_profile.as_deref(), Some("c.json"));
    assert_eq!(container.app_armor_localhost_profile.as_deref(), Some("d"));
    assert_eq!(
        container.volume_devices.as_ref().unwrap()[0].device_path.as_deref(),
        Some("/dev/xvda")
    );
}

#[test]
fn a_cron_job_has_the_counts_of_its_jobs() {
    let job = json!({"parallelism": 50, "completions": 100, "template": {"spec": pod_spec()}});
    let body = json!({"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job}}});
    let json = event("create", "batch", "cronjobs", json!({"requestObject": body}));
    let workload = row(&json).workload.unwrap();
    assert_eq!((workload.parallelism, workload.completions), (Some(50), Some(100)));
}

//! What objects of other kinds hold of workloads and roles, wherever in them.

use podtrail_event::{Event, Text};
use serde_json::{Value, json};

use crate::{event, row};

fn created(group: &str, resource: &str, object: Value) -> Event<'static> {
    written("create", group, resource, json!({"requestObject": object}))
}

fn written(verb: &str, group: &str, resource: &str, members: Value) -> Event<'static> {
    row(Box::leak(event(verb, group, resource, members).into_boxed_str()))
}

fn is_privileged(event: &Event<'_>) -> bool {
    let containers =
        event.workload.iter().flat_map(|workload| workload.containers.iter().flatten());
    containers.into_iter().any(|container| container.privileged == Some(true))
}

fn privileged() -> Value {
    json!({"containers": [{"name": "c", "image": "evil/x:1", "securityContext": {"privileged": true}}]})
}

#[test]
fn a_pod_spec_is_found_wherever_it_stands() {
    let manifest = json!({"apiVersion": "v1", "kind": "Pod", "spec": privileged()});
    let yaml =
        "kind: Pod\nspec:\n  containers:\n  - name: c\n    securityContext: {privileged: yes}\n";
    for (group, resource, object) in [
        (
            "example.com",
            "things",
            json!({"spec": {"a": [{"b": {"template": {"spec": privileged()}}}]}}),
        ),
        ("example.com", "things", json!({"spec": {"initContainers": privileged()["containers"]}})),
        ("example.com", "things", json!({"containers": privileged()["containers"]})),
        ("example.com", "things", json!({"spec": {"manifest": manifest.to_string()}})),
        (
            "example.com",
            "things",
            json!({"spec": {"manifest": json!({"x": manifest.to_string()}).to_string()}}),
        ),
        (
            "example.com",
            "things",
            json!({"metadata": {"annotations": {"a": manifest.to_string()}}}),
        ),
        (
            "example.com",
            "things",
            json!({"spec": {"values": {"containerSecurityContext": {"privileged": true}}}}),
        ),
        (
            "example.com",
            "things",
            json!({"spec": {"driver": {"image": "a", "securityContext": {"privileged": true}}}}),
        ),
        (
            "sparkoperator.k8s.io",
            "sparkapplications",
            json!({"spec": {"driver": {"securityContext": {"privileged": true}}}}),
        ),
        ("", "configmaps", json!({"data": {"pod.yaml": yaml}})),
        ("", "configmaps", json!({"data": {"pod.yaml": format!("a: b\n---\n{yaml}")}})),
        (
            "",
            "configmaps",
            json!({"data": {"pod.yaml": yaml.replace("name: c", "name: {{ .Name }}\n{{- if x }}")}}),
        ),
        (
            "",
            "configmaps",
            json!({"data": {"pod.yaml": "\"\\x63ontainers\": [{image: a, securityContext: {privileged: true}}]"}}),
        ),
        (
            "",
            "configmaps",
            json!({"binaryData": {"p": "Y29udGFpbmVyczogW3tpbWFnZTogYSwgc2VjdXJpdHlDb250ZXh0OiB7cHJpdmlsZWdlZDogdHJ1ZX19XQ=="}}),
        ),
        (
            "argoproj.io",
            "workflows",
            json!({"spec": {"templates": [{"name": "a", "container": {"image": "a"}, "podSpecPatch": privileged().to_string()}]}}),
        ),
        (
            "kyverno.io",
            "clusterpolicies",
            json!({"spec": {"rules": [{"mutate": {"patchesJson6902":
                "- {op: add, path: /spec/containers/{{elementIndex}}/securityContext/privileged, value: true}"}}]}}),
        ),
        (
            "mutations.gatekeeper.sh",
            "assign",
            json!({"spec": {"location": "spec.containers[name:*].securityContext.privileged",
                "parameters": {"assign": {"value": true}}}}),
        ),
        (
            "argoproj.io",
            "applications",
            json!({"spec": {"source": {"helm": {"parameters": [{"name": "x.securityContext.privileged", "value": "true"}]}}}}),
        ),
        (
            "helm.cattle.io",
            "helmcharts",
            json!({"spec": {"set": {"x.securityContext.privileged": "true"}}}),
        ),
        (
            "apps",
            "controllerrevisions",
            json!({"data": {"spec": {"template": {"spec": privileged()}}}}),
        ),
    ] {
        let shown = object.to_string();
        let event = created(group, resource, object);
        assert!(is_privileged(&event), "{shown}");
        assert_eq!(event.activity.as_deref(), Some("workload"), "{shown}");
        assert!(event.embedded.is_some_and(|embedded| embedded.places.is_some()), "{shown}");
    }
}

/// What a search takes for a JSON Patch or a template may be something else to whom it is for.
#[test]
fn what_looks_like_a_patch_or_a_template_hides_nothing() {
    let harmless = r#"{"containers": [{"image": "a"}]}"#;
    let braces = json!({"a": "{{", "spec": privileged(), "b": "}}"}).to_string();
    for object in [
        json!({"spec": [{"op": "add", "path": "/x", "value": 1, "template": privileged()}]}),
        json!({"spec": [{"op": "set", "path": "/x", "value": privileged()}]}),
        json!({"data": {"x": braces}}),
        json!({"data": {"x": format!("{harmless}\n---\n{braces}")}}),
        json!({"data": {"x": format!("a: '{{{{'\nspec: {}\nb: '}}}}'\nc: {harmless}", privileged())}}),
    ] {
        let shown = object.to_string();
        assert!(is_privileged(&created("example.com", "things", object)), "{shown}");
    }
}

#[test]
fn what_only_refuses_selects_or_reports_holds_nothing() {
    for (group, resource, object) in [
        (
            "kyverno.io",
            "clusterpolicies",
            json!({"spec": {"rules": [{"validate": {"pattern": {"spec": privileged()}}}]}}),
        ),
        ("constraints.gatekeeper.sh", "k8spsp", json!({"spec": {"parameters": privileged()}})),
        ("policy", "podsecuritypolicies", json!({"spec": {"hostPID": true, "privileged": true}})),
        ("apiextensions.k8s.io", "customresourcedefinitions", json!({"spec": privileged()})),
        ("example.com", "things", json!({"status": {"template": privileged()}})),
        ("", "services", json!({"metadata": {"annotations": {"a": privileged().to_string()}}})),
        (
            "",
            "configmaps",
            json!({"data": {"doc": "containers are not privileged; hostPID: false, hostPath is refused"}}),
        ),
    ] {
        let event = created(group, resource, object);
        assert_eq!(event.workload, None, "{group} {resource}");
        assert_eq!(event.activity.as_deref(), Some("write"), "{group} {resource}");
    }
}

#[test]
fn a_patch_that_leaves_the_pod_spec_alone_is_no_workload() {
    let object = json!({"kind": "Thing", "spec": {"template": {"spec": privileged()}}});
    for (patch, is_workload) in [
        (json!({"metadata": {"finalizers": ["a"]}}), false),
        (json!({"status": {"phase": "Ready"}}), false),
        (json!({"spec": {"template": {"spec": {"hostPID": true}}}}), true),
        (json!([{"op": "add", "path": "/spec/template/spec/hostPID", "value": true}]), true),
    ] {
        let members = json!({"requestObject": patch, "responseObject": object});
        let event = written("patch", "example.com", "things", members);
        assert_eq!(event.workload.is_some(), is_workload, "{patch}");
        assert_eq!(is_privileged(&event), is_workload, "{patch}");
    }
}

#[test]
fn text_that_is_no_yaml_shows_what_it_sets() {
    for (text, pid, path) in [
        ("Object{spec: Object.spec{hostPID: true}}", Some(true), None),
        (r#"JSONPatch{op: "add", path: "/spec/hostPID", value: true}"#, Some(true), None),
        ("containers: [\n hostPID: true", Some(true), None),
        ("has(object.spec.hostPID) && object.spec.hostPID == true", None, None),
        ("!object.spec.hostPID", None, None),
        ("{ hostPath: { path: '/etc', ", None, Some("/etc")),
    ] {
        let policy = json!({"spec": {"mutations": [{"expression": text}]}});
        let event = created("admissionregistration.k8s.io", "mutatingadmissionpolicies", policy);
        let workload = event.workload.unwrap_or_default();
        assert_eq!(workload.host_pid, pid, "{text}");
        let shown = workload.volumes.as_deref().and_then(|volumes| volumes.first());
        assert_eq!(shown.and_then(|volume| volume.host_path.as_deref()), path, "{text}");
    }
}

#[test]
fn roles_powers_and_sources_are_kept() {
    let binding = json!({
        "kind": "ClusterRoleBinding", "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "dana"}],
    });
    let object = json!({"spec": {
        "forProvider": {"manifest": binding},
        "source": {"repoURL": "https://example.com/x.git"},
        "domain": {"devices": {"hostDevices": [{"name": "a"}]}},
        "volumes": [{"name": "d", "hostDisk": {"path": "/etc/kubernetes/disk.img"}}],
    }});
    let event = created("example.com", "things", object);
    let embedded = event.embedded.unwrap();
    let rbac = &embedded.rbac.unwrap()[0];
    assert_eq!(rbac.kind.as_deref(), Some("ClusterRoleBinding"));
    assert_eq!(rbac.role_name.as_deref(), Some("cluster-admin"));
    let texts = |list: Option<Vec<Text<'_>>>| {
        list.unwrap_or_default().iter().map(|text| text.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(texts(embedded.sources), ["https://example.com/x.git"]);
    assert_eq!(texts(embedded.powers), ["host disk", "host device"]);
    let volumes = event.workload.unwrap().volumes.unwrap();
    assert_eq!(volumes[0].host_path.as_deref(), Some("/etc/kubernetes"));
}

#[test]
fn hostile_texts_cost_little() {
    let deep = format!("{}containers{}", "[".repeat(100_000), "]".repeat(100_000));
    let alias = |i: usize| format!("a{i}: &a{i} [{}]\n", format!("*a{},", i - 1).repeat(9));
    let aliases = (1..60).map(alias).collect::<Vec<_>>().concat();
    let laughs = format!("containers: &a0 [x]\n{aliases}");
    let braces = "{{containers".repeat(50_000);
    let nested = (0..12).fold("containers".to_owned(), |text, _| json!({"a": text}).to_string());
    for text in [deep, laughs, braces, nested] {
        let event = created("", "configmaps", json!({"data": {"x": text}}));
        assert_eq!(event.workload, None);
    }
}

#[test]
fn an_image_that_is_a_volume_is_an_image() {
    let pod = json!({"spec": {
        "containers": [{"name": "c", "image": "a"}],
        "volumes": [{"name": "t", "image": {"reference": "docker.io/evil/tool:1"}}],
    }});
    let event = created("", "pods", pod);
    let containers = event.workload.unwrap().containers.unwrap();
    assert_eq!(containers.len(), 2);
    assert_eq!(containers[1].role.as_deref(), Some("volume"));
    assert_eq!(containers[1].repository.as_deref(), Some("evil/tool"));
}

//! Workloads and roles anywhere in objects of other kinds.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use podtrail_event::{Event, Parser, RedactionKey, Text};
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
fn a_pod_spec_is_found_anywhere_in_an_object() {
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

/// Text that resembles a JSON Patch or a template may have another meaning for its reader.
#[test]
fn text_that_resembles_a_patch_or_template_hides_nothing() {
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
fn objects_that_only_deny_select_or_report_contain_no_workload() {
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
fn a_patch_without_pod_spec_changes_is_not_a_workload_write() {
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
fn text_that_is_not_yaml_is_searched_for_settings() {
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
fn hostile_texts_take_little_time() {
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

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn manifests_in_base64_are_read_with_and_without_gzip() {
    let manifest = json!({"kind": "Pod", "spec": privileged()}).to_string();
    let plain = STANDARD.encode(&manifest);
    let lines: Vec<&str> = plain.as_bytes().chunks(4).map(|c| str::from_utf8(c).unwrap()).collect();
    // A comment whose Base64 contains a word by which plain texts are recognized.
    let word = STANDARD.decode("IyAgverbsAAA").unwrap();
    let with_a_word = STANDARD.encode([&word[..], b"\n", manifest.as_bytes()].concat());
    assert!(with_a_word.contains("verbs"));
    let release = json!({"manifest": format!("---\n{manifest}")}).to_string();
    for text in [
        plain.clone(),
        lines.join("\n"),
        URL_SAFE_NO_PAD.encode(&manifest),
        format!("data:text/plain;base64,{plain}"),
        STANDARD.encode(gzip(manifest.as_bytes())),
        STANDARD.encode(STANDARD.encode(gzip(release.as_bytes()))),
        STANDARD.encode(manifest.replace("containers", "c\\u006fntainers")),
    ] {
        let event = created("example.com", "bundles", json!({"spec": {"payload": text}}));
        assert!(is_privileged(&event), "{text}");
    }
    let event = created("example.com", "bundles", json!({"spec": {"payload": with_a_word}}));
    assert!(is_privileged(&event));
    // A stream that expands endlessly is read up to a bound.
    let bomb = STANDARD.encode(gzip(&vec![b' '; 64 << 20]));
    assert_eq!(created("example.com", "bundles", json!({"spec": {"x": bomb}})).workload, None);
}

/// Returns the powers that the manifests in a Secret request, and the event as stored.
fn secret(body: Value) -> (Vec<String>, String) {
    let json = event("create", "", "secrets", json!({"requestObject": body}));
    let mut parser = Parser::new(Some(RedactionKey::new([7; 32])));
    let event = parser.parse(json.as_bytes(), None).unwrap();
    let powers = event.embedded.as_ref().and_then(|embedded| embedded.powers.as_deref());
    let powers = powers.unwrap_or_default().iter().map(|power| power.to_string()).collect();
    (powers, format!("{event:?}"))
}

#[test]
fn only_the_powers_in_manifests_of_a_secret_are_kept() {
    let manifest = json!({"kind": "Pod", "spec": {
        "hostPID": true, "volumes": [{"name": "h", "hostPath": {"path": "/very/own/path"}}],
        "containers": [{"name": "own-name", "image": "own/image:1", "securityContext": {"privileged": true}}],
    }});
    let role =
        "kind: Role\nrules:\n- {apiGroups: ['*'], resources: ['own-things'], verbs: [get]}\n";
    let encoded = STANDARD.encode(manifest.to_string());
    for data in [
        json!({"data": {"a.yaml": encoded}}),
        json!({"stringData": {"a.json": manifest.to_string()}, "type": "helm.sh/release.v1"}),
    ] {
        let (powers, stored) = secret(data);
        assert_eq!(powers, ["privileged container", "host namespaces", "host path"]);
        for value in ["own/image", "own-name", "/very/own", &encoded] {
            assert!(!stored.contains(value), "{stored}");
        }
    }
    let (powers, stored) = secret(json!({"stringData": {"a.yaml": role}}));
    assert_eq!(powers, ["roles"]);
    assert!(!stored.contains("own-things"));
    // Helm's own record of what its requests applied.
    let release = json!({"data": {"release": encoded}, "type": "helm.sh/release.v1"});
    assert_eq!(secret(release).0, [""; 0]);
    assert_eq!(secret(json!({"data": {"password": "aHVudGVyMg=="}})).0, [""; 0]);
}

#[test]
fn security_context_constraints_show_their_permissions_and_subjects() {
    let powers = |verb: &str, body: Value| {
        let event = written(
            verb,
            "security.openshift.io",
            "securitycontextconstraints",
            json!({"requestObject": body}),
        );
        let powers = event.embedded.and_then(|embedded| embedded.powers).unwrap_or_default();
        powers.iter().map(|power| power.to_string()).collect::<Vec<_>>()
    };
    let groups = json!(["system:authenticated"]);
    assert_eq!(powers("create", json!({"allowHostPID": true})), ["privileged pods"]);
    let all = json!({"allowedCapabilities": ["*"], "groups": groups});
    assert_eq!(powers("create", all), ["privileged pods for everybody"]);
    assert_eq!(powers("create", json!({"allowHostPID": false, "groups": groups})), [""; 0]);
    // A patch may not show what is allowed.
    assert_eq!(powers("patch", json!({"groups": groups})), ["privileged pods for everybody"]);
}

#[test]
fn the_image_of_an_image_volume_is_listed() {
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

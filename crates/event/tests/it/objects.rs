//! The columns for writes of each kind of object, from whole bodies, patches, and bodies that are not objects.

use podtrail_event::{Event, Text};
use serde_json::{Value, json};

use crate::{event, row};

fn written(verb: &str, group: &str, resource: &str, members: Value) -> Event<'static> {
    row(Box::leak(event(verb, group, resource, members).into_boxed_str()))
}

fn part(
    verb: &str,
    group: &str,
    resource: &str,
    subresource: &str,
    members: Value,
) -> Event<'static> {
    let mut members = members;
    members["objectRef"] = json!({
        "apiGroup": group, "resource": resource, "subresource": subresource, "namespace": "web", "name": "app",
    });
    written(verb, group, resource, members)
}

fn texts<'t>(list: Option<&'t Vec<Text<'_>>>) -> Option<Vec<&'t str>> {
    list.map(|list| list.iter().map(|text| &**text).collect())
}

/// A response that is not the written object.
fn not_the_object() -> [Value; 3] {
    [
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403}),
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "app", "uid": "u"}}),
        json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": []}),
    ]
}

#[test]
fn a_token_request_shows_its_audience_but_never_the_token() {
    let spec = |seconds: i64| {
        json!({
            "audiences": ["vault"],
            "expirationSeconds": seconds,
            "boundObjectRef": {"kind": "Pod", "name": "p", "uid": "u", "apiVersion": "v1"},
        })
    };
    let request = json!({"kind": "TokenRequest", "spec": spec(7200), "status": {"token": ""}});
    let response =
        json!({"kind": "TokenRequest", "spec": spec(3600), "status": {"token": "eyJsecret"}});
    let granted = part(
        "create",
        "",
        "serviceaccounts",
        "token",
        json!({"requestObject": request, "responseObject": response}),
    );
    let token = granted.token_request.unwrap();
    assert_eq!(token.body_source.as_deref(), Some("response"));
    assert_eq!(texts(token.audiences.as_ref()), Some(vec!["vault"]));
    assert_eq!(token.expiration_seconds, Some(3600));
    assert_eq!(
        (token.bound_kind.as_deref(), token.bound_name.as_deref()),
        (Some("Pod"), Some("p"))
    );
    assert_eq!(token.bound_uid.as_deref(), Some("u"));
    assert!(!format!("{token:?}").contains("eyJsecret"));

    for response in not_the_object() {
        let members = json!({"requestObject": request, "responseObject": response});
        let token = part("create", "", "serviceaccounts", "token", members).token_request.unwrap();
        assert_eq!(token.body_source.as_deref(), Some("request"));
        assert_eq!(token.expiration_seconds, Some(7200));
    }
    let unseen = part("create", "", "serviceaccounts", "token", json!({})).token_request.unwrap();
    assert_eq!((unseen.body_source.as_deref(), unseen.expiration_seconds), (Some("none"), None));
}

/// `openssl req -new -subj "/O=system:masters/O=dev/CN=eve" -addext "subjectAltName=DNS:…,DNS:…,IP:10.0.0.1"`, in base64.
const REQUEST: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQk1UQ0IyQUlCQURBMU1SY3dGUVlEVlFRS0RBNXplWE4wWlcwNmJXRnpkR1Z5Y3pFTU1Bb0dBMVVFQ2d3RApaR1YyTVF3d0NnWURWUVFEREFObGRtVXdXVEFUQmdjcWhrak9QUUlCQmdncWhrak9QUU1CQndOQ0FBUXhxajRUCkxybzZadHRicXdUbWVoL2FWTFdSMnkrT3Yxdi9neWFoTW43UTU0ZE1VSElGRTg3UkhYQWFIVmhWMWErSVB1ZlAKbjBXMDB0ejk0bHRZM2FWWm9FRXdQd1lKS29aSWh2Y05BUWtPTVRJd01EQXVCZ05WSFJFRUp6QWxnaEpyZFdKbApjbTVsZEdWekxtUmxabUYxYkhTQ0NYZ3VaWGhoYlhCc1pZY0VDZ0FBQVRBS0JnZ3Foa2pPUFFRREFnTklBREJGCkFpQlQzMEtCVllpcGZLa3ZZTjhLS2tHV0l2eGdBeEV0MUk2UldhVVcwSmpjMWdJaEFLN0dCWXBHN0JqQnU0czgKWkVtZjdBbTlrdnNHcFpDTVU2bE9TVnV3UjNlaQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";

fn signing_request() -> Value {
    json!({
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "eve"},
        "spec": {
            "request": REQUEST,
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
            "expirationSeconds": 86400,
        },
        "status": {},
    })
}

const CERTIFICATES: &str = "certificates.k8s.io";

#[test]
fn a_certificate_request_is_decoded() {
    let event = written(
        "create",
        CERTIFICATES,
        "certificatesigningrequests",
        json!({"requestObject": signing_request()}),
    );
    let request = event.certificate_request.unwrap();
    assert_eq!(request.body_source.as_deref(), Some("request"));
    assert_eq!(request.signer_name.as_deref(), Some("kubernetes.io/kube-apiserver-client"));
    assert_eq!(texts(request.usages.as_ref()), Some(vec!["client auth"]));
    assert_eq!(request.expiration_seconds, Some(86400));
    assert_eq!(request.common_name.as_deref(), Some("eve"));
    assert_eq!(texts(request.organizations.as_ref()), Some(vec!["system:masters", "dev"]));
    assert_eq!(texts(request.dns_names.as_ref()), Some(vec!["kubernetes.default", "x.example"]));
    assert_eq!(request.approval, None);
}

#[test]
fn an_approval_shows_the_approved_request() {
    for (condition, approval) in
        [("Approved", Some("Approved")), ("Denied", Some("Denied")), ("Failed", None)]
    {
        let mut body = signing_request();
        body["status"] = json!({"conditions": [{"type": condition, "status": "True"}]});
        let members = json!({"requestObject": body, "responseObject": body});
        let event = part("update", CERTIFICATES, "certificatesigningrequests", "approval", members);
        let request = event.certificate_request.unwrap();
        assert_eq!(request.approval.as_deref(), approval);
        assert_eq!(request.common_name.as_deref(), Some("eve"));
    }
    let patch = json!({"status": {"conditions": [{"type": "Approved", "status": "True"}]}});
    let members = json!({"requestObject": patch});
    let event = part("patch", CERTIFICATES, "certificatesigningrequests", "approval", members);
    let request = event.certificate_request.unwrap();
    assert_eq!(
        (request.body_source.as_deref(), request.approval.as_deref()),
        (Some("patch"), Some("Approved"))
    );
    assert_eq!(request.common_name, None);
}

#[test]
fn a_hostile_certificate_request_affects_only_its_event() {
    let long = "A".repeat(1_000_000);
    for odd in ["", "x", "LS0t", &REQUEST[..200], &REQUEST[100..], &long] {
        let body = json!({"spec": {"request": odd, "signerName": "s"}});
        let event = written(
            "create",
            CERTIFICATES,
            "certificatesigningrequests",
            json!({"requestObject": body}),
        );
        let request = event.certificate_request.unwrap();
        assert_eq!(request.signer_name.as_deref(), Some("s"));
        assert_eq!((request.common_name, request.organizations), (None, None), "{odd:.20}");
    }
}

#[test]
fn a_service_shows_its_type_ports_and_addresses() {
    let spec = json!({
        "type": "LoadBalancer",
        "clusterIP": "10.96.0.9",
        "externalIPs": ["203.0.113.1"],
        "loadBalancerSourceRanges": ["0.0.0.0/0"],
        "selector": {"app": "a"},
        "ports": [
            {"name": "web", "port": 80, "targetPort": 8080, "nodePort": 30080, "protocol": "TCP"},
            {"port": 443, "targetPort": "https"},
        ],
    });
    let body = json!({"kind": "Service", "spec": spec});
    for response in not_the_object() {
        let members = json!({"requestObject": body, "responseObject": response});
        let service = written("create", "", "services", members).service.unwrap();
        assert_eq!(service.body_source.as_deref(), Some("request"));
        assert_eq!(service.r#type.as_deref(), Some("LoadBalancer"));
        assert_eq!(service.cluster_ip.as_deref(), Some("10.96.0.9"));
        assert_eq!(texts(service.external_ips.as_ref()), Some(vec!["203.0.113.1"]));
        assert_eq!(texts(service.load_balancer_source_ranges.as_ref()), Some(vec!["0.0.0.0/0"]));
        assert_eq!(service.selector.as_ref().unwrap().get("app").map(|v| &**v), Some("a"));
        let ports = service.ports.unwrap();
        assert_eq!(ports[0].node_port, Some(30080));
        assert_eq!(ports[0].target_port.as_deref(), Some("8080"));
        assert_eq!(ports[1].target_port.as_deref(), Some("https"));
    }

    let patch = json!([{"op": "replace", "path": "/spec/type", "value": "NodePort"}]);
    let service =
        written("patch", "", "services", json!({"requestObject": patch})).service.unwrap();
    assert_eq!(
        (service.body_source.as_deref(), service.r#type.as_deref()),
        (Some("patch"), Some("NodePort"))
    );
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let members = json!({"requestObject": label, "responseObject": body});
    assert_eq!(written("patch", "", "services", members).service, None);
    let knative = json!({"requestObject": body});
    assert_eq!(written("create", "serving.knative.dev", "services", knative).service, None);
    assert_eq!(written("delete", "", "services", json!({"responseObject": body})).service, None);
}

#[test]
fn an_ingress_shows_its_hosts_and_whether_it_has_tls() {
    let path = |backend: Value| json!({"paths": [{"path": "/", "backend": backend}]});
    let spec = json!({
        "rules": [
            {"host": "a.example", "http": path(json!({"service": {"name": "web", "port": {"number": 80}}}))},
            {"http": path(json!({"serviceName": "old", "servicePort": 80}))},
        ],
        "defaultBackend": {"service": {"name": "default"}},
        "tls": [{"hosts": ["a.example"], "secretName": "s"}],
    });
    let members = json!({"requestObject": {"spec": spec}});
    let ingress = written("create", "networking.k8s.io", "ingresses", members).ingress.unwrap();
    assert_eq!(texts(ingress.hosts.as_ref()), Some(vec!["a.example"]));
    assert_eq!(texts(ingress.tls_hosts.as_ref()), Some(vec!["a.example"]));
    assert_eq!(texts(ingress.backend_services.as_ref()), Some(vec!["web", "old", "default"]));
    for (verb, spec, has_tls) in [
        ("create", json!({"rules": [], "tls": [{}]}), Some(true)),
        ("create", json!({"rules": []}), Some(false)),
        ("create", json!({"rules": [], "tls": []}), Some(false)),
        ("patch", json!({"rules": []}), None),
        ("patch", json!({"tls": null}), Some(false)),
        ("patch", json!({"tls": "odd"}), None),
    ] {
        let members = json!({"requestObject": {"spec": spec}});
        let event = written(verb, "networking.k8s.io", "ingresses", members);
        assert_eq!(event.ingress.unwrap().has_tls, has_tls, "{verb} {spec}");
    }
    assert_eq!(
        written("create", "extensions", "ingresses", json!({})).ingress.unwrap().has_tls,
        None
    );
}

#[test]
fn a_secret_shows_its_keys_and_no_values() {
    let body = json!({
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {"annotations": {"kubernetes.io/service-account.name": "admin"}},
        "data": {"token": "c2VjcmV0LXZhbHVl"},
        "stringData": {"extra": "secret-value"},
    });
    let event = written("create", "", "secrets", json!({"requestObject": body}));
    let secret = event.secret.unwrap();
    assert_eq!(secret.r#type.as_deref(), Some("kubernetes.io/service-account-token"));
    assert_eq!(secret.service_account_name.as_deref(), Some("admin"));
    assert_eq!(texts(secret.keys.as_ref()), Some(vec!["token", "extra"]));
    let shown = format!("{secret:?}");
    assert!(!shown.contains("secret-value") && !shown.contains("c2VjcmV0"), "{shown}");

    for (verb, request, keys) in [
        ("patch", json!({"data": {"a": "eA==", "b": null}}), Some(vec!["a"])),
        ("patch", json!([{"op": "add", "path": "/data/a~1b", "value": "eA=="}]), Some(vec!["a/b"])),
        ("patch", json!({"metadata": {"labels": {}}}), None),
        ("create", json!({"metadata": {"name": "empty"}}), Some(vec![])),
    ] {
        let members = json!({"requestObject": request, "responseObject": not_the_object()[1]});
        let secret = written(verb, "", "secrets", members).secret.unwrap();
        assert_eq!(texts(secret.keys.as_ref()), keys, "{request}");
    }
    assert_eq!(written("get", "", "secrets", json!({"responseObject": body})).secret, None);
    let list = json!({"kind": "SecretList", "items": [body]});
    assert_eq!(
        written("deletecollection", "", "secrets", json!({"responseObject": list})).secret,
        None
    );
}

#[test]
fn a_config_map_shows_its_keys() {
    let body = json!({"data": {"Corefile": "x"}, "binaryData": {"b": "eA=="}});
    let event = written("update", "", "configmaps", json!({"requestObject": body}));
    assert_eq!(texts(event.config_map.unwrap().keys.as_ref()), Some(vec!["Corefile", "b"]));
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let event =
        written("patch", "", "configmaps", json!({"requestObject": label, "responseObject": body}));
    assert_eq!(event.config_map, None);
}

#[test]
fn a_namespace_shows_its_labels_and_removed_labels() {
    const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
    let namespace = |labels: Value| json!({"kind": "Namespace", "metadata": {"labels": labels}});
    let removal = json!({"metadata": {"labels": {ENFORCE: null, "b": "2"}}});
    let pointer = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    let json_patch = json!([{"op": "remove", "path": pointer}]);
    for (verb, request, response, labels) in [
        (
            "create",
            namespace(json!({ENFORCE: "baseline"})),
            json!(null),
            Some(vec![(ENFORCE, Some("baseline"))]),
        ),
        ("create", json!({"metadata": {"name": "x"}}), json!(null), Some(vec![])),
        ("update", json!(null), namespace(json!({"a": "1"})), Some(vec![("a", Some("1"))])),
        ("patch", removal.clone(), json!(null), Some(vec![("b", Some("2")), (ENFORCE, None)])),
        (
            "patch",
            removal,
            namespace(json!({"a": "1", "b": "2"})),
            Some(vec![("a", Some("1")), ("b", Some("2")), (ENFORCE, None)]),
        ),
        ("patch", json_patch, json!(null), Some(vec![(ENFORCE, None)])),
        (
            "patch",
            json!({"metadata": {"annotations": {"x": "y"}}}),
            namespace(json!({"a": "1"})),
            None,
        ),
        ("update", json!(null), not_the_object()[0].clone(), None),
    ] {
        let members = json!({"requestObject": request, "responseObject": response});
        let event = written(verb, "", "namespaces", members);
        let shown = event.namespace_labels.map(|labels| {
            let mut shown: Vec<_> = labels
                .0
                .iter()
                .map(|(key, value)| ((**key).to_owned(), value.as_deref().map(str::to_owned)))
                .collect();
            // The test's library sorts JSON objects.
            shown.sort_by_key(|(key, value)| (value.is_none(), key.clone()));
            shown
        });
        let labels = labels.map(|labels| {
            labels
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
                .collect::<Vec<_>>()
        });
        assert_eq!(shown, labels, "{verb} {request}");
    }
}

#[test]
fn a_persistent_volume_shows_its_host_path() {
    for (spec, r#type, path, raw) in [
        (
            json!({"hostPath": {"path": "/var/run//x/"}}),
            "hostPath",
            Some("/run/x"),
            Some("/var/run//x/"),
        ),
        (
            json!({"local": {"path": "/"}, "nodeAffinity": {"required": {}}}),
            "local",
            Some("/"),
            Some("/"),
        ),
        (json!({"nfs": {"server": "s", "path": "/export"}}), "nfs", None, None),
    ] {
        let mut spec = spec;
        spec["capacity"] = json!({"storage": "1Gi"});
        spec["claimRef"] = json!({"namespace": "web", "name": "data"});
        let event =
            written("create", "", "persistentvolumes", json!({"requestObject": {"spec": spec}}));
        let volume = event.persistent_volume.unwrap();
        assert_eq!(volume.r#type.as_deref(), Some(r#type));
        assert_eq!((volume.host_path.as_deref(), volume.host_path_raw.as_deref()), (path, raw));
        assert_eq!(volume.claim_namespace.as_deref(), Some("web"));
        assert_eq!(volume.claim_name.as_deref(), Some("data"));
    }
}

#[test]
fn a_network_policy_shows_the_allowed_traffic() {
    for (verb, spec, selects_all, allows_all) in [
        ("create", json!({"podSelector": {}, "policyTypes": ["Ingress"]}), Some(true), Some(false)),
        ("create", json!({"podSelector": {}, "ingress": [{}]}), Some(true), Some(true)),
        (
            "create",
            json!({"podSelector": {"matchLabels": {"a": "b"}}, "egress": [{"to": []}]}),
            Some(false),
            Some(true),
        ),
        (
            "create",
            json!({"podSelector": {"matchExpressions": [{"key": "a"}]}, "ingress": [{"ports": [{"port": 1}]}]}),
            Some(false),
            Some(false),
        ),
        (
            "create",
            json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}),
            Some(true),
            Some(false),
        ),
        (
            "create",
            json!({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]}),
            Some(true),
            Some(true),
        ),
        (
            "create",
            json!({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}]}),
            Some(true),
            Some(false),
        ),
        ("create", json!({}), Some(true), Some(false)),
        ("patch", json!({"policyTypes": ["Egress"]}), None, None),
        ("patch", json!({"ingress": [{}]}), None, Some(true)),
        ("patch", json!({"podSelector": {}}), None, None),
    ] {
        let members = json!({"requestObject": {"spec": spec}});
        let event = written(verb, "networking.k8s.io", "networkpolicies", members);
        let policy = event.network_policy.unwrap();
        assert_eq!((policy.selects_all, policy.allows_all), (selects_all, allows_all), "{spec}");
    }
}

const ADMISSION: &str = "admissionregistration.k8s.io";

#[test]
fn webhooks_show_their_target_and_resources() {
    let body = json!({"kind": "MutatingWebhookConfiguration", "webhooks": [
        {
            "name": "a.example",
            "clientConfig": {"url": "https://evil.example/x", "caBundle": "eA=="},
            "failurePolicy": "Ignore",
            "rules": [
                {"apiGroups": ["", "apps"], "resources": ["pods", "deployments/scale", "*"], "operations": ["CREATE", "UPDATE"]},
                {"apiGroups": ["*"], "resources": ["*"], "operations": ["CREATE"]},
            ],
            "namespaceSelector": {"matchLabels": {"a": "b"}},
            "matchConditions": [{"name": "x", "expression": "true"}],
            "timeoutSeconds": 5,
        },
        {"name": "b.example", "clientConfig": {"service": {"namespace": "n", "name": "s"}}},
    ]});
    let event = written(
        "create",
        ADMISSION,
        "mutatingwebhookconfigurations",
        json!({"requestObject": body}),
    );
    let webhooks = event.webhooks.unwrap();
    let first = &webhooks[0];
    assert_eq!(first.name.as_deref(), Some("a.example"));
    assert_eq!(first.url.as_deref(), Some("https://evil.example/x"));
    assert_eq!(first.failure_policy.as_deref(), Some("Ignore"));
    assert_eq!(texts(first.operations.as_ref()), Some(vec!["CREATE", "UPDATE"]));
    assert_eq!(
        texts(first.resources.as_ref()),
        Some(vec![
            "/*",
            "/pods",
            "/deployments/scale",
            "apps/*",
            "apps/pods",
            "apps/deployments/scale",
            "*/*"
        ])
    );
    assert_eq!(first.namespace_selector.as_deref(), Some(r#"{"matchLabels":{"a":"b"}}"#));
    assert_eq!((first.match_conditions, first.timeout_seconds), (Some(1), Some(5)));
    let second = &webhooks[1];
    assert_eq!(
        (second.service_namespace.as_deref(), second.service_name.as_deref()),
        (Some("n"), Some("s"))
    );
    assert_eq!((&second.resources, second.match_conditions), (&None, None));

    let patch = json!({"webhooks": [{"name": "a.example", "$patch": "delete"}, {"name": "b.example", "failurePolicy": "Ignore"}]});
    let event = written(
        "patch",
        ADMISSION,
        "validatingwebhookconfigurations",
        json!({"requestObject": patch}),
    );
    let names: Vec<_> =
        event.webhooks.iter().flatten().map(|webhook| webhook.name.as_deref()).collect();
    assert_eq!(names, [Some("b.example")]);
    let label = json!({"metadata": {"labels": {"a": "b"}}});
    let members = json!({"requestObject": label, "responseObject": body});
    assert_eq!(
        written("patch", ADMISSION, "mutatingwebhookconfigurations", members).webhooks,
        None
    );
}

#[test]
fn a_rule_with_thousands_of_entries_is_truncated_with_wildcards_first() {
    let names: Vec<_> = (0..3000).map(|i| format!("r{i}")).chain(["*".to_owned()]).collect();
    let body =
        json!({"webhooks": [{"name": "a", "rules": [{"apiGroups": names, "resources": names}]}]});
    let event = written(
        "create",
        ADMISSION,
        "mutatingwebhookconfigurations",
        json!({"requestObject": body}),
    );
    let resources = event.webhooks.unwrap()[0].resources.clone().unwrap();
    assert_eq!((resources.len(), &*resources[0]), (1000, "*/*"));
}

#[test]
fn a_binding_shows_the_node_and_a_scale_the_replicas() {
    let binding = json!({"kind": "Binding", "target": {"kind": "Node", "name": "cp-1"}});
    let status = json!({"kind": "Status", "status": "Success", "code": 201});
    let members = json!({"requestObject": binding, "responseObject": status});
    assert_eq!(
        part("create", "", "pods", "binding", members.clone()).bound_node.as_deref(),
        Some("cp-1")
    );
    assert_eq!(written("create", "", "bindings", members).bound_node.as_deref(), Some("cp-1"));

    let response = json!({"kind": "Scale", "spec": {"replicas": 7}, "status": {"replicas": 2}});
    for (group, request, response, replicas) in [
        ("apps", json!({"spec": {"replicas": 3}}), json!(null), Some(3)),
        ("apps", json!({"spec": {"replicas": 3}}), response, Some(7)),
        (
            "apps",
            json!([{"op": "replace", "path": "/spec/replicas", "value": 0}]),
            json!(null),
            Some(0),
        ),
        ("argoproj.io", json!({"spec": {"replicas": 3}}), not_the_object()[0].clone(), Some(3)),
        ("apps", json!(null), json!(null), None),
    ] {
        let members = json!({"requestObject": request, "responseObject": response});
        let event = part("patch", group, "deployments", "scale", members);
        assert_eq!((event.scale_replicas, event.workload), (replicas, None), "{request}");
    }
}

#[test]
fn exec_options_of_the_body_count_where_the_query_has_none() {
    let options = json!({"kind": "PodExecOptions", "command": ["sh", "-c", "id"], "container": "c", "stdin": true, "tty": false});
    let event = part("create", "", "pods", "exec", json!({"requestObject": options}));
    let exec = event.exec.unwrap();
    assert_eq!(texts(exec.command.as_ref()), Some(vec!["sh", "-c", "id"]));
    assert_eq!(
        (exec.container.as_deref(), exec.stdin, exec.tty),
        (Some("c"), Some(true), Some(false))
    );

    let members = json!({"requestObject": options, "requestURI": "/api/v1/namespaces/web/pods/app/exec?command=ls"});
    let exec = part("create", "", "pods", "exec", members).exec.unwrap();
    assert_eq!((texts(exec.command.as_ref()), exec.container), (Some(vec!["ls"]), None));

    let forward = json!({"kind": "PodPortForwardOptions", "ports": [8080, 9090]});
    let exec =
        part("create", "", "pods", "portforward", json!({"requestObject": forward})).exec.unwrap();
    assert_eq!(texts(exec.ports.as_ref()), Some(vec!["8080", "9090"]));
    let proxied = part("create", "", "pods", "proxy", json!({"requestObject": options}));
    assert_eq!(proxied.exec, None);
}

#[test]
fn a_denial_names_the_denying_component() {
    let violation = r#"pods "x" is forbidden: violates PodSecurity "baseline:latest": privileged (container "app" must not set securityContext.privileged=true)"#;
    let status = |message: &str| json!({"metadata": {}, "status": "Failure", "code": 403, "message": message});
    let refused = written("create", "", "pods", json!({"responseStatus": status(violation)}));
    assert_eq!(
        (refused.outcome.as_deref(), refused.denied_by.as_deref()),
        (Some("denied_admission"), Some("PodSecurity"))
    );

    // Kubernetes 1.20 has the message only in the body.
    let response = json!({"kind": "Status", "message": "pods \"static-evil\" is forbidden: node \"worker-1\" can only create pods with an owner reference set to itself"});
    let members =
        json!({"responseStatus": {"metadata": {}, "code": 403}, "responseObject": response});
    let refused = written("create", "", "pods", members);
    assert_eq!(
        (refused.outcome.as_deref(), refused.denied_by.as_deref()),
        (Some("denied_admission"), Some("NodeRestriction"))
    );
    assert_eq!(refused.status_message, None);

    let policies = |actions: Value| {
        let failure = json!([{"message": "m", "policy": "limit", "binding": "b", "validationActions": actions}]);
        json!({
            "authorization.k8s.io/decision": "allow",
            "validation.policy.admission.k8s.io/validation_failure": failure.to_string(),
        })
    };
    let invalid = json!({"metadata": {}, "code": 422});
    for (actions, outcome, denied_by) in [
        (json!(["Deny", "Audit"]), "denied_admission", Some("ValidatingAdmissionPolicy limit")),
        (json!(["Audit"]), "invalid", None),
    ] {
        let members = json!({"annotations": policies(actions), "responseStatus": invalid});
        let event = written("create", "", "pods", members);
        assert_eq!(
            (event.outcome.as_deref(), event.denied_by.as_deref()),
            (Some(outcome), denied_by)
        );
    }
}

#[test]
fn roles_and_bindings_of_rancher_are_mapped_to_the_created_ones() {
    let group = "management.cattle.io";
    let bound = |resource: &str, kind: &str, members: Value| {
        let mut object = members;
        object["kind"] = json!(kind);
        let event = written("create", group, resource, json!({"requestObject": object}));
        assert_eq!(event.activity.as_deref(), Some("rbac"), "{resource}");
        event.rbac.unwrap()
    };
    let global = bound(
        "globalrolebindings",
        "GlobalRoleBinding",
        json!({"globalRoleName": "admin", "userName": "", "groupPrincipalName": "okta_group://ops"}),
    );
    assert_eq!(global.kind.as_deref(), Some("ClusterRoleBinding"));
    assert_eq!(global.role_name.as_deref(), Some("cattle-globalrole-admin"));
    let subjects = global.subjects.unwrap();
    assert_eq!(subjects.len(), 1);
    assert_eq!(subjects[0].kind.as_deref(), Some("Group"));
    assert_eq!(subjects[0].name.as_deref(), Some("okta_group://ops"));

    let project = bound(
        "projectroletemplatebindings",
        "ProjectRoleTemplateBinding",
        json!({"roleTemplateName": "project-owner", "serviceAccount": "web:ci"}),
    );
    assert_eq!(project.kind.as_deref(), Some("RoleBinding"));
    assert_eq!(project.role_name.as_deref(), Some("project-owner"));
    let subjects = project.subjects.unwrap();
    assert_eq!(subjects[0].kind.as_deref(), Some("ServiceAccount"));
    assert_eq!(subjects[0].namespace.as_deref(), Some("web"));
    assert_eq!(subjects[0].name.as_deref(), Some("ci"));

    let all = json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    for (kind, resource, members) in [
        ("RoleTemplate", "roletemplates", json!({"rules": all})),
        ("RoleTemplate", "roletemplates", json!({"external": true, "externalRules": all})),
        ("RoleTemplate", "roletemplates", json!({"roleTemplateNames": ["cluster-owner"]})),
        (
            "GlobalRole",
            "globalroles",
            json!({"rules": [], "namespacedRules": {"cattle-system": all}}),
        ),
        ("GlobalRole", "globalroles", json!({"inheritedClusterRoles": ["cluster-owner"]})),
    ] {
        let role = bound(resource, kind, members);
        assert_eq!(role.kind.as_deref(), Some("ClusterRole"));
        let effects = texts(role.effects.as_ref()).unwrap_or_default();
        assert!(effects.contains(&"everything"), "{resource}: {effects:?}");
    }
    let harmless = bound("roletemplates", "RoleTemplate", json!({"roleTemplateNames": ["view"]}));
    assert_eq!(texts(harmless.effects.as_ref()), None);
    let user = written("create", group, "users", json!({"requestObject": {"kind": "User"}}));
    assert_eq!(user.activity.as_deref(), Some("write"));
}

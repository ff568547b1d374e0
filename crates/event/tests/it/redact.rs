//! Secrets in an event are redacted, and nothing else changes.

use std::fmt::Write;

use podtrail_event::{RedactionKey, redact, redact_record};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::event;

/// A secret in plain text, and in the Base64 of `data`.
const CLEAR: &str = "hunter2-in-clear";
const ENCODED: &str = "aHVudGVyMi1pbi1jbGVhcg==";

fn key() -> RedactionKey {
    RedactionKey::new([7; 32])
}

fn redacted(json: &str) -> Option<String> {
    redact(json.as_bytes(), &key()).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// Returns the digests in a text, in order.
fn digests(text: &str) -> Vec<&str> {
    text.match_indices("redacted:").map(|(start, _)| &text[start..start + 41]).collect()
}

/// The digest of the secret.
fn digest() -> String {
    let secret = event("create", "", "secrets", json!({"requestObject": {"data": {"x": ENCODED}}}));
    digests(&redacted(&secret).unwrap())[0].to_owned()
}

#[track_caller]
fn assert_redacted(what: &str, json: &str) -> String {
    let text = redacted(json).unwrap_or_else(|| panic!("{what}: nothing redacted in {json}"));
    // Also of nested texts, regardless of their escapes.
    let said = text.replace('\\', "");
    for secret in [CLEAR, ENCODED, "hunter2", "aHVudGVy"] {
        assert!(!said.contains(secret), "{what}: {text}");
    }
    assert!(!digests(&text).is_empty(), "{what}: {text}");
    serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{what}: {error}: {text}"));
    assert_eq!(redacted(&text), None, "{what}: redacting again changes something");
    text
}

#[test]
fn secrets_are_redacted_in_every_body() {
    let secret = json!({
        "kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s", "labels": {"a": "kept"}},
        "data": {"password": ENCODED}, "stringData": {"word": CLEAR}, "type": "Opaque",
    });
    let item =
        json!({"metadata": {"name": "s", "labels": {"a": "kept"}}, "data": {"password": ENCODED}});
    let applied = secret.to_string();
    let copy = |name: &str, text: &str| json!({"kind": "Secret", "metadata": {"annotations": {name: text, "a": "kept", "password": ""}}});
    let last_applied = "kubectl.kubernetes.io/last-applied-configuration";
    let bodies = [
        ("create or update", secret.clone()),
        (
            "merge patch",
            json!({"data": {"password": ENCODED, "old": null}, "metadata": {"a": "kept"}}),
        ),
        (
            "strategic patch",
            json!({"stringData": {"$patch": "replace", "password": CLEAR}, "a": "kept"}),
        ),
        ("list", json!({"kind": "SecretList", "items": [item.clone(), item.clone()]})),
        (
            "table",
            json!({"kind": "Table", "rows": [{"cells": ["kept", "Opaque", 1], "object": secret.clone()}]}),
        ),
        ("data that is a string", json!({"data": CLEAR, "password": "kept"})),
        ("data that is a list", json!({"data": [CLEAR, {"password": CLEAR}], "a": "kept"})),
        (
            "a misspelled member",
            json!({"Data": {"password": CLEAR}, "StringDATA": CLEAR, "a": "kept"}),
        ),
        (
            "JSON patch, a key",
            json!([{"op": "add", "path": "/data/password", "value": ENCODED, "a": "kept"}]),
        ),
        (
            "JSON patch, the data",
            json!([{"op": "add", "path": "/stringData", "value": {"password": CLEAR}, "a": "kept"}]),
        ),
        ("JSON patch, the object", json!([{"op": "replace", "path": "", "value": secret.clone()}])),
        (
            "JSON patch, a test",
            json!([{"op": "test", "value": ENCODED, "path": "/data/password"}, {"op": "remove", "path": "/kept"}]),
        ),
        (
            "JSON patch, an escaped path",
            json!([{"op": "add", "path": "/data/pass~1password", "value": ENCODED, "a": "kept"}]),
        ),
        ("JSON patch, no path", json!([{"op": "add", "value": {"password": CLEAR}, "a": "kept"}])),
        (
            "JSON patch, an odd path",
            json!([{"op": "add", "path": 1, "value": {"password": CLEAR}, "a": "kept"}]),
        ),
        (
            "JSON patch, the copy",
            json!([{"op": "add", "path": format!("/metadata/annotations/{}", last_applied.replace('/', "~1")), "value": applied.clone()}]),
        ),
        (
            "a patch in a wrapper",
            json!({"patch": [{"op": "add", "path": "/data/password", "value": ENCODED}], "a": "kept"}),
        ),
        ("last applied", copy(last_applied, &applied)),
        ("last applied, cut", copy(last_applied, &applied[..applied.len() - 3])),
        ("last applied, no JSON", copy(last_applied, CLEAR)),
        ("another copy", copy("kapp.k14s.io/original", &applied)),
        ("another copy, cut", copy("kapp.k14s.io/original", &applied[..applied.len() - 3])),
        ("a compressed copy", copy("objectset.rio.cattle.io/applied", ENCODED)),
        ("a copy in a copy", copy(last_applied, &copy(last_applied, &applied).to_string())),
        (
            "a failed patch",
            json!({
                "kind": "Status", "password": "kept",
                "message": format!(" \"\" is invalid: patch: Invalid value: \"map[data:map[password:{CLEAR}]]\": illegal base64"),
            }),
        ),
    ];
    for (what, body) in &bodies {
        for member in ["requestObject", "responseObject"] {
            let json = event("patch", "", "secrets", json!({member: body}));
            let text = assert_redacted(what, &json);
            // A truncated copy is redacted as a whole.
            assert!(what.contains("cut") || text.contains("password"), "{what}: {text}");
            assert_eq!(text.contains("kept"), body.to_string().contains("kept"), "{what}: {text}");
        }
    }
    for body in
        [json!(CLEAR), json!([CLEAR]), json!([[CLEAR]]), json!(applied), json!(&applied[1..])]
    {
        let json = event("update", "", "secrets", json!({"requestObject": body}));
        assert_redacted("an odd body", &json);
    }
    let json = event("get", "", "secrets", json!({"body": secret, "more": applied}));
    assert_redacted("members of a shipper", &json);
}

#[test]
fn secrets_are_redacted_outside_of_their_resource() {
    let secret = json!({"data": {"password": ENCODED}, "kind": "Secret"});
    let uri = json!({"requestURI": "/api/v1/namespaces/a/secrets/b?x=1"});
    let mut no_reference: Value =
        serde_json::from_str(&event("patch", "", "secrets", uri)).unwrap();
    no_reference.as_object_mut().unwrap().remove("objectRef");
    no_reference["requestObject"] = json!({"data": {"password": ENCODED}});
    let cut = format!(r#"{{"kind":"Secret","data":"{CLEAR}"#);
    let create = |resource: &str, member: &str, body: Value| {
        event("create", "", resource, json!({member: body}))
    };
    for (what, json) in [
        ("a template", create("templates", "requestObject", json!({"objects": [secret]}))),
        ("a list", create("lists", "responseObject", json!({"items": [{"kind": "Pod"}, secret]}))),
        ("a copy", create("others", "requestObject", json!({"data": {"a": secret.to_string()}}))),
        ("a cut copy", create("others", "requestObject", json!({"data": {"a": cut}}))),
        ("no object reference", no_reference.to_string()),
        (
            "an odd spelling",
            create("others", "requestObject", secret.clone()).replace("Secret", "Secr\\u0065t"),
        ),
        (
            "another odd spelling",
            create("secrets", "requestObject", json!({"data": {"password": ENCODED}}))
                .replace("secrets", "\\u0073ecrets")
                .replace("data", "d\\u0061ta"),
        ),
    ] {
        assert_redacted(what, &json);
    }
}

#[test]
fn patches_of_webhooks_are_redacted() {
    let patch = json!({
        "configuration": "c", "webhook": "w", "patchType": "JSONPatch",
        "patch": [{"op": "add", "path": "/data/password", "value": ENCODED}],
    });
    let cut = patch.to_string().replace("]}", "");
    let name = "patch.webhook.admission.k8s.io/round_0_index_0";
    for patch in [patch.to_string(), cut, CLEAR.to_owned()] {
        let annotations = json!({"annotations": {name: patch, "a": "kept"}});
        let text = assert_redacted("a patch", &event("create", "", "secrets", annotations));
        assert!(text.contains(r#""a":"kept""#) && text.contains(name));
    }
}

#[test]
fn errors_that_quote_a_secret_are_redacted() {
    for message in [
        format!(r#" "" is invalid: patch: Invalid value: "{{\"a\":\"{CLEAR}\"}}": illegal base64"#),
        format!(
            "Secret in version \"v1\" cannot be handled as a Secret: v1.Secret.Data: decode base64, \
             error found in #10 byte of ...|{CLEAR}|..., bigger context ...|{CLEAR}|..."
        ),
        format!(
            "failed to create typed patch object (a/b; /v1, Kind=Secret): \
             .stringData.x: expected string, got &value.valueUnstructured{{Value:\"{CLEAR}\"}}"
        ),
    ] {
        let status = json!({
            "metadata": {}, "code": 422, "message": message,
            "details": {"causes": [{"message": message, "field": "patch"}]},
        });
        let json = event("patch", "", "secrets", json!({"responseStatus": status}));
        let text = assert_redacted("a message", &json);
        assert!(text.contains(r#""field":"patch""#) && text.contains("422"));
    }
    let message = r#"secrets "a" is forbidden: User "b" cannot get resource "secrets""#;
    let status = json!({"responseStatus": {"message": message}});
    assert_eq!(redacted(&event("get", "", "secrets", status)), None);
}

#[test]
fn tokens_are_redacted() {
    let request = |members: Value| {
        let event = event("create", "", "serviceaccounts", members);
        let mut json: Value = serde_json::from_str(&event).unwrap();
        json["objectRef"]["subresource"] = json!("token");
        json
    };
    let response = json!({
        "kind": "TokenRequest", "spec": {"audiences": ["kept"]},
        "status": {"token": CLEAR, "expirationTimestamp": "kept"},
    });
    let named = request(json!({"responseObject": response}));
    let text = assert_redacted("a token request", &named.to_string());
    assert!(text.contains(&digest()), "a token equals the same secret in a Secret");
    assert_eq!(text.matches("kept").count(), 2);
    let mut unnamed = named;
    unnamed.as_object_mut().unwrap().remove("objectRef");
    assert_redacted("a token request by its kind", &unnamed.to_string());
    for body in [json!({"status": {"token": [CLEAR]}}), json!(response.to_string()), json!(CLEAR)] {
        assert_redacted("an odd body", &request(json!({"responseObject": body})).to_string());
    }

    let review = json!({
        "kind": "TokenReview", "spec": {"token": CLEAR}, "status": {"user": {"username": "kept"}},
    });
    for member in ["requestObject", "responseObject"] {
        let members = json!({member: review});
        let json = event("create", "authentication.k8s.io", "tokenreviews", members);
        assert!(assert_redacted("a token review", &json).contains("kept"));
    }
    // The request body that a client sends for a token.
    let empty =
        json!({"kind": "TokenRequest", "status": {"token": "", "expirationTimestamp": null}});
    assert_eq!(redacted(&request(json!({"requestObject": empty})).to_string()), None);
}

#[test]
fn names_of_openshift_tokens_are_redacted_where_they_are_the_token() {
    let group = "oauth.openshift.io";
    for resource in ["oauthaccesstokens", "oauthauthorizetokens"] {
        let token = "hunter2_iXk3-9f8hunter2_iXk3-9f8hunter2_iXk";
        let members = json!({
            "requestURI": format!("/apis/{group}/v1/{resource}/{token}?x=1"),
            "objectRef": {"resource": resource, "name": token, "apiGroup": group},
            "responseStatus": {
                "metadata": {}, "message": format!("{resource} \"{token}\" not found"),
                "details": {"name": token},
            },
            "responseObject": {"metadata": {"name": token}, "refreshToken": CLEAR},
        });
        let text = assert_redacted(resource, &event("delete", group, resource, members));
        let row = crate::row(&text);
        assert_eq!(row.resource.as_deref(), Some(resource));
        let name = row.name.as_deref().unwrap();
        assert!(name.starts_with("redacted:"), "{text}");
        let uri = format!("/apis/{group}/v1/{resource}/{name}?x=1");
        assert_eq!(row.request_uri.as_deref(), Some(&*uri));

        let named = |name: &str| {
            let reference = json!({"objectRef": {"resource": resource, "name": name}});
            redacted(&event("get", group, resource, reference))
        };
        assert_eq!(named("sha256~iXk3-9f8iXk3-9f8iXk3-9f8iXk3"), None);
        // A name cannot break the event.
        crate::row(&named("requestReceivedTimestamp").unwrap());
    }
}

#[test]
fn credentials_in_a_proxied_request_are_redacted() {
    let path = "/api/v1/namespaces/a/services/b/proxy/login";
    let members = json!({"requestURI": format!("{path}?a=1&access_token={CLEAR}&b=2")});
    let json = event("get", "", "services", members);
    // The API server escapes the ampersand.
    for json in [json.replace('&', "\\u0026"), json] {
        let text = assert_redacted("a URI", &json);
        let expected = format!("{path}?a=1&access_token={}&b=2", digest());
        assert_eq!(crate::row(&text).request_uri.as_deref(), Some(&*expected));
    }
}

#[test]
fn values_that_are_not_secrets_stay_unchanged() {
    let create = |group: &str, resource: &str, body: Value| {
        event("create", group, resource, json!({"requestObject": body}))
    };
    let pod = json!({"kind": "Pod", "spec": {
        "containers": [{"env": [
            {"name": "PASSWORD", "value": "x"},
            {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        ]}],
        "volumes": [
            {"secret": {"secretName": "s"}},
            {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
        ],
    }});
    let role = json!({"kind": "Role", "rules": [{"resources": ["secrets"]}], "data": {"a": "b"}});
    let sealed = json!({"kind": "SealedSecret", "spec": {"encryptedData": {"a": "b"}}});
    let applied = r#"{"kind":"Deployment","data":{"a":"b"},"x":"Secret"}"#;
    let annotations = json!({"kubectl.kubernetes.io/last-applied-configuration": applied});
    let client = json!({"userAgent": "{\"data", "user": {"extra": {"data": ["x"]}}});
    let options = json!({"kind": "DeleteOptions", "propagationPolicy": "Background"});
    for json in [
        create("", "pods", pod),
        create("", "configmaps", json!({"kind": "ConfigMap", "data": {"a": "b"}})),
        create("rbac.authorization.k8s.io", "roles", role),
        create("bitnami.com", "sealedsecrets", sealed),
        create("", "certificatesigningrequests", json!({"spec": {"request": "LS0t"}})),
        create("", "events", json!({"involvedObject": {"kind": "Secret", "name": "s"}})),
        create("apps", "deployments", json!({"metadata": {"annotations": annotations}})),
        event("get", "", "secrets", client),
        event("delete", "", "secrets", json!({"requestObject": options})),
        r#"{"objectRef":{"resource":"secrets"},"requestObject":{"data":{"a":"b"}}"#.to_owned(),
        r#"["secrets",{"data":"x"}]"#.to_owned(),
    ] {
        assert_eq!(redacted(&json), None, "{json}");
    }
}

#[test]
fn everything_else_stays_byte_for_byte() {
    let json = r#" {"kind":"Event" ,"auditID":"\u0061","objectRef":{"resource":"secrets"},
        "requestObject" : { "data":{"a" : "x1", "b":  12345678901234567890.50 , "c":null,"":"x2"},
        "z":1e400, "data" : "x3", "d\u0061ta":["x4",true,{"k":"x\u0035"}], "a":1,"a":2,
        "\ud800":"\u00e9\/" },"x":[ ] }  "#;
    let text = redacted(json).unwrap();
    let digests = digests(&text);
    let values =
        [r#""x1""#, "12345678901234567890.50", r#""x2""#, r#""x3""#, r#""x4""#, r#""x\u0035""#];
    assert_eq!(digests.len(), values.len());
    let mut restored = text.clone();
    for (digest, value) in digests.iter().zip(values) {
        restored = restored.replacen(&format!("\"{digest}\""), value, 1);
    }
    assert_eq!(restored, json);
}

#[test]
fn deeply_nested_bodies_are_redacted() {
    const DEPTH: usize = 100_000;
    let deep = format!(r#"{}{{"data":"{CLEAR}"}}{}"#, "[".repeat(DEPTH), "]".repeat(DEPTH));
    for body in [
        deep.clone(),
        format!(r#"{{"data":{deep}}}"#),
        format!(r#"{{"last-applied":{}}}"#, json!(deep)),
    ] {
        let json = format!(r#"{{"objectRef":{{"resource":"secrets"}},"requestObject":{body}}}"#);
        let text = redacted(&json).unwrap();
        assert!(!text.contains(CLEAR));
    }
}

#[test]
fn an_operation_can_have_many_paths_and_values() {
    let long = "/a".repeat(500_000);
    let paths = format!(r#""path":"{long}","path":1,"#) + &r#""path":"/b","#.repeat(50_000);
    let values = format!(r#""value":"{CLEAR}","#).repeat(50_000);
    let json = format!(
        r#"{{"objectRef":{{"resource":"secrets"}},"requestObject":[{{{values}{paths}"op":"add"}}]}}"#
    );
    let text = redacted(&json).unwrap();
    assert!(!text.contains(CLEAR));
    assert_eq!(digests(&text).len(), 50_000);
}

#[test]
fn equal_secrets_are_equal_under_one_key_only() {
    let json = event(
        "patch",
        "",
        "secrets",
        json!({"requestObject": {"stringData": {"a": CLEAR, "b": "other"}}, "responseObject": {"data": {"a": ENCODED}}}),
    );
    let text = redacted(&json).unwrap();
    let digests = digests(&text);
    assert_eq!(digests[0], digests[2]);
    assert_ne!(digests[0], digests[1]);
    let other = redact(json.as_bytes(), &RedactionKey::new([8; 32])).unwrap();
    assert!(!String::from_utf8(other).unwrap().contains(digests[0]));
}

#[test]
fn the_digest_of_an_event_depends_on_the_secret_under_the_key() {
    let id = |secret: &str, key: u8| {
        let json =
            event("create", "", "secrets", json!({"requestObject": {"stringData": {"a": secret}}}));
        let text = redact(json.as_bytes(), &RedactionKey::new([key; 32])).unwrap();
        crate::row(std::str::from_utf8(&text).unwrap()).event_id.unwrap().to_string()
    };
    assert_eq!(id("a", 1), id("a", 1));
    assert_ne!(id("a", 1), id("b", 1));
    assert_ne!(id("a", 1), id("a", 2));
}

#[test]
fn a_key_is_written_and_read_but_not_shown() {
    let key = RedactionKey::new([0xab; 32]);
    assert_eq!(RedactionKey::from_hex(&key.to_hex()), Some(key.clone()));
    assert_eq!(RedactionKey::from_hex("ab"), None);
    assert_eq!(RedactionKey::from_hex(&"x".repeat(64)), None);
    let shown = format!("{key:?}");
    assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
}

#[test]
fn the_record_around_an_event_is_redacted_with_it() {
    let secret = event("create", "", "secrets", json!({"requestObject": {"data": {"a": ENCODED}}}));
    let entry =
        json!({"protoPayload": {"request": {"data": {"a": ENCODED}}, "methodName": "kept"}})
            .to_string();
    let record = |record: &str, event: &str| {
        redact_record(record.as_bytes(), event.as_bytes(), false, &key())
            .map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let text = record(&entry, &secret).unwrap();
    assert_eq!(text, entry.replace(ENCODED, &digest()));
    assert!(record(&format!("line of text {secret}"), &secret).unwrap().starts_with("redacted:"));
    assert!(!record(&json!({"message": secret}).to_string(), &secret).unwrap().contains(ENCODED));

    let harmless = event("get", "", "pods", json!({}));
    assert_eq!(record(&format!("line of text {harmless}"), &harmless), None);
    assert_eq!(record(&entry, &harmless), None);
    let uri = event("get", "", "services", json!({"requestURI": format!("/x?token={CLEAR}")}));
    assert!(!record(&json!({"event": uri}).to_string(), &uri).unwrap().contains(CLEAR));
}

/// The spelling of a text: which characters are escaped, and where white space is.
struct Spelling<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl Spelling<'_> {
    fn write(&mut self, value: &Value, out: &mut String) {
        self.blank(out);
        match value {
            Value::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.blank(out);
                    self.string(name, out);
                    self.blank(out);
                    out.push(':');
                    self.write(value, out);
                }
                out.push('}');
            }
            Value::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.write(element, out);
                }
                out.push(']');
            }
            Value::String(text) => self.string(text, out),
            other => out.push_str(&other.to_string()),
        }
        self.blank(out);
    }

    fn choice(&mut self, of: u8) -> bool {
        self.0.next().is_some_and(|byte| byte % of == 0)
    }

    fn blank(&mut self, out: &mut String) {
        if self.choice(5) {
            out.push_str(" \n");
        }
    }

    fn string(&mut self, text: &str, out: &mut String) {
        out.push('"');
        for unit in text.chars() {
            if self.choice(4) || matches!(unit, '"' | '\\') || unit.is_control() {
                let mut units = [0; 2];
                for unit in unit.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}").unwrap();
                }
            } else {
                out.push(unit);
            }
        }
        out.push('"');
    }
}

fn is_secret_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("data") || name.eq_ignore_ascii_case("stringData")
}

/// Plants a marker in every secret place.
fn plant(value: &mut Value, is_secret: bool) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                plant(value, is_secret || is_secret_name(name));
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| plant(element, is_secret)),
        Value::String(text) if is_secret => text.push_str("MARKER"),
        Value::Number(_) if is_secret => *value = json!(7_777_777),
        _ => {}
    }
}

#[track_caller]
fn assert_same_but_secrets(original: &Value, redacted: &Value, is_secret: bool) {
    match (original, redacted) {
        (Value::Object(original), Value::Object(redacted)) => {
            assert!(original.keys().eq(redacted.keys()));
            for (name, value) in original {
                assert_same_but_secrets(value, &redacted[name], is_secret || is_secret_name(name));
            }
        }
        (Value::Array(original), Value::Array(redacted)) => {
            assert_eq!(original.len(), redacted.len());
            for (original, redacted) in original.iter().zip(redacted) {
                assert_same_but_secrets(original, redacted, is_secret);
            }
        }
        (Value::String(_) | Value::Number(_), redacted) if is_secret => {
            let text = redacted.as_str().expect("a digest");
            assert_eq!((text.len(), &text[..9]), (41, "redacted:"));
        }
        (original, redacted) => assert_eq!(original, redacted),
    }
}

fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zé\"\\\\ 😀]{0,12}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        3 => prop::sample::select(vec!["data", "stringData", "Data", "kind", "metadata", "items", "annotations"])
            .prop_map(str::to_owned),
        2 => "[a-z\"é]{0,4}",
    ];
    leaf.prop_recursive(5, 48, 5, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            2 => prop::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn only_secrets_are_redacted(
        mut body in prop::collection::btree_map("[a-z]{1,3}|data|stringData|items", body(), 0..5)
            .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        is_response: bool,
        spelling in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        plant(&mut body, false);
        let member = if is_response { "responseObject" } else { "requestObject" };
        let json = json!({"objectRef": {"resource": "secrets"}, "annotations": {"a": "b"}, member: body});
        let mut text = String::new();
        // The API server writes the names of an event itself.
        text.push_str(r#"{"objectRef":{"resource":"secrets"},"annotations":{"a":"b"},"#);
        text.extend(["\"", member, "\":"]);
        Spelling(spelling.iter().cycle()).write(&json[member], &mut text);
        text.push('}');
        prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &json);

        let Some(redacted) = redacted(&text) else {
            prop_assert!(!json.to_string().contains("MARKER"));
            return Ok(());
        };
        let redacted: Value = serde_json::from_str(&redacted).unwrap();
        let said = redacted.to_string();
        prop_assert!(!said.contains("MARKER") && !said.contains("7777777"));
        assert_same_but_secrets(&json, &redacted, false);
    }
}

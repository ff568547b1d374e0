//! Elastic Agent's `kubernetes.audit`. A real sample exists, shortened and under a licence that excludes it from this
//! repository: the fixtures follow its form.

use serde_json::{Value, json};

use crate::support::event;
use crate::wrapped::unwrap;

/// The event with annotations, and the same event with the keys that Elasticsearch can store.
fn twins() -> (Value, Value) {
    let mut bare: Value = serde_json::from_str(&event(1)).expect("an event");
    let mut stored = bare.clone();
    bare["annotations"] = json!({
        "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: allowed",
    });
    stored["annotations"] = json!({
        "authorization_k8s_io/decision": "allow", "authorization_k8s_io/reason": "RBAC: allowed",
    });
    (bare, stored)
}

fn id_of(log: &str) -> String {
    let (events, ..) = unwrap(log);
    events[0].event_id.clone()
}

#[test]
fn the_event_is_reassembled() {
    let (bare, stored) = twins();
    let id = id_of(&bare.to_string());
    let agent = json!({
        "@timestamp": "2026-11-23T22:00:00.374797Z",
        "agent": { "name": "n1" }, "ecs": { "version": "8.0.0" }, "host": { "name": "n1" },
        "kubernetes": { "audit": stored },
    });
    let hit = json!({ "_index": "logs-kubernetes.audit_logs", "_source": agent });
    for (log, envelopes) in
        [(&agent, &["elastic-agent"][..]), (&hit, &["elasticsearch", "elastic-agent"])]
    {
        let (events, reasons, _) = unwrap(log.to_string());
        assert!(reasons.is_empty());
        assert_eq!(events[0].event_id, id);
        assert_eq!(events[0].envelopes, envelopes);
        assert_eq!(events[0].node.as_deref(), Some("n1"));
        assert_eq!(events[0].original.as_deref(), Some(agent.to_string().as_str()));
    }
}

#[test]
fn the_original_is_preferred() {
    let (bare, stored) = twins();
    let log = json!({
        "kubernetes": { "audit": stored }, "event": { "original": bare.to_string() }, "agent": {},
    });
    let (events, ..) = unwrap(log.to_string());
    assert_eq!(events[0].event_id, id_of(&bare.to_string()));
    assert_eq!(events[0].original, None);
}

#[test]
fn flat_fields() {
    let (bare, stored) = twins();
    let mut fields = serde_json::Map::new();
    flatten("kubernetes.audit", &stored, &mut fields);
    fields.insert("kubernetes.audit.verb.text".into(), json!(["list"]));
    let hit = json!({ "_index": "a", "_id": "x", "fields": fields });
    let (events, reasons, _) = unwrap(hit.to_string());
    assert!(reasons.is_empty(), "{reasons:?}");
    // `responseStatus.metadata` is empty, and an empty object has no fields: only that changes the digest.
    let mut expected = bare;
    expected["responseStatus"] = json!({ "code": 200 });
    assert_eq!(events[0].event_id, id_of(&expected.to_string()));
    assert_eq!(events[0].original, Some(hit.to_string()));
}

fn flatten(path: &str, value: &Value, fields: &mut serde_json::Map<String, Value>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                flatten(&format!("{path}.{key}"), value, fields);
            }
        }
        Value::Array(_) => {
            fields.insert(path.to_owned(), value.clone());
        }
        value => {
            fields.insert(path.to_owned(), json!([value]));
        }
    }
}

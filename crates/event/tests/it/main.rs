//! Tests of event rows through the public interface.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unnecessary_wraps,
    clippy::unwrap_used,
    reason = "tests fail by panicking, and read best with plain values"
)]

mod bodies;
mod changes;
mod embedded;
mod envelope;
mod export;
mod history;
mod json_patch;
mod objects;
mod patch;
mod pod_security;
mod redact;
mod times;

use podtrail_event::{Event, Parser};
use serde_json::{Value, json};

/// Returns a complete event of `verb` on a resource, with more members merged into it.
fn event(verb: &str, group: &str, resource: &str, members: Value) -> String {
    let mut event = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "5ac1f2a8-0000-4000-8000-000000000001",
        "stage": "ResponseComplete",
        "requestURI": "/apis/x",
        "verb": verb,
        "user": {"username": "alice", "groups": ["dev", "system:authenticated"]},
        "sourceIPs": ["203.0.113.9", "10.0.0.7"],
        "userAgent": "kubectl/v1.36",
        "objectRef": {"resource": resource, "namespace": "web", "name": "app", "apiGroup": group, "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-11-24T10:05:57.915000Z",
        "stageTimestamp": "2026-11-24T10:05:57.920001Z",
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
    });
    if group.is_empty() {
        event["objectRef"].as_object_mut().unwrap().remove("apiGroup");
    }
    for (key, value) in members.as_object().unwrap() {
        event[key] = value.clone();
    }
    event.to_string()
}

fn row(json: &str) -> Event<'_> {
    Box::leak(Box::<Parser>::default()).parse(json.as_bytes(), None).unwrap()
}
